"""The backend that a transport chooses, and that both backends give equal results."""

import asyncio
import contextlib

import aiohttp
import pytest
from tests.net.raw_server import serving

import aiocos
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator
from aiocos.net.raw_backend import RawBackend
from aiocos.net.session_backend import SessionBackend
from aiocos.net.transport import Transport
from aiocos.wire.message import PreparedRequest

ONCE = RetryConfig(attempts=1)


async def _backends_used(client: aiocos.Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    for name, kind in {"raw": RawBackend, "session": SessionBackend}.items():
        original = kind.open

        def opened(self, *args, original=original, name=name, **more):
            seen.append(name)
            return original(self, *args, **more)

        monkeypatch.setattr(kind, "open", opened)
    async with client:
        with contextlib.suppress(aiocos.CosError):
            await client.buckets.list()
    return seen


async def test_backend_of_each_configuration(cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
    def client(**more) -> aiocos.Client:
        secret = {"access_key_id": cos_emulator.access_key_id, "secret_access_key": cos_emulator.secret_access_key}
        return aiocos.Client(cos_emulator.endpoint, **secret, **more)

    assert await _backends_used(client(), monkeypatch) == ["raw"]
    assert await _backends_used(client(config=ClientConfig(fast_path=False)), monkeypatch) == ["session"]
    async with aiohttp.ClientSession() as session:
        assert set(await _backends_used(client(session=session), monkeypatch)) == {"session"}
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    assert await _backends_used(client(), monkeypatch) == ["raw"], "this machine is not reached through a proxy"
    proxied = aiocos.Client("http://cos.invalid", credentials=aiocos.Anonymous(), config=ClientConfig(retry=ONCE))
    assert set(await _backends_used(proxied, monkeypatch)) == {"session"}


HEAD_OF_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
REPLIES = {
    "a body": HEAD_OF_OK + b'ETag: "e"\r\nX-Amz-Meta-A: 1\r\n\r\nok',
    "no body": b"HTTP/1.1 204 No Content\r\n\r\n",
    "an empty body": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a large body": b"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n" + bytes(600_000),
    "a chunked body": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nabc\r\n0\r\n\r\n",
    "a body until the end": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
    "a compressed body": HEAD_OF_OK + b"Content-Encoding: gzip\r\n\r\nok",
    "a header twice": HEAD_OF_OK + b"X-A: 1\r\nX-A: 2\r\n\r\nok",
    "a header in UTF-8": HEAD_OF_OK + "X-Amz-Meta-A: ü\r\n\r\nok".encode(),
    "an interim response": b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD_OF_OK + b"\r\nok",
    "an error": b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    "a redirect": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
    "half a chunked body": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "nothing": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n\r\n",
    "a header line that is too long": b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * 70_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
@pytest.mark.parametrize("stream", [False, True], ids=["send", "open"])
async def test_both_backends_give_equal_responses_and_errors(reply: bytes, stream: bool):
    """The session backend is the specification of the raw one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()

    async def outcome(origin: str, fast_path: bool) -> tuple[object, ...]:
        transport = Transport(ClientConfig(retry=ONCE, fast_path=fast_path))
        assert (transport._state().raw is not None) is fast_path
        request = PreparedRequest("GET", origin, "/b/k", "", {})
        try:
            if not stream:
                response = await transport.send(request)
                return response.status, list(response.headers.items()), response.body
            with await transport.open(request) as opened:
                return opened.status, list(opened.headers.items()), await opened.read(), await opened.chunk()
        except aiocos.CosError as error:
            return type(error), getattr(error, "sent", None)
        finally:
            await transport.close()

    async with serving(serve) as origin:
        assert await outcome(origin, True) == await outcome(origin, False)
