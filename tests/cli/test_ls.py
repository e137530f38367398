"""`ls` and `head`, also on services with fewer operations than COS."""

import json

import pytest
from tests.cli.commands import work_of
from tests.cli.shell import Shell

import aiocos
import aiocos.operations
from aiocos import Client
from aiocos.cli.ls import head, ls
from aiocos.emulator import Emulator, Status


def test_ls_lists_up_to_the_next_slash_and_recursively(shell: Shell, bucket: str):
    for key in ("a", "d/b", "d/c"):
        shell("cp", "-", f"cos://{bucket}/{key}", stdin="12345")
    assert shell("ls", f"cos://{bucket}").lines == ["d/", "a"]
    assert shell("ls", f"cos://{bucket}/d/").lines == ["d/b", "d/c"]
    rows = shell("ls", "--json", "-r", f"cos://{bucket}").json()
    assert [(r["key"], r["size"]) for r in rows] == [("a", 5), ("d/b", 5), ("d/c", 5)]
    assert " 5  " in shell("ls", "-lb", f"cos://{bucket}/a").out


NOT_SUPPORTED = [(501, "NotImplemented"), (400, "InvalidRequest")]


@pytest.mark.parametrize(("status", "code"), NOT_SUPPORTED)
async def test_ls_falls_back_to_the_plain_listing_of_buckets(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str], status: int, code: str
):
    await cos.buckets.create("one")
    await cos.buckets.create("two")
    cos_emulator.faults.script([Status(status, code=code, operation="ListBucketsExtended")])
    await work_of(ls)(cos)
    assert capsys.readouterr().out.splitlines() == ["cos://one", "cos://two"]


async def test_ls_does_not_fall_back_if_access_is_denied(cos: Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="ListBucketsExtended")])
    with pytest.raises(aiocos.AccessDenied):
        await work_of(ls)(cos)


async def test_ls_does_not_fall_back_after_the_first_page(
    cos: Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The plain listing would show the first buckets a second time."""
    for name in ("one", "two", "three"):
        await cos.buckets.create(name)
    whole = cos.buckets.list_extended
    monkeypatch.setattr(cos.buckets, "list_extended", lambda: whole(max_keys=1), raising=False)
    cos_emulator.faults.script([Status(501, code="NotImplemented", operation="ListBucketsExtended", nth=2)])
    with pytest.raises(aiocos.ServiceError):
        await work_of(ls)(cos)
    assert len(capsys.readouterr().out.splitlines()) == 1


async def test_json_has_one_line_per_bucket_prefix_and_object(cos: Client, capsys: pytest.CaptureFixture[str]):
    await cos.buckets.create("photos")
    await cos.objects.put("photos", "a.txt", b"hello")
    await cos.objects.put("photos", "2026/b.txt", b"hello")
    await work_of(ls, as_json=True)(cos)
    await work_of(ls, "cos://photos", as_json=True)(cos)
    bucket, prefix, entry = map(json.loads, capsys.readouterr().out.splitlines())
    assert bucket["name"] == "photos"
    assert prefix == {"prefix": "2026/"}
    assert (entry["key"], entry["size"]) == ("a.txt", 5)


async def test_head_shows_metadata_one_value_a_line(cos: Client, capsys: pytest.CaptureFixture[str]):
    await cos.buckets.create("photos")
    await cos.objects.put("photos", "a.txt", b"hello", metadata={"who": "me", "why": "test"})
    await work_of(head, "cos://photos/a.txt")(cos)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["metadata.who", "me"] in lines
    assert ["metadata.why", "test"] in lines


async def test_head_of_a_bucket_omits_a_location_that_may_not_be_read(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]
):
    await cos.buckets.create("photos", location="us-south-smart")
    await work_of(head, "cos://photos", as_json=True)(cos)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetBucketLocation")])
    await work_of(head, "cos://photos", as_json=True)(cos)
    with_location, without = map(json.loads, capsys.readouterr().out.splitlines())
    assert with_location["location"] == "us-south-smart"
    assert without["bucket"] == "photos"
    assert "location" not in without
