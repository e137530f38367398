"""Where an upload's bytes come from: memory, a file, anything that is read in order.

A source that can be read anywhere gives its parts in parallel; one that must be read in order gives them one after another,
each asked for only when there is room for it. Nothing here blocks the event loop: files are read in threads.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, TypeAlias, cast, runtime_checkable

from aiocos.config import KIB
from aiocos.errors import ConfigError, TransferError
from aiocos.net.retry import pause
from aiocos.transfer.files import in_thread, opened, read_at
from aiocos.transfer.parts import PartRange
from aiocos.wire.message import Bytes

# What is read of a file object before there is room for a part.
_FIRST = 64 * KIB
# What is copied at once.
_STEP = 256 * KIB
# Files up to this are read in one trip to a thread.
_SMALL = 256 * KIB


@runtime_checkable
class AsyncReader(Protocol):
    """Something with an awaitable `read(size)`: FastAPI's UploadFile, a file of aiofiles, a StreamReader."""

    def read(self, size: int, /) -> Awaitable[bytes]:
        """Return up to `size` bytes; empty at the end."""
        ...


Source: TypeAlias = Bytes | str | os.PathLike[str] | BinaryIO | AsyncReader | AsyncIterable[Bytes] | Iterable[Bytes]
"""What can be uploaded: bytes, a path, a binary file, or an iterator of bytes, of known or unknown length."""


class PartSource(ABC):
    """A source in use. `size` is None where the length is not known; `ordered` sources give their parts in order only.

    Of a file, `path` is its absolute path, and `mtime` the time of its last change, in nanoseconds.
    """

    size: int | None
    ordered: bool
    path: str | None = None
    mtime: int | None = None

    @abstractmethod
    async def part(self, part: PartRange) -> Bytes:
        """Return the bytes of a part; fewer than its length only at the end of a source of unknown size."""

    def done(self, data: Bytes) -> None:
        """Take the bytes of a part back, which nobody reads any more."""
        return

    async def ready(self) -> None:
        """Wait until there is something to read, or the end: who waits for a silent source holds no memory meanwhile."""
        return

    async def unchanged(self) -> None:
        """Raise `TransferError` where the source was changed while it was read."""
        return

    async def __aenter__(self) -> PartSource:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def part_source(source: Source) -> PartSource:
    """Return a source ready to be read. `ConfigError` for what is none."""
    if isinstance(source, bytes | bytearray | memoryview):
        return _Memory(cast("Bytes", source))
    if isinstance(source, str | os.PathLike):
        return _File(Path(source))
    if isinstance(source, io.TextIOBase):
        raise ConfigError("the source is a text file: open it with mode 'rb'")
    if _reads_by_size(source):
        return _Reader(source)
    if isinstance(source, AsyncIterable):
        return _Chunks(source)
    if isinstance(source, Iterable):
        return _Chunks(_threaded(iter(cast("Iterable[Bytes]", source))))
    raise ConfigError(f"{type(source).__name__} is no source: give bytes, a path, a binary file or an iterator of bytes")


def _reads_by_size(source: object) -> bool:
    """Tell whether a source has a `read(size)`. A `read()` without a size (`ObjectStream`) would give everything at once."""
    read = getattr(source, "read", None)
    try:
        return read is not None and bool(inspect.signature(read).bind(1))
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return True


class _Memory(PartSource):
    ordered = False

    def __init__(self, data: Bytes) -> None:
        self._view = memoryview(data).cast("B")
        self.size = self._view.nbytes

    async def part(self, part: PartRange) -> Bytes:
        return self._view[part.offset : part.end]


class _Copied(PartSource):
    """A source whose parts are copied into memory. It is used again for later parts: fresh memory costs as much as a copy."""

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def done(self, data: Bytes) -> None:
        if isinstance(data, bytearray):
            self._free.append(data)

    def _memory(self, length: int) -> bytearray | None:
        """Memory of this length that is free."""
        if self._free and len(self._free[-1]) == length:
            return self._free.pop()
        return None


def _look(path: Path) -> os.stat_result:
    """Find out what a file is. Blocks."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        # A pipe or a device has no size that means anything, and opening one may wait for ever.
        raise ConfigError(f"{path} is no regular file: open it and give the file object")
    return found


def _whole(path: Path, size: int) -> tuple[bytes, os.stat_result]:
    """Read a small file in one go: each trip to a thread takes as long as sending it. Blocks."""
    with path.open("rb", buffering=0) as file:
        return file.read(size), os.fstat(file.fileno())


class _File(_Copied):
    """A file by its path, read in whole parts at their offsets; a small one is opened, read and closed in one trip."""

    ordered = False

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.path = str(path.absolute())
        self._held = AsyncExitStack()
        self._fd = -1  # of a large one
        self.size = None

    async def __aenter__(self) -> PartSource:
        self._stat = self._now = await in_thread(_look, self._path)
        self.size, self.mtime = self._stat.st_size, self._stat.st_mtime_ns
        if self.size <= _SMALL:
            return self
        self._fd = await self._held.enter_async_context(opened(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0)))
        self._stat = os.fstat(self._fd)
        self.size = self._stat.st_size
        self.mtime = self._stat.st_mtime_ns
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._held.aclose()

    async def part(self, part: PartRange) -> Bytes:
        buffer: Bytes
        if self._fd < 0:
            data, self._now = await in_thread(_whole, self._path, self._stat.st_size)
            buffer = data[part.offset : part.end]
            got = len(buffer)
        else:
            buffer, got = await in_thread(_read, self._fd, part, self._memory(part.length))
        if got != part.length:
            raise TransferError(f"{self._path} became shorter while it was read: it ends at {part.offset + got} bytes")
        return buffer

    async def unchanged(self) -> None:
        before, now = self._stat, self._now if self._fd < 0 else os.fstat(self._fd)
        if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise TransferError(f"{self._path} was changed while it was read: what was sent may be a mixture, and is discarded")


def _read(fd: int, part: PartRange, free: bytearray | None) -> tuple[bytearray, int]:
    """Read a part, into memory that is free where there is some; return it, and how much there was. Blocks."""
    buffer = bytearray(part.length) if free is None else free
    return buffer, read_at(fd, buffer, part.offset)


class _Ordered(_Copied):
    """What is read in order: part after part, each filled from pieces of any size."""

    ordered = True
    size = None

    def __init__(self) -> None:
        super().__init__()
        self._rest: memoryview = memoryview(b"")
        self._ended = False

    async def ready(self) -> None:
        if not self._rest:
            self._rest = await self._piece(_FIRST)

    @abstractmethod
    async def _more(self, wanted: int) -> Bytes:
        """Return the next piece (about `wanted` bytes where that can be chosen); empty at the end."""

    async def part(self, part: PartRange) -> Bytes:
        wanted, filled = part.length, 0
        buffer = self._memory(wanted)
        if buffer is None:
            buffer = bytearray()
        while filled < wanted:
            if not self._rest:
                self._rest = await self._piece(wanted - filled)
                if not self._rest:
                    break
            taken = min(len(self._rest), wanted - filled, _STEP)
            # Appended to where it is new: filling it with zeros first would hold the event loop up.
            buffer[filled : filled + taken] = self._rest[:taken]
            # Even an empty view holds its bytearray, which the source may want to change.
            self._rest = self._rest[taken:] if taken < len(self._rest) else memoryview(b"")
            filled += taken
            if filled // _STEP > (filled - taken) // _STEP:
                # A source may have its pieces at hand, and never wait.
                await pause(0)
        return buffer if filled == wanted else memoryview(buffer)[:filled]

    async def _piece(self, wanted: int) -> memoryview:
        if self._ended:
            return memoryview(b"")
        piece = await self._more(wanted)
        try:
            view = memoryview(piece).cast("B")
        except TypeError as error:  # a user's iterator may give anything
            raise ConfigError(f"the source gave {type(piece).__name__} where bytes were expected") from error
        self._ended = not view
        return view


class _Reader(_Ordered):
    """A file object, synchronous (read in a thread) or not."""

    def __init__(self, reader: Any) -> None:
        super().__init__()
        self._read = reader.read
        self._waits = inspect.iscoroutinefunction(reader.read)

    async def _more(self, wanted: int) -> Bytes:
        if self._waits:
            return await self._read(wanted)
        piece = await asyncio.to_thread(self._read, wanted)
        # A wrapper may be a plain function that returns an awaitable.
        return await piece if inspect.isawaitable(piece) else piece


class _Chunks(_Ordered):
    """An iterator of bytes; empty chunks on the way are no end."""

    def __init__(self, chunks: AsyncIterable[Bytes]) -> None:
        super().__init__()
        self._chunks = aiter(chunks)

    async def _more(self, wanted: int) -> Bytes:
        async for chunk in self._chunks:
            if len(chunk):
                return chunk
        return b""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()


async def _threaded(chunks: Iterator[Bytes]) -> AsyncIterator[Bytes]:
    """Step through a synchronous iterator in a thread."""
    end = object()
    while (chunk := await asyncio.to_thread(next, chunks, end)) is not end:
        yield cast("Bytes", chunk)
