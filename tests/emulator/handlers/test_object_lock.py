"""Object Lock: the rows of the documentation's tables, by their numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import pytest_asyncio

from aiocos import Client
from aiocos.emulator import Emulator
from aiocos.errors import (
    AccessDenied,
    InvalidBucketState,
    InvalidRequest,
    MethodNotAllowed,
    NoSuchConfiguration,
    NoSuchKey,
    ObjectProtected,
)
from aiocos.operations.multipart import CompletedPart
from aiocos.operations.object_lock import DefaultLock, LockMode, LockRule, ObjectLockConfiguration, ObjectRetention
from aiocos.operations.objects import ObjectIdentifier

from ..conftest import Raw, md5
from .test_versioning import POLICY

DAY = timedelta(days=1)
KP = "crn:v1:bluemix:public:kms:us-south:a/0123:4567:key:0123-4567"


@pytest_asyncio.fixture(loop_scope="module")
async def cos(raw: Raw) -> AsyncIterator[Client]:
    """The owner of `locked`, which has Object Lock without default retention, and of `bucket`, which has no Object Lock."""
    async with raw.emulator.client() as made:
        await made.buckets.create("locked", object_lock_enabled=True)
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def hmac(raw: Raw) -> AsyncIterator[Client]:
    async with raw.emulator.client(hmac=True) as made:
        yield made


def later(raw: Raw, days: float) -> datetime:
    """Return the time `days` from now, in whole seconds."""
    return (raw.emulator.clock.now() + days * DAY).replace(microsecond=0)


async def put_locked(cos: Client, until: datetime, mode: LockMode = "GOVERNANCE", hold: Any = None, key: str = "key") -> str:
    """Store a version with retention and return its version id."""
    put = await cos.objects.put(
        "locked", key, b"x", object_lock_mode=mode, object_lock_retain_until=until, object_lock_legal_hold=hold
    )
    assert put.version_id is not None
    return put.version_id


def named(key: str, version: str) -> ObjectIdentifier:
    return ObjectIdentifier(key=key, version_id=version)


def at(error: pytest.ExceptionInfo[Any]) -> tuple[int, str]:
    return error.value.status, error.value.code


CONFIGURATION = ObjectLockConfiguration.of("GOVERNANCE", days=3)


# ---------------------------------------------------------------------------------------------------------------------
# 6.1


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
# 6.2


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
# 6.3: the current lock, the new one (mode, days from now), bypass, the response

Wanted = tuple[LockMode | None, float | None]

RETENTION: list[tuple[int, Wanted | None, Wanted, bool, int]] = [
    (1, None, ("COMPLIANCE", 5), False, 200),
    (1, None, ("GOVERNANCE", 5), False, 200),
    (1, None, ("GOVERNANCE", -5), False, 400),
    (2, ("COMPLIANCE", 5), ("COMPLIANCE", 6), False, 200),
    (3, ("COMPLIANCE", 5), ("COMPLIANCE", 5), False, 403),
    (3, ("COMPLIANCE", 5), ("COMPLIANCE", 4), True, 403),
    (3, ("COMPLIANCE", 5), ("GOVERNANCE", 6), True, 403),
    (4, ("GOVERNANCE", 5), ("GOVERNANCE", 6), False, 200),
    (5, ("GOVERNANCE", 5), ("GOVERNANCE", 4), True, 200),
    (6, ("GOVERNANCE", 5), ("GOVERNANCE", 4), False, 403),
    (6, ("GOVERNANCE", 5), ("GOVERNANCE", 5), False, 403),
    (7, ("GOVERNANCE", 5), ("COMPLIANCE", 6), False, 200),
    (7, ("GOVERNANCE", 5), ("COMPLIANCE", 4), False, 403),
    (8, ("GOVERNANCE", 5), (None, None), True, 200),
    (8, ("GOVERNANCE", 5), (None, None), False, 403),
    (8, ("COMPLIANCE", 5), (None, None), True, 403),
    (8, None, (None, None), False, 200),
    (9, None, ("GOVERNANCE", None), False, 400),
    (9, ("GOVERNANCE", 5), (None, 6), True, 400),
]


def _ids(rows: list[Any]) -> list[str]:
    seen: list[int] = []
    names: list[str] = []
    for row in rows:
        names.append(f"{row[0]}{'abcdef'[seen.count(row[0])] if row[0] in seen else ''}")
        seen.append(row[0])
    return names


@pytest.mark.parametrize(("row", "before", "wanted", "bypass", "status"), RETENTION, ids=_ids(RETENTION))
async def test_allowed_changes_of_a_lock(
    cos: Client, raw: Raw, row: int, before: Wanted | None, wanted: Wanted, bypass: bool, status: int
) -> None:
    now = later(raw, 0)

    def made(lock: Wanted) -> ObjectRetention:
        return ObjectRetention(mode=lock[0], retain_until=None if lock[1] is None else now + lock[1] * DAY)

    version = (await cos.objects.put("locked", "key", b"x", object_lock_legal_hold="OFF")).version_id
    if before is not None:
        await cos.object_lock.put_retention("locked", "key", made(before))
    xml = made(wanted).to_xml()
    headers = {"Content-MD5": md5(xml)} | ({"x-amz-bypass-governance-retention": "true"} if bypass else {})
    response = await raw.send("PUT", f"/locked/key?retention&versionId={version}", xml, headers)
    assert response.status == status
    if status != 200:
        expected = "AccessDenied" if status == 403 else "MalformedXML" if row == 9 else "InvalidArgument"
        assert response.code == expected
    after = made(wanted) if status == 200 else None if before is None else made(before)
    if after is None or after.mode is None:
        with pytest.raises(NoSuchConfiguration):
            await cos.object_lock.get_retention("locked", "key")
    else:
        reported = await cos.object_lock.get_retention("locked", "key", version_id=version)
        assert (reported.mode, reported.retain_until) == (after.mode, after.retain_until)
    assert (await cos.object_lock.get_legal_hold("locked", "key")).status == "OFF"


@pytest.mark.parametrize("row", [10, 11])
async def test_refused_changes_of_a_lock(cos: Client, raw: Raw, row: int) -> None:
    wanted = ObjectRetention(mode="GOVERNANCE", retain_until=later(raw, 1))
    if row == 10:
        await cos.objects.put("locked", "key", b"x")
        response = await raw.put("/locked/key?retention", wanted.to_xml())
        assert (response.status, response.code) == (400, "InvalidRequest")
    else:
        await cos.objects.put("bucket", "key", b"x")
        with pytest.raises(InvalidRequest) as caught:
            await cos.object_lock.put_retention("bucket", "key", wanted)
        assert at(caught) == (400, "InvalidRequest")


async def test_an_expired_lock_can_be_replaced(cos: Client, raw: Raw) -> None:
    version = await put_locked(cos, later(raw, 1), "COMPLIANCE")
    raw.emulator.clock.advance(days=2)
    assert (await cos.object_lock.get_retention("locked", "key")).mode == "COMPLIANCE"
    await cos.object_lock.put_retention("locked", "key", ObjectRetention(mode="GOVERNANCE", retain_until=later(raw, 1)))
    await cos.objects.delete("locked", "key", version_id=version, bypass_governance=True)


# ---------------------------------------------------------------------------------------------------------------------
# 6.4


async def hold_1(cos: Client, raw: Raw) -> None:
    """ON and OFF, with or without retention, for any caller who may write the configuration."""
    date = later(raw, 1)
    await put_locked(cos, date, "COMPLIANCE")
    await cos.objects.put("locked", "free", b"x")
    for key in ("key", "free"):
        for status in ("ON", "OFF", "ON"):
            await cos.object_lock.put_legal_hold("locked", key, status)
            assert (await cos.object_lock.get_legal_hold("locked", key)).status == status
            assert (await cos.objects.head("locked", key)).object_lock_legal_hold == status
    assert (await cos.object_lock.get_retention("locked", "key")).retain_until == date
    free = (await cos.objects.head("locked", "free")).version_id
    with pytest.raises(ObjectProtected):
        await cos.objects.delete("locked", "free", version_id=free)


async def hold_2(cos: Client, raw: Raw) -> None:
    """Other values are refused."""
    await cos.objects.put("locked", "key", b"x")
    for status in ("on", "Off", "", "TRUE"):
        xml = f"<LegalHold><Status>{status}</Status></LegalHold>".encode()
        response = await raw.put("/locked/key?legal-hold", xml, Content_MD5=md5(xml))
        assert (response.status, response.code) == (400, "MalformedXML")
    xml = b"<LegalHold><Status>ON</Status></LegalHold>"
    assert (await raw.put("/locked/key?legal-hold", xml)).code == "InvalidRequest"


async def hold_3(cos: Client, raw: Raw) -> None:
    """Without a version id, the current version is changed."""
    old = (await cos.objects.put("locked", "key", b"x")).version_id
    await cos.objects.put("locked", "key", b"y")
    await cos.object_lock.put_legal_hold("locked", "key", "ON")
    with pytest.raises(NoSuchConfiguration):
        await cos.object_lock.get_legal_hold("locked", "key", version_id=old)
    marker = (await cos.objects.delete("locked", "key")).version_id
    with pytest.raises(NoSuchKey):
        await cos.object_lock.put_legal_hold("locked", "key", "ON")
    with pytest.raises(MethodNotAllowed):
        await cos.object_lock.put_legal_hold("locked", "key", "ON", version_id=marker)
    await cos.object_lock.put_legal_hold("locked", "key", "ON", version_id=old)


async def hold_4(cos: Client, raw: Raw) -> None:
    """A bucket without Object Lock refuses legal holds."""
    await cos.objects.put("bucket", "key", b"x")
    with pytest.raises(InvalidRequest) as caught:
        await cos.object_lock.put_legal_hold("bucket", "key", "ON")
    assert at(caught) == (400, "InvalidRequest")


@pytest.mark.parametrize("row", range(1, 5))
async def test_legal_holds_of_versions(cos: Client, raw: Raw, row: int) -> None:
    await globals()[f"hold_{row}"](cos, raw)


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


async def test_the_retention_date_keeps_milliseconds(cos: Client, raw: Raw) -> None:
    date = later(raw, 1) + timedelta(microseconds=123_456)
    reported = date.replace(microsecond=123_000)
    version = await put_locked(cos, date)
    assert (await cos.objects.head("locked", "key")).object_lock_retain_until == reported
    assert (await cos.object_lock.get_retention("locked", "key")).retain_until == reported
    response = await raw.head("/locked/key")
    assert response.headers["x-amz-object-lock-retain-until-date"].endswith(".123Z")
    upload = (
        await cos.multipart.create("locked", "parts", object_lock_mode="GOVERNANCE", object_lock_retain_until=date)
    ).upload_id
    part = await cos.multipart.upload_part("locked", "parts", upload, 1, b"x")
    await cos.multipart.complete("locked", "parts", upload, [CompletedPart(part_number=1, etag=part.etag)])
    copied: Any = {"object_lock_mode": "GOVERNANCE", "object_lock_retain_until": date}
    await cos.objects.copy("locked", "copy", ("locked", "key"), **copied)
    for key in ("parts", "copy"):
        assert (await cos.objects.head("locked", key)).object_lock_retain_until == reported
    later_by_one = ObjectRetention(mode="GOVERNANCE", retain_until=date + timedelta(seconds=1))
    await cos.object_lock.put_retention("locked", "key", later_by_one, version_id=version)
    assert (await cos.object_lock.get_retention("locked", "key")).retain_until == reported + timedelta(seconds=1)


@pytest.mark.parametrize("stored", [0, 500_000, 999_000])
@pytest.mark.parametrize("said", [0, 1, 1_000, 499_000, 500_000, 500_999, 999_999])
async def test_dates_are_compared_in_whole_seconds(cos: Client, raw: Raw, stored: int, said: int) -> None:
    """SDKs truncate the date of a header to seconds, but not that of a document. The same time must not be an extension."""
    second = later(raw, 1)
    await put_locked(cos, second + timedelta(microseconds=stored))
    before = await cos.object_lock.get_retention("locked", "key")
    for mode in ("COMPLIANCE", "GOVERNANCE"):
        wanted = ObjectRetention(mode=mode, retain_until=second + timedelta(microseconds=said))
        with pytest.raises(AccessDenied):
            await cos.object_lock.put_retention("locked", "key", wanted)
    after = await cos.object_lock.get_retention("locked", "key")
    assert (after.mode, after.retain_until) == (before.mode, before.retain_until)
    wanted = ObjectRetention(mode="COMPLIANCE", retain_until=second + timedelta(microseconds=said))
    await cos.object_lock.put_retention("locked", "key", wanted, bypass_governance=True)


async def test_no_other_request_changes_a_lock(cos: Client, raw: Raw) -> None:
    """Writes, copies, a default retention, legal holds and tags leave the lock of an existing version unchanged."""
    date = later(raw, 5)
    version = await put_locked(cos, date)
    await cos.object_lock.put_configuration("locked", ObjectLockConfiguration.of("COMPLIANCE", days=9))
    await cos.objects.put("locked", "key", b"new")
    await cos.objects.copy("locked", "key", ("locked", "key"), metadata_directive="REPLACE")
    await cos.object_lock.put_legal_hold("locked", "key", "ON", version_id=version)
    await cos.tagging.put_object("locked", "key", {"a": "b"}, version_id=version)
    await cos.acl.put_object("locked", "key", acl="private", version_id=version)
    found = await cos.object_lock.get_retention("locked", "key", version_id=version)
    assert (found.mode, found.retain_until) == ("GOVERNANCE", date)


async def test_a_replica_keeps_its_own_stricter_lock(cos: Client, raw: Raw) -> None:
    """A change of the source neither weakens a COMPLIANCE replica nor removes a legal hold that the source never had."""
    from ..test_replication import rule

    await cos.buckets.create("target", object_lock_enabled=True)
    await cos.replication.put("locked", rule("target"))
    version = await put_locked(cos, later(raw, 5))
    longer = ObjectRetention(mode="COMPLIANCE", retain_until=later(raw, 9))
    await cos.object_lock.put_retention("target", "key", longer, version_id=version)
    await cos.object_lock.put_legal_hold("target", "key", "ON", version_id=version)
    await cos.tagging.put_object("locked", "key", {"a": "b"}, version_id=version)
    await cos.object_lock.put_retention("locked", "key", ObjectRetention(), version_id=version, bypass_governance=True)
    until = longer.retain_until
    for days in (7, 12):
        governed = ObjectRetention(mode="GOVERNANCE", retain_until=later(raw, days))
        await cos.object_lock.put_retention("locked", "key", governed, version_id=version, bypass_governance=True)
        replica = await cos.objects.head("target", "key", version_id=version)
        assert (replica.object_lock_mode, replica.object_lock_legal_hold) == ("COMPLIANCE", "ON")
        assert replica.object_lock_retain_until == until
    strict = ObjectRetention(mode="COMPLIANCE", retain_until=later(raw, 20))
    await cos.object_lock.put_retention("locked", "key", strict, version_id=version)
    assert (await cos.objects.head("target", "key", version_id=version)).object_lock_retain_until == strict.retain_until


async def test_a_replica_with_an_expired_lock_follows_its_source(cos: Client, raw: Raw) -> None:
    from ..test_replication import rule

    await cos.buckets.create("target", object_lock_enabled=True)
    await cos.replication.put("locked", rule("target"))
    version = await put_locked(cos, later(raw, 1))
    strict = ObjectRetention(mode="COMPLIANCE", retain_until=later(raw, 2))
    await cos.object_lock.put_retention("target", "key", strict, version_id=version)
    raw.emulator.clock.advance(days=3)
    governed = ObjectRetention(mode="GOVERNANCE", retain_until=later(raw, 1))
    async with raw.emulator.client() as again:  # the token of the first has expired
        await again.object_lock.put_retention("locked", "key", governed, version_id=version)
        assert (await again.objects.head("target", "key", version_id=version)).object_lock_mode == "GOVERNANCE"


async def test_a_replica_follows_a_lock_shortened_by_bypass(cos: Client, raw: Raw) -> None:
    from ..test_replication import rule

    await cos.buckets.create("target", object_lock_enabled=True)
    await cos.replication.put("locked", rule("target"))
    version = await put_locked(cos, later(raw, 5))
    sooner = later(raw, 2)
    shorter = ObjectRetention(mode="GOVERNANCE", retain_until=sooner)
    await cos.object_lock.put_retention("locked", "key", shorter, version_id=version, bypass_governance=True)
    assert (await cos.objects.head("target", "key", version_id=version)).object_lock_retain_until == sooner
