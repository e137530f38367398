"""Downloads into file objects: in order, verified, bounded, and with errors that are the file object's own."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from pathlib import Path
from typing import Any

import aiofiles
import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, SMALL, used
from tests.waiting import until

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator, FlipBit, Reset, Status
from aiocos.errors import ConfigError, IntegrityError, NotFound, PreconditionFailed, RequestTimeoutError, TransferError
from aiocos.transfer.manager import manager_of


class Sink:
    """An asynchronous writer that records what it gets, and can be stopped."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.go = asyncio.Event()
        self.go.set()

    async def write(self, data: bytes) -> int:
        await self.go.wait()
        self.content += data
        return len(data)


def gets(emulator: Emulator) -> int:
    """The number of GET requests so far."""
    return sum(request.operation == "GetObject" for request in emulator.requests)


@pytest.fixture
async def stored(small: aiocos.Client, cos_emulator: Emulator) -> aiocos.Client:
    """A client, an object of four parts and its copy in one piece."""
    await small.upload("bucket", "parts", DATA)
    await small.objects.put("bucket", "whole", DATA)
    await small.objects.put("bucket", "tiny", b"tiny")
    await small.objects.put("bucket", "empty", b"")
    cos_emulator.requests.clear()
    return small


@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize(("key", "etag"), [("parts", "composite"), ("whole", "md5"), ("tiny", "md5"), ("empty", "md5")])
async def test_the_result_says_what_a_download_to_a_path_says(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, key: str, etag: str, *, checksums: bool
):
    cos_emulator.checksums = checksums
    target = io.BytesIO()
    result = await stored.download("bucket", key, target)
    assert result.path is None
    to_path = await stored.download("bucket", key, tmp_path / "file")
    assert result == to_path.model_copy(update={"path": None})
    assert result.verified == ("crc64nvme" if checksums else etag)
    assert target.getvalue() == (tmp_path / "file").read_bytes()
    assert not target.closed
    assert used(stored) == 0


async def test_ranges_are_requested_in_parallel_and_written_in_order(stored: aiocos.Client, cos_emulator: Emulator):
    # The second range arrives after the third and fourth.
    cos_emulator.faults.script([Delay(0.3, operation="GetObject", nth=2)])
    sink = Sink()
    result = await stored.download("bucket", "whole", sink)
    assert sink.content == DATA
    assert result.size == len(DATA)
    assert gets(cos_emulator) == 4


async def test_a_file_of_aiofiles_is_source_and_target(stored: aiocos.Client, tmp_path: Path):
    data = os.urandom(6 * PART + 1)
    (tmp_path / "source").write_bytes(data)
    async with aiofiles.open(tmp_path / "source", "rb") as source:
        uploaded = await stored.upload("bucket", "large", source)
    assert (uploaded.size, uploaded.parts, uploaded.verified) == (len(data), 7, "checksum")
    async with aiofiles.open(tmp_path / "target", "wb") as target:
        downloaded = await stored.download("bucket", "large", target)
    assert (downloaded.size, downloaded.verified) == (len(data), "crc64nvme")
    assert (tmp_path / "target").read_bytes() == data


@pytest.mark.parametrize("mode", ["wb", "ab", "r+b"])
async def test_an_open_file_is_written_from_its_position(stored: aiocos.Client, tmp_path: Path, mode: str):
    (tmp_path / "file").write_bytes(b"0123456789")
    with (tmp_path / "file").open(mode) as file:
        await stored.download("bucket", "tiny", file)
    expected = {"wb": b"tiny", "ab": b"0123456789tiny", "r+b": b"tiny456789"}[mode]
    assert (tmp_path / "file").read_bytes() == expected


async def test_unbuffered_files_and_pipes(stored: aiocos.Client, tmp_path: Path):
    with (tmp_path / "file").open("wb", buffering=0) as file:
        await stored.download("bucket", "parts", file)
    assert (tmp_path / "file").read_bytes() == DATA
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import hashlib, sys; print(hashlib.md5(sys.stdin.buffer.read()).hexdigest())",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    result = await stored.download("bucket", "whole", process.stdin)
    process.stdin.close()
    out, _ = await process.communicate()
    assert f'"{out.decode().strip()}"' == result.etag


async def test_memory_is_bounded_while_the_target_waits(stored: aiocos.Client, cos_emulator: Emulator):
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, max_memory=4 * PART)
    config = aiocos.ClientConfig(transfer=transfer)
    data = os.urandom(10 * PART)
    await stored.objects.put("bucket", "large", data)
    async with cos_emulator.client(config=config) as cos:
        sink = Sink()
        sink.go.clear()
        handle = cos.start_download("bucket", "large", sink)
        cos_emulator.requests.clear()
        await until(lambda: gets(cos_emulator) == 3, "the first response, and two ranges")
        await asyncio.sleep(0.1)
        assert gets(cos_emulator) == 3, "no more fit into half of the memory"
        assert used(cos) == 2 * PART + 2 * MIB
        sink.go.set()
        await handle
        assert sink.content == data
        assert used(cos) == 0


async def test_a_pipe_to_an_upload_of_the_same_client_does_not_lock_up(stored: aiocos.Client, cos_emulator: Emulator):
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, max_memory=4 * PART)
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer)) as cos:
        queue: asyncio.Queue[bytes] = asyncio.Queue(1)

        class Pipe:
            async def write(self, data: bytes) -> None:
                await queue.put(data)

        async def chunks() -> Any:
            while chunk := await queue.get():
                yield chunk

        uploading = cos.start_upload("bucket", "copy", chunks())
        await asyncio.wait_for(cos.download("bucket", "whole", Pipe()), 60)
        await queue.put(b"")
        await asyncio.wait_for(uploading, 60)
        assert await cos.objects.read("bucket", "copy") == DATA


@pytest.mark.parametrize(
    ("concurrency", "part_size", "threshold"), [(1, None, None), (None, None, 100 * MIB), (None, 64 * MIB, None)]
)
async def test_one_request_is_enough(
    stored: aiocos.Client, cos_emulator: Emulator, concurrency: int | None, part_size: int | None, threshold: int | None
):
    sink = Sink()
    await stored.download("bucket", "whole", sink, concurrency=concurrency, part_size=part_size, multipart_threshold=threshold)
    assert sink.content == DATA
    assert gets(cos_emulator) == 1


async def test_a_connection_that_breaks_is_continued(stored: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Reset(sent=MIB, operation="GetObject", nth=1), Reset(sent=MIB, operation="GetObject", nth=3)])
    sink = Sink()
    result = await stored.download("bucket", "parts", sink)
    assert (sink.content, result.verified) == (DATA, "crc64nvme")


@pytest.mark.parametrize("key", ["whole", "parts"])
@pytest.mark.parametrize("nth", [1, 3])
async def test_damage_is_found_at_the_end(stored: aiocos.Client, cos_emulator: Emulator, key: str, nth: int):
    cos_emulator.faults.script([FlipBit(5, operation="GetObject", nth=nth)])
    sink = Sink()
    with pytest.raises(IntegrityError):
        await stored.download("bucket", key, sink)
    assert len(sink.content) == len(DATA), "a file object cannot be taken back"
    assert used(stored) == 0


async def test_without_verification(stored: aiocos.Client, cos_emulator: Emulator):
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=SMALL, verify_reads=False)) as cos:
        sink = Sink()
        result = await cos.download("bucket", "parts", sink)
        assert (sink.content, result.verified) == (DATA, None)


@pytest.mark.usefixtures("without_checksums")
async def test_parts_of_different_sizes_are_not_verified(small: aiocos.Client, caplog: pytest.LogCaptureFixture):
    """They look even by the first part and the number of parts, and the bytes are gone when that turns out wrong."""
    upload = await small.multipart.create("bucket", "uneven")
    data, parts = os.urandom(3 * PART + 12), []
    for number, (start, end) in enumerate(
        [(0, PART), (PART, 2 * PART + 5), (2 * PART + 5, 3 * PART + 10), (3 * PART + 10, None)], 1
    ):
        done = await small.multipart.upload_part("bucket", "uneven", upload.upload_id, number, data[start:end])
        parts.append(aiocos.CompletedPart(etag=done.etag, part_number=number))
    await small.multipart.complete("bucket", "uneven", upload.upload_id, parts)
    sink = Sink()
    result = await small.download("bucket", "uneven", sink)
    assert (sink.content, result.verified) == (data, None)
    assert "parts are of different sizes" in caplog.text


class Broken(Exception):
    """Raised by a file object."""


@pytest.mark.parametrize("after", [0, MIB, PART, 2 * PART])
async def test_an_exception_of_the_target_is_raised_as_it_is(stored: aiocos.Client, after: int):
    class Target(Sink):
        async def write(self, data: bytes) -> int:
            if len(self.content) >= after:
                raise Broken
            return await super().write(data)

    with pytest.raises(Broken):
        await stored.download("bucket", "whole", Target())
    assert used(stored) == 0
    assert manager_of(stored).budget.used == 0


async def test_a_range_that_fails_is_a_transfer_error(stored: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    sink = Sink()
    with pytest.raises(TransferError, match=r"failed after \d+ bytes were written: .*AccessDenied"):
        await stored.download("bucket", "whole", sink)
    assert DATA.startswith(sink.content)
    assert used(stored) == 0


async def test_an_object_that_is_replaced_meanwhile(stored: aiocos.Client):
    class Target(Sink):
        async def write(self, data: bytes) -> int:
            if not self.content:
                await stored.objects.put("bucket", "whole", DATA[::-1])
            return await super().write(data)

    with pytest.raises(PreconditionFailed):
        await stored.download("bucket", "whole", Target(), concurrency=2)


async def test_an_object_that_does_not_exist(stored: aiocos.Client):
    sink = Sink()
    with pytest.raises(NotFound):
        await stored.download("bucket", "gone", sink)
    assert not sink.content


@pytest.mark.parametrize("when", ["writing", "fetching"])
async def test_a_cancel_ends_everything(stored: aiocos.Client, cos_emulator: Emulator, when: str):
    sink = Sink()
    if when == "writing":
        sink.go.clear()
    else:
        cos_emulator.faults.script([Delay(30, operation="GetObject", nth=2)])
    tasks = asyncio.all_tasks()
    handle = stored.start_download("bucket", "whole", sink)
    await until(lambda: gets(cos_emulator) >= 2, "ranges are requested")
    handle.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handle
    assert handle.state == "cancelled"
    assert used(stored) == 0
    await until(lambda: stored.concurrency.in_flight == 0, "no request is left")
    sink.go.set()
    size = len(sink.content)
    await asyncio.sleep(0.05)
    assert len(sink.content) == size, "nothing is written after the end"
    assert {task for task in asyncio.all_tasks() - tasks if "aiocos.transfer" in repr(task.get_coro())} == set()


async def test_a_deadline(stored: aiocos.Client):
    sink = Sink()
    sink.go.clear()
    with pytest.raises(RequestTimeoutError, match="not done within"):
        await stored.download("bucket", "whole", sink, timeout=0.2)
    assert used(stored) == 0


async def test_progress_and_pause(stored: aiocos.Client):
    events: list[aiocos.Progress] = []
    sink = Sink()
    handle = stored.start_download("bucket", "whole", sink, progress=events.append)
    handle.pause()
    await asyncio.sleep(0.2)
    assert not handle.done()
    handle.resume()
    await handle
    last = events[-1]
    assert (last.state, last.bytes_done, last.bytes_total) == ("done", len(DATA), len(DATA))
    assert (last.parts_done, last.parts_total) == (4, 4)
    assert "verifying" in [event.state for event in events]
    assert [event.bytes_done for event in events] == sorted(event.bytes_done for event in events)


async def test_what_is_refused_before_anything_is_requested(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    async with aiofiles.open(tmp_path / "text", "w") as async_text:
        with (tmp_path / "file").open("rb") as reading, (tmp_path / "text").open("w") as text:
            for target, more, reason in (
                (text, {}, "text file"),
                (io.StringIO(), {}, "text file"),
                (async_text, {}, "text file"),
                (reading, {}, "for reading only"),
                (5, {}, "int is not a target"),
                (io.BytesIO(), {"resume": True}, "cannot be resumed: its target is a file object"),
                (io.BytesIO(), {"fsync": True}, "flush the file object"),
                (io.BytesIO(), {"concurrency": 0}, "concurrency"),
                (io.BytesIO(), {"part_size": 0}, "part_size"),
                (io.BytesIO(), {"multipart_threshold": -1}, "multipart_threshold"),
            ):
                with pytest.raises(ConfigError, match=reason):
                    await stored.download("bucket", "whole", target, **more)  # type: ignore[arg-type]
    assert gets(cos_emulator) == 0


async def test_a_versions_and_conditions(stored: aiocos.Client):
    etag = (await stored.objects.head("bucket", "tiny")).etag
    target = io.BytesIO()
    await stored.download("bucket", "tiny", target, if_match=etag)
    assert target.getvalue() == b"tiny"
    with pytest.raises(PreconditionFailed):
        await stored.download("bucket", "tiny", target, if_match='"other"')
    assert CONFIG.transfer is SMALL
