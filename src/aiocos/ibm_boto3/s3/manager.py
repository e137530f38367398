"""`TransferManager`: transfers that run beside the program, each with a future."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from aiocos.errors import ConfigError, NotFound
from aiocos.groups import engine_of
from aiocos.ibm_boto3.exceptions import TextBodyError, client_error
from aiocos.ibm_boto3.s3 import options
from aiocos.ibm_boto3.s3.fileobj import download_into, name_of, readable, writable
from aiocos.ibm_boto3.s3.futures import CallArgs, TransferFuture, TransferMeta
from aiocos.ibm_boto3.s3.jobs import Face, Jobs, Work
from aiocos.ibm_boto3.s3.options import TransferConfig
from aiocos.operations.objects import DeleteObject, GetObject
from aiocos.transfer.copy.copy import copy
from aiocos.transfer.download.download import download
from aiocos.transfer.files import in_thread
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import CopyRequest, DownloadRequest, UploadRequest
from aiocos.transfer.upload.upload import upload

Arguments = Mapping[str, Any]
Subscribers = Iterable[Any]


class TransferManager(Jobs[TransferFuture]):
    """Carries transfers out beside the program, `config.max_concurrency` of them at once.

    ::

        async with TransferManager(client, config=TransferConfig(multipart_chunksize=5 * MB)) as manager:
            future = manager.upload("big.bin", "photos", "big.bin")
            await future.result()

    Its methods return at once with a future, are called where an event loop runs, and take `subscribers` (`BaseSubscriber`).
    `extra_args` are members of the operation; one that is not known is a `ValueError` at once. Leaving the context waits for
    all transfers; an error in it cancels them. A client that is closed cancels them too. `osutil` and `executor_cls` mean
    nothing without threads, and are refused.
    """

    ALLOWED_UPLOAD_ARGS: ClassVar[list[str]] = options.UPLOAD.names
    ALLOWED_DOWNLOAD_ARGS: ClassVar[list[str]] = options.DOWNLOAD.names
    ALLOWED_COPY_ARGS: ClassVar[list[str]] = options.COPY.names
    ALLOWED_DELETE_ARGS: ClassVar[list[str]] = options.DELETE.names

    def __init__(
        self, client: Face, config: TransferConfig | None = None, osutil: None = None, executor_cls: None = None
    ) -> None:
        if osutil is not None or executor_cls is not None:
            raise ValueError("TransferManager: there is no osutil and no executor_cls here: one event loop does all of it")
        self._config = config = TransferConfig() if config is None else config
        if not isinstance(config, TransferConfig):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"config is an aiocos.ibm_boto3.s3.transfer.TransferConfig, not {config!r}")
        super().__init__(client, config.width)
        self._ids = itertools.count()
        self._closed = False

    @property
    def config(self) -> TransferConfig:
        """How it cuts, and how much it does at once."""
        return self._config

    def upload(
        self,
        fileobj: Any,
        bucket: str,
        key: str,
        extra_args: Arguments | None = None,
        subscribers: Subscribers | None = None,
    ) -> TransferFuture:
        """Upload a file by its name, or what a binary file object gives from where it stands; that is not closed.

        A `read` that is awaitable, and async iterators of bytes, do as well.
        """
        given = options.UPLOAD.check(extra_args)
        kind = self._client.typed.config.checksum.upper()
        if given.get("ChecksumAlgorithm", kind) != kind:
            asked = given["ChecksumAlgorithm"]
            raise ValueError(
                f"ChecksumAlgorithm: every body has a {kind} here, which is a setting of the client, and not {asked}"
            )
        name = name_of(fileobj)
        source = readable(fileobj) if name is None else name

        async def work(monitor: Monitor) -> None:
            values = options.UPLOAD.read(given, Bucket=bucket, Key=key)
            request = UploadRequest(**values, **self._config.of_upload(), source=source)
            try:
                await upload(self._client.typed, self._manager.budget, request, monitor)
            except ConfigError as error:
                if isinstance(error.__cause__, TypeError) and "'str'" in str(error.__cause__):
                    raise TextBodyError(str(error)) from error
                await _explained(name, _no_source)
                raise

        args = {"fileobj": fileobj, "bucket": bucket, "key": key, "extra_args": given}
        return self._start(work, subscribers, args)

    def download(
        self,
        bucket: str,
        key: str,
        fileobj: Any,
        extra_args: Arguments | None = None,
        subscribers: Subscribers | None = None,
    ) -> TransferFuture:
        """Download an object to a file by its name, whole or not at all; or into a binary file object.

        A file object is written to strictly in order, its `write` may be awaitable; the bytes are compared with the object's
        checksum when all are written. An object that is not there is a `ClientError` with the code 404.
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
                    request = DownloadRequest(**values, **self._config.of_download(), target=target)
                    await download(service, self._manager.budget, request, monitor)
            except NotFound as error:
                # boto3 asks by HEAD first, whose answer has no other code: this is what its users look for.
                meant = client_error(error)
                meant.response["Error"]["Code"] = "404"
                raise type(meant)(meant.response, meant.operation_name) from error
            except ConfigError:
                await _explained(target, _no_target)
                raise

        args = {"bucket": bucket, "key": key, "fileobj": fileobj, "extra_args": given}
        return self._start(work, subscribers, args)

    def copy(
        self,
        copy_source: Mapping[str, Any] | str,
        bucket: str,
        key: str,
        extra_args: Arguments | None = None,
        subscribers: Subscribers | None = None,
        source_client: Face | None = None,
    ) -> TransferFuture:
        """Copy an object within the service. `source_client` looks at the source, where its bucket is at another endpoint.

        Headers, metadata and tags come along, by parts too, unless a directive says REPLACE. Retention that is given is set:
        `RetentionDirective` is REPLACE then.
        """
        given = options.COPY.check(extra_args)

        async def work(monitor: Monitor) -> None:
            values = options.COPY.read(given, Bucket=bucket, Key=key, CopySource=copy_source)
            source = values.pop("source")
            if any(name.startswith("retention_") for name in values):
                values.setdefault("retention_directive", "REPLACE")
            request = CopyRequest(
                **values,
                **self._config.of_copy(),
                source_bucket=source.bucket,
                source_key=source.key,
                version_id=source.version_id,
                source_client=source_client.typed if source_client is not None else None,
            )
            # A copy onto itself and its kin are the service's to refuse, as IBM's SDK has it.
            await copy(self._client.typed, self._manager.budget, request, monitor, strict=False)

        args = {"copy_source": copy_source, "bucket": bucket, "key": key, "extra_args": given}
        return self._start(work, subscribers, args | {"source_client": source_client or self._client})

    def delete(
        self, bucket: str, key: str, extra_args: Arguments | None = None, subscribers: Subscribers | None = None
    ) -> TransferFuture:
        """Remove an object. There is no progress to hear of."""
        given = options.DELETE.check(extra_args)

        async def work(_: Monitor) -> None:
            values = options.DELETE.read(given, Bucket=bucket, Key=key)
            await engine_of(self._client.typed).call(DeleteObject(**values))

        return self._start(work, subscribers, {"bucket": bucket, "key": key, "extra_args": given})

    def _start(self, work: Work, subscribers: Subscribers | None, args: dict[str, Any]) -> TransferFuture:
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        heard = list(subscribers or ())
        future = TransferFuture(TransferMeta(CallArgs(**args, subscribers=heard), next(self._ids)))
        return self._submit(future, work, heard, (args["bucket"], args["key"]))

    async def shutdown(self, cancel: bool = False, cancel_msg: str = "") -> None:
        """Wait for all transfers, with `cancel` cancel them first; none can be begun any more."""
        self._closed = True
        await super().shutdown(cancel, cancel_msg)


async def _explained(name: str | None, explain: Callable[[Path], None]) -> None:
    """Raise the system's own error where a file is why a transfer was refused, as boto3 does."""
    if name is not None:
        await in_thread(explain, Path(name))


def _no_source(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def _no_target(path: Path) -> None:
    _no_source(path)
    if not path.parent.is_dir():
        number = errno.ENOTDIR if path.parent.exists() else errno.ENOENT
        raise OSError(number, os.strerror(number), str(path))
