"""Directories of files: all of them, or each failure by its name; and nothing outside the target."""

import os
from pathlib import Path

import pytest
from tests.transfer.conftest import used

import aiocos
from aiocos.emulator import Emulator, Status
from aiocos.errors import ConfigError, TransferError
from aiocos.transfer import DirectoryError, Progress
from aiocos.transfer.sync.safe_target import path_for_key


def tree(root: Path, count: int) -> dict[str, bytes]:
    files = {f"d{i % 7}/e {i % 3}/f{i}ü+": os.urandom(i % 2000) for i in range(count)}
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return files


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


async def test_both_ways(small: aiocos.Client, tmp_path: Path):
    files = tree(tmp_path / "in", 300)
    states: dict[str, str] = {}

    def watch(event: Progress) -> None:
        states[event.key] = event.state

    up = await small.upload_directory(tmp_path / "in", "bucket", prefix="p/", progress=watch)
    assert (up.files, up.bytes, up.errors) == (300, sum(map(len, files.values())), [])
    assert states == {f"p/{name}": "done" for name in files}
    await small.objects.put("bucket", "elsewhere", b"")
    down = await small.download_directory("bucket", tmp_path / "out", prefix="p/", concurrency=5)
    assert (down.files, down.bytes) == (up.files, up.bytes)
    assert contents(tmp_path / "out") == files
    assert used(small) == 0


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/", "./x", "a/../b", "..", ".", "", "a\0b", "a/./b"])
def test_names_that_are_no_path(name: str, tmp_path: Path):
    with pytest.raises(TransferError):
        path_for_key(tmp_path, name)


@pytest.mark.parametrize("name", ["x", "a/b", "a b", "ü", "...", "a..b", "C:x", "a\\b", "-rf", "~"])
def test_names_that_are_one(name: str, tmp_path: Path):
    path = path_for_key(tmp_path, name)
    assert path.is_relative_to(tmp_path)
    assert path.relative_to(tmp_path).as_posix() == name


async def test_keys_that_would_escape_are_refused_and_the_rest_is_done(small: aiocos.Client, tmp_path: Path):
    bad = ["../escaped", "/etc/passwd", "a//b", "x/../../escaped", "n\0ul"]
    for key in [*bad, "good", "sub/good", "folder/"]:
        await small.objects.put("bucket", "p/" + key, b"data")
    await small.objects.put("bucket", "p/empty-folder/", b"")
    root = tmp_path / "deep" / "target"
    with pytest.raises(DirectoryError) as caught:
        await small.download_directory("bucket", root, prefix="p/")
    assert sorted(e.key for e in caught.value.result.errors) == sorted("p/" + key for key in [*bad, "folder/"])
    assert caught.value.result.files == 2
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert contents(tmp_path) == {"deep/target/good": b"data", "deep/target/sub/good": b"data"}


async def test_a_file_and_a_folder_of_one_name(small: aiocos.Client, tmp_path: Path):
    for key in ("a", "a/b", "c"):
        await small.objects.put("bucket", key, key.encode())
    with pytest.raises(DirectoryError) as caught:
        await small.download_directory("bucket", tmp_path, concurrency=1)
    assert len(caught.value.result.errors) == 1
    assert contents(tmp_path)["c"] == b"c"


async def test_links_and_odd_files(small: aiocos.Client, tmp_path: Path):
    root = tmp_path / "in"
    (root / "d").mkdir(parents=True)
    (root / "d" / "f").write_bytes(b"data")
    (root / "link").symlink_to(root / "d" / "f")
    (root / "loop").symlink_to(root)
    (root / "broken").symlink_to(root / "nowhere")
    os.mkfifo(root / "fifo")
    (root / "empty").mkdir()
    with pytest.raises(DirectoryError) as caught:
        await small.upload_directory(root, "bucket")
    result = caught.value.result
    assert result.files == 2
    assert {e.path: e.error for e in result.errors} == {
        str(root / "broken"): f"{root}/broken is a link to nowhere",
        str(root / "fifo"): f"{root}/fifo is a pipe: only regular files can be transferred",
    }
    assert [e.key async for e in small.objects.list("bucket")] == ["d/f", "link"]
    assert (await small.upload_directory(root, "bucket", exclude=["broken", "fifo"])).files == 2
    with pytest.raises(DirectoryError, match="1 of 2"):
        await small.upload_directory(root, "bucket", symlinks="skip")


async def test_a_name_that_is_no_text(small: aiocos.Client, tmp_path: Path):
    (tmp_path / "good").write_bytes(b"")
    with open(os.fsencode(tmp_path) + b"/bad\xff", "wb"):
        pass
    with pytest.raises(DirectoryError, match="UTF-8") as caught:
        await small.upload_directory(tmp_path, "bucket")
    assert caught.value.result.files == 1


async def test_what_is_wrong_for_all_is_said_once(small: aiocos.Client, tmp_path: Path):
    tree(tmp_path, 20)
    with pytest.raises(aiocos.NoSuchBucket):
        await small.upload_directory(tmp_path, "no-such-bucket")
    with pytest.raises(aiocos.NoSuchBucket):
        await small.download_directory("no-such-bucket", tmp_path)
    with pytest.raises(ConfigError, match="not a directory"):
        await small.upload_directory(tmp_path / "missing", "bucket")
    assert used(small) == 0


async def test_a_directory_that_cannot_be_read_and_a_link_to_itself(
    small: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    files = tree(tmp_path / "in", 30)
    (tmp_path / "in" / "itself").symlink_to("itself")
    real = os.scandir

    def scandir(path: os.PathLike[str]):
        if Path(path).name == "d3":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DirectoryError, match="2 of") as caught:
        await small.upload_directory(tmp_path / "in", "bucket")
    assert {Path(e.path).name for e in caught.value.result.errors} == {"d3", "itself"}
    assert caught.value.result.files == len([name for name in files if not name.startswith("d3/")])


async def test_what_fails_has_its_path_and_its_key(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    root = tmp_path / "in"
    (root / "d").mkdir(parents=True)
    (root / "d" / "a").write_bytes(b"12345")
    (root / "b").symlink_to("nowhere")
    with pytest.raises(DirectoryError, match=f"the transfer of {root} to cos://bucket/p/: 1 of 2 files failed: ") as caught:
        await small.upload_directory(root, "bucket", prefix="p/")
    result = caught.value.result
    assert (result.files, result.bytes, result.unchanged) == (1, 5, 0)
    [error] = result.errors
    assert (error.path, error.key) == (str(root / "b"), "p/b")
    assert "is a link to nowhere" in error.error
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert len(caught.value.__cause__.exceptions) == 1
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", times=None)])
    with pytest.raises(DirectoryError, match="1 of 1 files failed") as caught:
        await small.download_directory("bucket", tmp_path / "out", prefix="p/")
    [error] = caught.value.result.errors
    assert (error.path, error.key) == (str(tmp_path / "out" / "d" / "a"), "p/d/a")


@pytest.mark.parametrize("resume", [False, True])
async def test_what_is_there_already_is_transferred_again_unless_it_resumes(
    small: aiocos.Client, tmp_path: Path, *, resume: bool
):
    root = tmp_path / "in"
    root.mkdir()
    (root / "a").write_bytes(b"12345")
    os.utime(root / "a", (1, 1))
    await small.upload_directory(root, "bucket")
    await small.objects.put("bucket", "more", b"123")
    up = await small.upload_directory(root, "bucket", resume=resume)
    assert (up.files, up.bytes, up.unchanged, up.errors) == ((0, 0, 1, []) if resume else (1, 5, 0, []))
    await small.download_directory("bucket", tmp_path / "out")
    (tmp_path / "out" / "own").write_bytes(b"")
    down = await small.download_directory("bucket", tmp_path / "out", resume=resume)
    assert (down.files, down.bytes, down.unchanged) == ((0, 0, 2) if resume else (2, 8, 0))
    assert contents(tmp_path / "out") == {"a": b"12345", "more": b"123", "own": b""}, "nothing is deleted"
