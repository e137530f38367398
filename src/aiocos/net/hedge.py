"""Second requests for reads that take long: the answer that begins first is used, the other one dropped.

Where one answer in a hundred takes a second and the rest ten milliseconds, the hundredth is usually a matter of one server, and
asked again another answers at once. Where all are slow, a second request makes it worse: so there is one for a share of the
requests only, none after a refusal, and none for writes, ever.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from aiocos.config import HedgeConfig
from aiocos.net.limiter import AdaptiveLimiter

# The answers that "long" is measured by; too few say nothing.
_REMEMBERED, _ENOUGH = 200, 20
# Second requests that may come at once, after a time without any.
_BURST = 10.0


class HasStatus(Protocol):
    """An answer that has begun, and can be dropped."""

    def close(self) -> None:
        """Drop it."""
        ...


A = TypeVar("A", bound=HasStatus)


class Hedge:
    """Sends second requests, for one event loop."""

    def __init__(self, config: HedgeConfig) -> None:
        self._config = config
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []
        self._allowed = 1.0
        self._refusals = 0
        self.sent = 0

    def wait(self) -> float | None:
        """Return the seconds after which an answer is late; None while too few have been seen."""
        if len(self._sorted) < _ENOUGH:
            return None
        return max(self._config.min_delay, self._sorted[int(self._config.quantile * (len(self._sorted) - 1))])

    def _took(self, seconds: float) -> None:
        self._recent.append(seconds)
        insort(self._sorted, seconds)
        if len(self._recent) > _REMEMBERED:
            self._sorted.remove(self._recent.popleft())

    def _may(self, pace: AdaptiveLimiter) -> bool:
        refusals, before = pace.state().refusals, self._refusals
        self._refusals = refusals
        if self._allowed < 1 or refusals > before:
            return False
        self._allowed -= 1
        return True

    async def first(self, send: Callable[[], Awaitable[A]], pace: AdaptiveLimiter) -> A:
        """Send, and send again if that takes long; return the answer that begins first, raise where neither does."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._allowed = min(_BURST, self._allowed + self._config.max_fraction)
        patience = self.wait()
        if patience is None:
            exchange = await send()
            self._took(loop.time() - began)
            return exchange
        running = {asyncio.ensure_future(send())}
        try:
            done, _ = await asyncio.wait(running, timeout=patience)
            if not done and self._may(pace):
                self.sent += 1
                running.add(asyncio.ensure_future(send()))
            won: asyncio.Future[A] | None = None
            error: BaseException | None = None
            while won is None and running:
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    if won is not None:
                        continue
                    running.discard(one)
                    error = one.exception()
                    won = one if error is None else None
            if won is None:
                assert error is not None
                raise error
            self._took(loop.time() - began)
            return won.result()
        finally:
            # Not waited for: a cancel that came meanwhile would lose the answer that has won.
            for one in running:
                one.cancel()
                one.add_done_callback(_dropped)


def _dropped(late: asyncio.Future[A]) -> None:
    """Drop the answer of whoever was late: it may have come by now, and the connection with it."""
    if not late.cancelled() and late.exception() is None:
        late.result().close()
