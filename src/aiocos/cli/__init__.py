"""The command line: `aiocos ls`, `cp`, `rm` … with `cos://bucket/key` paths. Needs the extra `cli`."""

import io
import sys


def main() -> None:
    """Run the command line; without typer and rich, say what to install."""
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
    app()
