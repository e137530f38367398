"""Bodies that break off, from a server that keeps to no rule; and bodies that are used against theirs."""

import asyncio
import gc
import hashlib
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.net.scripted import CONFIG, answer, scripted

import aiocos
from aiocos import ByteRange
from aiocos.errors import ConfigError, ConnectionLostError, InvalidRange, PreconditionFailed, ProtocolError, RequestTimeoutError
from aiocos.groups import engine_of
from aiocos.net.retry import RetryBudget
from aiocos.net.stream import BodyStream
from aiocos.net.streamed_response import StreamedResponse
from aiocos.wire.ranges import Extent

pytestmark = pytest.mark.usefixtures("way")

DATA = bytes(range(256)) * 40
SIZE = len(DATA)
HALF = SIZE // 2
# The first answer of most scripts: half of the object, and then the connection ends.
BROKEN = answer(DATA[:HALF], length=SIZE)


def ranged(first: int, last: int, body: bytes | None = None, **more: str) -> bytes:
    """Bytes `first` to `last` of the object, as a server that knows ranges answers."""
    span = more.pop("span", f"bytes {first}-{last}/{SIZE}")
    return answer(DATA[first : last + 1] if body is None else body, status=206, Content_Range=span, **more)


# -- a continued read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "calls"),
    [
        (ranged(HALF, SIZE - 1), 2),
        (answer(DATA), 2),  # the whole object: what is there already is skipped
        (answer(DATA[HALF:], Content_Range=f"bytes {HALF}-{SIZE - 1}/{SIZE}"), 2),  # a range with status 200
        (answer(DATA, length=None), 2),
        (answer(DATA[HALF:], status=206, length=None, Content_Range=f"bytes {HALF}-{SIZE - 1}/*"), 2),
    ],
    ids=["range", "whole", "range as 200", "whole, chunked", "range, chunked, of unknown size"],
)  # fmt: skip
async def test_a_body_goes_on(second: bytes, calls: int):
    async with scripted(BROKEN, second) as (script, cos):
        assert await cos.objects.read("b", "k") == DATA
        assert script.ranges == ["", f"bytes={HALF}-{SIZE - 1}"]
        assert b'If-Match: "v1"' in script.heads[1]
        assert len(script.heads) == calls


OFF = [
    (ranged(HALF, SIZE - 1, etag='"v2"'), "another version"),
    (answer(DATA, etag='"v2"'), "another version"),
    (answer(DATA, etag=None), "another version"),
    (ranged(HALF, SIZE - 1, span=f"bytes {HALF + 1}-{SIZE - 1}/{SIZE}"), "asked for|announced"),
    (ranged(0, SIZE - 1), "asked for"),
    (ranged(HALF - 1, SIZE - 1), "asked for"),
    (ranged(HALF, SIZE - 2), "asked for"),
    (ranged(HALF, SIZE - 1, span="bytes x-y/z"), "not a content range"),
    (ranged(HALF, SIZE - 1, span=f"bytes {HALF}-{SIZE - 1}/{'9' * 5000}"), "not a content range"),
    (ranged(HALF, SIZE - 1, span=f"bytes {HALF}-{SIZE - 1}/{SIZE + 1}"), "asked for|the object had"),
    (ranged(HALF, SIZE - 1, b"x" * 5), "announced"),
    (answer(DATA[HALF:], status=206), "without Content-Range"),
    (answer(DATA[HALF:], status=203), "status 203"),
    (answer(DATA + b"more"), "the object had"),
]


@pytest.mark.parametrize(("second", "reason"), OFF)
async def test_a_continuation_that_is_something_else_is_refused(second: bytes, reason: str):
    async with scripted(BROKEN, second) as (script, cos):
        async with cos.objects.get("b", "k") as obj:
            with pytest.raises(ProtocolError, match=reason):
                await obj.read()
            assert len(script.heads) == 2
            # And it stays refused: not a byte of it is given to whoever reads on, and nothing is asked for again.
            for _ in range(2):
                with pytest.raises(ProtocolError, match=reason):
                    await obj.chunk()
        assert len(script.heads) == 2


async def test_a_continuation_of_a_range_answered_with_the_whole_ends_with_the_range():
    first = answer(DATA[100:200], status=206, length=1000, Content_Range=f"bytes 100-1099/{SIZE}")
    async with scripted(first, answer(DATA)) as (script, cos):
        assert await cos.objects.read("b", "k", range=ByteRange(100, 1099)) == DATA[100:1100]
        assert script.ranges == ["bytes=100-1099", "bytes=200-1099"]


async def test_a_short_body_is_asked_for_until_patience_ends():
    async with scripted(BROKEN, ranged(HALF, SIZE - 1, b"", length=SIZE - HALF)) as (script, cos):
        with pytest.raises(ConnectionLostError, match=r"after 3 attempts|ended"):
            await cos.objects.read("b", "k")
        assert len(script.heads) == 3


async def test_a_short_chunked_body_is_no_end():
    """Its chunks end in order, and are fewer bytes than its Content-Range says."""
    short = answer(DATA[5:8], status=206, length=None, Content_Range=f"bytes 5-9/{SIZE}")
    async with scripted(short, ranged(8, 9)) as (script, cos):
        assert await cos.objects.read("b", "k", range=ByteRange(5, 9)) == DATA[5:10]
        assert script.ranges == ["bytes=5-9", "bytes=8-9"]


async def test_more_bytes_than_announced():
    """Only chunks can be more than their Content-Range says: a Content-Length ends the body by itself."""
    long = answer(DATA[5:20], status=206, length=None, Content_Range=f"bytes 5-9/{SIZE}")
    async with scripted(long) as (_, cos):
        with pytest.raises(ProtocolError, match="more than the 5 bytes"):
            await cos.objects.read("b", "k", range=ByteRange(5, 9))
        async with cos.objects.get("b", "k", range=ByteRange(5, 9)) as obj:
            for _ in range(2):
                with pytest.raises(ProtocolError, match="more than the 5 bytes"):
                    await obj.chunk()


@pytest.mark.parametrize("data", [DATA, b"", b"x"])
async def test_a_body_without_a_length_is_read_to_its_end(data: bytes):
    async with scripted(answer(data, length=None)) as (script, cos):
        assert await cos.objects.read("b", "k") == data
        async with cos.objects.get("b", "k") as obj:
            assert b"".join([chunk async for chunk in obj]) == data
            assert await obj.chunk() == await obj.read() == b"", "after its end, a body is at its end"
        assert len(script.heads) == 2


async def test_a_body_without_a_length_goes_on():
    part = b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n' % (HALF, DATA[:HALF])
    async with scripted(part, ranged(HALF, SIZE - 1)) as (script, cos):
        assert await cos.objects.read("b", "k") == DATA
        assert script.ranges == ["", f"bytes={HALF}-"]
    # The rest breaks off in turn: how much there is has been learnt from the first continuation.
    async with scripted(part, ranged(HALF, SIZE - 1, DATA[HALF:-7], length=SIZE - HALF), ranged(SIZE - 7, SIZE - 1)) as (
        script,
        cos,
    ):
        assert await cos.objects.read("b", "k") == DATA
        assert script.ranges == ["", f"bytes={HALF}-", f"bytes={SIZE - 7}-{SIZE - 1}"]


async def test_a_body_without_a_length_that_breaks_behind_its_last_byte():
    whole = b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n' % (SIZE, DATA)
    async with scripted(whole, answer(status=416, Content_Range=f"bytes */{SIZE}")) as (_, cos):
        assert await cos.objects.read("b", "k") == DATA
    async with scripted(whole, answer(status=416, Content_Range=f"bytes */{SIZE + 1}")) as (_, cos):
        with pytest.raises(InvalidRange):
            await cos.objects.read("b", "k")


@pytest.mark.parametrize("length", [SIZE, None])
async def test_a_small_body_that_its_etag_does_not_prove_is_one_request(length: int | None):
    """It has arrived with its head, and is read by the stream all the same."""
    async with scripted(answer(DATA[:1000], length=length and 1000, etag='"no MD5"')) as (script, cos):
        assert await cos.objects.read("b", "k") == DATA[:1000]
        assert len(script.heads) == 1


async def test_a_chunked_body_of_known_size_may_lack_its_end():
    head = f'HTTP/1.1 206 X\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 0-99/{SIZE}\r\n\r\n'
    async with scripted(head.encode() + b"64\r\n" + DATA[:100] + b"\r\n") as (script, cos):
        assert await cos.objects.read("b", "k", range=ByteRange(0, 99)) == DATA[:100]
        assert len(script.heads) == 1


async def test_without_an_etag_a_body_does_not_go_on():
    async with scripted(answer(DATA[:HALF], length=SIZE, etag=None)) as (script, cos):
        with pytest.raises(ConnectionLostError):
            await cos.objects.read("b", "k")
        assert len(script.heads) == 1


async def test_a_version_that_is_gone_says_after_how_many_bytes():
    async with scripted(BROKEN, answer(status=412)) as (_, cos):
        with pytest.raises(PreconditionFailed, match=f"after {HALF} bytes"):
            await cos.objects.read("b", "k")


# -- the first answer ---------------------------------------------------------------------------------------------------


NOT_WHOLE = [
    (ranged(0, SIZE - 1), "whole object"),
    (ranged(5, 9), "whole object"),
    (answer(DATA[:10], Content_Range=f"bytes 0-9/{SIZE}"), "whole object"),
    (answer(DATA, status=206), "without Content-Range"),
    (answer(DATA, Content_Range=f"bytes 0-{SIZE - 2}/{SIZE}"), "announced"),
    (answer(DATA, Content_Range="nonsense"), "not a content range"),
    (answer(DATA, status=203), "status 203"),
]


@pytest.mark.parametrize(("first", "reason"), NOT_WHOLE)
async def test_a_plain_get_that_is_answered_with_a_part(first: bytes, reason: str, tmp_path):
    async with scripted(first) as (_, cos):
        for work in (cos.objects.read("b", "k"), _streamed(cos), cos.download("b", "k", tmp_path / "f")):
            with pytest.raises(ProtocolError, match=reason):
                await work
    assert list(tmp_path.iterdir()) == []


async def _streamed(cos: aiocos.Client, range_: ByteRange | None = None) -> bytes:
    async with cos.objects.get("b", "k", range=range_) as obj:
        return await obj.read()


async def test_a_part_whose_etag_is_its_own_md5_is_no_whole_object():
    """An answer to a plain GET that proves itself, and is a part all the same."""
    etag = f'"{hashlib.md5(DATA[:10]).hexdigest()}"'
    async with scripted(ranged(0, 9, etag=etag)) as (_, cos):
        with pytest.raises(ProtocolError):
            await cos.objects.read("b", "k")
    whole = answer(DATA, etag=f'"{hashlib.md5(DATA).hexdigest()}"')
    async with scripted(whole) as (_, cos):
        assert await cos.objects.read("b", "k") == DATA
        with pytest.raises(ProtocolError, match="part 2"):
            await cos.objects.read("b", "k", part_number=2)


@pytest.mark.parametrize(
    ("asked", "first", "came"),
    [
        (ByteRange(5, 9), ranged(5, 9), DATA[5:10]),
        (ByteRange(5, 9), answer(DATA[5:10], Content_Range=f"bytes 5-9/{SIZE}"), DATA[5:10]),
        (ByteRange(5), ranged(5, SIZE - 1), DATA[5:]),
        (ByteRange(5, SIZE + 100), ranged(5, SIZE - 1), DATA[5:]),
        (ByteRange.suffix(7), ranged(SIZE - 7, SIZE - 1), DATA[-7:]),
        (ByteRange.suffix(SIZE + 7), ranged(0, SIZE - 1), DATA),
        # What was asked for is the whole, and so is what came.
        (ByteRange(0), answer(DATA), DATA),
        (ByteRange(0, SIZE - 1), answer(DATA), DATA),
        (ByteRange.suffix(SIZE), answer(DATA), DATA),
        (ByteRange(0), answer(DATA, length=None), DATA),
    ],
)  # fmt: skip
async def test_a_range_that_came_as_it_was_asked_for(asked: ByteRange, first: bytes, came: bytes):
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
        (ByteRange(5, 9), answer(DATA)),
        (ByteRange(5, 9), answer(DATA[5:10])),
        (ByteRange(5), answer(DATA)),
        (ByteRange(5), ranged(5, SIZE - 2)),
        (ByteRange(5), answer(DATA, length=None)),
        (ByteRange(SIZE), ranged(SIZE - 1, SIZE - 1)),
        (ByteRange.suffix(7), ranged(0, 6)),
        (ByteRange.suffix(7), ranged(SIZE - 8, SIZE - 1)),
        (ByteRange.suffix(7), ranged(SIZE - 6, SIZE - 1)),
        (ByteRange.suffix(7), answer(DATA)),
        (ByteRange(0, 9), answer(DATA)),
    ],
)  # fmt: skip
async def test_a_range_other_than_the_one_asked_for(asked: ByteRange, first: bytes):
    async with scripted(first) as (_, cos):
        for work in (cos.objects.read("b", "k", range=asked), _streamed(cos, asked)):
            with pytest.raises(ProtocolError):
                await work


async def test_parts_by_their_numbers():
    async with scripted(ranged(0, 9)) as (_, cos):
        assert await cos.objects.read("b", "k", part_number=1) == DATA[:10]
        with pytest.raises(ProtocolError, match="part 2"):
            await cos.objects.read("b", "k", part_number=2)
    async with scripted(ranged(10, 19)) as (_, cos):
        assert await cos.objects.read("b", "k", part_number=2) == DATA[10:20]
        with pytest.raises(ProtocolError, match="part 1"):
            await cos.objects.read("b", "k", part_number=1)


async def test_a_version_that_is_not_named_is_not_the_one_asked_for():
    async with scripted(answer(DATA, etag=None)) as (_, cos):
        with pytest.raises(ProtocolError, match="the response has no ETag"):
            await cos.objects.read("b", "k", if_match='"v1"')
        assert await cos.objects.read("b", "k", if_match="*") == DATA


# -- against the rules --------------------------------------------------------------------------------------------------


async def test_two_tasks_at_once():
    async with scripted(BROKEN, ranged(HALF, SIZE - 1)) as (script, cos):
        script.hold = asyncio.Event()
        async with cos.objects.get("b", "k") as obj:
            first = asyncio.create_task(obj.read())
            while obj._body.bytes_read < HALF:
                await asyncio.sleep(0)
            for _ in range(2):
                with pytest.raises(ConfigError, match="another task is reading"):
                    await obj.chunk()
            script.hold.set()
            assert await first == DATA, "who was there first is not disturbed"
        assert len(script.heads) == 2


@pytest.mark.parametrize("closing", ["stream", "client"])
async def test_closed_while_somebody_reads(closing: str):
    """The reader is told at once, whatever the idle timeout is, and nothing is asked for again."""
    async with scripted(BROKEN) as (script, cos):
        script.hold = asyncio.Event()
        obj = await cos.objects.get("b", "k").__aenter__()
        reader = asyncio.create_task(obj.read())
        while obj._body.bytes_read < HALF:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        if closing == "stream":
            obj.close()
        else:
            await cos.close()
        async with asyncio.timeout(5):
            with pytest.raises(ConfigError, match="closed"):
                await reader
            with pytest.raises(ConfigError, match=r"closed|not open"):
                await obj.chunk()
            while script.open:
                await asyncio.sleep(0.001)
        assert len(script.heads) == 1
        if closing == "client":
            assert engine_of(cos).connections is None


async def test_read_on_after_the_client_is_closed():
    async with scripted(BROKEN) as (script, cos):
        script.hold = asyncio.Event()
        obj = await cos.objects.get("b", "k").__aenter__()
        first = await obj.chunk()
        await cos.close()
        async with asyncio.timeout(5):
            with pytest.raises(ConfigError, match="client was closed"):
                while chunk := await obj.chunk():
                    first += chunk
        assert DATA.startswith(first)
        assert (len(script.heads), engine_of(cos).connections) == (1, None)


async def test_opened_by_two_tasks():
    async with scripted(answer(DATA)) as (script, cos):
        stream = cos.objects.get("b", "k")
        first = asyncio.create_task(stream.__aenter__())
        await asyncio.sleep(0)
        with pytest.raises(ConfigError, match="another task is opening"):
            await stream.__aenter__()
        assert await (await first).read() == DATA
        assert len(script.heads) == 1
        # One after the other is allowed, and reads the object anew.
        async with stream:
            assert await stream.read() == DATA


async def test_a_cancelled_read_can_be_taken_up():
    async with scripted(BROKEN, ranged(HALF, SIZE - 1)) as (script, cos):
        script.hold = asyncio.Event()
        async with cos.objects.get("b", "k") as obj:
            data = b""
            while len(data) < HALF:
                data += await obj.chunk()
            reader = asyncio.create_task(obj.chunk())
            await asyncio.sleep(0.01)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            script.hold.set()
            assert data + await obj.read() == DATA


@pytest.mark.parametrize("entered", [True, False], ids=["read", "unread"])
async def test_a_stream_that_is_dropped_frees_its_socket(entered: bool):
    config = aiocos.ClientConfig(retry=CONFIG.retry)
    async with scripted(BROKEN, config=config) as (script, cos):
        script.hold = asyncio.Event()
        stream = await cos.objects.get("b", "k").__aenter__()
        if entered:
            assert await stream.chunk()
        gone = weakref.ref(stream)
        assert script.open == 1
        del stream
        assert gone() is None, "nothing refers back to a stream: it goes without the garbage collector"
        async with asyncio.timeout(5):
            while script.open:
                await asyncio.sleep(0.001)
        gc.collect()


# -- by itself ----------------------------------------------------------------------------------------------------------


class _Exchange(StreamedResponse):
    """An answer that gives its pieces, and then breaks."""

    def __init__(self, *pieces: bytes | Exception, **headers: str) -> None:
        self.status = 206 if "Content-Range" in headers else 200
        self.headers = {"ETag": '"v1"', **headers}
        self._pieces = list(pieces)
        self.closed = 0

    async def chunk(self) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def read_nowait(self) -> bytes | None:
        return None

    def close(self) -> None:
        self.closed += 1

    @property
    def request_name(self) -> str:
        return "GET x"


def _broken() -> ConnectionLostError:
    return ConnectionLostError("broken", sent=True)


def body(
    exchange: StreamedResponse,
    *more: StreamedResponse,
    length: int | None = 10,
    retry: aiocos.RetryConfig = CONFIG.retry,
    **at: float,
):
    """A body whose continuations are further exchanges; `asked` are the ranges of these."""
    asked: list[tuple[int, int | None]] = []
    left = list(more)

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        asked.append((first, last))
        await asyncio.sleep(0)
        return left.pop(0)

    deadline = asyncio.get_running_loop().time() + at["within"] if at else None
    stream = BodyStream(
        exchange,
        what="GET x",
        extent=Extent(0, length, length),
        reopen=reopen,
        retry=retry,
        budget=RetryBudget(retry),
        deadline=deadline,
    )
    return stream, asked


async def test_a_closed_body_is_told_as_such_and_asks_for_nothing():
    first = _Exchange(b"12345", _broken())
    stream, asked = body(first, _Exchange(b"67890", **{"Content-Range": "bytes 5-9/10"}))
    assert await stream.chunk() == b"12345"
    stream.close()
    for _ in range(2):
        with pytest.raises(ConfigError, match="closed after 5 bytes"):
            await stream.chunk()
    assert (asked, first.closed) == ([], 1)


async def test_closed_during_the_pause_before_a_continuation():
    slow = aiocos.RetryConfig(attempts=3, base=3600, cap=3600)
    for retry in (CONFIG.retry, slow):
        stream, asked = body(_Exchange(_broken()), _Exchange(b"1234567890"), retry=retry)
        paused, going = asyncio.Event(), asyncio.Event()

        async def pause(delay: float, paused: asyncio.Event = paused, going: asyncio.Event = going) -> None:
            paused.set()
            await going.wait()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("aiocos.net.stream.pause", pause)
            reader = asyncio.create_task(stream.chunk())
            await paused.wait()
            stream.close()
            going.set()
            with pytest.raises(ConfigError, match="closed"):
                await reader
        assert asked == []


async def test_closed_while_a_continuation_is_opened():
    late = _Exchange(b"1234567890")
    stream, asked = body(_Exchange(_broken()), late)
    reader = asyncio.create_task(stream.chunk())
    while not asked:
        await asyncio.sleep(0)
    stream.close()
    with pytest.raises(ConfigError, match="closed"):
        await reader
    assert late.closed, "its connection is not left behind"


async def test_the_rest_of_a_whole_object_that_came_for_a_range_is_dropped():
    whole = _Exchange(b"0123456789", b"more", **{"Content-Length": "14"})
    stream, asked = body(_Exchange(b"01234", _broken()), whole, length=10)
    stream._total = 14
    assert b"".join([await stream.chunk() for _ in range(2)]) == b"0123456789"
    assert await stream.chunk() == b""
    assert (asked, whole.closed) == ([(5, 9)], 1)


async def test_no_continuation_is_waited_for_beyond_the_deadline():
    slow, silent = aiocos.RetryConfig(attempts=3, base=3600, cap=3600), RequestTimeoutError("silent", sent=True)
    stream, asked = body(_Exchange(silent), _Exchange(b"1234567890"), retry=slow, within=1.0)
    async with asyncio.timeout(5):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(RequestTimeoutError):
            patch.setattr("aiocos.net.stream.random.random", lambda: 0.5)
            await stream.chunk()
    assert asked == []
    stream, asked = body(_Exchange(_broken()), _Exchange(b"1234567890"), within=3600.0)
    assert await stream.chunk() == b"1234567890"
    assert asked == [(0, 9)]


async def test_a_size_that_a_continuation_says_binds_the_next():
    first = _Exchange(b"01234", _broken(), **{"Content-Range": "bytes 0-9/*"})
    second = _Exchange(b"56", _broken(), **{"Content-Range": "bytes 5-9/20"})
    third = _Exchange(b"789", **{"Content-Range": "bytes 7-9/21"})
    stream, _ = body(first, second, third)
    stream._total = None
    assert (await stream.chunk(), await stream.chunk()) == (b"01234", b"56")
    with pytest.raises(ProtocolError, match="had 20 bytes"):
        await stream.chunk()


async def read_to_the_end(stream: BodyStream) -> bytes:
    pieces = []
    while piece := await stream.chunk():
        pieces.append(piece)
    return b"".join(pieces)


def later(
    exchange: StreamedResponse, *more: StreamedResponse, first: int, length: int | None, total: int | None = None, **given
):
    """The same for a body that begins further on in the object."""
    stream, asked = body(exchange, *more, **given)
    stream._first, stream._length, stream._total = first, length, total
    return stream, asked


async def test_a_range_goes_on_where_it_broke_off():
    second = _Exchange(b"ef", _broken(), **{"Content-Range": "bytes 104-109/200"})
    third = _Exchange(b"ghij", **{"Content-Range": "bytes 106-109/200"})
    stream, asked = later(_Exchange(b"abcd", _broken()), second, third, first=100, length=10, total=200)
    assert await read_to_the_end(stream) == b"abcdefghij"
    assert asked == [(104, 109), (106, 109)]
    assert stream.bytes_read == 10


async def test_a_whole_object_that_came_for_a_range_is_cut_on_both_sides():
    whole = _Exchange(b"0", b"12", b"3456", b"789", b"never", **{"Content-Length": "15"})
    stream, asked = later(_Exchange(b"23", _broken()), whole, first=2, length=6)
    assert await read_to_the_end(stream) == b"234567"
    assert (asked, whole.closed) == ([(4, 7)], 1)
    assert stream._total == 15


async def test_a_body_of_unknown_length_learns_it():
    second = _Exchange(b"4", _broken(), **{"Content-Range": "bytes 4-9/10", "Content-Length": "6"})
    third = _Exchange(b"56789", **{"Content-Range": "bytes 5-9/10"})
    stream, asked = later(_Exchange(b"23", _broken()), second, third, first=2, length=None)
    assert await read_to_the_end(stream) == b"23456789"
    assert asked == [(4, None), (5, 9)]
    assert (stream._length, stream._total) == (8, 10)


@pytest.mark.parametrize(("span", "ends"), [("bytes */4", True), ("bytes */5", False), (None, False)])
async def test_a_body_of_unknown_length_ends_where_there_are_no_further_bytes(span: str | None, ends: bool):
    error = InvalidRange(status=416, headers={} if span is None else {"Content-Range": span})

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        raise error

    for length in (None, 8):
        stream, _ = later(_Exchange(b"23", _broken()), first=2, length=length)
        stream._reopen = reopen
        assert await stream.chunk() == b"23"
        if ends and length is None:
            assert await stream.chunk() == b""
            assert await stream.chunk() == b""
        else:
            with pytest.raises(InvalidRange):
                await stream.chunk()


async def test_attempts_count_from_the_last_byte_that_came():
    """Each piece of progress gives a stream its attempts again; without any they end."""
    retry = aiocos.RetryConfig(attempts=3, base=0.0, cap=0.0)
    pieces = [_Exchange(b"%d" % n, _broken(), **{"Content-Range": f"bytes {n}-9/10"}) for n in range(1, 9)]
    last = _Exchange(b"9", **{"Content-Range": "bytes 9-9/10"})
    stream, asked = body(_Exchange(b"0", _broken()), *pieces, last, retry=retry)
    assert await read_to_the_end(stream) == b"0123456789"
    assert len(asked) == 9
    silent = [_Exchange(_broken(), **{"Content-Range": "bytes 1-9/10"}) for _ in range(5)]
    stream, asked = body(_Exchange(b"0", _broken()), *silent, retry=retry)
    assert await stream.chunk() == b"0"
    with pytest.raises(ConnectionLostError) as caught:
        await stream.chunk()
    assert (len(asked), caught.value.attempts) == (2, 3)
    assert all(exchange.closed for exchange in silent[:2])
    # What ended a body is told again, and asks for nothing.
    with pytest.raises(ConnectionLostError):
        await stream.chunk()
    assert len(asked) == 2


async def test_a_continuation_that_cannot_be_opened_is_tried_again():
    retry = aiocos.RetryConfig(attempts=3, base=0.0, cap=0.0)
    stream, _ = body(_Exchange(b"01234", _broken()), retry=retry)
    opened: list[int] = []

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        opened.append(first)
        if len(opened) < 2:
            raise ConnectionLostError("no connection", sent=True)
        return _Exchange(b"56789", **{"Content-Range": "bytes 5-9/10"})

    stream._reopen = reopen
    assert await read_to_the_end(stream) == b"0123456789"
    assert opened == [5, 5]
    stream, _ = body(_Exchange(b"01234", _broken()), retry=retry)

    async def never(first: int, last: int | None) -> StreamedResponse:
        opened.append(first)
        raise ConnectionLostError("no connection", sent=True)

    opened.clear()
    stream._reopen = never
    assert await stream.chunk() == b"01234"
    with pytest.raises(ConnectionLostError, match="no connection") as caught:
        await stream.chunk()
    assert (len(opened), caught.value.attempts) == (2, 3)


async def test_a_continuation_costs_of_the_budget():
    retry = aiocos.RetryConfig(attempts=9, base=0.0, cap=0.0, budget=5.0, retry_cost=5.0)
    second = _Exchange(b"1", _broken(), **{"Content-Range": "bytes 1-9/10"})
    stream, asked = body(_Exchange(b"0", _broken()), second, _Exchange(b"x"), retry=retry)
    assert [await stream.chunk() for _ in range(2)] == [b"0", b"1"]
    with pytest.raises(ConnectionLostError):
        await stream.chunk()
    assert asked == [(1, 9)]


async def test_an_object_that_was_replaced_is_told_with_what_was_asked():
    stream, _ = body(_Exchange(b"01234", _broken()))
    said = PreconditionFailed(status=412, code="x", resource="b/k", request_id="id-7", operation="GetObject")

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        raise said

    stream._reopen = reopen
    assert await stream.chunk() == b"01234"
    with pytest.raises(PreconditionFailed, match="replaced while it was being read, after 5 bytes") as caught:
        await stream.chunk()
    error = caught.value
    assert (error.status, error.code) == (412, "PreconditionFailed")
    assert (error.resource, error.request_id, error.operation) == ("b/k", "id-7", "GetObject")
    assert isinstance(error.__cause__, ConnectionLostError)


async def test_a_break_behind_the_last_byte_is_none():
    first = _Exchange(b"0123456789", _broken())
    stream, asked = body(first)
    assert await read_to_the_end(stream) == b"0123456789"
    assert await stream.chunk() == b""
    assert asked == []
    # One that goes on beyond what was announced is no such break.
    stream, _ = body(_Exchange(b"0123456789", b"x"))
    await stream.chunk()
    with pytest.raises(ProtocolError, match="more than the 10 bytes"):
        await stream.chunk()
    assert stream._response.closed


async def test_without_an_etag_to_pin_it_nothing_is_asked_for():
    stream, asked = body(_Exchange(b"01234", _broken()), _Exchange(b"56789"))
    stream._reopen = None
    assert await stream.chunk() == b"01234"
    with pytest.raises(ConnectionLostError) as caught:
        await stream.chunk()
    assert (asked, caught.value.attempts) == ([], 1)


@pytest.mark.parametrize(("within", "tried"), [(7.0, False), (7.1, True)])
async def test_the_deadline_of_a_pause(within: float, tried: bool, monkeypatch: pytest.MonkeyPatch):
    stream, _ = body(_Exchange(b""))
    loop = SimpleNamespace(time=lambda: 100.0)
    monkeypatch.setattr("aiocos.net.stream.asyncio", SimpleNamespace(get_running_loop=lambda: loop))
    stream._deadline = 100.0 + within
    assert stream._is_past_deadline(7.0) is not tried
    stream._deadline = None
    assert not stream._is_past_deadline(1e9)


@pytest.mark.parametrize("etag", ["md5", '"v1"'])
async def test_a_whole_answer_that_calls_itself_a_part_is_refused(tmp_path: Path, etag: str):
    """By every way to read, also where the ETag is that of the bytes that came."""
    body = b"hello"
    if etag == "md5":
        etag = f'"{hashlib.md5(body).hexdigest()}"'
    async with scripted(*[answer(body, etag=etag, Content_Range="bytes 0-4/10")] * 3) as (_, cos):
        with pytest.raises(ProtocolError, match="asked for the whole object"):
            await cos.objects.read("b", "k")
        with pytest.raises(ProtocolError, match="asked for the whole object"):
            async with cos.objects.get("b", "k"):
                pass
        with pytest.raises(ProtocolError, match="asked for the whole object"):
            await cos.download("b", "k", tmp_path / "f")
    assert not list(tmp_path.iterdir())
