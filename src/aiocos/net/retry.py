"""When a failed attempt is made again: a pure rule, a budget, and the one loop that sleeps.

The fact a decision needs travels on the error: was the request sent? What was not sent may be tried again whatever it does.
What was sent and not answered may have happened, and only what can be repeated without harm is tried again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiocos.config import RetryConfig
from aiocos.errors import (
    BadDigest,
    Conflict,
    ConnectionLostError,
    CosError,
    IncompleteBody,
    IntegrityError,
    ProtocolError,
    ServiceError,
    Throttled,
    TransportError,
    Unavailable,
)

T = TypeVar("T")

RETRYABLE = (TransportError, ServiceError, ProtocolError, IntegrityError)
"""The errors of an attempt after which there may be another."""

# A service that asks for more patience than this is not waited for: the caller learns at once.
MAX_RETRY_AFTER = 300.0


def retry_delay(error: CosError, *, attempt: int, repeatable: bool, config: RetryConfig, draw: float) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    `attempt` counts from 1; `draw` is a random number in [0, 1).
    """
    if attempt >= config.attempts or not _worth_another(error, attempt, repeatable):
        return None
    # A pooled connection that the server has closed meanwhile shows like this; a fresh one is likely to do, now.
    if isinstance(error, ConnectionLostError) and attempt == 1:
        return 0.0
    delay = draw * min(config.cap, config.base * 2.0 ** min(attempt, 64))
    if isinstance(error, ServiceError) and error.retry_after is not None:
        return None if error.retry_after > MAX_RETRY_AFTER else max(error.retry_after, delay)
    return delay


def _worth_another(error: CosError, attempt: int, repeatable: bool) -> bool:
    if isinstance(error, TransportError):
        return repeatable or not error.sent
    if isinstance(error, Throttled):
        # Refused before anything was done.
        return True
    if isinstance(error, Unavailable):
        return repeatable or error.status == 503
    if isinstance(error, IncompleteBody):
        return True
    if isinstance(error, BadDigest):
        # Damaged on the way; a second damage in a row means that our checksum is wrong.
        return attempt == 1 and error.code == "BadDigest"
    if isinstance(error, Conflict):
        return error.code == "OperationAborted"
    if isinstance(error, ProtocolError | IntegrityError):
        return repeatable
    return False


class RetryBudget:
    """What a client may spend on retries (a token bucket): an outage must not be multiplied by the attempts of every call."""

    __slots__ = ("_config", "_left")

    def __init__(self, config: RetryConfig) -> None:
        self._config = config
        self._left = config.budget

    def take(self) -> bool:
        """Pay for one retry; False if there is nothing left."""
        if self._left < self._config.retry_cost:
            return False
        self._left -= self._config.retry_cost
        return True

    def refund(self) -> None:
        """Note a success."""
        if self._left < self._config.budget:
            self._left = min(self._config.budget, self._left + self._config.refund)

    @property
    def left(self) -> float:
        """What is left to spend."""
        return self._left


async def pause(seconds: float) -> None:
    """Sleep: the one place of the library that does."""
    await asyncio.sleep(seconds)


async def retry_call(
    once: Callable[[], Awaitable[T]],
    *,
    config: RetryConfig,
    budget: RetryBudget,
    repeatable: bool,
    deadline: float | None = None,
    on_retry: Callable[[CosError, int, float], None] | None = None,
    failed: CosError | None = None,
) -> T:
    """Call `once` until it succeeds or nothing more should be tried; raise the last error.

    `deadline` is a time of the running loop's clock. `on_retry` is told error, attempt and delay. `failed` is the error of a
    first attempt that was made already.
    """
    attempt = 1
    while True:
        try:
            if failed is not None:
                error, failed = failed, None
                raise error
            result = await once()
        except RETRYABLE as error:
            if isinstance(error, TransportError | ServiceError):
                error.attempts = attempt
            delay = retry_delay(error, attempt=attempt, repeatable=repeatable, config=config, draw=random.random())
            if delay is None:
                raise
            if deadline is not None and asyncio.get_running_loop().time() + delay >= deadline:
                raise
            if not budget.take():
                raise
            if on_retry is not None:
                on_retry(error, attempt, delay)
            await pause(delay)
            attempt += 1
        else:
            budget.refund()
            return result
