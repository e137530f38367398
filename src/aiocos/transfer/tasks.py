"""A task group that leaves no cancel behind.

When a task of `asyncio.TaskGroup` fails while the group is left, Python 3.11 counts a cancel of the surrounding task and never
takes it back (some later releases do so, too). An `asyncio.timeout` around it, a transfer's own or its caller's, then no longer
tells its own cancel from another's: a bare `CancelledError` comes out in place of `TimeoutError`.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class TaskGroup(asyncio.TaskGroup):
    """`asyncio.TaskGroup`, after whose failure the surrounding task counts as many cancels as before."""

    def __init__(self) -> None:
        super().__init__()
        self._before = 0

    async def __aenter__(self) -> TaskGroup:
        task = asyncio.current_task()
        self._before = task.cancelling() if task is not None else 0
        await super().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        except BaseExceptionGroup:
            # Failures go before a cancel that came meanwhile: whoever made it is told of them.
            task = asyncio.current_task()
            while task is not None and task.cancelling() > self._before:
                task.uncancel()
            raise
