"""`ObjectStream` with made-up responses."""

from __future__ import annotations

import asyncio
import gc
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.fake_reads import BROKEN, MD5, WHOLE, WRONG, ChunkedResponse, ReadEngine, stream_of

import aiocos
from aiocos import ByteRange
from aiocos.errors import ConnectionLostError, IntegrityError, PreconditionFailed, ProtocolError
from aiocos.integrity import compare
from aiocos.object_stream import ObjectStream
from aiocos.operations.buckets import BucketInfo
from aiocos.operations.objects import GetObject
from aiocos.wire import digest
from aiocos.wire.ranges import Extent


async def test_stream_properties():
    response = ChunkedResponse(
        WHOLE, Content_Type="a/b", x_amz_meta_who="me", Last_Modified="Fri, 20 Nov 2026 10:00:00 GMT", x_amz_version_id="v"
    )
    stream, _ = stream_of(response)
    for name in ("info", "etag", "size", "content_type", "metadata", "last_modified", "version_id"):
        with pytest.raises(aiocos.ConfigError, match=r"GetObject bucket/k: not open yet: `async with"):
            getattr(stream, name)
    assert stream.extent is None
    async with stream as obj:
        assert obj is stream
        assert (obj.etag, obj.size, obj.content_type, obj.metadata) == (MD5, 100, "a/b", {"who": "me"})
        assert (obj.last_modified, obj.version_id) == (datetime(2026, 11, 20, 10, tzinfo=UTC), "v")
        assert obj.extent == Extent(0, 100, 100)
        assert obj.info.etag == MD5
    assert response.closed
    with pytest.raises(aiocos.ConfigError, match="GetObject bucket/k: not open: it is read inside"):
        await stream.chunk()


async def test_size_of_a_range():
    operation = GetObject("bucket", "k", range=ByteRange(10, 19))
    response = ChunkedResponse(WHOLE[10:20], status=206, Content_Range="bytes 10-19/100", Content_Length="")
    stream, _ = stream_of(response, operation=operation)
    async with stream as obj:
        assert (obj.size, obj.extent) == (10, Extent(10, 10, 100))
        assert await obj.read() == WHOLE[10:20]


@pytest.mark.parametrize(
    "chunks",
    [
        [WHOLE],
        [WHOLE[:50], WHOLE[50:]],
        [WHOLE[:1], WHOLE[1:40], WHOLE[40:99], WHOLE[99:]],
        [WHOLE[i : i + 1] for i in range(100)],
    ],
)
async def test_read_chunk_and_iterate(chunks: list[bytes]):
    async with stream_of(ChunkedResponse(*chunks))[0] as obj:
        assert await obj.read() == WHOLE
        assert await obj.read() == b""
    async with stream_of(ChunkedResponse(*chunks))[0] as obj:
        assert [one async for one in obj] == chunks
    for size in (1, 7, 50, 99, 100, 101):
        async with stream_of(ChunkedResponse(*chunks))[0] as obj:
            cut = [WHOLE[at : at + size] for at in range(0, 100, size)]
            assert [one async for one in obj.chunks(size)] == cut


@pytest.mark.parametrize("size", [0, -1])
async def test_chunk_size_below_one_is_refused(size: int):
    async with stream_of(ChunkedResponse(WHOLE))[0] as obj:
        with pytest.raises(aiocos.ConfigError, match="at least 1 byte"):
            async for _ in obj.chunks(size):
                pass


async def test_mismatch_is_raised_by_every_read():
    stream, engine = stream_of(ChunkedResponse(WHOLE, ETag=WRONG))
    async with stream as obj:
        assert await obj.chunk() == WHOLE
        for _ in range(3):
            with pytest.raises(IntegrityError, match="GetObject bucket/k"):
                await obj.chunk()
    assert len(engine.called) == 3
    stream, engine = stream_of(ChunkedResponse(WHOLE, ETag=WRONG), bucket=BucketInfo(kp_enabled=True))
    async with stream as obj:
        assert await obj.read() == WHOLE
        assert await obj.chunk() == b""
    assert len(engine.called) == 1


async def test_skip_verification():
    async with stream_of(ChunkedResponse(WHOLE, ETag=WRONG))[0] as obj:
        obj.skip_verification()
        assert await obj.read() == WHOLE


@pytest.mark.parametrize(
    ("operation", "headers"),
    [
        (GetObject("bucket", "k", part_number=1), {"status": 206, "Content_Range": "bytes 0-99/100"}),
        (GetObject("bucket", "k", range=ByteRange(0, 99)), {"status": 206, "Content_Range": "bytes 0-99/200"}),
    ],
)
async def test_ranges_are_not_compared(operation: GetObject, headers: dict[str, Any]):
    stream, engine = stream_of(ChunkedResponse(WHOLE, ETag=WRONG, **headers), operation=operation)
    async with stream as obj:
        assert await obj.read() == WHOLE
        assert await obj.verification() is None
    assert engine.called == []


async def test_verify_reads_false():
    stream, engine = stream_of(ChunkedResponse(WHOLE, ETag=WRONG))
    engine.config = aiocos.ClientConfig(verify_reads=False)
    async with stream as obj:
        assert await obj.read() == WHOLE
        assert await obj.verification() is None


async def test_verification_of_multipart_objects():
    parts = f'"{digest.composite_etag([hashlib.md5(WHOLE).digest()])}"'
    async with stream_of(ChunkedResponse(WHOLE, ETag=parts))[0] as obj:
        verification = await obj.verification()
        assert verification is not None
        assert await compare(verification, await obj.read(), "it") == "composite"
    async with stream_of(ChunkedResponse(WHOLE))[0] as obj:
        assert await obj.verification() is None


# Responses that do not fit the request are refused before their body is read, and their connection is closed.
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = {
    "a web page": ({}, {"ETag": "", "Content_Type": "text/html"}, ProtocolError, "the 200 response is a web page"),
    "a web page in an encoding": ({}, {"ETag": "", "Content_Type": " Text/HTML ; charset=x"}, ProtocolError, "web page"),
    "another version": ({"if_match": '"a"'}, {"ETag": '"b"'}, PreconditionFailed, 'has the ETag "b", not "a"'),
    "no version": ({"if_match": '"a"'}, {"ETag": ""}, ProtocolError, "and the response has no ETag"),
    "a contradiction": ({}, {"Content_Range": "bytes 0-98/100"}, ProtocolError, "GetObject bucket/k: .*announced"),
    "the whole for a range": ({"range": ByteRange(0, 98)}, {}, ProtocolError, "bytes=0-98 was requested, the server sent"),
    "the whole for a part": ({"part_number": 1}, {}, ProtocolError, "part 1 was requested, the server sent the whole object"),
    "the first part for the second": (
        {"part_number": 2}, {"status": 206, "Content_Range": "bytes 0-99/200"},
        ProtocolError, "part 2 was requested, the server sent 'bytes 0-99/200'",
    ),
    "another part for the first": (
        {"part_number": 1}, {"status": 206, "Content_Range": "bytes 100-199/200"}, ProtocolError,
        "part 1 was requested, the server sent"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "headers", "error", "text"), REFUSED.values(), ids=REFUSED)
async def test_unsuitable_responses_are_refused(
    asked: dict[str, Any], headers: dict[str, Any], error: type[Exception], text: str
):
    made = ChunkedResponse(WHOLE, **headers)
    stream, _ = stream_of(made, operation=GetObject("bucket", "k", **asked))
    with pytest.raises(error, match=text) as caught:
        async with stream:
            pass
    assert made.closed
    if isinstance(caught.value, PreconditionFailed):
        told = (caught.value.status, caught.value.code, caught.value.resource, caught.value.operation)
        assert told == (412, "PreconditionFailed", "bucket/k", "GetObject")


TAKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a web page that was put": ({}, {"Content_Type": "text/html"}),
    "another type without an ETag": ({}, {"ETag": "", "Content_Type": "text/plain"}),
    "no type and no ETag": ({}, {"ETag": ""}),
    "the very version": ({"if_match": MD5}, {}),
    "the very version in another form": ({"if_match": f"W/{MD5.upper()}"}, {}),
    "any version": ({"if_match": "*"}, {}),
    "one of some versions": ({"if_match": f'"a", {MD5}'}, {}),
    "the whole as a range": ({"range": ByteRange(0)}, {}),
    "the first part": ({"part_number": 1}, {"status": 206, "Content_Range": "bytes 0-99/200"}),
    "the second part": ({"part_number": 2}, {"status": 206, "Content_Range": "bytes 100-199/200"}),
}


@pytest.mark.parametrize(("asked", "headers"), TAKEN.values(), ids=TAKEN)
async def test_suitable_responses_are_accepted(asked: dict[str, Any], headers: dict[str, Any]):
    async with stream_of(ChunkedResponse(WHOLE, **headers), operation=GetObject("bucket", "k", **asked))[0] as obj:
        assert await obj.read() == WHOLE


async def test_stream_is_opened_by_one_task():
    stream, engine = stream_of(ChunkedResponse(WHOLE), ChunkedResponse(WHOLE))
    first = asyncio.create_task(stream.__aenter__())
    await asyncio.sleep(0)
    with pytest.raises(aiocos.ConfigError, match="another task is opening this stream already"):
        await stream.__aenter__()
    await first
    assert await stream.read() == WHOLE
    # Opening the stream again closes the first response and reads the object anew.
    async with stream:
        assert await stream.read() == WHOLE
    assert len(engine.opened) == 2


async def test_stream_can_be_opened_after_an_error():
    stream, _ = stream_of(aiocos.NotFound("no", status=404), ChunkedResponse(WHOLE))
    with pytest.raises(aiocos.NotFound):
        await stream.__aenter__()
    async with stream as obj:
        assert await obj.read() == WHOLE


async def test_dropped_stream_closes_its_connection():
    response = ChunkedResponse(WHOLE)
    stream, _ = stream_of(response)
    await stream.__aenter__()
    assert not response.closed
    del stream
    gc.collect()
    async with asyncio.timeout(20):
        while not response.closed:
            await asyncio.sleep(0.001)


async def test_given_response_is_used_once():
    engine: Any = ReadEngine(ChunkedResponse(WHOLE))
    stream = ObjectStream(engine, GetObject("bucket", "k"), ChunkedResponse(WHOLE))
    async with stream as obj:
        assert await obj.read() == WHOLE
    assert engine.opened == []
    async with stream as obj:
        assert await obj.read() == WHOLE
    assert len(engine.opened) == 1


_TIMES: dict[str, Any] = {
    "if_none_match": '"x"',
    "if_modified_since": datetime(2026, 1, 1, tzinfo=UTC),
    "if_unmodified_since": datetime(2026, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("timeout", [None, 30])
async def test_continuation_has_range_and_if_match(timeout: float | None):
    operation = GetObject("bucket", "k", version_id="v", timeout=timeout, **_TIMES)
    rest = ChunkedResponse(WHOLE[60:], status=206, Content_Range="bytes 60-99/100")
    stream, engine = stream_of(ChunkedResponse(WHOLE[:60], BROKEN, Content_Length="100"), rest, operation=operation)
    async with stream as obj:
        assert await obj.read() == WHOLE
    first, second = engine.opened
    assert first == operation
    assert (second.range, second.if_match, second.version_id, second.part_number) == (ByteRange(60, 99), MD5, "v", None)
    assert [getattr(second, name) for name in _TIMES] == [None] * 3
    assert (second.timeout is None) == (timeout is None)
    assert timeout is None or 0 < second.timeout < timeout


async def test_continuation_of_a_part_is_a_range():
    operation = GetObject("bucket", "k", part_number=2)
    begun = ChunkedResponse(WHOLE[:60], BROKEN, status=206, Content_Length="100", Content_Range="bytes 100-199/200")
    rest = ChunkedResponse(WHOLE[60:], status=206, Content_Range="bytes 160-199/200")
    stream, engine = stream_of(begun, rest, operation=operation)
    async with stream as obj:
        assert await obj.read() == WHOLE
    assert (engine.opened[1].range, engine.opened[1].part_number) == (ByteRange(160, 199), None)


async def test_body_without_an_etag_is_not_continued():
    stream, engine = stream_of(ChunkedResponse(WHOLE[:60], BROKEN, Content_Length="100", ETag=""), ChunkedResponse(WHOLE))
    async with stream as obj:
        with pytest.raises(ConnectionLostError):
            await obj.read()
    assert len(engine.opened) == 1


async def test_body_of_a_closed_client_is_not_continued():
    stream, engine = stream_of(ChunkedResponse(WHOLE[:60], BROKEN, Content_Length="100"), ChunkedResponse(WHOLE))
    async with stream as obj:
        engine.connections = None
        with pytest.raises(aiocos.ConfigError, match="GetObject bucket/k: the client was closed while this body"):
            await obj.read()
    assert len(engine.opened) == 1


# ---------------------------------------------------------------------------------------------------------------------
# Into memory
