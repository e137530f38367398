"""Standard input, output and error, which may be closed (`>&-`, `<&-`), full, or a pipe that nobody reads any more.

Python has no `sys.stdout` where the descriptor is closed, and the next file or socket that is opened gets its number: what is
printed would go into it. So every closed descriptor is opened again, the wrong way round: output for reading, input for
writing. Nothing else can get the number, and whoever uses it gets the error that it should get. A command that uses neither
does not notice.
"""

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO, cast

INPUT, OUTPUT, ERROR = "standard input", "standard output", "standard error"


def reopen() -> None:
    """Give every closed standard stream a descriptor that cannot be used; standard error one that goes nowhere.

    Errors of all three say then which stream they are of.
    """
    for number, name, flags in ((0, "stdin", os.O_WRONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            made = os.open(os.devnull, flags)
            if made != number:
                os.dup2(made, number)
                os.close(made)
        stream: TextIO | None = getattr(sys, name)
        if stream is None or (
            os.name == "posix" and isinstance(cast(object, stream), io.TextIOWrapper) and stream.fileno() == number
        ):
            setattr(sys, name, _opened(number, stream))


@contextmanager
def named(stream: str) -> Generator[None]:
    """Put the name of a standard stream into an `OSError` that has no file name."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = stream
        raise


class _Stream(io.FileIO):
    """A standard stream, whose errors have its name."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w" if number else "r", closefd=False)
        self._called = (INPUT, OUTPUT, ERROR)[number]

    def readinto(self, buffer: Any, /) -> int | None:  # type: ignore[override]
        with named(self._called):
            return super().readinto(buffer)

    def readall(self) -> bytes | None:  # type: ignore[override]
        with named(self._called):
            return super().readall()

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        with named(self._called):
            return super().write(data)


def _opened(number: int, like: TextIO | None) -> TextIO:
    raw = _Stream(number)
    buffer = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
    if like is None:
        # Line buffering writes at once: an error shall come from the command, and not after it.
        return io.TextIOWrapper(buffer, encoding="utf-8", line_buffering=True)
    return io.TextIOWrapper(buffer, like.encoding, like.errors, line_buffering=bool(like.line_buffering))


def finish(status: int) -> int:
    """Write what standard output still holds; return the exit status, which is 1 where that fails.

    Whoever has stopped reading has what he wanted: that is no failure.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard()
    except (OSError, ValueError) as error:
        _discard()
        if not status:
            sys.stderr.write(f"aiocos: {OUTPUT}: {getattr(error, 'strerror', None) or error}\n")
            return 1
    return status


def _discard() -> None:
    """Let what is left go nowhere: the interpreter writes it once more at its end, and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
    finally:
        os.close(nowhere)
