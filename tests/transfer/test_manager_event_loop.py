"""How long the event loop is held up: by no step of anything for more than 5 ms of its own."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests import servers
from tests.waiting import loop_steps

import aiocos
from aiocos.config import MIB

SIZE = 64 * MIB
LONGEST = 0.005


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in a process of its own, whose steps are none of ours."""
    with servers.rclone(tmp_path_factory.mktemp("rclone")) as process:
        yield process.endpoint


@pytest.fixture
async def cos(endpoint: str) -> AsyncIterator[aiocos.Client]:
    async with aiocos.Client(
        endpoint, access_key_id=servers.ACCESS_KEY_ID, secret_access_key=servers.SECRET_ACCESS_KEY
    ) as client:
        if not await client.buckets.exists("bucket"):
            await client.buckets.create("bucket")
        yield client


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), MIB):
        yield data[start : start + MIB]


async def never_for_long(work: Callable[[], Awaitable[None]]) -> None:
    """Have a work done, again where it held the loop up: once may be the system's, which gives memory away slowly at times."""
    for _ in range(3):
        with loop_steps() as steps:
            await work()
        long = [step for step in steps if step[0] > LONGEST]
        if not long:
            return
    pytest.fail(f"held up each time: {long}")


@pytest.mark.slow
async def test_large_objects_hold_nothing_up(cos: aiocos.Client, tmp_path: Path):
    data = os.urandom(SIZE)
    await asyncio.to_thread((tmp_path / "up").write_bytes, data)

    async def work() -> None:
        await cos.upload("bucket", "file", tmp_path / "up")
        await cos.upload("bucket", "memory", data)
        await cos.upload("bucket", "stream", _pieces(data))
        await cos.download("bucket", "file", tmp_path / "down")
        async with cos.objects.get("bucket", "file") as stream:
            async for _ in stream:
                pass

    await never_for_long(work)
    assert await asyncio.to_thread((tmp_path / "down").read_bytes) == data


async def test_long_listings_hold_nothing_up(cos: aiocos.Client):
    await asyncio.gather(*(cos.objects.put("bucket", f"many/{n:05}", b"") for n in range(1_000)))

    async def work() -> None:
        assert len([entry.key async for entry in cos.objects.list("bucket", prefix="many/")]) == 1_000

    await never_for_long(work)


async def test_one_that_is_held_up_is_found():
    async def work() -> None:
        asyncio.get_running_loop().call_soon(lambda: [n * n for n in range(400_000)])
        await asyncio.sleep(0.01)

    with pytest.raises(pytest.fail.Exception, match="held up each time"):
        await never_for_long(work)
