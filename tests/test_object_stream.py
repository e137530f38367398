"""Reading objects from the emulator: continuations, versions, damage, several readers."""

import asyncio
import gc
import itertools
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

import aiocos
from aiocos import ByteRange
from aiocos.emulator import Emulator, FlipBit, Reset, Status, Truncate
from aiocos.errors import ConnectionLostError, IntegrityError, InvalidRange, NotModified, PreconditionFailed, ProtocolError
from aiocos.groups import engine_of
from aiocos.object_stream import ObjectStream

# One emulator for all tests of this module, each with a bucket of its own: starting one takes longer than most tests.
pytestmark = [pytest.mark.usefixtures("backend"), pytest.mark.asyncio(loop_scope="module")]

DATA = os.urandom(3_000_000)
_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as emulator:
        yield emulator


@pytest_asyncio.fixture(loop_scope="module")
async def cos_emulator(shared_emulator: Emulator) -> Emulator:
    shared_emulator.faults.clear()
    shared_emulator.requests.clear()
    return shared_emulator


@pytest_asyncio.fixture(loop_scope="module")
async def cos(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    async with cos_emulator.client() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def bucket(cos: aiocos.Client) -> str:
    name = f"bucket-{next(_numbers)}"
    await cos.buckets.create(name)
    await cos.objects.put(name, "k", DATA, content_type="x/y", metadata={"Who": "me"})
    return name


async def test_stream_properties(cos: aiocos.Client, bucket: str):
    stream = cos.objects.get(bucket, "k")
    with pytest.raises(aiocos.ConfigError, match="async with"):
        _ = stream.etag
    with pytest.raises(aiocos.ConfigError, match="async with"):
        await stream.read()
    async with stream as obj:
        assert (obj.size, obj.content_type, obj.metadata) == (len(DATA), "x/y", {"who": "me"})
        assert obj.etag.startswith('"')
        assert b"".join([chunk async for chunk in obj.chunks(100_000)]) == DATA
    async with cos.objects.get(bucket, "k") as obj:
        sizes = [len(chunk) async for chunk in obj.chunks(700_000)]
    assert sizes == [700_000] * 4 + [200_000]


@pytest.mark.parametrize("fault", [{"after": 1_000_000}, {"sent": 1_000_000}], ids=["truncated", "reset"])
async def test_broken_read_continues_at_its_byte(cos: aiocos.Client, cos_emulator: Emulator, bucket: str, fault):
    kind = Truncate if "after" in fault else Reset
    cos_emulator.faults.script([kind(operation="GetObject", **fault)])
    async with cos.objects.get(bucket, "k") as obj:
        assert await obj.read() == DATA
    await asyncio.sleep(0.05)  # the emulator records a request at its end, which may be after the response
    assert sorted(r.status for r in cos_emulator.requests if r.operation == "GetObject") == [200, 206]
    assert len(cos_emulator.faults.hits) == 1


async def test_broken_range_continues_within_the_range(cos: aiocos.Client, cos_emulator: Emulator, bucket: str):
    cos_emulator.faults.script([Truncate(300_000, operation="GetObject", times=2)])
    assert await cos.objects.read(bucket, "k", range=ByteRange(1_000_000, 1_999_999)) == DATA[1_000_000:2_000_000]
    cos_emulator.faults.script([Truncate(300_000, operation="GetObject")])
    assert await cos.objects.read(bucket, "k", range=ByteRange.suffix(1_000_000)) == DATA[-1_000_000:]


async def test_body_ends_with_its_client(cos: aiocos.Client, cos_emulator: Emulator, bucket: str):
    """A closed client can be used again, but a body from before must not open connections that nothing closes."""
    await cos.objects.put(bucket, "large", DATA * 5)
    async with cos_emulator.client() as other:
        async with other.objects.get(bucket, "large") as obj:
            first = await obj.chunk()
            await other.close()
            async with asyncio.timeout(5):
                with pytest.raises(aiocos.ConfigError, match="client was closed"):
                    await obj.read()
                with pytest.raises(aiocos.ConfigError, match="client was closed"):
                    await obj.chunk()
            assert engine_of(other).connections is None
        assert first
        assert await other.objects.read(bucket, "large") == DATA * 5


async def test_failed_continuation_is_retried(cos: aiocos.Client, cos_emulator: Emulator, bucket: str):
    cos_emulator.faults.script(
        [
            Truncate(500_000, operation="GetObject"),
            Status(503, code="SlowDown", operation="GetObject"),
            Reset(operation="GetObject"),
        ]
    )
    assert await cos.objects.read(bucket, "k") == DATA


async def test_retries_end_if_no_byte_arrives(cos_emulator: Emulator, cos: aiocos.Client, bucket: str):
    config = aiocos.ClientConfig(retry=aiocos.RetryConfig(attempts=3, base=0.01))
    cos_emulator.faults.script([Truncate(0, operation="GetObject", times=None)])
    async with cos_emulator.client(config=config) as impatient:
        with pytest.raises(ConnectionLostError, match="after 3 attempts"):
            await impatient.objects.read(bucket, "k")


async def test_versions_are_never_mixed(cos: aiocos.Client, cos_emulator: Emulator, bucket: str):
    cos_emulator.faults.script([Truncate(1_000_000, operation="GetObject")])
    async with cos.objects.get(bucket, "k") as obj:
        first = await obj.chunk()
        await cos.objects.put(bucket, "k", os.urandom(3_000_000))
        with pytest.raises(PreconditionFailed, match="replaced while it was being read"):
            await obj.read()
    assert DATA.startswith(first)


async def test_flipped_bit_is_detected(cos: aiocos.Client, cos_emulator: Emulator, bucket: str):
    cos_emulator.faults.script([FlipBit(12345, operation="GetObject")])
    async with cos.objects.get(bucket, "k") as obj:
        with pytest.raises(IntegrityError) as caught:
            await obj.read()
    assert caught.value.expected != caught.value.actual
    cos_emulator.faults.script([FlipBit(12345, operation="GetObject")])
    assert await cos.objects.read(bucket, "k") == DATA, "into memory, it is read again"
    cos_emulator.faults.script([FlipBit(12345, operation="GetObject", times=None)])
    with pytest.raises(IntegrityError):
        await cos.objects.read(bucket, "k")


async def test_verify_reads_false(cos: aiocos.Client, cos_emulator: Emulator, bucket: str):
    cos_emulator.faults.script([FlipBit(0, operation="GetObject")])
    async with cos_emulator.client(config=aiocos.ClientConfig(verify_reads=False)) as trusting:
        assert await trusting.objects.read(bucket, "k") != DATA


async def test_etag_that_is_not_a_checksum_is_not_compared(cos: aiocos.Client, bucket: str):
    key = os.urandom(32)
    put = await cos.objects.put(bucket, "sse", DATA, customer_key=key)
    assert put.customer_algorithm == "AES256"
    assert await cos.objects.read(bucket, "sse", customer_key=key) == DATA


async def test_conditional_reads(cos: aiocos.Client, bucket: str):
    etag = (await cos.objects.head(bucket, "k")).etag
    with pytest.raises(NotModified):
        async with cos.objects.get(bucket, "k", if_none_match=etag):
            pass
    with pytest.raises(PreconditionFailed):
        await cos.objects.read(bucket, "k", if_match='"0"')
    with pytest.raises(InvalidRange):
        await cos.objects.read(bucket, "k", range=ByteRange(3_000_000))


def _app(handler) -> web.Application:
    app = web.Application()
    app.router.add_route("GET", "/{tail:.*}", handler)
    return app


async def _serving(handler, aiohttp_port: list[int]) -> web.AppRunner:
    runner = web.AppRunner(_app(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    aiohttp_port.append(site._server.sockets[0].getsockname()[1])
    return runner


async def test_whole_object_for_a_range_is_refused():
    """A continuation skips what was read; for a requested range, the whole object is an error."""
    calls = 0

    async def whole(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        response = web.StreamResponse(headers={"ETag": '"abc"', "Content-Length": str(len(DATA))})
        await response.prepare(request)
        await response.write(DATA[:2_000_000] if calls == 1 else DATA)
        if calls == 1:
            request.transport.close()
        return response

    port: list[int] = []
    runner = await _serving(whole, port)
    try:
        async with aiocos.Client(f"http://127.0.0.1:{port[0]}", credentials=aiocos.Anonymous()) as cos:
            assert await cos.objects.read("bucket", "k") == DATA
            assert calls == 2
            with pytest.raises(ProtocolError, match="whole object"):
                await cos.objects.read("bucket", "k", range=ByteRange(5, 9))
            with pytest.raises(ProtocolError, match="part 2"):
                await cos.objects.read("bucket", "k", part_number=2)
    finally:
        await runner.cleanup()


async def test_range_with_status_200():
    async def ranged(request: web.Request) -> web.Response:
        headers = {"ETag": '"abc"', "Content-Range": f"bytes 5-9/{len(DATA)}"}
        return web.Response(status=200, body=DATA[5:10], headers=headers)

    port: list[int] = []
    runner = await _serving(ranged, port)
    try:
        async with aiocos.Client(f"http://127.0.0.1:{port[0]}", credentials=aiocos.Anonymous()) as cos:
            assert await cos.objects.read("bucket", "k", range=ByteRange(5, 9)) == DATA[5:10]
            with pytest.raises(ProtocolError, match="asked for bytes=6-9"):
                await cos.objects.read("bucket", "k", range=ByteRange(6, 9))
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("steps", [1, 5, 20, 60])
@pytest.mark.parametrize("how", ["read", "chunks"])
async def test_read_after_a_cancelled_read_raises(cos: aiocos.Client, bucket: str, how: str, steps: int):
    """The bytes of the first read are lost, and the rest alone would look like the whole object."""

    async def taken(obj: ObjectStream) -> bytes:
        return await obj.read() if how == "read" else b"".join([chunk async for chunk in obj.chunks(1 << 30)])

    async with cos.objects.get(bucket, "k") as obj:
        first = asyncio.create_task(taken(obj))
        for _ in range(steps):
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        if not first.cancelled():
            return
        try:
            again = await taken(obj)
        except aiocos.ConfigError as error:
            assert "are lost" in str(error)  # noqa: PT017 - either is right
        else:
            assert again == DATA, "nothing had been taken"


async def test_two_iterations_at_once(cos: aiocos.Client, bucket: str):
    async def each(obj: ObjectStream) -> bytes:
        got = bytearray()
        async for chunk in obj:
            got += chunk
            await asyncio.sleep(0)
        return bytes(got)

    async with cos.objects.get(bucket, "k") as obj:
        results = await asyncio.gather(each(obj), each(obj), each(obj), return_exceptions=True)
    assert any(isinstance(result, aiocos.ConfigError) for result in results)
    for result in results:
        assert isinstance(result, aiocos.ConfigError) or result == DATA


async def test_iteration_can_be_continued(cos: aiocos.Client, bucket: str):
    async with cos.objects.get(bucket, "k") as obj:
        got = b""
        async for chunk in obj:
            got += chunk
            break
        waiting = asyncio.ensure_future(obj.chunk())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        if not waiting.cancelled():
            got += waiting.result()
        assert got + await obj.read() == DATA


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("how", ["left", "broken out of", "dropped"])
async def test_unread_body_keeps_no_connection(cos: aiocos.Client, bucket: str, how: str):
    """A closed body frees its connection at once, a dropped one when nothing refers to it, with a warning."""
    await cos.objects.put(bucket, "key", os.urandom(8_000_000))
    connector = engine_of(cos)._transport._state().connector
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # the warning of aiohttp itself
    for _ in range(3):
        obj = cos.objects.get(bucket, "key")
        if how == "left":
            async with obj:
                await obj.chunk()
        else:
            await obj.__aenter__()
            async for _ in obj:
                if how == "broken out of":
                    break
                assert await obj.chunk()
                break
        del obj
    async with asyncio.timeout(30):
        while connector._acquired:
            # A task of the loop closes the abandoned iterator; until then it refers to the body.
            await asyncio.sleep(0)
            gc.collect()
    await cos.objects.head(bucket, "key")
    asyncio.get_running_loop().set_exception_handler(None)
