"""Legal holds and the extension of retention: the rows of the documentation's tables."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio

import aiocos
from aiocos import AccessDenied, Conflict, InvalidRequest, NoSuchKey, NotFound, ObjectProtected

from ..documentation_tables import DAY, DAYS, FREE, START, Environment, Table, make_environment, refused

add, delete, listed, extend, indefinite = Table(), Table(), Table(), Table(), Table()


@pytest_asyncio.fixture(loop_scope="module")
async def env():
    async with make_environment() as environment:
        await environment.create_protected_bucket()
        await environment.cos.objects.put("kept", "key", b"x", retention_period=20 * DAYS)
        yield environment


async def store_object_without_retention(env: Environment) -> None:
    """Store an object without retention in a protected bucket. In the service it can only come from before the policy."""
    await env.cos.objects.put("kept", "plain", b"x")
    await env.emulator.store.write(
        lambda t: t.execute("UPDATE objects SET retention = NULL WHERE key = ?", (b"plain",)) and None
    )


# ---------------------------------------------------------------------------------------------------------------------
# Added


@add.row(1)
async def _one_id(env: Environment) -> None:
    for query in (
        "legalHold",
        "legalHold&add=",
        "legalHold&remove=",
        "legalHold&add=a&remove=b",
        "legalHold&add=&remove=",
        "legalHold&add=a&remove=",
        "legalHold&add=&remove=b",
        "legalHold&add=a&add=b",
    ):
        response = await env.raw.post(f"/kept/key?{query}")
        assert (response.status, response.code) == (400, "InvalidRequest"), query
    assert await env.hold_ids() == set()


@add.row(2)
async def _too_long(env: Environment) -> None:
    await env.cos.legal_holds.add("kept", "key", "x" * 64)
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await env.cos.legal_holds.add("kept", "key", "x" * 65)
    assert await env.hold_ids() == {"x" * 64}


@add.row(3)
async def _characters(env: Environment) -> None:
    good = ["Az09", "!_.*()-", "it's"]
    for hold in good:
        await env.cos.legal_holds.add("kept", "key", hold)
    for hold in ("a b", "a/b", "ü", "a+b", "a%b", "a\n", "a:b"):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.legal_holds.add("kept", "key", hold)
    assert await env.hold_ids() == set(good)


@add.row(4)
async def _no_policy(env: Environment) -> None:
    await env.cos.buckets.create("plain")
    await env.cos.objects.put("plain", "key", b"x")
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.legal_holds.add("plain", "key", "a")


@add.row(5)
async def _no_object(env: Environment) -> None:
    with refused(NoSuchKey, 404, "NoSuchKey"):
        await env.cos.legal_holds.add("kept", "missing", "a")


@add.row(6)
async def _no_retention(env: Environment) -> None:
    await store_object_without_retention(env)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.legal_holds.add("kept", "plain", "a")


@add.row(7)
async def _the_same_again(env: Environment) -> None:
    await env.cos.legal_holds.add("kept", "key", "a")
    env.clock.advance(DAY)
    with refused(Conflict, 409, "LegalHoldExists"):
        await env.cos.legal_holds.add("kept", "key", "a")
    (hold,) = await env.cos.legal_holds.list("kept", "key")
    assert hold.date == START


@add.row(8)
async def _a_hundred(env: Environment) -> None:
    for n in range(100):
        await env.cos.legal_holds.add("kept", "key", f"h{n}")
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.legal_holds.add("kept", "key", "one-more")
    assert len(await env.hold_ids()) == 100
    await env.cos.legal_holds.delete("kept", "key", "h7")
    await env.cos.legal_holds.add("kept", "key", "one-more")


@add.row(9)
async def _not_a_manager(env: Environment) -> None:
    with refused(AccessDenied, 403, "AccessDenied"):
        await env.writer.legal_holds.add("kept", "key", "a")
    assert await env.hold_ids() == set()


@add.row(10)
async def _added(env: Environment) -> None:
    response = await env.raw.post("/kept/key?legalHold&add=%21a%2A")
    assert (response.status, response.body) == (200, b"")
    # After the period as well: the object is protected again.
    env.clock.advance(30 * DAY)
    await env.cos.legal_holds.add("kept", "key", "late")
    holds = await env.cos.legal_holds.list("kept", "key")
    assert [(h.id, h.date) for h in holds] == [("!a*", START), ("late", START + 30 * DAY)]
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "key")
    for hold in ("!a*", "late"):
        await env.cos.legal_holds.delete("kept", "key", hold)
    await env.cos.objects.delete("kept", "key")


@pytest.mark.parametrize("row", add)
async def test_adding_a_legal_hold(row: int, env: Environment) -> None:
    await add.run(row, env)


# ---------------------------------------------------------------------------------------------------------------------
# Lifted


@delete.row(1)
async def _delete_no_retention(env: Environment) -> None:
    await store_object_without_retention(env)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.legal_holds.delete("kept", "plain", "a")


@delete.row(2)
async def _delete_unknown(env: Environment) -> None:
    await env.cos.legal_holds.add("kept", "key", "a")
    with refused(NotFound, 404, "NoSuchLegalHold"):
        await env.cos.legal_holds.delete("kept", "key", "b")
    assert await env.hold_ids() == {"a"}


@delete.row(3)
async def _deleted(env: Environment) -> None:
    for hold in ("a", "b"):
        await env.cos.legal_holds.add("kept", "key", hold)
    with refused(AccessDenied, 403, "AccessDenied"):
        await env.writer.legal_holds.delete("kept", "key", "a")
    await env.cos.legal_holds.delete("kept", "key", "a")
    assert (await env.hold_ids(), await env.period()) == ({"b"}, 20 * DAYS)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "key")


@pytest.mark.parametrize("row", delete)
async def test_removing_a_legal_hold(row: int, env: Environment) -> None:
    await delete.run(row, env)


# ---------------------------------------------------------------------------------------------------------------------
# Listed


@listed.row(1)
async def _list_no_retention(env: Environment) -> None:
    await store_object_without_retention(env)
    with refused(NotFound, 404, "NoSuchRetention"):
        await env.cos.legal_holds.list("kept", "plain")
    with refused(NoSuchKey, 404, "NoSuchKey"):
        await env.cos.legal_holds.list("kept", "missing")


@listed.row(2)
async def _list_none(env: Environment) -> None:
    response = await env.raw.get("/kept/key?legalHold")
    assert response.status == 200
    assert b"<LegalHoldSet></LegalHoldSet>" in response.body
    assert await env.cos.legal_holds.list("kept", "key") == []


@listed.row(3)
async def _list(env: Environment) -> None:
    await env.cos.legal_holds.add("kept", "key", "a")
    state = await env.cos.retention.get("kept", "key")
    assert (state.create_time, state.retention_period) == (START, 20 * DAYS)
    assert state.retention_expires == START + 20 * DAY
    assert [(h.id, h.date) for h in state.legal_holds] == [("a", START)]
    # Under the documentation's name and under the one that IBM's SDKs read.
    response = await env.raw.get("/kept/key?legalHold")
    assert response.texts("LegalHoldSet/LegalHold/ID") == response.texts("LegalHolds/*/ID") == ["a"]
    assert b"xmlns" not in response.body


@listed.row(4)
async def _list_indefinite(env: Environment) -> None:
    await env.create_protected_bucket("forever", FREE)
    for period in (-1, -2):
        await env.cos.objects.put("forever", "key" + str(period), b"x", retention_period=period)
        state = await env.cos.retention.get("forever", "key" + str(period))
        assert (state.retention_period, state.retention_expires) == (period, None)


@pytest.mark.parametrize("row", listed)
async def test_listing_legal_holds(row: int, env: Environment) -> None:
    await listed.run(row, env)


# ---------------------------------------------------------------------------------------------------------------------
# Retention extended


@extend.row(1)
async def _one_way(env: Environment) -> None:
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.retention.extend("kept", "key")
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.retention.extend("kept", "key", additional_period=DAYS, new_period=40 * DAYS)
    assert await env.period() == 20 * DAYS


@extend.row(2)
async def _unreadable(env: Environment) -> None:
    for name, value in {
        "Additional-Retention-Period": "a day",
        "New-Retention-Period": "1e6",
        "Extend-Retention-From-Current-Time": "",
        "New-Retention-Expiration-Date": "2031",
    }.items():
        response = await env.raw.post("/kept/key?extendRetention", **{name: value})
        assert (response.status, response.code) == (400, "InvalidArgument"), name
    for date in ("2030-04-01", "2030-04-01T00:00:00.5Z", "Mon, 01 Apr 2030 00:00:00 GMT"):
        response = await env.raw.post("/kept/key?extendRetention", New_Retention_Expiration_Date=date)
        assert (response.status, response.code) == (400, "InvalidArgument"), date
    assert (await env.raw.post("/kept/key?extendRetention", New_Retention_Expiration_Date="20300401T000000Z")).status == 200
    for negative in ({"additional_period": -1}, {"from_now": -1}, {"new_period": -1}):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.retention.extend("kept", "key", **negative)


@extend.row(3)
async def _no_object(env: Environment) -> None:
    with refused(NoSuchKey, 404, "NoSuchKey"):
        await env.cos.retention.extend("kept", "missing", additional_period=DAYS)


@extend.row(4)
async def _no_retention(env: Environment) -> None:
    await store_object_without_retention(env)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.retention.extend("kept", "plain", additional_period=DAYS)
    await env.cos.buckets.create("plain")
    await env.cos.objects.put("plain", "key", b"x")
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.retention.extend("plain", "key", additional_period=DAYS)


@extend.row(5)
async def _permanent(env: Environment) -> None:
    await env.create_protected_bucket("forever", FREE)
    await env.cos.objects.put("forever", "key", b"x", retention_period=-2)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await env.cos.retention.extend("forever", "key", from_now=DAYS)


@extend.row(6)
async def _shorter(env: Environment) -> None:
    for shorter in ({"new_period": 19 * DAYS}, {"new_expires": START + 19 * DAY}, {"from_now": 19 * DAYS}):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.retention.extend("kept", "key", **shorter)  # type: ignore[arg-type]
    assert await env.period() == 20 * DAYS


@extend.row(7)
async def _equal(env: Environment) -> None:
    for equal in ({"new_period": 20 * DAYS}, {"new_expires": START + 20 * DAY}, {"additional_period": 0}):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.retention.extend("kept", "key", **equal)  # type: ignore[arg-type]


@extend.row(8)
async def _beyond_the_maximum(env: Environment) -> None:
    for beyond in (
        {"additional_period": 980 * DAYS + 1},
        {"new_period": 1000 * DAYS + 1},
        {"new_expires": START + 1001 * DAY},
    ):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.retention.extend("kept", "key", **beyond)  # type: ignore[arg-type]
    # The maximum counts from the time of the request.
    env.clock.advance(5 * DAY)
    await env.cos.retention.extend("kept", "key", new_period=1005 * DAYS)
    assert await env.period() == 1005 * DAYS


@extend.row(9)
async def _from_now_outside(env: Environment) -> None:
    env.clock.advance(18 * DAY)
    for outside in (9 * DAYS, 1001 * DAYS):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.retention.extend("kept", "key", from_now=outside)
    await env.cos.retention.extend("kept", "key", from_now=10 * DAYS)
    assert await env.period() == 28 * DAYS


@extend.row(10)
async def _extended(env: Environment) -> None:
    response = await env.raw.post("/kept/key?extendRetention", Additional_Retention_Period=str(DAYS))
    assert (response.status, response.body) == (200, b"")
    assert await env.period() == 21 * DAYS
    await env.cos.retention.extend("kept", "key", additional_period=timedelta(days=1))
    await env.cos.retention.extend("kept", "key", new_period=timedelta(days=30))
    await env.cos.retention.extend("kept", "key", new_expires=START + 40 * DAY)
    assert (await env.cos.objects.head("kept", "key")).retention_expires == START + 40 * DAY
    env.clock.advance(40 * DAY)
    # It has run out, and is protected again; writers may do that.
    await env.writer.retention.extend("kept", "key", from_now=10 * DAYS)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await env.cos.objects.delete("kept", "key")
    env.clock.advance(10 * DAY)
    await env.cos.objects.delete("kept", "key")


@pytest.mark.parametrize("row", extend)
async def test_extending_retention(row: int, env: Environment) -> None:
    await extend.run(row, env)


@indefinite.row(1)
async def _becomes_finite(env: Environment) -> None:
    for key, way in {
        "new_period": {"new_period": 20 * DAYS},
        "new_expires": {"new_expires": START + 20 * DAY},
        "from_now": {"from_now": 20 * DAYS},
    }.items():
        await env.cos.objects.put("kept", key, b"x", retention_period=-1)
        with refused(InvalidRequest, 400, "InvalidRequest"):
            await env.cos.retention.extend("kept", key, additional_period=DAYS)
        await env.cos.retention.extend("kept", key, **way)  # type: ignore[arg-type]
        assert await env.period(key) == 20 * DAYS
    env.clock.advance(20 * DAY)
    await env.cos.objects.delete("kept", "from_now")


@indefinite.row(2)
async def _ends_at_once(env: Environment) -> None:
    await env.cos.objects.put("kept", "guarded", b"x", retention_period=-1)
    for way in ({"from_now": 0}, {"new_period": 0}):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await env.cos.retention.extend("kept", "guarded", **way)
    await env.create_protected_bucket("free", FREE)
    await env.cos.objects.put("free", "key", b"x", retention_period=-1)
    await env.cos.retention.extend("free", "key", from_now=0)
    await env.cos.objects.delete("free", "key")


@pytest.mark.parametrize("row", indefinite)
async def test_extending_indefinite_retention(row: int, env: Environment) -> None:
    await indefinite.run(row, env)


async def test_concurrently_added_legal_holds_are_all_stored(env: Environment) -> None:
    await asyncio.gather(*(env.cos.legal_holds.add("kept", "key", f"h{n}") for n in range(50)))
    assert await env.hold_ids() == {f"h{n}" for n in range(50)}
    results = await asyncio.gather(*(env.cos.legal_holds.add("kept", "key", "same") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(r, aiocos.Conflict) for r in results) == 4


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        # Only a POST to a key places or lifts a hold; everything else is what it would be without the check.
        ("POST", "/kept?legalHold", 501, "NotImplemented"),
        ("POST", "/kept?legalHold&add=a&remove=b", 501, "NotImplemented"),
        ("POST", "/?legalHold&add=", 501, "NotImplemented"),
        ("PUT", "/kept/key?legalHold&add=a&remove=b", 501, "NotImplemented"),
        ("DELETE", "/kept/key?legalHold", 501, "NotImplemented"),
        ("GET", "/kept/key?legalHold", 200, ""),
        ("GET", "/kept/key?legalHold&add=a&remove=b", 200, ""),
        ("POST", "/kept/key?add=a&remove=b", 501, "NotImplemented"),
        ("POST", "/kept/key?uploads&add=a&remove=b", 200, ""),
    ],
)
async def test_only_a_post_to_a_key_must_name_one_hold(
    env: Environment, method: str, target: str, status: int, code: str
) -> None:
    response = await env.raw.send(method, target)
    assert response.status == status
    assert (response.code if status >= 400 else "") == code
    assert await env.hold_ids() == set()
