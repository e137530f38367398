"""Control a transfer that runs in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

from aiocos.transfer.progress import Monitor, Progress, State

T = TypeVar("T")


class TransferHandle(Generic[T]):
    """A running transfer, returned by `client.start_upload` and similar methods.

    ::

        handle = client.start_upload("photos", "big.bin", Path("big.bin"))
        handle.pause()
        handle.resume()
        result = await handle

    Awaiting the handle returns the transfer's result or raises its error, as awaiting a task does. Canceling the task that
    awaits cancels the transfer. A client that is closed cancels its running transfers.
    """

    def __init__(self, work: Coroutine[Any, Any, T], monitor: Monitor) -> None:
        self._monitor = monitor
        self._task = asyncio.ensure_future(work)

    def __await__(self) -> Generator[Any, Any, T]:
        return self._task.__await__()

    @property
    def task(self) -> asyncio.Task[T]:
        """The task that runs the transfer, for `asyncio.wait` and similar functions."""
        return self._task

    @property
    def progress(self) -> Progress:
        """The progress now: state, bytes and parts."""
        return self._monitor.progress

    @property
    def state(self) -> State:
        """`queued`, `running`, `paused` or `verifying`.

        At the end `done`, `failed` or `cancelled`.
        """
        return self._monitor.state

    def pause(self) -> None:
        """Start no new parts or files until `resume`.

        Those in flight are finished. A deadline (`timeout`) is not extended. Does nothing unless queued or running.
        """
        self._monitor.pause()

    def resume(self) -> None:
        """Continue after `pause`. Does nothing if the transfer is not paused."""
        self._monitor.resume()

    def cancel(self) -> None:
        """Cancel the transfer.

        Returns at once; awaiting the handle then raises `CancelledError`.

        An upload is aborted before awaiting the handle returns, or in the background if that takes longer than a quarter of a
        second. With `resume=True` its parts are kept.
        """
        self._task.cancel()

    def done(self) -> bool:
        """Return True if the transfer has ended: with a result, an error or a cancel."""
        return self._task.done()

    def __repr__(self) -> str:
        now = self.progress
        return f"<TransferHandle of {now.bucket}/{now.key}: {now.state}, {now.bytes_done} of {now.bytes_total} bytes>"
