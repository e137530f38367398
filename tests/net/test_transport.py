"""One attempt under trouble: what is raised, what is tried again, what is left behind."""

import asyncio
import gc
import os
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.auth.test_tls import _certificate
from tests.net.test_raw_backend import serving
from tests.proxy import proxy_to

import aiocos
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator
from aiocos.errors import ConnectError, ConnectionLostError, ProtocolError, Redirected, RequestTimeoutError
from aiocos.net.transport import Transport
from aiocos.version import USER_AGENT
from aiocos.wire.message import PreparedRequest

pytestmark = pytest.mark.usefixtures("way")

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


async def test_refused_is_not_sent_and_was_tried_again():
    config = ClientConfig(retry=QUICK)
    # Bound, so that it is nobody else's, and not listening.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with aiocos.Client(origin, credentials=aiocos.Anonymous(), config=config) as cos:
            with pytest.raises(ConnectError) as caught:
                await cos.multipart.create("bucket", "key")
    assert caught.value.sent is False
    assert caught.value.attempts == 5


async def test_a_host_that_does_not_exist():
    config = ClientConfig(retry=ONCE)
    async with aiocos.Client("http://no-such-host.invalid", credentials=aiocos.Anonymous(), config=config) as cos:
        with pytest.raises(ConnectError, match=r"no-such-host\.invalid"):
            await cos.objects.read("bucket", "key")


async def test_https_to_a_server_that_speaks_none(cos_emulator: Emulator):
    endpoint = cos_emulator.endpoint.replace("http://", "https://")
    async with client_for(cos_emulator, endpoint, ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(ConnectError):
            await cos.buckets.list()


async def test_an_answer_that_is_no_http():
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
async def test_a_cut_in_the_request_is_made_again(cos: aiocos.Client, cos_emulator: Emulator, reset: bool):
    await cos.buckets.create("bucket")
    data = os.urandom(300_000)
    async with proxy_to(cos_emulator.endpoint) as proxy:
        proxy.cut_up_after, proxy.reset = 100_000, reset
        async with client_for(cos_emulator, proxy.url, ClientConfig(retry=QUICK)) as through:
            await through.objects.put("bucket", "key", data)
    assert await cos.objects.read("bucket", "key") == data


async def test_a_conditional_write_is_not_made_again(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    async with proxy_to(cos_emulator.endpoint) as proxy:
        async with client_for(cos_emulator, proxy.url, ClientConfig(retry=QUICK)) as through:
            await through.buckets.list()
            proxy.cut_down_after = 1  # the answer is lost, the object is there
            with pytest.raises(ConnectionLostError) as caught:
                await through.objects.put("bucket", "key", b"mine", if_none_match="*")
    assert caught.value.sent is True
    assert await cos.objects.read("bucket", "key") == b"mine"
    puts = [r for r in cos_emulator.requests if r.operation == "PutObject"]
    assert len(puts) == 1


async def test_a_connection_closed_while_idle_costs_nothing(
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


async def test_a_slow_uplink_is_no_error_and_a_stalled_one_is(cos: aiocos.Client, cos_emulator: Emulator):
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


async def test_a_stalled_answer_is_timed_out(cos: aiocos.Client, cos_emulator: Emulator):
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


async def test_the_deadline_is_for_all_of_a_call(cos_emulator: Emulator):
    from aiocos.emulator import Status

    cos_emulator.faults.script([Status(503, operation="ListBuckets", times=None)])
    # Without the deadline it would go on for hours; with one for each attempt, too.
    endless = RetryConfig(attempts=1_000_000, base=0.01, cap=0.02, budget=1e9)
    async with client_for(cos_emulator, cos_emulator.endpoint, ClientConfig(retry=endless)) as cos:
        async with asyncio.timeout(60):
            with pytest.raises((RequestTimeoutError, aiocos.Unavailable)):
                await cos.buckets.list(timeout=0.4)


async def test_nothing_follows_a_redirect():
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


async def test_proxies_of_the_environment(cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
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


async def test_a_borrowed_session_lends_its_connections_and_stays_open(cos_emulator: Emulator):
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


async def test_a_client_can_be_used_after_it_was_closed(cos: aiocos.Client):
    await cos.buckets.list()
    await cos.close()
    await cos.close()
    await cos.buckets.list()


_TWO_LOOPS = """
import asyncio, gc, pickle, sys, warnings
warnings.simplefilter("error")
import aiocos
cos = pickle.loads(bytes.fromhex(sys.argv[1]))
async def work(close):
    buckets = await cos.buckets.list()
    if close:
        await cos.close()
    return len(buckets)
print(asyncio.run(work(True)), asyncio.run(work(True)))
"""


async def test_a_second_loop_and_another_process(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    for client in (cos, client_for(cos_emulator, cos_emulator.endpoint, ClientConfig())):
        async with client:
            ran = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-c", _TWO_LOOPS, pickle.dumps(client).hex()],
                capture_output=True,
                text=True,
                timeout=30,
            )
        assert ran.stdout == "1 1\n", ran.stderr
        assert ran.stderr == ""


async def test_a_cancelled_call_leaves_no_connection_open(cos: aiocos.Client, cos_emulator: Emulator):
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


# -- long heads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [8_190, 8_191, 20_000, 65_536 - len("x-amz-meta-long: \r\n")])
async def test_long_lines_of_a_head_are_read(length: int):
    """IBM's SDK takes lines of 65,536 bytes; metadata and policies of gateways exceed aiohttp's own limit."""
    value = "v" * length

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        more = "".join(f"x-other-{n}: {value}\r\n" for n in range(3))
        head = f'HTTP/1.1 200 OK\r\nETag: "e"\r\nx-amz-meta-long: {value}\r\n{more}Content-Length: 4\r\n\r\n'.encode()
        # Not all at once: the line is longer than a piece of it that arrives.
        for start in range(0, len(head), 7_000):
            writer.write(head[start : start + 7_000])
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"data")
        await writer.drain()

    async with serving(answer) as origin:
        async with aiocos.Client(origin, credentials=aiocos.Anonymous(), config=ClientConfig(retry=ONCE)) as cos:
            async with cos.objects.get("bucket", "key") as obj:
                assert obj.info.metadata == {"long": value}
                assert await obj.read() == b"data"


async def test_a_line_without_an_end_is_refused():
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nx-amz-meta-long: ")
        while True:
            writer.write(b"v" * 65_536)
            await writer.drain()

    async with serving(answer) as origin:
        async with aiocos.Client(origin, credentials=aiocos.Anonymous(), config=ClientConfig(retry=ONCE)) as cos:
            async with asyncio.timeout(30):
                with pytest.raises(ProtocolError, match="no HTTP") as caught:
                    await cos.objects.head("bucket", "key")
            assert len(str(caught.value)) < 1_000


# -- what belongs to a loop -------------------------------------------------------------------------------------------


def plain(origin: str = "http://127.0.0.1:1", method: str = "GET", body: bytes | None = None) -> PreparedRequest:
    return PreparedRequest(method, origin, "/b/k", "", {}, body)


async def test_connections_are_made_at_the_first_request_and_stay_until_the_close(cos_emulator: Emulator):
    transport = Transport(ClientConfig())
    assert transport.connections is None
    await transport.send(plain(cos_emulator.endpoint))
    made = transport.connections
    assert made is not None
    await transport.send(plain(cos_emulator.endpoint))
    assert transport.connections is made
    assert transport.concurrency[:3] == (32, 0, 0)
    await transport.close()
    assert transport.connections is None
    await transport.send(plain(cos_emulator.endpoint))
    assert transport.connections not in (None, made)
    await transport._local().session.client.close()
    assert transport.connections is None, "what is closed is none"
    await transport.send(plain(cos_emulator.endpoint))
    await transport.close()
    await transport.close()


async def test_a_failed_request_gives_its_place_back():
    transport = Transport(ClientConfig(max_connections=1))
    for body in (None, bytes(300_000)):
        for send in (transport.send, transport.open):
            with pytest.raises(ConnectError):
                await send(plain(method="PUT", body=body))
            assert transport.concurrency[:3] == (1, 0, 0)
    await transport.close()


@pytest.mark.parametrize(("size", "large"), [(None, False), (0, False), (262_144, False), (262_145, True)])
@pytest.mark.parametrize("how", ["send", "open"])
async def test_a_body_above_256_kib_is_large(size: int | None, large: bool, how: str, cos_emulator: Emulator):
    transport = Transport(ClientConfig())
    told: list[tuple[str, object]] = []
    pace = transport._local().limiter
    give = pace.release
    pace.on_response = lambda ticket, status, headers, *, since: told.append(("timed", since is not None))
    pace.release = lambda *, large: (told.append(("large", large)), give(large=large))
    answer = await getattr(transport, how)(plain(cos_emulator.endpoint, "PUT", None if size is None else bytes(size)))
    assert answer.status == 404
    if how == "open":
        answer.close()
    assert told == [("timed", not large), ("large", large)]
    await transport.close()


async def test_certificates_are_checked_unless_said_otherwise(tmp_path: Path):
    assert Transport(ClientConfig())._tls() is True
    context = Transport(ClientConfig(ca_file=str(_certificate(tmp_path)[0])))._tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = ClientConfig(verify_tls=False)
    context = Transport(config)._tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


async def test_the_agent_is_told_with_that_of_the_program():
    for given, told in (("", USER_AGENT), ("mine/1", f"mine/1 {USER_AGENT}")):
        heads: list[bytes] = []

        async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heads: list[bytes] = heads) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()

        async with serving(answering) as origin:
            transport = Transport(ClientConfig(user_agent=given))
            await transport.send(plain(origin))
            await transport.close()
        assert f"User-Agent: {told}\r\n".encode() in heads[0]


async def test_connections_are_not_limited_by_aiohttp_and_names_are_kept_for_a_minute():
    transport = Transport(ClientConfig(connect_timeout=7.0))
    local = transport._local()
    assert (local.connector.limit, local.connector._cached_hosts._ttl) == (0, 60)
    assert local.hedge is None
    await transport.close()


async def test_only_reads_are_hedged(cos_emulator: Emulator):
    transport = Transport(ClientConfig(hedge=aiocos.HedgeConfig()))
    local = transport._local()
    seen: list[str] = []

    async def first(send, pace):
        seen.append("hedged")
        assert pace is local.limiter
        return await send()

    local.hedge.first = first
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        before = len(seen)
        await transport.send(plain(cos_emulator.endpoint, method))
        assert (len(seen) > before) is (method in ("GET", "HEAD")), method
    await transport.close()


@pytest.mark.parametrize("closes", [True, False])
def test_what_belonged_to_a_loop_that_is_no_more_is_let_go(closes: bool, cos_emulator_in_thread: str):
    """At the next use in another loop, and at the close."""
    transport = Transport(ClientConfig())

    async def use() -> aiohttp.BaseConnector:
        await transport.send(plain(cos_emulator_in_thread))
        return transport._local().connector

    async def last() -> None:
        if closes:
            await transport.close()
        else:
            await use()
        assert first.closed
        assert len(transport._locals) == (0 if closes else 1)
        await transport.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        first = asyncio.run(use())
        assert not first.closed
        asyncio.run(last())
        gc.collect()


@pytest.fixture
def cos_emulator_in_thread() -> Iterator[str]:
    """A server in a loop of its own, for tests that use several."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    emulator = Emulator()

    def run() -> None:
        loop.run_until_complete(emulator.__aenter__())
        ready.set()
        loop.run_forever()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(60)
    yield emulator.endpoint
    asyncio.run_coroutine_threadsafe(emulator.__aexit__(None, None, None), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
