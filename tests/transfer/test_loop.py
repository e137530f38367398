"""How long the event loop is held up: by no step of anything for more than 5 ms of its own."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests import servers

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


@contextmanager
def watched() -> Iterator[list[tuple[float, str]]]:
    """Give the processor time of each step of the loop's thread, longest first at the end; what others use does not count."""
    steps: list[tuple[float, str]] = []
    original = asyncio.events.Handle._run

    def run(handle: asyncio.Handle) -> None:
        task = getattr(handle._callback, "__self__", None)
        what = repr(task.get_coro()) if isinstance(task, asyncio.Task) else repr(handle)
        before = time.thread_time()
        original(handle)
        took = time.thread_time() - before
        if took > 0.002:
            steps.append((took, what))

    asyncio.events.Handle._run = run
    try:
        yield steps
    finally:
        asyncio.events.Handle._run = original
        steps.sort(reverse=True)


async def test_the_probe_sees_a_step_that_takes_long():
    with watched() as steps:
        asyncio.get_running_loop().call_soon(lambda: [n * n for n in range(400_000)])
        await asyncio.sleep(0.01)
    assert steps[0][0] > 0.005


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), MIB):
        yield data[start : start + MIB]


async def test_large_objects_hold_nothing_up(cos: aiocos.Client, tmp_path: Path):
    data = os.urandom(SIZE)
    await asyncio.to_thread((tmp_path / "up").write_bytes, data)
    with watched() as steps:
        await cos.upload("bucket", "file", tmp_path / "up")
        await cos.upload("bucket", "memory", data)
        await cos.upload("bucket", "stream", _pieces(data))
        await cos.download("bucket", "file", tmp_path / "down")
        async with cos.objects.get("bucket", "file") as stream:
            async for _ in stream:
                pass
    assert not [step for step in steps if step[0] > LONGEST]
    assert await asyncio.to_thread((tmp_path / "down").read_bytes) == data


async def test_long_listings_hold_nothing_up(cos: aiocos.Client):
    await asyncio.gather(*(cos.objects.put("bucket", f"many/{n:05}", b"") for n in range(1_000)))
    with watched() as steps:
        keys = [entry.key async for entry in cos.objects.list("bucket", prefix="many/")]
    assert len(keys) == 1_000
    assert not [step for step in steps if step[0] > LONGEST]
