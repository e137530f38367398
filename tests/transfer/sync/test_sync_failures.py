"""A sync reports what fails, and continues with the rest."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, used

import aiocos
from aiocos import SyncAction
from aiocos.emulator import Delay, Emulator, Status
from aiocos.errors import ConfigError, NoSuchBucket
from aiocos.transfer import DirectoryError, Progress
from aiocos.transfer.sync.listing import Entry, RemoteObject
from aiocos.transfer.sync.walk import Unreadable

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
    from aiocos.transfer.sync.files import FileUploads

    real, changes = FileUploads.upload, [b"ONE", b"ENO"]

    async def disturbed(*args: Any) -> Any:
        result = await real(*args)
        if args[3] == "site/a.txt" and changes:
            write(site, {"a.txt": changes.pop()})
        return result

    monkeypatch.setattr(FileUploads, "upload", disturbed)
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
