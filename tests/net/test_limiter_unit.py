"""The limiter, one call at a time."""

import asyncio

import pytest

from aiocos.config import ConcurrencyConfig
from aiocos.net.limiter import AdaptiveLimiter


class RecordingRule:
    """A rule with a constant limit that records its calls."""

    def __init__(self, value: int) -> None:
        self.limit = value
        self.refusals = 0
        self.calls: list[tuple[object, ...]] = []

    def on_success(self, *, is_reached: bool, seconds: float | None) -> None:
        self.calls.append(("on_success", is_reached, None if seconds is None else round(seconds)))

    def on_throttle(self, ticket: int, newest: int, in_flight: int) -> None:
        self.calls.append(("on_throttle", ticket, newest, in_flight))


def limiter_with(value: int) -> tuple[AdaptiveLimiter, RecordingRule]:
    limiter, rule = AdaptiveLimiter(ConcurrencyConfig(initial=value), value), RecordingRule(value)
    limiter._rule = rule  # type: ignore[assignment]
    return limiter, rule


async def test_success_reports_whether_the_limit_is_reached():
    limiter, rule = limiter_with(3)
    since = asyncio.get_running_loop().time() - 7
    assert [limiter.try_acquire(large=False) for _ in range(2)] == [1, 2]
    limiter.on_response(2, 200, {}, since=since)
    assert rule.calls == [], "the limit is not reached, and only each sixteenth ticket is timed"
    limiter.on_response(16, 200, {}, since=since)
    limiter.on_response(32, 404, {}, since=None)
    assert rule.calls == [("on_success", False, 7), ("on_success", False, None)]
    rule.calls.clear()
    assert limiter.try_acquire(large=True) == 3
    limiter.on_response(3, 200, {}, since=since)
    assert rule.calls == [("on_success", True, 7)]
    assert limiter.try_acquire(large=False) == 0
    rule.calls.clear()
    # While a request waits the limit counts as reached, even if a slot has just been released.
    for large in (False, True):
        waiting = asyncio.create_task(limiter.acquire(large=large))
        await asyncio.sleep(0)
        rule.limit = 9
        limiter.on_response(5, 200, {}, since=None)
        rule.limit = 3
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert rule.calls == [("on_success", True, None)] * 2


@pytest.mark.parametrize("status", [503, 429])
async def test_refusal_reports_ticket_and_in_flight(status: int):
    limiter, rule = limiter_with(8)
    for large in (False, True, False):
        await limiter.acquire(large=large)
    limiter.on_response(2, status, {"Retry-After": "7"}, since=None)
    assert rule.calls == [("on_throttle", 2, 4, 2)]
    assert limiter.state().paused_for == 0


async def test_pause_begins_only_if_nothing_succeeds():
    limiter, _ = limiter_with(1)
    ticket = await limiter.acquire(large=False)
    limiter.on_response(ticket, 200, {}, since=None)
    limiter.on_response(ticket, 503, {"Retry-After": "7"}, since=None)
    assert limiter.state().paused_for == 0, "a request has succeeded"
    limiter.on_response(ticket, 503, {}, since=None)
    limiter.on_response(ticket, 503, {"Retry-After": "0"}, since=None)
    assert limiter._pause_timer is None
    limiter.on_response(ticket, 503, {"Retry-After": "7"}, since=None)
    assert 6 < limiter.state().paused_for <= 7
    limiter.on_response(ticket, 503, {"Retry-After": "20"}, since=None)
    assert 19 < limiter.state().paused_for <= 20
    limiter.on_response(ticket, 503, {"Retry-After": "3"}, since=None)
    assert 19 < limiter.state().paused_for <= 20, "a shorter Retry-After does not shorten the pause"
    limiter.release(large=False)
    assert limiter.try_acquire(large=False) == 0
    waiting = asyncio.create_task(limiter.acquire(large=False))
    await asyncio.sleep(0)
    assert limiter.state() == (1, 0, 1, 0, pytest.approx(20, abs=1))
    timer = limiter._pause_timer
    limiter.close()
    await asyncio.sleep(0)
    assert timer.cancelled()
    assert waiting.done(), "close wakes the waiting request"
    assert limiter.state() == (1, 1, 0, 0, 0.0)
    limiter.close()


async def test_no_pause_above_a_limit_of_one():
    limiter, _ = limiter_with(2)
    limiter.on_response(await limiter.acquire(large=False), 503, {"Retry-After": "7"}, since=None)
    assert limiter._pause_timer is None
    limiter._rule.limit = 1
    limiter.on_response(1, 503, {"Retry-After": "7"}, since=None)
    assert limiter._pause_timer is not None
    limiter.close()


async def test_pause_ends_by_itself():
    limiter, _ = limiter_with(1)
    ticket = await limiter.acquire(large=False)
    limiter.on_response(ticket, 503, {"Retry-After": "0.02"}, since=None)
    limiter.release(large=False)
    waiting = [asyncio.create_task(limiter.acquire(large=False)) for _ in range(2)]
    async with asyncio.timeout(30):
        assert await waiting[0] == 2
    assert limiter._pause_timer is None
    limiter.release(large=False)
    assert await waiting[1] == 3


@pytest.mark.parametrize(
    ("limit", "small", "large", "small_is_free", "large_is_free"),
    [
        (8, 0, 5, True, True),
        (8, 0, 6, True, False),
        (8, 1, 6, True, False),
        (8, 2, 6, False, False),
        (8, 7, 0, True, True),
        (8, 8, 0, False, False),
        (3, 0, 2, True, True),
        (3, 1, 2, False, False),
        (4, 0, 3, True, False),
        (1, 0, 0, True, True),
        (1, 0, 1, False, False),
    ],
)
async def test_free_slots(limit: int, small: int, large: int, small_is_free: bool, large_is_free: bool):
    limiter, _ = limiter_with(limit)
    limiter._in_flight = [small, large]
    assert (limiter._is_free(False), limiter._is_free(True)) == (small_is_free, large_is_free)


@pytest.mark.parametrize(("small", "large", "free"), [(5, 0, True), (6, 0, False), (6, 1, False), (5, 2, True), (6, 2, False)])
async def test_quarter_is_reserved_while_a_large_request_waits(small: int, large: int, free: bool):
    limiter, _ = limiter_with(8)
    limiter._in_flight = [small, large]
    limiter._queues[True].append(limiter._loop.create_future())
    assert limiter._is_free(False) is free
    limiter._in_flight = [5, 3]
    assert not limiter._is_free(False)
    rule = limiter._rule
    rule.limit = 12  # type: ignore[misc]
    limiter._in_flight = [8, 3]
    assert limiter._is_free(False)
    limiter._in_flight = [9, 2]
    assert not limiter._is_free(False), "above three quarters, while large requests have less than a quarter"


async def test_later_requests_do_not_overtake():
    limiter, _ = limiter_with(1)
    await limiter.acquire(large=False)
    first = asyncio.create_task(limiter.acquire(large=False))
    await asyncio.sleep(0)
    limiter.release(large=False)
    assert limiter.try_acquire(large=False) == 0
    second = asyncio.create_task(limiter.acquire(large=False))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (first.done(), second.done()) == (True, False)
    limiter.release(large=False)
    assert await second == 3
