"""Types of sources and targets of transfers."""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import AsyncIterable, Awaitable, Iterable
from typing import Any, BinaryIO, Protocol, TypeAlias, runtime_checkable

from aiocos.wire.message import Bytes


@runtime_checkable
class AsyncReader(Protocol):
    """An object with an awaitable `read(size)`.

    For example a file of aiofiles, FastAPI's `UploadFile`, or an `asyncio.StreamReader`.
    """

    def read(self, size: int, /) -> Awaitable[bytes]:
        """Return up to `size` bytes; empty at the end."""
        ...


@runtime_checkable
class AsyncWriter(Protocol):
    """An object with an awaitable `write(data)`: a file of aiofiles, for example.

    An `asyncio.StreamWriter` is accepted, too: its `write` returns at once, and its `drain` is awaited after each call.
    """

    def write(self, data: bytes, /) -> Any:
        """Write `data`.

        May return the number of bytes that were taken; the rest is then offered again.
        """
        ...


Source: TypeAlias = Bytes | str | os.PathLike[str] | BinaryIO | AsyncReader | AsyncIterable[Bytes] | Iterable[Bytes]
"""What can be uploaded: bytes, a path, a binary file object, or an iterator of bytes, of known or unknown length."""

DownloadTarget: TypeAlias = str | os.PathLike[str] | BinaryIO | AsyncWriter
"""What an object can be downloaded to: a path, or a binary file object, which is written in order."""


def is_text_file(file: object) -> bool:
    """Return True if `file` reads or writes text, also one of aiofiles."""
    if isinstance(file, io.TextIOBase):
        return True
    # A text file of aiofiles is no `TextIOBase`, and has these attributes of one.
    return isinstance(getattr(file, "encoding", None), str) and hasattr(file, "newlines")


def reads_by_size(source: object) -> bool:
    """Return True if `source` has a `read(size)`.

    A `read()` without a size, as `ObjectStream` has one, would return everything at once.
    """
    read = getattr(source, "read", None)
    try:
        return read is not None and bool(inspect.signature(read).bind(1))
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return True
