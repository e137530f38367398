"""Scripted faults: what each does, and which requests it applies to."""

import asyncio
import os
import time

import aiohttp
import pytest

from aiocos.emulator import Delay, ExpireToken, FlipBit, LateError, Reset, Status, Truncate

from .conftest import Raw, etag

NEW_EMULATOR = True  # these tests change more than buckets and objects

# aiohttp's client sends a PUT or GET that was lost a second time by itself; faults that shall be seen are met twice.
SIZES = [1000, 3 * 1024 * 1024]


async def test_a_status_fault_returns_an_error_response(raw: Raw) -> None:
    raw.emulator.faults.script([Status(503, code="SlowDown", retry_after=2, operation="PutObject", key="a*", times=2)])
    assert (await raw.put("/bucket/b", b"x")).status == 200
    for _ in range(2):
        response = await raw.put("/bucket/a1", b"x")
        assert (response.status, response.code, response.headers["Retry-After"]) == (503, "SlowDown", "2")
    assert (await raw.get("/bucket/a1")).status == 404
    assert (await raw.put("/bucket/a1", b"x")).status == 200
    assert [hit.subject.key for hit in raw.emulator.faults.hits] == ["a1", "a1"]


async def test_a_fault_applies_to_matching_requests_only(raw: Raw) -> None:
    raw.emulator.faults.script([Status(500, method="GET", bucket="buck*", nth=3, times=None)])
    statuses = [(await raw.get("/bucket/none")).status for _ in range(5)]
    assert statuses == [404, 404, 500, 500, 500]
    assert (await raw.get("/")).status == 200
    raw.emulator.faults.clear()
    assert (await raw.get("/bucket/none")).status == 404
    assert len(raw.emulator.faults.hits) == 3


async def test_a_delay_can_be_combined_with_another_fault(raw: Raw) -> None:
    raw.emulator.faults.script([Delay(0.05, times=None), Status(500)])
    begun = time.perf_counter()
    assert (await raw.get("/bucket")).status == 500
    assert time.perf_counter() - begun >= 0.05
    assert (await raw.get("/bucket")).status == 200


async def test_a_reset_before_the_request_is_read(raw: Raw) -> None:
    raw.emulator.faults.script([Reset(operation="PutObject", times=2)])
    # aiohttp 3.11 repeats the request by itself, and fails because the body of the first attempt is closed.
    with pytest.raises((aiohttp.ClientError, ValueError)):
        await raw.put("/bucket/key", b"x")
    assert (await raw.get("/bucket/key")).status == 404


async def test_a_lost_response_leaves_the_write_done(raw: Raw) -> None:
    raw.emulator.faults.script([Reset(lost_answer=True, operation="PutObject", times=2)])
    # aiohttp 3.11 repeats the request by itself, and fails because the body of the first attempt is closed.
    with pytest.raises((aiohttp.ClientError, ValueError)):
        await raw.put("/bucket/key", b"x")
    assert (await raw.get("/bucket/key")).body == b"x"
    assert [(s.operation, s.status) for s in raw.emulator.requests][-2:] == [("PutObject", 0), ("GetObject", 200)]


async def test_a_reset_while_the_request_is_read(raw: Raw) -> None:
    raw.emulator.faults.script([Reset(received=100_000, operation="PutObject", times=2)])
    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        await raw.put("/bucket/key", os.urandom(5_000_000))
    assert (await raw.get("/bucket/key")).status == 404
    assert not list(raw.emulator.store.directory.glob("incoming/*"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["truncate", "reset"])
async def test_a_response_can_be_truncated_or_reset(raw: Raw, kind: str, size: int) -> None:
    body = os.urandom(size)
    await raw.put("/bucket/key", body)
    after = size - 10
    raw.emulator.faults.script([Truncate(after) if kind == "truncate" else Reset(sent=after)])
    got = b""
    url = f"{raw.emulator.endpoint}/bucket/key"
    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        async with raw.session.get(url, headers={"Authorization": f"Bearer {raw.token}"}) as response:
            assert response.headers["Content-Length"] == str(size)
            while chunk := await response.content.readany():
                got += chunk
    assert body.startswith(got)
    if kind == "truncate":
        assert len(got) == after
    assert (await raw.get("/bucket/key")).body == body


@pytest.mark.parametrize("size", SIZES)
async def test_a_bit_of_a_response_can_be_flipped(raw: Raw, size: int) -> None:
    body = os.urandom(size)
    await raw.put("/bucket/key", body)
    raw.emulator.faults.script([FlipBit(at=size - 1)])
    got = await raw.get("/bucket/key")
    assert got.headers["ETag"] == etag(body)
    assert [n for n in range(size) if got.body[n] != body[n]] == [size - 1]


async def test_an_expired_token_is_refused(raw: Raw) -> None:
    raw.emulator.faults.script([ExpireToken(operation="GetObject")])
    await raw.put("/bucket/key", b"x")
    assert (await raw.get("/bucket/key")).code == "ExpiredToken"
    assert (await raw.get("/bucket/key")).code == "ExpiredToken"
    raw.token = raw.emulator.iam.issue(raw.emulator.instance)
    assert (await raw.get("/bucket/key")).status == 200


@pytest.mark.parametrize("applied", [True, False])
async def test_an_error_in_the_body_of_a_200(raw: Raw, applied: bool) -> None:
    await raw.put("/bucket/key", b"x")
    raw.emulator.faults.script([LateError(operation="CopyObject", applied=applied)])
    response = await raw.put("/bucket/copy", x_amz_copy_source="bucket/key")
    assert (response.status, response.xml.tag, response.code) == (200, "Error", "InternalError")
    assert ((await raw.get("/bucket/copy")).status == 200) is applied


async def test_handled_requests_are_recorded(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    response = await raw.get("/bucket/none")
    last = raw.emulator.requests[-1]
    assert (last.operation, last.method, last.bucket, last.key, last.status, last.code) == (
        "GetObject", "GET", "bucket", "none", 404, "NoSuchKey",
    )  # fmt: skip
    assert last.request_id == response.headers["x-amz-request-id"]


async def test_stop_ends_running_requests(raw: Raw) -> None:
    """Responses in the middle of a body and delayed requests end with the emulator."""
    await raw.put("/bucket/key", os.urandom(20_000_000))
    raw.emulator.faults.script([Delay(60, operation="HeadObject")])
    url, headers = f"{raw.emulator.endpoint}/bucket/key", {"Authorization": f"Bearer {raw.token}"}
    delayed = asyncio.create_task(raw.head("/bucket/key"))
    async with raw.session.get(url, headers=headers) as response:
        await response.content.readexactly(1000)
        await asyncio.wait_for(raw.emulator.stop(), 50)  # less than the delay
    with pytest.raises(aiohttp.ClientError):
        await delayed


@pytest.mark.parametrize("kind", ["truncate", "reset"])
async def test_a_fault_closes_or_resets_the_connection(raw: Raw, kind: str) -> None:
    await raw.put("/bucket/key", b"x" * 1000)
    raw.emulator.faults.script([Truncate(500) if kind == "truncate" else Reset(sent=500)])
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.emulator.port)
    writer.write(f"GET /bucket/key HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {raw.token}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    if kind == "truncate":
        assert await asyncio.wait_for(reader.read(), 5) == b"x" * 500
    else:
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionResetError:
        assert kind == "reset"
