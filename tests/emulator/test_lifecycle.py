"""Lifecycle rules: which are accepted, and when objects expire and uploads are aborted by the emulator's clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

import aiocos
from aiocos import Client, Expiration, FilterAnd, LifecycleFilter, LifecycleRule, Tag, Transition
from aiocos.emulator import Clock, Emulator

from .conftest import Raw, md5

DAY = timedelta(days=1)
MIDDAY = datetime(2030, 3, 1, 12, tzinfo=UTC)


def rule(**values: object) -> LifecycleRule:
    given = {"status": "Enabled", "filter": LifecycleFilter(prefix=""), **values}
    return LifecycleRule.model_validate(given)


async def test_lifecycle_rules_are_returned_as_they_were_set(cos: Client) -> None:
    await cos.buckets.create("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration) as caught:
        await cos.lifecycle.get("bucket")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchLifecycleConfiguration")
    rules = [
        LifecycleRule.archive(days=20, storage_class="ACCELERATED", id="archive"),
        LifecycleRule.expire(days=3, prefix="tmp/", id="tmp"),
        LifecycleRule.abort_uploads(days=7, id="uploads"),
        rule(
            id="and",
            filter=LifecycleFilter(and_=FilterAnd(prefix="a", tags=[Tag(key="k", value="v")], object_size_greater_than=5)),
            expiration=Expiration(date=datetime(2040, 1, 1, tzinfo=UTC)),
        ),
        rule(id="off", status="Disabled", noncurrent_version_expiration={"noncurrent_days": 3}),
    ]
    await cos.lifecycle.put("bucket", rules)
    assert (await cos.lifecycle.get("bucket")).rules == rules
    await cos.lifecycle.put("bucket", [LifecycleRule.expire(days=1)])
    (only,) = (await cos.lifecycle.get("bucket")).rules
    assert only.id  # the service names a rule that has no name
    await cos.lifecycle.delete("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration):
        await cos.lifecycle.get("bucket")
    await cos.lifecycle.delete("bucket")


_PAST = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([], "MalformedXML"),
        ([rule(expiration=Expiration(days=1), id=f"r{n}") for n in range(1001)], "MalformedXML"),
        ([LifecycleRule.archive(days=1), LifecycleRule.archive(days=2)], "InvalidArgument"),
        ([rule(transitions=[Transition(days=1, storage_class="GLACIER")] * 2)], "InvalidArgument"),
        ([rule()], "MalformedXML"),
        ([rule(filter=None, expiration=Expiration(days=1))], "MalformedXML"),
        ([rule(expiration=Expiration())], "MalformedXML"),
        ([rule(expiration=Expiration(days=1, date=_PAST))], "MalformedXML"),
        ([LifecycleRule.expire(days=0)], "InvalidArgument"),
        ([LifecycleRule.expire(days=-1)], "InvalidArgument"),
        ([rule(expiration=Expiration(days=1, expired_object_delete_marker=True))], "MalformedXML"),
        ([LifecycleRule.archive(days=-1)], "InvalidArgument"),
        ([LifecycleRule.archive(date=_PAST)], "InvalidArgument"),
        ([rule(transitions=[Transition(days=1, storage_class="DEEP_ARCHIVE")])], "InvalidArgument"),
        ([rule(transitions=[Transition(days=1, storage_class="GLACIER")], filter={"prefix": "a"})], "InvalidArgument"),
        (
            [rule(transitions=[Transition(days=1, storage_class="GLACIER")], filter={"tag": {"key": "k", "value": "v"}})],
            "InvalidArgument",
        ),
        ([rule(noncurrent_version_expiration={"noncurrent_days": 0})], "InvalidArgument"),
        ([rule(noncurrent_version_expiration={"noncurrent_days": 1, "newer_noncurrent_versions": 0})], "InvalidArgument"),
        ([LifecycleRule.abort_uploads(days=0)], "InvalidArgument"),
        ([LifecycleRule.expire(days=1, id="a b")], "InvalidArgument"),
        ([LifecycleRule.expire(days=1, id="same"), LifecycleRule.expire(days=2, id="same")], "InvalidArgument"),
        (
            [rule(filter={"prefix": "a", "tag": {"key": "k", "value": "v"}}, expiration=Expiration(days=1))],
            "MalformedXML",
        ),
        ([rule(filter={"object_size_less_than": 0}, expiration=Expiration(days=1))], "InvalidArgument"),
    ],
)
async def test_invalid_lifecycle_rules_are_refused(cos: Client, rules: list[LifecycleRule], code: str) -> None:
    await cos.buckets.create("bucket")
    await cos.lifecycle.put("bucket", [LifecycleRule.expire(days=5, id="kept")])
    with pytest.raises(aiocos.InvalidRequest) as caught:
        await cos.lifecycle.put("bucket", rules)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert [r.id for r in (await cos.lifecycle.get("bucket")).rules] == ["kept"]


async def test_unusual_lifecycle_documents(raw: Raw) -> None:
    start, end = b"<LifecycleConfiguration><Rule><ID>x</ID><Status>Enabled</Status>", b"</Rule></LifecycleConfiguration>"
    tagged = b"<Filter><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Filter><Expiration><Days>1</Days></Expiration>"
    body = start + tagged + end
    assert (await raw.put("/bucket?lifecycle", body)).code == "InvalidRequest"  # no checksum
    assert (await raw.put("/bucket?lifecycle", body, Content_MD5=md5(b"other"))).code == "BadDigest"
    assert (await raw.put("/bucket?lifecycle", body, Content_MD5=md5(body))).status == 200
    response = await raw.get("/bucket?lifecycle")
    assert response.texts(".//Filter/Tag/Key") == ["k"]
    noncurrent = start + b"<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionTransition>"
    body = noncurrent + b"<Filter/><Expiration><Days>1</Days></Expiration>" + end
    assert (await raw.put("/bucket?lifecycle", body, Content_MD5=md5(body))).code == "MalformedXML"


# ---------------------------------------------------------------------------------------------------------------------
# By the clock


@pytest_asyncio.fixture(loop_scope="module")
async def clock() -> Clock:
    return Clock(MIDDAY)


@pytest_asyncio.fixture(loop_scope="module")
async def timed_client(clock: Clock):
    """A client of an emulator whose clock shows noon of 1 March 2030, with a bucket."""
    async with Emulator(clock=clock) as emulator, emulator.client() as client:
        await client.buckets.create("bucket")
        yield client


async def _keys(cos: Client) -> list[str]:
    return [entry.key async for entry in cos.objects.list("bucket")]


async def test_objects_expire_at_midnight(timed_client: Client, clock: Clock) -> None:
    await timed_client.objects.put("bucket", "tmp/old", b"x")
    await timed_client.lifecycle.put("bucket", [LifecycleRule.expire(days=1, prefix="tmp/", id="tmp")])
    new = await timed_client.objects.put("bucket", "tmp/new", b"x")
    await timed_client.objects.put("bucket", "kept", b"x")
    expected = 'expiry-date="Sun, 03 Mar 2030 00:00:00 GMT", rule-id="tmp"'
    assert new.expiration == (await timed_client.objects.head("bucket", "tmp/new")).expiration == expected
    assert (await timed_client.objects.head("bucket", "kept")).expiration is None
    clock.advance(timedelta(hours=35, minutes=59))
    assert await _keys(timed_client) == ["kept", "tmp/new", "tmp/old"]
    clock.advance(timedelta(minutes=1))
    assert await _keys(timed_client) == ["kept"]
    with pytest.raises(aiocos.NoSuchKey):
        await timed_client.objects.read("bucket", "tmp/old")


async def test_rules_with_a_date_a_tag_or_a_size(timed_client: Client, clock: Clock) -> None:
    await timed_client.lifecycle.put(
        "bucket",
        [
            rule(id="date", filter={"prefix": "d"}, expiration=Expiration(date=datetime(2030, 3, 5, tzinfo=UTC))),
            rule(id="tag", filter={"tag": {"key": "k", "value": "v"}}, expiration=Expiration(days=1)),
            rule(id="size", filter={"object_size_greater_than": 100}, expiration=Expiration(days=2)),
            rule(id="off", status="Disabled", expiration=Expiration(days=1)),
        ],
    )
    await timed_client.objects.put("bucket", "dated", b"x")
    await timed_client.objects.put("bucket", "large", b"x" * 101)
    await timed_client.objects.put("bucket", "plain", b"x" * 100, tagging="k=w")
    await timed_client.objects.put("bucket", "tagged", b"x", tagging="k=v")
    seen: list[list[str]] = []
    for _ in range(5):
        clock.advance(DAY)
        seen.append(await _keys(timed_client))
    assert seen == [
        ["dated", "large", "plain", "tagged"],
        ["dated", "large", "plain"],
        ["dated", "plain"],
        ["plain"],
        ["plain"],
    ]


async def test_old_uploads_are_aborted(timed_client: Client, clock: Clock) -> None:
    await timed_client.lifecycle.put("bucket", [LifecycleRule.abort_uploads(days=2, prefix="a", id="stale")])
    upload = await timed_client.multipart.create("bucket", "a")
    other = await timed_client.multipart.create("bucket", "b")
    await timed_client.multipart.upload_part("bucket", "a", upload.upload_id, 1, b"x")
    assert (upload.abort_rule_id, other.abort_rule_id) == ("stale", None)
    assert upload.abort_date == datetime(2030, 3, 4, tzinfo=UTC)
    (page,) = [page async for page in timed_client.multipart.list_parts("bucket", "a", upload.upload_id).pages()]
    assert page.abort_date == upload.abort_date
    clock.advance(timedelta(hours=59))
    assert [u.key async for u in timed_client.multipart.list_uploads("bucket")] == ["a", "b"]
    clock.advance(timedelta(hours=1))
    assert [u.key async for u in timed_client.multipart.list_uploads("bucket")] == ["b"]
    with pytest.raises(aiocos.NoSuchUpload):
        await timed_client.multipart.upload_part("bucket", "a", upload.upload_id, 2, b"x")


async def test_many_objects_expire_also_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    async with Emulator(tmp_path, clock=clock) as emulator, emulator.client() as cos:
        await cos.buckets.create("bucket")
        await cos.lifecycle.put("bucket", [LifecycleRule.expire(days=1, prefix="x")])
        for n in range(0, 2500, 50):
            async with asyncio.TaskGroup() as group:
                for m in range(n, n + 50):
                    group.create_task(cos.objects.put("bucket", f"{'x' if m % 5 else 'y'}{m:04}", b"x"))
    clock.advance(3 * DAY)
    async with Emulator(tmp_path, clock=clock) as emulator, emulator.client() as cos:
        assert await _keys(cos) == [f"y{m:04}" for m in range(0, 2500, 5)]


@pytest.mark.parametrize(
    ("date", "fits"),
    [
        ("2040-01-01T00:00:00Z", True),
        ("2040-01-01T00:00:00.000Z", True),
        ("2040-01-01", True),
        ("2040-01-01T02:00:00+02:00", True),
        ("20400101T000000Z", True),
        ("2040-01-01T00:00:00.001Z", False),
        ("2040-01-01T00:00:01Z", False),
        ("2040-01-01T12:00:00Z", False),
        ("2040-01-01T00:00:00+02:00", False),
    ],
)
@pytest.mark.parametrize("action", ["Expiration", "Transition"])
async def test_a_date_in_a_rule_must_be_midnight(
    cos: Client, cos_emulator: Emulator, action: str, date: str, fits: bool
) -> None:
    await cos.buckets.create("bucket")
    kind = "<StorageClass>GLACIER</StorageClass>" if action == "Transition" else ""
    xml = (
        "<LifecycleConfiguration><Rule><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
        f"<{action}><Date>{date}</Date>{kind}</{action}></Rule></LifecycleConfiguration>"
    ).encode()
    async with aiohttp.ClientSession() as session:
        raw = Raw(cos_emulator, session, cos_emulator.instance)
        response = await raw.put("/bucket?lifecycle", xml, Content_MD5=md5(xml))
    assert (response.status, response.code) == ((200, "") if fits else (400, "InvalidArgument"))
