"""The methods of a client that transfer: `client.upload`, `client.download` and their kin.

Their parameters are stated like those of operations, once, on the class that carries them, with the same sets of headers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any
from weakref import WeakKeyDictionary

from aiocos.groups import Service
from aiocos.transfer.budget import Budget
from aiocos.transfer.copies import Copy, CopyResult, copy
from aiocos.transfer.directory import DownloadDirectory, UploadDirectory, download_directory, upload_directory
from aiocos.transfer.download import Download, download
from aiocos.transfer.results import DirectoryResult, DownloadResult, UploadResult
from aiocos.transfer.upload import Upload, upload
from aiocos.wire.method import Group, Method


class Desk:
    """What all transfers of a client share: the service, and one memory budget for each event loop."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._budgets: WeakKeyDictionary[asyncio.AbstractEventLoop, Budget] = WeakKeyDictionary()

    @property
    def budget(self) -> Budget:
        """The budget of the running loop."""
        loop = asyncio.get_running_loop()
        budget = self._budgets.get(loop)
        if budget is None:
            budget = self._budgets[loop] = Budget(self.service.engine.config.transfer.memory)
        return budget


def _upload(desk: Desk, request: Upload) -> Coroutine[Any, Any, UploadResult]:
    return upload(desk.service, desk.budget, request)


def _download(desk: Desk, request: Download) -> Coroutine[Any, Any, DownloadResult]:
    return download(desk.service, desk.budget, request)


def _copy(desk: Desk, request: Copy) -> Coroutine[Any, Any, CopyResult]:
    return copy(desk.service, request)


def _upload_directory(desk: Desk, request: UploadDirectory) -> Coroutine[Any, Any, DirectoryResult]:
    return upload_directory(desk.service, desk.budget, request)


def _download_directory(desk: Desk, request: DownloadDirectory) -> Coroutine[Any, Any, DirectoryResult]:
    return download_directory(desk.service, desk.budget, request)


class Transfers(Group[Desk]):
    """Objects of any size, and directories of them."""

    upload = Method(Upload, _upload)
    download = Method(Download, _download)
    copy = Method(Copy, _copy)
    upload_directory = Method(UploadDirectory, _upload_directory)
    download_directory = Method(DownloadDirectory, _download_directory)
