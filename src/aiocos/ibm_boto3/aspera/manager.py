"""The manager: files and directories, up and down, beside the program."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from aiocos.errors import CosError
from aiocos.ibm_boto3.aspera.config import AsperaConfig, AsperaManagerConfig
from aiocos.ibm_boto3.aspera.exceptions import AsperaTransferFailedError, AsperaTransferQueueError
from aiocos.ibm_boto3.aspera.futures import AsperaTransferFuture
from aiocos.ibm_boto3.aspera.subscribers import AsperaBaseSubscriber
from aiocos.ibm_boto3.s3 import options
from aiocos.ibm_boto3.s3.futures import CallArgs, CancelledError, TransferMeta
from aiocos.ibm_boto3.s3.jobs import Face, Jobs, Work, told
from aiocos.transfer.download.download import download
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import DownloadDirectoryRequest, DownloadRequest, UploadDirectoryRequest, UploadRequest
from aiocos.transfer.results import DirectoryError
from aiocos.transfer.sync.directory import download_directory, upload_directory
from aiocos.transfer.upload.upload import upload

_log = logging.getLogger("aiocos.ibm_boto3.aspera")

T = TypeVar("T")
Name = str | os.PathLike[str]
Subscribers = Iterable[AsperaBaseSubscriber]


class AsperaTransferManager(Jobs[AsperaTransferFuture]):
    """Transfers files and directories, over parallel HTTPS: no Aspera is spoken, which the log says once.

    ::

        async with AsperaTransferManager(cos, transfer_config=AsperaConfig(multi_session=4)) as manager:
            future = manager.upload_directory("/films/2026/", "films", "2026")
            future.pause()
            future.resume()
            await future.result()

    Its methods return at once with a future, and are called where an event loop runs. `transfer_config` holds for all transfers
    that have none of their own. Leaving the context waits for all; an error in it cancels them. Whatever the bucket's settings
    for Aspera are, nothing is asked of Aspera's service: `delegated_token_manager` has no effect. `logger` is where it logs;
    `aiocos.ibm_boto3.aspera` by default.

    A file that cannot be read, or a directory that cannot be written to, is an `OSError` at once; so is a `ValueError` what the
    configuration does not allow, and `AsperaTransferQueueError` what cannot be queued.
    """

    # What Aspera's subscribers hear: all bytes so far; and what they raise ends nothing.
    _telling: ClassVar[dict[str, Any]] = {"strict": False, "cumulative": True}

    def __init__(
        self,
        client: Face,
        config: AsperaManagerConfig | None = None,
        transfer_config: AsperaConfig | None = None,
        delegated_token_manager: Any = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self._config = _kind(config, AsperaManagerConfig, "config") or AsperaManagerConfig()
        self._transfer_config = _kind(transfer_config, AsperaConfig, "transfer_config")
        self._logger = logger or _log
        self._refusing = ""
        self._noted: set[str] = set()
        super().__init__(client, self._config.ascp_max_concurrent)
        _announce(self._logger)

    # -- transfers ------------------------------------------------------------------------------------------------

    def upload(
        self,
        fileobj: Name,
        bucket: str,
        key: str,
        transfer_config: AsperaConfig | None = None,
        subscribers: Subscribers | None = None,
    ) -> AsperaTransferFuture:
        """Upload a file, by its name."""
        path = _accessible(fileobj, os.R_OK, os.path.isfile, "File")
        config = self._checked(transfer_config)
        options.UPLOAD.read({}, Bucket=bucket, Key=_given(key))
        width = self._width(config)
        if config.threshold is not None and os.path.getsize(path) < config.threshold:
            width = 1

        async def work(monitor: Monitor) -> None:
            request = UploadRequest(bucket, key, path, concurrency=width)
            await upload(self._client.typed, self._manager.budget, request, monitor)

        return self._queue(work, config, subscribers, "send", bucket, key, path)

    def download(
        self,
        bucket: str,
        key: str,
        fileobj: Name,
        transfer_config: AsperaConfig | None = None,
        subscribers: Subscribers | None = None,
    ) -> AsperaTransferFuture:
        """Download an object to a file by its name, whole or not at all."""
        path = Path(_given(os.fspath(fileobj)))
        _accessible(path.parent, os.W_OK, os.path.isdir, "Directory")
        config = self._checked(transfer_config)
        options.DOWNLOAD.read({}, Bucket=bucket, Key=_given(key))

        async def work(monitor: Monitor) -> None:
            request = DownloadRequest(bucket, key, path, concurrency=self._width(config), multipart_threshold=config.threshold)
            await download(self._client.typed, self._manager.budget, request, monitor)

        return self._queue(work, config, subscribers, "receive", bucket, key, path)

    def upload_directory(
        self,
        directory: Name,
        bucket: str,
        key: str,
        transfer_config: AsperaConfig | None = None,
        subscribers: Subscribers | None = None,
    ) -> AsperaTransferFuture:
        """Upload all files below a directory; their keys are `key`, a slash, and the path below the directory.

        Slashes at either end of `key` mean nothing. A file that fails does not stop the others.
        """
        path = _accessible(directory, os.R_OK, os.path.isdir, "Directory")
        config = self._checked(transfer_config)
        prefix = _prefix(bucket, key)
        request = UploadDirectoryRequest(root=path, bucket=bucket, prefix=prefix, concurrency=self._width(config))
        return self._queue(self._of(upload_directory, request), config, subscribers, "send", bucket, prefix, path)

    def download_directory(
        self,
        bucket: str,
        key: str,
        directory: Name,
        transfer_config: AsperaConfig | None = None,
        subscribers: Subscribers | None = None,
    ) -> AsperaTransferFuture:
        """Download all objects whose keys are `key`, a slash, and more, into a directory that is there.

        Slashes at either end of `key` mean nothing. Keys that are no paths below the directory are refused, each by itself.
        """
        path = _accessible(directory, os.W_OK, os.path.isdir, "Directory")
        config = self._checked(transfer_config)
        prefix = _prefix(bucket, key)
        request = DownloadDirectoryRequest(bucket=bucket, root=path, prefix=prefix, concurrency=self._width(config))
        return self._queue(self._of(download_directory, request), config, subscribers, "receive", bucket, prefix, path)

    def _of(
        self, carry_out: Callable[..., Awaitable[object]], request: UploadDirectoryRequest | DownloadDirectoryRequest
    ) -> Work:
        return lambda monitor: carry_out(self._client.typed, self._manager.budget, request, monitor)

    # -- the queue ------------------------------------------------------------------------------------------------

    def _checked(self, config: AsperaConfig | None) -> AsperaConfig:
        """Return the configuration of a transfer; say in the log what of it has no effect."""
        config = _kind(config, AsperaConfig, "transfer_config") or self._transfer_config or AsperaConfig()
        if config.multi_session > self._config.ascp_max_concurrent:
            raise ValueError(f"Max sessions is {self._config.ascp_max_concurrent}")
        if new := {name: value for name, value in config.without_effect.items() if name not in self._noted}:
            self._noted |= set(new)
            shown = ", ".join(f"{name}={value}" for name, value in new.items())
            self._logger.info("%s: without effect, transfers by HTTPS are as fast as the connection", shown)
        return config

    def _width(self, config: AsperaConfig) -> int | None:
        """How many parts or files are on their way at once; None for what the client's settings say."""
        return self._config.ascp_max_concurrent if config.is_multi_session_all else config.multi_session or None

    def _queue(
        self,
        work: Work,
        config: AsperaConfig,
        subscribers: Subscribers | None,
        direction: str,
        bucket: str,
        key: str,
        path: Path,
    ) -> AsperaTransferFuture:
        heard = list(subscribers or ())
        for one in heard:
            if not isinstance(one, AsperaBaseSubscriber):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"a subscriber is an AsperaBaseSubscriber, not {one!r}")
        if self._refusing:
            raise AsperaTransferQueueError(self._refusing)
        if len(self._waiting) >= self._config.max_submission_queue_size:
            raise AsperaTransferQueueError("Max queued items reached")
        args = CallArgs(
            bucket=bucket, key=key, fileobj=str(path), transfer_config=config, subscribers=heard, direction=direction
        )
        future = AsperaTransferFuture(TransferMeta(args, str(uuid.uuid4())))
        return self._submit(future, work, heard, (bucket, key), max(config.multi_session, 1))

    def _meaning(self, error: CosError) -> CosError:
        # The error of a directory tells of all its files, and is said in whole.
        return AsperaTransferFailedError(str(error if isinstance(error, DirectoryError) else told(error)))

    async def wait(self) -> None:
        """Wait for all transfers; none can be queued meanwhile."""
        before, self._refusing = self._refusing, self._refusing or "Cant queue items during wait"
        try:
            await self._drain()
        finally:
            self._refusing = before

    async def shutdown(self, cancel: bool = False, cancel_msg: str = "") -> None:
        """Wait for all transfers, with `cancel` cancel them first; none can be queued any more."""
        self._refusing = "Cancel already called" if cancel else "the manager was shut down"
        await self._drain(CancelledError(cancel_msg) if cancel else None)


@cache
def _announce(logger: logging.Logger) -> None:
    logger.info("AsperaTransferManager: transfers go over parallel HTTPS, no Aspera is spoken")


def _kind(value: T | None, cls: type[T], name: str) -> T | None:
    if value is not None and not isinstance(value, cls):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} is an {cls.__name__}, not {value!r}")
    return value


def _given(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("Invalid file pair: a key and the name of a file or a directory are needed")
    return value


def _prefix(bucket: str, key: str) -> str:
    prefix = _given(key.strip("/")) + "/"
    options.UPLOAD.read({}, Bucket=bucket, Key=prefix)
    return prefix


def _accessible(name: Name, access: int, is_kind: Callable[[Name], bool], kind: str) -> Path:
    """Return a path that is there and can be used. Asks the file system, which takes no time worth a thread."""
    path = Path(_given(os.fspath(name)))
    if not is_kind(path) or not os.access(path, access):
        raise OSError(f"Error accessing {kind}: {name}")
    return path
