"""One timer for all that a loop waits for.

A timer for each wait costs more than all the rest of a small request. This one looks eight times in an idle timeout, and breaks
off what has not moved meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from aiocos.net.body import waiting

# How often the timer looks, in an idle timeout.
LOOKS = 8


class InFlight(Protocol):
    """One request on its way, as the timer sees it.

    `waits` is what is waited for (the head or the body of an answer), `sending` where a body is being written to. `seen` and
    `unsent` are the timer's: when something moved last, and what of the body had not been sent then.
    """

    seen: int
    sending: Any
    unsent: int
    waits: Any


class IdleWatchdog:
    """The timer of a loop. A wait is broken off when nothing has moved for `idle` seconds, or up to an eighth longer."""

    def __init__(self, idle: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._period = idle / LOOKS
        self._timer: asyncio.TimerHandle | None = None
        self.flights: set[InFlight] = set()
        self.turn = 0

    def begin(self, flight: InFlight) -> None:
        """Look after a wait from now on; who waits takes it out of `flights` again."""
        flight.seen = self.turn
        self.flights.add(flight)
        if self._timer is None:
            self._timer = self._loop.call_later(self._period, self._look)

    def _look(self) -> None:
        self._timer = None
        self.turn += 1
        for flight in list(self.flights):
            if flight.sending is not None:
                # What the system still holds of a body: while it gets less, something moves.
                unsent = flight.sending.get_write_buffer_size() + waiting(flight.sending)
                if unsent < flight.unsent:
                    flight.seen = self.turn
                flight.unsent = unsent
            if self.turn - flight.seen > LOOKS:
                self.flights.discard(flight)
                flight.waits.set_exception(TimeoutError())
        if self.flights:
            self._timer = self._loop.call_later(self._period, self._look)

    def close(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
