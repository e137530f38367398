"""Whether the installed aiohttp is as `direct` needs it: tried out, once a process, without a network.

A connector whose connections lead nowhere is taken through all that `direct` does: connect, write, read an answer, keep the
connection, break off. An aiohttp that does any of this in another way makes requests go by the session, and a warning says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

import aiohttp
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from aiocos.net.raw_backend import AHEAD, ConnectRequest
from aiocos.net.streamed_response import LINE_LIMIT

T = TypeVar("T")

_log = logging.getLogger("aiocos.direct")

_verified: bool | None = None


def is_compatible() -> bool:
    """Tell whether the installed aiohttp behaves as this file needs it to. Tried once a process, without a network."""
    global _verified
    if _verified is None:
        try:
            _verify()
            _verified = True
        except Exception as error:  # whatever a future aiohttp makes of names it does not promise
            _log.warning("aiohttp %s is not as expected (%r): requests go by its session", aiohttp.__version__, error)
            _verified = False
    return _verified


class _Wire(asyncio.Transport):
    """A transport that leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


class _Connector(aiohttp.TCPConnector):
    """A connector whose connections lead nowhere."""

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> Any:
        protocol = ResponseHandler(asyncio.get_running_loop())
        protocol.connection_made(_Wire())
        return protocol


def _now(work: Coroutine[Any, Any, T]) -> T:
    """Run what has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("it waits where it should not")


def _expect(what: str, holds: bool) -> None:
    if not holds:
        raise RuntimeError(what)


def _verify() -> None:
    """Try everything out that this file relies on; raises where something is otherwise."""
    connector: Any = _Connector(limit=0)
    connections: list[Any] = []
    try:
        ask: Any = ConnectRequest("GET", URL("http://host.invalid:81"), loop=asyncio.get_running_loop())
        _expect("the Host header", ask.headers[hdrs.HOST] == "host.invalid:81")
        timeout = aiohttp.ClientTimeout(total=None, connect=1, sock_connect=1)

        def begun(data: bytes, *, head: bool = False) -> tuple[Any, Any]:
            connection = _now(connector.connect(ask, [], timeout))
            connections.append(connection)
            protocol = connection.protocol
            protocol.set_response_params(
                skip_payload=head, read_until_eof=True, auto_decompress=False, read_bufsize=AHEAD,
                max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT,
            )  # fmt: skip
            connection.transport.write(b"x")
            _now(protocol._drain_helper())
            protocol.data_received(data)
            return connection, protocol

        long = b"x-amz-meta-long: " + b"x" * (LINE_LIMIT - 20)
        answer = b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 5\r\n' + long + b"\r\n\r\n"
        connection, first = begun(answer + b"hello")
        message, payload = _now(first.read())
        _expect("status and headers", message.code == 200 and message.headers.get("etag") == '"e"')
        _expect("a body that has come", payload.is_eof() and payload.exception() is None and payload.read_nowait() == b"hello")
        _expect("the end of a body", payload.at_eof() and not first.should_close)
        connection.release()
        connection, protocol = begun(answer, head=True)
        _expect("a kept connection", protocol is first)
        _, payload = _now(protocol.read())
        _expect("an answer to HEAD", payload.is_eof() and payload.read_nowait() == b"")
        connection.release()
        connection, protocol = begun(answer + b"he")
        _, payload = _now(protocol.read())
        _expect("half a body", not payload.is_eof() and _now(payload.readany()) == b"he" and protocol.should_close)
        protocol.connection_lost(None)
        _expect("a body that broke off", isinstance(payload.exception(), aiohttp.ClientPayloadError))
        connection.release()
        connection, protocol = begun(answer + b"hello" + answer + b"hello")
        _expect("another connection after that", protocol is not first)
        _now(protocol.read())
        _expect("an answer that nobody asked for", protocol.should_close)
        connection.release()
        connection, protocol = begun(b"")
        protocol.set_exception(TimeoutError())
        with contextlib.suppress(TimeoutError):
            _now(protocol.read())
            _expect("an exception for who waits", holds=False)
        connection.close()
    finally:
        for connection in connections:
            connection.close()
        with contextlib.suppress(StopIteration):
            next(connector.close().__await__())
