"""The monitor of a transfer by itself: counts, observers, pauses, deadlines."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from tests.waiting import until

from aiocos.errors import RequestTimeoutError
from aiocos.transfer.progress import Monitor, Progress, ProgressCallbacks


def counts(monitor: Monitor) -> tuple[Any, ...]:
    return monitor.state, monitor.bytes_done, monitor.parts_done, monitor.resumed_bytes


def test_progress_is_what_was_counted():
    monitor = Monitor(ProgressCallbacks(), "bucket", "key")
    assert monitor.progress == Progress("bucket", "key", "queued", 0, None, 0, None, 0, None)
    assert monitor.progress == Progress("bucket", "key", "queued", 0, None, 0, None), "nothing is kept unless that is said"
    monitor.bytes_total, monitor.parts_total = 100, 4
    monitor.advance(10, parts=1)
    monitor.advance(5, resumed=True)
    monitor.advance(3, parts=2)
    assert monitor.progress == Progress("bucket", "key", "running", 18, 100, 3, 4, 5, None)
    monitor.restart()
    assert monitor.progress == Progress("bucket", "key", "running", 0, 100, 0, 4, 0, None)


def test_a_file_counts_for_its_directory():
    heard: list[Progress] = []
    whole = Monitor(ProgressCallbacks(progress=lambda p: None), "bucket", "dir/")
    one = whole.for_file(ProgressCallbacks(progress=heard.append, on_done=lambda p: heard.append(p)), "dir/one")
    two = whole.for_file(ProgressCallbacks(), "dir/two")
    one.advance(10, parts=3)
    two.advance(5, resumed=True)
    assert counts(whole) == ("running", 15, 0, 5), "its parts are files, and no file has ended"
    assert counts(one) == ("running", 10, 3, 0)
    assert counts(two) == ("running", 5, 0, 5)
    assert [(p.bucket, p.key, p.bytes_done) for p in heard] == [("bucket", "dir/one", 10)]
    one.restart()
    assert counts(whole)[1] == 5, "what is sent again is not counted twice"


async def test_each_observer_hears_of_its_moment():
    heard: list[tuple[str, str]] = []

    def note(who: str) -> Any:
        return lambda p: heard.append((who, p.state))

    def said() -> list[tuple[str, str]]:
        new = heard[:]
        heard.clear()
        return new

    monitor = Monitor(
        ProgressCallbacks(progress=note("all"), on_queued=note("queued"), on_progress=note("moved"), on_done=note("done")),
        "b",
        "k",
    )
    async with monitor.run(None, "it"):
        assert said() == [("all", "queued"), ("queued", "queued")]
        monitor.advance(1)
        assert said() == [("all", "running"), ("moved", "running")]
        monitor.restart()
        assert said() == [("all", "running"), ("moved", "running")]
        monitor.pause()
        assert said() == [("all", "paused")]
        monitor.pause()
        assert said() == [], "it is paused already"
        monitor.advance(1)
        assert said() == [("all", "paused"), ("moved", "paused")], "what was on its way has come"
        monitor.resume()
        assert said() == [("all", "running")]
        monitor.resume()
        assert said() == [], "it runs already"
        monitor.start_verifying()
        assert said() == [("all", "verifying")]
        monitor.pause()
        assert (said(), monitor.state) == ([], "verifying"), "there is nothing left to begin"
    assert said() == [("all", "done"), ("done", "done")]
    monitor.pause()
    assert (said(), monitor.state) == ([], "done")


async def test_what_is_paused_waits_and_what_belongs_to_it_too():
    whole = Monitor(ProgressCallbacks(), "b", "")
    one = whole.for_file(ProgressCallbacks(), "k")
    for paused in (whole, one):
        paused.pause()
        going = asyncio.ensure_future(one.wait_if_paused())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not going.done()
        paused.resume()
        await asyncio.wait_for(going, 10)
    await asyncio.wait_for(one.wait_if_paused(), 10)
    one.pause()
    await asyncio.wait_for(whole.wait_if_paused(), 10)


async def test_a_transfer_that_ends_is_paused_no_more():
    monitor = Monitor(ProgressCallbacks(), "b", "k")
    async with monitor.run(None, "it"):
        monitor.pause()
        going = asyncio.ensure_future(monitor.wait_if_paused())
        await asyncio.sleep(0)
    await asyncio.wait_for(going, 10)
    assert monitor.state == "done"


async def test_a_coroutine_hears_the_newest_only_and_one_at_a_time():
    heard: list[int] = []
    go, at_once, most = asyncio.Event(), 0, 0

    async def slow(progress: Progress) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        heard.append(progress.bytes_done)
        await go.wait()
        at_once -= 1

    monitor = Monitor(ProgressCallbacks(on_progress=slow), "b", "k")
    async with monitor.run(None, "it"):
        for _ in range(5):
            monitor.advance(1)
            await asyncio.sleep(0)
        assert heard == [1]
        go.set()
        await until(lambda: len(heard) == 2, "the newest is told")
        await asyncio.sleep(0)
        monitor.advance(1)
        await until(lambda: len(heard) == 3, "the next is told")
    assert (heard, most) == ([1, 5, 6], 1)


async def test_an_observer_that_fails_ends_nothing_and_is_logged(caplog: pytest.LogCaptureFixture):
    calls = 0

    def fails(progress: Progress) -> None:
        nonlocal calls
        calls += 1
        raise ValueError("a user's mistake")

    async def fails_later(progress: Progress) -> None:
        await asyncio.sleep(0)
        raise ValueError("a user's mistake")

    for observer, least in ((fails, 4), (fails_later, 2)):
        caplog.clear()
        monitor = Monitor(ProgressCallbacks(progress=observer), "bucket", "key")
        with caplog.at_level(logging.ERROR, "aiocos.transfer"):
            async with monitor.run(None, "it"):
                monitor.advance(1)
                monitor.advance(1)
        logged = [record.getMessage() for record in caplog.records]
        assert set(logged) == {"a progress callback of bucket/key failed"}
        assert len(logged) >= least
        assert monitor.state == "done"
    assert calls == 4


async def test_an_observer_that_is_a_coroutine_at_times_only(caplog: pytest.LogCaptureFixture):
    """A function may return an awaitable once, and nothing or an error next."""
    heard: list[int] = []
    go = asyncio.Event()

    async def wait() -> None:
        await go.wait()

    def observer(progress: Progress) -> Any:
        heard.append(progress.bytes_done)
        if progress.bytes_done == 1:
            return wait()
        if progress.bytes_done == 3:
            raise ValueError
        return None

    monitor = Monitor(ProgressCallbacks(on_progress=observer), "b", "k")
    listener = monitor._on_progress[0]
    monitor.advance(1)
    monitor.advance(1)
    go.set()
    assert listener.task is not None
    await asyncio.wait_for(listener.task, 10)
    assert heard == [1, 2]
    go.clear()
    monitor.restart()
    monitor.advance(1)
    monitor.advance(2)
    go.set()
    await asyncio.wait_for(listener.task, 10)
    assert heard == [1, 2, 0, 1, 3]
    assert [record.getMessage() for record in caplog.records] == ["a progress callback of b/k failed"]


async def test_a_deadline_is_an_error_of_ours():
    monitor = Monitor(ProgressCallbacks(), "b", "k")
    with pytest.raises(RequestTimeoutError) as caught:
        async with monitor.run(0.01, "the upload of b/k"):
            await asyncio.sleep(30)
    assert str(caught.value).startswith("the upload of b/k: not done within 0.01 s")
    assert caught.value.sent, "what was sent may have been done"
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert (monitor.state, monitor.error) == ("failed", caught.value)


@pytest.mark.parametrize(
    "error",
    [TimeoutError("the source's"), RequestTimeoutError("a request's", sent=False), ValueError(), asyncio.CancelledError()],
)
async def test_other_errors_are_themselves(error: BaseException):
    whole = Monitor(ProgressCallbacks(), "b", "")
    monitor = whole.for_file(ProgressCallbacks(), "k")
    with pytest.raises(type(error)) as caught:
        async with monitor.run(30, "it"):
            raise error
    assert caught.value is error
    assert monitor.state == ("cancelled" if isinstance(error, asyncio.CancelledError) else "failed")
    assert monitor.progress.error is error
    assert whole.parts_done == 0


async def test_a_request_that_timed_out_after_the_deadline_is_itself():
    monitor, own = Monitor(ProgressCallbacks(), "b", "k"), RequestTimeoutError("a request's", sent=False)
    with pytest.raises(RequestTimeoutError) as caught:
        async with monitor.run(0.001, "it"):
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                raise own from None
    assert caught.value is own


async def test_a_file_that_is_done_is_a_part_of_its_directory():
    whole = Monitor(ProgressCallbacks(), "b", "")
    async with whole.for_file(ProgressCallbacks(), "k").run(None, "it"):
        assert whole.parts_done == 0
    assert whole.parts_done == 1


@pytest.mark.parametrize(
    ("error", "deadline", "patience"),
    [(None, None, 10.0), (ValueError(), None, 10.0), (asyncio.CancelledError(), None, 0.25), (None, 0.01, 0.25)],
)
async def test_the_end_waits_for_coroutines_among_the_observers(
    monkeypatch: pytest.MonkeyPatch, error: BaseException | None, deadline: float | None, patience: float
):
    waited: list[tuple[int, float | None]] = []
    go = asyncio.Event()

    async def wait(tasks: Any, timeout: float | None = None) -> None:
        waited.append((len(tasks), timeout))

    async def slow(progress: Progress) -> None:
        await go.wait()

    monkeypatch.setattr(asyncio, "wait", wait)
    monitor = Monitor(ProgressCallbacks(progress=slow, on_queued=slow, on_progress=lambda p: None, on_done=slow), "b", "k")
    try:
        async with monitor.run(deadline, "it"):
            if error is not None:
                raise error
            if deadline is not None:
                await asyncio.sleep(30)
    except BaseException:
        pass
    assert waited == [(3, patience)], "each once, and none that has nothing to do"
    go.set()
    listeners = (*monitor._on_queued, *monitor._on_progress, *monitor._on_done)
    await asyncio.gather(*(one.task for one in listeners if one.task is not None))
    waited.clear()
    async with Monitor(ProgressCallbacks(on_done=lambda p: None), "b", "k").run(None, "it"):
        pass
    assert waited == [], "nobody listens: nothing is waited for"
