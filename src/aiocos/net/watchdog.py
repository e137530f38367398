"""One idle timer for all requests of the raw backend.

The general path is a timer for each wait, as `session_backend.IdleTimeout` has it: a wait ends with `TimeoutError` when nothing
has moved for the idle timeout. Creating and cancelling a timer costs more than the rest of a small request. So here one
timer per loop ticks eight times per idle timeout, looks at all requests in flight, and ends those without progress. The result
is equal, up to one tick later: tests run each timeout on both backends.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from aiocos.net.body import unsent_bytes

# Ticks of the timer per idle timeout.
TICKS = 8


class InFlight(Protocol):
    """A request in flight, as the watchdog needs it."""

    waiter: Any
    """The protocol or payload that a task is waiting on; gets `set_exception(TimeoutError())`."""
    sending: Any
    """The transport that a large body is being written to, or None."""
    last_progress: int
    """The tick at which something moved last."""
    unsent: int
    """The bytes of the body that had not been sent at the last tick."""


class IdleWatchdog:
    """The idle timer of an event loop.

    Args:
        idle_timeout: Seconds without progress after which a wait fails, or up to an eighth later.
    """

    def __init__(self, idle_timeout: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._period = idle_timeout / TICKS
        self._timer: asyncio.TimerHandle | None = None
        self.in_flight: set[InFlight] = set()
        """The requests that are watched. A task whose wait has ended removes its own."""
        self.now = 0
        """The number of ticks so far."""

    def watch(self, request: InFlight) -> None:
        """Watch a wait that begins now, until it is removed from `in_flight`."""
        request.last_progress = self.now
        self.in_flight.add(request)
        if self._timer is None:
            self._timer = self._loop.call_later(self._period, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.now += 1
        for request in list(self.in_flight):
            if request.sending is not None:
                # A body is making progress while the buffers of asyncio and of the system get emptier.
                unsent = request.sending.get_write_buffer_size() + unsent_bytes(request.sending)
                if unsent < request.unsent:
                    request.last_progress = self.now
                request.unsent = unsent
            if self.now - request.last_progress > TICKS:
                self.in_flight.discard(request)
                request.waiter.set_exception(TimeoutError())
        if self.in_flight:
            self._timer = self._loop.call_later(self._period, self._tick)

    def close(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
