"""Retention of objects, row by row: written, completed from parts, copied."""

from __future__ import annotations

from datetime import timedelta

import pytest

import aiocos
from aiocos import InvalidRequest, ObjectProtected, ProtectionConfiguration

from .rows import DAY, DAYS, FREE, POLICY, START, Table, World, make_world, refused

write, multipart, copied = Table(), Table(), Table()
MIB = 1024 * 1024

OTHER_FORMS = [
    "tomorrow",
    "2030-04-01",
    "2030-04-01T00:00:00",
    "2030-04-01T00:00:00.500Z",
    "2030-04-01T02:00:00+02:00",
    "2030-13-01T00:00:00Z",
    "Mon, 01 Apr 2030 00:00:00 GMT",
    "1900000000",
]


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
    for period in ("1.5", "1e6", "1_000_000", "a day", ""):
        answer = await w.put_raw("/kept/key", Retention_Period=period)
        assert (answer.status, answer.code) == (400, "InvalidArgument"), period
    for date in OTHER_FORMS:
        answer = await w.put_raw("/kept/key", Retention_Expiration_Date=date)
        assert (answer.status, answer.code) == (400, "InvalidArgument"), date
        answer = await w.raw.put(
            "/kept/key", x_amz_copy_source="/kept/missing", Retention_Directive="REPLACE", Retention_Expiration_Date=date
        )
        assert (answer.status, answer.code) == (400, "InvalidArgument"), date
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
    # Within a second too it ends when it was asked to, and no second before.
    w.clock.advance(0.7)
    for days in (10, 20, 1000):
        await w.cos.objects.put("kept", f"day {days}", b"x", retention_expires=START + days * DAY)
        assert (await w.cos.objects.head("kept", f"day {days}")).retention_expires == START + days * DAY
    w.clock.advance(10 * DAY - timedelta(seconds=0.9))
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "day 10")
    w.clock.advance(0.2)
    await w.cos.objects.delete("kept", "day 10")


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
    (hold,) = await w.cos.legal_holds.list("kept", "key")
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
    assert "CompleteMultipartUpload" in {served.operation for served in w.emulator.requests}
    # A creation and a part take no retention: what they bring of it means nothing.
    made = await w.raw.post("/kept/nothing?uploads", Retention_Period="1", Retention_Legal_Hold_ID="h")
    assert made.status == 200
    (upload_id,) = made.texts("UploadId")
    part_sent = await w.put_raw(f"/kept/nothing?partNumber=1&uploadId={upload_id}", Retention_Period="1")
    assert part_sent.status == 200
    done = [aiocos.CompletedPart(part_number=1, etag=part_sent.headers["ETag"])]
    await w.cos.multipart.complete("kept", "nothing", upload_id, done)
    assert (await w.period("nothing"), await w.held("nothing")) == (100 * DAYS, set())
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
    state = await w.cos.retention.get("kept", "key")
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
    state = await w.cos.retention.get("kept", "key")
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
    # As in other writes, that comes before what is wrong with the new one's period.
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.copy("kept", "key", source, retention_directive="REPLACE", retention_period=1)
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
