"""The result of a download, its progress, and its limits."""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.net.scripted import reply, scripted
from tests.transfer.conftest import CONFIG, DATA, PART, used

import aiocos
from aiocos.emulator import Delay, Emulator, FlipBit, Status
from aiocos.errors import (
    AccessDenied,
    ConfigError,
    IntegrityError,
    PreconditionFailed,
    ProtocolError,
    TransferError,
)
from aiocos.transfer import Progress
from aiocos.transfer.download import download as downloading
from aiocos.transfer.manager import manager_of


@pytest.fixture
async def stored(small: aiocos.Client) -> aiocos.Client:
    await small.upload("bucket", "parts", DATA)
    await small.objects.put("bucket", "whole", DATA)
    return small


def _serving(data: bytes, *, etag: str | None, chunked: bool = False) -> Callable[[bytes], bytes]:
    def respond(head: bytes) -> bytes:
        asked = re.search(rb"Range: bytes=([0-9]+)-([0-9]+)", head)
        if asked is None:
            return reply(data, etag=etag, length=None if chunked else -1)
        first, last = int(asked[1]), int(asked[2])
        span = f"bytes {first}-{last}/{len(data)}"
        return reply(data[first : last + 1], status=206, etag=etag, Content_Range=span)

    return respond


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(("length", "parts"), [(1_000, 1), (PART, 1), (2 * PART, 2), (2 * PART + 1, 3)])
async def test_a_result_and_its_progress_say_the_same(
    small: aiocos.Client, tmp_path: Path, length: int, parts: int, *, resume: bool
):
    await small.versioning.put("bucket", aiocos.VersioningConfiguration(status="Enabled"))
    first = await small.objects.put("bucket", "key", DATA[:length])
    await small.objects.put("bucket", "key", b"newer")
    events: list[Progress] = []
    given = str(tmp_path / "f")
    result = await small.download("bucket", "key", given, version_id=first.version_id, resume=resume, progress=events.append)
    assert (result.bucket, result.key, result.path) == ("bucket", "key", tmp_path / "f")
    assert (result.etag, result.version_id, result.size) == (first.etag, first.version_id, length)
    assert (result.verified, result.resumed_bytes, result.resume_rejected) == ("crc64nvme", 0, None)
    last = events[-1]
    assert (last.bytes_done, last.bytes_total, last.parts_done, last.parts_total) == (length, length, parts, parts)
    assert (tmp_path / "f").read_bytes() == DATA[:length]


async def test_progress_of_one_that_goes_on(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    # Late enough for the two before it to be done.
    late = Delay(2, operation="GetObject", nth=3)
    cos_emulator.faults.script([late, Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError, match=f"{tmp_path / 'f'} is as it was; the same call continues from there") as caught:
        await stored.download("bucket", "parts", tmp_path / "f", resume=True, concurrency=1)
    assert caught.value.parts_done == 2
    cos_emulator.faults.script([])
    events: list[Progress] = []
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True, progress=events.append)
    assert (result.resumed_bytes, result.size) == (2 * PART, len(DATA))
    assert (events[1].bytes_done, events[1].resumed_bytes) == (2 * PART, 2 * PART)
    last = events[-1]
    assert (last.bytes_done, last.bytes_total, last.resumed_bytes) == (len(DATA), len(DATA), 2 * PART)
    assert (last.parts_done, last.parts_total) == (4, 4)


async def test_memory_is_taken_for_each_range(small: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    taken: list[int] = []
    budget: Any = manager_of(small).budget
    real = budget.acquire

    async def take(size: int, owner: object = None) -> int:
        taken.append(size)
        return await real(size, owner)

    monkeypatch.setattr(budget, "acquire", take)
    for length, expected in ((0, [0]), (1_000, [2_000]), (2**18, [2**19]), (2**18 + 1, [2**21]), (2 * PART + 1, [2**21] * 3)):
        await small.objects.put("bucket", "key", DATA[:length])
        taken.clear()
        await small.download("bucket", "key", tmp_path / "f")
        assert taken == expected
        assert used(small) == 0


@pytest.mark.parametrize(("concurrency", "places"), [(1, 1), (2, 1), (3, 2), (9, 8), (None, 4)])
async def test_ranges_at_once(
    stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int | None, places: int
):
    """The first answer is one of them."""
    made: list[int] = []
    real = asyncio.Semaphore

    def semaphore(value: int = 1) -> asyncio.Semaphore:
        made.append(value)
        return real(value)

    monkeypatch.setattr("aiocos.transfer.download.download.asyncio.Semaphore", semaphore)
    if concurrency is None:
        places = stored.config.transfer.concurrency - 1
    await stored.download("bucket", "parts", tmp_path / "f", concurrency=concurrency)
    assert made == [places]


async def test_ranges_are_of_one_version_and_meet_each_other(tmp_path: Path):
    async with scripted(_serving(DATA, etag='"v"'), config=CONFIG) as (script, cos):
        await cos.download("bucket", "key", tmp_path / "f", part_size=PART, multipart_threshold=0, concurrency=1)
    assert script.ranges == [
        "",
        *(f"bytes={start}-{min(start + PART, len(DATA)) - 1}" for start in range(PART, len(DATA), PART)),
    ]
    assert [b'If-Match: "v"' in head for head in script.heads] == [False, True, True, True]


@pytest.mark.parametrize("part_size", [0, -1])
async def test_a_part_has_a_byte_at_least(small: aiocos.Client, tmp_path: Path, part_size: int):
    await small.objects.put("bucket", "key", b"xyz")
    with pytest.raises(ConfigError, match="part_size is at least 1 byte"):
        await small.download("bucket", "key", tmp_path / "f", part_size=part_size)
    with pytest.raises(ConfigError, match="concurrency"):
        await small.download("bucket", "key", tmp_path / "f", concurrency=0)
    with pytest.raises(ConfigError, match="multipart_threshold"):
        await small.download("bucket", "key", tmp_path / "f", multipart_threshold=-1)
    assert (await small.download("bucket", "key", tmp_path / "f", part_size=1, multipart_threshold=0)).size == 3


async def test_bytes_that_never_verify_are_fetched_three_times(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    events: list[Progress] = []
    cos_emulator.faults.script([FlipBit(operation="GetObject", times=None)])
    with pytest.raises(IntegrityError):
        await stored.download(
            "bucket", "whole", tmp_path / "f", multipart_threshold=10**9, part_size=10**9, progress=events.append
        )
    assert sum(request.operation == "GetObject" for request in cos_emulator.requests) == 3
    assert [event.bytes_done for event in events].count(0) >= 3, "counted anew each time"
    assert os.listdir(tmp_path) == []


async def test_an_object_that_is_too_large_to_be_one(tmp_path: Path):
    for size, refused in ((10 * 2**40 + 1, True), (10 * 2**40, False)):
        async with scripted(reply(b"x", etag='"v"', length=size), config=CONFIG) as (_, cos):
            with pytest.raises((ProtocolError, TransferError, OSError)) as caught:
                await cos.download("bucket", "key", tmp_path / "f")
        assert ("are announced, and an object has at most" in str(caught.value)) is refused
    assert os.listdir(tmp_path) == []


class Chunks:
    """A body that comes in pieces of these lengths."""

    def __init__(self, *lengths: int) -> None:
        self._chunks, at = [], 0
        for length in lengths:
            self._chunks.append(DATA[at : at + length])
            at += length

    async def chunk(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""


MIB = 2**20


@pytest.mark.parametrize(
    ("lengths", "limit", "written", "left"),
    [
        ((), None, [], 0),
        ((5, 6), None, [(7, 11)], 0),
        ((MIB - 1, 1, 5), None, [(7, MIB), (7 + MIB, 5)], 0),
        ((MIB, MIB), None, [(7, MIB), (7 + MIB, MIB)], 0),
        ((MIB - 1, MIB, 5), None, [(7, 2 * MIB - 1), (7 + 2 * MIB - 1, 5)], 0),
        ((5, 6), 11, [(7, 11)], 0),
        ((5, 6), 10, [(7, 10)], 0),
        ((5, 6), 5, [(7, 5)], 1),
        ((5, 6, 7), 12, [(7, 12)], 0),
        ((MIB, 6), MIB + 3, [(7, MIB), (7 + MIB, 3)], 0),
        ((MIB, 6), MIB, [(7, MIB)], 1),
        ((5,), 9, [(7, 5)], 0),
    ],
)
async def test_what_comes_is_written_in_steps_and_no_further_than_asked_for(
    lengths: tuple[int, ...], limit: int | None, written: list[tuple[int, int]], left: int
):
    stream, notes, data = Chunks(*lengths), [], b""
    one: Any = downloading._Attempt.__new__(downloading._Attempt)

    async def write(pieces: list[bytes], length: int, offset: int, verifier: object, range_hash: object) -> None:
        nonlocal data
        assert sum(map(len, pieces)) == length
        notes.append((offset, length))
        data += b"".join(pieces)

    one._write = write
    assert await one._write_stream(stream, 7, limit, None, None) == sum(length for _, length in written)
    assert notes == written
    assert data == DATA[: len(data)]
    assert len(stream._chunks) == left, "what others fetch is not read"


def test_what_failures_mean(tmp_path: Path):
    one: Any = downloading._Attempt.__new__(downloading._Attempt)
    one._what, one._target = "download of it", SimpleNamespace(path=tmp_path / "f")
    one._monitor, one._request = SimpleNamespace(parts_done=3), SimpleNamespace(resume=False)
    replaced, damage, own, busy = PreconditionFailed("x"), IntegrityError("x"), OSError("full"), AccessDenied("no")

    def meaning(*errors: Exception) -> BaseException:
        return one._error_for(ExceptionGroup("g", [*errors]))

    assert meaning(own, damage, replaced) is replaced
    assert meaning(own, busy, damage) is damage
    assert meaning(own, busy) is own
    error = meaning(busy, own)
    assert isinstance(error, TransferError)
    assert (str(error), error.parts_done) == (f"the download of it failed, {tmp_path / 'f'} is as it was: no", 3)
    one._request.resume = True
    assert "is as it was; the same call continues from there: no" in str(meaning(busy))
