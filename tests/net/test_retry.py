"""The rule, the budget and the loop of retries."""

import asyncio

import pytest

from aiocos.config import RetryConfig
from aiocos.errors import (
    AccessDenied,
    BadDigest,
    ConfigError,
    Conflict,
    ConnectFailed,
    CosError,
    CredentialsError,
    IncompleteBody,
    IntegrityError,
    Interrupted,
    NoSuchKey,
    PreconditionFailed,
    ProtocolError,
    Throttled,
    TimedOut,
    Unavailable,
)
from aiocos.net import retry
from aiocos.net.retry import RetryBudget, decide, persist

CONFIG = RetryConfig(attempts=5, base=0.1, cap=2.0)
YES, NO = True, False


@pytest.mark.parametrize(
    ("error", "repeatable", "attempt", "again"),
    [
        (ConnectFailed("x", sent=False), NO, 1, YES),
        (ConnectFailed("x", sent=False), YES, 4, YES),
        (ConnectFailed("x", sent=False), YES, 5, NO),
        (TimedOut("x", sent=False), NO, 1, YES),
        (TimedOut("x", sent=True), NO, 1, NO),
        (TimedOut("x", sent=True), YES, 1, YES),
        (Interrupted("x", sent=True), NO, 1, NO),
        (Interrupted("x", sent=True), YES, 1, YES),
        (Throttled(status=503, code="SlowDown"), NO, 1, YES),
        (Throttled(status=429), NO, 1, YES),
        (Unavailable(status=503, code="ServiceUnavailable"), NO, 1, YES),
        (Unavailable(status=500, code="InternalError"), NO, 1, NO),
        (Unavailable(status=500, code="InternalError"), YES, 1, YES),
        (Unavailable(status=502), YES, 1, YES),
        (IncompleteBody(status=400, code="RequestTimeout"), NO, 1, YES),
        (BadDigest(status=400, code="BadDigest"), YES, 1, YES),
        (BadDigest(status=400, code="BadDigest"), YES, 2, NO),
        (BadDigest(status=400, code="InvalidDigest"), YES, 1, NO),
        (Conflict(status=409, code="OperationAborted"), YES, 1, YES),
        (Conflict(status=409, code="BucketAlreadyExists"), YES, 1, NO),
        (ProtocolError("x"), YES, 1, YES),
        (ProtocolError("x"), NO, 1, NO),
        (IntegrityError("x"), YES, 1, YES),
        (AccessDenied(status=403), YES, 1, NO),
        (NoSuchKey(status=404), YES, 1, NO),
        (PreconditionFailed(status=412), YES, 1, NO),
        (CredentialsError("x"), YES, 1, NO),
        (ConfigError("x"), YES, 1, NO),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'code', '')}" if isinstance(value, CosError) else str(value),
)
def test_the_rule(error: CosError, repeatable: bool, attempt: int, again: bool):
    delay = decide(error, attempt=attempt, repeatable=repeatable, config=CONFIG, draw=0.5)
    assert (delay is not None) is again


def test_waits_grow_up_to_the_cap_and_are_drawn_below_that():
    error = Unavailable(status=503)
    longest = [
        decide(error, attempt=n, repeatable=True, config=RetryConfig(attempts=9, base=0.1, cap=2.0), draw=0.999999)
        for n in range(1, 9)
    ]
    assert [round(d or 0, 2) for d in longest] == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0]
    assert decide(error, attempt=3, repeatable=True, config=CONFIG, draw=0.0) == 0.0


def test_a_connection_closed_under_a_request_is_replaced_at_once():
    assert decide(Interrupted("x", sent=True), attempt=1, repeatable=True, config=CONFIG, draw=0.9) == 0.0
    assert decide(Interrupted("x", sent=True), attempt=2, repeatable=True, config=CONFIG, draw=0.9) > 0.0


def test_the_service_is_given_the_time_it_asks_for_unless_that_is_absurd():
    assert decide(Throttled(status=503, retry_after=7), attempt=1, repeatable=True, config=CONFIG, draw=0.5) == 7
    assert decide(Throttled(status=503, retry_after=100_000), attempt=1, repeatable=True, config=CONFIG, draw=0.5) is None


def test_the_budget_is_spent_by_retries_and_refilled_by_successes():
    budget = RetryBudget(RetryConfig(budget=10, retry_cost=5, refund=2))
    assert budget.take()
    assert budget.take()
    assert not budget.take()
    for _ in range(3):
        budget.refund()
    assert budget.take()
    assert not budget.take()
    for _ in range(100):
        budget.refund()
    assert budget.left == 10


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def pause(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(retry, "pause", pause)
    return slept


async def test_it_tries_until_it_succeeds_and_gives_the_last_error_otherwise(pauses: list[float]):
    errors = [Unavailable(status=500), Interrupted("x", sent=True)]

    async def once() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    assert await persist(once, config=CONFIG, budget=RetryBudget(CONFIG), repeatable=True) == "done"
    assert len(pauses) == 2

    async def never() -> str:
        raise Unavailable("no", status=500)

    with pytest.raises(Unavailable) as caught:
        await persist(never, config=CONFIG, budget=RetryBudget(CONFIG), repeatable=True)
    assert caught.value.attempts == 5
    assert "after 5 attempts" in str(caught.value)


async def test_an_empty_budget_ends_it(pauses: list[float]):
    config = RetryConfig(attempts=5, budget=5, retry_cost=5)
    calls = 0

    async def never() -> str:
        nonlocal calls
        calls += 1
        raise Unavailable(status=503)

    with pytest.raises(Unavailable):
        await persist(never, config=config, budget=RetryBudget(config), repeatable=True)
    assert calls == 2


async def test_no_wait_goes_beyond_the_deadline(pauses: list[float]):
    async def never() -> str:
        raise Throttled(status=503, retry_after=10)

    deadline = asyncio.get_running_loop().time() + 5
    with pytest.raises(Throttled):
        await persist(never, config=CONFIG, budget=RetryBudget(CONFIG), repeatable=True, deadline=deadline)
    assert pauses == []


async def test_an_exception_that_is_not_ours_passes_through(pauses: list[float]):
    async def broken() -> str:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await persist(broken, config=CONFIG, budget=RetryBudget(CONFIG), repeatable=True)
    assert pauses == []
