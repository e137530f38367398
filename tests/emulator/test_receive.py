"""Reading of request bodies: malformed HTTP chunks, and bodies that stop."""

import asyncio

import pytest

from .conftest import Raw
from .manual_connection import ManualConnection


@pytest.mark.parametrize("broken", [b"ZZ\r\nabc\r\n", b"3;x\r\nabcX\r\n", b"-1\r\n", b"0\r\nno trailer\r\n\r\n"])
@pytest.mark.parametrize("target", ["/bucket/key", "/bucket?tagging", "/identity/token"])
async def test_malformed_chunked_transfer_encoding_is_400(raw: Raw, target: str, broken: bytes) -> None:
    async with ManualConnection(raw) as connection:
        more = ["Content-Encoding: aws-chunked", "X-Amz-Decoded-Content-Length: 3"] if target == "/bucket/key" else []
        connection.head("POST" if "identity" in target else "PUT", target, "Transfer-Encoding: chunked", *more)
        connection.writer.write(b"3\r\n3\r\n\r\n")
        await connection.writer.drain()
        while not any(one.status == 0 and one.operation for one in raw.emulator.requests):
            await asyncio.sleep(0.01)
        connection.writer.write(broken)
        status, _, body = await connection.read_response()
        assert (status, b"cannot be read as HTTP" in body or b"malformed" in body) == (400, True)


async def test_a_stalled_body_times_out(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiocos.emulator.receive.MAX_IDLE", 1.0)
    async with ManualConnection(raw) as connection:
        connection.head("PUT", "/bucket/key", "Content-Length: 4")
        connection.writer.write(b"abc")
        status, _, body = await connection.read_response()
        assert (status, b"<Code>RequestTimeout</Code>" in body) == (400, True)
