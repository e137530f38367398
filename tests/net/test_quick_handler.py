"""Small responses without aiohttp's parser: equal to what its parser gives, and left to it if anything is unusual."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from tests.net.raw_server import Raw, serving

from aiocos.config import ClientConfig
from aiocos.net import compat_check
from aiocos.net.quick_handler import _MAX_FORMS, _MAX_MADE, Forms, QuickHandler
from aiocos.net.raw_backend import RawBackend
from aiocos.wire.message import PreparedRequest

USUAL = (
    b'HTTP/1.1 200 OK\r\nserver: nginx\r\nETag:"e"\r\nX-Amz-Meta-A: a  b:\r\nx-amz-meta-A: 2\r\nContent-Length: 5\r\n\r\nhello'
)


def _with(line: bytes, body: bytes = b"hello") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + line + b"\r\n\r\n" + body


QUICK = {
    "usual": (USUAL, False),
    "to HEAD": (USUAL[:-5], True),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    "range": (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\nContent-Range: bytes 0-1/5\r\n\r\nab", False),
    "no content": (b"HTTP/1.1 204 No Content\r\nDate: d\r\n\r\n", False),
    "keep-alive": (_with(b"connection: Keep-Alive\r\nKeep-Alive: timeout=5"), False),
    "no reason": (b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", False),
}
UNUSUAL = {
    "HEAD without a length": (b"HTTP/1.1 200 OK\r\nETag: e\r\n\r\n", True),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", False),
    "close": (_with(b"Connection: close"), False),
    "HTTP/1.0": (_with(b"A: b").replace(b"1.1", b"1.0"), False),
    "an error": (_with(b"A: b").replace(b"200 OK", b"404 Not Found"), False),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\n" + USUAL, False),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nETag: e\r\n\r\n", False),
    "Latin-1": (_with(b"A: \xe9"), False),
    "tab": (_with(b"A: a\tb"), False),
    "spaces": (_with(b"A:  b "), False),
    "empty value": (_with(b"A: "), False),
    "folded": (_with(b"A: b\r\n c"), False),
    "two lengths": (_with(b"content-length: 5"), False),
    "signed length": (_with(b"A: b").replace(b": 5", b": +5"), False),
    "no length": (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello", False),
    "204 with a length": (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", False),
    "too short": (_with(b"A: b", b"hell"), False),
    "too long": (_with(b"A: b", b"hello!"), False),
    "HEAD with a body": (USUAL, True),
    "half a head": (USUAL[:40], False),
    "upgrade": (_with(b"Upgrade: h2c"), False),
    "no name": (_with(b": b"), False),
    "many headers": (_with(b"\r\n".join(b"A%d: b" % n for n in range(65))), False),
    "long head": (_with(b"A: " + b"b" * 20_000), False),
    "not HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", False),
}


def _connect(cls: type[ResponseHandler]) -> Any:
    protocol = cls(asyncio.get_running_loop())
    protocol.connection_made(compat_check._FakeTransport())
    return protocol


def _told(protocol: Any, read: Any) -> tuple[Any, ...]:
    """Return everything that a caller sees of a response that was read by aiohttp."""
    coroutine = read()
    try:
        coroutine.send(None)
    except StopIteration as done:
        message, payload = done.value
    except Exception as error:
        return type(error), protocol.should_close
    else:
        coroutine.close()
        return "waits", protocol.should_close
    body = b"".join(payload._buffer) if hasattr(payload, "_buffer") else b""
    return message.code, list(message.headers.items()), body, payload.is_eof(), protocol.should_close


def _general(data: bytes, is_head: bool) -> tuple[Any, ...]:
    protocol = _connect(ResponseHandler)
    RawBackend.prepare_parser(protocol, is_head)
    protocol.data_received(data)
    return _told(protocol, protocol.read)


def _quick(forms: Forms, data: bytes, is_head: bool) -> tuple[bool, tuple[Any, ...]]:
    """Return whether the response was taken without the parser, and what a caller sees of it."""
    protocol = _connect(QuickHandler)
    waiter = protocol.expect(forms, is_head, RawBackend.prepare_parser)
    protocol.data_received(data)
    whole = waiter.result()
    if whole is None:
        return False, _told(protocol, protocol.read)
    headers, body = whole
    return True, (headers.form.status, list(headers.items()), body, True, protocol.should_close)


@pytest.mark.parametrize("name", [*QUICK, *UNUSUAL])
async def test_equals_the_parser_of_aiohttp(name: str) -> None:
    data, is_head = (QUICK | UNUSUAL)[name]
    forms = Forms()
    for _ in range(2):
        taken, told = _quick(forms, data, is_head)
        assert taken == (name in QUICK)
        assert told == _general(data, is_head)


async def test_form_of_one_response_does_not_fit_another() -> None:
    """A known form accepts no head that the general path would read otherwise."""
    forms = Forms()
    for data, is_head in QUICK.values():
        _quick(forms, data, is_head)
    for data, is_head in UNUSUAL.values():
        assert _quick(forms, data, is_head) == (False, _general(data, is_head))
    damaged = 0
    for at in range(USUAL.index(b"\r\n\r\n") + 4):
        for byte in b"\r\n\0\t :\x80A1":
            data = USUAL[:at] + bytes([byte]) + USUAL[at + 1 :]
            taken, told = _quick(forms, data, False)
            assert told == _general(data, False), data
            damaged += not taken
    assert damaged > 200


async def test_response_in_pieces_is_left_to_the_parser() -> None:
    for at in range(1, len(USUAL)):
        protocol = _connect(QuickHandler)
        waiter = protocol.expect(Forms(), False, RawBackend.prepare_parser)
        protocol.data_received(USUAL[:at])
        assert waiter.result() is None
        protocol.data_received(USUAL[at:])
        assert _told(protocol, protocol.read) == _general(USUAL, False)


async def test_lost_connection_and_error_wake_the_reader() -> None:
    for lose in (lambda p: p.connection_lost(None), lambda p: p.set_exception(TimeoutError())):
        protocol, general = _connect(QuickHandler), _connect(ResponseHandler)
        waiter = protocol.expect(Forms(), False, RawBackend.prepare_parser)
        RawBackend.prepare_parser(general, False)
        lose(protocol)
        lose(general)
        assert waiter.result() is None
        assert _told(protocol, protocol.read) == _told(general, general.read)


async def test_unrequested_bytes_make_a_connection_unusable() -> None:
    protocol = _connect(QuickHandler)
    protocol.expect(Forms(), False, RawBackend.prepare_parser)
    protocol.data_received(USUAL)
    assert not protocol.should_close
    protocol.data_received(USUAL)
    assert protocol.should_close


async def test_number_of_forms_is_limited() -> None:
    """A server whose responses all differ gets the general path in the end."""
    forms = Forms()
    heads = [b"HTTP/1.1 200 OK\r\nA%d: b\r\nContent-Length: 0\r\n\r\n" % n for n in range(_MAX_MADE + 1)]
    assert [_quick(forms, head, False)[0] for head in heads] == [True] * _MAX_MADE + [False]
    assert len(forms._forms) == _MAX_FORMS
    assert _quick(forms, heads[_MAX_MADE - 1], False)[0], "the last forms are still known"


async def test_kept_connections() -> None:
    """A connection is used again, goes back to the connector when unused, and is dropped if the server closed it."""
    server = Raw()
    async with serving(server.serve) as url:
        connector: Any = aiohttp.TCPConnector(limit=0)
        backend = RawBackend(ClientConfig(), "agent", connector)
        request = PreparedRequest("GET", url, "/b/k", "", {}, None)
        try:
            used = []
            for _ in range(3):
                response = await backend.open(request, None)
                response.read_nowait()
                response.close()
                origin = backend._origins[url]
                if origin.idle:
                    used.append(origin.idle[0].protocol)
                    assert not connector._acquired
            assert len(used) == 3
            assert used[0] is used[1] is used[2]
            backend.release_idle()
            assert not origin.idle
            assert [p for p, _ in connector._conns[origin.connect_request.connection_key]] == [used[0]]
            await backend.open(request, None)
            assert origin.idle[0].protocol is used[0]
            origin.idle[0].protocol.close()
            await backend.open(request, None)
            assert origin.idle[0].protocol is not used[0]
        finally:
            backend.close()
            await connector.close()
        assert not origin.idle
        assert backend._idle_timer is None
