"""Retention policies of buckets: the rows of the documentation's tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

import aiocos
from aiocos import AccessDenied, InvalidBucketState, InvalidRequest, ProtectionConfiguration
from aiocos.emulator.store import Transaction, buckets

from ..conftest import md5
from ..documentation_tables import DAY, DAYS, POLICY, Environment, Table, make_environment, refused

put = Table()
further = Table()


@pytest_asyncio.fixture(loop_scope="module")
async def env():
    async with make_environment() as environment:
        await environment.cos.buckets.create("bucket")
        yield environment


def days(minimum: int, default: int, maximum: int, permanent: bool | None = None) -> ProtectionConfiguration:
    return ProtectionConfiguration.of_days(minimum=minimum, default=default, maximum=maximum, permanent=permanent)


async def unchanged(env: Environment) -> None:
    assert (await env.cos.protection.get("bucket")).status == "Disabled"


BODY = POLICY.to_xml()


@put.row(1)
async def _no_checksum(env: Environment) -> None:
    response = await env.raw.put("/bucket?protection", BODY)
    assert (response.status, response.code) == (400, "InvalidRequest")
    await unchanged(env)


@put.row(2)
async def _wrong_checksum(env: Environment) -> None:
    response = await env.raw.put("/bucket?protection", BODY, Content_MD5=md5(b"other"))
    assert (response.status, response.code) == (400, "BadDigest")
    await unchanged(env)


@put.row(3)
async def _malformed(env: Environment) -> None:
    for body in (
        BODY[:-5],
        b"<ProtectionConfiguration/>",
        BODY.replace(b"Retention</Status>", b"Compliance</Status>"),
        BODY.replace(b"<Days>10</Days>", b""),
        BODY.replace(b"<Days>10</Days>", b"<Days>ten</Days>"),
        BODY.replace(b"<MaximumRetention><Days>1000</Days></MaximumRetention>", b""),
    ):
        response = await env.put_raw("/bucket?protection", body)
        assert (response.status, response.code) == (400, "MalformedXML"), body
    await unchanged(env)


@put.row(4)
async def _out_of_range(env: Environment) -> None:
    for wrong in (days(-1, 5, 10), days(0, -1, 10), days(0, 0, 365_244)):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.protection.put("bucket", wrong)
    await env.cos.protection.put("bucket", days(0, 0, 365_243))


@put.row(5)
async def _out_of_order(env: Environment) -> None:
    for wrong in (days(11, 10, 20), days(1, 21, 20), days(30, 20, 10)):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.protection.put("bucket", wrong)
    await env.cos.protection.put("bucket", days(10, 10, 10))


@put.row(6)
async def _not_a_manager(env: Environment) -> None:
    with refused(AccessDenied, 403, "AccessDenied"):
        await env.writer.protection.put("bucket", POLICY)
    await unchanged(env)


@put.row(7)
async def _versioned(env: Environment) -> None:
    await env.cos.versioning.enable("bucket")
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await env.cos.protection.put("bucket", POLICY)
    await env.cos.versioning.suspend("bucket")
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await env.cos.protection.put("bucket", POLICY)


@put.row(8)
async def _locked_or_replicated(env: Environment) -> None:
    await env.cos.buckets.create("locked", object_lock_enabled=True)
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await env.cos.protection.put("locked", POLICY)
    await env.cos.buckets.create("target")
    for name in ("bucket", "target"):
        await env.cos.versioning.enable(name)
    rule = aiocos.ReplicationRule(
        priority=1,
        status="Enabled",
        filter=aiocos.ReplicationFilter(),
        destination=aiocos.Destination(bucket="target"),
        delete_marker_replication=aiocos.DeleteMarkerReplication(status="Disabled"),
    )
    await env.cos.replication.put("bucket", aiocos.ReplicationConfiguration(rules=[rule]))
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await env.cos.protection.put("bucket", POLICY)
    # Both need versioning, which already excludes a policy. Here each is set without versioning.
    for setting in ("object-lock", "replication"):
        await env.cos.buckets.create(f"only-{setting}")

        def write(t: Transaction, name: str = setting) -> None:
            found = buckets.find(t.connection, f"only-{name}")
            assert found is not None
            buckets.set_setting(t, found.id, name, "<xml/>")

        await env.emulator.store.write(write)
        with refused(InvalidBucketState, 409, "InvalidBucketState"):
            await env.cos.protection.put(f"only-{setting}", POLICY)


@put.row(9)
async def _not_empty(env: Environment) -> None:
    await env.cos.objects.put("bucket", "key", b"x")
    with refused(InvalidBucketState, 409, "InvalidBucketState"):
        await env.cos.protection.put("bucket", POLICY)
    await env.cos.objects.delete("bucket", "key")
    await env.cos.protection.put("bucket", POLICY)


@put.row(10)
async def _permanent_is_not_taken_back(env: Environment) -> None:
    await env.cos.protection.put("bucket", days(1, 2, 3, permanent=True))
    for wrong in (days(1, 2, 3), days(1, 2, 3, permanent=False)):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.protection.put("bucket", wrong)
    await env.cos.protection.put("bucket", days(4, 5, 6, permanent=True))
    assert (await env.cos.protection.get("bucket")).enable_permanent_retention


@put.row(11)
async def _accepted(env: Environment) -> None:
    response = await env.put_raw("/bucket?protection", BODY)
    assert (response.status, response.body) == (200, b"")
    found = await env.cos.protection.get("bucket")
    assert (found.minimum_retention, found.maximum_retention) == (POLICY.minimum_retention, POLICY.maximum_retention)
    await env.cos.protection.put("bucket", days(1, 2, 3))
    found = await env.cos.protection.get("bucket")
    assert found.status == "Retention"
    assert [p.days for p in (found.minimum_retention, found.default_retention, found.maximum_retention) if p] == [1, 2, 3]


@pytest.mark.parametrize("row", put)
async def test_setting_a_retention_policy(row: int, env: Environment) -> None:
    await put.run(row, env)


@further.row(1)
async def _cannot_be_removed(env: Environment) -> None:
    await env.cos.protection.put("bucket", POLICY)
    assert (await env.raw.delete("/bucket?protection")).status == 501
    with refused(InvalidRequest, 400, "MalformedXML"):
        await env.cos.protection.put("bucket", ProtectionConfiguration(status="Disabled"))
    assert (await env.cos.protection.get("bucket")).status == "Retention"


@further.row(2)
async def _objects_keep_their_periods(env: Environment) -> None:
    await env.cos.protection.put("bucket", POLICY)
    await env.cos.objects.put("bucket", "key", b"x")
    await env.cos.protection.put("bucket", days(0, 0, 1))
    assert await env.period(bucket="bucket") == 100 * DAYS
    env.clock.advance(99 * DAY)
    with refused(aiocos.ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("bucket", "key")
    await env.cos.objects.put("bucket", "new", b"x")
    await env.cos.objects.delete("bucket", "new")


@further.row(3)
async def _permanent_goes_one_way(env: Environment) -> None:
    await env.cos.protection.put("bucket", days(1, 2, 3))
    assert (await env.cos.protection.get("bucket")).enable_permanent_retention is None
    await env.cos.protection.put("bucket", days(1, 2, 3, permanent=True))
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await env.cos.protection.put("bucket", days(1, 2, 3, permanent=False))


@further.row(4)
async def _without_a_policy(env: Environment) -> None:
    response = await env.raw.get("/bucket?protection")
    assert (response.status, response.texts("Status")) == (200, ["Disabled"])
    assert b"EnablePermanentRetention" not in response.body
    assert b"xmlns" not in response.body
    await env.cos.protection.put("bucket", POLICY)
    response = await env.raw.get("/bucket?protection")
    assert response.texts("Status") == ["Retention"]
    assert response.texts("*/Days") == ["10", "100", "1000"]
    assert b"EnablePermanentRetention" not in response.body


@further.row(5)
async def _management_state(env: Environment) -> None:
    assert (await env.cos.protection.get("bucket")).management_state is None
    await env.emulator.activate_protection_management("bucket")
    assert (await env.cos.protection.get("bucket")).management_state == "active"
    with pytest.raises(aiocos.ConfigError, match="does not exist"):
        await env.emulator.activate_protection_management("missing")


@further.row(6)
async def _other_settings_are_independent(env: Environment) -> None:
    await env.cos.protection.put("bucket", POLICY)
    await env.cos.tagging.put_bucket("bucket", {"a": "b"})
    await env.cos.cors.put("bucket", [aiocos.CorsRule(allowed_methods=["GET"], allowed_origins=["*"])])
    assert (await env.cos.protection.get("bucket")).status == "Retention"


@pytest.mark.parametrize("row", further)
async def test_existing_retention_policies(row: int, env: Environment) -> None:
    await further.run(row, env)


async def test_another_instance_cannot_read_a_retention_policy(env: Environment) -> None:
    await env.cos.protection.put("bucket", POLICY)
    other = await env.emulator.add_instance()
    async with env.emulator.client(instance=other) as other_instance:
        for call in (
            other_instance.protection.get("bucket"),
            other_instance.protection.put("bucket", POLICY),
            other_instance.legal_holds.list("bucket", "key"),
            other_instance.legal_holds.add("bucket", "key", "x"),
            other_instance.legal_holds.delete("bucket", "key", "x"),
            other_instance.retention.extend("bucket", "key", additional_period=1),
        ):
            with refused(AccessDenied, 403, "AccessDenied"):
                await call


async def put_slowly(env: Environment, target: str, body: bytes, between: Callable[[], Awaitable[object]]) -> tuple[int, bytes]:
    """Send half of a document, run `between`, send the rest; return the status and the response body."""

    async def halves() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        # When the emulator reads the body, it has already looked up the bucket.
        while not any(served.status == 0 for served in env.emulator.requests):
            await asyncio.sleep(0.001)
        await between()
        yield body[len(body) // 2 :]

    headers = {"Authorization": f"Bearer {env.raw.token}", "Content-MD5": md5(body), "Content-Length": str(len(body))}
    async with env.session.put(f"{env.emulator.endpoint}{target}", data=halves(), headers=headers) as response:
        return response.status, await response.read()


VERSIONS = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


@pytest.mark.parametrize("first", ["versions", "object", "policy", "removal"])
async def test_the_bucket_is_checked_again_when_the_policy_is_written(env: Environment, first: str) -> None:
    """A change of the bucket while the request is received is taken into account."""
    if first == "policy":
        status, reported = await put_slowly(
            env, "/bucket?versioning", VERSIONS, lambda: env.cos.protection.put("bucket", POLICY)
        )
        assert (await env.cos.versioning.get("bucket")).status is None
    else:
        between = {
            "versions": lambda: env.cos.versioning.enable("bucket"),
            "object": lambda: env.cos.objects.put("bucket", "key", b"x"),
            "removal": lambda: env.cos.buckets.delete("bucket"),
        }[first]
        status, reported = await put_slowly(env, "/bucket?protection", BODY, between)
    assert (status, reported.partition(b"<Code>")[2].partition(b"<")[0]) == {
        "removal": (404, b"NoSuchBucket"),
    }.get(first, (409, b"InvalidBucketState"))
    if first in ("versions", "object"):
        await unchanged(env)
