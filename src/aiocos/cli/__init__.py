"""The command line: `aiocos ls`, `cp`, `rm` … with `cos://bucket/key` paths.

Needs the extra `cli`.
"""

import gc
import io
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec

from aiocos.cli import standard_streams
from aiocos.version import __version__


def main() -> None:
    """Run the command line.

    If typer or rich is missing, print how to install it and exit with 2.
    """
    # Imports make many objects and hardly any garbage; with the usual threshold, collections take a tenth of a short command.
    gc.set_threshold(50_000, 20, 20)
    # pydantic would search all installed packages for its plugins, which watch validations and change no output.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    standard_streams.reopen()
    try:
        app = _application()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("typer", "rich", "click"):
            raise
        sys.stderr.write(f"aiocos: the command line needs {missing}: pip install 'aiocos[cli]'\n")
        raise SystemExit(2) from None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Write characters that the terminal's encoding lacks as escapes: an odd key must not end a listing.
            stream.reconfigure(errors="backslashreplace")
    raise SystemExit(standard_streams.finish(_run(app)))


def _application() -> Callable[[], object]:
    """Return the application.

    Raises `ModuleNotFoundError` if a package of the extra is missing.
    """
    if sys.argv[1:] == ["--version"]:
        return _print_version
    # rich is imported when something is shown with it, and then it would be too late for this error.
    if find_spec("rich") is None:
        raise ModuleNotFoundError("No module named 'rich'", name="rich")
    from aiocos.cli.app import app

    return app


def _print_version() -> None:
    """Print the version as the option of the application does, without loading it."""
    sys.stdout.write(f"aiocos {__version__}\n")


def _run(app: Callable[[], object]) -> int:
    """Run the application and return its exit status.

    An output that cannot be written (a listing, a help text) is exit status 1, or 0 if the reader closed the pipe.
    """
    stdout = sys.stdout
    try:
        app()
    except SystemExit as error:
        sys.stdout = stdout
        if isinstance(error.__context__, BrokenPipeError):
            # Typer and rich exit with 1 if the reader closed the pipe (`aiocos api | head`), which is not a failure.
            return 0
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BrokenPipeError:
        return 0
    except OSError as error:
        sys.stderr.write(f"aiocos: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}\n")
        return 1
    return 0
