"""The demo does what it says, on a small tree and a small stream, and fails where a byte changes."""

import asyncio
import importlib
import os
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Shell

from aiocos.cli import demo
from aiocos.errors import IntegrityError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for index in range(20):
        path = tmp_path / "tree" / f"d{index % 4}" / f"f{index}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(1000 + index))
    return tmp_path / "tree"


def test_it_moves_and_verifies(shell: Shell, tree: Path):
    outcome = shell("demo", "--size", "20MiB", "--tree", str(tree), "--json")
    assert outcome.code == 0
    steps = {str(row["what"]): row for row in outcome.json()}
    assert steps["tree up"]["objects"] == steps["tree down"]["objects"] == 20
    assert steps["stream down"]["bytes"] == 20 * 1024 * 1024
    assert steps["IAM tokens"]["objects"] == 1
    assert steps["deleted"]["objects"] == 21
    assert steps["retention, hold"]["verified"] == "2 deletes refused"
    assert all(steps[s]["verified"] for s in ("stream up", "listed", "tree down", "stream down"))


def test_the_table_fits_a_terminal(shell: Shell, tree: Path):
    outcome = shell("demo", "--size", "1MiB", "--tree", str(tree), "--quiet")
    assert outcome.code == 0
    assert max(map(len, outcome.lines)) <= 80
    assert "SHA-256 of each" in outcome.out
    assert "2 deletes refused" in outcome.out
    assert outcome.lines[-1] == "Every byte of 21 objects (1.0 MiB) came back unchanged."


def test_it_keeps_what_it_is_told_to_keep(shell: Shell, tree: Path, tmp_path: Path):
    assert shell("demo", "--keep").code == 2
    assert shell("demo", "--size", "1MiB", "--tree", str(tree), "--data", str(tmp_path / "data"), "--keep", "-q").code == 0
    assert (tmp_path / "data").is_dir()
    again = shell("demo", "--size", "1MiB", "--tree", str(tree), "--data", str(tmp_path / "data"), "-q")
    assert again.code == 2
    assert "earlier demo" in again.err


def test_a_changed_byte_is_found(tree: Path, monkeypatch: pytest.MonkeyPatch):
    real, calls = demo._sha256, 0

    def sometimes_wrong(path: Path) -> str:
        nonlocal calls
        calls += 1
        return "0" if calls == 7 else real(path)

    monkeypatch.setattr(demo, "_sha256", sometimes_wrong)
    with pytest.raises(IntegrityError):
        asyncio.run(demo.run(1000, tree, None, keep=False, quiet=True))


def test_a_demo_that_does_not_verify_says_so_and_fails(shell: Shell, tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(demo, "_sha256", lambda path: str(path))
    outcome = shell("demo", "--size", "1MiB", "--tree", str(tree))
    assert outcome.code == 1
    assert "differs from it" in outcome.err
    assert "came back unchanged" not in outcome.out


def test_imports_leave_the_tree_alone_while_it_is_compared(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tree / "late.py").write_text("")
    monkeypatch.syspath_prepend(tree)
    real = demo._find

    def then_import(given: Path | None) -> object:
        found = real(given)
        importlib.import_module("late")
        return found

    monkeypatch.setattr(demo, "_find", then_import)
    steps = asyncio.run(demo.run(1000, tree, None, keep=False, quiet=True))
    assert {step.what: step.objects for step in steps}["tree down"] == 21
    assert sys.dont_write_bytecode is False
