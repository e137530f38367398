"""Small files take one trip to a thread each, at most, and come out as `upload` and `download` would have made them."""

import asyncio
import os
import stat
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, PART, used

import aiocos
from aiocos.call import Engine
from aiocos.emulator import Emulator, FlipBit
from aiocos.errors import IntegrityError
from aiocos.transfer import DirectoryError, Progress
from aiocos.transfer.batch import ThreadBatch
from aiocos.transfer.sync import files as module
from aiocos.transfer.sync import walk
from aiocos.transfer.sync.safe_target import SafeTarget

FILES = {**{f"d{n % 3}/e/f{n:02}": os.urandom(n * 100) for n in range(12)}, "top": b"x"}


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    async with cos_emulator.client(config=CONFIG) as client:
        await client.buckets.create("bucket")
        yield client


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_bytes(data)
    return tmp_path / "site"


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def work(cos: aiocos.Client, kind: str, site: Path, **more: Any) -> Callable[[], Any]:
    return {
        "upload": partial(cos.upload_directory, site, "bucket", prefix="p/", **more),
        "download": partial(cos.download_directory, "bucket", site, prefix="p/", **more),
        "sync up": partial(cos.sync, site, "cos://bucket/p", **more),
        "sync down": partial(cos.sync, "cos://bucket/p", site, **more),
    }[kind]


def trips_of(monkeypatch: pytest.MonkeyPatch, loop: Any) -> Counter[str]:
    """Count the trips to threads that transfers make from now on, by the function that the thread runs."""
    trips: Counter[str] = Counter()
    real = loop.run_in_executor

    def counting(executor: Any, function: Any, *args: Any) -> Any:
        inner = function
        while isinstance(inner, partial):
            inner = inner.args[0] if getattr(inner.func, "__name__", "") == "run" else inner.func
        if not (inner.__module__ or "").startswith("aiocos.emulator"):
            trips[getattr(inner, "__qualname__", repr(inner))] += 1
        return real(executor, function, *args)

    monkeypatch.setattr(loop, "run_in_executor", counting)
    return trips


@pytest.mark.parametrize(
    ("kind", "each"), [("upload", 1), ("download", 1), ("sync up", 2), ("sync down", 1)]
)  # a sync looks whether the file changed while it was sent
async def test_a_small_file_takes_one_trip_to_a_thread_at_most(
    cos: aiocos.Client, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, each: int
):
    """Even if none shares it with another; all others are for the directory as a whole."""
    if "down" in kind:
        await cos.upload_directory(site, "bucket", prefix="p/")
        site = tmp_path / "out"
    monkeypatch.setattr(ThreadBatch, "_limit", 1)
    trips = trips_of(monkeypatch, asyncio.get_running_loop())
    assert (await work(cos, kind, site)()).files == len(FILES)
    assert trips.pop("ThreadBatch._trip") == each * len(FILES)
    assert trips.total() <= 10, trips
    assert contents(site) == FILES


@pytest.mark.parametrize("kind", ["upload", "download", "sync up", "sync down"])
async def test_files_that_are_ready_together_share_their_trips(
    cos: aiocos.Client, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    """No trip begins before all files wait for it (down), or those that wait at its beginning share it (up)."""
    if "down" in kind:
        await cos.upload_directory(site, "bucket", prefix="p/")
        site = tmp_path / "out"
    monkeypatch.setattr(ThreadBatch, "_limit", 64)
    real = ThreadBatch._start
    loads: list[int] = []

    def start(batch: Any, loop: Any) -> None:
        batch._scheduled = False
        if "up" in kind or len(batch._waiting) == len(FILES):
            loads.append(len(batch._waiting))
            real(batch, loop)

    monkeypatch.setattr(ThreadBatch, "_start", start)
    assert (await work(cos, kind, site, concurrency=64)()).files == len(FILES)
    assert max(loads) == len(FILES)
    assert contents(site) == FILES


@pytest.mark.parametrize("kind", ["upload", "download", "sync up", "sync down"])
async def test_a_small_file_is_transferred_as_by_the_general_path(
    cos: aiocos.Client, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    """The same requests, progress, results, contents, modes and times."""
    await cos.upload_directory(site, "bucket", prefix="p/")
    seen: list[Any] = []
    real = Engine.prepare

    async def prepare(engine: Engine, operation: Any, known: Any = None) -> Any:
        request = await real(engine, operation, known)
        requests.append((request.method, request.path, request.query, sorted(request.headers.items()), request.body))
        return request

    monkeypatch.setattr(Engine, "prepare", prepare)
    for limit in (-1, module.SMALL_FILE):
        monkeypatch.setattr(module, "SMALL_FILE", limit)
        monkeypatch.setattr(module, "SMALL_OBJECT", limit)
        requests: list[Any] = []
        events: dict[str, list[tuple[Any, ...]]] = {}
        whole: list[tuple[int, int]] = []
        root = site
        if "down" in kind:
            root = tmp_path / f"out{limit}"
            (root / "d0" / "e").mkdir(parents=True)
            (root / "d0/e/f00").write_bytes(b"old")
            (root / "d0/e/f00").chmod(0o640)
        else:
            await cos.objects.delete_many("bucket", [entry.key async for entry in cos.objects.list("bucket")])
            requests.clear()

        def watch(now: Progress, events: Any = events) -> None:
            events.setdefault(now.key, []).append(
                (now.state, now.bytes_done, now.bytes_total, now.parts_done, now.parts_total, now.error)
            )

        def watch_whole(now: Progress, whole: Any = whole) -> None:
            whole.append((now.bytes_done, now.parts_done))

        result = await work(cos, kind, root, progress=watch, on_progress=watch_whole)()
        modes = {path.name: (stat.S_IMODE(path.stat().st_mode), path.stat().st_mtime_ns) for path in root.rglob("[ft]*")}
        if kind != "sync down":
            modes = {name: mode for name, (mode, _) in modes.items()}
        assert events
        assert whole
        seen.append((sorted(requests, key=repr), events, sorted(whole)[-1], result.files, result.bytes, contents(root), modes))
    assert seen[0] == seen[1]


async def test_another_object_than_was_listed_is_left_to_download(
    cos: aiocos.Client, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await cos.upload_directory(site, "bucket", prefix="p/")
    real = module.FileDownloads._download_small
    large = os.urandom(PART + 5)

    async def replaced(downloads: Any, entry: Any, monitor: Any, modified: int) -> Any:
        if entry.name in ("top", "d0/e/f03"):
            await cos.upload("bucket", entry.key, large if entry.name == "top" else b"longer" * 100)
        return await real(downloads, entry, monitor, modified)

    monkeypatch.setattr(module.FileDownloads, "_download_small", replaced)
    states: dict[str, list[str]] = {}

    def watch(now: Progress) -> None:
        states.setdefault(now.key, []).append(now.state)

    result = await cos.download_directory("bucket", tmp_path / "out", prefix="p/", progress=watch)
    expected = {**FILES, "top": large, "d0/e/f03": b"longer" * 100}
    assert contents(tmp_path / "out") == expected
    assert (result.files, result.bytes) == (len(FILES), sum(map(len, expected.values())))
    assert all(seen.count("queued") == seen.count("done") == 1 for seen in states.values())
    assert used(cos) == 0


async def test_a_file_that_grew_is_left_to_upload(cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch):
    """It takes more memory than was reserved for it."""
    real = walk._file

    def found(name: str, path: Path) -> Any:
        entry = real(name, path)
        if name == "top":
            path.write_bytes(bytes(PART + 5))
        return entry

    monkeypatch.setattr(walk, "_file", found)
    result = await cos.upload_directory(site, "bucket", prefix="p/")
    assert (result.files, result.bytes) == (len(FILES), sum(map(len, FILES.values())) - 1 + PART + 5)
    assert await cos.objects.read("bucket", "p/top") == bytes(PART + 5)
    assert used(cos) == 0


@pytest.mark.parametrize(("times", "error"), [(2, None), (3, IntegrityError)])
async def test_damaged_bytes_are_requested_three_times_at_most(
    cos: aiocos.Client, site: Path, tmp_path: Path, cos_emulator: Emulator, times: int, error: Any
):
    await cos.upload_directory(site, "bucket", prefix="p/")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "top").write_bytes(b"old")
    cos_emulator.faults.script([FlipBit(operation="GetObject", key="p/top", times=times)])
    done: list[int] = []
    if error is None:
        await cos.download_directory(
            "bucket", tmp_path / "out", prefix="p/", on_progress=lambda now: done.append(now.bytes_done)
        )
        assert contents(tmp_path / "out") == FILES
        assert done[-1] == sum(map(len, FILES.values()))
    else:
        with pytest.raises(DirectoryError) as caught:
            await cos.download_directory("bucket", tmp_path / "out", prefix="p/")
        assert [type(cause) for cause in caught.value.__cause__.exceptions] == [error]  # type: ignore[union-attr]
        assert contents(tmp_path / "out") == {**FILES, "top": b"old"}
    assert sum(hit.subject.key == "p/top" for hit in cos_emulator.faults.hits) == times
    assert used(cos) == 0


async def test_without_verification_nothing_is_compared(cos_emulator: Emulator, cos: aiocos.Client, site: Path, tmp_path: Path):
    await cos.upload_directory(site, "bucket", prefix="p/")
    cos_emulator.faults.script([FlipBit(operation="GetObject", key="p/top")])
    async with cos_emulator.client(config=aiocos.ClientConfig(verify_reads=False)) as trusting:
        await trusting.download_directory("bucket", tmp_path / "out", prefix="p/")
    assert contents(tmp_path / "out") == {**FILES, "top": b"y"}


async def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_hidden_file(
    cos: aiocos.Client, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await cos.upload_directory(site, "bucket", prefix="p/")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "top").write_bytes(b"old")
    real = os.replace

    def refusing(source: Any, target: Any, **more: Any) -> None:
        if target == "top":
            raise PermissionError(13, "Permission denied", str(target))
        real(source, target, **more)

    monkeypatch.setattr(os, "replace", refusing)
    with pytest.raises(DirectoryError) as caught:
        await cos.download_directory("bucket", tmp_path / "out", prefix="p/")
    assert [error.key for error in caught.value.result.errors] == ["p/top"]
    assert contents(tmp_path / "out") == {**FILES, "top": b"old"}


@pytest.mark.parametrize("fsync", [True, False])
async def test_small_files_are_flushed_where_that_is_asked_for(
    cos: aiocos.Client, cos_emulator: Emulator, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: bool
):
    await cos.upload_directory(site, "bucket", prefix="p/")
    flushed: Counter[str] = Counter()
    real = os.fsync

    def recorded(fd: int) -> None:
        flushed["directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file"] += 1
        real(fd)

    monkeypatch.setattr(os, "fsync", recorded)
    transfer = aiocos.TransferConfig(fsync=fsync)
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer)) as client:
        await client.download_directory("bucket", tmp_path / "out", prefix="p/")
    assert flushed["file"] == (len(FILES) if fsync else 0)
    # Each file's directory after the rename, and the six new directories and `out` in the ones that contain them.
    assert flushed["directory"] == (len(FILES) + 7 if fsync else 0)


def test_a_directory_stays_open_while_its_files_follow_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    safe = SafeTarget(tmp_path)
    safe.open()
    opened: list[Any] = []
    real = os.open

    def recorded(path: Any, flags: int, *args: Any, **more: Any) -> int:
        opened.append(path)
        return real(path, flags, *args, **more)

    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.setattr(os, "open", recorded)
    try:
        with safe.targets() as find:
            fds = [find(name).dir_fd for name in ("a/b/1", "a/b/2", "a/b/3")]
            assert opened == ["a", "b"]
            assert len(set(fds)) == 1
            find("a/4")
            assert opened == ["a", "b", "a"]
    finally:
        safe.close()
    assert safe.refused is False


def test_a_link_in_the_place_of_an_open_directory_is_not_followed(tmp_path: Path):
    (tmp_path / "outside").mkdir()
    root = tmp_path / "root"
    safe = SafeTarget(root)
    safe.open()
    try:
        with safe.targets() as find:
            find("d/1")
            (root / "d").rename(root / "was")
            (root / "d").symlink_to(tmp_path / "outside")
            os.close(find("d/2").create("new"))
            find("e/3")
            with pytest.raises(aiocos.TransferError, match="leads outside"):
                find("d/4")
    finally:
        safe.close()
    assert os.listdir(root / "was") == ["new"]
    assert os.listdir(tmp_path / "outside") == []
    assert safe.refused is True
