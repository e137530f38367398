"""Copies below a prefix when some objects cannot be copied."""

import pytest

import aiocos
from aiocos import Client
from aiocos.cli.copy_within import copy_prefix
from aiocos.cli.paths import CosPath
from aiocos.emulator import Emulator, Status

SOURCE, TARGET = CosPath.parse("cos://photos/in/"), CosPath.parse("cos://copies/out/")


def ignore(progress: object) -> None:
    """A progress callback for nobody."""


async def filled(cos: Client) -> None:
    await cos.buckets.create("photos")
    await cos.buckets.create("copies")
    for key in ("in/a", "in/b", "in/c"):
        await cos.objects.put("photos", key, b"hello")


async def keys(cos: Client) -> list[str]:
    return [entry.key async for entry in cos.objects.list("copies")]


async def test_one_object_that_cannot_be_copied_does_not_stop_the_others(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]
):
    await filled(cos)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="CopyObject", key="out/b")])
    with pytest.raises(aiocos.TransferError, match="1 of 3 objects"):
        await copy_prefix(cos, SOURCE, TARGET, None, ignore)
    assert await keys(cos) == ["out/a", "out/c"]
    assert "AccessDenied" in capsys.readouterr().err


async def test_a_missing_target_bucket_is_reported_once_and_not_for_each_object(
    cos: Client, capsys: pytest.CaptureFixture[str]
):
    await filled(cos)
    with pytest.raises(aiocos.NoSuchBucket):
        await copy_prefix(cos, SOURCE, CosPath.parse("cos://missing/out/"), 1, ignore)
    assert capsys.readouterr().err == ""


async def test_the_objects_and_bytes_that_were_copied_are_counted(cos: Client):
    await filled(cos)
    assert await copy_prefix(cos, SOURCE, TARGET, 2, ignore) == {"files": 3, "bytes": 15}
    assert await keys(cos) == ["out/a", "out/b", "out/c"]
