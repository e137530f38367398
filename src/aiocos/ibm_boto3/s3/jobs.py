"""What managers of transfers have in common: many are asked for, some run at once, and at the end all are waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, ClassVar, Generic, NoReturn, Protocol, Self, TypeVar

from aiocos.client import Client
from aiocos.errors import CosError, OutcomeUnknown, ServiceError, TransferError
from aiocos.ibm_boto3.exceptions import meaning
from aiocos.ibm_boto3.s3.futures import CancelledError, FatalError, TransferFuture
from aiocos.ibm_boto3.s3.subscribers import Telling
from aiocos.transfer.manager import manager_of
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.results import leaves


class Face(Protocol):
    """What transfers ask of the client: the typed one underneath."""

    typed: Client


F = TypeVar("F", bound=TransferFuture)

Work = Callable[[Monitor], Awaitable[object]]
"""Carries a transfer out, and lets the monitor know how far it is."""


def told(error: CosError) -> CosError:
    """Return the error of botocore that the failure of a transfer is: where parts failed, that of the part."""
    cause = error.__cause__
    if isinstance(error, TransferError) and not isinstance(error, OutcomeUnknown) and isinstance(cause, BaseExceptionGroup):
        causes = [leaf for leaf in leaves(cause) if isinstance(leaf, CosError)]  # pyright: ignore[reportUnknownArgumentType]
        first = next((leaf for leaf in causes if isinstance(leaf, ServiceError)), causes[0] if causes else error)
        return meaning(first)
    return meaning(error)


class Jobs(Generic[F]):
    """The transfers of one manager."""

    _telling: ClassVar[dict[str, Any]] = {}

    def __init__(self, client: Face, places: int) -> None:
        self._client = client
        self._manager = manager_of(client.typed)
        # Who comes first is served first, however many places the transfers take.
        self._places = MemoryBudget(places)
        self._futures: set[F] = set()
        self._waiting: set[F] = set()

    @property
    def client(self) -> Face:
        """The client it works with."""
        return self._client

    def _submit(self, future: F, work: Work, subscribers: Iterable[Any] | None, name: tuple[str, str], places: int = 1) -> F:
        """Have a transfer carried out when it is its turn."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("transfers run in an event loop: begin them within a coroutine") from None
        telling = Telling(future, subscribers or (), **self._telling)
        monitor = Monitor(ProgressCallbacks(on_progress=telling.progress), *name)
        handle = self._manager.start(self._carry_out(future, work, telling, monitor, places), monitor)
        future.begin(handle)
        self._futures.add(future)
        self._waiting.add(future)

        def ended() -> None:
            self._futures.discard(future)
            # One that is cancelled before its first step runs none of its code.
            self._waiting.discard(future)
            future.told.set()

        handle.task.add_done_callback(lambda _: telling.done(ended))
        return future

    async def _carry_out(self, future: F, work: Work, telling: Telling, monitor: Monitor, places: int) -> None:
        try:
            await telling.queued()
            taken = await self._places.acquire(places)
            self._waiting.discard(future)
            try:
                await monitor.wait_if_paused()
                await work(monitor)
            finally:
                self._places.release(taken)
            await telling.settled()
        except asyncio.CancelledError:
            await telling.dropped()
            if telling.error is None:
                raise
        except CosError as error:
            await telling.dropped()
            if (meant := self._meaning(error)) is error:
                raise
            raise meant from error
        except BaseException:
            await telling.dropped()
            raise
        if telling.error is not None:
            raise telling.error

    def _meaning(self, error: CosError) -> CosError:
        return told(error)

    # -- the end --------------------------------------------------------------------------------------------------

    async def _drain(self, reason: CancelledError | None = None) -> None:
        """Wait for all transfers, cancelled for a reason where there is one. A cancel of this cancels them."""
        if reason is not None:
            self._end(reason)
        try:
            await self._drained()
        except asyncio.CancelledError:
            self._end(CancelledError())
            await self._drained()
            raise

    def _end(self, reason: CancelledError) -> None:
        for future in list(self._futures):
            future.end(reason)

    async def _drained(self) -> None:
        while self._futures:
            await next(iter(self._futures)).told.wait()

    async def shutdown(self, cancel: bool = False, cancel_msg: str = "") -> None:
        """Wait for all transfers; with `cancel`, cancel them first. Their errors are for those who ask for their results."""
        await self._drain(CancelledError(cancel_msg) if cancel else None)

    def __enter__(self) -> NoReturn:
        raise TypeError("leaving the manager waits for its transfers: write `async with`")

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
        self._end(FatalError(str(error) or repr(error)) if isinstance(error, Exception) else CancelledError(repr(error)))
        await self.shutdown()
