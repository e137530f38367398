"""Deleting many objects: any number, any key, failures one by one."""

import asyncio
import gc

import pytest
from aiohttp import web

import aiocos
from aiocos.emulator import Emulator, Status
from aiocos.operations.objects import ObjectIdentifier


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


async def test_batches_that_fail_together_are_one_failure(
    cos: aiocos.Client, cos_emulator: Emulator, caplog: pytest.LogCaptureFixture
):
    await cos.buckets.create("bucket")
    real = cos.engine.call
    arrived = asyncio.Barrier(4)

    async def together(operation):
        await arrived.wait()
        raise aiocos.AccessDenied("no", status=403)

    cos.engine.call = together
    with pytest.raises(aiocos.AccessDenied):
        await cos.objects.delete_many("bucket", (f"k{i}" for i in range(4_000)))
    cos.engine.call = real
    gc.collect()
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text
