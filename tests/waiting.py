"""Conditions and processor time, for tests that must hold on a loaded machine too, where a fixed time does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Long enough for any machine. Reached only where the condition never holds.
_SECONDS = 60.0


async def until(condition: Callable[[], object], what: str, seconds: float = _SECONDS) -> None:
    """Return as soon as a condition holds; fail where it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.005)


def block_until(condition: Callable[[], object], what: str, seconds: float = _SECONDS) -> None:
    """Return as soon as a condition holds, without a loop; fail where it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


@contextmanager
def loop_steps() -> Iterator[list[tuple[float, str]]]:
    """Give the processor time of each step of the loop's thread, longest first at the end; what others use does not count."""
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
