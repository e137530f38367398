"""HTTP requests and responses: a request before it has an address, and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote

Bytes: TypeAlias = bytes | bytearray | memoryview
"""The body of a request. It is held in memory, so that it can be sent again; streams are cut into parts first."""


@dataclass(slots=True)
class Request:
    """A request for a bucket and key, without an endpoint."""

    method: str
    """HTTP method."""
    bucket: str | None = None
    """Name of the bucket; None for the service itself."""
    key: str | None = None
    """Key of the object, not encoded; None for the bucket itself."""
    query: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Names and values, not encoded. A bare name (`?acl`) has the value ""."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers to send. A received request has lower-case names, or a mapping that ignores case."""
    body: Bytes | None = None
    """Body; None for a request without one."""


@dataclass(slots=True)
class PreparedRequest:
    """A request with its address, ready to be authorized, signed and sent."""

    method: str
    """HTTP method."""
    origin: str
    """`scheme://host[:port]`, without a default port."""
    path: str
    """Path, percent-encoded as in the request line. Nothing encodes it again."""
    query: str
    """Query, percent-encoded as in the request line, without `?`. Nothing encodes it again."""
    headers: dict[str, str] = field(repr=False)
    """Headers. `repr` leaves them out, since they contain tokens."""
    body: Bytes | None = field(default=None, repr=False)
    """Body; None for a request without one. `repr` leaves it out, since a request to IAM contains an API key."""

    @property
    def host(self) -> str:
        """Value of the Host header: `host[:port]` of the origin."""
        return self.origin.partition("://")[2]

    @property
    def url(self) -> str:
        """The complete URL."""
        return f"{self.origin}{self.path}?{self.query}" if self.query else f"{self.origin}{self.path}"


@dataclass(slots=True)
class Response:
    """A response whose body was read completely."""

    status: int
    """HTTP status."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers: a mapping that ignores case, or one with lower-case names."""
    body: bytes = b""
    """The whole body."""

    @property
    def request_id(self) -> str | None:
        """Id of the request, which IBM support asks for; None if the response has none."""
        return self.headers.get("x-clv-request-id") or self.headers.get("x-amz-request-id")


def encode_query(query: list[tuple[str, str]]) -> str:
    """Return a query string as SigV4 requires it.

    Everything but letters, digits and `-._~` is percent-encoded; an empty value gives a bare name (`acl`).
    """
    return "&".join(
        f"{quote(name, safe='-._~')}={quote(value, safe='-._~')}" if value else quote(name, safe="-._~")
        for name, value in query
    )
