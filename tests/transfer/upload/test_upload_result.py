"""The result of an upload, and how it is verified."""

import dataclasses
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pytest
from tests.responses import ChangedResponse, change_responses
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads

import aiocos
from aiocos.emulator import Emulator
from aiocos.errors import ConfigError, IntegrityError, TransferError
from aiocos.transfer import Progress
from aiocos.transfer.manager import manager_of
from aiocos.transfer.parts import PartRange
from aiocos.transfer.upload import upload as uploading


def etags(monkeypatch: pytest.MonkeyPatch, etag: str, *, protected: bool) -> None:
    """Have every object and part get this ETag, in a bucket under Key Protect or not."""

    def change(answer: ChangedResponse) -> None:
        if answer.is_for("PUT") and answer.is_for_object:
            answer.headers["ETag"] = etag
        if answer.is_for("HEAD") and not answer.is_for_object and protected:
            answer.headers["ibm-sse-kp-enabled"] = "True"

    change_responses(monkeypatch, change)


@pytest.mark.parametrize("etag", ['"' + "5" * 32 + '"', '"opaque"'])
async def test_an_etag_that_is_no_md5_vouches_for_nothing(small_md5: aiocos.Client, monkeypatch: pytest.MonkeyPatch, etag: str):
    assert (await small_md5.upload("bucket", "key", DATA[:100])).verified == "md5"
    assert (await small_md5.upload("bucket", "key", DATA[:100], customer_key=os.urandom(32))).verified is None
    assert (await small_md5.upload("bucket", "key", DATA, customer_key=os.urandom(32))).verified is None
    etags(monkeypatch, etag, protected=True)
    result = await small_md5.upload("bucket", "key", DATA[:100])
    assert (result.verified, result.etag) == (None, etag)


async def test_an_md5_under_a_customers_key_is_not_taken_for_one(small_md5: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    data = DATA[:100]
    etags(monkeypatch, f'"{hashlib.md5(data).hexdigest()}"', protected=False)
    assert (await small_md5.upload("bucket", "key", data, customer_key=os.urandom(32))).verified is None


@pytest.mark.parametrize("length", [100, len(DATA)])
async def test_what_the_service_has_stored_is_something_else(
    small_md5: aiocos.Client, monkeypatch: pytest.MonkeyPatch, length: int
):
    etags(monkeypatch, '"' + "5" * 32 + '"', protected=False)
    with pytest.raises(IntegrityError) as caught:
        await small_md5.upload("bucket", "key", DATA[:length])
    assert caught.value.actual == '"' + "5" * 32 + '"'
    assert await open_uploads(small_md5) == []
    with pytest.raises(IntegrityError):
        await small_md5.upload("bucket", "key", iter([DATA[:length]]))
    assert await open_uploads(small_md5) == []


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
    assert (last.bytes_done, last.parts_done, last.resumed_bytes) == (length, parts, 0)
    if not (streamed and length >= PART):
        assert (last.bytes_total, last.parts_total) == (length, parts)
    assert [event.state for event in events].count("verifying") == (length >= PART)


async def test_a_stream_has_no_total_before_its_end(small: aiocos.Client):
    events: list[Progress] = []
    await small.upload("bucket", "key", iter([DATA]), progress=events.append)
    assert {(event.bytes_total, event.parts_total) for event in events} == {(None, None)}
    assert (events[-1].bytes_done, events[-1].parts_done) == (len(DATA), 4)


def test_what_was_read_is_cut_into_parts_with_their_memory():
    def divide(length: int, *lengths: int, taken: int) -> list[tuple[int, int, bytes, int]]:
        data = DATA[:length]
        parts, offset = [], 0
        for number, size in enumerate(lengths, 1):
            parts.append(PartRange(number, offset, size))
            offset += size
        return [
            (part.number, part.offset, bytes(piece), share) for part, piece, share in uploading._split(data, iter(parts), taken)
        ]

    assert divide(0, 5, taken=5) == []
    assert divide(5, 5, 5, taken=10) == [(1, 0, DATA[:5], 10)], "the last one gives back what is left"
    assert divide(12, 5, 5, 5, taken=15) == [(1, 0, DATA[:5], 5), (2, 5, DATA[5:10], 5), (3, 10, DATA[10:12], 5)]
    assert divide(10, 5, 5, taken=7) == [(1, 0, DATA[:5], 5), (2, 5, DATA[5:10], 2)], "more was read than there is memory"
    assert divide(15, 5, 5, 5, taken=3) == [(1, 0, DATA[:5], 3), (2, 5, DATA[5:10], 0), (3, 10, DATA[10:15], 0)]
    whole = bytearray(DATA[:5])
    [(_, piece, _)] = uploading._split(whole, iter([PartRange(1, 0, 5)]), 5)
    assert piece is whole, "memory that can be used again"


@pytest.mark.parametrize(
    ("threshold", "expected"), [(None, PART), (1, PART), (PART, PART), (PART + 1, 2 * PART), (3 * PART, 3 * PART)]
)
async def test_a_stream_takes_memory_for_what_is_read_ahead(
    small: aiocos.Client, monkeypatch: pytest.MonkeyPatch, threshold: int | None, expected: int
):
    taken: list[int] = []
    budget: Any = manager_of(small).budget
    real = budget.acquire

    async def take(size: int, owner: object = None) -> int:
        taken.append(size)
        return await real(size, owner)

    monkeypatch.setattr(budget, "acquire", take)
    await small.upload("bucket", "key", iter([b"x"]), multipart_threshold=threshold)
    assert taken == [expected]


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

    real = source._read_whole

    def changing(path: Path, size: int) -> Any:
        os.utime(path, ns=(1, 1))
        return real(path, size)

    (tmp_path / "f").write_bytes(b"x")
    monkeypatch.setattr(source, "_read_whole", changing)
    with pytest.raises(TransferError, match="was changed while it was read"):
        await small.upload("bucket", "key", tmp_path / "f")
    assert not await small.objects.exists("bucket", "key")


@pytest.mark.parametrize("algorithm", ["md5", "auto", "crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
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
