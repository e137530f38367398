"""`mb`, `rb` and `rm`: what they delete, ask for and report."""

import json
from pathlib import Path

import pytest
from tests.cli.commands import work_of
from tests.cli.shell import Shell, put_objects

import aiocos
import aiocos.operations
from aiocos import Client
from aiocos.cli.buckets import rb, rm
from aiocos.emulator import Emulator, Status


def test_buckets_are_created_listed_and_deleted(shell: Shell, bucket: str):
    assert f"cos://{bucket}" in shell("ls").lines
    (row,) = [line for line in shell("ls", "-l").lines if line.endswith(bucket)]
    assert "us-south-smart" in row
    assert ["location", "us-south-smart"] in [line.split() for line in shell("head", f"cos://{bucket}").lines]
    (result,) = shell("head", "--json", f"cos://{bucket}").json()
    assert (result["bucket"], result["location"]) == (bucket, "us-south-smart")
    assert shell("rb", f"cos://{bucket}").code == 0
    assert f"cos://{bucket}" not in shell("ls").lines


def test_rb_deletes_a_full_bucket_only_with_force_and_confirmation(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a").write_text("a")
    shell("cp", str(tmp_path / "a"), f"cos://{bucket}")
    refused = shell("rb", f"cos://{bucket}")
    assert refused.code == 1
    assert "BucketNotEmpty" in refused.err
    assert shell("rb", "--force", f"cos://{bucket}").code == 2, "standard input is not a terminal"
    assert shell("ls", f"cos://{bucket}").lines == ["a"]
    assert shell("rb", "--force", "--yes", f"cos://{bucket}").code == 0


def test_rm_deletes_one_object_or_a_prefix(shell: Shell, bucket: str):
    for key in ("a", "d/b", "d/c", "e"):
        shell("cp", "-", f"cos://{bucket}/{key}", stdin="")
    assert shell("rm", f"cos://{bucket}/a").code == 0
    assert shell("rm", "-r", f"cos://{bucket}/d/").out == "2 deleted\n"
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["e"]
    assert shell("rm", f"cos://{bucket}").code == 2
    assert shell("rm", "-r", f"cos://{bucket}").code == 2, "deleting a whole bucket needs confirmation"
    assert shell("rm", "-r", "-y", f"cos://{bucket}").code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == []


async def fill_bucket(cos: Client) -> None:
    await cos.buckets.create("photos")
    for key in ("log/1", "log/2"):
        await cos.objects.put("photos", key, b"hello")


async def test_rb_force_aborts_open_uploads(cos: Client, cos_emulator: Emulator):
    await fill_bucket(cos)
    await cos.multipart.create("photos", "open")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="AbortMultipartUpload", key="open")])
    with pytest.raises(aiocos.AccessDenied):
        await work_of(rb, "cos://photos", force=True, yes=True)(cos)
    assert await cos.buckets.exists("photos")
    await work_of(rb, "cos://photos", force=True, yes=True)(cos)
    assert not await cos.buckets.exists("photos")


@pytest.mark.parametrize("code", ["NotImplemented", "SomethingElse"])
async def test_rb_force_works_on_services_without_versioning(cos: Client, cos_emulator: Emulator, code: str):
    await fill_bucket(cos)
    cos_emulator.faults.script([Status(501, code=code, operation="ListObjectVersions")])
    await work_of(rb, "cos://photos", force=True, yes=True)(cos)
    assert not await cos.buckets.exists("photos")


async def test_rb_force_stops_if_versions_may_not_be_listed(cos: Client, cos_emulator: Emulator):
    await fill_bucket(cos)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="ListObjectVersions")])
    with pytest.raises(aiocos.AccessDenied):
        await work_of(rb, "cos://photos", force=True, yes=True)(cos)
    assert len([entry async for entry in cos.objects.list("photos")]) == 2


async def fill_protected_bucket(cos: Client) -> None:
    """Fill a bucket and put a legal hold on one of its objects."""
    await cos.buckets.create("records", location="us-south-smart")
    await cos.protection.put("records", aiocos.ProtectionConfiguration.of_days(minimum=0, default=0, maximum=365))
    await cos.objects.put("records", "log/held", b"hello", retention_legal_hold_id="case-1")
    await cos.objects.put("records", "log/free", b"hello")


@pytest.mark.parametrize("as_json", [False, True])
async def test_rm_names_and_counts_objects_that_cannot_be_deleted(
    cos: Client, capsys: pytest.CaptureFixture[str], as_json: bool
):
    await fill_protected_bucket(cos)
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


async def test_rm_quiet_prints_nothing(cos: Client, capsys: pytest.CaptureFixture[str]):
    await fill_bucket(cos)
    await work_of(rm, "cos://photos/log/", recursive=True, yes=True, quiet=True)(cos)
    assert capsys.readouterr().out == ""
    assert [entry async for entry in cos.objects.list("photos")] == []


def test_rm_asks_before_it_deletes_keys_outside_the_folder(shell: Shell, bucket: str):
    put_objects(shell, bucket, "log", "log/1", "log/2", "login.html")
    refused = shell("rm", "-r", f"cos://{bucket}/log")
    assert refused.code == 2
    assert "login.html" in refused.err
    assert len(shell("ls", "-r", f"cos://{bucket}").lines) == 4
    (result,) = shell("rm", "-r", "--json", f"cos://{bucket}/log/").json()
    assert result == {"bucket": bucket, "prefix": "log/", "deleted": 2, "errors": []}
    put_objects(shell, bucket, "log/1")
    assert shell("rm", "-r", "-y", f"cos://{bucket}/log").out == "3 deleted\n"


def test_rm_does_not_ask_if_the_prefix_matches_only_its_folder(shell: Shell, bucket: str):
    put_objects(shell, bucket, "log", "log/1", "other")
    assert shell("rm", "-r", f"cos://{bucket}/log").out == "2 deleted\n"
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["other"]
