"""Replication, and which of a bucket's settings exclude each other (the documentation's table of compatibility)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from aiocos import Client, Expiration, LifecycleFilter, LifecycleRule, NoncurrentVersionExpiration
from aiocos.errors import (
    InvalidBucketState,
    InvalidObjectState,
    InvalidRequest,
    NoSuchConfiguration,
    NoSuchKey,
    ObjectProtected,
)
from aiocos.operations.multipart import CompletedPart
from aiocos.operations.object_lock import ObjectLockConfiguration, ObjectRetention
from aiocos.operations.objects import ObjectIdentifier
from aiocos.operations.protection import ProtectionConfiguration
from aiocos.operations.replication import (
    DeleteMarkerReplication,
    Destination,
    ReplicationAnd,
    ReplicationConfiguration,
    ReplicationFilter,
    ReplicationRule,
)
from aiocos.operations.shared import Tag
from aiocos.wire.values import CopySource

from .conftest import Raw, md5


def one(target: str, priority: int = 1, *, markers: bool = False, enabled: bool = True, **given: Any) -> ReplicationRule:
    return ReplicationRule(
        priority=priority,
        status="Enabled" if enabled else "Disabled",
        filter=ReplicationFilter(**given),
        destination=Destination(bucket=target),
        delete_marker_replication=DeleteMarkerReplication(status="Enabled" if markers else "Disabled"),
    )


def rule(target: str, **given: Any) -> ReplicationConfiguration:
    return ReplicationConfiguration(rules=[one(target, **given)])


@pytest_asyncio.fixture(loop_scope="module")
async def cos(raw: Raw) -> AsyncIterator[Client]:
    """The owner of `bucket` and `target`, both with versioning."""
    async with raw.emulator.client() as client:
        await client.buckets.create("target")
        for name in ("bucket", "target"):
            await client.versioning.enable(name)
        yield client


async def status(cos: Client, key: str = "key", bucket: str = "bucket") -> str | None:
    return (await cos.objects.head(bucket, key)).replication_status


async def failures(cos: Client, **given: Any) -> list[tuple[str, str | None]]:
    return [(f.key, f.sync_type) async for f in cos.replication.failures("bucket", **given)]


# ---------------------------------------------------------------------------------------------------------------------
# The rules


async def test_replication_rules_can_be_set_replaced_and_removed(cos: Client, raw: Raw) -> None:
    with pytest.raises(NoSuchConfiguration) as caught:
        await cos.replication.get("bucket")
    assert (caught.value.status, caught.value.code) == (404, "ReplicationConfigurationNotFoundError")
    for given in ({"prefix": "a/"}, {"tag": Tag(key="k", value="v")}, {}):
        created = rule("target", **given)
        await cos.replication.put("bucket", created)
        assert (await cos.replication.get("bucket")).rules == created.rules
    capitals = created.to_xml().replace(b"Enabled", b"ENABLED").replace(b"Disabled", b"DISABLED")
    assert (await raw.put("/bucket?replication", capitals, Content_MD5=md5(capitals))).status == 200
    assert (await cos.replication.get("bucket")).rules == created.rules
    assert (await raw.put("/bucket?replication", capitals)).code == "InvalidRequest"
    assert (await raw.delete("/bucket?replication")).status == 204
    with pytest.raises(NoSuchConfiguration):
        await cos.replication.get("bucket")
    await cos.replication.delete("bucket")


async def test_invalid_replication_rules_are_refused(cos: Client, raw: Raw) -> None:
    and_ = ReplicationAnd(prefix="a", tags=[Tag(key="k", value="v")])
    for created, code in (
        (rule("target", prefix="a", and_=and_), "MalformedXML"),
        (rule("target", prefix="a", tag=Tag(key="k", value="v")), "MalformedXML"),
        (ReplicationConfiguration(rules=[]), "MalformedXML"),
        (ReplicationConfiguration(rules=[one("target", n, prefix=str(n)) for n in range(1001)]), "MalformedXML"),
        (rule("none"), "InvalidRequest"),
        (rule("bucket"), "InvalidRequest"),
        (rule(""), "InvalidArgument"),
        (rule("arn:aws:s3:::target"), "InvalidArgument"),
        (rule("crn:v1:bluemix:public:cloud-object-storage:global:a/1:2:bucket:none"), "InvalidRequest"),
        (rule("crn:v1:bluemix:public:kms:global:a/1:2:bucket:target"), "InvalidArgument"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await cos.replication.put("bucket", created)
        assert (caught.value.status, caught.value.code) == (400, code)
    most = ReplicationConfiguration(rules=[one("target", n, prefix=str(n)) for n in range(1000)])
    await cos.replication.put("bucket", most)
    assert len((await cos.replication.get("bucket")).rules) == 1000


async def test_replication_needs_versioning_of_both_buckets(cos: Client) -> None:
    await cos.buckets.create("plain")
    with pytest.raises(InvalidRequest, match="Destination"):
        await cos.replication.put("bucket", rule("plain"))
    for change in (None, cos.versioning.suspend):
        if change is not None:
            await change("plain")
        with pytest.raises(InvalidRequest, match="Versioning") as caught:
            await cos.replication.put("plain", rule("target"))
        assert (caught.value.status, caught.value.code) == (400, "InvalidRequest")


async def test_the_target_is_given_by_name_or_crn(cos: Client, raw: Raw) -> None:
    crn = raw.emulator.instance.crn.removesuffix("::") + ":bucket:target"
    await cos.replication.put("bucket", rule(crn))
    await cos.objects.put("bucket", "key", b"x")
    assert await cos.objects.read("target", "key") == b"x"


# ---------------------------------------------------------------------------------------------------------------------
# Replicas


async def test_new_versions_are_replicated(cos: Client) -> None:
    await cos.objects.put("bucket", "before", b"x")
    await cos.replication.put("bucket", rule("target"))
    put = await cos.objects.put("bucket", "put", b"1", metadata={"a": "b"}, content_type="text/x", tagging="k=v")
    await cos.objects.copy("bucket", "copy", ("bucket", "put"))
    begun = await cos.multipart.create("bucket", "parts")
    part = await cos.multipart.upload_part("bucket", "parts", begun.upload_id, 1, b"2")
    await cos.multipart.complete("bucket", "parts", begun.upload_id, [CompletedPart(part_number=1, etag=part.etag)])
    assert [o.key async for o in cos.objects.list("target")] == ["copy", "parts", "put"]
    for key in ("copy", "parts", "put"):
        source, replica = await cos.objects.head("bucket", key), await cos.objects.head("target", key)
        assert (source.replication_status, replica.replication_status) == ("COMPLETE", "REPLICA")
        assert (source.version_id, source.etag, source.last_modified) == (
            replica.version_id,
            replica.etag,
            replica.last_modified,
        )
    assert (replica.version_id, replica.metadata, replica.content_type, replica.tag_count) == (
        put.version_id,
        {"a": "b"},
        "text/x",
        1,
    )
    assert await status(cos, "before") is None
    assert await failures(cos) == []


async def test_a_copy_of_a_replica_is_not_a_replica(cos: Client) -> None:
    await cos.replication.put("bucket", rule("target"))
    await cos.objects.put("bucket", "key", b"1")
    await cos.objects.copy("target", "copy", ("target", "key"))
    assert await status(cos, "copy", "target") is None
    await cos.buckets.create("plain")
    await cos.objects.copy("plain", "copy", CopySource("bucket", "key"))
    assert await status(cos, "copy", "plain") is None


async def test_replicas_are_not_replicated_further(cos: Client) -> None:
    await cos.buckets.create("third")
    await cos.versioning.enable("third")
    await cos.replication.put("target", rule("third"))
    await cos.replication.put("bucket", rule("target"))
    await cos.replication.put("third", rule("bucket"))
    await cos.objects.put("bucket", "key", b"1")
    assert await status(cos, "key", "target") == "REPLICA"
    with pytest.raises(NoSuchKey):
        await cos.objects.read("third", "key")


async def test_the_rule_with_the_highest_priority_applies(cos: Client) -> None:
    for name in ("low", "high"):
        await cos.buckets.create(name)
        await cos.versioning.enable(name)
    rules = [
        one("low", 1, prefix="a"),
        one("high", 7, prefix="a/b"),
        one("target", 9, tag=Tag(key="k", value="v")),
        one("target", 10, enabled=False),
    ]
    await cos.replication.put("bucket", ReplicationConfiguration(rules=rules))
    for key in ("a", "a/b", "other"):
        await cos.objects.put("bucket", key, b"1")
    await cos.objects.put("bucket", "a/b/tagged", b"1", tagging="k=v&x=y")
    assert [o.key async for o in cos.objects.list("low")] == ["a"]
    assert [o.key async for o in cos.objects.list("high")] == ["a/b"]
    assert [o.key async for o in cos.objects.list("target")] == ["a/b/tagged"]
    assert await status(cos, "other") is None


async def test_all_conditions_of_and_must_match(cos: Client) -> None:
    both = ReplicationAnd(prefix="a/", tags=[Tag(key="k", value="v"), Tag(key="l", value="w")])
    await cos.replication.put("bucket", rule("target", and_=both))
    for key, tags in (("a/1", "k=v&l=w"), ("a/2", "k=v"), ("b/3", "k=v&l=w")):
        await cos.objects.put("bucket", key, b"1", tagging=tags)
    assert [o.key async for o in cos.objects.list("target")] == ["a/1"]


@pytest.mark.parametrize("markers", [False, True])
async def test_delete_markers_are_replicated_if_the_rule_says_so(cos: Client, markers: bool) -> None:
    await cos.replication.put("bucket", rule("target", markers=markers))
    for key in ("one", "two"):
        await cos.objects.put("bucket", key, b"1")
    marker = await cos.objects.delete("bucket", "one")
    await cos.objects.delete_many("bucket", ["two"])
    page = await anext(cos.objects.list_versions("target").pages())
    assert [(m.key, m.is_latest) for m in page.delete_markers] == ([("one", True), ("two", True)] if markers else [])
    if markers:
        assert page.delete_markers[0].version_id == marker.version_id
        # Deleting a version by its id does not delete its replica.
        await cos.objects.delete("bucket", "one", version_id=marker.version_id)
        with pytest.raises(NoSuchKey):
            await cos.objects.read("target", "one")
    else:
        assert await cos.objects.read("target", "one") == b"1"


async def test_locks_and_later_changes_of_them_are_replicated(cos: Client, raw: Raw) -> None:
    for name in ("bucket", "target"):
        await cos.object_lock.put_configuration(name, ObjectLockConfiguration())
    await cos.replication.put("bucket", rule("target"))
    until = raw.emulator.clock.now().replace(microsecond=0) + timedelta(days=1)
    version = (await cos.objects.put("bucket", "key", b"x")).version_id
    assert (await cos.objects.head("target", "key")).object_lock_mode is None
    await cos.object_lock.put_retention("bucket", "key", ObjectRetention(mode="GOVERNANCE", retain_until=until))
    await cos.object_lock.put_legal_hold("bucket", "key", "ON")
    reported = await cos.objects.head("target", "key")
    assert (reported.object_lock_mode, reported.object_lock_retain_until, reported.object_lock_legal_hold) == (
        "GOVERNANCE",
        until,
        "ON",
    )
    with pytest.raises(ObjectProtected):
        await cos.objects.delete("target", "key", version_id=version)
    await cos.object_lock.put_retention("bucket", "key", ObjectRetention(), bypass_governance=True)
    await cos.object_lock.put_legal_hold("bucket", "key", "OFF")
    await cos.objects.delete("target", "key", version_id=version)


async def test_changes_of_tags_are_replicated(cos: Client) -> None:
    await cos.replication.put("bucket", rule("target"))
    await cos.objects.put("bucket", "key", b"x")
    await cos.tagging.put_object("bucket", "key", {"a": "b"})
    assert (await cos.tagging.get_object("target", "key")).as_dict() == {"a": "b"}
    assert await status(cos, "key", "target") == "REPLICA"
    await cos.tagging.delete_object("bucket", "key")
    assert (await cos.tagging.get_object("target", "key")).as_dict() == {}


# ---------------------------------------------------------------------------------------------------------------------
# Failures


async def test_failed_replications_are_listed_and_retried(cos: Client, raw: Raw) -> None:
    await cos.replication.put("bucket", rule("target"))
    await cos.versioning.suspend("target")
    old = (await cos.objects.put("bucket", "key", b"old")).version_id
    assert await status(cos) == "FAILED"
    await cos.versioning.enable("target")
    new = (await cos.objects.put("bucket", "key", b"new")).version_id
    assert await status(cos) == "COMPLETE"
    (failure,) = [f async for f in cos.replication.failures("bucket")]
    assert (failure.key, failure.version_id, failure.sync_type) == ("key", old, "content")
    assert failure.sync_failure_cause == "Versioning disabled on destination bucket"
    assert failure.first_sync_attempted == failure.last_sync_attempted

    requested = await cos.replication.reattempt("bucket")
    now = raw.emulator.clock.now()
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert requested.scheduled_time == midnight
    assert await failures(cos) == [("key", "content")]
    raw.emulator.clock.advance(midnight - now + timedelta(seconds=1))
    assert await failures(cos) == []
    assert (await cos.objects.head("bucket", "key", version_id=old)).replication_status == "COMPLETE"
    listed = (await anext(cos.objects.list_versions("target").pages())).versions
    assert [(v.version_id, v.is_latest) for v in listed] == [(new, True), (old, False)]
    assert await cos.objects.read("target", "key") == b"new"
    assert await cos.objects.read("target", "key", version_id=old) == b"old"


async def test_a_retry_that_fails_is_recorded(cos: Client, raw: Raw) -> None:
    await cos.replication.put("bucket", rule("target"))
    await cos.buckets.delete("target")
    await cos.objects.put("bucket", "key", b"x")
    (before,) = [f async for f in cos.replication.failures("bucket")]
    assert before.sync_failure_cause == "The target bucket does not exist."
    for _ in range(2):
        await cos.replication.reattempt("bucket")
        raw.emulator.clock.advance(days=1)
        (after,) = [f async for f in cos.replication.failures("bucket")]
        assert after.first_sync_attempted == before.first_sync_attempted
        assert after.last_sync_attempted is not None
        assert before.last_sync_attempted is not None
        assert after.last_sync_attempted > before.last_sync_attempted
        before = after
    # Without a reattempt there is no retry, and deleted versions are no failures.
    raw.emulator.clock.advance(days=1)
    (after,) = [f async for f in cos.replication.failures("bucket")]
    assert after == before
    await cos.objects.delete("bucket", "key", version_id=before.version_id)
    assert await failures(cos) == []


async def test_failures_are_listed_newest_first_in_pages(cos: Client, raw: Raw) -> None:
    await cos.replication.put("bucket", rule("target"))
    await cos.versioning.suspend("target")
    keys = [f"k{n} ü" for n in range(5)]
    times: list[datetime] = []
    for key in keys:
        raw.emulator.clock.advance(hours=1)
        await cos.objects.put("bucket", key, b"x")
        times.append(raw.emulator.clock.now())
    for size in (1, 2, 5):
        assert [f.key async for f in cos.replication.failures("bucket", max_keys=size)] == keys[::-1]
    middle = times[1] + timedelta(minutes=30)
    for text in (middle.isoformat(), str(int(middle.timestamp() * 1000)), middle.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")):
        pages = cos.replication.failures("bucket", first_sync_attempted_before=text, max_keys=1).pages()
        first = await anext(pages)
        assert (first.name, first.max_keys, first.key_count, first.is_truncated) == ("bucket", 1, 1, True)
        assert abs(datetime.fromisoformat(first.first_sync_attempted_before or "") - middle) < timedelta(seconds=1)
        assert [f.key for f in first.contents] + [f.key async for page in pages for f in page.contents] == keys[1::-1]
    raw.token = raw.emulator.iam.issue(raw.emulator.instance)
    for query in ("first-sync-attempted-before=soon", "continuation-token=x", "max-keys=-1"):
        response = await raw.get(f"/bucket?ibm-replication-failures&{query}", Content_MD5=md5(b""))
        assert (response.status, response.code) == (400, "InvalidArgument")
    assert (await raw.get("/bucket?ibm-replication-failures")).code == "InvalidRequest"


async def test_a_reattempt_needs_rules_and_a_checksum(cos: Client, raw: Raw) -> None:
    with pytest.raises(NoSuchConfiguration):
        await cos.replication.reattempt("bucket")
    assert (await raw.put("/bucket?ibm-replication-reattempt")).code == "InvalidRequest"
    await cos.replication.put("bucket", rule("target"))
    response = await raw.put("/bucket?ibm-replication-reattempt", Content_MD5=md5(b""))
    assert response.status == 204
    assert response.headers["x-ibm-replication-reattempt-scheduled-time"].endswith(" 00:00:00 GMT")


async def test_another_instance_cannot_list_failures(cos: Client, other_instance: Raw) -> None:
    for target in ("/bucket?replication", "/bucket?versioning", "/bucket?ibm-replication-failures"):
        assert (await other_instance.get(target, Content_MD5=md5(b""))).status == 403


# ---------------------------------------------------------------------------------------------------------------------
# The matrix: the settings of a bucket, and the next setting that is requested

Change = Callable[[Client, Raw, str], Awaitable[object]]


async def _policy(cos: Client, raw: Raw, name: str) -> None:
    await cos.protection.put(name, ProtectionConfiguration.of_days(minimum=0, default=1, maximum=10))


async def _lock(cos: Client, raw: Raw, name: str) -> None:
    await cos.object_lock.put_configuration(name, ObjectLockConfiguration.of("GOVERNANCE", days=1))


async def _versioning(cos: Client, raw: Raw, name: str) -> None:
    await cos.versioning.enable(name)


async def _replication(cos: Client, raw: Raw, name: str) -> None:
    await cos.replication.put(name, rule("target"))


async def _suspend(cos: Client, raw: Raw, name: str) -> None:
    await cos.versioning.suspend(name)


MATRIX: list[tuple[str, list[Change], Change, type[Exception] | None]] = [
    ("policy-lock", [_policy], _lock, InvalidBucketState),
    ("policy-versioning", [_policy], _versioning, InvalidBucketState),
    ("policy-replication", [_policy], _replication, InvalidBucketState),
    ("lock-policy", [_versioning, _lock], _policy, InvalidBucketState),
    ("lock-versioning", [_versioning, _lock], _suspend, InvalidBucketState),
    ("lock-without-versioning", [], _lock, InvalidBucketState),
    ("lock-replication", [_versioning, _lock], _replication, None),
    ("versioning-policy", [_versioning], _policy, InvalidBucketState),
    ("versioning-lock", [_versioning], _lock, None),
    ("versioning-replication", [_versioning], _replication, None),
    ("replication-policy", [_versioning, _replication], _policy, InvalidBucketState),
    ("replication-lock", [_versioning, _replication], _lock, None),
    ("replication-versioning", [_versioning, _replication], _suspend, InvalidBucketState),
    ("replication-without-versioning", [], _replication, InvalidRequest),
]


@pytest.mark.parametrize(("before", "change", "error"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX])
async def test_settings_that_exclude_each_other(
    cos: Client, raw: Raw, before: list[Change], change: Change, error: type[Exception] | None
) -> None:
    await cos.buckets.create("mixed")
    for step in before:
        await step(cos, raw, "mixed")
    if error is None:
        await change(cos, raw, "mixed")
        return
    with pytest.raises(error):
        await change(cos, raw, "mixed")


# The other columns: lifecycle rules and keys for protected objects. The emulator has no Aspera transfers.


async def _one_protected_object(cos: Client, system: str, **root_key: str) -> str | None:
    """Create a bucket with one object that is protected for two days by `system`; return its version id."""
    await cos.buckets.create("mixed", object_lock_enabled=system == "lock" or None, **root_key)
    if system == "policy":
        await cos.protection.put("mixed", ProtectionConfiguration.of_days(minimum=0, default=2, maximum=10))
    elif system == "lock":
        await cos.object_lock.put_configuration("mixed", ObjectLockConfiguration.of("COMPLIANCE", days=2))
    else:
        await cos.versioning.enable("mixed")
    return (await cos.objects.put("mixed", "key", b"x")).version_id


@pytest.mark.parametrize("system", ["policy", "lock", "versioning"])
async def test_protected_objects_are_archived(cos: Client, raw: Raw, system: str) -> None:
    await _one_protected_object(cos, system)
    await cos.lifecycle.put("mixed", [LifecycleRule.archive(days=1)])
    await cos.objects.put("mixed", "cold", b"x")
    raw.emulator.clock.advance(days=1)
    assert (await cos.objects.head("mixed", "cold")).storage_class == "GLACIER"
    with pytest.raises(InvalidObjectState):
        await cos.objects.read("mixed", "cold")


@pytest.mark.parametrize("system", ["policy", "lock", "versioning"])
async def test_protected_objects_expire_only_when_unprotected(cos: Client, raw: Raw, system: str) -> None:
    version = await _one_protected_object(cos, system)
    rule = LifecycleRule(
        status="Enabled",
        filter=LifecycleFilter(prefix=""),
        expiration=Expiration(days=1),
        noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=1),
    )
    await cos.lifecycle.put("mixed", [rule])
    # Expiry is due after one day, rounded up to midnight. Protection ends after two days.
    raw.emulator.clock.advance(days=1, hours=23)
    due = [v.version_id async for v in cos.objects.list_versions("mixed")]
    there = await cos.objects.exists("mixed", "key")
    if system == "policy":
        assert there  # deferred until the protection ends
    else:
        assert version in due  # perhaps behind a delete marker
    for _ in range(2):  # first the version gets a delete marker, then it is removed
        raw.emulator.clock.advance(days=3)
        await cos.buckets.head("mixed")
    left = [v.version_id async for v in cos.objects.list_versions("mixed")]
    assert not await cos.objects.exists("mixed", "key")
    assert version not in left if system != "policy" else left == []


@pytest.mark.parametrize("system", ["policy", "lock", "versioning"])
async def test_protection_can_be_combined_with_key_protect(cos: Client, system: str) -> None:
    crn = "crn:v1:bluemix:public:kms:us-south:a/account:instance:key:root-key"
    await _one_protected_object(cos, system, kp_root_key_crn=crn, kp_algorithm="AES256")
    info = await cos.buckets.head("mixed")
    assert (info.kp_enabled, info.kp_root_key_id) == (True, "root-key")
    assert await cos.objects.read("mixed", "key") == b"x"


async def test_replicas_are_encrypted_with_the_key_of_the_target(cos: Client) -> None:
    await cos.replication.put("bucket", rule("target"))
    version = (await cos.objects.put("bucket", "a b/ü+", b"x")).version_id
    assert version is not None
    assert not (await cos.objects.delete_many("target", [ObjectIdentifier(key="a b/ü+", version_id=version)])).errors
    assert [o.key async for o in cos.objects.list("target")] == []
