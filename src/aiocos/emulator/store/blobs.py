"""Blobs: small contents in the database, large ones in files.

A file exists completely or not at all.

Writing a file straight to its final path is the naive way: a process killed halfway leaves half a file that looks complete.
So a file is written under `incoming/`, synced, renamed into `blobs/xx/`, and only then gets its row in the database. A killed
process leaves at most files without a row, which `sweep` removes at the next start.

A file that lost its last reference is removed after the commit, but not while a response still reads it: readers pin their
files. They do so on the event loop, in the same step in which they read the row, so a removal cannot come between the two.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiocos.emulator.store.directory import BLOBS, INCOMING, blob_files, incoming_files
from aiocos.emulator.store.reserve import Reserve, disk_full_as_507
from aiocos.emulator.store.rows import Segment
from aiocos.emulator.store.workers import Workers

INLINE = 32 * 1024
"""Contents of at most this many bytes are stored in the database: one commit instead of a file, its sync and its rename."""
CHUNK = 1024 * 1024


class Blob:
    """Content that was received and has no references yet.

    `data` is None if the content is a file.
    """

    __slots__ = ("data", "id", "size")

    def __init__(self, size: int, data: bytes | None = None, name: str | None = None) -> None:
        self.id = name or os.urandom(16).hex()
        self.size = size
        self.data = data

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments that cover the whole content."""
        return (Segment(self.id, 0, self.size),) if self.size else ()


class Writer:
    """A file being written.

    Its methods block and run in a worker thread: `put` repeatedly, then `finish` or `discard`.
    """

    @disk_full_as_507()
    def __init__(self, blobs: "Blobs") -> None:
        blobs.reserve.check()
        self._blobs = blobs
        self.name = os.urandom(16).hex()
        self._path = blobs.incoming / self.name
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.size = 0

    @disk_full_as_507()
    def put(self, chunks: Sequence[bytes]) -> None:
        """Append to the file. Raises `ServiceError` 507 if the disk is full."""
        self._blobs.reserve.check()
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._fd, view) :]
            self.size += len(chunk)

    @disk_full_as_507()
    def finish(self) -> Blob:
        """Sync the file, move it to its final place and return it as a blob."""
        if self._blobs.durable:
            os.fsync(self._fd)
        os.close(self._fd)
        self._fd = -1
        target = self._blobs.path(self.name)
        new = not target.parent.exists()
        target.parent.mkdir(exist_ok=True, mode=0o700)
        os.rename(self._path, target)
        if self._blobs.durable:
            _sync_directory(target.parent)
            if new:
                _sync_directory(self._blobs.directory)
        return Blob(self.size, name=self.name)

    def discard(self) -> None:
        """Close and delete the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._path.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Blobs:
    """All blob files of one data directory."""

    def __init__(self, directory: Path, workers: Workers, reserve: Reserve, *, durable: bool) -> None:
        self.directory = directory / BLOBS
        self.incoming = directory / INCOMING
        self._data = directory
        self.workers = workers
        self.reserve = reserve
        self.durable = durable
        self._pins: Counter[str] = Counter()
        self._remove_when_unpinned: set[str] = set()
        for unfinished in incoming_files(directory):
            os.unlink(unfinished.path)

    def path(self, name: str) -> Path:
        """Return the path of a blob's file."""
        return self.directory / name[:2] / name

    def sweep(self, named: Iterable[str]) -> int:
        """Remove the files that have no database row and return their number.

        Call it before anything is served.

        Only files named like blobs, in folders named like blob folders, are removed.
        """
        names = set(named)
        swept = 0
        for entry in blob_files(self._data):
            if entry.name not in names:
                os.unlink(entry.path)
                swept += 1
        return swept

    @contextmanager
    def pinned(self, segments: Sequence[Segment]) -> Generator[None]:
        """Keep the files of these segments on disk while the block runs."""
        names = {s.blob for s in segments}
        self._pins.update(names)
        try:
            yield
        finally:
            unpinned: list[str] = []
            for name in names:
                self._pins[name] -= 1
                if not self._pins[name]:
                    del self._pins[name]
                    if name in self._remove_when_unpinned:
                        self._remove_when_unpinned.discard(name)
                        unpinned.append(name)
            self._unlink(unpinned)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files. A pinned file is removed when its last reader is done."""
        free: list[str] = []
        for name in names:
            if self._pins[name]:
                self._remove_when_unpinned.add(name)
            else:
                del self._pins[name]
                free.append(name)
        self._unlink(free)

    async def discard(self, blob: Blob) -> None:
        """Remove the content of a blob that will get no references."""
        if blob.data is None and blob.size:
            await self.workers.run(self._unlink_all, [blob.id])

    def _unlink(self, names: list[str]) -> None:
        # Deleting a file of several gigabytes can take seconds: do not block the event loop.
        if names:
            self.workers.start(self._unlink_all, names)

    def _unlink_all(self, names: list[str]) -> None:
        for name in names:
            self.path(name).unlink(missing_ok=True)

    async def read(self, segment: Segment) -> AsyncIterator[bytes]:
        """Yield the bytes of a segment in chunks of 1 MiB. The segment must be pinned."""
        fd = os.open(self.path(segment.blob), os.O_RDONLY | os.O_CLOEXEC)
        try:
            offset, end = segment.offset, segment.offset + segment.length
            while offset < end:
                chunk = await self.workers.run(os.pread, fd, min(CHUNK, end - offset), offset)
                if not chunk:
                    raise OSError(f"the blob {segment.blob} ends at {offset}, before {end}")
                offset += len(chunk)
                yield chunk
        finally:
            os.close(fd)


def slice_segments(segments: Sequence[Segment], offset: int, length: int) -> tuple[Segment, ...]:
    """Return the segments of a byte range of the content that `segments` make up."""
    result: list[Segment] = []
    for s in segments:
        if length <= 0:
            break
        if offset >= s.length:
            offset -= s.length
            continue
        taken = min(s.length - offset, length)
        result.append(Segment(s.blob, s.offset + offset, taken))
        length -= taken
        offset = 0
    return tuple(result)
