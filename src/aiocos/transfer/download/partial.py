"""The file beside the target that a download fills, and the journal of what is in it.

Without `resume` it has a name of its own, and goes when the download fails. With it, the name follows from the object and the
target, so that another process finds it. Every step written is noted with its CRC32: what a journal claims is read again from
the disk, and fetched again where it is not so (a machine that lost its power has notes of bytes that never got to the disk).

Others can guess these names, and may have put anything there. File and journal are used only where they are regular files of
ours; numbers are looked at before anything is done with them; and what was kept has to be vouched for by the service in the
end, whatever the settings are (see `download`).
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, cast

from aiocos.config import MAX_OBJECT, MAX_PARTS, MIB
from aiocos.errors import IntegrityError, printable
from aiocos.transfer.download.target import Target
from aiocos.transfer.files import NotOurs, held, in_thread, read_at, write_at
from aiocos.transfer.journal import Journal, name_for
from aiocos.transfer.parts import PartRange
from aiocos.transfer.sync.paths import hidden_name
from aiocos.wire import digest

_log = logging.getLogger("aiocos.transfer")
# What one note may be about; more is none of ours.
_LARGEST = 64 * MIB
# What is read again at once, in a thread: a cancel waits for so much.
_BATCH = 64 * MIB
# An ETag that names one version, and no list of them.
_ETAG = re.compile(r"[!-+\--~]{1,1024}")


class Partial:
    """A download's file on its way. `kept` are the pieces, offset and length, that an earlier process has fetched.

    `refused` says why there was something to go on with and it was not used. With `fsync` the file is flushed to the disk
    before it takes its place, and its directory after that.
    """

    def __init__(self, target: Target, what: dict[str, Any] | None, *, fsync: bool = False) -> None:
        self._target = target
        self._what = what
        self._fsync = fsync
        self._name = self._named(None if what is None else name_for(*map(str, what.values()))[:12])
        self._journal: Journal | None = None
        self._fd = -1
        self.kept: list[tuple[int, int]] = []
        self.refused: str | None = None

    def _named(self, tag: str | None = None) -> str:
        return hidden_name(self._target.name, tag or secrets.token_hex(4))

    @property
    def etag(self) -> str | None:
        """The version of the object that there is something of, by its ETag; None where there is nothing."""
        begun = self._journal.begun if self._journal else None
        return str(begun["etag"]) if begun and self.kept else None

    @property
    def size(self) -> int:
        """The size of that version."""
        assert self._journal is not None
        assert self._journal.begun is not None
        return int(self._journal.begun["size"])

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Open the file, and look at what is in it. Afterwards it is gone or renamed, or kept with its journal."""
        async with AsyncExitStack() as held_open:
            if self._what is not None:
                notes = self._target.beside(self._name.removesuffix(".part") + ".journal")
                take = partial(Journal.open, notes, self._target.dir_fd)
                try:
                    self._journal = await held_open.enter_async_context(held(take, Journal.close))
                except NotOurs as error:
                    self._alone(error)
            try:
                async with held(self._create, os.close) as self._fd:
                    if self._journal is not None:
                        await self._look(self._journal)
                    yield
            except BaseException:
                if self._journal is None or self._journal.begun is None:
                    await in_thread(self._remove)
                raise

    def _create(self) -> int:
        """Open the file, or make it. Blocks."""
        if self._journal is not None:
            try:
                fd, removed = self._target.open_own(self._name, os.O_RDWR)
            except NotOurs as error:
                journal, self._journal = self._journal, None
                journal.remove()
                self._alone(error)
            else:
                self.refused = removed
                return fd
        return self._target.create(self._name)

    def _alone(self, error: NotOurs) -> None:
        """Go without a journal, under a name of its own: somebody else's file stands where ours would be."""
        self._name = self._named()
        self.refused = str(error)
        _log.warning("the download to %s cannot be resumed: %s", self._target.path, error)

    async def _look(self, journal: Journal) -> None:
        """Find out what the file has of what the journal claims."""
        begun, reason = journal.begun, journal.trouble
        if begun is None and reason is None:
            return
        try:
            reason = reason or journal.differs(self._what or {})
            if reason is None:
                proven: list[tuple[int, int]] = []
                for batch in _batches(_sound(begun or {}, journal.steps)):
                    proven += await in_thread(_proven, self._fd, batch)
                self.kept = _joined(proven)
        except Exception as error:  # whatever somebody wrote there
            reason = f"{journal.path} is damaged ({error})"
        if reason is not None:
            self.refuse(reason)

    def refuse(self, reason: str) -> None:
        """Forget what is there, and say why."""
        self.kept, self.refused = [], reason
        if self._journal is not None:
            self._journal.begun = None
        text = "the download to %s begins anew, what is there of an earlier one is not used: %s"
        _log.warning(text, printable(str(self._target.path)), reason)

    async def begin(self, etag: str, version_id: str | None, size: int) -> None:
        """Note what is going to be fetched, if this is to be resumable at all."""
        if self._journal is None or self._what is None:
            return
        await in_thread(self._journal.begin, {**self._what, "etag": etag, "version_id": version_id, "size": size})

    def missing(self, parts: Iterable[PartRange]) -> list[PartRange]:
        """Return the pieces of these parts, which are in order, that are not there."""
        out: list[PartRange] = []
        kept, index = self.kept, 0
        for part in parts:
            at = part.offset
            while index < len(kept) and sum(kept[index]) <= at:
                index += 1
            for offset, length in kept[index:]:
                if offset >= part.end:
                    break
                if offset > at:
                    out.append(PartRange(part.number, at, offset - at))
                at = offset + length
            if at < part.end:
                out.append(PartRange(part.number, at, part.end - at))
        return out

    @property
    def fd(self) -> int:
        """The descriptor of the open file."""
        return self._fd

    async def allocate(self, size: int) -> None:
        """Begin with an empty file of that size; `OSError` where the disk has not the room: better none than half of one.

        No room is taken: a service may announce what it likes, and send nothing.
        """
        await in_thread(self._allocate, size)

    def _allocate(self, size: int) -> None:
        os.truncate(self._fd, 0)
        if not size:
            return
        free = _free(self._fd)
        if free is not None and free < size:
            text = f"{os.strerror(errno.ENOSPC)}: the object has {size} bytes, and the disk has room for {free}"
            raise OSError(errno.ENOSPC, text, str(self._target.path))
        os.truncate(self._fd, size)

    @contextmanager
    def _saying_where(self) -> Generator[None]:
        """Put the target into an error of a write, which the system gives no name (a disk that is full)."""
        try:
            yield
        except OSError as error:
            if error.filename is None:
                error.filename = str(self._target.path)
            raise

    async def write(self, pieces: list[bytes], length: int, offset: int) -> None:
        """Write a step of so many bytes at its place, and note it."""
        await in_thread(self._write, pieces, length, offset)

    def _write(self, pieces: list[bytes], length: int, offset: int) -> None:
        with self._saying_where():
            write_at(self._fd, pieces, offset)
        if self._journal is not None and self._journal.begun is not None:
            crc = 0
            for piece in pieces:
                crc = digest.crc32(piece, crc)
            self._journal.add([offset, length, crc])

    def put(self, data: bytes, what: str) -> None:
        """Write a small object to its place, by a file beside it, and read it again on the way. Blocks."""
        try:
            fd = self._target.create(self._name)
            try:
                with self._saying_where():
                    write_at(fd, [data], 0)
                buffer = bytearray(len(data) + 1)
                if bytes(buffer[: read_at(fd, buffer, 0)]) != data:
                    there = self._target.beside(self._name)
                    raise IntegrityError(f"{what}: what was written to {there} is not what is there")
                self._target.become(self._name, fd, fsync=self._fsync)
            finally:
                os.close(fd)
        except BaseException:
            self._remove()
            raise

    async def become(self, target: Target) -> None:
        """Take the target's place: the download is done."""
        await in_thread(self._become, target)

    def _become(self, target: Target) -> None:
        target.become(self._name, self._fd, fsync=self._fsync)
        self._forget()

    async def discard(self) -> None:
        """Remove the file: it is not what it should be."""
        await in_thread(self._remove)

    def _remove(self) -> None:
        self._target.remove(self._name)
        self._forget()

    def _forget(self) -> None:
        if self._journal is not None:
            journal, self._journal = self._journal, None
            journal.remove()


def _free(fd: int) -> int | None:
    """Return the bytes that there is room for where an open file lies; None where the system does not tell."""
    if not hasattr(os, "fstatvfs"):
        return None
    disk = os.fstatvfs(fd)
    return disk.f_bavail * disk.f_frsize if disk.f_blocks else None


def _sound(begun: dict[str, Any], steps: list[Any]) -> list[tuple[int, int, int]]:
    """Return the steps of a journal, in order, if they may be ours: offset, length, CRC32. `ValueError` where they may not."""
    size, etag = begun.get("size"), begun.get("etag")
    if type(size) is not int or not 0 < size <= MAX_OBJECT:
        raise ValueError("the size is none that an object may have")
    if not isinstance(etag, str) or _ETAG.fullmatch(etag) is None or etag == "*":
        raise ValueError("the ETag names no version")
    out: set[tuple[int, int, int]] = set()
    for step in steps:
        if not isinstance(step, list) or [type(number) for number in cast("list[Any]", step)] != [int] * 3:
            raise ValueError("a note is none of a step")
        offset, length, crc = cast("list[int]", step)
        if not (offset >= 0 and 0 < length <= _LARGEST and offset + length <= size and 0 <= crc < 1 << 32):
            raise ValueError("a note is of bytes that the object has not")
        out.add((offset, length, crc))
    # A little may have been fetched twice. More than the object is nothing to read again.
    if sum(length for _, length, _ in out) > 2 * size:
        raise ValueError("the notes are of more than the object")
    return sorted(out)


def _batches(steps: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Cut steps into batches of about as many bytes."""
    batch: list[tuple[int, int, int]] = []
    held_bytes = 0
    for step in steps:
        batch.append(step)
        held_bytes += step[1]
        if held_bytes >= _BATCH:
            yield batch
            batch, held_bytes = [], 0
    if batch:
        yield batch


def _proven(fd: int, steps: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return the steps whose bytes are on disk as they were noted. Blocks."""
    out: list[tuple[int, int]] = []
    for offset, length, crc in steps:
        buffer = bytearray(length)
        if read_at(fd, buffer, offset) == length and digest.crc32(buffer, 0) == crc:
            out.append((offset, length))
    return out


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the pieces in order, without overlaps, neighbours as one; `ValueError` where they are more than a download has."""
    out: list[tuple[int, int]] = []
    for offset, length in sorted(pieces):
        if out and offset <= sum(out[-1]):
            start, so_far = out[-1]
            out[-1] = (start, max(so_far, offset + length - start))
        else:
            out.append((offset, length))
    if len(out) > MAX_PARTS:
        raise ValueError(f"what is there are {len(out)} pieces")
    return out
