"""Downloads to a file: in ranges, pinned to one version, verified, and renamed into place at the end.

The first request is a plain GET. It tells size, ETag and all the rest, and for a small object it is the whole download. For a
large one its body is read up to the first range only, while the other ranges are asked for beside it, each on the condition
that the object is still the one with that ETag.

The bytes go to a file beside the target, under a name of its own. What the object's ETag vouches for is computed from that file
while it grows, in order: so what is verified is what is on disk. Only then it takes the target's name; a download that fails
leaves the old file as it was.

With `resume` a download that does not get to its end keeps what it has (`partial`), and the same call fetches what is missing.
Nothing of what was kept is believed: it has to agree with what the service says of the object, also where `verify_reads` is
off; where the service says nothing that could be compared, the download begins anew.

Sizes come from outside. An object has at most 10 TiB and is read in at most 10,000 ranges, whatever is announced.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any

from aiocos.config import KIB, MAX_OBJECT, MIB, TransferConfig
from aiocos.errors import (
    ConfigError,
    CosError,
    IntegrityError,
    InvalidRange,
    NotFound,
    PreconditionFailed,
    ProtocolError,
    TransferError,
)
from aiocos.groups import Service, engine_of
from aiocos.integrity import find_verification, pinned_to
from aiocos.object_stream import ObjectStream, compare
from aiocos.operations.objects import GetObject
from aiocos.operations.shared import CustomerKeyParams, ExpectedOwnerParams, ReadConditionParams
from aiocos.transfer.download.partial import Partial
from aiocos.transfer.download.target import Target
from aiocos.transfer.download.verify import Verifier
from aiocos.transfer.files import in_thread
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import PartRange, check_concurrency, check_threshold, cut, range_size_for
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.results import DownloadResult, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup
from aiocos.wire.ranges import ByteRange

# What a range holds in memory: one step being gathered, one being written.
_STEP = MIB
_HELD = 2 * _STEP
# Objects up to this are fetched into memory.
_SMALL = 256 * KIB
# Whole downloads that are tried where the bytes do not verify.
_TRIES = 3


@dataclass(repr=False, slots=True)
class DownloadRequest(CustomerKeyParams, ReadConditionParams, ExpectedOwnerParams, ProgressCallbacks):
    """Download an object to a file, whole or not at all.

    Gives a `DownloadResult`. Raises the service's errors, `IntegrityError` where the bytes do not verify after three tries,
    `PreconditionFailed` where the object is replaced meanwhile, `TransferError` where ranges failed. The target keeps what it
    had.

    The new file gets the mode of the one that it replaces, its owner and group where that may be, and its extended attributes.
    A link is followed, and what it leads to is replaced. A directory, a device, a pipe, a link to nowhere are a `ConfigError`.

    With `resume`, a large download that does not get to its end (by an error, a cancel, a kill) keeps what it has fetched in a
    hidden file beside the target, and the same call goes on from there, if the object is still the same.
    """

    bucket: str
    key: str
    path: str | os.PathLike[str]
    _: KW_ONLY
    version_id: str | None = None
    part_size: int | None = None
    multipart_threshold: int | None = None
    """Bytes up to which it is one request; goes before the client's."""
    concurrency: int | None = None
    resume: bool = False
    fsync: bool | None = None
    """Flush the file to the disk before it takes its name, and its directory after that, before this returns. None means
    `TransferConfig.fsync`, which is False."""
    timeout: float | None = None


async def download(service: Service, budget: MemoryBudget, request: DownloadRequest, monitor: Monitor) -> DownloadResult:
    """Carry a download out."""
    check_concurrency(request.concurrency)
    check_threshold(request.multipart_threshold)
    if request.part_size is not None and request.part_size < 1:
        raise ConfigError("part_size is at least 1 byte")
    target = await in_thread(Target.find, request.path)
    refused: str | None = None
    async with monitor.run(request.timeout, f"the download of {request.bucket}/{request.key}"):
        for attempt in range(1, _TRIES + 1):
            try:
                return await _Attempt(service, budget, request, target, monitor, refused).run()
            except IntegrityError as error:
                if attempt == _TRIES:
                    raise
                if monitor.bytes_kept:
                    refused = str(error)
                monitor.restarted()
        raise AssertionError("unreachable: the last try returns or raises")


class _Unproven(IntegrityError):
    """Nothing vouches for what an earlier call has left; the next try begins without it."""


class _Attempt:
    """One try at a download."""

    def __init__(
        self,
        service: Service,
        budget: MemoryBudget,
        request: DownloadRequest,
        target: Target,
        monitor: Monitor,
        refused: str | None,
    ) -> None:
        self._service = service
        self._budget = budget
        self._request = request
        self._config: TransferConfig = engine_of(service).config.transfer
        self._target = target
        self._monitor = monitor
        self._what = f"download of {request.bucket}/{request.key}"
        self._refused = refused
        fsync = self._config.fsync if request.fsync is None else request.fsync
        self._partial = Partial(target, self._identity() if request.resume else None, fsync=fsync)

    def _identity(self) -> dict[str, Any]:
        request = self._request
        return {
            "kind": "download",
            "endpoint": engine_of(self._service).endpoint.origin,
            "bucket": request.bucket,
            "key": request.key,
            "version": request.version_id,
            "target": self._target.name,
        }

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
        if not request.resume:
            async with ObjectStream(engine_of(self._service), reading) as stream:
                if (size := stream.info.content_length) is not None and size <= _SMALL:
                    return await self._small(stream, reading, size)
                async with self._partial.open():
                    return await self._begin(stream, reading)
        async with self._partial.open():
            if self._partial.etag is not None and (result := await self._go_on(reading)):
                return result
            async with ObjectStream(engine_of(self._service), reading) as stream:
                return await self._begin(stream, reading)

    async def _small(self, stream: ObjectStream, reading: GetObject, size: int) -> DownloadResult:
        """Fetch a small object: into memory, and from there to its place in one go."""
        engine, monitor, what = engine_of(self._service), self._monitor, f"the {self._what}"
        stream.skip_verification()
        monitor.bytes_total, monitor.parts_total = size, 1
        evidence = await find_verification(engine, reading, stream.info) if engine.config.verify_reads else None
        async with self._budget.reserve(2 * size, monitor):
            data = await stream.read()
            verified = await compare(evidence, data, what) if evidence else None
            await in_thread(self._partial.put, data, what)
        monitor.advance(len(data), parts=1)
        return DownloadResult(
            bucket=self._request.bucket,
            key=self._request.key,
            path=Path(self._request.path),
            etag=stream.etag,
            size=len(data),
            version_id=stream.version_id,
            verified=verified,
        )

    async def _begin(self, stream: ObjectStream, reading: GetObject) -> DownloadResult:
        """Fetch all of it."""
        size = stream.extent.length if stream.extent else None
        if size is not None and size > MAX_OBJECT:
            raise ProtocolError(
                f"the {self._what}: {size} bytes are announced, and an object has at most {MAX_OBJECT} (10 TiB)"
            )
        wanted = self._request.part_size or self._config.part_size
        given = self._request.multipart_threshold
        threshold = self._config.multipart_threshold if given is None else given
        if size is None or size <= max(threshold, wanted) or not stream.etag:
            parts = [PartRange(1, 0, size if size is not None else 0)]
        else:
            parts = list(cut(size, range_size_for(size, wanted)))
            await self._partial.begin(stream.etag, stream.version_id, size)
        await self._partial.allocate(size or 0)
        return await self._fill(stream, reading, size, parts, parts)

    async def _go_on(self, reading: GetObject) -> DownloadResult | None:
        """Fetch what is missing; None if the object is another one now."""
        partial, size = self._partial, self._partial.size
        wanted = self._request.part_size or self._config.part_size
        parts = list(cut(size, range_size_for(size, wanted)))
        if not partial.missing(parts):
            # Killed between its last byte and its name. A little is fetched again: the service says whether this is the object.
            offset, length = partial.kept.pop()
            partial.kept.append((offset, length - min(_STEP, parts[-1].length)))
        missing = partial.missing(parts)
        # The version that the journal names is not asked for: the newest one has to have that ETag.
        pinned = replace(reading, if_match=partial.etag)
        first = replace(pinned, range=ByteRange(missing[0].offset, missing[0].end - 1))
        async with contextlib.AsyncExitStack() as stack:
            try:
                stream = await stack.enter_async_context(ObjectStream(engine_of(self._service), first))
                total = stream.extent.total if stream.extent else None
            except (PreconditionFailed, NotFound, InvalidRange, ProtocolError, ValueError) as error:
                partial.refuse(f"the object was replaced since, or is gone: {error}")
                return None
            if total != size:
                partial.refuse(f"the object has {total} bytes now, and had {size}")
                return None
            info = stream.info.model_copy(update={"content_length": size, "content_range": None})
            if await find_verification(engine_of(self._service), reading, info) is None:
                partial.refuse("nothing that the service says of the object vouches for what is there")
                return None
            self._monitor.advance(size - sum(part.length for part in missing), kept=True)
            return await self._fill(stream, reading, size, parts, missing)

    async def _fill(
        self, stream: ObjectStream, reading: GetObject, size: int | None, parts: list[PartRange], missing: list[PartRange]
    ) -> DownloadResult:
        # The stream's own proof would be of the bytes that came; ours is of the bytes on disk.
        stream.skip_verification()
        info = stream.info.model_copy(update={"content_length": size, "content_range": None})
        monitor, partial = self._monitor, self._partial
        monitor.bytes_total = size
        complete = len({part.number for part in parts} - {part.number for part in missing})
        monitor.parts_total, monitor.parts_done = complete + len(missing), complete
        proving = engine_of(self._service).config.verify_reads or bool(partial.kept)
        evidence = await find_verification(engine_of(self._service), reading, info) if proving else None
        verifier = Verifier(partial.fd, size, evidence)
        for offset, length in partial.kept:
            verifier.has(offset, length)
        try:
            async with TaskGroup() as tasks:
                tasks.create_task(self._first(stream, missing[0], len(missing) > 1, verifier))
                if len(missing) > 1:
                    places = asyncio.Semaphore((self._request.concurrency or self._config.concurrency) - 1 or 1)
                    tasks.create_task(self._others(missing[1:], pinned_to(reading, info), places, verifier, tasks))
                tasks.create_task(verifier.follow(f"the {self._what}"))
        except BaseExceptionGroup as group:
            failure = self._failure(group)
            if isinstance(failure, IntegrityError):
                await partial.discard()
            raise_for(group, failure)
        if partial.kept and verifier.verified is None:
            # Under Key Protect, an ETag that does not agree may mean nothing, or bytes that somebody has put there.
            await partial.discard()
            raise _Unproven("nothing that the service says of the object vouches for what was there of an earlier call")
        await partial.become(self._target)
        return DownloadResult(
            bucket=self._request.bucket,
            key=self._request.key,
            path=Path(self._request.path),
            etag=stream.etag,
            size=monitor.bytes_done,
            version_id=stream.version_id,
            verified=verifier.verified,
            resumed_bytes=monitor.bytes_kept,
            resume_rejected=partial.refused or self._refused,
        )

    async def _first(self, stream: ObjectStream, part: PartRange, more: bool, verifier: Verifier) -> None:
        """Read the first answer: all of it, or up to where the others begin."""
        async with self._budget.reserve(_HELD, self._monitor):
            await self._copy(stream, part.offset, part.length if more else None, verifier)
        if more:
            stream.close()
        self._monitor.advance(0, parts=1)

    async def _others(
        self,
        parts: Iterable[PartRange],
        pinned: GetObject,
        places: asyncio.Semaphore,
        verifier: Verifier,
        tasks: TaskGroup,
    ) -> None:
        def release(taken: int) -> None:
            self._budget.give(taken)
            places.release()

        for part in parts:
            await self._monitor.wait_if_paused()
            await places.acquire()
            try:
                taken = await self._budget.take(_HELD, self._monitor)
            except BaseException:
                places.release()
                raise
            # Given back when the task is done: one that is cancelled before its first step runs none of its code.
            task = tasks.create_task(self._range(part, pinned, verifier))
            task.add_done_callback(lambda _, taken=taken: release(taken))

    async def _range(self, part: PartRange, pinned: GetObject, verifier: Verifier) -> None:
        reading = replace(pinned, range=ByteRange(part.offset, part.end - 1))
        async with ObjectStream(engine_of(self._service), reading) as stream:
            stream.skip_verification()
            length = await self._copy(stream, part.offset, None, verifier)
        if length != part.length:
            raise ProtocolError(f"the {self._what}: bytes {part.offset}-{part.end - 1} came as {length} bytes")
        self._monitor.advance(0, parts=1)

    async def _copy(self, stream: ObjectStream, offset: int, limit: int | None, verifier: Verifier) -> int:
        """Write what comes at its place, in steps of 1 MiB; return the number of bytes."""
        done = held = 0
        kept: list[bytes] = []
        while chunk := await stream.chunk():
            if limit is not None and done + held + len(chunk) > limit:
                chunk = chunk[: limit - done - held]
            kept.append(chunk)
            held += len(chunk)
            full = limit is not None and done + held == limit
            if held >= _STEP or full:
                await self._write(kept, held, offset + done, verifier)
                done, held, kept = done + held, 0, []
            if full:
                return done
        if kept:
            await self._write(kept, held, offset + done, verifier)
        return done + held

    async def _write(self, pieces: list[bytes], length: int, offset: int, verifier: Verifier) -> None:
        await self._partial.write(pieces, length, offset)
        self._monitor.advance(length)
        verifier.has(offset, length)

    def _failure(self, group: BaseExceptionGroup[BaseException]) -> BaseException:
        causes = leaves(group)
        for kind in (PreconditionFailed, IntegrityError):
            if found := next((c for c in causes if isinstance(c, kind)), None):
                return found
        first = causes[0]
        if not isinstance(first, CosError):
            return first
        kept = "; the same call goes on from there" if self._request.resume else ""
        text = f"the {self._what} failed, {self._target.path} is as it was{kept}: {first}"
        return TransferError(text, parts_done=self._monitor.parts_done)
