"""`demo`: its steps, its results, and the errors that it detects."""

import asyncio
import importlib
import os
import sys
import sysconfig
from functools import partial
from pathlib import Path

import pytest
from tests.cli.shell import Shell

import aiocos
import aiocos.operations
from aiocos import Client
from aiocos.cli import demo
from aiocos.emulator import Emulator, Status
from aiocos.errors import IntegrityError
from aiocos.wire.checksum import best


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for index in range(20):
        path = tmp_path / "tree" / f"d{index % 4}" / f"f{index}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(1000 + index))
    return tmp_path / "tree"


def test_the_demo_verifies_every_step(shell: Shell, tree: Path):
    outcome = shell("demo", "--size", "20MiB", "--tree", str(tree), "--json")
    assert outcome.code == 0
    steps = {str(row["what"]): row for row in outcome.json()}
    assert steps["tree up"]["objects"] == steps["tree down"]["objects"] == 20
    assert steps["stream down"]["bytes"] == 20 * 1024 * 1024
    assert steps["IAM tokens"]["objects"] == 1
    assert steps["deleted"]["objects"] == 21
    assert steps["retention, hold"]["verified"] == "2 deletes refused"
    assert all(steps[s]["verified"] for s in ("stream up", "listed", "tree down", "stream down"))
    # By the service, too: the SHA-256 is compared in any case.
    assert steps["stream up"]["verified"] == "checksum returned"
    assert steps["stream down"]["verified"] == f"SHA-256 and {best().upper()}"


@pytest.mark.parametrize("size", ["1MiB", "20MiB"])
def test_the_demo_names_the_etag_where_it_verified(shell: Shell, tree: Path, monkeypatch: pytest.MonkeyPatch, size: str):
    monkeypatch.setattr("aiocos.emulator.Emulator", partial(Emulator, checksums=False))
    outcome = shell("demo", "--size", size, "--tree", str(tree), "--json")
    assert outcome.code == 0
    steps = {str(row["what"]): row for row in outcome.json()}
    assert "ETag" in steps["stream up"]["verified"]
    assert steps["stream down"]["verified"] == "SHA-256 and ETag"


def test_the_table_fits_80_columns(shell: Shell, tree: Path):
    outcome = shell("demo", "--size", "1MiB", "--tree", str(tree), "--quiet")
    assert outcome.code == 0
    assert max(map(len, outcome.lines)) <= 80
    assert "SHA-256 of each" in outcome.out
    assert "2 deletes refused" in outcome.out
    assert outcome.lines[-1] == "Every byte of 21 objects (1.0 MiB) came back unchanged."


def test_keep_needs_a_data_directory_and_keeps_the_bucket(shell: Shell, tree: Path, tmp_path: Path):
    assert shell("demo", "--keep").code == 2
    assert shell("demo", "--size", "1MiB", "--tree", str(tree), "--data", str(tmp_path / "data"), "--keep", "-q").code == 0
    assert (tmp_path / "data").is_dir()
    again = shell("demo", "--size", "1MiB", "--tree", str(tree), "--data", str(tmp_path / "data"), "-q")
    assert again.code == 2
    assert "earlier demo" in again.err


def test_a_changed_byte_is_an_integrity_error(tree: Path, monkeypatch: pytest.MonkeyPatch):
    real, calls = demo._sha256, 0

    def sometimes_wrong(path: Path) -> str:
        nonlocal calls
        calls += 1
        return "0" if calls == 7 else real(path)

    monkeypatch.setattr(demo, "_sha256", sometimes_wrong)
    with pytest.raises(IntegrityError):
        asyncio.run(demo.run(1000, tree, None, keep=False, quiet=True))


def test_a_failed_verification_is_printed_and_the_exit_code_is_1(shell: Shell, tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(demo, "_sha256", lambda path: str(path))
    outcome = shell("demo", "--size", "1MiB", "--tree", str(tree))
    assert outcome.code == 1
    assert "differs from it" in outcome.err
    assert "came back unchanged" not in outcome.out


def test_imports_do_not_write_bytecode_into_the_tree(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "many"], "many"),
        (["--size", "1MiB", "--tree", "missing"], "a directory"),
        (["--keep"], "--data"),
    ],
)
def test_wrong_options_are_usage_errors(shell: Shell, options: list[str], message: str):
    outcome = shell("demo", *options)
    assert outcome.code == 2
    assert message in outcome.err


def install_packages(directory: Path, monkeypatch: pytest.MonkeyPatch, **sizes: int) -> None:
    """Create packages with one file each, and make their directory the one where packages are installed."""
    for name, size in sizes.items():
        (directory / name).mkdir()
        (directory / name / "code.py").write_bytes(b"#" * size)
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"purelib": str(directory)})


def test_the_default_tree_is_the_installed_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install_packages(tmp_path, monkeypatch, b=3, a=2)
    (tmp_path / "single.py").write_text("not in a package")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    found = demo._find(None)
    assert [path.name for path in found.directories] == ["a", "b"]
    assert (len(found.files), found.bytes, found.truncated) == (2, 5, False)


def test_packages_beyond_the_limits_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install_packages(tmp_path, monkeypatch, a=6, b=5, c=4)
    monkeypatch.setattr(demo, "_MAX_BYTES", 10)
    found = demo._find(None)
    assert [path.name for path in found.directories] == ["a", "c"]
    assert (found.bytes, found.truncated) == (10, True)
    monkeypatch.setattr(demo, "_MAX_FILES", 1)
    assert [path.name for path in demo._find(None).directories] == ["a"]


def test_a_package_that_cannot_be_uploaded_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install_packages(tmp_path, monkeypatch, a=1, b=1)
    real = demo.walk

    def strict(directory: Path):
        if directory.name == "a":
            raise aiocos.TransferError("a link that leads nowhere")
        return real(directory)

    monkeypatch.setattr(demo, "walk", strict)
    found = demo._find(None)
    assert [path.name for path in found.directories] == ["b"]
    assert len(found.files) == 1


def test_a_file_that_was_not_uploaded_is_an_integrity_error(tmp_path: Path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a").write_text("a")
    copy = tmp_path / "copy"
    (copy / "tree").mkdir(parents=True)
    (copy / "tree" / "a").write_text("a")
    tree = demo._find(tmp_path / "tree")
    assert demo._same_trees(tree, copy) == "SHA-256 of each"
    (copy / "tree" / "b").write_text("b")
    with pytest.raises(aiocos.IntegrityError, match="never uploaded"):
        demo._same_trees(tree, copy)
    (copy / "tree" / "a").unlink()
    with pytest.raises(aiocos.IntegrityError, match="differs"):
        demo._same_trees(tree, copy)


async def test_a_listing_of_other_objects_is_an_integrity_error(cos: Client, tmp_path: Path):
    (tmp_path / "a").write_text("a")
    await cos.buckets.create(demo.BUCKET)
    await cos.objects.put(demo.BUCKET, "left over", b"from before")
    with pytest.raises(aiocos.IntegrityError, match="listing"):
        await demo._upload_all(cos, demo._find(tmp_path), 10, [], quiet=True)


async def test_a_deletion_despite_protection_is_an_integrity_error(cos: Client):
    await cos.buckets.create("records")
    await cos.objects.put("records", "report", b"not protected")
    with pytest.raises(aiocos.IntegrityError, match="report was deleted"):
        await demo._refused_deletion(cos, "records", "report", "a legal hold")


async def test_another_error_of_a_deletion_is_raised(cos: Client, cos_emulator: Emulator):
    await cos.buckets.create("records")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="DeleteObject")])
    with pytest.raises(aiocos.AccessDenied):
        await demo._refused_deletion(cos, "records", "report", "a legal hold")
