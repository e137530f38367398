"""Run tasks in a group that does not disturb an `asyncio.timeout` around it.

When a task of `asyncio.TaskGroup` fails while the group is being exited, Python 3.11 (and some later releases) increments the
cancel count of the surrounding task and never decrements it. An `asyncio.timeout` around the group, the transfer's own or its
caller's, then takes its own cancel for somebody else's, and lets `CancelledError` out in place of `TimeoutError`.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class TaskGroup(asyncio.TaskGroup):
    """A task group that restores the surrounding task's cancel count on failure."""

    def __init__(self) -> None:
        super().__init__()
        self._cancels_before = 0

    async def __aenter__(self) -> TaskGroup:
        task = asyncio.current_task()
        self._cancels_before = task.cancelling() if task is not None else 0
        await super().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        except BaseExceptionGroup:
            # The failures are raised rather than a cancel that arrived meanwhile, so its sender sees them.
            task = asyncio.current_task()
            while task is not None and task.cancelling() > self._cancels_before:
                task.uncancel()
            raise
