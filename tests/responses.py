"""Made-up responses, and responses that are changed before the client reads them."""

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
class Answer:
    """An answer before the client sees it. `body` is None where it is streamed, and not to be changed."""

    request: PreparedRequest
    status: int
    headers: CIMultiDict[str]
    body: bytes | None

    def of(self, method: str, **query: bool) -> bool:
        """Tell whether it answers a request of this method, whose query has these names, or has them not."""
        names = {pair.partition("=")[0] for pair in self.request.query.split("&")}
        return self.request.method == method and all((name in names) == there for name, there in query.items())

    @property
    def of_object(self) -> bool:
        """Whether it is about an object, not about a bucket."""
        return self.request.path.count("/") > 1


def altered(
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Answer], object],
    before: Callable[[PreparedRequest], object] = lambda request: None,
) -> None:
    """Have every answer changed before any client sees it, and every request `before` it is sent."""
    send, opened = Transport.send, Transport.open

    async def changed_send(self: Transport, request: PreparedRequest, **more: Any) -> Response:
        before(request)
        response = await send(self, request, **more)
        answer = Answer(request, response.status, CIMultiDict(response.headers), response.body)
        change(answer)
        return Response(answer.status, answer.headers, answer.body or b"")

    async def changed_open(self: Transport, request: PreparedRequest, **more: Any) -> StreamedResponse:
        before(request)
        exchange = await opened(self, request, **more)
        answer = Answer(request, exchange.status, CIMultiDict(exchange.headers), None)
        change(answer)
        exchange.status, exchange.headers = answer.status, answer.headers
        return exchange

    monkeypatch.setattr(Transport, "send", changed_send)
    monkeypatch.setattr(Transport, "open", changed_open)


class FakeResponse(StreamedResponse):
    """A response whose body arrives in these chunks."""

    def __init__(self, *pieces: bytes) -> None:
        self.status, self.headers = 200, {}
        self._pieces = list(pieces)
        self.closed = 0

    @property
    def request_name(self) -> str:
        return "GET https://cos.example/b/k"

    async def chunk(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def read_nowait(self) -> bytes | None:
        return None

    def close(self) -> None:
        self.closed += 1
