"""Transfers that were asked for: their future, and what is known of them."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any

from aiocos.ibm_boto3.exceptions import BotoCoreError
from aiocos.transfer.handle import TransferHandle


class CancelledError(BotoCoreError, concurrent.futures.CancelledError):
    """The transfer was cancelled: by its future, by its manager, by the end of its client."""

    def __init__(self, message: str = "the transfer was cancelled") -> None:
        super().__init__(message or "the transfer was cancelled")


class FatalError(CancelledError):
    """The transfer was cancelled because of an error in the manager's context."""


class TransferNotDoneError(BotoCoreError):
    """The transfer goes on."""


class CallArgs:
    """What a transfer was asked: the arguments of the manager's method as attributes."""

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__.update(kwargs)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the call has no {name}; it has {', '.join(self.__dict__)}")


class TransferMeta:
    """What is known of a transfer."""

    def __init__(self, call_args: CallArgs | None = None, transfer_id: int | str | None = None) -> None:
        self._call_args = call_args
        self._transfer_id = transfer_id
        self._user_context: dict[Any, Any] = {}
        self._size: int | None = None

    @property
    def call_args(self) -> Any:
        """What it was asked."""
        return self._call_args

    @property
    def transfer_id(self) -> int | str | None:
        """Its id within the manager."""
        return self._transfer_id

    @property
    def user_context(self) -> dict[Any, Any]:
        """A dictionary of the user's."""
        return self._user_context

    @property
    def size(self) -> int | None:
        """Its size in bytes, as soon as it is known."""
        return self._size

    def provide_transfer_size(self, size: int | None) -> None:
        """Set the size that is shown. The transfer finds out for itself: it costs no request."""
        self._size = size


# The futures whose `on_done` the running code belongs to: it would wait for itself.
announcing: ContextVar[frozenset[TransferFuture]] = ContextVar("announcing", default=frozenset())


class TransferFuture:
    """A transfer under way: `await future.result()`, or `await future`.

    A cancel of who waits cancels the transfer. A failed one that nobody asks for is told of in asyncio's log.
    """

    def __init__(self, meta: TransferMeta) -> None:
        self._meta = meta
        self._handle: TransferHandle[None] | None = None
        self._reason: CancelledError | None = None
        self._instead: BaseException | None = None
        self.told = asyncio.Event()
        """Set when the transfer has ended and its subscribers have heard of it."""

    def begin(self, handle: TransferHandle[None]) -> None:
        """Be the future of a transfer."""
        self._handle = handle

    @property
    def handle(self) -> TransferHandle[None]:
        """The transfer that runs."""
        assert self._handle is not None
        return self._handle

    @property
    def meta(self) -> TransferMeta:
        """What is known of the transfer."""
        return self._meta

    def done(self) -> bool:
        """Whether it has ended, however."""
        return self.handle.done()

    async def result(self) -> None:
        """Wait for the end. Raises what ended the transfer, `CancelledError` where it was cancelled."""
        task = self.handle.task
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # nobody else may ask for it
            raise
        if self not in announcing.get():
            await self.told.wait()
        if (error := self.error) is not None:
            raise error

    def __await__(self) -> Generator[Any, Any, None]:
        return self.result().__await__()

    @property
    def error(self) -> BaseException | None:
        """What `result` raises; None for a success, and before the end."""
        task = self.handle.task
        if self._instead is not None or not task.done():
            return self._instead
        return (self._reason or CancelledError()) if task.cancelled() else task.exception()

    def cancel(self) -> bool:
        """Give it up; False where it has ended. What it leaves is taken back, and its end is to be waited for."""
        return self.end(CancelledError())

    def end(self, reason: CancelledError) -> bool:
        """Cancel for a reason; False where it has ended."""
        if self.done():
            return False
        self._reason = self._reason or reason
        self.handle.cancel()
        return True

    def set_exception(self, exception: BaseException) -> None:
        """Set what `result` raises in place of what it would; raises `TransferNotDoneError` before the end."""
        if not self.done():
            raise TransferNotDoneError("the transfer goes on: set_exception is for after its end")
        self._instead = exception
