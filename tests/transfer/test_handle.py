"""The hand on a transfer that runs: look, pause, go on, cancel; and those who are told."""

import asyncio
from pathlib import Path

import pytest
from tests.transfer.conftest import DATA, PART, PATIENCE, held, open_uploads, settled, stays_held, used

import aiocos
from aiocos import Progress
from aiocos.emulator import Delay, Emulator, Status
from aiocos.errors import RequestTimeoutError, TransferError


def parts_there(emulator: Emulator) -> int:
    return sum(served.operation == "UploadPart" for served in emulator.requests)


async def test_an_upload_from_its_beginning_to_its_end(small: aiocos.Client):
    handle = small.start_upload("bucket", "key", DATA)
    assert handle.state == "queued"
    assert not handle.done()
    result = await handle
    assert result.size == len(DATA)
    assert handle.done()
    assert (handle.state, handle.progress.bytes_done, handle.progress.parts_done) == ("done", len(DATA), 4)
    assert "bucket/key: done" in repr(handle)
    assert await handle == result, "it may be awaited again"


async def test_a_pause_begins_nothing_new(small: aiocos.Client, cos_emulator: Emulator):
    handle = small.start_upload("bucket", "key", DATA, concurrency=1, on_progress=lambda p: handle.pause())
    await held(handle, small)
    assert used(small) == 0, "what waits holds no memory"
    before = parts_there(cos_emulator)
    # The part that was next had its place already.
    assert 1 <= before <= 2
    await stays_held(small)
    assert parts_there(cos_emulator) == before
    handle.resume()
    async with asyncio.timeout(PATIENCE):
        while parts_there(cos_emulator) == before:
            await asyncio.sleep(0.01)
    while not handle.done():
        handle.resume()
        await asyncio.sleep(0.01)
    assert (await handle).size == len(DATA)


async def test_a_paused_download_goes_on(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    await small.upload("bucket", "key", DATA)
    handle = small.start_download("bucket", "key", tmp_path / "f", concurrency=2)
    handle.pause()
    assert handle.state == "paused"
    await held(handle, small)
    await stays_held(small)
    assert not handle.done()
    assert handle.progress.bytes_done <= PART, "the first answer had come; no range was asked for"
    handle.resume()
    await handle
    assert (tmp_path / "f").read_bytes() == DATA


async def test_a_cancel_takes_everything_back(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="UploadPart", times=None)])
    handle = small.start_upload("bucket", "key", DATA)
    async with asyncio.timeout(PATIENCE):
        while not await open_uploads(small):
            await asyncio.sleep(0.01)
    handle.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handle
    assert handle.state == "cancelled"
    await settled(small)
    assert used(small) == 0


async def test_a_cancel_while_paused(small: aiocos.Client):
    handle = small.start_upload("bucket", "key", DATA)
    handle.pause()
    await asyncio.sleep(0)
    handle.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handle
    await settled(small)


async def test_a_client_that_is_closed_ends_what_it_started(cos_emulator: Emulator, small: aiocos.Client):
    cos_emulator.faults.script([Delay(30, operation="UploadPart", times=None)])
    async with cos_emulator.client(config=small.config) as other:
        handle = other.start_upload("bucket", "key", DATA)
        async with asyncio.timeout(PATIENCE):
            while not await open_uploads(small):
                await asyncio.sleep(0.01)
    assert handle.done()
    assert handle.state == "cancelled"
    assert await open_uploads(small) == []


async def test_a_failure_is_the_handles(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="UploadPart")])
    handle = small.start_upload("bucket", "key", DATA)
    with pytest.raises(TransferError):
        await handle
    assert handle.state == "failed"
    assert isinstance(handle.progress.error, TransferError)


async def test_observers_hear_of_their_moments(small: aiocos.Client):
    heard: list[tuple[str, str, int]] = []

    def note(who: str):
        return lambda p: heard.append((who, p.state, p.bytes_done))

    await small.upload(
        "bucket", "key", DATA, progress=note("all"), on_queued=note("queued"), on_progress=note("moved"), on_done=note("done")
    )
    by = {who: [entry[1:] for entry in heard if entry[0] == who] for who in ("all", "queued", "moved", "done")}
    assert by["queued"] == [("queued", 0)]
    assert by["done"] == [("done", len(DATA))]
    assert [state for state, _ in by["moved"]] == ["running"] * 4
    assert [done for _, done in by["moved"]] == sorted(done for _, done in by["moved"])
    assert by["all"][0] == ("queued", 0)
    assert by["all"][-1] == ("done", len(DATA))
    assert ("verifying", len(DATA)) in by["all"]


async def test_coroutines_are_observers_too(small: aiocos.Client):
    heard: list[Progress] = []

    async def slow(progress: Progress) -> None:
        await asyncio.sleep(0.01)
        heard.append(progress)

    await small.upload("bucket", "key", DATA, progress=slow, on_done=slow)
    states = [progress.state for progress in heard]
    assert states[0] == "queued"
    assert states.count("done") == 2, "both were waited for"
    assert [p.bytes_done for p in heard] == sorted(p.bytes_done for p in heard), "one at a time, in order"


@pytest.mark.parametrize("kind", ["function", "coroutine", "late"])
async def test_an_observer_that_raises_ends_nothing(small: aiocos.Client, caplog: pytest.LogCaptureFixture, kind: str):
    def function(progress: Progress) -> None:
        raise RuntimeError("mine")

    async def coroutine(progress: Progress) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("mine")

    calls = 0

    def late(progress: Progress):
        # A coroutine at first, which is busy when the next is told; a failing function then.
        nonlocal calls
        calls += 1
        if calls > 1:
            raise RuntimeError("mine")
        return asyncio.sleep(0.05)

    observer = {"function": function, "coroutine": coroutine, "late": late}[kind]
    result = await small.upload("bucket", "key", DATA, progress=observer)
    assert result.size == len(DATA)
    assert "a progress callback of bucket/key failed" in caplog.text
    assert "mine" in caplog.text


async def test_an_observer_hears_of_a_failure_and_its_reason(small: aiocos.Client, cos_emulator: Emulator):
    heard: list[Progress] = []
    cos_emulator.faults.script([Delay(30, operation="UploadPart", times=None)])
    with pytest.raises(RequestTimeoutError):
        await small.upload("bucket", "key", DATA, timeout=0.5, on_done=heard.append)
    [end] = heard
    assert end.state == "failed"
    assert isinstance(end.error, RequestTimeoutError)


async def test_a_directory_as_a_whole_and_file_by_file(small: aiocos.Client, tmp_path: Path):
    (tmp_path / "in").mkdir()
    for index in range(3):
        (tmp_path / "in" / f"f{index}").write_bytes(b"x" * index)
    each: list[Progress] = []
    whole: list[Progress] = []
    handle = small.start_upload_directory(
        tmp_path / "in", "bucket", prefix="p/", progress=each.append, on_done=whole.append, on_progress=whole.append
    )
    await handle
    assert {progress.key for progress in each} == {"p/f0", "p/f1", "p/f2"}
    assert (whole[-1].state, whole[-1].key, whole[-1].bytes_done, whole[-1].parts_done) == ("done", "p/", 3, 3)
    assert handle.progress == whole[-1]
    handle = small.start_download_directory("bucket", tmp_path / "out", prefix="p/")
    handle.pause()
    await held(handle, small)
    await stays_held(small)
    assert not list((tmp_path / "out").glob("f*"))
    handle.resume()
    assert (await handle).files == 3
