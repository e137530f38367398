"""The connections of each event loop: creation, close, other loops and processes."""

import asyncio
import gc
import pickle
import ssl
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import trustme
from tests.net.raw_server import serving

import aiocos
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator
from aiocos.errors import ConnectError
from aiocos.net.transport import Transport
from aiocos.version import USER_AGENT
from aiocos.wire.message import PreparedRequest

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


async def test_client_can_be_used_after_close(cos: aiocos.Client):
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


async def test_second_loop_and_other_process(cos: aiocos.Client, cos_emulator: Emulator):
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


# -- the state of a loop ----------------------------------------------------------------------------------------------


def plain(origin: str = "http://127.0.0.1:1", method: str = "GET", body: bytes | None = None) -> PreparedRequest:
    return PreparedRequest(method, origin, "/b/k", "", {}, body)


async def test_connections_live_from_first_request_to_close(cos_emulator: Emulator):
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
    await transport._state().session.client.close()
    assert transport.connections is None, "a closed session"
    await transport.send(plain(cos_emulator.endpoint))
    await transport.close()
    await transport.close()


async def test_failed_request_releases_its_slot():
    transport = Transport(ClientConfig(max_connections=1))
    for body in (None, bytes(300_000)):
        for send in (transport.send, transport.open):
            with pytest.raises(ConnectError):
                await send(plain(method="PUT", body=body))
            assert transport.concurrency[:3] == (1, 0, 0)
    await transport.close()


@pytest.mark.parametrize(("size", "large"), [(None, False), (0, False), (262_144, False), (262_145, True)])
@pytest.mark.parametrize("how", ["send", "open"])
async def test_body_above_256_kib_is_large(size: int | None, large: bool, how: str, cos_emulator: Emulator):
    transport = Transport(ClientConfig())
    told: list[tuple[str, object]] = []
    limiter = transport._state().limiter
    give = limiter.release
    limiter.on_response = lambda ticket, status, headers, *, since: told.append(("timed", since is not None))
    limiter.release = lambda *, large: (told.append(("large", large)), give(large=large))
    response = await getattr(transport, how)(plain(cos_emulator.endpoint, "PUT", None if size is None else bytes(size)))
    assert response.status == 404
    if how == "open":
        response.close()
    assert told == [("timed", not large), ("large", large)]
    await transport.close()


async def test_tls_settings(tmp_path: Path):
    assert Transport(ClientConfig())._make_tls() is True
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    context = Transport(ClientConfig(ca_file=str(ca_file)))._make_tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = ClientConfig(verify_tls=False)
    context = Transport(config)._make_tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


async def test_user_agent_header():
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


async def test_connector_limit_and_dns_cache():
    transport = Transport(ClientConfig(connect_timeout=7.0))
    state = transport._state()
    assert (state.connector.limit, state.connector._cached_hosts._ttl) == (0, 60)
    assert state.hedge is None
    await transport.close()


async def test_only_reads_are_hedged(cos_emulator: Emulator):
    transport = Transport(ClientConfig(hedge=aiocos.HedgeConfig()))
    state = transport._state()
    seen: list[str] = []

    async def first(send, limiter):
        seen.append("hedged")
        assert limiter is state.limiter
        return await send()

    state.hedge.first_response = first
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        before = len(seen)
        await transport.send(plain(cos_emulator.endpoint, method))
        assert (len(seen) > before) is (method in ("GET", "HEAD")), method
    await transport.close()


@pytest.mark.parametrize("closes", [True, False])
def test_connections_of_a_closed_loop_are_dropped(closes: bool, cos_emulator_in_thread: str):
    """On the next use in another loop, and on close."""

    def use_in_two_loops() -> None:
        transport = Transport(ClientConfig())

        async def use() -> aiohttp.BaseConnector:
            await transport.send(plain(cos_emulator_in_thread))
            return transport._state().connector

        async def last() -> None:
            if closes:
                await transport.close()
            else:
                await use()
            assert first.closed
            assert len(transport._states) == (0 if closes else 1)
            await transport.close()

        first = asyncio.run(use())
        assert not first.closed
        asyncio.run(last())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        use_in_two_loops()
        # Collected here, when nothing refers to them, the sockets of the closed loop are no warning in a later test.
        gc.collect()


@pytest.fixture
def cos_emulator_in_thread() -> Iterator[str]:
    """An emulator in a thread with its own loop, for tests with several loops."""
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


def test_loops_that_end_without_close():
    """A client may be used in several loops and closed in the last one only."""

    emulator_loop = asyncio.new_event_loop()
    emulator = Emulator()
    emulator_loop.run_until_complete(emulator.__aenter__())
    thread = threading.Thread(target=emulator_loop.run_forever)
    thread.start()
    try:

        def use_in_three_loops() -> list[int]:
            cos = emulator.client(hmac=True)

            async def use(close: bool) -> int:
                found = len(await cos.buckets.list())
                if close:
                    await cos.close()
                return found

            return [asyncio.run(use(close)) for close in (False, False, True)]

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Python warns about the dropped sockets of the earlier loops.
            warnings.simplefilter("ignore", ResourceWarning)
            assert use_in_three_loops() == [0, 0, 0]
            gc.collect()
    finally:
        asyncio.run_coroutine_threadsafe(emulator.__aexit__(None, None, None), emulator_loop).result(10)
        emulator_loop.call_soon_threadsafe(emulator_loop.stop)
        thread.join()
        emulator_loop.close()


async def test_borrowed_connector_stays_open_when_its_loop_is_dropped(cos_emulator: Emulator):
    async with aiohttp.ClientSession() as session:
        transport = Transport(ClientConfig(), session)
        other = asyncio.new_event_loop()
        mine = transport._state()
        transport._states[other] = mine
        other.close()
        del transport._states[asyncio.get_running_loop()]
        transport._last_state = None
        transport._state()  # forgets the closed loop's
        assert not session.closed
        async with session.get(cos_emulator.endpoint) as response:
            assert response.status == 403
        await transport.close()
