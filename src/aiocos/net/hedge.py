"""Send a slow read a second time and use the response that begins first.

If one response in a hundred takes a second and the others ten milliseconds, one server is usually the reason, and a second
request reaches another. If all responses are slow, second requests make it worse. So they are limited to a fraction of all
requests, none is sent after the service refused a request (503 or 429), and writes are never sent twice.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from aiocos.config import HedgeConfig
from aiocos.net.limiter import AdaptiveLimiter

# Response times that are remembered, and the number of them that the delay is computed from at least.
_MAX_SAMPLES, _MIN_SAMPLES = 200, 20
# Second requests that may be saved up while none is needed.
_BURST = 10.0


class Closeable(Protocol):
    """A response that can be dropped."""

    def close(self) -> None:
        """Drop the response."""
        ...


A = TypeVar("A", bound=Closeable)


class Hedge:
    """Sends second requests, for one event loop."""

    def __init__(self, config: HedgeConfig) -> None:
        self._config = config
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []
        self._allowance = 1.0
        self._refusals = 0
        self.second_requests = 0
        """The number of second requests sent so far."""

    def delay(self) -> float | None:
        """Return the seconds after which a second request is sent.

        None while too few response times are known.
        """
        if len(self._sorted) < _MIN_SAMPLES:
            return None
        return max(self._config.min_delay, self._sorted[int(self._config.quantile * (len(self._sorted) - 1))])

    def _record(self, seconds: float) -> None:
        self._recent.append(seconds)
        insort(self._sorted, seconds)
        if len(self._recent) > _MAX_SAMPLES:
            self._sorted.remove(self._recent.popleft())

    def _is_allowed(self, limiter: AdaptiveLimiter) -> bool:
        refusals, before = limiter.state().refusals, self._refusals
        self._refusals = refusals
        if self._allowance < 1 or refusals > before:
            return False
        self._allowance -= 1
        return True

    async def first_response(self, send: Callable[[], Awaitable[A]], limiter: AdaptiveLimiter) -> A:
        """Send once, and again after `delay`; return the first response to begin.

        The other response is closed.

        Raises the last error if no request succeeds.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._allowance = min(_BURST, self._allowance + self._config.max_fraction)
        delay = self.delay()
        if delay is None:
            response = await send()
            self._record(loop.time() - started)
            return response
        running = {asyncio.ensure_future(send())}
        try:
            done, _ = await asyncio.wait(running, timeout=delay)
            if not done and self._is_allowed(limiter):
                self.second_requests += 1
                running.add(asyncio.ensure_future(send()))
            winner: asyncio.Future[A] | None = None
            error: BaseException | None = None
            while winner is None and running:
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if winner is not None:
                        continue
                    running.discard(task)
                    error = task.exception()
                    winner = task if error is None else None
            if winner is None:
                assert error is not None
                raise error
            self._record(loop.time() - started)
            return winner.result()
        finally:
            # Not awaited: a cancel arriving here would lose the response of the winner.
            for task in running:
                task.cancel()
                task.add_done_callback(_close_response)


def _close_response(task: asyncio.Future[A]) -> None:
    """Close the response of a request that lost, if it arrived before the cancel."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
