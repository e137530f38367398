"""Check that the installed aiohttp behaves as `raw_backend` needs it to.

The check runs once per process, without a network.

The check takes a connector with fake connections through everything that the raw backend does: connect, write, read a response,
reuse the connection, lose it. If aiohttp does any of this in another way, a warning is logged and all requests use the session.
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
from aiohttp.streams import EMPTY_PAYLOAD
from yarl import URL

from aiocos.net.quick_handler import Forms, QuickHandler
from aiocos.net.raw_backend import READ_AHEAD, ConnectRequest, RawBackend
from aiocos.net.streamed_response import LINE_LIMIT

T = TypeVar("T")

_log = logging.getLogger("aiocos.fast_path")

_is_compatible: bool | None = None


def is_compatible() -> bool:
    """Return True if the raw backend works with the installed aiohttp.

    The check runs once per process.
    """
    global _is_compatible
    if _is_compatible is None:
        try:
            _check()
            _is_compatible = True
        except Exception as error:  # a future aiohttp may raise anything: the names are not documented
            _log.warning("aiohttp %s is not as expected (%r): requests use its session", aiohttp.__version__, error)
            _is_compatible = False
    return _is_compatible


class _FakeTransport(asyncio.Transport):
    """A transport without a socket, which keeps what is written to it."""

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


class _FakeConnector(aiohttp.TCPConnector):
    """A connector that connects to fake transports."""

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> Any:
        protocol = ResponseHandler(asyncio.get_running_loop())
        protocol.connection_made(_FakeTransport())
        return protocol


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that must not wait, and return its result."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("a coroutine waits unexpectedly")


def _expect(what: str, is_met: bool) -> None:
    if not is_met:
        raise RuntimeError(what)


def _check_quick_handler(connector: Any, response: bytes) -> None:
    """Let a `QuickHandler` take one response, and leave another to the parser."""
    _expect("the factory of connections", isinstance(connector._factory(), ResponseHandler))
    _expect("the connections in use", isinstance(connector._acquired, set))
    protocol: Any = QuickHandler(asyncio.get_running_loop())
    protocol.connection_made(_FakeTransport())
    waiter = protocol.expect(Forms(), False, RawBackend.prepare_parser)
    protocol.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    whole: Any = waiter.result()
    _expect(
        "a small response", whole is not None and whole[1] == b"ok" and protocol.is_connected() and not protocol.should_close
    )
    waiter = protocol.expect(Forms(), False, RawBackend.prepare_parser)
    protocol.data_received(response)
    _, payload = _run(protocol.read())
    _expect("an unusual response", waiter.result() is None and payload.read_nowait() == b"hello")
    _expect("an empty body", EMPTY_PAYLOAD.is_eof() and EMPTY_PAYLOAD.at_eof() and _run(EMPTY_PAYLOAD.readany()) == b"")
    protocol.close()


def _check() -> None:
    """Use everything that the raw backend relies on.

    Raises an exception if anything is different.
    """
    connector: Any = _FakeConnector(limit=0)
    connections: list[Any] = []
    try:
        connect_request: Any = ConnectRequest("GET", URL("http://host.invalid:81"), loop=asyncio.get_running_loop())
        _expect("the Host header", connect_request.headers[hdrs.HOST] == "host.invalid:81")
        timeout = aiohttp.ClientTimeout(total=None, connect=1, sock_connect=1)

        def receive(data: bytes, *, head: bool = False) -> tuple[Any, Any]:
            connection = _run(connector.connect(connect_request, [], timeout))
            connections.append(connection)
            protocol = connection.protocol
            protocol.set_response_params(
                skip_payload=head, read_until_eof=True, auto_decompress=False, read_bufsize=READ_AHEAD,
                max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT,
            )  # fmt: skip
            connection.transport.write(b"x")
            _run(protocol._drain_helper())
            protocol.data_received(data)
            return connection, protocol

        long = b"x-amz-meta-long: " + b"x" * (LINE_LIMIT - 20)
        response = b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 5\r\n' + long + b"\r\n\r\n"
        connection, first = receive(response + b"hello")
        message, payload = _run(first.read())
        _expect("status and headers", message.code == 200 and message.headers.get("etag") == '"e"')
        _expect("a complete body", payload.is_eof() and payload.exception() is None and payload.read_nowait() == b"hello")
        _expect("the end of a body", payload.at_eof() and not first.should_close)
        connection.release()
        connection, protocol = receive(response, head=True)
        _expect("a reused connection", protocol is first)
        _, payload = _run(protocol.read())
        _expect("a response to HEAD", payload.is_eof() and payload.read_nowait() == b"")
        connection.release()
        connection, protocol = receive(response + b"he")
        _, payload = _run(protocol.read())
        _expect("half a body", not payload.is_eof() and _run(payload.readany()) == b"he" and protocol.should_close)
        protocol.connection_lost(None)
        _expect("an interrupted body", isinstance(payload.exception(), aiohttp.ClientPayloadError))
        connection.release()
        connection, protocol = receive(response + b"hello" + response + b"hello")
        _expect("a new connection after an interruption", protocol is not first)
        _run(protocol.read())
        _expect("an unrequested response", protocol.should_close)
        connection.release()
        connection, protocol = receive(b"")
        protocol.set_exception(TimeoutError())
        with contextlib.suppress(TimeoutError):
            _run(protocol.read())
            _expect("an exception in a waiting task", is_met=False)
        connection.close()
        _check_quick_handler(connector, response + b"hello")
    finally:
        for connection in connections:
            connection.close()
        with contextlib.suppress(StopIteration):
            next(connector.close().__await__())
