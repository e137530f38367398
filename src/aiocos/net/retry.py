"""Retries: the rule that decides, the budget that limits, the loop that sleeps.

The decision depends on whether the request was sent, which the error says. A request that was not sent may be repeated whatever
it does. A request that was sent and got no response may have been executed, so it is repeated only if that does no harm.
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
"""Errors of an attempt that may be retried; `retry_delay` decides."""

# Seconds. If `Retry-After` asks for more, the error is raised at once.
MAX_RETRY_AFTER = 300.0


def retry_delay(error: CosError, *, attempt: int, idempotent: bool, config: RetryConfig, draw: float) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    Args:
        error: The error of the last attempt.
        attempt: The number of the last attempt, from 1.
        idempotent: True if the request may be sent twice.
        config: The number of attempts and the backoff.
        draw: A random number in [0, 1), which the backoff is multiplied by.
    """
    if attempt >= config.attempts or not _is_retryable(error, attempt, idempotent):
        return None
    # The usual reason is a pooled connection that the server has closed, so a new connection is tried at once.
    if isinstance(error, ConnectionLostError) and attempt == 1:
        return 0.0
    delay = draw * min(config.cap, config.base * 2.0 ** min(attempt, 64))
    if isinstance(error, ServiceError) and error.retry_after is not None:
        return None if error.retry_after > MAX_RETRY_AFTER else max(error.retry_after, delay)
    return delay


def _is_retryable(error: CosError, attempt: int, idempotent: bool) -> bool:
    if isinstance(error, TransportError):
        return idempotent or not error.sent
    if isinstance(error, Throttled):
        # The service refused the request before it did anything.
        return True
    if isinstance(error, Unavailable):
        return idempotent or error.status == 503
    if isinstance(error, IncompleteBody):
        return True
    if isinstance(error, BadDigest):
        # The body was damaged in transit. If it happens twice in a row, the checksum is wrong.
        return attempt == 1 and error.code == "BadDigest"
    if isinstance(error, Conflict):
        return error.code == "OperationAborted"
    if isinstance(error, ProtocolError | IntegrityError):
        return idempotent
    return False


class RetryBudget:
    """The budget of a client for retries, a token bucket.

    Without it, an outage would multiply the load on the service by the number of attempts of each call.
    """

    __slots__ = ("_config", "_left")

    def __init__(self, config: RetryConfig) -> None:
        self._config = config
        self._left = config.budget

    def take(self) -> bool:
        """Pay for one retry; return False if the budget does not suffice."""
        if self._left < self._config.retry_cost:
            return False
        self._left -= self._config.retry_cost
        return True

    def refund(self) -> None:
        """Give back `RetryConfig.refund` after a success, up to the full budget."""
        if self._left < self._config.budget:
            self._left = min(self._config.budget, self._left + self._config.refund)

    @property
    def left(self) -> float:
        """The tokens left."""
        return self._left


async def pause(seconds: float) -> None:
    """Sleep for a number of seconds. All waits of the library use this function."""
    await asyncio.sleep(seconds)


async def retry_call(
    make_attempt: Callable[[], Awaitable[T]],
    *,
    config: RetryConfig,
    budget: RetryBudget,
    idempotent: bool,
    deadline: float | None = None,
    on_retry: Callable[[CosError, int, float], None] | None = None,
    first_error: CosError | None = None,
) -> T:
    """Call `make_attempt` until it succeeds or must not be retried.

    Returns its result or raises its last error.

    Args:
        make_attempt: Makes one attempt.
        config: The number of attempts and the backoff.
        budget: Pays for retries.
        idempotent: True if the request may be sent twice.
        deadline: A time of the running loop's clock; no attempt begins after it. None for no deadline.
        on_retry: Called before each wait with the error, the number of the failed attempt and the seconds to wait.
        first_error: The error of the first attempt, if the caller has made that one already.
    """
    attempt = 1
    while True:
        try:
            if first_error is not None:
                error, first_error = first_error, None
                raise error
            result = await make_attempt()
        except RETRYABLE as error:
            if isinstance(error, TransportError | ServiceError):
                error.attempts = attempt
            delay = retry_delay(error, attempt=attempt, idempotent=idempotent, config=config, draw=random.random())
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
