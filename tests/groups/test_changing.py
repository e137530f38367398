"""Metadata changed by a copy that keeps the rest, and waiting."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime

import pytest

import aiocos
from aiocos import Client
from aiocos.emulator import Emulator
from aiocos.emulator.faults import Status

EXPIRES = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def bucket(cos: Client) -> None:
    await cos.buckets.create("bucket")


async def test_what_is_not_changed_stays(cos: Client) -> None:
    await cos.objects.put(
        "bucket",
        "key",
        b"data",
        content_type="text/plain",
        content_encoding="identity",
        content_disposition="inline",
        content_language="de",
        cache_control="no-store",
        expires=EXPIRES,
        website_redirect_location="/other",
        metadata={"a": "1", "b": "2"},
        tagging="k=v&l=w",
        acl="public-read",
    )
    before = await cos.objects.head("bucket", "key")
    await cos.objects.update_metadata("bucket", "key", metadata={"B": "two", "c": "3"}, remove=["A"])
    after = await cos.objects.head("bucket", "key")
    assert after.metadata == {"b": "two", "c": "3"}
    changing = {"metadata", "request_id", "last_modified"}
    assert after.model_dump(exclude=changing) == before.model_dump(exclude=changing)
    assert any(g.grantee and g.grantee.uri for g in (await cos.acl.get_object("bucket", "key")).grants)
    assert await cos.objects.read("bucket", "key") == b"data"

    await cos.objects.update_metadata("bucket", "key", content_type="text/html", cache_control="", acl="private")
    after = await cos.objects.head("bucket", "key")
    assert (after.content_type, after.cache_control, after.content_language) == ("text/html", None, "de")
    assert after.metadata == {"b": "two", "c": "3"}
    assert after.expires == "Thu, 02 Jan 2031 03:04:05 GMT"
    assert len((await cos.acl.get_object("bucket", "key")).grants) == 1


async def test_a_customers_key(cos: Client) -> None:
    key = os.urandom(32)
    await cos.objects.put("bucket", "key", b"data", customer_key=key)
    await cos.objects.update_metadata("bucket", "key", metadata={"a": "1"}, customer_key=key)
    assert (await cos.objects.head("bucket", "key", customer_key=key)).metadata == {"a": "1"}
    assert await cos.objects.read("bucket", "key", customer_key=key) == b"data"


async def test_an_object_written_in_between_is_not_lost(cos: Client, cos_emulator: Emulator) -> None:
    await cos.objects.put("bucket", "key", b"data")
    # The copy finds another object than HEAD described.
    cos_emulator.faults.script([Status(503, retry_after=1, operation="CopyObject")])
    task = asyncio.create_task(cos.objects.update_metadata("bucket", "key", metadata={"a": "1"}))
    while not any(served.operation == "CopyObject" for served in cos_emulator.requests):
        await asyncio.sleep(0.005)
    await cos.objects.put("bucket", "key", b"other")
    with pytest.raises(aiocos.PreconditionFailed):
        await task
    assert await cos.objects.read("bucket", "key") == b"other"
    with pytest.raises(aiocos.NotFound):
        await cos.objects.update_metadata("bucket", "missing", metadata={"a": "1"})


async def test_waiting_until_something_is_there_or_gone(cos: Client) -> None:
    wait = {"poll": 0.01, "timeout": 5}
    there = asyncio.create_task(cos.objects.wait_until_exists("bucket", "key", **wait))
    bucket = asyncio.create_task(cos.buckets.wait_until_exists("second", **wait))
    await asyncio.sleep(0.05)
    assert not there.done()
    assert not bucket.done()
    await cos.objects.put("bucket", "key", b"")
    await cos.buckets.create("second")
    await asyncio.gather(there, bucket)

    gone = asyncio.create_task(cos.objects.wait_until_gone("bucket", "key", **wait))
    bucket = asyncio.create_task(cos.buckets.wait_until_gone("second", **wait))
    await asyncio.sleep(0.05)
    assert not gone.done()
    await cos.objects.delete("bucket", "key")
    await cos.buckets.delete("second")
    await asyncio.gather(gone, bucket)

    with pytest.raises(aiocos.TimedOut, match=r"object bucket/key exists: not within 0\.05 s"):
        await cos.objects.wait_until_exists("bucket", "key", poll=0.01, timeout=0.05)
    with pytest.raises(TimeoutError):
        await cos.buckets.wait_until_gone("bucket", poll=0.01, timeout=0.05)


async def test_a_wait_does_not_hide_other_errors(cos: Client, cos_emulator: Emulator) -> None:
    cos_emulator.faults.script([Status(403, "AccessDenied", operation="HeadObject")])
    with pytest.raises(aiocos.AccessDenied):
        await cos.objects.wait_until_exists("bucket", "key", poll=0.01)
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.05):
            await cos.objects.wait_until_exists("bucket", "key", poll=0.01, timeout=5)
    assert not isinstance(caught.value, aiocos.TimedOut)
