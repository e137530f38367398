"""A token that many callers share: fetched once, early, and for everybody.

A thousand calls may find the token expired in the same millisecond. Two plain ways go wrong:

* A lock, and a second look once it is held: when the issuer is down, each of the thousand tries in turn and waits out its own
  time limit, one after another.
* One task that all await: `await task` hands a cancel on to the task, so one impatient caller cancels the thousand.

Here the task belongs to the `TokenSource`, callers wait on `asyncio.shield(task)`, and the task never fails: its result is the
token or the error. (A task that raises is reported as "exception was never retrieved" when its last caller has gone.)

A token passes through four ages::

    |--------- fresh ---------|-- ageing --|-- due --|  expired
    issued              25 % left      17 % left     0

Fresh: it is used, with no `await` at all. Ageing: it is used, and one background task fetches the next; the start is spread
over some per cent of the lifetime, so that a fleet started together does not ask together. Due: callers wait for that task a
few seconds and then use the old token after all. Expired: callers wait for as long as it takes. The two thresholds are those of
IBM's own SDKs.

A failure while the old token lives is logged once and not repeated on every call; a failure without a token is handed to
all callers, and to those of the next second too. No caller is ever told to go on without a token.
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

ADVISORY = 0.25
MANDATORY = 0.17
# The refresh begins somewhere in this fraction of the lifetime after the advisory threshold.
SPREAD = 0.04
# Seconds for which a failure stands for all callers.
MEMORY = 1.0
# Seconds between refreshes that fail while the old token still lives (less where it lives not much longer).
HOLD_OFF = 30.0
# Seconds that callers wait for a refresh that is due, before they use the old token.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and its ages, in seconds of the clock that its source reads."""

    value: str = field(repr=False)
    expires_at: float
    # From here on a refresh runs in the background …
    refresh_at: float
    # … and from here on callers wait for it.
    required_at: float

    @staticmethod
    def lasting(value: str, seconds: float, *, now: float, spread: float = 0.0) -> Token:
        """Make a token issued at `now` for `seconds`; `spread` (0 to 1) delays its refresh within the small window for that."""
        expires = now + seconds
        return Token(value, expires, expires - seconds * (ADVISORY - SPREAD * spread), expires - seconds * MANDATORY)


Fetch: TypeAlias = Callable[[], Awaitable[Token]]
"""Gets a new token or raises `CredentialsError`. Bounds its own time."""


class TokenSource:
    """The current token of one identity in one event loop.

    Callers bring their own `fetch`, and the one who finds the token missing has theirs called: a source outlives its clients,
    and a kept `fetch` would keep the first of them, and its loop, alive.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, memory: float = MEMORY, patience: float = PATIENCE
    ) -> None:
        self._clock = clock
        self._memory = memory
        self._patience = patience
        self._token: Token | None = None
        self._task: asyncio.Task[Token | CredentialsError] | None = None
        self._started = 0.0
        self._failure: CredentialsError | None = None
        self._failed_at = 0.0
        # While the old token lives: no refresh before this.
        self._hold_until = 0.0
        self._warned = False
        self._waiting = 0
        # Who gets tokens here: the last one to leave settles the source.
        self.users: weakref.WeakSet[object] = weakref.WeakSet()

    def current(self, fetch: Fetch) -> str | None:
        """Return the token if it can be used at once, else None: then `token()` is to be awaited.

        Starts a refresh in the background where the token is ageing.
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
            if now < self._hold_until:
                return token.value
            self._start(fetch)
        if now < token.required_at or now - self._started >= self._patience:
            return token.value
        return None

    async def token(self, fetch: Fetch) -> str:
        """Return a token that is valid now; raises `CredentialsError` where none can be had.

        A cancelled caller leaves the fetch, and everybody else who waits for it, alone.
        """
        while True:
            if (value := self.current(fetch)) is not None:
                return value
            task = self._running()
            if task is None:
                if self._failure is not None and self._clock() - self._failed_at < self._memory:
                    raise _again(self._failure)
                task = self._start(fetch)
            old = self._token
            patience = self._patience if old is not None and self._clock() < old.expires_at else None
            outcome = await self._outcome(task, patience)
            if isinstance(outcome, Token):
                return outcome.value
            if old is not None and old is self._token and self._clock() < old.expires_at:
                return old.value
            if outcome is not None:
                raise _again(outcome)

    def drop(self, value: str) -> bool:
        """Forget the token if it is this very one; True if it was. A newer token stays."""
        if self._token is None or self._token.value != value:
            return False
        self._token = None
        return True

    async def settle(self) -> None:
        """Stop a refresh that nobody waits for. The token stays."""
        task = self._running()
        if task is None or self._waiting or task.get_loop() is not asyncio.get_running_loop():
            return
        task.cancel()
        await asyncio.wait({task})

    def _running(self) -> asyncio.Task[Token | CredentialsError] | None:
        return self._task if self._task is not None and not self._task.done() else None

    def _start(self, fetch: Fetch) -> asyncio.Task[Token | CredentialsError]:
        self._started = self._clock()
        # An empty context: the fetch is everybody's, and belongs in no single caller's trace.
        task = asyncio.get_running_loop().create_task(self._run(fetch), name="aiocos token", context=Context())
        self._task = task
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Token | CredentialsError]) -> None:
        # A finished task still refers to its loop, and the registry of sources must not keep a loop alive.
        if self._task is task:
            self._task = None

    async def _run(self, fetch: Fetch) -> Token | CredentialsError:
        try:
            token = await fetch()
            if not token.value or token.expires_at <= self._clock():
                raise CredentialsError("the token that came is empty or has expired already")
        except CredentialsError as error:
            return self._failed(error)
        except Exception as error:
            # A stranger's message may quote what was sent; those of this library never do.
            what = error if isinstance(error, CosError) else type(error).__name__
            failure = CredentialsError(f"no token could be fetched: {what}")
            failure.__cause__ = error
            return self._failed(failure)
        self._token, self._failure, self._hold_until, self._warned = token, None, 0.0, False
        return token

    def _failed(self, error: CredentialsError) -> CredentialsError:
        now = self._clock()
        self._failure, self._failed_at = error, now
        if self._token is not None and now < self._token.expires_at:
            left = self._token.expires_at - now
            self._hold_until = now + max(self._memory, min(HOLD_OFF, left / 4))
            if not self._warned:
                self._warned = True
                log.warning("The token could not be refreshed; the old one serves for another %.0f s: %s", left, error)
        return error

    async def _outcome(
        self, task: asyncio.Task[Token | CredentialsError], patience: float | None
    ) -> Token | CredentialsError | None:
        """Wait for the task, not longer than `patience`; None if it has no result: still running, or cancelled by others."""
        self._waiting += 1
        try:
            if patience is None:
                return await asyncio.shield(task)
            await asyncio.wait({task}, timeout=patience)
            return task.result() if task.done() and not task.cancelled() else None
        except asyncio.CancelledError:
            # Either this caller was cancelled, or the task was (somebody cancels all tasks of the loop, one by one).
            me = asyncio.current_task()
            if not task.cancelled() or (me is not None and me.cancelling()):
                raise
            return None
        finally:
            self._waiting -= 1


def _again(error: CredentialsError) -> CredentialsError:
    """Copy an error for one caller: raised in a thousand places, one object would gather a thousand tracebacks."""
    mine = copy.copy(error)
    mine.__cause__ = error.__cause__
    return mine
