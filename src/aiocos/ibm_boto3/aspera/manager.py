"""Aspera's transfer manager: uploads and downloads of files and directories.

The transfers run in the background.
"""

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
from aiocos.ibm_boto3.s3.base_manager import BaseTransferManager, ClientLike, Work, translate_transfer_error
from aiocos.ibm_boto3.s3.futures import CallArgs, CancelledError, TransferMeta
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


class AsperaTransferManager(BaseTransferManager[AsperaTransferFuture]):
    """A manager of transfers of files and directories over parallel HTTPS.

    The Aspera protocol is not used, which is logged once.

    ::

        async with AsperaTransferManager(cos, transfer_config=AsperaConfig(multi_session=4)) as manager:
            future = manager.upload_directory("/films/2026/", "films", "2026")
            future.pause()
            future.resume()
            await future.result()

    The methods return a future at once and must be called in an event loop. Leaving the `async with` block waits for all
    transfers; an exception in the block cancels them. The Aspera settings of a bucket are not used.

    Args:
        client: Client that sends the requests.
        config: Size of the queue and number of sessions; None is `AsperaManagerConfig()`.
        transfer_config: Settings of transfers that have none of their own; None is `AsperaConfig()`.
        delegated_token_manager: Accepted without effect: no tokens for Aspera are needed.
        logger: Logger to use; None is `aiocos.ibm_boto3.aspera`.

    Raises:
        TypeError: `config` or `transfer_config` is of another type.
    """

    # Subscribers of Aspera get all bytes so far, and their exceptions do not fail a transfer.
    _notifier_options: ClassVar[dict[str, Any]] = {"strict": False, "cumulative": True}

    def __init__(
        self,
        client: ClientLike,
        config: AsperaManagerConfig | None = None,
        transfer_config: AsperaConfig | None = None,
        delegated_token_manager: Any = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self._config = _check_type(config, AsperaManagerConfig, "config") or AsperaManagerConfig()
        self._transfer_config = _check_type(transfer_config, AsperaConfig, "transfer_config")
        self._logger = logger or _log
        self._refusal = ""
        self._logged: set[str] = set()
        super().__init__(client, self._config.ascp_max_concurrent)
        _log_https(self._logger)

    # -- transfers ------------------------------------------------------------------------------------------------

    def upload(
        self,
        fileobj: Name,
        bucket: str,
        key: str,
        transfer_config: AsperaConfig | None = None,
        subscribers: Subscribers | None = None,
    ) -> AsperaTransferFuture:
        """Upload a file.

        Args:
            fileobj: Path of the file.
            bucket: Bucket to upload to.
            key: Key of the object.
            transfer_config: Settings of the transfer; None is the manager's `transfer_config`.
            subscribers: `AsperaBaseSubscriber` objects that are called on progress and at the end.

        Returns:
            The future of the transfer.

        Raises:
            OSError: The file cannot be read.
            ValueError: The configuration asks for more sessions than the manager has.
            AsperaTransferQueueError: The queue is full, or the manager is shutting down.
        """
        path = _check_access(fileobj, os.R_OK, os.path.isfile, "File")
        config = self._resolve_config(transfer_config)
        options.UPLOAD.read({}, Bucket=bucket, Key=_require_text(key))
        width = self._concurrency(config)
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
        """Download an object to a file, which appears when all of it is there.

        Args:
            bucket: Bucket of the object.
            key: Key of the object.
            fileobj: Path of the file, in an existing directory.
            transfer_config: Settings of the transfer; None is the manager's `transfer_config`.
            subscribers: `AsperaBaseSubscriber` objects that are called on progress and at the end.

        Returns:
            The future of the transfer.

        Raises:
            OSError: The directory cannot be written to.
            ValueError: The configuration asks for more sessions than the manager has.
            AsperaTransferQueueError: The queue is full, or the manager is shutting down.
        """
        path = Path(_require_text(os.fspath(fileobj)))
        _check_access(path.parent, os.W_OK, os.path.isdir, "Directory")
        config = self._resolve_config(transfer_config)
        options.DOWNLOAD.read({}, Bucket=bucket, Key=_require_text(key))

        async def work(monitor: Monitor) -> None:
            request = DownloadRequest(
                bucket, key, path, concurrency=self._concurrency(config), multipart_threshold=config.threshold
            )
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
        """Upload all files below a directory. A file that fails does not stop the others.

        Args:
            directory: Path of the directory.
            bucket: Bucket to upload to.
            key: Prefix of the keys: each is `key`, a slash and the file's path below the directory. Slashes at the ends of
                `key` are ignored.
            transfer_config: Settings of the transfer; None is the manager's `transfer_config`.
            subscribers: `AsperaBaseSubscriber` objects that are called on progress and at the end.

        Returns:
            The future of the transfer.

        Raises:
            OSError: The directory cannot be read.
            ValueError: The configuration asks for more sessions than the manager has.
            AsperaTransferQueueError: The queue is full, or the manager is shutting down.
        """
        path = _check_access(directory, os.R_OK, os.path.isdir, "Directory")
        config = self._resolve_config(transfer_config)
        prefix = _prefix(bucket, key)
        request = UploadDirectoryRequest(root=path, bucket=bucket, prefix=prefix, concurrency=self._concurrency(config))
        work = self._directory_work(upload_directory, request)
        return self._queue(work, config, subscribers, "send", bucket, prefix, path)

    def download_directory(
        self,
        bucket: str,
        key: str,
        directory: Name,
        transfer_config: AsperaConfig | None = None,
        subscribers: Subscribers | None = None,
    ) -> AsperaTransferFuture:
        """Download all objects below a prefix into a directory.

        A key that is not a valid path below the directory fails; the other objects are downloaded.

        Args:
            bucket: Bucket of the objects.
            key: Prefix of the keys, without the slash after it. Slashes at the ends of `key` are ignored.
            directory: Path of an existing directory.
            transfer_config: Settings of the transfer; None is the manager's `transfer_config`.
            subscribers: `AsperaBaseSubscriber` objects that are called on progress and at the end.

        Returns:
            The future of the transfer.

        Raises:
            OSError: The directory cannot be written to.
            ValueError: The configuration asks for more sessions than the manager has.
            AsperaTransferQueueError: The queue is full, or the manager is shutting down.
        """
        path = _check_access(directory, os.W_OK, os.path.isdir, "Directory")
        config = self._resolve_config(transfer_config)
        prefix = _prefix(bucket, key)
        request = DownloadDirectoryRequest(bucket=bucket, root=path, prefix=prefix, concurrency=self._concurrency(config))
        work = self._directory_work(download_directory, request)
        return self._queue(work, config, subscribers, "receive", bucket, prefix, path)

    def _directory_work(
        self, carry_out: Callable[..., Awaitable[object]], request: UploadDirectoryRequest | DownloadDirectoryRequest
    ) -> Work:
        return lambda monitor: carry_out(self._client.typed, self._manager.budget, request, monitor)

    # -- the queue ------------------------------------------------------------------------------------------------

    def _resolve_config(self, config: AsperaConfig | None) -> AsperaConfig:
        """Return the settings of a transfer. Log each setting without effect once."""
        config = _check_type(config, AsperaConfig, "transfer_config") or self._transfer_config or AsperaConfig()
        if config.multi_session > self._config.ascp_max_concurrent:
            raise ValueError(f"Max sessions is {self._config.ascp_max_concurrent}")
        if new := {name: value for name, value in config.without_effect.items() if name not in self._logged}:
            self._logged |= set(new)
            shown = ", ".join(f"{name}={value}" for name, value in new.items())
            self._logger.info("%s: without effect, HTTPS transfers are as fast as the connection", shown)
        return config

    def _concurrency(self, config: AsperaConfig) -> int | None:
        """Return the number of parts or files in flight; None uses the client's setting."""
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
        listeners = list(subscribers or ())
        for one in listeners:
            if not isinstance(one, AsperaBaseSubscriber):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"a subscriber is an AsperaBaseSubscriber, not {one!r}")
        if self._refusal:
            raise AsperaTransferQueueError(self._refusal)
        if len(self._waiting) >= self._config.max_submission_queue_size:
            raise AsperaTransferQueueError("Max queued items reached")
        args = CallArgs(
            bucket=bucket, key=key, fileobj=str(path), transfer_config=config, subscribers=listeners, direction=direction
        )
        future = AsperaTransferFuture(TransferMeta(args, str(uuid.uuid4())))
        return self._submit(future, work, listeners, (bucket, key), max(config.multi_session, 1))

    def _translate(self, error: CosError) -> CosError:
        # The error of a directory lists all files that failed, so its whole message is kept.
        return AsperaTransferFailedError(str(error if isinstance(error, DirectoryError) else translate_transfer_error(error)))

    async def wait(self) -> None:
        """Wait for all transfers. None can be queued meanwhile."""
        before, self._refusal = self._refusal, self._refusal or "Cant queue items during wait"
        try:
            await self._drain()
        finally:
            self._refusal = before

    async def shutdown(self, cancel: bool = False, cancel_msg: str = "") -> None:
        """Wait for all transfers; no more can be queued.

        Args:
            cancel: Cancel all transfers first.
            cancel_msg: Message of the `CancelledError` that the futures of cancelled transfers raise.
        """
        self._refusal = "Cancel already called" if cancel else "the manager was shut down"
        await self._drain(CancelledError(cancel_msg) if cancel else None)


@cache
def _log_https(logger: logging.Logger) -> None:
    logger.info("AsperaTransferManager: transfers use parallel HTTPS, not the Aspera protocol")


def _check_type(value: T | None, cls: type[T], name: str) -> T | None:
    if value is not None and not isinstance(value, cls):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} is an {cls.__name__}, not {value!r}")
    return value


def _require_text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("Invalid file pair: a key and the name of a file or a directory are needed")
    return value


def _prefix(bucket: str, key: str) -> str:
    prefix = _require_text(key.strip("/")) + "/"
    options.UPLOAD.read({}, Bucket=bucket, Key=prefix)
    return prefix


def _check_access(name: Name, access: int, is_kind: Callable[[Name], bool], kind: str) -> Path:
    """Return a path that exists and can be used; raise `OSError` otherwise.

    The check is too fast to need a thread.
    """
    path = Path(_require_text(os.fspath(name)))
    if not is_kind(path) or not os.access(path, access):
        raise OSError(f"Error accessing {kind}: {name}")
    return path
