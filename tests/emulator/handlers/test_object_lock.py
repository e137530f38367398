"""Object Lock: the rows of the documentation's tables, by their numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import pytest_asyncio

from aiocos import Client
from aiocos.emulator import Emulator
from aiocos.errors import (
    InvalidBucketState,
    InvalidRequest,
    NoSuchConfiguration,
    ObjectProtected,
)
from aiocos.operations.multipart import CompletedPart
from aiocos.operations.object_lock import DefaultLock, LockRule, ObjectLockConfiguration, ObjectRetention
from aiocos.operations.objects import ObjectIdentifier

from ..conftest import Raw, md5
from .object_lock_requests import DAY, at, later, put_locked
from .test_versioning import POLICY

KP = "crn:v1:bluemix:public:kms:us-south:a/0123:4567:key:0123-4567"


@pytest_asyncio.fixture(loop_scope="module")
async def cos(raw: Raw) -> AsyncIterator[Client]:
    """The owner of `locked`, which has Object Lock without default retention, and of `bucket`, which has no Object Lock."""
    async with raw.emulator.client() as client:
        await client.buckets.create("locked", object_lock_enabled=True)
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def hmac(raw: Raw) -> AsyncIterator[Client]:
    async with raw.emulator.client(hmac=True) as client:
        yield client


def named(key: str, version: str) -> ObjectIdentifier:
    return ObjectIdentifier(key=key, version_id=version)


CONFIGURATION = ObjectLockConfiguration.of("GOVERNANCE", days=3)


# ---------------------------------------------------------------------------------------------------------------------
# Object Lock of buckets


async def bucket_1(cos: Client, raw: Raw) -> None:
    """A bucket created with Object Lock has versioning and Object Lock."""
    assert (await cos.versioning.get("locked")).status == "Enabled"
    assert (await cos.object_lock.get_configuration("locked")).object_lock_enabled == "Enabled"


async def bucket_2(cos: Client, raw: Raw) -> None:
    """An invalid value of the header is ignored; `True` is accepted."""
    for n, value in enumerate(("ture", "1", "yes", "", "false")):
        assert (await raw.put(f"/other{n}", x_amz_bucket_object_lock_enabled=value)).status == 200
        assert (await cos.versioning.get(f"other{n}")).status is None
    assert (await raw.put("/misspelt", x_amz_object_lock_enabled="true")).status == 200
    assert (await cos.versioning.get("misspelt")).status is None
    assert (await raw.put("/capital", x_amz_bucket_object_lock_enabled="True")).status == 200
    assert (await cos.object_lock.get_configuration("capital")).object_lock_enabled == "Enabled"


async def bucket_3(cos: Client, raw: Raw) -> None:
    """Object Lock needs versioning."""
    with pytest.raises(InvalidBucketState):
        await cos.object_lock.put_configuration("bucket", CONFIGURATION)
    await cos.versioning.suspend("bucket")
    with pytest.raises(InvalidBucketState):
        await cos.object_lock.put_configuration("bucket", CONFIGURATION)
    await cos.versioning.enable("bucket")
    await cos.object_lock.put_configuration("bucket", CONFIGURATION)


async def bucket_4(cos: Client, raw: Raw) -> None:
    """A retention policy excludes Object Lock."""
    await cos.protection.put("bucket", POLICY)
    with pytest.raises(InvalidBucketState, match="retention policy"):
        await cos.object_lock.put_configuration("bucket", CONFIGURATION)


async def bucket_5(cos: Client, raw: Raw) -> None:
    """Invalid configurations are refused."""
    default = "<DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention>"
    for inner in (
        f"<Rule>{default}</Rule><Rule>{default}</Rule>",
        "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years></DefaultRetention></Rule>",
        "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode></DefaultRetention></Rule>",
        "<Rule><DefaultRetention><Days>1</Days></DefaultRetention></Rule>",
        "<Rule><DefaultRetention><Mode>governance</Mode><Days>1</Days></DefaultRetention></Rule>",
        "<Rule></Rule>",
    ):
        xml = (
            f"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{inner}</ObjectLockConfiguration>".encode()
        )
        response = await raw.put("/locked?object-lock", xml, Content_MD5=md5(xml))
        assert (response.status, response.code) == (400, "MalformedXML"), inner
    for wrong in ({"days": 0}, {"days": -1}, {"days": 36_501}, {"years": 0}, {"years": 101}):
        with pytest.raises(InvalidRequest) as caught:
            await cos.object_lock.put_configuration("locked", ObjectLockConfiguration.of("COMPLIANCE", **wrong))
        assert at(caught) == (400, "InvalidArgument")
    for right in ({"days": 36_500}, {"years": 100}, {"days": 1}):
        await cos.object_lock.put_configuration("locked", ObjectLockConfiguration.of("COMPLIANCE", **right))


async def bucket_6(cos: Client, raw: Raw) -> None:
    """The configuration needs a checksum."""
    response = await raw.put("/locked?object-lock", CONFIGURATION.to_xml())
    assert (response.status, response.code) == (400, "InvalidRequest")


async def bucket_7(cos: Client, raw: Raw) -> None:
    """The default retention can be replaced."""
    for configuration in (CONFIGURATION, ObjectLockConfiguration.of("COMPLIANCE", years=2), ObjectLockConfiguration()):
        await cos.object_lock.put_configuration("locked", configuration)
        reported = await cos.object_lock.get_configuration("locked")
        assert (reported.object_lock_enabled, reported.rule) == ("Enabled", configuration.rule)


async def bucket_8(cos: Client, raw: Raw) -> None:
    """Object Lock cannot be disabled."""
    with pytest.raises(InvalidRequest) as caught:
        await cos.object_lock.put_configuration("locked", ObjectLockConfiguration(object_lock_enabled="Disabled"))
    assert at(caught) == (400, "MalformedXML")
    assert (await cos.object_lock.get_configuration("locked")).object_lock_enabled == "Enabled"


async def bucket_9(cos: Client, raw: Raw) -> None:
    """Versioning cannot be suspended."""
    with pytest.raises(InvalidBucketState, match="Object Lock"):
        await cos.versioning.suspend("locked")
    await cos.versioning.enable("locked")


async def bucket_10(cos: Client, raw: Raw) -> None:
    """A bucket without Object Lock has no configuration to read."""
    with pytest.raises(NoSuchConfiguration) as caught:
        await cos.object_lock.get_configuration("bucket")
    assert at(caught) == (404, "ObjectLockConfigurationNotFoundError")


@pytest.mark.parametrize("row", range(1, 11))
async def test_object_lock_configuration_of_buckets(cos: Client, raw: Raw, row: int) -> None:
    await globals()[f"bucket_{row}"](cos, raw)


# ---------------------------------------------------------------------------------------------------------------------
# Locks of versions


async def version_1(cos: Client, raw: Raw) -> None:
    """Mode and date must be sent together, in PUT, copy and multipart upload."""
    await cos.objects.put("locked", "source", b"x")
    date = later(raw, 1)
    for half in ({"object_lock_mode": "GOVERNANCE"}, {"object_lock_retain_until": date}):
        for call in (
            lambda half=half: cos.objects.put("locked", "key", b"x", **half),
            lambda half=half: cos.objects.copy("locked", "key", ("locked", "source"), **half),
            lambda half=half: cos.multipart.create("locked", "key", **half),
        ):
            with pytest.raises(InvalidRequest) as caught:
                await call()
            assert at(caught) == (400, "InvalidArgument")
    both: Any = {"object_lock_mode": "GOVERNANCE", "object_lock_retain_until": date}
    await cos.objects.put("locked", "put", b"x", **both)
    await cos.objects.copy("locked", "copy", ("locked", "source"), **both)
    begun = await cos.multipart.create("locked", "parts", **both, object_lock_legal_hold="ON")
    part = await cos.multipart.upload_part("locked", "parts", begun.upload_id, 1, b"x")
    await cos.multipart.complete("locked", "parts", begun.upload_id, [CompletedPart(part_number=1, etag=part.etag)])
    for key in ("put", "copy", "parts"):
        async with cos.objects.get("locked", key) as stream:
            got = stream.info
        for info in (await cos.objects.head("locked", key), got):
            assert (info.object_lock_mode, info.object_lock_retain_until) == ("GOVERNANCE", date)
            assert info.object_lock_legal_hold == ("ON" if key == "parts" else None)
    for header, value in (("mode", "governance"), ("legal-hold", "on")):
        headers = {f"x-amz-object-lock-{header}": value}
        if header == "mode":
            headers["x-amz-object-lock-retain-until-date"] = date.isoformat()
        response = await raw.send("PUT", "/locked/key", b"x", headers)
        assert (response.status, response.code) == (400, "InvalidArgument")


async def version_2(cos: Client, raw: Raw) -> None:
    """The default retention is counted from the write, unless the request has its own."""
    await cos.object_lock.put_configuration("locked", ObjectLockConfiguration.of("GOVERNANCE", days=3))
    await cos.objects.put("locked", "days", b"x")
    info = await cos.objects.head("locked", "days")
    assert info.last_modified is not None
    assert (info.object_lock_mode, info.object_lock_retain_until) == ("GOVERNANCE", info.last_modified + 3 * DAY)
    await cos.object_lock.put_configuration("locked", ObjectLockConfiguration.of("COMPLIANCE", years=2))
    await cos.objects.copy("locked", "years", ("locked", "days"))
    info = await cos.objects.head("locked", "years")
    assert info.last_modified is not None
    assert (info.object_lock_mode, info.object_lock_retain_until) == ("COMPLIANCE", info.last_modified + 730 * DAY)
    date = later(raw, 1)
    await put_locked(cos, date, key="own")
    info = await cos.objects.head("locked", "own")
    assert (info.object_lock_mode, info.object_lock_retain_until) == ("GOVERNANCE", date)
    await cos.objects.put("locked", "held", b"x", object_lock_legal_hold="ON")
    info = await cos.objects.head("locked", "held")
    assert (info.object_lock_mode, info.object_lock_legal_hold) == ("COMPLIANCE", "ON")
    begun = await cos.multipart.create("locked", "parts")
    part = await cos.multipart.upload_part("locked", "parts", begun.upload_id, 1, b"x")
    await cos.multipart.complete("locked", "parts", begun.upload_id, [CompletedPart(part_number=1, etag=part.etag)])
    assert (await cos.objects.head("locked", "parts")).object_lock_mode == "COMPLIANCE"


async def version_3(cos: Client, raw: Raw) -> None:
    """A bucket without Object Lock refuses locks."""
    date = later(raw, 1)
    for given in ({"object_lock_mode": "GOVERNANCE", "object_lock_retain_until": date}, {"object_lock_legal_hold": "ON"}):
        for call in (
            lambda given=given: cos.objects.put("bucket", "key", b"x", **given),
            lambda given=given: cos.objects.copy("bucket", "key", ("bucket", "key"), **given),
            lambda given=given: cos.multipart.create("bucket", "key", **given),
        ):
            await cos.objects.put("bucket", "key", b"x")
            with pytest.raises(InvalidRequest) as caught:
                await call()
            assert at(caught) == (400, "InvalidRequest")


async def version_4(cos: Client, raw: Raw) -> None:
    """A date in the past is refused."""
    with pytest.raises(InvalidRequest) as caught:
        await put_locked(cos, later(raw, -1))
    assert at(caught) == (400, "InvalidArgument")


async def version_5(cos: Client, raw: Raw) -> None:
    """Each version has its own lock; writing a new version changes no other."""
    date = later(raw, 1)
    first = await put_locked(cos, date, "COMPLIANCE", "ON")
    second = (await cos.objects.put("locked", "key", b"y")).version_id
    third = await put_locked(cos, later(raw, 2))
    assert (await cos.object_lock.get_retention("locked", "key", version_id=first)).retain_until == date
    assert (await cos.object_lock.get_legal_hold("locked", "key", version_id=first)).status == "ON"
    for missing in (cos.object_lock.get_retention, cos.object_lock.get_legal_hold):
        with pytest.raises(NoSuchConfiguration) as caught:
            await missing("locked", "key", version_id=second)
        assert at(caught) == (404, "NoSuchObjectLockConfiguration")
    assert (await cos.object_lock.get_retention("locked", "key")).mode == "GOVERNANCE"
    assert (await cos.objects.head("locked", "key")).version_id == third


async def version_6(cos: Client, raw: Raw) -> None:
    """A delete marker can always be added and is not protected."""
    version = await put_locked(cos, later(raw, 1), "COMPLIANCE", "ON")
    marker = await cos.objects.delete("locked", "key")
    assert marker.delete_marker
    await cos.objects.delete("locked", "key", version_id=marker.version_id)
    assert (await cos.objects.head("locked", "key")).version_id == version


async def version_7(cos: Client, raw: Raw) -> None:
    """A locked version cannot be deleted."""
    for mode in ("COMPLIANCE", "GOVERNANCE"):
        version = await put_locked(cos, later(raw, 1), mode)
        with pytest.raises(ObjectProtected) as caught:
            await cos.objects.delete("locked", "key", version_id=version)
        assert at(caught) == (403, "AccessDenied")
        free = (await cos.objects.put("locked", "free", b"x")).version_id
        assert free is not None
        done = await cos.objects.delete_many("locked", [named("key", version), named("free", free)])
        assert [(e.key, e.version_id, e.code) for e in done.errors] == [("key", version, "AccessDenied")]
        assert [d.version_id for d in done.deleted] == [free]
        await cos.objects.head("locked", "key", version_id=version)
    raw.emulator.clock.advance(days=2)
    assert not (await cos.objects.delete_many("locked", [named("key", version)])).errors


async def version_8(cos: Client, raw: Raw) -> None:
    """A caller with the right to bypass GOVERNANCE can remove, shorten and delete."""
    version = await put_locked(cos, later(raw, 5))
    date = later(raw, 1)
    shorter = ObjectRetention(mode="GOVERNANCE", retain_until=date)
    await cos.object_lock.put_retention("locked", "key", shorter, bypass_governance=True)
    assert (await cos.object_lock.get_retention("locked", "key")).retain_until == date
    await cos.object_lock.put_retention("locked", "key", ObjectRetention(), bypass_governance=True)
    await cos.object_lock.put_retention("locked", "key", shorter)
    with pytest.raises(ObjectProtected):
        await cos.objects.delete("locked", "key", version_id=version, bypass_governance=False)
    await cos.objects.delete("locked", "key", version_id=version, bypass_governance=True)
    version = await put_locked(cos, later(raw, 5))
    assert not (await cos.objects.delete_many("locked", [named("key", version)], bypass_governance=True)).errors
    version = await put_locked(cos, later(raw, 5), "COMPLIANCE")
    with pytest.raises(ObjectProtected):
        await cos.objects.delete("locked", "key", version_id=version, bypass_governance=True)


async def version_9(cos: Client, raw: Raw) -> None:
    """A legal hold cannot be bypassed, and remains when the retention expires."""
    version = await put_locked(cos, later(raw, 1), hold="ON")
    for _ in range(2):
        with pytest.raises(ObjectProtected):
            await cos.objects.delete("locked", "key", version_id=version, bypass_governance=True)
        assert (await cos.objects.delete_many("locked", [named("key", version)], bypass_governance=True)).errors
        raw.emulator.clock.advance(days=100)
    await cos.object_lock.put_legal_hold("locked", "key", "OFF", version_id=version)
    await cos.objects.delete("locked", "key", version_id=version)


async def version_10(cos: Client, raw: Raw) -> None:
    """Tags of a locked version can be changed."""
    version = await put_locked(cos, later(raw, 1), "COMPLIANCE", "ON")
    assert (await cos.tagging.put_object("locked", "key", {"a": "b"}, version_id=version)).version_id == version
    assert (await cos.objects.head("locked", "key", version_id=version)).tag_count == 1


async def version_11(cos: Client, raw: Raw) -> None:
    """Locked versions are archived by rules and do not expire."""
    rule = (
        b"<LifecycleConfiguration><Rule><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
        b"<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>2</Days></Expiration>"
        b"<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>"
        b"</Rule></LifecycleConfiguration>"
    )
    assert (await raw.put("/locked?lifecycle", rule, Content_MD5=md5(rule))).status == 200
    version = await put_locked(cos, later(raw, 30), "COMPLIANCE")
    raw.emulator.clock.advance(days=10)
    assert (await cos.objects.head("locked", "key", version_id=version)).storage_class == "GLACIER"
    assert [v.version_id for v in (await anext(cos.objects.list_versions("locked").pages())).versions] == [version]
    raw.emulator.clock.advance(days=30)
    assert (await anext(cos.objects.list_versions("locked").pages())).versions == []


async def version_12(cos: Client, raw: Raw) -> None:
    """The lock is replicated to a target with Object Lock; without it, the replication fails."""
    from ..test_replication import rule

    for name, lock in (("target", True), ("plain", False)):
        await cos.buckets.create(name, object_lock_enabled=lock)
        await cos.versioning.enable(name)
        await cos.replication.put("locked", rule(name))
        version = await put_locked(cos, later(raw, 1), key=name)
        status = (await cos.objects.head("locked", name)).replication_status
        assert status == ("COMPLETE" if lock else "FAILED")
        if lock:
            replica = await cos.objects.head("target", name, version_id=version)
            assert (replica.object_lock_mode, replica.replication_status) == ("GOVERNANCE", "REPLICA")
            with pytest.raises(ObjectProtected):
                await cos.objects.delete("target", name, version_id=version)


async def version_13(cos: Client, raw: Raw) -> None:
    """Object Lock can be combined with Key Protect. (The key itself is outside of the service.)"""
    await cos.buckets.create("keyed", object_lock_enabled=True, kp_algorithm="AES256", kp_root_key_crn=KP)
    assert (await cos.buckets.head("keyed")).kp_root_key_id == "0123-4567"
    assert (await cos.object_lock.get_configuration("keyed")).object_lock_enabled == "Enabled"


@pytest.mark.parametrize("row", range(1, 14))
async def test_object_lock_of_versions(cos: Client, raw: Raw, row: int) -> None:
    await globals()[f"version_{row}"](cos, raw)


# ---------------------------------------------------------------------------------------------------------------------
# Not in the tables


async def test_object_lock_with_hmac_credentials(cos: Client, hmac: Client, raw: Raw) -> None:
    version = await put_locked(hmac, later(raw, 1))
    with pytest.raises(ObjectProtected):
        await hmac.objects.delete("locked", "key", version_id=version)


async def test_another_instance_cannot_bypass_governance(cos: Client, raw: Raw, other_instance: Raw) -> None:
    await cos.acl.put_bucket("locked", acl="public-read-write")
    version = await put_locked(cos, later(raw, 1))
    response = await other_instance.delete(f"/locked/key?versionId={version}", x_amz_bypass_governance_retention="true")
    assert (response.status, response.code) == (403, "AccessDenied")
    for target in ("/locked?object-lock", "/locked/key?retention", "/locked/key?legal-hold"):
        assert (await other_instance.get(target)).status == 403


async def test_a_copy_does_not_inherit_the_lock(cos: Client, raw: Raw) -> None:
    await put_locked(cos, later(raw, 1), hold="ON")
    await cos.objects.copy("bucket", "copy", ("locked", "key"))
    await cos.objects.delete("bucket", "copy")
    await cos.objects.copy("locked", "copy", ("locked", "key"))
    assert (await cos.objects.head("locked", "copy")).object_lock_mode is None


async def test_the_retain_until_header_is_in_utc(cos: Client, raw: Raw) -> None:
    date = later(raw, 1)
    await put_locked(cos, date)
    response = await raw.head("/locked/key")
    assert response.headers["x-amz-object-lock-retain-until-date"] == date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert parsedate_to_datetime(response.headers["Last-Modified"]) < date


async def test_locks_survive_a_restart(tmp_path: Any) -> None:
    async with Emulator(tmp_path) as first, first.client() as cos:
        await cos.buckets.create("locked", object_lock_enabled=True)
        until = datetime.now(UTC).replace(microsecond=0) + DAY
        version = await put_locked(cos, until)
    async with Emulator(tmp_path) as second, second.client() as cos:
        with pytest.raises(ObjectProtected):
            await cos.objects.delete("locked", "key", version_id=version)


def test_a_default_retention_needs_days_or_years() -> None:
    made = ObjectLockConfiguration.of("GOVERNANCE", days=3)
    assert made.rule == LockRule(default_retention=DefaultLock(mode="GOVERNANCE", days=3))


@pytest.mark.parametrize("target", ["retention", "legal-hold"])
async def test_reading_a_lock_in_a_bucket_without_object_lock_is_refused(cos: Client, raw: Raw, target: str) -> None:
    """Reading is refused like writing, whether or not the object exists."""
    await cos.objects.put("bucket", "key", b"x")
    for key in ("key", "missing"):
        response = await raw.get(f"/bucket/{key}?{target}")
        assert (response.status, response.code) == (400, "InvalidRequest")
        assert response.texts("Message") == ["Bucket is missing Object Lock Configuration"]
    await cos.objects.put("locked", "key", b"x")
    assert (await raw.get(f"/locked/key?{target}")).code == "NoSuchObjectLockConfiguration"
    assert (await raw.get(f"/locked/missing?{target}")).code == "NoSuchKey"
