"""One token for many callers: who fetches, who waits, who is told of a failure."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from aiocos.auth.tokens import Token, TokenSource
from aiocos.errors import ConfigError, CredentialsError

from .fakes import Clock, Issuer, fetches, settled

MANY = 1_000


@pytest.fixture
def source(clock: Clock) -> TokenSource:
    return TokenSource(clock=clock, refresh_wait=0.05)


async def test_a_fresh_token_is_had_without_waiting(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    assert source.current(issuer) is None
    assert await source.token(issuer) == "token-1"
    clock.now += 3_600 * 0.74
    assert source.current(issuer) == "token-1"
    assert not fetches()
    with pytest.raises(StopIteration) as stopped:
        source.token(issuer).send(None)  # runs to its end without ever giving control away
    assert stopped.value.value == "token-1"
    assert issuer.calls == 1


async def test_a_thousand_callers_on_an_expired_token_fetch_once(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    await source.token(issuer)
    clock.now += 3_600
    values = await asyncio.gather(*(source.token(issuer) for _ in range(MANY)))
    assert set(values) == {"token-2"}
    assert issuer.calls == 2


async def test_a_thousand_callers_share_one_failure_and_get_an_error_each(source: TokenSource, issuer: Issuer) -> None:
    issuer.error = CredentialsError("IAM is down", status=503, code="BXNIM0000E")
    issuer.error.__cause__ = OSError("refused")
    results = await asyncio.gather(*(source.token(issuer) for _ in range(MANY)), return_exceptions=True)
    assert issuer.calls == 1
    assert len({id(result) for result in results}) == MANY
    for result in results:
        assert isinstance(result, CredentialsError)
        assert (str(result), result.status, result.code) == ("IAM is down", 503, "BXNIM0000E")
        assert isinstance(result.__cause__, OSError)


async def test_one_cancelled_caller_cancels_nobody_else(source: TokenSource, issuer: Issuer) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(source.token(issuer)) for _ in range(MANY)]
    await settled()
    callers[0].cancel()  # the one whose call started the fetch
    await settled()
    issuer.gate.set()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == ["token-1"] * (MANY - 1)
    assert issuer.calls == 1


async def test_the_fetch_goes_on_when_every_caller_has_gone(source: TokenSource, issuer: Issuer) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(source.token(issuer)) for _ in range(3)]
    await settled()
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    issuer.gate.set()
    await settled()
    assert source.current(issuer) == "token-1"


async def test_a_failure_that_nobody_waits_for_is_not_reported_by_the_loop(source: TokenSource, issuer: Issuer) -> None:
    reports: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context))
    issuer.gate.clear()
    issuer.error = RuntimeError("a bug in fetch")
    caller = asyncio.create_task(source.token(issuer))
    await settled()
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    issuer.gate.set()
    await settled()
    del caller
    gc.collect()
    assert not reports
    with pytest.raises(CredentialsError, match="RuntimeError") as raised:
        await source.token(issuer)
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert "a bug in fetch" not in str(raised.value)


async def test_an_error_of_this_library_is_told_in_its_own_words(source: TokenSource, issuer: Issuer) -> None:
    issuer.error = ConfigError("the session given to the client is closed")
    with pytest.raises(CredentialsError, match="the session given to the client is closed"):
        await source.token(issuer)


async def test_a_cancelled_fetch_is_begun_again_for_those_who_wait(source: TokenSource, issuer: Issuer) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(source.token(issuer)) for _ in range(5)]
    await settled()
    fetches()[0].cancel()
    await settled()
    issuer.gate.set()
    assert await asyncio.gather(*callers) == ["token-2"] * 5


async def test_a_failure_stands_for_one_second(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    issuer.error = CredentialsError("no")
    for step, calls in ((0.0, 1), (0.5, 1), (0.49, 1), (0.02, 2)):
        clock.now += step
        with pytest.raises(CredentialsError, match="no"):
            await source.token(issuer)
        assert issuer.calls == calls
    remembered = await asyncio.gather(*(source.token(issuer) for _ in range(3)), return_exceptions=True)
    assert len({id(error) for error in remembered}) == 3
    issuer.error = None
    clock.now += 1.0
    assert await source.token(issuer) == "token-3"


async def test_an_ageing_token_serves_while_one_task_refreshes_it(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    await source.token(issuer)
    clock.now += 3_600 * 0.76
    issuer.gate.clear()
    assert [source.current(issuer) for _ in range(MANY)] == ["token-1"] * MANY
    await settled()
    assert issuer.calls == 2
    assert len(fetches()) == 1
    issuer.gate.set()
    await settled()
    assert source.current(issuer) == "token-2"


async def test_a_token_that_is_due_is_waited_for_a_while(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    await source.token(issuer)
    clock.now += 3_600 * 0.84
    assert source.current(issuer) is None
    assert await source.token(issuer) == "token-2"

    clock.now += 3_600 * 0.84
    issuer.gate.clear()
    assert await source.token(issuer) == "token-2", "patience is over and the old token lives"
    clock.now += 1.0
    assert source.current(issuer) == "token-2", "nobody waits again for this refresh"
    assert issuer.calls == 3
    issuer.gate.set()
    await settled()
    assert source.current(issuer) == "token-3"


async def test_a_refresh_that_fails_is_logged_once_and_not_tried_on_every_call(
    source: TokenSource, issuer: Issuer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await source.token(issuer)
    clock.now += 3_600 * 0.76
    issuer.error = CredentialsError("IAM is down")
    for _ in range(100):
        assert await source.token(issuer) == "token-1"
        await settled()
    assert issuer.calls == 2
    clock.now += 31
    for _ in range(100):
        assert await source.token(issuer) == "token-1"
        await settled()
    assert issuer.calls == 3
    clock.now += 3_600 * 0.09  # due by now: still the old token
    assert await source.token(issuer) == "token-1"
    assert issuer.calls == 4
    assert [record.name for record in caplog.records] == ["aiocos.auth"]
    assert "IAM is down" in caplog.text

    clock.now += 3_600 * 0.15
    with pytest.raises(CredentialsError, match="IAM is down"):
        await source.token(issuer)
    clock.now += 1.0
    issuer.error = None
    assert await source.token(issuer) == "token-6"
    clock.now += 3_600 * 0.76
    issuer.error = CredentialsError("down again")
    source.current(issuer)
    await settled()
    assert len(caplog.records) == 2, "a new outage is a new warning"


async def test_dropping_forgets_that_very_token_only(source: TokenSource, issuer: Issuer) -> None:
    await source.token(issuer)
    assert not source.invalidate("token-0")
    assert source.current(issuer) == "token-1"
    assert source.invalidate("token-1")
    assert source.current(issuer) is None
    assert await source.token(issuer) == "token-2"
    assert not source.invalidate("token-1")
    assert source.current(issuer) == "token-2"


async def test_a_token_dropped_while_it_is_refreshed_is_not_given_out_again(
    source: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    await source.token(issuer)
    clock.now += 3_600 * 0.84
    issuer.gate.clear()
    issuer.error = CredentialsError("no")
    caller = asyncio.create_task(source.token(issuer))
    await settled()
    source.invalidate("token-1")
    issuer.gate.set()
    with pytest.raises(CredentialsError):
        await caller


@pytest.mark.parametrize("lifetime", [0.0, -5.0])
async def test_a_token_that_has_expired_on_arrival_is_a_failure(source: TokenSource, clock: Clock, lifetime: float) -> None:
    with pytest.raises(CredentialsError, match="expired"):
        await source.token(Issuer(clock, lifetime))


def test_the_refresh_begins_between_the_thresholds() -> None:
    early, late = (Token.issued("t", 1_000.0, now=0.0, jitter=spread) for spread in (0.0, 1.0))
    assert early.refresh_at == pytest.approx(750)
    assert late.refresh_at == pytest.approx(790)
    assert early.required_at == late.required_at == pytest.approx(830)
    assert late.refresh_at < late.required_at
    assert "s3cr3t" not in repr(Token.issued("s3cr3t", 1.0, now=0.0))


async def test_a_fetch_that_others_cancelled_is_made_again_for_those_who_wait(source: TokenSource, issuer: Issuer) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(source.token(issuer)) for _ in range(3)]
    await settled()
    (fetch,) = fetches()
    fetch.cancel()
    await settled()
    issuer.gate.set()
    assert await asyncio.gather(*callers) == ["token-2"] * 3
    assert issuer.calls == 2


async def test_each_caller_has_a_failure_of_its_own(source: TokenSource, issuer: Issuer) -> None:
    """One object, raised in many places, would gather all their tracebacks."""
    issuer.error = CredentialsError("no", status=400, code="BXNIM0415E")
    failures = await asyncio.gather(*(source.token(issuer) for _ in range(3)), return_exceptions=True)
    with pytest.raises(CredentialsError) as remembered:
        await source.token(issuer)
    failures.append(remembered.value)
    assert len({id(failure) for failure in failures}) == 4
    assert {(str(failure), failure.status, failure.code) for failure in failures} == {("no", 400, "BXNIM0415E")}
    assert issuer.calls == 1


# The moments at which a token passes from one age to the next


def ageing(clock: Clock) -> Token:
    """Make a token whose ages begin at round times: ageing at 100, due at 200, expired at 300."""
    clock.now = 0.0
    return Token("old", 300.0, 100.0, 200.0)


async def test_ages_begin_at_their_moments(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    source._token = ageing(clock)
    issuer.gate.clear()
    clock.now = 99.9
    assert source.current(issuer) == "old"
    assert not fetches()
    clock.now = 100.0
    assert source.current(issuer) == "old"
    assert len(fetches()) == 1, "a refresh begins with the ageing"
    clock.now = 100.01
    assert source.current(issuer) == "old"
    source._started = clock.now = 200.0
    assert source.current(issuer) is None, "callers wait as soon as it is due"
    clock.now = 200.04
    assert source.current(issuer) is None
    clock.now = 200.05
    assert source.current(issuer) == "old", "patience has ended at this very moment"
    clock.now = 299.9
    assert source.current(issuer) == "old"
    clock.now = 300.0
    assert source.current(issuer) is None
    assert len(fetches()) == 1


async def test_just_before_it_is_due_nobody_waits(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    source._token = ageing(clock)
    clock.now = 199.9
    assert source.current(issuer) == "old"
    assert len(fetches()) == 1


async def test_patience_unless_said_otherwise(issuer: Issuer, clock: Clock) -> None:
    source = TokenSource(clock=clock)
    source._token = ageing(clock)
    issuer.gate.clear()
    clock.now = 200.0
    assert source.current(issuer) is None
    clock.now = 204.9
    assert source.current(issuer) is None
    clock.now = 205.0
    assert source.current(issuer) == "old"


@pytest.mark.parametrize(("left", "held"), [(200.0, 30.0), (120.0, 30.0), (100.0, 25.0), (8.0, 2.0), (4.0, 1.0), (1.5, 1.0)])
async def test_a_refresh_that_failed_is_held_off_for_less_where_little_is_left(
    source: TokenSource, issuer: Issuer, clock: Clock, left: float, held: float
) -> None:
    source._token = ageing(clock)
    issuer.error = CredentialsError("IAM is down")
    clock.now = failed = 300.0 - left
    assert await source.token(issuer) == "old"
    await settled()
    assert issuer.calls == 1
    clock.now = failed + held - 0.01
    assert await source.token(issuer) == "old"
    await settled()
    assert issuer.calls == 1
    clock.now = failed + held
    assert await source.token(issuer) == "old"
    await settled()
    assert issuer.calls == 2


async def test_a_failure_is_remembered_for_as_long_as_is_said(issuer: Issuer, clock: Clock) -> None:
    issuer.error = CredentialsError("no")
    for memory in (0.0, 1.0, 3.0):
        source = TokenSource(clock=clock, failure_ttl=memory)
        issuer.calls = 0
        with pytest.raises(CredentialsError, match="no"):
            await source.token(issuer)
        assert issuer.calls == 1, "who has waited is told, whatever is remembered"
        if memory:
            clock.now += memory - 0.01
            with pytest.raises(CredentialsError, match="no"):
                await source.token(issuer)
            assert issuer.calls == 1
            clock.now += 0.01
        with pytest.raises(CredentialsError, match="no"):
            await source.token(issuer)
        assert issuer.calls == 2


async def test_a_success_ends_what_was_remembered_of_failures(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    issuer.error = CredentialsError("no")
    with pytest.raises(CredentialsError):
        await source.token(issuer)
    issuer.error = None
    clock.now += 1.0
    assert await source.token(issuer) == "token-2"
    assert source.invalidate("token-2") is True
    assert source.invalidate("token-2") is False
    assert await source.token(issuer) == "token-3", "the failure of before is no reason to fail"


async def test_callers_of_an_expired_token_wait_for_longer_than_patience(
    source: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    source._token = ageing(clock)
    clock.now = 300.0
    issuer.gate.clear()
    caller = asyncio.create_task(source.token(issuer))
    await asyncio.sleep(0.1)  # twice the patience of this source
    assert not caller.done()
    issuer.gate.set()
    assert await caller == "token-1"


async def test_a_token_without_a_value_is_a_failure(source: TokenSource, clock: Clock) -> None:
    async def empty() -> Token:
        return Token.issued("", 3_600.0, now=clock())

    with pytest.raises(CredentialsError, match="empty or has already expired"):
        await source.token(empty)
    assert source.current(empty) is None


async def test_what_ran_to_its_end_is_not_kept(source: TokenSource, issuer: Issuer) -> None:
    """The registry of sources outlives loops, and a task that has ended refers to its loop."""
    await source.token(issuer)
    await settled()
    assert source._task is None
    assert source._waiting == 0


async def test_only_a_refresh_that_nobody_waits_for_is_stopped(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    await source.cancel_unused_refresh()
    source._token = ageing(clock)
    issuer.gate.clear()
    clock.now = 300.0
    caller = asyncio.create_task(source.token(issuer))
    await settled()
    await source.cancel_unused_refresh()
    assert len(fetches()) == 1
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await source.cancel_unused_refresh()
    assert not fetches()
    assert source._waiting == 0


def test_a_refresh_of_another_loop_is_left_alone(clock: Clock) -> None:
    source = TokenSource(clock=clock)
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        issuer = Issuer(clock)
        issuer.gate.clear()
        source._token = ageing(clock)
        clock.now = 150.0
        assert source.current(issuer) == "old"
        await settled()

    loop.run_until_complete(begin())
    asyncio.run(source.cancel_unused_refresh())
    (task,) = asyncio.all_tasks(loop)
    assert not task.cancelling()
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


async def test_the_error_of_a_fetch_keeps_what_is_known_of_it(source: TokenSource, issuer: Issuer) -> None:
    issuer.error = cause = ConfigError("no way to IAM")
    for _ in range(2):
        with pytest.raises(CredentialsError, match="no token could be fetched: no way to IAM") as raised:
            await source.token(issuer)
        assert raised.value.__cause__ is cause


async def test_a_caller_that_is_cancelled_while_the_token_is_due_ends(issuer: Issuer, clock: Clock) -> None:
    source = TokenSource(clock=clock)
    source._token = ageing(clock)
    clock.now = 200.0
    issuer.gate.clear()
    caller = asyncio.create_task(source.token(issuer))
    await settled()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert len(fetches()) == 1, "and the refresh goes on"
    issuer.gate.set()
    await settled()
    assert source.current(issuer) == "token-1"


async def test_a_due_refresh_that_others_cancel_leaves_the_old_token(issuer: Issuer, clock: Clock) -> None:
    source = TokenSource(clock=clock)
    source._token = ageing(clock)
    clock.now = 200.0
    issuer.gate.clear()
    caller = asyncio.create_task(source.token(issuer))
    await settled()
    fetches()[0].cancel()
    assert await caller == "old"
