"""`response["Body"]` beside botocore's `StreamingBody`: the same lines and chunks, in linear time."""

from __future__ import annotations

import asyncio
import io
import time
from collections import deque
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from ibm_botocore.response import StreamingBody as TheirBody

from aiocos.ibm_boto3.body import StreamingBody
from aiocos.object_stream import ObjectStream


class Arriving:
    """The part of an `ObjectStream` that a body uses: bytes that arrive in chunks."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = deque(chunk for chunk in chunks if chunk)

    async def chunk(self) -> bytes:
        return self._chunks.popleft() if self._chunks else b""

    async def read(self) -> bytes:
        data = b"".join(self._chunks)
        self._chunks.clear()
        return data

    def close(self) -> None:
        self._chunks.clear()


def _body(*chunks: bytes) -> StreamingBody:
    return StreamingBody(cast("ObjectStream", Arriving(list(chunks))))


def _theirs(data: bytes) -> Any:
    return TheirBody(io.BytesIO(data), len(data))


# Few letters and many line breaks, so that these meet the borders of chunks.
texts = st.lists(st.sampled_from([b"a", b"b", b"\n", b"\r", b"\r\n", b"\n\r", b"\x0b", b"\x85", b"\xe2\x80\xa8"]), max_size=40)


@given(texts.map(b"".join), st.integers(1, 9), st.booleans(), st.lists(st.integers(1, 7), max_size=40))
async def test_lines_are_theirs(data: bytes, size: int, keepends: bool, cuts: list[int]) -> None:
    chunks, at = [], 0
    for cut in cuts:
        chunks.append(data[at : at + cut])
        at += cut
    body = _body(*chunks, data[at:])
    ours = [line async for line in body.iter_lines(size, keepends)]
    assert ours == list(_theirs(data).iter_lines(size, keepends))
    assert ours == data.splitlines(keepends)
    assert await body.read() == b""


@given(texts.map(b"".join), st.integers(1, 9))
async def test_a_line_read_alone_ends_as_in_a_file(data: bytes, size: int) -> None:
    body = _body(*(data[at : at + size] for at in range(0, len(data), size)))
    lines = []
    while line := await body.readline():
        lines.append(line)
    assert lines == io.BytesIO(data).readlines()


@given(texts.map(b"".join), st.integers(1, 9), st.integers(0, 5))
async def test_lines_go_on_where_a_read_ended(data: bytes, size: int, first: int) -> None:
    body, theirs = _body(data), _theirs(data)
    assert await body.read(first) == theirs.read(first)
    assert [line async for line in body.iter_lines(size)] == list(theirs.iter_lines(size))


async def test_a_chunk_size_of_nothing_or_all() -> None:
    for size in (0, None, -1):
        ours = [line async for line in _body(b"a\nb").iter_lines(cast("int", size))]
        assert ours == list(_theirs(b"a\nb").iter_lines(size))


async def test_a_long_line_takes_linear_time() -> None:
    """Sixteen times as many bytes take sixteen times as long, and not 256 times: which would be minutes here."""
    piece = b"x" * 1024
    for read in ("iter_lines", "readline", "readlines"):
        body = _body(*[piece] * (16 * 1024), b"\nlast")
        began = time.process_time()
        if read == "iter_lines":
            lines = [line async for line in body.iter_lines()]
        elif read == "readline":
            lines = [(await body.readline()).rstrip(), await body.readline()]
        else:
            lines = [line.rstrip() for line in await body.readlines()]
        assert [len(line) for line in lines] == [16 * 1024 * 1024, 4]
        assert time.process_time() - began < 20, read


async def test_lines_leave_the_loop_to_others() -> None:
    """A line of 4 MiB in small chunks holds nobody up: the loop turns while it comes."""
    turns = 0

    class Slow(Arriving):
        async def chunk(self) -> bytes:
            await asyncio.sleep(0)
            return await super().chunk()

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.ensure_future(turn())
    body = StreamingBody(cast("ObjectStream", Slow([b"x" * 65536] * 64)))
    assert [len(line) async for line in body.iter_lines()] == [4 * 1024 * 1024]
    turning.cancel()
    assert turns >= 64
