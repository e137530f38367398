"""Token sources: one fetch for many callers, the ages of a token, and cancellation."""

from __future__ import annotations

import asyncio

import pytest

from aiocos.auth.tokens import Token, TokenSource
from aiocos.errors import CredentialsError

from .fakes import Clock, Issuer, fetches, run_pending_tasks

MANY = 1_000


@pytest.fixture
def source(clock: Clock) -> TokenSource:
    return TokenSource(clock=clock, refresh_wait=0.05)


def aging_token(clock: Clock) -> Token:
    """Make a token whose ages begin at round times: aging at 100, due at 200, expired at 300."""
    clock.now = 0.0
    return Token("old", 300.0, 100.0, 200.0)


async def test_fresh_token_is_returned_without_waiting(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    assert source.current(issuer) is None
    assert await source.token(issuer) == "token-1"
    clock.now += 3_600 * 0.74
    assert source.current(issuer) == "token-1"
    assert not fetches()
    with pytest.raises(StopIteration) as stopped:
        source.token(issuer).send(None)  # runs to its end without yielding to the loop
    assert stopped.value.value == "token-1"
    assert issuer.calls == 1


async def test_thousand_callers_of_an_expired_token_share_one_fetch(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    await source.token(issuer)
    clock.now += 3_600
    values = await asyncio.gather(*(source.token(issuer) for _ in range(MANY)))
    assert set(values) == {"token-2"}
    assert issuer.calls == 2


async def test_canceled_caller_does_not_cancel_the_others(source: TokenSource, issuer: Issuer) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(source.token(issuer)) for _ in range(MANY)]
    await run_pending_tasks()
    callers[0].cancel()  # the one whose call started the fetch
    await run_pending_tasks()
    issuer.gate.set()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == ["token-1"] * (MANY - 1)
    assert issuer.calls == 1


async def test_fetch_goes_on_without_callers(source: TokenSource, issuer: Issuer) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(source.token(issuer)) for _ in range(3)]
    await run_pending_tasks()
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    issuer.gate.set()
    await run_pending_tasks()
    assert source.current(issuer) == "token-1"


async def test_canceled_fetch_is_repeated_for_waiting_callers(source: TokenSource, issuer: Issuer) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(source.token(issuer)) for _ in range(5)]
    await run_pending_tasks()
    fetches()[0].cancel()
    await run_pending_tasks()
    issuer.gate.set()
    assert await asyncio.gather(*callers) == ["token-2"] * 5


async def test_aging_token_is_used_while_one_task_refreshes_it(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    await source.token(issuer)
    clock.now += 3_600 * 0.76
    issuer.gate.clear()
    assert [source.current(issuer) for _ in range(MANY)] == ["token-1"] * MANY
    await run_pending_tasks()
    assert issuer.calls == 2
    assert len(fetches()) == 1
    issuer.gate.set()
    await run_pending_tasks()
    assert source.current(issuer) == "token-2"


async def test_callers_of_a_due_token_wait_for_some_time(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    await source.token(issuer)
    clock.now += 3_600 * 0.84
    assert source.current(issuer) is None
    assert await source.token(issuer) == "token-2"

    clock.now += 3_600 * 0.84
    issuer.gate.clear()
    assert await source.token(issuer) == "token-2", "the wait is over and the old token is still valid"
    clock.now += 1.0
    assert source.current(issuer) == "token-2", "no caller waits for this refresh again"
    assert issuer.calls == 3
    issuer.gate.set()
    await run_pending_tasks()
    assert source.current(issuer) == "token-3"


async def test_invalidate_forgets_only_the_given_token(source: TokenSource, issuer: Issuer) -> None:
    await source.token(issuer)
    assert not source.invalidate("token-0")
    assert source.current(issuer) == "token-1"
    assert source.invalidate("token-1")
    assert source.current(issuer) is None
    assert await source.token(issuer) == "token-2"
    assert not source.invalidate("token-1")
    assert source.current(issuer) == "token-2"


async def test_token_invalidated_during_its_refresh_is_not_used_again(
    source: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    await source.token(issuer)
    clock.now += 3_600 * 0.84
    issuer.gate.clear()
    issuer.error = CredentialsError("no")
    caller = asyncio.create_task(source.token(issuer))
    await run_pending_tasks()
    source.invalidate("token-1")
    issuer.gate.set()
    with pytest.raises(CredentialsError):
        await caller


def test_times_of_a_token() -> None:
    early, late = (Token.issued("t", 1_000.0, now=0.0, jitter=spread) for spread in (0.0, 1.0))
    assert early.refresh_at == pytest.approx(750)
    assert late.refresh_at == pytest.approx(790)
    assert early.required_at == late.required_at == pytest.approx(830)
    assert late.refresh_at < late.required_at
    assert "s3cr3t" not in repr(Token.issued("s3cr3t", 1.0, now=0.0))


async def test_canceled_fetch_is_repeated_once(source: TokenSource, issuer: Issuer) -> None:
    issuer.gate.clear()
    callers = [asyncio.create_task(source.token(issuer)) for _ in range(3)]
    await run_pending_tasks()
    (fetch,) = fetches()
    fetch.cancel()
    await run_pending_tasks()
    issuer.gate.set()
    assert await asyncio.gather(*callers) == ["token-2"] * 3
    assert issuer.calls == 2


async def test_ages_begin_exactly_at_their_times(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    source._token = aging_token(clock)
    issuer.gate.clear()
    clock.now = 99.9
    assert source.current(issuer) == "old"
    assert not fetches()
    clock.now = 100.0
    assert source.current(issuer) == "old"
    assert len(fetches()) == 1, "a refresh starts as soon as the token is aging"
    clock.now = 100.01
    assert source.current(issuer) == "old"
    source._started = clock.now = 200.0
    assert source.current(issuer) is None, "callers wait as soon as it is due"
    clock.now = 200.04
    assert source.current(issuer) is None
    clock.now = 200.05
    assert source.current(issuer) == "old", "the wait ends exactly now"
    clock.now = 299.9
    assert source.current(issuer) == "old"
    clock.now = 300.0
    assert source.current(issuer) is None
    assert len(fetches()) == 1


async def test_no_wait_just_before_a_token_is_due(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    source._token = aging_token(clock)
    clock.now = 199.9
    assert source.current(issuer) == "old"
    assert len(fetches()) == 1


async def test_default_refresh_wait(issuer: Issuer, clock: Clock) -> None:
    source = TokenSource(clock=clock)
    source._token = aging_token(clock)
    issuer.gate.clear()
    clock.now = 200.0
    assert source.current(issuer) is None
    clock.now = 204.9
    assert source.current(issuer) is None
    clock.now = 205.0
    assert source.current(issuer) == "old"


async def test_callers_of_an_expired_token_wait_longer_than_refresh_wait(
    source: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    source._token = aging_token(clock)
    clock.now = 300.0
    issuer.gate.clear()
    caller = asyncio.create_task(source.token(issuer))
    await asyncio.sleep(0.1)  # twice the refresh_wait of this source
    assert not caller.done()
    issuer.gate.set()
    assert await caller == "token-1"


async def test_finished_task_is_not_kept(source: TokenSource, issuer: Issuer) -> None:
    """The registry of sources outlives loops, and a finished task refers to its loop."""
    await source.token(issuer)
    await run_pending_tasks()
    assert source._task is None
    assert source._waiting == 0


async def test_only_an_unused_refresh_is_canceled(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    await source.cancel_unused_refresh()
    source._token = aging_token(clock)
    issuer.gate.clear()
    clock.now = 300.0
    caller = asyncio.create_task(source.token(issuer))
    await run_pending_tasks()
    await source.cancel_unused_refresh()
    assert len(fetches()) == 1
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await source.cancel_unused_refresh()
    assert not fetches()
    assert source._waiting == 0


def test_refresh_of_another_loop_is_not_canceled(clock: Clock) -> None:
    source = TokenSource(clock=clock)
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        issuer = Issuer(clock)
        issuer.gate.clear()
        source._token = aging_token(clock)
        clock.now = 150.0
        assert source.current(issuer) == "old"
        await run_pending_tasks()

    loop.run_until_complete(begin())
    asyncio.run(source.cancel_unused_refresh())
    (task,) = asyncio.all_tasks(loop)
    assert not task.cancelling()
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


async def test_caller_of_a_due_token_can_be_canceled(issuer: Issuer, clock: Clock) -> None:
    source = TokenSource(clock=clock)
    source._token = aging_token(clock)
    clock.now = 200.0
    issuer.gate.clear()
    caller = asyncio.create_task(source.token(issuer))
    await run_pending_tasks()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert len(fetches()) == 1, "the refresh goes on"
    issuer.gate.set()
    await run_pending_tasks()
    assert source.current(issuer) == "token-1"


async def test_old_token_stays_if_a_due_refresh_is_canceled(issuer: Issuer, clock: Clock) -> None:
    source = TokenSource(clock=clock)
    source._token = aging_token(clock)
    clock.now = 200.0
    issuer.gate.clear()
    caller = asyncio.create_task(source.token(issuer))
    await run_pending_tasks()
    fetches()[0].cancel()
    assert await caller == "old"
