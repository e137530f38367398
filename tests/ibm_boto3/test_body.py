"""`StreamingBody`: reading, lines, connections that break, bodies that nobody reads."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import time
from collections import deque
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibm_botocore.response import StreamingBody as TheirBody
from tests.ibm_boto3.both_clients import hmac_keys

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.emulator.faults import FlipBit, Truncate
from aiocos.ibm_boto3 import S3Client, exceptions
from aiocos.ibm_boto3.body import StreamingBody
from aiocos.object_stream import ObjectStream


async def test_a_body_is_read_like_botocores(client: S3Client, sdk: Any, bucket: str) -> None:
    lines = b"one\ntwo\r\n\nthree\rfour\n\xe2\x80\xa8five" * 50 + b"\r\nlast"
    await client.put_object(Bucket=bucket, Key="k", Body=lines)
    get = {"Bucket": bucket, "Key": "k"}

    async def ours() -> Any:
        return (await client.get_object(**get))["Body"]

    def other() -> Any:
        return sdk.get_object(**get)["Body"]

    assert [c async for c in await ours()] == list(await asyncio.to_thread(lambda: list(other())))
    for size in (1, 7, 64, 100_000):
        assert [c async for c in (await ours()).iter_chunks(size)] == await asyncio.to_thread(
            lambda size=size: list(other().iter_chunks(size))
        )
        for ends in (False, True):
            assert [line async for line in (await ours()).iter_lines(size, ends)] == await asyncio.to_thread(
                lambda size=size, ends=ends: list(other().iter_lines(size, ends))
            )
    assert await (await ours()).readlines() == lines.splitlines(keepends=True)
    body = await ours()
    assert (await body.read(5), await body.read(0), body.tell()) == (lines[:5], b"", 5)
    buffer = bytearray(7)
    assert (await body.readinto(buffer), bytes(buffer)) == (7, lines[5:12])
    assert await body.read() == lines[12:]
    assert (await body.read(), await body.read(10), body.tell(), body.readable()) == (b"", b"", len(lines), True)
    body = await ours()
    assert [await body.readline(), await body.readline()] == lines.splitlines(keepends=True)[:2]
    assert await anext(body) == lines[9 : 9 + 1024]
    assert (body.closed, body.seekable(), body.writable()) == (False, False, False)
    with pytest.raises(TypeError, match="async for"):
        list(body)  # type: ignore[call-overload]
    body.close()
    assert body.closed


async def test_closing_a_body_releases_its_connection(client: S3Client, bucket: str) -> None:
    await client.put_object(Bucket=bucket, Key="large", Body=b"x" * 5_000_000)
    async with (await client.get_object(Bucket=bucket, Key="large"))["Body"] as body:
        assert len(await body.read(10)) == 10
    assert await body.read() == b""
    assert (await client.head_object(Bucket=bucket, Key="large"))["ContentLength"] == 5_000_000


async def test_an_unread_body_raises_no_warning(client: S3Client, bucket: str) -> None:
    await client.put_object(Bucket=bucket, Key="large", Body=b"x" * 5_000_000)
    for _ in range(3):
        assert (await client.get_object(Bucket=bucket, Key="large"))["ContentLength"] == 5_000_000
    gc.collect()
    assert client.typed.concurrency.in_flight == 0


async def test_a_broken_connection_is_resumed(client: S3Client, bucket: str, cos_emulator: Emulator) -> None:
    data = os.urandom(3_000_000)
    await client.put_object(Bucket=bucket, Key="k", Body=data)
    cos_emulator.faults.script([Truncate(1_000_000, operation="GetObject")])
    async with ibm_boto3.client("s3", **hmac_keys(cos_emulator)) as patient:
        assert await (await patient.get_object(Bucket=bucket, Key="k"))["Body"].read() == data
    # Without another attempt, what came is not taken for the whole.
    cos_emulator.faults.script([Truncate(1_000_000, operation="GetObject")])
    body = (await client.get_object(Bucket=bucket, Key="k"))["Body"]
    with pytest.raises(exceptions.ResponseStreamingError):
        await body.read()
    cos_emulator.faults.script([FlipBit(operation="GetObject")])
    body = (await client.get_object(Bucket=bucket, Key="k"))["Body"]
    with pytest.raises(exceptions.FlexibleChecksumError):
        await body.read()


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
async def test_lines_equal_those_of_botocore(data: bytes, size: int, keepends: bool, cuts: list[int]) -> None:
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
async def test_readline_ends_lines_like_a_file(data: bytes, size: int) -> None:
    body = _body(*(data[at : at + size] for at in range(0, len(data), size)))
    lines = []
    while line := await body.readline():
        lines.append(line)
    assert lines == io.BytesIO(data).readlines()


@given(texts.map(b"".join), st.integers(1, 9), st.integers(0, 5))
async def test_lines_continue_after_a_read(data: bytes, size: int, first: int) -> None:
    body, theirs = _body(data), _theirs(data)
    assert await body.read(first) == theirs.read(first)
    assert [line async for line in body.iter_lines(size)] == list(theirs.iter_lines(size))


async def test_chunk_sizes_of_zero_and_of_the_whole() -> None:
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


async def test_iterating_over_lines_does_not_block_the_event_loop() -> None:
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
