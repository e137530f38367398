"""Uploads of every kind of source and every length, and what they do when something fails."""

import asyncio
import dataclasses
import io
import logging
import os
from pathlib import Path

import aiofiles
import pytest
from tests.responses import ChangedResponse, change_responses
from tests.transfer.conftest import CONFIG, DATA, PART, SMALL, open_uploads, used

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator, Reset, Status
from aiocos.errors import ConfigError, TransferError
from aiocos.operations.multipart import CompleteMultipartUpload, CreateMultipartUpload, UploadPart
from aiocos.operations.objects import PutObject
from aiocos.transfer import Progress
from aiocos.transfer.derive import derive
from aiocos.transfer.requests import UploadRequest
from aiocos.transfer.upload import upload as uploading
from aiocos.wire.message import PreparedRequest


async def pieces(data: bytes, size: int):
    for start in range(0, len(data), size):
        yield data[start : start + size]
        yield b""


class AsyncFile:
    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    async def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def kinds(data: bytes, path: Path):
    path.write_bytes(b"head" + data)
    at_offset = path.open("rb")
    at_offset.seek(4)
    plain = path.with_suffix(".plain")
    plain.write_bytes(data)
    return {
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "path": plain,
        "str": str(plain),
        "BytesIO": io.BytesIO(data),
        "file at an offset": at_offset,
        "iterator": iter([data[: len(data) // 2], data[len(data) // 2 :]]),
        "generator of small pieces": (data[i : i + 700_001] for i in range(0, len(data), 700_001)),
        "async iterator": pieces(data, 1_000_000),
        "async iterator of one huge piece": pieces(data, len(data) or 1),
        "async file": AsyncFile(data),
    }


@pytest.mark.parametrize("length", [0, 1, PART - 1, PART, PART + 1, 2 * PART])
async def test_every_source_of_every_length(small: aiocos.Client, tmp_path: Path, length: int):
    data = DATA[:length]
    for name, source in kinds(data, tmp_path / "file").items():
        result = await small.upload("bucket", "key", source)
        assert result.size == length, name
        assert await small.objects.read("bucket", "key") == data, name
        assert result.verified == "checksum", name
        assert result.parts == (1 if length < PART else -(-length // PART)), name
        if hasattr(source, "close"):
            source.close()
    assert used(small) == 0
    assert await open_uploads(small) == []


async def test_a_file_of_aiofiles(small: aiocos.Client, tmp_path: Path):
    (tmp_path / "f").write_bytes(DATA[:1000])
    async with aiofiles.open(tmp_path / "f", "rb") as file:
        assert (await small.upload("bucket", "key", file)).size == 1000


async def test_what_is_no_source_is_refused(small: aiocos.Client, tmp_path: Path):
    (tmp_path / "text").write_text("x")
    with (tmp_path / "text").open() as text, pytest.raises(ConfigError, match="'rb'"):
        await small.upload("bucket", "key", text)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="is not a source"):
        await small.upload("bucket", "key", 5)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="str where bytes"):
        await small.upload("bucket", "key", ["text"])  # type: ignore[list-item]
    with pytest.raises(FileNotFoundError):
        await small.upload("bucket", "key", tmp_path / "missing")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ConfigError, match="not a regular file"):
        await small.upload("bucket", "key", tmp_path / "fifo")
    with pytest.raises(ConfigError, match="part"):
        await small.upload("bucket", "key", b"", part_size=MIB)
    assert not await small.objects.exists("bucket", "key")
    assert used(small) == 0


async def test_the_sources_own_exception_is_what_the_caller_sees(small: aiocos.Client):
    class Gone(Exception):
        pass

    async def disconnecting():
        yield DATA[: 2 * PART + 10]
        raise Gone

    with pytest.raises(Gone):
        await small.upload("bucket", "key", disconnecting())
    assert await open_uploads(small) == []
    assert used(small) == 0


@pytest.mark.parametrize("length", [1000, 2 * PART])
async def test_options_reach_the_object_in_one_piece_and_in_parts(small: aiocos.Client, length: int):
    key = os.urandom(32)
    await small.upload(
        "bucket",
        "key",
        DATA[:length],
        content_type="x/y",
        content_disposition="inline",
        cache_control="no-store",
        metadata={"who": "me"},
        customer_key=key,
    )
    info = await small.objects.head("bucket", "key", customer_key=key)
    assert (info.content_type, info.content_disposition, info.cache_control) == ("x/y", "inline", "no-store")
    assert info.metadata == {"who": "me"}
    assert info.customer_algorithm == "AES256"
    with pytest.raises(aiocos.ServiceError):
        await small.objects.read("bucket", "key")


def test_retention_travels_with_the_completion():
    request = UploadRequest(
        "b", "k", b"", retention_period=60, retention_legal_hold_id="h", if_none_match="*", content_type="x"
    )
    put = derive(request, PutObject, data=b"")
    create = derive(request, CreateMultipartUpload)
    complete = derive(request, CompleteMultipartUpload, upload_id="u", parts=[])
    assert (put.retention_period, put.retention_legal_hold_id, put.if_none_match, put.content_type) == (60, "h", "*", "x")
    assert create.content_type == "x"
    assert not hasattr(create, "retention_period")
    assert (complete.retention_period, complete.retention_legal_hold_id, complete.if_none_match) == (60, "h", "*")
    assert not hasattr(derive(request, UploadPart, upload_id="u", part_number=1), "content_type")


async def test_only_if_there_is_none_holds_for_parts_too(small: aiocos.Client):
    await small.upload("bucket", "key", DATA[:10])
    with pytest.raises(aiocos.PreconditionFailed):
        await small.upload("bucket", "key", DATA, if_none_match="*")
    assert await small.objects.read("bucket", "key") == DATA[:10]
    assert await open_uploads(small) == []


async def test_the_permit_comes_before_the_bytes(small: aiocos.Client, cos_emulator: Emulator):
    """With a slow service, a source is never read further than the parts that may be in flight."""
    cos_emulator.faults.script([Delay(0.3, operation="UploadPart", times=None)])
    given = 0

    async def counted():
        nonlocal given
        for _ in range(40):
            given += MIB
            yield DATA[:MIB]

    ahead: list[int] = []

    def watch(event: Progress) -> None:
        ahead.append(given - event.bytes_done)

    await small.upload("bucket", "key", counted(), concurrency=2, progress=watch)
    # Two parts in flight, the one being filled, and a piece that did not fit.
    assert max(ahead) <= 3 * PART + MIB
    assert given == 40 * MIB


async def test_all_transfers_share_one_budget(cos_emulator: Emulator):
    config = aiocos.ClientConfig(transfer=aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, max_memory=3 * PART))
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")
        most = 0

        def watch(_: Progress) -> None:
            nonlocal most
            most = max(most, used(cos))

        async with asyncio.timeout(60):
            jobs = [cos.upload("bucket", f"k{i}", pieces(DATA, 100_000), progress=watch) for i in range(4)]
            await asyncio.gather(*jobs, *(cos.upload("bucket", f"s{i}", DATA[:1000]) for i in range(20)))
        assert 0 < most <= 3 * PART
        assert used(cos) == 0


async def test_sources_that_are_silent_hold_nothing_up(cos_emulator: Emulator):
    """More of them than there is memory for, at their beginning and between parts."""
    config = aiocos.ClientConfig(transfer=aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, max_memory=2 * PART))
    speak = asyncio.Event()

    async def silent(before: int):
        if before:
            yield DATA[:before]
        await speak.wait()
        yield DATA[before : 2 * PART]

    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")
        waiting = [asyncio.create_task(cos.upload("bucket", f"s{i}", silent((0, PART)[i % 2]))) for i in range(8)]
        async with asyncio.timeout(20):
            await asyncio.sleep(0.2)
            while used(cos):  # first parts that are being sent
                await asyncio.sleep(0.05)
            await cos.upload("bucket", "key", DATA)
            speak.set()
            results = await asyncio.gather(*waiting)
        assert {result.size for result in results} == {2 * PART}
        assert used(cos) == 0


async def test_a_stream_longer_than_ten_thousand_parts(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploading, "growing_parts", lambda size, largest: iter(list(uploading.divide(2 * PART, PART))))
    await small.upload("bucket", "fits", pieces(DATA[: 2 * PART], MIB))
    with pytest.raises(TransferError, match="10,000 parts"):
        await small.upload("bucket", "key", pieces(DATA[: 2 * PART + 1], MIB))
    assert await open_uploads(small) == []
    assert used(small) == 0


@pytest.mark.parametrize("change", ["shrink", "touch"])
async def test_a_file_that_changes_meanwhile_is_not_stored(
    small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, change: str
):
    path = tmp_path / "f"
    path.write_bytes(DATA)
    cos_emulator.faults.script([Delay(0.2, operation="UploadPart", times=None)])

    def disturb(event: Progress) -> None:
        if event.parts_done == 1:
            os.truncate(path, PART + 10) if change == "shrink" else os.utime(path, ns=(1, 1))

    with pytest.raises(TransferError, match="while it was read"):
        await small.upload("bucket", "key", path, concurrency=1, progress=disturb)
    assert not await small.objects.exists("bucket", "key")
    assert await open_uploads(small) == []


async def test_progress_grows_and_ends(small: aiocos.Client):
    events: list[Progress] = []
    await small.upload("bucket", "key", DATA, progress=events.append)
    assert events[0].state == "queued"
    assert events[-1].state == "done"
    assert (events[-1].bytes_done, events[-1].bytes_total) == (len(DATA), len(DATA))
    assert (events[-1].parts_done, events[-1].parts_total) == (4, 4)
    assert [e.bytes_done for e in events] == sorted(e.bytes_done for e in events)
    events.clear()
    with pytest.raises(aiocos.NoSuchBucket):
        await small.upload("no-such-bucket", "key", DATA, progress=events.append)
    assert events[-1].state == "failed"


async def test_an_observer_that_fails_ends_nothing(small: aiocos.Client, caplog: pytest.LogCaptureFixture):
    def broken(_: Progress) -> None:
        raise RuntimeError("observer")

    with caplog.at_level(logging.ERROR):
        await small.upload("bucket", "key", b"data", progress=broken)
    assert "bucket/key" in caplog.text


async def test_a_part_that_never_succeeds_takes_the_upload_back(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="UploadPart", nth=3, times=None)])
    with pytest.raises(TransferError, match="the upload was aborted") as caught:
        await small.upload("bucket", "key", DATA, concurrency=2)
    assert caught.value.upload_id
    assert isinstance(caught.value.__cause__, BaseExceptionGroup)
    assert await open_uploads(small) == []
    assert used(small) == 0


async def test_parts_that_stumble_are_sent_again(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script(
        [
            Status(503, code="SlowDown", operation="UploadPart"),
            Reset(operation="UploadPart", received=1_000_000),
            Reset(operation="UploadPart", lost_answer=True),
            Reset(operation="CreateMultipartUpload"),
        ]
    )
    assert (await small.upload("bucket", "key", DATA)).verified == "checksum"
    assert await small.objects.read("bucket", "key") == DATA


async def test_a_deadline(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(3, operation="UploadPart", times=None)])
    with pytest.raises(aiocos.RequestTimeoutError, match="upload of bucket/key"):
        await small.upload("bucket", "key", DATA, timeout=0.5)
    cos_emulator.faults.clear()
    assert await open_uploads(small) == []


async def test_other_checksums(cos_emulator: Emulator):
    for algorithm in ("crc32", "sha256"):
        async with cos_emulator.client(config=aiocos.ClientConfig(checksum=algorithm, transfer=CONFIG.transfer)) as cos:
            if not await cos.buckets.exists("bucket"):
                await cos.buckets.create("bucket")
            for data in (DATA, DATA[:1000]):
                result = await cos.upload("bucket", algorithm, data)
                assert result.verified == "checksum", "the service has repeated what was sent with each body"
                assert await cos.objects.read("bucket", algorithm) == data


async def test_a_service_that_knows_nothing_of_checksums(
    cos_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its ETags look like MD5s and are none, and it has never heard of a checksum header."""
    older = dataclasses.replace(aiocos.ClientConfig.for_older_services(), verify_writes=False)
    config = dataclasses.replace(older, transfer=SMALL, retry=CONFIG.retry)
    sent = list[dict[str, str]]()

    def old(answer: ChangedResponse) -> None:
        if answer.headers.get("ETag") and not answer.is_for("PUT", partNumber=True):
            answer.headers["ETag"] = '"' + "0" * 32 + '"'

    def note(request: PreparedRequest) -> None:
        sent.append(dict(request.headers))
        request.headers.pop("If-Match", None)

    change_responses(monkeypatch, old, note)
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")
        for data in (DATA, DATA[:1000]):
            assert (await cos.upload("bucket", "key", data)).size == len(data)
            await cos.download("bucket", "key", tmp_path / "f")
            assert (tmp_path / "f").read_bytes() == data
    names = {name for headers in sent for name in headers} - {"x-amz-checksum-mode"}  # asked for by reads, and ignored
    assert not any("x-amz-checksum" in name or "x-amz-sdk" in name for name in names)


@pytest.mark.parametrize(("length", "parts"), [(2 * PART - 1, 1), (2 * PART, 2), (2 * PART + 1, 3), (3 * PART, 3)])
async def test_an_upload_may_have_a_threshold_of_its_own(small: aiocos.Client, tmp_path: Path, length: int, parts: int):
    data = DATA[:length]
    for name, source in kinds(data, tmp_path / "file").items():
        result = await small.upload("bucket", "key", source, multipart_threshold=2 * PART)
        assert (result.parts, result.verified) == (parts, "checksum"), name
        assert await small.objects.read("bucket", "key") == data, name
        if hasattr(source, "close"):
            source.close()
    assert used(small) == 0


@pytest.mark.parametrize("concurrency", [1, None])
async def test_a_threshold_between_parts_cuts_a_stream_as_ever(small: aiocos.Client, concurrency: int | None):
    for length, parts in ((PART + 9, 1), (PART + 10, 2), (len(DATA), 4)):
        stream = pieces(DATA[:length], 100_000)
        result = await small.upload("bucket", "key", stream, multipart_threshold=PART + 10, concurrency=concurrency)
        assert (result.parts, result.size) == (parts, length)
        assert await small.objects.read("bucket", "key") == DATA[:length]
    assert used(small) == 0


async def test_no_threshold_holds_more_in_memory_than_there_may_be(cos_emulator: Emulator, tmp_path: Path):
    config = aiocos.ClientConfig(transfer=aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, max_memory=2 * PART))
    (tmp_path / "f").write_bytes(DATA)
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")
        for source in (tmp_path / "f", pieces(DATA, 100_000)):
            assert (await cos.upload("bucket", "key", source, multipart_threshold=1 << 50)).parts == 4
        with pytest.raises(ConfigError, match="multipart_threshold"):
            await cos.upload("bucket", "key", b"", multipart_threshold=-1)


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
async def test_what_was_read_ahead_is_given_back_where_the_upload_fails(
    small: aiocos.Client, cos_emulator: Emulator, operation: str
):
    cos_emulator.faults.script([Status(403, operation=operation, times=None)])
    with pytest.raises(aiocos.CosError):
        await small.upload("bucket", "key", pieces(DATA, 100_000), multipart_threshold=3 * PART, concurrency=1)
    cos_emulator.faults.clear()
    assert used(small) == 0
    assert await open_uploads(small) == []
