"""Two sides are compared without a list in memory."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, PART

import aiocos
from aiocos.emulator import Emulator
from aiocos.transfer.sync.listing import Entry, RemoteObject
from aiocos.transfer.sync.plan import Step, merged, steps
from aiocos.transfer.sync.walk import LocalFile, Unreadable

FILES = {"a.txt": b"one", "b/c.txt": b"two", "b/d/e.bin": bytes(5000), "b-": b"between", "ü": b"", "z/☃": b"snow"}


@pytest.fixture
async def cos(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[aiocos.Client]:
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry)) as client:
        await client.buckets.create("bucket")
        yield client


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    write(root, FILES)
    return root


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


async def local(names: range, modified: int = 0) -> AsyncIterator[Entry | Unreadable]:
    for n in names:
        yield LocalFile(f"{n:08}", Path(), 1, modified)


async def remote(names: range) -> AsyncIterator[Entry | Unreadable]:
    for n in names:
        yield RemoteObject(f"{n:08}", "b", "k", 1, 0, "")


async def found(source: AsyncIterator[Any], target: AsyncIterator[Any]) -> list[Step]:
    async def differ(left: Entry, right: Entry) -> str | None:
        return "newer" if left.modified > right.modified else None

    return [step async for step in steps(source, target, differ, lambda entry: None)]


@pytest.mark.parametrize(
    ("left", "right", "new", "gone"),
    [
        (range(0), range(0), 0, 0),
        (range(5), range(0), 5, 0),
        (range(0), range(5), 0, 5),
        (range(0, 10, 2), range(1, 10, 2), 5, 5),
        (range(10), range(5, 15), 5, 5),
    ],
)
async def test_two_sides_in_step(left: range, right: range, new: int, gone: int):
    out = await found(local(left), remote(right))
    assert (sum(s.reason == "new" for s in out), sum(s.source is None for s in out)) == (new, gone)


@pytest.mark.parametrize("count", [50_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
async def test_a_million_names_need_no_list(count: int):
    pairs = 0
    tracemalloc.start()
    try:
        async for _ in merged(local(range(count)), remote(range(count))):
            pairs += 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pairs == count
    assert peak < 1_000_000


async def test_the_whole_run_holds_no_list(cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch):
    """50,000 files that are there already: what is held does not grow with their number."""
    from aiocos.transfer.sync import listing as sides

    peaks: list[int] = []
    for count in (2_000, 50_000):

        async def files(self: Any, count: int = count) -> AsyncIterator[Entry | Unreadable]:
            async for entry in local(range(count)):
                yield entry

        async def objects(self: Any, count: int = count) -> AsyncIterator[Entry | Unreadable]:
            async for entry in remote(range(count)):
                yield entry

        monkeypatch.setattr(sides.Directory, "entries", files)
        monkeypatch.setattr(sides.Prefix, "entries", objects)
        tracemalloc.start()
        try:
            assert (await cos.sync(site, "cos://bucket/x", compare="size", delete=True)).unchanged == count
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


def test_a_disorder_is_seen(tmp_path: Path):
    """The check itself: a listing that repeats or goes back is noticed, one in order is not."""
    from aiocos.operations.listing import ObjectEntry
    from aiocos.transfer.sync.filters import Filter
    from aiocos.transfer.sync.listing import Prefix

    def listed(*keys: str) -> Callable[..., AsyncIterator[ObjectEntry]]:
        async def entries(bucket: str, prefix: str | None) -> AsyncIterator[ObjectEntry]:
            for key in keys:
                yield ObjectEntry(key=key, size=1)

        return entries

    class Service:
        class objects: ...

    async def order(*keys: str) -> bool:
        service: Any = Service()
        service.objects.list = listed(*keys)
        side = Prefix(service, "b", "", Filter(), folders=False)
        assert [e.name async for e in side.entries()] == list(keys)
        return side.in_order

    assert asyncio.run(order("a", "a-", "a/", "a0", "é", "￮", "😀")) is True
    assert asyncio.run(order("b", "a")) is False
    assert asyncio.run(order("a", "a")) is False
