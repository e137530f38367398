"""Uploads: in one piece or in parts, with proof at the end, and nothing left behind.

The order of things in a multipart upload, and why:

* A part takes its permits (a place among the parts in flight, and memory) before its bytes are read.
* Whatever fails, the parts in flight are cancelled and waited for first; then the upload is aborted, in a task of its own that
  a cancel does not reach; then it is looked at once more, because a part that was still on its way may have outlived the abort.
* The answer to the completion may be lost: `completion` finds out what became of it.
* With `resume` a failure keeps the parts that are there, and a journal of them: `resuming` goes on with these.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from aiocos.config import TransferConfig
from aiocos.errors import (
    ConfigError,
    CosError,
    IntegrityError,
    InvalidPart,
    NoSuchUpload,
    OutcomeUnknown,
    PreconditionFailed,
    TransferError,
)
from aiocos.groups import Service, engine_of
from aiocos.net.hashing import INLINE, run_in_hash_pool
from aiocos.operations.multipart import (
    CompletedPart,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    MultipartUpload,
    UploadPart,
)
from aiocos.operations.objects import HeadObject, PutObject
from aiocos.transfer.conditions import check_target, forbidding
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import PartRange, check_concurrency, check_part_size, check_threshold, cut, growing, part_size_for
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import UploadRequest, carry, is_confirmed, with_checksum
from aiocos.transfer.results import UploadResult, Verified, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup
from aiocos.transfer.upload.abort import abort_after_failure, begin
from aiocos.transfer.upload.completion import Completion
from aiocos.transfer.upload.resume import ResumableUpload, UploadJournal
from aiocos.transfer.upload.source import PartSource, part_source
from aiocos.wire import digest
from aiocos.wire.message import Bytes
from aiocos.write_check import composite_of

Begun: TypeAlias = deque[tuple[PartRange, Bytes, int]]
"""Parts that are read already, with the memory they hold."""


async def upload(service: Service, budget: MemoryBudget, request: UploadRequest, monitor: Monitor) -> UploadResult:
    """Carry an upload out."""
    config = engine_of(service).config.transfer
    check_concurrency(request.concurrency)
    check_threshold(request.multipart_threshold)
    if request.part_size is not None:
        check_part_size(request.part_size)
    what = f"the upload of {request.bucket}/{request.key}"
    async with monitor.run(request.timeout, what), part_source(request.source) as origin:
        if request.resume and (origin.ordered or origin.size is None):
            raise ConfigError(f"{what} cannot be resumed: its source is read only once; give bytes, or the path of a file")
        return await _upload(service, budget, request, origin, config, monitor)


async def _upload(
    service: Service, budget: MemoryBudget, request: UploadRequest, origin: PartSource, config: TransferConfig, monitor: Monitor
) -> UploadResult:
    wanted = request.part_size or config.part_size
    monitor.bytes_total = origin.size
    given = request.multipart_threshold
    threshold = max(config.multipart_threshold if given is None else min(given, config.max_memory), wanted)
    if origin.size is not None and origin.size < threshold:
        await monitor.wait_if_paused()
        async with budget.reserve(origin.size, monitor):
            data = await origin.part(PartRange(1, 0, origin.size))
            return await _put(service, request, origin, data, monitor)
    if origin.size is not None:
        size = part_size_for(origin.size, wanted)
        parts = list(cut(origin.size, size))
        monitor.parts_total = len(parts)
        multipart = _Multipart(service, budget, request, origin, config, monitor)
        if not request.resume:
            return await multipart.run(parts)
        async with UploadJournal.open(service, carry(request, CreateMultipartUpload), origin, size) as record:
            return await multipart.resume(parts, record)
    # Of unknown length. What ends within its first part, or below a threshold of its own, is put in one piece.
    parts = growing(wanted, config.max_memory // 2)
    ahead = -(-threshold // wanted) * wanted if given is not None else wanted
    await origin.ready()
    taken = await budget.take(ahead, monitor)
    try:
        data = await origin.part(PartRange(1, 0, ahead))
        if len(data) < (threshold if given is not None else wanted):
            return await _put(service, request, origin, data, monitor)
        begun, taken = _pieces(data, parts, taken), 0
        return await _Multipart(service, budget, request, origin, config, monitor).run(parts, begun)
    finally:
        if taken:
            budget.give(taken)


def _pieces(data: Bytes, parts: Iterator[PartRange], taken: int) -> Begun:
    """Cut what was read into the first parts. Each gives its share of the memory back; the last one what is left."""
    pieces: Begun = deque()
    view, done = memoryview(data), 0
    while done < len(view):
        part = next(parts)
        piece = view[done : done + part.length]
        share = taken if done + len(piece) == len(view) else min(len(piece), taken)
        # Whole, it is memory that can be used again.
        pieces.append((part, data if len(piece) == len(view) else piece, share))
        done, taken = done + len(piece), taken - share
    return pieces


async def _put(service: Service, request: UploadRequest, origin: PartSource, data: Bytes, monitor: Monitor) -> UploadResult:
    await origin.unchanged()
    monitor.parts_total = 1
    algorithm = engine_of(service).config.checksum
    value = digest.digest(algorithm, data) if len(data) <= INLINE else await run_in_hash_pool(digest.digest, algorithm, data)
    result = await engine_of(service).call(with_checksum(carry(request, PutObject, data=data), algorithm, value))
    monitor.bytes_total = len(data)
    monitor.advance(len(data), parts=1)
    if algorithm == "md5" and request.customer_key is None and digest.bare(result.etag) == value.hex():
        verified = "md5"
    else:
        verified = "checksum" if is_confirmed(result, algorithm, value) else None
    return UploadResult(
        bucket=request.bucket,
        key=request.key,
        etag=result.etag,
        size=len(data),
        parts=1,
        version_id=result.version_id,
        verified=verified,
        request_id=result.request_id,
    )


class _Multipart:
    """One multipart upload."""

    def __init__(
        self,
        service: Service,
        budget: MemoryBudget,
        request: UploadRequest,
        origin: PartSource,
        config: TransferConfig,
        monitor: Monitor,
    ) -> None:
        self._service = service
        self._budget = budget
        self._request = request
        self._origin = origin
        self._config = config
        self._monitor = monitor
        self._what = f"upload of {request.bucket}/{request.key}"
        width = request.concurrency or (config.stream_concurrency if origin.ordered else config.concurrency)
        self._places = asyncio.Semaphore(width)
        self._done: dict[int, CompletedPart] = {}
        self._computed = True  # every part's ETag is the MD5 that was computed here
        self._foreign = False  # an ETag of a part is not, and was let pass: this service's are no MD5s
        self._confirmed = True  # every part's checksum was said back by the service
        self._size = 0
        self._record: UploadJournal | None = None
        self._found: ResumableUpload | None = None

    async def run(self, parts: Iterable[PartRange], begun: Begun | None = None) -> UploadResult:
        """Create, send, complete; abort where any of it fails."""
        begun = deque() if begun is None else begun
        try:
            await check_target(self._service, self._request, self._what)
            created = await self._create()
            try:
                return await self._finish(created.upload_id, parts, begun)
            except OutcomeUnknown:
                # It may be there: aborting might be wrong, and would not help.
                raise
            except BaseException as error:
                await self._clean_up(created.upload_id, error)
                raise
        finally:
            for _, _, taken in begun:
                self._budget.give(taken)

    async def resume(self, parts: list[PartRange], record: UploadJournal) -> UploadResult:
        """Go on where an earlier process left off, or begin; what is sent stays where it fails."""
        self._record = record
        await check_target(self._service, self._request, self._what)
        try:
            return await self._go_on(parts, record)
        except (InvalidPart, TransferError) as error:
            # What was on its way when the earlier call ended has come meanwhile. A part, cut short, after ours: it is seen in
            # the listing. Or the completion, and there is no upload any more: the object is seen.
            if isinstance(error, TransferError) and (self._found is None or not _is_over(error)):
                raise
            self._done.clear()
            self._size, self._computed, self._confirmed, self._foreign = 0, True, True, False
            self._monitor.restarted()
            return await self._go_on(parts, record)

    async def _go_on(self, parts: list[PartRange], record: UploadJournal) -> UploadResult:
        head = carry(self._request, HeadObject)
        self._found = found = await record.find(head, parts)
        if found is not None and found.joined is not None:
            if await found.is_of(self._origin, parts):
                for part in parts:
                    self._keep(part, *found.read[part.number])
                await record.end()
                joined, verified = found.joined, "composite" if self._computed else None
                return self._result(joined.etag, joined.version_id, joined.request_id, found.upload_id, verified=verified)
            record.refused, self._found, found = "the source was changed since", None, None
        if found is None:
            found = ResumableUpload((await self._create()).upload_id)
            try:
                await record.begin(found.upload_id)
            except OSError as error:
                await self._clean_up(found.upload_id, error)
                raise
        try:
            result = await self._finish(found.upload_id, parts, deque())
        except (IntegrityError, PreconditionFailed) as error:
            # What was sent is not what was read, or must not become an object: nothing to go on with.
            await self._clean_up(found.upload_id, error)
            await record.end()
            raise
        await record.end()
        return result

    async def _finish(self, upload_id: str, parts: Iterable[PartRange], begun: Begun) -> UploadResult:
        try:
            await self._send(upload_id, parts, begun)
        except BaseExceptionGroup as group:
            raise_for(group, self._failure(group, upload_id))
        await self._origin.unchanged()
        self._monitor.verifying()
        await check_target(self._service, self._request, self._what)
        return await self._complete(upload_id)

    async def _create(self) -> MultipartUpload:
        return await begin(self._service, carry(self._request, CreateMultipartUpload, **forbidding(self._request)))

    # -- parts ----------------------------------------------------------------------------------------------------

    async def _send(self, upload_id: str, parts: Iterable[PartRange], begun: Begun) -> None:
        async with TaskGroup() as tasks:
            while begun:
                await self._monitor.wait_if_paused()
                await self._places.acquire()
                # From here on the task gives its memory back.
                part, data, taken = begun.popleft()
                self._start(tasks, upload_id, part, data, taken)
            for part in parts:
                await self._monitor.wait_if_paused()
                await self._places.acquire()
                taken = 0
                try:
                    await self._origin.ready()
                    taken = await self._budget.take(part.length, self._monitor)
                    data = await self._origin.part(part) if self._origin.ordered else None
                except BaseException:
                    self._release(taken)
                    raise
                if data is not None and not data:
                    self._release(taken)
                    return
                self._start(tasks, upload_id, part, data, taken)
                if data is not None and len(data) < part.length:
                    return
            if self._origin.size is None and await self._origin.part(PartRange(0, 0, 1)):
                raise TransferError(
                    f"the {self._what}: the source has more bytes than 10,000 parts hold ({self._size} so far): "
                    "give a larger part_size, and a larger ClientConfig.transfer.memory for it",
                    upload_id=upload_id,
                    parts_done=len(self._done),
                )

    def _start(self, tasks: TaskGroup, upload_id: str, part: PartRange, data: Bytes | None, taken: int) -> None:
        """Send a part in a task of its own, which takes over its place and its memory.

        They are given back when the task is done, not by the task itself: one that is cancelled before its first step runs
        none of its code.
        """
        task = tasks.create_task(self._part(upload_id, part, data))
        task.add_done_callback(lambda _: self._release(taken))

    def _release(self, taken: int) -> None:
        self._budget.give(taken)
        self._places.release()

    async def _part(self, upload_id: str, part: PartRange, data: Bytes | None) -> None:
        if data is None:
            data = await self._origin.part(part)
        algorithm = engine_of(self._service).config.checksum
        value = await run_in_hash_pool(digest.digest, algorithm, data)
        md5 = ""
        if self._record is not None:
            raw = value if algorithm == "md5" else await run_in_hash_pool(digest.digest, "md5", data)
            md5 = raw.hex()
            if self._found is not None and (etag := self._found.has(part, md5)) is not None:
                self._keep(part, etag, md5)
                return
        operation = carry(self._request, UploadPart, upload_id=upload_id, part_number=part.number, data=data)
        result = await engine_of(self._service).call(with_checksum(operation, algorithm, value))
        self._confirmed = self._confirmed and is_confirmed(result, algorithm, value)
        if algorithm != "md5" or digest.bare(result.etag) != value.hex():
            self._computed = False
            self._foreign = self._foreign or algorithm == "md5"
        self._done[part.number] = done = CompletedPart(etag=result.etag, part_number=part.number)
        if self._record is not None:
            await self._record.note(done, md5)
        self._size += len(data)
        self._monitor.advance(len(data), parts=1)
        # Only here: where a part failed, its bytes may still be on their way.
        self._origin.done(data)

    def _keep(self, part: PartRange, etag: str, md5: str) -> None:
        """Count a part that was sent by an earlier process. Its bytes were read again, and have this MD5."""
        self._computed = self._computed and digest.bare(etag) == md5
        self._confirmed = False
        self._done[part.number] = CompletedPart(etag=etag, part_number=part.number)
        self._size += part.length
        self._monitor.advance(part.length, parts=1, kept=True)

    def _failure(self, group: BaseExceptionGroup[BaseException], upload_id: str) -> BaseException:
        """Say what a group of failures means: the source's own exception as it is, else a TransferError around them."""
        causes = leaves(group)
        own = [c for c in causes if not isinstance(c, CosError)]
        if own:
            return own[0]
        if damage := next((c for c in causes if isinstance(c, IntegrityError)), None):
            return damage
        if isinstance(causes[0], TransferError):
            return causes[0]
        fate = "" if self._record is None else ", and keeps them: the same call goes on from there"
        return TransferError(
            f"the {self._what} failed after {len(self._done)} parts{fate}: {causes[0]}",
            upload_id=upload_id,
            parts_done=len(self._done),
        )

    # -- the end --------------------------------------------------------------------------------------------------

    async def _complete(self, upload_id: str) -> UploadResult:
        parts = [self._done[number] for number in sorted(self._done)]
        expected = composite_of(parts)
        operation = carry(self._request, CompleteMultipartUpload, upload_id=upload_id, parts=parts, **forbidding(self._request))
        head = carry(self._request, HeadObject)
        done = await Completion(
            self._service, operation, head, expected, self._what, size=self._size, opaque=self._foreign
        ).run()
        computed = self._computed and digest.bare(done.etag) == expected
        verified = "composite" if computed else "checksum" if self._confirmed else None
        return self._result(done.etag, done.version_id, done.request_id, upload_id, verified=verified)

    def _result(
        self, etag: str, version_id: str | None, request_id: str | None, upload_id: str, *, verified: Verified
    ) -> UploadResult:
        return UploadResult(
            bucket=self._request.bucket,
            key=self._request.key,
            etag=etag,
            size=self._size,
            parts=len(self._done),
            version_id=version_id,
            upload_id=upload_id,
            verified=verified,
            request_id=request_id,
            resumed_bytes=self._monitor.bytes_kept,
            resume_rejected=self._record.refused if self._record else None,
        )

    async def _clean_up(self, upload_id: str, error: BaseException) -> None:
        await abort_after_failure(self._service, self._request.bucket, self._request.key, upload_id, error)


def _is_over(error: TransferError) -> bool:
    """Tell whether parts failed because there is no such upload."""
    group = error.__cause__
    return isinstance(group, BaseExceptionGroup) and any(isinstance(leaf, NoSuchUpload) for leaf in leaves(group))  # pyright: ignore[reportUnknownArgumentType]
