"""Copy an object within the service, with one CopyObject or in parts.

No bytes pass through the client.

CopyObject does much that a copy in parts does not: it copies headers, metadata, tags, and retention if asked to. So a copy in
parts begins with a HEAD of the source, and sends all of that again where it belongs: headers and tags when the upload is
created, retention when it is completed. What was looked at must also be what is copied. So every part carries the version and
the ETag that the HEAD showed: if the source is replaced meanwhile, the copy fails, and is never a mixture of two versions. A
CRC of all bytes of the source is declared, so that the service computes it for the copy, too, which must have the same.

As with CopyObject, neither the access control list nor Object Lock are copied; the call sets them.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from aiocos.body_checksum import may_be_refusal
from aiocos.errors import (
    ConfigError,
    CosError,
    NoSuchKey,
    NoSuchVersion,
    NotModified,
    OutcomeUnknown,
    PreconditionFailed,
    ProtocolError,
    ServiceError,
    TransferError,
)
from aiocos.groups import Service, engine_of
from aiocos.operations.multipart import (
    CompletedPart,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    MultipartUpload,
    UploadPartCopy,
)
from aiocos.operations.objects import CopyObject, HeadObject, ObjectInfo
from aiocos.transfer.abort import abort_after_failure, create_upload
from aiocos.transfer.completion import Completion, ObjectChecksum
from aiocos.transfer.conditions import check_target, forbid_overwrite_for
from aiocos.transfer.copy.metadata import SourceMetadata
from aiocos.transfer.derive import derive
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import PartRange, check_concurrency, check_copy_threshold, check_part_size, divide, part_size_for
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import CopyRequest
from aiocos.transfer.results import CopyResult, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup
from aiocos.wire import digest
from aiocos.wire.ranges import ByteRange
from aiocos.wire.values import CopySource, CustomerKey
from aiocos.write_check import composite_of


async def copy(
    service: Service, budget: MemoryBudget, request: CopyRequest, monitor: Monitor, *, strict: bool = True
) -> CopyResult:
    """Run a copy; see `CopyRequest`. It needs no memory, so `budget` is not used.

    With `strict` False, a copy that CopyObject would refuse is sent anyway, for the service to refuse.
    """
    config = engine_of(service).config.transfer
    check_concurrency(request.concurrency)
    if request.part_size is not None:
        check_part_size(request.part_size)
    threshold = config.copy_threshold if request.copy_threshold is None else request.copy_threshold
    check_copy_threshold(threshold)
    what = f"copy of {request.source_bucket}/{request.source_key} to {request.bucket}/{request.key}"
    if strict:
        _check_valid(request, what)
    async with monitor.run(request.timeout, f"the {what}"):
        info = await _head_source(request.source_client or service, request)
        monitor.bytes_total = info.size
        if info.size <= threshold:
            return await _copy_object(service, request, info, what, monitor)
        return await _CopyInParts(service, request, info, what, monitor).run()


def _check_valid(request: CopyRequest, what: str) -> None:
    """Raise `ConfigError` for what CopyObject refuses.

    A copy in parts would do it, so size would decide.
    """
    given = (request.retention_period, request.retention_expires, request.retention_legal_hold_id)
    if request.retention_directive != "REPLACE" and any(value is not None for value in given):
        raise ConfigError(f"the {what}: retention is set with retention_directive='REPLACE' only")
    source = (request.source_bucket, request.source_key, request.version_id)
    if source != (request.bucket, request.key, None):
        return
    changed = "REPLACE" in (request.metadata_directive, request.tagging_directive) or request.retention_directive
    changed = changed or request.storage_class or request.website_redirect_location or request.server_side_encryption
    if not changed and _key_bytes(request.customer_key) == _key_bytes(request.source_customer_key):
        raise ConfigError(
            f"the {what}: a copy of an object onto itself must change something, for example by metadata_directive='REPLACE'"
        )


def _key_bytes(key: CustomerKey | bytes | None) -> bytes | None:
    return key.key if isinstance(key, CustomerKey) else key


async def _head_source(service: Service, request: CopyRequest) -> ObjectInfo:
    """Return the HEAD of the source, with the caller's conditions on it.

    This is the version that will be copied.
    """
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
        checksum_mode="ENABLED",
    )
    try:
        return await engine_of(service).call(head)
    except NotModified as error:
        # 304 tells a reader "you have it already". For a copy it is a condition that failed.
        raise PreconditionFailed(
            "a condition on the source of the copy did not hold",
            status=412,
            code="PreconditionFailed",
            resource=error.resource,
            request_id=error.request_id,
            operation=error.operation,
        ) from error


def _pinned(request: CopyRequest, info: ObjectInfo) -> dict[str, Any]:
    """Return the parameters that pin the source to its HEAD's version and ETag.

    The HEAD has met the caller's conditions on the source, so they are not sent again.
    """
    return {
        "source": CopySource(request.source_bucket, request.source_key, request.version_id or info.version_id),
        "source_if_match": info.etag or None,
        "source_if_none_match": None,
        "source_if_modified_since": None,
        "source_if_unmodified_since": None,
    }


def _whole_checksum(info: ObjectInfo) -> ObjectChecksum | None:
    """Return the CRC of all bytes of the source, or None if the service shows none."""
    for name in ("crc64nvme", "crc32c", "crc32"):
        text = getattr(info, f"checksum_{name}")
        if text and "-" not in text and info.checksum_type != "COMPOSITE":
            return ObjectChecksum(name, text, is_sent=False)
    return None


def _source_changed(what: str, info: ObjectInfo) -> str:
    return f"the {what}: the source is not what it was when the copy began (its ETag was {info.etag}): nothing was copied"


async def _copy_object(service: Service, request: CopyRequest, info: ObjectInfo, what: str, monitor: Monitor) -> CopyResult:
    monitor.parts_total = 1
    await check_target(service, request, what)
    operation = derive(request, CopyObject, **_pinned(request, info), **forbid_overwrite_for(request))
    try:
        result = await engine_of(service).call(operation)
    except PreconditionFailed as error:
        if request.forbid_overwrite or request.if_match or request.if_none_match or request.if_unmodified_since:
            # The condition that failed may be one on the target, which `error` says.
            raise
        raise TransferError(_source_changed(what, info)) from error
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


class _CopyInParts:
    """A copy in parts."""

    def __init__(self, service: Service, request: CopyRequest, info: ObjectInfo, what: str, monitor: Monitor) -> None:
        self._service = service
        self._engine = engine_of(service)
        self._request = request
        self._info = info
        self._what = what
        self._monitor = monitor
        config = engine_of(service).config.transfer
        self._part_size = part_size_for(info.size, request.part_size or config.copy_part_size)
        self._slots = asyncio.Semaphore(request.concurrency or config.concurrency)
        self._done: dict[int, CompletedPart] = {}
        self._checksum = _whole_checksum(info)

    async def run(self) -> CopyResult:
        """Read the source's metadata, create the upload, copy the parts, complete it.

        Abort it if any of that fails.
        """
        request, info = self._request, self._info
        if not info.etag:
            raise ProtocolError(f"the {self._what}: the source has no ETag, and parts could be of two versions of it")
        parts = list(divide(info.size, self._part_size))
        self._monitor.parts_total = len(parts)
        metadata = SourceMetadata(self._service, request, info, self._what)
        headers, (retention, more_holds) = await metadata.headers(), await metadata.retention()
        await check_target(self._service, request, self._what)
        creation = derive(request, CreateMultipartUpload, **headers, **forbid_overwrite_for(request))
        created = await self._create(creation)
        try:
            try:
                await self._copy(created.upload_id, parts)
            except BaseExceptionGroup as group:
                raise_for(group, self._error_for(group, created.upload_id))
            self._monitor.start_verifying()
            await check_target(self._service, request, self._what)
            result = await self._complete(created.upload_id, retention)
        except OutcomeUnknown:
            # The copy may exist: an abort may be wrong, and would not help.
            raise
        except BaseException as error:
            await abort_after_failure(self._service, request.bucket, request.key, created.upload_id, error)
            raise
        await metadata.add_legal_holds(more_holds)
        return result

    async def _create(self, creation: CreateMultipartUpload) -> MultipartUpload:
        if self._checksum is None:
            return await create_upload(self._service, creation)
        name = self._checksum.algorithm.upper()
        try:
            declared = dataclasses.replace(creation, checksum_algorithm=name, checksum_type="FULL_OBJECT")
            return await create_upload(self._service, declared)
        except ServiceError as error:
            if not may_be_refusal(error):
                raise
        self._checksum = None
        return await create_upload(self._service, creation)

    # -- parts ----------------------------------------------------------------------------------------------------

    async def _copy(self, upload_id: str, parts: list[PartRange]) -> None:
        async with TaskGroup() as tasks:
            for part in parts:
                await self._monitor.wait_if_paused()
                await self._slots.acquire()
                task = tasks.create_task(self._copy_part(upload_id, part))
                # Released by the callback, since a task that is canceled before its first step runs none of its code.
                task.add_done_callback(lambda _: self._slots.release())

    async def _copy_part(self, upload_id: str, part: PartRange) -> None:
        operation = derive(
            self._request,
            UploadPartCopy,
            upload_id=upload_id,
            part_number=part.number,
            source_range=ByteRange(part.offset, part.end - 1),
            **_pinned(self._request, self._info),
        )
        result = await self._engine.call(operation)
        done = CompletedPart(etag=result.etag, part_number=part.number)
        if self._checksum is not None and (text := getattr(result, self._checksum.field)) is not None:
            done = done.model_copy(update={self._checksum.field: text})
        self._done[part.number] = done
        self._monitor.advance(part.length, parts=1)

    def _error_for(self, group: BaseExceptionGroup[BaseException], upload_id: str) -> BaseException:
        """Return the error to raise for parts that failed."""
        causes = leaves(group)
        for cause in causes:
            if not isinstance(cause, CosError):
                return cause
        # The only condition of a part is the source's ETag.
        if any(isinstance(cause, PreconditionFailed | NoSuchKey | NoSuchVersion) for cause in causes):
            text = _source_changed(self._what, self._info)
        else:
            text = f"the {self._what} failed after {len(self._done)} parts: {causes[0]}"
        return TransferError(text, upload_id=upload_id, parts_done=len(self._done))

    # -- completion -----------------------------------------------------------------------------------------------

    async def _complete(self, upload_id: str, retention: dict[str, Any]) -> CopyResult:
        request, info = self._request, self._info
        parts = [self._done[number] for number in sorted(self._done)]
        expected = composite_of(parts)
        operation = derive(
            request, CompleteMultipartUpload, upload_id=upload_id, parts=parts, **retention, **forbid_overwrite_for(request)
        )
        head = HeadObject(
            request.bucket,
            request.key,
            customer_key=request.customer_key,
            expected_bucket_owner=request.expected_bucket_owner,
            request_payer=request.request_payer,
        )
        # An object that is copied onto itself, in the parts that it has, has the expected ETag already.
        before = digest.bare(info.etag)
        done = await Completion(
            self._service, operation, head, expected, self._what, size=info.size, before=before, checksum=self._checksum
        ).run()
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
