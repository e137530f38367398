"""Each decision of a sync by itself."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, PART

import aiocos
from aiocos import SyncAction
from aiocos.emulator import Emulator
from aiocos.errors import ConfigError, RequestTimeoutError
from aiocos.transfer import DirectoryError
from aiocos.transfer.manager import manager_of
from aiocos.transfer.sync.listing import RemoteObject
from aiocos.transfer.sync.plan import Step
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
    from aiocos.transfer.sync.files import FileUploads

    real, uploads = FileUploads.upload, 0

    async def changing(*args: Any) -> Any:
        nonlocal uploads
        uploads += 1
        result = await real(*args)
        if uploads <= times:
            os.utime(site / "a.txt", ns=(uploads, uploads))
        return result

    monkeypatch.setattr(FileUploads, "upload", changing)
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
    from aiocos.transfer.sync.files import FileUploads

    real = FileUploads.upload

    async def failing(uploads: Any, file: Any, bucket: str, key: str, monitor: Any) -> Any:
        if key.endswith("a.txt"):
            raise failure
        return await real(uploads, file, bucket, key, monitor)

    await cos.objects.put("bucket", "site/surplus", b"")
    monkeypatch.setattr(FileUploads, "upload", failing)
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
