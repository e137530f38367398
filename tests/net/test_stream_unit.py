"""`BodyStream` with made-up responses."""

import asyncio
from types import SimpleNamespace

import pytest
from tests.net.scripted import CONFIG

import aiocos
from aiocos.errors import ConfigError, ConnectionLostError, InvalidRange, PreconditionFailed, ProtocolError, RequestTimeoutError
from aiocos.net.retry import RetryBudget
from aiocos.net.stream import BodyStream
from aiocos.net.streamed_response import StreamedResponse
from aiocos.wire.ranges import Extent


class Chunks(StreamedResponse):
    """A response that returns its chunks; an exception among them is raised."""

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
    response: StreamedResponse,
    *more: StreamedResponse,
    length: int | None = 10,
    retry: aiocos.RetryConfig = CONFIG.retry,
    **at: float,
):
    """Return a body with these continuations, and the list of the ranges that it requests."""
    requested: list[tuple[int, int | None]] = []
    left = list(more)

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        requested.append((first, last))
        await asyncio.sleep(0)
        return left.pop(0)

    deadline = asyncio.get_running_loop().time() + at["within"] if at else None
    stream = BodyStream(
        response,
        what="GET x",
        extent=Extent(0, length, length),
        reopen=reopen,
        retry=retry,
        budget=RetryBudget(retry),
        deadline=deadline,
    )
    return stream, requested


async def test_closed_body_raises_and_sends_nothing():
    first = Chunks(b"12345", _broken())
    stream, requested = body(first, Chunks(b"67890", **{"Content-Range": "bytes 5-9/10"}))
    assert await stream.chunk() == b"12345"
    stream.close()
    for _ in range(2):
        with pytest.raises(ConfigError, match="closed after 5 bytes"):
            await stream.chunk()
    assert (requested, first.closed) == ([], 1)


async def test_close_during_backoff():
    slow = aiocos.RetryConfig(attempts=3, base=3600, cap=3600)
    for retry in (CONFIG.retry, slow):
        stream, requested = body(Chunks(_broken()), Chunks(b"1234567890"), retry=retry)
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
        assert requested == []


async def test_close_while_a_continuation_is_opened():
    late = Chunks(b"1234567890")
    stream, requested = body(Chunks(_broken()), late)
    reader = asyncio.create_task(stream.chunk())
    while not requested:
        await asyncio.sleep(0)
    stream.close()
    with pytest.raises(ConfigError, match="closed"):
        await reader
    assert late.closed, "its connection is not left behind"


async def test_excess_of_a_continuation_is_dropped():
    whole = Chunks(b"0123456789", b"more", **{"Content-Length": "14"})
    stream, requested = body(Chunks(b"01234", _broken()), whole, length=10)
    stream._total = 14
    assert b"".join([await stream.chunk() for _ in range(2)]) == b"0123456789"
    assert await stream.chunk() == b""
    assert (requested, whole.closed) == ([(5, 9)], 1)


async def test_no_continuation_after_the_deadline():
    slow, silent = aiocos.RetryConfig(attempts=3, base=3600, cap=3600), RequestTimeoutError("silent", sent=True)
    stream, requested = body(Chunks(silent), Chunks(b"1234567890"), retry=slow, within=1.0)
    async with asyncio.timeout(5):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(RequestTimeoutError):
            patch.setattr("aiocos.net.stream.random.random", lambda: 0.5)
            await stream.chunk()
    assert requested == []
    stream, requested = body(Chunks(_broken()), Chunks(b"1234567890"), within=3600.0)
    assert await stream.chunk() == b"1234567890"
    assert requested == [(0, 9)]


async def test_size_of_a_continuation_must_stay_equal():
    first = Chunks(b"01234", _broken(), **{"Content-Range": "bytes 0-9/*"})
    second = Chunks(b"56", _broken(), **{"Content-Range": "bytes 5-9/20"})
    third = Chunks(b"789", **{"Content-Range": "bytes 7-9/21"})
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
    response: StreamedResponse, *more: StreamedResponse, first: int, length: int | None, total: int | None = None, **given
):
    """The body of a range: offsets are of the object."""
    stream, requested = body(response, *more, **given)
    stream._first, stream._length, stream._total = first, length, total
    return stream, requested


async def test_range_continues_where_it_broke():
    second = Chunks(b"ef", _broken(), **{"Content-Range": "bytes 104-109/200"})
    third = Chunks(b"ghij", **{"Content-Range": "bytes 106-109/200"})
    stream, requested = later(Chunks(b"abcd", _broken()), second, third, first=100, length=10, total=200)
    assert await read_to_the_end(stream) == b"abcdefghij"
    assert requested == [(104, 109), (106, 109)]
    assert stream.bytes_read == 10


async def test_whole_object_for_a_range_is_cut_on_both_sides():
    whole = Chunks(b"0", b"12", b"3456", b"789", b"never", **{"Content-Length": "15"})
    stream, requested = later(Chunks(b"23", _broken()), whole, first=2, length=6)
    assert await read_to_the_end(stream) == b"234567"
    assert (requested, whole.closed) == ([(4, 7)], 1)
    assert stream._total == 15


async def test_unknown_length_is_learned_from_a_continuation():
    second = Chunks(b"4", _broken(), **{"Content-Range": "bytes 4-9/10", "Content-Length": "6"})
    third = Chunks(b"56789", **{"Content-Range": "bytes 5-9/10"})
    stream, requested = later(Chunks(b"23", _broken()), second, third, first=2, length=None)
    assert await read_to_the_end(stream) == b"23456789"
    assert requested == [(4, None), (5, 9)]
    assert (stream._length, stream._total) == (8, 10)


@pytest.mark.parametrize(("span", "ends"), [("bytes */4", True), ("bytes */5", False), (None, False)])
async def test_unknown_length_ends_with_invalid_range(span: str | None, ends: bool):
    error = InvalidRange(status=416, headers={} if span is None else {"Content-Range": span})

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        raise error

    for length in (None, 8):
        stream, _ = later(Chunks(b"23", _broken()), first=2, length=length)
        stream._reopen = reopen
        assert await stream.chunk() == b"23"
        if ends and length is None:
            assert await stream.chunk() == b""
            assert await stream.chunk() == b""
        else:
            with pytest.raises(InvalidRange):
                await stream.chunk()


async def test_attempts_count_from_the_last_byte():
    """Attempts are counted from the last byte that arrived."""
    retry = aiocos.RetryConfig(attempts=3, base=0.0, cap=0.0)
    pieces = [Chunks(b"%d" % n, _broken(), **{"Content-Range": f"bytes {n}-9/10"}) for n in range(1, 9)]
    last = Chunks(b"9", **{"Content-Range": "bytes 9-9/10"})
    stream, requested = body(Chunks(b"0", _broken()), *pieces, last, retry=retry)
    assert await read_to_the_end(stream) == b"0123456789"
    assert len(requested) == 9
    silent = [Chunks(_broken(), **{"Content-Range": "bytes 1-9/10"}) for _ in range(5)]
    stream, requested = body(Chunks(b"0", _broken()), *silent, retry=retry)
    assert await stream.chunk() == b"0"
    with pytest.raises(ConnectionLostError) as caught:
        await stream.chunk()
    assert (len(requested), caught.value.attempts) == (2, 3)
    assert all(response.closed for response in silent[:2])
    # Further reads raise the error again and send nothing.
    with pytest.raises(ConnectionLostError):
        await stream.chunk()
    assert len(requested) == 2


async def test_failed_continuation_is_retried():
    retry = aiocos.RetryConfig(attempts=3, base=0.0, cap=0.0)
    stream, _ = body(Chunks(b"01234", _broken()), retry=retry)
    opened: list[int] = []

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        opened.append(first)
        if len(opened) < 2:
            raise ConnectionLostError("no connection", sent=True)
        return Chunks(b"56789", **{"Content-Range": "bytes 5-9/10"})

    stream._reopen = reopen
    assert await read_to_the_end(stream) == b"0123456789"
    assert opened == [5, 5]
    stream, _ = body(Chunks(b"01234", _broken()), retry=retry)

    async def never(first: int, last: int | None) -> StreamedResponse:
        opened.append(first)
        raise ConnectionLostError("no connection", sent=True)

    opened.clear()
    stream._reopen = never
    assert await stream.chunk() == b"01234"
    with pytest.raises(ConnectionLostError, match="no connection") as caught:
        await stream.chunk()
    assert (len(opened), caught.value.attempts) == (2, 3)


async def test_continuation_uses_the_retry_budget():
    retry = aiocos.RetryConfig(attempts=9, base=0.0, cap=0.0, budget=5.0, retry_cost=5.0)
    second = Chunks(b"1", _broken(), **{"Content-Range": "bytes 1-9/10"})
    stream, requested = body(Chunks(b"0", _broken()), second, Chunks(b"x"), retry=retry)
    assert [await stream.chunk() for _ in range(2)] == [b"0", b"1"]
    with pytest.raises(ConnectionLostError):
        await stream.chunk()
    assert requested == [(1, 9)]


async def test_replaced_object_error_has_the_request():
    stream, _ = body(Chunks(b"01234", _broken()))
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


async def test_break_after_the_last_byte_is_ignored():
    first = Chunks(b"0123456789", _broken())
    stream, requested = body(first)
    assert await read_to_the_end(stream) == b"0123456789"
    assert await stream.chunk() == b""
    assert requested == []
    # A body that is longer than announced is an error.
    stream, _ = body(Chunks(b"0123456789", b"x"))
    await stream.chunk()
    with pytest.raises(ProtocolError, match="more than the 10 bytes"):
        await stream.chunk()
    assert stream._response.closed


async def test_no_continuation_without_an_etag():
    stream, requested = body(Chunks(b"01234", _broken()), Chunks(b"56789"))
    stream._reopen = None
    assert await stream.chunk() == b"01234"
    with pytest.raises(ConnectionLostError) as caught:
        await stream.chunk()
    assert (requested, caught.value.attempts) == ([], 1)


@pytest.mark.parametrize(("within", "tried"), [(7.0, False), (7.1, True)])
async def test_backoff_must_end_before_the_deadline(within: float, tried: bool, monkeypatch: pytest.MonkeyPatch):
    stream, _ = body(Chunks(b""))
    loop = SimpleNamespace(time=lambda: 100.0)
    monkeypatch.setattr("aiocos.net.stream.asyncio", SimpleNamespace(get_running_loop=lambda: loop))
    stream._deadline = 100.0 + within
    assert stream._is_past_deadline(7.0) is not tried
    stream._deadline = None
    assert not stream._is_past_deadline(1e9)
