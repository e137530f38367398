"""Write a download to a hidden file, and record its ranges in a journal.

Without `resume`, the file has a random name, and is removed if the download fails. With it, the name follows from the object
and the target, so that another process finds it. Every write is recorded with its CRC32. What a journal claims is read again
from the disk, and fetched again where the CRC32 differs: after a power failure, a journal may record bytes that never reached
the disk.

Others can guess such a name, and may have planted anything there. File and journal are used only if they are regular files of
this user; numbers in the journal are checked before they are used; and bytes of an earlier run must be verified at the end,
whatever the settings are (see `download`).
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, cast

from aiocos.config import MAX_OBJECT, MAX_PARTS, MIB
from aiocos.errors import printable
from aiocos.transfer.download.small import naming, write_small
from aiocos.transfer.download.target import Target
from aiocos.transfer.files import NotOurs, in_thread, read_at, resource, write_at
from aiocos.transfer.journal import Journal, journal_id
from aiocos.transfer.parts import PartRange
from aiocos.transfer.reserved_names import hidden_name
from aiocos.wire import checksum

_log = logging.getLogger("aiocos.transfer")
# Bytes that one step may be about. This library never writes larger ones.
_MAX_STEP = 64 * MIB
# Bytes to check in one call of a thread, which a cancel waits for.
_BATCH = 64 * MIB
# An ETag that names one version, and not a list of them.
_ETAG = re.compile(r"[!-+\--~]{1,1024}")


class PartialFile:
    """The file that a download writes until it is complete.

    `identity` describes the download, and makes it resumable; None: it is not. With `fsync`, the file is flushed to the disk
    before it replaces the target, and its directory afterwards.
    """

    def __init__(self, target: Target, identity: dict[str, Any] | None, *, fsync: bool = False) -> None:
        self._target = target
        self._identity = identity
        self._fsync = fsync
        self._name = self._hidden_name(None if identity is None else journal_id(*map(str, identity.values()))[:12])
        self._journal: Journal | None = None
        self._fd = -1
        self.resumed: list[tuple[int, int]] = []
        """Ranges that an earlier run has fetched: offset and length, in order."""
        self.rejected: str | None = None
        """Why the state of an earlier run was not used; None if it was, or if there was none."""

    def _hidden_name(self, tag: str | None = None) -> str:
        return hidden_name(self._target.name, tag or secrets.token_hex(4))

    @property
    def etag(self) -> str | None:
        """ETag of the object of which an earlier run has fetched something.

        Returns None if there is nothing to resume.
        """
        begun = self._journal.begun if self._journal else None
        return str(begun["etag"]) if begun and self.resumed else None

    @property
    def size(self) -> int:
        """Size of that object in bytes."""
        assert self._journal is not None
        assert self._journal.begun is not None
        return int(self._journal.begun["size"])

    @property
    def fd(self) -> int:
        """Descriptor of the open file."""
        return self._fd

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Open the file, and check what it contains.

        After the block it is renamed, removed, or kept with its journal.
        """
        async with AsyncExitStack() as stack:
            if self._identity is not None:
                path = self._target.sibling(self._name.removesuffix(".part") + ".journal")
                acquire = partial(Journal.open, path, self._target.dir_fd)
                try:
                    self._journal = await stack.enter_async_context(resource(acquire, Journal.close))
                except NotOurs as error:
                    self._give_up_resuming(error)
            try:
                async with resource(self._open_file, os.close) as self._fd:
                    if self._journal is not None:
                        await self._load(self._journal)
                    yield
            except BaseException:
                if self._journal is None or self._journal.begun is None:
                    await in_thread(self._remove)
                raise

    def _open_file(self) -> int:
        """Open or create the file. Blocks."""
        if self._journal is not None:
            try:
                fd, removed = self._target.open_own(self._name, os.O_RDWR)
            except NotOurs as error:
                journal, self._journal = self._journal, None
                journal.remove()
                self._give_up_resuming(error)
            else:
                self.rejected = removed
                return fd
        return self._target.create(self._name)

    def _give_up_resuming(self, error: NotOurs) -> None:
        """Continue without a journal and with a random name.

        The predictable name is taken by somebody else's file.
        """
        self._name = self._hidden_name()
        self.rejected = str(error)
        _log.warning("the download to %s cannot be resumed: %s", self._target.path, error)

    async def _load(self, journal: Journal) -> None:
        """Find out which of the ranges in the journal are on disk."""
        begun, reason = journal.begun, journal.problem
        if begun is None and reason is None:
            return
        try:
            reason = reason or journal.difference(self._identity or {})
            if reason is None:
                intact: list[tuple[int, int]] = []
                for batch in _batches(_checked_steps(begun or {}, journal.steps)):
                    intact += await in_thread(_intact, self._fd, batch)
                self.resumed = _merged(intact)
        except Exception as error:  # the journal may contain anything
            reason = f"{journal.path} is damaged ({error})"
        if reason is not None:
            self.reject(reason)

    def reject(self, reason: str) -> None:
        """Discard the state of an earlier run, and log why."""
        self.resumed, self.rejected = [], reason
        if self._journal is not None:
            self._journal.begun = None
        text = "the download to %s starts over, and the bytes of an earlier run are not used: %s"
        _log.warning(text, printable(str(self._target.path)), reason)

    async def begin(self, etag: str, version_id: str | None, size: int) -> None:
        """Start a new journal for this object.

        Does nothing if the download is not resumable.
        """
        if self._journal is None or self._identity is None:
            return
        await in_thread(self._journal.begin, {**self._identity, "etag": etag, "version_id": version_id, "size": size})

    def missing(self, parts: Iterable[PartRange]) -> list[PartRange]:
        """Return the ranges that the file does not contain yet.

        `parts` must be in order.
        """
        out: list[PartRange] = []
        resumed, index = self.resumed, 0
        for part in parts:
            at = part.offset
            while index < len(resumed) and sum(resumed[index]) <= at:
                index += 1
            for offset, length in resumed[index:]:
                if offset >= part.end:
                    break
                if offset > at:
                    out.append(PartRange(part.number, at, offset - at))
                at = offset + length
            if at < part.end:
                out.append(PartRange(part.number, at, part.end - at))
        return out

    async def allocate(self, size: int) -> None:
        """Empty the file and set its size.

        Raises `OSError` if the disk has less free space than that.

        The space is not reserved: a server may announce any size, and send nothing.
        """
        await in_thread(self._allocate, size)

    def _allocate(self, size: int) -> None:
        os.truncate(self._fd, 0)
        if not size:
            return
        free = _free_space(self._fd)
        if free is not None and free < size:
            text = f"{os.strerror(errno.ENOSPC)}: the object has {size} bytes, and the disk has room for {free}"
            raise OSError(errno.ENOSPC, text, str(self._target.path))
        os.truncate(self._fd, size)

    async def write(
        self, pieces: list[bytes], length: int, offset: int, update: Callable[[list[bytes]], None] | None = None
    ) -> None:
        """Write pieces, together `length` bytes, at `offset`; record them.

        `update` hashes them first, in the same thread.
        """
        await in_thread(self._write, pieces, length, offset, update)

    def _write(
        self, pieces: list[bytes], length: int, offset: int, update: Callable[[list[bytes]], None] | None = None
    ) -> None:
        if update is not None:
            update(pieces)
        with naming(self._target):
            write_at(self._fd, pieces, offset)
        if self._journal is not None and self._journal.begun is not None:
            crc = 0
            for piece in pieces:
                crc = checksum.crc32(piece, crc)
            self._journal.add([offset, length, crc])

    def write_small(self, data: bytes, what: str) -> None:
        """Write a small object to a hidden file, and rename it to the target. Blocks.

        Raises `IntegrityError` if other bytes are read back.
        """
        write_small(self._target, self._name, data, what, fsync=self._fsync)

    async def finish(self, target: Target) -> None:
        """Rename the complete file to the target, and remove the journal."""
        await in_thread(self._finish, target)

    def _finish(self, target: Target) -> None:
        target.replace_with(self._name, self._fd, fsync=self._fsync)
        self._remove_journal()

    async def discard(self) -> None:
        """Remove file and journal: the content is wrong."""
        await in_thread(self._remove)

    def _remove(self) -> None:
        self._target.remove(self._name)
        self._remove_journal()

    def _remove_journal(self) -> None:
        if self._journal is not None:
            journal, self._journal = self._journal, None
            journal.remove()


def _free_space(fd: int) -> int | None:
    """Return the free bytes of the file system of an open file.

    Returns None where the system does not tell.
    """
    if not hasattr(os, "fstatvfs"):
        return None
    disk = os.fstatvfs(fd)
    return disk.f_bavail * disk.f_frsize if disk.f_blocks else None


def _checked_steps(begun: dict[str, Any], steps: list[Any]) -> list[tuple[int, int, int]]:
    """Return the steps of a journal in order: offset, length, CRC32.

    Raises `ValueError` for values that we never write.
    """
    size, etag = begun.get("size"), begun.get("etag")
    if type(size) is not int or not 0 < size <= MAX_OBJECT:
        raise ValueError("no object can have this size")
    if not isinstance(etag, str) or _ETAG.fullmatch(etag) is None or etag == "*":
        raise ValueError("the ETag names no version")
    out: set[tuple[int, int, int]] = set()
    for step in steps:
        if not isinstance(step, list) or [type(number) for number in cast("list[Any]", step)] != [int] * 3:
            raise ValueError("a step is not three numbers")
        offset, length, crc = cast("list[int]", step)
        if not (offset >= 0 and 0 < length <= _MAX_STEP and offset + length <= size and 0 <= crc < 1 << 32):
            raise ValueError("a step is outside of the object")
        out.add((offset, length, crc))
    # A range may have been fetched twice. More than twice the object is not ours, and not worth reading.
    if sum(length for _, length, _ in out) > 2 * size:
        raise ValueError("the steps are more than the object")
    return sorted(out)


def _batches(steps: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Divide steps into batches of about `_BATCH` bytes."""
    batch: list[tuple[int, int, int]] = []
    size = 0
    for step in steps:
        batch.append(step)
        size += step[1]
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _intact(fd: int, steps: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return the steps whose bytes on disk have the recorded CRC32. Blocks."""
    out: list[tuple[int, int]] = []
    for offset, length, crc in steps:
        buffer = bytearray(length)
        if read_at(fd, buffer, offset) == length and checksum.crc32(buffer, 0) == crc:
            out.append((offset, length))
    return out


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges in order, with overlapping and adjacent ones merged.

    Raises `ValueError` if more than 10,000 are left.
    """
    out: list[tuple[int, int]] = []
    for offset, length in sorted(ranges):
        if out and offset <= sum(out[-1]):
            start, so_far = out[-1]
            out[-1] = (start, max(so_far, offset + length - start))
        else:
            out.append((offset, length))
    if len(out) > MAX_PARTS:
        raise ValueError(f"there are {len(out)} separate ranges")
    return out
