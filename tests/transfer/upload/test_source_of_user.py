"""What a source or an observer of the user's own does: its exceptions, its buffers, its habits."""

import asyncio
from pathlib import Path

import pytest
from tests.transfer.conftest import DATA, PART, open_uploads, used

import aiocos
from aiocos.config import MIB
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
