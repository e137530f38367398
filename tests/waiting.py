"""Wait for conditions and measure processor time, so that tests also pass on a loaded machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Reached only if the condition never holds.
_SECONDS = 60.0


async def until(condition: Callable[[], object], what: str, seconds: float = _SECONDS) -> None:
    """Wait until a condition holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.005)


def block_until(condition: Callable[[], object], what: str, seconds: float = _SECONDS) -> None:
    """Wait until a condition holds, without an event loop; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


@contextmanager
def loop_steps() -> Iterator[list[tuple[float, str]]]:
    """Measure the processor time of each step of the event loop, in its thread only; at the end the longest is first."""
    steps: list[tuple[float, str]] = []
    original = asyncio.events.Handle._run

    def run(handle: asyncio.Handle) -> None:
        task = getattr(handle._callback, "__self__", None)
        what = repr(task.get_coro()) if isinstance(task, asyncio.Task) else repr(handle)
        before = time.thread_time()
        original(handle)
        took = time.thread_time() - before
        if took > 0.002:
            steps.append((took, what))

    asyncio.events.Handle._run = run
    try:
        yield steps
    finally:
        asyncio.events.Handle._run = original
        steps.sort(reverse=True)
