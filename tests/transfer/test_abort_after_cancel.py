"""A cancel at any moment leaves nothing: no upload, no part on its way, no file, no memory, no task."""

import asyncio
import dataclasses
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, settled, used

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator, Status
from aiocos.errors import RequestTimeoutError, TransferError
from aiocos.transfer.abort import abort

pytestmark = pytest.mark.usefixtures("backend")


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
        # Every turn at first, then in growing_parts leaps: an upload takes some hundred of them.
        turn += 1 if turn < 40 else turn // 5
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


# -- a service that has stopped answering ----------------------------------------------------------------------------

# Seconds that a clean-up may take here, and those after which the caller must have been told: far apart, for slow machines.
CLEANUP, TOLD = 30.0, 10.0
PATIENT = dataclasses.replace(CONFIG, transfer=dataclasses.replace(CONFIG.transfer, cleanup_timeout=CLEANUP))
SILENT = ("UploadPart", "UploadPartCopy", "AbortMultipartUpload", "GetObject")


@pytest.fixture
async def patient(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client whose clean-ups take long; at the end the service answers again, for whatever goes on."""
    async with cos_emulator.client(config=PATIENT) as cos:
        await cos.buckets.create("bucket")
        yield cos
        cos_emulator.faults.clear()
        cos_emulator.faults.end()


def fall_silent(emulator: Emulator, *operations: str) -> None:
    emulator.faults.script([Delay(600, operation=name, times=None) for name in operations])


async def begun(emulator: Emulator, *operations: str) -> None:
    """Wait until one of these is on its way."""
    async with asyncio.timeout(20):
        while not any(hit.subject.operation in operations for hit in emulator.faults.hits):
            await asyncio.sleep(0.01)


WORK: dict[str, Callable[[aiocos.Client, Path], Awaitable[object]]] = {
    "upload": lambda cos, path: cos.upload("bucket", "key", DATA),
    "upload a stream": lambda cos, path: cos.upload("bucket", "key", iter([DATA])),
    "upload to be resumed": lambda cos, path: cos.upload("bucket", "key", DATA, resume=True),
    "copy": lambda cos, path: cos.copy("bucket", "there", "bucket", "key", copy_threshold=0, part_size=PART),
    "download": lambda cos, path: cos.download("bucket", "there", path / "f"),
    "upload a directory": lambda cos, path: cos.upload_directory(path / "in", "bucket"),
    "download a directory": lambda cos, path: cos.download_directory("bucket", path / "out"),
    "sync up": lambda cos, path: cos.sync(path / "in", "cos://bucket/in"),
    "sync down": lambda cos, path: cos.sync("cos://bucket", path / "out"),
}


@pytest.mark.parametrize("name", WORK)
async def test_the_caller_is_told_in_time(
    patient: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "in").mkdir()
    for index in range(3):
        (tmp_path / "in" / f"f{index}").write_bytes(DATA)
    await patient.upload("bucket", "there", DATA)
    fall_silent(cos_emulator, *SILENT)
    task = asyncio.ensure_future(WORK[name](patient, tmp_path))
    await begun(cos_emulator, *SILENT)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < TOLD
    assert used(patient) == 0
    cos_emulator.faults.clear()
    cos_emulator.faults.end()


@pytest.mark.parametrize("own", [True, False])
async def test_a_deadline_is_kept(patient: aiocos.Client, cos_emulator: Emulator, own: bool):
    fall_silent(cos_emulator, *SILENT)
    began = time.monotonic()
    with pytest.raises(RequestTimeoutError if own else TimeoutError):
        if own:
            await patient.upload("bucket", "key", DATA, timeout=0.5)
        else:
            async with asyncio.timeout(0.5):
                await patient.upload("bucket", "key", DATA)
    assert time.monotonic() - began < TOLD


async def test_a_deadline_that_passes_during_a_clean_up(patient: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script(
        [Status(403, code="AccessDenied", operation="UploadPart"), Delay(600, operation="AbortMultipartUpload", times=None)]
    )
    began = time.monotonic()
    with pytest.raises(RequestTimeoutError):
        await patient.upload("bucket", "key", DATA, timeout=1)
    assert time.monotonic() - began < TOLD


async def test_the_client_waits_for_what_goes_on_behind(cos_emulator: Emulator, small: aiocos.Client):
    async with cos_emulator.client(config=PATIENT) as other:
        cos_emulator.faults.script(
            [Delay(600, operation="UploadPart", times=None), Delay(1, operation="AbortMultipartUpload", times=None)]
        )
        task = asyncio.create_task(other.upload("bucket", "key", DATA))
        await begun(cos_emulator, "UploadPart")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await open_uploads(small), "it is aborted behind the caller's back"
    assert await open_uploads(small) == []
    assert other.failed_aborts == ()


async def test_aborts_that_failed_stay_visible(cos_emulator: Emulator, small: aiocos.Client, caplog: pytest.LogCaptureFixture):
    config = dataclasses.replace(CONFIG, transfer=dataclasses.replace(CONFIG.transfer, cleanup_timeout=0.5))
    async with cos_emulator.client(config=config) as other:
        for key in ("one", "two"):
            fall_silent(cos_emulator, "UploadPart", "AbortMultipartUpload")
            task = asyncio.create_task(other.upload("bucket", key, DATA))
            await begun(cos_emulator, "UploadPart")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        caplog.clear()
    cos_emulator.faults.clear()
    left = await open_uploads(small)
    assert len(left) == 2
    failed = other.failed_aborts
    assert sorted(one.upload_id for one in failed) == sorted(left)
    assert {(one.bucket, one.key) for one in failed} == {("bucket", "one"), ("bucket", "two")}
    assert all(one.error for one in failed)
    [summary] = [r.getMessage() for r in caplog.records if "uploads that could not" in r.getMessage()]
    assert "may be open still: 2, " in summary
    assert all(upload_id in summary for upload_id in left)
    caplog.clear()
    await other.close()
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING], "they are told of once"


async def test_an_abort_that_succeeds_later_is_no_failure(cos_emulator: Emulator, small: aiocos.Client):
    upload = await small.multipart.create("bucket", "key")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="AbortMultipartUpload")])
    for found in ("unknown", "aborted"):
        assert await abort(small, "bucket", "key", upload.upload_id) == found
        assert len(small.failed_aborts) == (found == "unknown")


async def test_a_creation_that_is_never_answered_is_said(
    cos_emulator: Emulator, small: aiocos.Client, caplog: pytest.LogCaptureFixture
):
    config = dataclasses.replace(CONFIG, transfer=dataclasses.replace(CONFIG.transfer, cleanup_timeout=0.3))
    async with cos_emulator.client(config=config) as other:
        fall_silent(cos_emulator, "CreateMultipartUpload")
        task = asyncio.create_task(other.upload("bucket", "key", DATA))
        await begun(cos_emulator, "CreateMultipartUpload")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "an upload of bucket/key may have been created" in caplog.text


async def test_a_failure_says_what_became_of_its_upload(cos_emulator: Emulator, small: aiocos.Client):
    refused = Status(403, code="AccessDenied", operation="UploadPart", times=None)
    cos_emulator.faults.script([refused])
    with pytest.raises(TransferError, match="the upload was aborted"):
        await small.upload("bucket", "key", DATA)
    assert small.failed_aborts == ()
    again = Status(403, code="AccessDenied", operation="UploadPart", times=None)
    cos_emulator.faults.script([again, Status(403, code="AccessDenied", operation="AbortMultipartUpload", times=None)])
    with pytest.raises(TransferError, match="could not be aborted and may be open still") as caught:
        await small.upload("bucket", "key", DATA)
    assert [one.upload_id for one in small.failed_aborts] == [caught.value.upload_id]
    assert caught.value.upload_id in str(caught.value)


async def test_observers_do_not_hold_a_cancel_up(small: aiocos.Client, cos_emulator: Emulator):
    """A coroutine that is told of the end goes on by itself, however the transfer ends; a success waits for it."""
    fall_silent(cos_emulator, "UploadPart")
    released, heard = asyncio.Event(), asyncio.Event()

    async def slow(progress: aiocos.Progress) -> None:
        await released.wait()
        heard.set()

    began = time.monotonic()
    with pytest.raises(RequestTimeoutError):
        await small.upload("bucket", "key", DATA, timeout=0.5, on_done=slow)
    assert time.monotonic() - began < 8, "observers have ten seconds after a success"
    released.set()
    await asyncio.wait_for(heard.wait(), 10)


@pytest.mark.parametrize("name", ["upload", "copy", "download", "sync up"])
async def test_a_failure_leaves_no_cancel_behind(patient: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, name: str):
    """Or `asyncio.timeout` around it would no longer know its own cancel."""
    (tmp_path / "in").mkdir()
    for index in range(3):
        (tmp_path / "in" / f"f{index}").write_bytes(DATA)
    await patient.upload("bucket", "there", DATA)
    failing = [
        Status(403, code="AccessDenied", operation=operation, nth=nth, times=None)
        for operation, nth in (("UploadPart", 1), ("UploadPartCopy", 1), ("GetObject", 2), ("CreateMultipartUpload", 1))
        if name != "upload" or operation != "CreateMultipartUpload"
    ]
    if name == "copy":
        failing.pop()
    cos_emulator.faults.script(failing)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5) as clock:
            with pytest.raises(aiocos.CosError):
                await WORK[name](patient, tmp_path)
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
            clock.reschedule(asyncio.get_running_loop().time())
            await asyncio.sleep(60)
