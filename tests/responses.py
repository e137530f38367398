"""Responses that are changed before the client reads them, and responses that are made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from multidict import CIMultiDict

from aiocos.net.streamed_response import StreamedResponse
from aiocos.net.transport import Transport
from aiocos.wire.message import PreparedRequest, Response


@dataclass
class ChangedResponse:
    """A response that a test may change before the client sees it."""

    request: PreparedRequest
    status: int
    headers: CIMultiDict[str]
    body: bytes | None
    """The body; None if it is streamed, and cannot be changed."""

    def is_for(self, method: str, **query: bool) -> bool:
        """Return True if the request has this method; `name=True` requires a parameter in its query, False forbids it."""
        names = {pair.partition("=")[0] for pair in self.request.query.split("&")}
        return self.request.method == method and all((name in names) == present for name, present in query.items())

    @property
    def is_for_object(self) -> bool:
        """True if the request is about an object, not about a bucket."""
        return self.request.path.count("/") > 1


def change_responses(
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[ChangedResponse], object],
    before: Callable[[PreparedRequest], object] = lambda request: None,
) -> None:
    """Call `change` with every response before any client sees it, and `before` with every request before it is sent."""
    send, open_ = Transport.send, Transport.open

    async def changed_send(self: Transport, request: PreparedRequest, **more: Any) -> Response:
        before(request)
        response = await send(self, request, **more)
        changed = ChangedResponse(request, response.status, CIMultiDict(response.headers), response.body)
        change(changed)
        return Response(changed.status, changed.headers, changed.body or b"")

    async def changed_open(self: Transport, request: PreparedRequest, **more: Any) -> StreamedResponse:
        before(request)
        response = await open_(self, request, **more)
        changed = ChangedResponse(request, response.status, CIMultiDict(response.headers), None)
        change(changed)
        response.status, response.headers = changed.status, changed.headers
        return response

    monkeypatch.setattr(Transport, "send", changed_send)
    monkeypatch.setattr(Transport, "open", changed_open)


class FakeResponse(StreamedResponse):
    """A response whose body arrives in these chunks. `closed` counts the calls of `close`."""

    def __init__(self, *chunks: bytes) -> None:
        self.status, self.headers = 200, {}
        self._chunks = list(chunks)
        self.closed = 0

    @property
    def request_name(self) -> str:
        return "GET https://cos.example/b/k"

    async def chunk(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""

    def read_nowait(self) -> bytes | None:
        return None

    def close(self) -> None:
        self.closed += 1
