"""Uploads of every kind of source and every length, and what they do when something fails."""

import asyncio
import dataclasses
import hashlib
import io
import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiofiles
import pytest
from tests.responses import ChangedResponse, change_responses
from tests.transfer.conftest import CONFIG, DATA, PART, SMALL, open_uploads, used

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator, Reset, Status
from aiocos.errors import AccessDenied, ConfigError, IntegrityError, NoSuchUpload, TransferError
from aiocos.transfer import Progress
from aiocos.transfer.manager import manager_of
from aiocos.transfer.parts import PartRange
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
        assert result.verified in ("md5", "composite"), name
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
    with pytest.raises(ConfigError, match="no source"):
        await small.upload("bucket", "key", 5)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="str where bytes"):
        await small.upload("bucket", "key", ["text"])  # type: ignore[list-item]
    with pytest.raises(FileNotFoundError):
        await small.upload("bucket", "key", tmp_path / "missing")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ConfigError, match="no regular file"):
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
    request = uploading.UploadRequest(
        "b", "k", b"", retention_period=60, retention_legal_hold_id="h", if_none_match="*", content_type="x"
    )
    put = uploading.carry(request, uploading.PutObject, data=b"")
    create = uploading.carry(request, uploading.CreateMultipartUpload)
    complete = uploading.carry(request, uploading.CompleteMultipartUpload, upload_id="u", parts=[])
    assert (put.retention_period, put.retention_legal_hold_id, put.if_none_match, put.content_type) == (60, "h", "*", "x")
    assert create.content_type == "x"
    assert not hasattr(create, "retention_period")
    assert (complete.retention_period, complete.retention_legal_hold_id, complete.if_none_match) == (60, "h", "*")
    assert not hasattr(uploading.carry(request, uploading.UploadPart, upload_id="u", part_number=1), "content_type")


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
    monkeypatch.setattr(uploading, "growing", lambda size, largest: iter(list(uploading.cut(2 * PART, PART))))
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
    with pytest.raises(TransferError, match="taken back") as caught:
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
    assert (await small.upload("bucket", "key", DATA)).verified == "composite"
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
        assert (result.parts, result.verified) == (parts, "md5" if parts == 1 else "composite"), name
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


# -- what vouches for an object ---------------------------------------------------------------------------------------


def etags(monkeypatch: pytest.MonkeyPatch, etag: str, *, protected: bool) -> None:
    """Have every object and part get this ETag, in a bucket under Key Protect or not."""

    def change(answer: ChangedResponse) -> None:
        if answer.is_for("PUT") and answer.is_for_object:
            answer.headers["ETag"] = etag
        if answer.is_for("HEAD") and not answer.is_for_object and protected:
            answer.headers["ibm-sse-kp-enabled"] = "True"

    change_responses(monkeypatch, change)


@pytest.mark.parametrize("etag", ['"' + "5" * 32 + '"', '"opaque"'])
async def test_an_etag_that_is_no_md5_vouches_for_nothing(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch, etag: str):
    assert (await small.upload("bucket", "key", DATA[:100])).verified == "md5"
    assert (await small.upload("bucket", "key", DATA[:100], customer_key=os.urandom(32))).verified is None
    assert (await small.upload("bucket", "key", DATA, customer_key=os.urandom(32))).verified is None
    etags(monkeypatch, etag, protected=True)
    result = await small.upload("bucket", "key", DATA[:100])
    assert (result.verified, result.etag) == (None, etag)


async def test_an_md5_under_a_customers_key_is_not_taken_for_one(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    data = DATA[:100]
    etags(monkeypatch, f'"{hashlib.md5(data).hexdigest()}"', protected=False)
    assert (await small.upload("bucket", "key", data, customer_key=os.urandom(32))).verified is None


@pytest.mark.parametrize("length", [100, len(DATA)])
async def test_what_the_service_has_stored_is_something_else(
    small: aiocos.Client, monkeypatch: pytest.MonkeyPatch, length: int
):
    etags(monkeypatch, '"' + "5" * 32 + '"', protected=False)
    with pytest.raises(IntegrityError) as caught:
        await small.upload("bucket", "key", DATA[:length])
    assert caught.value.actual == '"' + "5" * 32 + '"'
    assert await open_uploads(small) == []
    with pytest.raises(IntegrityError):
        await small.upload("bucket", "key", iter([DATA[:length]]))
    assert await open_uploads(small) == []


# -- what is said of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 100, PART, 2 * PART + 5])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_result_and_its_progress_say_the_same(small: aiocos.Client, length: int, streamed: bool):
    await small.versioning.put("bucket", aiocos.VersioningConfiguration(status="Enabled"))
    events: list[Progress] = []
    source = iter([DATA[:length]]) if streamed else DATA[:length]
    result = await small.upload("bucket", "key", source, progress=events.append)
    info = await small.objects.head("bucket", "key")
    parts = max(1, -(-length // PART))
    assert (result.bucket, result.key, result.etag, result.size) == ("bucket", "key", info.etag, length)
    assert (result.version_id, result.parts, result.resumed_bytes, result.resume_rejected) == (info.version_id, parts, 0, None)
    assert result.version_id is not None
    assert result.request_id is not None
    assert (result.upload_id is None) is (length < PART)
    last = events[-1]
    assert (last.bytes_done, last.parts_done, last.bytes_kept) == (length, parts, 0)
    if not (streamed and length >= PART):
        assert (last.bytes_total, last.parts_total) == (length, parts)
    assert [event.state for event in events].count("verifying") == (length >= PART)


async def test_a_stream_has_no_total_before_its_end(small: aiocos.Client):
    events: list[Progress] = []
    await small.upload("bucket", "key", iter([DATA]), progress=events.append)
    assert {(event.bytes_total, event.parts_total) for event in events} == {(None, None)}
    assert (events[-1].bytes_done, events[-1].parts_done) == (len(DATA), 4)


def test_what_was_read_is_cut_into_parts_with_their_memory():
    def cut(length: int, *lengths: int, taken: int) -> list[tuple[int, int, bytes, int]]:
        data = DATA[:length]
        parts, offset = [], 0
        for number, size in enumerate(lengths, 1):
            parts.append(PartRange(number, offset, size))
            offset += size
        return [
            (part.number, part.offset, bytes(piece), share)
            for part, piece, share in uploading._pieces(data, iter(parts), taken)
        ]

    assert cut(0, 5, taken=5) == []
    assert cut(5, 5, 5, taken=10) == [(1, 0, DATA[:5], 10)], "the last one gives back what is left"
    assert cut(12, 5, 5, 5, taken=15) == [(1, 0, DATA[:5], 5), (2, 5, DATA[5:10], 5), (3, 10, DATA[10:12], 5)]
    assert cut(10, 5, 5, taken=7) == [(1, 0, DATA[:5], 5), (2, 5, DATA[5:10], 2)], "more was read than there is memory"
    assert cut(15, 5, 5, 5, taken=3) == [(1, 0, DATA[:5], 3), (2, 5, DATA[5:10], 0), (3, 10, DATA[10:15], 0)]
    whole = bytearray(DATA[:5])
    [(_, piece, _)] = uploading._pieces(whole, iter([PartRange(1, 0, 5)]), 5)
    assert piece is whole, "memory that can be used again"


@pytest.mark.parametrize(
    ("threshold", "expected"), [(None, PART), (1, PART), (PART, PART), (PART + 1, 2 * PART), (3 * PART, 3 * PART)]
)
async def test_a_stream_takes_memory_for_what_is_read_ahead(
    small: aiocos.Client, monkeypatch: pytest.MonkeyPatch, threshold: int | None, expected: int
):
    taken: list[int] = []
    budget: Any = manager_of(small).budget
    real = budget.take

    async def take(size: int, owner: object = None) -> int:
        taken.append(size)
        return await real(size, owner)

    monkeypatch.setattr(budget, "take", take)
    await small.upload("bucket", "key", iter([b"x"]), multipart_threshold=threshold)
    assert taken == [expected]


def failing(record: object = None, done: int = 0) -> Any:
    one: Any = uploading._Multipart.__new__(uploading._Multipart)
    one._what, one._record, one._done = "upload of it", record, dict.fromkeys(range(done))
    return one


def test_what_failures_mean():
    own, damage, busy = KeyError("the source's"), IntegrityError("other bytes"), AccessDenied("no")
    said = TransferError("the source has more bytes")

    def meaning(*errors: Exception, **more: Any) -> BaseException:
        return failing(**more)._failure(ExceptionGroup("g", [*errors]), "id")

    assert meaning(busy, damage, own) is own, "the source's own goes before all"
    assert meaning(busy, damage) is damage
    assert meaning(said, busy) is said
    for error in (meaning(busy, done=2), meaning(busy, said, done=2)):
        assert str(error) == "the upload of it failed after 2 parts: no"
        assert isinstance(error, TransferError)
        assert (error.upload_id, error.parts_done) == ("id", 2)
    kept = meaning(busy, record=object(), done=1)
    assert str(kept) == "the upload of it failed after 1 parts, and keeps them: the same call goes on from there: no"


def test_an_upload_that_is_over():
    def failed(cause: BaseException | None) -> TransferError:
        error = TransferError("it failed")
        error.__cause__ = cause
        return error

    gone = NoSuchUpload("no such upload")
    assert uploading._is_over(failed(ExceptionGroup("g", [AccessDenied("no"), ExceptionGroup("h", [gone])])))
    assert not uploading._is_over(failed(ExceptionGroup("g", [AccessDenied("no")])))
    assert not uploading._is_over(failed(gone))
    assert not uploading._is_over(failed(None))


@pytest.mark.parametrize(("given", "ordered", "expected"), [(None, False, 7), (None, True, 3), (2, False, 2), (5, True, 5)])
def test_parts_in_flight(given: int | None, ordered: bool, expected: int):
    config = aiocos.TransferConfig(concurrency=7, stream_concurrency=3)
    request: Any = UploadRequest("bucket", "key", b"", concurrency=given)
    one = uploading._Multipart(None, None, request, SimpleNamespace(ordered=ordered), config, None)  # type: ignore[arg-type]
    assert one._places._value == expected


async def test_a_source_that_is_read_once_cannot_be_resumed(small: aiocos.Client, tmp_path: Path):
    (tmp_path / "f").write_bytes(b"x")
    for source in (b"x", tmp_path / "f"):
        assert (await small.upload("bucket", "key", source, resume=True)).size == 1
    for source in (io.BytesIO(b"x"), iter([b"x"])):
        with pytest.raises(ConfigError, match="the upload of bucket/key cannot be resumed: its source is read only once"):
            await small.upload("bucket", "key", source, resume=True)


async def test_a_small_file_that_changes_while_it_is_read_is_not_stored(
    small: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from aiocos.transfer.upload import source

    real = source._whole

    def changing(path: Path, size: int) -> Any:
        os.utime(path, ns=(1, 1))
        return real(path, size)

    (tmp_path / "f").write_bytes(b"x")
    monkeypatch.setattr(source, "_whole", changing)
    with pytest.raises(TransferError, match="was changed while it was read"):
        await small.upload("bucket", "key", tmp_path / "f")
    assert not await small.objects.exists("bucket", "key")


@pytest.mark.parametrize("algorithm", ["md5", "crc32", "sha256"])
@pytest.mark.parametrize("length", [100, 2 * PART])
async def test_what_vouches_for_an_upload(cos_emulator: Emulator, algorithm: Any, length: int):
    config = dataclasses.replace(CONFIG, checksum=algorithm)
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")
        plain = await cos.upload("bucket", "key", DATA[:length])
        keyed = await cos.upload("bucket", "key", DATA[:length], customer_key=os.urandom(32))
    if algorithm == "md5":
        assert (plain.verified, keyed.verified) == ("md5" if length == 100 else "composite", None)
    else:
        assert (plain.verified, keyed.verified) == ("checksum", "checksum")
