"""Transfers of objects of any size.

The transfers upload from and download to files and file objects, and copy within the service.

::

    config = TransferConfig(multipart_threshold=15 * MB, multipart_chunksize=5 * MB)
    await cos.upload_file("a.bin", "films", "a.bin", ExtraArgs={"ContentType": "video/mp4"}, Callback=print, Config=config)

Names and arguments are those of boto3. The work is done by the transfers of `aiocos.Client`: parallel parts in bounded memory,
verified by checksums, with nothing left behind after a failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from aiocos.ibm_boto3.exceptions import ClientError, S3UploadFailedError
from aiocos.ibm_boto3.s3.base_manager import ClientLike
from aiocos.ibm_boto3.s3.fileobj import name_of, readable, writable
from aiocos.ibm_boto3.s3.futures import CallArgs, CancelledError, FatalError, TransferFuture, TransferMeta, TransferNotDoneError
from aiocos.ibm_boto3.s3.manager import TransferManager
from aiocos.ibm_boto3.s3.options import KB, MB, TransferConfig
from aiocos.ibm_boto3.s3.subscribers import BaseSubscriber, InvalidSubscriberMethodError, ProgressCallbackInvoker

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import (
        CopyArgsTypeDef,
        CopySourceTypeDef,
        DownloadArgsTypeDef,
        FileSourceTypeDef,
        UploadArgsTypeDef,
        WritableFile,
    )

__all__ = [
    "KB",
    "MB",
    "BaseSubscriber",
    "CallArgs",
    "Callback",
    "CancelledError",
    "FatalError",
    "InvalidSubscriberMethodError",
    "Name",
    "ProgressCallbackInvoker",
    "S3Transfer",
    "TransferConfig",
    "TransferFuture",
    "TransferManager",
    "TransferMeta",
    "TransferNotDoneError",
    "create_transfer_manager",
]

Name: TypeAlias = "str | os.PathLike[str]"
"""Path of a file."""

Callback: TypeAlias = Callable[[int], object]
"""Function, plain or async, that is called in the event loop with the bytes since its last call.

An exception that it raises fails the transfer and is raised by it unchanged.
"""


def create_transfer_manager(client: ClientLike, config: TransferConfig | None = None, osutil: None = None) -> TransferManager:
    """Return a `TransferManager`.

    Args:
        client: Client that sends the requests.
        config: Part size, thresholds and concurrency; None is `TransferConfig()`.
        osutil: Must be None; a parameter of IBM's SDK.
    """
    return TransferManager(client, config, osutil)


class S3Transfer:
    """Transfers that are awaited one by one.

    The client's methods, such as `upload_file`, use this class. Cancelling the task that awaits a transfer cancels the
    transfer; nothing is left behind. An error of the service is a `ClientError`; `upload_file` raises `S3UploadFailedError`
    with the `ClientError` as its cause.

    Args:
        client: Client that sends the requests.
        config: Part size, thresholds and concurrency; None is `TransferConfig()`.
        osutil: Must be None; a parameter of IBM's SDK.
        manager: Manager to use in place of a client and a config.

    Raises:
        ValueError: Neither a client nor a manager is given, or a manager and something else.
    """

    ALLOWED_UPLOAD_ARGS: ClassVar[list[str]] = TransferManager.ALLOWED_UPLOAD_ARGS
    ALLOWED_DOWNLOAD_ARGS: ClassVar[list[str]] = TransferManager.ALLOWED_DOWNLOAD_ARGS
    ALLOWED_COPY_ARGS: ClassVar[list[str]] = TransferManager.ALLOWED_COPY_ARGS

    def __init__(
        self,
        client: ClientLike | None = None,
        config: TransferConfig | None = None,
        osutil: None = None,
        manager: TransferManager | None = None,
    ) -> None:
        if manager is not None:
            if client is not None or config is not None or osutil is not None:
                raise ValueError(
                    "client, config and osutil are mutually exclusive with manager, which has its own: give one or the other"
                )
            self._manager = manager
        elif client is None:
            raise ValueError("Either a client or a TransferManager must be provided")
        else:
            self._manager = create_transfer_manager(client, config, osutil)

    async def upload_file(
        self,
        filename: Name,
        bucket: str,
        key: str,
        callback: Callback | None = None,
        extra_args: UploadArgsTypeDef | None = None,
    ) -> None:
        """Upload a file: see `S3Client.upload_file`.

        Raises:
            FileNotFoundError: The file does not exist.
            S3UploadFailedError: The service refused the upload.
        """
        name = _name(filename)
        try:
            await self._manager.upload(name, bucket, key, extra_args, _subscribers(callback)).result()
        except ClientError as error:
            raise S3UploadFailedError(f"Failed to upload {name} to {bucket}/{key}: {error}") from error

    async def upload_fileobj(
        self,
        fileobj: FileSourceTypeDef,
        bucket: str,
        key: str,
        callback: Callback | None = None,
        extra_args: UploadArgsTypeDef | None = None,
    ) -> None:
        """Upload a file object from its current position, without closing it.

        See `S3Client.upload_fileobj` for the parameters.
        """
        await self._manager.upload(readable(fileobj), bucket, key, extra_args, _subscribers(callback)).result()

    async def download_file(
        self,
        bucket: str,
        key: str,
        filename: Name,
        extra_args: DownloadArgsTypeDef | None = None,
        callback: Callback | None = None,
    ) -> None:
        """Download an object to a file: see `S3Client.download_file`."""
        await self._manager.download(bucket, key, _name(filename), extra_args, _subscribers(callback)).result()

    async def download_fileobj(
        self,
        bucket: str,
        key: str,
        fileobj: WritableFile,
        extra_args: DownloadArgsTypeDef | None = None,
        callback: Callback | None = None,
    ) -> None:
        """Download an object into a file object: see `S3Client.download_fileobj`."""
        await self._manager.download(bucket, key, writable(fileobj), extra_args, _subscribers(callback)).result()

    async def copy(
        self,
        copy_source: CopySourceTypeDef | str,
        bucket: str,
        key: str,
        extra_args: CopyArgsTypeDef | None = None,
        callback: Callback | None = None,
        source_client: ClientLike | None = None,
    ) -> None:
        """Copy an object within the service: see `S3Client.copy`."""
        await self._manager.copy(copy_source, bucket, key, extra_args, _subscribers(callback), source_client).result()

    async def __aenter__(self) -> S3Transfer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._manager.__aexit__(kind, error, trace)


def _name(filename: Name) -> str:
    name = name_of(filename)
    if name is None:
        raise ValueError("Filename must be a string or a path-like object")
    return name


def _subscribers(callback: Callback | None) -> list[BaseSubscriber] | None:
    return None if callback is None else [ProgressCallbackInvoker(callback)]
