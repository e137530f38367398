"""Bodies that are answered too early, loops that end too early, proxies with passwords, and errors that name what was asked."""

import asyncio
import contextlib
import gc
import logging
import os
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime

import aiohttp
import pytest

import aiocos
from aiocos.call import is_idempotent
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator, Reset
from aiocos.errors import AccessDenied, ConnectError, ProtocolError, TransportError, Unavailable
from aiocos.groups import engine_of
from aiocos.net.retry import RetryBudget, retry_call, retry_delay
from aiocos.net.session_backend import IdleTimeout
from aiocos.net.transport import Transport
from aiocos.operations.objects import PutObject

pytestmark = pytest.mark.usefixtures("way")

ONCE = RetryConfig(attempts=1)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


@contextlib.asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    """A server that speaks what a test wants, byte by byte."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0, limit=64 * 1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def anonymous(endpoint: str, config: ClientConfig) -> aiocos.Client:
    return aiocos.Client(endpoint, credentials=aiocos.Anonymous(), config=config)


async def test_an_answer_that_comes_before_the_body_is_read():
    """Its error counts, no timer stays behind, and what is left of the body is not sent."""
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

    async with listening(early) as endpoint, anonymous(endpoint, ClientConfig(idle_timeout=0.4, retry=ONCE)) as cos:
        with pytest.raises(AccessDenied, match="PutObject bucket/key"):
            await cos.objects.put("bucket", "key", os.urandom(30_000_000))
    for _ in range(5):
        await asyncio.sleep(0.1)
    loop = asyncio.get_running_loop()
    assert not [handle for handle in loop._scheduled if not handle.cancelled() and "_watch" in repr(handle)]


async def test_progress_behind_the_answer_starts_no_timer():
    """A body that goes on after its answer finds a timer that has ended, and must not start to watch anything."""
    patience = IdleTimeout(0.01, None)
    async with patience.wait():
        pass
    patience.sent()
    patience.moved(asyncio.WriteTransport())
    await asyncio.sleep(0.02)
    assert not [h for h in asyncio.get_running_loop()._scheduled if not h.cancelled() and "_watch" in repr(h)]


@pytest.mark.parametrize("body", [b"<html/>", b"<html> ", b'<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', b"{}"])
async def test_an_answer_that_makes_no_sense_is_told_with_its_request(body: bytes):
    async def senseless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nx-amz-request-id: id-7\r\nConnection: close\r\n\r\n"
        writer.write(head % len(body) + body)
        await writer.drain()
        writer.close()

    async with listening(senseless) as endpoint, anonymous(endpoint, ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(ProtocolError, match=r"ListObjectsV2 bucket: .*id-7"):
            async for _ in cos.objects.list("bucket"):
                pass


async def test_a_page_that_says_more_and_not_where_ends_the_listing():
    """Also behind a page that did say it: without a marker it would begin anew, for ever."""
    pages = iter(
        [
            "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker></ListVersionsResult>",
            "<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>",
            "<ListAllMyBucketsResult><IsTruncated>true</IsTruncated><Buckets/></ListAllMyBucketsResult>",
        ]
    )

    async def paging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = next(pages).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with listening(paging) as endpoint, anonymous(endpoint, ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(ProtocolError, match="not where the next page starts"):
            async for _ in cos.objects.list_versions("bucket"):
                pass
        with pytest.raises(ProtocolError, match="not where the next page starts"):
            async for _ in cos.buckets.list_extended():
                pass


async def test_a_continuation_that_is_a_part_of_nobody_knows_what():
    calls = 0

    async def partial(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await reader.readuntil(b"\r\n\r\n")
        if calls == 1:
            writer.write(b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 10\r\n\r\n01234')
        else:
            writer.write(b'HTTP/1.1 206 Partial Content\r\nETag: "e"\r\nContent-Length: 5\r\n\r\n56789')
        await writer.drain()
        writer.close()

    async with listening(partial) as endpoint, anonymous(endpoint, ClientConfig(retry=RetryConfig(base=0.01))) as cos:
        with pytest.raises(ProtocolError, match="Content-Range"):
            async with cos.objects.get("bucket", "key") as obj:
                await obj.read()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_password_of_a_proxy_is_not_told(scheme: str, monkeypatch: pytest.MonkeyPatch):
    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    seen: list[bytes] = []
    async with listening(refusing) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.replace("http://", "http://user:s3cret@"))
        async with anonymous(f"{scheme}://cos.invalid", ClientConfig(retry=ONCE)) as cos:
            with pytest.raises(aiocos.CosError) as caught:
                await cos.objects.read("bucket", "key")
    assert b"Proxy-Authorization: Basic" in seen[0]
    for text in (str(caught.value), repr(caught.value), str(caught.value.__cause__)):
        assert "s3cret" not in text
    assert "407" in str(caught.value)


async def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://user:s3cret@127.0.0.1:1")
    async with anonymous("http://cos.invalid", ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(ConnectError) as caught:
            await cos.objects.read("bucket", "key")
    assert caught.value.sent is False
    assert "s3cret" not in str(caught.value)


async def test_a_port_in_no_proxy(monkeypatch: pytest.MonkeyPatch, cos_emulator: Emulator):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", cos_emulator.endpoint.removeprefix("http://"))
    async with cos_emulator.client(hmac=True) as cos:
        await cos.buckets.list()


def test_loops_that_end_without_a_close():
    """A client that is used in one loop after another and closed only in the last has nothing open in the end."""

    emulator_loop = asyncio.new_event_loop()
    emulator = Emulator()
    emulator_loop.run_until_complete(emulator.__aenter__())
    thread = threading.Thread(target=emulator_loop.run_forever)
    thread.start()
    try:
        cos = emulator.client(hmac=True)

        async def use(close: bool) -> int:
            found = len(await cos.buckets.list())
            if close:
                await cos.close()
            return found

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Sockets of a loop that ended before they were closed are dropped, which Python says of them.
            warnings.simplefilter("ignore", ResourceWarning)
            assert [asyncio.run(use(close)) for close in (False, False, True)] == [0, 0, 0]
            gc.collect()
    finally:
        asyncio.run_coroutine_threadsafe(emulator.__aexit__(None, None, None), emulator_loop).result(10)
        emulator_loop.call_soon_threadsafe(emulator_loop.stop)
        thread.join()
        emulator_loop.close()


async def test_a_borrowed_connector_stays_open_when_its_loop_is_forgotten(cos_emulator: Emulator):
    async with aiohttp.ClientSession() as session:
        transport = Transport(ClientConfig(), session)
        other = asyncio.new_event_loop()
        mine = transport._local()
        transport._locals[other] = mine
        other.close()
        del transport._locals[asyncio.get_running_loop()]
        transport._last = None
        transport._local()  # forgets the closed loop's
        assert not session.closed
        async with session.get(cos_emulator.endpoint) as response:
            assert response.status == 403
        await transport.close()


@pytest.mark.parametrize("condition", ["if_match", "if_none_match", "if_unmodified_since"])
def test_a_write_on_any_condition_is_not_repeatable(condition: str):
    value = datetime.now(UTC) if condition == "if_unmodified_since" else "*"
    assert is_idempotent(PutObject("bucket", "key", b""))
    assert not is_idempotent(PutObject("bucket", "key", b"", **{condition: value}))


async def test_a_lost_answer_to_a_write_on_condition_of_time_is_told(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "key", b"1")
    info = await cos.objects.head("bucket", "key")
    cos_emulator.faults.script([Reset(operation="PutObject", lost_answer=True)])
    with pytest.raises(TransportError):
        await cos.objects.put("bucket", "key", b"2", if_unmodified_since=info.last_modified)


def test_any_number_of_attempts_has_a_wait():
    config = RetryConfig(attempts=100_000)
    assert retry_delay(Unavailable(status=500), attempt=50_000, repeatable=True, config=config, draw=0.5) == config.cap / 2


async def test_a_retry_that_the_deadline_forbids_costs_nothing():
    config = RetryConfig()
    budget = RetryBudget(config)

    async def failing() -> None:
        raise Unavailable(status=503, retry_after=60)

    with pytest.raises(Unavailable):
        await retry_call(failing, config=config, budget=budget, repeatable=True, deadline=asyncio.get_running_loop().time() + 1)
    assert budget.left == config.budget


async def test_nothing_is_logged_of_a_transfer_that_goes_well(cos: aiocos.Client, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "aiocos")
    await cos.buckets.create("bucket")
    await cos.upload("bucket", "key", os.urandom(100_000))
    assert await cos.objects.read("bucket", "key")
    assert [r for r in caplog.records if r.name.startswith(("aiocos.call", "aiocos.transfer"))] == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("how", ["left", "broken out of", "dropped"])
async def test_a_body_that_is_not_read_to_its_end_keeps_no_connection(cos: aiocos.Client, how: str):
    """Closed, or forgotten: then as soon as nobody refers to it, and with a warning."""
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "key", os.urandom(8_000_000))
    connector = engine_of(cos)._transport._local().connector
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # the warning of aiohttp itself
    for _ in range(3):
        obj = cos.objects.get("bucket", "key")
        if how == "left":
            async with obj:
                await obj.chunk()
        else:
            await obj.__aenter__()
            async for _ in obj:
                if how == "broken out of":
                    break
                assert await obj.chunk()
                break
        del obj
    async with asyncio.timeout(30):
        while connector._acquired:
            # An iteration that was left ends in a task of the loop's; only then nobody refers to the body.
            await asyncio.sleep(0)
            gc.collect()
    await cos.objects.head("bucket", "key")
