"""The deadline of a read covers all its attempts."""

import asyncio
import os

import pytest
from tests.proxy import proxy_to

import aiocos
from aiocos.emulator import Emulator, FlipBit, Truncate
from aiocos.errors import CosError, IntegrityError, RequestTimeoutError

pytestmark = pytest.mark.usefixtures("backend")

DATA = os.urandom(3_000_000)
# Seconds: what ends a stalled read without its deadline is the idle timeout of a minute.
WELL_BELOW = 40


@pytest.fixture
async def bucket(cos: aiocos.Client) -> str:
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "k", DATA)
    return "bucket"


async def test_a_stalled_read_ends_at_its_deadline(cos_emulator: Emulator, bucket: str):
    async with proxy_to(cos_emulator.endpoint) as proxy:
        cos = aiocos.Client(
            proxy.url, access_key_id=cos_emulator.access_key_id, secret_access_key=cos_emulator.secret_access_key
        )
        async with cos:
            async with asyncio.timeout(WELL_BELOW):
                with pytest.raises(RequestTimeoutError):
                    async with cos.objects.get(bucket, "k", timeout=0.5) as obj:
                        proxy.passing.clear()
                        while await obj.chunk():
                            pass
                with pytest.raises(RequestTimeoutError):
                    await cos.objects.read(bucket, "k", timeout=0.3)
            proxy.passing.set()


async def test_a_read_that_is_taken_up_again_keeps_its_deadline(cos: aiocos.Client, cos_emulator: Emulator, bucket: str):
    cos_emulator.faults.script([Truncate(100_000, operation="GetObject", times=None)])
    # Thirty continuations, each with a pause of a fifth of the deadline: one that began anew with each would suffice.
    received = 0
    with pytest.raises(CosError):
        async with cos.objects.get(bucket, "k", timeout=0.5) as obj:
            while data := await obj.chunk():
                received += len(data)
                await asyncio.sleep(0.1)
    assert received < len(DATA)


async def test_a_read_into_memory_has_one_deadline_for_all_its_tries(
    cos: aiocos.Client, cos_emulator: Emulator, bucket: str, monkeypatch: pytest.MonkeyPatch
):
    async with proxy_to(cos_emulator.endpoint) as proxy:
        proxy.down_rate = 10_000_000  # 0.3 s for the object
        slow = aiocos.Client(
            proxy.url, access_key_id=cos_emulator.access_key_id, secret_access_key=cos_emulator.secret_access_key
        )
        async with slow:
            cos_emulator.faults.script([FlipBit(7, operation="GetObject", times=None)])
            cos_emulator.requests.clear()
            with pytest.raises((RequestTimeoutError, IntegrityError)):
                await slow.objects.read(bucket, "k", timeout=0.5)
            # Each try takes more than half of it; with a deadline for each there would be as many as there are attempts.
            assert len([served for served in cos_emulator.requests if served.operation == "GetObject"]) <= 2


async def test_a_stream_that_was_left_is_not_opened_again(cos: aiocos.Client, cos_emulator: Emulator, bucket: str):
    async with cos.objects.get(bucket, "k") as obj:
        await obj.chunk()
    with pytest.raises(aiocos.ConfigError, match="async with"):
        await obj.read()
    assert len([r for r in cos_emulator.requests if r.operation == "GetObject"]) == 1
    async with obj:
        assert await obj.read() == DATA, "entered again, it is read again"
