"""Send requests on aiohttp's connections, without its session.

aiohttp's session takes most of the time of a small request: it creates a request, a response, timers and cookies around a fast
connection and a fast parser. This backend takes a connection from the connector (aiohttp still does pooling, DNS, TLS and
keep-alive), writes the request head in one piece, and reads the response from the connection's protocol, also aiohttp's.

`session_backend` is the general path and the specification: both backends give the same responses and the same errors.
`transport` chooses between them.

This file relies on names that aiohttp does not document. All of them are used in this file, and `compat_check` tries them once
per process, without a network, before the first request. If one does not behave as expected, all requests use the session.
`ClientConfig.fast_path=False` turns this backend off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import cached_property, partial
from typing import Any, NamedTuple

import aiohttp
from aiohttp import hdrs
from aiohttp.client_reqrep import ClientRequest
from aiohttp.streams import EMPTY_PAYLOAD
from yarl import URL

from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, ProtocolError, RequestTimeoutError
from aiocos.net.body import SMALL_BODY, WRITE_STEP
from aiocos.net.quick_handler import Forms, QuickHandler
from aiocos.net.streamed_response import BODY_ERRORS, LINE_LIMIT, REQUEST_ERRORS, StreamedResponse, map_aiohttp_error, name_of
from aiocos.net.watchdog import IdleWatchdog
from aiocos.wire.message import Bytes, PreparedRequest
from aiocos.wire.received_headers import FormedHeaders

# Bytes of a response that are read ahead of its reader; aiohttp stops reading from the socket at twice this.
READ_AHEAD = 256 * 1024
# A request fails after it found this many unusable connections in the pool. Each one found is closed.
_MAX_UNUSABLE = 100
# Seconds after which unused connections go back to the connector, or up to twice as many.
_KEPT_FOR = 1.0
_NO_TRACES: list[Any] = []


class _RawResponse(StreamedResponse):
    """A request on a connection, and its response.

    It is an `InFlight` of the watchdog, before and after the headers arrive.

    `writer` is the task that writes a large body. A server may respond before it has read the body to its end.
    """

    __slots__ = (
        "_backend", "_connection", "_data", "_deadline", "_payload", "_request", "last_progress", "sending", "unsent",
        "waiter", "writer",
    )  # fmt: skip

    def __init__(self, backend: RawBackend, request: PreparedRequest, connection: Any, deadline: float | None) -> None:
        self._backend = backend
        self._request = request
        self._connection = connection
        self._deadline = deadline
        self._data: bytes | None = None
        self.writer: asyncio.Task[None] | None = None
        # The attributes of `InFlight`.
        self.last_progress = 0
        self.sending: Any = None
        self.unsent = 0
        self.waiter: Any = None

    def set_head(self, message: Any, payload: Any) -> None:
        """Take status, headers and payload from aiohttp's parser."""
        self.status = message.code
        self.headers = message.headers
        self._payload = payload

    def set_whole(self, headers: FormedHeaders, body: bytes) -> None:
        """Take a whole response; its connection is not in use any more."""
        self.status = headers.form.status
        self.headers = headers
        self._connection = None
        self._payload = EMPTY_PAYLOAD
        self._data = body

    @property
    def request_name(self) -> str:
        return name_of(self._request)

    def read_nowait(self) -> bytes | None:
        if self._data is not None:
            return self._data
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
                data = await self._wait_for_data(payload)
        except BODY_ERRORS as error:
            raise map_aiohttp_error(error, self._request, self._backend.timeout_reason(self._deadline)) from error
        if payload.at_eof():
            self.close()
        return data

    async def _wait_for_data(self, payload: Any) -> bytes:
        watchdog = self._backend.watchdog
        self.waiter = payload
        watchdog.watch(self)
        try:
            if self._deadline is None:
                return await payload.readany()
            async with asyncio.timeout_at(self._deadline):
                return await payload.readany()
        finally:
            watchdog.in_flight.discard(self)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self in self._backend.watchdog.in_flight:
            # aiohttp does not wake a task that waits for a body when the connection is closed.
            self.waiter.set_exception(aiohttp.ClientConnectionError("closed on this side"))
        writer = self.writer
        if writer is None or (writer.done() and not writer.cancelled() and writer.exception() is None):
            # aiohttp returns the connection to the pool, or closes it if the body was not read to its end.
            connection.release()
        else:
            # The server responded before the request was sent whole, and the caller does not read on.
            writer.cancel()
            _abort(connection)

    def abort(self) -> None:
        """Stop waiting for the response, and close the connection."""
        if self.writer is not None:
            self.writer.cancel()
        _abort(self._connection)


class ConnectRequest(ClientRequest):
    """The request that the connector opens a connection for.

    All requests to an origin share one, and so its pool key.
    """

    @cached_property
    def connection_key(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The key of the connector's pool."""
        return super().connection_key


class _Origin(NamedTuple):
    """The data that all requests to an origin share."""

    connect_request: Any
    """The connector's request."""
    host: str
    """The Host header."""
    forms: Forms
    """The forms of the server's response heads."""
    idle: list[Any]
    """Connections that were used a moment ago; the last one is used next."""


class RawBackend:
    """Sends requests on the connections of `connector`, for one event loop.

    Args:
        config: The settings of the client.
        user_agent: The User-Agent header.
        connector: The connections.
    """

    def __init__(self, config: ClientConfig, user_agent: str, connector: aiohttp.BaseConnector) -> None:
        self._idle_timeout = config.idle_timeout
        self._connector: Any = connector
        # `connect` includes the DNS look-up and waiting for a connection; `sock_connect` is for the socket alone.
        longest = max(config.idle_timeout, config.connect_timeout)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=longest, sock_connect=config.connect_timeout)
        self._common_headers = f"User-Agent: {user_agent}\r\nAccept-Encoding: identity\r\n"
        self._origins: dict[str, _Origin] = {}
        self._idle_timer: asyncio.TimerHandle | None = None
        # The last Authorization header with a token, and its encoded line.
        self._authorization = "", b""
        self.watchdog = IdleWatchdog(config.idle_timeout)
        self._loop = asyncio.get_running_loop()
        self._connector._factory = partial(QuickHandler, loop=self._loop)

    def timeout_reason(self, deadline: float | None) -> str:
        """Return the text of a timeout error: the deadline has passed, or nothing moved."""
        if deadline is not None and asyncio.get_running_loop().time() >= deadline:
            return "the deadline of the call passed"
        return f"nothing moved for {self._idle_timeout:g} s"

    def close(self) -> None:
        """Cancel the timer, and fail all waits: without the timer they might never end."""
        self.watchdog.close()
        self.release_idle()
        for request in list(self.watchdog.in_flight):
            request.waiter.set_exception(aiohttp.ClientConnectionError("the client was closed"))

    def release_idle(self) -> None:
        """Give the unused connections back to the connector.

        The connector closes them when they were idle for long.
        """
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        for origin in self._origins.values():
            while origin.idle:
                origin.idle.pop().release()

    def open(self, request: PreparedRequest, deadline: float | None) -> Coroutine[Any, Any, StreamedResponse]:
        """Send a request and return its response when the headers have arrived."""
        return self._open(request, None) if deadline is None else self._open_until(request, deadline)

    async def _open_until(self, request: PreparedRequest, deadline: float) -> StreamedResponse:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._open(request, deadline)
        except TimeoutError as error:
            if isinstance(error, RequestTimeoutError):
                raise
            raise map_aiohttp_error(error, request, self.timeout_reason(deadline)) from error

    async def _open(self, request: PreparedRequest, deadline: float | None) -> StreamedResponse:
        try:
            origin = self._origins.get(request.origin) or self._add_origin(request.origin)
            body = request.body
            large = body is not None and len(body) > SMALL_BODY
            head = self._encode(request, origin.host, b"" if body is None or large else body)
            connection = self._take_idle(origin) if origin.idle else None
            if connection is None:
                connection = await self._connector.connect(origin.connect_request, _NO_TRACES, self._timeout)
                if connection.protocol.should_close:
                    connection = await self._replace(connection, origin.connect_request)
        except REQUEST_ERRORS as error:
            raise map_aiohttp_error(error, request, "", connecting=True) from error
        response = _RawResponse(self, request, connection, deadline)
        response.waiter = protocol = connection.protocol
        in_flight = self.watchdog.in_flight
        code = 0
        try:
            is_head = request.method == "HEAD"
            if body is not None and large:
                self.prepare_parser(protocol, is_head)
                response.writer = asyncio.ensure_future(self._write(response, protocol, head, body))
                response.writer.add_done_callback(_retrieve_exception)
                self.watchdog.watch(response)
            elif isinstance(protocol, QuickHandler):
                waiter = protocol.expect(origin.forms, is_head, self.prepare_parser)
                protocol.transport.write(head)  # type: ignore[union-attr]
                self.watchdog.watch(response)
                whole = await waiter
                if whole is not None:
                    response.set_whole(*whole)
                    code = response.status
                    self._keep_idle(origin, connection)
                    return response
            else:
                self.prepare_parser(protocol, is_head)
                protocol.transport.write(head)
                self.watchdog.watch(response)
            while code < 200 and code != 101:
                message, payload = await protocol.read()
                code = message.code
                # An interim response, such as 102 Processing, is progress.
                response.last_progress = self.watchdog.now
            response.set_head(message, payload)  # pyright: ignore[reportPossiblyUnboundVariable]
        except REQUEST_ERRORS as error:
            raise map_aiohttp_error(error, request, self.timeout_reason(deadline)) from error
        finally:
            in_flight.discard(response)
            response.sending = None
            if code < 200:
                response.abort()
        if code == 101:
            raise ProtocolError(f"{name_of(request)}: the server switched to another protocol (101)")
        return response

    @staticmethod
    def prepare_parser(protocol: Any, is_head: bool) -> None:
        """Prepare the parser for the response to a request."""
        protocol.set_response_params(
            skip_payload=is_head, read_until_eof=True, auto_decompress=False, read_bufsize=READ_AHEAD,
            max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT,
        )  # fmt: skip

    def _take_idle(self, origin: _Origin) -> Any:
        """Return a connection that was kept, or None.

        Connections that the server has closed or written to are closed.
        """
        while origin.idle:
            connection = origin.idle.pop()
            protocol = connection.protocol
            if protocol.is_connected() and not protocol.should_close:
                self._connector._acquired.add(protocol)
                return connection
            connection.close()
        return None

    def _keep_idle(self, origin: _Origin, connection: Any) -> None:
        """Keep a connection for the next request.

        The connector would do the same and takes several times as long. It gets the connections that are not used within a
        second or two, and closes them when they were idle for long.
        """
        self._connector._acquired.discard(connection.protocol)
        origin.idle.append(connection)
        if self._idle_timer is None:
            self._idle_timer = self._loop.call_later(_KEPT_FOR, self.release_idle)

    async def _replace(self, connection: Any, connect_request: Any) -> Any:
        """Close a connection on which unrequested bytes have arrived; return another.

        The bytes would be taken for the response to the next request.
        """
        for _ in range(_MAX_UNUSABLE):
            connection.close()
            connection = await self._connector.connect(connect_request, _NO_TRACES, self._timeout)
            if not connection.protocol.should_close:
                return connection
        connection.close()
        raise aiohttp.ClientConnectionError("the server sends bytes before a request")

    def _add_origin(self, origin: str) -> _Origin:
        """Keep and return what is the same in all requests to an origin."""
        connect_request: Any = ConnectRequest("GET", URL(origin), loop=asyncio.get_running_loop())
        found = self._origins[origin] = _Origin(connect_request, str(connect_request.headers[hdrs.HOST]), Forms(), [])
        return found

    def _encode(self, request: PreparedRequest, host: str, body: Bytes = b"") -> bytes:
        """Return the head of a request and a small body, ready to be written."""
        target = f"{request.path}?{request.query}" if request.query else request.path
        text = f"{request.method} {target} HTTP/1.1\r\nHost: {host}\r\n{self._common_headers}"
        authorization = b""
        for name, value in request.headers.items():
            if name == "Authorization" and value == self._authorization[0]:
                authorization = self._authorization[1]
                continue
            if not value.isprintable() and ("\n" in value or "\r" in value or "\0" in value):
                raise ConfigError(f"{name_of(request)}: a line break or a zero byte in {name}: the request was not sent")
            if name == "Authorization" and value.startswith("Bearer "):
                # Tokens are long and used by many requests, so the encoded line is kept.
                authorization = f"{name}: {value}\r\n".encode()
                self._authorization = value, authorization
                continue
            text += f"{name}: {value}\r\n"
        if request.body is not None:
            text += f"Content-Length: {len(request.body)}\r\n"
        elif request.method not in ("GET", "HEAD"):
            text += "Content-Length: 0\r\n"
        return b"".join((text.encode(), authorization, b"\r\n", body))

    async def _write(self, response: _RawResponse, protocol: Any, head: bytes, body: Bytes) -> None:
        """Write a head and a large body in steps, as fast as the server reads.

        Steps are views, not copies.
        """
        transport, watchdog = protocol.transport, self.watchdog
        response.sending = transport
        transport.write(head)
        view = memoryview(body)
        for start in range(0, len(view), WRITE_STEP):
            transport.write(view[start : start + WRITE_STEP])
            await protocol._drain_helper()
            # After the headers of the response have arrived, only bytes of its body count as progress.
            if response.sending is not None:
                response.last_progress = watchdog.now


def _retrieve_exception(writer: asyncio.Task[None]) -> None:
    """Mark the exception of a writer as retrieved: the missing response reports it."""
    if not writer.cancelled():
        writer.exception()


def _abort(connection: Any) -> None:
    """Close a connection without sending what is buffered.

    That may be a part that was cancelled.
    """
    transport = connection.transport
    if transport is not None:
        transport.abort()
    connection.close()
