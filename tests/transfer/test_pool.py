"""Works that are done many at once: each is counted or reported."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.waiting import until

from aiocos.errors import AccessDenied, CredentialsError, NoSuchBucket, TransferError
from aiocos.transfer.pool import DEFAULT_LIMIT, TaskPool
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.results import FileError


def monitor() -> Monitor:
    return Monitor(ProgressCallbacks(), "bucket", "")


def fails(error: BaseException) -> Callable[[], Awaitable[int]]:
    async def work() -> int:
        raise error

    return work


async def five() -> int:
    return 5


async def test_what_was_done_is_counted_and_what_failed_is_reported():
    errors = [TransferError("one"), OSError("two"), AccessDenied("three")]
    async with TaskPool(None, monitor()) as pool:
        await pool.submit("a", "ka", five)
        for number, error in enumerate(errors):
            await pool.submit(f"b{number}", f"kb{number}", fails(error))
        await pool.submit("c", "kc", five)
    pool.record_failure("d", "kd", TransferError("four"))
    assert (pool.files, pool.bytes) == (2, 10)
    assert pool.errors == [
        *(FileError(path=f"b{n}", key=f"kb{n}", error=str(error)) for n, error in enumerate(errors)),
        FileError(path="d", key="kd", error="four"),
    ]
    assert pool.causes[:3] == errors


async def test_of_very_many_failures_the_first_hundred_are_causes():
    async with TaskPool(None, monitor()) as pool:
        for number in range(102):
            pool.record_failure(str(number), "", TransferError(str(number)))
    assert len(pool.errors) == 102
    assert [str(cause) for cause in pool.causes] == [str(number) for number in range(100)]


@pytest.mark.parametrize("error", [CredentialsError("no token"), NoSuchBucket("no bucket"), KeyError("a mistake of ours")])
async def test_what_would_be_the_same_for_all_ends_it(error: Exception):
    started = asyncio.Event()

    async def endless() -> int:
        started.set()
        await asyncio.sleep(60)
        return 0

    with pytest.raises(type(error)) as caught:
        async with TaskPool(None, monitor()) as pool:
            await pool.submit("a", "a", endless)
            await started.wait()
            await pool.submit("b", "b", fails(error))
    assert caught.value is error
    assert (pool.files, pool.errors) == (0, [])


@pytest.mark.parametrize(("width", "expected"), [(1, 1), (3, 3), (None, 32)])
async def test_no_more_at_once_than_asked_for(width: int | None, expected: int):
    assert DEFAULT_LIMIT == 32, "as the guide says"
    running = most = 0
    go = asyncio.Event()

    async def work() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1
        return 1

    async def give(pool: TaskPool) -> None:
        for number in range(70):
            await pool.submit(str(number), "", work)

    async with TaskPool(width, monitor()) as pool:
        giving = asyncio.ensure_future(give(pool))
        await until(lambda: running == expected, "as many run as may")
        for _ in range(20):
            await asyncio.sleep(0)
        assert running == expected
        go.set()
        await giving
    assert (most, pool.files) == (expected, 70)


async def test_a_pause_begins_nothing():
    watch = monitor()
    watch.pause()
    async with TaskPool(1, watch) as pool:
        doing = asyncio.ensure_future(pool.submit("a", "a", five))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not doing.done()
        watch.resume()
        await doing
    assert pool.files == 1


async def test_without_a_monitor_and_with_a_callback_for_failures():
    failures: list[FileError] = []
    async with TaskPool(2, on_failure=failures.append) as pool:
        await pool.submit("a", "ka", fails(OSError("one")))
        await pool.submit("b", "kb", five)
        pool.record_failure("c", "kc", TransferError("two"))
    assert failures == pool.errors
    assert {failure.path for failure in failures} == {"a", "c"}
    assert (pool.files, pool.bytes) == (1, 5)
