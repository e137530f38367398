"""The interface between the transport and its backends.

It has two parts: `StreamedResponse`, a response whose headers have arrived, and `Send`, the type of a backend.

Both backends, `session_backend` and `raw_backend`, are functions of the type `Send` and return a `StreamedResponse`.
`map_aiohttp_error` turns aiohttp's exceptions into those of this library, for both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, TypeAlias

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EofStream

from aiocos.errors import ConfigError, ConnectError, ConnectionLostError, CosError, ProtocolError, RequestTimeoutError
from aiocos.wire.message import PreparedRequest
from aiocos.wire.redaction import redacted, scrub, secrets_of

# Documents of the service have a few MiB at most (1,000 keys of 1,024 bytes, percent-encoded); a longer body is refused.
DOCUMENT_LIMIT = 32 * 1024 * 1024

# Longest header line of a response, as in IBM's SDK. aiohttp's default is 8,190 bytes, which user metadata can exceed.
LINE_LIMIT = 65_536

REQUEST_ERRORS = (aiohttp.ClientError, HttpProcessingError, EofStream, TimeoutError, OSError, ValueError)
"""Exceptions that aiohttp raises instead of a response."""
BODY_ERRORS = (*REQUEST_ERRORS, RuntimeError)
"""Exceptions that aiohttp raises while a body is read; `RuntimeError` if the client closes the connection meanwhile."""


class StreamedResponse(ABC):
    """A response whose headers have arrived and whose body is still to be read.

    Read the body to its end, or call `close`. As a context manager it closes itself.
    """

    __slots__ = ("headers", "status")

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers; look-ups ignore case."""

    @abstractmethod
    async def chunk(self) -> bytes:
        """Return the next bytes of the body, or an empty string at its end.

        Raises `ConnectionLostError` or `RequestTimeoutError`.
        """

    @abstractmethod
    def read_nowait(self) -> bytes | None:
        """Return the whole body if all of it has arrived, or None.

        If it has arrived, the connection is released, and `chunk` returns these bytes once more.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop reading. The connection is closed unless the body was read to its end."""

    @property
    @abstractmethod
    def request_name(self) -> str:
        """The request, for messages: method and URL without its query."""

    async def read(self, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Return the whole body.

        Raises `ProtocolError` if it has more than `limit` bytes.
        """
        chunks: list[bytes] = []
        total = 0
        while chunk := await self.chunk():
            total += len(chunk)
            if total > limit:
                raise ProtocolError(f"{self.request_name}: the response has more than {limit} bytes")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def __enter__(self) -> StreamedResponse:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


Send: TypeAlias = Callable[[PreparedRequest, float | None], Coroutine[Any, Any, StreamedResponse]]
"""A backend: sends a request and returns its response when the headers have arrived.

The second parameter is a deadline of the loop's clock. Raises `TransportError`, `ProtocolError`, `ConfigError`.
"""


def name_of(request: PreparedRequest) -> str:
    """Return method and URL of a request, without its query, for messages."""
    return f"{request.method} {request.origin}{request.path}"


def map_aiohttp_error(error: Exception, request: PreparedRequest, timeout: str, *, connecting: bool = False) -> CosError:
    """Return the exception of this library for one of aiohttp's.

    The exception says whether the request was sent. aiohttp quotes responses that it cannot parse, and a server may repeat the
    request in them: secrets are removed.

    Args:
        error: The exception of aiohttp.
        request: The request that failed.
        timeout: Says what timed out, for the message if `error` is a timeout.
        connecting: True if `error` was raised before there was a connection.
    """
    secrets = secrets_of(request)
    scrub(error, secrets)
    what, text = name_of(request), redacted(str(error), secrets) or type(error).__name__
    if isinstance(error, aiohttp.ConnectionTimeoutError) or (connecting and isinstance(error, TimeoutError)):
        return RequestTimeoutError(f"{what}: no connection in time", sent=False)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return ConnectError(f"{what}: {text}", sent=False)
    if isinstance(error, TimeoutError):
        return RequestTimeoutError(f"{what}: {timeout}", sent=True)
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        return ProtocolError(f"{what}: the response is not HTTP: {redacted(error.message, secrets)}")
    if isinstance(error, aiohttp.InvalidURL | ValueError) and not isinstance(error, aiohttp.ClientPayloadError):
        return ConfigError(f"{what}: {text}")
    return ConnectionLostError(f"{what}: {text}", sent=not connecting)
