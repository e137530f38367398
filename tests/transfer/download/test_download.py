"""Downloads: whole and verified, or nothing at all."""

import asyncio
import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.net.scripted import reply, scripted
from tests.proxy import proxy_to
from tests.transfer.conftest import CONFIG, DATA, PART, used

import aiocos
from aiocos.emulator import Delay, Emulator, FlipBit, Reset, Status, Truncate
from aiocos.errors import (
    ConfigError,
    ConnectionLostError,
    IntegrityError,
    NotModified,
    PreconditionFailed,
    ProtocolError,
    TransferError,
)
from aiocos.transfer import Progress
from aiocos.transfer.download import partial
from aiocos.transfer.files import OpenTarget


@pytest.fixture
async def stored(small: aiocos.Client) -> aiocos.Client:
    await small.upload("bucket", "parts", DATA)
    await small.objects.put("bucket", "whole", DATA)
    return small


@pytest.mark.parametrize(("key", "verified"), [("parts", "crc64nvme"), ("parts", "composite"), ("whole", "md5")])
@pytest.mark.parametrize("part_size", [None, 1_000_000, PART + 1, 10**9])
async def test_every_way_of_cutting(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, key: str, verified: str, part_size: int | None
):
    cos_emulator.checksums = verified == "crc64nvme"
    result = await stored.download("bucket", key, tmp_path / "f", part_size=part_size)
    assert (tmp_path / "f").read_bytes() == DATA
    assert (result.verified, result.size, result.path) == (verified, len(DATA), tmp_path / "f")
    assert os.listdir(tmp_path) == ["f"]
    assert used(stored) == 0


@pytest.mark.parametrize("length", [0, 1, PART, PART + 1])
async def test_lengths(small: aiocos.Client, tmp_path: Path, length: int):
    await small.objects.put("bucket", "key", DATA[:length])
    result = await small.download("bucket", "key", str(tmp_path / "f"))
    assert (tmp_path / "f").read_bytes() == DATA[:length]
    assert result.verified == "crc64nvme"


@pytest.mark.usefixtures("without_checksums")
async def test_parts_of_different_sizes_are_verified(small: aiocos.Client, tmp_path: Path):
    upload = (await small.multipart.create("bucket", "key")).upload_id
    parts, data = [], b""
    for number, length in enumerate((PART + 1000, PART, PART + 77, 123), 1):
        piece = os.urandom(length)
        put = await small.multipart.upload_part("bucket", "key", upload, number, piece)
        parts.append(aiocos.CompletedPart(etag=put.etag, part_number=number))
        data += piece
    await small.multipart.complete("bucket", "key", upload, parts)
    result = await small.download("bucket", "key", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == data
    assert result.verified == "composite"


@pytest.mark.parametrize("verified", ["crc64nvme", None])
async def test_a_customers_key(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, verified: str | None):
    cos_emulator.checksums = verified is not None
    key = os.urandom(32)
    await small.upload("bucket", "key", DATA, customer_key=key)
    result = await small.download("bucket", "key", tmp_path / "f", customer_key=key)
    assert (tmp_path / "f").read_bytes() == DATA
    assert result.verified == verified, "under a customer's key an ETag is no checksum, and is not taken for one"


async def test_a_failure_leaves_the_old_file(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    target = tmp_path / "f"
    target.write_bytes(b"old")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError, match="as it was"):
        await stored.download("bucket", "parts", target)
    cos_emulator.faults.clear()
    for key, error in (("missing", aiocos.NoSuchKey), ("parts", NotModified)):
        with pytest.raises(error):
            await stored.download("bucket", key, target, if_none_match="*" if key == "parts" else None)
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]
    assert used(stored) == 0


async def test_a_full_disk(stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(fd: int, data: bytearray, offset: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(partial, "write_at", full)
    for key in ("parts", "whole"):
        with pytest.raises(OSError, match="No space left") as caught:
            await stored.download("bucket", key, tmp_path / "f")
        assert caught.value.filename == str(tmp_path / "f"), "which disk is full"
    assert os.listdir(tmp_path) == []
    assert used(stored) == 0


async def test_places_that_cannot_be(stored: aiocos.Client, tmp_path: Path):
    with pytest.raises(ConfigError, match="is a directory"):
        await stored.download("bucket", "parts", tmp_path)
    with pytest.raises(ConfigError, match="not a directory"):
        await stored.download("bucket", "parts", tmp_path / "missing" / "f")


@pytest.mark.parametrize("key", ["parts", "whole"])
async def test_an_object_that_is_replaced_meanwhile_is_never_mixed(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, key: str
):
    target = tmp_path / "f"
    target.write_bytes(b"old")
    cos_emulator.faults.script([Delay(0.3, operation="GetObject", nth=2, times=None)])
    job = asyncio.create_task(stored.download("bucket", key, target, concurrency=2))
    await asyncio.sleep(0.15)
    await stored.objects.put("bucket", key, os.urandom(len(DATA)))
    with pytest.raises(PreconditionFailed):
        await job
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("fault", [Truncate(700_000), Reset(sent=700_000), Status(503, code="SlowDown"), Reset()])
async def test_connections_that_break_are_taken_up(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, fault):
    fault.operation, fault.times = "GetObject", 3
    cos_emulator.faults.script([fault])
    assert (await stored.download("bucket", "parts", tmp_path / "f")).verified == "crc64nvme"
    assert (tmp_path / "f").read_bytes() == DATA
    assert len(cos_emulator.faults.hits) == 3


async def test_a_connection_that_stalls_is_given_up_for_another(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    config = aiocos.ClientConfig(idle_timeout=0.3, transfer=CONFIG.transfer, retry=CONFIG.retry)
    async with proxy_to(cos_emulator.endpoint) as proxy:
        cos = aiocos.Client(
            proxy.url,
            access_key_id=cos_emulator.access_key_id,
            secret_access_key=cos_emulator.secret_access_key,
            config=config,
        )
        async with cos:
            job = asyncio.create_task(cos.download("bucket", "parts", tmp_path / "f"))
            while proxy.bytes_down < 2_000_000:
                await asyncio.sleep(0)
            proxy.passing.clear()
            await asyncio.sleep(0.2)
            proxy.passing.set()
            await job
    assert (tmp_path / "f").read_bytes() == DATA


@pytest.mark.parametrize("key", ["parts", "whole"])
async def test_a_flipped_bit_is_found_and_the_object_read_again(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, key: str
):
    cos_emulator.faults.script([FlipBit(1000, operation="GetObject", nth=2)])
    assert (await stored.download("bucket", key, tmp_path / "f")).verified
    assert (tmp_path / "f").read_bytes() == DATA
    assert len(cos_emulator.faults.hits) == 1
    (tmp_path / "f").write_bytes(b"old")
    cos_emulator.faults.script([FlipBit(1000, operation="GetObject", times=None)])
    with pytest.raises(IntegrityError):
        await stored.download("bucket", key, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


async def test_progress_and_deadline(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    events: list[Progress] = []
    await stored.download("bucket", "parts", tmp_path / "f", progress=events.append)
    assert (events[0].state, events[-1].state) == ("queued", "done")
    assert (events[-1].bytes_done, events[-1].parts_done) == (len(DATA), 4)
    assert [e.bytes_done for e in events] == sorted(e.bytes_done for e in events)
    cos_emulator.faults.script([Delay(2, operation="GetObject", times=None)])
    with pytest.raises(aiocos.RequestTimeoutError, match="download of bucket/parts"):
        await stored.download("bucket", "parts", tmp_path / "g", timeout=0.3)
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.usefixtures("without_checksums")
@pytest.mark.parametrize("sizes", [(PART + 1000, PART, PART + 2000), (PART + 3, PART + 9, PART, PART)])
async def test_uneven_parts_that_look_even_accuse_nobody(small: aiocos.Client, tmp_path: Path, sizes: tuple[int, ...]):
    """What the first part and the size tell may fit parts of one size, and be wrong."""
    assert 0 < sum(sizes) - sizes[0] * (len(sizes) - 1) <= sizes[0]
    upload = (await small.multipart.create("bucket", "key")).upload_id
    parts, data = [], os.urandom(sum(sizes))
    start = 0
    for number, length in enumerate(sizes, 1):
        put = await small.multipart.upload_part("bucket", "key", upload, number, data[start : start + length])
        parts.append(aiocos.CompletedPart(etag=put.etag, part_number=number))
        start += length
    await small.multipart.complete("bucket", "key", upload, parts)
    result = await small.download("bucket", "key", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == data
    assert result.verified == "composite"


async def test_a_long_file_name(small: aiocos.Client, tmp_path: Path):
    for name in ("n" * 255, "ü" * 127):
        await small.objects.put("bucket", "key", b"data")
        await small.download("bucket", "key", tmp_path / name)
        assert (tmp_path / name).read_bytes() == b"data"


async def test_a_device_or_a_pipe_is_not_replaced_by_a_file(stored: aiocos.Client, tmp_path: Path):
    """For root, a download to /dev/null would take its place."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for name in ("pipe", "link"):
        with pytest.raises(ConfigError, match="not a regular file"):
            await stored.download("bucket", "whole", tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert (tmp_path / "link").is_symlink()


async def test_a_download_may_have_a_threshold_of_its_own(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    await small.upload("bucket", "key", DATA)
    for threshold, ranges in ((len(DATA), 1), (len(DATA) - 1, 4), (0, 4)):
        cos_emulator.faults.script([Delay(0, operation="GetObject", times=None)])
        await small.download("bucket", "key", tmp_path / "f", multipart_threshold=threshold)
        assert len(cos_emulator.faults.hits) == ranges
        assert (tmp_path / "f").read_bytes() == DATA
    with pytest.raises(ConfigError, match="multipart_threshold"):
        await small.download("bucket", "key", tmp_path / "f", multipart_threshold=-1)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("key", ["parts", "small"])
async def test_an_open_directory_is_written_to_whatever_its_path_leads_to(
    stored: aiocos.Client, tmp_path: Path, key: str, *, resume: bool
):
    await stored.objects.put("bucket", "small", b"data")
    for name in ("root", "outside"):
        (tmp_path / name).mkdir()
    target = OpenTarget(tmp_path / "root" / "f", os.open(tmp_path / "root", os.O_RDONLY))
    try:
        (tmp_path / "root").rename(tmp_path / "moved")
        (tmp_path / "root").symlink_to("outside")
        result = await stored.download("bucket", key, target, resume=resume)
        assert (tmp_path / "moved" / "f").stat().st_size == result.size
        assert result.path == tmp_path / "root" / "f"
        with pytest.raises(aiocos.NoSuchKey):
            await stored.download("bucket", "missing", target, resume=resume)
        (tmp_path / "moved" / "f").unlink()
        (tmp_path / "moved" / "f").symlink_to(tmp_path / "outside")
        with pytest.raises(ConfigError, match="not a regular file"):
            await stored.download("bucket", key, target, resume=resume)
    finally:
        target.close()
    assert os.listdir(tmp_path / "outside") == []
    assert os.listdir(tmp_path / "moved") == ["f"]


async def test_progress_of_a_small_object(small: aiocos.Client, tmp_path: Path):
    await small.objects.put("bucket", "key", b"x" * 1000)
    events: list[Progress] = []
    await small.download("bucket", "key", tmp_path / "f", progress=events.append)
    last = events[-1]
    assert (last.state, last.bytes_done, last.bytes_total, last.parts_done, last.parts_total) == ("done", 1000, 1000, 1, 1)
    assert [event.bytes_done for event in events if event.state == "running"] == [1000]


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
@pytest.mark.parametrize(
    ("size", "threshold", "part_size", "requests"),
    [
        (PART, PART, PART, 1),
        (PART + 1, PART, PART, 2),
        (PART + 1, PART + 1, PART, 1),
        (PART + 1, 0, PART, 2),
        (PART + 1, 0, PART + 1, 1),
        (PART + 1, 0, 2**20, 6),
    ],
)
async def test_one_request_up_to_threshold_and_part_size(
    tmp_path: Path, size: int, threshold: int, part_size: int, requests: int, *, resume: bool
):
    data = DATA[:size]
    async with scripted(_serving(data, etag='"v"'), config=CONFIG) as (script, cos):
        result = await cos.download(
            "bucket", "key", tmp_path / "f", multipart_threshold=threshold, part_size=part_size, resume=resume
        )
    assert ((tmp_path / "f").read_bytes() == data, result.size, len(script.heads)) == (True, size, requests)
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(("etag", "chunked"), [(None, False), ('"v"', True), (None, True)])
@pytest.mark.parametrize("size", [0, 1000, len(DATA)])
async def test_without_a_version_or_a_size_there_are_no_ranges(
    tmp_path: Path, size: int, etag: str | None, chunked: bool, resume: bool
):
    """Ranges could be of two versions; and what has no size cannot be cut. Nothing of it is kept for another call."""
    data = DATA[:size]
    async with scripted(_serving(data, etag=etag, chunked=chunked), config=CONFIG) as (script, cos):
        result = await cos.download("bucket", "key", tmp_path / "f", resume=resume)
    assert ((tmp_path / "f").read_bytes() == data, result.size, result.verified) == (True, size, None)
    assert script.ranges == [""]
    broken = reply(data[: size // 2], etag=etag, length=size or 1)
    (tmp_path / "f").unlink()
    async with scripted(broken, config=CONFIG) as (_, cos):
        with pytest.raises((ConnectionLostError, TransferError, ProtocolError)):
            await cos.download("bucket", "key", tmp_path / "f", resume=resume)
    assert [name for name in os.listdir(tmp_path) if etag is None] == []


async def test_an_object_that_was_longer_on_the_disk(small: aiocos.Client, tmp_path: Path, cos_emulator: Emulator):
    """What is there of an earlier call, and is not gone on with, leaves nothing behind the end of the new one."""
    await small.objects.put("bucket", "key", DATA)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError):
        await small.download("bucket", "key", tmp_path / "f", resume=True, concurrency=1)
    cos_emulator.faults.script([])
    for length in (2 * PART, 1000, 0):
        await small.objects.put("bucket", "key", DATA[:length])
        result = await small.download("bucket", "key", tmp_path / "f", resume=True)
        assert ((tmp_path / "f").read_bytes() == DATA[:length], result.size) == (True, length)
