"""Methods of a client that transfer, such as `client.upload`.

The parameters of each are the fields of a class in `requests`. Each has a twin, `client.start_upload` and so on, that returns a
`TransferHandle` at once and transfers in the background.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from aiocos.groups import Service, engine_of
from aiocos.transfer import location
from aiocos.transfer.abort import FailedAbort, failed_aborts
from aiocos.transfer.copy.copy import copy
from aiocos.transfer.download.download import download
from aiocos.transfer.handle import TransferHandle
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.requests import (
    CopyRequest,
    DownloadDirectoryRequest,
    DownloadRequest,
    SyncRequest,
    UploadDirectoryRequest,
    UploadRequest,
)
from aiocos.transfer.results import CopyResult, DirectoryResult, DownloadResult, SyncAction, SyncResult, UploadResult
from aiocos.transfer.sync.directory import download_directory, upload_directory
from aiocos.transfer.sync.sync import plan, sync
from aiocos.transfer.upload.upload import upload
from aiocos.wire.method import Group, Method

R = TypeVar("R", bound=ProgressCallbacks)
T = TypeVar("T")


class TransferManager:
    """State that all transfers of a client share.

    For each event loop, it has a memory budget and the transfers in the background.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._budgets: WeakKeyDictionary[asyncio.AbstractEventLoop, MemoryBudget] = WeakKeyDictionary()
        self._started: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Task[Any]]] = WeakKeyDictionary()

    @property
    def budget(self) -> MemoryBudget:
        """The memory budget of the running event loop."""
        loop = asyncio.get_running_loop()
        budget = self._budgets.get(loop)
        if budget is None:
            budget = self._budgets[loop] = MemoryBudget(engine_of(self.service).config.transfer.max_memory)
        return budget

    def start(self, work: Coroutine[Any, Any, T], monitor: Monitor) -> TransferHandle[T]:
        """Run a transfer in a task, which closing the client cancels."""
        handle = TransferHandle(work, monitor)
        started = self._started.setdefault(asyncio.get_running_loop(), set())
        started.add(handle.task)
        handle.task.add_done_callback(started.discard)
        return handle

    async def end(self) -> None:
        """Cancel the background transfers of the running loop, and wait for their end."""
        if running := set(self._started.get(asyncio.get_running_loop(), ())):
            for task in running:
                task.cancel()
            await asyncio.wait(running)


def _plan(manager: TransferManager, request: SyncRequest) -> AsyncGenerator[SyncAction]:
    return plan(manager.service, request)


class _Transfer(Generic[R, T]):
    """A kind of transfer: the functions that run it and make its monitor."""

    def __init__(
        self,
        function: Callable[[Service, MemoryBudget, R, Monitor], Coroutine[Any, Any, T]],
        monitor_for: Callable[[R], Monitor],
    ) -> None:
        self._function = function
        self._monitor_for = monitor_for

    def run(self, manager: TransferManager, request: R) -> Coroutine[Any, Any, T]:
        """Return a coroutine that runs the transfer."""
        return self._function(manager.service, manager.budget, request, self._monitor_for(request))

    def start(self, manager: TransferManager, request: R) -> TransferHandle[T]:
        """Start the transfer in the background."""
        monitor = self._monitor_for(request)
        return manager.start(self._function(manager.service, manager.budget, request, monitor), monitor)


def _object_monitor(request: UploadRequest | DownloadRequest | CopyRequest) -> Monitor:
    return Monitor(request, request.bucket, request.key)


def _directory_monitor(request: UploadDirectoryRequest | DownloadDirectoryRequest) -> Monitor:
    return Monitor(_callbacks_of_whole(request), request.bucket, request.prefix)


def _sync_monitor(request: SyncRequest) -> Monitor:
    """Return a monitor named after the target, or a source in the service."""
    url = next((path for path in (request.target, request.source) if location.is_cos_url(path)), "")
    bucket, key = location.split(url)  # checked when the sync runs
    return Monitor(_callbacks_of_whole(request), bucket, key and key.rstrip("/") + "/")


def _callbacks_of_whole(request: ProgressCallbacks) -> ProgressCallbacks:
    """Return the callbacks for a directory as a whole.

    `progress` is not among them: it is called for each file.
    """
    return ProgressCallbacks(on_queued=request.on_queued, on_progress=request.on_progress, on_done=request.on_done)


_UPLOAD = _Transfer(upload, _object_monitor)
_DOWNLOAD = _Transfer(download, _object_monitor)
_COPY = _Transfer(copy, _object_monitor)
_UPLOAD_DIRECTORY = _Transfer(upload_directory, _directory_monitor)
_DOWNLOAD_DIRECTORY = _Transfer(download_directory, _directory_monitor)
_SYNC = _Transfer(sync, _sync_monitor)


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
    """Return the transfer manager of a client.

    For modules of this package that run transfers themselves.
    """
    return transfers._caller  # pyright: ignore[reportPrivateUsage]
