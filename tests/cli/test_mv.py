"""`mv`: names of targets, flushed files, changed files, other services."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import DATA, FILES, Shell, contents, list_keys
from tests.servers import moto, rclone

from aiocos.transfer import manager


def test_moves_up_within_and_down(shell: Shell, bucket_url: str, tree: Path, tmp_path: Path):
    assert shell("mv", str(tree / "a.txt"), f"{bucket_url}/one/").code == 0
    assert not (tree / "a.txt").exists()
    assert shell("mv", f"{bucket_url}/one/a.txt", f"{bucket_url}/two/b.txt").code == 0
    assert list_keys(shell, f"{bucket_url}/") == ["two/b.txt"]
    result = shell("mv", f"{bucket_url}/two/b.txt", str(tmp_path / "back.txt"), "--json")
    assert result.json() == [{"files": 1, "bytes": 3}]
    assert (tmp_path / "back.txt").read_bytes() == b"one"
    assert list_keys(shell, f"{bucket_url}/") == []


def test_moves_of_directories_and_prefixes(shell: Shell, bucket_url: str, tree: Path, tmp_path: Path):
    assert shell("mv", str(tree), f"{bucket_url}/x").code == 2
    done = shell("mv", "-r", str(tree), f"{bucket_url}/x")
    assert (done.code, done.out) == (0, "moved 3 files, 15 B\n")
    assert contents(tree) == {}
    assert shell("mv", "-r", f"{bucket_url}/x", f"{bucket_url}/y/z").code == 0
    assert list_keys(shell, f"{bucket_url}/") == [f"y/z/{name}" for name in sorted(FILES)]
    assert shell("mv", "-r", f"{bucket_url}/y", str(tmp_path / "out")).code == 0
    assert contents(tmp_path / "out") == {f"z/{name}": data for name, data in FILES.items()}
    assert list_keys(shell, f"{bucket_url}/") == []
    assert shell("mv", "-r", f"{bucket_url}/nothing", str(tmp_path / "out")).code == 1


def test_a_failed_move_keeps_the_source(shell: Shell, bucket_url: str, tree: Path):
    assert shell("mv", str(tree / "a.txt"), "cos://no-such-bucket-here/x").code == 1
    assert (tree / "a.txt").exists()
    shell("cp", str(tree / "a.txt"), f"{bucket_url}/k")
    assert shell("mv", f"{bucket_url}/k", f"{bucket_url}/k").code == 2
    assert shell("mv", f"{bucket_url}/k", str(tree / "b")).code == 0
    assert (tree / "b" / "k").read_bytes() == b"one", "the file keeps its name in a directory"
    assert shell("mv", f"{bucket_url}/gone", str(tree / "x")).code == 1


def test_a_move_writes_only_below_its_target_directory(shell: Shell, bucket_url: str, tree: Path, tmp_path: Path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (outside / "mine").write_bytes(b"mine")
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "mine")
    bad = ["link/x", "file", ".a.txt.0123456789ab.journal", ".a.txt.0123abcd.part/x"]
    for key in [*bad, "good", "d/good"]:
        shell("cp", str(tree / "a.txt"), f"{bucket_url}/p/{key}")
    result = shell("mv", "-r", f"{bucket_url}/p", str(root))
    assert result.code == 1
    assert list_keys(shell, f"{bucket_url}/p/") == [f"p/{key}" for key in sorted(bad)], "objects with refused names are kept"
    assert contents(outside) == {"mine": b"mine"}
    assert (root / "good").read_bytes() == (root / "d" / "good").read_bytes() == b"one"
    assert not (root / ".a.txt.0123456789ab.journal").exists()


def test_a_downloaded_file_is_flushed_to_disk(shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    assert shell("cp", str(source), f"{bucket_url}/p/key").code == 0
    fsync_values: list[bool | None] = []
    real = manager._DOWNLOAD._function

    def work(service: Any, budget: Any, request: Any, monitor: Any) -> Any:
        fsync_values.append(request.fsync)
        return real(service, budget, request, monitor)

    monkeypatch.setattr(manager._DOWNLOAD, "_function", work)
    assert shell("mv", f"{bucket_url}/p/key", str(source.parent / "out")).code == 0
    assert fsync_values == [True]


@pytest.mark.parametrize("tree", [True, False])
def test_created_directories_are_flushed_to_disk(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch, *, tree: bool
):
    """A crash can lose a flushed file whose new directory is not flushed to disk."""
    assert shell("cp", str(source), f"{bucket_url}/p/a/b/key").code == 0
    flushed: set[int] = set()
    real = os.fsync

    def fsync(fd: int) -> None:
        flushed.add(os.fstat(fd).st_ino)
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    target = source.parent / "new" / "out"
    result = (
        shell("mv", "-r", f"{bucket_url}/p", str(target))
        if tree
        else shell("mv", f"{bucket_url}/p/a/b/key", f"{target}/a/b/key")
    )
    assert result.code == 0
    key = target / "a" / "b" / "key"
    assert key.read_bytes() == DATA
    for path in (key, *key.parents):
        assert path.stat().st_ino in flushed, path
        if path == source.parent:
            return


@pytest.mark.parametrize("change", ["another file", "written, and its time set back"])
def test_a_changed_file_is_kept_even_if_size_and_time_are_equal(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch, change: str
):
    real = manager._UPLOAD._function

    async def work(service: Any, budget: Any, request: Any, monitor: Any) -> Any:
        result = await real(service, budget, request, monitor)
        info, other = source.stat(), source.parent / "other"
        where = other if change == "another file" else source
        where.write_bytes(DATA[::-1])
        os.utime(where, ns=(info.st_atime_ns, info.st_mtime_ns))
        if where is other:
            other.replace(source)
        return result

    monkeypatch.setattr(manager._UPLOAD, "_function", work)
    result = shell("mv", str(source), f"{bucket_url}/key")
    assert result.code == 1
    assert "was changed while it was moved" in result.err
    assert source.read_bytes() == DATA[::-1]


def test_all_hard_links_of_a_file_are_moved(shell: Shell, bucket_url: str, source: Path):
    tree = source.parent / "tree"
    tree.mkdir()
    (tree / "a").write_bytes(DATA)
    for name in "bcdefgh":
        os.link(tree / "a", tree / name)
    result = shell("mv", "-r", str(tree), f"{bucket_url}/tree")
    assert result.code == 0, result.err
    assert not list(tree.iterdir())


@pytest.mark.parametrize("service", ["moto", "rclone"])
def test_moves_of_a_large_file_on_moto_and_rclone(shell: Shell, tmp_path: Path, service: str):
    """moto returns version ids that cannot be requested; rclone changes the ETag of an object after its multipart upload."""
    (tmp_path / "data").mkdir()
    content = os.urandom(20 << 20)
    (tmp_path / "file").write_bytes(content)
    with moto() if service == "moto" else rclone(tmp_path / "data") as server:
        shell.environment = {
            "AIOCOS_ENDPOINT": server.endpoint,
            "AWS_ACCESS_KEY_ID": server.access_key_id,
            "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
        }
        for arguments in (
            ["mb", "cos://bucket"],
            ["mv", str(tmp_path / "file"), "cos://bucket/a"],
            ["mv", "cos://bucket/a", "cos://bucket/b"],
            ["mv", "cos://bucket/b", str(tmp_path / "back")],
        ):
            outcome = shell(*arguments)
            assert outcome.code == 0, outcome.err
            assert not (tmp_path / "file").exists() or arguments[0] == "mb"
    assert (tmp_path / "back").read_bytes() == content
