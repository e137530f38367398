"""A transfer that runs beside the program, and the hand on it: look, pause, go on, cancel, wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

from aiocos.transfer.progress import Monitor, Progress, State

T = TypeVar("T")


class TransferHandle(Generic[T]):
    """A transfer under way, made by `client.start_upload` and its kin.

    ::

        handle = client.start_upload("photos", "big.bin", Path("big.bin"))
        handle.pause()
        handle.resume()
        result = await handle

    Awaiting it gives the transfer's result or raises its error, as awaiting a task does; a cancel of who awaits cancels it. A
    client that is closed cancels the transfers that run.
    """

    def __init__(self, work: Coroutine[Any, Any, T], monitor: Monitor) -> None:
        self._monitor = monitor
        self._task = asyncio.ensure_future(work)

    def __await__(self) -> Generator[Any, Any, T]:
        return self._task.__await__()

    @property
    def task(self) -> asyncio.Task[T]:
        """The task it runs in, for `asyncio.wait` and its kin."""
        return self._task

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._monitor.progress

    @property
    def state(self) -> State:
        """`queued`, `running`, `paused`, `verifying`; at the end `done`, `failed` or `cancelled`."""
        return self._monitor.state

    def pause(self) -> None:
        """Begin no further part or file; those on their way get to their end. A deadline runs on."""
        self._monitor.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._monitor.resume()

    def cancel(self) -> None:
        """Give it up. What it leaves is taken back when it is awaited, or the client closed; with `resume=True` it is kept."""
        self._task.cancel()

    def done(self) -> bool:
        """Whether it has ended, however."""
        return self._task.done()

    def __repr__(self) -> str:
        now = self.progress
        return f"<Handle of {now.bucket}/{now.key}: {now.state}, {now.bytes_done} of {now.bytes_total} bytes>"
