"""Metadata is changed by a copy that keeps everything else."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.recorded import Recorded

import aiocos
from aiocos import Client
from aiocos.config import MAX_PUT
from aiocos.emulator import Emulator
from aiocos.emulator.faults import Status
from aiocos.groups import Objects
from aiocos.operations.acl import GetObjectAcl, Grant, ObjectAccess
from aiocos.operations.objects import CopyObject, CopyObjectResult, HeadObject, ObjectInfo
from aiocos.operations.shared import Grantee
from aiocos.wire.values import CopySource, CustomerKey, Stored

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

    with pytest.raises(aiocos.RequestTimeoutError, match=r"object bucket/key exists: not within 0\.05 s"):
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
    assert not isinstance(caught.value, aiocos.RequestTimeoutError)


# ---------------------------------------------------------------------------------------------------------------------
# What the copy says, without a service

LATER, PAST = datetime(2999, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)
PRIVATE = ObjectAccess(grants=[Grant(grantee=Grantee(type="CanonicalUser", id="i"), permission="FULL_CONTROL"), Grant()])
PUBLIC = ObjectAccess(
    grants=[
        *PRIVATE.grants,
        Grant(grantee=Grantee(type="Group", uri="http://acs.amazonaws.com/groups/global/AllUsers"), permission="READ"),
    ]
)
OTHERS = ObjectAccess(
    grants=[
        Grant(grantee=Grantee(type="Group", uri="http://acs.amazonaws.com/groups/global/AuthenticatedUsers"), permission="READ")
    ]
)


def _info(**more: Any) -> ObjectInfo:
    return ObjectInfo(etag='"e"', content_length=5, **more)


async def _copy_of(info: ObjectInfo, access: ObjectAccess = PRIVATE, **more: Any) -> tuple[CopyObject, Recorded]:
    def answer(operation: Any) -> Any:
        if isinstance(operation, HeadObject):
            return info
        return access if isinstance(operation, GetObjectAcl) else CopyObjectResult(etag='"f"')

    engine: Any = Recorded(answer)
    assert (await Objects(engine).update_metadata("b", "k", **more)).etag == '"f"'
    (copy,) = engine.of(CopyObject)
    return copy, engine


async def test_a_copy_says_all_that_was_said_of_the_object() -> None:
    headers = {
        "content_type": "a/b",
        "content_encoding": "gzip",
        "content_disposition": "inline",
        "content_language": "de",
        "cache_control": "no-store",
        "website_redirect_location": "/x",
    }
    copy, _ = await _copy_of(_info(version_id="v", metadata={"a": "1", "b": "2"}, expires="0", **headers))
    assert {name: getattr(copy, name) for name in headers} == headers
    assert (copy.source, copy.source_if_match, copy.metadata_directive) == (CopySource("b", "k", "v"), '"e"', "REPLACE")
    assert (copy.metadata, copy.expires, copy.retention_directive) == ({"a": "1", "b": "2"}, "0", None)
    assert isinstance(copy.expires, Stored)

    changed = {name: value + "+" for name, value in headers.items()}
    copy, _ = await _copy_of(_info(expires="0", **headers), expires=EXPIRES, **changed)
    assert ({name: getattr(copy, name) for name in headers}, copy.expires) == (changed, EXPIRES)

    copy, _ = await _copy_of(_info(**headers), **dict.fromkeys(headers, ""))
    assert {name: getattr(copy, name) for name in headers} == dict.fromkeys(headers)
    assert copy.expires is None


async def test_names_of_metadata_ignore_case() -> None:
    copy, _ = await _copy_of(_info(metadata={"a": "1", "b": "2", "c": "3"}), metadata={"B": "two", "D": "4"}, remove=["A", "D"])
    assert copy.metadata == {"b": "two", "c": "3", "d": "4"}


async def test_every_request_has_the_key_and_the_deadline() -> None:
    key = CustomerKey(b"k" * 32)
    copy, engine = await _copy_of(_info(version_id="v"), customer_key=key, timeout=9)
    assert [one.timeout for one in engine.operations] == [9, 9, 9]
    (head,), (acl,) = engine.of(HeadObject), engine.of(GetObjectAcl)
    assert (head.customer_key, copy.customer_key, copy.source_customer_key) == (key, key, key)
    assert (acl.bucket, acl.key, acl.version_id) == ("b", "k", "v")


@pytest.mark.parametrize(("access", "acl"), [(PUBLIC, "public-read"), (PRIVATE, None), (OTHERS, None), (ObjectAccess(), None)])
async def test_what_was_public_stays_public(access: ObjectAccess, acl: str | None) -> None:
    copy, _ = await _copy_of(_info(), access)
    assert copy.acl == acl
    copy, engine = await _copy_of(_info(), access, acl="private")
    assert (copy.acl, engine.of(GetObjectAcl)) == ("private", [])


@pytest.mark.parametrize(
    ("info", "lock"),
    [
        ({}, (None, None, None)),
        ({"object_lock_mode": "COMPLIANCE", "object_lock_retain_until": LATER}, ("COMPLIANCE", LATER, None)),
        ({"object_lock_mode": "COMPLIANCE", "object_lock_retain_until": PAST}, (None, None, None)),
        ({"object_lock_mode": "COMPLIANCE"}, (None, None, None)),
        ({"object_lock_retain_until": LATER}, (None, None, None)),
        ({"object_lock_legal_hold": "ON"}, (None, None, "ON")),
        ({"object_lock_legal_hold": "OFF"}, (None, None, None)),
    ],
)
async def test_a_lock_that_holds_still_goes_with_the_copy(info: dict[str, Any], lock: tuple[Any, ...]) -> None:
    copy, _ = await _copy_of(_info(**info))
    assert (copy.object_lock_mode, copy.object_lock_retain_until, copy.object_lock_legal_hold) == lock


@pytest.mark.parametrize(("period", "directive"), [(None, None), (0, "COPY"), (60, "COPY")])
async def test_a_retention_goes_with_the_copy(period: int | None, directive: str | None) -> None:
    copy, _ = await _copy_of(_info(retention_period=period))
    assert copy.retention_directive == directive


async def test_what_one_copy_cannot_carry_is_refused() -> None:
    largest = ObjectInfo(etag='"e"', content_length=MAX_PUT)
    await _copy_of(largest)
    with pytest.raises(aiocos.ConfigError, match=r"update_metadata b/k: .*cannot be copied in one piece"):
        await _copy_of(largest.model_copy(update={"content_length": MAX_PUT + 1}))
    await _copy_of(_info(missing_meta=0))
    with pytest.raises(aiocos.ConfigError, match="2 entries of its metadata"):
        await _copy_of(_info(missing_meta=2))
