"""What is seen of a transfer while it runs, and the one hand that may hold it: counts, observers, pause.

A monitor counts for one transfer and tells whoever observes it. Observers are users' code: they may be slow, may be coroutines,
may raise. So a coroutine runs in a task beside the transfer, one at a time for each observer, and of the progress that comes
meanwhile only the newest is told; what an observer raises is logged, and ends nothing.

The monitor of a directory is the parent of its files': their bytes count for it, and its pause holds them all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias

from aiocos.errors import RequestTimeoutError, printable

State = Literal["queued", "running", "paused", "verifying", "done", "failed", "cancelled"]

_log = logging.getLogger("aiocos.transfer")
# Seconds that a transfer waits at its end for observers that are coroutines.
_LAST_WORDS = 10.0
# The same after a cancel, or when its deadline has passed: the caller is waiting to be told.
_IN_TIME = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is. Bytes and parts are cumulative; a total is None where it is not known.

    Of a directory as a whole, parts are files. `bytes_kept` are those of `bytes_done` that an earlier run had transferred.
    `error` is what ended a transfer that failed.
    """

    bucket: str
    key: str
    state: State
    bytes_done: int
    bytes_total: int | None
    parts_done: int
    parts_total: int | None
    bytes_kept: int = 0
    error: BaseException | None = None


Observer: TypeAlias = Callable[[Progress], Awaitable[object] | None]
"""Told of progress, in the event loop: a function, which must not block, or a coroutine function."""


@dataclass(repr=False, slots=True)
class ProgressCallbacks:
    """What all transfers have for those who watch: `progress` hears of everything, the others of their moment.

    `on_queued` hears when the transfer begins, `on_progress` when bytes have moved, `on_done` once at its end, however that is:
    `state` and `error` say. A transfer waits ten seconds for coroutines among them at its end; after a cancel, or when its
    deadline has passed, a quarter of a second, and they go on by themselves.
    """

    _: KW_ONLY
    progress: Observer | None = None
    on_queued: Observer | None = None
    on_progress: Observer | None = None
    on_done: Observer | None = None


class _Listener:
    """One observer, and the task in which it listens where it is a coroutine."""

    __slots__ = ("_newest", "_observer", "busy")

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._newest: Progress | None = None
        self.busy: asyncio.Task[None] | None = None

    def tell(self, progress: Progress) -> None:
        if self.busy is not None and not self.busy.done():
            self._newest = progress
            return
        try:
            answer = self._observer(progress)
            if answer is not None:
                self.busy = asyncio.ensure_future(self._listen(answer, progress))
        except Exception:
            _failed(progress)

    async def _listen(self, answer: Awaitable[object] | None, progress: Progress) -> None:
        while True:
            try:
                if answer is not None:
                    await answer
            except Exception:
                _failed(progress)
            if self._newest is None:
                return
            progress, self._newest = self._newest, None
            answer = None  # what was awaited may not be awaited again
            try:
                answer = self._observer(progress)
            except Exception:
                _failed(progress)


def _failed(progress: Progress) -> None:
    _log.exception("an observer of %s/%s failed", progress.bucket, printable(progress.key))


class Monitor:
    """Counts for one transfer, tells its observers, and holds it while it is paused."""

    def __init__(self, observed: ProgressCallbacks, bucket: str, key: str, parent: Monitor | None = None) -> None:
        def listener(observer: Observer | None) -> list[_Listener]:
            return [] if observer is None else [_Listener(observer)]

        everything = listener(observed.progress)
        self._queued = everything + listener(observed.on_queued)
        self._moved = everything + listener(observed.on_progress)
        self._done = everything + listener(observed.on_done)
        self._everything = everything
        self._bucket = bucket
        self._key = key
        self._parent = parent
        self._paused: asyncio.Event | None = None
        self.state: State = "queued"
        self.bytes_total: int | None = None
        self.parts_total: int | None = None
        self.bytes_done = 0
        self.bytes_kept = 0
        self.parts_done = 0
        self.error: BaseException | None = None

    def of_file(self, observed: ProgressCallbacks, key: str) -> Monitor:
        """Return the monitor of one file of this directory: `progress` hears of it."""
        return Monitor(ProgressCallbacks(progress=observed.progress), self._bucket, key, parent=self)

    @property
    def progress(self) -> Progress:
        """How far the transfer is now."""
        return Progress(
            self._bucket,
            self._key,
            self.state,
            self.bytes_done,
            self.bytes_total,
            self.parts_done,
            self.parts_total,
            self.bytes_kept,
            self.error,
        )

    # -- what the transfer says -----------------------------------------------------------------------------------

    def advance(self, size: int, *, parts: int = 0, kept: bool = False) -> None:
        """Count bytes and parts, and tell. `kept`: an earlier run had transferred them."""
        self.bytes_done += size
        self.parts_done += parts
        if kept:
            self.bytes_kept += size
        if self._paused is None:
            self.state = "running"
        self._tell(self._moved)
        if self._parent is not None:
            self._parent.advance(size, kept=kept)

    def verifying(self) -> None:
        """Tell that all bytes have moved, and are being looked at."""
        self.state = "verifying"
        self._tell(self._everything)

    def restarted(self) -> None:
        """Begin to count anew."""
        if self._parent is not None:
            self._parent.advance(-self.bytes_done)
        self.bytes_done = self.bytes_kept = self.parts_done = 0
        self._tell(self._moved)

    async def wait_if_paused(self) -> None:
        """Wait while the transfer is paused, or what it belongs to."""
        while self._paused is not None:
            await self._paused.wait()
        if self._parent is not None:
            await self._parent.wait_if_paused()

    def _tell(self, listeners: list[_Listener]) -> None:
        if listeners:
            progress = self.progress
            for listener in listeners:
                listener.tell(progress)

    # -- what the user says ---------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Begin nothing new; what is on its way gets to its end."""
        if self._paused is None and self.state in ("queued", "running"):
            self._paused = asyncio.Event()
            self.state = "paused"
            self._tell(self._everything)

    def resume(self) -> None:
        """Go on."""
        if self._paused is not None:
            self._paused.set()
            self._paused = None
            self.state = "running"
            self._tell(self._everything)

    # -- beginning and end ----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def run(self, timeout: float | None, what: str) -> AsyncGenerator[None]:
        """Run a transfer: observers hear of its beginning and its end, and its deadline (seconds) is an error of ours."""
        self._tell(self._queued)
        clock = asyncio.timeout(timeout)
        try:
            async with clock:
                yield
        except BaseException as error:
            # A source may raise a TimeoutError of its own, which is the caller's to understand.
            late = clock.expired() and isinstance(error, TimeoutError) and not isinstance(error, RequestTimeoutError)
            meaning = RequestTimeoutError(f"{what}: not done within {timeout:g} s", sent=True) if late else error
            cancelled = isinstance(error, asyncio.CancelledError)
            await self._end("cancelled" if cancelled else "failed", meaning, _IN_TIME if cancelled or late else _LAST_WORDS)
            if meaning is not error:
                raise meaning from error
            raise
        if self._parent is not None:
            self._parent.advance(0, parts=1)
        await self._end("done", None, _LAST_WORDS)

    async def _end(self, state: State, error: BaseException | None, patience: float) -> None:
        if self._paused is not None:
            self._paused.set()
            self._paused = None
        self.state, self.error = state, error
        self._tell(self._done)
        listeners = {id(one): one for one in (*self._queued, *self._moved, *self._done)}.values()
        if busy := [one.busy for one in listeners if one.busy is not None and not one.busy.done()]:
            # The tasks belong to themselves: a cancel ends this waiting, not them.
            await asyncio.wait(busy, timeout=patience)
