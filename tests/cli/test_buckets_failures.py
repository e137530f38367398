"""`rm` and `rb --force` when deletions fail, and on services that know no versions."""

import json

import pytest
from tests.cli.commands import work_of

import aiocos
from aiocos import Client
from aiocos.cli.buckets import rb, rm
from aiocos.emulator import Emulator, Status


async def filled(cos: Client) -> None:
    await cos.buckets.create("photos")
    for key in ("log/1", "log/2"):
        await cos.objects.put("photos", key, b"hello")


async def test_a_forced_removal_also_aborts_open_uploads(cos: Client, cos_emulator: Emulator):
    await filled(cos)
    await cos.multipart.create("photos", "open")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="AbortMultipartUpload", key="open")])
    with pytest.raises(aiocos.AccessDenied):
        await work_of(rb, "cos://photos", force=True, yes=True)(cos)
    assert await cos.buckets.exists("photos")
    await work_of(rb, "cos://photos", force=True, yes=True)(cos)
    assert not await cos.buckets.exists("photos")


@pytest.mark.parametrize("code", ["NotImplemented", "SomethingElse"])
async def test_a_forced_removal_works_without_versions(cos: Client, cos_emulator: Emulator, code: str):
    await filled(cos)
    cos_emulator.faults.script([Status(501, code=code, operation="ListObjectVersions")])
    await work_of(rb, "cos://photos", force=True, yes=True)(cos)
    assert not await cos.buckets.exists("photos")


async def test_a_forced_removal_stops_if_the_versions_may_not_be_listed(cos: Client, cos_emulator: Emulator):
    await filled(cos)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="ListObjectVersions")])
    with pytest.raises(aiocos.AccessDenied):
        await work_of(rb, "cos://photos", force=True, yes=True)(cos)
    assert len([entry async for entry in cos.objects.list("photos")]) == 2


async def protected(cos: Client) -> None:
    """Fill a bucket and put a legal hold on one of its objects."""
    await cos.buckets.create("records", location="us-south-smart")
    await cos.protection.put("records", aiocos.ProtectionConfiguration.of_days(minimum=0, default=0, maximum=365))
    await cos.objects.put("records", "log/held", b"hello", retention_legal_hold_id="case-1")
    await cos.objects.put("records", "log/free", b"hello")


@pytest.mark.parametrize("as_json", [False, True])
async def test_objects_that_cannot_be_deleted_are_named_and_counted(
    cos: Client, capsys: pytest.CaptureFixture[str], as_json: bool
):
    await protected(cos)
    with pytest.raises(aiocos.TransferError, match="1 objects were not deleted"):
        await work_of(rm, "cos://records/log/", recursive=True, yes=True, as_json=as_json)(cos)
    shown = capsys.readouterr()
    assert "log/held" in shown.err
    if as_json:
        result = json.loads(shown.out)
        assert (result["prefix"], result["deleted"]) == ("log/", 1)
        assert [error["key"] for error in result["errors"]] == ["log/held"]
    else:
        assert shown.out == "1 deleted\n"
    assert [entry.key async for entry in cos.objects.list("records")] == ["log/held"]


async def test_a_quiet_removal_says_nothing(cos: Client, capsys: pytest.CaptureFixture[str]):
    await filled(cos)
    await work_of(rm, "cos://photos/log/", recursive=True, yes=True, quiet=True)(cos)
    assert capsys.readouterr().out == ""
    assert [entry async for entry in cos.objects.list("photos")] == []
