"""`ls` and `head` on services that know less than COS, and all their forms of output."""

import json

import pytest
from tests.cli.commands import work_of

import aiocos
from aiocos import Client
from aiocos.cli.ls import head, ls
from aiocos.emulator import Emulator, Status

NOT_SERVED = [(501, "NotImplemented"), (400, "InvalidRequest")]


@pytest.mark.parametrize(("status", "code"), NOT_SERVED)
async def test_buckets_are_listed_plainly_where_the_extended_listing_is_not_served(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str], status: int, code: str
):
    await cos.buckets.create("one")
    await cos.buckets.create("two")
    cos_emulator.faults.script([Status(status, code=code, operation="ListBucketsExtended")])
    await work_of(ls)(cos)
    assert capsys.readouterr().out.splitlines() == ["cos://one", "cos://two"]


async def test_a_refusal_is_not_taken_for_a_service_without_the_extended_listing(cos: Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="ListBucketsExtended")])
    with pytest.raises(aiocos.AccessDenied):
        await work_of(ls)(cos)


async def test_a_listing_that_fails_after_its_first_page_does_not_start_again(
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


async def test_json_has_a_line_for_each_bucket_prefix_and_object(cos: Client, capsys: pytest.CaptureFixture[str]):
    await cos.buckets.create("photos")
    await cos.objects.put("photos", "a.txt", b"hello")
    await cos.objects.put("photos", "2026/b.txt", b"hello")
    await work_of(ls, as_json=True)(cos)
    await work_of(ls, "cos://photos", as_json=True)(cos)
    bucket, prefix, entry = map(json.loads, capsys.readouterr().out.splitlines())
    assert bucket["name"] == "photos"
    assert prefix == {"prefix": "2026/"}
    assert (entry["key"], entry["size"]) == ("a.txt", 5)


async def test_head_shows_each_value_of_the_metadata_on_a_line(cos: Client, capsys: pytest.CaptureFixture[str]):
    await cos.buckets.create("photos")
    await cos.objects.put("photos", "a.txt", b"hello", metadata={"who": "me", "why": "test"})
    await work_of(head, "cos://photos/a.txt")(cos)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["metadata.who", "me"] in lines
    assert ["metadata.why", "test"] in lines


async def test_head_of_a_bucket_does_without_a_location_that_may_not_be_read(
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
