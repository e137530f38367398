"""Files and memory under transfers: pieces written as they are, parts' memory used again, hashing in few threads."""

import asyncio
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from aiocos.config import KIB, MIB, ClientConfig, TransferConfig
from aiocos.emulator import Emulator
from aiocos.net.hashing import hashed, pool
from aiocos.transfer import source
from aiocos.transfer.files import read_at, write_at
from aiocos.transfer.plan import Part
from aiocos.transfer.source import origin_of
from aiocos.wire import digest


@pytest.mark.parametrize("short", [None, 1, 7, 100_000])
def test_pieces_are_written_whatever_the_system_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: int | None):
    chance = random.Random(3)
    pieces = [chance.randbytes(chance.randrange(1, 300)) for _ in range(1_500)]
    real = os.pwritev

    def some(fd: int, views: list[memoryview], offset: int) -> int:
        views = list(views)
        assert len(views) <= 1024  # IOV_MAX
        return real(fd, [b"".join(views)[:short]], offset)

    if short is not None:
        monkeypatch.setattr(os, "pwritev", some)
    fd = os.open(tmp_path / "f", os.O_RDWR | os.O_CREAT)
    try:
        write_at(fd, pieces, 5)
        write_at(fd, [], 0)
        buffer = bytearray(sum(map(len, pieces)) + 10)
        assert read_at(fd, buffer, 5) == len(buffer) - 10
    finally:
        os.close(fd)
    assert buffer.startswith(b"".join(pieces))


async def test_the_memory_of_a_part_is_used_again(tmp_path: Path):
    data = os.urandom(3 * MIB + 5)
    (tmp_path / "f").write_bytes(data)
    async with origin_of(tmp_path / "f") as file:
        first = await file.part(Part(1, 0, MIB))
        file.done(first)
        second = await file.part(Part(2, MIB, MIB))
        assert second is first
        assert second == data[MIB : 2 * MIB]
        third = await file.part(Part(3, 2 * MIB, MIB))
        assert third is not second
        file.done(third)
        last = await file.part(Part(4, 3 * MIB, 5))
        assert last == data[-5:]


async def test_the_memory_of_a_part_of_a_stream_is_used_again():
    data = os.urandom(2 * MIB + 5)

    async def pieces():
        for start in range(0, len(data), 70_000):
            yield data[start : start + 70_000]

    async with origin_of(pieces()) as stream:
        first = await stream.part(Part(1, 0, MIB))
        assert first == data[:MIB]
        stream.done(first)
        second = await stream.part(Part(2, MIB, MIB))
        assert second is first
        assert second == data[MIB : 2 * MIB]
        stream.done(second)
        assert bytes(await stream.part(Part(3, 2 * MIB, MIB))) == data[-5:]


async def test_few_threads_hash():
    assert await hashed(digest.digest, "md5", b"x") == digest.digest("md5", b"x")
    assert pool()._max_workers <= (os.cpu_count() or 1)


def test_a_forked_process_hashes():
    code = """
import asyncio, os
from aiocos.net.hashing import hashed
asyncio.run(hashed(len, b"x"))
pid = os.fork()
if pid == 0:
    asyncio.run(asyncio.wait_for(hashed(len, b"x"), 5))
    os._exit(7)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=30).returncode == 7


def test_crc32_is_the_one_of_zlib():
    data = os.urandom(100_003)
    assert digest.crc32(data, 0) == zlib.crc32(data)
    assert digest.crc32(memoryview(data)[50:], digest.crc32(data[:50], 0)) == zlib.crc32(data)


async def test_a_source_that_never_waits_lets_others_run():
    async def pieces():
        for _ in range(64):
            yield bytes(MIB)

    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    async with origin_of(pieces()) as stream:
        await stream.part(Part(1, 0, 64 * MIB))
    counting.cancel()
    assert turns >= 60


async def test_small_files_wait_for_memory_before_they_are_read(tmp_path: Path, cos_emulator: Emulator, monkeypatch):
    """However many of them are asked for at once."""
    size, held, most = 200 * KIB, 0, 0
    real = source._whole

    def counted(path: Path, length: int):
        nonlocal held, most
        held += 1
        most = max(most, held)
        return real(path, length)

    monkeypatch.setattr(source, "_whole", counted)
    (tmp_path / "f").write_bytes(bytes(size))
    config = ClientConfig(transfer=TransferConfig(part_size=5 * MIB, memory=5 * MIB))
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")

        async def one(number: int) -> None:
            nonlocal held
            await cos.upload("bucket", f"k{number}", tmp_path / "f")
            held -= 1

        await asyncio.gather(*map(one, range(100)))
    assert 1 < most < 2 * (5 * MIB // size)
