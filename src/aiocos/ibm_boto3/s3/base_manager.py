"""The base class of transfer managers.

A manager has a queue of transfers and limits the number that runs at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Protocol, Self, TypeVar

from aiocos.client import Client
from aiocos.errors import CosError, OutcomeUnknown, ServiceError, TransferError
from aiocos.ibm_boto3.exceptions import to_botocore_error
from aiocos.ibm_boto3.s3.futures import CancelledError, FatalError, TransferFuture
from aiocos.ibm_boto3.s3.subscribers import SubscriberNotifier
from aiocos.transfer.manager import manager_of
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.results import leaves


class ClientLike(Protocol):
    """A client that transfers can use: one with a typed client."""

    typed: Client
    """The typed client that sends the requests."""


F = TypeVar("F", bound=TransferFuture)

Work = Callable[[Monitor], Awaitable[object]]
"""Coroutine function that carries out a transfer and reports its progress to the monitor."""


def translate_transfer_error(error: CosError) -> CosError:
    """Return the botocore exception for the failure of a transfer.

    If parts failed, it is that of the first part that got an error from the service, or else of the first error.
    """
    cause = error.__cause__
    if isinstance(error, TransferError) and not isinstance(error, OutcomeUnknown) and isinstance(cause, BaseExceptionGroup):
        causes = [leaf for leaf in leaves(cause) if isinstance(leaf, CosError)]  # pyright: ignore[reportUnknownArgumentType]
        first = next((leaf for leaf in causes if isinstance(leaf, ServiceError)), causes[0] if causes else error)
        return to_botocore_error(first)
    return to_botocore_error(error)


class BaseTransferManager(Generic[F]):
    """A queue of transfers, of which a limited number runs at once."""

    _notifier_options: ClassVar[dict[str, Any]] = {}

    def __init__(self, client: ClientLike, slots: int) -> None:
        self._client = client
        self._manager = manager_of(client.typed)
        # First come, first served, however many slots each transfer takes.
        self._slots = MemoryBudget(slots)
        self._futures: set[F] = set()
        self._waiting: set[F] = set()

    @property
    def client(self) -> ClientLike:
        """Client that sends the requests."""
        return self._client

    def _submit(self, future: F, work: Work, subscribers: Iterable[Any] | None, name: tuple[str, str], slots: int = 1) -> F:
        """Queue a transfer and return its future.

        Raises:
            RuntimeError: No event loop is running.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("transfers run in an event loop: start them in a coroutine") from None
        notifier = SubscriberNotifier(future, subscribers or (), **self._notifier_options)
        monitor = Monitor(ProgressCallbacks(on_progress=notifier.on_progress), *name)
        handle = self._manager.start(self._carry_out(future, work, notifier, monitor, slots), monitor)
        future.attach(handle)
        self._futures.add(future)
        self._waiting.add(future)

        def finish() -> None:
            self._futures.discard(future)
            # A task that is cancelled before its first step runs none of its code, so it may still be here.
            self._waiting.discard(future)
            future.finished.set()

        handle.task.add_done_callback(lambda _: notifier.notify_done(finish))
        return future

    async def _carry_out(self, future: F, work: Work, notifier: SubscriberNotifier, monitor: Monitor, slots: int) -> None:
        try:
            await notifier.notify_queued()
            taken = await self._slots.acquire(slots)
            self._waiting.discard(future)
            try:
                await monitor.wait_if_paused()
                await work(monitor)
            finally:
                self._slots.release(taken)
            await notifier.wait_for_progress()
        except asyncio.CancelledError:
            await notifier.cancel_progress()
            if notifier.error is None:
                raise
        except CosError as error:
            await notifier.cancel_progress()
            if (translated := self._translate(error)) is error:
                raise
            raise translated from error
        except BaseException:
            await notifier.cancel_progress()
            raise
        if notifier.error is not None:
            raise notifier.error

    def _translate(self, error: CosError) -> CosError:
        return translate_transfer_error(error)

    # -- shutdown -------------------------------------------------------------------------------------------------

    async def _drain(self, reason: CancelledError | None = None) -> None:
        """Wait for all transfers to end.

        If a reason is given, the transfers are cancelled first. If this wait is cancelled, they are cancelled too.
        """
        if reason is not None:
            self._cancel_all(reason)
        try:
            await self._wait_for_all()
        except asyncio.CancelledError:
            self._cancel_all(CancelledError())
            await self._wait_for_all()
            raise

    def _cancel_all(self, reason: CancelledError) -> None:
        for future in list(self._futures):
            future.cancel_because(reason)

    async def _wait_for_all(self) -> None:
        while self._futures:
            await next(iter(self._futures)).finished.wait()

    async def shutdown(self, cancel: bool = False, cancel_msg: str = "") -> None:
        """Wait for all transfers. Their errors are raised by their futures only.

        Args:
            cancel: Cancel all transfers first.
            cancel_msg: Message of the `CancelledError` that the futures of cancelled transfers raise.
        """
        await self._drain(CancelledError(cancel_msg) if cancel else None)

    if not TYPE_CHECKING:  # checkers refuse the statement themselves

        def __enter__(self) -> NoReturn:
            raise TypeError("a manager waits for its transfers with `await`: write `async with`")

        def __exit__(self, *_: object) -> None:
            return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.shutdown()
            return
        self._cancel_all(FatalError(str(error) or repr(error)) if isinstance(error, Exception) else CancelledError(repr(error)))
        await self.shutdown()
