"""Requests by aiohttp's connections, without a session.

aiohttp's session spends most of the time of a small request: it builds a request, a response, timers and cookies around a
connection and a parser that are quick. Here the connection is taken from the connector (pool, DNS, TLS and keep-alive stay
aiohttp's, and so does the parser), the head is written as one piece, and the answer is read from the connection's own protocol.

It relies on names that aiohttp does not promise: all of them are used in this file, and `verified` tries them out, once a
process and without a network, before the first request. Where they do not behave as they should, where there is a proxy, and
where a session of the user's is used, requests go by the session. `ClientConfig.fast_path` turns this way off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import cached_property
from typing import Any

import aiohttp
from aiohttp import hdrs
from aiohttp.client_reqrep import ClientRequest
from yarl import URL

from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, ProtocolError, RequestTimeoutError
from aiocos.net.body import SMALL, STEP
from aiocos.net.streamed_response import BROKEN, ERRORS, LINE_LIMIT, StreamedResponse, map_aiohttp_error, name_of
from aiocos.net.watchdog import IdleWatchdog
from aiocos.wire.message import Bytes, PreparedRequest

# What is read ahead of who reads: aiohttp stops reading at twice this.
AHEAD = 256 * 1024
# Connections that may be found unusable before a request gives up; each is closed when it is found.
_UNUSABLE = 100
_NO_TRACES: list[Any] = []


class _Answer(StreamedResponse):
    """A request on its way by a connection, and its answer: made before that has come, to be looked after meanwhile.

    `writer` is where a large body is still being sent, which a server may read to its end yet.
    """

    __slots__ = (
        "_connection", "_data", "_deadline", "_payload", "_request", "_way", "seen", "sending", "unsent", "waits", "writer",
    )  # fmt: skip

    def __init__(self, way: RawBackend, request: PreparedRequest, connection: Any, deadline: float | None) -> None:
        self._way = way
        self._request = request
        self._connection = connection
        self._deadline = deadline
        self._data: bytes | None = None
        self.writer: asyncio.Task[None] | None = None
        # What the timer looks at, see `net.watch`.
        self.seen = 0
        self.sending: Any = None
        self.unsent = 0
        self.waits: Any = None

    def begun(self, message: Any, payload: Any) -> None:
        """Take note of the head that has come."""
        self.status = message.code
        self.headers = message.headers
        self._payload = payload

    @property
    def what(self) -> str:
        return name_of(self._request)

    def arrived(self) -> bytes | None:
        payload = self._payload
        if not payload.is_eof() or payload.exception() is not None:
            return None
        self._data = data = payload.read_nowait()
        self.close()
        return data

    async def chunk(self) -> bytes:
        if self._data is not None:
            data, self._data = self._data, None
            return data
        payload = self._payload
        try:
            if payload.is_eof():
                data = await payload.readany()
            else:
                data = await self._next(payload)
        except BROKEN as error:
            raise map_aiohttp_error(error, self._request, self._way.patience(self._deadline)) from error
        if payload.at_eof():
            self.close()
        return data

    async def _next(self, payload: Any) -> bytes:
        watch = self._way.watch
        self.waits = payload
        watch.begin(self)
        try:
            if self._deadline is None:
                return await payload.readany()
            async with asyncio.timeout_at(self._deadline):
                return await payload.readany()
        finally:
            watch.flights.discard(self)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self in self._way.watch.flights:
            # aiohttp leaves whoever waits for a body that is closed where they are.
            self.waits.set_exception(aiohttp.ClientConnectionError("closed on this side"))
        writer = self.writer
        if writer is None or (writer.done() and not writer.cancelled() and writer.exception() is None):
            # aiohttp closes it where a body has not come to its end.
            connection.release()
        else:
            # Answered before all was sent, and nobody wants the rest.
            writer.cancel()
            _drop(connection)

    def give_up(self) -> None:
        """Leave the request where it is: no answer is waited for any more."""
        if self.writer is not None:
            self.writer.cancel()
        _drop(self._connection)


class ConnectRequest(ClientRequest):
    """What the connector wants to know of an origin. One for all requests there, so the key of its connections is made once."""

    @cached_property
    def connection_key(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What connections of the pool are kept by."""
        return super().connection_key


class RawBackend:
    """Requests by the connections of `connector`, for one event loop."""

    def __init__(self, config: ClientConfig, user_agent: str, connector: aiohttp.BaseConnector) -> None:
        self._idle = config.idle_timeout
        self._connector: Any = connector
        # The first is for a connection that has to be made, names looked up and all; one of the pool is there at once.
        longest = max(config.idle_timeout, config.connect_timeout)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=longest, sock_connect=config.connect_timeout)
        self._always = f"User-Agent: {user_agent}\r\nAccept-Encoding: identity\r\n"
        self._places: dict[str, tuple[Any, str]] = {}
        # The last token, and the line that says it.
        self._token = "", b""
        self.watch = IdleWatchdog(config.idle_timeout)

    def patience(self, deadline: float | None) -> str:
        """Say what ran out."""
        if deadline is not None and asyncio.get_running_loop().time() >= deadline:
            return "the deadline of the call passed"
        return f"nothing moved for {self._idle:g} s"

    def close(self) -> None:
        """Forget the timer, and end all waits: without it nothing else would."""
        self.watch.close()
        for flight in list(self.watch.flights):
            flight.waits.set_exception(aiohttp.ClientConnectionError("the client was closed"))

    def open(self, request: PreparedRequest, deadline: float | None) -> Coroutine[Any, Any, StreamedResponse]:
        """Send a request and return when the head of its answer has arrived."""
        return self._open(request, None) if deadline is None else self._in_time(request, deadline)

    async def _in_time(self, request: PreparedRequest, deadline: float) -> StreamedResponse:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._open(request, deadline)
        except TimeoutError as error:
            if isinstance(error, RequestTimeoutError):
                raise
            raise map_aiohttp_error(error, request, self.patience(deadline)) from error

    async def _open(self, request: PreparedRequest, deadline: float | None) -> StreamedResponse:
        try:
            ask, host = self._places.get(request.origin) or self._place(request.origin)
            body = request.body
            large = body is not None and len(body) > SMALL
            head = self._head(request, host, b"" if body is None or large else body)
            connection = await self._connector.connect(ask, _NO_TRACES, self._timeout)
            if connection.protocol.should_close:
                connection = await self._another(connection, ask, request)
        except ERRORS as error:
            raise map_aiohttp_error(error, request, "", connecting=True) from error
        answer = _Answer(self, request, connection, deadline)
        answer.waits = protocol = connection.protocol
        flights = self.watch.flights
        code = 0
        try:
            protocol.set_response_params(
                skip_payload=request.method == "HEAD", read_until_eof=True, auto_decompress=False, read_bufsize=AHEAD,
                max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT,
            )  # fmt: skip
            if body is not None and large:
                answer.writer = asyncio.ensure_future(self._write(answer, protocol, head, body))
                answer.writer.add_done_callback(_ended)
            else:
                protocol.transport.write(head)
            self.watch.begin(answer)
            while code < 200 and code != 101:
                message, payload = await protocol.read()
                code = message.code
                # A server that says "still at it" (102) has moved.
                answer.seen = self.watch.turn
            answer.begun(message, payload)  # pyright: ignore[reportPossiblyUnboundVariable]
        except ERRORS as error:
            raise map_aiohttp_error(error, request, self.patience(deadline)) from error
        finally:
            flights.discard(answer)
            answer.sending = None
            if code < 200:
                answer.give_up()
        if code == 101:
            raise ProtocolError(f"{name_of(request)}: the server wants to speak something else")
        return answer

    async def _another(self, connection: Any, ask: Any, request: PreparedRequest) -> Any:
        """Close a connection on which something came that nobody had asked for, and take another.

        It would be taken for the answer to this request.
        """
        for _ in range(_UNUSABLE):
            connection.close()
            connection = await self._connector.connect(ask, _NO_TRACES, self._timeout)
            if not connection.protocol.should_close:
                return connection
        connection.close()
        raise aiohttp.ClientConnectionError("the server speaks before it is asked")

    def _place(self, origin: str) -> tuple[Any, str]:
        """What the connector wants to know of an origin, and the Host header."""
        ask: Any = ConnectRequest("GET", URL(origin), loop=asyncio.get_running_loop())
        place = self._places[origin] = ask, str(ask.headers[hdrs.HOST])
        return place

    def _head(self, request: PreparedRequest, host: str, body: Bytes = b"") -> bytes:
        """The head of a request, and a small body behind it."""
        target = f"{request.path}?{request.query}" if request.query else request.path
        text = f"{request.method} {target} HTTP/1.1\r\nHost: {host}\r\n{self._always}"
        token = b""
        for name, value in request.headers.items():
            if name == "Authorization" and value == self._token[0]:
                token = self._token[1]
                continue
            if "\n" in value or "\r" in value or "\0" in value:
                raise ConfigError(f"{name_of(request)}: a line break or a zero byte in {name}: the request was not sent")
            if name == "Authorization" and value.startswith("Bearer "):
                # Long, and the same for many requests.
                token = f"{name}: {value}\r\n".encode()
                self._token = value, token
                continue
            text += f"{name}: {value}\r\n"
        if request.body is not None:
            text += f"Content-Length: {len(request.body)}\r\n"
        elif request.method not in ("GET", "HEAD"):
            text += "Content-Length: 0\r\n"
        return b"".join((text.encode(), token, b"\r\n", body))

    async def _write(self, answer: _Answer, protocol: Any, head: bytes, body: Bytes) -> None:
        """Write a large body in steps, as fast as the peer takes it. Views, not copies; the head is not joined to them."""
        transport, watch = protocol.transport, self.watch
        answer.sending = transport
        transport.write(head)
        view = memoryview(body)
        for start in range(0, len(view), STEP):
            transport.write(view[start : start + STEP])
            await protocol._drain_helper()
            # Once the answer has begun, only its own bytes count as progress.
            if answer.sending is not None:
                answer.seen = watch.turn


def _ended(writer: asyncio.Task[None]) -> None:
    """Take note of how the writing of a body ended: an error of it shows in the answer, or in that there is none."""
    if not writer.cancelled():
        writer.exception()


def _drop(connection: Any) -> None:
    """Close a connection at once: closing it in order would still send what is buffered, also of a part that was cancelled."""
    transport = connection.transport
    if transport is not None:
        transport.abort()
    connection.close()
