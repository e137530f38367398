"""Archived objects: when they are archived, what responses say about them, and how they are restored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
import pytest_asyncio

import aiocos
from aiocos import Client, LifecycleRule
from aiocos.emulator import Clock, Emulator

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2030, 3, 1, 12, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="module")
async def clock() -> Clock:
    return Clock(START)


@pytest_asyncio.fixture(loop_scope="module")
async def cos(clock: Clock):
    async with Emulator(clock=clock) as emulator, emulator.client() as client:
        await client.buckets.create("bucket", location="us-south-smart")
        yield client


async def _refused(cos: Client, key: str) -> None:
    with pytest.raises(aiocos.InvalidObjectState) as caught:
        await cos.objects.read("bucket", key)
    assert (caught.value.status, caught.value.code) == (403, "InvalidObjectState")


async def test_an_archive_rule_applies_only_to_objects_written_after_it(cos: Client, clock: Clock) -> None:
    await cos.objects.put("bucket", "old", b"data")
    await cos.lifecycle.put("bucket", [LifecycleRule.archive(days=20, id="a")])
    await cos.objects.put("bucket", "new", b"data")
    head = await cos.objects.head("bucket", "new")
    assert head.transition == 'transition="ARCHIVE", date="Thu, 21 Mar 2030 12:00:00 GMT"'
    assert (head.storage_class, head.is_archived) == (None, False)
    await cos.lifecycle.delete("bucket")  # objects written under the rule stay under it
    clock.advance(20 * DAY - HOUR)
    assert await cos.objects.read("bucket", "new") == b"data"
    clock.advance(HOUR)
    await _refused(cos, "new")
    head = await cos.objects.head("bucket", "new")
    assert (head.storage_class, head.is_archived, head.restore) == ("GLACIER", True, None)
    # In the documentation, every object with a transition has its time in the response, archived or not.
    assert head.transition == 'transition="ARCHIVE", date="Thu, 21 Mar 2030 12:00:00 GMT"'
    assert head.archive_transition_time == "Thu, 21 Mar 2030 12:00:00 GMT"
    assert [e.storage_class async for e in cos.objects.list("bucket")] == ["GLACIER", "STANDARD"]
    assert await cos.objects.read("bucket", "old") == b"data"
    await cos.objects.put("bucket", "later", b"data")
    clock.advance(100 * DAY)
    assert await cos.objects.read("bucket", "later") == b"data"


async def test_archive_rules_of_zero_days_and_of_a_date(cos: Client, clock: Clock) -> None:
    await cos.lifecycle.put("bucket", [LifecycleRule.archive(days=0)])
    await cos.objects.put("bucket", "at once", b"data")
    await _refused(cos, "at once")
    await cos.lifecycle.put("bucket", [LifecycleRule.archive(date=START + 3 * DAY + 12 * HOUR)])
    await cos.objects.put("bucket", "dated", b"data")
    clock.advance(3 * DAY + 11 * HOUR)
    assert await cos.objects.read("bucket", "dated") == b"data"
    clock.advance(HOUR)
    await _refused(cos, "dated")


@pytest.mark.parametrize(
    ("storage_class", "tier", "hours"),
    [("GLACIER", None, 12), ("GLACIER", "Bulk", 12), ("ACCELERATED", None, 2), ("ACCELERATED", "Accelerated", 2),
     ("ACCELERATED", "Bulk", 12)],
)  # fmt: skip
async def test_a_restored_copy_is_readable_until_it_expires(
    cos: Client,
    clock: Clock,
    storage_class: Literal["GLACIER", "ACCELERATED"],
    tier: Literal["Bulk", "Accelerated"] | None,
    hours: int,
) -> None:
    await cos.lifecycle.put("bucket", [LifecycleRule.archive(days=0, storage_class=storage_class)])
    await cos.objects.put("bucket", "key", b"data")
    await cos.objects.restore("bucket", "key", days=3, tier=tier)
    head = await cos.objects.head("bucket", "key")
    assert (head.restore, head.is_restoring, head.is_archived) == ('ongoing-request="true"', True, True)
    assert head.restored_copy_storage_class == "Smart"
    await _refused(cos, "key")
    with pytest.raises(aiocos.Conflict) as caught:
        await cos.objects.restore("bucket", "key", days=3)
    assert (caught.value.status, caught.value.code) == (409, "RestoreAlreadyInProgress")
    clock.advance(hours * HOUR - timedelta(seconds=1))
    await _refused(cos, "key")
    clock.advance(1)
    until = START + hours * HOUR + 3 * DAY
    head = await cos.objects.head("bucket", "key")
    assert (head.storage_class, head.is_restoring, head.is_archived) == (storage_class, False, False)
    assert head.restored_until == until
    assert await cos.objects.read("bucket", "key") == b"data"
    clock.advance(DAY)
    await cos.objects.restore("bucket", "key", days=10)  # the lifetime of the copy starts again now
    until = START + hours * HOUR + 11 * DAY
    assert (await cos.objects.head("bucket", "key")).restored_until == until
    clock.advance(10 * DAY)
    await _refused(cos, "key")
    assert (await cos.objects.head("bucket", "key")).restore is None
    await cos.objects.restore("bucket", "key", days=1)
    assert (await cos.objects.head("bucket", "key")).is_restoring


async def test_invalid_restores_are_refused(cos: Client) -> None:
    await cos.objects.put("bucket", "plain", b"data")
    with pytest.raises(aiocos.InvalidObjectState) as caught:
        await cos.objects.restore("bucket", "plain", days=1)
    assert (caught.value.status, caught.value.code) == (403, "ObjectAlreadyInActiveTierError")
    with pytest.raises(aiocos.NoSuchKey):
        await cos.objects.restore("bucket", "missing", days=1)
    await cos.lifecycle.put("bucket", [LifecycleRule.archive(days=0)])
    await cos.objects.put("bucket", "key", b"data")
    with pytest.raises(aiocos.InvalidRequest) as refused:
        await cos.objects.restore("bucket", "key", days=0)
    assert refused.value.code == "InvalidArgument"
    with pytest.raises(aiocos.InvalidRequest) as refused:
        await cos.objects.restore("bucket", "key", days=1, tier="Accelerated")
    assert refused.value.code == "InvalidArgument"


async def test_archived_content_cannot_be_copied(cos: Client, clock: Clock) -> None:
    await cos.buckets.create("other")
    await cos.lifecycle.put("bucket", [LifecycleRule.archive(days=0)])
    await cos.objects.put("bucket", "key", b"data", metadata={"who": "me"})
    with pytest.raises(aiocos.InvalidObjectState):
        await cos.objects.copy("other", "copy", ("bucket", "key"))
    upload = await cos.multipart.create("other", "joined")
    with pytest.raises(aiocos.InvalidObjectState):
        await cos.multipart.upload_part_copy("other", "joined", upload.upload_id, 1, ("bucket", "key"))
    assert (await cos.objects.head("bucket", "key")).metadata == {"who": "me"}
    await cos.objects.delete("bucket", "key")
    await cos.objects.put("bucket", "key", b"again")  # a new object under the rule: archived too
    await _refused(cos, "key")
    await cos.objects.restore("bucket", "key", days=1)
    clock.advance(12 * HOUR)
    await cos.objects.copy("other", "copy", ("bucket", "key"))
    assert await cos.objects.read("other", "copy") == b"again"
    clock.advance(5 * DAY)
    assert await cos.objects.read("other", "copy") == b"again"


async def test_a_multipart_upload_is_archived(cos: Client) -> None:
    await cos.lifecycle.put("bucket", [LifecycleRule.archive(days=0)])
    await cos.upload("bucket", "large", b"x" * (12 * 1024 * 1024), part_size=5 * 1024 * 1024)
    await _refused(cos, "large")


async def test_restore_with_wait_returns_when_the_copy_is_readable(cos: Client, clock: Clock) -> None:
    await cos.lifecycle.put("bucket", [LifecycleRule.archive(days=0, storage_class="ACCELERATED")])
    await cos.objects.put("bucket", "key", b"data")
    with pytest.raises(aiocos.RequestTimeoutError, match="bucket/key"):
        await cos.objects.restore("bucket", "key", days=1, wait=True, poll=0.01, timeout=0.2)

    with pytest.raises(aiocos.Conflict):
        await cos.objects.restore("bucket", "key", days=1, wait=True)
    clock.advance(2 * HOUR + 2 * DAY)
    waiting = asyncio.create_task(cos.objects.restore("bucket", "key", days=1, wait=True, poll=0.01))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    clock.advance(2 * HOUR)
    info = await waiting
    assert not info.is_archived
    assert await cos.objects.read("bucket", "key") == b"data"
