"""Those who hear of a transfer: when it is queued, when bytes have moved, when it is done.

Their methods run in the event loop, and may be coroutine functions: these are awaited, one call at a time for each, and the
bytes that move meanwhile are told together.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, ClassVar

from aiocos.ibm_boto3.exceptions import BotoCoreError
from aiocos.ibm_boto3.s3.futures import TransferFuture, announcing
from aiocos.transfer.progress import Progress

_log = logging.getLogger("aiocos.ibm_boto3")


class InvalidSubscriberMethodError(BotoCoreError):
    """A method of a subscriber that cannot be called as it would be."""


class BaseSubscriber:
    """Hears of transfers: derive, and override what you want to hear. All methods take further keyword arguments."""

    VALID_SUBSCRIBER_TYPES: ClassVar[list[str]] = ["queued", "progress", "done"]

    def __new__(cls, *args: Any, **kwargs: Any) -> BaseSubscriber:  # noqa: D102
        for kind in cls.VALID_SUBSCRIBER_TYPES:
            method = getattr(cls, f"on_{kind}")
            if not callable(method):
                raise InvalidSubscriberMethodError(f"Subscriber method {method} must be callable.")
            if not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(method).parameters.values()):
                raise InvalidSubscriberMethodError(f"Subscriber method {method} must accept keyword arguments (**kwargs)")
        return super().__new__(cls)

    def on_queued(self, future: Any, **kwargs: Any) -> Any:
        """Hear that the transfer waits for its turn. What this raises ends it."""

    def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> Any:
        """Hear of bytes that have moved since the last call: fewer than none where they have to move again.

        What this raises ends the transfer.
        """

    def on_done(self, future: Any, **kwargs: Any) -> Any:
        """Hear that the transfer has ended, however. What this raises is logged."""


class ProgressCallbackInvoker(BaseSubscriber):
    """Calls a function, or awaits a coroutine function, with the bytes that have moved since the last call."""

    def __init__(self, callback: Callable[[int], object]) -> None:
        self._callback = callback

    def on_progress(self, bytes_transferred: int, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Call it."""
        return self._callback(bytes_transferred)


class Telling:
    """Tells the subscribers of one transfer.

    `strict`: what they raise before the end ends the transfer, and is its error; else it is logged. `cumulative`: they hear of
    all bytes that have moved, and not of those since the last call.
    """

    def __init__(self, future: TransferFuture, subscribers: Iterable[Any], *, strict: bool = True, cumulative: bool = False):
        self._future = future
        self._subscribers = list(subscribers)
        self._strict = strict
        self._ears = [_Ear(self._progress(method), self._failed, cumulative) for method in self._methods("on_progress")]
        self._announced: asyncio.Task[None] | None = None
        self.error: Exception | None = None

    def _methods(self, name: str) -> Iterator[Callable[..., Any]]:
        for subscriber in self._subscribers:
            if (method := getattr(subscriber, name, None)) is not None:
                yield method

    def _progress(self, method: Callable[..., Any]) -> Callable[[int], Any]:
        return lambda amount: method(future=self._future, bytes_transferred=amount)

    def _failed(self, error: Exception) -> None:
        if not self._strict:
            _log.error("a subscriber of %s failed", self._future.handle, exc_info=error)
        elif self.error is None:
            self.error = error
            self._future.handle.cancel()

    async def queued(self) -> None:
        """Tell that it waits for its turn."""
        for method in self._methods("on_queued"):
            try:
                answer = method(future=self._future)
                if inspect.isawaitable(answer):
                    await answer
            except Exception as error:
                if self._strict:
                    raise
                self._failed(error)

    def progress(self, progress: Progress) -> None:
        """Tell how far it is: an observer of the transfer."""
        if progress.bytes_total is not None:
            self._future.meta.provide_transfer_size(progress.bytes_total)
        for ear in self._ears:
            if self.error is None:
                ear.hear(progress.bytes_done)

    async def settled(self) -> None:
        """Wait until all have heard of all bytes."""
        for ear in self._ears:
            while self.error is None and ear.busy is not None and not ear.busy.done():
                await asyncio.wait([ear.busy])

    async def dropped(self) -> None:
        """Stop those who are still listening: the transfer has failed."""
        if busy := [ear.busy for ear in self._ears if ear.busy is not None and not ear.busy.done()]:
            for task in busy:
                task.cancel()
            await asyncio.wait(busy)

    def done(self, then: Callable[[], None]) -> None:
        """Tell of the end, and then call `then`."""
        answers: list[Awaitable[Any]] = []
        for method in self._methods("on_done"):
            try:
                answer = method(future=self._future)
                if inspect.isawaitable(answer):
                    answers.append(answer)
            except Exception:
                _log.exception("a subscriber of %s failed", self._future.handle)
        if not answers:
            then()
            return
        self._announced = asyncio.ensure_future(self._announce(answers))
        self._announced.add_done_callback(lambda _: then())

    async def _announce(self, answers: list[Awaitable[Any]]) -> None:
        announcing.set(announcing.get() | {self._future})
        for answer in answers:
            try:
                await answer
            except Exception:
                _log.exception("a subscriber of %s failed", self._future.handle)


class _Ear:
    """One who hears of bytes, and the task in which a coroutine of theirs runs."""

    __slots__ = ("_cumulative", "_failed", "_now", "_tell", "_told", "busy")

    def __init__(self, tell: Callable[[int], Any], failed: Callable[[Exception], None], cumulative: bool) -> None:
        self._tell = tell
        self._failed = failed
        self._cumulative = cumulative
        self._now = self._told = 0
        self.busy: asyncio.Task[None] | None = None

    def hear(self, now: int) -> None:
        """Hear that so many bytes have moved."""
        self._now = now
        if self.busy is None or self.busy.done():
            answer = self._say()
            if answer is not None:
                self.busy = asyncio.ensure_future(self._listen(answer))

    def _say(self) -> Awaitable[Any] | None:
        """Tell what is new; return what is to be awaited."""
        moved, self._told = self._now - self._told, self._now
        if not moved:
            return None
        try:
            answer = self._tell(self._now if self._cumulative else moved)
        except Exception as error:
            self._failed(error)
            return None
        return answer if inspect.isawaitable(answer) else None

    async def _listen(self, answer: Awaitable[Any] | None) -> None:
        while answer is not None:
            try:
                await answer
            except Exception as error:
                self._failed(error)
                return
            answer = self._say()
