"""Read an object into memory, and verify it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiocos.call import Engine
from aiocos.errors import IntegrityError
from aiocos.integrity import compare
from aiocos.net.hashing import INLINE
from aiocos.net.streamed_response import StreamedResponse
from aiocos.object_stream import ObjectStream, verifies
from aiocos.operations.objects import GetObject
from aiocos.response_errors import resource_of
from aiocos.wire import checksum as checksums
from aiocos.wire import digest


async def read_object(engine: Engine, operation: GetObject) -> bytes:
    """Return the bytes of an object, or of a range of it.

    Damaged bytes are requested again, as often as other errors are retried, before `IntegrityError` is raised.

    The general path is an `ObjectStream` that is read and verified; `read_arrived` is faster for most small objects.
    """
    loop = asyncio.get_running_loop()
    deadline = None if operation.timeout is None else loop.time() + operation.timeout
    for attempt in range(1, engine.config.retry.attempts + 1):
        if deadline is not None:
            operation = replace(operation, timeout=deadline - loop.time())
        response = await engine.open(operation)
        data = read_arrived(operation, response) if verifies(engine, operation) else None
        if data is not None:
            return data
        try:
            async with ObjectStream(engine, operation, response) as stream:
                data = await stream.read()
                if verification := await stream.verification():
                    await compare(verification, data, f"GetObject {resource_of(operation)}")
                return data
        except IntegrityError:
            is_late = deadline is not None and loop.time() >= deadline
            if attempt == engine.config.retry.attempts or is_late or not engine.budget.take():
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def read_arrived(operation: GetObject, response: StreamedResponse) -> bytes | None:
    """Return the bytes of a small object that has arrived completely, or None.

    This fast path applies to a whole object whose body has arrived with its headers and has the CRC64NVME that they name, if
    that is native here, or else the MD5 of its ETag. In every other case the response can still be read by `ObjectStream`, the
    general path, for ranges, parts, conditions, other checksums, large bodies and damage.
    """
    etag = response.headers.get("ETag")
    length = response.headers.get("Content-Length", "")
    if (
        response.status != 200
        or etag is None
        or len(length) > 6
        or operation.range is not None
        or operation.part_number is not None
        or operation.if_match is not None
    ):
        return None
    data = response.read_nowait()
    if data is None or len(data) > INLINE or "Content-Range" in response.headers:
        return None
    crc = response.headers.get("x-amz-checksum-crc64nvme")
    if crc and checksums.is_loaded("crc64nvme") and response.headers.get("x-amz-checksum-type") in (None, "FULL_OBJECT"):
        return data if crc == checksums.encode(checksums.compute("crc64nvme", data)) else None
    return data if etag == f'"{digest.etag_of(data)}"' else None
