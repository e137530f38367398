"""Read the content to upload from memory, a file or a stream.

A source with random access (bytes, a path) yields its parts in parallel. One that must be read in order yields one part after
the other, each only when there is memory for it. Nothing here blocks the event loop: files are read in threads.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from aiocos.config import KIB
from aiocos.errors import ConfigError, TransferError
from aiocos.net.hashing import hash_body
from aiocos.net.retry import pause
from aiocos.transfer.file_objects import Source, is_text_file, reads_by_size
from aiocos.transfer.files import in_thread, opened, read_at
from aiocos.transfer.parts import PartRange
from aiocos.transfer.upload.small import SMALL_FILE
from aiocos.wire import checksum
from aiocos.wire.checksum import Algorithm
from aiocos.wire.message import Bytes

# Bytes to read from a file object before memory is reserved, to see whether it has any.
_FIRST_READ = 64 * KIB
# Bytes to copy before other tasks get a turn.
_COPY_SIZE = 256 * KIB


class PartSource(ABC):
    """A source that is being read."""

    size: int | None
    """Size in bytes; None if it is not known."""
    ordered: bool
    """True if parts must be read in order."""
    path: str | None = None
    """Absolute path of a file, else None."""
    mtime: int | None = None
    """Time of a file's last change, in nanoseconds since 1970, else None."""

    @abstractmethod
    async def read(self, part: PartRange) -> Bytes:
        """Return the bytes of a part.

        Fewer than its length only at the end of a source of unknown size.
        """

    async def read_hashed(self, part: PartRange, algorithm: Algorithm) -> tuple[Bytes, bytes]:
        """Return the bytes of a part, and their checksum."""
        data = await self.read(part)
        return data, await hash_body(algorithm, data)

    def recycle(self, data: Bytes) -> None:
        """Take back the buffer of a part, to use it for a later part.

        Nobody may read it any more.
        """
        return

    async def wait_readable(self) -> None:
        """Wait until there is something to read, or the end.

        So a silent source does not hold memory while it is silent.
        """
        return

    async def check_unchanged(self) -> None:
        """Raise `TransferError` if the source was changed while it was read."""
        return

    async def __aenter__(self) -> PartSource:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def part_source(source: Source) -> PartSource:
    """Return a reader for a source.

    Raises `ConfigError` for a text file and for anything that is not a source.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _MemorySource(cast("Bytes", source))
    if isinstance(source, str | os.PathLike):
        return _FileSource(Path(source))
    if is_text_file(source):
        raise ConfigError("the source is a text file: open it with mode 'rb'")
    if reads_by_size(source):
        return _ReaderSource(source)
    if isinstance(source, AsyncIterable):
        return _ChunkSource(source)
    if isinstance(source, Iterable):
        return _ChunkSource(_iterate_in_thread(iter(cast("Iterable[Bytes]", source))))
    raise ConfigError(f"{type(source).__name__} is not a source: give bytes, a path, a binary file or an iterator of bytes")


class _MemorySource(PartSource):
    ordered = False

    def __init__(self, data: Bytes) -> None:
        self._view = memoryview(data).cast("B")
        self.size = self._view.nbytes

    async def read(self, part: PartRange) -> Bytes:
        return self._view[part.offset : part.end]


class _BufferedSource(PartSource):
    """A source whose parts are read into buffers that are used again.

    Allocating a buffer costs as much as filling it.
    """

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def recycle(self, data: Bytes) -> None:
        if isinstance(data, bytearray):
            self._free.append(data)

    def _free_buffer(self, length: int) -> bytearray | None:
        """Return a free buffer of this length, or None."""
        if self._free and len(self._free[-1]) == length:
            return self._free.pop()
        return None


def _stat_regular(path: Path) -> os.stat_result:
    """Return the status of a file; raise `ConfigError` unless it is a regular file.

    Blocks.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        # The size of a pipe or a device means nothing, and opening one may wait forever.
        raise ConfigError(f"{path} is not a regular file: open it and give the file object")
    return found


def _read_whole(path: Path, size: int) -> tuple[bytes, os.stat_result]:
    """Read a small file, and its status afterwards. Blocks.

    In one trip to a thread: with aiofiles, `open`, `read` and `close` would be one trip each, and a trip takes as long as
    sending the file.
    """
    with path.open("rb", buffering=0) as file:
        return file.read(size), os.fstat(file.fileno())


class _FileSource(_BufferedSource):
    """A file, given by its path. Parts are read at their offsets, in parallel."""

    ordered = False

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.path = str(path.absolute())
        self._stack = AsyncExitStack()
        self._fd = -1  # stays -1 for a small file
        self.size = None

    async def __aenter__(self) -> PartSource:
        self._stat = self._stat_now = await in_thread(_stat_regular, self._path)
        self.size, self.mtime = self._stat.st_size, self._stat.st_mtime_ns
        if self.size <= SMALL_FILE:
            return self
        self._fd = await self._stack.enter_async_context(opened(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0)))
        self._stat = os.fstat(self._fd)
        self.size = self._stat.st_size
        self.mtime = self._stat.st_mtime_ns
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def read(self, part: PartRange) -> Bytes:
        if self._fd < 0:
            data, self._stat_now = await in_thread(_read_whole, self._path, self._stat.st_size)
            piece = data[part.offset : part.end]
            return self._complete(part, piece, len(piece))
        return self._complete(part, *await in_thread(_read_part, self._fd, part, self._free_buffer(part.length)))

    async def read_hashed(self, part: PartRange, algorithm: Algorithm) -> tuple[Bytes, bytes]:
        if self._fd < 0 or not (checksum.is_combinable(algorithm) and checksum.is_fast(algorithm)):
            return await super().read_hashed(part, algorithm)
        # In the trip to the thread that reads: a CRC of what the processor has just read costs next to nothing.
        crc = checksum.hasher(algorithm)
        data = self._complete(part, *await in_thread(_read_part, self._fd, part, self._free_buffer(part.length), crc.update))
        return data, crc.digest()

    def _complete(self, part: PartRange, data: Bytes, got: int) -> Bytes:
        if got != part.length:
            raise TransferError(f"{self._path} became shorter while it was read: it ends at {part.offset + got} bytes")
        return data

    async def check_unchanged(self) -> None:
        before, now = self._stat, self._stat_now if self._fd < 0 else os.fstat(self._fd)
        if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise TransferError(f"{self._path} was changed while it was read: what was sent may be a mixture, and is discarded")


def _read_part(
    fd: int, part: PartRange, buffer: bytearray | None, update: Callable[[memoryview], None] | None = None
) -> tuple[bytearray, int]:
    """Read a part into `buffer`, or a new one; return it with the number of bytes.

    `update` is called with each piece. Blocks.
    """
    buffer = bytearray(part.length) if buffer is None else buffer
    return buffer, read_at(fd, buffer, part.offset, update)


class _OrderedSource(_BufferedSource):
    """A source that is read in order: each part is filled from chunks of any size."""

    ordered = True
    size = None

    def __init__(self) -> None:
        super().__init__()
        self._rest: memoryview = memoryview(b"")
        self._ended = False

    async def wait_readable(self) -> None:
        if not self._rest:
            self._rest = await self._next_chunk(_FIRST_READ)

    @abstractmethod
    async def _read_chunk(self, wanted: int) -> Bytes:
        """Return the next chunk, of about `wanted` bytes if the source lets us choose.

        Empty at the end.
        """

    async def read(self, part: PartRange) -> Bytes:
        wanted, filled = part.length, 0
        buffer = self._free_buffer(wanted)
        if buffer is None:
            buffer = bytearray()
        while filled < wanted:
            if not self._rest:
                self._rest = await self._next_chunk(wanted - filled)
                if not self._rest:
                    break
            count = min(len(self._rest), wanted - filled, _COPY_SIZE)
            # A new buffer grows: filling it with zeros first would block the event loop.
            buffer[filled : filled + count] = self._rest[:count]
            # Even an empty view locks its bytearray, which the source may want to resize.
            self._rest = self._rest[count:] if count < len(self._rest) else memoryview(b"")
            filled += count
            if filled // _COPY_SIZE > (filled - count) // _COPY_SIZE:
                # A source may have all chunks in memory, and never suspend.
                await pause(0)
        return buffer if filled == wanted else memoryview(buffer)[:filled]

    async def _next_chunk(self, wanted: int) -> memoryview:
        if self._ended:
            return memoryview(b"")
        chunk = await self._read_chunk(wanted)
        try:
            view = memoryview(chunk).cast("B")
        except TypeError as error:  # a user's iterator may yield anything
            raise ConfigError(f"the source gave {type(chunk).__name__} where bytes were expected") from error
        self._ended = not view
        return view


class _ReaderSource(_OrderedSource):
    """A file object: synchronous, which is read in a thread, or asynchronous."""

    def __init__(self, reader: Any) -> None:
        super().__init__()
        self._read = reader.read
        self._is_async = inspect.iscoroutinefunction(reader.read)

    async def _read_chunk(self, wanted: int) -> Bytes:
        if self._is_async:
            return await self._read(wanted)
        # A cancel does not wait for this thread: a pipe or a terminal may never return.
        chunk = await asyncio.to_thread(self._read, wanted)
        # A wrapper may be a plain function that returns an awaitable.
        return await chunk if inspect.isawaitable(chunk) else chunk


class _ChunkSource(_OrderedSource):
    """An iterator of bytes. Empty chunks before the end are skipped."""

    def __init__(self, chunks: AsyncIterable[Bytes]) -> None:
        super().__init__()
        self._chunks = aiter(chunks)

    async def _read_chunk(self, wanted: int) -> Bytes:
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


async def _iterate_in_thread(chunks: Iterator[Bytes]) -> AsyncIterator[Bytes]:
    """Iterate over a synchronous iterator, each step in a thread."""
    end = object()
    while (chunk := await asyncio.to_thread(next, chunks, end)) is not end:
        yield cast("Bytes", chunk)
