"""Files in the order of keys, and keys that land where they may."""

import os
import secrets
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transfer.conftest import DATA

import aiocos
from aiocos.emulator import Emulator, Status
from aiocos.errors import TransferError
from aiocos.transfer.globs import Filter
from aiocos.transfer.journal import name_for
from aiocos.transfer.paths import Landing, LocalFile, Unreadable, hidden_name, is_reserved, look, stands


def names(root: Path, *args: object) -> list[str]:
    return [found.name for found in look(root, *args) if isinstance(found, LocalFile)]  # type: ignore[arg-type]


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
    troubles = {found.name: str(found.error) for found in look(root, "follow") if isinstance(found, Unreadable)}
    assert "directory that it lies in" in troubles["dir/up/"]
    assert set(troubles) == {"broken", "dir/up/", "self"}
    assert [found for found in look(root, "skip") if isinstance(found, Unreadable)] == []


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
    [trouble] = [found for found in look(tmp_path) if isinstance(found, Unreadable)]
    assert "no UTF-8 text" in str(trouble.error)
    assert names(tmp_path) == ["good"]


def landing(root: Path, *, ignores_case: bool = False) -> Landing:
    made = Landing(root, lambda _: ignores_case)
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
    here = Landing(tmp_path / "new")
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
    with pytest.raises(TransferError, match="made, which is not there"):
        here._take("new/j")
    assert not (root / "made").exists(), "what a link to nowhere means is not made"
    (root / "made" / "deep").mkdir(parents=True)
    for name in ("rel/f", "abs/g/h", "inner/up/i", "new/j", "new/new/l", "a/b/c/k"):
        target = here._take(name)
        os.close(os.open(target.path.name, os.O_CREAT | os.O_WRONLY, dir_fd=target.dir_fd))
        target.close()
        assert target.path == root / name
        assert target.path.exists()
    for name in ("climb/f", "twice/f", "climb/new/f"):
        with pytest.raises(TransferError, match="leads outside"):
            here._take(name)
    with pytest.raises(TransferError, match="by the link"):
        here._take("loop/f")
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
    here._take("a/b").close()
    here.close()
    assert (tmp_path / "moved" / "a").is_dir()
    assert list(outside.iterdir()) == []


def test_links_and_other_things_are_not_replaced(tmp_path: Path):
    make(tmp_path, "file")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    here = landing(tmp_path)
    for name, reason in (("link", "is a link"), ("broken", "is a link"), ("pipe", "no regular file")):
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
    with pytest.raises(TransferError, match="unfinished downloads"):
        here.path(name)
    here.close()


@pytest.mark.parametrize(
    "name", [".own.part", "f.0123abcd.part", ".f.0123abc.part", ".f.0123abcg.part", ".0123abcd.part", ".f.0123abcd.parts"]
)
def test_names_that_only_look_a_little_like_them_are_not(tmp_path: Path, name: str):
    here = landing(tmp_path)
    assert here.path(name) == tmp_path / name
    here.close()


@settings(max_examples=50)
@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_what_a_download_keeps_beside_its_target_is_reserved(name: str):
    """The names are made in one place and known in the same; with another form of either this fails."""
    for tag in (secrets.token_hex(4), name_for(name)[:12]):
        file = hidden_name(name, tag)
        assert is_reserved(file)
        assert is_reserved(f"x/{file.removesuffix('.part')}.journal")


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
    here = Landing(tmp_path / "home", lambda _: False, state=state)
    here.open()
    for _ in range(2):  # whether it is there already or not
        for name in (".local/state/aiocos/x.upload", ".local/state/aiocos/d/x", ".local/state/aiocos", "short/aiocos/x"):
            with pytest.raises(TransferError, match=r"journals|is a directory|is not there"):
                here._take(name)
        state.mkdir(parents=True, exist_ok=True)
    assert list(state.iterdir()) == []
    here._take(".local/state/other").close()
    here.close()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    there = landing(tmp_path)
    with pytest.raises(TransferError, match="journals"):
        there.path("xdg/aiocos/x.upload")
    there.close()


def test_what_stands_at_a_name(tmp_path: Path):
    make(tmp_path / "root", "file", "dir/in")
    root = tmp_path / "root"
    (root / "broken").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    (root / "folder").symlink_to("dir")
    os.mkfifo(root / "pipe")
    for name in ("file", "dir/in", "broken", "loop", "folder", "pipe"):
        assert stands(root, name, "files"), name
        assert stands(root, name, "follow"), name
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
        assert not stands(root, name, "files"), name
    assert not stands(root, "x" * 300, "files")
    assert not stands(root, "dir/" + "x" * 300 + "/y", "files"), "no file has such a name"
    for symlinks in ("files", "skip"):
        assert stands(root, "folder/none", symlinks), "what lies behind is not looked at"
    assert not stands(root, "folder/none", "follow")
    assert stands(root, "folder/in", "follow")
    assert stands(root, "loop/x", "follow"), "nobody can tell"
