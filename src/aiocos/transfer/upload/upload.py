"""Upload an object with one PUT, or as a multipart upload.

A source of unknown size is read up to the size of the first part: if it ends there, one PUT is enough. What an upload in
parts has to take care of is told in `multipart`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from aiocos.body_checksum import BodyChecksum
from aiocos.config import TransferConfig
from aiocos.errors import (
    ConfigError,
)
from aiocos.groups import Service, engine_of
from aiocos.net.hashing import hash_body
from aiocos.operations.multipart import (
    CreateMultipartUpload,
)
from aiocos.operations.objects import PutObject
from aiocos.transfer.derive import derive
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import (
    PartRange,
    check_concurrency,
    check_part_size,
    check_threshold,
    divide,
    growing_parts,
    part_size_for,
)
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import UploadRequest
from aiocos.transfer.results import UploadResult
from aiocos.transfer.upload.checksums import UploadChecksums
from aiocos.transfer.upload.multipart import MultipartTransfer, ReadParts
from aiocos.transfer.upload.resume import UploadJournal
from aiocos.transfer.upload.source import PartSource, part_source
from aiocos.wire.message import Bytes


async def upload(service: Service, budget: MemoryBudget, request: UploadRequest, monitor: Monitor) -> UploadResult:
    """Run an upload; see `UploadRequest`."""
    config = engine_of(service).config.transfer
    check_concurrency(request.concurrency)
    check_threshold(request.multipart_threshold)
    if request.part_size is not None:
        check_part_size(request.part_size)
    what = f"the upload of {request.bucket}/{request.key}"
    async with monitor.run(request.timeout, what), part_source(request.source) as source:
        if request.resume and (source.ordered or source.size is None):
            raise ConfigError(f"{what} cannot be resumed: its source is read only once; give bytes, or the path of a file")
        return await _upload(service, budget, request, source, config, monitor)


async def _upload(
    service: Service, budget: MemoryBudget, request: UploadRequest, source: PartSource, config: TransferConfig, monitor: Monitor
) -> UploadResult:
    checksums = UploadChecksums(request, engine_of(service).checksums, f"upload of {request.bucket}/{request.key}")
    part_size = request.part_size or config.part_size
    monitor.bytes_total = source.size
    given = request.multipart_threshold
    threshold = max(config.multipart_threshold if given is None else min(given, config.max_memory), part_size)
    if source.size is not None and source.size < threshold:
        await monitor.wait_if_paused()
        async with budget.reserve(source.size, monitor):
            data, value = await source.read_hashed(PartRange(1, 0, source.size), checksums.algorithm)
            return await _put(service, request, source, checksums, data, value, monitor)
    if source.size is not None:
        part_size = part_size_for(source.size, part_size)
        parts = list(divide(source.size, part_size))
        monitor.parts_total = len(parts)
        multipart = MultipartTransfer(service, budget, request, source, checksums, config, monitor)
        if not request.resume:
            return await multipart.run(parts)
        async with UploadJournal.open(service, derive(request, CreateMultipartUpload), source, part_size) as journal:
            return await multipart.resume(parts, journal)
    # Of unknown size: read one part, or up to a threshold that the call gives. A source that ends there is sent with one PUT.
    parts = growing_parts(part_size, config.max_memory // 2)
    read_ahead = -(-threshold // part_size) * part_size if given is not None else part_size
    await source.wait_readable()
    reserved = await budget.acquire(read_ahead, monitor)
    try:
        data = await source.read(PartRange(1, 0, read_ahead))
        if len(data) < (threshold if given is not None else part_size):
            value = await hash_body(checksums.algorithm, data)
            return await _put(service, request, source, checksums, data, value, monitor)
        read_parts, reserved = _split(data, parts, reserved), 0
        return await MultipartTransfer(service, budget, request, source, checksums, config, monitor).run(parts, read_parts)
    finally:
        if reserved:
            budget.release(reserved)


def _split(data: Bytes, parts: Iterator[PartRange], reserved: int) -> ReadParts:
    """Divide what was read into the first parts, and the reserved memory among them.

    The last part gets the remainder.
    """
    pieces: ReadParts = deque()
    view, done = memoryview(data), 0
    while done < len(view):
        part = next(parts)
        piece = view[done : done + part.length]
        share = reserved if done + len(piece) == len(view) else min(len(piece), reserved)
        # A buffer that is one whole part can be used again; a slice of it cannot.
        pieces.append((part, data if len(piece) == len(view) else piece, share))
        done, reserved = done + len(piece), reserved - share
    return pieces


async def _put(
    service: Service,
    request: UploadRequest,
    source: PartSource,
    checksums: UploadChecksums,
    data: Bytes,
    value: bytes,
    monitor: Monitor,
) -> UploadResult:
    """Send the whole object with one PUT."""
    await source.check_unchanged()
    monitor.parts_total = 1
    checksums.check_given(value)
    known = BodyChecksum(checksums.algorithm, value, checksums.is_automatic)
    result = await engine_of(service).write(derive(request, PutObject, data=data), known)
    monitor.bytes_total = len(data)
    monitor.advance(len(data), parts=1)
    return UploadResult(
        bucket=request.bucket,
        key=request.key,
        etag=result.etag,
        size=len(data),
        parts=1,
        version_id=result.version_id,
        verified=known.evidence,
        request_id=result.request_id,
    )
