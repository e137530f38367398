"""Shared tokens: one for all clients of an identity in an event loop."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref

import pytest

from aiocos.auth import bearer
from aiocos.auth.bearer import TokenAuthorizer, source_for
from aiocos.auth.tokens import TokenSource
from aiocos.errors import ConfigError

from .fakes import Clock, Issuer, fetches, outgoing, run_pending_tasks


async def test_source_for_returns_one_source_for_each_identity() -> None:
    assert source_for(("k", 1)) is source_for(("k", 1))
    assert source_for(("k", 1)) is not source_for(("k", 2))


def test_each_loop_has_its_own_token_and_is_not_kept_alive() -> None:
    clock = Clock()
    authorizers: list[TokenAuthorizer] = []
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def use() -> str:
        issuer = Issuer(clock)
        authorizer = authorizers[0] if authorizers else TokenAuthorizer("two loops", lambda: issuer())
        authorizers.append(authorizer)
        loops.append(weakref.ref(asyncio.get_running_loop()))
        request = outgoing()
        await authorizer.authorize(request)
        return request.headers["Authorization"]

    clock.now = time.monotonic()
    first = asyncio.run(use())
    second = asyncio.run(use())
    assert first == "Bearer token-1"
    assert second == "Bearer token-2", "the same authorizer fetched again, in the second loop"
    gc.collect()
    assert [ref() for ref in loops] == [None, None]


def test_loop_closed_during_a_fetch_is_not_kept_alive() -> None:
    clock = Clock()

    async def begin() -> asyncio.Task[str]:
        issuer = Issuer(clock)
        issuer.gate.clear()
        task = asyncio.ensure_future(source_for("stuck").token(issuer))
        await run_pending_tasks()
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin())
    pending = asyncio.all_tasks(loop)
    loop.close()
    for left in pending:
        left._log_destroy_pending = False  # type: ignore[attr-defined]
    del task, left, pending
    gone = weakref.ref(loop)
    del loop

    async def other() -> None:
        source_for("other")

    asyncio.run(other())
    gc.collect()
    assert gone() is None


async def test_unused_sources_are_kept_up_to_a_limit() -> None:
    first = weakref.ref(source_for("first"))
    gc.collect()
    assert first() is not None
    for number in range(bearer.MAX_UNUSED_SOURCES):
        source_for(number)
    gc.collect()
    assert first() is None


async def test_rejected_token_is_replaced(clock: Clock) -> None:
    issuer = Issuer(clock)
    clock.now = time.monotonic()
    one, two = TokenAuthorizer("drop", issuer), TokenAuthorizer("drop", issuer)
    old, new = outgoing(), outgoing()
    await one.authorize(old)
    assert old.headers == {"Authorization": "Bearer token-1"}
    assert one.rejected(old, 401)
    await two.authorize(new)
    assert new.headers == {"Authorization": "Bearer token-2"}
    assert one.rejected(old, 401), "another client has invalidated it: a second attempt has the new token"
    await one.authorize(old)
    assert old.headers == {"Authorization": "Bearer token-2"}
    assert issuer.calls == 2


async def test_token_is_not_sent_over_plain_http(clock: Clock) -> None:
    issuer = Issuer(clock)
    clock.now = time.monotonic()
    authorizer = TokenAuthorizer("plain", issuer)
    request = outgoing("http://s3.test")
    with pytest.raises(ConfigError, match="plain http"):
        await authorizer.authorize(request)
    assert not request.headers
    assert issuer.calls == 0
    for loopback in ("http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"):
        await authorizer.authorize(outgoing(loopback))


async def test_last_client_to_close_cancels_an_unused_refresh(
    clock: Clock, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bearer, "TokenSource", lambda: TokenSource(clock=clock))
    one, two = TokenAuthorizer("close", issuer), TokenAuthorizer("close", issuer)
    await one.authorize(outgoing())
    await two.authorize(outgoing())
    clock.now += 3_600 * 0.76
    issuer.gate.clear()
    await one.authorize(outgoing())
    assert len(fetches()) == 1
    await one.close()
    assert len(fetches()) == 1, "the other client still uses it"
    await two.close()
    assert not fetches()

    request = outgoing()
    await one.authorize(request)
    assert request.headers["Authorization"] == "Bearer token-1", "a closed client can be used again, and the token stayed"
    clock.now += 3_600
    caller = asyncio.create_task(two.authorize(request))
    await run_pending_tasks()
    running = fetches()
    await one.close()
    await two.close()
    assert fetches() == running, "a caller waits for this refresh"
    assert len(running) == 1
    issuer.gate.set()
    await caller
    assert request.headers["Authorization"] == f"Bearer token-{issuer.calls}"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic token-1", "token-1", "bearer token-1"])
async def test_other_authorization_headers_invalidate_nothing(clock: Clock, issuer: Issuer, header: str) -> None:
    clock.now = time.monotonic()
    authorizer = TokenAuthorizer(("kind", header), issuer)
    await authorizer.authorize(outgoing())
    assert authorizer.rejected(outgoing(**({"Authorization": header} if header else {})), 401) is False
    request = outgoing()
    await authorizer.authorize(request)
    assert request.headers["Authorization"] == "Bearer token-1"
    assert authorizer.rejected(request, 403) is False
    await authorizer.authorize(request)
    assert issuer.calls == 1


async def test_rejected_without_a_source(clock: Clock, issuer: Issuer) -> None:
    clock.now = time.monotonic()
    request = outgoing(Authorization="Bearer token-1")
    authorizer = TokenAuthorizer("no source", issuer)
    assert authorizer.rejected(request, 401) is False
    assert authorizer.secrets() == ()
    await authorizer.close()
    await authorizer.authorize(outgoing())
    await authorizer.close()
    assert authorizer.rejected(request, 401) is False


async def test_client_used_after_close_is_a_user_again(clock: Clock, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bearer, "TokenSource", lambda: TokenSource(clock=clock))
    one, two = TokenAuthorizer("again", issuer), TokenAuthorizer("again", issuer)
    await one.authorize(outgoing())
    await one.close()
    await one.authorize(outgoing())
    await two.authorize(outgoing())
    source = source_for("again")
    assert set(source.users) == {one, two}
    await two.close()
    assert set(source.users) == {one}
