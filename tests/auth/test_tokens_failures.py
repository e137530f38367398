"""Failed token fetches: who gets the error, and when the next fetch is made."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from aiocos.auth.tokens import Token, TokenSource
from aiocos.errors import ConfigError, CredentialsError

from .fakes import Clock, Issuer, run_pending_tasks

MANY = 1_000


@pytest.fixture
def source(clock: Clock) -> TokenSource:
    return TokenSource(clock=clock, refresh_wait=0.05)


def aging_token(clock: Clock) -> Token:
    """Make a token whose ages begin at round times: aging at 100, due at 200, expired at 300."""
    clock.now = 0.0
    return Token("old", 300.0, 100.0, 200.0)


async def test_thousand_callers_share_one_failure_and_get_an_error_each(source: TokenSource, issuer: Issuer) -> None:
    issuer.error = CredentialsError("IAM is down", status=503, code="BXNIM0000E")
    issuer.error.__cause__ = OSError("refused")
    results = await asyncio.gather(*(source.token(issuer) for _ in range(MANY)), return_exceptions=True)
    assert issuer.calls == 1
    assert len({id(result) for result in results}) == MANY
    for result in results:
        assert isinstance(result, CredentialsError)
        assert (str(result), result.status, result.code) == ("IAM is down", 503, "BXNIM0000E")
        assert isinstance(result.__cause__, OSError)


async def test_failure_without_callers_is_not_reported_by_the_loop(source: TokenSource, issuer: Issuer) -> None:
    reports: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context))
    issuer.gate.clear()
    issuer.error = RuntimeError("a bug in fetch")
    caller = asyncio.create_task(source.token(issuer))
    await run_pending_tasks()
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    issuer.gate.set()
    await run_pending_tasks()
    del caller
    gc.collect()
    assert not reports
    with pytest.raises(CredentialsError, match="RuntimeError") as raised:
        await source.token(issuer)
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert "a bug in fetch" not in str(raised.value)


async def test_message_of_an_error_of_this_library_is_kept(source: TokenSource, issuer: Issuer) -> None:
    issuer.error = ConfigError("the session given to the client is closed")
    with pytest.raises(CredentialsError, match="the session given to the client is closed"):
        await source.token(issuer)


async def test_failure_is_cached_for_one_second(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
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


async def test_failed_refresh_is_logged_once_and_not_retried_on_every_call(
    source: TokenSource, issuer: Issuer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await source.token(issuer)
    clock.now += 3_600 * 0.76
    issuer.error = CredentialsError("IAM is down")
    for _ in range(100):
        assert await source.token(issuer) == "token-1"
        await run_pending_tasks()
    assert issuer.calls == 2
    clock.now += 31
    for _ in range(100):
        assert await source.token(issuer) == "token-1"
        await run_pending_tasks()
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
    await run_pending_tasks()
    assert len(caplog.records) == 2, "a new outage is logged again"


@pytest.mark.parametrize("lifetime", [0.0, -5.0])
async def test_token_that_is_already_expired_is_a_failure(source: TokenSource, clock: Clock, lifetime: float) -> None:
    with pytest.raises(CredentialsError, match="expired"):
        await source.token(Issuer(clock, lifetime))


async def test_each_caller_gets_its_own_copy_of_the_error(source: TokenSource, issuer: Issuer) -> None:
    """One object raised in many places would collect all their tracebacks."""
    issuer.error = CredentialsError("no", status=400, code="BXNIM0415E")
    failures = await asyncio.gather(*(source.token(issuer) for _ in range(3)), return_exceptions=True)
    with pytest.raises(CredentialsError) as remembered:
        await source.token(issuer)
    failures.append(remembered.value)
    assert len({id(failure) for failure in failures}) == 4
    assert {(str(failure), failure.status, failure.code) for failure in failures} == {("no", 400, "BXNIM0415E")}
    assert issuer.calls == 1


@pytest.mark.parametrize(("left", "held"), [(200.0, 30.0), (120.0, 30.0), (100.0, 25.0), (8.0, 2.0), (4.0, 1.0), (1.5, 1.0)])
async def test_delay_after_a_failed_refresh(
    source: TokenSource, issuer: Issuer, clock: Clock, left: float, held: float
) -> None:
    source._token = aging_token(clock)
    issuer.error = CredentialsError("IAM is down")
    clock.now = failed = 300.0 - left
    assert await source.token(issuer) == "old"
    await run_pending_tasks()
    assert issuer.calls == 1
    clock.now = failed + held - 0.01
    assert await source.token(issuer) == "old"
    await run_pending_tasks()
    assert issuer.calls == 1
    clock.now = failed + held
    assert await source.token(issuer) == "old"
    await run_pending_tasks()
    assert issuer.calls == 2


async def test_failure_ttl(issuer: Issuer, clock: Clock) -> None:
    issuer.error = CredentialsError("no")
    for ttl in (0.0, 1.0, 3.0):
        source = TokenSource(clock=clock, failure_ttl=ttl)
        issuer.calls = 0
        with pytest.raises(CredentialsError, match="no"):
            await source.token(issuer)
        assert issuer.calls == 1, "a caller that has waited gets the error, whatever the ttl"
        if ttl:
            clock.now += ttl - 0.01
            with pytest.raises(CredentialsError, match="no"):
                await source.token(issuer)
            assert issuer.calls == 1
            clock.now += 0.01
        with pytest.raises(CredentialsError, match="no"):
            await source.token(issuer)
        assert issuer.calls == 2


async def test_success_clears_a_cached_failure(source: TokenSource, issuer: Issuer, clock: Clock) -> None:
    issuer.error = CredentialsError("no")
    with pytest.raises(CredentialsError):
        await source.token(issuer)
    issuer.error = None
    clock.now += 1.0
    assert await source.token(issuer) == "token-2"
    assert source.invalidate("token-2") is True
    assert source.invalidate("token-2") is False
    assert await source.token(issuer) == "token-3", "the failure of before is no reason to fail"


async def test_empty_token_is_a_failure(source: TokenSource, clock: Clock) -> None:
    async def empty() -> Token:
        return Token.issued("", 3_600.0, now=clock())

    with pytest.raises(CredentialsError, match="empty or has already expired"):
        await source.token(empty)
    assert source.current(empty) is None


async def test_error_keeps_message_and_cause(source: TokenSource, issuer: Issuer) -> None:
    issuer.error = cause = ConfigError("no way to IAM")
    for _ in range(2):
        with pytest.raises(CredentialsError, match="no token could be fetched: no way to IAM") as raised:
            await source.token(issuer)
        assert raised.value.__cause__ is cause
