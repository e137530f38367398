"""A cancel at any moment leaves nothing: no upload, no part on its way, no file, no memory, no task."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, settled, used

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator

pytestmark = pytest.mark.usefixtures("way")


async def test_within_two_seconds_nothing_is_open_and_nothing_arrives(small: aiocos.Client, cos_emulator: Emulator):
    for moment in (0.05, 0.1, 0.2, 0.4):
        cos_emulator.faults.script([Delay(1, operation="UploadPart", times=None)])
        upload = asyncio.create_task(small.upload("bucket", "key", os.urandom(60 * MIB)))
        await asyncio.sleep(moment)
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        await settled(small)
        before = len([r for r in cos_emulator.requests if r.operation == "UploadPart"])
        await asyncio.sleep(0.3)
        assert len([r for r in cos_emulator.requests if r.operation == "UploadPart"]) == before
        assert used(small) == 0
    assert not await small.objects.exists("bucket", "key")


async def test_during_the_creation(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(0.3, operation="CreateMultipartUpload")])
    upload = asyncio.create_task(small.upload("bucket", "key", DATA))
    await asyncio.sleep(0.1)
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    await asyncio.sleep(0.4)
    assert [r.operation for r in cos_emulator.requests if "Multipart" in r.operation][:2] == [
        "CreateMultipartUpload",
        "AbortMultipartUpload",
    ]
    await settled(small)
    assert used(small) == 0


async def test_a_second_cancel_does_not_stop_the_cleaning(small: aiocos.Client, cos_emulator: Emulator):
    slow = [Delay(0.3, operation="AbortMultipartUpload"), Delay(1, operation="UploadPart", times=None)]
    cos_emulator.faults.script(slow)
    upload = asyncio.create_task(small.upload("bucket", "key", os.urandom(40 * MIB)))
    await asyncio.sleep(0.15)
    upload.cancel()
    await asyncio.sleep(0.1)
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    await settled(small)


async def cancelled_at_every_step(make: Callable[[], Awaitable[object]], after: Callable[[], Awaitable[None]]) -> int:
    """Run something over and over, cancelled at its n-th turn of the loop, until it is done before that; return the last n."""
    turn = 0
    while True:
        # Every turn at first, then in growing leaps: an upload takes some hundred of them.
        turn += 1 if turn < 50 else turn // 12
        task = asyncio.ensure_future(make())
        for _ in range(turn):
            await asyncio.sleep(0)
            if task.done():
                break
        cancelled = task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        assert outcome is None or not isinstance(outcome, Exception), outcome
        for _ in range(200):
            others = {t for t in asyncio.all_tasks() if t is not asyncio.current_task() and "aiocos" in repr(t.get_coro())}
            clients = {t for t in others if "transfer" in repr(t.get_coro()) or "groups" in repr(t.get_coro())}
            if not clients:
                break
            await asyncio.sleep(0.01)
        assert not clients, f"still running after a cancel at turn {turn}: {clients}"
        await after()
        if not cancelled:
            return turn
        if turn > 5_000:
            # Waiting for a thread or a socket takes turns without end: what can be visited was visited.
            await make()
            return turn


async def test_upload_at_every_step(small: aiocos.Client):
    async def stream():
        for start in range(0, len(DATA), MIB):
            yield DATA[start : start + MIB]

    async def clean() -> None:
        await settled(small)
        assert used(small) == 0

    assert await cancelled_at_every_step(lambda: small.upload("bucket", "key", stream()), clean) > 30
    assert await small.objects.read("bucket", "key") == DATA


async def test_upload_of_a_file_at_every_step(small: aiocos.Client, tmp_path: Path):
    (tmp_path / "f").write_bytes(DATA)

    async def clean() -> None:
        await settled(small)
        assert used(small) == 0

    assert await cancelled_at_every_step(lambda: small.upload("bucket", "key", tmp_path / "f"), clean) > 30


async def test_download_at_every_step(small: aiocos.Client, tmp_path: Path):
    await small.upload("bucket", "key", DATA)
    target = tmp_path / "target"
    target.write_bytes(b"old")

    async def clean() -> None:
        assert used(small) == 0
        assert os.listdir(tmp_path) == ["target"]
        content = target.read_bytes()
        assert content in (b"old", DATA)

    assert await cancelled_at_every_step(lambda: small.download("bucket", "key", target), clean) > 30
    assert target.read_bytes() == DATA


async def test_small_calls_at_every_step(small: aiocos.Client):
    await small.objects.put("bucket", "key", DATA[:1000])

    async def listing() -> None:
        async for _ in small.objects.list("bucket"):
            pass

    async def still_works() -> None:
        assert await small.objects.read("bucket", "key") == DATA[:1000]

    for make in (lambda: small.objects.put("bucket", "key", DATA[:1000]), lambda: small.objects.read("bucket", "key"), listing):
        assert await cancelled_at_every_step(make, still_works) > 3


async def test_directories_at_every_step(cos_emulator: Emulator, tmp_path: Path):
    (tmp_path / "in").mkdir()
    for index in range(5):
        (tmp_path / "in" / f"f{index}").write_bytes(DATA[: 1000 * index])
    async with cos_emulator.client(config=CONFIG) as cos:
        await cos.buckets.create("bucket")

        async def clean() -> None:
            assert used(cos) == 0
            assert await open_uploads(cos) == []
            assert not [name for _, _, names in os.walk(tmp_path) for name in names if name.endswith(".part")]

        await cancelled_at_every_step(lambda: cos.upload_directory(tmp_path / "in", "bucket"), clean)
        await cancelled_at_every_step(lambda: cos.download_directory("bucket", tmp_path / "out"), clean)
    for index in range(5):
        assert (tmp_path / "out" / f"f{index}").read_bytes() == DATA[: 1000 * index]


async def test_a_stream_that_is_left_in_the_middle(small: aiocos.Client):
    await small.objects.put("bucket", "key", DATA)
    for _ in range(5):
        async with small.objects.get("bucket", "key") as obj:
            await obj.chunk()
    assert await small.objects.read("bucket", "key") == DATA
    assert len(DATA) > 3 * PART
