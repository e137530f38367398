"""Sources, each by itself: their parts, their memory, and their end."""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import open_files

from aiocos.config import KIB, MIB
from aiocos.errors import ConfigError, TransferError
from aiocos.transfer.parts import PartRange, divide
from aiocos.transfer.upload import source as module
from aiocos.transfer.upload.source import PartSource, part_source

DATA = os.urandom(1_000_003)
SMALL = 256 * KIB
"""Up to this a file is read in one trip."""


async def whole(origin: PartSource, size: int = len(DATA), part_size: int = 300_000) -> bytes:
    out = b""
    for part in divide(size, part_size):
        await origin.wait_readable()
        data = await origin.read(part)
        assert len(data) == part.length
        out += bytes(data)
        origin.recycle(data)
    return out


class Sized:
    """A reader that gives as much as it is asked for, and tells of it."""

    def __init__(self, data: bytes, most: int = 1 << 30) -> None:
        self._file = io.BytesIO(data)
        self._most = most
        self.asked: list[int] = []

    def read(self, size: int) -> bytes:
        self.asked.append(size)
        return self._file.read(min(size, self._most))


class Awaited(Sized):
    async def read(self, size: int) -> bytes:  # type: ignore[override]
        return super().read(size)


class Wrapped(Sized):
    """A plain function that returns an awaitable."""

    def read(self, size: int) -> Any:
        async def later() -> bytes:
            return Sized.read(self, size)

        return later()


async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
        yield b""


# -- what can be read anywhere ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: memoryview(array("B", data)).cast("B")])
async def test_memory_is_not_copied(kind: Any):
    async with part_source(kind(DATA)) as origin:
        assert (origin.size, origin.ordered, origin.path, origin.mtime) == (len(DATA), False, None, None)
        assert await origin.read(PartRange(3, 10, 5)) == DATA[10:15]
        assert isinstance(await origin.read(PartRange(1, 0, 1)), memoryview)
        assert await whole(origin) == DATA
        await origin.check_unchanged()


async def test_memory_is_counted_in_bytes():
    async with part_source(memoryview(array("I", [1, 2, 3]))) as origin:
        assert origin.size == 12
        assert len(await origin.read(PartRange(1, 0, 12))) == 12


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, len(DATA)])
async def test_a_file_by_its_path(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "f"
    path.write_bytes(DATA[:size])
    os.utime(path, ns=(5, 1_700_000_000_123_456_789))
    monkeypatch.chdir(tmp_path)
    descriptors = open_files()
    for place in (path, "f", Path("f")):
        origin = part_source(place)
        async with origin as entered:
            assert entered is origin
            assert (origin.size, origin.ordered, origin.path) == (size, False, str(path))
            assert origin.mtime == 1_700_000_000_123_456_789
            held = open_files() - descriptors
            assert held == (size > SMALL), "a small one is not held open"
            assert await whole(origin, size) == DATA[:size]
            if size > 20:
                assert bytes(await origin.read(PartRange(9, 10, 7))) == DATA[10:17], "in any order"
            await origin.check_unchanged()
        assert open_files() == descriptors


@pytest.mark.parametrize("size", [1_000, len(DATA)])
@pytest.mark.parametrize("change", ["time", "size"])
async def test_a_file_that_changes_is_noticed(tmp_path: Path, size: int, change: str):
    path = tmp_path / "f"
    path.write_bytes(DATA[:size])
    os.utime(path, ns=(5, 5))
    async with part_source(path) as origin:
        await origin.read(PartRange(1, 0, 10))
        await origin.check_unchanged()
        if change == "time":
            os.utime(path, ns=(5, 6))
        else:
            with path.open("ab") as file:
                file.write(b"more")
            os.utime(path, ns=(5, 5))
        await origin.read(PartRange(1, 0, 10))
        with pytest.raises(TransferError, match=f"{path} was changed while it was read"):
            await origin.check_unchanged()


@pytest.mark.parametrize("size", [1_000, len(DATA)])
async def test_a_file_that_becomes_shorter(tmp_path: Path, size: int):
    path = tmp_path / "f"
    path.write_bytes(DATA[:size])
    async with part_source(path) as origin:
        os.truncate(path, 995)
        assert bytes(await origin.read(PartRange(1, 900, 95))) == DATA[900:995]
        with pytest.raises(TransferError, match=f"{path} became shorter while it was read: it ends at 995 bytes"):
            await origin.read(PartRange(1, 990, 10))


async def test_a_file_that_grew_between_the_look_and_the_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "f"
    path.write_bytes(DATA)
    real = module._stat_regular

    def look(path: Path) -> os.stat_result:
        found = real(path)
        with path.open("ab") as file:
            file.write(b"more")
        os.utime(path, ns=(5, 5))
        return found

    monkeypatch.setattr(module, "_stat_regular", look)
    async with part_source(path) as origin:
        assert (origin.size, origin.mtime) == (len(DATA) + 4, 5)
        await origin.check_unchanged()


async def test_what_is_no_regular_file(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", "/dev/null"):
        with pytest.raises(ConfigError, match="not a regular file: open it and give the file object"):
            async with part_source(place):
                pass


async def test_memory_is_used_again_where_it_has_the_length(tmp_path: Path):
    (tmp_path / "f").write_bytes(DATA)
    async with part_source(tmp_path / "f") as origin:
        a, b = await origin.read(PartRange(1, 0, 1_000)), await origin.read(PartRange(2, 1_000, 1_000))
        assert a is not b
        origin.recycle(a)
        origin.recycle(memoryview(b))
        c = await origin.read(PartRange(3, 2_000, 999))
        assert c is not a
        d = await origin.read(PartRange(4, 3_000, 1_000))
        assert d is a
        assert d == DATA[3_000:4_000]
        assert (await origin.read(PartRange(5, 4_000, 1_000))) not in (a, b, c)


# -- what is read in order --------------------------------------------------------------------------------------------

ORDERED: dict[str, Any] = {
    "file": lambda data: io.BytesIO(data),
    "short reads": lambda data: Sized(data, 1_000),
    "coroutine": lambda data: Awaited(data, 70_001),
    "wrapper": lambda data: Wrapped(data, 70_001),
    "chunks": lambda data: chunks(data, 10_007),
    "one chunk": lambda data: chunks(data, 10_000_000),
    "iterator": lambda data: iter([data[:5], b"", data[5:400_000], bytearray(data[400_000:])]),
    "list": lambda data: [data[:5], data[5:]],
}


@pytest.mark.parametrize("size", [0, 1, 299_999, 300_000, 300_001, len(DATA)])
@pytest.mark.parametrize("name", ORDERED)
async def test_a_stream_in_parts(name: str, size: int):
    async with part_source(ORDERED[name](DATA[:size])) as origin:
        assert (origin.size, origin.ordered, origin.path) == (None, True, None)
        out: list[bytes] = []
        for number in range(1, 20):
            await origin.wait_readable()
            data = await origin.read(PartRange(number, 0, 300_000))
            out.append(bytes(data))
            origin.recycle(data)
            if len(data) < 300_000:
                break
        assert b"".join(out) == DATA[:size]
        assert [len(data) for data in out] == [300_000] * (size // 300_000) + [size % 300_000]
        assert len(await origin.read(PartRange(20, 0, 5))) == 0, "the end stays the end"
        await origin.wait_readable()
        await origin.check_unchanged()


@pytest.mark.parametrize("kind", [Sized, Awaited, Wrapped])
async def test_a_reader_is_asked_for_what_is_missing(kind: type[Sized]):
    reader = kind(DATA)
    async with part_source(reader) as origin:  # type: ignore[arg-type]
        await origin.read(PartRange(1, 0, 300_000))
        await origin.read(PartRange(2, 0, 300_000))
        assert reader.asked == [300_000, 300_000]
        await origin.wait_readable()
        await origin.wait_readable()
        assert reader.asked[2:] == [64 * KIB], "before there is room for a part, little is read"
        await origin.read(PartRange(3, 0, 300_000))
        assert reader.asked[3:] == [300_000 - 64 * KIB]
        await origin.read(PartRange(4, 0, 300_000))
        assert reader.asked[4:] == [300_000, 300_000 - (len(DATA) - 900_000)]
        await origin.read(PartRange(5, 0, 300_000))
        assert len(reader.asked) == 6, "after the empty read it is not asked any more"
        await origin.read(PartRange(6, 0, 300_000))
        assert len(reader.asked) == 6


async def test_a_part_that_is_whole_is_memory_that_can_be_used_again():
    async with part_source(chunks(DATA, 70_000)) as origin:
        first = await origin.read(PartRange(1, 0, 300_000))
        assert isinstance(first, bytearray)
        origin.recycle(first)
        assert await origin.read(PartRange(2, 0, 300_000)) is first
        third = await origin.read(PartRange(3, 0, 300_000))
        assert third is not first
        last = await origin.read(PartRange(4, 0, 300_000))
        assert isinstance(last, memoryview), "what is not whole is of no use"
        assert bytes(last) == DATA[900_000:]


async def test_a_stream_that_is_at_hand_lets_others_run(monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(module, "pause", pause)
    async with part_source(chunks(bytes(4 * MIB), 4 * MIB)) as origin:
        await origin.read(PartRange(1, 0, 2 * MIB))
        assert pauses == [0] * 8, "after each 256 KiB"
    pauses.clear()
    async with part_source(chunks(bytes(4 * MIB), 100 * KIB)) as origin:
        await origin.read(PartRange(1, 0, 2 * MIB))
        assert pauses == [0] * 8


async def test_a_source_may_change_its_buffer_once_it_is_read():
    async def changing() -> AsyncIterator[bytearray]:
        buffer = bytearray(b"first")
        yield buffer
        buffer.extend(b"more")  # impossible while anybody has a view of it
        yield bytearray(b"second")

    async with part_source(changing()) as origin:
        assert bytes(await origin.read(PartRange(1, 0, 5))) == b"first"
        assert bytes(await origin.read(PartRange(2, 0, 50))) == b"second"


async def test_an_iterator_is_closed():
    closed: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append("async")

    def endless_too() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append("plain")

    async with part_source(endless()) as origin:
        await origin.read(PartRange(1, 0, 5))
    assert closed == ["async"]

    class NoGenerator:
        def __aiter__(self) -> NoGenerator:
            return self

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

    async with part_source(NoGenerator()) as origin:
        assert len(await origin.read(PartRange(1, 0, 5))) == 0


@pytest.mark.parametrize("chunk", ["text", 5, [1, 2]])
async def test_what_is_no_bytes_is_refused(chunk: Any):
    class Strange:
        def read(self, size: int) -> Any:
            return chunk

    sources = [Strange()] if chunk == 5 else [Strange(), iter([chunk])]
    for source in sources:
        async with part_source(source) as origin:  # type: ignore[arg-type]
            with pytest.raises(ConfigError, match=f"the source gave {type(chunk).__name__} where bytes were expected"):
                await origin.read(PartRange(1, 0, 5))


async def test_a_read_without_a_size_is_none(tmp_path: Path):
    class Whole:
        """It is read piece by piece: `read()` would give all of it at once."""

        def read(self) -> bytes:
            raise AssertionError

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"ab", b"c"])

    class Nothing:
        read = None

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"abc"])

    for source in (Whole(), Nothing()):
        async with part_source(source) as origin:
            assert bytes(await origin.read(PartRange(1, 0, 5))) == b"abc"
    with (tmp_path / "f").open("w+") as text, pytest.raises(ConfigError, match="text file: open it with mode 'rb'"):
        part_source(text)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="float is not a source"):
        part_source(5.0)  # type: ignore[arg-type]


async def test_a_read_written_in_c_without_a_signature_is_one(monkeypatch: pytest.MonkeyPatch):
    def unknown(read: object) -> None:
        raise ValueError

    monkeypatch.setattr(module.inspect, "signature", unknown)
    reader = Sized(b"abc")
    async with part_source(reader) as origin:  # type: ignore[arg-type]
        assert bytes(await origin.read(PartRange(1, 0, 5))) == b"abc"
