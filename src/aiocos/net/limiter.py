"""Limit how many requests are in flight, by what the service accepts.

**The problem.** A service that gets too many requests at once refuses some of them with 503 or 429. How many it accepts is not
documented and changes.

**The naive way.** Most clients let each refused request back off and retry on its own. The retries add to the load that caused
the refusals, and are refused again until their attempts are used up.

**The rule.** All requests of a client share one limit, which follows the responses.

* *A refusal lowers the limit by one.* If as many requests are in flight as the limit allows, what remains after all refusals is
  the number that the service accepted: 32 requests to a service that accepts 8 give 24 refusals and a limit of 8. No constant
  has to be chosen.
* *A success raises it.* At first by one for each response, which doubles the limit per round trip. This ends at half of the
  limit before the refusals, or at the limit after them if that is higher. From there the limit rises by 1 after ten rounds
  without a refusal, then by 2, 4 and so on: a service that has grown is used within seconds, and the price is a refusal in
  about a hundred requests. A limit that is not reached is not raised.
* *Slow responses stop the growth.* A service that queues requests instead of refusing them does not get faster by a longer
  queue. Slow responses end the doubling, and the limit does not rise while they last. Only small requests are timed, since the
  time of a large body depends on its size.

Requests with large bodies have a queue of their own, and each queue has a quarter of the limit to itself: parts that take a
minute on a slow link do not block small calls, and many small calls do not stop an upload.

`Retry-After` concerns the request that was refused, and its retry waits that long. Only if no request succeeds at all does it
pause the whole client, and not if it asks for more time than a retry would wait (`net.retry.MAX_RETRY_AFTER`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from aiocos.config import ConcurrencyConfig
from aiocos.net.retry import MAX_RETRY_AFTER
from aiocos.wire.retry_after import retry_after

_log = logging.getLogger("aiocos.concurrency")

# Rounds without a refusal before the limit is raised: the first time after a refusal, and after that.
_FIRST_ROUNDS, _NEXT_ROUNDS = 10, 2
# Responses are slow if they take this many times the shortest time, plus this many seconds.
_SLOW_FACTOR, _SLOW_SLACK = 2.0, 0.010
# The route to the service may change, so the shortest time is measured anew after this many responses. It rises at most by this
# factor each time, because a queue in the service looks like a longer route.
_WINDOW, _MAX_RISE = 500, 1.05
# While the limit is not reached, one response in this many is timed.
_SAMPLE_EVERY = 16
# Seconds; overload does not last longer, so `Retry-After` pauses the client no longer than this.
_MAX_PAUSE = 60.0


class ConcurrencyState(NamedTuple):
    """The requests of a client in the running event loop, from `Client.concurrency`."""

    limit: int
    """The number of requests that may be in flight now."""
    in_flight: int
    """The number of requests in flight."""
    waiting: int
    """The number of requests that wait until others have ended."""
    refusals: int
    """The number of responses with 503 or 429 so far."""
    paused_for: float
    """Seconds until requests are sent again, after a `Retry-After`; 0 if they are not paused."""


class LimitRule:
    """The rule for the limit, without a clock and without waiting.

    Args:
        config: The first limit.
        maximum: The highest limit.
    """

    __slots__ = (
        "_config", "_episode", "_limit_before", "_maximum", "_previous_shortest", "_rounds", "_samples",
        "_shortest", "_smoothed", "_step", "_successes", "ceiling", "limit", "refusals",
    )  # fmt: skip

    def __init__(self, config: ConcurrencyConfig, maximum: int) -> None:
        self._config = config
        self._maximum = maximum
        self.limit = min(config.initial, maximum)
        """The number of requests that may be in flight."""
        self.ceiling = maximum
        """The limit doubles per round trip below this, and is raised carefully above."""
        self.refusals = 0
        """The number of refusals so far."""
        # Requests with lower tickets were sent before the last refusal; their refusals do not change `_limit_before`.
        self._episode = 0
        self._limit_before = self.limit
        self._successes = 0
        self._step = 1
        self._rounds = _FIRST_ROUNDS
        self._shortest = self._previous_shortest = float("inf")
        self._smoothed = 0.0
        self._samples = 0

    def on_success(self, *, is_reached: bool, seconds: float | None) -> None:
        """Record a response that is not a refusal.

        Args:
            is_reached: True if the limit is reached or requests are waiting.
            seconds: The time from sending a small request to its response; None is not counted.
        """
        if seconds is not None:
            self._record_time(seconds)
        if not is_reached or self.limit >= self._maximum:
            return
        if self.limit < self.ceiling:
            if self._is_slow():
                self.ceiling = self.limit
            else:
                self.limit += 1
            return
        self._successes += 1
        if self._successes >= self._rounds * self.limit and not self._is_slow():
            self.limit = min(self._maximum, self.limit + self._step)
            self._step, self._rounds, self._successes = min(self._step * 2, self.limit), _NEXT_ROUNDS, 0

    def on_throttle(self, ticket: int, newest: int, in_flight: int) -> None:
        """Record a refusal.

        Args:
            ticket: The ticket of the refused request.
            newest: The ticket that the next request gets.
            in_flight: The number of other requests in flight.
        """
        self.refusals += 1
        if ticket >= self._episode:
            self._episode, self._limit_before = newest, self.limit
            _log.debug("refused at a limit of %d, %d in flight", self.limit, in_flight + 1)
        self.limit = max(1, min(self.limit - 1, in_flight))
        self.ceiling = max(self.limit, self._limit_before // 2)
        self._successes, self._step, self._rounds = 0, 1, _FIRST_ROUNDS

    def _record_time(self, seconds: float) -> None:
        self._smoothed = seconds if not self._samples else self._smoothed + (seconds - self._smoothed) / 16
        self._samples += 1
        self._shortest = min(self._shortest, seconds)
        if self._samples % _WINDOW == 0:
            self._previous_shortest = min(self._shortest, self._previous_shortest * _MAX_RISE)
            self._shortest = float("inf")

    def _is_slow(self) -> bool:
        return self._smoothed > _SLOW_FACTOR * min(self._shortest, self._previous_shortest) + _SLOW_SLACK


class AdaptiveLimiter:
    """The limiter of an event loop.

    Each request acquires a slot, reports its response, and releases the slot.

    Args:
        config: The settings of the rule; None keeps the limit at `maximum`.
        maximum: The highest limit.
    """

    def __init__(self, config: ConcurrencyConfig | None, maximum: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._rule = LimitRule(config or ConcurrencyConfig(initial=maximum), maximum)
        self._is_adaptive = config is not None
        # Indexed by `large`: [small requests, requests with large bodies].
        self._queues: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())
        self._in_flight = [0, 0]
        self._last_ticket = 0
        self._paused_until = 0.0
        self._has_succeeded = False
        self._pause_timer: asyncio.TimerHandle | None = None

    def try_acquire(self, *, large: bool) -> int:
        """Acquire a slot if one is free and no request waits for it.

        Return a ticket, or 0 if there is no free slot.
        """
        if self._queues[large] or not self._is_free(large):
            return 0
        self._in_flight[large] += 1
        self._last_ticket += 1
        return self._last_ticket

    async def acquire(self, *, large: bool) -> int:
        """Wait for a free slot and acquire it. Return a ticket."""
        queue = self._queues[large]
        if queue or not self._is_free(large):
            turn: asyncio.Future[None] = self._loop.create_future()
            queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    # The slot was given at the moment of the cancel.
                    self._in_flight[large] -= 1
                self._wake()
                raise
        else:
            self._in_flight[large] += 1
        self._last_ticket += 1
        return self._last_ticket

    def release(self, *, large: bool) -> None:
        """Release a slot."""
        self._in_flight[large] -= 1
        if self._queues[0] or self._queues[1]:
            self._wake()

    def on_response(self, ticket: int, status: int, headers: Mapping[str, str], *, since: float | None) -> None:
        """Adjust the limit to a response, before its slot is released.

        Args:
            ticket: The ticket of the request.
            status: The status of the response; 503 and 429 are refusals.
            headers: The headers of the response.
            since: The loop's time when a small request was sent; None is not timed.
        """
        if not self._is_adaptive:
            return
        in_flight = self._in_flight[0] + self._in_flight[1]
        if status not in (503, 429):
            self._has_succeeded = True
            is_reached = in_flight >= self._rule.limit or bool(self._queues[0] or self._queues[1])
            if is_reached or not ticket % _SAMPLE_EVERY:
                self._rule.on_success(is_reached=is_reached, seconds=None if since is None else self._loop.time() - since)
            return
        self._rule.on_throttle(ticket, self._last_ticket + 1, in_flight - 1)
        if self._rule.limit == 1 and not self._has_succeeded:
            seconds = retry_after(headers, time.time())
            # A request that should wait longer than a retry would is given up; the others do not wait for it.
            if seconds and seconds <= MAX_RETRY_AFTER:
                self._pause(min(seconds, _MAX_PAUSE))
        if self._rule.limit == 1:
            self._has_succeeded = False

    def _pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._loop.time() + seconds)
        if self._pause_timer is None:
            self._pause_timer = self._loop.call_at(self._paused_until, self._resume)

    def _resume(self) -> None:
        self._pause_timer = None
        if self._loop.time() < self._paused_until:
            self._pause_timer = self._loop.call_at(self._paused_until, self._resume)
        else:
            self._wake()

    def _is_free(self, large: bool) -> bool:
        small_in_flight, large_in_flight = self._in_flight
        limit = self._rule.limit
        if self._pause_timer is not None or small_in_flight + large_in_flight >= limit:
            return False
        # Large requests never use the quarter of the small ones, because they are slow. Small requests leave the quarter of the
        # large ones free while one of those waits.
        quarter = limit // 4
        if large:
            return large_in_flight < limit - quarter
        return small_in_flight < limit - quarter or not self._queues[1] or large_in_flight >= quarter

    def _wake(self) -> None:
        # Small requests twice: when no large one waits any more, they may use its quarter.
        for large in (False, True, False):
            queue = self._queues[large]
            while queue and (queue[0].done() or self._is_free(large)):
                turn = queue.popleft()
                if not turn.done():
                    self._in_flight[large] += 1
                    turn.set_result(None)

    def state(self) -> ConcurrencyState:
        """Return the limit, and the numbers of requests in flight, waiting and refused."""
        paused_for = max(0.0, self._paused_until - self._loop.time()) if self._pause_timer is not None else 0.0
        waiting = sum(not turn.done() for queue in self._queues for turn in queue)
        return ConcurrencyState(self._rule.limit, sum(self._in_flight), waiting, self._rule.refusals, paused_for)

    def close(self) -> None:
        """End a pause and cancel its timer."""
        if self._pause_timer is not None:
            self._pause_timer.cancel()
            self._pause_timer = None
            self._wake()
