"""Files and memory under transfers: pieces written as they are, parts' memory used again, hashing in few threads."""

import asyncio
import errno
import os
import random
import stat
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.transfer.conftest import open_files
from tests.waiting import until

from aiocos.config import KIB, MIB, ClientConfig, TransferConfig
from aiocos.emulator import Emulator
from aiocos.net.hashing import pool, run_in_hash_pool
from aiocos.transfer.files import (
    NotOurs,
    OpenTarget,
    flush_directory,
    in_thread,
    in_thread_of,
    name_in,
    open_own,
    opened,
    read_at,
    resource,
    write_at,
)
from aiocos.transfer.parts import PartRange
from aiocos.transfer.upload import source
from aiocos.transfer.upload.source import part_source
from aiocos.wire import checksum


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
    async with part_source(tmp_path / "f") as file:
        first = await file.read(PartRange(1, 0, MIB))
        file.recycle(first)
        second = await file.read(PartRange(2, MIB, MIB))
        assert second is first
        assert second == data[MIB : 2 * MIB]
        third = await file.read(PartRange(3, 2 * MIB, MIB))
        assert third is not second
        file.recycle(third)
        last = await file.read(PartRange(4, 3 * MIB, 5))
        assert last == data[-5:]


async def test_the_memory_of_a_part_of_a_stream_is_used_again():
    data = os.urandom(2 * MIB + 5)

    async def pieces():
        for start in range(0, len(data), 70_000):
            yield data[start : start + 70_000]

    async with part_source(pieces()) as stream:
        first = await stream.read(PartRange(1, 0, MIB))
        assert first == data[:MIB]
        stream.recycle(first)
        second = await stream.read(PartRange(2, MIB, MIB))
        assert second is first
        assert second == data[MIB : 2 * MIB]
        stream.recycle(second)
        assert bytes(await stream.read(PartRange(3, 2 * MIB, MIB))) == data[-5:]


async def test_few_threads_hash():
    assert await run_in_hash_pool(checksum.compute, "md5", b"x") == checksum.compute("md5", b"x")
    assert pool()._max_workers <= (os.cpu_count() or 1)


def test_a_forked_process_hashes():
    code = """
import asyncio, os
from aiocos.net.hashing import run_in_hash_pool
asyncio.run(run_in_hash_pool(len, b"x"))
pid = os.fork()
if pid == 0:
    asyncio.run(asyncio.wait_for(run_in_hash_pool(len, b"x"), 5))
    os._exit(7)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=30).returncode == 7


def test_crc32_is_the_one_of_zlib():
    data = os.urandom(100_003)
    assert checksum.crc32(data, 0) == zlib.crc32(data)
    assert checksum.crc32(memoryview(data)[50:], checksum.crc32(data[:50], 0)) == zlib.crc32(data)


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
    async with part_source(pieces()) as stream:
        await stream.read(PartRange(1, 0, 64 * MIB))
    counting.cancel()
    assert turns >= 60


async def test_small_files_wait_for_memory_before_they_are_read(tmp_path: Path, cos_emulator: Emulator, monkeypatch):
    """However many of them are asked for at once."""
    size, held, most = 200 * KIB, 0, 0
    real = source._read_whole

    def counted(path: Path, length: int):
        nonlocal held, most
        held += 1
        most = max(most, held)
        return real(path, length)

    monkeypatch.setattr(source, "_read_whole", counted)
    (tmp_path / "f").write_bytes(bytes(size))
    config = ClientConfig(transfer=TransferConfig(part_size=5 * MIB, max_memory=5 * MIB))
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")

        async def one(number: int) -> None:
            nonlocal held
            await cos.upload("bucket", f"k{number}", tmp_path / "f")
            held -= 1

        await asyncio.gather(*map(one, range(100)))
    assert 1 < most < 2 * (5 * MIB // size)


# -- threads and cancels ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_cancel_waits_for_the_thread(fails: bool, cancels: int):
    entered, go, done = threading.Event(), threading.Event(), []

    def work(number: int, *, more: int) -> int:
        entered.set()
        assert go.wait(30)
        done.append(number + more)
        if fails:
            raise KeyError
        return number + more

    task = asyncio.ensure_future(in_thread(work, 2, more=3))
    await until(entered.is_set, "the thread runs")
    for _ in range(cancels):
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [5]
    assert await in_thread(lambda a, b: (a, b), 1, b=2) == (1, 2)
    with pytest.raises(KeyError):
        await in_thread({}.__getitem__, 5)


async def test_a_thread_of_a_pool():
    with ThreadPoolExecutor(1, "mine") as own:
        assert (await in_thread_of(own, lambda name: (name, threading.current_thread().name), "x"))[1].startswith("mine")


async def test_what_is_taken_is_given_back():
    given: list[int] = []
    async with resource(lambda: 5, given.append) as taken:
        assert (taken, given) == (5, [])
    assert given == [5]
    with pytest.raises(KeyError):
        async with resource(lambda: 6, given.append):
            raise KeyError
    assert given == [5, 6]
    with pytest.raises(ZeroDivisionError):
        async with resource(lambda: 1 // 0, given.append):
            raise AssertionError
    assert given == [5, 6]


@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_taken_while_a_cancel_comes_is_given_back(fails: bool):
    entered, go, given = threading.Event(), threading.Event(), []

    def take() -> int:
        entered.set()
        assert go.wait(30)
        if fails:
            raise KeyError
        return 5

    async def work() -> None:
        async with resource(take, given.append):
            raise AssertionError("never in our hands")

    task = asyncio.ensure_future(work())
    await until(entered.is_set, "the thread runs")
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert given == ([] if fails else [5])


async def test_a_file_is_opened_and_closed(tmp_path: Path):
    before = open_files()
    mask = os.umask(0)
    try:
        async with opened(tmp_path / "f", os.O_RDWR | os.O_CREAT) as fd:
            os.write(fd, b"x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o666
    directory = os.open(tmp_path, os.O_RDONLY)
    async with opened("f", os.O_RDONLY, directory) as fd:
        assert os.read(fd, 5) == b"x"
    target = OpenTarget(tmp_path / "f", directory)
    assert (os.fspath(target), target.path, target.dir_fd) == (str(tmp_path / "f"), tmp_path / "f", directory)
    assert name_in(tmp_path / "f", directory) == "f"
    assert name_in(tmp_path / "f", None) == tmp_path / "f"
    assert name_in(tmp_path / "f", 0) == "f"
    target.close()
    assert open_files() == before


# -- files of ours ----------------------------------------------------------------------------------------------------


def test_a_file_of_ours_is_made_or_opened(tmp_path: Path):
    mask = os.umask(0)
    try:
        fd, removed = open_own(tmp_path / "f", os.O_RDWR, 0o640)
    finally:
        os.umask(mask)
    assert (removed, stat.S_IMODE(os.fstat(fd).st_mode)) == (None, 0o640)
    assert not os.get_blocking(fd), "a pipe that nobody reads would hold it up"
    os.write(fd, b"kept")
    os.close(fd)
    fd, removed = open_own(tmp_path / "f", os.O_RDWR, 0o640)
    assert (removed, os.read(fd, 10)) == (None, b"kept")
    os.close(fd)
    directory = os.open(tmp_path, os.O_RDONLY)
    fd, removed = open_own("f", os.O_RDWR, 0o640, directory)
    assert (removed, os.read(fd, 10)) == (None, b"kept")
    os.close(fd)
    os.close(directory)


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (lambda path: path.symlink_to("victim"), "cannot be opened as a file of this user"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: os.link(path.with_name("victim"), path), "has another name too"),
    ],
)
def test_what_was_planted_is_removed_and_never_written_to(tmp_path: Path, plant: Callable[[Path], None], reason: str):
    (tmp_path / "victim").write_bytes(b"precious")
    plant(tmp_path / "f")
    before = open_files()
    fd, removed = open_own(tmp_path / "f", os.O_RDWR, 0o600)
    os.write(fd, b"ours")
    os.close(fd)
    assert removed is not None
    assert removed.startswith(f"{tmp_path / 'f'} {reason}")
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert (tmp_path / "f").read_bytes() == b"ours"
    assert open_files() == before


def test_what_cannot_be_removed_is_not_ours(tmp_path: Path):
    (tmp_path / "f").mkdir()
    with pytest.raises(NotOurs, match=r"cannot be opened as a file of this user .*, and cannot be removed") as caught:
        open_own(tmp_path / "f", os.O_RDWR, 0o600)
    assert caught.value.errno in (errno.EISDIR, errno.EPERM)


def test_what_comes_again_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    removals = 0
    real = os.unlink

    def again(path: Path, dir_fd: int | None = None) -> None:
        nonlocal removals
        removals += 1
        real(path, dir_fd=dir_fd)
        os.mkfifo(path)

    os.mkfifo(tmp_path / "f")
    monkeypatch.setattr(os, "unlink", again)
    before = open_files()
    with pytest.raises(NotOurs, match="is not a regular file, and is created again whenever it is removed") as caught:
        open_own(tmp_path / "f", os.O_RDWR, 0o600)
    assert (removals, caught.value.errno) == (3, errno.EAGAIN)
    assert open_files() == before


def test_other_errors_are_the_systems(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        open_own(tmp_path / "no" / "f", os.O_RDWR, 0o600)


@pytest.mark.parametrize("error", [errno.EACCES, errno.EPERM, errno.ELOOP])
def test_where_nothing_stands_and_nothing_may_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int):
    def refused(*args: object, **more: object) -> int:
        raise OSError(error, "no")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(OSError, match="no") as caught:
        open_own(tmp_path / "f", os.O_RDWR, 0o600)
    assert isinstance(caught.value, NotOurs) == (error == errno.ELOOP)


# -- to the disk ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "raised"), [(None, False), (errno.EINVAL, False), (errno.ENOTSUP, False), (5, True)])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_directory_is_flushed_where_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int | None, raised: bool, is_open: bool
):
    flushed: list[int] = []

    def fsync(fd: int) -> None:
        flushed.append(os.fstat(fd).st_ino)
        if error is not None:
            raise OSError(error, "no")

    monkeypatch.setattr(os, "fsync", fsync)
    before = open_files()
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        if raised:
            with pytest.raises(OSError, match="no"):
                flush_directory(tmp_path, directory if is_open else None)
        else:
            flush_directory(tmp_path, directory if is_open else None)
        os.fstat(directory)
    finally:
        os.close(directory)
    assert flushed == [tmp_path.stat().st_ino]
    assert open_files() == before


def test_much_is_read_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = os.urandom(2 * MIB + 10)
    (tmp_path / "f").write_bytes(data)
    asked: list[tuple[int, int]] = []
    real = os.preadv

    def preadv(fd: int, buffers: list[memoryview], offset: int) -> int:
        asked.append((offset, sum(map(len, buffers))))
        return real(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", preadv)
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    buffer = bytearray(2 * MIB + 5)
    assert read_at(fd, buffer, 5) == len(buffer)
    assert buffer == data[5:]
    assert asked == [(5, MIB), (5 + MIB, MIB), (5 + 2 * MIB, 5)], "the loop waits for no more than a MiB"
    assert read_at(fd, bytearray(10), len(data) - 3) == 3
    assert read_at(fd, bytearray(), 0) == 0
    os.close(fd)
