"""The client: every operation as a method with the parameters and answers of `ibm_boto3`.

A method is made when it is first looked for, from the operation's statement: its name, its members and where they travel are
all there. What a call does is the typed client's own; this is another way to say it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, cast

from aiocos.client import Client
from aiocos.groups import engine_of
from aiocos.ibm_boto3 import answers, names, shapes
from aiocos.ibm_boto3.body import StreamingBody
from aiocos.ibm_boto3.config import Config
from aiocos.ibm_boto3.exceptions import (
    ClientExceptions,
    OperationNotPageableError,
    UnknownClientMethodError,
    metadata_of,
    understood,
)
from aiocos.ibm_boto3.paginate import PAGED, Paginator
from aiocos.ibm_boto3.payload import add_checksum, read_body
from aiocos.ibm_boto3.s3 import transfer
from aiocos.ibm_boto3.waiters import WAITERS, Waiter
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import GetObject, PutObject
from aiocos.response_errors import resource_of
from aiocos.wire.bind import to_request
from aiocos.wire.spec import Operation, registry

_LONGEST = 7 * 86400
_log = logging.getLogger("aiocos.ibm_boto3")

OPERATIONS: dict[str, type[Operation[Any]]] = {
    names.snake(name): cls for name, cls in registry.items() if cls.__module__.startswith("aiocos.")
}
"""The operations by the names of their methods."""


@dataclass(frozen=True)
class ClientMeta:
    """`client.meta`: where the client connects, and how."""

    endpoint_url: str
    region_name: str
    config: Config
    partition: str = "aws"

    @property
    def method_to_api_mapping(self) -> dict[str, str]:
        """The operation of each method."""
        return {method: cls.__name__ for method, cls in OPERATIONS.items()}


class S3Client:
    """A client with the methods of `ibm_boto3.client("s3")`, each of them awaited.

    ::

        async with ibm_boto3.client("s3", ibm_api_key_id="…", ibm_service_instance_id="crn:…", endpoint_url="…") as cos:
            response = await cos.list_objects_v2(Bucket="photos", MaxKeys=10)

    Parameters are given by name; answers are dictionaries with `ResponseMetadata`. `typed` is the client underneath, with the
    same connections and tokens. Made outside of any event loop or inside; `close` it, or use it as a context.
    """

    def __init__(self, client: Client, config: Config) -> None:
        self.typed = client
        self.meta = ClientMeta(client.endpoint, client.config.region, config)
        self.exceptions = ClientExceptions()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        cls = OPERATIONS.get(name)
        if cls is None:
            raise AttributeError(f"the client has no {name}: it is no operation of Cloud Object Storage")
        method = self.__dict__[name] = _method(self, name, cls)
        return method

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *OPERATIONS})

    def __repr__(self) -> str:
        return f"<aiocos.ibm_boto3 client of {self.meta.endpoint_url}>"

    # -- calls ----------------------------------------------------------------------------------------------------

    async def _call(self, cls: type[Operation[Any]], given: Mapping[str, Any]) -> dict[str, Any]:
        with understood(cls.__name__):
            operation = shapes.made(cls, given)
            if cls.spec.has_payload:
                payload = cast("PutObject", operation)
                payload.data = await read_body(payload.data, given.get("ContentLength"))
                await add_checksum(payload)
            engine = engine_of(self.typed)
            if not isinstance(operation, GetObject):
                return answers.told(operation, await engine.call_with_response(operation))
            answer = await engine.open_with_response(operation)
            stream = ObjectStream(engine, operation, answer.result)
            await stream.__aenter__()
            out = answers.of_result(cls, stream.info)
            out["Body"] = StreamingBody(stream)
            out["ResponseMetadata"] = metadata_of(answer.status, answer.headers, answer.attempts)
            return out

    def can_paginate(self, operation_name: str) -> bool:
        """Whether an operation gives pages: `list_objects_v2` and its kin."""
        cls = OPERATIONS.get(operation_name)
        return cls is not None and cls.__name__ in PAGED

    def get_paginator(self, operation_name: str) -> Paginator:
        """Return what iterates over an operation's pages. Raises `OperationNotPageableError`."""
        if not self.can_paginate(operation_name):
            raise OperationNotPageableError(f"Operation cannot be paginated: {operation_name}")
        return Paginator(getattr(self, operation_name), PAGED[OPERATIONS[operation_name].__name__])

    @property
    def waiter_names(self) -> list[str]:
        """The names of all waiters."""
        return sorted(WAITERS)

    def get_waiter(self, waiter_name: str) -> Waiter:
        """Return what waits: `bucket_exists`, `bucket_not_exists`, `object_exists`, `object_not_exists`."""
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
        """Return a URL with which anybody may make this one call for `ExpiresIn` seconds. It makes no request: no `await`.

        The service takes 1 s to 7 days. Another `ExpiresIn` is signed all the same, as IBM's SDK does, with a warning in the
        log: the service refuses that URL.

        Needs HMAC keys; they may be given beside an API key. Headers among the parameters (`ContentType`, `Metadata` …) are
        signed, and whoever uses the URL must send them with the same values.
        """
        cls = OPERATIONS.get(ClientMethod)
        if cls is None:
            raise UnknownClientMethodError(f"Client does not have method: {ClientMethod}")
        with understood(cls.__name__):
            operation = shapes.made(cls, Params or {})
            if isinstance(operation, GetObject):
                # A header that nobody asked for is not one that the user of the URL would send.
                operation.checksum_mode = (Params or {}).get("ChecksumMode")
            request = to_request(operation)
            request.body = None
            request.method = HttpMethod or request.method
            if not (isinstance(ExpiresIn, int) and 1 <= ExpiresIn <= _LONGEST):  # pyright: ignore[reportUnnecessaryIsInstance]
                _log.warning(
                    "%s %s: a URL for %s s is signed as IBM's SDK does; the service takes 1 to %d s and will refuse it",
                    ClientMethod, resource_of(operation), ExpiresIn, _LONGEST,
                )  # fmt: skip
            return engine_of(self.typed).presign(request, dict(request.headers), ExpiresIn, strict=False)

    # -- transfers ------------------------------------------------------------------------------------------------

    async def upload_file(
        self,
        Filename: transfer.Name,
        Bucket: str,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Upload a file, in parts where it is large. `ExtraArgs` may hold retention, whatever the size."""
        await transfer.S3Transfer(self, Config).upload_file(Filename, Bucket, Key, Callback, ExtraArgs)

    async def upload_fileobj(
        self,
        Fileobj: Any,
        Bucket: str,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Upload what a binary file object gives, in parts where it is large; its `read` may be awaitable."""
        await transfer.S3Transfer(self, Config).upload_fileobj(Fileobj, Bucket, Key, Callback, ExtraArgs)

    async def download_file(
        self,
        Bucket: str,
        Key: str,
        Filename: transfer.Name,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Download an object to a file, whole or not at all."""
        await transfer.S3Transfer(self, Config).download_file(Bucket, Key, Filename, ExtraArgs, Callback)

    async def download_fileobj(
        self,
        Bucket: str,
        Key: str,
        Fileobj: Any,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Download an object into a binary file object, whose `write` may be awaitable."""
        await transfer.S3Transfer(self, Config).download_fileobj(Bucket, Key, Fileobj, ExtraArgs, Callback)

    async def copy(
        self,
        CopySource: Mapping[str, Any],
        Bucket: str,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: transfer.Callback | None = None,
        SourceClient: S3Client | None = None,
        Config: transfer.TransferConfig | None = None,
    ) -> None:
        """Copy an object within the service, by parts where it is large."""
        await transfer.S3Transfer(self, Config).copy(CopySource, Bucket, Key, ExtraArgs, Callback, SourceClient)

    # -- life -----------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Close the connections of the running loop. The client can be used again."""
        await self.typed.close()

    def __enter__(self) -> NoReturn:
        raise TypeError("closing a client waits for the network: write `async with`")

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> S3Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _method(client: S3Client, name: str, cls: type[Operation[Any]]) -> Callable[..., Awaitable[dict[str, Any]]]:
    call = client._call  # pyright: ignore[reportPrivateUsage]

    def method(*args: Any, **kwargs: Any) -> Awaitable[dict[str, Any]]:
        if args:
            raise TypeError(f"{name}() only accepts keyword arguments.")
        return call(cls, kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"{(cls.__doc__ or '').strip()}\n\nParameters: {', '.join(shapes.offered(cls.spec))}."
    return method
