"""Send a source as a multipart upload, and abort that if it fails.

The order of steps in a multipart upload, and the reasons:

* A part acquires a slot among the parts in flight, and memory, before its bytes are read.
* If anything fails, the parts in flight are canceled and awaited first. Then the upload is aborted, in a task that a cancel
  of the caller does not reach. Then the client checks that it is gone, since a part that was in flight may have been stored
  after the abort.
* The response to the completion may be lost: `completion` finds out what happened.
* With `resume`, a failure keeps the parts and a journal of them, with which `resume` continues.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from aiocos.body_checksum import Evidence, may_be_refusal
from aiocos.config import TransferConfig
from aiocos.errors import (
    CosError,
    IntegrityError,
    InvalidPart,
    NoSuchUpload,
    OutcomeUnknown,
    PreconditionFailed,
    ServiceError,
    TransferError,
)
from aiocos.groups import Service, engine_of
from aiocos.net.hashing import hash_body
from aiocos.operations.multipart import (
    CompletedPart,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    MultipartUpload,
    UploadPart,
)
from aiocos.operations.objects import HeadObject
from aiocos.transfer.abort import abort_after_failure, create_upload
from aiocos.transfer.completion import Completion, ObjectChecksum
from aiocos.transfer.conditions import check_target, forbid_overwrite_for
from aiocos.transfer.derive import derive
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import (
    PartRange,
)
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import UploadRequest
from aiocos.transfer.results import UploadResult, Verified, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup
from aiocos.transfer.upload.checksums import UploadChecksums
from aiocos.transfer.upload.resume import ResumableUpload, UploadJournal
from aiocos.transfer.upload.source import PartSource
from aiocos.wire import digest
from aiocos.wire.message import Bytes
from aiocos.write_check import composite_of

ReadParts: TypeAlias = deque[tuple[PartRange, Bytes, int]]
"""Parts that were read before the upload was created, each with the memory that it holds."""


class MultipartTransfer:
    """The transfer of one source as a multipart upload."""

    def __init__(
        self,
        service: Service,
        budget: MemoryBudget,
        request: UploadRequest,
        source: PartSource,
        checksums: UploadChecksums,
        config: TransferConfig,
        monitor: Monitor,
    ) -> None:
        self._service = service
        self._budget = budget
        self._request = request
        self._source = source
        self._monitor = monitor
        self._what = f"upload of {request.bucket}/{request.key}"
        limit = request.concurrency or (config.stream_concurrency if source.ordered else config.concurrency)
        self._slots = asyncio.Semaphore(limit)
        self._checksums = checksums
        self._done: dict[int, CompletedPart] = {}
        self._etags_are_opaque = False  # a part's ETag is not its MD5, and was accepted: this service's are not MD5s
        self._size = 0
        self._journal: UploadJournal | None = None
        self._resumed: ResumableUpload | None = None

    async def run(self, parts: Iterable[PartRange], read_parts: ReadParts | None = None) -> UploadResult:
        """Create the upload, send the parts and complete it.

        Abort it if any of that fails.
        """
        read_parts = deque() if read_parts is None else read_parts
        try:
            await check_target(self._service, self._request, self._what)
            created = await self._create()
            try:
                return await self._send_and_complete(created.upload_id, parts, read_parts)
            except OutcomeUnknown:
                # The object may exist: an abort may be wrong, and would not help.
                raise
            except BaseException as error:
                await self._abort(created.upload_id, error)
                raise
        finally:
            for _, _, reserved in read_parts:
                self._budget.release(reserved)

    async def resume(self, parts: list[PartRange], journal: UploadJournal) -> UploadResult:
        """Continue an earlier upload, or begin one.

        Parts that were sent are kept if it fails.
        """
        self._journal = journal
        await check_target(self._service, self._request, self._what)
        try:
            return await self._resume_once(parts, journal)
        except (InvalidPart, TransferError) as error:
            # Requests of the earlier run may have arrived late. A part of it that was cut short and replaced ours: the listing
            # shows it now. Or its completion, so that there is no upload any more: the object shows that.
            if isinstance(error, TransferError) and (self._resumed is None or not _has_ended(error)):
                raise
            self._done.clear()
            self._checksums.restart()
            self._size, self._etags_are_opaque = 0, False
            self._monitor.restart()
            return await self._resume_once(parts, journal)

    async def _resume_once(self, parts: list[PartRange], journal: UploadJournal) -> UploadResult:
        self._resumed = found = await journal.find(self._head(), parts, self._checksums)
        if found is not None and found.completed is not None:
            if await found.matches(self._source, parts):
                for part in parts:
                    self._count_resumed(part, *found.read[part.number])
                await journal.end()
                info = found.completed
                verified = self._checksums.verified(has_expected_etag=True, has_checksum=False)
                return self._result(info.etag, info.version_id, info.request_id, found.upload_id, verified=verified)
            journal.rejected, self._resumed, found = "the source was changed since", None, None
        if found is None:
            found = ResumableUpload((await self._create()).upload_id, self._checksums.algorithm)
            try:
                await journal.begin(found.upload_id, found.algorithm)
            except OSError as error:
                await self._abort(found.upload_id, error)
                raise
        try:
            result = await self._send_and_complete(found.upload_id, parts, deque())
        except (IntegrityError, PreconditionFailed) as error:
            # The service has other bytes than those sent, or the object must not be written: nothing to continue with.
            await self._abort(found.upload_id, error)
            await journal.end()
            raise
        await journal.end()
        return result

    async def _send_and_complete(self, upload_id: str, parts: Iterable[PartRange], read_parts: ReadParts) -> UploadResult:
        try:
            await self._send(upload_id, parts, read_parts)
        except BaseExceptionGroup as group:
            raise_for(group, self._error_for(group, upload_id))
        await self._source.check_unchanged()
        self._monitor.start_verifying()
        await check_target(self._service, self._request, self._what)
        return await self._complete(upload_id)

    async def _create(self) -> MultipartUpload:
        self._checksums.check_multipart()
        operation = derive(
            self._request, CreateMultipartUpload, **forbid_overwrite_for(self._request), **self._checksums.declared()
        )
        try:
            return await create_upload(self._service, operation)
        except ServiceError as error:
            if not self._checksums.is_automatic or not may_be_refusal(error):
                raise
        refused = operation.checksum_algorithm
        created = await create_upload(self._service, replace(operation, checksum_algorithm=None, checksum_type=None))
        self._checksums.use("md5")
        engine_of(self._service).checksums.fall_back(f"refuses the checksum {refused}")
        return created

    # -- parts ----------------------------------------------------------------------------------------------------

    async def _send(self, upload_id: str, parts: Iterable[PartRange], read_parts: ReadParts) -> None:
        async with TaskGroup() as tasks:
            while read_parts:
                await self._monitor.wait_if_paused()
                await self._slots.acquire()
                # Removed from the deque only here: from now on the task releases its memory.
                part, data, reserved = read_parts.popleft()
                self._start_part(tasks, upload_id, part, data, reserved)
            for part in parts:
                await self._monitor.wait_if_paused()
                await self._slots.acquire()
                reserved = 0
                try:
                    await self._source.wait_readable()
                    reserved = await self._budget.acquire(part.length, self._monitor)
                    data = await self._source.read(part) if self._source.ordered else None
                except BaseException:
                    self._release(reserved)
                    raise
                if data is not None and not data:
                    self._release(reserved)
                    return
                self._start_part(tasks, upload_id, part, data, reserved)
                if data is not None and len(data) < part.length:
                    return
            if self._source.size is None and await self._source.read(PartRange(0, 0, 1)):
                raise TransferError(
                    f"the {self._what}: the source has more bytes than 10,000 parts hold ({self._size} so far): "
                    "give a larger part_size, and a larger TransferConfig.max_memory for it",
                    upload_id=upload_id,
                    parts_done=len(self._done),
                )

    def _start_part(self, tasks: TaskGroup, upload_id: str, part: PartRange, data: Bytes | None, reserved: int) -> None:
        """Send a part in a task, and release its slot and memory at the end.

        Not released by the task itself: one that is canceled before its first step runs none of its code.
        """
        task = tasks.create_task(self._send_part(upload_id, part, data))
        task.add_done_callback(lambda _: self._release(reserved))

    def _release(self, reserved: int) -> None:
        self._budget.release(reserved)
        self._slots.release()

    async def _send_part(self, upload_id: str, part: PartRange, data: Bytes | None) -> None:
        algorithm = self._checksums.algorithm
        if data is None:
            data, value = await self._source.read_hashed(part, algorithm)
        else:
            value = await hash_body(algorithm, data)
        if self._resumed is not None and (stored := await self._resumed.find_part(part, value, data)) is not None:
            self._count_resumed(part, value, *stored)
            self._source.recycle(data)
            return
        operation = derive(self._request, UploadPart, upload_id=upload_id, part_number=part.number, data=data)
        known = self._checksums.of_part(value)
        result = await engine_of(self._service).write(operation, known)
        self._checksums.add(part.number, value, len(data), known.evidence)
        if known.evidence is None and known.algorithm == "md5":
            self._etags_are_opaque = True
        self._done[part.number] = done = CompletedPart(etag=result.etag, part_number=part.number)
        if self._journal is not None:
            await self._journal.add_part(done, algorithm, value)
        self._size += len(data)
        self._monitor.advance(len(data), parts=1)
        # Only after a success: the bytes of a part that failed may still be in a socket's queue.
        self._source.recycle(data)

    def _count_resumed(self, part: PartRange, value: bytes, etag: str, evidence: Evidence) -> None:
        """Count a part that an earlier run had sent, and that was read again."""
        self._checksums.add(part.number, value, part.length, evidence)
        self._done[part.number] = CompletedPart(etag=etag, part_number=part.number)
        self._size += part.length
        self._monitor.advance(part.length, parts=1, resumed=True)

    def _error_for(self, group: BaseExceptionGroup[BaseException], upload_id: str) -> BaseException:
        """Return the error to raise for failed parts.

        An exception of the source is raised as it is; others usually become a `TransferError`.
        """
        causes = leaves(group)
        own = [c for c in causes if not isinstance(c, CosError)]
        if own:
            return own[0]
        if damage := next((c for c in causes if isinstance(c, IntegrityError)), None):
            return damage
        if isinstance(causes[0], TransferError):
            return causes[0]
        kept = "" if self._journal is None else ", which are kept: the same call continues from there"
        return TransferError(
            f"the {self._what} failed after {len(self._done)} parts{kept}: {causes[0]}",
            upload_id=upload_id,
            parts_done=len(self._done),
        )

    # -- completion -----------------------------------------------------------------------------------------------

    async def _complete(self, upload_id: str) -> UploadResult:
        whole = await self._checksums.of_object()
        try:
            return await self._complete_with(upload_id, whole)
        except ServiceError as error:
            if not self._checksums.is_automatic or whole is None or not may_be_refusal(error):
                raise
        # The upload is still open: complete it as an older service wants it.
        result = await self._complete_with(upload_id, None)
        engine_of(self._service).checksums.fall_back(f"refuses the checksum {whole.algorithm} of a multipart object")
        return result

    async def _complete_with(self, upload_id: str, whole: ObjectChecksum | None) -> UploadResult:
        request = self._request
        parts = [self._done[number] for number in sorted(self._done)]
        expected = composite_of(parts)
        given = {} if whole is None else whole.parameters()
        operation = derive(
            request,
            CompleteMultipartUpload,
            upload_id=upload_id,
            parts=parts if whole is None else self._checksums.completed_parts(parts),
            **forbid_overwrite_for(request),
            **given,
        )
        completion = Completion(
            self._service,
            operation,
            self._head(),
            expected,
            self._what,
            size=self._size,
            opaque=self._etags_are_opaque,
            checksum=whole,
        )
        done = await completion.run()
        verified = self._checksums.verified(
            has_expected_etag=digest.bare(done.etag) == expected, has_checksum=whole is not None and whole.equals(done) is True
        )
        return self._result(done.etag, done.version_id, done.request_id, upload_id, verified=verified)

    def _head(self) -> HeadObject:
        return derive(self._request, HeadObject, checksum_mode="ENABLED" if self._checksums.algorithm != "md5" else None)

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
            resumed_bytes=self._monitor.resumed_bytes,
            resume_rejected=self._journal.rejected if self._journal else None,
        )

    async def _abort(self, upload_id: str, error: BaseException) -> None:
        await abort_after_failure(self._service, self._request.bucket, self._request.key, upload_id, error)


def _has_ended(error: TransferError) -> bool:
    """Return True if parts failed because the upload does not exist any more."""
    group = error.__cause__
    if not isinstance(group, BaseExceptionGroup):
        return False
    return any(isinstance(leaf, NoSuchUpload) for leaf in leaves(group))  # pyright: ignore[reportUnknownArgumentType]
