"""Methods that transfer: what they share, and whose progress they tell."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import DATA, SMALL

import aiocos
from aiocos import Progress
from aiocos.transfer.manager import TransferManager, _sync_monitor
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.sync.sync import SyncRequest


class Service:
    """Nothing but a configuration."""

    class _engine:
        class config:
            transfer = SMALL


def desk() -> TransferManager:
    return TransferManager(Service())  # type: ignore[arg-type]


def test_each_loop_has_a_budget_of_its_own():
    one = desk()

    async def budget() -> MemoryBudget:
        assert one.budget is one.budget
        assert one.budget.total == SMALL.max_memory
        return one.budget

    assert asyncio.run(budget()) is not asyncio.run(budget())


async def test_what_was_started_ends_with_the_client():
    one, monitor = desk(), Monitor(ProgressCallbacks(), "b", "k")
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append("endless")

    async def short() -> int:
        return 5

    await one.end()
    handle, other = one.start(endless(), monitor), one.start(short(), monitor)
    assert await other == 5
    await asyncio.sleep(0)
    assert one._started[asyncio.get_running_loop()] == {handle.task}, "what is done is forgotten"
    await one.end()
    assert ended == ["endless"]
    assert handle.task.cancelled()
    assert other.done()
    await one.end()


@pytest.mark.parametrize(
    ("source", "target", "bucket", "prefix"),
    [
        ("dir", "cos://bucket", "bucket", ""),
        ("dir", "cos://bucket/", "bucket", ""),
        ("dir", "cos://bucket/a/b", "bucket", "a/b/"),
        ("dir", "cos://bucket/a//", "bucket", "a/"),
        (Path("dir"), "cos://bucket/a/", "bucket", "a/"),
        ("cos://bucket/a", "dir", "bucket", "a/"),
        ("cos://from/a", "cos://to/b", "to", "b/"),
    ],
)
def test_the_place_of_a_synchronisation(source: Any, target: Any, bucket: str, prefix: str):
    progress = _sync_monitor(SyncRequest(source, target)).progress
    assert (progress.bucket, progress.key) == (bucket, prefix)


async def test_progress_of_an_object(small: aiocos.Client, tmp_path: Path):
    told: list[Progress] = []
    more: dict[str, Any] = {"progress": told.append}
    await small.upload("bucket", "dir/key", DATA, **more)
    await small.download("bucket", "dir/key", tmp_path / "f", **more)
    await small.copy("bucket", "dir/key", "bucket", "copy", **more)
    assert {(p.bucket, p.key) for p in told} == {("bucket", "dir/key"), ("bucket", "copy")}
    assert [p.state for p in told if p.state in ("queued", "done")] == ["queued", "done"] * 3


@pytest.mark.parametrize("started", [False, True])
async def test_progress_of_a_directory_is_told_of_the_whole_and_of_each_file(
    small: aiocos.Client, tmp_path: Path, started: bool
):
    (tmp_path / "a").write_bytes(b"12345")
    whole: list[Progress] = []
    each: list[Progress] = []
    more: dict[str, Any] = {"progress": each.append, **dict.fromkeys(("on_queued", "on_progress", "on_done"), whole.append)}

    for name, args, kwargs in (
        ("upload_directory", (tmp_path, "bucket"), {"prefix": "x/"}),
        ("download_directory", ("bucket", tmp_path / "down"), {"prefix": "x/"}),
        ("sync", ("cos://bucket/x", tmp_path / "synced"), {}),
    ):
        more_now = {**more, **kwargs}
        whole.clear()
        each.clear()
        if started:
            handle = getattr(small, f"start_{name}")(*args, **more_now)
            await handle
            assert handle.progress == whole[-1], name
        else:
            await getattr(small, name)(*args, **more_now)
        assert {(p.bucket, p.key) for p in each} == {("bucket", "x/a")}, name
        assert {(p.bucket, p.key) for p in whole} == {("bucket", "x/")}, name
        assert (whole[0].state, whole[-1].state) == ("queued", "done"), name
        assert (whole[-1].bytes_done, whole[-1].parts_done) == (5, 1), name
