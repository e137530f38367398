"""Methods of a client that transfer, such as `client.upload`.

The parameters of each are the fields of a class in `requests`. Each has a twin, `client.start_upload` and so on, that returns a
`TransferHandle` at once and transfers in the background.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from aiocos.groups import Service, engine_of
from aiocos.transfer.cleanup import FailedAbort, failed_aborts
from aiocos.transfer.handle import TransferHandle
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.wire.method import Group, LaterMethod

if TYPE_CHECKING:
    from aiocos.transfer.requests import (
        CopyRequest,
        DownloadDirectoryRequest,
        DownloadRequest,
        SyncRequest,
        UploadDirectoryRequest,
        UploadRequest,
    )
    from aiocos.transfer.results import SyncAction

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


class _Transfer(Generic[R, T]):
    """A kind of transfer.

    `load` imports its functions: it returns the class of the parameters, the function, and the class of the result.
    """

    def __init__(
        self,
        load: Callable[[], tuple[type[R], Callable[[Service, MemoryBudget, R, Monitor], Coroutine[Any, Any, T]], type[T]]],
        monitor_for: Callable[[R], Monitor],
    ) -> None:
        self._load = load
        self._monitor_for = monitor_for

    @cached_property
    def _loaded(self) -> tuple[type[R], Callable[[Service, MemoryBudget, R, Monitor], Coroutine[Any, Any, T]], type[T]]:
        return self._load()

    @cached_property
    def _function(self) -> Callable[[Service, MemoryBudget, R, Monitor], Coroutine[Any, Any, T]]:
        return self._loaded[1]

    def run(self, manager: TransferManager, request: R) -> Coroutine[Any, Any, T]:
        """Return a coroutine that runs the transfer."""
        return self._function(manager.service, manager.budget, request, self._monitor_for(request))

    def start(self, manager: TransferManager, request: R) -> TransferHandle[T]:
        """Start the transfer in the background."""
        monitor = self._monitor_for(request)
        return manager.start(self._function(manager.service, manager.budget, request, monitor), monitor)

    def run_method(self) -> tuple[type[R], Callable[[TransferManager, R], Coroutine[Any, Any, T]], Any]:
        """Return what a `Method` needs that runs the transfer."""
        return self._loaded[0], self.run, self._loaded[2]

    def start_method(self) -> tuple[type[R], Callable[[TransferManager, R], TransferHandle[T]], Any]:
        """Return what a `Method` needs that starts the transfer."""
        result: Any = self._loaded[2]
        return self._loaded[0], self.start, TransferHandle[result]


def _object_monitor(request: UploadRequest | DownloadRequest | CopyRequest) -> Monitor:
    return Monitor(request, request.bucket, request.key)


def _directory_monitor(request: UploadDirectoryRequest | DownloadDirectoryRequest) -> Monitor:
    return Monitor(_callbacks_of_whole(request), request.bucket, request.prefix)


def _sync_monitor(request: SyncRequest) -> Monitor:
    """Return a monitor named after the target, or a source in the service."""
    from aiocos.transfer import location

    url = next((path for path in (request.target, request.source) if location.is_cos_url(path)), "")
    bucket, key = location.split(url)  # checked when the sync runs
    return Monitor(_callbacks_of_whole(request), bucket, key and key.rstrip("/") + "/")


def _callbacks_of_whole(request: ProgressCallbacks) -> ProgressCallbacks:
    """Return the callbacks for a directory as a whole.

    `progress` is not among them: it is called for each file.
    """
    return ProgressCallbacks(on_queued=request.on_queued, on_progress=request.on_progress, on_done=request.on_done)


# The modules of a transfer are imported when it is used for the first time.


def _upload() -> Any:
    from aiocos.transfer.requests import UploadRequest
    from aiocos.transfer.results import UploadResult
    from aiocos.transfer.upload.upload import upload

    return UploadRequest, upload, UploadResult


def _download() -> Any:
    from aiocos.transfer.download.download import download
    from aiocos.transfer.requests import DownloadRequest
    from aiocos.transfer.results import DownloadResult

    return DownloadRequest, download, DownloadResult


def _copy() -> Any:
    from aiocos.transfer.copy.copy import copy
    from aiocos.transfer.requests import CopyRequest
    from aiocos.transfer.results import CopyResult

    return CopyRequest, copy, CopyResult


def _upload_directory() -> Any:
    from aiocos.transfer.requests import UploadDirectoryRequest
    from aiocos.transfer.results import DirectoryResult
    from aiocos.transfer.sync.directory import upload_directory

    return UploadDirectoryRequest, upload_directory, DirectoryResult


def _download_directory() -> Any:
    from aiocos.transfer.requests import DownloadDirectoryRequest
    from aiocos.transfer.results import DirectoryResult
    from aiocos.transfer.sync.directory import download_directory

    return DownloadDirectoryRequest, download_directory, DirectoryResult


def _sync() -> Any:
    from aiocos.transfer.requests import SyncRequest
    from aiocos.transfer.results import SyncResult
    from aiocos.transfer.sync.sync import sync

    return SyncRequest, sync, SyncResult


def _sync_plan() -> Any:
    from aiocos.transfer.requests import SyncRequest
    from aiocos.transfer.results import SyncAction
    from aiocos.transfer.sync.sync import plan

    def run(manager: TransferManager, request: SyncRequest) -> AsyncGenerator[SyncAction]:
        return plan(manager.service, request)

    return SyncRequest, run, AsyncGenerator[SyncAction]


_UPLOAD = _Transfer(_upload, _object_monitor)
_DOWNLOAD = _Transfer(_download, _object_monitor)
_COPY = _Transfer(_copy, _object_monitor)
_UPLOAD_DIRECTORY = _Transfer(_upload_directory, _directory_monitor)
_DOWNLOAD_DIRECTORY = _Transfer(_download_directory, _directory_monitor)
_SYNC = _Transfer(_sync, _sync_monitor)


class Transfers(Group[TransferManager]):
    """Transfers of objects of any size, and of directories."""

    noun = "Client"

    upload = LaterMethod(_UPLOAD.run_method)
    start_upload = LaterMethod(_UPLOAD.start_method)
    """Start `upload` in the background. Returns a `TransferHandle` at once."""
    download = LaterMethod(_DOWNLOAD.run_method)
    start_download = LaterMethod(_DOWNLOAD.start_method)
    """Start `download` in the background. Returns a `TransferHandle` at once."""
    copy = LaterMethod(_COPY.run_method)
    start_copy = LaterMethod(_COPY.start_method)
    """Start `copy` in the background. Returns a `TransferHandle` at once."""
    upload_directory = LaterMethod(_UPLOAD_DIRECTORY.run_method)
    start_upload_directory = LaterMethod(_UPLOAD_DIRECTORY.start_method)
    """Start `upload_directory` in the background. Returns a `TransferHandle` at once."""
    download_directory = LaterMethod(_DOWNLOAD_DIRECTORY.run_method)
    start_download_directory = LaterMethod(_DOWNLOAD_DIRECTORY.start_method)
    """Start `download_directory` in the background. Returns its `TransferHandle`."""
    sync = LaterMethod(_SYNC.run_method)
    start_sync = LaterMethod(_SYNC.start_method)
    """Start `sync` in the background. Returns a `TransferHandle` at once."""
    sync_plan = LaterMethod(_sync_plan)
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
