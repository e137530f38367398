"""The timer of a loop: what counts as something that moves, and when a wait is broken off."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aiocos.net import watchdog as module
from aiocos.net.watchdog import IdleWatchdog


class Waits:
    def __init__(self) -> None:
        self.error: BaseException | None = None

    def set_exception(self, error: BaseException) -> None:
        self.error = error


class Sending:
    """A transport with so many bytes in its own buffer, and so many in the system's."""

    def __init__(self, buffered: int, system: int) -> None:
        self.buffered, self.system = buffered, system

    def get_write_buffer_size(self) -> int:
        return self.buffered


class Flight:
    def __init__(self, sending: Sending | None = None) -> None:
        self.last_progress = -1
        self.sending: Any = sending
        self.unsent = 0
        self.waiter: Any = Waits()


@pytest.fixture
async def watch(monkeypatch: pytest.MonkeyPatch) -> IdleWatchdog:
    monkeypatch.setattr(module, "unsent_bytes", lambda sending: sending.system)
    return IdleWatchdog(1_000.0)


def look(watch: IdleWatchdog, times: int = 1) -> None:
    for _ in range(times):
        watch._tick()


async def test_wait_fails_at_the_ninth_tick(watch: IdleWatchdog) -> None:
    """Eight looks make an idle timeout; the wait may have begun just before the first of them."""
    look(watch, 3)
    flight = Flight()
    watch.watch(flight)
    assert flight.last_progress == watch.now == 3
    look(watch, 8)
    assert flight.waiter.error is None
    assert flight in watch.in_flight
    look(watch)
    assert isinstance(flight.waiter.error, TimeoutError)
    assert flight not in watch.in_flight


async def test_idle_time_counts_from_the_last_progress(watch: IdleWatchdog) -> None:
    late, moving = Flight(), Flight()
    watch.watch(late)
    watch.watch(moving)
    look(watch, 5)
    moving.last_progress = watch.now
    look(watch, 4)
    assert isinstance(late.waiter.error, TimeoutError)
    assert watch.in_flight == {moving}
    look(watch, 5)
    assert isinstance(moving.waiter.error, TimeoutError)


async def test_shrinking_buffers_are_progress(watch: IdleWatchdog) -> None:
    flight = Flight(Sending(1_000, 1_000))
    watch.watch(flight)
    for _ in range(30):
        flight.sending.system -= 10
        look(watch)
    assert flight.waiter.error is None
    for _ in range(30):
        flight.sending.buffered -= 10
        look(watch)
    assert flight.waiter.error is None
    assert flight.unsent == 1_400
    # What only goes from one buffer to the other has not moved.
    for _ in range(9):
        flight.sending.buffered -= 10
        flight.sending.system += 10
        look(watch)
    assert isinstance(flight.waiter.error, TimeoutError)


async def test_timer_runs_only_while_a_request_waits(watch: IdleWatchdog) -> None:
    assert watch._timer is None
    flight = Flight()
    now = asyncio.get_running_loop().time()
    watch.watch(flight)
    timer = watch._timer
    assert timer is not None
    assert timer.when() == pytest.approx(now + 125, abs=10), "an eighth of the idle timeout"
    watch.watch(Flight())
    assert watch._timer is timer, "one for all"
    timer.cancel()
    look(watch)
    assert watch._timer is not None
    assert watch._timer.when() == pytest.approx(now + 125, abs=10)
    watch.in_flight.clear()
    watch._timer.cancel()
    look(watch)
    assert watch._timer is None
    watch.watch(flight)
    timer = watch._timer
    watch.close()
    assert timer.cancelled()
    assert watch._timer is None
    watch.close()
    watch.watch(Flight())
    assert watch._timer is not None, "it can be used again"
    watch.close()
