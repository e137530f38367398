"""Content: small pieces in the database, larger ones as files that are there whole or not at all.

A file is written under `incoming/`, synced, renamed into `blobs/xx/`, and only then named by a row. A process that is killed
leaves at most files that no row names; `sweep` removes those at the next start. A file that lost its last reference is
removed after that commit, and not while somebody reads it: readers pin what they read, on the event loop, in the same step in
which they read the row, so no removal comes between.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiocos.emulator.store.directory import BLOBS, INCOMING, blob_files, incoming_files
from aiocos.emulator.store.reserve import Reserve, answered_when_full
from aiocos.emulator.store.rows import Segment
from aiocos.emulator.store.workers import Workers

INLINE = 32 * 1024
"""Contents up to this many bytes stand in the database: one commit instead of a file, its sync and its rename."""
CHUNK = 1024 * 1024


class Blob:
    """Content that has arrived and that nothing refers to yet. `data` is None where it is a file."""

    __slots__ = ("data", "id", "size")

    def __init__(self, size: int, data: bytes | None = None, name: str | None = None) -> None:
        self.id = name or os.urandom(16).hex()
        self.size = size
        self.data = data

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The whole of it."""
        return (Segment(self.id, 0, self.size),) if self.size else ()


class Writer:
    """A file being written, in an executor. Use `put` any number of times, then `finish` or `discard`."""

    @answered_when_full()
    def __init__(self, blobs: "Blobs") -> None:
        blobs.reserve.check()
        self._blobs = blobs
        self.name = os.urandom(16).hex()
        self._path = blobs.incoming / self.name
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.size = 0

    @answered_when_full()
    def put(self, chunks: Sequence[bytes]) -> None:
        """Append. Blocks. Raises `ServiceError` 507 where the disk is full."""
        self._blobs.reserve.check()
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._fd, view) :]
            self.size += len(chunk)

    @answered_when_full()
    def finish(self) -> Blob:
        """Sync and rename. Blocks."""
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
        """Give it up. Blocks."""
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
    """The files under one directory."""

    def __init__(self, directory: Path, workers: Workers, reserve: Reserve, *, durable: bool) -> None:
        self.directory = directory / BLOBS
        self.incoming = directory / INCOMING
        self._data = directory
        self.workers = workers
        self.reserve = reserve
        self.durable = durable
        self._pins: Counter[str] = Counter()
        self._doomed: set[str] = set()
        for half in incoming_files(directory):
            os.unlink(half.path)

    def path(self, name: str) -> Path:
        """Where a blob's file is."""
        return self.directory / name[:2] / name

    def sweep(self, known: Iterable[str]) -> int:
        """Remove the files that no row names and return how many there were. For the start, before anything is served.

        Only files that have the form of a blob's name, in folders that have the form of a blob's folder.
        """
        names = set(known)
        swept = 0
        for entry in blob_files(self._data):
            if entry.name not in names:
                os.unlink(entry.path)
                swept += 1
        return swept

    @contextmanager
    def pinned(self, segments: Sequence[Segment]) -> Generator[None]:
        """Keep the files of these segments while the block runs."""
        names = {s.blob for s in segments}
        self._pins.update(names)
        try:
            yield
        finally:
            gone: list[str] = []
            for name in names:
                self._pins[name] -= 1
                if not self._pins[name]:
                    del self._pins[name]
                    if name in self._doomed:
                        self._doomed.discard(name)
                        gone.append(name)
            self._unlink(gone)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, those in use as soon as they are not."""
        free: list[str] = []
        for name in names:
            if self._pins[name]:
                self._doomed.add(name)
            else:
                del self._pins[name]
                free.append(name)
        self._unlink(free)

    async def discard(self, blob: Blob) -> None:
        """Remove content that nothing will refer to."""
        if blob.data is None and blob.size:
            await self.workers.run(self._unlink_all, [blob.id])

    def _unlink(self, names: list[str]) -> None:
        # Removing a file of gigabytes takes its time.
        if names:
            self.workers.start(self._unlink_all, names)

    def _unlink_all(self, names: list[str]) -> None:
        for name in names:
            self.path(name).unlink(missing_ok=True)

    async def read(self, segment: Segment) -> AsyncIterator[bytes]:
        """Read a stretch of a file in chunks of a MiB. The segment must be pinned."""
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


def cut(segments: Sequence[Segment], offset: int, length: int) -> tuple[Segment, ...]:
    """The segments of a range of what `segments` make up."""
    out: list[Segment] = []
    for s in segments:
        if length <= 0:
            break
        if offset >= s.length:
            offset -= s.length
            continue
        taken = min(s.length - offset, length)
        out.append(Segment(s.blob, s.offset + offset, taken))
        length -= taken
        offset = 0
    return tuple(out)
