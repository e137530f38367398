"""Futures of transfers, and what they know about their transfer."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any

from aiocos.ibm_boto3.exceptions import BotoCoreError
from aiocos.transfer.handle import TransferHandle


class CancelledError(BotoCoreError, concurrent.futures.CancelledError):
    """The transfer was cancelled by its future or manager, or its client was closed."""

    def __init__(self, message: str = "the transfer was cancelled") -> None:
        super().__init__(message or "the transfer was cancelled")


class FatalError(CancelledError):
    """The transfer was cancelled: the `async with` block of its manager raised."""


class TransferNotDoneError(BotoCoreError):
    """The transfer has not ended yet."""


class CallArgs:
    """Arguments of the call that started a transfer, as attributes."""

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__.update(kwargs)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the call has no argument {name}; it has {', '.join(self.__dict__)}")


class TransferMeta:
    """Facts about a transfer: `future.meta`."""

    def __init__(self, call_args: CallArgs | None = None, transfer_id: int | str | None = None) -> None:
        self._call_args = call_args
        self._transfer_id = transfer_id
        self._user_context: dict[Any, Any] = {}
        self._size: int | None = None

    @property
    def call_args(self) -> Any:
        """Arguments of the call that started the transfer.

        None if this object was made without them.
        """
        return self._call_args

    @property
    def transfer_id(self) -> int | str | None:
        """Id of the transfer within its manager."""
        return self._transfer_id

    @property
    def user_context(self) -> dict[Any, Any]:
        """Dictionary for the user's own data."""
        return self._user_context

    @property
    def size(self) -> int | None:
        """Size in bytes; None until it is known."""
        return self._size

    def provide_transfer_size(self, size: int | None) -> None:
        """Set `size`.

        The transfer also sets it as soon as it knows the size, so this call saves no request.
        """
        self._size = size


# Futures whose `on_done` callback is running. A callback that awaits its own future must not wait for itself.
running_done_callbacks: ContextVar[frozenset[TransferFuture]] = ContextVar("running_done_callbacks", default=frozenset())


class TransferFuture:
    """A running transfer: `await future.result()`, or `await future`.

    Cancelling the task that awaits it cancels the transfer. If it fails and nobody awaits it, asyncio logs the error.
    """

    def __init__(self, meta: TransferMeta) -> None:
        self._meta = meta
        self._handle: TransferHandle[None] | None = None
        self._reason: CancelledError | None = None
        self._replacement: BaseException | None = None
        self.finished = asyncio.Event()
        """Set when the transfer has ended and its subscribers were called."""

    def attach(self, handle: TransferHandle[None]) -> None:
        """Set the transfer that this future stands for."""
        self._handle = handle

    @property
    def handle(self) -> TransferHandle[None]:
        """Handle of the running transfer."""
        assert self._handle is not None
        return self._handle

    @property
    def meta(self) -> TransferMeta:
        """Facts about the transfer."""
        return self._meta

    def done(self) -> bool:
        """Return True if the transfer has ended: completed, failed or cancelled."""
        return self.handle.done()

    async def result(self) -> None:
        """Wait for the end of the transfer.

        Raises:
            CancelledError: The transfer was cancelled.
            Exception: The error with which the transfer failed.
        """
        task = self.handle.task
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # marked as retrieved, or asyncio would log it
            raise
        if self not in running_done_callbacks.get():
            await self.finished.wait()
        if (error := self.error) is not None:
            raise error

    def __await__(self) -> Generator[Any, Any, None]:
        return self.result().__await__()

    @property
    def error(self) -> BaseException | None:
        """Error that `result` raises; None after a success, and before the end."""
        task = self.handle.task
        if self._replacement is not None or not task.done():
            return self._replacement
        return (self._reason or CancelledError()) if task.cancelled() else task.exception()

    def cancel(self) -> bool:
        """Cancel the transfer; return False if it has ended.

        A cancelled transfer removes what it has written, and `result` waits for that.
        """
        return self.cancel_because(CancelledError())

    def cancel_because(self, reason: CancelledError) -> bool:
        """Cancel the transfer; return False if it has ended.

        `result` then raises `reason`. If the transfer is cancelled more than once, the first reason is raised.
        """
        if self.done():
            return False
        self._reason = self._reason or reason
        self.handle.cancel()
        return True

    def set_exception(self, exception: BaseException) -> None:
        """Set the exception that `result` raises, in place of the outcome.

        Raises:
            TransferNotDoneError: The transfer has not ended yet.
        """
        if not self.done():
            raise TransferNotDoneError("the transfer is still running: call set_exception after its end")
        self._replacement = exception
