"""What a source or an observer of the user's own does: its exceptions, its buffers, its habits."""

import asyncio
import gc
import os
from pathlib import Path

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, used

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator
from aiocos.errors import ConfigError


class Gone(Exception):
    pass


@pytest.mark.parametrize("before", [1_000, 2 * PART + 10], ids=["first part", "later"])
async def test_a_cause_that_the_source_gave_stays(small: aiocos.Client, before: int):
    reason = KeyError("the reason")

    async def failing():
        yield DATA[:before]
        raise Gone("away") from reason

    with pytest.raises(Gone) as caught:
        await small.upload("bucket", "key", failing())
    assert caught.value.__cause__ is reason
    assert used(small) == 0


@pytest.mark.parametrize("timeout", [None, 60])
@pytest.mark.parametrize("before", [10, 2 * PART + 10], ids=["first part", "later"])
async def test_a_sources_own_timeout_is_not_the_transfers(small: aiocos.Client, timeout: float | None, before: int):
    async def impatient():
        yield DATA[:before]
        async with asyncio.timeout(0.01):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError) as caught:
        await small.upload("bucket", "key", impatient(), timeout=timeout)
    assert not isinstance(caught.value, aiocos.RequestTimeoutError)
    assert await open_uploads(small) == []


async def test_a_buffer_that_is_used_again(small: aiocos.Client):
    """A source may give the same bytearray again and again, and change its size in between."""
    buffer = bytearray()

    async def reusing():
        for start in range(0, len(DATA), MIB):
            buffer.extend(DATA[start : start + MIB])
            yield buffer
            buffer.clear()

    await small.upload("bucket", "key", reusing())
    assert await small.objects.read("bucket", "key") == DATA


async def test_an_object_that_is_read_is_a_source(small: aiocos.Client):
    await small.objects.put("bucket", "from", DATA)
    async with small.objects.get("bucket", "from") as obj:
        await small.upload("bucket", "to", obj)
    assert await small.objects.read("bucket", "to") == DATA


async def test_a_stream_reader_is_read_by_bytes_and_not_by_lines(small: aiocos.Client):
    reader = asyncio.StreamReader()
    reader.feed_data(b"x" * 200_000)  # longer than any line may be
    reader.feed_eof()
    assert (await small.upload("bucket", "key", reader)).size == 200_000


@pytest.mark.parametrize("concurrency", [0, -1])
async def test_a_width_of_nothing_is_refused(small: aiocos.Client, tmp_path: Path, concurrency: int):
    with pytest.raises(ConfigError, match="concurrency"):
        await small.upload("bucket", "key", DATA, concurrency=concurrency)
    with pytest.raises(ConfigError, match="concurrency"):
        await small.download("bucket", "key", tmp_path / "f", concurrency=concurrency)
    with pytest.raises(ConfigError, match="concurrency"):
        await small.upload_directory(tmp_path, "bucket", concurrency=concurrency)
    with pytest.raises(ConfigError, match="concurrency"):
        await small.download_directory("bucket", tmp_path, concurrency=concurrency)


async def test_a_client_that_closes_in_the_middle_of_a_creation_leaves_no_upload(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(0.3, operation="CreateMultipartUpload")])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), cos_emulator.client(config=CONFIG) as cos:
            await cos.upload("bucket", "key", DATA)
    await asyncio.sleep(0.4)
    assert await open_uploads(small) == []


async def test_a_client_waits_for_its_clean_ups_before_it_closes(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(0.1, operation="UploadPart", times=None), Delay(0.4, operation="AbortMultipartUpload")])
    async with cos_emulator.client(config=CONFIG) as cos:
        job = asyncio.create_task(cos.upload("bucket", "key", os.urandom(30 * MIB)))
        await asyncio.sleep(0.15)
        job.cancel()
        await asyncio.sleep(0.1)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
    assert await open_uploads(small) == []


# A loop that ends in the middle of a connection leaves its socket to the garbage collector, which says so, now and then.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_program_that_ends_while_a_transfer_runs(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    """`asyncio.run` cancels everything that still runs when it ends; threads and uploads must not be left behind by that."""
    (tmp_path / "f").write_bytes(DATA)
    await small.objects.put("bucket", "key", DATA)

    async def work() -> None:
        async with cos_emulator.client(config=CONFIG) as cos:
            up = cos.upload("bucket", "up", tmp_path / "f")
            await asyncio.gather(up, cos.download("bucket", "key", tmp_path / "g", part_size=MIB))

    async def main(seconds: float) -> None:
        main.running = asyncio.ensure_future(work())
        await asyncio.sleep(seconds)

    for hundredths in range(1, 12, 2):
        await asyncio.to_thread(asyncio.run, main(hundredths / 100))
        gc.collect()
        assert sorted(os.listdir(tmp_path)) in (["f"], ["f", "g"])
        for upload_id in await open_uploads(small):
            # Only where the creation itself was cancelled, whose id nobody has learned.
            assert [part async for part in small.multipart.list_parts("bucket", "up", upload_id)] == []
            await small.multipart.abort("bucket", "up", upload_id)


async def test_an_implicit_context_stays_too(small: aiocos.Client):
    async def failing():
        yield DATA[: 2 * PART + 10]
        try:
            raise KeyError("first")
        except KeyError:
            raise Gone

    with pytest.raises(Gone) as caught:
        await small.upload("bucket", "key", failing())
    assert isinstance(caught.value.__context__, KeyError)
    assert caught.value.__cause__ is None
