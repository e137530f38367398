"""Journals of uploads: damaged ones, those of other uploads, and completions whose response was lost."""

import json
import os
from collections.abc import AsyncIterator
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from tests.responses import ChangedResponse, change_responses
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads

import aiocos
from aiocos.emulator import Emulator, Reset, Status
from aiocos.errors import OutcomeUnknown, TransferError
from aiocos.groups import engine_of
from aiocos.operations.multipart import CompleteMultipartUpload
from aiocos.wire.checksum import best, compute

PARTS = 4


@pytest.fixture
async def cos(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[aiocos.Client]:
    """A client whose journals are this test's own."""
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry, checksum="md5")) as client:
        await client.buckets.create("bucket")
        yield client


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return path


def count(emulator: Emulator, operation: str) -> int:
    return sum(served.operation == operation and served.status < 300 for served in emulator.requests)


def journals(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "journals").iterdir())


async def broken_off(cos: aiocos.Client, emulator: Emulator, source: object, parts: int = 2, **more: object) -> None:
    """Let an upload fail after so many parts: the service refuses every further one."""
    script = [Status(403, code="AccessDenied", operation="UploadPart", nth=parts + 1, times=None)]
    emulator.faults.script(script)
    with pytest.raises(TransferError, match="continues from there"):
        await cos.upload("bucket", "key", source, resume=True, concurrency=1, **more)  # type: ignore[arg-type]
    emulator.faults.script([])
    emulator.requests.clear()


async def _all_sent(cos: aiocos.Client, emulator: Emulator, source: Path, tmp_path: Path) -> CompleteMultipartUpload:
    """An upload whose parts are all there, and the completion that its process was about to send, or had sent."""
    await broken_off(cos, emulator, source)
    [journal] = journals(tmp_path)
    upload_id = json.loads(journal.read_text().splitlines()[0])["upload_id"]
    with journal.open("a") as file:
        for number in (3, 4):
            data = DATA[(number - 1) * PART : number * PART]
            done = await cos.multipart.upload_part("bucket", "key", upload_id, number, data)
            file.write(json.dumps({"part": number, "etag": done.etag, "md5": done.etag.strip('"')}) + "\n")
    listed = [part async for part in cos.multipart.list_parts("bucket", "key", upload_id)]
    emulator.requests.clear()
    parts = [aiocos.CompletedPart(etag=part.etag, part_number=part.part_number) for part in listed]
    return CompleteMultipartUpload("bucket", "key", upload_id, parts)


async def test_two_sources_for_one_key_have_a_journal_each(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path
):
    other = tmp_path / "other"
    other.write_bytes(DATA[::-1])
    await broken_off(cos, cos_emulator, source)
    await broken_off(cos, cos_emulator, other)
    await broken_off(cos, cos_emulator, DATA)
    assert len(journals(tmp_path)) == len(await open_uploads(cos)) == 3
    for given, data in ((source, DATA), (other, DATA[::-1]), (DATA, DATA)):
        result = await cos.upload("bucket", "key", given, resume=True)
        assert (result.resumed_bytes, result.resume_rejected) == (2 * PART, None)
        assert await cos.objects.read("bucket", "key") == data
    assert journals(tmp_path) == await open_uploads(cos) == []


STEPS = [
    "5", "null", "[]", '"x"', "{}", '{"part":1}', '{"part":"x","etag":"e","md5":"m"}', '{"part":1e999,"etag":"e","md5":"m"}',
    '{"part":null,"etag":"e","md5":"m"}', '{"part":1,"etag":5,"md5":"m"}', '{"part":1,"etag":"\\ud800","md5":"m"}',
    '{"part":1,"etag":"a\\nb","md5":"m"}', '{"part":1,"etag":"e","md5":["m"]}', '{"part":NaN,"etag":"e","md5":"m"}',
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
async def test_a_journal_of_nonsense_is_no_reason_not_to_upload(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path, step: str
):
    await broken_off(cos, cos_emulator, source)
    [journal] = journals(tmp_path)
    with journal.open("a") as file:
        file.write(step + "\n")
    result = await cos.upload("bucket", "key", source, resume=True)
    assert "damaged" in (result.resume_rejected or "")
    assert result.resumed_bytes == 0
    assert await cos.objects.read("bucket", "key") == DATA


@pytest.mark.parametrize("upload_id", [None, 5, ["x"], "\ud800", "a\nb"])
async def test_an_upload_id_of_nonsense(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path, upload_id: object
):
    await broken_off(cos, cos_emulator, source)
    [journal] = journals(tmp_path)
    head, *rest = journal.read_text().splitlines()
    journal.write_text("\n".join([json.dumps(json.loads(head) | {"upload_id": upload_id}), *rest]) + "\n")
    result = await cos.upload("bucket", "key", source, resume=True)
    assert "damaged" in (result.resume_rejected or "")
    assert await cos.objects.read("bucket", "key") == DATA


@pytest.mark.parametrize("there", [None, "another", "parts of another", "shorter"])
async def test_all_parts_noted_and_the_upload_aborted(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str | None
):
    """Somebody aborted it: what is there is not what it would have become."""
    completion = await _all_sent(cos, cos_emulator, source, tmp_path)
    await cos.multipart.abort("bucket", "key", completion.upload_id)
    if there == "another":
        await cos.objects.put("bucket", "key", b"another")
    elif there is not None:
        await cos.upload("bucket", "key", DATA if there == "shorter" else DATA[::-1])
    if there == "shorter":
        # It has the ETag, and not the size.
        def shorten(answer: ChangedResponse) -> None:
            if answer.is_for("HEAD") and answer.is_for_object:
                answer.headers["Content-Length"] = "5"

        change_responses(monkeypatch, shorten)
    cos_emulator.requests.clear()
    result = await cos.upload("bucket", "key", source, resume=True)
    assert "gone" in (result.resume_rejected or "")
    assert ("there is no object" in (result.resume_rejected or "")) is (there is None)
    assert (result.resumed_bytes, count(cos_emulator, "UploadPart")) == (0, PARTS)
    assert await cos.objects.read("bucket", "key") == DATA
    assert journals(tmp_path) == []


async def test_some_parts_noted_and_the_object_there(cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path):
    """Not all parts were sent, so it was not this upload that made the object, even if it is the same."""
    await broken_off(cos, cos_emulator, source)
    [upload_id] = await open_uploads(cos)
    await cos.multipart.abort("bucket", "key", upload_id)
    await cos.upload("bucket", "key", DATA)
    cos_emulator.requests.clear()
    result = await cos.upload("bucket", "key", source, resume=True)
    assert "completed by somebody else" in (result.resume_rejected or "")
    assert count(cos_emulator, "UploadPart") == PARTS


async def test_a_source_changed_behind_its_time_is_not_the_object(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path
):
    stamp = source.stat().st_mtime_ns
    await engine_of(cos).call(await _all_sent(cos, cos_emulator, source, tmp_path))
    changed = bytes(DATA[:-1]) + bytes([DATA[-1] ^ 1])
    source.write_bytes(changed)
    os.utime(source, ns=(stamp, stamp))
    result = await cos.upload("bucket", "key", source, resume=True)
    assert "changed since" in (result.resume_rejected or "")
    assert await cos.objects.read("bucket", "key") == changed


@pytest.mark.parametrize("algorithm", ["auto", "crc32", "sha256"])
async def test_a_journal_has_the_checksums_that_were_sent(cos_emulator: Emulator, source: Path, tmp_path: Path, algorithm: Any):
    """The service shows them, also where its ETags are no MD5s."""
    key = os.urandom(32)
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    config = aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry, checksum=algorithm)
    name = best() if algorithm == "auto" else algorithm
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")
        for more in ({}, {"customer_key": key}):
            await broken_off(cos, cos_emulator, source, **more)
            noted = [json.loads(line) for line in journals(tmp_path)[0].read_text().splitlines()[1:]]
            assert {(step["part"], step[name]) for step in noted} == {
                (number, compute(name, DATA[(number - 1) * PART : number * PART]).hex()) for number in (1, 2)
            }
            result = await cos.upload("bucket", "key", source, resume=True, **more)  # type: ignore[arg-type]
            assert (result.resumed_bytes, result.resume_rejected) == (2 * PART, None)
            assert result.verified == "checksum"


async def test_an_upload_keeps_the_checksum_that_it_was_created_with(cos_emulator: Emulator, source: Path, tmp_path: Path):
    """Also where the settings name none, and this machine would choose another. A named one is not given up."""
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))

    def client(checksum: Any) -> aiocos.Client:
        return cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry, checksum=checksum))

    async with client("crc32c") as before, client("auto") as now, client("sha256") as other:
        await before.buckets.create("bucket")
        await broken_off(before, cos_emulator, source)
        result = await now.upload("bucket", "key", source, resume=True)
        assert (result.resumed_bytes, result.resume_rejected, result.verified) == (2 * PART, None, "checksum")
        assert (await now.objects.head("bucket", "key", checksum_mode="ENABLED")).checksum_crc32c is not None
        await broken_off(before, cos_emulator, source)
        result = await other.upload("bucket", "key", source, resume=True)
        assert (result.resumed_bytes, result.resume_rejected) == (0, "its parts have another checksum (crc32c)")
        assert await open_uploads(other) == []


async def test_a_journal_of_an_earlier_version_is_continued(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path
):
    """It names no checksum, and its upload has declared none: its other parts get `Content-MD5`."""
    await broken_off(cos, cos_emulator, source)
    [journal] = journals(tmp_path)
    head, *steps = journal.read_text().splitlines()
    begun = json.loads(head)
    assert begun.pop("checksum") == "md5"
    journal.write_text("\n".join([json.dumps(begun), *steps]) + "\n")
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer)) as now:
        result = await now.upload("bucket", "key", source, resume=True)
        assert (result.resumed_bytes, result.resume_rejected, result.verified) == (2 * PART, None, "composite")
        assert await now.objects.read("bucket", "key") == DATA


async def test_one_that_was_completed_unheard_is_known_by_its_checksum(cos_emulator: Emulator, source: Path, tmp_path: Path):
    """Under a key, where its ETag says nothing."""
    key = os.urandom(32)
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    retry = aiocos.RetryConfig(attempts=1)
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer, retry=retry)) as cos:
        await cos.buckets.create("bucket")
        closed = Status(403, code="AccessDenied", operation="HeadObject", times=None)
        cos_emulator.faults.script([Reset(operation="CompleteMultipartUpload", lost_answer=True), closed])
        with pytest.raises(OutcomeUnknown):
            await cos.upload("bucket", "key", source, resume=True, customer_key=key)
        cos_emulator.faults.script([])
        cos_emulator.requests.clear()
        result = await cos.upload("bucket", "key", source, resume=True, customer_key=key)
        assert (result.resumed_bytes, result.resume_rejected, result.verified) == (len(DATA), None, "checksum")
        assert count(cos_emulator, "UploadPart") == count(cos_emulator, "CreateMultipartUpload") == 0


async def test_what_was_sent_in_this_call_is_known_when_it_begins_again(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path
):
    """The completion meets a part that has come late. All others are kept: by the journal, under a key."""
    key = os.urandom(32)
    cos_emulator.faults.script([Status(400, code="InvalidPart", operation="CompleteMultipartUpload")])
    events: list[aiocos.Progress] = []
    result = await cos.upload("bucket", "key", source, resume=True, customer_key=key, progress=events.append)
    assert count(cos_emulator, "UploadPart") == PARTS
    assert (result.resumed_bytes, result.size, result.parts) == (len(DATA), len(DATA), PARTS)
    assert (events[-1].bytes_done, events[-1].parts_done) == (len(DATA), PARTS), "not counted twice"
    assert result.verified is None, "no ETag of a part is its MD5"
    assert await cos.objects.read("bucket", "key", customer_key=key) == DATA


@pytest.mark.parametrize("protected", [True, False])
async def test_the_word_of_a_journal_counts_only_where_etags_are_no_md5s(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool
):
    """It says that the part there, of other bytes, is what the source has."""
    await broken_off(cos, cos_emulator, source)
    [upload_id] = await open_uploads(cos)
    other = await cos.multipart.upload_part("bucket", "key", upload_id, 2, b"?" * PART)
    [journal] = journals(tmp_path)
    with journal.open("a") as file:
        file.write(json.dumps({"part": 2, "etag": other.etag, "md5": md5(DATA[PART : 2 * PART]).hexdigest()}) + "\n")

    def told(answer: ChangedResponse) -> None:
        if answer.is_for("HEAD") and not answer.is_for_object and protected:
            answer.headers["ibm-sse-kp-enabled"] = "True"

    change_responses(monkeypatch, told)
    result = await cos.upload("bucket", "key", source, resume=True)
    assert result.resumed_bytes == (2 * PART if protected else PART)
    assert result.verified == (None if protected else "composite")
    if not protected:
        assert await cos.objects.read("bucket", "key") == DATA


async def test_one_that_was_completed_unheard_is_verified_where_it_is(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path
):
    await engine_of(cos).call(await _all_sent(cos, cos_emulator, source, tmp_path))
    assert (await cos.upload("bucket", "key", source, resume=True)).verified == "composite"


def hexed(number: int) -> str:
    return f"{number:032x}"


def noted(number: int, etag: str | None = None) -> dict[str, object]:
    return {"part": number, "etag": f'"{hexed(number)}"' if etag is None else etag, "md5": hexed(number)}
