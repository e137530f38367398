"""What the demo chooses to upload, and what it notices when something is not as it should be."""

import sysconfig
from pathlib import Path

import pytest
from tests.cli.conftest import Shell

import aiocos
from aiocos import Client
from aiocos.cli import demo
from aiocos.emulator import Emulator, Status


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "many"], "many"),
        (["--size", "1MiB", "--tree", "missing"], "a directory"),
        (["--keep"], "--data"),
    ],
)
def test_options_that_cannot_work_are_usage_errors(shell: Shell, options: list[str], message: str):
    outcome = shell("demo", *options)
    assert outcome.code == 2
    assert message in outcome.err


def packages(directory: Path, monkeypatch: pytest.MonkeyPatch, **sizes: int) -> None:
    """Make a directory of installed packages, one file each, and have the demo find it."""
    for name, size in sizes.items():
        (directory / name).mkdir()
        (directory / name / "code.py").write_bytes(b"#" * size)
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"purelib": str(directory)})


def test_without_a_tree_it_uploads_the_installed_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    packages(tmp_path, monkeypatch, b=3, a=2)
    (tmp_path / "single.py").write_text("not in a package")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    found = demo._find(None)
    assert [path.name for path in found.directories] == ["a", "b"]
    assert (len(found.files), found.bytes, found.truncated) == (2, 5, False)


def test_packages_beyond_the_limits_are_left_out_and_later_ones_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    packages(tmp_path, monkeypatch, a=6, b=5, c=4)
    monkeypatch.setattr(demo, "_MAX_BYTES", 10)
    found = demo._find(None)
    assert [path.name for path in found.directories] == ["a", "c"]
    assert (found.bytes, found.truncated) == (10, True)
    monkeypatch.setattr(demo, "_MAX_FILES", 1)
    assert [path.name for path in demo._find(None).directories] == ["a"]


def test_a_package_that_cannot_be_uploaded_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    packages(tmp_path, monkeypatch, a=1, b=1)
    real = demo.walk

    def strict(directory: Path):
        if directory.name == "a":
            raise aiocos.TransferError("a link that leads nowhere")
        return real(directory)

    monkeypatch.setattr(demo, "walk", strict)
    found = demo._find(None)
    assert [path.name for path in found.directories] == ["b"]
    assert len(found.files) == 1


def test_a_file_that_nobody_uploaded_is_noticed(tmp_path: Path):
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


async def test_a_listing_of_other_objects_than_were_uploaded_is_noticed(cos: Client, tmp_path: Path):
    (tmp_path / "a").write_text("a")
    await cos.buckets.create(demo.BUCKET)
    await cos.objects.put(demo.BUCKET, "left over", b"from before")
    with pytest.raises(aiocos.IntegrityError, match="listing"):
        await demo._upload_all(cos, demo._find(tmp_path), 10, [], quiet=True)


async def test_a_deletion_that_should_have_been_refused_is_noticed(cos: Client):
    await cos.buckets.create("records")
    await cos.objects.put("records", "report", b"not protected")
    with pytest.raises(aiocos.IntegrityError, match="report was deleted"):
        await demo._refused_deletion(cos, "records", "report", "a legal hold")


async def test_another_error_of_a_deletion_is_not_taken_for_a_refusal(cos: Client, cos_emulator: Emulator):
    await cos.buckets.create("records")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="DeleteObject")])
    with pytest.raises(aiocos.AccessDenied):
        await demo._refused_deletion(cos, "records", "report", "a legal hold")
