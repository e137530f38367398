"""The raw backend over sockets: what it sends, what it reads, when it times out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.net.raw_server import OK, Raw, fields, serving

from aiocos.config import ClientConfig, RetryConfig
from aiocos.errors import ConfigError, ConnectionLostError, ProtocolError, RequestTimeoutError
from aiocos.net.transport import Transport
from aiocos.net.watchdog import TICKS
from aiocos.wire.message import PreparedRequest

ONCE = RetryConfig(attempts=1)


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
async def test_both_backends_send_equal_requests(raw: Raw, method: str, path: str, query: str, headers: dict[str, str], body):
    if method == "HEAD":
        raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"]
    for fast_path in (True, False):
        async with transport(fast_path=fast_path, user_agent="mine") as sender:
            for _ in range(2):
                await sender.send(PreparedRequest(method, raw.url, path, query, dict(headers), body))
    first, *others = map(fields, raw.heads)
    assert others == [first] * 3


async def test_memoryview_and_bytearray_bodies(raw: Raw):
    async with transport() as sender:
        for body in (memoryview(b"abc"), bytearray(b"abc"), memoryview(bytearray(100_000))):
            await sender.send(PreparedRequest("PUT", raw.url, "/b/k", "", {}, body))
    assert [fields(head)[2] for head in raw.heads] == [b"abc", b"abc", bytes(100_000)]
    assert raw.connections == 1


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
async def test_line_break_in_a_header_is_refused(raw: Raw, value: str):
    async with transport() as sender:
        with pytest.raises(ConfigError, match="X-Name"):
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {"X-Name": value}))
        with pytest.raises(ConfigError, match="Authorization"):
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {"Authorization": f"Bearer {value}"}))
    assert raw.heads == []


async def test_unrequested_response_is_not_used(raw: Raw):
    """The server sends a second response: the next request must not take it for its own."""
    raw.replies = [OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nothers", OK]
    async with transport() as sender:
        for _ in range(2):
            response = await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {}))
            assert response.body == b"ok"
            await asyncio.sleep(0.02)
    assert raw.connections == 2


async def test_unrequested_response_on_an_idle_connection(raw: Raw):
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


def test_line_break_in_the_user_agent_is_refused():
    with pytest.raises(ConfigError, match="user_agent"):
        ClientConfig(user_agent="a\r\nX-Evil: 1")


async def test_interim_responses_are_progress():
    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(6):
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
            await asyncio.sleep(0.15)
        writer.write(OK)
        await writer.drain()

    async with serving(busy) as origin, transport(idle_timeout=0.4) as sender:
        assert (await sender.send(PreparedRequest("POST", origin, "/b/k", "", {}))).body == b"ok"


async def test_interim_responses_before_the_response(raw: Raw):
    raw.replies = [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK]
    async with transport() as sender:
        assert (await sender.send(PreparedRequest("PUT", raw.url, "/b/k", "", {}, b"x"))).body == b"ok"


async def test_switching_protocols_is_refused(raw: Raw):
    raw.replies = [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"]
    async with transport() as sender:
        with pytest.raises(ProtocolError, match="another protocol"):
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {}))


async def test_body_that_ends_with_the_connection(raw: Raw):
    async def until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)
        await writer.drain()

    async with serving(until_the_end) as origin, transport() as sender:
        for _ in range(2):
            assert len((await sender.send(PreparedRequest("GET", origin, "/b/k", "", {}))).body) == 300_000


async def test_silent_server_times_out_within_a_tick(raw: Raw):
    raw.replies = [b""]
    async with transport(idle_timeout=0.4) as sender:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(RequestTimeoutError, match=r"nothing moved for 0\.4 s") as caught:
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {}))
        assert loop.time() - began >= 0.39
        # The watchdog ticks eight times per idle timeout.
        assert sender._state().raw.watchdog.now == TICKS + 1
        assert caught.value.sent
        with pytest.raises(RequestTimeoutError, match="the deadline of the call passed"):
            await sender.send(PreparedRequest("GET", raw.url, "/b/k", "", {}), deadline=loop.time() + 0.1)


async def test_connect_timeout_is_not_sent(monkeypatch: pytest.MonkeyPatch):
    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", never)
    async with transport(idle_timeout=0.2, connect_timeout=0.1) as sender:
        with pytest.raises(RequestTimeoutError, match="no connection in time") as caught:
            await sender.send(PreparedRequest("GET", "http://127.0.0.1:1", "/b/k", "", {}))
    assert not caught.value.sent


async def test_interrupted_body(raw: Raw):
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()

    async with serving(half) as origin, transport() as sender:
        with pytest.raises(ConnectionLostError):
            await sender.send(PreparedRequest("GET", origin, "/b/k", "", {}))


# -- the idle timeout -------------------------------------------------------------------------------------------------


def let_time_pass(sender: Transport) -> None:
    """Tick as often as in more than an idle timeout, without waiting."""
    watch = sender._state().raw.watchdog
    for _ in range(2 * TICKS):
        watch._tick()


async def test_slow_reader_does_not_time_out():
    """Nothing times out while no task waits for the body."""
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
        response = await sender.open(PreparedRequest("GET", origin, "/b/k", "", {}))
        let_time_pass(sender)
        assert await response.chunk() == b"ab"
        let_time_pass(sender)
        waiting = asyncio.ensure_future(response.chunk())
        await asyncio.sleep(0)
        more.set()
        assert await waiting == b"cd"
        assert not sender._state().raw.watchdog.in_flight
        let_time_pass(sender)
        more.set()
        assert await response.chunk() == b"ef"
        assert await response.chunk() == b""


async def test_each_wait_has_its_own_idle_timeout():
    """The idle time of a request does not count for the next one on its connection."""
    asked: asyncio.Queue[bytes] = asyncio.Queue()
    response: asyncio.Queue[bytes] = asyncio.Queue()
    connections = 0

    async def when_told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await asked.put(await reader.readuntil(b"\r\n\r\n"))
            writer.write(await response.get())

    async with serving(when_told) as origin, transport() as sender:
        watch = sender._state().raw.watchdog
        for _ in range(3):
            task = asyncio.create_task(sender.send(PreparedRequest("GET", origin, "/b/k", "", {})))
            await asked.get()
            assert len(watch.in_flight) == 1
            # More than half of an idle timeout for each request.
            for _ in range(TICKS // 2 + 2):
                watch._tick()
            assert len(watch.in_flight) == 1
            await response.put(OK)
            assert (await task).body == b"ok"
            assert not watch.in_flight
        assert connections == 1
        # A request that waits for longer than an idle timeout fails.
        task = asyncio.create_task(sender.send(PreparedRequest("GET", origin, "/b/k", "", {})))
        await asked.get()
        let_time_pass(sender)
        with pytest.raises(RequestTimeoutError, match="nothing moved"):
            await task
