"""Protected objects can be read, and neither deleted nor replaced: the rows of the documentation's tables."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio

import aiocos
from aiocos import LifecycleRule, ObjectProtected
from aiocos.emulator import Clock, Emulator
from aiocos.operations.objects import ObjectInfo

from ..conftest import md5
from ..documentation_tables import DAY, DAYS, FREE, POLICY, START, Environment, Table, make_environment, refused

read, deleted = Table(), Table()
MIB = 1024 * 1024


@pytest_asyncio.fixture(loop_scope="module")
async def env():
    async with make_environment() as environment:
        await environment.create_protected_bucket()
        yield environment


# ---------------------------------------------------------------------------------------------------------------------
# Reading


async def _infos(env: Environment, key: str, bucket: str = "kept") -> list[ObjectInfo]:
    async with env.cos.objects.get(bucket, key) as obj:
        await obj.read()
        return [obj.info, await env.cos.objects.head(bucket, key)]


@read.row(1)
async def _period(env: Environment) -> None:
    await env.create_protected_bucket("forever", FREE)
    for period in (-1, -2, 7):
        await env.cos.objects.put("forever", f"k{period}", b"x", retention_period=period)
        assert [info.retention_period for info in await _infos(env, f"k{period}", "forever")] == [period] * 2
    await env.cos.buckets.create("plain")
    await env.cos.objects.put("plain", "key", b"x")
    assert [info.retention_period for info in await _infos(env, "key", "plain")] == [None, None]


@read.row(2)
async def _expiry(env: Environment) -> None:
    await env.cos.objects.put("kept", "finite", b"x", retention_period=20 * DAYS)
    await env.cos.objects.put("kept", "indefinite", b"x", retention_period=-1)
    assert [info.retention_expires for info in await _infos(env, "finite")] == [START + 20 * DAY] * 2
    assert [info.retention_expires for info in await _infos(env, "indefinite")] == [None, None]


@read.row(3)
async def _holds(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x")
    assert [info.legal_hold_count for info in await _infos(env, "key")] == [0, 0]
    await env.cos.legal_holds.add("kept", "key", "a")
    await env.cos.legal_holds.add("kept", "key", "b")
    assert [info.legal_hold_count for info in await _infos(env, "key")] == [2, 2]


@pytest.mark.parametrize("row", read)
async def test_reading_protected_objects(row: int, env: Environment) -> None:
    await read.run(row, env)


# ---------------------------------------------------------------------------------------------------------------------
# Deleting


async def _put_protected_and_expired(env: Environment) -> None:
    """Store `key` and `free` and wait until the retention of `free` has expired; that of `key` ends 50 days later."""
    await env.cos.objects.put("kept", "free", b"x", retention_period=10 * DAYS)
    await env.cos.objects.put("kept", "key", b"x", retention_period=60 * DAYS)
    env.clock.advance(11 * DAY)


@deleted.row(1)
async def _delete(env: Environment) -> None:
    await _put_protected_and_expired(env)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "key")
    assert (await env.raw.delete("/kept/free")).status == 204
    assert await env.cos.objects.exists("kept", "key")


@deleted.row(2)
async def _delete_many(env: Environment) -> None:
    await _put_protected_and_expired(env)
    result = await env.cos.objects.delete_many("kept", ["key", "free"])
    assert [d.key for d in result.deleted] == ["free"]
    assert [(e.key, e.code) for e in result.errors] == [("key", "AccessDenied")]


@deleted.row(3)
async def _overwrite_when_free(env: Environment) -> None:
    await _put_protected_and_expired(env)
    for call in (
        env.cos.objects.put("kept", "key", b"y"),
        env.cos.objects.copy("kept", "key", ("kept", "free")),
        env.cos.upload("kept", "key", b"y" * (20 * MIB), part_size=10 * MIB),
    ):
        with refused(ObjectProtected, 403, "AccessDenied"):
            await call
    assert await env.cos.objects.read("kept", "key") == b"x"
    await env.cos.objects.put("kept", "free", b"y")
    assert await env.period("free") == 100 * DAYS
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "free")


@deleted.row(4)
async def _expiration_is_deferred(env: Environment) -> None:
    await env.cos.lifecycle.put("kept", [LifecycleRule.expire(days=15)])
    await _put_protected_and_expired(env)
    env.clock.advance(10 * DAY)
    assert [e.key async for e in env.cos.objects.list("kept")] == ["key"]
    env.clock.advance(50 * DAY)
    assert [e.key async for e in env.cos.objects.list("kept")] == []


@deleted.row(5)
async def _archive_is_allowed(env: Environment) -> None:
    await env.cos.lifecycle.put("kept", [LifecycleRule.archive(days=1)])
    await _put_protected_and_expired(env)
    assert (await env.cos.objects.head("kept", "key")).storage_class == "GLACIER"
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "key")


@deleted.row(6)
async def _bucket(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x", retention_period=10 * DAYS)
    with refused(aiocos.BucketNotEmpty, 409, "BucketNotEmpty"):
        await env.cos.buckets.delete("kept")
    env.clock.advance(11 * DAY)
    await env.cos.objects.delete("kept", "key")
    assert (await env.raw.delete("/kept")).status == 204


@deleted.row(7)
async def _tags_and_lists(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x")
    await env.cos.tagging.put_object("kept", "key", {"a": "b"})
    await env.cos.acl.put_object("kept", "key", acl="public-read")
    assert (await env.cos.tagging.get_object("kept", "key")).as_dict() == {"a": "b"}
    assert await env.period() == 100 * DAYS


@pytest.mark.parametrize("row", deleted)
async def test_deleting_protected_objects(row: int, env: Environment) -> None:
    await deleted.run(row, env)


async def test_retention_cannot_be_bypassed(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x")
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "key", bypass_governance=True)


async def test_a_policy_set_while_a_body_is_received_applies(env: Environment) -> None:
    """The object gets the retention of the policy in force when it is written."""
    await env.cos.buckets.create("late")
    first, second = b"a" * MIB, b"b" * MIB

    async def body():
        yield first
        await env.cos.protection.put("late", POLICY)
        yield second

    raw = env.raw
    headers = {"Authorization": f"Bearer {raw.token}", "Content-MD5": md5(first + second), "Content-Length": str(2 * MIB)}
    async with env.session.put(f"{env.emulator.endpoint}/late/key", data=body(), headers=headers) as response:
        assert response.status == 200
    assert await env.period(bucket="late") == 100 * DAYS


async def test_retention_survives_a_restart(tmp_path: Path) -> None:
    """Policies, periods, holds and users survive a restart."""
    clock = Clock(START)
    async with Emulator(tmp_path, clock=clock) as emulator, emulator.client() as cos:
        await cos.buckets.create("kept")
        await cos.protection.put("kept", POLICY)
        await emulator.activate_protection_management("kept")
        await cos.objects.put("kept", "key", b"x", retention_period=20 * DAYS, retention_legal_hold_id="a")
    async with Emulator(tmp_path, clock=clock) as emulator, emulator.client() as cos:
        policy = await cos.protection.get("kept")
        assert (policy.maximum_retention, policy.management_state) == (POLICY.maximum_retention, "active")
        state = await cos.retention.get("kept", "key")
        assert (state.create_time, state.retention_expires) == (START, START + 20 * DAY)
        assert [(hold.id, hold.date) for hold in state.legal_holds] == [("a", START)]
        await cos.legal_holds.delete("kept", "key", "a")
        with refused(ObjectProtected, 403, "AccessDenied"):
            await cos.objects.delete("kept", "key")
        clock.advance(20 * DAY)
        await cos.objects.delete("kept", "key")
