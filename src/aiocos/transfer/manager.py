"""The methods of a client that transfer: `client.upload`, `client.download` and their kin.

Their parameters are stated like those of operations, once, on the class that carries them, with the same sets of headers. Each
has a twin that returns at once with a `TransferHandle`: `client.start_upload`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from aiocos.groups import Service, engine_of
from aiocos.transfer.copy.copy import copy
from aiocos.transfer.download.download import DownloadRequest, download
from aiocos.transfer.handle import TransferHandle
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.requests import CopyRequest, UploadRequest
from aiocos.transfer.results import CopyResult, DirectoryResult, DownloadResult, SyncAction, SyncResult, UploadResult
from aiocos.transfer.sync.directory import (
    DownloadDirectoryRequest,
    UploadDirectoryRequest,
    download_directory,
    upload_directory,
)
from aiocos.transfer.sync.listing import is_remote
from aiocos.transfer.sync.sync import SyncRequest, plan, sync
from aiocos.transfer.upload.abort import FailedAbort, failed_aborts
from aiocos.transfer.upload.upload import upload
from aiocos.wire.method import Group, Method

R = TypeVar("R", bound=ProgressCallbacks)
T = TypeVar("T")


class TransferManager:
    """What all transfers of a client share: the service, and for each event loop a memory budget and what was started there."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._budgets: WeakKeyDictionary[asyncio.AbstractEventLoop, MemoryBudget] = WeakKeyDictionary()
        self._started: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Task[Any]]] = WeakKeyDictionary()

    @property
    def budget(self) -> MemoryBudget:
        """The budget of the running loop."""
        loop = asyncio.get_running_loop()
        budget = self._budgets.get(loop)
        if budget is None:
            budget = self._budgets[loop] = MemoryBudget(engine_of(self.service).config.transfer.max_memory)
        return budget

    def start(self, work: Coroutine[Any, Any, T], monitor: Monitor) -> TransferHandle[T]:
        """Run a transfer in a task of its own, until the client is closed."""
        handle = TransferHandle(work, monitor)
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


def _plan(manager: TransferManager, request: SyncRequest) -> AsyncGenerator[SyncAction]:
    return plan(manager.service, request)


class _Kind(Generic[R, T]):
    """One kind of transfer, to be carried out at once or beside the program."""

    def __init__(
        self, work: Callable[[Service, MemoryBudget, R, Monitor], Coroutine[Any, Any, T]], watch: Callable[[R], Monitor]
    ) -> None:
        self._work = work
        self._watch = watch

    def run(self, manager: TransferManager, request: R) -> Coroutine[Any, Any, T]:
        """Carry it out."""
        return self._work(manager.service, manager.budget, request, self._watch(request))

    def start(self, manager: TransferManager, request: R) -> TransferHandle[T]:
        """Have it carried out."""
        monitor = self._watch(request)
        return manager.start(self._work(manager.service, manager.budget, request, monitor), monitor)


def _object(request: UploadRequest | DownloadRequest | CopyRequest) -> Monitor:
    return Monitor(request, request.bucket, request.key)


def _prefix(request: UploadDirectoryRequest | DownloadDirectoryRequest) -> Monitor:
    return Monitor(_of_the_whole(request), request.bucket, request.prefix)


def _place(request: SyncRequest) -> Monitor:
    remote = next((str(p) for p in (request.target, request.source) if is_remote(p)), "")
    bucket, _, prefix = remote.removeprefix("cos://").partition("/")
    return Monitor(_of_the_whole(request), bucket, prefix and prefix.rstrip("/") + "/")


def _of_the_whole(request: ProgressCallbacks) -> ProgressCallbacks:
    return ProgressCallbacks(on_queued=request.on_queued, on_progress=request.on_progress, on_done=request.on_done)


_UPLOAD = _Kind(upload, _object)
_DOWNLOAD = _Kind(download, _object)
_COPY = _Kind(copy, _object)
_UPLOAD_DIRECTORY = _Kind(upload_directory, _prefix)
_DOWNLOAD_DIRECTORY = _Kind(download_directory, _prefix)
_SYNC = _Kind(sync, _place)


class Transfers(Group[TransferManager]):
    """Transfers of objects of any size, and of directories."""

    noun = "Client"

    upload = Method(UploadRequest, _UPLOAD.run, UploadResult)
    start_upload = Method(UploadRequest, _UPLOAD.start, TransferHandle[UploadResult])
    """Start `upload` in the background. Returns a `TransferHandle` at once."""
    download = Method(DownloadRequest, _DOWNLOAD.run, DownloadResult)
    start_download = Method(DownloadRequest, _DOWNLOAD.start, TransferHandle[DownloadResult])
    """Start `download` in the background. Returns a `TransferHandle` at once."""
    copy = Method(CopyRequest, _COPY.run, CopyResult)
    start_copy = Method(CopyRequest, _COPY.start, TransferHandle[CopyResult])
    """Start `copy` in the background. Returns a `TransferHandle` at once."""
    upload_directory = Method(UploadDirectoryRequest, _UPLOAD_DIRECTORY.run, DirectoryResult)
    start_upload_directory = Method(UploadDirectoryRequest, _UPLOAD_DIRECTORY.start, TransferHandle[DirectoryResult])
    """Start `upload_directory` in the background. Returns a `TransferHandle` at once."""
    download_directory = Method(DownloadDirectoryRequest, _DOWNLOAD_DIRECTORY.run, DirectoryResult)
    start_download_directory = Method(DownloadDirectoryRequest, _DOWNLOAD_DIRECTORY.start, TransferHandle[DirectoryResult])
    """Start `download_directory` in the background. Returns its `TransferHandle`."""
    sync = Method(SyncRequest, _SYNC.run, SyncResult)
    start_sync = Method(SyncRequest, _SYNC.start, TransferHandle[SyncResult])
    """Start `sync` in the background. Returns a `TransferHandle` at once."""
    sync_plan = Method(SyncRequest, _plan)
    """Yield what `sync` would do, as it is found, and change nothing.

    ::

        async for action in cos.sync_plan("photos", "cos://bucket/photos"):
            print(action.kind, action.target)
    """

    @property
    def failed_aborts(self) -> tuple[FailedAbort, ...]:
        """Multipart uploads that failed and could not be aborted.

        They may still be open, and cost money.

        The latest 10,000, in the order in which they failed. Each was logged as a warning; a client that is closed logs their
        number.
        """
        return failed_aborts(self._caller.service)


def manager_of(transfers: Transfers) -> TransferManager:
    """Return the transfer manager of a client, for the modules of this package that run transfers themselves."""
    return transfers._caller  # pyright: ignore[reportPrivateUsage]
