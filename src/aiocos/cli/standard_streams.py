"""Standard streams that are closed, full, or a pipe without a reader.

A shell closes them with `>&-` and `<&-`. If descriptor 1 is closed, Python sets `sys.stdout` to None, and the next file or
socket that is opened gets descriptor 1: printed text would be written into that file. Therefore every closed descriptor is
reopened on the null device in the wrong mode: output for reading, input for writing. Then no other file can get the number,
and a command that uses the stream fails. A command that does not use the stream works.
"""

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO, cast

INPUT, OUTPUT, ERROR = "standard input", "standard output", "standard error"


def reopen() -> None:
    """Reopen closed standard streams so that reading or writing them fails.

    A closed standard error discards its text instead. Afterwards, `filename` of an `OSError` of a standard stream is the
    name of the stream.
    """
    for number, name, flags in ((0, "stdin", os.O_WRONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, flags)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
        stream: TextIO | None = getattr(sys, name)
        if stream is None or (
            os.name == "posix" and isinstance(cast(object, stream), io.TextIOWrapper) and stream.fileno() == number
        ):
            setattr(sys, name, _open(number, stream))


@contextmanager
def named(stream: str) -> Generator[None]:
    """Set `filename` of an `OSError` raised in the block to the name of a stream.

    A `filename` that is already set is kept.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = stream
        raise


class _Stream(io.FileIO):
    """A standard stream whose `OSError`s have its name as `filename`."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w" if number else "r", closefd=False)
        self._name = (INPUT, OUTPUT, ERROR)[number]

    def readinto(self, buffer: Any, /) -> int | None:  # type: ignore[override]
        with named(self._name):
            return super().readinto(buffer)

    def readall(self) -> bytes | None:  # type: ignore[override]
        with named(self._name):
            return super().readall()

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        with named(self._name):
            return super().write(data)


def _open(number: int, replaced: TextIO | None) -> TextIO:
    """Open a standard stream whose errors name it.

    It has the encoding of the stream `replaced`, UTF-8 if that is None.
    """
    raw = _Stream(number)
    buffer = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
    if replaced is None:
        # Line buffering writes at once, so that an error is raised inside the command and not at exit.
        return io.TextIOWrapper(buffer, encoding="utf-8", line_buffering=True)
    return io.TextIOWrapper(buffer, replaced.encoding, replaced.errors, line_buffering=bool(replaced.line_buffering))


def finish(status: int) -> int:
    """Flush standard output and return the exit status.

    That is `status`, or 1 if the flush fails. A closed pipe is not a failure: the reader of `aiocos ls | head` needs no more.
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
    """Discard buffered output.

    The interpreter would flush it again at exit and report the error again.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
    finally:
        os.close(null)
