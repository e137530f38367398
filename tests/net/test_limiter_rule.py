"""The rule that sets the limit, in virtual time and step by step."""

import heapq
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aiocos
from aiocos.config import ConcurrencyConfig, RetryConfig
from aiocos.net.limiter import LimitRule
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
    """A service that accepts `capacity(now)` calls at once, each for `service` seconds, and refuses others in `refusal`."""

    calls: int
    together: int
    capacity: object
    service: float = 0.05
    refusal: float = 0.001
    sent: int = 0
    failed: int = 0
    time: float = 0.0
    limits: list[tuple[float, int]] = field(default_factory=list)

    def go(self, seed: int = 1) -> "Run":
        chance = random.Random(seed)
        rule, config = LimitRule(ConcurrencyConfig(), 256), RetryConfig()
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
            while waiting and in_flight < rule.limit:
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
                rule.on_success(is_reached=in_flight >= rule.limit, seconds=self.service)
                another()
            else:
                rule.on_throttle(event.ticket, tickets + 1, in_flight - 1)
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
            self.limits.append((now, rule.limit))
        self.time = now
        return self


@pytest.mark.parametrize("seed", range(5))
def test_limit_of_8_in_virtual_time(seed: int):
    """400 calls, 100 at once, 8 accepted for 50 ms each: none fails, few are sent twice, and little time is lost."""
    run = Run(400, 100, lambda now: 8).go(seed)
    assert run.failed == 0
    assert run.sent <= 1.2 * 400
    assert run.time <= 1.3 * 2.5


@pytest.mark.parametrize(("capacity", "calls"), [(1, 60), (2, 120), (8, 2_000), (32, 4_000), (100, 8_000), (255, 20_000)])
def test_other_limits(capacity: int, calls: int):
    run = Run(calls, 300, lambda now: capacity).go()
    ideal = calls / capacity * run.service
    assert run.failed == 0
    # Finding the limit costs the first refusals once.
    assert run.sent <= 1.05 * calls + 64
    assert run.time <= 1.2 * ideal + 1


def test_unlimited_service_is_used_fully():
    run = Run(20_000, 300, lambda now: 1_000).go()
    assert run.sent == 20_000
    # It takes three round trips from 32 to 256.
    assert next(at for at, width in run.limits if width == 256) < 4 * run.service


def test_growing_service_is_used_within_seconds():
    run = Run(20_000, 300, lambda now: 8 if now < 10 else 200).go()
    assert run.failed == 0
    assert next(at for at, width in run.limits if width >= 180) < 10 + 6


def test_shrinking_service_is_not_overloaded():
    run = Run(6_000, 300, lambda now: 200 if now < 1 else 8).go()
    assert run.failed <= 6_000 * 0.001
    assert run.sent <= 1.2 * 6_000
    assert [width for at, width in run.limits if 3 < at < 10][-1] <= 10


def test_limit_recovers_after_an_outage():
    """While all requests are refused the limit is 1; after that it doubles up to half of the old limit."""
    run = Run(10_000, 300, lambda now: 0 if 1 < now < 2 else 100).go()
    assert min(width for at, width in run.limits if 1 < at < 2) == 1
    assert next(at for at, width in run.limits if at > 2 and width >= 40) < 2 + 3


def test_growing_queue_stops_the_doubling():
    """A service that queues requests: twice as many at once take twice as long."""
    rule = LimitRule(ConcurrencyConfig(), 256)
    for _ in range(2_000):
        rule.on_success(is_reached=True, seconds=0.010 * rule.limit / 8)
    # The careful growth is stopped by slow responses as well.
    assert rule.limit < 100
    quick = LimitRule(ConcurrencyConfig(), 256)
    for _ in range(2_000):
        quick.on_success(is_reached=True, seconds=0.00005 * quick.limit)
    assert quick.limit == 256, "milliseconds of a near machine are not a queue"


def test_unreached_limit_is_not_raised():
    rule = LimitRule(ConcurrencyConfig(), 256)
    for _ in range(10_000):
        rule.on_success(is_reached=False, seconds=0.01)
    assert rule.limit == 32


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 300), st.booleans()), max_size=300))
def test_limit_stays_within_bounds(responses: list[tuple[bool, int, bool]]):
    rule = LimitRule(ConcurrencyConfig(), 100)
    for ticket, (refused, in_flight, is_reached) in enumerate(responses):
        if refused:
            before = rule.limit
            rule.on_throttle(ticket, ticket + 1, in_flight)
            assert rule.limit <= max(1, before - 1)
        else:
            rule.on_success(is_reached=is_reached, seconds=None)
        assert 1 <= rule.limit <= 100


# -- the rule, step by step -------------------------------------------------------------------------------------------


def grow(rule: LimitRule, responses: int, *, is_reached: bool = True, seconds: float | None = None) -> list[int]:
    """Return the limit after each of so many responses."""
    values = []
    for _ in range(responses):
        rule.on_success(is_reached=is_reached, seconds=seconds)
        values.append(rule.limit)
    return values


def test_first_limit_and_growth_by_one():
    assert LimitRule(ConcurrencyConfig(), 256).limit == 32
    assert LimitRule(ConcurrencyConfig(initial=40), 16).limit == 16
    rule = LimitRule(ConcurrencyConfig(initial=4), 8)
    assert (rule.limit, rule.ceiling, rule.refusals) == (4, 8, 0)
    assert grow(rule, 3, is_reached=False) == [4, 4, 4]
    assert grow(rule, 6) == [5, 6, 7, 8, 8, 8]


def test_refusal_lowers_the_limit_to_what_is_in_flight():
    rule = LimitRule(ConcurrencyConfig(initial=16), 16)
    rule.on_throttle(0, 10, 5)
    assert (rule.limit, rule.ceiling, rule.refusals) == (5, 8, 1)
    # A ticket from before the refusal: the limit before is still 16.
    rule.on_throttle(9, 20, 3)
    assert (rule.limit, rule.ceiling, rule.refusals) == (3, 8, 2)
    # A ticket from after it, and more in flight than the limit.
    rule.on_throttle(10, 30, 100)
    assert (rule.limit, rule.ceiling, rule.refusals) == (2, 2, 3)
    rule.on_throttle(30, 40, 0)
    assert (rule.limit, rule.ceiling, rule.refusals) == (1, 1, 4)
    rule.on_throttle(40, 50, 0)
    assert (rule.limit, rule.ceiling) == (1, 1)


def test_growth_above_the_ceiling():
    rule = LimitRule(ConcurrencyConfig(initial=16), 16)
    rule.on_throttle(0, 1, 2)
    rule.on_throttle(1, 2, 100)
    assert (rule.limit, rule.ceiling) == (1, 1)
    rule.on_throttle(2, 3, 0)
    assert grow(rule, 9) == [1] * 9
    assert grow(rule, 20, is_reached=False) == [1] * 20, "responses below the limit do not count"
    assert grow(rule, 1) == [2]
    assert grow(rule, 4) == [2, 2, 2, 4], "two rounds of two, and by two"
    assert grow(rule, 8) == [4] * 7 + [8], "two rounds of four, and by four"
    assert grow(rule, 16) == [8] * 15 + [16]
    assert grow(rule, 1) == [16]


def test_refusal_restarts_the_growth():
    rule = LimitRule(ConcurrencyConfig(initial=16), 64)
    rule.on_throttle(0, 1, 4)
    assert (rule.limit, rule.ceiling) == (4, 8)
    assert grow(rule, 4) == [5, 6, 7, 8]
    assert grow(rule, 80) == [8] * 79 + [9]
    assert grow(rule, 17) == [9] * 17
    rule.on_throttle(1, 2, 100)
    assert (rule.limit, rule.ceiling) == (8, 8)
    assert grow(rule, 80) == [8] * 79 + [9]
    assert grow(rule, 18) == [9] * 17 + [11]
    assert grow(rule, 22) == [11] * 21 + [15]


def test_step_is_at_most_the_limit():
    rule = LimitRule(ConcurrencyConfig(initial=2), 1_000)
    rule.on_throttle(0, 1, 1)
    assert (rule.limit, rule.ceiling) == (1, 1)
    grow(rule, 10)
    assert (rule.limit, rule._step) == (2, 2)
    grow(rule, 4)
    assert (rule.limit, rule._step) == (4, 4)
    grow(rule, 8)
    assert (rule.limit, rule._step) == (8, 8)


def test_slow_responses_stop_the_growth():
    """The average moves by a sixteenth per response; slow is twice the shortest time plus ten milliseconds."""
    rule = LimitRule(ConcurrencyConfig(initial=4), 256)
    assert grow(rule, 1, seconds=0.1) == [5]
    # The averages are 0.156, 0.209 and 0.258; the last is above 0.21.
    assert grow(rule, 3, seconds=1.0) == [6, 7, 7]
    assert rule.ceiling == 7
    # While responses are slow the limit does not rise at all; then it does at once.
    assert grow(rule, 1_000, seconds=1.0) == [7] * 1_000
    assert grow(rule, 100, seconds=0.1)[-1] > 7
    # Without times there is nothing to compare.
    assert grow(LimitRule(ConcurrencyConfig(initial=4), 256), 3) == [5, 6, 7]


def test_shortest_time_is_measured_anew_every_500_responses():
    rule = LimitRule(ConcurrencyConfig(initial=4), 4)
    grow(rule, 1, is_reached=False, seconds=0.1)
    grow(rule, 498, is_reached=False, seconds=5.0)
    assert (rule._shortest, rule._previous_shortest) == (0.1, float("inf"))
    grow(rule, 1, is_reached=False, seconds=5.0)
    assert (rule._shortest, rule._previous_shortest) == (float("inf"), 0.1)
    grow(rule, 499, is_reached=False, seconds=5.0)
    assert (rule._shortest, rule._previous_shortest) == (5.0, 0.1)
    grow(rule, 1, is_reached=False, seconds=5.0)
    assert (rule._shortest, rule._previous_shortest) == (float("inf"), pytest.approx(0.105))
