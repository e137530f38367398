"""Files are found in the order of their keys, and everything else is reported."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiocos.errors import TransferError
from aiocos.transfer.sync.filters import Filter
from aiocos.transfer.sync.walk import LocalFile, Reserved, Unreadable, find_files, may_exist, walk


def names(root: Path, *args: object) -> list[str]:
    return [found.name for found in find_files(root, *args) if isinstance(found, LocalFile)]  # type: ignore[arg-type]


def make(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


SEGMENT = st.sampled_from(["a", "b", "a-", "a0", "ab", "A", "ü", "z", "\U0001f600", "a b", "\uffee"])


@settings(max_examples=40)
@given(st.sets(st.lists(SEGMENT, min_size=1, max_size=3).map("/".join), max_size=20))
def test_files_come_in_the_order_of_their_keys(tmp_path_factory: pytest.TempPathFactory, wanted: set[str]):
    files = [n for n in wanted if not any(other.startswith(n + "/") for other in wanted)]
    root = make(tmp_path_factory.mktemp("t"), *files)
    found = names(root)
    assert found == sorted(files, key=str.encode)


def test_links_of_each_kind(tmp_path: Path):
    root = make(tmp_path / "root", "file", "dir/in")
    make(tmp_path / "elsewhere", "there")
    (root / "link").symlink_to("file")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "dir" / "up").symlink_to(root)
    (root / "broken").symlink_to("nowhere")
    (root / "self").symlink_to("self")
    assert names(root) == ["dir/in", "file", "link"]
    assert names(root, "skip") == ["dir/in", "file"]
    assert names(root, "follow") == ["dir/in", "file", "folder/there", "link"]
    troubles = {found.name: str(found.error) for found in find_files(root, "follow") if isinstance(found, Unreadable)}
    assert "directory that contains it" in troubles["dir/up/"]
    assert set(troubles) == {"broken", "dir/up/", "self"}
    assert [found for found in find_files(root, "skip") if isinstance(found, Unreadable)] == []


def test_what_is_excluded_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = make(tmp_path, "a.py", "skipped/b.py", "kept/c.py", "kept/c.tmp")
    entered: list[str] = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: entered.append(Path(path).name) or real(path))
    assert names(root, "files", Filter(exclude=["skipped", "*.tmp"])) == ["a.py", "kept/c.py"]
    assert entered == [tmp_path.name, "kept"]


def test_what_downloads_leave_lying_is_no_file_of_the_tree(tmp_path: Path):
    make(
        tmp_path, ".big.bin.0123abcd.part", ".big.bin.0123456789ab.part", ".big.bin.0123456789ab.journal", ".own.part", "x.part"
    )
    assert names(tmp_path) == [".own.part", "x.part"]


def test_names_that_are_no_text_are_told_of(tmp_path: Path):
    make(tmp_path, "good")
    with open(os.fsencode(tmp_path) + b"/bad-\xff", "wb"):
        pass
    [trouble] = [found for found in find_files(tmp_path) if isinstance(found, Unreadable)]
    assert "not valid UTF-8" in str(trouble.error)
    assert names(tmp_path) == ["good"]


def test_what_stands_at_a_name(tmp_path: Path):
    make(tmp_path / "root", "file", "dir/in")
    root = tmp_path / "root"
    (root / "broken").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    (root / "folder").symlink_to("dir")
    os.mkfifo(root / "pipe")
    for name in ("file", "dir/in", "broken", "loop", "folder", "pipe"):
        assert may_exist(root, name, "files"), name
        assert may_exist(root, name, "follow"), name
    for name in (
        "dir",
        "none",
        "dir/none",
        "file/below",
        "dir/",
        "dir//in",
        "./file",
        "../root/file",
        "/file",
        "",
        "a\0b",
        "\ud800",
    ):
        assert not may_exist(root, name, "files"), name
    assert not may_exist(root, "x" * 300, "files")
    assert not may_exist(root, "dir/" + "x" * 300 + "/y", "files"), "no file has such a name"
    for symlinks in ("files", "skip"):
        assert may_exist(root, "folder/none", symlinks), "what lies behind is not looked at"
    assert not may_exist(root, "folder/none", "follow")
    assert may_exist(root, "folder/in", "follow")
    assert may_exist(root, "loop/x", "follow"), "nobody can tell"


def test_what_is_told_of_a_file(tmp_path: Path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"12345")
    os.utime(tmp_path / "d" / "f", ns=(1, 2_000_000_003))
    (tmp_path / "link").symlink_to("d/f")
    assert list(find_files(tmp_path)) == [
        LocalFile("d/f", tmp_path / "d" / "f", 5, 2_000_000_003),
        LocalFile("link", tmp_path / "link", 5, 2_000_000_003),
    ]
    assert list(walk(tmp_path)) == [tmp_path / "d" / "f", tmp_path / "link"]
    (tmp_path / "e").symlink_to("nowhere")
    with pytest.raises(TransferError, match=f"{tmp_path / 'e'} is a link to nowhere"):
        list(walk(tmp_path))


def test_what_is_no_file_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)
        listener.bind("socket")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    said = {found.name: str(found.error) for found in find_files(tmp_path) if isinstance(found, Unreadable)}
    assert said["pipe"] == f"{tmp_path / 'pipe'} is a pipe: only regular files can be transferred"
    assert said["null"] == f"{tmp_path / 'null'} is a device: only regular files can be transferred"
    assert said["socket"] == f"{tmp_path / 'socket'} is a socket: only regular files can be transferred"
    assert said["broken"] == f"{tmp_path / 'broken'} is a link to nowhere"
    assert "Too many levels" in said["loop"]
    assert all(found.path == tmp_path / found.name for found in find_files(tmp_path))


def test_a_directory_that_cannot_be_read_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make(tmp_path, "a/x", "b/y", "c")
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "b":
            raise PermissionError(13, "not yours")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = list(find_files(tmp_path))
    assert [one.name for one in found] == ["a/x", "b/", "c"]
    assert isinstance(found[1], Unreadable)
    assert isinstance(found[1].error, PermissionError)


def test_reserved_names_are_told_of(tmp_path: Path):
    make(tmp_path, ".f.0123abcd.part", "d/.f.0123abcd.journal", "x")
    (tmp_path / ".g.0123abcd.part").mkdir()
    found = list(find_files(tmp_path))
    assert [(type(one), one.name) for one in found] == [
        (Reserved, ".f.0123abcd.part"),
        (Reserved, ".g.0123abcd.part"),
        (Reserved, "d/.f.0123abcd.journal"),
        (LocalFile, "x"),
    ]
    assert isinstance(found[2], Reserved)
    assert f"{tmp_path}/d/.f.0123abcd.journal is not transferred" in str(found[2].error)
