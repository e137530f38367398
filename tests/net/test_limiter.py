"""The limiter: slots, queues and pauses, with tasks that wait."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiocos.config import ConcurrencyConfig
from aiocos.errors import ConfigError
from aiocos.net.limiter import AdaptiveLimiter


async def test_slots_are_given_in_order():
    limiter, order, most = AdaptiveLimiter(ConcurrencyConfig(initial=3), 3), [], 0

    async def use(n: int) -> None:
        nonlocal most
        await limiter.acquire(large=False)
        order.append(n)
        most = max(most, limiter.state().in_flight)
        await asyncio.sleep(0)
        limiter.release(large=False)

    await asyncio.gather(*map(use, range(50)))
    assert (order, most) == (list(range(50)), 3)
    assert limiter.state()[:3] == (3, 0, 0)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.sampled_from([200, 200, 200, 503, 429])), max_size=40))
def test_no_slot_is_lost_by_cancels(uses: list[tuple[bool, int, int]]):
    async def play() -> None:
        limiter = AdaptiveLimiter(ConcurrencyConfig(initial=4), 8)

        async def use(large: bool, status: int) -> None:
            ticket = await limiter.acquire(large=large)
            try:
                await asyncio.sleep(0)
                limiter.on_response(ticket, status, {}, since=None)
            finally:
                limiter.release(large=large)

        tasks = [asyncio.create_task(use(large, status)) for large, _, status in uses]
        for task, (_, cancel_after, _) in zip(tasks, uses, strict=True):
            if cancel_after < 3:
                for _ in range(cancel_after):
                    await asyncio.sleep(0)
                task.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks, return_exceptions=True)
        assert limiter.state().in_flight == 0
        assert limiter.state().waiting == 0
        async with asyncio.timeout(1):
            await limiter.acquire(large=False)

    asyncio.run(play())


class Model:
    """A model of the limiter, counted beside it."""

    def __init__(self, initial: int, most: int) -> None:
        self.limiter = AdaptiveLimiter(ConcurrencyConfig(initial=initial), most)
        self.held: list[tuple[int, bool]] = []  # ticket and kind of who is in flight
        self.tickets: list[int] = []
        self.waiting: list[asyncio.Task[None]] = []

    async def _enter(self, large: bool) -> None:
        ticket = await self.limiter.acquire(large=large)
        self.entered(ticket, large)

    def entered(self, ticket: int, large: bool) -> None:
        self.held.append((ticket, large))
        self.tickets.append(ticket)

    async def settle(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)
        self.waiting = [task for task in self.waiting if not task.done()]

    async def step(self, what: str, number: int) -> None:
        if what in ("small", "large"):
            large = what == "large"
            if ticket := self.limiter.try_acquire(large=large):
                self.entered(ticket, large)
            else:
                self.waiting.append(asyncio.create_task(self._enter(large)))
                await asyncio.sleep(0)
        elif what == "cancel" and self.waiting:
            self.waiting[number % len(self.waiting)].cancel()
        elif what == "cancel as it is let in" and self.waiting and self.held:
            self.leave(number, 200)
            self.waiting[0].cancel()
        elif self.held:
            self.leave(number, {"answer": 200, "refuse": 503}.get(what, 200))

    def leave(self, number: int, status: int) -> None:
        ticket, large = self.held.pop(number % len(self.held))
        self.limiter.on_response(ticket, status, {}, since=None)
        self.limiter.release(large=large)

    def check(self, before: int) -> None:
        now = self.limiter.state()
        assert now.in_flight == len(self.held), "the counts agree"
        assert now.waiting == len(self.waiting)
        assert len(self.held) <= max(now.limit, before), "none is let in beyond the limit"
        if self.waiting:
            # No request waits for a free slot: each queue is stopped by the limit, or by the quarter of the other queue.
            small, large = (sum(kind is which for _, kind in self.held) for which in (False, True))
            quarter = now.limit // 4
            assert small + large >= now.limit or large >= now.limit - quarter or small >= now.limit - quarter


STEPS = st.tuples(
    st.sampled_from(["small", "small", "large", "answer", "answer", "refuse", "cancel", "cancel as it is let in"]),
    st.integers(0, 50),
)


@settings(max_examples=200)
@given(st.integers(1, 8), st.lists(STEPS, max_size=80))
def test_never_more_in_flight_than_allowed(initial: int, steps: list[tuple[str, int]]):
    async def play() -> None:
        model = Model(initial, 8)
        for what, number in steps:
            before = len(model.held)
            await model.step(what, number)
            await model.settle()
            model.check(before)
        assert model.tickets == list(range(1, len(model.tickets) + 1)), "each has a ticket of its own, in order"
        for task in model.waiting:
            task.cancel()
        await asyncio.gather(*model.waiting, return_exceptions=True)
        model.waiting = []
        while model.held:
            model.leave(0, 200)
        assert model.limiter.state()[1:3] == (0, 0)

    asyncio.run(play())


async def test_slot_given_to_a_cancelled_task_goes_to_the_next():
    limiter = AdaptiveLimiter(ConcurrencyConfig(initial=1), 1)
    await limiter.acquire(large=False)
    first, second = (asyncio.create_task(limiter.acquire(large=False)) for _ in range(2))
    await asyncio.sleep(0)
    limiter.release(large=False)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.sleep(0)
    assert second.done()
    assert limiter.state()[:3] == (1, 1, 0)
    third = asyncio.create_task(limiter.acquire(large=False))
    await asyncio.sleep(0)
    assert not third.done(), "one at a time"
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)


async def test_small_requests_do_not_wait_for_a_large_one():
    limiter = AdaptiveLimiter(ConcurrencyConfig(initial=7), 8)
    tickets = [await limiter.acquire(large=False) for _ in range(7)]
    large = asyncio.create_task(limiter.acquire(large=True))
    small = asyncio.create_task(limiter.acquire(large=False))
    await asyncio.sleep(0)
    # One slot is released, and the limit rises by one.
    limiter.on_response(tickets[0], 200, {}, since=None)
    limiter.release(large=False)
    await asyncio.sleep(0)
    assert (large.done(), small.done()) == (True, True)
    assert limiter.state()[:3] == (8, 8, 0)


@pytest.mark.parametrize("since", [None, 0.0])
async def test_limit_recovers_after_refusals(since: float | None):
    """By one per response up to half of the old limit, then after ten rounds without a refusal."""
    limiter, held = AdaptiveLimiter(ConcurrencyConfig(initial=8), 8), []

    async def fill() -> None:
        while ticket := limiter.try_acquire(large=False):
            held.append(ticket)

    async def response(status: int) -> None:
        await fill()
        limiter.on_response(held.pop(0), status, {}, since=None if since is None else limiter._loop.time())
        limiter.release(large=False)

    for _ in range(6):
        await response(503)
    assert limiter.state().limit == 1 + 1
    for _ in range(400):
        await response(200)
    assert limiter.state().limit == 8
    assert limiter.state().refusals == 6


async def test_small_and_large_requests_do_not_block_each_other():
    limiter = AdaptiveLimiter(ConcurrencyConfig(initial=8), 8)
    for _ in range(6):
        await limiter.acquire(large=True)
    large = asyncio.create_task(limiter.acquire(large=True))
    await asyncio.sleep(0)
    assert not large.done(), "a quarter is kept for small ones"
    await limiter.acquire(large=False)
    await limiter.acquire(large=False)
    limiter.release(large=True)
    await asyncio.sleep(0)
    assert large.done()
    full = AdaptiveLimiter(ConcurrencyConfig(initial=8), 8)
    for _ in range(8):
        await full.acquire(large=False)
    waiting = asyncio.create_task(full.acquire(large=True))
    others = [asyncio.create_task(full.acquire(large=False)) for _ in range(20)]
    await asyncio.sleep(0)
    full.release(large=False)
    await asyncio.sleep(0)
    assert waiting.done(), "of eight places two are for large ones, before further small ones"
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def test_retry_after_pauses_if_no_request_succeeds():
    limiter = AdaptiveLimiter(ConcurrencyConfig(initial=2), 8)
    tickets = [await limiter.acquire(large=False) for _ in range(2)]
    for ticket in tickets:
        limiter.on_response(ticket, 503, {"Retry-After": "50"}, since=None)
        limiter.release(large=False)
    assert 0 < limiter.state().paused_for <= 50
    waiting = asyncio.create_task(limiter.acquire(large=False))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    limiter._resume()  # too early: it goes on waiting
    await asyncio.sleep(0)
    assert not waiting.done()
    limiter._pause_timer.cancel()
    limiter._paused_until = asyncio.get_running_loop().time()
    limiter._resume()
    limiter.on_response(await waiting, 200, {}, since=None)
    limiter.release(large=False)
    # Others have succeeded: only the refused request waits.
    limiter.on_response(await limiter.acquire(large=False), 503, {"Retry-After": "60"}, since=None)
    limiter.release(large=False)
    assert limiter.state().paused_for == 0
    limiter.close()


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "1e9"}, 0, 0),
        ({"Retry-After": "inf"}, 0, 0),
        ({"Retry-After": "nan"}, 0, 0),
        ({"Retry-After": "-5"}, 0, 0),
        ({"Retry-After": "300.1"}, 0, 0),
        ({"Retry-After": "300"}, 55, 60),
        ({"Retry-After": "30"}, 25, 30),
        ({"Retry-After": "Fri, 02 Jan 2026 03:04:45 GMT", "Date": "Fri, 02 Jan 2026 03:04:15 GMT"}, 25, 30),
        ({"Retry-After": "Fri, 02 Jan 2099 03:04:45 GMT", "Date": "Fri, 02 Jan 2026 03:04:15 GMT"}, 0, 0),
        ({"Retry-After": "Fri, 02 Jan 2099 03:04:45 GMT"}, 0, 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [429, 503, 400])
async def test_pause_is_bounded(status: int, headers: dict[str, str], least: float, most: float):
    limiter = AdaptiveLimiter(ConcurrencyConfig(initial=1), 8)
    limiter.on_response(await limiter.acquire(large=False), status, headers, since=None)
    limiter.release(large=False)
    if status == 400:
        least = most = 0
    assert least <= limiter.state().paused_for <= most
    limiter.close()


async def test_fixed_limit_stays():
    limiter = AdaptiveLimiter(None, 5)
    ticket = await limiter.acquire(large=False)
    limiter.on_response(ticket, 503, {"Retry-After": "10"}, since=None)
    limiter.release(large=False)
    assert limiter.state() == (5, 0, 0, 0, 0.0)


def test_invalid_settings_are_refused():
    with pytest.raises(ConfigError):
        ConcurrencyConfig(initial=0)
