"""Requests over sockets on both backends: errors, retries, timeouts, redirects, long headers."""

import asyncio
import contextlib
import gc
import os
import pickle
import socket
import time

import aiohttp
import pytest
from aiohttp import web
from tests.net.raw_server import serving
from tests.proxy import proxy_to

import aiocos
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator, Reset
from aiocos.errors import (
    AccessDenied,
    ConnectError,
    ConnectionLostError,
    ProtocolError,
    Redirected,
    RequestTimeoutError,
    TransportError,
)

pytestmark = pytest.mark.usefixtures("backend")

QUICK = RetryConfig(base=0.01, cap=0.02)
ONCE = RetryConfig(attempts=1)


def client_for(emulator: Emulator, endpoint: str, config: ClientConfig, **given) -> aiocos.Client:
    return aiocos.Client(
        endpoint,
        access_key_id=emulator.access_key_id,
        secret_access_key=emulator.secret_access_key,
        config=config,
        **given,
    )


async def test_refused_connection_is_not_sent_and_is_retried():
    config = ClientConfig(retry=QUICK)
    # Bound, so that no other process has the port, and not listening.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with aiocos.Client(origin, credentials=aiocos.Anonymous(), config=config) as cos:
            with pytest.raises(ConnectError) as caught:
                await cos.multipart.create("bucket", "key")
    assert caught.value.sent is False
    assert caught.value.attempts == 5


async def test_unknown_host():
    config = ClientConfig(retry=ONCE)
    async with aiocos.Client("http://no-such-host.invalid", credentials=aiocos.Anonymous(), config=config) as cos:
        with pytest.raises(ConnectError, match=r"no-such-host\.invalid"):
            await cos.objects.read("bucket", "key")


async def test_https_to_a_plain_http_server(cos_emulator: Emulator):
    endpoint = cos_emulator.endpoint.replace("http://", "https://")
    async with client_for(cos_emulator, endpoint, ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(ConnectError):
            await cos.buckets.list()


async def test_response_that_is_not_http():
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with aiocos.Client(
        f"http://127.0.0.1:{port}", credentials=aiocos.Anonymous(), config=ClientConfig(retry=ONCE)
    ) as cos:
        with pytest.raises((ProtocolError, ConnectionLostError)):
            await cos.objects.read("bucket", "key")
    server.close()


@pytest.mark.parametrize("reset", [False, True])
async def test_request_cut_midway_is_retried(cos: aiocos.Client, cos_emulator: Emulator, reset: bool):
    await cos.buckets.create("bucket")
    data = os.urandom(300_000)
    async with proxy_to(cos_emulator.endpoint) as proxy:
        proxy.cut_up_after, proxy.reset = 100_000, reset
        async with client_for(cos_emulator, proxy.url, ClientConfig(retry=QUICK)) as through:
            await through.objects.put("bucket", "key", data)
    assert await cos.objects.read("bucket", "key") == data


async def test_conditional_write_is_not_retried(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    async with proxy_to(cos_emulator.endpoint) as proxy:
        async with client_for(cos_emulator, proxy.url, ClientConfig(retry=QUICK)) as through:
            await through.buckets.list()
            proxy.cut_down_after = 1  # the response is lost, the object is stored
            with pytest.raises(ConnectionLostError) as caught:
                await through.objects.put("bucket", "key", b"mine", if_none_match="*")
    assert caught.value.sent is True
    assert await cos.objects.read("bucket", "key") == b"mine"
    puts = [r for r in cos_emulator.requests if r.operation == "PutObject"]
    assert len(puts) == 1


async def test_idle_connection_closed_by_the_server(
    cos: aiocos.Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
):
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("aiocos.net.retry.pause", pause)
    async with proxy_to(cos_emulator.endpoint) as proxy:
        async with client_for(cos_emulator, proxy.url, ClientConfig()) as through:
            await through.buckets.list()
            proxy.drop_all()
            await through.buckets.list()
        assert proxy.connections == 2
    assert pauses == [0.0]


async def test_slow_uplink_succeeds_and_stalled_uplink_times_out(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    config = ClientConfig(idle_timeout=1.2, retry=ONCE)
    data = os.urandom(10_000_000)
    async with proxy_to(cos_emulator.endpoint) as proxy, client_for(cos_emulator, proxy.url, config) as through:
        proxy.up_rate = 4_000_000  # more than twice the idle timeout; what the system buffers passes in less
        began = time.monotonic()
        await through.objects.put("bucket", "slow", data)
        assert time.monotonic() - began > 2
        proxy.up_rate = None
        proxy.passing.clear()
        async with asyncio.timeout(60):
            with pytest.raises(RequestTimeoutError, match="nothing moved"):
                await through.objects.put("bucket", "stalled", data)
        proxy.passing.set()
    assert await cos.objects.read("bucket", "slow") == data


async def test_stalled_response_times_out(cos: aiocos.Client, cos_emulator: Emulator):
    async with proxy_to(cos_emulator.endpoint) as proxy:
        config = ClientConfig(idle_timeout=0.3, retry=ONCE)
        async with client_for(cos_emulator, proxy.url, config) as through:
            await through.buckets.list()
            proxy.passing.clear()
            with pytest.raises(RequestTimeoutError) as caught:
                await through.buckets.list()
            assert isinstance(caught.value, TimeoutError)
            assert caught.value.sent is True
            proxy.passing.set()


async def test_deadline_covers_all_attempts(cos_emulator: Emulator):
    from aiocos.emulator import Status

    cos_emulator.faults.script([Status(503, operation="ListBuckets", times=None)])
    # Without the deadline, or with one per attempt, this would take hours.
    endless = RetryConfig(attempts=1_000_000, base=0.01, cap=0.02, budget=1e9)
    async with client_for(cos_emulator, cos_emulator.endpoint, ClientConfig(retry=endless)) as cos:
        async with asyncio.timeout(60):
            with pytest.raises((RequestTimeoutError, aiocos.Unavailable)):
                await cos.buckets.list(timeout=0.4)


async def test_redirects_are_not_followed():
    arrived: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        arrived.append(request.headers.get("Authorization", ""))
        return web.Response()

    other = web.AppRunner(web.Application())
    other.app.router.add_route("*", "/{tail:.*}", elsewhere)
    await other.setup()
    await web.TCPSite(other, "127.0.0.1", 0).start()
    other_port = other.addresses[0][1]

    async def redirecting(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"http://127.0.0.1:{other_port}{request.path}"})

    here = web.AppRunner(web.Application())
    here.app.router.add_route("*", "/{tail:.*}", redirecting)
    await here.setup()
    await web.TCPSite(here, "127.0.0.1", 0).start()
    port = here.addresses[0][1]
    try:
        async with aiocos.Client(f"http://127.0.0.1:{port}", credentials=aiocos.BearerToken("secret-token")) as cos:
            with pytest.raises(Redirected, match=f"127.0.0.1:{other_port}") as caught:
                await cos.objects.put("bucket", "key", b"data")
            assert "secret-token" not in str(caught.value)
            with pytest.raises(Redirected):
                await cos.objects.read("bucket", "key")
    finally:
        await here.cleanup()
        await other.cleanup()
    assert arrived == []


async def test_environment_proxy_and_no_proxy(cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
    seen: list[str] = []

    async def forward(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.raw_path)
        return web.Response(body=b"<ListAllMyBucketsResult/>", content_type="application/xml")

    runner = web.ServerRunner(web.Server(forward))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("no_proxy", "direct.invalid")
    config = ClientConfig(retry=ONCE)
    async with aiocos.Client("http://cos.invalid", credentials=aiocos.Anonymous(), config=config) as cos:
        await cos.buckets.list()
    async with aiocos.Client("http://direct.invalid", credentials=aiocos.Anonymous(), config=config) as cos:
        with pytest.raises(ConnectError):
            await cos.buckets.list()
    await runner.cleanup()
    assert seen == ["http://cos.invalid/"]


async def test_borrowed_session_stays_open(cos_emulator: Emulator):
    async with aiohttp.ClientSession() as session:
        async with client_for(cos_emulator, cos_emulator.endpoint, ClientConfig(), session=session) as cos:
            await cos.buckets.create("bucket")
            await cos.objects.put("bucket", "k", b"x", content_encoding="gzip")
            assert await cos.objects.read("bucket", "k") == b"x", "bytes are given as they are stored"
            with pytest.raises(TypeError, match="session"):
                pickle.dumps(cos)
        assert not session.closed
        async with session.get(cos_emulator.endpoint) as response:
            assert response.status == 403
    cos = client_for(cos_emulator, cos_emulator.endpoint, ClientConfig(retry=ONCE), session=session)
    with pytest.raises(aiocos.ConfigError, match="closed"):
        await cos.buckets.list()


async def test_cancelled_call_leaves_no_connection_open(cos: aiocos.Client, cos_emulator: Emulator):
    from aiocos.emulator import Delay

    await cos.buckets.create("bucket")
    cos_emulator.faults.script([Delay(5, operation="GetObject")])
    call = asyncio.create_task(cos.objects.read("bucket", "k"))
    async with asyncio.timeout(30):
        while not any(served.operation == "GetObject" for served in cos_emulator.requests):
            await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await cos.close()
    gc.collect()  # an unclosed connection would warn, and warnings are errors here


# -- long headers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [8_190, 8_191, 20_000, 65_536 - len("x-amz-meta-long: \r\n")])
async def test_long_header_lines_are_read(length: int):
    """IBM's SDK accepts lines of 65,536 bytes; metadata and headers of gateways exceed aiohttp's own limit."""
    value = "v" * length

    async def response(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        more = "".join(f"x-other-{n}: {value}\r\n" for n in range(3))
        head = f'HTTP/1.1 200 OK\r\nETag: "e"\r\nx-amz-meta-long: {value}\r\n{more}Content-Length: 4\r\n\r\n'.encode()
        # In pieces, so that the line arrives in several reads.
        for start in range(0, len(head), 7_000):
            writer.write(head[start : start + 7_000])
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"data")
        await writer.drain()

    async with serving(response) as origin:
        async with aiocos.Client(origin, credentials=aiocos.Anonymous(), config=ClientConfig(retry=ONCE)) as cos:
            async with cos.objects.get("bucket", "key") as obj:
                assert obj.info.metadata == {"long": value}
                assert await obj.read() == b"data"


async def test_endless_header_line_is_refused():
    async def response(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nx-amz-meta-long: ")
        while True:
            writer.write(b"v" * 65_536)
            await writer.drain()

    async with serving(response) as origin:
        async with aiocos.Client(origin, credentials=aiocos.Anonymous(), config=ClientConfig(retry=ONCE)) as cos:
            async with asyncio.timeout(30):
                with pytest.raises(ProtocolError, match="is not HTTP") as caught:
                    await cos.objects.head("bucket", "key")
            assert len(str(caught.value)) < 1_000


def anonymous(endpoint: str, config: ClientConfig) -> aiocos.Client:
    return aiocos.Client(endpoint, credentials=aiocos.Anonymous(), config=config)


async def test_response_before_the_body_was_sent():
    """The error is raised, no timer stays behind, and the rest of the body is not sent."""
    body = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"PUT")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n" % len(body))
        await writer.drain()
        for _ in range(20):
            await asyncio.sleep(0.01)
            await reader.read(300_000)
        writer.write(body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with serving(early) as endpoint, anonymous(endpoint, ClientConfig(idle_timeout=20.0, retry=ONCE)) as cos:
        with pytest.raises(AccessDenied, match="PutObject bucket/key"):
            await cos.objects.put("bucket", "key", os.urandom(30_000_000))
    for _ in range(5):
        await asyncio.sleep(0.1)
    loop = asyncio.get_running_loop()
    assert not [handle for handle in loop._scheduled if not handle.cancelled() and "_poll_buffer" in repr(handle)]


async def test_lost_response_to_a_conditional_write_is_an_error(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "key", b"1")
    info = await cos.objects.head("bucket", "key")
    cos_emulator.faults.script([Reset(operation="PutObject", lost_answer=True)])
    with pytest.raises(TransportError):
        await cos.objects.put("bucket", "key", b"2", if_unmodified_since=info.last_modified)
