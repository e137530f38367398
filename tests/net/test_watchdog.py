"""The idle timer of the raw backend: what counts as progress, and when a wait fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aiocos.net import watchdog as module
from aiocos.net.watchdog import IdleWatchdog


class Waiter:
    def __init__(self) -> None:
        self.error: BaseException | None = None

    def set_exception(self, error: BaseException) -> None:
        self.error = error


class Sending:
    """A transport with bytes in its own buffer and in the system's."""

    def __init__(self, buffered: int, system: int) -> None:
        self.buffered, self.system = buffered, system

    def get_write_buffer_size(self) -> int:
        return self.buffered


class Request:
    def __init__(self, sending: Sending | None = None) -> None:
        self.last_progress = -1
        self.sending: Any = sending
        self.unsent = 0
        self.waiter: Any = Waiter()


@pytest.fixture
async def watchdog(monkeypatch: pytest.MonkeyPatch) -> IdleWatchdog:
    monkeypatch.setattr(module, "unsent_bytes", lambda sending: sending.system)
    return IdleWatchdog(1_000.0)


def tick(watchdog: IdleWatchdog, times: int = 1) -> None:
    for _ in range(times):
        watchdog._tick()


async def test_wait_fails_at_the_ninth_tick(watchdog: IdleWatchdog) -> None:
    """Eight ticks make an idle timeout; the wait may have begun just before the first of them."""
    tick(watchdog, 3)
    request = Request()
    watchdog.watch(request)
    assert request.last_progress == watchdog.now == 3
    tick(watchdog, 8)
    assert request.waiter.error is None
    assert request in watchdog.in_flight
    tick(watchdog)
    assert isinstance(request.waiter.error, TimeoutError)
    assert request not in watchdog.in_flight


async def test_idle_time_counts_from_the_last_progress(watchdog: IdleWatchdog) -> None:
    late, moving = Request(), Request()
    watchdog.watch(late)
    watchdog.watch(moving)
    tick(watchdog, 5)
    moving.last_progress = watchdog.now
    tick(watchdog, 4)
    assert isinstance(late.waiter.error, TimeoutError)
    assert watchdog.in_flight == {moving}
    tick(watchdog, 5)
    assert isinstance(moving.waiter.error, TimeoutError)


async def test_shrinking_buffers_are_progress(watchdog: IdleWatchdog) -> None:
    request = Request(Sending(1_000, 1_000))
    watchdog.watch(request)
    for _ in range(30):
        request.sending.system -= 10
        tick(watchdog)
    assert request.waiter.error is None
    for _ in range(30):
        request.sending.buffered -= 10
        tick(watchdog)
    assert request.waiter.error is None
    assert request.unsent == 1_400
    # Bytes that move from one buffer to the other are not progress.
    for _ in range(9):
        request.sending.buffered -= 10
        request.sending.system += 10
        tick(watchdog)
    assert isinstance(request.waiter.error, TimeoutError)


async def test_timer_runs_only_while_a_request_waits(watchdog: IdleWatchdog) -> None:
    assert watchdog._timer is None
    request = Request()
    now = asyncio.get_running_loop().time()
    watchdog.watch(request)
    timer = watchdog._timer
    assert timer is not None
    assert timer.when() == pytest.approx(now + 125, abs=10), "an eighth of the idle timeout"
    watchdog.watch(Request())
    assert watchdog._timer is timer, "one timer for all requests"
    timer.cancel()
    tick(watchdog)
    assert watchdog._timer is not None
    assert watchdog._timer.when() == pytest.approx(now + 125, abs=10)
    watchdog.in_flight.clear()
    watchdog._timer.cancel()
    tick(watchdog)
    assert watchdog._timer is None
    watchdog.watch(request)
    timer = watchdog._timer
    watchdog.close()
    assert timer.cancelled()
    assert watchdog._timer is None
    watchdog.close()
    watchdog.watch(Request())
    assert watchdog._timer is not None, "it can be used again"
    watchdog.close()
