"""The gate whose width follows what the service takes."""

import asyncio
import heapq
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

import aiocos
from aiocos.config import ConcurrencyConfig, RetryConfig
from aiocos.emulator import Delay, Emulator, Status
from aiocos.errors import ConfigError
from aiocos.net.limiter import AdaptiveLimiter, LimitRule
from aiocos.net.retry import retry_delay

# -- the rule, in virtual time ----------------------------------------------------------------------------------------


@dataclass(order=True)
class Event:
    at: float
    order: int
    what: str = field(compare=False)
    request: int = field(compare=False)
    ticket: int = field(compare=False, default=0)


@dataclass
class Run:
    """Calls at a service that admits `capacity(now)` at once, for `service` seconds each, and refuses the rest in `refusal`."""

    calls: int
    together: int
    capacity: object
    service: float = 0.05
    refusal: float = 0.001
    sent: int = 0
    failed: int = 0
    time: float = 0.0
    widths: list[tuple[float, int]] = field(default_factory=list)

    def go(self, seed: int = 1) -> "Run":
        chance = random.Random(seed)
        width, config = LimitRule(ConcurrencyConfig(), 256), RetryConfig()
        events: list[Event] = []
        begun = min(self.together, self.calls)
        waiting = list(range(begun))[::-1]
        order, inside, in_flight, tickets, now = 0, 0, 0, 0, 0.0
        attempts = dict.fromkeys(range(self.calls), 0)

        def push(at: float, what: str, request: int, ticket: int = 0) -> None:
            nonlocal order
            order += 1
            heapq.heappush(events, Event(at, order, what, request, ticket))

        def another() -> None:
            nonlocal begun
            if begun < self.calls:
                waiting.insert(0, begun)
                begun += 1

        while waiting or events:
            while waiting and in_flight < width.limit:
                request = waiting.pop()
                in_flight, tickets, self.sent = in_flight + 1, tickets + 1, self.sent + 1
                attempts[request] += 1
                if inside < self.capacity(now):  # type: ignore[operator]
                    inside += 1
                    push(now + self.service, "done", request, tickets)
                else:
                    push(now + self.refusal * (1 + chance.random()), "refused", request, tickets)
            event = heapq.heappop(events)
            now = event.at
            if event.what == "again":
                waiting.insert(0, event.request)
                continue
            if event.what == "done":
                inside -= 1
                width.on_success(is_reached=in_flight >= width.limit, seconds=self.service)
                another()
            else:
                width.on_throttle(event.ticket, tickets + 1, in_flight - 1)
                error = aiocos.errors.Unavailable("", status=503, code="SlowDown")
                delay = retry_delay(
                    error, attempt=attempts[event.request], idempotent=True, config=config, draw=chance.random()
                )
                if delay is None:
                    self.failed += 1
                    another()
                else:
                    push(now + delay, "again", event.request)
            in_flight -= 1
            self.widths.append((now, width.limit))
        self.time = now
        return self


@pytest.mark.parametrize("seed", range(5))
def test_trial_e8_in_virtual_time(seed: int):
    """400 calls, 100 at once, 8 admitted for 50 ms each: nothing fails, hardly anything is sent twice, no time is lost."""
    run = Run(400, 100, lambda now: 8).go(seed)
    assert run.failed == 0
    assert run.sent <= 1.2 * 400
    assert run.time <= 1.3 * 2.5


@pytest.mark.parametrize(("capacity", "calls"), [(1, 60), (2, 120), (8, 2_000), (32, 4_000), (100, 8_000), (255, 20_000)])
def test_other_widths(capacity: int, calls: int):
    run = Run(calls, 300, lambda now: capacity).go()
    ideal = calls / capacity * run.service
    assert run.failed == 0
    # Finding the width out costs the first crowd's refusals once.
    assert run.sent <= 1.05 * calls + 64
    assert run.time <= 1.2 * ideal + 1


def test_a_service_that_refuses_nobody_is_used_whole():
    run = Run(20_000, 300, lambda now: 1_000).go()
    assert run.sent == 20_000
    # From 32 to 256 it is three round trips.
    assert next(at for at, width in run.widths if width == 256) < 4 * run.service


def test_a_service_that_grows_is_found_within_seconds():
    run = Run(20_000, 300, lambda now: 8 if now < 10 else 200).go()
    assert run.failed == 0
    assert next(at for at, width in run.widths if width >= 180) < 10 + 6


def test_a_service_that_shrinks_is_spared():
    run = Run(6_000, 300, lambda now: 200 if now < 1 else 8).go()
    assert run.failed <= 6_000 * 0.001
    assert run.sent <= 1.2 * 6_000
    assert [width for at, width in run.widths if 3 < at < 10][-1] <= 10


def test_after_an_outage_the_way_back_is_short():
    """All refused for a while: the width is 1 then, and doubles back to half of what it was."""
    run = Run(10_000, 300, lambda now: 0 if 1 < now < 2 else 100).go()
    assert min(width for at, width in run.widths if 1 < at < 2) == 1
    assert next(at for at, width in run.widths if at > 2 and width >= 40) < 2 + 3


def test_a_queue_that_grows_ends_the_doubling():
    """A service that lets requests wait: twice as many at once take twice as long."""
    width = LimitRule(ConcurrencyConfig(), 256)
    for _ in range(2_000):
        width.on_success(is_reached=True, seconds=0.010 * width.limit / 8)
    # It goes on by steps, which a queue that is slow stops as well.
    assert width.limit < 100
    quick = LimitRule(ConcurrencyConfig(), 256)
    for _ in range(2_000):
        quick.on_success(is_reached=True, seconds=0.00005 * quick.limit)
    assert quick.limit == 256, "milliseconds of a machine next door are no queue"


def test_what_is_not_used_does_not_grow():
    width = LimitRule(ConcurrencyConfig(), 256)
    for _ in range(10_000):
        width.on_success(is_reached=False, seconds=0.01)
    assert width.limit == 32


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 300), st.booleans()), max_size=300))
def test_the_width_keeps_its_bounds(answers: list[tuple[bool, int, bool]]):
    width = LimitRule(ConcurrencyConfig(), 100)
    for ticket, (refused, in_flight, is_reached) in enumerate(answers):
        if refused:
            before = width.limit
            width.on_throttle(ticket, ticket + 1, in_flight)
            assert width.limit <= max(1, before - 1)
        else:
            width.on_success(is_reached=is_reached, seconds=None)
        assert 1 <= width.limit <= 100


# -- the gate ---------------------------------------------------------------------------------------------------------


async def test_places_are_given_in_order_and_never_too_many():
    pace, order, most = AdaptiveLimiter(ConcurrencyConfig(initial=3), 3), [], 0

    async def use(n: int) -> None:
        nonlocal most
        await pace.acquire(large=False)
        order.append(n)
        most = max(most, pace.state().in_flight)
        await asyncio.sleep(0)
        pace.release(large=False)

    await asyncio.gather(*map(use, range(50)))
    assert (order, most) == (list(range(50)), 3)
    assert pace.state()[:3] == (3, 0, 0)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.sampled_from([200, 200, 200, 503, 429])), max_size=40))
def test_cancelled_or_not_no_place_is_lost(uses: list[tuple[bool, int, int]]):
    async def play() -> None:
        pace = AdaptiveLimiter(ConcurrencyConfig(initial=4), 8)

        async def use(large: bool, status: int) -> None:
            ticket = await pace.acquire(large=large)
            try:
                await asyncio.sleep(0)
                pace.on_response(ticket, status, {}, since=None)
            finally:
                pace.release(large=large)

        tasks = [asyncio.create_task(use(large, status)) for large, _, status in uses]
        for task, (_, cancel_after, _) in zip(tasks, uses, strict=True):
            if cancel_after < 3:
                for _ in range(cancel_after):
                    await asyncio.sleep(0)
                task.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks, return_exceptions=True)
        assert pace.state().in_flight == 0
        assert pace.state().waiting == 0
        async with asyncio.timeout(1):
            await pace.acquire(large=False)

    asyncio.run(play())


class Model:
    """What the gate has to keep to, counted beside it."""

    def __init__(self, initial: int, most: int) -> None:
        self.pace = AdaptiveLimiter(ConcurrencyConfig(initial=initial), most)
        self.held: list[tuple[int, bool]] = []  # ticket and kind of who is in flight
        self.tickets: list[int] = []
        self.waiting: list[asyncio.Task[None]] = []

    async def _enter(self, large: bool) -> None:
        ticket = await self.pace.acquire(large=large)
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
            if ticket := self.pace.try_acquire(large=large):
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
        self.pace.on_response(ticket, status, {}, since=None)
        self.pace.release(large=large)

    def check(self, before: int) -> None:
        now = self.pace.state()
        assert now.in_flight == len(self.held), "who is counted is who is in flight"
        assert now.waiting == len(self.waiting)
        assert len(self.held) <= max(now.limit, before), "none is let in beyond the width"
        if self.waiting:
            # Nobody waits for what is free: of each kind the first is kept out by the width, or by the other's quarter.
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
        assert model.pace.state()[1:3] == (0, 0)

    asyncio.run(play())


async def test_a_place_that_comes_together_with_a_cancel_goes_on_to_the_next():
    pace = AdaptiveLimiter(ConcurrencyConfig(initial=1), 1)
    await pace.acquire(large=False)
    first, second = (asyncio.create_task(pace.acquire(large=False)) for _ in range(2))
    await asyncio.sleep(0)
    pace.release(large=False)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.sleep(0)
    assert second.done()
    assert pace.state()[:3] == (1, 1, 0)
    third = asyncio.create_task(pace.acquire(large=False))
    await asyncio.sleep(0)
    assert not third.done(), "one at a time"
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)


async def test_small_ones_do_not_wait_for_a_large_one_that_is_in():
    pace = AdaptiveLimiter(ConcurrencyConfig(initial=7), 8)
    tickets = [await pace.acquire(large=False) for _ in range(7)]
    large = asyncio.create_task(pace.acquire(large=True))
    small = asyncio.create_task(pace.acquire(large=False))
    await asyncio.sleep(0)
    # One place is given back, and one is added.
    pace.on_response(tickets[0], 200, {}, since=None)
    pace.release(large=False)
    await asyncio.sleep(0)
    assert (large.done(), small.done()) == (True, True)
    assert pace.state()[:3] == (8, 8, 0)


@pytest.mark.parametrize("since", [None, 0.0])
async def test_the_width_grows_again_after_refusals(since: float | None):
    """By answers while it is used up: to half at once, beyond after ten quiet rounds."""
    pace, held = AdaptiveLimiter(ConcurrencyConfig(initial=8), 8), []

    async def fill() -> None:
        while ticket := pace.try_acquire(large=False):
            held.append(ticket)

    async def answer(status: int) -> None:
        await fill()
        pace.on_response(held.pop(0), status, {}, since=None if since is None else pace._loop.time())
        pace.release(large=False)

    for _ in range(6):
        await answer(503)
    assert pace.state().limit == 1 + 1
    for _ in range(400):
        await answer(200)
    assert pace.state().limit == 8
    assert pace.state().refusals == 6


async def test_neither_kind_holds_the_other_up():
    pace = AdaptiveLimiter(ConcurrencyConfig(initial=8), 8)
    for _ in range(6):
        await pace.acquire(large=True)
    large = asyncio.create_task(pace.acquire(large=True))
    await asyncio.sleep(0)
    assert not large.done(), "a quarter is kept for small ones"
    await pace.acquire(large=False)
    await pace.acquire(large=False)
    pace.release(large=True)
    await asyncio.sleep(0)
    assert large.done()
    full = AdaptiveLimiter(ConcurrencyConfig(initial=8), 8)
    for _ in range(8):
        await full.acquire(large=False)
    waiting = asyncio.create_task(full.acquire(large=True))
    crowd = [asyncio.create_task(full.acquire(large=False)) for _ in range(20)]
    await asyncio.sleep(0)
    full.release(large=False)
    await asyncio.sleep(0)
    assert waiting.done(), "of eight places two are for large ones, before further small ones"
    for task in crowd:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


async def test_where_nothing_gets_through_all_wait_as_long_as_the_service_says():
    pace = AdaptiveLimiter(ConcurrencyConfig(initial=2), 8)
    tickets = [await pace.acquire(large=False) for _ in range(2)]
    for ticket in tickets:
        pace.on_response(ticket, 503, {"Retry-After": "50"}, since=None)
        pace.release(large=False)
    assert 0 < pace.state().paused_for <= 50
    waiting = asyncio.create_task(pace.acquire(large=False))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    pace._resume()  # too early: it goes on waiting
    await asyncio.sleep(0)
    assert not waiting.done()
    pace._pause_timer.cancel()
    pace._paused_until = asyncio.get_running_loop().time()
    pace._resume()
    pace.on_response(await waiting, 200, {}, since=None)
    pace.release(large=False)
    # Others get through: then it is the affair of the one that was refused.
    pace.on_response(await pace.acquire(large=False), 503, {"Retry-After": "60"}, since=None)
    pace.release(large=False)
    assert pace.state().paused_for == 0
    pace.close()


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
async def test_nobody_waits_for_what_no_request_waits_for(status: int, headers: dict[str, str], least: float, most: float):
    pace = AdaptiveLimiter(ConcurrencyConfig(initial=1), 8)
    pace.on_response(await pace.acquire(large=False), status, headers, since=None)
    pace.release(large=False)
    if status == 400:
        least = most = 0
    assert least <= pace.state().paused_for <= most
    pace.close()


async def test_a_fixed_width_stays():
    pace = AdaptiveLimiter(None, 5)
    ticket = await pace.acquire(large=False)
    pace.on_response(ticket, 503, {"Retry-After": "10"}, since=None)
    pace.release(large=False)
    assert pace.state() == (5, 0, 0, 0, 0.0)


def test_settings_that_cannot_be():
    with pytest.raises(ConfigError):
        ConcurrencyConfig(initial=0)


# -- over the wire ----------------------------------------------------------------------------------------------------


@dataclass
class Narrow:
    """Admits so many requests at once, for so long each; refuses the rest."""

    admits: int
    seconds: float
    inside: int = 0
    asked: int = 0
    done: int = 0
    url: str = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked += 1
        await request.read()
        if self.inside >= self.admits:
            return web.Response(status=503, text="<Error><Code>SlowDown</Code></Error>", content_type="application/xml")
        self.inside += 1
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.inside -= 1
        self.done += 1
        return web.Response(headers={"ETag": '"x"'})


@asynccontextmanager
async def narrow(admits: int, seconds: float) -> AsyncIterator[Narrow]:
    service = Narrow(admits, seconds)
    runner = web.ServerRunner(web.Server(service.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()


async def test_trial_e8_over_the_wire():
    """The same with sockets; how long it takes on this machine is for the benchmark to say."""
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


async def test_a_client_says_how_it_is(cos: aiocos.Client, cos_emulator: Emulator):
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


async def test_refusals_of_other_kinds_are_no_sign_of_a_crowd(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    cos_emulator.faults.script([Status(500, code="InternalError", operation="PutObject", times=2)])
    await cos.objects.put("bucket", "k", b"x")
    assert cos.concurrency.refusals == 0
    assert cos.concurrency.limit == 32


# -- the rule, step by step -------------------------------------------------------------------------------------------


def grow(width: LimitRule, answers: int, *, is_reached: bool = True, seconds: float | None = None) -> list[int]:
    """The width after each of so many answers."""
    values = []
    for _ in range(answers):
        width.on_success(is_reached=is_reached, seconds=seconds)
        values.append(width.limit)
    return values


def test_the_width_at_first_and_its_growth_by_one_with_every_answer():
    assert LimitRule(ConcurrencyConfig(), 256).limit == 32
    assert LimitRule(ConcurrencyConfig(initial=40), 16).limit == 16
    width = LimitRule(ConcurrencyConfig(initial=4), 8)
    assert (width.limit, width.ceiling, width.refusals) == (4, 8, 0)
    assert grow(width, 3, is_reached=False) == [4, 4, 4]
    assert grow(width, 6) == [5, 6, 7, 8, 8, 8]


def test_a_refusal_takes_the_width_to_what_is_in_flight():
    width = LimitRule(ConcurrencyConfig(initial=16), 16)
    width.on_throttle(0, 10, 5)
    assert (width.limit, width.ceiling, width.refusals) == (5, 8, 1)
    # A ticket of the same crowd: what the width was before is still 16.
    width.on_throttle(9, 20, 3)
    assert (width.limit, width.ceiling, width.refusals) == (3, 8, 2)
    # The next crowd, and more in flight than the width.
    width.on_throttle(10, 30, 100)
    assert (width.limit, width.ceiling, width.refusals) == (2, 2, 3)
    width.on_throttle(30, 40, 0)
    assert (width.limit, width.ceiling, width.refusals) == (1, 1, 4)
    width.on_throttle(40, 50, 0)
    assert (width.limit, width.ceiling) == (1, 1)


def test_beyond_the_ceiling_it_grows_after_ten_rounds_and_then_faster():
    width = LimitRule(ConcurrencyConfig(initial=16), 16)
    width.on_throttle(0, 1, 2)
    width.on_throttle(1, 2, 100)
    assert (width.limit, width.ceiling) == (1, 1)
    width.on_throttle(2, 3, 0)
    assert grow(width, 9) == [1] * 9
    assert grow(width, 20, is_reached=False) == [1] * 20, "answers that leave room say nothing"
    assert grow(width, 1) == [2]
    assert grow(width, 4) == [2, 2, 2, 4], "two rounds of two, and by two"
    assert grow(width, 8) == [4] * 7 + [8], "two rounds of four, and by four"
    assert grow(width, 16) == [8] * 15 + [16]
    assert grow(width, 1) == [16]


def test_a_refusal_makes_the_growth_begin_anew():
    width = LimitRule(ConcurrencyConfig(initial=16), 64)
    width.on_throttle(0, 1, 4)
    assert (width.limit, width.ceiling) == (4, 8)
    assert grow(width, 4) == [5, 6, 7, 8]
    assert grow(width, 80) == [8] * 79 + [9]
    assert grow(width, 17) == [9] * 17
    width.on_throttle(1, 2, 100)
    assert (width.limit, width.ceiling) == (8, 8)
    assert grow(width, 80) == [8] * 79 + [9]
    assert grow(width, 18) == [9] * 17 + [11]
    assert grow(width, 22) == [11] * 21 + [15]


def test_a_step_is_never_more_than_the_width():
    width = LimitRule(ConcurrencyConfig(initial=2), 1_000)
    width.on_throttle(0, 1, 1)
    assert (width.limit, width.ceiling) == (1, 1)
    grow(width, 10)
    assert (width.limit, width._step) == (2, 2)
    grow(width, 4)
    assert (width.limit, width._step) == (4, 4)
    grow(width, 8)
    assert (width.limit, width._step) == (8, 8)


def test_answers_that_take_much_longer_than_the_quickest_end_the_growth():
    """The average follows by a sixteenth of each answer; too long is twice the least and ten milliseconds."""
    width = LimitRule(ConcurrencyConfig(initial=4), 256)
    assert grow(width, 1, seconds=0.1) == [5]
    # 0.156, 0.209, 0.258: the last is more than 0.21.
    assert grow(width, 3, seconds=1.0) == [6, 7, 7]
    assert width.ceiling == 7
    # Nor does it grow by steps while they are slow, however many rounds there are; then it does at once.
    assert grow(width, 1_000, seconds=1.0) == [7] * 1_000
    assert grow(width, 100, seconds=0.1)[-1] > 7
    # Without a time there is nothing to compare.
    assert grow(LimitRule(ConcurrencyConfig(initial=4), 256), 3) == [5, 6, 7]


def test_the_least_time_is_looked_for_anew_every_500_answers():
    width = LimitRule(ConcurrencyConfig(initial=4), 4)
    grow(width, 1, is_reached=False, seconds=0.1)
    grow(width, 498, is_reached=False, seconds=5.0)
    assert (width._shortest, width._previous_shortest) == (0.1, float("inf"))
    grow(width, 1, is_reached=False, seconds=5.0)
    assert (width._shortest, width._previous_shortest) == (float("inf"), 0.1)
    grow(width, 499, is_reached=False, seconds=5.0)
    assert (width._shortest, width._previous_shortest) == (5.0, 0.1)
    grow(width, 1, is_reached=False, seconds=5.0)
    assert (width._shortest, width._previous_shortest) == (float("inf"), pytest.approx(0.105))


# -- the gate, place by place -----------------------------------------------------------------------------------------


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
