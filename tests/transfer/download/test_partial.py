"""The file that a download fills and the journal beside it, without a service."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.transfer.conftest import open_files

from aiocos.config import MAX_OBJECT, MAX_PARTS, MIB
from aiocos.errors import IntegrityError
from aiocos.transfer.download import partial as module
from aiocos.transfer.download.partial import PartialFile
from aiocos.transfer.download.target import Target
from aiocos.transfer.parts import PartRange, divide
from aiocos.transfer.reserved_names import is_reserved

WHAT = {"kind": "download", "endpoint": "https://cos", "bucket": "b", "key": "k", "version": None, "target": "file"}


def partial(directory: Path, what: dict[str, Any] | None = WHAT, **more: bool) -> PartialFile:
    return PartialFile(Target.find(directory / "file"), what, **more)


def left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@asynccontextmanager
async def interrupted(directory: Path, size: int = 100, etag: str = '"e"') -> AsyncIterator[PartialFile]:
    """A download that fails after what is done here, and leaves its state."""
    one = partial(directory)
    with pytest.raises(KeyError):
        async with one.open():
            await one.begin(etag, "v", size)
            await one.allocate(size)
            yield one
            raise KeyError


# -- names and ends ---------------------------------------------------------------------------------------------------


def test_names_are_those_that_nothing_else_touches(tmp_path: Path):
    own, other, same = partial(tmp_path, None), partial(tmp_path, None), partial(tmp_path)
    assert all(is_reserved(one._name) for one in (own, other, same))
    assert own._name != other._name, "two downloads at once do not meet"
    assert same._name == partial(tmp_path)._name, "another process finds it"
    assert same._name != partial(tmp_path, {**WHAT, "key": "l"})._name
    assert same._name != partial(tmp_path, {**WHAT, "version": "v"})._name
    assert len(same._name) == len(".file.") + 12 + len(".part")
    assert len(own._name) == len(".file.") + 8 + len(".part")


@pytest.mark.parametrize("what", [None, WHAT])
async def test_a_download_that_is_done_leaves_its_file_alone(tmp_path: Path, what: dict[str, Any] | None):
    one = partial(tmp_path, what)
    async with one.open():
        assert (one.etag, one.resumed, one.rejected) == (None, [], None)
        await one.begin('"e"', None, 10)
        await one.allocate(10)
        await one.write([b"01234", b"56"], 7, 0)
        await one.write([b"789"], 3, 7)
        assert os.pread(one.fd, 20, 0) == b"0123456789"
        assert left(tmp_path) == [one._name.removesuffix(".part") + ".journal", one._name][what is None :]
        await one.finish(Target.find(tmp_path / "file"))
    assert left(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"0123456789"


async def test_what_is_noted_is_found_again(tmp_path: Path):
    async with interrupted(tmp_path) as one:
        await one.write([b"abc", b"de"], 5, 20)
        await one.write([b"fgh"], 3, 25)
        await one.write([b"xyz"], 3, 90)
    assert len(left(tmp_path)) == 2
    journal = (tmp_path / (one._name.removesuffix(".part") + ".journal")).read_text().splitlines()
    assert journal[1] == f"[20,5,{zlib.crc32(b'abcde')}]"
    two = partial(tmp_path)
    async with two.open():
        assert (two.etag, two.size, two.resumed, two.rejected) == ('"e"', 100, [(20, 8), (90, 3)], None)
        assert os.pread(two.fd, 8, 20) == b"abcdefgh"
        await two.discard()
    assert left(tmp_path) == []


async def test_nothing_noted_is_nothing_to_go_on_with(tmp_path: Path):
    async with interrupted(tmp_path):
        pass
    two = partial(tmp_path)
    async with two.open():
        assert (two.etag, two.resumed) == (None, [])
        await two.discard()


async def test_bytes_that_are_not_as_noted_are_missing(tmp_path: Path):
    async with interrupted(tmp_path) as one:
        await one.write([b"abcde"], 5, 0)
        await one.write([b"fghij"], 5, 50)
        os.pwrite(one.fd, b"?", 51)
    two = partial(tmp_path)
    async with two.open():
        assert two.resumed == [(0, 5)]
        await two.discard()


async def test_a_failure_without_a_journal_leaves_nothing(tmp_path: Path):
    for one in (partial(tmp_path, None), partial(tmp_path)):
        with pytest.raises(KeyError):
            async with one.open():
                await one.allocate(5)
                raise KeyError
        assert left(tmp_path) == [], "nothing was begun that could be gone on with"


async def test_what_is_of_another_download_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async with interrupted(tmp_path) as one:
        await one.write([b"abcde"], 5, 0)
    two = partial(tmp_path)
    two._identity = {**WHAT, "bucket": "other"}
    with pytest.raises(KeyError):
        async with two.open():
            assert (two.etag, two.resumed, two.rejected) == (None, [], "it is of another bucket")
            assert f"the download to {tmp_path / 'file'} starts over" in caplog.text
            raise KeyError
    assert left(tmp_path) == []


async def test_a_refusal_is_kept_and_said(tmp_path: Path):
    async with interrupted(tmp_path) as one:
        await one.write([b"abcde"], 5, 0)
    two = partial(tmp_path)
    async with two.open():
        two.reject("for a reason")
        assert (two.etag, two.resumed, two.rejected) == (None, [], "for a reason")
        await two.discard()
    three = partial(tmp_path, None)
    three.reject("for a reason")
    assert three.rejected == "for a reason"


@pytest.mark.parametrize("which", ["part", "journal"])
async def test_beside_something_that_is_not_ours_it_goes_alone(tmp_path: Path, which: str, caplog: pytest.LogCaptureFixture):
    usual = partial(tmp_path)._name
    (tmp_path / (usual.removesuffix("part") + which) / "x").mkdir(parents=True)
    before = left(tmp_path)
    one = partial(tmp_path)
    with pytest.raises(KeyError):
        async with one.open():
            assert one._name != usual
            assert is_reserved(one._name)
            assert one.rejected is not None
            assert "cannot be removed" in one.rejected
            assert "cannot be resumed" in caplog.text
            await one.begin('"e"', None, 5)
            await one.allocate(5)
            await one.write([b"01234"], 5, 0)
            raise KeyError
    assert left(tmp_path) == before


async def test_what_was_planted_is_removed_and_told_of(tmp_path: Path):
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / partial(tmp_path)._name).symlink_to("theirs")
    one = partial(tmp_path)
    async with one.open():
        assert one.rejected is not None
        assert "cannot be opened as a file of this user" in one.rejected
        await one.allocate(5)
        await one.discard()
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


# -- room and small objects -------------------------------------------------------------------------------------------


async def test_room_is_looked_for_and_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one = partial(tmp_path, None)
    async with one.open():
        os.write(one.fd, b"rest of an earlier call")
        for size in (1_000, 0, 5):
            monkeypatch.setattr(module, "_free_space", lambda fd, size=size: size)
            await one.allocate(size)
            assert os.fstat(one.fd).st_size == size
            assert os.pread(one.fd, 100, 0) == bytes(min(size, 100))
        monkeypatch.setattr(module, "_free_space", lambda fd: None)
        await one.allocate(7)
        assert os.fstat(one.fd).st_size == 7
        monkeypatch.setattr(module, "_free_space", lambda fd: 99)
        with pytest.raises(OSError, match="100 bytes, and the disk has room for 99") as caught:
            await one.allocate(100)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "file"))
        assert os.fstat(one.fd).st_size == 0
        await one.discard()


def test_the_room_that_the_system_tells(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "fstatvfs", lambda fd: SimpleNamespace(f_bavail=3, f_frsize=4096, f_blocks=10))
    assert module._free_space(0) == 3 * 4096
    monkeypatch.setattr(os, "fstatvfs", lambda fd: SimpleNamespace(f_bavail=0, f_frsize=4096, f_blocks=0))
    assert module._free_space(0) is None, "a file system that says nothing of its size"
    monkeypatch.delattr(os, "fstatvfs")
    assert module._free_space(0) is None


@pytest.mark.parametrize("data", [b"", b"x", b"some bytes"])
def test_a_small_object_takes_its_place_at_once(tmp_path: Path, data: bytes):
    (tmp_path / "file").write_bytes(b"old")
    partial(tmp_path, None).write_small(data, "the download")
    assert left(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == data


@pytest.mark.parametrize("wrong", [b"other bytes", b"some byte", b"some bytes and more"])
def test_a_small_object_is_read_again_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: bytes):
    (tmp_path / "file").write_bytes(b"old")
    real = module.write_at
    monkeypatch.setattr("aiocos.transfer.download.small.write_at", lambda fd, data, offset: real(fd, [wrong], offset))
    fds = open_files()
    one = partial(tmp_path, None)
    with pytest.raises(IntegrityError, match=r"the download: what was written to .* is not what is there"):
        one.write_small(b"some bytes", "the download")
    assert left(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"
    assert open_files() == fds


@pytest.mark.parametrize("fsync", [True, False])
async def test_it_is_flushed_where_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: bool):
    flushed: list[bool] = []
    monkeypatch.setattr(Target, "replace_with", lambda self, name, fd, *, fsync: flushed.append(fsync))
    partial(tmp_path, None, fsync=fsync).write_small(b"x", "it")
    one = partial(tmp_path, None, fsync=fsync)
    async with one.open():
        await one.finish(Target.find(tmp_path / "file"))
    assert flushed == [fsync, fsync]
    flushed.clear()
    partial(tmp_path, None).write_small(b"x", "it")
    assert flushed == [False]


# -- what a journal may say -------------------------------------------------------------------------------------------

CRC = (1 << 32) - 1


@pytest.mark.parametrize(
    ("begun", "steps"),
    [
        ({"size": 1, "etag": '"e"'}, [[0, 1, 0]]),
        ({"size": 100, "etag": '"' + "e" * 1022 + '"'}, []),
        ({"size": 100, "etag": "e-3"}, [[0, 50, CRC], [50, 50, 0]]),
        ({"size": MAX_OBJECT, "etag": "!#+-~"}, [[MAX_OBJECT - 1, 1, 5], [0, 64 * MIB, 5]]),
        ({"size": 100, "etag": '"e"'}, [[0, 100, 1], [0, 100, 2]]),
        ({"size": 100, "etag": '"e"'}, [[0, 100, 1]] * 5),
    ],
)
def test_notes_that_may_be_ours(begun: dict[str, Any], steps: list[Any]):
    assert module._checked_steps(begun, steps) == sorted({tuple(step) for step in steps})


@pytest.mark.parametrize("size", [None, 0, -1, True, "100", 5.0, MAX_OBJECT + 1])
def test_sizes_that_no_object_has(size: object):
    with pytest.raises(ValueError, match="size"):
        module._checked_steps({"size": size, "etag": '"e"'}, [])


@pytest.mark.parametrize("etag", [None, 5, "", "*", '"a", "b"', "a b", "e" * 1025, "e\n", "é", "e\x7f"])
def test_etags_that_name_no_version(etag: object):
    with pytest.raises(ValueError, match="ETag"):
        module._checked_steps({"size": 100, "etag": etag}, [])


@pytest.mark.parametrize(
    "step",
    [
        *(5, None, {}, [], [0, 1], [0, 1, 2, 3], [0, 1, True], [0, 1.0, 2], ["0", 1, 2]),
        *([-1, 1, 0], [0, 0, 0], [0, -1, 0], [0, 101, 0], [100, 1, 0], [0, 1, -1], [0, 1, CRC + 1]),
    ],
)
def test_notes_that_are_none_of_a_step(step: object):
    with pytest.raises(ValueError, match="a step is"):
        module._checked_steps({"size": 100, "etag": '"e"'}, [[0, 1, 0], step])


def test_notes_of_too_much():
    with pytest.raises(ValueError, match="outside of the object"):
        module._checked_steps({"size": MAX_OBJECT, "etag": '"e"'}, [[0, 64 * MIB + 1, 0]])
    with pytest.raises(ValueError, match="more than the object"):
        module._checked_steps({"size": 100, "etag": '"e"'}, [[0, 100, 1], [0, 100, 2], [0, 1, 0]])


def test_steps_are_read_in_batches():
    half = 32 * MIB
    a, b, c, d = (0, half, 1), (half, half - 1, 2), (2 * half - 1, 1, 3), (2 * half, 5, 4)
    assert list(module._batches([])) == []
    assert list(module._batches([a])) == [[a]]
    assert list(module._batches([a, b, c, d])) == [[a, b, c], [d]]
    assert list(module._batches([a, a, a, a])) == [[a, a], [a, a]]


def test_pieces_are_joined():
    assert module._merged([]) == []
    assert module._merged([(5, 5), (0, 5)]) == [(0, 10)]
    assert module._merged([(0, 5), (6, 1)]) == [(0, 5), (6, 1)]
    assert module._merged([(0, 10), (2, 3), (4, 8)]) == [(0, 12)]
    assert module._merged([(10, 2), (12, 3), (14, 5)]) == [(10, 9)]
    assert len(module._merged([(2 * n, 1) for n in range(MAX_PARTS)])) == MAX_PARTS
    with pytest.raises(ValueError, match=f"{MAX_PARTS + 1} separate ranges"):
        module._merged([(2 * n, 1) for n in range(MAX_PARTS + 1)])


PIECES = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=6)


@given(PIECES, st.integers(1, 50), st.integers(1, 20))
def test_what_is_missing_is_all_that_is_not_kept_and_nothing_else(pieces: list[tuple[int, int]], size: int, width: int):
    kept = module._merged([(offset, min(length, size - offset)) for offset, length in pieces if offset < size])
    one = PartialFile.__new__(PartialFile)
    one.resumed = kept
    parts = list(divide(size, width))
    there = {byte for offset, length in kept for byte in range(offset, offset + length)}
    missing = one.missing(parts)
    assert all(piece.length > 0 for piece in missing)
    assert [byte for piece in missing for byte in range(piece.offset, piece.end)] == sorted(set(range(size)) - there)
    number = {byte: part.number for part in parts for byte in range(part.offset, part.end)}
    assert all({number[byte] for byte in range(piece.offset, piece.end)} == {piece.number} for piece in missing)
    # As few pieces as may be.
    assert not any(a.end == b.offset and a.number == b.number for a, b in pairwise(missing))


def test_what_is_missing_of_many_parts():
    one = PartialFile.__new__(PartialFile)
    one.resumed = [(0, 10), (15, 10), (28, 2)]
    parts = [PartRange(1, 0, 10), PartRange(2, 10, 10), PartRange(3, 20, 10), PartRange(4, 30, 5)]
    assert one.missing(parts) == [PartRange(2, 10, 5), PartRange(3, 25, 3), PartRange(4, 30, 5)]
    one.resumed = [(0, 35)]
    assert one.missing(parts) == []
    one.resumed = []
    assert one.missing(parts) == parts
