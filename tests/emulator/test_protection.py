"""Retention policies of buckets, row by row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

import aiocos
from aiocos import AccessDenied, InvalidBucketState, InvalidRequest, ProtectionConfiguration
from aiocos.emulator.store import Transaction, buckets

from .conftest import md5
from .rows import DAY, DAYS, POLICY, Table, World, make_world, refused

put = Table()
further = Table()


@pytest.fixture
async def world():
    async with make_world() as made:
        await made.cos.buckets.create("bucket")
        yield made


def days(minimum: int, default: int, maximum: int, permanent: bool | None = None) -> ProtectionConfiguration:
    return ProtectionConfiguration.of_days(minimum=minimum, default=default, maximum=maximum, permanent=permanent)


async def unchanged(w: World) -> None:
    assert (await w.cos.protection.get("bucket")).status == "Disabled"


BODY = POLICY.to_xml()


@put.row(1)
async def _no_checksum(w: World) -> None:
    answer = await w.raw.put("/bucket?protection", BODY)
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    await unchanged(w)


@put.row(2)
async def _wrong_checksum(w: World) -> None:
    answer = await w.raw.put("/bucket?protection", BODY, Content_MD5=md5(b"other"))
    assert (answer.status, answer.code) == (400, "BadDigest")
    await unchanged(w)


@put.row(3)
async def _malformed(w: World) -> None:
    for body in (
        BODY[:-5],
        b"<ProtectionConfiguration/>",
        BODY.replace(b"Retention</Status>", b"Compliance</Status>"),
        BODY.replace(b"<Days>10</Days>", b""),
        BODY.replace(b"<Days>10</Days>", b"<Days>ten</Days>"),
        BODY.replace(b"<MaximumRetention><Days>1000</Days></MaximumRetention>", b""),
    ):
        answer = await w.put_raw("/bucket?protection", body)
        assert (answer.status, answer.code) == (400, "MalformedXML"), body
    await unchanged(w)


@put.row(4)
async def _out_of_range(w: World) -> None:
    for wrong in (days(-1, 5, 10), days(0, -1, 10), days(0, 0, 365_244)):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.protection.put("bucket", wrong)
    await w.cos.protection.put("bucket", days(0, 0, 365_243))


@put.row(5)
async def _out_of_order(w: World) -> None:
    for wrong in (days(11, 10, 20), days(1, 21, 20), days(30, 20, 10)):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.protection.put("bucket", wrong)
    await w.cos.protection.put("bucket", days(10, 10, 10))


@put.row(6)
async def _not_a_manager(w: World) -> None:
    with refused(AccessDenied, 403, "AccessDenied"):
        await w.writer.protection.put("bucket", POLICY)
    await unchanged(w)


@put.row(7)
async def _versioned(w: World) -> None:
    await w.cos.versioning.enable("bucket")
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await w.cos.protection.put("bucket", POLICY)
    await w.cos.versioning.suspend("bucket")
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await w.cos.protection.put("bucket", POLICY)


@put.row(8)
async def _locked_or_replicated(w: World) -> None:
    await w.cos.buckets.create("locked", object_lock_enabled=True)
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await w.cos.protection.put("locked", POLICY)
    await w.cos.buckets.create("target")
    for name in ("bucket", "target"):
        await w.cos.versioning.enable(name)
    rule = aiocos.ReplicationRule(
        priority=1,
        status="Enabled",
        filter=aiocos.ReplicationFilter(),
        destination=aiocos.Destination(bucket="target"),
        delete_marker_replication=aiocos.DeleteMarkerReplication(status="Disabled"),
    )
    await w.cos.replication.put("bucket", aiocos.ReplicationConfiguration(rules=[rule]))
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await w.cos.protection.put("bucket", POLICY)
    # Both need versioning, which excludes a policy already; each does so by itself.
    for setting in ("object-lock", "replication"):
        await w.cos.buckets.create(f"only-{setting}")

        def write(t: Transaction, name: str = setting) -> None:
            found = buckets.find(t.connection, f"only-{name}")
            assert found is not None
            buckets.set_setting(t, found.id, name, "<xml/>")

        await w.emulator.store.write(write)
        with refused(InvalidBucketState, 409, "InvalidBucketState"):
            await w.cos.protection.put(f"only-{setting}", POLICY)


@put.row(9)
async def _not_empty(w: World) -> None:
    await w.cos.objects.put("bucket", "key", b"x")
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await w.cos.protection.put("bucket", POLICY)
    await w.cos.objects.delete("bucket", "key")
    await w.cos.protection.put("bucket", POLICY)


@put.row(10)
async def _permanent_is_not_taken_back(w: World) -> None:
    await w.cos.protection.put("bucket", days(1, 2, 3, permanent=True))
    for wrong in (days(1, 2, 3), days(1, 2, 3, permanent=False)):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.protection.put("bucket", wrong)
    await w.cos.protection.put("bucket", days(4, 5, 6, permanent=True))
    assert (await w.cos.protection.get("bucket")).enable_permanent_retention


@put.row(11)
async def _accepted(w: World) -> None:
    answer = await w.put_raw("/bucket?protection", BODY)
    assert (answer.status, answer.body) == (200, b"")
    found = await w.cos.protection.get("bucket")
    assert (found.minimum_retention, found.maximum_retention) == (POLICY.minimum_retention, POLICY.maximum_retention)
    await w.cos.protection.put("bucket", days(1, 2, 3))
    found = await w.cos.protection.get("bucket")
    assert found.status == "Retention"
    assert [p.days for p in (found.minimum_retention, found.default_retention, found.maximum_retention) if p] == [1, 2, 3]


@pytest.mark.parametrize("row", put)
async def test_protection_put(row: int, world: World) -> None:
    await put.run(row, world)


@further.row(1)
async def _cannot_be_removed(w: World) -> None:
    await w.cos.protection.put("bucket", POLICY)
    assert (await w.raw.delete("/bucket?protection")).status == 501
    with refused(InvalidRequest, 400, "MalformedXML"):
        await w.cos.protection.put("bucket", ProtectionConfiguration(status="Disabled"))
    assert (await w.cos.protection.get("bucket")).status == "Retention"


@further.row(2)
async def _objects_keep_their_periods(w: World) -> None:
    await w.cos.protection.put("bucket", POLICY)
    await w.cos.objects.put("bucket", "key", b"x")
    await w.cos.protection.put("bucket", days(0, 0, 1))
    assert await w.period(bucket="bucket") == 100 * DAYS
    w.clock.advance(99 * DAY)
    with refused(aiocos.ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("bucket", "key")
    await w.cos.objects.put("bucket", "new", b"x")
    await w.cos.objects.delete("bucket", "new")


@further.row(3)
async def _permanent_goes_one_way(w: World) -> None:
    await w.cos.protection.put("bucket", days(1, 2, 3))
    assert (await w.cos.protection.get("bucket")).enable_permanent_retention is None
    await w.cos.protection.put("bucket", days(1, 2, 3, permanent=True))
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await w.cos.protection.put("bucket", days(1, 2, 3, permanent=False))


@further.row(4)
async def _without_a_policy(w: World) -> None:
    answer = await w.raw.get("/bucket?protection")
    assert (answer.status, answer.texts("Status")) == (200, ["Disabled"])
    assert b"EnablePermanentRetention" not in answer.body
    assert b"xmlns" not in answer.body
    await w.cos.protection.put("bucket", POLICY)
    answer = await w.raw.get("/bucket?protection")
    assert answer.texts("Status") == ["Retention"]
    assert answer.texts("*/Days") == ["10", "100", "1000"]
    assert b"EnablePermanentRetention" not in answer.body


@further.row(5)
async def _management_state(w: World) -> None:
    assert (await w.cos.protection.get("bucket")).management_state is None
    await w.emulator.activate_protection_management("bucket")
    assert (await w.cos.protection.get("bucket")).management_state == "active"
    with pytest.raises(aiocos.ConfigError, match="does not exist"):
        await w.emulator.activate_protection_management("missing")


@further.row(6)
async def _other_settings_are_independent(w: World) -> None:
    await w.cos.protection.put("bucket", POLICY)
    await w.cos.tagging.put_bucket("bucket", {"a": "b"})
    await w.cos.cors.put("bucket", [aiocos.CorsRule(allowed_methods=["GET"], allowed_origins=["*"])])
    assert (await w.cos.protection.get("bucket")).status == "Retention"


@pytest.mark.parametrize("row", further)
async def test_protection_further(row: int, world: World) -> None:
    await further.run(row, world)


async def test_another_instance_sees_nothing_of_it(world: World) -> None:
    await world.cos.protection.put("bucket", POLICY)
    other = await world.emulator.add_instance()
    async with world.emulator.client(instance=other) as stranger:
        for call in (
            stranger.protection.get("bucket"),
            stranger.protection.put("bucket", POLICY),
            stranger.legal_holds.list("bucket", "key"),
            stranger.legal_holds.add("bucket", "key", "x"),
            stranger.legal_holds.delete("bucket", "key", "x"),
            stranger.retention.extend("bucket", "key", additional_period=1),
        ):
            with refused(AccessDenied, 403, "AccessDenied"):
                await call


async def slowly(w: World, target: str, body: bytes, between: Callable[[], Awaitable[object]]) -> tuple[int, bytes]:
    """Put a document of which half is sent before something else happens; return the status and what was answered."""

    async def halves() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        # The emulator has looked at the bucket when it reads the body.
        while not any(served.status == 0 for served in w.emulator.requests):
            await asyncio.sleep(0.001)
        await between()
        yield body[len(body) // 2 :]

    headers = {"Authorization": f"Bearer {w.raw.token}", "Content-MD5": md5(body), "Content-Length": str(len(body))}
    async with w.session.put(f"{w.emulator.endpoint}{target}", data=halves(), headers=headers) as answer:
        return answer.status, await answer.read()


VERSIONS = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


@pytest.mark.parametrize("first", ["versions", "object", "policy", "removal"])
async def test_what_comes_in_between_counts(world: World, first: str) -> None:
    """The state of the bucket is looked at when the policy is written, not when the request began."""
    if first == "policy":
        status, told = await slowly(world, "/bucket?versioning", VERSIONS, lambda: world.cos.protection.put("bucket", POLICY))
        assert (await world.cos.versioning.get("bucket")).status is None
    else:
        between = {
            "versions": lambda: world.cos.versioning.enable("bucket"),
            "object": lambda: world.cos.objects.put("bucket", "key", b"x"),
            "removal": lambda: world.cos.buckets.delete("bucket"),
        }[first]
        status, told = await slowly(world, "/bucket?protection", BODY, between)
    assert (status, told.partition(b"<Code>")[2].partition(b"<")[0]) == {
        "removal": (404, b"NoSuchBucket"),
    }.get(first, (409, b"InvalidBucketState"))
    if first in ("versions", "object"):
        await unchanged(world)
