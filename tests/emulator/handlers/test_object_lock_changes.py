"""Changes of the retention and the legal hold of existing versions: rows of the documentation's tables, and other cases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from aiocos import Client
from aiocos.errors import (
    AccessDenied,
    InvalidRequest,
    MethodNotAllowed,
    NoSuchConfiguration,
    NoSuchKey,
    ObjectProtected,
)
from aiocos.operations.multipart import CompletedPart
from aiocos.operations.object_lock import LockMode, ObjectLockConfiguration, ObjectRetention

from ..conftest import Raw, md5
from .object_lock_requests import DAY, at, later, put_locked


@pytest_asyncio.fixture(loop_scope="module")
async def cos(raw: Raw) -> AsyncIterator[Client]:
    """The owner of `locked`, which has Object Lock without default retention, and of `bucket`, which has no Object Lock."""
    async with raw.emulator.client() as client:
        await client.buckets.create("locked", object_lock_enabled=True)
        yield client


Lock = tuple[LockMode | None, float | None]
# The row, the current lock, the new one (mode, days from now), bypass, the status of the response.
RETENTION: list[tuple[int, Lock | None, Lock, bool, int]] = [
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


@pytest.mark.parametrize(("row", "before", "new", "bypass", "status"), RETENTION, ids=_ids(RETENTION))
async def test_a_change_of_a_lock_is_allowed_or_refused(
    cos: Client, raw: Raw, row: int, before: Lock | None, new: Lock, bypass: bool, status: int
) -> None:
    now = later(raw, 0)

    def retention(lock: Lock) -> ObjectRetention:
        return ObjectRetention(mode=lock[0], retain_until=None if lock[1] is None else now + lock[1] * DAY)

    version = (await cos.objects.put("locked", "key", b"x", object_lock_legal_hold="OFF")).version_id
    if before is not None:
        await cos.object_lock.put_retention("locked", "key", retention(before))
    xml = retention(new).to_xml()
    headers = {"Content-MD5": md5(xml)} | ({"x-amz-bypass-governance-retention": "true"} if bypass else {})
    response = await raw.send("PUT", f"/locked/key?retention&versionId={version}", xml, headers)
    assert response.status == status
    if status != 200:
        expected = "AccessDenied" if status == 403 else "MalformedXML" if row == 9 else "InvalidArgument"
        assert response.code == expected
    after = retention(new) if status == 200 else None if before is None else retention(before)
    if after is None or after.mode is None:
        with pytest.raises(NoSuchConfiguration):
            await cos.object_lock.get_retention("locked", "key")
    else:
        reported = await cos.object_lock.get_retention("locked", "key", version_id=version)
        assert (reported.mode, reported.retain_until) == (after.mode, after.retain_until)
    assert (await cos.object_lock.get_legal_hold("locked", "key")).status == "OFF"


@pytest.mark.parametrize("row", [10, 11])
async def test_other_refused_changes_of_a_lock(cos: Client, raw: Raw, row: int) -> None:
    new = ObjectRetention(mode="GOVERNANCE", retain_until=later(raw, 1))
    if row == 10:
        await cos.objects.put("locked", "key", b"x")
        response = await raw.put("/locked/key?retention", new.to_xml())
        assert (response.status, response.code) == (400, "InvalidRequest")
    else:
        await cos.objects.put("bucket", "key", b"x")
        with pytest.raises(InvalidRequest) as caught:
            await cos.object_lock.put_retention("bucket", "key", new)
        assert at(caught) == (400, "InvalidRequest")


async def test_an_expired_lock_can_be_replaced(cos: Client, raw: Raw) -> None:
    version = await put_locked(cos, later(raw, 1), "COMPLIANCE")
    raw.emulator.clock.advance(days=2)
    assert (await cos.object_lock.get_retention("locked", "key")).mode == "COMPLIANCE"
    await cos.object_lock.put_retention("locked", "key", ObjectRetention(mode="GOVERNANCE", retain_until=later(raw, 1)))
    await cos.objects.delete("locked", "key", version_id=version, bypass_governance=True)


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
        new = ObjectRetention(mode=mode, retain_until=second + timedelta(microseconds=said))
        with pytest.raises(AccessDenied):
            await cos.object_lock.put_retention("locked", "key", new)
    after = await cos.object_lock.get_retention("locked", "key")
    assert (after.mode, after.retain_until) == (before.mode, before.retain_until)
    new = ObjectRetention(mode="COMPLIANCE", retain_until=second + timedelta(microseconds=said))
    await cos.object_lock.put_retention("locked", "key", new, bypass_governance=True)


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
