"""Objects are written below the root only, each to a path of its own."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.transfer.conftest import DATA, open_files

import aiocos
from aiocos.emulator import Emulator, Status
from aiocos.errors import TransferError
from aiocos.transfer.reserved_names import is_reserved
from aiocos.transfer.sync import safe_target
from aiocos.transfer.sync.safe_target import SafeTarget, path_for_key


def make(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def landing(root: Path, *, ignores_case: bool = False) -> SafeTarget:
    made = SafeTarget(root, lambda _: ignores_case)
    made.open()
    return made


def test_nothing_lands_outside_by_a_link(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    root = make(tmp_path / "root", "inner/x")
    (root / "out").symlink_to(outside)
    (root / "in").symlink_to("inner")
    here = landing(root)
    with pytest.raises(TransferError, match="leads outside"):
        here.path("out/file")
    with pytest.raises(TransferError, match="leads outside"):
        here.path("out/deep/file")
    assert here.path("in/file") == root / "in/file"
    assert here.path("new/file") == root / "new/file"


def test_a_root_that_is_a_link_is_the_users_own(tmp_path: Path):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "root").symlink_to(real)
    assert landing(tmp_path / "root").path("a/b") == tmp_path / "root/a/b"


def test_files_in_the_place_of_directories_and_the_reverse(tmp_path: Path):
    make(tmp_path, "file", "dir/x")
    here = landing(tmp_path)
    with pytest.raises(TransferError, match="is a file"):
        here.path("file/below")
    with pytest.raises(TransferError, match="is a file"):
        here.path("file/deep/below")
    with pytest.raises(TransferError, match="is a directory"):
        here.path("dir")


def test_names_that_differ_in_case_alone(tmp_path: Path):
    here = landing(tmp_path, ignores_case=True)
    assert here.path("Read.me")
    with pytest.raises(TransferError, match="case alone"):
        here.path("read.ME")
    assert here.path("dir/Read.me")
    there = landing(tmp_path)
    assert there.path("Read.me") != there.path("read.ME")


def test_the_file_system_is_asked_what_it_does(tmp_path: Path):
    """Here, where cases are told apart; nothing is left of the question."""
    here = SafeTarget(tmp_path / "new")
    here.open()
    assert here.path("a") != here.path("A")
    assert list((tmp_path / "new").iterdir()) == []


def test_directories_are_made_below_the_open_root_only(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    root = make(tmp_path / "root", "inner/x")
    (root / "rel").symlink_to("inner/../inner")
    (root / "abs").symlink_to(root / "inner")
    (root / "inner" / "up").symlink_to("../inner")
    (root / "new").symlink_to("made/deep")
    (root / "climb").symlink_to("../outside")
    (root / "twice").symlink_to("inner/up/../../../outside")
    (root / "loop").symlink_to("loop")
    here = landing(root)
    with pytest.raises(TransferError, match="made, which does not exist"):
        here._open_target("new/j")
    assert not (root / "made").exists(), "what a link to nowhere means is not made"
    (root / "made" / "deep").mkdir(parents=True)
    for name in ("rel/f", "abs/g/h", "inner/up/i", "new/j", "new/new/l", "a/b/c/k"):
        target = here._open_target(name)
        os.close(os.open(target.path.name, os.O_CREAT | os.O_WRONLY, dir_fd=target.dir_fd))
        target.close()
        assert target.path == root / name
        assert target.path.exists()
    for name in ("climb/f", "twice/f", "climb/new/f"):
        with pytest.raises(TransferError, match="leads outside"):
            here._open_target(name)
    with pytest.raises(TransferError, match="by the link"):
        here._open_target("loop/f")
    here.close()
    assert list(outside.iterdir()) == []
    assert {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and not p.is_symlink()} >= {
        "inner/f", "inner/g/h", "inner/i", "made/deep/j", "a/b/c/k",
    }  # fmt: skip


def test_the_root_is_the_directory_that_was_opened(tmp_path: Path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    here = landing(root)
    root.rename(tmp_path / "moved")
    root.symlink_to(outside)
    here._open_target("a/b").close()
    here.close()
    assert (tmp_path / "moved" / "a").is_dir()
    assert list(outside.iterdir()) == []


def test_links_and_other_things_are_not_replaced(tmp_path: Path):
    make(tmp_path, "file")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    here = landing(tmp_path)
    for name, reason in (("link", "is a link"), ("broken", "is a link"), ("pipe", "not a regular file")):
        with pytest.raises(TransferError, match=reason):
            here.path(name)
    here.close()


@pytest.mark.parametrize(
    "name",
    [
        ".f.0123abcd.part",
        ".f.0123456789ab.part",
        ".f.0123456789ab.journal",
        ".F.0123ABCD.PART",
        "d/.f.0123abcd.part",
        ".f.0123abcd.part/x",
        ".ä\n.0123abcd.part",
        "." + "x" * 50 + ".0123abcd.part",
        ".aiocos-Case-0123abcd",
    ],
)
def test_names_of_our_own_files_are_refused(tmp_path: Path, name: str):
    here = landing(tmp_path)
    with here.targets() as find:
        for ask in (here.path, here.check_name, find):
            with pytest.raises(TransferError, match="unfinished downloads"):
                ask(name)
    here.close()


async def test_what_a_download_leaves_for_the_next_is_reserved(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    """The names that downloads do give: those are known to `is_reserved`, too."""
    await small.upload("bucket", "film", DATA)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError):
        await small.download("bucket", "film", tmp_path / "film", resume=True)
    left = sorted(p.name for p in tmp_path.iterdir())
    assert [name.rpartition(".")[2] for name in left] == ["journal", "part"]
    assert all(map(is_reserved, left))


def test_nothing_lands_where_uploads_keep_their_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    state = tmp_path / "home" / ".local" / "state" / "aiocos"
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "short").symlink_to(".local/state")
    here = SafeTarget(tmp_path / "home", lambda _: False, state=state)
    here.open()
    for _ in range(2):  # whether it is there already or not
        for name in (".local/state/aiocos/x.upload", ".local/state/aiocos/d/x", ".local/state/aiocos", "short/aiocos/x"):
            with pytest.raises(TransferError, match=r"journals|is a directory|does not exist"):
                here._open_target(name)
            with pytest.raises(TransferError, match=r"journals|is a directory|does not exist"), here.targets() as find:
                find(name)
        state.mkdir(parents=True, exist_ok=True)
    assert list(state.iterdir()) == []
    here._open_target(".local/state/other").close()
    with here.targets() as find:  # also if its directory is open already
        assert find(".local/state/other").old is None
        with pytest.raises(TransferError, match=r"journals|is a directory"):
            find(".local/state/aiocos")
        (state / "deep").mkdir()
        for name in (".local/state/aiocos/x", ".local/state/aiocos/y", ".local/state/aiocos/deep/x"):
            with pytest.raises(TransferError, match="journals"):
                find(name)
    here.close()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    there = landing(tmp_path)
    with pytest.raises(TransferError, match="journals"):
        there.path("xdg/aiocos/x.upload")
    there.close()


@pytest.mark.parametrize("name", ["", "/", "a/", "/a", "a//b", ".", "..", "a/./b", "a/../b", "a/..", "a\0b", "\ud800"])
def test_names_that_are_no_path(tmp_path: Path, name: str):
    with pytest.raises(TransferError, match="cannot be a path"):
        path_for_key(tmp_path, name)


def test_names_that_are_paths(tmp_path: Path):
    for name in ("a", "a/b/c", "C:", "C:\\x", "a\\b", "...", "..a", " ", "a ", "a."):
        assert path_for_key(tmp_path, name) == tmp_path / name


def test_on_windows_more_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("aiocos.transfer.sync.safe_target.os", SimpleNamespace(name="nt", fsencode=os.fsencode))
    for name in ("C:", "C:\\x", "a\\b", "a:b", "a ", "a.", "x/a."):
        with pytest.raises(TransferError, match="a character that file names cannot have"):
            path_for_key(tmp_path, name)
    assert path_for_key(tmp_path, "a/b c") == tmp_path / "a/b c"


def test_a_landing_that_is_not_made(tmp_path: Path):
    here = SafeTarget(tmp_path / "new", lambda _: True)
    here.open(create=False)
    assert not (tmp_path / "new").exists()
    assert here.path("a") == tmp_path / "new" / "a"
    assert here.path("A") == tmp_path / "new" / "A", "nothing is asked of the file system"
    assert here.remove("a") is False
    assert here.why_kept("a") is None
    here.close()
    here.close()
    (tmp_path / "new").mkdir()
    before = open_files()
    here.open(create=False)
    assert here.path("a") == tmp_path / "new" / "a"
    here.close()
    assert open_files() == before
    assert os.listdir(tmp_path / "new") == []


def test_a_landing_that_cannot_be_opened_leaves_nothing_open(tmp_path: Path):
    before = open_files()

    def fails(directory: int) -> bool:
        raise KeyError

    with pytest.raises(KeyError):
        SafeTarget(tmp_path, fails).open()
    assert open_files() == before


async def test_a_landing_is_held_open(tmp_path: Path):
    before = open_files()
    here = SafeTarget(tmp_path / "new")
    async with here.opened():
        async with here.target("a/b") as target:
            assert target.path == tmp_path / "new" / "a" / "b"
            assert os.path.samestat(os.fstat(target.dir_fd), os.stat(tmp_path / "new" / "a"))
    assert open_files() == before
    async with SafeTarget(tmp_path / "other").opened(create=False):
        pass
    assert not (tmp_path / "other").exists()


def test_a_file_is_deleted_with_the_directories_that_it_leaves_empty(tmp_path: Path):
    root = make(tmp_path / "root", "a/b/c", "a/d", "e")
    (root / "link").symlink_to("a")
    here = landing(root)
    assert here.why_kept("a/b/c") is None
    assert here.remove("a/b/c") is True
    assert sorted(os.listdir(root / "a")) == ["d"]
    assert here.remove("a/b/c") is False
    assert here.remove("e") is True
    assert here.remove("none") is False
    assert "by the link" in (here.why_kept("link/d") or "")
    with pytest.raises(TransferError, match="by the link"):
        here.remove("link/d")
    assert (root / "a" / "d").exists()
    assert here.remove("link") is True, "the link itself is a file of its own"
    assert sorted(os.listdir(root)) == ["a"]
    here.close()


def test_what_differs_in_case_alone_is_not_deleted(tmp_path: Path):
    make(tmp_path, "Read.me", "other")
    here = landing(tmp_path, ignores_case=True)
    here.path("read.ME")
    assert here.remove("Read.me") is False, "it is the file that was just written"
    assert here.remove("other") is True
    assert here.path("read.ME"), "the same name again is itself"
    here.path("é")
    with pytest.raises(TransferError, match="case alone"):
        here.path("e\u0301")
    here.close()


@pytest.mark.parametrize("ignores", [True, False])
def test_a_file_system_is_asked_whether_it_ignores_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignores: bool):
    real = os.stat

    def stat(path: str, **more: int) -> os.stat_result:
        if ignores and str(path).startswith(".aiocos-case-"):
            path = next(name for name in os.listdir(tmp_path) if name.lower() == path)
        return real(path, **more)

    fd = os.open(tmp_path, os.O_RDONLY)
    before = open_files()
    monkeypatch.setattr(os, "stat", stat)
    assert safe_target._ignores_case(fd) is ignores
    assert os.listdir(tmp_path) == []
    monkeypatch.undo()
    assert open_files() == before
    os.close(fd)
    assert safe_target._ignores_case(fd) is False, "whatever comes will say why"


def test_what_is_no_file_there_is_not_replaced(tmp_path: Path):
    make(tmp_path, "dir/x", "file")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    here = landing(tmp_path)
    for name, reason in (
        ("dir", f"{tmp_path / 'dir'} is a directory, and the object a file"),
        ("link", f"{tmp_path / 'link'} is a link, which is neither followed nor replaced"),
        ("pipe", f"{tmp_path / 'pipe'} is not a regular file, and is not replaced by one"),
        ("n" * 300, "cannot be a path here: File name too long"),
    ):
        with here.targets() as find:
            for ask in (here.path, here._open_target, find):
                here.refused = False
                with pytest.raises(TransferError) as caught:
                    ask(name)
                assert reason in str(caught.value)
                assert here.refused
            assert find("file").old is not None
    assert here.path("file") == tmp_path / "file"
    here.close()


@pytest.mark.parametrize(
    "name", [".own.part", "f.0123abcd.part", ".f.0123abc.part", ".f.0123abcg.part", ".0123abcd.part", ".f.0123abcd.parts"]
)
def test_names_that_only_look_a_little_like_them_are_not(tmp_path: Path, name: str):
    here = landing(tmp_path)
    assert here.path(name) == tmp_path / name
    here.close()
