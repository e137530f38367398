"""`TransferManager`: transfers that run in the background, each with a future."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aiocos.errors import ConfigError, NotFound
from aiocos.groups import engine_of
from aiocos.ibm_boto3.exceptions import TextBodyError, client_error
from aiocos.ibm_boto3.s3 import options
from aiocos.ibm_boto3.s3.base_manager import BaseTransferManager, ClientLike, Work
from aiocos.ibm_boto3.s3.fileobj import download_into, name_of, readable, writable
from aiocos.ibm_boto3.s3.futures import CallArgs, TransferFuture, TransferMeta
from aiocos.ibm_boto3.s3.options import TransferConfig
from aiocos.operations.objects import DeleteObject, GetObject
from aiocos.transfer.copy.copy import copy
from aiocos.transfer.download.download import download
from aiocos.transfer.files import in_thread
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import CopyRequest, DownloadRequest, UploadRequest
from aiocos.transfer.upload.upload import upload

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import (
        CopyArgsTypeDef,
        CopySourceTypeDef,
        DeleteArgsTypeDef,
        DownloadArgsTypeDef,
        FileSourceTypeDef,
        UploadArgsTypeDef,
        WritableFile,
    )

Subscribers = Iterable[Any]


class TransferManager(BaseTransferManager[TransferFuture]):
    """Runs transfers in the background, `config.max_concurrency` of them at once.

    ::

        async with TransferManager(client, config=TransferConfig(multipart_chunksize=5 * MB)) as manager:
            future = manager.upload("big.bin", "photos", "big.bin")
            await future.result()

    The methods return a future at once and must be called in an event loop. Leaving the `async with` block waits for all
    transfers; an exception in the block, or closing the client, cancels them.

    Args:
        client: Client that sends the requests.
        config: Part size, thresholds and concurrency; None is `TransferConfig()`.
        osutil: Must be None; a parameter of IBM's SDK about its threads.
        executor_cls: Must be None; a parameter of IBM's SDK about its threads.

    Raises:
        ValueError: `osutil` or `executor_cls` is given.
        TypeError: `config` is not a `TransferConfig`.
    """

    ALLOWED_UPLOAD_ARGS: ClassVar[list[str]] = options.UPLOAD.names
    ALLOWED_DOWNLOAD_ARGS: ClassVar[list[str]] = options.DOWNLOAD.names
    ALLOWED_COPY_ARGS: ClassVar[list[str]] = options.COPY.names
    ALLOWED_DELETE_ARGS: ClassVar[list[str]] = options.DELETE.names

    def __init__(
        self, client: ClientLike, config: TransferConfig | None = None, osutil: None = None, executor_cls: None = None
    ) -> None:
        if osutil is not None or executor_cls is not None:
            raise ValueError("TransferManager: osutil and executor_cls are not supported: transfers run in the event loop")
        self._config = config = TransferConfig() if config is None else config
        if not isinstance(config, TransferConfig):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"config is an aiocos.ibm_boto3.s3.transfer.TransferConfig, not {config!r}")
        super().__init__(client, config.concurrency)
        self._ids = itertools.count()
        self._closed = False

    @property
    def config(self) -> TransferConfig:
        """Part size, thresholds and concurrency."""
        return self._config

    def upload(
        self,
        fileobj: FileSourceTypeDef | str | os.PathLike[str],
        bucket: str,
        key: str,
        extra_args: UploadArgsTypeDef | None = None,
        subscribers: Subscribers | None = None,
    ) -> TransferFuture:
        """Upload a file.

        Args:
            fileobj: Path of the file; a file object in binary mode, which is read from its current position and not closed
                (`read` may be async); or an async iterable of bytes.
            bucket: Bucket to upload to.
            key: Key of the object.
            extra_args: Parameters of `put_object`, such as `ContentType`.
            subscribers: `BaseSubscriber` objects that are called on progress and at the end.

        Returns:
            The future of the transfer.

        Raises:
            ValueError: An extra argument is not known, or `fileobj` cannot be read.
        """
        given = options.UPLOAD.check(extra_args)
        name = name_of(fileobj)
        source = readable(fileobj) if name is None else name

        async def work(monitor: Monitor) -> None:
            values = options.UPLOAD.read(given, Bucket=bucket, Key=key)
            algorithm = given.get("ChecksumAlgorithm")
            request = UploadRequest(
                **values, **self._config.upload_fields(), source=source, checksum_algorithm=algorithm and algorithm.upper()
            )
            try:
                await upload(self._client.typed, self._manager.budget, request, monitor)
            except ConfigError as error:
                if isinstance(error.__cause__, TypeError) and "'str'" in str(error.__cause__):
                    raise TextBodyError(str(error)) from error
                await _raise_os_error(name, _check_source)
                raise

        args = {"fileobj": fileobj, "bucket": bucket, "key": key, "extra_args": given}
        return self._start(work, subscribers, args)

    def download(
        self,
        bucket: str,
        key: str,
        fileobj: WritableFile | str | os.PathLike[str],
        extra_args: DownloadArgsTypeDef | None = None,
        subscribers: Subscribers | None = None,
    ) -> TransferFuture:
        """Download an object.

        Args:
            bucket: Bucket of the object.
            key: Key of the object.
            fileobj: Path of the file, which appears when all of it is there; or a file object in binary mode, which is written
                in order (`write` may be async) and whose bytes are compared with the checksum at the end.
            extra_args: Parameters of `get_object`, such as `VersionId`.
            subscribers: `BaseSubscriber` objects that are called on progress and at the end.

        Returns:
            The future of the transfer. It raises a `ClientError` with the code `404` if there is no such object.

        Raises:
            ValueError: An extra argument is not known, or `fileobj` cannot be written.
        """
        given = options.DOWNLOAD.check(extra_args)
        target = name_of(fileobj)
        if target is None:
            writable(fileobj)

        async def work(monitor: Monitor) -> None:
            service = self._client.typed
            values = options.DOWNLOAD.read(given, Bucket=bucket, Key=key)
            try:
                if target is None:
                    await download_into(service, GetObject(**values), fileobj, self._config.io_chunksize, monitor)
                else:
                    request = DownloadRequest(**values, **self._config.download_fields(), target=target)
                    await download(service, self._manager.budget, request, monitor)
            except NotFound as error:
                # boto3 sends a HEAD request first, whose response has no code but its status. Its users check for that.
                translated = client_error(error)
                translated.response["Error"]["Code"] = "404"
                raise type(translated)(translated.response, translated.operation_name) from error
            except ConfigError:
                await _raise_os_error(target, _check_target)
                raise

        args = {"bucket": bucket, "key": key, "fileobj": fileobj, "extra_args": given}
        return self._start(work, subscribers, args)

    def copy(
        self,
        copy_source: CopySourceTypeDef | str,
        bucket: str,
        key: str,
        extra_args: CopyArgsTypeDef | None = None,
        subscribers: Subscribers | None = None,
        source_client: ClientLike | None = None,
    ) -> TransferFuture:
        """Copy an object within the service.

        Headers, metadata and tags are copied too, also in parts, unless a directive is `REPLACE`. If retention is given,
        `RetentionDirective` defaults to `REPLACE`.

        Args:
            copy_source: The source: `{"Bucket": …, "Key": …, "VersionId": …}`, or text of the form `bucket/key`.
            bucket: Bucket to copy to.
            key: Key of the copy.
            extra_args: Parameters of `copy_object`, such as `MetadataDirective`.
            subscribers: `BaseSubscriber` objects that are called on progress and at the end.
            source_client: Client that looks at the source, if its bucket is at another endpoint; None is this client.

        Returns:
            The future of the transfer.

        Raises:
            ValueError: An extra argument is not known.
        """
        given = options.COPY.check(extra_args)

        async def work(monitor: Monitor) -> None:
            values = options.COPY.read(given, Bucket=bucket, Key=key, CopySource=copy_source)
            source = values.pop("source")
            if any(name.startswith("retention_") for name in values):
                values.setdefault("retention_directive", "REPLACE")
            request = CopyRequest(
                **values,
                **self._config.copy_fields(),
                source_bucket=source.bucket,
                source_key=source.key,
                version_id=source.version_id,
                source_client=source_client.typed if source_client is not None else None,
            )
            # Not strict, as in IBM's SDK: the service decides about copies of an object onto itself.
            await copy(self._client.typed, self._manager.budget, request, monitor, strict=False)

        args = {"copy_source": copy_source, "bucket": bucket, "key": key, "extra_args": given}
        return self._start(work, subscribers, args | {"source_client": source_client or self._client})

    def delete(
        self, bucket: str, key: str, extra_args: DeleteArgsTypeDef | None = None, subscribers: Subscribers | None = None
    ) -> TransferFuture:
        """Delete an object. No progress is reported.

        Args:
            bucket: Bucket of the object.
            key: Key of the object.
            extra_args: Parameters of `delete_object`, such as `VersionId`.
            subscribers: `BaseSubscriber` objects that are called when it is queued and at the end.

        Returns:
            The future of the deletion.

        Raises:
            ValueError: An extra argument is not known.
        """
        given = options.DELETE.check(extra_args)

        async def work(_: Monitor) -> None:
            values = options.DELETE.read(given, Bucket=bucket, Key=key)
            await engine_of(self._client.typed).call(DeleteObject(**values))

        return self._start(work, subscribers, {"bucket": bucket, "key": key, "extra_args": given})

    def _start(self, work: Work, subscribers: Subscribers | None, args: dict[str, Any]) -> TransferFuture:
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        listeners = list(subscribers or ())
        future = TransferFuture(TransferMeta(CallArgs(**args, subscribers=listeners), next(self._ids)))
        return self._submit(future, work, listeners, (args["bucket"], args["key"]))

    async def shutdown(self, cancel: bool = False, cancel_msg: str = "") -> None:
        """Wait for all transfers; no more can be started.

        Args:
            cancel: Cancel all transfers first.
            cancel_msg: Message of the `CancelledError` that the futures of cancelled transfers raise.
        """
        self._closed = True
        await super().shutdown(cancel, cancel_msg)


async def _raise_os_error(name: str | None, check: Callable[[Path], None]) -> None:
    """Raise an `OSError`, as boto3 does, if the transfer was refused due to its file."""
    if name is not None:
        await in_thread(check, Path(name))


def _check_source(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def _check_target(path: Path) -> None:
    _check_source(path)
    if not path.parent.is_dir():
        number = errno.ENOTDIR if path.parent.exists() else errno.ENOENT
        raise OSError(number, os.strerror(number), str(path))
