"""Subscribers of a transfer: callbacks for its start, its progress and its end.

A subscriber is an object whose methods are called when the transfer is queued, makes progress, or ends. The methods run in the
event loop and may be async. An async method is awaited before its next call; the progress made meanwhile is reported in one
call.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, ClassVar

from aiocos.ibm_boto3.exceptions import BotoCoreError
from aiocos.ibm_boto3.s3.futures import TransferFuture, running_done_callbacks
from aiocos.transfer.progress import Progress

_log = logging.getLogger("aiocos.ibm_boto3")


class InvalidSubscriberMethodError(BotoCoreError):
    """A subscriber's method is not callable or doesn't accept `**kwargs`."""


class BaseSubscriber:
    """Base class of subscribers: override the methods you need.

    Each method has to accept further keyword arguments (`**kwargs`).
    """

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
        """Handle that the transfer was queued. An exception fails the transfer."""

    def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> Any:
        """Handle progress. An exception fails the transfer.

        Args:
            future: Future of the transfer.
            bytes_transferred: Bytes since the last call; negative if bytes have to be sent again.
            **kwargs: Reserved for later versions.
        """

    def on_done(self, future: Any, **kwargs: Any) -> Any:
        """Handle the end of the transfer: completed, failed or cancelled.

        An exception is logged.
        """


class ProgressCallbackInvoker(BaseSubscriber):
    """Subscriber that passes the bytes since the last call to a function.

    The function may be plain or async.
    """

    def __init__(self, callback: Callable[[int], object]) -> None:
        self._callback = callback

    def on_progress(self, bytes_transferred: int, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Call the function."""
        return self._callback(bytes_transferred)


class SubscriberNotifier:
    """Calls the subscribers of one transfer.

    Args:
        future: Future of the transfer.
        subscribers: The subscribers.
        strict: Fail the transfer if a subscriber raises before its end; otherwise the exception is logged.
        cumulative: Report all bytes so far; otherwise those since the last call.
    """

    def __init__(self, future: TransferFuture, subscribers: Iterable[Any], *, strict: bool = True, cumulative: bool = False):
        self._future = future
        self._subscribers = list(subscribers)
        self._strict = strict
        self._listeners = [
            _ProgressListener(self._progress_call(method), self._failed, cumulative) for method in self._methods("on_progress")
        ]
        self._done_task: asyncio.Task[None] | None = None
        self.error: Exception | None = None
        """Exception of a subscriber that fails the transfer; None if there is none."""

    def _methods(self, name: str) -> Iterator[Callable[..., Any]]:
        for subscriber in self._subscribers:
            if (method := getattr(subscriber, name, None)) is not None:
                yield method

    def _progress_call(self, method: Callable[..., Any]) -> Callable[[int], Any]:
        return lambda amount: method(future=self._future, bytes_transferred=amount)

    def _failed(self, error: Exception) -> None:
        if not self._strict:
            _log.error("a subscriber of %s failed", self._future.handle, exc_info=error)
        elif self.error is None:
            self.error = error
            self._future.handle.cancel()

    async def notify_queued(self) -> None:
        """Call `on_queued` of all subscribers."""
        for method in self._methods("on_queued"):
            try:
                result = method(future=self._future)
                if inspect.isawaitable(result):
                    await result
            except Exception as error:
                if self._strict:
                    raise
                self._failed(error)

    def on_progress(self, progress: Progress) -> None:
        """Call `on_progress` of all subscribers: the progress callback of the transfer."""
        if progress.bytes_total is not None:
            self._future.meta.provide_transfer_size(progress.bytes_total)
        for listener in self._listeners:
            if self.error is None:
                listener.report(progress.bytes_done)

    async def wait_for_progress(self) -> None:
        """Wait until all progress is reported."""
        for listener in self._listeners:
            while self.error is None and listener.task is not None and not listener.task.done():
                await asyncio.wait([listener.task])

    async def cancel_progress(self) -> None:
        """Cancel progress calls that are still running: the transfer has failed."""
        if running := [one.task for one in self._listeners if one.task is not None and not one.task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

    def notify_done(self, then: Callable[[], None]) -> None:
        """Call `on_done` of all subscribers, and then `then`."""
        awaitables: list[Awaitable[Any]] = []
        for method in self._methods("on_done"):
            try:
                result = method(future=self._future)
                if inspect.isawaitable(result):
                    awaitables.append(result)
            except Exception:
                _log.exception("a subscriber of %s failed", self._future.handle)
        if not awaitables:
            then()
            return
        self._done_task = asyncio.ensure_future(self._await_done_callbacks(awaitables))
        self._done_task.add_done_callback(lambda _: then())

    async def _await_done_callbacks(self, awaitables: list[Awaitable[Any]]) -> None:
        running_done_callbacks.set(running_done_callbacks.get() | {self._future})
        for awaitable in awaitables:
            try:
                await awaitable
            except Exception:
                _log.exception("a subscriber of %s failed", self._future.handle)


class _ProgressListener:
    """Calls `on_progress` of one subscriber; a task awaits it if it is async."""

    __slots__ = ("_bytes", "_call", "_cumulative", "_failed", "_reported", "task")

    def __init__(self, call: Callable[[int], Any], failed: Callable[[Exception], None], cumulative: bool) -> None:
        self._call = call
        self._failed = failed
        self._cumulative = cumulative
        self._bytes = self._reported = 0
        self.task: asyncio.Task[None] | None = None

    def report(self, bytes_done: int) -> None:
        """Report the bytes so far, now or when the running call has ended."""
        self._bytes = bytes_done
        if self.task is None or self.task.done():
            awaitable = self._report_new()
            if awaitable is not None:
                self.task = asyncio.ensure_future(self._await_calls(awaitable))

    def _report_new(self) -> Awaitable[Any] | None:
        """Call the subscriber if there are new bytes; return what has to be awaited."""
        moved, self._reported = self._bytes - self._reported, self._bytes
        if not moved:
            return None
        try:
            result = self._call(self._bytes if self._cumulative else moved)
        except Exception as error:
            self._failed(error)
            return None
        return result if inspect.isawaitable(result) else None

    async def _await_calls(self, awaitable: Awaitable[Any] | None) -> None:
        while awaitable is not None:
            try:
                await awaitable
            except Exception as error:
                self._failed(error)
                return
            awaitable = self._report_new()
