"""The session backend: idle timeouts, responses, connections."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from tests.net.raw_server import OK, Raw, serving
from tests.net.scripted import reply, scripted

from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, ConnectError, ConnectionLostError, RequestTimeoutError
from aiocos.net import session_backend as module
from aiocos.net.session_backend import IdleTimeout, SessionBackend, connector_of
from aiocos.wire.message import PreparedRequest


class Timer:
    """An `asyncio.Timeout` that records its new times."""

    def __init__(self) -> None:
        self.set: list[float] = []
        self.over = False

    def expired(self) -> bool:
        return self.over

    def reschedule(self, when: float) -> None:
        self.set.append(when)


def with_timer(idle_timeout: IdleTimeout) -> Timer:
    timer = Timer()
    idle_timeout._timer = timer  # type: ignore[assignment]
    return timer


# -- idle timeouts ----------------------------------------------------------------------------------------------------


async def test_wait_ends_when_idle_or_at_the_deadline() -> None:
    now = asyncio.get_running_loop().time()
    assert IdleTimeout(60.0, None).start().when() == pytest.approx(now + 60, abs=5)
    assert IdleTimeout(60.0, now + 1_000).start().when() == pytest.approx(now + 60, abs=5)
    assert IdleTimeout(60.0, now + 20).start().when() == now + 20
    assert str(IdleTimeout(60.0, None)) == "nothing moved for 60 s"
    assert str(IdleTimeout(1.5, now + 1_000)) == "nothing moved for 1.5 s"
    assert str(IdleTimeout(60.0, now)) == "the deadline of the call passed"


async def test_progress_restarts_the_timer_until_the_response() -> None:
    now = asyncio.get_running_loop().time()
    idle_timeout = IdleTimeout(60.0, None)
    idle_timeout.on_progress()
    timer = with_timer(idle_timeout)
    idle_timeout.on_progress()
    assert timer.set == [pytest.approx(now + 60, abs=5)]
    assert idle_timeout._poll is None, "nothing is sent"
    timer.over = True
    idle_timeout.on_progress()
    assert len(timer.set) == 1
    timer.over = False
    idle_timeout.stop_polling()
    idle_timeout.on_progress()
    assert len(timer.set) == 1


async def test_shrinking_send_buffer_is_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    left = 1_000
    monkeypatch.setattr(module, "unsent_bytes", lambda transport: left)
    now = asyncio.get_running_loop().time()
    idle_timeout, sending = IdleTimeout(60.0, None), asyncio.WriteTransport()
    timer = with_timer(idle_timeout)
    idle_timeout.on_progress(sending)
    poll = idle_timeout._poll
    assert poll is not None
    assert poll.when() == pytest.approx(now + 15, abs=5), "four polls in an idle timeout"
    idle_timeout.on_progress(asyncio.WriteTransport())
    assert idle_timeout._poll is poll
    assert idle_timeout._sending is sending
    timer.set.clear()
    poll.cancel()
    for left, moves in ((1_000, 0), (1_000, 0), (999, 1), (999, 0), (1_200, 0), (1_100, 1), (0, 1), (0, 0)):
        timer.set.clear()
        idle_timeout._poll_buffer()
        assert len(timer.set) == moves, left
        poll, before = idle_timeout._poll, poll
        assert poll is not before
        assert poll is not None
        assert poll.when() == pytest.approx(now + 15, abs=5)
        poll.cancel()
    idle_timeout._poll_buffer()
    idle_timeout.stop_polling()
    assert idle_timeout._poll is not None
    assert idle_timeout._poll.cancelled()


async def test_no_polling_without_a_body() -> None:
    idle_timeout = IdleTimeout(60.0, None)
    timer = with_timer(idle_timeout)
    idle_timeout._poll_buffer()
    assert timer.set == []
    idle_timeout.stop_polling()


async def test_progress_after_the_response_starts_no_timer():
    """The body may still be written after the response; that must not start a timer."""
    idle_timeout = IdleTimeout(0.01, None)
    async with idle_timeout.start():
        pass
    idle_timeout.stop_polling()
    idle_timeout.on_progress(asyncio.WriteTransport())
    await asyncio.sleep(0.02)
    assert not [h for h in asyncio.get_running_loop()._scheduled if not h.cancelled() and "_poll_buffer" in repr(h)]


# -- responses --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    made = Raw()
    async with serving(made.serve) as made.url:
        yield made


@pytest.fixture
async def backend() -> AsyncIterator[SessionBackend]:
    made = SessionBackend(ClientConfig(idle_timeout=30.0), "agent", aiohttp.TCPConnector(), is_borrowed=False)
    yield made
    await made.client.close()


def get(raw: Raw, **headers: str) -> PreparedRequest:
    return PreparedRequest("GET", raw.url, "/b/k", "", headers)


async def test_read_nowait_and_chunk(raw: Raw, backend: SessionBackend) -> None:
    response = await backend.open(get(raw), None)
    while response.read_nowait() is None:
        await asyncio.sleep(0)
    assert response.request_name == f"GET {raw.url}/b/k"
    assert await response.chunk() == b"ok"
    assert await response.chunk() == b""
    assert (await (await backend.open(get(raw), None)).read()) == b"ok"
    assert raw.connections == 1
    lines = raw.heads[0].decode().split("\r\n")
    assert {"User-Agent: agent", "Accept-Encoding: identity"} <= set(lines)
    assert not [line for line in lines if line.startswith(("Accept:", "Content-Type:", "Cookie:"))]


async def test_no_cookies_and_no_decompression(raw: Raw, backend: SessionBackend) -> None:
    raw.replies = [b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"]
    for _ in range(2):
        assert await (await backend.open(get(raw), None)).read() == b"ok"
    assert b"Cookie" not in raw.heads[1]


async def test_read_nowait_of_half_a_body(raw: Raw, backend: SessionBackend) -> None:
    raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"]
    response = await backend.open(get(raw), None)
    assert response.read_nowait() is None
    assert await response.chunk() == b"ok"
    assert response.read_nowait() is None
    task = asyncio.create_task(response.chunk())
    async with asyncio.timeout(30):
        while not backend._reading:
            await asyncio.sleep(0)
    backend.cancel_reads()
    with pytest.raises(ConnectionLostError):
        await task
    assert not backend._reading


async def test_read_nowait_of_an_interrupted_body(backend: SessionBackend) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok")
        await writer.drain()

    async with serving(half) as origin:
        response = await backend.open(PreparedRequest("GET", origin, "/b/k", "", {}), None)
        async with asyncio.timeout(30):
            while response._response.content.exception() is None:  # type: ignore[attr-defined]
                await asyncio.sleep(0)
        assert response.read_nowait() is None
        with pytest.raises(ConnectionLostError):
            while await response.chunk():
                pass
        response.close()


async def test_connection_is_reused_only_after_a_complete_body(raw: Raw, backend: SessionBackend) -> None:
    response = await backend.open(get(raw), None)
    assert await response.read() == b"ok"
    response.close()
    raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok", OK]
    response = await backend.open(get(raw), None)
    response.close()
    assert await (await backend.open(get(raw), None)).read() == b"ok"
    assert raw.connections == 2


async def test_dropped_body_warns_unless_it_has_arrived(raw: Raw, backend: SessionBackend) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        response = await backend.open(get(raw), None)
        async with asyncio.timeout(30):
            while not response._response.content.is_eof():  # type: ignore[attr-defined]
                await asyncio.sleep(0)
        del response
        gc.collect()
    raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"]
    response = await backend.open(get(raw), None)
    dropped = [response]
    del response
    with pytest.warns(ResourceWarning, match=rf"a body was dropped before its end, and not closed: GET {raw.url}/b/k"):
        dropped.clear()
    response = await backend.open(get(raw), None)
    response.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del response
        gc.collect()


async def test_timeout_messages(raw: Raw) -> None:
    made = SessionBackend(ClientConfig(idle_timeout=0.05), "agent", aiohttp.TCPConnector(), is_borrowed=False)
    try:
        raw.replies = [b""]
        with pytest.raises(RequestTimeoutError, match=r"nothing moved for 0\.05 s") as caught:
            await made.open(get(raw), None)
        assert caught.value.sent
        raw.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"]
        response = await made.open(get(raw), None)
        assert await response.chunk() == b"ok"
        with pytest.raises(RequestTimeoutError, match=r"nothing moved for 0\.05 s"):
            await response.chunk()
        response.close()
        with pytest.raises(RequestTimeoutError, match="the deadline of the call passed"):
            raw.replies = [b""]
            await made.open(get(raw), asyncio.get_running_loop().time() + 0.01)
    finally:
        await made.client.close()


@pytest.mark.parametrize("size", [32_768, 32_769])
async def test_only_a_large_body_is_written_in_steps(
    raw: Raw, backend: SessionBackend, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    original = module.SteppedPayload

    def counted(data: Any, progress: Any) -> Any:
        made.append(len(data))
        return original(data, progress)

    monkeypatch.setattr(module, "SteppedPayload", counted)
    response = await backend.open(PreparedRequest("PUT", raw.url, "/b/k", "", {}, bytes(size)), None)
    assert await response.read() == b"ok"
    assert made == ([size] if size > 32_768 else [])
    assert raw.heads[0].endswith(bytes(size))


# -- borrowed sessions ------------------------------------------------------------------------------------------------


async def test_closed_session_cannot_be_borrowed() -> None:
    session = aiohttp.ClientSession()
    assert connector_of(session) is session.connector
    made = SessionBackend(ClientConfig(), "agent", connector_of(session), is_borrowed=True)
    await made.client.close()
    assert not session.connector.closed  # type: ignore[union-attr]
    await session.close()
    with pytest.raises(ConfigError, match="the session given to the client is closed"):
        connector_of(session)


async def test_session_timeouts(backend: SessionBackend) -> None:
    assert backend.client.timeout.total is None
    assert backend.client.timeout.sock_connect == ClientConfig().connect_timeout
    assert not backend.client.trust_env
    with pytest.raises(ConnectError):
        await backend.open(PreparedRequest("GET", "http://127.0.0.1:1", "/b/k", "", {}), None)


async def test_aiohttp_does_not_repeat_requests(backend: SessionBackend) -> None:
    assert getattr(backend.client, "_retry_connection", False) is False
    async with scripted(reply(b"x")) as (script, cos):
        assert await cos.objects.read("b", "k") == b"x"
        assert len(script.heads) == 1


async def test_polling_stops_with_the_response_or_an_error(raw: Raw, backend: SessionBackend) -> None:
    polls: list[asyncio.TimerHandle] = []
    loop = asyncio.get_running_loop()
    original = loop.call_later

    def call_later(delay: float, callback: Any, *given: Any, **more: Any) -> asyncio.TimerHandle:
        handle = original(delay, callback, *given, **more)
        if getattr(callback, "__name__", "") == "_poll_buffer":
            polls.append(handle)
        return handle

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "call_later", call_later)
        response = await backend.open(PreparedRequest("PUT", raw.url, "/b/k", "", {}, bytes(1_000_000)), None)
        assert await response.read() == b"ok"
        assert len(polls) == 1
        raw.replies = [b""]
        task = asyncio.create_task(backend.open(PreparedRequest("PUT", raw.url, "/b/k", "", {}, bytes(1_000_000)), None))
        async with asyncio.timeout(30):
            while len(polls) < 2:
                await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert all(poll.cancelled() for poll in polls)
