"""A service that announces sizes that it does not send (E18). Announced sizes cause neither loops nor use of memory or disk."""

from __future__ import annotations

import asyncio
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.fault_injection.conftest import PART, Saw
from tests.net.scripted import Script, reply, scripted

import aiocos
from aiocos.config import GIB, MIB, TIB
from aiocos.errors import CosError, ProtocolError, RequestTimeoutError
from aiocos.transfer.manager import manager_of
from aiocos.wire.checksum import best

pytestmark = pytest.mark.usefixtures("backend")

RETRY = aiocos.RetryConfig(attempts=2, base=0.001, cap=0.002)
CONFIG = aiocos.ClientConfig(retry=RETRY, transfer=aiocos.TransferConfig(part_size=PART, multipart_threshold=PART))
# The cost that each case may have, whatever size is announced: CPU seconds of this process, and bytes.
SECONDS, MEMORY = 2.0, 32 * MIB


@asynccontextmanager
async def bounded() -> AsyncIterator[None]:
    """Fail if a block uses much CPU time or memory. CPU time, because elapsed time depends on the load of the machine."""
    tracemalloc.start()
    began = time.process_time()
    try:
        yield
        seconds, memory = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds < SECONDS
    assert memory < MEMORY


@asynccontextmanager
async def silent(
    *responses: bytes | Callable[[bytes], bytes], config: aiocos.ClientConfig = CONFIG
) -> AsyncIterator[tuple[Script, aiocos.Client]]:
    """A service that sends response headers and no body."""
    async with scripted(*responses, config=config) as (script, cos):
        script.hold = asyncio.Event()
        yield script, cos


def disk_usage(directory: Path) -> int:
    """Return the bytes on the disk that the files in a directory use."""
    return sum(path.lstat().st_blocks * 512 for path in directory.iterdir())


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("size", [10 * TIB + 1, 16 * TIB, 64 * TIB, (1 << 63) - 1])
async def test_e18_a_size_above_the_maximum_is_refused(tmp_path: Path, size: int, saw: Saw, *, resume: bool) -> None:
    async with silent(reply(length=size)) as (script, cos):
        async with bounded(), asyncio.timeout(20):
            with pytest.raises(ProtocolError, match="10 TiB"):
                await cos.download("bucket", "key", tmp_path / "f", resume=resume, timeout=20)
        assert len(script.heads) == 1
        assert manager_of(cos).budget.used == 0
    assert os.listdir(tmp_path) == []
    saw("E18", "`Content-Length` of 16 TiB to 8 EiB: refused at once, with less than 2 s of CPU time and 32 MiB of memory")


@pytest.mark.parametrize("size", [GIB, 5 * TIB, 10 * TIB])
@pytest.mark.parametrize("part_size", [1, PART, GIB])
async def test_e18_an_announced_body_that_is_not_sent_times_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, part_size: int, saw: Saw
) -> None:
    """The timeout applies, and no disk space is used, even if there is enough."""
    monkeypatch.setattr("aiocos.transfer.download.partial._free_space", lambda fd: 20 * TIB)

    def partial(head: bytes) -> bytes:
        range_ = next((line for line in head.decode().split("\r\n") if line.startswith("Range: bytes=")), None)
        if range_ is None:
            return reply(length=size)
        first, _, last = range_.removeprefix("Range: bytes=").partition("-")
        return reply(length=int(last) - int(first) + 1, status=206, Content_Range=f"bytes {first}-{last}/{size}")

    taken = 0

    async def look() -> None:
        nonlocal taken
        while True:
            taken = max(taken, disk_usage(tmp_path))
            await asyncio.sleep(0.01)

    async with silent(partial) as (script, cos):
        watch = asyncio.create_task(look())
        async with bounded(), asyncio.timeout(20):
            with pytest.raises(RequestTimeoutError):
                await cos.download("bucket", "key", tmp_path / "f", part_size=part_size, timeout=0.5)
        watch.cancel()
        assert 1 <= len(script.heads) <= 16
    assert taken < MIB
    assert os.listdir(tmp_path) == []
    saw("E18", "1 GiB to 10 TiB announced and nothing sent: `RequestTimeoutError` at the deadline, no disk space used")


async def test_e18_more_than_the_free_disk_space_is_refused(tmp_path: Path, saw: Saw) -> None:
    disk = os.statvfs(tmp_path)
    size = min(disk.f_bavail * disk.f_frsize + GIB, 10 * TIB)
    async with silent(reply(length=size)) as (script, cos):
        async with bounded(), asyncio.timeout(20):
            with pytest.raises(OSError, match="No space left on device: the object has"):
                await cos.download("bucket", "key", tmp_path / "f")
        assert len(script.heads) == 1
    assert os.listdir(tmp_path) == []
    saw("E18", "more than the free disk space: `ENOSPC` before any byte is downloaded")


async def test_e18_a_copy_above_the_maximum_size_is_refused(saw: Saw) -> None:
    for size in (10 * TIB + 1, 16 * TIB, 64 * TIB):
        async with silent(reply(length=size)) as (script, cos):
            async with bounded(), asyncio.timeout(20):
                with pytest.raises(CosError, match="10 TiB"):
                    await cos.copy("bucket", "key", "other", "key", timeout=20)
            assert len(script.heads) == 1
    saw("E18", "a copy of more than 10 TiB is refused at once")


async def test_e18_hostile_part_counts_are_ignored(tmp_path: Path, saw: Saw) -> None:
    data = os.urandom(1000)
    whole, md5 = len(data), "0" * 32
    for etag, headers in (
        (f'"{md5}-99999"', {}),
        (f'"{md5}-10001"', {}),
        (f'"{md5}-0"', {}),
        (f'"{md5}-00000"', {}),
        (f'"{md5}-9999999999"', {}),
        (f'"{md5}-5"', {"x_amz_mp_parts_count": "5"}),
        (f'"{md5}-5"', {"x_amz_mp_parts_count": str(10**18)}),
        ('"v"', {"x_amz_mp_parts_count": str(10**30)}),
    ):

        def head_or_get(head: bytes, etag: str = etag, headers: dict[str, str] = headers) -> bytes:
            if head.startswith(b"HEAD"):
                return reply(length=1 << 62, etag=etag, **headers)
            return reply(data, etag=etag, **headers)

        async with scripted(head_or_get, config=CONFIG) as (script, cos):
            async with bounded(), asyncio.timeout(20):
                assert await cos.objects.read("bucket", "key") == data
                result = await cos.download("bucket", "key", tmp_path / "f")
            assert (result.size, result.verified) == (whole, None)
            assert (tmp_path / "f").read_bytes() == data
            assert len(script.heads) < 20
    saw("E18", "part counts of 0 to 10^30 in ETags and headers: the object is read, but not verified by them")


@pytest.mark.parametrize(
    "span", [f"bytes 0-9/{1 << 70}", f"bytes 0-{1 << 62}/{1 << 63}", f"bytes {'9' * 4000}-{'9' * 4000}/*", "bytes 0-9/5"]
)
async def test_e18_impossible_content_ranges_are_refused(tmp_path: Path, span: str) -> None:
    async with silent(reply(length=16 * TIB, status=206, Content_Range=span)) as (_, cos):
        async with bounded(), asyncio.timeout(20):
            for work in (
                cos.objects.read("bucket", "key"),
                cos.objects.read("bucket", "key", range=aiocos.ByteRange(0, 9)),
                cos.download("bucket", "key", tmp_path / "f"),
            ):
                with pytest.raises(CosError):
                    await work
    assert os.listdir(tmp_path) == []


async def test_e18_a_stream_of_any_size_uses_little_memory(saw: Saw) -> None:
    """A stream delivers the bytes that are received and allocates nothing for the announced size."""
    async with silent(reply(b"x" * 1000, length=64 * TIB)) as (_, cos):
        async with bounded(), cos.objects.get("bucket", "key", timeout=0.5) as obj:
            assert obj.size == 64 * TIB
            assert await obj.chunk() == b"x" * 1000
            with pytest.raises(RequestTimeoutError):
                await obj.read()
    async with silent(reply(length=64 * TIB)) as (_, cos):
        async with bounded():
            with pytest.raises(RequestTimeoutError):
                await cos.objects.read("bucket", "key", timeout=0.5)
    saw("E18", "reads and streams of 64 TiB: deliver what is received, until the deadline")


async def test_e18_a_longer_body_than_the_requested_range_is_refused(tmp_path: Path, saw: Saw) -> None:
    """An endless body for a range of ten bytes is refused at the eleventh byte."""
    endless = b'HTTP/1.1 206 X\r\nETag: "v"\r\nContent-Range: bytes 0-9/100\r\nTransfer-Encoding: chunked\r\n\r\n' + (
        b"10000\r\n" + b"x" * 65536 + b"\r\n"
    )
    async with scripted(endless, config=CONFIG) as (_, cos):
        async with bounded():
            with pytest.raises(ProtocolError, match="more than the 10 bytes"):
                await cos.objects.read("bucket", "key", range=aiocos.ByteRange(0, 9))


async def test_e18_a_download_uses_at_most_10000_ranges(small: aiocos.Client, tmp_path: Path) -> None:
    """A download has at most 10,000 ranges, however small the requested part size is; and the file is complete."""
    data = os.urandom(PART + 20_000)
    await small.objects.put("bucket", "key", data)
    seen: list[aiocos.Progress] = []
    result = await small.download("bucket", "key", tmp_path / "f", part_size=1, on_progress=seen.append)
    assert (tmp_path / "f").read_bytes() == data
    assert result.verified == best()
    assert seen[-1].parts_total == 6
