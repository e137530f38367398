"""Named legal holds and the extension of retention, row by row."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

import aiocos
from aiocos import AccessDenied, Conflict, InvalidRequest, NoSuchKey, NotFound, ObjectProtected

from .rows import DAY, DAYS, FREE, START, Table, World, make_world, refused

add, delete, listed, extend, indefinite = Table(), Table(), Table(), Table(), Table()


@pytest.fixture
async def world():
    async with make_world() as made:
        await made.protected()
        await made.cos.objects.put("kept", "key", b"x", retention_period=20 * DAYS)
        yield made


async def without_retention(w: World) -> None:
    """An object that was there before its bucket's policy can only come from a copy of the store; here it loses its own."""
    await w.cos.objects.put("kept", "plain", b"x")
    await w.emulator.store.write(lambda t: t.execute("UPDATE objects SET retention = NULL WHERE key = ?", (b"plain",)) and None)


# ---------------------------------------------------------------------------------------------------------------------
# Added


@add.row(1)
async def _one_id(w: World) -> None:
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
        answer = await w.raw.post(f"/kept/key?{query}")
        assert (answer.status, answer.code) == (400, "InvalidRequest"), query
    assert await w.held() == set()


@add.row(2)
async def _too_long(w: World) -> None:
    await w.cos.legal_holds.add("kept", "key", "x" * 64)
    with refused(InvalidRequest, 400, "InvalidArgument"):
        await w.cos.legal_holds.add("kept", "key", "x" * 65)
    assert await w.held() == {"x" * 64}


@add.row(3)
async def _characters(w: World) -> None:
    good = ["Az09", "!_.*()-", "it's"]
    for hold in good:
        await w.cos.legal_holds.add("kept", "key", hold)
    for hold in ("a b", "a/b", "ü", "a+b", "a%b", "a\n", "a:b"):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.legal_holds.add("kept", "key", hold)
    assert await w.held() == set(good)


@add.row(4)
async def _no_policy(w: World) -> None:
    await w.cos.buckets.create("plain")
    await w.cos.objects.put("plain", "key", b"x")
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.legal_holds.add("plain", "key", "a")


@add.row(5)
async def _no_object(w: World) -> None:
    with refused(NoSuchKey, 404, "NoSuchKey"):
        await w.cos.legal_holds.add("kept", "missing", "a")


@add.row(6)
async def _no_retention(w: World) -> None:
    await without_retention(w)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.legal_holds.add("kept", "plain", "a")


@add.row(7)
async def _the_same_again(w: World) -> None:
    await w.cos.legal_holds.add("kept", "key", "a")
    w.clock.advance(DAY)
    with refused(Conflict, 409, "LegalHoldExists"):
        await w.cos.legal_holds.add("kept", "key", "a")
    (hold,) = await w.cos.legal_holds.list("kept", "key")
    assert hold.date == START


@add.row(8)
async def _a_hundred(w: World) -> None:
    for n in range(100):
        await w.cos.legal_holds.add("kept", "key", f"h{n}")
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.legal_holds.add("kept", "key", "one-more")
    assert len(await w.held()) == 100
    await w.cos.legal_holds.delete("kept", "key", "h7")
    await w.cos.legal_holds.add("kept", "key", "one-more")


@add.row(9)
async def _not_a_manager(w: World) -> None:
    with refused(AccessDenied, 403, "AccessDenied"):
        await w.writer.legal_holds.add("kept", "key", "a")
    assert await w.held() == set()


@add.row(10)
async def _added(w: World) -> None:
    answer = await w.raw.post("/kept/key?legalHold&add=%21a%2A")
    assert (answer.status, answer.body) == (200, b"")
    # After the period as well: the object is protected again.
    w.clock.advance(30 * DAY)
    await w.cos.legal_holds.add("kept", "key", "late")
    holds = await w.cos.legal_holds.list("kept", "key")
    assert [(h.id, h.date) for h in holds] == [("!a*", START), ("late", START + 30 * DAY)]
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "key")
    for hold in ("!a*", "late"):
        await w.cos.legal_holds.delete("kept", "key", hold)
    await w.cos.objects.delete("kept", "key")


@pytest.mark.parametrize("row", add)
async def test_hold_add(row: int, world: World) -> None:
    await add.run(row, world)


# ---------------------------------------------------------------------------------------------------------------------
# Lifted


@delete.row(1)
async def _delete_no_retention(w: World) -> None:
    await without_retention(w)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.legal_holds.delete("kept", "plain", "a")


@delete.row(2)
async def _delete_unknown(w: World) -> None:
    await w.cos.legal_holds.add("kept", "key", "a")
    with refused(NotFound, 404, "NoSuchLegalHold"):
        await w.cos.legal_holds.delete("kept", "key", "b")
    assert await w.held() == {"a"}


@delete.row(3)
async def _deleted(w: World) -> None:
    for hold in ("a", "b"):
        await w.cos.legal_holds.add("kept", "key", hold)
    with refused(AccessDenied, 403, "AccessDenied"):
        await w.writer.legal_holds.delete("kept", "key", "a")
    await w.cos.legal_holds.delete("kept", "key", "a")
    assert (await w.held(), await w.period()) == ({"b"}, 20 * DAYS)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "key")


@pytest.mark.parametrize("row", delete)
async def test_hold_delete(row: int, world: World) -> None:
    await delete.run(row, world)


# ---------------------------------------------------------------------------------------------------------------------
# Listed


@listed.row(1)
async def _list_no_retention(w: World) -> None:
    await without_retention(w)
    with refused(NotFound, 404, "NoSuchRetention"):
        await w.cos.legal_holds.list("kept", "plain")
    with refused(NoSuchKey, 404, "NoSuchKey"):
        await w.cos.legal_holds.list("kept", "missing")


@listed.row(2)
async def _list_none(w: World) -> None:
    answer = await w.raw.get("/kept/key?legalHold")
    assert answer.status == 200
    assert b"<LegalHoldSet></LegalHoldSet>" in answer.body
    assert await w.cos.legal_holds.list("kept", "key") == []


@listed.row(3)
async def _list(w: World) -> None:
    await w.cos.legal_holds.add("kept", "key", "a")
    state = await w.cos.retention.get("kept", "key")
    assert (state.create_time, state.retention_period) == (START, 20 * DAYS)
    assert state.retention_expires == START + 20 * DAY
    assert [(h.id, h.date) for h in state.legal_holds] == [("a", START)]
    # Under the documentation's name and under the one that IBM's SDKs read.
    answer = await w.raw.get("/kept/key?legalHold")
    assert answer.texts("LegalHoldSet/LegalHold/ID") == answer.texts("LegalHolds/*/ID") == ["a"]
    assert b"xmlns" not in answer.body


@listed.row(4)
async def _list_indefinite(w: World) -> None:
    await w.protected("forever", FREE)
    for period in (-1, -2):
        await w.cos.objects.put("forever", "key" + str(period), b"x", retention_period=period)
        state = await w.cos.retention.get("forever", "key" + str(period))
        assert (state.retention_period, state.retention_expires) == (period, None)


@pytest.mark.parametrize("row", listed)
async def test_hold_list(row: int, world: World) -> None:
    await listed.run(row, world)


# ---------------------------------------------------------------------------------------------------------------------
# Retention extended


@extend.row(1)
async def _one_way(w: World) -> None:
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.retention.extend("kept", "key")
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.retention.extend("kept", "key", additional_period=DAYS, new_period=40 * DAYS)
    assert await w.period() == 20 * DAYS


@extend.row(2)
async def _unreadable(w: World) -> None:
    for name, value in {
        "Additional-Retention-Period": "a day",
        "New-Retention-Period": "1e6",
        "Extend-Retention-From-Current-Time": "",
        "New-Retention-Expiration-Date": "2031",
    }.items():
        answer = await w.raw.post("/kept/key?extendRetention", **{name: value})
        assert (answer.status, answer.code) == (400, "InvalidArgument"), name
    for date in ("2030-04-01", "2030-04-01T00:00:00.5Z", "Mon, 01 Apr 2030 00:00:00 GMT"):
        answer = await w.raw.post("/kept/key?extendRetention", New_Retention_Expiration_Date=date)
        assert (answer.status, answer.code) == (400, "InvalidArgument"), date
    assert (await w.raw.post("/kept/key?extendRetention", New_Retention_Expiration_Date="20300401T000000Z")).status == 200
    for negative in ({"additional_period": -1}, {"from_now": -1}, {"new_period": -1}):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.retention.extend("kept", "key", **negative)


@extend.row(3)
async def _no_object(w: World) -> None:
    with refused(NoSuchKey, 404, "NoSuchKey"):
        await w.cos.retention.extend("kept", "missing", additional_period=DAYS)


@extend.row(4)
async def _no_retention(w: World) -> None:
    await without_retention(w)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.retention.extend("kept", "plain", additional_period=DAYS)
    await w.cos.buckets.create("plain")
    await w.cos.objects.put("plain", "key", b"x")
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.retention.extend("plain", "key", additional_period=DAYS)


@extend.row(5)
async def _permanent(w: World) -> None:
    await w.protected("forever", FREE)
    await w.cos.objects.put("forever", "key", b"x", retention_period=-2)
    with refused(InvalidRequest, 400, "InvalidRequest"):
        await w.cos.retention.extend("forever", "key", from_now=DAYS)


@extend.row(6)
async def _shorter(w: World) -> None:
    for shorter in ({"new_period": 19 * DAYS}, {"new_expires": START + 19 * DAY}, {"from_now": 19 * DAYS}):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.retention.extend("kept", "key", **shorter)  # type: ignore[arg-type]
    assert await w.period() == 20 * DAYS


@extend.row(7)
async def _equal(w: World) -> None:
    for equal in ({"new_period": 20 * DAYS}, {"new_expires": START + 20 * DAY}, {"additional_period": 0}):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.retention.extend("kept", "key", **equal)  # type: ignore[arg-type]


@extend.row(8)
async def _beyond_the_maximum(w: World) -> None:
    for beyond in (
        {"additional_period": 980 * DAYS + 1},
        {"new_period": 1000 * DAYS + 1},
        {"new_expires": START + 1001 * DAY},
    ):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.retention.extend("kept", "key", **beyond)  # type: ignore[arg-type]
    # The maximum counts from the time of the request.
    w.clock.advance(5 * DAY)
    await w.cos.retention.extend("kept", "key", new_period=1005 * DAYS)
    assert await w.period() == 1005 * DAYS


@extend.row(9)
async def _from_now_outside(w: World) -> None:
    w.clock.advance(18 * DAY)
    for outside in (9 * DAYS, 1001 * DAYS):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.retention.extend("kept", "key", from_now=outside)
    await w.cos.retention.extend("kept", "key", from_now=10 * DAYS)
    assert await w.period() == 28 * DAYS


@extend.row(10)
async def _extended(w: World) -> None:
    answer = await w.raw.post("/kept/key?extendRetention", Additional_Retention_Period=str(DAYS))
    assert (answer.status, answer.body) == (200, b"")
    assert await w.period() == 21 * DAYS
    await w.cos.retention.extend("kept", "key", additional_period=timedelta(days=1))
    await w.cos.retention.extend("kept", "key", new_period=timedelta(days=30))
    await w.cos.retention.extend("kept", "key", new_expires=START + 40 * DAY)
    assert (await w.cos.objects.head("kept", "key")).retention_expires == START + 40 * DAY
    w.clock.advance(40 * DAY)
    # It has run out, and is protected again; writers may do that.
    await w.writer.retention.extend("kept", "key", from_now=10 * DAYS)
    with refused(ObjectProtected, 403, "AccessDenied"):
        await w.cos.objects.delete("kept", "key")
    w.clock.advance(10 * DAY)
    await w.cos.objects.delete("kept", "key")


@pytest.mark.parametrize("row", extend)
async def test_extend(row: int, world: World) -> None:
    await extend.run(row, world)


@indefinite.row(1)
async def _becomes_finite(w: World) -> None:
    for key, way in {
        "new_period": {"new_period": 20 * DAYS},
        "new_expires": {"new_expires": START + 20 * DAY},
        "from_now": {"from_now": 20 * DAYS},
    }.items():
        await w.cos.objects.put("kept", key, b"x", retention_period=-1)
        with refused(InvalidRequest, 400, "InvalidRequest"):
            await w.cos.retention.extend("kept", key, additional_period=DAYS)
        await w.cos.retention.extend("kept", key, **way)  # type: ignore[arg-type]
        assert await w.period(key) == 20 * DAYS
    w.clock.advance(20 * DAY)
    await w.cos.objects.delete("kept", "from_now")


@indefinite.row(2)
async def _ends_at_once(w: World) -> None:
    await w.cos.objects.put("kept", "guarded", b"x", retention_period=-1)
    for way in ({"from_now": 0}, {"new_period": 0}):
        with refused(InvalidRequest, 400, "InvalidArgument"):
            await w.cos.retention.extend("kept", "guarded", **way)
    await w.protected("free", FREE)
    await w.cos.objects.put("free", "key", b"x", retention_period=-1)
    await w.cos.retention.extend("free", "key", from_now=0)
    await w.cos.objects.delete("free", "key")


@pytest.mark.parametrize("row", indefinite)
async def test_extend_indefinite(row: int, world: World) -> None:
    await indefinite.run(row, world)


async def test_holds_that_race_are_all_there(world: World) -> None:
    await asyncio.gather(*(world.cos.legal_holds.add("kept", "key", f"h{n}") for n in range(50)))
    assert await world.held() == {f"h{n}" for n in range(50)}
    results = await asyncio.gather(
        *(world.cos.legal_holds.add("kept", "key", "same") for _ in range(5)), return_exceptions=True
    )
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
async def test_only_a_post_to_a_key_says_one_thing(world: World, method: str, target: str, status: int, code: str) -> None:
    answer = await world.raw.send(method, target)
    assert answer.status == status
    assert (answer.code if status >= 400 else "") == code
    assert await world.held() == set()
