"""Versioning: the rows of the documentation's table by their numbers, and cases that it leaves open."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import pytest
import pytest_asyncio

from aiocos import Client
from aiocos.emulator import Clock, Emulator
from aiocos.emulator.store import buckets
from aiocos.errors import (
    BucketNotEmpty,
    InvalidBucketState,
    InvalidRequest,
    MethodNotAllowed,
    NoSuchKey,
    NoSuchVersion,
    NotFound,
    OperationNotSupported,
    PreconditionFailed,
    ServiceError,
)
from aiocos.groups import engine_of
from aiocos.operations.multipart import CompletedPart
from aiocos.operations.object_lock import ObjectLockConfiguration
from aiocos.operations.objects import Delete, DeleteObjects, ObjectIdentifier
from aiocos.operations.protection import ProtectionConfiguration
from aiocos.operations.versioning import VersioningConfiguration
from aiocos.wire.values import CopySource

from ..conftest import Raw, md5

POLICY = ProtectionConfiguration.of_days(minimum=0, default=1, maximum=10)


@pytest.fixture(autouse=True)
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock advance with every reading, so that no two versions have the same time."""
    real = Clock.now

    def now(self: Clock) -> datetime:
        self.advance(0.001)
        return real(self)

    monkeypatch.setattr(Clock, "now", now)


@pytest_asyncio.fixture(loop_scope="module")
async def cos(raw: Raw) -> AsyncIterator[Client]:
    """The owner of `bucket`, which has versioning."""
    async with raw.emulator.client() as client:
        await client.versioning.enable("bucket")
        yield client


async def ids(cos: Client, key: str = "key") -> list[tuple[str, bool, bool]]:
    """Return version id, "is the latest" and "is a delete marker" of each version, newest first."""
    page = await anext(cos.objects.list_versions("bucket", prefix=key).pages())
    versions = [(v.last_modified, v.version_id, v.is_latest, False) for v in page.versions if v.key == key]
    markers = [(m.last_modified, m.version_id, m.is_latest, True) for m in page.delete_markers if m.key == key]
    return [(str(v), bool(latest), marker) for _, v, latest, marker in sorted([*versions, *markers], reverse=True)]


async def read(cos: Client, key: str = "key", version_id: str | None = None) -> bytes:
    return await cos.objects.read("bucket", key, version_id=version_id)


# ---------------------------------------------------------------------------------------------------------------------
# The rows of the table


async def row_1(cos: Client, raw: Raw) -> None:
    """Versioning is first unset, then enabled, suspended, enabled; it cannot be unset again."""
    await cos.buckets.create("other")
    assert (await cos.versioning.get("other")).status is None
    for status in ("Enabled", "Suspended", "Enabled"):
        await cos.versioning.put("other", VersioningConfiguration(status=status))
        assert (await cos.versioning.get("other")).status == status
    with pytest.raises(InvalidRequest) as caught:
        await cos.versioning.put("other", VersioningConfiguration())
    assert (caught.value.status, caught.value.code) == (400, "MalformedXML")
    bare = await raw.put("/other?versioning", VersioningConfiguration(status="Enabled").to_xml())
    assert bare.status == 200  # the documentation requires no checksum here


async def row_2(cos: Client, raw: Raw) -> None:
    """A retention policy excludes versioning."""
    await cos.buckets.create("other")
    await cos.protection.put("other", POLICY)
    for change in (cos.versioning.enable, cos.versioning.suspend):
        with pytest.raises(InvalidBucketState):
            await change("other")
    assert (await cos.versioning.get("other")).status is None


async def row_3(cos: Client, raw: Raw) -> None:
    """Versioning cannot be suspended while the bucket is replicated."""
    found = buckets.find(raw.emulator.store.connection, "bucket")
    assert found is not None
    await raw.emulator.store.write(lambda t: buckets.set_setting(t, found.id, "replication", "<ReplicationConfiguration/>"))
    with pytest.raises(InvalidBucketState):
        await cos.versioning.suspend("bucket")
    await cos.versioning.enable("bucket")


async def row_4(cos: Client, raw: Raw) -> None:
    """Objects from before versioning have the id `null`; while suspended, writes replace the version `null`."""
    await cos.buckets.create("other")
    assert (await cos.objects.put("other", "key", b"old")).version_id is None
    assert (await cos.objects.head("other", "key")).version_id is None
    await cos.versioning.enable("other")
    assert (await cos.objects.head("other", "key")).version_id == "null"
    remaining = (await cos.objects.put("other", "key", b"kept")).version_id
    assert remaining not in (None, "null")
    assert await cos.objects.read("other", "key", version_id="null") == b"old"
    await cos.versioning.suspend("other")
    for data in (b"first", b"second"):
        assert (await cos.objects.put("other", "key", data)).version_id == "null"
    assert await cos.objects.read("other", "key") == b"second"
    assert [v.version_id async for v in cos.objects.list_versions("other")] == ["null", remaining]
    await cos.versioning.enable("other")
    newest = (await cos.objects.put("other", "key", b"newest")).version_id
    assert [v.version_id async for v in cos.objects.list_versions("other")] == [newest, "null", remaining]
    assert await cos.objects.read("other", "key", version_id="null") == b"second"


async def row_5(cos: Client, raw: Raw) -> None:
    """Version ids are opaque, unique and of URL-safe characters."""
    created = [(await cos.objects.put("bucket", "key", b"x")).version_id or "" for _ in range(5)]
    assert len(set(created)) == 5
    assert all(len(name) <= 1024 and name.replace("-", "").isalnum() for name in created)


async def row_6(cos: Client, raw: Raw) -> None:
    """A deletion without version id adds a delete marker."""
    version = (await cos.objects.put("bucket", "key", b"x")).version_id
    response = await raw.delete("/bucket/key")
    assert (response.status, response.headers["x-amz-delete-marker"]) == (204, "true")
    marker = response.headers["x-amz-version-id"]
    assert await ids(cos) == [(marker, True, True), (version, False, False)]
    again = await cos.objects.delete("bucket", "key")
    assert again.delete_marker
    assert again.version_id not in (marker, version)
    assert [m for _, _, m in await ids(cos)] == [True, True, False]


async def row_7(cos: Client, raw: Raw) -> None:
    """A read that finds a delete marker is a 404 with the marker's headers."""
    await cos.objects.put("bucket", "key", b"x")
    marker = (await cos.objects.delete("bucket", "key")).version_id
    for response in (await raw.get("/bucket/key"), await raw.head("/bucket/key")):
        assert response.status == 404
        assert (response.headers["x-amz-delete-marker"], response.headers["x-amz-version-id"]) == ("true", marker)
    with pytest.raises(NoSuchKey):
        await read(cos)
    with pytest.raises(NotFound):
        await cos.objects.head("bucket", "key")
    assert "x-amz-delete-marker" not in (await raw.get("/bucket/none")).headers


async def row_8(cos: Client, raw: Raw) -> None:
    """Reading a delete marker by its id is 405."""
    await cos.objects.put("bucket", "key", b"x")
    marker = (await cos.objects.delete("bucket", "key")).version_id
    with pytest.raises(MethodNotAllowed):
        await read(cos, version_id=marker)
    for response in (await raw.get(f"/bucket/key?versionId={marker}"), await raw.head(f"/bucket/key?versionId={marker}")):
        assert (response.status, response.headers["x-amz-delete-marker"]) == (405, "true")


async def row_9(cos: Client, raw: Raw) -> None:
    """Deleting the delete marker makes the object readable again."""
    version = (await cos.objects.put("bucket", "key", b"x")).version_id
    marker = (await cos.objects.delete("bucket", "key")).version_id
    removed = await cos.objects.delete("bucket", "key", version_id=marker)
    assert (removed.delete_marker, removed.version_id) == (True, marker)
    assert await read(cos) == b"x"
    assert await ids(cos) == [(version, True, False)]


async def row_10(cos: Client, raw: Raw) -> None:
    """Versions can be copied."""
    old = (await cos.objects.put("bucket", "key", b"old")).version_id
    new = (await cos.objects.put("bucket", "key", b"new")).version_id
    response = await raw.put("/bucket/copy", x_amz_copy_source=f"bucket/key?versionId={old}")
    assert (response.status, response.headers["x-amz-copy-source-version-id"]) == (200, old)
    assert await read(cos, "copy") == b"old"
    plain = await cos.objects.copy("bucket", "copy", ("bucket", "key"))
    assert (plain.source_version_id, await read(cos, "copy")) == (new, b"new")
    back = await cos.objects.copy("bucket", "key", CopySource("bucket", "key", old))
    assert (back.source_version_id, await read(cos)) == (old, b"old")
    assert back.version_id == (await ids(cos))[0][0]
    begun = await cos.multipart.create("bucket", "parts")
    part = await cos.multipart.upload_part_copy("bucket", "parts", begun.upload_id, 1, CopySource("bucket", "key", new))
    assert part.source_version_id == new


async def row_11(cos: Client, raw: Raw) -> None:
    """Each new version is archived by the rule in force when it is written."""
    rule = (
        b"<LifecycleConfiguration><Rule><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
        b"<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>"
    )
    old = (await cos.objects.put("bucket", "key", b"old")).version_id
    assert (await raw.put("/bucket?lifecycle", rule, Content_MD5=md5(rule))).status == 200
    new = (await cos.objects.put("bucket", "key", b"new")).version_id
    raw.emulator.clock.advance(days=2)
    assert (await cos.objects.head("bucket", "key", version_id=old)).storage_class is None
    assert (await cos.objects.head("bucket", "key", version_id=new)).storage_class == "GLACIER"


async def row_12(cos: Client, raw: Raw) -> None:
    """Expiry of the current version adds a delete marker; older versions expire some days after they became noncurrent."""
    rule = (
        b"<LifecycleConfiguration><Rule><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
        b"<Expiration><Days>3</Days></Expiration>"
        b"<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>"
        b"</Rule></LifecycleConfiguration>"
    )
    version = (await cos.objects.put("bucket", "key", b"x")).version_id
    assert (await raw.put("/bucket?lifecycle", rule, Content_MD5=md5(rule))).status == 200
    raw.emulator.clock.advance(days=5)
    (marker, latest, marked), (remaining, was_latest, _) = await ids(cos)
    assert (latest, marked, remaining, was_latest) == (True, True, version, False)
    assert marker != version
    raw.emulator.clock.advance(days=5)
    assert await ids(cos) == [(marker, True, True)]


async def row_13(cos: Client, raw: Raw) -> None:
    """Versioning applies immediately: the next write is a version. (The service documents a delay.)"""
    await cos.buckets.create("other")
    await cos.versioning.enable("other")
    assert (await cos.objects.put("other", "key", b"x")).version_id not in (None, "null")


async def row_14(cos: Client, raw: Raw) -> None:
    """MFA delete is part of the protocol, but not supported."""
    with pytest.raises(OperationNotSupported):
        await cos.versioning.put("bucket", VersioningConfiguration(status="Enabled", mfa_delete="Enabled"))
    await cos.versioning.put("bucket", VersioningConfiguration(status="Enabled", mfa_delete="Disabled"))


ROWS: list[Callable[[Client, Raw], Awaitable[None]]] = [
    row_1, row_2, row_3, row_4, row_5, row_6, row_7, row_8, row_9, row_10, row_11, row_12, row_13, row_14,
]  # fmt: skip


@pytest.mark.parametrize("row", range(1, len(ROWS) + 1))
async def test_documented_rules_of_versioning(cos: Client, raw: Raw, row: int) -> None:
    await ROWS[row - 1](cos, raw)


# ---------------------------------------------------------------------------------------------------------------------
# Not in the table


async def test_responses_without_versioning_have_no_version_headers(raw: Raw) -> None:
    responses = [
        await raw.put("/bucket/key", b"x"),
        await raw.get("/bucket/key"),
        await raw.put("/bucket/copy", x_amz_copy_source="bucket/key"),
        await raw.delete("/bucket/key"),
    ]
    for response in responses:
        assert not {"x-amz-version-id", "x-amz-delete-marker", "x-amz-copy-source-version-id"} & set(response.headers)
    assert (await raw.get("/bucket/key?versionId=null")).code == "NoSuchVersion"
    assert (await raw.get("/bucket/copy?versionId=null")).status == 200
    assert (await raw.delete("/bucket/copy?versionId=none")).status == 204
    assert (await raw.get("/bucket/copy")).status == 200


async def test_versions_can_be_read_by_id(cos: Client, raw: Raw) -> None:
    created = {data: (await cos.objects.put("bucket", "key", data)).version_id for data in (b"1", b"22", b"333")}
    for data, version in created.items():
        assert await read(cos, version_id=version) == data
        assert (await cos.objects.head("bucket", "key", version_id=version)).version_id == version
    assert (await cos.objects.head("bucket", "key")).version_id == created[b"333"]
    with pytest.raises(NoSuchVersion):
        await read(cos, version_id="none")


async def test_deleting_the_latest_version_makes_the_previous_one_latest(cos: Client) -> None:
    created = [(await cos.objects.put("bucket", "key", b"%d" % n)).version_id for n in range(3)]
    removed = await cos.objects.delete("bucket", "key", version_id=created[2])
    assert (removed.version_id, removed.delete_marker) == (created[2], None)
    assert await read(cos) == b"1"
    await cos.objects.delete("bucket", "key", version_id=created[0])
    assert await ids(cos) == [(created[1], True, False)]
    await cos.objects.delete("bucket", "key", version_id=created[1])
    assert await ids(cos) == []
    await cos.objects.delete("bucket", "key", version_id=created[1])
    with pytest.raises(NoSuchKey):
        await read(cos)


async def test_deletion_in_a_suspended_bucket_replaces_only_the_null_version(cos: Client) -> None:
    version = (await cos.objects.put("bucket", "key", b"kept")).version_id
    await cos.versioning.suspend("bucket")
    await cos.objects.put("bucket", "key", b"null")
    removed = await cos.objects.delete("bucket", "key")
    assert (removed.delete_marker, removed.version_id) == (True, "null")
    assert await ids(cos) == [("null", True, True), (version, False, False)]
    await cos.objects.put("bucket", "key", b"again")
    assert await ids(cos) == [("null", True, False), (version, False, False)]
    await cos.objects.delete("bucket", "key", version_id="null")
    assert await read(cos) == b"kept"


async def test_bulk_deletion_of_versions_and_markers(cos: Client) -> None:
    first = (await cos.objects.put("bucket", "a", b"1")).version_id
    await cos.objects.put("bucket", "b", b"2")
    both = [ObjectIdentifier(key="b"), ObjectIdentifier(key="a", version_id=first)]
    page = await engine_of(cos).call(DeleteObjects("bucket", Delete(objects=both)))
    created, removed = page.deleted
    assert (created.key, created.version_id, created.delete_marker) == ("b", None, True)
    assert (removed.key, removed.version_id, removed.delete_marker, removed.delete_marker_version_id) == (
        "a",
        first,
        None,
        None,
    )
    marker = created.delete_marker_version_id
    assert (await ids(cos, "b"))[0] == (marker, True, True)
    page = await engine_of(cos).call(DeleteObjects("bucket", Delete(objects=[ObjectIdentifier(key="b", version_id=marker)])))
    (removed,) = page.deleted
    assert (removed.version_id, removed.delete_marker, removed.delete_marker_version_id) == (marker, True, marker)
    assert await read(cos, "b") == b"2"


async def test_a_bucket_with_versions_or_delete_markers_cannot_be_deleted(cos: Client) -> None:
    version = (await cos.objects.put("bucket", "key", b"x")).version_id
    marker = (await cos.objects.delete("bucket", "key")).version_id
    for left in (version, marker):
        with pytest.raises(BucketNotEmpty):
            await cos.buckets.delete("bucket")
        await cos.objects.delete("bucket", "key", version_id=left)
    await cos.buckets.delete("bucket")


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_versions_are_listed_in_pages(cos: Client, size: int) -> None:
    expected: list[tuple[str, str | None]] = []
    for key in ("a", "b", "c/d"):
        created = [(await cos.objects.put("bucket", key, b"x")).version_id for _ in range(2)]
        created.append((await cos.objects.delete("bucket", key)).version_id)
        created.append((await cos.objects.put("bucket", key, b"x")).version_id)
        expected += [(key, version) for version in reversed(created)]
    seen: list[tuple[str, str | None]] = []
    latest: list[str] = []
    async for page in cos.objects.list_versions("bucket", max_keys=size).pages():
        assert len(page.versions) + len(page.delete_markers) <= size
        seen += [(e.key, e.version_id) for e in (*page.versions, *page.delete_markers)]
        latest += [e.key for e in (*page.versions, *page.delete_markers) if e.is_latest]
    assert sorted(seen) == sorted(expected)
    assert len(set(seen)) == len(seen)
    assert latest == ["a", "b", "c/d"]
    rolled = await anext(cos.objects.list_versions("bucket", delimiter="/").pages())
    assert [p.prefix for p in rolled.common_prefixes] == ["c/"]


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_bucket_can_be_emptied_page_by_page(cos: Client, size: int) -> None:
    for key in ("a", "b"):
        for _ in range(5):
            await cos.objects.put("bucket", key, b"x")
        await cos.objects.delete("bucket", key)
    async for page in cos.objects.list_versions("bucket", max_keys=size).pages():
        every = [ObjectIdentifier(key=e.key, version_id=e.version_id) for e in (*page.versions, *page.delete_markers)]
        assert not (await cos.objects.delete_many("bucket", every)).errors
    await cos.buckets.delete("bucket")


async def test_object_listings_show_only_latest_versions_without_markers(cos: Client) -> None:
    await cos.objects.put("bucket", "a", b"1")
    await cos.objects.put("bucket", "a", b"22")
    await cos.objects.put("bucket", "b", b"1")
    await cos.objects.delete("bucket", "b")
    assert [(o.key, o.size) async for o in cos.objects.list("bucket")] == [("a", 2)]


async def test_conditions_apply_to_the_current_version(cos: Client) -> None:
    old = await cos.objects.put("bucket", "key", b"1")
    await cos.objects.put("bucket", "key", b"2")
    with pytest.raises(PreconditionFailed):
        await cos.objects.put("bucket", "key", b"3", if_match=old.etag)
    await cos.objects.delete("bucket", "key")
    await cos.objects.put("bucket", "key", b"3", if_none_match="*")
    assert await read(cos) == b"3"


async def test_each_version_has_its_own_acl(cos: Client, anonymous: Raw) -> None:
    old = (await cos.objects.put("bucket", "key", b"1")).version_id
    new = (await cos.objects.put("bucket", "key", b"2")).version_id
    await cos.acl.put_object("bucket", "key", acl="public-read", version_id=old)
    assert (await anonymous.get(f"/bucket/key?versionId={old}")).body == b"1"
    assert (await anonymous.get(f"/bucket/key?versionId={new}")).status == 403
    assert (await anonymous.get("/bucket/key?versionId=none")).status == 403
    assert len((await cos.acl.get_object("bucket", "key", version_id=old)).grants) == 2
    assert len((await cos.acl.get_object("bucket", "key")).grants) == 1


async def test_a_multipart_upload_creates_a_version(cos: Client) -> None:
    old = (await cos.objects.put("bucket", "key", b"old")).version_id
    begun = await cos.multipart.create("bucket", "key")
    part = await cos.multipart.upload_part("bucket", "key", begun.upload_id, 1, b"new")
    done = await cos.multipart.complete("bucket", "key", begun.upload_id, [CompletedPart(part_number=1, etag=part.etag)])
    assert await ids(cos) == [(done.version_id, True, False), (old, False, False)]
    assert await read(cos) == b"new"


async def test_content_is_removed_with_its_last_version(cos: Client, emulator: Emulator) -> None:
    big = b"x" * 100_000
    first = (await cos.objects.put("bucket", "key", big)).version_id
    copied = await cos.objects.copy("bucket", "key", CopySource("bucket", "key", first))
    await cos.objects.delete("bucket", "key", version_id=first)
    assert await read(cos) == big
    await cos.objects.delete("bucket", "key", version_id=copied.version_id)
    assert emulator.store.connection.execute("SELECT COUNT(*) FROM blobs").fetchone() == (0,)


async def test_a_recreated_bucket_has_no_versioning(raw: Raw, cos: Client) -> None:
    with pytest.raises(ServiceError) as caught:
        await cos.versioning.enable("none")
    assert caught.value.code == "NoSuchBucket"


async def test_concurrent_settings_never_contradict_each_other(raw: Raw, cos: Client) -> None:
    """Concurrent requests are decided one after the other: Object Lock is never suspended, a policy never has versioning."""
    for n in range(10):
        name = f"race{n}"
        await cos.buckets.create(name)
        await cos.versioning.enable(name)
        await asyncio.gather(
            cos.object_lock.put_configuration(name, ObjectLockConfiguration()),
            cos.versioning.suspend(name),
            return_exceptions=True,
        )
        found = buckets.find(raw.emulator.store.connection, name)
        assert found is not None
        assert ("object-lock" in found.settings) == (found.versioning == "Enabled")


async def test_concurrent_writes_leave_one_latest_version(raw: Raw, cos: Client) -> None:
    async def one(n: int) -> None:
        if n % 4:
            await cos.objects.put("bucket", "key", b"%d" % n)
        else:
            await cos.objects.delete("bucket", "key")

    await asyncio.gather(*(one(n) for n in range(40)))
    every = await ids(cos)
    assert [latest for _, latest, _ in every] == [True] + [False] * 39
    assert sum(marker for _, _, marker in every) == 10


@pytest.mark.parametrize("seed", range(6))
async def test_random_operations_match_a_model(cos: Client, seed: int) -> None:
    """Compare random writes and deletions with a model: the versions of each key, newest first, None for a delete marker."""
    chance = random.Random(seed)
    model: dict[str, list[tuple[str, bytes | None]]] = {"a": [], "b/c": []}
    enabled = True
    for step in range(60):
        key = chance.choice(list(model))
        remaining = model[key]
        match chance.randrange(8):
            case 0:
                enabled = not enabled
                await (cos.versioning.enable if enabled else cos.versioning.suspend)("bucket")
            case 1 | 2:
                created = await cos.objects.delete("bucket", key)
                model[key] = [(created.version_id or "", None), *(v for v in remaining if enabled or v[0] != "null")]
            case 3 | 4 if remaining:
                version = chance.choice(remaining)
                await cos.objects.delete("bucket", key, version_id=version[0])
                remaining.remove(version)
            case _:
                put = await cos.objects.put("bucket", key, b"%d" % step)
                model[key] = [(put.version_id or "", b"%d" % step), *(v for v in remaining if enabled or v[0] != "null")]
        for name, versions in model.items():
            expected = [(version, n == 0, data is None) for n, (version, data) in enumerate(versions)]
            assert await ids(cos, name) == expected
            if versions and versions[0][1] is not None:
                assert await read(cos, name) == versions[0][1]
            else:
                with pytest.raises(NoSuchKey):
                    await read(cos, name)
    for name, versions in model.items():
        for version, data in versions:
            if data is not None:
                assert await read(cos, name, version) == data
