"""Metadata, headers and settings are written back as they were read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Emulator
from aiocos.groups import engine_of
from aiocos.operations.objects import CopyObject
from aiocos.wire.bind import to_request
from aiocos.wire.values import CopySource, Stored

PART = 5 * MIB


@pytest.fixture
async def cos(cos_emulator: Emulator, backend: str, tmp_path: Any) -> AsyncIterator[aiocos.Client]:
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, copy_threshold=PART)
    config = aiocos.ClientConfig(transfer=transfer, retry=aiocos.RetryConfig(attempts=1))
    async with cos_emulator.client(config=config) as client:
        await client.buckets.create("bucket")
        yield client


async def _raw(cos: aiocos.Client, emulator: Emulator, method: str, path: str, headers: dict[str, bytes], body: bytes) -> int:
    """Send a request as other programs do, with headers of any bytes."""
    await cos.buckets.head("bucket")
    token = await _token(cos)
    place = urlsplit(emulator.endpoint)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: " + place.netloc.encode(), b"Authorization: " + token.encode()]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close"]
    lines += [name.encode() + b": " + value for name, value in headers.items()]
    writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


async def _token(cos: aiocos.Client) -> str:
    from aiocos.wire.message import PreparedRequest

    outgoing = PreparedRequest("GET", "http://127.0.0.1:1", "/", "", {})
    await engine_of(cos)._authorizer.authorize(outgoing)
    return outgoing.headers["Authorization"]


async def _store(cos: aiocos.Client, emulator: Emulator, size: int) -> None:
    headers = {
        "Content-Disposition": 'attachment; filename="für ©.txt"'.encode(),
        "Content-Language": "é".encode(),
        "Cache-Control": "x=ü".encode(),
        "Expires": b"0",
        "x-amz-meta-name": "Grüße".encode(),
        "x-amz-meta-plain": b"a",
    }
    assert await _raw(cos, emulator, "PUT", "/bucket/key", headers, b"x" * size) == 200


async def _is_as_stored(cos: aiocos.Client, key: str) -> None:
    info = await cos.objects.head("bucket", key)
    assert info.content_disposition == 'attachment; filename="für ©.txt"'
    assert (info.content_language, info.cache_control, info.expires) == ("é", "x=ü", "0")
    assert {"name": "Grüße", "plain": "a"}.items() <= info.metadata.items()


@pytest.mark.parametrize("size", [10, 2 * PART + 1], ids=["whole", "parts"])
async def test_what_others_have_stored_is_kept_in_copies(cos: aiocos.Client, cos_emulator: Emulator, size: int):
    await _store(cos, cos_emulator, size)
    await _is_as_stored(cos, "key")
    await cos.copy("bucket", "key", "bucket", "copy")
    await _is_as_stored(cos, "copy")
    assert (await cos.objects.head("bucket", "copy")).size == size


async def test_what_others_have_stored_is_kept_when_something_is_changed(cos: aiocos.Client, cos_emulator: Emulator):
    await _store(cos, cos_emulator, 10)
    await cos.objects.update_metadata("bucket", "key", metadata={"more": "漢"}, content_type="text/ü")
    await _is_as_stored(cos, "key")
    info = await cos.objects.head("bucket", "key")
    assert (info.metadata["more"], info.content_type) == ("漢", "text/ü")


LATIN = {
    b"Content-Disposition": 'attachment; filename="für ©.txt"'.encode("latin-1"),
    b"Cache-Control": "x=ü".encode("latin-1"),
    b"Expires": b"0",
    b"x-amz-meta-name": "Grüße".encode("latin-1"),
    b"x-amz-meta-utf8": "Grüße".encode(),
}


async def test_latin_1_is_read_and_written_back(backend: str):
    """Services that keep the bytes of a header tell them as they are. The text is kept; it is written as UTF-8."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            heard.append(head)
            body = b""
            if head.startswith(b"HEAD"):
                lines = [name + b": " + value for name, value in LATIN.items()] + [b"Content-Length: 5"]
            else:
                acl = b"<AccessControlPolicy><AccessControlList/></AccessControlPolicy>"
                body = acl if head.startswith(b"GET") else b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>"
                lines = [b"Content-Length: %d" % len(body)]
            writer.write(b"\r\n".join([b"HTTP/1.1 200 OK", b'ETag: "x"', *lines]) + b"\r\n\r\n" + body)
            await writer.drain()
            if reader.at_eof():
                break

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with aiocos.Client(f"http://127.0.0.1:{port}", credentials=aiocos.Anonymous()) as cos:
        info = await cos.objects.head("bucket", "key")
        assert info.content_disposition == 'attachment; filename="für ©.txt"'
        assert info.metadata == {"name": "Grüße", "utf8": "Grüße"}
        await cos.objects.update_metadata("bucket", "key", content_type="text/plain")
    server.close()
    await server.wait_closed()
    sent = heard[-1]
    assert sent.startswith(b"PUT")
    for line in (
        'Content-Disposition: attachment; filename="für ©.txt"',
        "Cache-Control: x=ü",
        "Expires: 0",
        "x-amz-meta-name: Grüße",
    ):
        assert f"{line}\r\n".encode() in sent


async def test_what_ibms_sdk_sends_is_sent(cos: aiocos.Client):
    """Its headers are UTF-8: `©`, `ü` in tags percent-encoded or not."""
    await cos.objects.put("bucket", "key", b"x", content_disposition="a©b漢", tagging="k=%C3%BC", metadata={"a": "ü"})
    info = await cos.objects.head("bucket", "key")
    assert (info.content_disposition, info.metadata) == ("a©b漢", {"a": "ü"})
    assert (await cos.tagging.get_object("bucket", "key")).as_dict() == {"k": "ü"}
    await cos.objects.put("bucket", "key", b"x", tagging="k=ü")
    assert unquote((await cos.tagging.get_object("bucket", "key")).as_dict()["k"]) == "ü"


async def test_signed_requests_too(cos_emulator: Emulator):
    async with cos_emulator.client(hmac=True) as cos:
        await cos.buckets.create("signed")
        await cos.objects.put("signed", "key", b"x", content_disposition="a©b漢", metadata={"a": "ü"})
        assert (await cos.objects.head("signed", "key")).metadata == {"a": "ü"}


def test_an_expiry_is_a_time_or_what_was_stored():
    def sent(expires: Any) -> Any:
        return to_request(CopyObject("b", "k", CopySource("b", "k"), expires=expires)).headers["Expires"]

    assert sent(Stored("0")) == "0"
    with pytest.raises(aiocos.ConfigError, match="expires"):
        sent("tomorrow")


# ---------------------------------------------------------------------------------------------------------------------
# Settings of buckets


async def test_settings_are_read_and_written_back(cos: aiocos.Client):
    rule = aiocos.LifecycleRule.expire(days=3, prefix="a/", id="a").model_copy(update={"unknown_elements": ("<Younger/>",)})
    await cos.lifecycle.put("bucket", [rule, aiocos.LifecycleRule.abort_uploads(days=1, id="b")])
    read = await cos.lifecycle.get("bucket")
    assert read.rules[0] == rule
    await cos.lifecycle.put("bucket", read)
    assert (await cos.lifecycle.get("bucket")).rules == read.rules

    cors = aiocos.CorsRule(allowed_methods=["GET"], allowed_origins=["*"], unknown_elements=("<Younger>1</Younger>",))
    await cos.cors.put("bucket", [cors])
    await cos.cors.put("bucket", await cos.cors.get("bucket"))
    assert (await cos.cors.get("bucket")).rules == [cors]

    site = aiocos.WebsiteConfiguration.of("index.html").model_copy(update={"unknown_elements": ("<Younger/>",)})
    await cos.website.put("bucket", site)
    await cos.website.put("bucket", await cos.website.get("bucket"))
    assert (await cos.website.get("bucket")).unknown_elements == ("<Younger/>",)

    await cos.tagging.put_bucket("bucket", {"a": "ü"})
    await cos.tagging.put_bucket("bucket", await cos.tagging.get_bucket("bucket"))
    assert (await cos.tagging.get_bucket("bucket")).as_dict() == {"a": "ü"}

    await cos.acl.put_bucket("bucket", await cos.acl.get_bucket("bucket"))
    await cos.public_access.put("bucket", aiocos.PublicAccessBlockConfiguration(block_public_acls=True))
    await cos.public_access.put("bucket", await cos.public_access.get("bucket"))
    await cos.versioning.enable("bucket")
    await cos.versioning.put("bucket", await cos.versioning.get("bucket"))


async def test_what_does_not_fit_is_said_in_one_line(cos: aiocos.Client):
    with pytest.raises(aiocos.ConfigError) as caught:
        await cos.lifecycle.put("bucket", [{"status": 1}])  # type: ignore[list-item]
    assert "pydantic" not in str(caught.value)
    assert "\n" not in str(caught.value)
