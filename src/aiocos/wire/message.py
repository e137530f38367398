"""The two messages of HTTP as this library sees them, before an address is chosen and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote

Bytes: TypeAlias = bytes | bytearray | memoryview
"""What a request may carry. A body is held in memory and can therefore be sent twice; streams are cut into parts first."""


@dataclass(slots=True)
class Request:
    """One operation on its way: what to do to which bucket and key, not yet where.

    `query` holds decoded names and values; a bare name (`?acl`) has the value "". `headers` holds wire names as they are sent;
    whoever builds a `Request` from a received message gives lower-case names or a mapping that ignores case.
    """

    method: str
    bucket: str | None = None
    key: str | None = None
    query: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Bytes | None = None


@dataclass(slots=True)
class PreparedRequest:
    """A request with its address: what is authorised, signed and sent.

    `origin` is `scheme://host[:port]` without a default port; `path` and `query` are percent-encoded as they will stand in the
    request line, and nothing after this encodes them again. `host` is the value of the Host header.
    """

    method: str
    origin: str
    path: str
    query: str
    # Not in `repr`: they carry tokens and, on their way to IAM, API keys.
    headers: dict[str, str] = field(repr=False)
    body: Bytes | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The Host header: `host[:port]` of the origin."""
        return self.origin.partition("://")[2]

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.origin}{self.path}?{self.query}" if self.query else f"{self.origin}{self.path}"


@dataclass(slots=True)
class Response:
    """An answer with its body read whole. Header look-ups ignore case, or are made with lower-case names."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @property
    def request_id(self) -> str | None:
        """The id IBM support asks for."""
        return self.headers.get("x-clv-request-id") or self.headers.get("x-amz-request-id")


def encode_query(query: list[tuple[str, str]]) -> str:
    """Write a query string as SigV4 wants it: RFC 3986 with only `-._~` left alone, and `?acl` as a bare name."""
    return "&".join(
        f"{quote(name, safe='-._~')}={quote(value, safe='-._~')}" if value else quote(name, safe="-._~")
        for name, value in query
    )
