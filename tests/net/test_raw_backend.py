"""The direct way: what it sends, what it relies on, and when requests do not go by it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import client_proto

import aiocos
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator
from aiocos.errors import ConfigError, ConnectionLostError, ProtocolError, RequestTimeoutError
from aiocos.net import compat_check
from aiocos.net.raw_backend import RawBackend
from aiocos.net.session_backend import SessionBackend
from aiocos.net.transport import Transport
from aiocos.net.watchdog import TICKS
from aiocos.wire.message import PreparedRequest

ONCE = RetryConfig(attempts=1)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Raw:
    """A server that answers by a script, and keeps what it was sent."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self.answers = [OK]
        self.first = b""  # said before anything is asked
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(self.first)
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    head += await reader.readexactly(int(line.partition(b":")[2]))
            self.heads.append(head)
            writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
            await writer.drain()


@contextlib.asynccontextmanager
async def serving(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve until the end of the block; give the origin."""
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await handle(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    made = Raw()
    async with serving(made.serve) as made.url:
        yield made


@contextlib.asynccontextmanager
async def transport(**config) -> AsyncIterator[Transport]:
    made = Transport(ClientConfig(retry=ONCE, **config))
    try:
        yield made
    finally:
        await made.close()


def fields(head: bytes) -> tuple[bytes, set[bytes], bytes]:
    """The request line, the headers in any order, the body."""
    top, _, body = head.partition(b"\r\n\r\n")
    line, *headers = top.split(b"\r\n")
    return line, {name.lower() + b":" + value for name, _, value in (h.partition(b":") for h in headers)}, body


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body"),
    [
        ("GET", "/b/k", "", {"Authorization": "Bearer t", "x-amz-checksum-mode": "ENABLED"}, None),
        ("PUT", "/b/k", "", {"x-amz-meta-empty": "", "x-amz-meta-same": "Bearer t", "Authorization": "Bearer t"}, b"x"),
        ("HEAD", "/b/a%2Fb%20c", "versionId=1", {}, None),
        ("PUT", "/b/k", "", {"Content-MD5": "x"}, b"hello"),
        ("PUT", "/b/k", "", {}, b""),
        ("PUT", "/b", "", {}, None),
        ("POST", "/b/k", "uploads", {}, None),
        ("POST", "/b", "delete", {"Content-Type": "application/xml"}, b"<x/>"),
        ("DELETE", "/b/k", "", {}, None),
        ("PUT", "/b/k", "", {"Content-MD5": "x"}, b"z" * 1_000_000),
    ],
)
async def test_both_ways_send_the_same(raw: Raw, method: str, path: str, query: str, headers: dict[str, str], body):
    if method == "HEAD":
        raw.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"]
    for direct in (True, False):
        async with transport(fast_path=direct, user_agent="mine") as sender:
            for _ in range(2):
                await sender.send(PreparedRequest(method, raw.url, path, query, dict(headers), body))
    first, *others = map(fields, raw.heads)
    assert others == [first] * 3


async def test_a_memoryview_and_a_bytearray(raw: Raw):
    async with transport() as sender:
        for body in (memoryview(b"abc"), bytearray(b"abc"), memoryview(bytearray(100_000))):
            await sender.send(PreparedRequest("PUT", raw.url, "/b/k", "", {}, body))
    assert [fields(head)[2] for head in raw.heads] == [b"abc", b"abc", bytes(100_000)]
    assert raw.connections == 1


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
async def test_a_line_break_in_a_header_is_not_sent(raw: Raw, value: str):
    async with transport() as sender:
        with pytest.raises(ConfigError, match="X-Name"):
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {"X-Name": value}))
        with pytest.raises(ConfigError, match="Authorization"):
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {"Authorization": f"Bearer {value}"}))
    assert raw.heads == []


async def test_an_answer_that_nobody_asked_for_is_nobodys(raw: Raw):
    """A server that says more than was asked: the next request must not take it for its own answer."""
    raw.answers = [OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nothers", OK]
    async with transport() as sender:
        for _ in range(2):
            answer = await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {}))
            assert answer.body == b"ok"
            await asyncio.sleep(0.02)
    assert raw.connections == 2


async def test_an_answer_that_comes_while_nobody_asks(raw: Raw):
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nothers")
        await asyncio.sleep(0.3)

    async with serving(late) as origin, transport() as sender:
        for _ in range(2):
            assert (await sender.send(PreparedRequest("GET", origin, "/b/k", "", {}))).body == b"ok"
            await asyncio.sleep(0.1)


def test_a_line_break_in_the_user_agent():
    with pytest.raises(ConfigError, match="user_agent"):
        ClientConfig(user_agent="a\r\nX-Evil: 1")


async def test_a_server_that_says_that_it_is_still_at_it():
    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(6):
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
            await asyncio.sleep(0.15)
        writer.write(OK)
        await writer.drain()

    async with serving(busy) as origin, transport(idle_timeout=0.4) as sender:
        assert (await sender.send(PreparedRequest("POST", origin, "/b/k", "", {}))).body == b"ok"


async def test_information_before_the_answer(raw: Raw):
    raw.answers = [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK]
    async with transport() as sender:
        assert (await sender.send(PreparedRequest("PUT", raw.url, "/b/k", "", {}, b"x"))).body == b"ok"


async def test_another_protocol_is_none_of_ours(raw: Raw):
    raw.answers = [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"]
    async with transport() as sender:
        with pytest.raises(ProtocolError, match="another protocol"):
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {}))


async def test_a_body_that_ends_with_the_connection(raw: Raw):
    async def until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)
        await writer.drain()

    async with serving(until_the_end) as origin, transport() as sender:
        for _ in range(2):
            assert len((await sender.send(PreparedRequest("GET", origin, "/b/k", "", {}))).body) == 300_000


async def test_a_server_that_does_not_answer_is_given_up_within_an_eighth_more(raw: Raw):
    raw.answers = [b""]
    async with transport(idle_timeout=0.4) as sender:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(RequestTimeoutError, match=r"nothing moved for 0\.4 s") as caught:
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {}))
        assert loop.time() - began >= 0.39
        # So often the timer has looked, eight times in an idle timeout.
        assert sender._state().raw.watchdog.now == TICKS + 1
        assert caught.value.sent
        with pytest.raises(RequestTimeoutError, match="the deadline of the call passed"):
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {}), deadline=loop.time() + 0.1)


async def test_a_connection_that_is_not_made_in_time_sent_nothing(monkeypatch: pytest.MonkeyPatch):
    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", never)
    async with transport(idle_timeout=0.2, connect_timeout=0.1) as sender:
        with pytest.raises(RequestTimeoutError, match="no connection in time") as caught:
            await sender.send(PreparedRequest("GET", "http://127.0.0.1:1", "/b/k", "", {}))
    assert not caught.value.sent


async def test_a_body_that_breaks_off(raw: Raw):
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()

    async with serving(half) as origin, transport() as sender:
        with pytest.raises(ConnectionLostError):
            await sender.send(PreparedRequest("GET", origin, "/b/k", "", {}))


# -- what the timer looks after ---------------------------------------------------------------------------------------


def let_time_pass(sender: Transport) -> None:
    """Have the timer look as often as it does in more than an idle timeout, without waiting for it."""
    watch = sender._state().raw.watchdog
    for _ in range(2 * TICKS):
        watch._tick()


async def test_a_consumer_may_be_slower_than_the_idle_timeout():
    """Between two chunks nobody waits, and nothing is late."""
    more = asyncio.Event()

    async def in_pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
        await more.wait()
        more.clear()
        writer.write(b"cd")
        await more.wait()
        writer.write(b"ef")

    async with serving(in_pieces) as origin, transport() as sender:
        exchange = await sender.open(PreparedRequest("GET", origin, "/b/k", "", {}))
        let_time_pass(sender)
        assert await exchange.chunk() == b"ab"
        let_time_pass(sender)
        waiting = asyncio.ensure_future(exchange.chunk())
        await asyncio.sleep(0)
        more.set()
        assert await waiting == b"cd"
        assert not sender._state().raw.watchdog.in_flight
        let_time_pass(sender)
        more.set()
        assert await exchange.chunk() == b"ef"
        assert await exchange.chunk() == b""


async def test_who_waits_is_looked_after_until_the_answer_is_there_and_no_longer():
    """A second request on a kept connection is not broken off by the timer of the first."""
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    answer: asyncio.Queue[bytes] = asyncio.Queue()
    connections = 0

    async def when_told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await asked.put(await reader.readuntil(b"\r\n\r\n"))
            writer.write(await answer.get())

    async with serving(when_told) as origin, transport() as sender:
        watch = sender._state().raw.watchdog
        for _ in range(3):
            task = asyncio.create_task(sender.send(PreparedRequest("GET", origin, "/b/k", "", {})))
            await asked.get()
            assert len(watch.in_flight) == 1
            # Half of an idle timeout for each: together more than one.
            for _ in range(TICKS // 2 + 2):
                watch._tick()
            assert len(watch.in_flight) == 1
            await answer.put(OK)
            assert (await task).body == b"ok"
            assert not watch.in_flight
        assert connections == 1
        # And who does wait for too long is broken off.
        task = asyncio.create_task(sender.send(PreparedRequest("GET", origin, "/b/k", "", {})))
        await asked.get()
        let_time_pass(sender)
        with pytest.raises(RequestTimeoutError, match="nothing moved"):
            await task


# -- which way --------------------------------------------------------------------------------------------------------


async def _ways(client: aiocos.Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    for name, kind in {"direct": RawBackend, "session": SessionBackend}.items():
        original = kind.open

        def opened(self, *args, original=original, name=name, **more):
            seen.append(name)
            return original(self, *args, **more)

        monkeypatch.setattr(kind, "open", opened)
    async with client:
        with contextlib.suppress(aiocos.CosError):
            await client.buckets.list()
    return seen


async def test_the_way_that_requests_go(cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
    def client(**more) -> aiocos.Client:
        secret = {"access_key_id": cos_emulator.access_key_id, "secret_access_key": cos_emulator.secret_access_key}
        return aiocos.Client(cos_emulator.endpoint, **secret, **more)

    assert await _ways(client(), monkeypatch) == ["direct"]
    assert await _ways(client(config=ClientConfig(fast_path=False)), monkeypatch) == ["session"]
    async with aiohttp.ClientSession() as session:
        assert set(await _ways(client(session=session), monkeypatch)) == {"session"}
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    assert await _ways(client(), monkeypatch) == ["direct"], "this machine is not reached through a proxy"
    proxied = aiocos.Client("http://cos.invalid", credentials=aiocos.Anonymous(), config=ClientConfig(retry=ONCE))
    assert set(await _ways(proxied, monkeypatch)) == {"session"}


async def test_the_installed_aiohttp_is_verified():
    compat_check._check()


@pytest.mark.parametrize("broken", ["set_response_params", "_drain_helper", "should_close", "read", "data_received"])
async def test_an_aiohttp_that_is_otherwise_is_noticed(broken: str, monkeypatch, caplog, cos_emulator: Emulator):
    monkeypatch.setattr(compat_check, "_is_compatible", None)
    if broken == "should_close":
        monkeypatch.setattr(client_proto.ResponseHandler, "should_close", False)
    else:
        monkeypatch.setattr(client_proto.ResponseHandler, broken, lambda self, *args, **more: None)
    with caplog.at_level(logging.WARNING):
        assert not compat_check.is_compatible()
    assert "requests use its session" in caplog.text


# -- piece by piece ---------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def direct_way(**config) -> AsyncIterator[RawBackend]:
    connector = aiohttp.TCPConnector(limit=0)
    made = RawBackend(ClientConfig(**config), "agent", connector)
    try:
        yield made
    finally:
        made.close()
        await connector.close()


def asking(origin: str, method: str = "GET", body=None, query: str = "", **headers: str) -> PreparedRequest:
    return PreparedRequest(method, origin, "/b/k", query, headers, body)


ALWAYS = b"Host: cos.example:81\r\nUser-Agent: agent\r\nAccept-Encoding: identity\r\n"


@pytest.mark.parametrize(
    ("request_", "line", "rest"),
    [
        (asking("x"), b"GET /b/k", b"\r\n"),
        (asking("x", "HEAD", query="versionId=1"), b"HEAD /b/k?versionId=1", b"\r\n"),
        (asking("x", "DELETE"), b"DELETE /b/k", b"Content-Length: 0\r\n\r\n"),
        (asking("x", "PUT", b""), b"PUT /b/k", b"Content-Length: 0\r\n\r\n"),
        (asking("x", "POST", b"data", a="1"), b"POST /b/k", b"a: 1\r\nContent-Length: 4\r\n\r\ndata"),
        (
            asking("x", a="", Authorization="Bearer t", b="Bearer t"),
            b"GET /b/k",
            b"a: \r\nb: Bearer t\r\nAuthorization: Bearer t\r\n\r\n",
        ),
        (asking("x", Authorization="AWS4 x", b="1"), b"GET /b/k", b"Authorization: AWS4 x\r\nb: 1\r\n\r\n"),
    ],
)  # fmt: skip
async def test_the_head_of_a_request(request_: PreparedRequest, line: bytes, rest: bytes):
    async with direct_way() as way:
        for _ in range(2):
            head = way._encode(request_, "cos.example:81", request_.body or b"")
            assert head == line + b" HTTP/1.1\r\n" + ALWAYS + rest


async def test_the_line_of_a_token_is_that_of_the_last_one():
    async with direct_way() as way:
        for token in ("one", "one", "two", "one"):
            head = way._encode(asking("x", Authorization=f"Bearer {token}"), "h")
            assert head.endswith(f"\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            assert way._authorization == (f"Bearer {token}", f"Authorization: Bearer {token}\r\n".encode())
        way._encode(asking("x", Authorization="AWS4-HMAC-SHA256 x"), "h")
        assert way._authorization[0] == "Bearer one", "a signature is never sent twice"


@pytest.mark.parametrize(("idle", "connect", "longest"), [(60.0, 10.0, 60.0), (5.0, 10.0, 10.0)])
async def test_the_time_in_which_a_connection_is_made(idle: float, connect: float, longest: float):
    async with direct_way(idle_timeout=idle, connect_timeout=connect) as way:
        assert way._timeout == aiohttp.ClientTimeout(total=None, connect=longest, sock_connect=connect)
        now = asyncio.get_running_loop().time()
        assert way.timeout_reason(None) == way.timeout_reason(now + 1_000) == f"nothing moved for {idle:g} s"
        assert way.timeout_reason(now) == "the deadline of the call passed"
        ask, host = way._add_origin("http://cos.example:81")
        assert host == "cos.example:81"
        assert way._origins["http://cos.example:81"] == (ask, host)
        assert ask.connection_key is ask.connection_key, "made once"


async def test_what_has_arrived_is_had_at_once_and_again_by_reading(raw: Raw):
    async with direct_way() as way:
        exchange = await way.open(asking(raw.url), None)
        data = None
        async with asyncio.timeout(30):
            while data is None:
                data = exchange.read_nowait()
                await asyncio.sleep(0)
        assert data == b"ok"
        assert exchange._connection is None, "it is free for the next request"
        assert await exchange.chunk() == b"ok"
        assert await exchange.chunk() == b""
        assert exchange.request_name == f"GET {raw.url}/b/k"
        assert await (await way.open(asking(raw.url), None)).read() == b"ok"
    assert raw.connections == 1


async def test_half_a_body_has_not_arrived_nor_has_one_that_broke_off(raw: Raw):
    raw.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"]
    async with direct_way() as way:
        exchange = await way.open(asking(raw.url), None)
        assert exchange.read_nowait() is None
        assert await exchange.chunk() == b"ok"
        assert exchange.read_nowait() is None
        exchange._connection.transport.abort()
        async with asyncio.timeout(30):
            while exchange._payload.exception() is None:
                await asyncio.sleep(0)
        assert exchange.read_nowait() is None
        with pytest.raises(ConnectionLostError):
            await exchange.chunk()
        exchange.close()
        exchange.close()


async def test_a_body_that_is_read_to_its_end_leaves_its_connection(raw: Raw):
    async with direct_way() as way:
        for _ in range(2):
            exchange = await way.open(asking(raw.url), None)
            assert await exchange.read() == b"ok"
            assert exchange._connection is None
        raw.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok", OK]
        exchange = await way.open(asking(raw.url), None)
        exchange.close()
        assert await (await way.open(asking(raw.url), None)).read() == b"ok"
    assert raw.connections == 2


@pytest.mark.parametrize("closing", ["the answer", "the way"])
async def test_who_waits_for_a_body_that_is_closed_is_told(raw: Raw, closing: str):
    raw.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"]
    async with direct_way() as way:
        exchange = await way.open(asking(raw.url), None)
        task = asyncio.create_task(exchange.chunk())
        async with asyncio.timeout(30):
            while exchange not in way.watchdog.in_flight:
                await asyncio.sleep(0)
        (exchange if closing == "the answer" else way).close()
        with pytest.raises(
            ConnectionLostError, match="closed on this side" if closing == "the answer" else "the client was closed"
        ):
            await task
        assert not way.watchdog.in_flight
        exchange.close()


async def test_a_body_that_stands_still_until_the_deadline(raw: Raw):
    raw.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"]
    async with direct_way() as way:
        exchange = await way.open(asking(raw.url), asyncio.get_running_loop().time() + 0.2)
        assert await exchange.chunk() == b"ok"
        with pytest.raises(RequestTimeoutError, match="the deadline of the call passed") as caught:
            await exchange.chunk()
        assert caught.value.sent
        exchange.close()


@pytest.mark.parametrize(("size", "large"), [(None, False), (0, False), (32_768, False), (32_769, True)])
async def test_only_a_large_body_is_written_by_a_task(raw: Raw, size: int | None, large: bool):
    async with direct_way() as way:
        exchange = await way.open(asking(raw.url, "PUT", None if size is None else bytes(size)), None)
        assert (exchange.writer is not None) is large
        assert await exchange.read() == b"ok"
        assert exchange.sending is None
    assert fields(raw.heads[0])[2] == bytes(size or 0)


class Transported:
    """A transport that writes nowhere."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True


class Protocol:
    def __init__(self, transport: Transported, drained: Callable[[], None]) -> None:
        self.transport, self.drained = transport, drained

    async def _drain_helper(self) -> None:
        self.drained()


class Progress:
    sending: object = None
    last_progress = -1


async def test_each_step_of_a_large_body_is_progress_until_the_answer_begins():
    async with direct_way() as way:
        seen: list[tuple[int, object]] = []
        progress, transport = Progress(), Transported()

        def drained() -> None:
            seen.append((progress.last_progress, progress.sending))
            way.watchdog.now += 1
            if len(seen) == 3:
                progress.sending = None

        data = bytes(number % 251 for number in range(4 * 262_144 + 5))
        await way._write(progress, Protocol(transport, drained), b"head", data)
        assert transport.written[0] == b"head"
        assert b"".join(transport.written[1:]) == data
        assert [len(step) for step in transport.written[1:]] == [262_144] * 4 + [5]
        assert seen == [(-1, transport), (1, transport), (2, transport), (2, None), (2, None)]


class Speaking:
    """A connection, of those on which something came unasked, or of the good ones."""

    def __init__(self, spoken: bool) -> None:
        self.protocol = type("P", (), {"should_close": spoken})()
        self.closed = False

    def close(self) -> None:
        self.closed = True


async def test_connections_that_cannot_be_used_are_closed_and_a_hundred_are_enough():
    async with direct_way() as way:
        made: list[Speaking] = []

        class Connector:
            good = 0

            async def connect(self, ask, traces, timeout):
                made.append(Speaking(len(made) + 1 != self.good))
                return made[-1]

        connector, way._connector = way._connector, Connector()
        with pytest.raises(ConnectionLostError, match="the server sends bytes before a request") as caught:
            await way.open(asking("http://cos.example"), None)
        assert not caught.value.sent
        assert len(made) == 101
        assert all(connection.closed for connection in made)
        made.clear()
        Connector.good = 3
        first = await way._connector.connect(None, [], None)
        assert await way._replace(first, None) is made[2]
        assert [connection.closed for connection in made] == [True, True, False]
        way._connector = connector


async def test_an_answer_before_the_end_of_a_large_body_costs_the_connection():
    """Nobody wants the rest of the body, and the next request must not follow it."""
    connections = 0

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        if head.startswith(b"PUT"):
            await asyncio.sleep(60)

    async with serving(early) as origin, direct_way() as way:
        exchange = await way.open(asking(origin, "PUT", bytes(50_000_000)), None)
        assert await exchange.read() == b"ok"
        writer = exchange.writer
        with contextlib.suppress(asyncio.CancelledError):
            await writer
        assert writer.cancelled()
        assert await (await way.open(asking(origin), None)).read() == b"ok"
    assert connections == 2


async def test_a_cancelled_request_leaves_nothing_behind(raw: Raw):
    raw.answers = [b""]
    async with direct_way() as way:
        for body in (None, bytes(50_000_000)):
            task = asyncio.create_task(way.open(asking(raw.url, "PUT", body), None))
            async with asyncio.timeout(30):
                while not way.watchdog.in_flight:
                    await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not way.watchdog.in_flight
            assert not way._connector._acquired
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() if "_write" in repr(task)]


async def test_an_answer_to_a_head_has_no_body(raw: Raw):
    raw.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amz-meta-a: 1\r\n\r\n"]
    async with direct_way() as way:
        for _ in range(2):
            exchange = await way.open(asking(raw.url, "HEAD"), None)
            assert (exchange.status, exchange.headers["X-Amz-Meta-A"]) == (200, "1")
            assert await exchange.read() == b""
    assert raw.connections == 1


async def test_a_compressed_body_is_given_as_it_came(raw: Raw):
    raw.answers = [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"]
    async with direct_way() as way:
        assert await (await way.open(asking(raw.url), None)).read() == b"ok"


async def test_a_connection_serves_on_after_a_large_body_that_was_sent_whole(raw: Raw):
    async with direct_way() as way:
        for size in (100_000, 1_000_000):
            exchange = await way.open(asking(raw.url, "PUT", bytes(size)), None)
            # The server has read all of it, and so it was written.
            assert await exchange.writer is None
            assert await exchange.read() == b"ok"
            exchange.close()
    assert raw.connections == 1
