"""Downloads to a file: in ranges, pinned to one version, verified, and renamed into place at the end.

The first request is a plain GET. It tells size, ETag and all the rest, and for a small object it is the whole download. For a
large one its body is read up to the first range only, while the other ranges are asked for beside it, each on the condition
that the object is still the one with that ETag.

The bytes go to a file beside the target, under a name of its own. What the object's ETag vouches for is computed from that file
while it grows, in order: so what is verified is what is on disk. Only then it takes the target's name; a download that fails
leaves the old file as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

import aiofiles.os

from aiocos.config import MIB, TransferConfig
from aiocos.errors import ConfigError, CosError, IntegrityError, PreconditionFailed, ProtocolError, TransferError
from aiocos.groups import Service
from aiocos.groups.reading import ObjectStream
from aiocos.operations.objects import GetObject
from aiocos.operations.shared import CustomerEncryption, Guarded, ReadConditions
from aiocos.transfer.budget import Budget
from aiocos.transfer.files import in_thread, opened, write_at
from aiocos.transfer.plan import Part, check_concurrency, cut
from aiocos.transfer.results import DownloadResult, Observer, Reporter, Verified, leaves, raise_for, told
from aiocos.transfer.verify import Verifier, evidence_for, pinned_to
from aiocos.wire.ranges import ByteRange

# What a range holds in memory: one step being gathered, one being written.
_STEP = MIB
_HELD = 2 * _STEP
# Whole downloads that are tried where the bytes do not verify.
_TRIES = 3


@dataclass(repr=False, slots=True)
class Download(CustomerEncryption, ReadConditions, Guarded):
    """Download an object to a file, whole or not at all.

    Gives a `DownloadResult`. Raises the service's errors, `IntegrityError` where the bytes do not verify after three tries,
    `PreconditionFailed` where the object is replaced meanwhile, `TransferError` where ranges failed. The target keeps what it
    had.
    """

    bucket: str
    key: str
    path: str | os.PathLike[str]
    _: KW_ONLY
    version_id: str | None = None
    part_size: int | None = None
    concurrency: int | None = None
    progress: Observer | None = None
    timeout: float | None = None


async def download(service: Service, budget: Budget, request: Download) -> DownloadResult:
    """Carry a download out."""
    check_concurrency(request.concurrency)
    if request.part_size is not None and request.part_size < 1:
        raise ConfigError("part_size is at least 1 byte")
    target = Path(request.path)
    await _check(target)
    reporter = Reporter(request.progress, request.bucket, request.key)
    async with told(reporter, request.timeout, f"the download of {request.bucket}/{request.key}"):
        for attempt in range(1, _TRIES + 1):
            try:
                return await _Attempt(service, budget, request, target, reporter).run()
            except IntegrityError:
                if attempt == _TRIES:
                    raise
                reporter.restarted()
        raise AssertionError("unreachable: the last try returns or raises")


async def _check(target: Path) -> None:
    """Refuse a target that cannot be a file, or is something that must not be replaced by one (a download to `/dev/null`)."""
    try:
        mode = (await aiofiles.os.stat(target)).st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = stat.S_IFREG
    if stat.S_ISDIR(mode):
        raise ConfigError(f"{target} is a directory: name the file the object shall become")
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{target} is no regular file: a download would take its place")
    if not await aiofiles.os.path.isdir(target.parent):
        raise ConfigError(f"{target.parent} is no directory: the object is not downloaded to {target}")


class _Attempt:
    """One try at a download."""

    def __init__(self, service: Service, budget: Budget, request: Download, target: Path, reporter: Reporter) -> None:
        self._service = service
        self._budget = budget
        self._request = request
        self._config: TransferConfig = service.engine.config.transfer
        self._target = target
        self._reporter = reporter
        self._what = f"download of {request.bucket}/{request.key}"

    async def run(self) -> DownloadResult:
        request = self._request
        reading = GetObject(
            request.bucket,
            request.key,
            version_id=request.version_id,
            customer_key=request.customer_key,
            if_match=request.if_match,
            if_none_match=request.if_none_match,
            if_modified_since=request.if_modified_since,
            if_unmodified_since=request.if_unmodified_since,
            expected_bucket_owner=request.expected_bucket_owner,
        )
        async with ObjectStream(self._service.engine, reading) as stream:
            # The stream's own proof would be of the bytes that came; ours is of the bytes on disk.
            stream.unproven()
            # A name may have 255 bytes, and a character up to four of them.
            temporary = self._target.with_name(f".{self._target.name[:50]}.{secrets.token_hex(4)}.part")
            try:
                async with opened(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)) as fd:
                    verified = await self._fill(fd, stream, reading)
                await in_thread(os.replace, temporary, self._target)
            except BaseException:
                await in_thread(_remove, temporary)
                raise
            return DownloadResult(
                bucket=request.bucket,
                key=request.key,
                path=self._target,
                etag=stream.etag,
                size=self._reporter.bytes_done,
                version_id=stream.version_id,
                verified=verified,
            )

    async def _fill(self, fd: int, stream: ObjectStream, reading: GetObject) -> Verified:
        info, size = stream.info, stream.info.content_length
        self._reporter.bytes_total = size
        wanted = self._request.part_size or self._config.part_size
        if size is None or size <= max(self._config.multipart_threshold, wanted) or not info.etag:
            parts = [Part(1, 0, size if size is not None else 0)]
        else:
            parts = list(cut(size, wanted))
        self._reporter.parts_total = len(parts)
        if size:
            await in_thread(_allocate, fd, size)
        evidence = await evidence_for(self._service, reading, info) if self._service.engine.config.verify_reads else None
        verifier = Verifier(fd, size, evidence)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._first(fd, stream, parts[0] if len(parts) > 1 else None, verifier))
                if len(parts) > 1:
                    places = asyncio.Semaphore((self._request.concurrency or self._config.concurrency) - 1 or 1)
                    tasks.create_task(self._others(fd, parts[1:], pinned_to(reading, info), places, verifier, tasks))
                tasks.create_task(verifier.follow(f"the {self._what}"))
        except BaseExceptionGroup as group:
            raise_for(group, self._failure(group))
        return verifier.verified

    async def _first(self, fd: int, stream: ObjectStream, part: Part | None, verifier: Verifier) -> None:
        """Read the first answer: all of it, or up to the first range."""
        async with self._budget.reserve(_HELD):
            limit = part.length if part else None
            await self._copy(fd, stream, 0, limit, verifier)
        if part is not None:
            stream.close()
        self._reporter.moved(0, parts=1)

    async def _others(
        self,
        fd: int,
        parts: Iterable[Part],
        pinned: GetObject,
        places: asyncio.Semaphore,
        verifier: Verifier,
        tasks: asyncio.TaskGroup,
    ) -> None:
        def release(taken: int) -> None:
            self._budget.give(taken)
            places.release()

        for part in parts:
            await places.acquire()
            try:
                taken = await self._budget.take(_HELD)
            except BaseException:
                places.release()
                raise
            # Given back when the task is done: one that is cancelled before its first step runs none of its code.
            task = tasks.create_task(self._range(fd, part, pinned, verifier))
            task.add_done_callback(lambda _, taken=taken: release(taken))

    async def _range(self, fd: int, part: Part, pinned: GetObject, verifier: Verifier) -> None:
        reading = replace(pinned, range=ByteRange(part.offset, part.end - 1))
        async with ObjectStream(self._service.engine, reading) as stream:
            stream.unproven()
            length = await self._copy(fd, stream, part.offset, None, verifier)
        if length != part.length:
            raise ProtocolError(f"the {self._what}: bytes {part.offset}-{part.end - 1} came as {length} bytes")
        self._reporter.moved(0, parts=1)

    async def _copy(self, fd: int, stream: ObjectStream, offset: int, limit: int | None, verifier: Verifier) -> int:
        """Write what comes at its place, in steps of 1 MiB; return the number of bytes."""
        done, kept = 0, bytearray()
        while chunk := await stream.chunk():
            if limit is not None and done + len(kept) + len(chunk) > limit:
                chunk = chunk[: limit - done - len(kept)]
            kept += chunk
            full = limit is not None and done + len(kept) == limit
            if len(kept) >= _STEP or full:
                await self._write(fd, kept, offset + done, verifier)
                done += len(kept)
                kept = bytearray()
            if full:
                return done
        if kept:
            await self._write(fd, kept, offset + done, verifier)
            done += len(kept)
        return done

    async def _write(self, fd: int, data: bytearray, offset: int, verifier: Verifier) -> None:
        await in_thread(write_at, fd, data, offset)
        self._reporter.moved(len(data))
        verifier.has(offset, len(data))

    def _failure(self, group: BaseExceptionGroup[BaseException]) -> BaseException:
        causes = leaves(group)
        for kind in (PreconditionFailed, IntegrityError):
            if found := next((c for c in causes if isinstance(c, kind)), None):
                return found
        first = causes[0]
        if not isinstance(first, CosError):
            return first
        text = f"the {self._what} failed, {self._target} is as it was: {first}"
        return TransferError(text, parts_done=self._reporter.parts_done)


def _allocate(fd: int, size: int) -> None:
    """Take the room on disk now: better no download than half of one. Blocks."""
    try:
        os.posix_fallocate(fd, 0, size)
    except (AttributeError, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        os.truncate(fd, size)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
