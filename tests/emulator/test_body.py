"""Request bodies: checksums are verified, lengths are enforced, large bodies are streamed."""

import asyncio
import http.client
import os
import threading
from collections.abc import Sequence
from typing import ClassVar

import pytest
from tests.waiting import loop_steps, until

from aiocos.emulator import body as body_module
from aiocos.emulator import stored_checksums
from aiocos.emulator.checksums import ALGORITHMS, Sums
from aiocos.wire.checksum import Algorithm

from .checksum_requests import PLACES, header, put_with, read_sums, sums_of, value
from .conftest import Raw, md5


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 10, 100_000])
async def test_a_checksum_is_verified_and_stored(raw: Raw, name: Algorithm, size: int, place: str) -> None:
    body, other = os.urandom(size), os.urandom(size + 1)
    good = value(name, body)
    put = await put_with(raw, "/bucket/key", body, name, good, place)
    assert (put.status, sums_of(put)) == (200, {name: good, "type": "FULL_OBJECT"})
    bad = await put_with(raw, "/bucket/key", other, name, good, place)
    assert (bad.status, bad.code) == (400, "BadDigest")
    assert f"The {name.upper()} you specified" in bad.texts("Message")[0]
    for malformed in ("nonsense", value("md5", body)):
        refused = await put_with(raw, "/bucket/key", other, name, malformed, place)
        assert (refused.status, refused.code) == (400, "InvalidRequest")
    assert (await raw.get("/bucket/key")).body == body
    assert await read_sums(raw, "/bucket/key") == sums_of(put)
    assert len(list(raw.emulator.store.directory.glob("blobs/*/*"))) == (1 if size > 32768 else 0)


async def test_content_md5_is_verified_and_the_object_gets_a_crc64nvme(raw: Raw) -> None:
    for size in (10, 100_000):
        body = os.urandom(size)
        put = await raw.put("/bucket/key", body, Content_MD5=md5(body))
        assert sums_of(put) == {"crc64nvme": value("crc64nvme", body), "type": "FULL_OBJECT"}
        bad = await raw.put("/bucket/key", body + b"x", Content_MD5=md5(body))
        assert (bad.status, bad.code) == (400, "BadDigest")
        malformed = await raw.put("/bucket/key", body, Content_MD5="nonsense")
        assert (malformed.status, malformed.code) == (400, "InvalidDigest")
        assert (await raw.get("/bucket/key")).body == body
        assert await read_sums(raw, "/bucket/key") == sums_of(put)


async def test_more_than_one_checksum_is_refused(raw: Raw) -> None:
    headers = {header(name): value(name, b"x") for name in ("sha1", "crc32")}
    refused = await raw.send("PUT", "/bucket/key", b"x", headers)
    assert (refused.status, refused.code) == (400, "InvalidRequest")
    assert "Multiple checksum Types are not allowed" in refused.texts("Message")[0]


class _RecordedSums(Sums):
    """Records the thread and the number of bytes of each update."""

    calls: ClassVar[list[tuple[int, int]]] = []

    def update(self, chunks: Sequence[bytes]) -> None:
        self.calls.append((threading.get_ident(), sum(map(len, chunks))))
        super().update(chunks)


async def test_large_bodies_are_not_hashed_on_the_event_loop(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """CRCs in Python take 20 ms for each MB."""
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(_RecordedSums, "calls", calls)
    monkeypatch.setattr(body_module, "Sums", _RecordedSums)
    monkeypatch.setattr(stored_checksums, "Sums", _RecordedSums)
    large = os.urandom(600_000)
    document = b"<Delete><Object><Key>a</Key></Object>" + b" " * len(large) + b"</Delete>"
    assert (await raw.put("/bucket/key", large)).status == 200
    assert (await raw.post("/bucket?delete", document, x_amz_checksum_crc32c=value("crc32c", document))).status == 200
    assert (await raw.put("/bucket/copy", x_amz_copy_source="bucket/key", x_amz_checksum_algorithm="SHA1")).status == 200
    assert sum(size for _, size in calls) == 2 * len(large) + len(document)
    assert [size for thread, size in calls if thread == threading.get_ident() and size > 256 * 1024] == []


async def send_bytes(raw: Raw, text: bytes, *, leave: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.emulator.port)
    writer.write(text.replace(b"TOKEN", (raw.token or "").encode()))
    await writer.drain()
    if leave:
        writer.write_eof()
        response = await asyncio.wait_for(reader.read(), 10)
    else:
        response = await asyncio.wait_for(reader.readuntil(b"</Error>"), 10)
    writer.close()
    await writer.wait_closed()
    return response


HEAD = b"PUT /bucket/key HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n"


async def test_a_body_without_content_length_is_411(raw: Raw) -> None:
    assert b" 411 " in (await send_bytes(raw, HEAD + b"\r\n")).split(b"\r\n")[0]
    chunked = await send_bytes(raw, HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
    assert b"<Code>MissingContentLength</Code>" in chunked


@pytest.mark.parametrize("size", [100, 1_000_000])
async def test_an_incomplete_body_stores_nothing(raw: Raw, size: int) -> None:
    await raw.put("/bucket/key", b"old")
    await send_bytes(raw, HEAD + b"Content-Length: %d\r\n\r\n" % size + b"x" * (size // 2), leave=True)
    assert (await raw.get("/bucket/key")).body == b"old"
    assert not list(raw.emulator.store.directory.glob("blobs/*/*"))
    assert not list(raw.emulator.store.directory.glob("incoming/*"))


async def test_a_too_large_body_is_refused_before_it_is_sent(raw: Raw) -> None:
    response = await send_bytes(raw, HEAD + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (5 * 1024**3 + 1))
    assert b"<Code>EntityTooLarge</Code>" in response
    assert b"100 Continue" not in response
    assert b"connection: close" in response.lower()


async def test_expect_continue_gets_100_before_the_body(raw: Raw) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.emulator.port)
    head = HEAD.replace(b"TOKEN", (raw.token or "").encode())
    writer.write(head + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"hello")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await writer.wait_closed()
    assert (await raw.get("/bucket/key")).body == b"hello"


async def test_content_encoding_is_stored_and_the_body_is_not_decoded(raw: Raw) -> None:
    import gzip

    body = gzip.compress(b"hello" * 1000)
    await raw.put("/bucket/key", body, Content_Encoding="gzip")
    got = await raw.get("/bucket/key")
    assert (got.body, got.headers["Content-Encoding"]) == (body, "gzip")


async def test_a_too_long_document_is_refused(raw: Raw) -> None:
    body = b"<Delete>" + b" " * (8 * 1024 * 1024) + b"</Delete>"
    response = await raw.post("/bucket?delete", body, Content_MD5=md5(body))
    assert (response.status, response.code) == (400, "MaxMessageLengthExceeded")


async def test_a_running_get_returns_the_object_that_was_replaced_meanwhile(raw: Raw) -> None:
    """A response that has begun delivers the whole old object."""
    body = os.urandom(8 * 1024 * 1024)
    await raw.put("/bucket/key", body)
    url = f"{raw.emulator.endpoint}/bucket/key"
    async with raw.session.get(url, headers={"Authorization": f"Bearer {raw.token}"}) as response:
        first = await response.content.readexactly(1000)
        for n in range(3):
            await raw.put("/bucket/key", b"%d" % n * 100_000)
        await raw.delete("/bucket/key")
        assert first + await response.read() == body


def put_and_get(port: int, token: str, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {token}"}
    connection.request("PUT", "/bucket/key", body, headers)
    assert connection.getresponse().read() == b""
    connection.request("GET", "/bucket/key", headers=headers)
    response = connection.getresponse()
    length = 0
    while chunk := response.read(1 << 20):
        length += len(chunk)
    connection.close()
    return length


async def test_large_bodies_do_not_block_the_event_loop(raw: Raw) -> None:
    """No step of the loop takes long while 96 MiB are stored and read. Hashing or writing them in one step would take 0.1 s."""
    body = os.urandom(96 * 1024 * 1024)
    with loop_steps() as steps:
        assert await asyncio.to_thread(put_and_get, raw.emulator.port, raw.token or "", body) == len(body)
    assert [step for step in steps if step[0] > 0.05] == []


async def test_invalid_utf8_in_a_request_is_400(raw: Raw) -> None:
    head = b"GET /bucket/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n%s\r\n"
    assert b"<Code>InvalidURI</Code>" in await send_bytes(raw, head % (b"%FF", b""))
    assert b"<Code>InvalidURI</Code>" in await send_bytes(raw, head % (b"?prefix=%FF", b""))
    assert b"<Code>InvalidArgument</Code>" in await send_bytes(raw, head % (b"key", b"x-amz-meta-a: \xff\r\n"))


class PausedPut:
    """A PUT that pauses in the middle of its body."""

    def __init__(self, raw: Raw, target: str, body: bytes, **headers: str) -> None:
        self._raw, self._target, self._body, self._headers = raw, target, body, headers

    async def begin(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._raw.emulator.port)
        named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in self._headers.items())
        head = (
            f"PUT {self._target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._raw.token}\r\n{named}"
            f"Content-Length: {len(self._body)}\r\n\r\n"
        )
        before = len(self._raw.emulator.requests)
        self._writer.write(head.encode() + self._body[: len(self._body) // 2])
        requests = self._raw.emulator.requests
        await until(lambda: len(requests) > before and requests[-1].operation, "the request has begun")

    async def end(self) -> bytes:
        self._writer.write(self._body[len(self._body) // 2 :])
        status = await asyncio.wait_for(self._reader.readline(), 10)
        self._writer.close()
        await self._writer.wait_closed()
        return status.split()[1]


async def test_write_conditions_are_checked_when_the_body_is_complete(raw: Raw) -> None:
    slow = [PausedPut(raw, "/bucket/key", b"%d" % n * 50_000, If_None_Match="*") for n in range(3)]
    for one in slow:
        await one.begin()
    assert [await one.end() for one in slow] == [b"200", b"412", b"412"]
    assert (await raw.get("/bucket/key")).body == b"0" * 50_000
    # The refused writes left neither rows nor files.
    assert raw.emulator.store.connection.execute("SELECT count(*) FROM blobs").fetchone() == (1,)
    assert len(list(raw.emulator.store.directory.glob("blobs/*/*"))) == 1


async def test_write_conditions_are_checked_before_the_body_too(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    response = await send_bytes(raw, HEAD + b"If-None-Match: *\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
    assert b"<Code>PreconditionFailed</Code>" in response
    assert b"100 Continue" not in response


async def test_a_part_completed_after_the_abort_is_not_stored(raw: Raw) -> None:
    upload = (await raw.post("/bucket/key?uploads")).texts("UploadId")[0]
    slow = PausedPut(raw, f"/bucket/key?uploadId={upload}&partNumber=1", b"x" * 100_000)
    await slow.begin()
    assert (await raw.delete(f"/bucket/key?uploadId={upload}")).status == 204
    assert await slow.end() == b"404"
    assert not list(raw.emulator.store.directory.glob("blobs/*/*"))
    assert not list(raw.emulator.store.directory.glob("incoming/*"))


async def test_a_put_fails_if_its_bucket_is_deleted_meanwhile(raw: Raw) -> None:
    slow = PausedPut(raw, "/bucket/key", b"x" * 100_000)
    await slow.begin()
    assert (await raw.delete("/bucket")).status == 204
    assert (await raw.put("/bucket")).status == 200
    assert await slow.end() == b"404"
    assert (await raw.get("/bucket/key")).status == 404


async def test_a_running_get_keeps_the_files_of_all_parts(raw: Raw) -> None:
    """A response that still sends the first part can read the files of later parts after the object was deleted."""
    bodies = [os.urandom(6 * 1024 * 1024), os.urandom(6 * 1024 * 1024), os.urandom(100)]
    upload = (await raw.post("/bucket/key?uploads")).texts("UploadId")[0]
    parts = ""
    for number, body in enumerate(bodies, 1):
        sent = await raw.put(f"/bucket/key?uploadId={upload}&partNumber={number}", body)
        parts += f"<Part><ETag>{sent.headers['ETag']}</ETag><PartNumber>{number}</PartNumber></Part>"
    await raw.post(f"/bucket/key?uploadId={upload}", f"<X>{parts}</X>".encode())
    url = f"{raw.emulator.endpoint}/bucket/key"
    async with raw.session.get(url, headers={"Authorization": f"Bearer {raw.token}"}) as response:
        first = await response.content.readexactly(1000)
        assert (await raw.delete("/bucket/key")).status == 204
        assert first + await response.read() == b"".join(bodies)
    await until(lambda: not list(raw.emulator.store.directory.glob("blobs/*/*")), "the files are removed")


async def test_callers_that_occupy_the_default_executor_are_served(raw: Raw) -> None:
    """The event loop's default executor may be full of threads that wait for the emulator."""
    body = os.urandom(100_000)
    port, token = raw.emulator.port, raw.token or ""
    waiting = [asyncio.to_thread(put_and_get, port, token, body) for _ in range(64)]
    assert await asyncio.wait_for(asyncio.gather(*waiting), 30) == [len(body)] * 64
