"""Bodies with two readers, closed bodies, and reads that are cancelled."""

import asyncio
import gc
import weakref

import pytest
from tests.net.scripted import CONFIG, reply, scripted

import aiocos
from aiocos.errors import ConfigError
from aiocos.groups import engine_of

pytestmark = pytest.mark.usefixtures("backend")

DATA = bytes(range(256)) * 40
SIZE = len(DATA)
HALF = SIZE // 2
# The first reply of most scripts: half of the object, then the connection is closed.
BROKEN = reply(DATA[:HALF], length=SIZE)


def ranged(first: int, last: int, body: bytes | None = None, **more: str) -> bytes:
    """Return the reply of a server with ranges to a request for bytes `first` to `last`."""
    span = more.pop("span", f"bytes {first}-{last}/{SIZE}")
    return reply(DATA[first : last + 1] if body is None else body, status=206, Content_Range=span, **more)


async def test_two_readers():
    async with scripted(BROKEN, ranged(HALF, SIZE - 1)) as (script, cos):
        script.hold = asyncio.Event()
        async with cos.objects.get("b", "k") as obj:
            first = asyncio.create_task(obj.read())
            while obj._body.bytes_read < HALF:
                await asyncio.sleep(0)
            for _ in range(2):
                with pytest.raises(ConfigError, match="another task is reading"):
                    await obj.chunk()
            script.hold.set()
            assert await first == DATA, "who was there first is not disturbed"
        assert len(script.heads) == 2


@pytest.mark.parametrize("closing", ["stream", "client"])
async def test_close_while_a_task_reads(closing: str):
    """The reader fails at once, whatever the idle timeout is, and nothing is sent."""
    async with scripted(BROKEN) as (script, cos):
        script.hold = asyncio.Event()
        obj = await cos.objects.get("b", "k").__aenter__()
        reader = asyncio.create_task(obj.read())
        while obj._body.bytes_read < HALF:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        if closing == "stream":
            obj.close()
        else:
            await cos.close()
        async with asyncio.timeout(5):
            with pytest.raises(ConfigError, match="closed"):
                await reader
            with pytest.raises(ConfigError, match=r"closed|not open"):
                await obj.chunk()
            while script.open:
                await asyncio.sleep(0.001)
        assert len(script.heads) == 1
        if closing == "client":
            assert engine_of(cos).connections is None


async def test_read_after_the_client_was_closed():
    async with scripted(BROKEN) as (script, cos):
        script.hold = asyncio.Event()
        obj = await cos.objects.get("b", "k").__aenter__()
        first = await obj.chunk()
        await cos.close()
        async with asyncio.timeout(5):
            with pytest.raises(ConfigError, match="client was closed"):
                while chunk := await obj.chunk():
                    first += chunk
        assert DATA.startswith(first)
        assert (len(script.heads), engine_of(cos).connections) == (1, None)


async def test_opened_by_two_tasks():
    async with scripted(reply(DATA)) as (script, cos):
        stream = cos.objects.get("b", "k")
        first = asyncio.create_task(stream.__aenter__())
        await asyncio.sleep(0)
        with pytest.raises(ConfigError, match="another task is opening"):
            await stream.__aenter__()
        assert await (await first).read() == DATA
        assert len(script.heads) == 1
        # The stream can be opened again, and reads the object anew.
        async with stream:
            assert await stream.read() == DATA


async def test_read_continues_after_a_cancel():
    async with scripted(BROKEN, ranged(HALF, SIZE - 1)) as (script, cos):
        script.hold = asyncio.Event()
        async with cos.objects.get("b", "k") as obj:
            data = b""
            while len(data) < HALF:
                data += await obj.chunk()
            reader = asyncio.create_task(obj.chunk())
            await asyncio.sleep(0.01)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            script.hold.set()
            assert data + await obj.read() == DATA


@pytest.mark.parametrize("entered", [True, False], ids=["read", "unread"])
async def test_dropped_stream_closes_its_socket(entered: bool):
    config = aiocos.ClientConfig(retry=CONFIG.retry)
    async with scripted(BROKEN, config=config) as (script, cos):
        script.hold = asyncio.Event()
        stream = await cos.objects.get("b", "k").__aenter__()
        if entered:
            assert await stream.chunk()
        gone = weakref.ref(stream)
        assert script.open == 1
        del stream
        assert gone() is None, "nothing refers to the stream: it is deleted without the garbage collector"
        async with asyncio.timeout(5):
            while script.open:
                await asyncio.sleep(0.001)
        gc.collect()
