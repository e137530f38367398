"""A token that many callers share: fetched once, in time, for all of them.

A thousand calls may find the token expired in the same millisecond. Two obvious solutions fail:

* A lock, and a second check once it is held. If the token service is down, each of the thousand callers fetches in turn and
  waits for its own timeout, one after another.
* One task that all callers await. `await task` passes a cancellation on to the task, so one canceled caller cancels the
  thousand.

Here the task belongs to the `TokenSource`, and callers await `asyncio.shield(task)`. The task never raises: its result is the
token or the error. (asyncio would report a task that raises after its last caller has gone as "exception was never retrieved".)

A token goes through four ages::

    |--------- fresh ---------|-- aging --|-- due --|  expired
    issued               25 % left    17 % left     0

* Fresh: callers use it, without any `await`.
* Aging: callers use it, and one background task fetches the next token. Its start is spread over 4 % of the lifetime, so that
  processes that started together don't all fetch together.
* Due: callers wait some seconds for that task, and use the old token if it takes longer.
* Expired: callers wait for as long as the fetch takes.

25 % and 17 % are the thresholds of IBM's own SDKs.

If a refresh fails while the old token is still valid, this is logged once, and the next attempt waits. If there is no valid
token, all callers get the error, and so do those of the next second, without another fetch.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import time
import weakref
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import TypeAlias

from aiocos.errors import CosError, CredentialsError

log = logging.getLogger("aiocos.auth")

ADVISORY_REFRESH = 0.25
"""Fraction of the lifetime that is left when a refresh in the background starts."""

MANDATORY_REFRESH = 0.17
"""Fraction of the lifetime that is left when callers start to wait for the refresh."""

REFRESH_JITTER = 0.04
"""Fraction of the lifetime over which the start of the refresh is spread, after the advisory threshold."""

FAILURE_TTL = 1.0
"""Seconds for which a failed fetch is the result for all callers, without another fetch."""

REFRESH_RETRY_DELAY = 30.0
"""Seconds from a failed refresh to the next one while the old token is valid. At most a quarter of the time it has left."""

REFRESH_WAIT = 5.0
"""Seconds that callers wait for a refresh that is due before they use the old token."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and its ages, as times of the clock that its source reads."""

    value: str = field(repr=False)
    """The token itself."""
    expires_at: float
    """Time from which it must not be used."""
    refresh_at: float
    """Time from which a refresh runs in the background."""
    required_at: float
    """Time from which callers wait for the refresh."""

    @staticmethod
    def issued(value: str, lifetime: float, *, now: float, jitter: float = 0.0) -> Token:
        """Make a token.

        Args:
            value: The token itself.
            lifetime: Seconds from `now` until it expires.
            now: Time at which it was issued.
            jitter: Random number from 0 to 1 that delays its refresh, by up to `REFRESH_JITTER` of the lifetime.
        """
        expires = now + lifetime
        refresh = expires - lifetime * (ADVISORY_REFRESH - REFRESH_JITTER * jitter)
        return Token(value, expires, refresh, expires - lifetime * MANDATORY_REFRESH)


Fetch: TypeAlias = Callable[[], Awaitable[Token]]
"""A function that fetches a new token or raises `CredentialsError`, in limited time."""


class TokenSource:
    """The current token of one identity in one event loop.

    Callers pass their own `fetch`, and the first one that needs a token has its `fetch` called. The source doesn't keep it: the
    source outlives its clients, and would keep the first of them and its loop alive.

    Args:
        clock: Monotonic clock, in seconds, which the times of tokens refer to.
        failure_ttl: Seconds for which a failed fetch is the result for all callers.
        refresh_wait: Seconds that callers wait for a refresh that is due before they use the old token.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        failure_ttl: float = FAILURE_TTL,
        refresh_wait: float = REFRESH_WAIT,
    ) -> None:
        self._clock = clock
        self._failure_ttl = failure_ttl
        self._refresh_wait = refresh_wait
        self._token: Token | None = None
        self._task: asyncio.Task[Token | CredentialsError] | None = None
        self._started = 0.0
        self._failure: CredentialsError | None = None
        self._failed_at = 0.0
        # While the old token is valid: no refresh before this time.
        self._next_refresh = 0.0
        self._warned = False
        self._waiting = 0
        # Authorizers that use the source: the last one to close cancels a refresh that nobody needs.
        self.users: weakref.WeakSet[object] = weakref.WeakSet()

    def current(self, fetch: Fetch) -> str | None:
        """Return the token, or None if the caller has to await `token()`.

        Starts a refresh in the background if the token is aging.

        Args:
            fetch: Fetches a token, if a refresh is started.
        """
        token = self._token
        if token is None:
            return None
        now = self._clock()
        if now < token.refresh_at:
            return token.value
        if now >= token.expires_at:
            return None
        if self._running() is None:
            if now < self._next_refresh:
                return token.value
            self._start(fetch)
        if now < token.required_at or now - self._started >= self._refresh_wait:
            return token.value
        return None

    async def token(self, fetch: Fetch) -> str:
        """Return a token that is valid now.

        If the caller is canceled, the fetch and the other callers that wait for it go on. Raises `CredentialsError` if no token
        could be fetched.

        Args:
            fetch: Fetches a token, if a fetch is started.
        """
        while True:
            if (value := self.current(fetch)) is not None:
                return value
            task = self._running()
            if task is None:
                if self._failure is not None and self._clock() - self._failed_at < self._failure_ttl:
                    raise _copy_of(self._failure)
                task = self._start(fetch)
            old = self._token
            wait = self._refresh_wait if old is not None and self._clock() < old.expires_at else None
            outcome = await self._wait_for(task, wait)
            if isinstance(outcome, Token):
                return outcome.value
            if old is not None and old is self._token and self._clock() < old.expires_at:
                return old.value
            if outcome is not None:
                raise _copy_of(outcome)

    def invalidate(self, value: str) -> bool:
        """Forget the token if it has this value; True if it had.

        A newer token stays.
        """
        if self._token is None or self._token.value != value:
            return False
        self._token = None
        return True

    async def cancel_unused_refresh(self) -> None:
        """Cancel a refresh that no caller waits for. The token stays."""
        task = self._running()
        if task is None or self._waiting or task.get_loop() is not asyncio.get_running_loop():
            return
        task.cancel()
        await asyncio.wait({task})

    def _running(self) -> asyncio.Task[Token | CredentialsError] | None:
        return self._task if self._task is not None and not self._task.done() else None

    def _start(self, fetch: Fetch) -> asyncio.Task[Token | CredentialsError]:
        self._started = self._clock()
        # An empty context: the fetch is for all callers and belongs to no single caller's trace.
        task = asyncio.get_running_loop().create_task(self._run(fetch), name="aiocos token", context=Context())
        self._task = task
        task.add_done_callback(self._clear_task)
        return task

    def _clear_task(self, task: asyncio.Task[Token | CredentialsError]) -> None:
        # A finished task still refers to its loop, and the registry of sources must not keep a loop alive.
        if self._task is task:
            self._task = None

    async def _run(self, fetch: Fetch) -> Token | CredentialsError:
        try:
            token = await fetch()
            if not token.value or token.expires_at <= self._clock():
                raise CredentialsError("the fetched token is empty or has already expired")
        except CredentialsError as error:
            return self._failed(error)
        except Exception as error:
            # The message of a foreign exception may quote what was sent; those of this library never do.
            cause = error if isinstance(error, CosError) else type(error).__name__
            failure = CredentialsError(f"no token could be fetched: {cause}")
            failure.__cause__ = error
            return self._failed(failure)
        self._token, self._failure, self._next_refresh, self._warned = token, None, 0.0, False
        return token

    def _failed(self, error: CredentialsError) -> CredentialsError:
        now = self._clock()
        self._failure, self._failed_at = error, now
        if self._token is not None and now < self._token.expires_at:
            left = self._token.expires_at - now
            self._next_refresh = now + max(self._failure_ttl, min(REFRESH_RETRY_DELAY, left / 4))
            if not self._warned:
                self._warned = True
                log.warning("The token could not be refreshed; the old one is valid for another %.0f s: %s", left, error)
        return error

    async def _wait_for(
        self, task: asyncio.Task[Token | CredentialsError], timeout: float | None
    ) -> Token | CredentialsError | None:
        """Wait for the task and return its result.

        Returns None if the task still runs after `timeout` seconds or was canceled by other code.
        """
        self._waiting += 1
        try:
            if timeout is None:
                return await asyncio.shield(task)
            await asyncio.wait({task}, timeout=timeout)
            return task.result() if task.done() and not task.cancelled() else None
        except asyncio.CancelledError:
            # Either this caller was canceled, or the task was (by code that cancels all tasks of the loop).
            caller = asyncio.current_task()
            if not task.cancelled() or (caller is not None and caller.cancelling()):
                raise
            return None
        finally:
            self._waiting -= 1


def _copy_of(error: CredentialsError) -> CredentialsError:
    """Return a copy of an error for one caller.

    One object raised in a thousand places would collect a thousand tracebacks.
    """
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied
