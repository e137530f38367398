"""Waits poll at an interval, with a timeout, and request the right thing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.recorded import Recorded, in_turn

import aiocos
from aiocos.groups import Buckets, Objects
from aiocos.operations.lifecycle import RestoreObject
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.waiting import wait_for, within
from aiocos.wire.spec import Result

GONE = aiocos.NotFound("no", status=404)
DONE = Result(request_id="r")
ARCHIVED = ObjectInfo(etag='"e"', storage_class="GLACIER", restore='ongoing-request="true"')
READABLE = ObjectInfo(
    etag='"e"', storage_class="GLACIER", restore='ongoing-request="false", expiry-date="Fri, 20 Nov 2026 10:00:00 GMT"'
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """The pauses and the timeouts of waits, none of which takes any time."""
    kept: dict[str, list[Any]] = {"pauses": [], "timeouts": []}
    sleep, timeout = asyncio.sleep, asyncio.timeout

    async def at_once(seconds: float) -> None:
        if seconds:
            kept["pauses"].append(seconds)
        await sleep(0)

    def noted(seconds: float | None) -> Any:
        kept["timeouts"].append(seconds)
        return timeout(seconds)

    monkeypatch.setattr("aiocos.waiting.pause", at_once)
    monkeypatch.setattr("aiocos.waiting.asyncio.timeout", noted)
    return kept


WAITS = {
    "an object is there": (lambda e, **more: Objects(e).wait_until_exists("b", "k", **more), [GONE, GONE, DONE]),
    "an object is gone": (lambda e, **more: Objects(e).wait_until_gone("b", "k", **more), [DONE, DONE, GONE]),
    "a bucket is there": (lambda e, **more: Buckets(e).wait_until_exists("b", **more), [GONE, GONE, DONE]),
    "a bucket is gone": (lambda e, **more: Buckets(e).wait_until_gone("b", **more), [DONE, DONE, GONE]),
}


@pytest.mark.parametrize(("wait", "seen"), WAITS.values(), ids=WAITS)
async def test_a_wait_looks_every_5_seconds_for_100(wait: Any, seen: list[Any], clock: dict[str, list[Any]]):
    engine = Recorded(in_turn(*seen))
    assert await wait(engine) is None
    assert clock == {"pauses": [5, 5], "timeouts": [100]}
    assert len(engine.operations) == 3


@pytest.mark.parametrize(("wait", "seen"), WAITS.values(), ids=WAITS)
async def test_a_wait_looks_as_often_as_it_is_told(wait: Any, seen: list[Any], clock: dict[str, list[Any]]):
    assert await wait(Recorded(in_turn(*seen)), poll=2, timeout=None) is None
    assert clock == {"pauses": [2, 2], "timeouts": [None]}


async def test_a_wait_for_a_version_asks_for_it():
    objects, engine = Objects, Recorded(in_turn(DONE, GONE))
    await objects(engine).wait_until_exists("b", "k", version_id="v")  # type: ignore[arg-type]
    await objects(engine).wait_until_gone("b", "k", version_id="w")  # type: ignore[arg-type]
    assert [one.version_id for one in engine.of(HeadObject)] == ["v", "w"]


async def test_what_was_seen_last_is_returned(clock: dict[str, list[Any]]):
    left = [1, 2, 3]

    async def look() -> int:
        return left.pop(0)

    assert await wait_for(look, lambda seen: seen == 2, what="two", timeout=None, poll=1) == 2
    assert (left, clock["pauses"]) == ([3], [1])


async def test_a_timeout_of_the_work_itself_is_its_own():
    async def late() -> None:
        raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work") as caught:
        await within(late(), what="it", timeout=60)
    assert not isinstance(caught.value, aiocos.RequestTimeoutError)

    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(aiocos.RequestTimeoutError, match=r"^it: not within 0\.01 s") as timed:
        await within(never(), what="it", timeout=0.01)
    assert timed.value.sent is True

    async def inner() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise aiocos.RequestTimeoutError("a request", sent=False) from None

    with pytest.raises(aiocos.RequestTimeoutError, match="a request"):
        await within(inner(), what="it", timeout=0.01)


# ---------------------------------------------------------------------------------------------------------------------
# Restoring


async def test_a_restore_is_asked_for_and_not_waited_for():
    engine: Any = Recorded(in_turn(DONE))
    assert await Objects(engine).restore("b", "k", days=3, tier="Bulk", version_id="v") is DONE
    (asked,) = engine.of(RestoreObject)
    assert (asked.bucket, asked.key, asked.version_id, asked.request.days) == ("b", "k", "v", 3)
    assert asked.request.glacier_job_parameters.tier == "Bulk"


async def test_a_restore_without_a_tier_leaves_it_to_the_rule():
    engine: Any = Recorded(in_turn(DONE))
    await Objects(engine).restore("b", "k", days=1)
    assert engine.operations[0].request.glacier_job_parameters is None


@pytest.mark.parametrize(("more", "pause"), [({}, 60), ({"poll": 7}, 7)])
async def test_a_restore_is_waited_for(more: dict[str, Any], pause: int, clock: dict[str, list[Any]]):
    engine: Any = Recorded(in_turn(DONE, ARCHIVED, ARCHIVED, READABLE))
    assert await Objects(engine).restore("b", "k", days=1, version_id="v", wait=True, timeout=500, **more) is READABLE
    assert clock["pauses"] == [pause, pause]
    assert sorted(clock["timeouts"], key=str) == [500, None]
    assert [(one.bucket, one.key, one.version_id) for one in engine.of(HeadObject)] == [("b", "k", "v")] * 3
