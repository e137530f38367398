"""Second requests for reads that take long."""

import asyncio
from collections.abc import AsyncIterator

import pytest

import aiocos
from aiocos.emulator import Delay, Emulator, Reset, Status
from aiocos.errors import ConfigError, NoSuchKey

HEDGED = aiocos.ClientConfig(
    hedge=aiocos.HedgeConfig(quantile=0.9, least=0.05, share=0.05), retry=aiocos.RetryConfig(base=0.01, cap=0.02)
)


@pytest.fixture
async def hedged(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client that knows how long answers take here."""
    async with cos_emulator.client(config=HEDGED) as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "k", b"data")
        for _ in range(40):
            await cos.objects.head("bucket", "k")
        cos_emulator.requests.clear()
        yield cos


def asked(emulator: Emulator, operation: str) -> int:
    return sum(served.operation == operation for served in emulator.requests)


@pytest.mark.parametrize("what", ["read", "head"])
async def test_a_late_answer_is_asked_for_again(hedged: aiocos.Client, cos_emulator: Emulator, what: str):
    cos_emulator.faults.script([Delay(30, operation={"read": "GetObject", "head": "HeadObject"}[what])])
    async with asyncio.timeout(15):
        if what == "read":
            assert await hedged.objects.read("bucket", "k") == b"data"
        else:
            assert (await hedged.objects.head("bucket", "k")).size == 4
    assert hedged.pacing.in_flight == 0


async def test_writes_are_never_sent_twice(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(0.5, operation="PutObject")])
    await hedged.objects.put("bucket", "k", b"other")
    assert asked(cos_emulator, "PutObject") == 1


async def test_second_requests_are_a_share_of_all(hedged: aiocos.Client, cos_emulator: Emulator):
    """Where everything is slow, most are waited for."""
    cos_emulator.faults.script([Delay(0.2, operation="HeadObject", times=None)])
    await asyncio.gather(*(hedged.objects.head("bucket", "k") for _ in range(30)))
    # Forty answers before have saved up two, thirty more one and a half, and one was there at first.
    assert 30 < asked(cos_emulator, "HeadObject") <= 35


async def test_none_after_a_refusal(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([
        Status(503, code="SlowDown", operation="HeadObject"), Delay(0.4, operation="HeadObject", times=1),
    ])  # fmt: skip
    await hedged.objects.head("bucket", "k")
    assert asked(cos_emulator, "HeadObject") == 2, "the refused one and its retry, and no second beside that"


async def test_an_error_of_one_is_not_the_end(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(0.4, operation="HeadObject"), Reset(operation="HeadObject", nth=1)])
    info = await hedged.objects.head("bucket", "k")
    assert info.size == 4


async def test_an_answer_that_says_no_is_an_answer(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="GetObject")])
    async with asyncio.timeout(15):
        with pytest.raises(NoSuchKey):
            await hedged.objects.read("bucket", "missing")


async def test_a_cancel_ends_both(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="HeadObject", times=None)])
    task = asyncio.create_task(hedged.objects.head("bucket", "k"))
    async with asyncio.timeout(15):
        while asked(cos_emulator, "HeadObject") < 2 and len(cos_emulator.faults.hits) < 2:
            await asyncio.sleep(0.01)
    before = len(asyncio.all_tasks())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hedged.pacing.in_flight == 0
    assert len(asyncio.all_tasks()) < before


def test_settings_that_cannot_be():
    for wrong in ({"quantile": 1.0}, {"quantile": 0.0}, {"share": 0.0}, {"least": -1.0}):
        with pytest.raises(ConfigError):
            aiocos.HedgeConfig(**wrong)
