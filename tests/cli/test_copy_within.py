"""Copies within the service, of one object and of a prefix."""

from pathlib import Path

import pytest
from tests.cli.shell import Shell

import aiocos
import aiocos.operations
from aiocos import Client
from aiocos.cli.copy_within import copy_prefix
from aiocos.cli.paths import CosPath
from aiocos.emulator import Emulator, Status


def test_copies_of_an_object_and_of_a_prefix(shell: Shell, bucket: str, tmp_path: Path):
    for name in ("x/1", "x/2", "y"):
        assert shell("cp", "-", f"cos://{bucket}/{name}", stdin=name).code == 0
    assert shell("cp", f"cos://{bucket}/y", f"cos://{bucket}/copied").code == 0
    assert shell("cp", "-r", f"cos://{bucket}/x", f"cos://{bucket}/z").code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["copied", "x/1", "x/2", "y", "z/1", "z/2"]
    assert shell.run_process("cat", f"cos://{bucket}/z/2").stdout == b"x/2"


SOURCE, TARGET = CosPath.parse("cos://photos/in/"), CosPath.parse("cos://copies/out/")


def ignore_progress(progress: object) -> None:
    """A progress callback that does nothing."""


async def fill_buckets(cos: Client) -> None:
    await cos.buckets.create("photos")
    await cos.buckets.create("copies")
    for key in ("in/a", "in/b", "in/c"):
        await cos.objects.put("photos", key, b"hello")


async def copied_keys(cos: Client) -> list[str]:
    return [entry.key async for entry in cos.objects.list("copies")]


async def test_a_failed_copy_does_not_stop_the_others(cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]):
    await fill_buckets(cos)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="CopyObject", key="out/b")])
    with pytest.raises(aiocos.TransferError, match="1 of 3 objects"):
        await copy_prefix(cos, SOURCE, TARGET, None, ignore_progress)
    assert await copied_keys(cos) == ["out/a", "out/c"]
    assert "AccessDenied" in capsys.readouterr().err


async def test_a_missing_target_bucket_is_reported_once(cos: Client, capsys: pytest.CaptureFixture[str]):
    await fill_buckets(cos)
    with pytest.raises(aiocos.NoSuchBucket):
        await copy_prefix(cos, SOURCE, CosPath.parse("cos://missing/out/"), 1, ignore_progress)
    assert capsys.readouterr().err == ""


async def test_the_result_counts_objects_and_bytes(cos: Client):
    await fill_buckets(cos)
    assert await copy_prefix(cos, SOURCE, TARGET, 2, ignore_progress) == {"files": 3, "bytes": 15}
    assert await copied_keys(cos) == ["out/a", "out/b", "out/c"]


def test_new_metadata_keeps_the_other_headers_of_the_source(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a").write_text("a")
    first = f"cos://{bucket}/first"
    assert shell("cp", str(tmp_path / "a"), first, "--content-type", "text/x", "--metadata", "old=1").code == 0
    assert shell("cp", first, f"cos://{bucket}/second", "--metadata", "new=2").code == 0
    assert shell("cp", first, f"cos://{bucket}/third", "--content-type", "text/y").code == 0
    result = [shell("head", "--json", f"cos://{bucket}/{key}").json()[0] for key in ("second", "third")]
    assert [(one["content_type"], one["metadata"]) for one in result] == [("text/x", {"new": "2"}), ("text/y", {"old": "1"})]
