"""Copies within the service, of any size: in one piece where CopyObject takes it, else by parts. No byte comes here.

CopyObject does much that parts do not: it takes along what is said of the object, its tags, and (where told) its retention.
So a copy by parts begins with a look at the source, says all of that again where each of it belongs (headers and tags when
the upload is created, retention when it is completed), and must be sure that what it looked at is what it copies. Every part
therefore carries the version and the ETag that were seen: a source that is replaced midway ends the copy, it is never a mix.

As with CopyObject, neither the access control list nor Object Lock come along; they are set by the call.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiocos.errors import (
    ConfigError,
    CosError,
    NoSuchKey,
    NoSuchVersion,
    NotModified,
    OutcomeUnknown,
    PreconditionFailed,
    ProtocolError,
    TransferError,
)
from aiocos.groups import Service, engine_of
from aiocos.operations.multipart import CompletedPart, CompleteMultipartUpload, CreateMultipartUpload, UploadPartCopy
from aiocos.operations.objects import CopyObject, HeadObject, ObjectInfo
from aiocos.transfer.conditions import check_target, forbidding
from aiocos.transfer.copy.metadata import SourceMetadata
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import PartRange, check_concurrency, check_copy_threshold, check_part_size, cut, part_size_for
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import CopyRequest, carry
from aiocos.transfer.results import CopyResult, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup
from aiocos.transfer.upload.abort import abort_after_failure, begin
from aiocos.transfer.upload.completion import Completion
from aiocos.wire import digest
from aiocos.wire.ranges import ByteRange
from aiocos.wire.values import CopySource, CustomerKey
from aiocos.write_check import composite_of


async def copy(
    service: Service, budget: MemoryBudget, request: CopyRequest, monitor: Monitor, *, strict: bool = True
) -> CopyResult:
    """Carry a copy out. It holds no bytes, and needs nothing of the budget.

    Without `strict`, what CopyObject refuses is sent, for the service to refuse.
    """
    config = engine_of(service).config.transfer
    check_concurrency(request.concurrency)
    if request.part_size is not None:
        check_part_size(request.part_size)
    threshold = config.copy_threshold if request.copy_threshold is None else request.copy_threshold
    check_copy_threshold(threshold)
    what = f"copy of {request.source_bucket}/{request.source_key} to {request.bucket}/{request.key}"
    if strict:
        _check(request, what)
    async with monitor.run(request.timeout, f"the {what}"):
        info = await _look(request.source_client or service, request)
        monitor.bytes_total = info.size
        if info.size <= threshold:
            return await _in_one_piece(service, request, info, what, monitor)
        return await _Parts(service, request, info, what, monitor).run()


def _check(request: CopyRequest, what: str) -> None:
    """Refuse what CopyObject refuses, before anything is asked; parts would do it."""
    given = (request.retention_period, request.retention_expires, request.retention_legal_hold_id)
    if request.retention_directive != "REPLACE" and any(value is not None for value in given):
        raise ConfigError(f"the {what}: retention is set with retention_directive='REPLACE' only")
    here = (request.source_bucket, request.source_key, request.version_id)
    if here != (request.bucket, request.key, None):
        return
    changed = "REPLACE" in (request.metadata_directive, request.tagging_directive) or request.retention_directive
    changed = changed or request.storage_class or request.website_redirect_location or request.server_side_encryption
    if not changed and _raw(request.customer_key) == _raw(request.source_customer_key):
        raise ConfigError(
            f"the {what}: a copy of an object onto itself must change something, say metadata_directive='REPLACE'"
        )


def _raw(key: CustomerKey | bytes | None) -> bytes | None:
    return key.key if isinstance(key, CustomerKey) else key


async def _look(service: Service, request: CopyRequest) -> ObjectInfo:
    """Ask about the source, on the caller's conditions: what is seen here is what will be copied."""
    head = HeadObject(
        request.source_bucket,
        request.source_key,
        version_id=request.version_id,
        if_match=request.source_if_match,
        if_none_match=request.source_if_none_match,
        if_modified_since=request.source_if_modified_since,
        if_unmodified_since=request.source_if_unmodified_since,
        customer_key=request.source_customer_key,
        expected_bucket_owner=request.expected_source_bucket_owner,
        request_payer=request.request_payer,
    )
    try:
        return await engine_of(service).call(head)
    except NotModified as error:
        # What is "you have it already" to a reader is a condition that failed to a copy.
        raise PreconditionFailed(
            "a condition on the source of the copy did not hold",
            status=412,
            code="PreconditionFailed",
            resource=error.resource,
            request_id=error.request_id,
            operation=error.operation,
        ) from error


def _pinned(request: CopyRequest, info: ObjectInfo) -> dict[str, Any]:
    """The source as it was seen: its version, and its ETag. The caller's other conditions have been looked at already."""
    return {
        "source": CopySource(request.source_bucket, request.source_key, request.version_id or info.version_id),
        "source_if_match": info.etag or None,
        "source_if_none_match": None,
        "source_if_modified_since": None,
        "source_if_unmodified_since": None,
    }


def _replaced(what: str, info: ObjectInfo) -> str:
    return f"the {what}: the source is not what it was when the copy began (its ETag was {info.etag}): nothing was copied"


async def _in_one_piece(service: Service, request: CopyRequest, info: ObjectInfo, what: str, monitor: Monitor) -> CopyResult:
    monitor.parts_total = 1
    await check_target(service, request, what)
    operation = carry(request, CopyObject, **_pinned(request, info), **forbidding(request))
    try:
        result = await engine_of(service).call(operation)
    except PreconditionFailed as error:
        if request.forbid_overwrite or request.if_match or request.if_none_match or request.if_unmodified_since:
            # The condition that failed may be one on the target.
            raise
        raise TransferError(_replaced(what, info)) from error
    monitor.advance(info.size, parts=1)
    return CopyResult(
        bucket=request.bucket,
        key=request.key,
        etag=result.etag,
        size=info.size,
        parts=1,
        version_id=result.version_id,
        source_version_id=result.source_version_id or request.version_id or info.version_id,
        request_id=result.request_id,
    )


class _Parts:
    """One copy by parts."""

    def __init__(self, service: Service, request: CopyRequest, info: ObjectInfo, what: str, monitor: Monitor) -> None:
        self._service = service
        self._engine = engine_of(service)
        self._request = request
        self._info = info
        self._what = what
        self._monitor = monitor
        config = engine_of(service).config.transfer
        self._part_size = part_size_for(info.size, request.part_size or config.copy_part_size)
        self._places = asyncio.Semaphore(request.concurrency or config.concurrency)
        self._done: dict[int, CompletedPart] = {}

    async def run(self) -> CopyResult:
        """Look what is to be kept, create, copy the parts, complete; abort where any of it fails."""
        request, info = self._request, self._info
        if not info.etag:
            raise ProtocolError(f"the {self._what}: the source has no ETag, and parts could be of two versions of it")
        parts = list(cut(info.size, self._part_size))
        self._monitor.parts_total = len(parts)
        kept = SourceMetadata(self._service, request, info, self._what)
        said, (retention, holds) = await kept.said(), await kept.retention()
        await check_target(self._service, request, self._what)
        created = await begin(self._service, carry(request, CreateMultipartUpload, **said, **forbidding(request)))
        try:
            try:
                await self._copy(created.upload_id, parts)
            except BaseExceptionGroup as group:
                raise_for(group, self._failure(group, created.upload_id))
            self._monitor.verifying()
            await check_target(self._service, request, self._what)
            result = await self._complete(created.upload_id, retention)
        except OutcomeUnknown:
            # It may be there: aborting might be wrong, and would not help.
            raise
        except BaseException as error:
            await abort_after_failure(self._service, request.bucket, request.key, created.upload_id, error)
            raise
        await kept.hold(holds)
        return result

    # -- parts ----------------------------------------------------------------------------------------------------

    async def _copy(self, upload_id: str, parts: list[PartRange]) -> None:
        async with TaskGroup() as tasks:
            for part in parts:
                await self._monitor.wait_if_paused()
                await self._places.acquire()
                task = tasks.create_task(self._part(upload_id, part))
                # Not by the task itself: one that is cancelled before its first step runs none of its code.
                task.add_done_callback(lambda _: self._places.release())

    async def _part(self, upload_id: str, part: PartRange) -> None:
        operation = carry(
            self._request,
            UploadPartCopy,
            upload_id=upload_id,
            part_number=part.number,
            source_range=ByteRange(part.offset, part.end - 1),
            **_pinned(self._request, self._info),
        )
        result = await self._engine.call(operation)
        self._done[part.number] = CompletedPart(etag=result.etag, part_number=part.number)
        self._monitor.advance(part.length, parts=1)

    def _failure(self, group: BaseExceptionGroup[BaseException], upload_id: str) -> BaseException:
        causes = leaves(group)
        for cause in causes:
            if not isinstance(cause, CosError):
                return cause
        # The parts carry no other condition than the source's ETag.
        if any(isinstance(cause, PreconditionFailed | NoSuchKey | NoSuchVersion) for cause in causes):
            text = _replaced(self._what, self._info)
        else:
            text = f"the {self._what} failed after {len(self._done)} parts: {causes[0]}"
        return TransferError(text, upload_id=upload_id, parts_done=len(self._done))

    # -- the end --------------------------------------------------------------------------------------------------

    async def _complete(self, upload_id: str, retention: dict[str, Any]) -> CopyResult:
        request, info = self._request, self._info
        parts = [self._done[number] for number in sorted(self._done)]
        expected = composite_of(parts)
        operation = carry(
            request, CompleteMultipartUpload, upload_id=upload_id, parts=parts, **retention, **forbidding(request)
        )
        head = HeadObject(
            request.bucket,
            request.key,
            customer_key=request.customer_key,
            expected_bucket_owner=request.expected_bucket_owner,
            request_payer=request.request_payer,
        )
        # An object copied onto itself by the parts it was made of has this ETag already: it would prove nothing.
        before = digest.bare(info.etag)
        done = await Completion(self._service, operation, head, expected, self._what, size=info.size, before=before).run()
        return CopyResult(
            bucket=request.bucket,
            key=request.key,
            etag=done.etag,
            size=info.size,
            parts=len(parts),
            version_id=done.version_id,
            source_version_id=request.version_id or info.version_id,
            request_id=done.request_id,
        )
