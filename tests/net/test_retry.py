"""The rule, the budget and the loop of retries."""

import asyncio
import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.net.raw_server import serving

import aiocos
from aiocos.config import RetryConfig
from aiocos.errors import (
    AccessDenied,
    BadDigest,
    ConfigError,
    Conflict,
    ConnectError,
    ConnectionLostError,
    CosError,
    CredentialsError,
    IncompleteBody,
    IntegrityError,
    NoSuchKey,
    PreconditionFailed,
    ProtocolError,
    RequestTimeoutError,
    ServiceError,
    Throttled,
    Unavailable,
)
from aiocos.net import retry
from aiocos.net.retry import MAX_RETRY_AFTER, RetryBudget, retry_call, retry_delay
from aiocos.wire.retry_after import retry_after

CONFIG = RetryConfig(attempts=5, base=0.1, cap=2.0)
YES, NO = True, False


@pytest.mark.parametrize(
    ("error", "repeatable", "attempt", "again"),
    [
        (ConnectError("x", sent=False), NO, 1, YES),
        (ConnectError("x", sent=False), YES, 4, YES),
        (ConnectError("x", sent=False), YES, 5, NO),
        (RequestTimeoutError("x", sent=False), NO, 1, YES),
        (RequestTimeoutError("x", sent=True), NO, 1, NO),
        (RequestTimeoutError("x", sent=True), YES, 1, YES),
        (ConnectionLostError("x", sent=True), NO, 1, NO),
        (ConnectionLostError("x", sent=True), YES, 1, YES),
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
def test_retry_delay_table(error: CosError, repeatable: bool, attempt: int, again: bool):
    delay = retry_delay(error, attempt=attempt, idempotent=repeatable, config=CONFIG, draw=0.5)
    assert (delay is not None) is again


def test_delays_grow_up_to_the_cap():
    error = Unavailable(status=503)
    longest = [
        retry_delay(error, attempt=n, idempotent=True, config=RetryConfig(attempts=9, base=0.1, cap=2.0), draw=0.999999)
        for n in range(1, 9)
    ]
    assert [round(d or 0, 2) for d in longest] == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0]
    assert retry_delay(error, attempt=3, idempotent=True, config=CONFIG, draw=0.0) == 0.0


def test_lost_connection_is_retried_at_once():
    assert retry_delay(ConnectionLostError("x", sent=True), attempt=1, idempotent=True, config=CONFIG, draw=0.9) == 0.0
    assert retry_delay(ConnectionLostError("x", sent=True), attempt=2, idempotent=True, config=CONFIG, draw=0.9) > 0.0


def test_retry_after_is_honored_up_to_its_maximum():
    assert retry_delay(Throttled(status=503, retry_after=7), attempt=1, idempotent=True, config=CONFIG, draw=0.5) == 7
    assert retry_delay(Throttled(status=503, retry_after=100_000), attempt=1, idempotent=True, config=CONFIG, draw=0.5) is None


def test_budget_take_and_refund():
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


async def test_retries_until_success_or_last_error(pauses: list[float]):
    errors = [Unavailable(status=500), ConnectionLostError("x", sent=True)]

    async def once() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    assert await retry_call(once, config=CONFIG, budget=RetryBudget(CONFIG), idempotent=True) == "done"
    assert len(pauses) == 2

    async def never() -> str:
        raise Unavailable("no", status=500)

    with pytest.raises(Unavailable) as caught:
        await retry_call(never, config=CONFIG, budget=RetryBudget(CONFIG), idempotent=True)
    assert caught.value.attempts == 5
    assert "after 5 attempts" in str(caught.value)


async def test_empty_budget_stops_retries(pauses: list[float]):
    config = RetryConfig(attempts=5, budget=5, retry_cost=5)
    calls = 0

    async def never() -> str:
        nonlocal calls
        calls += 1
        raise Unavailable(status=503)

    with pytest.raises(Unavailable):
        await retry_call(never, config=config, budget=RetryBudget(config), idempotent=True)
    assert calls == 2


async def test_no_wait_past_the_deadline(pauses: list[float]):
    async def never() -> str:
        raise Throttled(status=503, retry_after=10)

    deadline = asyncio.get_running_loop().time() + 5
    with pytest.raises(Throttled):
        await retry_call(never, config=CONFIG, budget=RetryBudget(CONFIG), idempotent=True, deadline=deadline)
    assert pauses == []


async def test_other_exceptions_are_not_retried(pauses: list[float]):
    async def broken() -> str:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await retry_call(broken, config=CONFIG, budget=RetryBudget(CONFIG), idempotent=True)
    assert pauses == []


# -- Retry-After ------------------------------------------------------------------------------------------------------

FAR = formatdate(time.time() + 86_400, usegmt=True)


class Asking:
    """Refuses the first requests for an object, and accepts all others."""

    def __init__(self, status: int, code: str, headers: dict[str, str], times: int) -> None:
        self.status, self.headers, self.times = status, headers, times
        self.body = f"<Error><Code>{code}</Code></Error>".encode()
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"PUT /bucket/key"):
                await reader.readexactly(4)
                self.asked += 1
            if head.startswith(b"PUT /bucket/key") and self.asked <= self.times:
                lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
                writer.write(
                    f"HTTP/1.1 {self.status} No\r\nContent-Length: {len(self.body)}\r\n{lines}\r\n".encode() + self.body
                )
            else:
                writer.write(b'HTTP/1.1 200 OK\r\nETag: "8d777f385d3dfec8815d20f7496026dc"\r\nContent-Length: 0\r\n\r\n')
            await writer.drain()


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(("status", "code"), [(429, "SlowDown"), (503, "ServiceUnavailable"), (400, "IncompleteBody")])
@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "1e9"},
        {"Retry-After": "inf"},
        {"Retry-After": "301"},
        {"retry-after": "9" * 400},
        {"Retry-After": FAR},
        {"Retry-After": FAR, "Date": formatdate(time.time(), usegmt=True)},
    ],
)
async def test_long_retry_after_is_raised_at_once(status: int, code: str, headers: dict[str, str]):
    service = Asking(status, code, headers, 1)
    config = aiocos.ClientConfig(retry=RetryConfig(base=0.001))
    async with serving(service.serve) as origin, aiocos.Client(origin, credentials=aiocos.Anonymous(), config=config) as cos:
        async with asyncio.timeout(10):
            with pytest.raises(ServiceError) as caught:
                await cos.objects.put("bucket", "key", b"data")
            assert caught.value.retry_after is not None
            assert caught.value.retry_after > MAX_RETRY_AFTER
            assert (caught.value.attempts, service.asked) == (1, 1)
            assert cos.concurrency.paused_for == 0
            # Other calls do not wait, and neither does the next one for this object.
            await cos.objects.head("bucket", "other")
            await cos.objects.put("bucket", "key", b"data")


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(("status", "code"), [(429, "SlowDown"), (503, "ServiceUnavailable"), (400, "IncompleteBody")])
@pytest.mark.parametrize("value", ["nan", "-1", "-inf", "-1e9", "soon", "", "Mon, 01 Jan 2001 00:00:00 GMT", "0", "1_000_000"])
async def test_unreadable_retry_after_is_ignored(status: int, code: str, value: str):
    service = Asking(status, code, {"Retry-After": value}, 2)
    config = aiocos.ClientConfig(retry=RetryConfig(base=0.001))
    async with serving(service.serve) as origin, aiocos.Client(origin, credentials=aiocos.Anonymous(), config=config) as cos:
        async with asyncio.timeout(10):
            await cos.objects.put("bucket", "key", b"data")
    assert service.asked == 3


@given(st.one_of(st.text(max_size=30), st.floats().map(str), st.integers().map(str), st.datetimes().map(str)))
def test_any_retry_after_gives_a_valid_delay(text: str):
    found = retry_after({"Retry-After": text}, now=1e9)
    assert found is None or found >= 0
    delay = retry_delay(Throttled(status=429, retry_after=found), attempt=1, idempotent=True, config=RetryConfig(), draw=0.5)
    assert delay is None or 0 <= delay <= MAX_RETRY_AFTER


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "delay"), [(0.0, 0.1), (0.05, 0.1), (0.2, 0.2), (300.0, 300.0), (300.1, None)])
def test_retry_after_is_at_least_the_backoff(asked: float, delay: float | None):
    error = Throttled(status=503, retry_after=asked)
    assert retry_delay(error, attempt=1, idempotent=True, config=RetryConfig(), draw=0.5) == delay


@pytest.mark.parametrize(("attempts", "attempt", "again"), [(1, 1, NO), (2, 1, YES), (2, 2, NO), (5, 4, YES), (5, 5, NO)])
def test_the_number_of_attempts(attempts: int, attempt: int, again: bool):
    delay = retry_delay(
        Unavailable(status=500), attempt=attempt, idempotent=True, config=RetryConfig(attempts=attempts), draw=0.5
    )
    assert (delay is not None) is again


def test_delays_double_from_twice_the_base():
    config = RetryConfig(attempts=100, cap=1e30)
    waits = [
        retry_delay(Unavailable(status=500), attempt=n, idempotent=True, config=config, draw=1.0) for n in (1, 2, 3, 64, 65, 99)
    ]
    assert waits == [0.2, 0.4, 0.8, 0.1 * 2.0**64, 0.1 * 2.0**64, 0.1 * 2.0**64]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_only_503_is_retried_for_non_idempotent_requests(status: int):
    again = retry_delay(Unavailable(status=status), attempt=1, idempotent=False, config=RetryConfig(), draw=0.5)
    assert (again is not None) is (status == 503)


@pytest.mark.parametrize("code", ["BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"])
@pytest.mark.parametrize("repeatable", [YES, NO])
def test_bad_digest_is_retried_once(code: str, repeatable: bool):
    again = [
        retry_delay(BadDigest(status=400, code=code), attempt=n, idempotent=repeatable, config=RetryConfig(), draw=0.5)
        is not None
        for n in (1, 2)
    ]
    assert again == [code == "BadDigest", False]


def test_budget_is_spent_completely():
    budget = RetryBudget(RetryConfig(budget=10, retry_cost=5, refund=3))
    assert budget.left == 10
    budget.refund()
    assert budget.left == 10
    assert [budget.take() for _ in range(3)] == [True, True, False]
    assert budget.left == 0
    for left in (3, 6, 9, 10, 10):
        budget.refund()
        assert budget.left == left


async def test_on_retry_arguments(pauses: list[float], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("aiocos.net.retry.random.random", lambda: 0.5)
    config = RetryConfig(budget=10, retry_cost=5, refund=1)
    budget, told = RetryBudget(config), list[tuple[CosError, int, float]]()
    errors: list[CosError] = [Unavailable(status=500), RequestTimeoutError("x", sent=True), ProtocolError("x")]
    given = list(errors)

    async def once() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    with pytest.raises(ProtocolError):
        await retry_call(
            once, config=config, budget=budget, idempotent=True, on_retry=lambda *more: told.append(more), first_error=None
        )
    # The third attempt finds the budget empty.
    assert told == [(given[0], 1, 0.1), (given[1], 2, 0.2)]
    assert pauses == [0.1, 0.2]
    assert [getattr(error, "attempts", None) for error in given] == [1, 2, None]
    assert budget.left == 0
    assert await retry_call(once, config=config, budget=budget, idempotent=True) == "done"
    assert budget.left == 1


async def test_first_error_counts_as_an_attempt(pauses: list[float]):
    config = RetryConfig(attempts=2)
    calls = 0

    async def once() -> str:
        nonlocal calls
        calls += 1
        raise Unavailable(status=500)

    failed = Unavailable(status=502)
    with pytest.raises(Unavailable) as caught:
        await retry_call(once, config=config, budget=RetryBudget(config), idempotent=True, first_error=failed)
    assert (calls, len(pauses)) == (1, 1)
    assert (failed.attempts, caught.value.attempts, caught.value.status) == (1, 2, 500)


@pytest.mark.parametrize(("left", "tried"), [(7.0, False), (6.99, False), (7.01, True)])
async def test_retry_begins_before_the_deadline(pauses: list[float], monkeypatch: pytest.MonkeyPatch, left: float, tried: bool):
    class Loop:
        def time(self) -> float:
            return 100.0

    errors = [Throttled(status=503, retry_after=7.0)]

    async def once() -> str:
        if errors:
            raise errors.pop()
        return "done"

    monkeypatch.setattr(retry, "asyncio", SimpleNamespace(get_running_loop=Loop))
    budget = RetryBudget(RetryConfig())
    work = retry_call(once, config=RetryConfig(), budget=budget, idempotent=True, deadline=100.0 + left)
    if tried:
        assert await work == "done"
        assert pauses == [7.0]
    else:
        with pytest.raises(Throttled):
            await work
        assert (pauses, budget.left) == ([], 500.0)


async def test_pause_sleeps():
    loop = asyncio.get_running_loop()
    began = loop.time()
    await retry.pause(0.05)
    assert loop.time() - began >= 0.04


def test_delay_after_thousands_of_attempts():
    config = RetryConfig(attempts=100_000)
    assert retry_delay(Unavailable(status=500), attempt=50_000, idempotent=True, config=config, draw=0.5) == config.cap / 2


async def test_retry_past_the_deadline_costs_no_budget():
    config = RetryConfig()
    budget = RetryBudget(config)

    async def failing() -> None:
        raise Unavailable(status=503, retry_after=60)

    with pytest.raises(Unavailable):
        await retry_call(failing, config=config, budget=budget, idempotent=True, deadline=asyncio.get_running_loop().time() + 1)
    assert budget.left == config.budget
