"""The limiter with a service over sockets."""

import asyncio

from tests.net.narrow_service import narrow

import aiocos
from aiocos.emulator import Delay, Emulator, Status


async def test_limit_of_8_over_sockets():
    """The simulation of test_limiter_rule over sockets, without the times."""
    places = asyncio.Semaphore(100)
    async with narrow(8, 0.05) as service, aiocos.Client(service.url, credentials=aiocos.Anonymous()) as cos:

        async def one(n: int) -> None:
            async with places:
                await cos.objects.put("bucket", f"k{n}", b"x")

        async with asyncio.timeout(60):
            await asyncio.gather(*(one(n) for n in range(400)))
        assert service.done == 400
        assert service.asked <= 1.2 * 400
        assert cos.concurrency.limit < 20
        assert cos.concurrency.refusals == service.asked - 400
        assert cos.concurrency[1:3] == (0, 0)


async def test_client_concurrency(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    assert cos.concurrency[:4] == (32, 0, 0, 0)
    cos_emulator.faults.script([Delay(5, operation="PutObject")])
    task = asyncio.create_task(cos.objects.put("bucket", "k", b"x"))
    async with asyncio.timeout(10):
        while not cos.concurrency.in_flight:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert cos.concurrency.in_flight == 0


async def test_other_errors_do_not_lower_the_limit(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    cos_emulator.faults.script([Status(500, code="InternalError", operation="PutObject", times=2)])
    await cos.objects.put("bucket", "k", b"x")
    assert cos.concurrency.refusals == 0
    assert cos.concurrency.limit == 32
