"""The file beside the target that a download fills, and the journal of what is in it.

Without `resume` it has a name of its own, and goes when the download fails. With it, the name follows from the object and the
target, so that another process finds it. Every step written is noted with its CRC32: what a journal claims is read again from
the disk, and fetched again where it is not so (a machine that lost its power has notes of bytes that never got to the disk).
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from aiocos.config import MIB
from aiocos.errors import IntegrityError, printable
from aiocos.transfer.files import held, in_thread, opened, read_at, write_at
from aiocos.transfer.journal import Journal, name_for
from aiocos.transfer.plan import Part
from aiocos.wire import digest

_log = logging.getLogger("aiocos.transfer")
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
# What one note may be about; more is none of ours.
_LARGEST = 64 * MIB


class Partial:
    """A download's file on its way. `kept` are the pieces, offset and length, that an earlier process has fetched.

    `refused` says why there was something to go on with and it was not used.
    """

    def __init__(self, target: Path, what: dict[str, Any] | None) -> None:
        self._what = what
        # A name may have 255 bytes, and a character up to four of them.
        tag = secrets.token_hex(4) if what is None else name_for(*map(str, what.values()))[:12]
        self.path = target.with_name(f".{target.name[:50]}.{tag}.part")
        self._notes = self.path.with_suffix(".journal")
        self._journal: Journal | None = None
        self._fd = -1
        self.kept: list[tuple[int, int]] = []
        self.refused: str | None = None

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

    @property
    def version_id(self) -> str | None:
        """The id of that version, where it has one."""
        return (self._journal.begun or {}).get("version_id") if self._journal else None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Open the file, and look at what is in it. Afterwards it is gone or renamed, or kept with its journal."""
        async with AsyncExitStack() as held_open:
            if self._what is not None:
                self._journal = await held_open.enter_async_context(held(partial(Journal.open, self._notes), Journal.close))
            try:
                async with opened(self.path, _FLAGS | (os.O_EXCL if self._what is None else 0)) as self._fd:
                    if self._journal is not None:
                        await in_thread(self._look, self._journal)
                    yield
            except BaseException:
                if self._journal is None or self._journal.begun is None:
                    await in_thread(self._remove)
                raise

    def _look(self, journal: Journal) -> None:
        """Find out what the file has of what the journal claims. Blocks."""
        begun, reason = journal.begun, journal.trouble
        if begun is None and reason is None:
            return
        try:
            reason = reason or journal.differs(self._what or {})
            size = int((begun or {})["size"])
            if reason is None:
                self.kept = _joined(_proven(self._fd, size, journal.steps))
        except (KeyError, TypeError, ValueError):
            reason = reason or f"{journal.path} is damaged"
        if reason is not None:
            self.refuse(reason)

    def refuse(self, reason: str) -> None:
        """Forget what is there, and say why."""
        self.kept, self.refused = [], reason
        if self._journal is not None:
            self._journal.begun = None
        _log.warning(
            "the download to %s begins anew, what is there of an earlier one is not used: %s", printable(str(self.path)), reason
        )

    async def begin(self, etag: str, version_id: str | None, size: int) -> None:
        """Note what is going to be fetched, if this is to be resumable at all."""
        if self._journal is None or self._what is None:
            return
        await in_thread(self._journal.begin, {**self._what, "etag": etag, "version_id": version_id, "size": size})

    def missing(self, parts: Iterable[Part]) -> list[Part]:
        """Return the pieces of these parts that are not there."""
        out: list[Part] = []
        for part in parts:
            at = part.offset
            for offset, length in self.kept:
                if offset + length <= at or offset >= part.end:
                    continue
                if offset > at:
                    out.append(Part(part.number, at, offset - at))
                at = offset + length
            if at < part.end:
                out.append(Part(part.number, at, part.end - at))
        return out

    @property
    def fd(self) -> int:
        """The descriptor of the open file."""
        return self._fd

    async def allocate(self, size: int) -> None:
        """Begin with an empty file, and take its room on disk now: better no download than half of one."""
        await in_thread(_allocate, self._fd, size)

    async def write(self, pieces: list[bytes], length: int, offset: int) -> None:
        """Write a step of so many bytes at its place, and note it."""
        await in_thread(self._write, pieces, length, offset)

    def _write(self, pieces: list[bytes], length: int, offset: int) -> None:
        write_at(self._fd, pieces, offset)
        if self._journal is not None and self._journal.begun is not None:
            crc = 0
            for piece in pieces:
                crc = digest.crc32(piece, crc)
            self._journal.add([offset, length, crc])

    def put(self, data: bytes, target: Path, what: str) -> None:
        """Write a small object to its place, by a file beside it, and read it again on the way. Blocks."""
        try:
            fd = os.open(self.path, _FLAGS | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
            try:
                write_at(fd, [data], 0)
                buffer = bytearray(len(data) + 1)
                if bytes(buffer[: read_at(fd, buffer, 0)]) != data:
                    raise IntegrityError(f"{what}: what was written to {self.path} is not what is there")
            finally:
                os.close(fd)
            self._become(target)
        except BaseException:
            self._remove()
            raise

    async def become(self, target: Path) -> None:
        """Take the target's place: the download is done."""
        await in_thread(self._become, target)

    def _become(self, target: Path) -> None:
        os.replace(self.path, target)
        self._forget()

    async def discard(self) -> None:
        """Remove the file: it is not what it should be."""
        await in_thread(self._remove)

    def _remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path)
        self._forget()

    def _forget(self) -> None:
        if self._journal is not None:
            journal, self._journal = self._journal, None
            journal.remove()


def _proven(fd: int, size: int, steps: list[Any]) -> list[tuple[int, int]]:
    """Return the steps whose bytes are on disk as they were noted. Blocks."""
    out: list[tuple[int, int]] = []
    for step in steps:
        offset, length, crc = map(int, step)
        if not (offset >= 0 and 0 < length <= _LARGEST and offset + length <= size):
            raise ValueError(step)
        buffer = bytearray(length)
        if read_at(fd, buffer, offset) == length and digest.crc32(buffer, 0) == crc:
            out.append((offset, length))
    return out


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the pieces in order, without overlaps, neighbours as one."""
    out: list[tuple[int, int]] = []
    for offset, length in sorted(pieces):
        if out and offset <= sum(out[-1]):
            start, so_far = out[-1]
            out[-1] = (start, max(so_far, offset + length - start))
        else:
            out.append((offset, length))
    return out


def _allocate(fd: int, size: int) -> None:
    os.truncate(fd, 0)
    if not size:
        return
    try:
        os.posix_fallocate(fd, 0, size)
    except (AttributeError, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        os.truncate(fd, size)
