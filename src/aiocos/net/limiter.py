"""How many requests of a client are in flight: as many as the service takes, found out by its answers.

A service that is asked for too much at once refuses with 503 or 429. Backing off each for itself, as clients commonly do, sends
every refused request again into the same crowd, until its attempts are used up. Here all requests of a client go through one
gate, whose width follows the answers.

* **Narrower.** A refusal takes one off the width. Where the width is used up, what is left is exactly the number that the
  service has taken: a crowd of 32 at a service that takes 8 makes 24 refusals, and a width of 8. No constant is needed.
* **Wider again**, at first by one with every answer, which doubles in a round trip, up to half of what the width was before
  (or to where refusals ended, if that is more); beyond, by one after ten rounds without a refusal, then by two, four … so the
  width is tried again at the price of a refusal in a hundred requests, and a service that has grown is found within seconds.
  The width does not grow while it is not used up.
* **Not wider** while answers take much longer than they can: a service that queues instead of refusing is not any faster for a
  longer queue. This ends the doubling only, and looks at small requests only; the time of a large body is its own.

Large bodies have a line of their own. Of the width, a quarter is kept for each of the two: parts that take a minute on a slow
link do not hold small calls up, and a flood of small calls does not stop an upload.

A `Retry-After` is for the request that was refused, and its retry waits. Only where nothing at all gets through does it hold
everybody, and not where it asks for more than a request waits (`net.retry.MAX_RETRY_AFTER`).
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

_log = logging.getLogger("aiocos.pace")

# Rounds without a refusal before the width is tried again: the first time after one, and then.
_PATIENCE, _MORE = 10, 2
# "Much longer": so many times the least, and so many seconds more.
_SLOWER, _SLACK = 2.0, 0.010
# The way to the service may change, so the least time is looked for anew; by so much at most after so many answers, since a
# queue that has formed looks like a longer way.
_WINDOW, _CREEP = 500, 1.05
_SAMPLED = 16
# A hold that is longer is none of a service's overload.
_LONGEST_HOLD = 60.0


class ConcurrencyState(NamedTuple):
    """What a client does now, in the running event loop.

    `width` is the number of requests that may be in flight, `in_flight` and `waiting` are numbers of requests, `refusals` all
    that the service has refused so far. `held` are the seconds for which nothing is sent, because the service asked for it.
    """

    limit: int
    in_flight: int
    waiting: int
    refusals: int
    paused_for: float


class LimitRule:
    """The rule, without a clock and without waiting: answers in, a width out."""

    __slots__ = (
        "_before", "_config", "_episode", "_least", "_least_before", "_most", "_patience", "_quiet", "_samples",
        "_smoothed", "_step", "_turn", "ceiling", "refusals", "value",
    )  # fmt: skip

    def __init__(self, config: ConcurrencyConfig, most: int) -> None:
        self._config = config
        self._most = most
        self.value = min(config.initial, most)
        # Below it the width doubles with each round.
        self.ceiling = most
        self.refusals = 0
        # Tickets are numbered; refusals of tickets below this belong to a crowd that has been reacted to.
        self._episode = 0
        self._before = self.value
        self._quiet = 0
        self._step = 1
        self._patience = _PATIENCE
        self._least = self._least_before = float("inf")
        self._smoothed = 0.0
        self._samples = 0
        self._turn = 0

    def on_success(self, *, used_up: bool, seconds: float | None) -> None:
        """Take note of an answer that is no refusal; `seconds` until it came, of a small request."""
        if seconds is not None:
            self._timed(seconds)
        if not used_up or self.value >= self._most:
            return
        if self.value < self.ceiling:
            if self._is_slow():
                self.ceiling = self.value
            else:
                self.value += 1
            return
        self._quiet += 1
        if self._quiet >= self._patience * self.value and not self._is_slow():
            self.value = min(self._most, self.value + self._step)
            self._step, self._patience, self._quiet = min(self._step * 2, self.value), _MORE, 0

    def on_throttle(self, ticket: int, newest: int, in_flight: int) -> None:
        """Take note of a refusal of a request, by its ticket; `in_flight` others are."""
        self.refusals += 1
        if ticket >= self._episode:
            self._episode, self._before = newest, self.value
            _log.debug("refused at a width of %d, %d in flight", self.value, in_flight + 1)
        self.value = max(1, min(self.value - 1, in_flight))
        self.ceiling = max(self.value, self._before // 2)
        self._quiet, self._step, self._patience = 0, 1, _PATIENCE

    def _timed(self, seconds: float) -> None:
        self._smoothed = seconds if not self._samples else self._smoothed + (seconds - self._smoothed) / 16
        self._samples += 1
        self._least = min(self._least, seconds)
        if self._samples % _WINDOW == 0:
            self._least_before, self._least = min(self._least, self._least_before * _CREEP), float("inf")

    def _is_slow(self) -> bool:
        return self._smoothed > _SLOWER * min(self._least, self._least_before) + _SLACK


class AdaptiveLimiter:
    """The gate, for one event loop. Take a place, say what came of it, give the place back."""

    def __init__(self, config: ConcurrencyConfig | None, most: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._width = LimitRule(config or ConcurrencyConfig(initial=most), most)
        self._follows = config is not None
        # Small requests, and those with large bodies.
        self._lines: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())
        self._taken = [0, 0]
        self._tickets = 0
        self._held_until = 0.0
        self._heard = False
        self._timer: asyncio.TimerHandle | None = None

    def try_acquire(self, *, large: bool) -> int:
        """Take a place that is free and that nobody waits for; return a ticket, or 0."""
        if self._lines[large] or not self._is_free(large):
            return 0
        self._taken[large] += 1
        self._tickets += 1
        return self._tickets

    async def acquire(self, *, large: bool) -> int:
        """Wait for a place, and take it; return a ticket."""
        line = self._lines[large]
        if line or not self._is_free(large):
            turn: asyncio.Future[None] = self._loop.create_future()
            line.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    # The place came together with the cancel.
                    self._taken[large] -= 1
                self._wake()
                raise
        else:
            self._taken[large] += 1
        self._tickets += 1
        return self._tickets

    def release(self, *, large: bool) -> None:
        """Give a place back."""
        self._taken[large] -= 1
        if self._lines[0] or self._lines[1]:
            self._wake()

    def on_response(self, ticket: int, status: int, headers: Mapping[str, str], *, since: float | None) -> None:
        """Take note of an answer, while the place is still taken. `since`: the loop's time when a small request was sent."""
        if not self._follows:
            return
        in_flight = self._taken[0] + self._taken[1]
        if status not in (503, 429):
            self._heard = True
            used_up = in_flight >= self._width.value or bool(self._lines[0] or self._lines[1])
            # While there is room, an answer in sixteen tells how long answers take.
            if used_up or not ticket % _SAMPLED:
                self._width.on_success(used_up=used_up, seconds=None if since is None else self._loop.time() - since)
            return
        self._width.on_throttle(ticket, self._tickets + 1, in_flight - 1)
        if self._width.value == 1 and not self._heard:
            asked = retry_after(headers, time.time())
            # The request that was asked to wait longer than any request waits is given up, and nobody waits for it.
            if asked and asked <= MAX_RETRY_AFTER:
                self._hold(min(asked, _LONGEST_HOLD))
        if self._width.value == 1:
            self._heard = False

    def _hold(self, seconds: float) -> None:
        """Nothing gets through, and the service says for how long."""
        self._held_until = max(self._held_until, self._loop.time() + seconds)
        if self._timer is None:
            self._timer = self._loop.call_at(self._held_until, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        if self._loop.time() < self._held_until:
            self._timer = self._loop.call_at(self._held_until, self._go_on)
        else:
            self._wake()

    def _is_free(self, large: bool) -> bool:
        small_taken, large_taken = self._taken
        width = self._width.value
        if self._timer is not None or small_taken + large_taken >= width:
            return False
        # The other's quarter is kept free of large bodies always, since they are slow; of small requests, while it is wanted.
        quarter = width // 4
        if large:
            return large_taken < width - quarter
        return small_taken < width - quarter or not self._lines[1] or large_taken >= quarter

    def _wake(self) -> None:
        # Small ones once more: a quarter is kept from them only while a large one waits.
        for large in (False, True, False):
            line = self._lines[large]
            while line and (line[0].done() or self._is_free(large)):
                turn = line.popleft()
                if not turn.done():
                    self._taken[large] += 1
                    turn.set_result(None)

    def state(self) -> ConcurrencyState:
        """Say how things are."""
        held = max(0.0, self._held_until - self._loop.time()) if self._timer is not None else 0.0
        waiting = sum(not turn.done() for line in self._lines for turn in line)
        return ConcurrencyState(self._width.value, sum(self._taken), waiting, self._width.refusals, held)

    def close(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._wake()
