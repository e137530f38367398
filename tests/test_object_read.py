"""`read_object` and `compare`: objects read into memory, by the fast path and the general one."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from tests.fake_reads import MD5, WHOLE, WRONG, ChunkedResponse, ReadEngine

from aiocos import ByteRange
from aiocos.errors import ConfigError, CosError, IntegrityError
from aiocos.integrity import Verification, compare
from aiocos.net.hashing import INLINE, run_in_hash_pool
from aiocos.net.retry import RetryBudget
from aiocos.object_checksum import Checksum
from aiocos.object_read import read_object
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import GetObject
from aiocos.wire import checksum as checksums
from aiocos.wire import digest
from aiocos.wire.message import Bytes


async def _read(*responses: Any, operation: GetObject | None = None, **more: Any) -> tuple[bytes, Any]:
    engine: Any = ReadEngine(*responses, **more)
    return await read_object(engine, operation or GetObject("bucket", "k")), engine


async def test_small_object_needs_no_stream(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("aiocos.object_read.ObjectStream", lambda *_: pytest.fail("a stream"))
    for data in (WHOLE, b"", b"x" * INLINE, b"x" * 99_999):
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        assert (await _read(ChunkedResponse(data, arrived=True, ETag=etag)))[0] == data
    assert (await _read(ChunkedResponse(WHOLE, arrived=True, Content_Length="")))[0] == WHOLE


STREAMED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another status": ({"range": ByteRange(0, 99)}, {"status": 206, "Content_Range": "bytes 0-99/200"}),
    "no ETag": ({}, {"ETag": ""}),
    "an ETag without quotes": ({}, {"ETag": MD5.strip('"')}),
    "a range": ({"range": ByteRange(0)}, {}),
    "a part": ({"part_number": 1}, {"Content_Range": "bytes 0-99/100"}),
    "a version": ({"if_match": MD5}, {}),
    "not arrived": ({}, {"arrived": False}),
}


@pytest.mark.parametrize(("asked", "headers"), STREAMED.values(), ids=STREAMED)
async def test_other_responses_are_read_by_a_stream(
    asked: dict[str, Any], headers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    made: list[Any] = []
    monkeypatch.setattr("aiocos.object_read.ObjectStream", lambda *given: made.append(given) or ObjectStream(*given))
    response = ChunkedResponse(WHOLE, **{"arrived": True, **headers})
    data, engine = await _read(response, operation=GetObject("bucket", "k", **asked))
    assert data == WHOLE
    assert [one[2] for one in made] == [response]
    assert len(engine.opened) == 1


@pytest.mark.parametrize("size", [INLINE + 1, 1_000_000])
async def test_large_object_is_read_by_a_stream(size: int, monkeypatch: pytest.MonkeyPatch):
    made: list[Any] = []
    monkeypatch.setattr("aiocos.object_read.ObjectStream", lambda *given: made.append(given) or ObjectStream(*given))
    data = b"x" * size
    assert (await _read(ChunkedResponse(data, arrived=True, ETag=f'"{hashlib.md5(data).hexdigest()}"')))[0] == data
    assert len(made) == 1


async def test_damaged_bytes_are_requested_again(monkeypatch: pytest.MonkeyPatch):
    damaged = [ChunkedResponse(WHOLE, ETag=WRONG) for _ in range(5)]
    assert (await _read(damaged[0], damaged[1], ChunkedResponse(WHOLE)))[0] == WHOLE
    engine: Any = ReadEngine(*[ChunkedResponse(WHOLE, ETag=WRONG) for _ in range(5)])
    with pytest.raises(IntegrityError):
        await read_object(engine, GetObject("bucket", "k"))
    assert len(engine.opened) == 3
    # Without budget there is no further attempt.
    engine = ReadEngine(*[ChunkedResponse(WHOLE, ETag=WRONG) for _ in range(5)])
    monkeypatch.setattr(RetryBudget, "take", lambda _: False)
    with pytest.raises(IntegrityError):
        await read_object(engine, GetObject("bucket", "k"))
    assert len(engine.opened) == 1


async def test_attempts_share_one_deadline(monkeypatch: pytest.MonkeyPatch):
    engine: Any = ReadEngine(*[ChunkedResponse(WHOLE, ETag=WRONG) for _ in range(5)])
    loop = asyncio.get_running_loop()
    now, opened = loop.time(), engine.open
    monkeypatch.setattr(loop, "time", lambda: now)

    async def slowly(operation: Any) -> Any:
        nonlocal now
        now += 10
        return await opened(operation)

    engine.open = slowly
    with pytest.raises(IntegrityError):
        await read_object(engine, GetObject("bucket", "k", timeout=20))
    assert [one.timeout for one in engine.opened] == [20, 10]


async def test_multipart_object_is_compared_in_memory():
    good, bad = (f'"{digest.composite_etag([hashlib.md5(data).digest()])}"' for data in (WHOLE, b"?"))
    assert (await _read(ChunkedResponse(WHOLE, ETag=good)))[0] == WHOLE
    with pytest.raises(IntegrityError, match="GetObject bucket/k"):
        await _read(*[ChunkedResponse(WHOLE, ETag=bad) for _ in range(3)])


class FakeChecksum(Checksum):
    """A checksum that expects a number of bytes."""

    def __init__(self, expected: int, kind: Any = "composite") -> None:
        super().__init__(kind, str(expected), self._count, lambda: str(self.read))
        self.read = 0

    def _count(self, data: Bytes) -> None:
        self.read += len(data)


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (FakeChecksum(100), "unused", "composite"),
        (FakeChecksum(99), "none", None),
        (FakeChecksum(99), "the same", "unchecked"),
        (FakeChecksum(99), FakeChecksum(100, "crc32"), "crc32"),
        (FakeChecksum(99), FakeChecksum(98, "crc32"), "unchecked"),
        (FakeChecksum(99), None, "unchecked"),
    ],
)
async def test_compare_in_memory(first: Any, second: Any, outcome: str | None):
    first.read = 0
    checked: list[Any] = []
    asked = 0

    async def fallback() -> Any:
        nonlocal asked
        asked += 1
        return None if second == "none" else first if second == "the same" else second

    async def check(checksum: Any, what: str) -> bool:
        checked.append((checksum, what))
        return checksum.agrees

    verification = Verification(first, check, None if second is None else fallback)
    found = await compare(verification, WHOLE, "it")
    assert found == (None if outcome == "unchecked" else outcome)
    assert asked == (0 if second in ("unused", None) else 1)
    last = second if isinstance(second, FakeChecksum) else first
    assert checked == ([] if second == "none" else [(last, "it")])
    assert (first.read, last.read) == (100, 100)


@pytest.mark.parametrize(("size", "threads"), [(INLINE, 0), (INLINE + 1, 1)])
async def test_large_objects_are_hashed_in_a_thread(size: int, threads: int, monkeypatch: pytest.MonkeyPatch):
    used: list[int] = []

    async def counted(update: Any, data: bytes) -> None:
        used.append(len(data))
        await run_in_hash_pool(update, data)

    monkeypatch.setattr("aiocos.object_checksum.run_in_hash_pool", counted)
    checksum: Any = FakeChecksum(size)

    async def check(checksum: Any, what: str) -> bool:
        return checksum.agrees

    assert await compare(Verification(checksum, check), b"x" * size, "it") == "composite"
    assert len(used) == threads


CRC, CRC_OF_NOTHING = (checksums.encode(checksums.compute("crc64nvme", data)) for data in (WHOLE, b""))


# -- the fast path beside the general one -----------------------------------------------------------------------------

# Not among them: a Content-Length that differs from the body. HTTP parsers do not return such a response as complete.
WHOLES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "a small object": (WHOLE, {}),
    "an empty object": (b"", {"ETag": f'"{hashlib.md5(b"").hexdigest()}"'}),
    "no length": (WHOLE, {"Content_Length": ""}),
    "an ETag in upper case": (WHOLE, {"ETag": MD5.upper()}),
    "a weak ETag": (WHOLE, {"ETag": f"W/{MD5}"}),
    "an ETag without quotes": (WHOLE, {"ETag": MD5.strip('"')}),
    "an ETag that differs": (WHOLE, {"ETag": WRONG}),
    "no ETag": (WHOLE, {"ETag": ""}),
    "a CRC": (WHOLE, {"x_amz_checksum_crc64nvme": CRC, "ETag": WRONG}),
    "a CRC of type FULL_OBJECT": (
        WHOLE,
        {"x_amz_checksum_crc64nvme": CRC, "x_amz_checksum_type": "FULL_OBJECT", "ETag": WRONG},
    ),
    "a CRC of type COMPOSITE": (WHOLE, {"x_amz_checksum_crc64nvme": CRC, "x_amz_checksum_type": "COMPOSITE", "ETag": WRONG}),
    "a CRC with the number of parts": (WHOLE, {"x_amz_checksum_crc64nvme": f"{CRC}-2"}),
    "a CRC that differs": (WHOLE, {"x_amz_checksum_crc64nvme": CRC_OF_NOTHING}),
    "a CRC that is none": (WHOLE, {"x_amz_checksum_crc64nvme": "?"}),
    "a CRC of the customer's key": (
        WHOLE,
        {"x_amz_server_side_encryption_customer_algorithm": "AES256", "ETag": WRONG, "x_amz_checksum_crc64nvme": CRC},
    ),
    "a customer's key": (WHOLE, {"x_amz_server_side_encryption_customer_algorithm": "AES256", "ETag": WRONG}),
    "a Content-Range": (WHOLE, {"Content_Range": "bytes 0-99/100"}),
    "a Content-Range of another part": (WHOLE, {"Content_Range": "bytes 100-199/200"}),
    "a web page": (WHOLE, {"Content_Type": "text/html"}),
    "status 203": (WHOLE, {"status": 203}),
}


@pytest.mark.parametrize(("data", "headers"), WHOLES.values(), ids=WHOLES)
async def test_fast_path_gives_the_result_of_the_general_path(data: bytes, headers: dict[str, Any]):
    """A response that arrives at once may be read by `read_arrived`; one that does not is always read by `ObjectStream`."""

    async def outcome(arrived: bool) -> object:
        try:
            return (await _read(ChunkedResponse(data, arrived=arrived, **headers), attempts=1))[0]
        except CosError as error:
            return type(error), str(error)

    assert await outcome(True) == await outcome(False)


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("etag", [MD5, WRONG, '"no-md5"'])
async def test_stream_of_a_body_that_has_arrived_reads_like_any_other(arrived: bool, etag: str) -> None:
    """A body that arrived with its headers is verified in one step, and its stream is at its end then."""

    async def told(stream: ObjectStream) -> Any:
        try:
            return await stream.read()
        except IntegrityError as error:
            return str(error)

    engine = ReadEngine(ChunkedResponse(WHOLE[:40], WHOLE[40:], arrived=arrived, ETag=etag))
    async with ObjectStream(engine, GetObject("b", "k")) as stream:
        first, second, rest = await told(stream), await told(stream), await told(stream)
    if etag == WRONG:
        assert first == second == rest
        assert "5555" in first
    else:
        assert (first, second, rest) == (WHOLE, b"", b"")


@pytest.mark.parametrize("arrived", [True, False])
async def test_part_of_a_body_was_read_before(arrived: bool) -> None:
    engine = ReadEngine(ChunkedResponse(WHOLE[:40], WHOLE[40:], arrived=arrived))
    async with ObjectStream(engine, GetObject("b", "k")) as stream:
        assert await stream.chunk() + await stream.read() == WHOLE
        stream.close()
        with pytest.raises(ConfigError):
            await stream.read()
