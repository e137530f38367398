"""Retention of objects, row by row: written, copied, read, deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

import aiocos
from aiocos import InvalidRequest, LifecycleRule, ObjectProtected, ProtectionConfiguration
from aiocos.operations.objects import ObjectInfo

from .conftest import md5
from .rows import DAY, DAYS, FREE, POLICY, START, Table, World, make_world, refused

write, multipart, copied, read, deleted = Table(), Table(), Table(), Table(), Table()
MIB = 1024 * 1024


@pytest.fixture
async def world():
    async with make_world() as made:
        await made.protected()
        yield made


# ---------------------------------------------------------------------------------------------------------------------
# Writing


@write.row(1)
async def _no_policy(w: World) -> None:
    await w.cos.buckets.create("plain")
    for headers in (
        {"retention_period": 60},
        {"retention_expires": START + DAY},
        {"retention_legal_hold_id": "hold"},
    ):
        with refused(InvalidRequest, 400, "InvalidRequest"):
            await w.cos.objects.put("plain", "key", b"x", **headers)  # type: ignore[arg-type]
    assert not await w.cos.objects.exists("plain", "key")


@write.row(2)
async def _no_checksum(w: World) -> None:
    answer = await w.raw.put("/kept/key", b"x")
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert (await w.put_raw("/kept/key")).status == 200


@write.row(3)
async def _period_and_date(w: World) -> None:
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.objects.put("kept", "key", b"x", retention_period=20 * DAYS, retention_expires=START + 20 * DAY)


@write.row(4)
async def _unreadable(w: World) -> None:
    for name, value in {"Retention-Period": "1.5", "Retention-Expiration-Date": "tomorrow"}.items():
        answer = await w.put_raw("/kept/key", **{name: value})
        assert (answer.status, answer.code) == (400, "InvalidArgument")
    for value in ("2030-04-01T00:00:00Z", "20300401T000000Z"):
        assert (await w.put_raw(f"/kept/{value}", Retention_Expiration_Date=value)).status == 200
        head = await w.cos.objects.head("kept", value)
        assert head.retention_expires is not None
        assert head.retention_expires.isoformat() == "2030-04-01T00:00:00+00:00"


@write.row(5)
async def _overwrite(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"first")
    # The old object's protection comes before what is wrong with the new one's period.
    for period in (None, 1, 20 * DAYS):
        with refused(ObjectProtected, 403, "AccessDenied"):
            await w.cos.objects.put("kept", "key", b"second", retention_period=period)
    assert await w.cos.objects.read("kept", "key") == b"first"
    w.clock.advance(100 * DAY)
    await w.cos.objects.put("kept", "key", b"second")
    assert await w.period() == 100 * DAYS
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.put("kept", "key", b"third")


@write.row(6)
async def _default(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"x")
    head = await w.cos.objects.head("kept", "key")
    assert (head.retention_period, head.retention_expires) == (100 * DAYS, START + 100 * DAY)


@write.row(7)
async def _indefinite(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"x", retention_period=-1)
    w.clock.advance(10_000 * DAY)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "key")


@write.row(8)
async def _permanent(w: World) -> None:
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await w.cos.objects.put("kept", "key", b"x", retention_period=-2)
    await w.protected("forever", FREE)
    await w.cos.objects.put("forever", "key", b"x", retention_period=-2)
    w.clock.advance(100_000 * DAY)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("forever", "key")


@write.row(9)
async def _negative(w: World) -> None:
    for period in (-3, -DAYS):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.objects.put("kept", "key", b"x", retention_period=period)


@write.row(10)
async def _outside(w: World) -> None:
    for period in (0, 10 * DAYS - 1, 1000 * DAYS + 1):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.objects.put("kept", "key", b"x", retention_period=period)
    await w.cos.objects.put("kept", "least", b"x", retention_period=timedelta(days=10))
    await w.cos.objects.put("kept", "most", b"x", retention_period=1000 * DAYS)


@write.row(11)
async def _date(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"x", retention_expires=START + 20 * DAY)
    assert await w.period() == 20 * DAYS
    for date in (START + 9 * DAY, START + 1001 * DAY, START - DAY):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.objects.put("kept", "other", b"x", retention_expires=date)
    await w.protected("free", FREE)
    await w.cos.objects.put("free", "key", b"x", retention_expires=START - DAY)
    await w.cos.objects.delete("free", "key")


@write.row(12)
async def _zero(w: World) -> None:
    await w.protected("free", FREE)
    await w.cos.objects.put("free", "key", b"x", retention_period=0)
    assert await w.period(bucket="free") == 0
    await w.cos.objects.put("free", "key", b"again", retention_period=0)
    await w.cos.objects.delete("free", "key")


@write.row(13)
async def _hold(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"x", retention_legal_hold_id="court-1")
    (hold,) = (await w.cos.legal_holds.list("kept", "key")).legal_holds
    assert (hold.id, hold.date) == ("court-1", START)
    for wrong in ("x" * 65, "a b", "a/b"):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.objects.put("kept", "other", b"x", retention_legal_hold_id=wrong)
    w.clock.advance(101 * DAY)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "key")


@write.row(14)
async def _success(w: World) -> None:
    await w.cos.objects.put("kept", "key", b"x", retention_period=20 * DAYS, retention_legal_hold_id="a")
    head = await w.cos.objects.head("kept", "key")
    assert (head.retention_period, head.legal_hold_count) == (20 * DAYS, 1)
    assert await w.cos.objects.read("kept", "key") == b"x"


@pytest.mark.parametrize("row", write)
async def test_retention_write(row: int, world: World) -> None:
    await write.run(row, world)


# ---------------------------------------------------------------------------------------------------------------------
# Multipart uploads


@multipart.row(1)
async def _at_completion(w: World) -> None:
    result = await w.cos.upload("kept", "key", b"x" * (20 * MIB), part_size=10 * MIB, retention_period=20 * DAYS)
    assert result.parts == 2
    assert await w.period() == 20 * DAYS
    served = {s.operation: s for s in w.emulator.requests}
    assert "CompleteMultipartUpload" in served
    upload = await w.cos.multipart.create("kept", "other")
    part = await w.cos.multipart.upload_part("kept", "other", upload.upload_id, 1, b"x")
    done = [aiocos.CompletedPart(part_number=1, etag=part.etag)]
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await w.cos.multipart.complete("kept", "other", upload.upload_id, done, retention_period=1)
    await w.cos.multipart.complete("kept", "other", upload.upload_id, done, retention_legal_hold_id="h")
    assert await w.held("other") == {"h"}
    # What is under retention is not replaced by an upload either.
    upload = await w.cos.multipart.create("kept", "key")
    part = await w.cos.multipart.upload_part("kept", "key", upload.upload_id, 1, b"x")
    done = [aiocos.CompletedPart(part_number=1, etag=part.etag)]
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.multipart.complete("kept", "key", upload.upload_id, done)


@multipart.row(2)
async def _created_at_completion(w: World) -> None:
    upload = await w.cos.multipart.create("kept", "key")
    part = await w.cos.multipart.upload_part("kept", "key", upload.upload_id, 1, b"x")
    w.clock.advance(50 * DAY)
    await w.cos.multipart.complete("kept", "key", upload.upload_id, [aiocos.CompletedPart(part_number=1, etag=part.etag)])
    state = await w.cos.legal_holds.list("kept", "key")
    assert (state.create_time, state.retention_expires) == (START + 50 * DAY, START + 150 * DAY)


@multipart.row(3)
async def _older_than_the_policy(w: World) -> None:
    await w.cos.buckets.create("late")
    upload = await w.cos.multipart.create("late", "key")
    part = await w.cos.multipart.upload_part("late", "key", upload.upload_id, 1, b"x")
    await w.cos.protection.put("late", POLICY)
    await w.cos.multipart.complete("late", "key", upload.upload_id, [aiocos.CompletedPart(part_number=1, etag=part.etag)])
    assert await w.period(bucket="late") == 100 * DAYS


@pytest.mark.parametrize("row", multipart)
async def test_retention_multipart(row: int, world: World) -> None:
    await multipart.run(row, world)


# ---------------------------------------------------------------------------------------------------------------------
# Copies


async def _source(w: World) -> tuple[str, str]:
    await w.cos.objects.put("kept", "source", b"x", retention_period=20 * DAYS, retention_legal_hold_id="a")
    await w.cos.legal_holds.add("kept", "source", "b")
    w.clock.advance(DAY)
    return ("kept", "source")


@copied.row(1)
async def _copy(w: World) -> None:
    await w.cos.objects.copy("kept", "key", await _source(w), retention_directive="COPY")
    state = await w.cos.legal_holds.list("kept", "key")
    assert state.retention_period == 20 * DAYS
    assert {(hold.id, hold.date) for hold in state.legal_holds} == {("a", START + DAY), ("b", START + DAY)}
    # The samples of the documentation write it so.
    answer = await w.raw.put("/kept/other", x_amz_copy_source="/kept/source", Retention_Directive="Copy")
    assert answer.status == 200
    assert await w.held("other") == {"a", "b"}


@copied.row(2)
async def _replace(w: World) -> None:
    source = await _source(w)
    replace = {"retention_directive": "REPLACE"}
    await w.cos.objects.copy("kept", "key", source, **replace, retention_period=30 * DAYS, retention_legal_hold_id="c")  # type: ignore[arg-type]
    assert (await w.period(), await w.held()) == (30 * DAYS, {"c"})
    await w.cos.objects.copy("kept", "default", source, **replace)  # type: ignore[arg-type]
    assert (await w.period("default"), await w.held("default")) == (100 * DAYS, set())
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await w.cos.objects.copy("kept", "wrong", source, **replace, retention_period=1)  # type: ignore[arg-type]


@copied.row(3)
async def _headers_without_replace(w: World) -> None:
    source = await _source(w)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.objects.copy("kept", "key", source, retention_period=30 * DAYS)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.objects.copy("kept", "key", source, retention_directive="COPY", retention_legal_hold_id="c")


@copied.row(4)
async def _nothing_said(w: World) -> None:
    await w.cos.objects.copy("kept", "key", await _source(w))
    assert (await w.period(), await w.held()) == (100 * DAYS, set())


@copied.row(5)
async def _into_an_unprotected_bucket(w: World) -> None:
    await w.cos.buckets.create("plain")
    await w.cos.objects.copy("plain", "key", await _source(w), retention_directive="COPY")
    assert await w.period(bucket="plain") is None
    await w.cos.objects.delete("plain", "key")


@copied.row(6)
async def _over_a_protected_key(w: World) -> None:
    source = await _source(w)
    await w.cos.objects.put("kept", "key", b"old")
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.copy("kept", "key", source)
    assert await w.cos.objects.read("kept", "key") == b"old"


@copied.row(7)
async def _outside_the_destinations_range(w: World) -> None:
    source = await _source(w)
    await w.protected("narrow", ProtectionConfiguration.of_days(minimum=1, default=2, maximum=3))
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await w.cos.objects.copy("narrow", "key", source, retention_directive="COPY")
    await w.protected("forever", FREE)
    await w.cos.objects.put("forever", "permanent", b"x", retention_period=-2)
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await w.cos.objects.copy("kept", "key", ("forever", "permanent"), retention_directive="COPY")


@pytest.mark.parametrize("row", copied)
async def test_retention_copy(row: int, world: World) -> None:
    await copied.run(row, world)


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
        with pytest.raises((ObjectProtected, aiocos.TransferError)):
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
