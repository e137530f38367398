"""The client: operations as methods, with `ibm_boto3` parameters and responses.

A method is made from the operation's spec when it is first accessed. Its call is translated into one of the typed client, and
the result is translated back. Type checkers read `client.pyi`, which is generated from the same specs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, cast

from aiocos.client import Client
from aiocos.groups import engine_of
from aiocos.ibm_boto3 import inputs, names, responses
from aiocos.ibm_boto3.body import StreamingBody
from aiocos.ibm_boto3.config import Config
from aiocos.ibm_boto3.exceptions import (
    ClientExceptions,
    OperationNotPageableError,
    UnknownClientMethodError,
    response_metadata,
    translate_errors,
)
from aiocos.ibm_boto3.method import ClientMethod
from aiocos.ibm_boto3.paginate import PAGED, Paginator
from aiocos.ibm_boto3.payload import name_checksum, read_body
from aiocos.ibm_boto3.s3 import transfer
from aiocos.ibm_boto3.waiters import WAITERS, Waiter
from aiocos.object_stream import ObjectStream
from aiocos.operations import every_operation
from aiocos.operations.objects import GetObject, PutObject
from aiocos.response_errors import resource_of
from aiocos.wire.bind import to_request
from aiocos.wire.spec import Operation

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import (
        CopyArgsTypeDef,
        CopySourceTypeDef,
        DownloadArgsTypeDef,
        FileSourceTypeDef,
        UploadArgsTypeDef,
        WritableFile,
    )

_MAX_EXPIRES = 7 * 86400
_log = logging.getLogger("aiocos.ibm_boto3")

OPERATIONS: dict[str, type[Operation[Any]]] = {names.snake(name): cls for name, cls in every_operation().items()}
"""Operations by the names of their methods."""


@dataclass(frozen=True)
class ClientMeta:
    """Endpoint and settings of a client: `client.meta`."""

    endpoint_url: str
    """URL of the endpoint."""
    region_name: str
    """Region that signatures name."""
    config: Config
    """Settings that the client was made with."""
    partition: str = "aws"
    """Always `aws`, as in IBM's SDK."""

    @property
    def method_to_api_mapping(self) -> dict[str, str]:
        """Names of the operations by the names of their methods."""
        return {method: cls.__name__ for method, cls in OPERATIONS.items()}


class S3Client:
    """A client with the methods of `ibm_boto3.client("s3")`, each of them awaited.

    ::

        async with ibm_boto3.client("s3", ibm_api_key_id="…", ibm_service_instance_id="crn:…", endpoint_url="…") as cos:
            response = await cos.list_objects_v2(Bucket="photos", MaxKeys=10)

    Parameters are passed by name; responses are dictionaries with `ResponseMetadata`. A client may be made inside or outside an
    event loop. Close it, or use it with `async with`.
    """

    def __init__(self, client: Client, config: Config) -> None:
        self.typed = client
        """The typed client that sends the requests; it shares its connections and tokens with this client."""
        self.meta = ClientMeta(client.endpoint, client.config.region, config)
        """Endpoint and settings."""
        self.exceptions = ClientExceptions()
        """Exception classes by error code: `except client.exceptions.NoSuchKey`."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        cls = OPERATIONS.get(name)
        if cls is None:
            raise AttributeError(f"the client has no method {name}: Cloud Object Storage has no such operation")
        method = self.__dict__[name] = ClientMethod(name, cls, self._call)
        return method

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *OPERATIONS})

    def __repr__(self) -> str:
        return f"<aiocos.ibm_boto3 client of {self.meta.endpoint_url}>"

    # -- calls ----------------------------------------------------------------------------------------------------

    async def _call(self, cls: type[Operation[Any]], given: Mapping[str, Any]) -> dict[str, Any]:
        with translate_errors(cls.__name__):
            operation = inputs.build_operation(cls, given)
            if cls.spec.has_payload:
                payload = cast("PutObject", operation)
                if type(payload.data) is not bytes:
                    payload.data = await read_body(payload.data, given.get("ContentLength"))
                name_checksum(payload)
            engine = engine_of(self.typed)
            if not isinstance(operation, GetObject):
                return responses.to_response(operation, await engine.call_with_response(operation))
            result = await engine.open_with_response(operation)
            stream = ObjectStream(engine, operation, result.result)
            await stream.__aenter__()
            response = responses.from_result(cls, stream.info)
            response["Body"] = StreamingBody(stream)
            response["ResponseMetadata"] = response_metadata(result.status, result.headers, result.attempts)
            return response

    def can_paginate(self, operation_name: str) -> bool:
        """Return True if a method has a paginator, as `list_objects_v2` does."""
        cls = OPERATIONS.get(operation_name)
        return cls is not None and cls.__name__ in PAGED

    def get_paginator(self, operation_name: str) -> Paginator[Any, Any]:
        """Return the paginator of a method.

        Args:
            operation_name: Name of the method, such as `list_objects_v2`.

        Raises:
            OperationNotPageableError: The method has no paginator.
        """
        if not self.can_paginate(operation_name):
            raise OperationNotPageableError(f"Operation cannot be paginated: {operation_name}")
        return Paginator(getattr(self, operation_name), PAGED[OPERATIONS[operation_name].__name__])

    @property
    def waiter_names(self) -> list[str]:
        """Names of all waiters."""
        return sorted(WAITERS)

    def get_waiter(self, waiter_name: str) -> Waiter:
        """Return a waiter.

        Args:
            waiter_name: `bucket_exists`, `bucket_not_exists`, `object_exists` or `object_not_exists`.

        Raises:
            ValueError: There is no waiter of this name.
        """
        if waiter_name not in WAITERS:
            raise ValueError(f"Waiter does not exist: {waiter_name}; there are {', '.join(self.waiter_names)}")
        return Waiter(waiter_name, getattr(self, names.snake(WAITERS[waiter_name].operation)))

    def generate_presigned_url(
        self,
        ClientMethod: str,
        Params: Mapping[str, Any] | None = None,
        ExpiresIn: int = 3600,
        HttpMethod: str | None = None,
    ) -> str:
        """Return a presigned URL: anybody who has it can make the call until it expires.

        The URL is computed without a request to the service, so this method is not awaited. HMAC keys are required; they may be
        given in addition to an API key. Parameters that are headers (`ContentType`, `Metadata`) are signed: a user of the URL
        must send these headers with the same values.

        Args:
            ClientMethod: Name of the method, such as `get_object`.
            Params: Parameters of the call.
            ExpiresIn: Seconds for which the URL is valid: 1 to 604,800 (7 days), 3,600 by default. Other values are signed as
                IBM's SDK does, with a warning in the log, and the service refuses the URL.
            HttpMethod: Method of the request; None is that of the operation.

        Raises:
            UnknownClientMethodError: The client has no such method.
            ParamValidationError: A parameter is unknown, missing or invalid.
        """
        cls = OPERATIONS.get(ClientMethod)
        if cls is None:
            raise UnknownClientMethodError(f"Client does not have method: {ClientMethod}")
        with translate_errors(cls.__name__):
            operation = inputs.build_operation(cls, Params or {})
            if isinstance(operation, GetObject):
                # Only if the caller asked for this header: users of the URL would have to send it.
                operation.checksum_mode = (Params or {}).get("ChecksumMode")
            request = to_request(operation)
            request.body = None
            request.method = HttpMethod or request.method
            if not (isinstance(ExpiresIn, int) and 1 <= ExpiresIn <= _MAX_EXPIRES):  # pyright: ignore[reportUnnecessaryIsInstance]
                _log.warning(
                    "%s %s: signed a URL that expires in %s s, as IBM's SDK does; the service refuses it, it allows 1 to %d s",
                    ClientMethod, resource_of(operation), ExpiresIn, _MAX_EXPIRES,
                )  # fmt: skip
            return engine_of(self.typed).presign(request, dict(request.headers), ExpiresIn, strict=False)

    # -- transfers ------------------------------------------------------------------------------------------------

    async def upload_file(
        self,
        Filename: transfer.Name,
        Bucket: str,
        Key: str,
        ExtraArgs: UploadArgsTypeDef | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Upload a file, in parts if it is large.

        Args:
            Filename: Path of the file.
            Bucket: Bucket to upload to.
            Key: Key of the object.
            ExtraArgs: Parameters of `put_object`, such as `ContentType`. Retention is set whatever the size of the file.
            Callback: Function (plain or async) that gets the number of bytes sent since its last call.
            Config: Part size, concurrency and thresholds; None is `TransferConfig()`.

        Raises:
            S3UploadFailedError: The service refused the upload; `__cause__` is the `ClientError`.
            OSError: The file cannot be read.
        """
        await transfer.S3Transfer(self, Config).upload_file(Filename, Bucket, Key, Callback, ExtraArgs)

    async def upload_fileobj(
        self,
        Fileobj: FileSourceTypeDef,
        Bucket: str,
        Key: str,
        ExtraArgs: UploadArgsTypeDef | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Upload a file object, in parts if it is large, without closing it.

        Args:
            Fileobj: File object in binary mode, whose `read` may be async; or an async iterable of bytes.
            Bucket: Bucket to upload to.
            Key: Key of the object.
            ExtraArgs: Parameters of `put_object`, such as `ContentType`.
            Callback: Function (plain or async) that gets the number of bytes sent since its last call.
            Config: Part size, concurrency and thresholds; None is `TransferConfig()`.

        Raises:
            ClientError: The service refused the upload.
        """
        await transfer.S3Transfer(self, Config).upload_fileobj(Fileobj, Bucket, Key, Callback, ExtraArgs)

    async def download_file(
        self,
        Bucket: str,
        Key: str,
        Filename: transfer.Name,
        ExtraArgs: DownloadArgsTypeDef | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Download an object to a file. The file appears when all of it is there.

        Args:
            Bucket: Bucket of the object.
            Key: Key of the object.
            Filename: Path of the file.
            ExtraArgs: Parameters of `get_object`, such as `VersionId`.
            Callback: Function (plain or async) that gets the number of bytes received since its last call.
            Config: Part size, concurrency and thresholds; None is `TransferConfig()`.

        Raises:
            ClientError: The service refused the download; its code is `404` if there is no such object.
            OSError: The file cannot be written.
        """
        await transfer.S3Transfer(self, Config).download_file(Bucket, Key, Filename, ExtraArgs, Callback)

    async def download_fileobj(
        self,
        Bucket: str,
        Key: str,
        Fileobj: WritableFile,
        ExtraArgs: DownloadArgsTypeDef | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Download an object into a file object, in order and with one request.

        Args:
            Bucket: Bucket of the object.
            Key: Key of the object.
            Fileobj: File object in binary mode, whose `write` may be async.
            ExtraArgs: Parameters of `get_object`, such as `VersionId`.
            Callback: Function (plain or async) that gets the number of bytes received since its last call.
            Config: `io_chunksize` is the number of bytes per `write`; None is `TransferConfig()`.

        Raises:
            ClientError: The service refused the download; its code is `404` if there is no such object.
        """
        await transfer.S3Transfer(self, Config).download_fileobj(Bucket, Key, Fileobj, ExtraArgs, Callback)

    async def copy(
        self,
        CopySource: CopySourceTypeDef | str,
        Bucket: str,
        Key: str,
        ExtraArgs: CopyArgsTypeDef | None = None,
        Callback: transfer.Callback | None = None,
        SourceClient: S3Client | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Copy an object within the service, in parts if it is large.

        Args:
            CopySource: The source: `{"Bucket": …, "Key": …, "VersionId": …}`, or text of the form `bucket/key`.
            Bucket: Bucket to copy to.
            Key: Key of the copy.
            ExtraArgs: Parameters of `copy_object`, such as `MetadataDirective`.
            Callback: Function (plain or async) that gets the number of bytes copied since its last call.
            SourceClient: Client that looks at the source, if its bucket is at another endpoint; None is this client.
            Config: Part size, concurrency and thresholds; None is `TransferConfig()`.

        Raises:
            ClientError: The service refused the copy.
        """
        await transfer.S3Transfer(self, Config).copy(CopySource, Bucket, Key, ExtraArgs, Callback, SourceClient)

    # -- closing --------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Close the connections of the running event loop. The client can be used again."""
        await self.typed.close()

    def __enter__(self) -> NoReturn:
        raise TypeError("a client is closed with `await`: write `async with`")

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> S3Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
