"""The way to a directory below a root, one segment after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.transfer.conftest import open_files

from aiocos.errors import TransferError
from aiocos.transfer.sync.directory_chain import DIRECTORY, DirectoryChain


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root whose path has a link in it, as that of a user's directory may."""
    (tmp_path / "real" / "a" / "b").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").symlink_to("real")
    return tmp_path / "root"


@pytest.fixture
def fd(root: Path) -> Iterator[int]:
    fd = os.open(root, DIRECTORY)
    yield fd
    os.close(fd)


def way(root: Path, fd: int, name: str) -> DirectoryChain:
    return DirectoryChain(fd, root, root.resolve(), name)


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("file", ""),
        ("a/file", "a"),
        ("a/b/file", "a/b"),
        ("a//./b/file", "a/b"),
        ("./a/file", "a"),
        ("a/../a/b/../file", "a"),
        ("a/b/../../file", ""),
        ("a/./../file", ""),
    ],
)
def test_the_directory_of_a_name(root: Path, fd: int, name: str, reached: str):
    before = open_files()
    with way(root, fd, name) as there:
        assert there.open() is True
        assert os.path.samestat(os.fstat(there.directory), os.stat(root / reached))
        assert there.real == root.resolve() / reached
    assert open_files() == before, "each directory on the way is closed again"
    os.fstat(fd)  # and the root is still open


def test_a_name_does_not_go_above_the_root(root: Path, fd: int):
    for name in ("../file", "a/../../file"):
        with (
            way(root, fd, name) as there,
            pytest.raises(TransferError, match=f"leads outside: a link in its path leaves {root}"),
        ):
            there.open()


def test_what_is_missing_is_made_where_that_is_asked_for(root: Path, fd: int):
    with way(root, fd, "a/new/deep/file") as there:
        assert there.open() is False
        assert os.path.samestat(os.fstat(there.directory), os.stat(root / "a")), "as far as there is something"
        assert there.real == root.resolve() / "a/new/deep", "as if it was there"
    assert not (root / "a/new").exists()
    with way(root, fd, "a/new/deep/file") as there:
        assert there.open(create=True) is True
        assert os.path.samestat(os.fstat(there.directory), os.stat(root / "a/new/deep"))
        assert there.real == root.resolve() / "a/new/deep"
    assert not (root / "a/new/deep/file").exists()


def test_somebody_else_may_make_it_first(root: Path, fd: int, monkeypatch: pytest.MonkeyPatch):
    real = os.mkdir

    def mkdir(name: str, *, dir_fd: int) -> None:
        real(name, dir_fd=dir_fd)
        raise FileExistsError

    monkeypatch.setattr(os, "mkdir", mkdir)
    with way(root, fd, "new/deep/file") as there:
        assert there.open(create=True)
    assert (root / "new/deep").is_dir()


def test_links_are_followed_within_the_root(root: Path, fd: int):
    (root / "to").symlink_to("a/b")
    (root / "a" / "up").symlink_to("../to")
    (root / "a" / "b" / "abs").symlink_to(root / "a")
    (root / "a" / "all").symlink_to(root)
    for name, reached in (
        ("to/file", "a/b"),
        ("a/up/file", "a/b"),
        ("to/abs/b/file", "a/b"),
        ("a/all/file", ""),
        ("a/all/a/file", "a"),
    ):
        with way(root, fd, name) as there:
            assert there.open(), name
            assert os.path.samestat(os.fstat(there.directory), os.stat(root / reached)), name
            assert there.real == root.resolve() / reached, name
    with way(root, fd, "to/new/deep/file") as there:
        assert there.open(create=True)
    assert (root / "a/b/new/deep").is_dir(), "what a name has behind a link is made where the link leads"


def test_links_that_leave_the_root_are_not_followed(root: Path, fd: int):
    outside = root.parent / "outside"
    (root / "a" / "abs").symlink_to(outside)
    (root / "rel").symlink_to("../outside")
    with way(root, fd, "a/abs/file") as there, pytest.raises(TransferError) as caught:
        there.open(create=True)
    assert str(caught.value) == f"the key 'a/abs/file' leads outside: {root}/a/abs is a link to {outside}"
    with way(root, fd, "rel/file") as there, pytest.raises(TransferError, match=f"a link in its path leaves {root}"):
        there.open(create=True)


def test_what_a_link_leads_to_is_not_made(root: Path, fd: int):
    (root / "a" / "link").symlink_to("gone/deep")
    (root / "a" / "short").symlink_to("gone")
    for name in ("a/link/file", "a/link/new/file", "a/short/file", "a/short/new/file"):
        for create in (False, True):
            with way(root, fd, name) as there, pytest.raises(TransferError) as caught:
                there.open(create=create)
            assert f"a link in its path leads to {root}/a/gone, which does not exist" in str(caught.value)
    assert sorted(os.listdir(root / "a")) == ["b", "link", "short"]


def test_as_many_links_are_followed_as_the_system_does(root: Path, fd: int):
    (root / "link1").symlink_to("a")
    for number in range(2, 42):
        (root / f"link{number}").symlink_to(f"link{number - 1}")
    with way(root, fd, "link40/file") as there:
        assert there.open()
    with way(root, fd, "link41/file") as there, pytest.raises(TransferError, match=f"reached by the link {root}/link1$"):
        there.open()
    with way(root, fd, "link2/file") as there:
        assert there.open(max_links=2)
    for links in (0, 1):
        with way(root, fd, "link2/file") as there, pytest.raises(TransferError, match="reached by the link"):
            there.open(max_links=links)
    with way(root, fd, "a/file") as there:
        assert there.open(max_links=0)


def test_a_file_is_no_directory(root: Path, fd: int):
    (root / "a" / "file").touch()
    os.mkfifo(root / "a" / "pipe")
    for name in ("file", "pipe"):
        with way(root, fd, f"a/{name}/below/x") as there, pytest.raises(TransferError) as caught:
            there.open(create=True)
        assert (
            str(caught.value) == f"the key 'a/{name}/below/x' cannot be a path here: {root}/a/{name} is a file, not a directory"
        )
        assert isinstance(caught.value.__cause__, OSError)


def test_a_directory_that_may_not_be_entered_says_so(root: Path, fd: int, monkeypatch: pytest.MonkeyPatch):
    real = os.open

    def refusing(path: str, flags: int, **more: int) -> int:
        if path == "b":
            raise PermissionError(13, "Permission denied")
        return real(path, flags, **more)

    monkeypatch.setattr(os, "open", refusing)
    with way(root, fd, "a/b/file") as there, pytest.raises(PermissionError):
        there.open()


def test_directories_that_are_left_empty_are_removed_and_no_others(root: Path, fd: int):
    (root / "a" / "b" / "c" / "d").mkdir(parents=True)
    (root / "a" / "kept").touch()
    before = open_files()
    with way(root, fd, "a/b/c/d/file") as there:
        assert there.open()
        there.remove_empty()
    assert sorted(os.listdir(root / "a")) == ["kept"]
    assert open_files() == before
    (root / "e" / "f").mkdir(parents=True)
    (root / "a" / "kept").unlink()
    with way(root, fd, "e/f/file") as there:
        assert there.open()
        there.remove_empty()
    assert sorted(os.listdir(root)) == ["a"], "the root stays, and what is not on the way"
    with way(root, fd, "file") as there:
        assert there.open()
        there.remove_empty()
    assert root.is_dir()
