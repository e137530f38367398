"""Uploads are aborted when their client is closed or the program ends."""

import asyncio
import gc
import os
from pathlib import Path

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator


class Gone(Exception):
    pass


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

    running: list[asyncio.Task[None]] = []

    async def main(seconds: float) -> None:
        running.append(asyncio.ensure_future(work()))
        await asyncio.sleep(seconds)

    for hundredths in range(1, 12, 2):
        await asyncio.to_thread(asyncio.run, main(hundredths / 100))
        # The task's exception refers to the client. Collected here, its sockets are no warning in a later test.
        running.clear()
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
