"""Journals that somebody else wrote, or put there: none of them stops a transfer, and nothing of them is taken on trust."""

import hashlib
import os
import re
import stat
from pathlib import Path

import pytest
from tests.transfer.conftest import open_files

from aiocos.errors import TransferError
from aiocos.transfer import journal as journals
from aiocos.transfer.journal import Journal, journal_id


def test_what_is_noted_is_read_again(tmp_path: Path):
    path = tmp_path / "new" / "deep" / "j"
    before = open_files()
    one = Journal.open(path)
    assert (one.begun, one.steps, one.problem) == (None, [], None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    one.begin({"kind": "upload", "key": "é"})
    assert one.begun == {"journal": 1, "kind": "upload", "key": "é"}
    one.add([1, 2, 3])
    one.add({"part": 1})
    one.close()
    one.close()
    assert path.read_text() == '{"journal":1,"kind":"upload","key":"\\u00e9"}\n[1,2,3]\n{"part":1}\n'
    two = Journal.open(path)
    assert (two.begun, two.steps, two.problem) == (one.begun, [[1, 2, 3], {"part": 1}], None)
    two.add(4)
    two.begin({"kind": "download"})
    assert (two.begun, two.steps) == ({"journal": 1, "kind": "download"}, [])
    assert path.read_text() == '{"journal":1,"kind":"download"}\n'
    two.remove()
    two.remove()
    assert not path.exists()
    assert open_files() == before


def test_an_end_that_comes_twice_or_late_is_none(tmp_path: Path):
    path = tmp_path / "j"
    one = Journal.open(path)
    path.unlink()
    one.remove()
    two = Journal.open(path)
    two.close()
    two.remove()
    assert path.exists(), "whoever has let go of it removes nothing"


def test_a_journal_is_a_lock(tmp_path: Path):
    one = Journal.open(tmp_path / "j")
    one.begin({"key": "k"})
    before = open_files()
    for _ in range(3):
        with pytest.raises(TransferError, match=f"already running: {tmp_path / 'j'} is locked"):
            Journal.open(tmp_path / "j")
    assert open_files() == before
    one.close()
    two = Journal.open(tmp_path / "j")
    assert two.begun == {"journal": 1, "key": "k"}
    two.close()


def test_a_journal_that_is_removed_by_whoever_had_it_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, real, times = tmp_path / "j", journals._lock, 0

    def lock(fd: int) -> None:
        nonlocal times
        times += 1
        if times < removed:
            path.unlink()
        real(fd)

    monkeypatch.setattr(journals, "_lock", lock)
    before, removed = open_files(), 10
    one = Journal.open(path)
    one.begin({})
    assert path.exists()
    one.remove()
    times, removed = 0, 11
    with pytest.raises(TransferError, match="replaced again and again"):
        Journal.open(path)
    assert open_files() == before


def test_in_an_open_directory_a_journal_is_a_name(tmp_path: Path):
    (tmp_path / "d").mkdir()
    fd = os.open(tmp_path / "d", os.O_RDONLY)
    try:
        (tmp_path / "d").rename(tmp_path / "moved")
        one = Journal.open(tmp_path / "d" / "j", fd)
        one.begin({})
        assert os.listdir(tmp_path / "moved") == ["j"]
        assert not (tmp_path / "d").exists()
        one.remove()
        assert os.listdir(tmp_path / "moved") == []
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        (b"", None),
        (b'{"journal": 1', None),
        (b"[]\n", "another version"),
        (b"1\n", "another version"),
        (b'{"journal":2}\n', "another version"),
        (b'{"kind":"upload"}\n', "another version"),
        (b"nonsense\n", r"is damaged \(JSONDecodeError\)"),
        (b'{"journal":1}\nnonsense\n', "is damaged"),
    ],
)
def test_what_stands_in_a_journal(tmp_path: Path, text: bytes, trouble: str | None):
    (tmp_path / "j").write_bytes(text)
    (tmp_path / "j").chmod(0o600)
    one = Journal.open(tmp_path / "j")
    assert (one.begun, one.steps) == (None, [])
    if trouble is None:
        assert one.problem is None
    else:
        assert one.problem is not None
        assert re.search(trouble, one.problem)
        one.begin({})
        assert one.problem is None
    one.close()


def test_the_size_of_a_journal_and_of_its_lines_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "j"

    def read(text: bytes) -> str | None:
        path.write_bytes(text)
        one = Journal.open(path)
        one.close()
        return one.problem

    head = b'{"journal":1}\n'
    longest = b'"' + b"x" * ((64 << 10) - 2) + b'"\n'
    assert read(head + longest) is None
    assert "damaged (ValueError)" in (read(head + b" " + longest) or "")
    monkeypatch.setattr(journals, "_MAX_SIZE", 100)
    full = head + b"1\n" * 43
    assert len(full) == 100
    assert read(full) is None
    assert "damaged (ValueError)" in (read(full + b"\n") or "")
    path.write_bytes(full[:-4])
    one = Journal.open(path)
    assert len(one.steps) == 41
    one.add(10)
    one.add(1)
    one.add(1)
    one.close()
    assert path.read_bytes() == full[:-4] + b"10\n", "what does not fit is not noted"
    one = Journal.open(path)
    one.begin({})
    for _ in range(60):
        one.add(2)
    one.close()
    assert path.read_bytes() == head + b"2\n" * 43, "up to the last byte"


def test_a_disk_that_takes_half_a_line_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one = Journal.open(tmp_path / "j")
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:-1]))
    with pytest.raises(OSError, match=f"{tmp_path / 'j'} could not be written"):
        one.begin({})
    monkeypatch.undo()
    one.close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kind", "of a transfer of another kind"),
        ("endpoint", "another service"),
        ("bucket", "another bucket"),
        ("key", "another object"),
        ("source", "another source"),
        ("size", "another size now"),
        ("mtime", "changed since"),
        ("etag", "replaced since"),
        ("options", "other headers then"),
        ("part_size", "parts of another size"),
        ("some_thing", "^it has another some thing$"),
    ],
)
def test_a_journal_says_in_what_it_differs(tmp_path: Path, name: str, said: str):
    one = Journal.open(tmp_path / "j")
    assert one.difference({}) is None
    assert re.search(said, one.difference({name: 5}) or "")
    one.begin({name: 5, "more": 1})
    assert one.difference({name: 5}) is None
    assert re.search(said, one.difference({name: 6}) or "")
    one.close()


def test_names_of_journals(tmp_path: Path):
    assert journal_id("a", "bc") == hashlib.sha256(b'["a", "bc"]').hexdigest()[:24], "other releases find it"
    assert journal_id("a", "bc") != journal_id("ab", "c")
