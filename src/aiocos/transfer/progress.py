"""Count the progress of a transfer, call the user's callbacks, and pause it.

Callbacks are users' code: they may be slow, may be coroutine functions, may raise. So the coroutine of a callback runs in a
task beside the transfer. Each callback has at most one such task. Progress that arrives while it runs replaces the progress
that is waiting, so a slow callback skips intermediate values and gets the newest. Exceptions of callbacks are logged and
ignored.

The monitor of a directory is the parent of the monitors of its files: their bytes count for it, and pausing it pauses them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias

from aiocos.describe import with_field_texts
from aiocos.errors import RequestTimeoutError, printable

State: TypeAlias = Literal["queued", "running", "paused", "verifying", "done", "failed", "cancelled"]
"""The state of a transfer. The last three are final."""

_log = logging.getLogger("aiocos.transfer")
# Seconds for which a finished transfer waits for callbacks that are coroutines.
_CALLBACK_TIMEOUT = 10.0
# Seconds after a cancel or a passed deadline: the caller is waiting for the transfer to end.
_CALLBACK_TIMEOUT_AFTER_CANCEL = 0.25


@with_field_texts("Attributes")
@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a transfer at one moment. All counts are cumulative."""

    bucket: str
    """Name of the bucket; for a sync or a copy, that of the target in the service."""
    key: str
    """Key of the object; for a directory or a sync, its prefix."""
    state: State
    """`queued`, `running`, `paused` or `verifying`; at the end `done`, `failed` or `cancelled`."""
    bytes_done: int
    """Bytes that were transferred, those of an earlier run included."""
    bytes_total: int | None
    """Size in bytes; None while it is not known, and always for directories."""
    parts_done: int
    """Parts or ranges that were transferred; for a directory, files."""
    parts_total: int | None
    """Number of parts; None while it is not known, and always for directories."""
    resumed_bytes: int = 0
    """Bytes of `bytes_done` that an earlier run had transferred, with `resume=True`."""
    error: BaseException | None = None
    """The exception that ended the transfer, if it failed or was canceled; else None."""


Callback: TypeAlias = Callable[[Progress], Awaitable[object] | None]
"""Called with the progress, in the event loop: a function, which must not block, or a coroutine function."""


@dataclass(repr=False, slots=True)
class ProgressCallbacks:
    """Callbacks of a transfer.

    At its end, a transfer waits ten seconds for callbacks that are coroutines; after a cancel or when its deadline has passed,
    a quarter of a second. After that they continue by themselves.
    """

    _: KW_ONLY
    progress: Callback | None = None
    """Called on every change, with a `Progress`. For directories and syncs: called for each file. None: not called.

    A function, which must not block, or a coroutine function. Its exceptions are logged and ignored.
    """
    on_queued: Callback | None = None
    """Called once when the transfer begins. None: not called."""
    on_progress: Callback | None = None
    """Called when bytes were transferred. None: not called."""
    on_done: Callback | None = None
    """Called once at the end, however the transfer ends: `Progress.state` and `Progress.error` tell. None: not called."""


class _CallbackRunner:
    """One callback, and the task of its coroutine while that runs."""

    __slots__ = ("_callback", "_pending", "task")

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self._pending: Progress | None = None
        self.task: asyncio.Task[None] | None = None

    def notify(self, progress: Progress) -> None:
        """Call the callback, or if it is still running, set its pending progress."""
        if self.task is not None and not self.task.done():
            self._pending = progress
            return
        try:
            awaitable = self._callback(progress)
            if awaitable is not None:
                self.task = asyncio.ensure_future(self._run(awaitable, progress))
        except Exception:
            _log_failure(progress)

    async def _run(self, awaitable: Awaitable[object] | None, progress: Progress) -> None:
        while True:
            try:
                if awaitable is not None:
                    await awaitable
            except Exception:
                _log_failure(progress)
            if self._pending is None:
                return
            progress, self._pending = self._pending, None
            awaitable = None  # it must not be awaited twice, should the next call fail
            try:
                awaitable = self._callback(progress)
            except Exception:
                _log_failure(progress)


def _log_failure(progress: Progress) -> None:
    _log.exception("a progress callback of %s/%s failed", progress.bucket, printable(progress.key))


class Monitor:
    """Counts a transfer's progress, calls its callbacks, and pauses it."""

    def __init__(self, callbacks: ProgressCallbacks, bucket: str, key: str, parent: Monitor | None = None) -> None:
        def runner(callback: Callback | None) -> list[_CallbackRunner]:
            return [] if callback is None else [_CallbackRunner(callback)]

        every_change = runner(callbacks.progress)
        self._on_queued = every_change + runner(callbacks.on_queued)
        self._on_progress = every_change + runner(callbacks.on_progress)
        self._on_done = every_change + runner(callbacks.on_done)
        self._every_change = every_change
        self._bucket = bucket
        self._key = key
        self._parent = parent
        self._paused: asyncio.Event | None = None
        self.state: State = "queued"
        self.bytes_total: int | None = None
        self.parts_total: int | None = None
        self.bytes_done = 0
        self.resumed_bytes = 0
        self.parts_done = 0
        self.error: BaseException | None = None

    def for_file(self, callbacks: ProgressCallbacks, key: str) -> Monitor:
        """Return a monitor for one file of this directory.

        Only `progress` is called for files.
        """
        return Monitor(ProgressCallbacks(progress=callbacks.progress), self._bucket, key, parent=self)

    @property
    def progress(self) -> Progress:
        """The progress now."""
        return Progress(
            self._bucket,
            self._key,
            self.state,
            self.bytes_done,
            self.bytes_total,
            self.parts_done,
            self.parts_total,
            self.resumed_bytes,
            self.error,
        )

    # -- for the code that transfers ------------------------------------------------------------------------------

    def advance(self, size: int, *, parts: int = 0, resumed: bool = False) -> None:
        """Count `size` bytes and `parts` parts.

        `resumed`: an earlier run had transferred them.
        """
        self.bytes_done += size
        self.parts_done += parts
        if resumed:
            self.resumed_bytes += size
        if self._paused is None:
            self.state = "running"
        self._notify(self._on_progress)
        if self._parent is not None:
            self._parent.advance(size, resumed=resumed)

    def start_verifying(self) -> None:
        """Report that all bytes were transferred and are being verified."""
        self.state = "verifying"
        self._notify(self._every_change)

    def restart(self) -> None:
        """Reset the counts to zero, for another attempt."""
        if self._parent is not None:
            self._parent.advance(-self.bytes_done)
        self.bytes_done = self.resumed_bytes = self.parts_done = 0
        self._notify(self._on_progress)

    async def wait_if_paused(self) -> None:
        """Wait while this transfer or its directory is paused."""
        while self._paused is not None:
            await self._paused.wait()
        if self._parent is not None:
            await self._parent.wait_if_paused()

    def _notify(self, runners: list[_CallbackRunner]) -> None:
        if runners:
            progress = self.progress
            for runner in runners:
                runner.notify(progress)

    # -- for the user, through `TransferHandle` -------------------------------------------------------------------

    def pause(self) -> None:
        """Start no new parts or files. Those in flight are finished."""
        if self._paused is None and self.state in ("queued", "running"):
            self._paused = asyncio.Event()
            self.state = "paused"
            self._notify(self._every_change)

    def resume(self) -> None:
        """Continue after `pause`."""
        if self._paused is not None:
            self._paused.set()
            self._paused = None
            self.state = "running"
            self._notify(self._every_change)

    # -- beginning and end ----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def run(self, timeout: float | None, what: str) -> AsyncGenerator[None]:
        """Report beginning and end of a transfer, and enforce its deadline.

        Raises `RequestTimeoutError` after `timeout` seconds.

        `what` names the transfer in that error.
        """
        self._notify(self._on_queued)
        deadline = asyncio.timeout(timeout)
        try:
            async with deadline:
                yield
        except BaseException as error:
            # A source may raise a TimeoutError of its own, which must reach the caller as it is.
            late = deadline.expired() and isinstance(error, TimeoutError) and not isinstance(error, RequestTimeoutError)
            reported = RequestTimeoutError(f"{what}: not done within {timeout:g} s", sent=True) if late else error
            cancelled = isinstance(error, asyncio.CancelledError)
            await self._end(
                "cancelled" if cancelled else "failed",
                reported,
                _CALLBACK_TIMEOUT_AFTER_CANCEL if cancelled or late else _CALLBACK_TIMEOUT,
            )
            if reported is not error:
                raise reported from error
            raise
        if self._parent is not None:
            self._parent.advance(0, parts=1)
        await self._end("done", None, _CALLBACK_TIMEOUT)

    async def _end(self, state: State, error: BaseException | None, callback_timeout: float) -> None:
        if self._paused is not None:
            self._paused.set()
            self._paused = None
        self.state, self.error = state, error
        self._notify(self._on_done)
        runners = {id(one): one for one in (*self._on_queued, *self._on_progress, *self._on_done)}.values()
        if tasks := [one.task for one in runners if one.task is not None and not one.task.done()]:
            # A cancel ends the wait, and not the tasks: `asyncio.wait` does not cancel them.
            await asyncio.wait(tasks, timeout=callback_timeout)
