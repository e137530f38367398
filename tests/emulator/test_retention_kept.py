"""What is under retention, row by row: read, and neither removed nor replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

import aiocos
from aiocos import LifecycleRule, ObjectProtected
from aiocos.emulator import Clock, Emulator
from aiocos.operations.objects import ObjectInfo

from .conftest import md5
from .rows import DAY, DAYS, FREE, POLICY, START, Table, World, make_world, refused

read, deleted = Table(), Table()
MIB = 1024 * 1024


@pytest.fixture
async def world():
    async with make_world() as made:
        await made.protected()
        yield made


# ---------------------------------------------------------------------------------------------------------------------
# Reading


async def _infos(w: World, key: str, bucket: str = "kept") -> list[ObjectInfo]:
    async with w.cos.objects.get(bucket, key) as obj:
        await obj.read()
        return [obj.info, await w.cos.objects.head(bucket, key)]


@read.row(1)
async def _period(w: World) -> None:
    await w.protected("forever", FREE)
    for period in (-1, -2, 7):
        await w.cos.objects.put("forever", f"k{period}", b"x", retention_period=period)
        assert [info.retention_period for info in await _infos(w, f"k{period}", "forever")] == [period] * 2
    await w.cos.buckets.create("plain")
    await w.cos.objects.put("plain", "key", b"x")
    assert [info.retention_period for info in await _infos(w, "key", "plain")] == [None, None]


@read.row(2)
async def _expiry(w: World) -> None:
    await w.cos.objects.put("kept", "finite", b"x", retention_period=20 * DAYS)
    await w.cos.objects.put("kept", "indefinite", b"x", retention_period=-1)
    assert [info.retention_expires for info in await _infos(w, "finite")] == [START + 20 * DAY] * 2
    assert [info.retention_expires for info in await _infos(w, "indefinite")] == [None, None]


@read.row(3)
async def _holds(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"x")
    assert [info.legal_hold_count for info in await _infos(w, "key")] == [0, 0]
    await w.cos.legal_holds.add("kept", "key", "a")
    await w.cos.legal_holds.add("kept", "key", "b")
    assert [info.legal_hold_count for info in await _infos(w, "key")] == [2, 2]


@pytest.mark.parametrize("row", read)
async def test_retention_read(row: int, world: World) -> None:
    await read.run(row, world)


# ---------------------------------------------------------------------------------------------------------------------
# Deleting


async def _put_and_free(w: World) -> None:
    """`key` stays under retention for 50 days more than `free`."""
    await w.cos.objects.put("kept", "free", b"x", retention_period=10 * DAYS)
    await w.cos.objects.put("kept", "key", b"x", retention_period=60 * DAYS)
    w.clock.advance(11 * DAY)


@deleted.row(1)
async def _delete(w: World) -> None:
    await _put_and_free(w)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "key")
    assert (await w.raw.delete("/kept/free")).status == 204
    assert await w.cos.objects.exists("kept", "key")


@deleted.row(2)
async def _delete_many(w: World) -> None:
    await _put_and_free(w)
    result = await w.cos.objects.delete_many("kept", ["key", "free"])
    assert [d.key for d in result.deleted] == ["free"]
    assert [(e.key, e.code) for e in result.errors] == [("key", "AccessDenied")]


@deleted.row(3)
async def _overwrite_when_free(w: World) -> None:
    await _put_and_free(w)
    for call in (
        w.cos.objects.put("kept", "key", b"y"),
        w.cos.objects.copy("kept", "key", ("kept", "free")),
        w.cos.upload("kept", "key", b"y" * (20 * MIB), part_size=10 * MIB),
    ):
        with refused(ObjectProtected, 403, "AccessDenied"):
            await call
    assert await w.cos.objects.read("kept", "key") == b"x"
    await w.cos.objects.put("kept", "free", b"y")
    assert await w.period("free") == 100 * DAYS
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "free")


@deleted.row(4)
async def _expiration_is_deferred(w: World) -> None:
    await w.cos.lifecycle.put("kept", [LifecycleRule.expire(days=15)])
    await _put_and_free(w)
    w.clock.advance(10 * DAY)
    assert [e.key async for e in w.cos.objects.list("kept")] == ["key"]
    w.clock.advance(50 * DAY)
    assert [e.key async for e in w.cos.objects.list("kept")] == []


@deleted.row(5)
async def _archive_is_allowed(w: World) -> None:
    await w.cos.lifecycle.put("kept", [LifecycleRule.archive(days=1)])
    await _put_and_free(w)
    assert (await w.cos.objects.head("kept", "key")).storage_class == "GLACIER"
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "key")


@deleted.row(6)
async def _bucket(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"x", retention_period=10 * DAYS)
    with refused(aiocos.BucketNotEmpty, 409, "BucketNotEmpty"):
        await w.cos.buckets.delete("kept")
    w.clock.advance(11 * DAY)
    await w.cos.objects.delete("kept", "key")
    assert (await w.raw.delete("/kept")).status == 204


@deleted.row(7)
async def _tags_and_lists(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"x")
    await w.cos.tagging.put_object("kept", "key", {"a": "b"})
    await w.cos.acl.put_object("kept", "key", acl="public-read")
    assert (await w.cos.tagging.get_object("kept", "key")).as_dict() == {"a": "b"}
    assert await w.period() == 100 * DAYS


@pytest.mark.parametrize("row", deleted)
async def test_retention_delete(row: int, world: World) -> None:
    await deleted.run(row, world)


async def test_nobody_bypasses_retention(world: World) -> None:
    await world.cos.objects.put("kept", "key", b"x")
    with refused(ObjectProtected, 403, "AccessDenied"):
        await world.cos.objects.delete("kept", "key", bypass_governance=True)


async def test_a_policy_that_comes_while_a_body_does(world: World) -> None:
    """The object falls under the policy that stands when it is written."""
    await world.cos.buckets.create("late")
    first, second = b"a" * MIB, b"b" * MIB

    async def body():
        yield first
        await world.cos.protection.put("late", POLICY)
        yield second

    raw = world.raw
    headers = {"Authorization": f"Bearer {raw.token}", "Content-MD5": md5(first + second), "Content-Length": str(2 * MIB)}
    async with world.session.put(f"{world.emulator.endpoint}/late/key", data=body(), headers=headers) as answer:
        assert answer.status == 200
    assert await world.period(bucket="late") == 100 * DAYS


async def test_retention_is_kept_with_the_data(tmp_path: Path) -> None:
    """Policies, periods, holds and users outlive the process."""
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
