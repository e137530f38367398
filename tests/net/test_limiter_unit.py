"""The limiter, one call at a time."""

import asyncio

import pytest

from aiocos.config import ConcurrencyConfig
from aiocos.net.limiter import AdaptiveLimiter


class Noted:
    """A width that stays, and writes down what it is told."""

    def __init__(self, value: int) -> None:
        self.limit = value
        self.refusals = 0
        self.told: list[tuple[object, ...]] = []

    def on_success(self, *, is_reached: bool, seconds: float | None) -> None:
        self.told.append(("on_success", is_reached, None if seconds is None else round(seconds)))

    def on_throttle(self, ticket: int, newest: int, in_flight: int) -> None:
        self.told.append(("on_throttle", ticket, newest, in_flight))


def noting(value: int) -> tuple[AdaptiveLimiter, Noted]:
    pace, noted = AdaptiveLimiter(ConcurrencyConfig(initial=value), value), Noted(value)
    pace._rule = noted  # type: ignore[assignment]
    return pace, noted


async def test_an_answer_is_told_with_whether_the_width_was_used_up():
    pace, noted = noting(3)
    since = asyncio.get_running_loop().time() - 7
    assert [pace.try_acquire(large=False) for _ in range(2)] == [1, 2]
    pace.on_response(2, 200, {}, since=since)
    assert noted.told == [], "there is room, and the ticket is none of the sixteenth"
    pace.on_response(16, 200, {}, since=since)
    pace.on_response(32, 404, {}, since=None)
    assert noted.told == [("on_success", False, 7), ("on_success", False, None)]
    noted.told.clear()
    assert pace.try_acquire(large=True) == 3
    pace.on_response(3, 200, {}, since=since)
    assert noted.told == [("on_success", True, 7)]
    assert pace.try_acquire(large=False) == 0
    noted.told.clear()
    # Somebody waits: the width is used up, also where a place has just been given back.
    for large in (False, True):
        waiting = asyncio.create_task(pace.acquire(large=large))
        await asyncio.sleep(0)
        noted.limit = 9
        pace.on_response(5, 200, {}, since=None)
        noted.limit = 3
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert noted.told == [("on_success", True, None)] * 2


@pytest.mark.parametrize("status", [503, 429])
async def test_a_refusal_is_told_with_its_ticket_and_the_others_in_flight(status: int):
    pace, noted = noting(8)
    for large in (False, True, False):
        await pace.acquire(large=large)
    pace.on_response(2, status, {"Retry-After": "7"}, since=None)
    assert noted.told == [("on_throttle", 2, 4, 2)]
    assert pace.state().paused_for == 0


async def test_a_hold_begins_only_where_nothing_gets_through():
    pace, _ = noting(1)
    ticket = await pace.acquire(large=False)
    pace.on_response(ticket, 200, {}, since=None)
    pace.on_response(ticket, 503, {"Retry-After": "7"}, since=None)
    assert pace.state().paused_for == 0, "one has got through since"
    pace.on_response(ticket, 503, {}, since=None)
    pace.on_response(ticket, 503, {"Retry-After": "0"}, since=None)
    assert pace._pause_timer is None
    pace.on_response(ticket, 503, {"Retry-After": "7"}, since=None)
    assert 6 < pace.state().paused_for <= 7
    pace.on_response(ticket, 503, {"Retry-After": "20"}, since=None)
    assert 19 < pace.state().paused_for <= 20
    pace.on_response(ticket, 503, {"Retry-After": "3"}, since=None)
    assert 19 < pace.state().paused_for <= 20, "who asks for less does not shorten it"
    pace.release(large=False)
    assert pace.try_acquire(large=False) == 0
    waiting = asyncio.create_task(pace.acquire(large=False))
    await asyncio.sleep(0)
    assert pace.state() == (1, 0, 1, 0, pytest.approx(20, abs=1))
    timer = pace._pause_timer
    pace.close()
    await asyncio.sleep(0)
    assert timer.cancelled()
    assert waiting.done(), "who waits is let in: the client that closes has nobody else to wake them"
    assert pace.state() == (1, 1, 0, 0, 0.0)
    pace.close()


async def test_a_hold_of_others_is_no_affair_of_a_wider_gate():
    pace, _ = noting(2)
    pace.on_response(await pace.acquire(large=False), 503, {"Retry-After": "7"}, since=None)
    assert pace._pause_timer is None
    pace._rule.limit = 1
    pace.on_response(1, 503, {"Retry-After": "7"}, since=None)
    assert pace._pause_timer is not None
    pace.close()


async def test_a_hold_ends_by_itself():
    pace, _ = noting(1)
    ticket = await pace.acquire(large=False)
    pace.on_response(ticket, 503, {"Retry-After": "0.02"}, since=None)
    pace.release(large=False)
    waiting = [asyncio.create_task(pace.acquire(large=False)) for _ in range(2)]
    async with asyncio.timeout(30):
        assert await waiting[0] == 2
    assert pace._pause_timer is None
    pace.release(large=False)
    assert await waiting[1] == 3


@pytest.mark.parametrize(
    ("width", "small", "large", "may_small", "may_large"),
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
async def test_places_that_are_free(width: int, small: int, large: int, may_small: bool, may_large: bool):
    pace, _ = noting(width)
    pace._in_flight = [small, large]
    assert (pace._is_free(False), pace._is_free(True)) == (may_small, may_large)


@pytest.mark.parametrize(("small", "large", "free"), [(5, 0, True), (6, 0, False), (6, 1, False), (5, 2, True), (6, 2, False)])
async def test_a_quarter_is_kept_from_small_ones_while_a_large_one_waits(small: int, large: int, free: bool):
    pace, _ = noting(8)
    pace._in_flight = [small, large]
    pace._queues[True].append(pace._loop.create_future())
    assert pace._is_free(False) is free
    pace._in_flight = [5, 3]
    assert not pace._is_free(False)
    noted = pace._rule
    noted.limit = 12  # type: ignore[misc]
    pace._in_flight = [8, 3]
    assert pace._is_free(False)
    pace._in_flight = [9, 2]
    assert not pace._is_free(False), "beyond three quarters, while large ones have less than theirs"


async def test_who_comes_later_does_not_pass_who_waits():
    pace, _ = noting(1)
    await pace.acquire(large=False)
    first = asyncio.create_task(pace.acquire(large=False))
    await asyncio.sleep(0)
    pace.release(large=False)
    assert pace.try_acquire(large=False) == 0
    second = asyncio.create_task(pace.acquire(large=False))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (first.done(), second.done()) == (True, False)
    pace.release(large=False)
    assert await second == 3
