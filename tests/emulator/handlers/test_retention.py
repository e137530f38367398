"""Retention of new objects, completed uploads and copies: the rows of the documentation's tables."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio

import aiocos
from aiocos import InvalidRequest, ObjectProtected, ProtectionConfiguration

from ..documentation_tables import DAY, DAYS, FREE, POLICY, START, Environment, Table, make_environment, refused

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


@pytest_asyncio.fixture(loop_scope="module")
async def env():
    async with make_environment() as environment:
        await environment.create_protected_bucket()
        yield environment


# ---------------------------------------------------------------------------------------------------------------------
# Writing


@write.row(1)
async def _no_policy(env: Environment) -> None:
    await env.cos.buckets.create("plain")
    for headers in (
        {"retention_period": 60},
        {"retention_expires": START + DAY},
        {"retention_legal_hold_id": "hold"},
    ):
        with refused(InvalidRequest, 400, "InvalidRequest"):
            await env.cos.objects.put("plain", "key", b"x", **headers)  # type: ignore[arg-type]
    assert not await env.cos.objects.exists("plain", "key")


@write.row(2)
async def _no_checksum(env: Environment) -> None:
    response = await env.raw.put("/kept/key", b"x")
    assert (response.status, response.code) == (400, "InvalidRequest")
    assert (await env.put_raw("/kept/key")).status == 200


@write.row(3)
async def _period_and_date(env: Environment) -> None:
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.objects.put("kept", "key", b"x", retention_period=20 * DAYS, retention_expires=START + 20 * DAY)


@write.row(4)
async def _unreadable(env: Environment) -> None:
    for period in ("1.5", "1e6", "1_000_000", "a day", ""):
        response = await env.put_raw("/kept/key", Retention_Period=period)
        assert (response.status, response.code) == (400, "InvalidArgument"), period
    for date in OTHER_FORMS:
        response = await env.put_raw("/kept/key", Retention_Expiration_Date=date)
        assert (response.status, response.code) == (400, "InvalidArgument"), date
        response = await env.raw.put(
            "/kept/key", x_amz_copy_source="/kept/missing", Retention_Directive="REPLACE", Retention_Expiration_Date=date
        )
        assert (response.status, response.code) == (400, "InvalidArgument"), date
    for value in ("2030-04-01T00:00:00Z", "20300401T000000Z"):
        assert (await env.put_raw(f"/kept/{value}", Retention_Expiration_Date=value)).status == 200
        head = await env.cos.objects.head("kept", value)
        assert head.retention_expires is not None
        assert head.retention_expires.isoformat() == "2030-04-01T00:00:00+00:00"


@write.row(5)
async def _overwrite(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"first")
    # The protection of the old object is checked before the period of the new one.
    for period in (None, 1, 20 * DAYS):
        with refused(ObjectProtected, 403, "AccessDenied"):
            await env.cos.objects.put("kept", "key", b"second", retention_period=period)
    assert await env.cos.objects.read("kept", "key") == b"first"
    env.clock.advance(100 * DAY)
    await env.cos.objects.put("kept", "key", b"second")
    assert await env.period() == 100 * DAYS
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.put("kept", "key", b"third")


@write.row(6)
async def _default(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x")
    head = await env.cos.objects.head("kept", "key")
    assert (head.retention_period, head.retention_expires) == (100 * DAYS, START + 100 * DAY)


@write.row(7)
async def _indefinite(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x", retention_period=-1)
    env.clock.advance(10_000 * DAY)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "key")


@write.row(8)
async def _permanent(env: Environment) -> None:
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await env.cos.objects.put("kept", "key", b"x", retention_period=-2)
    await env.create_protected_bucket("forever", FREE)
    await env.cos.objects.put("forever", "key", b"x", retention_period=-2)
    env.clock.advance(100_000 * DAY)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("forever", "key")


@write.row(9)
async def _negative(env: Environment) -> None:
    for period in (-3, -DAYS):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.objects.put("kept", "key", b"x", retention_period=period)


@write.row(10)
async def _outside(env: Environment) -> None:
    for period in (0, 10 * DAYS - 1, 1000 * DAYS + 1):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.objects.put("kept", "key", b"x", retention_period=period)
    await env.cos.objects.put("kept", "least", b"x", retention_period=timedelta(days=10))
    await env.cos.objects.put("kept", "most", b"x", retention_period=1000 * DAYS)


@write.row(11)
async def _date(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x", retention_expires=START + 20 * DAY)
    assert await env.period() == 20 * DAYS
    for date in (START + 9 * DAY, START + 1001 * DAY, START - DAY):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.objects.put("kept", "other", b"x", retention_expires=date)
    await env.create_protected_bucket("free", FREE)
    await env.cos.objects.put("free", "key", b"x", retention_expires=START - DAY)
    await env.cos.objects.delete("free", "key")
    # It ends at the requested second, also for requests within a second.
    env.clock.advance(0.7)
    for days in (10, 20, 1000):
        await env.cos.objects.put("kept", f"day {days}", b"x", retention_expires=START + days * DAY)
        assert (await env.cos.objects.head("kept", f"day {days}")).retention_expires == START + days * DAY
    env.clock.advance(10 * DAY - timedelta(seconds=0.9))
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "day 10")
    env.clock.advance(0.2)
    await env.cos.objects.delete("kept", "day 10")


@write.row(12)
async def _zero(env: Environment) -> None:
    await env.create_protected_bucket("free", FREE)
    await env.cos.objects.put("free", "key", b"x", retention_period=0)
    assert await env.period(bucket="free") == 0
    await env.cos.objects.put("free", "key", b"again", retention_period=0)
    await env.cos.objects.delete("free", "key")


@write.row(13)
async def _hold(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x", retention_legal_hold_id="court-1")
    (hold,) = await env.cos.legal_holds.list("kept", "key")
    assert (hold.id, hold.date) == ("court-1", START)
    for wrong in ("x" * 65, "a b", "a/b"):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.objects.put("kept", "other", b"x", retention_legal_hold_id=wrong)
    env.clock.advance(101 * DAY)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "key")


@write.row(14)
async def _success(env: Environment) -> None:
    await env.cos.objects.put("kept", "key", b"x", retention_period=20 * DAYS, retention_legal_hold_id="a")
    head = await env.cos.objects.head("kept", "key")
    assert (head.retention_period, head.legal_hold_count) == (20 * DAYS, 1)
    assert await env.cos.objects.read("kept", "key") == b"x"


@pytest.mark.parametrize("row", write)
async def test_retention_of_a_new_object(row: int, env: Environment) -> None:
    await write.run(row, env)


# ---------------------------------------------------------------------------------------------------------------------
# Multipart uploads


@multipart.row(1)
async def _at_completion(env: Environment) -> None:
    result = await env.cos.upload("kept", "key", b"x" * (20 * MIB), part_size=10 * MIB, retention_period=20 * DAYS)
    assert result.parts == 2
    assert await env.period() == 20 * DAYS
    assert "CompleteMultipartUpload" in {served.operation for served in env.emulator.requests}
    # Retention headers of the creation and of parts are ignored.
    created = await env.raw.post("/kept/nothing?uploads", Retention_Period="1", Retention_Legal_Hold_ID="h")
    assert created.status == 200
    (upload_id,) = created.texts("UploadId")
    part_sent = await env.put_raw(f"/kept/nothing?partNumber=1&uploadId={upload_id}", Retention_Period="1")
    assert part_sent.status == 200
    done = [aiocos.CompletedPart(part_number=1, etag=part_sent.headers["ETag"])]
    await env.cos.multipart.complete("kept", "nothing", upload_id, done)
    assert (await env.period("nothing"), await env.hold_ids("nothing")) == (100 * DAYS, set())
    upload = await env.cos.multipart.create("kept", "other")
    part = await env.cos.multipart.upload_part("kept", "other", upload.upload_id, 1, b"x")
    done = [aiocos.CompletedPart(part_number=1, etag=part.etag)]
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await env.cos.multipart.complete("kept", "other", upload.upload_id, done, retention_period=1)
    await env.cos.multipart.complete("kept", "other", upload.upload_id, done, retention_legal_hold_id="h")
    assert await env.hold_ids("other") == {"h"}
    # An upload cannot replace a protected object.
    upload = await env.cos.multipart.create("kept", "key")
    part = await env.cos.multipart.upload_part("kept", "key", upload.upload_id, 1, b"x")
    done = [aiocos.CompletedPart(part_number=1, etag=part.etag)]
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.multipart.complete("kept", "key", upload.upload_id, done)


@multipart.row(2)
async def _created_at_completion(env: Environment) -> None:
    upload = await env.cos.multipart.create("kept", "key")
    part = await env.cos.multipart.upload_part("kept", "key", upload.upload_id, 1, b"x")
    env.clock.advance(50 * DAY)
    await env.cos.multipart.complete("kept", "key", upload.upload_id, [aiocos.CompletedPart(part_number=1, etag=part.etag)])
    state = await env.cos.retention.get("kept", "key")
    assert (state.create_time, state.retention_expires) == (START + 50 * DAY, START + 150 * DAY)


@multipart.row(3)
async def _older_than_the_policy(env: Environment) -> None:
    await env.cos.buckets.create("late")
    upload = await env.cos.multipart.create("late", "key")
    part = await env.cos.multipart.upload_part("late", "key", upload.upload_id, 1, b"x")
    await env.cos.protection.put("late", POLICY)
    await env.cos.multipart.complete("late", "key", upload.upload_id, [aiocos.CompletedPart(part_number=1, etag=part.etag)])
    assert await env.period(bucket="late") == 100 * DAYS


@pytest.mark.parametrize("row", multipart)
async def test_retention_of_a_multipart_upload(row: int, env: Environment) -> None:
    await multipart.run(row, env)


# ---------------------------------------------------------------------------------------------------------------------
# Copies


async def _source(env: Environment) -> tuple[str, str]:
    await env.cos.objects.put("kept", "source", b"x", retention_period=20 * DAYS, retention_legal_hold_id="a")
    await env.cos.legal_holds.add("kept", "source", "b")
    env.clock.advance(DAY)
    return ("kept", "source")


@copied.row(1)
async def _copy(env: Environment) -> None:
    await env.cos.objects.copy("kept", "key", await _source(env), retention_directive="COPY")
    state = await env.cos.retention.get("kept", "key")
    assert state.retention_period == 20 * DAYS
    assert {(hold.id, hold.date) for hold in state.legal_holds} == {("a", START + DAY), ("b", START + DAY)}
    # The documentation's examples have this spelling.
    response = await env.raw.put("/kept/other", x_amz_copy_source="/kept/source", Retention_Directive="Copy")
    assert response.status == 200
    assert await env.hold_ids("other") == {"a", "b"}


@copied.row(2)
async def _replace(env: Environment) -> None:
    source = await _source(env)
    replace = {"retention_directive": "REPLACE"}
    await env.cos.objects.copy("kept", "key", source, **replace, retention_period=30 * DAYS, retention_legal_hold_id="c")  # type: ignore[arg-type]
    assert (await env.period(), await env.hold_ids()) == (30 * DAYS, {"c"})
    await env.cos.objects.copy("kept", "default", source, **replace)  # type: ignore[arg-type]
    assert (await env.period("default"), await env.hold_ids("default")) == (100 * DAYS, set())
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await env.cos.objects.copy("kept", "wrong", source, **replace, retention_period=1)  # type: ignore[arg-type]


@copied.row(3)
async def _headers_without_replace(env: Environment) -> None:
    source = await _source(env)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.objects.copy("kept", "key", source, retention_period=30 * DAYS)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.objects.copy("kept", "key", source, retention_directive="COPY", retention_legal_hold_id="c")


@copied.row(4)
async def _nothing_said(env: Environment) -> None:
    await env.cos.objects.copy("kept", "key", await _source(env))
    assert (await env.period(), await env.hold_ids()) == (100 * DAYS, set())


@copied.row(5)
async def _into_an_unprotected_bucket(env: Environment) -> None:
    await env.cos.buckets.create("plain")
    await env.cos.objects.copy("plain", "key", await _source(env), retention_directive="COPY")
    assert await env.period(bucket="plain") is None
    await env.cos.objects.delete("plain", "key")


@copied.row(6)
async def _over_a_protected_key(env: Environment) -> None:
    source = await _source(env)
    await env.cos.objects.put("kept", "key", b"old")
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.copy("kept", "key", source)
    # As in other writes, the old object's protection is checked before the new period.
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.copy("kept", "key", source, retention_directive="REPLACE", retention_period=1)
    assert await env.cos.objects.read("kept", "key") == b"old"


@copied.row(7)
async def _outside_the_destinations_range(env: Environment) -> None:
    source = await _source(env)
    await env.create_protected_bucket("narrow", ProtectionConfiguration.of_days(minimum=1, default=2, maximum=3))
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await env.cos.objects.copy("narrow", "key", source, retention_directive="COPY")
    await env.create_protected_bucket("forever", FREE)
    await env.cos.objects.put("forever", "permanent", b"x", retention_period=-2)
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await env.cos.objects.copy("kept", "key", ("forever", "permanent"), retention_directive="COPY")


@pytest.mark.parametrize("row", copied)
async def test_retention_of_a_copy(row: int, env: Environment) -> None:
    await copied.run(row, env)
