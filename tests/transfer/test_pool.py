"""Works that are done many at once: each is counted or reported."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.waiting import until

from aiocos.errors import AccessDenied, CredentialsError, NoSuchBucket, TransferError
from aiocos.transfer.pool import AT_ONCE, TaskPool
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
    async with TaskPool(None, monitor()) as crew:
        await crew.do("a", "ka", five)
        for number, error in enumerate(errors):
            await crew.do(f"b{number}", f"kb{number}", fails(error))
        await crew.do("c", "kc", five)
    crew.failed("d", "kd", TransferError("four"))
    assert (crew.files, crew.bytes) == (2, 10)
    assert crew.errors == [
        *(FileError(path=f"b{n}", key=f"kb{n}", error=str(error)) for n, error in enumerate(errors)),
        FileError(path="d", key="kd", error="four"),
    ]
    assert crew.causes[:3] == errors


async def test_of_very_many_failures_the_first_hundred_are_causes():
    async with TaskPool(None, monitor()) as crew:
        for number in range(102):
            crew.failed(str(number), "", TransferError(str(number)))
    assert len(crew.errors) == 102
    assert [str(cause) for cause in crew.causes] == [str(number) for number in range(100)]


@pytest.mark.parametrize("error", [CredentialsError("no token"), NoSuchBucket("no bucket"), KeyError("a mistake of ours")])
async def test_what_would_be_the_same_for_all_ends_it(error: Exception):
    started = asyncio.Event()

    async def endless() -> int:
        started.set()
        await asyncio.sleep(60)
        return 0

    with pytest.raises(type(error)) as caught:
        async with TaskPool(None, monitor()) as crew:
            await crew.do("a", "a", endless)
            await started.wait()
            await crew.do("b", "b", fails(error))
    assert caught.value is error
    assert (crew.files, crew.errors) == (0, [])


@pytest.mark.parametrize(("width", "expected"), [(1, 1), (3, 3), (None, 32)])
async def test_no_more_at_once_than_asked_for(width: int | None, expected: int):
    assert AT_ONCE == 32, "as the guide says"
    running = most = 0
    go = asyncio.Event()

    async def work() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1
        return 1

    async def give(crew: TaskPool) -> None:
        for number in range(70):
            await crew.do(str(number), "", work)

    async with TaskPool(width, monitor()) as crew:
        giving = asyncio.ensure_future(give(crew))
        await until(lambda: running == expected, "as many run as may")
        for _ in range(20):
            await asyncio.sleep(0)
        assert running == expected
        go.set()
        await giving
    assert (most, crew.files) == (expected, 70)


async def test_a_pause_begins_nothing():
    watch = monitor()
    watch.pause()
    async with TaskPool(1, watch) as crew:
        doing = asyncio.ensure_future(crew.do("a", "a", five))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not doing.done()
        watch.resume()
        await doing
    assert crew.files == 1
