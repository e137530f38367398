"""Jobs that wait together share a trip to a thread; slow ones run in parallel; each gets its own result or error."""

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import pytest

from aiocos.transfer import batch as module
from aiocos.transfer.batch import ThreadBatch


def batch_of(do: Callable[[Any], Any]) -> tuple[ThreadBatch[Any, Any], list[list[Any]]]:
    """Return a batch, and the jobs of each of its trips."""
    trips: list[list[Any]] = []

    @contextmanager
    def session() -> Generator[Callable[[Any], Any]]:
        jobs: list[Any] = []
        trips.append(jobs)

        def record(job: Any) -> Any:
            jobs.append(job)
            return do(job)

        yield record

    return ThreadBatch(session), trips


async def test_jobs_that_wait_together_share_a_trip():
    batch, trips = batch_of(lambda job: job * 10)
    assert await asyncio.gather(*map(batch.run, range(8))) == [0, 10, 20, 30, 40, 50, 60, 70]
    assert trips == [list(range(8))]
    assert await batch.run(9) == 90
    assert len(trips) == 2


async def test_jobs_that_come_during_a_trip_share_the_next(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.time, "monotonic", lambda: 0.0)  # no time passes, so no job counts as slow
    began, goes_on = threading.Event(), threading.Event()

    def do(job: int) -> int:
        began.set()
        assert goes_on.wait(60)
        return job

    batch, trips = batch_of(do)
    first = asyncio.ensure_future(batch.run(0))
    while not began.is_set():
        await asyncio.sleep(0)
    others = [asyncio.ensure_future(batch.run(n)) for n in range(1, 6)]
    await asyncio.sleep(0)
    assert trips == [[0]]
    goes_on.set()
    assert await asyncio.gather(first, *others) == [0, 1, 2, 3, 4, 5]
    assert trips == [[0], [1, 2, 3, 4, 5]]


async def test_jobs_run_in_a_thread():
    batch, _ = batch_of(lambda job: threading.current_thread())
    assert await batch.run(None) is not threading.current_thread()


async def test_an_error_is_that_of_its_job_alone():
    def do(job: int) -> int:
        if job % 2:
            raise ValueError(job)
        return job

    batch, trips = batch_of(do)
    results = await asyncio.gather(*map(batch.run, range(4)), return_exceptions=True)
    assert [str(result) for result in results] == ["0", "1", "2", "3"]
    assert [type(result) for result in results] == [int, ValueError, int, ValueError]
    assert len(trips) == 1


async def test_a_session_that_cannot_begin_fails_its_jobs_and_no_later_ones():
    failing = True

    def session() -> Any:
        if failing:
            raise OSError("closed")
        return nullcontext(lambda job: job)

    batch: ThreadBatch[int, int] = ThreadBatch(session)
    results = await asyncio.gather(batch.run(1), batch.run(2), return_exceptions=True)
    assert [str(result) for result in results] == ["closed", "closed"]
    failing = False
    assert await batch.run(3) == 3


async def test_slow_jobs_run_in_parallel():
    """Three jobs that wait for each other end only if each has a thread."""
    barrier = threading.Barrier(3)
    batch, trips = batch_of(lambda job: barrier.wait(60))
    batch._estimate = 1.0
    assert sorted(await asyncio.gather(*map(batch.run, range(3)))) == [0, 1, 2]
    assert sorted(trips) == [[0], [1], [2]]


@pytest.mark.parametrize(("seconds", "jobs"), [(1.0, 1), (0.000_01, 64)])
async def test_the_duration_of_jobs_decides_how_many_share_a_trip(monkeypatch: pytest.MonkeyPatch, seconds: float, jobs: int):
    now = 0.0

    def monotonic() -> float:
        return now

    def do(job: int) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(module.time, "monotonic", monotonic)
    batch, trips = batch_of(do)
    for n in range(30):
        await batch.run(n)
    trips.clear()
    await asyncio.gather(*map(batch.run, range(64)))
    assert max(map(len, trips)) == jobs


async def test_a_cancel_before_the_trip_does_not_start_the_job():
    batch, trips = batch_of(lambda job: job)
    tasks = [asyncio.ensure_future(batch.run(n)) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [results[0], type(results[1]), results[2]] == [0, asyncio.CancelledError, 2]
    assert [0, 2] in trips or sorted(trips) == [[0], [2]]


async def test_a_cancel_waits_until_the_job_is_not_running_any_more():
    """And a job of a canceled task that had not begun yet is left out."""
    began, goes_on = threading.Event(), threading.Event()

    def do(job: int) -> int:
        began.set()
        assert goes_on.wait(60)
        return job

    batch, trips = batch_of(do)
    tasks = [asyncio.ensure_future(batch.run(n)) for n in range(3)]
    while not began.is_set():
        await asyncio.sleep(0)
    for task in tasks[:2]:
        task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    tasks[0].cancel()
    goes_on.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError, int]
    assert trips == [[0, 2]]


async def test_an_executor_that_was_shut_down_fails_the_jobs():
    executor = ThreadPoolExecutor(1)
    asyncio.get_running_loop().set_default_executor(executor)
    executor.shutdown()
    batch, _ = batch_of(lambda job: job)
    results = await asyncio.wait_for(asyncio.gather(batch.run(1), batch.run(2), return_exceptions=True), 60)
    assert [type(result) for result in results] == [RuntimeError, RuntimeError]


async def test_a_job_may_return_none():
    batch: ThreadBatch[int, None] = ThreadBatch(partial(nullcontext, lambda job: None))
    assert await batch.run(1) is None
