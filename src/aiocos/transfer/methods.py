"""The methods of a client that transfer: `client.upload`, `client.download` and their kin.

Their parameters are stated like those of operations, once, on the class that carries them, with the same sets of headers. Each
has a twin that returns at once with a `Handle`: `client.start_upload`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from aiocos.groups import Service
from aiocos.transfer.budget import Budget
from aiocos.transfer.cleaning import FailedAbort, failed_aborts
from aiocos.transfer.copies import copy
from aiocos.transfer.directory import DownloadDirectory, UploadDirectory, download_directory, upload_directory
from aiocos.transfer.download import Download, download
from aiocos.transfer.handle import Handle
from aiocos.transfer.monitor import Monitor, Observed
from aiocos.transfer.planning import SyncAction
from aiocos.transfer.sides import is_remote
from aiocos.transfer.stated import Copy, Upload
from aiocos.transfer.sync import Sync, plan, sync
from aiocos.transfer.upload import upload
from aiocos.wire.method import Group, Method

R = TypeVar("R", bound=Observed)
T = TypeVar("T")


class Desk:
    """What all transfers of a client share: the service, and for each event loop a memory budget and what was started there."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._budgets: WeakKeyDictionary[asyncio.AbstractEventLoop, Budget] = WeakKeyDictionary()
        self._started: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Task[Any]]] = WeakKeyDictionary()

    @property
    def budget(self) -> Budget:
        """The budget of the running loop."""
        loop = asyncio.get_running_loop()
        budget = self._budgets.get(loop)
        if budget is None:
            budget = self._budgets[loop] = Budget(self.service.engine.config.transfer.memory)
        return budget

    def start(self, work: Coroutine[Any, Any, T], monitor: Monitor) -> Handle[T]:
        """Run a transfer in a task of its own, until the client is closed."""
        handle = Handle(work, monitor)
        started = self._started.setdefault(asyncio.get_running_loop(), set())
        started.add(handle.task)
        handle.task.add_done_callback(started.discard)
        return handle

    async def end(self) -> None:
        """Cancel the transfers that were started in the running loop, and wait for them."""
        if running := set(self._started.get(asyncio.get_running_loop(), ())):
            for task in running:
                task.cancel()
            await asyncio.wait(running)


def _plan(desk: Desk, request: Sync) -> AsyncGenerator[SyncAction]:
    return plan(desk.service, request)


class _Kind(Generic[R, T]):
    """One kind of transfer, to be carried out at once or beside the program."""

    def __init__(
        self, work: Callable[[Service, Budget, R, Monitor], Coroutine[Any, Any, T]], watch: Callable[[R], Monitor]
    ) -> None:
        self._work = work
        self._watch = watch

    def run(self, desk: Desk, request: R) -> Coroutine[Any, Any, T]:
        """Carry it out."""
        return self._work(desk.service, desk.budget, request, self._watch(request))

    def start(self, desk: Desk, request: R) -> Handle[T]:
        """Have it carried out."""
        monitor = self._watch(request)
        return desk.start(self._work(desk.service, desk.budget, request, monitor), monitor)


def _object(request: Upload | Download | Copy) -> Monitor:
    return Monitor(request, request.bucket, request.key)


def _prefix(request: UploadDirectory | DownloadDirectory) -> Monitor:
    return Monitor(_of_the_whole(request), request.bucket, request.prefix)


def _place(request: Sync) -> Monitor:
    remote = next((str(p) for p in (request.target, request.source) if is_remote(p)), "")
    bucket, _, prefix = remote.removeprefix("cos://").partition("/")
    return Monitor(_of_the_whole(request), bucket, prefix and prefix.rstrip("/") + "/")


def _of_the_whole(request: Observed) -> Observed:
    return Observed(on_queued=request.on_queued, on_progress=request.on_progress, on_done=request.on_done)


_UPLOAD = _Kind(upload, _object)
_DOWNLOAD = _Kind(download, _object)
_COPY = _Kind(copy, _object)
_UPLOAD_DIRECTORY = _Kind(upload_directory, _prefix)
_DOWNLOAD_DIRECTORY = _Kind(download_directory, _prefix)
_SYNC = _Kind(sync, _place)


class Transfers(Group[Desk]):
    """Objects of any size, and directories of them."""

    upload = Method(Upload, _UPLOAD.run)
    start_upload = Method(Upload, _UPLOAD.start)
    download = Method(Download, _DOWNLOAD.run)
    start_download = Method(Download, _DOWNLOAD.start)
    copy = Method(Copy, _COPY.run)
    start_copy = Method(Copy, _COPY.start)
    upload_directory = Method(UploadDirectory, _UPLOAD_DIRECTORY.run)
    start_upload_directory = Method(UploadDirectory, _UPLOAD_DIRECTORY.start)
    download_directory = Method(DownloadDirectory, _DOWNLOAD_DIRECTORY.run)
    start_download_directory = Method(DownloadDirectory, _DOWNLOAD_DIRECTORY.start)
    sync = Method(Sync, _SYNC.run)
    start_sync = Method(Sync, _SYNC.start)
    sync_plan = Method(Sync, _plan)
    """What `sync` would do, as it is found out: `async for action in client.sync_plan(...)`."""

    @property
    def failed_aborts(self) -> tuple[FailedAbort, ...]:
        """Uploads that were given up and could not be aborted: they may be open still, and cost money.

        The latest 10,000, in the order of their failures. Each was logged; a client that is closed logs how many there are.
        """
        return failed_aborts(self.caller.service)
