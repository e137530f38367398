"""Deletion of many objects: any number, any key, failures key by key."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from tests.recorded import Recorded

import aiocos
from aiocos.delete_many import delete_many
from aiocos.emulator import Emulator, Status
from aiocos.groups import engine_of
from aiocos.operations.listing import DeleteMarker, ObjectEntry, ObjectVersion
from aiocos.operations.objects import (
    DeletedObject,
    DeleteError,
    DeleteObject,
    DeleteObjects,
    DeleteObjectsResult,
    Deletion,
    ObjectIdentifier,
)


async def test_more_than_a_batch_from_a_listing_that_runs(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    for index in range(120):
        await cos.objects.put("bucket", f"k{index:03}", b"")
    names = [f"none-{i}" for i in range(2_400)]

    async def keys():
        for name in names:
            yield name
        async for entry in cos.objects.list("bucket", max_keys=50):
            yield entry.key

    result = await cos.objects.delete_many("bucket", keys())
    assert len(result.deleted) == 2_520
    assert result.errors == []
    assert [e async for e in cos.objects.list("bucket")] == []
    assert len([r for r in cos_emulator.requests if r.operation == "DeleteObjects"]) == 3


async def test_keys_that_xml_cannot_carry(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    keys = ["a\x01b", "a\rb", "a\nb", "a&<b", "plain"]
    for key in [*keys, "a b"]:
        await cos.objects.put("bucket", key, b"")
    result = await cos.objects.delete_many("bucket", keys)
    assert sorted(d.key for d in result.deleted) == sorted(keys)
    assert [e.key async for e in cos.objects.list("bucket")] == ["a b"]
    assert [r.key for r in cos_emulator.requests if r.operation == "DeleteObject"] == ["a\x01b"]


async def test_failures_are_per_key():
    async def some(request: web.Request) -> web.Response:
        if request.method == "DELETE":
            body = "<Error><Code>AccessDenied</Code><Message>held</Message></Error>"
            return web.Response(status=403, text=body, content_type="application/xml")
        body = (
            "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>"
        )
        return web.Response(text=body, content_type="application/xml")

    runner = web.ServerRunner(web.Server(some))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiocos.Client(f"http://127.0.0.1:{port}", credentials=aiocos.Anonymous()) as cos:
        result = await cos.objects.delete_many("bucket", ["a", "b", "c\x01"])
    await runner.cleanup()
    assert [d.key for d in result.deleted] == ["a"]
    assert sorted((e.key, e.code) for e in result.errors) == [("b", "AccessDenied"), ("c\x01", "AccessDenied")]


async def test_quiet_tells_failures_only(cos: aiocos.Client):
    await cos.buckets.create("bucket")
    result = await cos.objects.delete_many("bucket", [ObjectIdentifier(key="a"), "b"], quiet=True)
    assert (result.deleted, result.errors) == ([], [])


async def test_a_batch_that_fails_ends_it_and_the_others(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="DeleteObjects", nth=2)])
    with pytest.raises(aiocos.AccessDenied, match="DeleteObjects bucket"):
        await cos.objects.delete_many("bucket", (f"k{i}" for i in range(3_000)))


async def test_nothing_to_delete_and_one_string(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    assert (await cos.objects.delete_many("bucket", [])).deleted == []
    with pytest.raises(TypeError, match="collection"):
        await cos.objects.delete_many("bucket", "key")
    assert not [r for r in cos_emulator.requests if r.operation.startswith("Delete")]


async def test_entries_of_a_listing_are_deleted(cos: aiocos.Client):
    await cos.buckets.create("bucket")
    await cos.versioning.enable("bucket")
    for key in ("a", "b"):
        await cos.objects.put("bucket", key, b"")
    result = await cos.objects.delete_many("bucket", cos.objects.list("bucket"))
    assert sorted(one.key for one in result.deleted) == ["a", "b"]
    assert await cos.objects.list("bucket") == []
    versions = await cos.objects.list_versions("bucket")
    assert sorted(type(one).__name__ for one in versions) == ["DeleteMarker"] * 2 + ["ObjectVersion"] * 2
    await cos.objects.delete_many("bucket", versions)
    assert await cos.objects.list_versions("bucket") == []


async def test_batches_that_fail_together_are_one_failure(
    cos: aiocos.Client, cos_emulator: Emulator, caplog: pytest.LogCaptureFixture
):
    await cos.buckets.create("bucket")
    real = engine_of(cos).call
    arrived = asyncio.Barrier(4)

    async def together(operation):
        await arrived.wait()
        raise aiocos.AccessDenied("no", status=403)

    engine_of(cos).call = together
    with pytest.raises(aiocos.AccessDenied):
        await cos.objects.delete_many("bucket", (f"k{i}" for i in range(4_000)))
    engine_of(cos).call = real
    gc.collect()
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text


# ---------------------------------------------------------------------------------------------------------------------
# What is sent, without a service

# XML has no way to write this key, so it is deleted by a request of its own.
ODD = "c\x01"


def _deleting(operation: Any) -> Any:
    if isinstance(operation, DeleteObject):
        return Deletion(delete_marker=True)
    return DeleteObjectsResult(deleted=[DeletedObject(key=one.key) for one in operation.delete.objects], request_id="r")


def _refusing(status: int) -> Callable[[Any], Any]:
    return lambda _: aiocos.ServiceError("why", status=status, code="Code")


@pytest.mark.parametrize("status", [401, 429, 500, 501, 503])
async def test_what_is_no_refusal_of_one_key_is_raised(status: int):
    engine: Any = Recorded(_refusing(status))
    with pytest.raises(aiocos.ServiceError) as caught:
        await delete_many(engine, "bucket", [ODD])
    assert caught.value.status == status


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 428, 430, 499])
async def test_a_refusal_of_one_key_is_told(status: int):
    engine: Any = Recorded(_refusing(status))
    result = await delete_many(engine, "bucket", [ObjectIdentifier(key=ODD, version_id="v")])
    assert result.errors == [DeleteError(key=ODD, version_id="v", code="Code", message="why")]
    assert result.deleted == []


async def test_an_entry_of_a_listing_is_deleted_by_its_key_and_version():
    engine: Any = Recorded(_deleting)
    entries = [ObjectEntry(key="a", etag='"e"'), ObjectVersion(key="b", version_id="v"), DeleteMarker(key="c", version_id="w")]
    await delete_many(engine, "bucket", entries)
    (batch,) = engine.of(DeleteObjects)
    assert batch.delete.objects == [
        ObjectIdentifier(key="a"),
        ObjectIdentifier(key="b", version_id="v"),
        ObjectIdentifier(key="c", version_id="w"),
    ]


@pytest.mark.parametrize("keys", [[{"Key": "a"}], [None], [b"a"], [("a", "v")], b"a", ObjectIdentifier(key="a")])
async def test_a_key_of_another_type_is_refused(keys: Any):
    engine: Any = Recorded(_deleting)
    with pytest.raises(aiocos.ConfigError, match=r"each key is a str, ObjectIdentifier\(key="):
        await delete_many(engine, "bucket", keys)
    assert engine.operations == []


@pytest.mark.parametrize("quiet", [False, True])
async def test_every_request_has_what_was_said_of_all(quiet: bool):
    engine: Any = Recorded(_deleting)
    keys = [ObjectIdentifier(key=ODD, version_id="v"), "plain", ObjectIdentifier(key="other", version_id="w")]
    result = await delete_many(engine, "bucket", keys, quiet=quiet, bypass_governance=True, timeout=7)
    assert all((o.bucket, o.bypass_governance, o.timeout) == ("bucket", True, 7) for o in engine.operations)
    (single,), (batch,) = engine.of(DeleteObject), engine.of(DeleteObjects)
    assert (single.key, single.version_id) == (ODD, "v")
    assert [(one.key, one.version_id) for one in batch.delete.objects] == [("plain", None), ("other", "w")]
    assert batch.delete.quiet is (True if quiet else None)
    told = [one for one in result.deleted if one.key == ODD]
    assert told == ([] if quiet else [DeletedObject(key=ODD, version_id="v", delete_marker=True)])
    assert result.request_id == "r"


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (999, [999]), (1000, [1000]), (1001, [1000, 1]), (2000, [1000, 1000]), (2001, [1000, 1000, 1])],
)
async def test_a_batch_has_at_most_a_thousand_keys(count: int, sizes: list[int]):
    engine: Any = Recorded(_deleting)
    keys = [f"k{i}" for i in range(count)]
    result = await delete_many(engine, "bucket", keys)
    assert [len(one.delete.objects) for one in engine.of(DeleteObjects)] == sizes
    assert sorted(one.key for one in result.deleted) == sorted(keys)


async def test_four_batches_are_in_flight_and_no_more():
    in_flight, most, release = 0, 0, asyncio.Event()

    class Engine:
        async def call(self, operation: Any) -> Any:
            nonlocal in_flight, most
            in_flight += 1
            most = max(most, in_flight)
            if most == 4:
                release.set()
            async with asyncio.timeout(20):
                await release.wait()
            in_flight -= 1
            return _deleting(operation)

    engine: Any = Engine()
    result = await delete_many(engine, "bucket", (f"k{i}" for i in range(9_000)))
    assert (most, in_flight, len(result.deleted)) == (4, 0, 9_000)


async def test_a_failure_ends_the_other_requests_before_it_is_raised():
    ended: list[str] = []

    class Engine:
        async def call(self, operation: Any) -> Any:
            if isinstance(operation, DeleteObject):
                await asyncio.sleep(0)
                raise aiocos.AccessDenied("no", status=401)
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.append("batch")

    engine: Any = Engine()
    async with asyncio.timeout(20):
        with pytest.raises(aiocos.AccessDenied):
            await delete_many(engine, "bucket", [*(f"k{i}" for i in range(1_000)), ODD])
    assert ended == ["batch"]
