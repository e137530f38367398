"""Second requests for reads that take long."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aiocos
from aiocos.config import ConcurrencyConfig, HedgeConfig
from aiocos.emulator import Delay, Emulator, Reset, Status
from aiocos.errors import ConfigError, ConnectionLostError, NoSuchKey
from aiocos.groups import engine_of
from aiocos.net.hedge import Hedge
from aiocos.net.limiter import AdaptiveLimiter

HEDGED = aiocos.ClientConfig(
    hedge=aiocos.HedgeConfig(quantile=0.9, min_delay=0.05, max_fraction=0.05), retry=aiocos.RetryConfig(base=0.01, cap=0.02)
)


@pytest.fixture
async def hedged(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client that has recorded enough response times."""
    async with cos_emulator.client(config=HEDGED) as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "k", b"data")
        for _ in range(40):
            await cos.objects.head("bucket", "k")
        cos_emulator.requests.clear()
        yield cos


def count(emulator: Emulator, operation: str) -> int:
    return sum(served.operation == operation for served in emulator.requests)


@pytest.mark.parametrize("what", ["read", "head"])
async def test_late_response_is_requested_again(hedged: aiocos.Client, cos_emulator: Emulator, what: str):
    cos_emulator.faults.script([Delay(30, operation={"read": "GetObject", "head": "HeadObject"}[what])])
    async with asyncio.timeout(15):
        if what == "read":
            assert await hedged.objects.read("bucket", "k") == b"data"
        else:
            assert (await hedged.objects.head("bucket", "k")).size == 4
    assert hedged.concurrency.in_flight == 0


async def test_writes_are_never_sent_twice(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(0.5, operation="PutObject")])
    await hedged.objects.put("bucket", "k", b"other")
    assert count(cos_emulator, "PutObject") == 1


async def test_second_requests_are_a_fraction(hedged: aiocos.Client, cos_emulator: Emulator):
    """If all responses are slow, most requests are not sent twice."""
    cos_emulator.faults.script([Delay(0.2, operation="HeadObject", times=None)])
    await asyncio.gather(*(hedged.objects.head("bucket", "k") for _ in range(30)))
    # One second request is allowed at first; 40 responses have added two, and 30 more one and a half.
    assert 30 < count(cos_emulator, "HeadObject") <= 35


async def test_no_second_request_after_a_refusal(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([
        Status(503, code="SlowDown", operation="HeadObject"), Delay(0.4, operation="HeadObject", times=1),
    ])  # fmt: skip
    await hedged.objects.head("bucket", "k")
    assert count(cos_emulator, "HeadObject") == 2, "the refused request and its retry"


async def test_error_of_one_request_waits_for_the_other(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(0.4, operation="HeadObject"), Reset(operation="HeadObject", nth=1)])
    info = await hedged.objects.head("bucket", "k")
    assert info.size == 4


async def test_error_response_wins(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="GetObject")])
    async with asyncio.timeout(15):
        with pytest.raises(NoSuchKey):
            await hedged.objects.read("bucket", "missing")


async def test_cancel_ends_both_requests(hedged: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="HeadObject", times=None)])
    task = asyncio.create_task(hedged.objects.head("bucket", "k"))
    async with asyncio.timeout(15):
        while count(cos_emulator, "HeadObject") < 2 and len(cos_emulator.faults.hits) < 2:
            await asyncio.sleep(0.01)
    before = len(asyncio.all_tasks())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hedged.concurrency.in_flight == 0
    assert len(asyncio.all_tasks()) < before


def test_invalid_settings_are_refused():
    for wrong in ({"quantile": 1.0}, {"quantile": 0.0}, {"max_fraction": 0.0}, {"min_delay": -1.0}):
        with pytest.raises(ConfigError):
            aiocos.HedgeConfig(**wrong)


# -- no response is left open -----------------------------------------------------------------------------------------


class Closeable:
    """A response that has begun."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@given(
    begins=st.tuples(st.integers(0, 8), st.integers(0, 8)),
    fails=st.tuples(st.booleans(), st.booleans()),
    cancelled_after=st.none() | st.integers(0, 12),
    again_after=st.none() | st.integers(0, 3),
    lingers=st.integers(0, 4),
    stubborn=st.booleans(),
)
def test_every_response_is_returned_or_closed(
    begins: tuple[int, int],
    fails: tuple[bool, bool],
    cancelled_after: int | None,
    again_after: int | None,
    lingers: int,
    stubborn: bool,
):
    """A hedged read may be cancelled at any step, once or twice, and the losing request may take long to end."""
    opened: list[Closeable] = []
    calls = 0

    async def send() -> Closeable:
        nonlocal calls
        number, calls = calls, calls + 1
        try:
            await _turns(begins[number])
        except asyncio.CancelledError:
            await _turns(lingers)
            if not stubborn:
                raise
        if fails[number]:
            raise ConnectionLostError("broken", sent=True)
        opened.append(Closeable())
        return opened[-1]

    async def play() -> None:
        hedge, limiter = Hedge(HedgeConfig(min_delay=0, max_fraction=1)), AdaptiveLimiter(ConcurrencyConfig(), 8)
        for _ in range(20):
            hedge._record(0.0)
        task = asyncio.ensure_future(hedge.first_response(send, limiter))
        if cancelled_after is not None:
            await _turns(cancelled_after)
            task.cancel()
            if again_after is not None:
                await _turns(again_after)
                task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(10):
            while asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.sleep(0)
        await _turns(2)
        given = [outcome] if isinstance(outcome, Closeable) else []
        assert [one for one in opened if not one.closed] == given

    asyncio.run(play())


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("method", ["read", "head"])
async def test_cancelled_hedged_read_leaves_no_connection(hedged: aiocos.Client, cos_emulator: Emulator, method: str):
    state = engine_of(hedged)._transport._state()
    for turns in range(0, 60, 3):
        cos_emulator.faults.script([Delay(0.05, times=2)])
        task = asyncio.create_task(getattr(hedged.objects, method)("bucket", "k"))
        await _turns(turns)
        if turns % 2:
            await asyncio.sleep(0.06)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(10):
            while state.connector._acquired:
                await asyncio.sleep(0)
        assert hedged.concurrency.in_flight == 0


# -- the rule ---------------------------------------------------------------------------------------------------------


def test_delay_is_a_quantile_of_recent_times():
    hedge = Hedge(HedgeConfig(quantile=0.5, min_delay=0.0))
    assert hedge.delay() is None
    for number in reversed(range(19)):
        hedge._record(float(number))
    assert hedge.delay() is None, "too few samples"
    hedge._record(19.0)
    assert hedge.delay() == 9.0
    assert Hedge(HedgeConfig()).delay() is None
    for quantile, least, wait in ((0.95, 0.0, 18.0), (0.9, 0.0, 17.0), (0.05, 0.5, 0.5), (0.05, 0.0, 0.0)):
        hedge._config = HedgeConfig(quantile=quantile, min_delay=least)
        assert hedge.delay() == wait


def test_last_two_hundred_times_are_kept():
    hedge = Hedge(HedgeConfig(quantile=0.999, min_delay=0.0))
    hedge._record(1_000.0)
    hedge._record(7.0)
    for number in range(198):
        hedge._record(float(number % 5))
    assert (len(hedge._recent), len(hedge._sorted)) == (200, 200)
    assert hedge._sorted[-1] == 1_000.0
    hedge._record(1.0)
    assert (len(hedge._recent), len(hedge._sorted)) == (200, 200)
    assert hedge._sorted[-1] == 7.0
    hedge._record(1.0)
    assert hedge._sorted[-1] == 4.0
    assert sorted(hedge._recent) == hedge._sorted


async def test_allowance_for_second_requests():
    limiter, hedge = AdaptiveLimiter(ConcurrencyConfig(), 8), Hedge(HedgeConfig(max_fraction=0.25))
    assert hedge._is_allowed(limiter), "one is allowed at first"
    assert not hedge._is_allowed(limiter)

    async def send() -> Closeable:
        return Closeable()

    for allowed in (0.25, 0.5, 0.75):
        await hedge.first_response(send, limiter)
        assert hedge._allowance == allowed
        assert not hedge._is_allowed(limiter)
    await hedge.first_response(send, limiter)
    assert hedge._is_allowed(limiter)
    assert hedge._allowance == 0
    for _ in range(100):
        await hedge.first_response(send, limiter)
    assert hedge._allowance == 10, "at most ten"
    assert hedge.second_requests == 0


async def test_refusal_forbids_one_second_request():
    limiter, hedge = AdaptiveLimiter(ConcurrencyConfig(), 8), Hedge(HedgeConfig())
    hedge._allowance = 5.0
    limiter.on_response(await limiter.acquire(large=False), 503, {}, since=None)
    assert not hedge._is_allowed(limiter)
    assert hedge._allowance == 5.0
    assert hedge._is_allowed(limiter), "only one"
    assert hedge._allowance == 4.0


async def test_response_times_are_recorded():
    limiter, hedge = AdaptiveLimiter(ConcurrencyConfig(), 8), Hedge(HedgeConfig(min_delay=0.0))
    for _ in range(20):
        hedge._record(0.0)
    loop, sent = asyncio.get_running_loop(), 0

    async def send() -> Closeable:
        nonlocal sent
        sent += 1
        await asyncio.sleep(0.02)
        return Closeable()

    began = loop.time()
    response = await hedge.first_response(send, limiter)
    assert not response.closed
    assert (sent, hedge.second_requests, len(hedge._recent)) == (2, 1, 21)
    assert 0.01 <= hedge._recent[-1] <= loop.time() - began
    fresh = Hedge(HedgeConfig())
    await fresh.first_response(send, limiter)
    assert (sent, fresh.second_requests, len(fresh._recent)) == (3, 0, 1)
    assert fresh._recent[0] >= 0.01


@pytest.mark.parametrize("late", [True, False])
async def test_last_error_is_raised_if_both_fail(late: bool):
    limiter, hedge = AdaptiveLimiter(ConcurrencyConfig(), 8), Hedge(HedgeConfig(min_delay=0.0 if late else 60.0))
    for _ in range(20):
        hedge._record(0.0)
    gates = [asyncio.Event(), asyncio.Event()]
    calls = 0

    async def send() -> Closeable:
        nonlocal calls
        number, calls = calls, calls + 1
        await gates[number].wait()
        raise ConnectionLostError(f"number {number}", sent=True)

    task = asyncio.ensure_future(hedge.first_response(send, limiter))
    if late:
        async with asyncio.timeout(30):
            while calls < 2:
                await asyncio.sleep(0)
        gates[1].set()
        await _turns(5)
        assert not task.done()
    gates[0].set()
    with pytest.raises(ConnectionLostError, match="number 0"):
        await task
    assert calls == (2 if late else 1)
    assert len(hedge._recent) == 20
