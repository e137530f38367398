"""Uploads that are cancelled, endless or slow, or whose last response is lost (E2, E3, E3b, E10, E14, E15)."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fault_injection.conftest import PART, Saw
from tests.proxy import proxy_to
from tests.transfer.test_memory_large import emulator, measured

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator, LateError, Reset
from aiocos.errors import Unavailable

pytestmark = pytest.mark.usefixtures("backend")


def count(emulator: Emulator, operation: str) -> int:
    return sum(served.operation == operation for served in emulator.requests)


async def open_uploads(cos: aiocos.Client) -> list[str]:
    return [upload.upload_id async for upload in cos.multipart.list_uploads("bucket")]


async def stream(size: int, piece: int = MIB) -> AsyncIterator[bytes]:
    block = os.urandom(min(piece, max(size, 1)))
    while size > 0:
        yield block[: min(len(block), size)]
        size -= len(block)


async def test_e2_a_cancelled_upload_is_aborted(small: aiocos.Client, cos_emulator: Emulator, saw: Saw) -> None:
    moments = 0
    for parts in range(6):
        cos_emulator.requests.clear()
        cos_emulator.faults.script([Delay(0.5, operation="UploadPart", nth=parts + 1, times=None)])
        task = asyncio.create_task(small.upload("bucket", "key", stream(60 * MIB)))
        async with asyncio.timeout(20):
            while count(cos_emulator, "UploadPart") < parts or not await open_uploads(small):
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(2):
            while await open_uploads(small):
                await asyncio.sleep(0.01)
        cos_emulator.faults.script([])
        before = count(cos_emulator, "UploadPart")
        await asyncio.sleep(0.7)
        assert count(cos_emulator, "UploadPart") == before, "a part came after the cancel"
        assert await open_uploads(small) == []
        moments += 1
    saw("E2", f"cancelled at {moments} different times: 0 uploads left open, 0 parts sent after the cancel")


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_e3_a_long_stream_uses_little_memory(tmp_path: Path, saw: Saw) -> None:
    (tmp_path / "store").mkdir()
    with emulator(tmp_path / "store") as server:
        measurement = measured("stream", server, tmp_path, 1536 * MIB)
    more = measurement["peak"] - measurement["base"]
    assert measurement["size"] == 1536 * MIB
    assert more <= 64
    saw("E3", f"1.5 GiB of unknown length: {more:.0f} MiB more memory")


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 4 * PART])
async def test_e3b_streams_that_end_at_a_part_boundary(small: aiocos.Client, size: int, saw: Saw) -> None:
    data = os.urandom(size)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, MIB):
            yield data[start : start + MIB]

    result = await small.upload("bucket", "key", pieces())
    assert result.size == size
    assert await small.objects.read("bucket", "key") == data
    saw("E3b", "streams of 0 and 1 bytes, of exactly 1, 2 and 4 parts, and of one byte more or less: all complete")


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_e10_a_slow_uplink_does_not_time_out(cos_emulator: Emulator, saw: Saw) -> None:
    data = os.urandom(4 * MIB)
    async with proxy_to(cos_emulator.endpoint) as proxy, aiocos.Client(
        proxy.url, access_key_id=cos_emulator.access_key_id, secret_access_key=cos_emulator.secret_access_key
    ) as cos:  # fmt: skip
        await cos.buckets.create("bucket")
        cos_emulator.requests.clear()
        proxy.up_rate = 100_000
        began = time.monotonic()
        await cos.objects.put("bucket", "key", data)
        took = time.monotonic() - began
        proxy.up_rate = None
        assert count(cos_emulator, "PutObject") == 1
        assert took > 30
        assert await cos.objects.read("bucket", "key") == data
    saw("E10", f"stored with the first attempt, in {took:.0f} s")


@pytest.mark.parametrize("lost", [1, 2])
async def test_e14_a_lost_response_to_the_completion(small: aiocos.Client, cos_emulator: Emulator, lost: int, saw: Saw) -> None:
    data = os.urandom(3 * PART)
    # The first completion either was done without a response, or was not done.
    fault = Reset(operation="CompleteMultipartUpload", lost_answer=lost == 1, times=lost)
    cos_emulator.faults.script([fault])
    result = await small.upload("bucket", "key", data)
    assert result.verified == "checksum"
    assert await small.objects.read("bucket", "key") == data
    assert await open_uploads(small) == []
    saw("E14", "the client checks what the service stored: success; completed again only if the first completion was not done")


async def test_e15_an_error_in_a_200_is_retried(small: aiocos.Client, cos_emulator: Emulator, saw: Saw) -> None:
    data = os.urandom(2 * PART)
    cos_emulator.faults.script([
        LateError(operation="CompleteMultipartUpload"), LateError(operation="CopyObject"),
        LateError(operation="UploadPartCopy"),
    ])  # fmt: skip
    await small.upload("bucket", "key", data)
    await small.objects.copy("bucket", "copy", ("bucket", "key"))
    assert await small.objects.read("bucket", "copy") == data
    assert len(cos_emulator.faults.hits) == 2
    cos_emulator.faults.script([LateError(operation="CopyObject", times=None)])
    with pytest.raises(Unavailable) as caught:
        await small.objects.copy("bucket", "never", ("bucket", "key"))
    assert caught.value.code == "InternalError"
    assert not await small.objects.exists("bucket", "never")
    saw("E15", "completion and copy: retried; if the error persists, it is raised")
