"""The two ends of one attempt: an answer whose head has arrived, and the way that brought it.

There are two ways: `session` goes through aiohttp's session, `direct` through its connections alone. Both `Send` and give an
`StreamedResponse`, and the same tests run on both. What an exception of aiohttp means for a request is said here, for both.
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

# A document of the service has at most a few MiB (1,000 keys of 1,024 bytes, percent-encoded); more is refused unread.
DOCUMENT_LIMIT = 32 * 1024 * 1024

# The longest line of an answer's head. IBM's SDK takes as much; aiohttp alone takes 8,190 bytes, which metadata can exceed.
LINE_LIMIT = 65_536


ERRORS = (aiohttp.ClientError, HttpProcessingError, EofStream, TimeoutError, OSError, ValueError)
"""What aiohttp raises where there is no answer."""
BROKEN = (*ERRORS, RuntimeError)
"""What it raises where a body breaks off; the last is of a connection that was closed on this side, with the client."""


class StreamedResponse(ABC):
    """An answer whose head has arrived. Read the body, or `close`; used as a context, it is closed at the end."""

    __slots__ = ("headers", "status")

    status: int
    headers: Mapping[str, str]

    @abstractmethod
    async def chunk(self) -> bytes:
        """Return what has arrived, waiting if that is nothing; empty at the end. Raises `ConnectionLostError`, `RequestTimeoutError`."""

    @abstractmethod
    def arrived(self) -> bytes | None:
        """Return the whole body if all of it has arrived, else None. the connection is free then, and `chunk` gives it too."""

    @abstractmethod
    def close(self) -> None:
        """Drop the answer. A body that was not read to its end costs the connection."""

    @property
    @abstractmethod
    def what(self) -> str:
        """The request, as messages name it."""

    async def read(self, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Read the whole body; `ProtocolError` if it has more than `limit` bytes."""
        chunks: list[bytes] = []
        total = 0
        while chunk := await self.chunk():
            total += len(chunk)
            if total > limit:
                raise ProtocolError(f"{self.what}: the answer has more than {limit} bytes")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def __enter__(self) -> StreamedResponse:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


Send: TypeAlias = Callable[[PreparedRequest, float | None], Coroutine[Any, Any, StreamedResponse]]
"""A way that requests go: sends one and returns when the head of its answer has arrived.

The second parameter is a deadline, by the loop's clock. Raises the `TransportError` family, `ProtocolError`, `ConfigError`.
"""


def name_of(request: PreparedRequest) -> str:
    """Name a request in messages."""
    return f"{request.method} {request.origin}{request.path}"


def map_aiohttp_error(error: Exception, request: PreparedRequest, timeout: str, *, connecting: bool = False) -> CosError:
    """Say what an exception of aiohttp means for a request: above all, whether it was sent. `timeout` says what ran out.

    What aiohttp quotes of an answer that it cannot read may be what the request had said: secrets are taken out.
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
        return ProtocolError(f"{what}: the answer is no HTTP: {redacted(error.message, secrets)}")
    if isinstance(error, aiohttp.InvalidURL | ValueError) and not isinstance(error, aiohttp.ClientPayloadError):
        return ConfigError(f"{what}: {text}")
    return ConnectionLostError(f"{what}: {text}", sent=not connecting)
