"""`ibm_boto3.s3.transfer`: objects of any size, to and from files, file objects, and within the service.

::

    config = TransferConfig(multipart_threshold=15 * MB, multipart_chunksize=5 * MB)
    await cos.upload_file("a.bin", "films", "a.bin", ExtraArgs={"ContentType": "video/mp4"}, Callback=print, Config=config)

It is the transfers of `aiocos.Client` by other names: parts in parallel with bounded memory, compared with checksums, and
nothing left behind where they fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from aiocos.ibm_boto3.exceptions import ClientError, S3UploadFailedError
from aiocos.ibm_boto3.s3.fileobj import name_of, readable, writable
from aiocos.ibm_boto3.s3.futures import CallArgs, CancelledError, FatalError, TransferFuture, TransferMeta, TransferNotDoneError
from aiocos.ibm_boto3.s3.jobs import Face
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
"""The name of a file."""

Callback: TypeAlias = Callable[[int], object]
"""Called in the event loop with the bytes that have moved since the last call; a coroutine function is awaited.

What it raises ends the transfer, and is raised by it, as it is.
"""


def create_transfer_manager(client: Face, config: TransferConfig | None = None, osutil: None = None) -> TransferManager:
    """Make a manager of transfers: see `TransferManager`."""
    return TransferManager(client, config, osutil)


class S3Transfer:
    """Transfers one at a time, each waited for. The client's own methods (`upload_file` and its kin) are these.

    A cancel of who waits cancels the transfer, and nothing is left behind. What the service says is a `ClientError`;
    `upload_file` raises it as `S3UploadFailedError`, with the `ClientError` as its cause.
    """

    ALLOWED_UPLOAD_ARGS: ClassVar[list[str]] = TransferManager.ALLOWED_UPLOAD_ARGS
    ALLOWED_DOWNLOAD_ARGS: ClassVar[list[str]] = TransferManager.ALLOWED_DOWNLOAD_ARGS
    ALLOWED_COPY_ARGS: ClassVar[list[str]] = TransferManager.ALLOWED_COPY_ARGS

    def __init__(
        self,
        client: Face | None = None,
        config: TransferConfig | None = None,
        osutil: None = None,
        manager: TransferManager | None = None,
    ) -> None:
        if manager is not None:
            if client is not None or config is not None or osutil is not None:
                raise ValueError(
                    "a manager has a client and a config of its own: they are mutually exclusive, give one or the other"
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
        """Upload a file; one that is not there is `FileNotFoundError`. `extra_args` may hold retention, whatever the size."""
        name = _name(filename)
        try:
            await self._manager.upload(name, bucket, key, extra_args, _heard(callback)).result()
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
        """Upload what a binary file object gives from where it stands. It is not closed."""
        await self._manager.upload(readable(fileobj), bucket, key, extra_args, _heard(callback)).result()

    async def download_file(
        self,
        bucket: str,
        key: str,
        filename: Name,
        extra_args: DownloadArgsTypeDef | None = None,
        callback: Callback | None = None,
    ) -> None:
        """Download an object to a file, whole or not at all."""
        await self._manager.download(bucket, key, _name(filename), extra_args, _heard(callback)).result()

    async def download_fileobj(
        self,
        bucket: str,
        key: str,
        fileobj: WritableFile,
        extra_args: DownloadArgsTypeDef | None = None,
        callback: Callback | None = None,
    ) -> None:
        """Download an object into a binary file object, strictly in order, by one request."""
        await self._manager.download(bucket, key, writable(fileobj), extra_args, _heard(callback)).result()

    async def copy(
        self,
        copy_source: CopySourceTypeDef | str,
        bucket: str,
        key: str,
        extra_args: CopyArgsTypeDef | None = None,
        callback: Callback | None = None,
        source_client: Face | None = None,
    ) -> None:
        """Copy an object within the service."""
        await self._manager.copy(copy_source, bucket, key, extra_args, _heard(callback), source_client).result()

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


def _heard(callback: Callback | None) -> list[BaseSubscriber] | None:
    return None if callback is None else [ProgressCallbackInvoker(callback)]
