"""Bodies whose connection breaks, read from a server of raw bytes by both backends."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from tests.net.raw_server import serving
from tests.net.scripted import reply, scripted

import aiocos
from aiocos import ByteRange
from aiocos.config import ClientConfig, RetryConfig
from aiocos.errors import ConnectionLostError, InvalidRange, PreconditionFailed, ProtocolError

pytestmark = pytest.mark.usefixtures("backend")

DATA = bytes(range(256)) * 40
SIZE = len(DATA)
HALF = SIZE // 2
# The first reply of most scripts: half of the object, then the connection is closed.
BROKEN = reply(DATA[:HALF], length=SIZE)


def ranged(first: int, last: int, body: bytes | None = None, **more: str) -> bytes:
    """Return the reply of a server with ranges to a request for bytes `first` to `last`."""
    span = more.pop("span", f"bytes {first}-{last}/{SIZE}")
    return reply(DATA[first : last + 1] if body is None else body, status=206, Content_Range=span, **more)


# -- continuations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "calls"),
    [
        (ranged(HALF, SIZE - 1), 2),
        (reply(DATA), 2),  # the whole object: what is there already is skipped
        (reply(DATA[HALF:], Content_Range=f"bytes {HALF}-{SIZE - 1}/{SIZE}"), 2),  # a range with status 200
        (reply(DATA, length=None), 2),
        (reply(DATA[HALF:], status=206, length=None, Content_Range=f"bytes {HALF}-{SIZE - 1}/*"), 2),
    ],
    ids=["range", "whole", "range as 200", "whole, chunked", "range, chunked, of unknown size"],
)  # fmt: skip
async def test_body_continues_after_a_break(second: bytes, calls: int):
    async with scripted(BROKEN, second) as (script, cos):
        assert await cos.objects.read("b", "k") == DATA
        assert script.ranges == ["", f"bytes={HALF}-{SIZE - 1}"]
        assert b'If-Match: "v1"' in script.heads[1]
        assert len(script.heads) == calls


OFF = [
    (ranged(HALF, SIZE - 1, etag='"v2"'), "another version"),
    (reply(DATA, etag='"v2"'), "another version"),
    (reply(DATA, etag=None), "another version"),
    (ranged(HALF, SIZE - 1, span=f"bytes {HALF + 1}-{SIZE - 1}/{SIZE}"), "asked for|announced"),
    (ranged(0, SIZE - 1), "asked for"),
    (ranged(HALF - 1, SIZE - 1), "asked for"),
    (ranged(HALF, SIZE - 2), "asked for"),
    (ranged(HALF, SIZE - 1, span="bytes x-y/z"), "not a content range"),
    (ranged(HALF, SIZE - 1, span=f"bytes {HALF}-{SIZE - 1}/{'9' * 5000}"), "not a content range"),
    (ranged(HALF, SIZE - 1, span=f"bytes {HALF}-{SIZE - 1}/{SIZE + 1}"), "asked for|the object had"),
    (ranged(HALF, SIZE - 1, b"x" * 5), "announced"),
    (reply(DATA[HALF:], status=206), "without Content-Range"),
    (reply(DATA[HALF:], status=203), "status 203"),
    (reply(DATA + b"more"), "the object had"),
]


@pytest.mark.parametrize(("second", "reason"), OFF)
async def test_wrong_continuation_is_refused(second: bytes, reason: str):
    async with scripted(BROKEN, second) as (script, cos):
        async with cos.objects.get("b", "k") as obj:
            with pytest.raises(ProtocolError, match=reason):
                await obj.read()
            assert len(script.heads) == 2
            # Further reads raise the error again, return no bytes, and send nothing.
            for _ in range(2):
                with pytest.raises(ProtocolError, match=reason):
                    await obj.chunk()
        assert len(script.heads) == 2


async def test_whole_object_as_continuation_of_a_range_is_cut():
    first = reply(DATA[100:200], status=206, length=1000, Content_Range=f"bytes 100-1099/{SIZE}")
    async with scripted(first, reply(DATA)) as (script, cos):
        assert await cos.objects.read("b", "k", range=ByteRange(100, 1099)) == DATA[100:1100]
        assert script.ranges == ["bytes=100-1099", "bytes=200-1099"]


async def test_short_body_is_retried_until_attempts_end():
    async with scripted(BROKEN, ranged(HALF, SIZE - 1, b"", length=SIZE - HALF)) as (script, cos):
        with pytest.raises(ConnectionLostError, match=r"after 3 attempts|ended"):
            await cos.objects.read("b", "k")
        assert len(script.heads) == 3


async def test_short_chunked_body_is_continued():
    """The chunked body ends properly, with fewer bytes than its Content-Range."""
    short = reply(DATA[5:8], status=206, length=None, Content_Range=f"bytes 5-9/{SIZE}")
    async with scripted(short, ranged(8, 9)) as (script, cos):
        assert await cos.objects.read("b", "k", range=ByteRange(5, 9)) == DATA[5:10]
        assert script.ranges == ["bytes=5-9", "bytes=8-9"]


async def test_body_longer_than_announced():
    """Only a chunked body can be longer than its Content-Range; a Content-Length ends the body."""
    long = reply(DATA[5:20], status=206, length=None, Content_Range=f"bytes 5-9/{SIZE}")
    async with scripted(long) as (_, cos):
        with pytest.raises(ProtocolError, match="more than the 5 bytes"):
            await cos.objects.read("b", "k", range=ByteRange(5, 9))
        async with cos.objects.get("b", "k", range=ByteRange(5, 9)) as obj:
            for _ in range(2):
                with pytest.raises(ProtocolError, match="more than the 5 bytes"):
                    await obj.chunk()


@pytest.mark.parametrize("data", [DATA, b"", b"x"])
async def test_body_without_a_length(data: bytes):
    async with scripted(reply(data, length=None)) as (script, cos):
        assert await cos.objects.read("b", "k") == data
        async with cos.objects.get("b", "k") as obj:
            assert b"".join([chunk async for chunk in obj]) == data
            assert await obj.chunk() == await obj.read() == b"", "after its end, a body is at its end"
        assert len(script.heads) == 2


async def test_body_without_a_length_is_continued():
    part = b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n' % (HALF, DATA[:HALF])
    async with scripted(part, ranged(HALF, SIZE - 1)) as (script, cos):
        assert await cos.objects.read("b", "k") == DATA
        assert script.ranges == ["", f"bytes={HALF}-"]
    # The continuation breaks as well; its Content-Range has told the size.
    async with scripted(part, ranged(HALF, SIZE - 1, DATA[HALF:-7], length=SIZE - HALF), ranged(SIZE - 7, SIZE - 1)) as (
        script,
        cos,
    ):
        assert await cos.objects.read("b", "k") == DATA
        assert script.ranges == ["", f"bytes={HALF}-", f"bytes={SIZE - 7}-{SIZE - 1}"]


async def test_body_without_a_length_that_breaks_after_its_last_byte():
    whole = b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n' % (SIZE, DATA)
    async with scripted(whole, reply(status=416, Content_Range=f"bytes */{SIZE}")) as (_, cos):
        assert await cos.objects.read("b", "k") == DATA
    async with scripted(whole, reply(status=416, Content_Range=f"bytes */{SIZE + 1}")) as (_, cos):
        with pytest.raises(InvalidRange):
            await cos.objects.read("b", "k")


@pytest.mark.parametrize("length", [SIZE, None])
async def test_small_body_with_another_etag_is_one_request(length: int | None):
    """The body has arrived with the headers, and the stream still reads it."""
    async with scripted(reply(DATA[:1000], length=length and 1000, etag='"no MD5"')) as (script, cos):
        assert await cos.objects.read("b", "k") == DATA[:1000]
        assert len(script.heads) == 1


async def test_chunked_body_of_known_size_without_its_end():
    head = f'HTTP/1.1 206 X\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 0-99/{SIZE}\r\n\r\n'
    async with scripted(head.encode() + b"64\r\n" + DATA[:100] + b"\r\n") as (script, cos):
        assert await cos.objects.read("b", "k", range=ByteRange(0, 99)) == DATA[:100]
        assert len(script.heads) == 1


async def test_body_without_an_etag_is_not_continued():
    async with scripted(reply(DATA[:HALF], length=SIZE, etag=None)) as (script, cos):
        with pytest.raises(ConnectionLostError):
            await cos.objects.read("b", "k")
        assert len(script.heads) == 1


async def test_replaced_object_error_has_the_bytes_read():
    async with scripted(BROKEN, reply(status=412)) as (_, cos):
        with pytest.raises(PreconditionFailed, match=f"after {HALF} bytes"):
            await cos.objects.read("b", "k")


# -- the first response ---------------------------------------------------------------------------------------------------


NOT_WHOLE = [
    (ranged(0, SIZE - 1), "whole object"),
    (ranged(5, 9), "whole object"),
    (reply(DATA[:10], Content_Range=f"bytes 0-9/{SIZE}"), "whole object"),
    (reply(DATA, status=206), "without Content-Range"),
    (reply(DATA, Content_Range=f"bytes 0-{SIZE - 2}/{SIZE}"), "announced"),
    (reply(DATA, Content_Range="nonsense"), "not a content range"),
    (reply(DATA, status=203), "status 203"),
]


@pytest.mark.parametrize(("first", "reason"), NOT_WHOLE)
async def test_plain_get_answered_with_a_range_is_refused(first: bytes, reason: str, tmp_path):
    async with scripted(first) as (_, cos):
        for work in (cos.objects.read("b", "k"), _streamed(cos), cos.download("b", "k", tmp_path / "f")):
            with pytest.raises(ProtocolError, match=reason):
                await work
    assert list(tmp_path.iterdir()) == []


async def _streamed(cos: aiocos.Client, range_: ByteRange | None = None) -> bytes:
    async with cos.objects.get("b", "k", range=range_) as obj:
        return await obj.read()


async def test_part_with_its_own_md5_is_not_the_whole_object():
    """A part in the response to a plain GET, with an ETag that is the MD5 of the part."""
    etag = f'"{hashlib.md5(DATA[:10]).hexdigest()}"'
    async with scripted(ranged(0, 9, etag=etag)) as (_, cos):
        with pytest.raises(ProtocolError):
            await cos.objects.read("b", "k")
    whole = reply(DATA, etag=f'"{hashlib.md5(DATA).hexdigest()}"')
    async with scripted(whole) as (_, cos):
        assert await cos.objects.read("b", "k") == DATA
        with pytest.raises(ProtocolError, match="part 2"):
            await cos.objects.read("b", "k", part_number=2)


@pytest.mark.parametrize(
    ("asked", "first", "came"),
    [
        (ByteRange(5, 9), ranged(5, 9), DATA[5:10]),
        (ByteRange(5, 9), reply(DATA[5:10], Content_Range=f"bytes 5-9/{SIZE}"), DATA[5:10]),
        (ByteRange(5), ranged(5, SIZE - 1), DATA[5:]),
        (ByteRange(5, SIZE + 100), ranged(5, SIZE - 1), DATA[5:]),
        (ByteRange.suffix(7), ranged(SIZE - 7, SIZE - 1), DATA[-7:]),
        (ByteRange.suffix(SIZE + 7), ranged(0, SIZE - 1), DATA),
        # The requested range is the whole object, and so is the response.
        (ByteRange(0), reply(DATA), DATA),
        (ByteRange(0, SIZE - 1), reply(DATA), DATA),
        (ByteRange.suffix(SIZE), reply(DATA), DATA),
        (ByteRange(0), reply(DATA, length=None), DATA),
    ],
)  # fmt: skip
async def test_correct_range(asked: ByteRange, first: bytes, came: bytes):
    async with scripted(first) as (script, cos):
        assert await cos.objects.read("b", "k", range=asked) == came
        assert await _streamed(cos, asked) == came
        assert script.ranges == [asked.to_wire()] * 2


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        (ByteRange(5, 9), ranged(5, 8)),
        (ByteRange(5, 9), ranged(5, 10)),
        (ByteRange(5, 9), ranged(6, 9)),
        (ByteRange(5, 9), ranged(4, 9)),
        (ByteRange(5, 9), ranged(5, 9, b"12345678")),
        (ByteRange(5, 9), ranged(5, 9, span="bytes 5-8/*")),
        (ByteRange(5, 9), reply(DATA)),
        (ByteRange(5, 9), reply(DATA[5:10])),
        (ByteRange(5), reply(DATA)),
        (ByteRange(5), ranged(5, SIZE - 2)),
        (ByteRange(5), reply(DATA, length=None)),
        (ByteRange(SIZE), ranged(SIZE - 1, SIZE - 1)),
        (ByteRange.suffix(7), ranged(0, 6)),
        (ByteRange.suffix(7), ranged(SIZE - 8, SIZE - 1)),
        (ByteRange.suffix(7), ranged(SIZE - 6, SIZE - 1)),
        (ByteRange.suffix(7), reply(DATA)),
        (ByteRange(0, 9), reply(DATA)),
    ],
)  # fmt: skip
async def test_wrong_range_is_refused(asked: ByteRange, first: bytes):
    async with scripted(first) as (_, cos):
        for work in (cos.objects.read("b", "k", range=asked), _streamed(cos, asked)):
            with pytest.raises(ProtocolError):
                await work


async def test_parts_by_number():
    async with scripted(ranged(0, 9)) as (_, cos):
        assert await cos.objects.read("b", "k", part_number=1) == DATA[:10]
        with pytest.raises(ProtocolError, match="part 2"):
            await cos.objects.read("b", "k", part_number=2)
    async with scripted(ranged(10, 19)) as (_, cos):
        assert await cos.objects.read("b", "k", part_number=2) == DATA[10:20]
        with pytest.raises(ProtocolError, match="part 1"):
            await cos.objects.read("b", "k", part_number=1)


async def test_response_without_an_etag_to_if_match_is_refused():
    async with scripted(reply(DATA, etag=None)) as (_, cos):
        with pytest.raises(ProtocolError, match="the response has no ETag"):
            await cos.objects.read("b", "k", if_match='"v1"')
        assert await cos.objects.read("b", "k", if_match="*") == DATA


async def test_continuation_without_a_content_range_is_refused():
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

    async with (
        serving(partial) as endpoint,
        aiocos.Client(endpoint, credentials=aiocos.Anonymous(), config=ClientConfig(retry=RetryConfig(base=0.01))) as cos,
    ):
        with pytest.raises(ProtocolError, match="Content-Range"):
            async with cos.objects.get("bucket", "key") as obj:
                await obj.read()


@pytest.mark.parametrize("etag", ["md5", '"v1"'])
async def test_part_with_status_200_is_refused(tmp_path: Path, etag: str):
    """With each method of reading, also if the ETag is the MD5 of the received bytes."""
    body = b"hello"
    if etag == "md5":
        etag = f'"{hashlib.md5(body).hexdigest()}"'
    async with scripted(*[reply(body, etag=etag, Content_Range="bytes 0-4/10")] * 3) as (_, cos):
        with pytest.raises(ProtocolError, match="asked for the whole object"):
            await cos.objects.read("b", "k")
        with pytest.raises(ProtocolError, match="asked for the whole object"):
            async with cos.objects.get("b", "k"):
                pass
        with pytest.raises(ProtocolError, match="asked for the whole object"):
            await cos.download("b", "k", tmp_path / "f")
    assert not list(tmp_path.iterdir())
