"""One side made like the other: only what differs, and nothing lost."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, used

import aiocos
from aiocos import SyncAction
from aiocos.emulator import Delay, Emulator, Status
from aiocos.errors import ConfigError, NoSuchBucket, RequestTimeoutError
from aiocos.transfer import DirectoryError, Progress
from aiocos.transfer.manager import manager_of
from aiocos.transfer.sync.listing import Entry, RemoteObject
from aiocos.transfer.sync.plan import Step, merged, steps
from aiocos.transfer.sync.walk import LocalFile, Reserved, Unreadable

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


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


async def stored(cos: aiocos.Client, prefix: str = "site/") -> dict[str, bytes]:
    return {
        entry.key[len(prefix) :]: await cos.objects.read("bucket", entry.key)
        async for entry in cos.objects.list("bucket", prefix=prefix)
    }


def told(actions: list[SyncAction]) -> list[tuple[str, str, str]]:
    return [(a.kind, a.target.rpartition("site/")[2], a.reason) for a in actions]


async def test_up_and_down_and_nothing_more(cos: aiocos.Client, site: Path, tmp_path: Path):
    up = await cos.sync(site, "cos://bucket/site")
    assert (up.files, up.bytes, up.unchanged, up.deleted) == (len(FILES), sum(map(len, FILES.values())), 0, 0)
    assert await stored(cos) == FILES
    again = await cos.sync(site, "cos://bucket/site/")
    assert (again.files, again.unchanged) == (0, len(FILES))
    down = await cos.sync("cos://bucket/site", tmp_path / "out")
    assert down.files == len(FILES)
    assert contents(tmp_path / "out") == FILES
    assert (await cos.sync("cos://bucket/site", tmp_path / "out")).files == 0
    assert (await cos.sync(tmp_path / "out", "cos://bucket/site")).files == 0, "nor back: files have the time of their objects"
    assert used(cos) == 0


async def test_within_the_service(cos: aiocos.Client, site: Path):
    await cos.sync(site, "cos://bucket/site")
    await cos.objects.put("bucket", "site/folder/", b"")
    copied = await cos.sync("cos://bucket/site", "cos://bucket/copy")
    assert copied.files == len(FILES) + 1
    assert await stored(cos, "copy/") == {**FILES, "folder/": b""}
    assert (await cos.sync("cos://bucket/site", "cos://bucket/copy")).files == 0
    await cos.objects.put("bucket", "site/a.txt", b"other")
    await cos.objects.delete("bucket", "site/ü")
    result = await cos.sync("cos://bucket/site", "cos://bucket/copy", delete=True)
    assert (result.files, result.deleted) == (1, 1)
    assert await stored(cos, "copy/") == await stored(cos, "site/")


async def test_a_plan_is_made_and_not_carried_out(cos: aiocos.Client, site: Path):
    await cos.objects.put("bucket", "site/surplus", b"x")
    await cos.objects.put("bucket", "site/a.txt", b"longer")
    result = await cos.sync(site, "cos://bucket/site", delete=True, dry_run=True)
    assert result.dry_run
    assert told(result.actions) == [
        ("upload", "a.txt", "size"),
        ("upload", "b-", "new"),
        ("upload", "b/c.txt", "new"),
        ("upload", "b/d/e.bin", "new"),
        ("delete", "surplus", "not in the source"),
        ("upload", "z/☃", "new"),
        ("upload", "ü", "new"),
    ]
    assert result.actions[0] == SyncAction("upload", str(site / "a.txt"), "cos://bucket/site/a.txt", 3, "size")
    assert [a async for a in cos.sync_plan(site, "cos://bucket/site", delete=True)] == result.actions
    assert await stored(cos) == {"surplus": b"x", "a.txt": b"longer"}


async def test_a_plan_for_a_directory_touches_nothing(cos: aiocos.Client, site: Path, tmp_path: Path):
    await cos.sync(site, "cos://bucket/site")
    result = await cos.sync("cos://bucket/site", tmp_path / "out", dry_run=True)
    assert len(result.actions) == len(FILES)
    assert {a.kind for a in result.actions} == {"download"}
    assert not (tmp_path / "out").exists()


# -- what differs -----------------------------------------------------------------------------------------------------


async def test_what_is_newer_and_what_only_looks_so(cos: aiocos.Client, site: Path, cos_emulator: Emulator):
    await cos.sync(site, "cos://bucket/site")
    now = cos_emulator.clock.now().timestamp()
    os.utime(site / "a.txt", (now + 100, now + 100))
    write(site, {"b-": b"BETWEEN"})
    os.utime(site / "b-", (now - 100, now - 100))
    by_time = await cos.sync(site, "cos://bucket/site", dry_run=True)
    assert told(by_time.actions) == [("upload", "a.txt", "newer")], "the other has been changed and looks old"
    by_size = await cos.sync(site, "cos://bucket/site", dry_run=True, compare="size")
    assert by_size.actions == []
    by_bytes = await cos.sync(site, "cos://bucket/site", dry_run=True, compare="checksum")
    assert told(by_bytes.actions) == [("upload", "b-", "checksum")], "the first has another time and the same bytes"


@pytest.mark.parametrize("same", [True, False])
async def test_a_change_within_the_second_of_its_upload_is_found(cos: aiocos.Client, site: Path, same: bool):
    """Within a second time cannot tell: the service may know whole seconds only. The bytes do."""
    await cos.sync(site, "cos://bucket/site")
    [entry] = [e async for e in cos.objects.list("bucket", prefix="site/a.txt")]
    assert entry.last_modified is not None
    stamp = int(entry.last_modified.timestamp() * 1000) * 10**6
    if not same:
        write(site, {"a.txt": b"ONE"})
    for nanoseconds in (-999_000_000, -1, 1, 500_000_000, 998_000_000):
        os.utime(site / "a.txt", ns=(stamp + nanoseconds,) * 2)
        plan = await cos.sync(site, "cos://bucket/site", dry_run=True)
        assert [a.target.rpartition("/")[2] for a in plan.actions] == ([] if same else ["a.txt"])


async def test_large_files_are_compared_part_by_part(cos: aiocos.Client, site: Path):
    write(site, {"large": DATA})
    await cos.sync(site, "cos://bucket/site")
    assert (await cos.objects.head("bucket", "site/large")).etag.endswith('-4"')
    assert (await cos.sync(site, "cos://bucket/site", compare="checksum")).files == 0
    changed = bytearray(DATA)
    changed[-1] ^= 1
    write(site, {"large": bytes(changed)})
    assert told((await cos.sync(site, "cos://bucket/site", compare="checksum", dry_run=True)).actions) == [
        ("upload", "large", "checksum")
    ]


async def test_objects_whose_etag_is_no_checksum(cos: aiocos.Client, site: Path):
    await cos.upload("bucket", "site/a.txt", b"ONE", customer_key=bytes(32))
    plan = await cos.sync(site, "cos://bucket/site", compare="checksum", include=["a.txt"], dry_run=True)
    # Nobody can tell, so the time decides; the file is the older one here, by less than a second or more.
    assert all("no checksum" in a.reason for a in plan.actions)


# -- what is left out, and what goes ----------------------------------------------------------------------------------


async def test_what_is_left_out_is_neither_sent_nor_deleted(cos: aiocos.Client, site: Path):
    await cos.objects.put("bucket", "site/logs/old.log", b"x")
    write(site, {"new.log": b"y", "logs/new.txt": b"z"})
    result = await cos.sync(site, "cos://bucket/site", delete=True, exclude=["*.log"])
    assert result.deleted == 0
    there = await stored(cos)
    assert "logs/old.log" in there
    assert "new.log" not in there
    only = await cos.sync(site, "cos://bucket/site", delete=True, include=["b/**"], dry_run=True)
    assert only.actions == []


async def test_what_is_surplus_goes_and_folders_stay(cos: aiocos.Client, site: Path, tmp_path: Path):
    await cos.sync(site, "cos://bucket/site")
    await cos.objects.put("bucket", "site/marker/", b"")
    await cos.objects.put("bucket", "sitex", b"a neighbour")
    (site / "a.txt").unlink()
    result = await cos.sync(site, "cos://bucket/site", delete=True)
    assert (result.deleted, result.files) == (1, 0)
    assert set(await stored(cos)) == set(FILES) - {"a.txt"} | {"marker/"}
    assert await cos.objects.exists("bucket", "sitex")
    write(tmp_path / "out", {"old/deep/file": b"x", "b/own": b"y"})
    result = await cos.sync("cos://bucket/site", tmp_path / "out", delete=True)
    assert result.deleted == 2
    assert contents(tmp_path / "out") == {name: data for name, data in FILES.items() if name != "a.txt"}
    assert not (tmp_path / "out" / "old").exists(), "directories that this left empty are gone"


async def test_more_surplus_than_one_batch(cos: aiocos.Client, site: Path):
    await asyncio.gather(*(cos.objects.put("bucket", f"site/old/{n}", b"") for n in range(1_100)))
    assert (await cos.sync(site, "cos://bucket/site", delete=True)).deleted == 1_100
    assert await stored(cos) == FILES


async def test_an_empty_source_deletes_nothing(cos: aiocos.Client, site: Path, tmp_path: Path):
    """A prefix that is mistyped, or a disk that is not mounted, must not empty the other side."""
    await cos.sync(site, "cos://bucket/site")
    with pytest.raises(DirectoryError, match="would be deleted"):
        await cos.sync("cos://bucket/sight", site, delete=True)
    assert contents(site) == FILES
    (tmp_path / "empty").mkdir()
    with pytest.raises(DirectoryError, match="would be deleted"):
        await cos.sync(tmp_path / "empty", "cos://bucket/site", delete=True)
    assert await stored(cos) == FILES
    plan = [a async for a in cos.sync_plan(tmp_path / "empty", "cos://bucket/site", delete=True)]
    assert plan[-1].kind == "refuse"
    assert "would be deleted" in plan[-1].reason


async def test_a_source_that_cannot_be_read_whole_deletes_nothing(cos: aiocos.Client, site: Path):
    await cos.sync(site, "cos://bucket/site")
    (site / "loop").symlink_to("loop")
    (site / "a.txt").unlink()
    with pytest.raises(DirectoryError, match="not all of the source") as caught:
        await cos.sync(site, "cos://bucket/site", delete=True)
    result: Any = caught.value.result
    assert result.not_deleted
    assert [e.path for e in result.errors] == [str(site / "loop")]
    assert await cos.objects.exists("bucket", "site/a.txt")


async def test_a_listing_in_disorder_deletes_nothing(
    cos: aiocos.Client, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await cos.sync(site, "cos://bucket/site")
    write(tmp_path / "out", {**FILES, "own": b"x"})
    real = cos.objects.list

    def backwards(*args: Any, **kwargs: Any):
        async def entries():
            for entry in reversed([e async for e in real(*args, **kwargs)]):
                yield entry

        return entries()

    monkeypatch.setattr(cos.objects, "list", backwards)
    with pytest.raises(DirectoryError, match="does not list keys in order"):
        await cos.sync("cos://bucket/site", tmp_path / "out", delete=True)
    assert contents(tmp_path / "out") == {**FILES, "own": b"x"}


async def test_protected_objects_are_told_of(cos: aiocos.Client, site: Path):
    await cos.protection.put("bucket", aiocos.ProtectionConfiguration.of_days(minimum=0, default=0, maximum=100))
    await cos.objects.put("bucket", "site/kept", b"x", retention_period=86_400)
    with pytest.raises(DirectoryError, match="1 of") as caught:
        await cos.sync(site, "cos://bucket/site", delete=True)
    assert [e.key for e in caught.value.result.errors] == ["cos://bucket/site/kept"]
    assert await stored(cos) == {**FILES, "kept": b"x"}


# -- trouble ----------------------------------------------------------------------------------------------------------


async def test_a_file_that_fails_stops_no_other(cos: aiocos.Client, site: Path, cos_emulator: Emulator):
    cos_emulator.faults.script([Status(403, code="AccessDenied", key="site/b/*", operation="PutObject", times=None)])
    with pytest.raises(DirectoryError) as caught:
        await cos.sync(site, "cos://bucket/site")
    result = caught.value.result
    assert {e.key for e in result.errors} == {"cos://bucket/site/b/c.txt", "cos://bucket/site/b/d/e.bin"}
    assert result.files == len(FILES) - 2
    cause = caught.value.__cause__
    assert isinstance(cause, ExceptionGroup)
    assert len(cause.exceptions) == 2


async def test_keys_that_would_escape_are_refused(cos: aiocos.Client, tmp_path: Path):
    for key in ("site/../../evil", "site//etc/x", "site/a\0b", "site/good", "site/x", "site/x/y"):
        await cos.objects.put("bucket", key, b"data")
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(outside)
    await cos.objects.put("bucket", "site/link/evil", b"data")
    plan = await cos.sync("cos://bucket/site", tmp_path / "out", dry_run=True)
    assert sum(a.kind == "refuse" for a in plan.actions) >= 3
    with pytest.raises(DirectoryError) as caught:
        await cos.sync("cos://bucket/site", tmp_path / "out")
    assert len(caught.value.result.errors) == 5
    assert (tmp_path / "out" / "good").read_bytes() == b"data"
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path.parent / "evil").exists()


async def test_interrupted_it_goes_on(cos: aiocos.Client, site: Path, cos_emulator: Emulator):
    write(site, {"large": DATA})
    # Late enough for the two before it to be done.
    late = Delay(2, operation="UploadPart", nth=3)
    cos_emulator.faults.script([late, Status(403, code="AccessDenied", operation="UploadPart", nth=3, times=None)])
    with pytest.raises(DirectoryError):
        await cos.sync(site, "cos://bucket/site", resume=True)
    assert len(await open_uploads(cos)) == 1
    cos_emulator.faults.script([])
    before = sum(served.operation == "UploadPart" for served in cos_emulator.requests)
    result = await cos.sync(site, "cos://bucket/site", resume=True)
    assert (result.files, result.unchanged) == (1, len(FILES))
    assert sum(served.operation == "UploadPart" for served in cos_emulator.requests) - before < 4
    assert await stored(cos) == {**FILES, "large": DATA}
    assert await open_uploads(cos) == []


async def test_a_cancel_in_the_middle(cos: aiocos.Client, site: Path, cos_emulator: Emulator):
    write(site, {f"more/{n}": b"x" * n for n in range(100)})
    cos_emulator.faults.script([Delay(60, operation="PutObject", nth=20, times=None)])
    handle = cos.start_sync(site, "cos://bucket/site", concurrency=8)
    async with asyncio.timeout(20):
        while handle.progress.parts_done < 19:
            await asyncio.sleep(0.01)
    handle.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handle
    assert used(cos) == 0
    cos_emulator.faults.script([])
    result = await cos.sync(site, "cos://bucket/site")
    assert result.files + result.unchanged == len(FILES) + 100
    assert result.unchanged >= 19


async def test_a_file_that_is_changed_meanwhile_is_sent_again(
    cos: aiocos.Client, site: Path, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
):
    """Changed after it was read and before the service stamped it, it would look older than its object for ever."""
    from aiocos.transfer.sync import sync as syncing

    real, changes = syncing.upload, [b"ONE", b"ENO"]

    async def disturbed(*args: Any) -> Any:
        result = await real(*args)
        if args[2].key == "site/a.txt" and changes:
            write(site, {"a.txt": changes.pop()})
        return result

    monkeypatch.setattr(syncing, "upload", disturbed)
    await cos.sync(site, "cos://bucket/site")
    assert (await stored(cos))["a.txt"] == b"ONE"
    changes[:] = [b"1", b"22", b"333"]
    write(site, {"a.txt": b"longer"})
    with pytest.raises(DirectoryError, match="changed each time"):
        await cos.sync(site, "cos://bucket/site")


async def test_directories_resume_too(cos: aiocos.Client, site: Path, tmp_path: Path):
    first = await cos.upload_directory(site, "bucket", prefix="p/", exclude=["b"])
    assert first.files == len(FILES) - 2
    second = await cos.upload_directory(site, "bucket", prefix="p/", resume=True)
    assert (second.files, second.unchanged) == (2, len(FILES) - 2)
    await cos.download_directory("bucket", tmp_path / "out", prefix="p/", include=["b"])
    result = await cos.download_directory("bucket", tmp_path / "out", prefix="p/", resume=True)
    assert (result.files, result.unchanged) == (len(FILES) - 2, 2)
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("cos://bucket/a", "cos://bucket/a/b", "one contains the other"),
        ("cos://bucket/a/b", "cos://bucket/a", "one contains the other"),
        ("cos://bucket", "cos://bucket/a", "one contains the other"),
        ("cos://bucket/a", "cos://bucket/a/", "one contains the other"),
        ("here", "there", "must be a cos://"),
        ("cos://", "here", "names no bucket"),
        ("not there", "cos://bucket/a", "not a directory"),
    ],
)
async def test_places_that_cannot_be(cos: aiocos.Client, source: str, target: str, reason: str):
    with pytest.raises(ConfigError, match=reason):
        await cos.sync(source, target)


async def test_neighbours_are_no_part_of_each_other(cos: aiocos.Client):
    await cos.objects.put("bucket", "ab/x", b"1")
    assert (await cos.sync("cos://bucket/ab", "cos://bucket/a")).files == 1


async def test_parameters_that_cannot_be(cos: aiocos.Client, site: Path):
    for wrong in ({"compare": "colour"}, {"symlinks": "all"}, {"concurrency": 0}, {"include": "*.py"}):
        with pytest.raises(ConfigError):
            await cos.sync(site, "cos://bucket/x", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="is a file"):
        await cos.sync("cos://bucket/x", site / "a.txt")
    with pytest.raises(NoSuchBucket):
        await cos.sync(site, "cos://no-such-bucket/x")


async def test_observers(cos: aiocos.Client, site: Path):
    each: list[Progress] = []
    whole: list[Progress] = []
    await cos.sync(site, "cos://bucket/site", progress=each.append, on_done=whole.append)
    assert {p.key for p in each} == {f"site/{name}" for name in FILES}
    assert [(p.bucket, p.key, p.state, p.parts_done) for p in whole] == [("bucket", "site/", "done", len(FILES))]


# -- without a list in memory -----------------------------------------------------------------------------------------


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


# -- what is said and written -----------------------------------------------------------------------------------------


async def test_a_plan_within_the_service_is_of_copies(cos: aiocos.Client):
    await cos.objects.put("bucket", "from/a", b"12345")
    await cos.objects.put("bucket", "to/b", b"1")
    assert [a async for a in cos.sync_plan("cos://bucket/from", "cos://bucket/to", delete=True)] == [
        SyncAction("copy", "cos://bucket/from/a", "cos://bucket/to/a", 5, "new"),
        SyncAction("delete", "", "cos://bucket/to/b", 1, "not in the source"),
    ]
    assert [a async for a in cos.sync_plan("cos://bucket/to", "cos://bucket/from")] == [
        SyncAction("copy", "cos://bucket/to/b", "cos://bucket/from/b", 1, "new")
    ], "without `delete` nothing is surplus"


async def test_a_file_has_the_time_of_its_object(cos: aiocos.Client, tmp_path: Path):
    await cos.objects.put("bucket", "site/a", b"x")
    [entry] = [entry async for entry in cos.objects.list("bucket", prefix="site/")]
    assert entry.last_modified is not None
    await cos.sync("cos://bucket/site", tmp_path / "out")
    info = (tmp_path / "out" / "a").stat()
    stamp = int(entry.last_modified.timestamp()) * 10**9 + entry.last_modified.microsecond * 1000
    assert (info.st_mtime_ns, info.st_atime_ns) == (stamp, stamp)


async def test_an_object_without_a_time_leaves_the_files_own(
    cos: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from aiocos.transfer.sync import listing as sides

    async def objects(self: sides.Prefix) -> AsyncIterator[Entry | Unreadable]:
        yield RemoteObject("a", "bucket", "site/a", 1, 0, "")

    await cos.objects.put("bucket", "site/a", b"x")
    monkeypatch.setattr(sides.Prefix, "entries", objects)
    await cos.sync("cos://bucket/site", tmp_path / "out")
    assert (tmp_path / "out" / "a").stat().st_mtime_ns > 0


async def test_a_file_that_cannot_be_deleted_is_told_of_and_the_rest_goes(
    cos: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from aiocos.transfer.sync.safe_target import SafeTarget

    out, real = tmp_path / "out", SafeTarget.remove

    def remove(self: SafeTarget, name: str) -> bool:
        if name == "b":
            raise PermissionError(13, "not yours")
        return real(self, name)

    await cos.objects.put("bucket", "site/kept", b"x")
    write(out, {"a": b"", "b": b"", "c": b""})
    monkeypatch.setattr(SafeTarget, "remove", remove)
    with pytest.raises(DirectoryError, match=r"1 of 2 files failed: .*not yours") as caught:
        await cos.sync("cos://bucket/site", out, delete=True)
    result: Any = caught.value.result
    assert (result.files, result.deleted, result.not_deleted) == (1, 2, None)
    assert [(e.path, e.key) for e in result.errors] == [(str(out / "b"), "")]
    assert sorted(os.listdir(out)) == ["b", "kept"]


async def test_a_dry_run_says_why_nothing_would_be_deleted(cos: aiocos.Client, site: Path):
    await cos.sync(site, "cos://bucket/site")
    (site / "loop").symlink_to("loop")
    (site / "a.txt").unlink()
    result = await cos.sync(site, "cos://bucket/site", delete=True, dry_run=True)
    assert result.not_deleted == "not all of the source could be read"
    assert (result.dry_run, result.files, result.deleted, result.errors) == (True, 0, 0, [])
    assert [(a.kind, a.source) for a in result.actions] == [("delete", ""), ("refuse", str(site / "loop"))]
    plain = await cos.sync(site, "cos://bucket/site", dry_run=True)
    assert (plain.not_deleted, [a.kind for a in plain.actions]) == (None, ["refuse"])


async def test_what_fails_has_its_path_and_its_key(cos: aiocos.Client, site: Path, tmp_path: Path, cos_emulator: Emulator):
    for operation, args, path, key in (
        ("PutObject", (site, "cos://bucket/site"), str(site / "a.txt"), "cos://bucket/site/a.txt"),
        ("GetObject", ("cos://bucket/site", tmp_path / "out"), str(tmp_path / "out" / "a.txt"), "cos://bucket/site/a.txt"),
    ):
        cos_emulator.faults.script([Status(403, code="AccessDenied", operation=operation, times=None)])
        with pytest.raises(DirectoryError, match="1 of 1 files failed") as caught:
            await cos.sync(*args, include=["a.txt"])
        cos_emulator.faults.script([])
        [error] = caught.value.result.errors
        assert (error.path, error.key) == (path, key)
        await cos.sync(site, "cos://bucket/site")


# -- each decision by itself ------------------------------------------------------------------------------------------


def run_of(cos: aiocos.Client, source: Any, target: Any, **more: Any) -> Any:
    from aiocos.transfer.progress import Monitor, ProgressCallbacks
    from aiocos.transfer.sync import sync as module

    service = manager_of(cos).service
    return module._Sync(service, None, module.SyncRequest(source, target, **more), Monitor(ProgressCallbacks(), "", ""))


async def test_reasons_not_to_delete(cos: aiocos.Client, tmp_path: Path):
    run = run_of(cos, tmp_path, "cos://bucket/site")
    assert run.why_not_delete() == f"{tmp_path} is empty, so everything in cos://bucket/site/ would be deleted"
    run._source_is_empty = False
    assert run.why_not_delete() is None
    for side in (run._source, run._target):
        side.in_order = False
        assert run.why_not_delete() == "the service does not list keys in order, so no file is certain to be surplus"
        side.in_order = True
    run._all_have_paths = False
    assert "cannot be paths here" in run.why_not_delete()
    run._source_was_read = False
    assert run.why_not_delete() == "not all of the source could be read"


async def test_what_is_done_with_each_kind_of_step(cos: aiocos.Client, tmp_path: Path):
    file = LocalFile("a", tmp_path / "a", 5, 0)
    entry = RemoteObject("a", "bucket", "site/a", 6, 0, "")
    up = run_of(cos, tmp_path, "cos://bucket/site", delete=True)
    here, there = str(tmp_path / "a"), "cos://bucket/site/a"
    assert await up._action(Step(file, None, "new")) == SyncAction("upload", here, there, 5, "new")
    assert await up._action(Step(None, entry, "x")) == SyncAction("delete", "", there, 6, "x")
    (tmp_path / "a").write_bytes(b"")
    assert await up._action(Step(None, entry, "x")) is None, "it has come meanwhile"
    assert await run_of(cos, tmp_path, "cos://bucket/site")._action(Step(None, entry, "x")) is None, "without `delete`"
    assert (up._source_is_empty, up._source_was_read, up._all_have_paths) == (False, True, True)
    down = run_of(cos, "cos://bucket/site", tmp_path, delete=True)
    async with down.opened():
        assert await down._action(Step(entry, None, "new")) == SyncAction("download", there, here, 6, "new")
        assert await down._action(Step(None, file, "x")) == SyncAction("delete", "", here, 5, "x")
        bad = RemoteObject("a//b", "bucket", "site/a//b", 6, 0, "")
        refused = await down._action(Step(bad, None, "new"))
        assert (refused.kind, refused.source, refused.size, down._all_have_paths) == (
            "refuse",
            "cos://bucket/site/a//b",
            6,
            False,
        )
        (tmp_path / "d").symlink_to(".")
        kept = await down._action(Step(None, LocalFile("d/x", tmp_path / "d" / "x", 7, 0), "x"))
        assert (kept.kind, kept.target, kept.size) == ("refuse", str(tmp_path / "d" / "x"), 7)
        assert kept.reason.startswith("not deleted: the key 'd/x' is reached by the link")


@pytest.mark.parametrize(("reserved", "whole"), [(True, True), (False, False)])
async def test_what_cannot_be_read_in_the_source(cos: aiocos.Client, tmp_path: Path, reserved: bool, whole: bool):
    run = run_of(cos, tmp_path, "cos://bucket/site", delete=True)
    path = tmp_path / ".f.0123abcd.part"
    trouble = Reserved.at(path.name, path) if reserved else Unreadable(path.name, path, OSError("closed"))
    action = await run._action(Step(trouble, None, "for a reason"))
    assert action == SyncAction("refuse", str(path), f"cos://bucket/site/{path.name}", 0, "for a reason")
    assert (run._source_was_read, run._source_is_empty) == (whole, True)


async def test_what_cannot_be_read_in_the_target(cos: aiocos.Client, tmp_path: Path):
    def gone(name: str) -> Step:
        return Step(None, Unreadable(name, tmp_path / name, OSError("closed")), "closed")

    up = run_of(cos, tmp_path, "cos://bucket/site", delete=True)
    assert await up._action(gone("a")) == SyncAction("refuse", "", "cos://bucket/site/a", 0, "not deleted: closed")
    (tmp_path / "a").write_bytes(b"")
    assert await up._action(gone("a")) is None, "the source has it"
    down = run_of(cos, "cos://bucket/site", tmp_path, delete=True)
    assert await down._action(gone("b")) is None, "a download of ours"
    for name in ("d/", ""):
        action = await down._action(gone(name))
        assert (action.kind, action.target, action.reason) == ("refuse", str(tmp_path / name), "not deleted: closed")


@pytest.mark.parametrize(("times", "error"), [(2, None), (3, "was changed each time while it was uploaded, 3 times")])
async def test_a_file_that_changes_is_uploaded_three_times_at_most(
    cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch, times: int, error: str | None
):
    from aiocos.transfer.sync import sync as module

    real, uploads = module.upload, 0

    async def changing(*args: Any) -> Any:
        nonlocal uploads
        uploads += 1
        result = await real(*args)
        if uploads <= times:
            os.utime(site / "a.txt", ns=(uploads, uploads))
        return result

    monkeypatch.setattr(module, "upload", changing)
    if error is None:
        assert (await cos.sync(site, "cos://bucket/site", include=["a.txt"])).files == 1
    else:
        with pytest.raises(DirectoryError, match=error):
            await cos.sync(site, "cos://bucket/site", include=["a.txt"])
    assert uploads == 3


@pytest.mark.parametrize(
    "failure", [RequestTimeoutError("too late", sent=True), PermissionError(13, "not yours"), ConfigError("a pipe")]
)
async def test_a_file_that_cannot_be_sent_and_what_seems_surplus(
    cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
):
    """A slow service says nothing of the source; an unreadable file may be it."""
    from aiocos.transfer.sync import sync as module

    real = module.upload

    async def failing(service: Any, budget: Any, up: Any, monitor: Any) -> Any:
        if up.key.endswith("a.txt"):
            raise failure
        return await real(service, budget, up, monitor)

    await cos.objects.put("bucket", "site/surplus", b"")
    monkeypatch.setattr(module, "upload", failing)
    with pytest.raises(DirectoryError) as caught:
        await cos.sync(site, "cos://bucket/site", delete=True)
    result: Any = caught.value.result
    late = isinstance(failure, RequestTimeoutError)
    assert (result.deleted, result.not_deleted) == ((1, None) if late else (0, "not all of the source could be read"))
    assert await cos.objects.exists("bucket", "site/surplus") is not late
    assert len(result.errors) == 1


async def test_objects_that_cannot_be_deleted_are_not_counted(cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("x", "y", "z"):
        await cos.objects.put("bucket", f"site/{name}", b"")

    async def delete_many(bucket: str, keys: AsyncIterator[str], *, quiet: bool) -> Any:
        assert ([key async for key in keys], bucket, quiet) == (["site/x", "site/y", "site/z"], "bucket", True)
        return SimpleNamespace(errors=[SimpleNamespace(key="site/y", code="AccessDenied", message="protected")])

    monkeypatch.setattr(manager_of(cos).service.objects, "delete_many", delete_many)
    with pytest.raises(DirectoryError, match="site/y: AccessDenied: protected") as caught:
        await cos.sync(site, "cos://bucket/site", delete=True)
    result: Any = caught.value.result
    assert result.deleted == 2
    assert [(e.path, e.key) for e in result.errors] == [("", "cos://bucket/site/y")]
