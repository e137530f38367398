"""The raw backend, one request at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from tests.net.raw_server import OK, Raw, fields, serving

from aiocos.config import ClientConfig
from aiocos.errors import ConnectionLostError, RequestTimeoutError
from aiocos.net.raw_backend import RawBackend
from aiocos.wire.message import PreparedRequest


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    made = Raw()
    async with serving(made.serve) as made.url:
        yield made


@contextlib.asynccontextmanager
async def raw_backend(**config) -> AsyncIterator[RawBackend]:
    connector = aiohttp.TCPConnector(limit=0)
    made = RawBackend(ClientConfig(**config), "agent", connector)
    try:
        yield made
    finally:
        made.close()
        await connector.close()


def make_request(origin: str, method: str = "GET", body=None, query: str = "", **headers: str) -> PreparedRequest:
    return PreparedRequest(method, origin, "/b/k", query, headers, body)


ALWAYS = b"Host: cos.example:81\r\nUser-Agent: agent\r\nAccept-Encoding: identity\r\n"


@pytest.mark.parametrize(
    ("request_", "line", "rest"),
    [
        (make_request("x"), b"GET /b/k", b"\r\n"),
        (make_request("x", "HEAD", query="versionId=1"), b"HEAD /b/k?versionId=1", b"\r\n"),
        (make_request("x", "DELETE"), b"DELETE /b/k", b"Content-Length: 0\r\n\r\n"),
        (make_request("x", "PUT", b""), b"PUT /b/k", b"Content-Length: 0\r\n\r\n"),
        (make_request("x", "POST", b"data", a="1"), b"POST /b/k", b"a: 1\r\nContent-Length: 4\r\n\r\ndata"),
        (
            make_request("x", a="", Authorization="Bearer t", b="Bearer t"),
            b"GET /b/k",
            b"a: \r\nb: Bearer t\r\nAuthorization: Bearer t\r\n\r\n",
        ),
        (make_request("x", Authorization="AWS4 x", b="1"), b"GET /b/k", b"Authorization: AWS4 x\r\nb: 1\r\n\r\n"),
    ],
)  # fmt: skip
async def test_encoded_head(request_: PreparedRequest, line: bytes, rest: bytes):
    async with raw_backend() as backend:
        for _ in range(2):
            head = backend._encode(request_, "cos.example:81", request_.body or b"")
            assert head == line + b" HTTP/1.1\r\n" + ALWAYS + rest


async def test_encoded_authorization_is_kept():
    async with raw_backend() as backend:
        for token in ("one", "one", "two", "one"):
            head = backend._encode(make_request("x", Authorization=f"Bearer {token}"), "h")
            assert head.endswith(f"\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            assert backend._authorization == (f"Bearer {token}", f"Authorization: Bearer {token}\r\n".encode())
        backend._encode(make_request("x", Authorization="AWS4-HMAC-SHA256 x"), "h")
        assert backend._authorization[0] == "Bearer one", "a signature is never sent twice"


@pytest.mark.parametrize(("idle", "connect", "longest"), [(60.0, 10.0, 60.0), (5.0, 10.0, 10.0)])
async def test_connect_timeouts_and_origins(idle: float, connect: float, longest: float):
    async with raw_backend(idle_timeout=idle, connect_timeout=connect) as backend:
        assert backend._timeout == aiohttp.ClientTimeout(total=None, connect=longest, sock_connect=connect)
        now = asyncio.get_running_loop().time()
        assert backend.timeout_reason(None) == backend.timeout_reason(now + 1_000) == f"nothing moved for {idle:g} s"
        assert backend.timeout_reason(now) == "the deadline of the call passed"
        origin = backend._add_origin("http://cos.example:81")
        assert origin.host == "cos.example:81"
        assert backend._origins["http://cos.example:81"] is origin
        connect_request = origin.connect_request
        assert connect_request.connection_key is connect_request.connection_key, "made once"


async def test_read_nowait_and_chunk(raw: Raw):
    async with raw_backend() as backend:
        response = await backend.open(make_request(raw.url), None)
        data = None
        async with asyncio.timeout(30):
            while data is None:
                data = response.read_nowait()
                await asyncio.sleep(0)
        assert data == b"ok"
        assert response._connection is None, "it is free for the next request"
        assert await response.chunk() == b"ok"
        assert await response.chunk() == b""
        assert response.request_name == f"GET {raw.url}/b/k"
        assert await (await backend.open(make_request(raw.url), None)).read() == b"ok"
    assert raw.connections == 1


async def test_read_nowait_of_incomplete_bodies(raw: Raw):
    raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"]
    async with raw_backend() as backend:
        response = await backend.open(make_request(raw.url), None)
        assert response.read_nowait() is None
        assert await response.chunk() == b"ok"
        assert response.read_nowait() is None
        response._connection.transport.abort()
        async with asyncio.timeout(30):
            while response._payload.exception() is None:
                await asyncio.sleep(0)
        assert response.read_nowait() is None
        with pytest.raises(ConnectionLostError):
            await response.chunk()
        response.close()
        response.close()


async def test_connection_is_reused_after_a_complete_body(raw: Raw):
    async with raw_backend() as backend:
        for _ in range(2):
            response = await backend.open(make_request(raw.url), None)
            assert await response.read() == b"ok"
            assert response._connection is None
        raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok", OK]
        response = await backend.open(make_request(raw.url), None)
        response.close()
        assert await (await backend.open(make_request(raw.url), None)).read() == b"ok"
    assert raw.connections == 2


@pytest.mark.parametrize("closing", ["response", "backend"])
async def test_close_wakes_a_waiting_reader(raw: Raw, closing: str):
    raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"]
    async with raw_backend() as backend:
        response = await backend.open(make_request(raw.url), None)
        task = asyncio.create_task(response.chunk())
        async with asyncio.timeout(30):
            while response not in backend.watchdog.in_flight:
                await asyncio.sleep(0)
        (response if closing == "response" else backend).close()
        with pytest.raises(
            ConnectionLostError, match="closed on this side" if closing == "response" else "the client was closed"
        ):
            await task
        assert not backend.watchdog.in_flight
        response.close()


async def test_stalled_body_ends_at_the_deadline(raw: Raw):
    raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"]
    async with raw_backend() as backend:
        response = await backend.open(make_request(raw.url), asyncio.get_running_loop().time() + 0.2)
        assert await response.chunk() == b"ok"
        with pytest.raises(RequestTimeoutError, match="the deadline of the call passed") as caught:
            await response.chunk()
        assert caught.value.sent
        response.close()


@pytest.mark.parametrize(("size", "large"), [(None, False), (0, False), (32_768, False), (32_769, True)])
async def test_only_a_large_body_is_written_by_a_task(raw: Raw, size: int | None, large: bool):
    async with raw_backend() as backend:
        response = await backend.open(make_request(raw.url, "PUT", None if size is None else bytes(size)), None)
        assert (response.writer is not None) is large
        assert await response.read() == b"ok"
        assert response.sending is None
    assert fields(raw.heads[0])[2] == bytes(size or 0)


class FakeTransport:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True


class Protocol:
    def __init__(self, transport: FakeTransport, drained: Callable[[], None]) -> None:
        self.transport, self.drained = transport, drained

    async def _drain_helper(self) -> None:
        self.drained()


class Progress:
    sending: object = None
    last_progress = -1


async def test_written_steps_are_progress_until_the_response():
    async with raw_backend() as backend:
        seen: list[tuple[int, object]] = []
        progress, transport = Progress(), FakeTransport()

        def drained() -> None:
            seen.append((progress.last_progress, progress.sending))
            backend.watchdog.now += 1
            if len(seen) == 3:
                progress.sending = None

        data = bytes(number % 251 for number in range(4 * 262_144 + 5))
        await backend._write(progress, Protocol(transport, drained), b"head", data)
        assert transport.written[0] == b"head"
        assert b"".join(transport.written[1:]) == data
        assert [len(step) for step in transport.written[1:]] == [262_144] * 4 + [5]
        assert seen == [(-1, transport), (1, transport), (2, transport), (2, None), (2, None)]


class FakeConnection:
    """A pooled connection on which unrequested bytes have arrived, or not."""

    def __init__(self, should_close: bool) -> None:
        self.protocol = type("P", (), {"should_close": should_close})()
        self.closed = False

    def close(self) -> None:
        self.closed = True


async def test_unusable_connections_are_closed_up_to_a_hundred():
    async with raw_backend() as backend:
        made: list[FakeConnection] = []

        class Connector:
            good = 0

            async def connect(self, connect_request, traces, timeout):
                made.append(FakeConnection(len(made) + 1 != self.good))
                return made[-1]

        connector, backend._connector = backend._connector, Connector()
        with pytest.raises(ConnectionLostError, match="the server sends bytes before a request") as caught:
            await backend.open(make_request("http://cos.example"), None)
        assert not caught.value.sent
        assert len(made) == 101
        assert all(connection.closed for connection in made)
        made.clear()
        Connector.good = 3
        first = await backend._connector.connect(None, [], None)
        assert await backend._replace(first, None) is made[2]
        assert [connection.closed for connection in made] == [True, True, False]
        backend._connector = connector


async def test_response_before_the_end_of_a_body_closes_the_connection():
    """The rest of the body is not sent, so the connection cannot be used again."""
    connections = 0

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        if head.startswith(b"PUT"):
            await asyncio.sleep(60)

    async with serving(early) as origin, raw_backend() as backend:
        response = await backend.open(make_request(origin, "PUT", bytes(50_000_000)), None)
        assert await response.read() == b"ok"
        writer = response.writer
        with contextlib.suppress(asyncio.CancelledError):
            await writer
        assert writer.cancelled()
        assert await (await backend.open(make_request(origin), None)).read() == b"ok"
    assert connections == 2


async def test_cancelled_request_leaves_nothing_behind(raw: Raw):
    raw.replies = [b""]
    async with raw_backend() as backend:
        for body in (None, bytes(50_000_000)):
            task = asyncio.create_task(backend.open(make_request(raw.url, "PUT", body), None))
            async with asyncio.timeout(30):
                while not backend.watchdog.in_flight:
                    await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not backend.watchdog.in_flight
            assert not backend._connector._acquired
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() if "_write" in repr(task)]


async def test_response_to_head_has_no_body(raw: Raw):
    raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amz-meta-a: 1\r\n\r\n"]
    async with raw_backend() as backend:
        for _ in range(2):
            response = await backend.open(make_request(raw.url, "HEAD"), None)
            assert (response.status, response.headers["X-Amz-Meta-A"]) == (200, "1")
            assert await response.read() == b""
    assert raw.connections == 1


async def test_compressed_body_is_not_decoded(raw: Raw):
    raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"]
    async with raw_backend() as backend:
        assert await (await backend.open(make_request(raw.url), None)).read() == b"ok"


async def test_connection_is_reused_after_a_large_body(raw: Raw):
    async with raw_backend() as backend:
        for size in (100_000, 1_000_000):
            response = await backend.open(make_request(raw.url, "PUT", bytes(size)), None)
            # The server has read the whole body, so all of it was written.
            assert await response.writer is None
            assert await response.read() == b"ok"
            response.close()
    assert raw.connections == 1
