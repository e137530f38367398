"""The command line: `aiocos ls`, `cp`, `rm` … with `cos://bucket/key` paths. Needs the extra `cli`."""

import io
import sys
from collections.abc import Callable

from aiocos.cli import standard_streams


def main() -> None:
    """Run the command line; without typer and rich, say what to install."""
    standard_streams.reopen()
    try:
        from aiocos.cli.app import app
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("typer", "rich", "click"):
            raise
        sys.stderr.write(f"aiocos: the command line needs {missing}: pip install 'aiocos[cli]'\n")
        raise SystemExit(2) from None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a letter shows its number: a listing must not stop at a key.
            stream.reconfigure(errors="backslashreplace")
    raise SystemExit(standard_streams.finish(_run(app)))


def _run(app: Callable[[], object]) -> int:
    """Run the application; return its exit status, also where its own output could not be written (a list, a help text)."""
    stream = sys.stdout
    try:
        app()
    except SystemExit as end:
        sys.stdout = stream
        if isinstance(end.__context__, BrokenPipeError):
            # Typer and rich end with 1 where nobody reads any more. That is no failure.
            return 0
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BrokenPipeError:
        return 0
    except OSError as error:
        sys.stderr.write(f"aiocos: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}\n")
        return 1
    return 0
