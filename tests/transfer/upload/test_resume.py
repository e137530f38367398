"""Transfers that go on: what is kept, what is believed, and what is not."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from hashlib import md5
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.responses import ChangedResponse, change_responses
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, used
from tests.transfer.test_every_await import Stepped, descriptors

import aiocos
from aiocos.emulator import Emulator, Status
from aiocos.errors import AccessDenied, ConfigError, IntegrityError, NoSuchKey, NoSuchUpload, TransferError
from aiocos.groups import engine_of
from aiocos.operations.multipart import CompletedPart, CompleteMultipartUpload, CreateMultipartUpload, ListParts
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.journal import Journal
from aiocos.transfer.parts import cut
from aiocos.transfer.upload import resume as resuming
from aiocos.transfer.upload import upload as uploading
from aiocos.wire.digest import composite_etag

PARTS = 4


@pytest.fixture
async def cos(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[aiocos.Client]:
    """A client whose journals are this test's own."""
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry)) as client:
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
    with pytest.raises(TransferError, match="goes on from there"):
        await cos.upload("bucket", "key", source, resume=True, concurrency=1, **more)  # type: ignore[arg-type]
    emulator.faults.script([])
    emulator.requests.clear()


# -- uploads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["path", "bytes"])
async def test_only_what_is_missing_is_sent(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path, kind: str
):
    given = source if kind == "path" else DATA
    await broken_off(cos, cos_emulator, given)
    assert len(await open_uploads(cos)) == 1
    seen: list[aiocos.Progress] = []
    result = await cos.upload("bucket", "key", given, resume=True, progress=seen.append)
    assert count(cos_emulator, "UploadPart") == PARTS - 2
    assert count(cos_emulator, "CreateMultipartUpload") == 0
    assert (result.resumed_bytes, result.resume_rejected, result.parts, result.verified) == (2 * PART, None, PARTS, "composite")
    assert (seen[-1].bytes_done, seen[-1].bytes_kept) == (len(DATA), 2 * PART)
    assert await cos.objects.read("bucket", "key") == DATA
    assert await open_uploads(cos) == []
    assert journals(tmp_path) == []
    assert used(cos) == 0


async def test_without_resume_nothing_is_kept(cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="UploadPart", nth=3)])
    with pytest.raises(TransferError, match="taken back"):
        await cos.upload("bucket", "key", source)
    assert await open_uploads(cos) == []
    assert not (tmp_path / "journals").exists()


async def test_a_small_one_has_no_journal(cos: aiocos.Client, tmp_path: Path):
    result = await cos.upload("bucket", "small", b"x" * 1000, resume=True)
    assert (result.parts, result.resumed_bytes) == (1, 0)
    assert not (tmp_path / "journals").exists()


def _touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def _grow(path: Path) -> None:
    path.write_bytes(DATA + b"more")


@pytest.mark.parametrize(
    ("change", "more", "reason"),
    [(_touch, {}, "was changed since"), (_grow, {}, "another size"), (None, {"content_type": "a/b"}, "other headers"),
     (None, {"part_size": PART + 1}, "parts of another size")],
    ids=["time", "size", "headers", "part size"],
)  # fmt: skip
async def test_a_stale_journal_is_refused(
    cos: aiocos.Client,
    cos_emulator: Emulator,
    source: Path,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[Path], None] | None,
    more: dict[str, object],
    reason: str,
):
    await broken_off(cos, cos_emulator, source)
    if change:
        change(source)
    result = await cos.upload("bucket", "key", source, resume=True, **more)  # type: ignore[arg-type]
    assert reason in (result.resume_rejected or "")
    assert reason in caplog.text
    assert result.resumed_bytes == 0
    assert await cos.objects.read("bucket", "key") == source.read_bytes()
    assert await open_uploads(cos) == [], "the one that cannot be used is aborted"


async def test_a_source_changed_behind_its_time_is_sent_anew_where_it_differs(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path
):
    await broken_off(cos, cos_emulator, source)
    stamp = source.stat().st_mtime_ns
    changed = bytearray(DATA)
    changed[PART + 7] ^= 1  # in the second part
    source.write_bytes(changed)
    os.utime(source, ns=(stamp, stamp))
    result = await cos.upload("bucket", "key", source, resume=True)
    assert result.resumed_bytes == PART
    assert await cos.objects.read("bucket", "key") == bytes(changed)


async def test_an_upload_that_is_gone_is_begun_anew(cos: aiocos.Client, cos_emulator: Emulator, source: Path):
    await broken_off(cos, cos_emulator, source)
    [upload_id] = await open_uploads(cos)
    await cos.multipart.abort("bucket", "key", upload_id)
    result = await cos.upload("bucket", "key", source, resume=True)
    assert "gone" in (result.resume_rejected or "")
    assert await cos.objects.read("bucket", "key") == DATA


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


async def test_one_that_was_completed_unheard_is_a_success(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path
):
    await engine_of(cos).call(await _all_sent(cos, cos_emulator, source, tmp_path))
    result = await cos.upload("bucket", "key", source, resume=True)
    assert (result.resumed_bytes, result.resume_rejected) == (len(DATA), None)
    assert count(cos_emulator, "UploadPart") == 0
    assert journals(tmp_path) == []


async def test_one_that_is_completed_while_it_is_looked_at_is_a_success(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The completion was on its way when its process ended; the listing shows the upload open still, its parts gone already."""
    on_its_way = [await _all_sent(cos, cos_emulator, source, tmp_path)]
    real = engine_of(cos).call

    async def call(operation):
        result = await real(operation)
        if isinstance(operation, ListParts) and on_its_way:
            await real(on_its_way.pop())
            return result.model_copy(update={"parts": []})
        return result

    monkeypatch.setattr(engine_of(cos), "call", call)
    result = await cos.upload("bucket", "key", source, resume=True)
    assert (result.resumed_bytes, result.resume_rejected, on_its_way) == (len(DATA), None, [])
    assert await cos.objects.read("bucket", "key") == DATA
    assert journals(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]\n", '{"journal": 99}\n', '{"journal": 1}\n', "\x00\xff\n", '{"journal":1}\nno\n']
)
async def test_a_damaged_journal_is_refused(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path, text: str
):
    await broken_off(cos, cos_emulator, source)
    [journal] = journals(tmp_path)
    journal.write_text(text, encoding="latin-1")
    result = await cos.upload("bucket", "key", source, resume=True)
    # Half a line, or none, is a journal that had not begun: nothing to refuse, nothing to go on with.
    assert (result.resume_rejected is None) == ("\n" not in text)
    assert result.resumed_bytes == 0
    assert await cos.objects.read("bucket", "key") == DATA
    assert journals(tmp_path) == []


async def test_a_torn_last_line_costs_one_part_at_most(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path
):
    await broken_off(cos, cos_emulator, source)
    [journal] = journals(tmp_path)
    journal.write_text(journal.read_text()[:-5])
    result = await cos.upload("bucket", "key", source, resume=True)
    # The service has the part, and its ETag is the MD5 of its bytes.
    assert result.resumed_bytes == 2 * PART


async def test_a_journal_of_another_upload_touches_nothing(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path
):
    """Copied over from elsewhere: it names another object, whose upload is none of ours to abort."""
    foreign = (await cos.multipart.create("bucket", "other")).upload_id
    await broken_off(cos, cos_emulator, source)
    [journal] = journals(tmp_path)
    head, *rest = journal.read_text().splitlines()
    what = json.loads(head) | {"key": "other", "upload_id": foreign}
    journal.write_text("\n".join([json.dumps(what), *rest]) + "\n")
    result = await cos.upload("bucket", "key", source, resume=True)
    assert "another object" in (result.resume_rejected or "")
    assert foreign in await open_uploads(cos)


async def test_parts_put_there_by_somebody_else_are_not_believed(cos: aiocos.Client, cos_emulator: Emulator, source: Path):
    await broken_off(cos, cos_emulator, source)
    [upload_id] = await open_uploads(cos)
    await cos.multipart.upload_part("bucket", "key", upload_id, 2, b"?" * PART)
    result = await cos.upload("bucket", "key", source, resume=True)
    assert result.resumed_bytes == PART
    assert await cos.objects.read("bucket", "key") == DATA


async def test_a_part_that_comes_late_is_sent_once_more(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, monkeypatch: pytest.MonkeyPatch
):
    """On its way when its process was killed, it reaches a careless service after ours, and cut short."""
    await broken_off(cos, cos_emulator, source)
    [upload_id] = await open_uploads(cos)
    real, late = engine_of(cos).call, [b"?" * PART]

    async def call(operation):
        if isinstance(operation, CompleteMultipartUpload) and late:
            await cos.multipart.upload_part("bucket", "key", upload_id, 3, late.pop())
        return await real(operation)

    monkeypatch.setattr(engine_of(cos), "call", call)
    result = await cos.upload("bucket", "key", source, resume=True)
    assert (result.resumed_bytes, result.size, result.resume_rejected) == (len(DATA) - PART, len(DATA), None)
    assert await cos.objects.read("bucket", "key") == DATA
    assert await open_uploads(cos) == []


async def test_a_part_too_many_ends_the_old_upload(cos: aiocos.Client, cos_emulator: Emulator, source: Path):
    await broken_off(cos, cos_emulator, source)
    [upload_id] = await open_uploads(cos)
    await cos.multipart.upload_part("bucket", "key", upload_id, 77, b"?")
    result = await cos.upload("bucket", "key", source, resume=True)
    assert "part 77" in (result.resume_rejected or "")
    assert await cos.objects.read("bucket", "key") == DATA
    assert await open_uploads(cos) == []


async def test_a_customers_key_makes_etags_that_prove_nothing_and_the_journal_stands_in(
    cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path
):
    key = os.urandom(32)
    await broken_off(cos, cos_emulator, source, customer_key=key)
    assert key.hex() not in (text := journals(tmp_path)[0].read_text())
    assert all(form not in text for form in (repr(key), key.decode("latin-1")))
    result = await cos.upload("bucket", "key", source, resume=True, customer_key=key)
    assert (result.resumed_bytes, result.resume_rejected) == (2 * PART, None)
    assert await cos.objects.read("bucket", "key", customer_key=key) == DATA
    await broken_off(cos, cos_emulator, source, customer_key=key)
    result = await cos.upload("bucket", "key", source, resume=True, customer_key=os.urandom(32))
    assert "other headers" in (result.resume_rejected or "")


async def test_two_at_once_do_not_spoil_each_other(cos: aiocos.Client, source: Path):
    first = cos.start_upload("bucket", "key", source, resume=True)
    first.pause()
    async with asyncio.timeout(10):
        while not await open_uploads(cos):
            await asyncio.sleep(0)
    with pytest.raises(TransferError, match="under way already"):
        await cos.upload("bucket", "key", source, resume=True)
    first.resume()
    assert (await first).size == len(DATA)


async def test_what_can_be_read_only_once_cannot_be_resumed(cos: aiocos.Client):
    with pytest.raises(ConfigError, match="read only once"):
        await cos.upload("bucket", "key", iter([DATA]), resume=True)


async def test_damage_on_the_way_is_nothing_to_go_on_with(
    cos: aiocos.Client, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uploading, "composite_of", lambda parts: "0" * 32 + "-4")
    with pytest.raises(IntegrityError):
        await cos.upload("bucket", "key", source, resume=True)
    assert journals(tmp_path) == []


async def test_a_cancel_at_every_await_loses_nothing(cos: aiocos.Client, cos_emulator: Emulator, source: Path):
    """Cancelled at its n-th wait, then called again: at most one upload is open between, and the object is whole after."""
    before, n = descriptors(), 0
    while True:
        n += 1

        async def stepped(n: int = n) -> object:
            return await Stepped(cos.upload("bucket", "key", source, resume=True, concurrency=2), n)

        outcome = (await asyncio.gather(asyncio.create_task(stepped()), return_exceptions=True))[0]
        if not isinstance(outcome, asyncio.CancelledError):
            break
        async with asyncio.timeout(5):
            while len(await open_uploads(cos)) > 1:
                await asyncio.sleep(0.01)
        assert (used(cos), descriptors()) == (0, before)
        sent = count(cos_emulator, "UploadPart")
        result = await cos.upload("bucket", "key", source, resume=True)
        assert result.resumed_bytes + (count(cos_emulator, "UploadPart") - sent) * PART >= len(DATA)
        assert result.resume_rejected is None
        assert await cos.objects.read("bucket", "key") == DATA
        assert await open_uploads(cos) == []
        await cos.objects.delete("bucket", "key")
    assert n >= 3


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
        def cut(answer: ChangedResponse) -> None:
            if answer.is_for("HEAD") and answer.is_for_object:
                answer.headers["Content-Length"] = "5"

        change_responses(monkeypatch, cut)
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


@pytest.mark.parametrize("algorithm", ["crc32", "sha256"])
async def test_a_journal_has_md5s_whatever_the_checksum(cos_emulator: Emulator, source: Path, tmp_path: Path, algorithm: Any):
    """And where ETags are no MD5s nothing else says what was sent."""
    key = os.urandom(32)
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    config = aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry, checksum=algorithm)
    async with cos_emulator.client(config=config) as cos:
        await cos.buckets.create("bucket")
        for more in ({}, {"customer_key": key}):
            await broken_off(cos, cos_emulator, source, **more)
            noted = [json.loads(line) for line in journals(tmp_path)[0].read_text().splitlines()[1:]]
            assert {(step["part"], step["md5"]) for step in noted} == {
                (number, md5(DATA[(number - 1) * PART : number * PART]).hexdigest()) for number in (1, 2)
            }
            result = await cos.upload("bucket", "key", source, resume=True, **more)  # type: ignore[arg-type]
            assert (result.resumed_bytes, result.resume_rejected) == (2 * PART, None)
            # Kept parts are vouched for by ETags that are the MD5s of what was read, if they are.
            assert result.verified is None


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


# -- downloads --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def stored(cos: aiocos.Client) -> aiocos.Client:
    await cos.upload("bucket", "parts", DATA)
    await cos.objects.put("bucket", "whole", DATA)
    return cos


async def half_a_download(cos: aiocos.Client, emulator: Emulator, key: str, target: Path, *, answers: int = 2) -> None:
    """Let a download fail after so many answers: the service refuses every further one."""
    emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=answers + 1, times=None)])
    with pytest.raises(TransferError, match="goes on from there"):
        await cos.download("bucket", key, target, resume=True, concurrency=1)
    emulator.faults.script([])
    emulator.requests.clear()


@pytest.mark.parametrize("key", ["parts", "whole"])
async def test_only_what_is_missing_is_fetched(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, key: str):
    target = tmp_path / "out" / "target"
    target.parent.mkdir()
    target.write_bytes(b"old")
    await half_a_download(stored, cos_emulator, key, target)
    assert target.read_bytes() == b"old"
    result = await stored.download("bucket", key, target, resume=True)
    assert result.resume_rejected is None
    # Bytes that the last answers had brought may not have been noted, a step of each.
    assert 2 * PART - 2**21 <= result.resumed_bytes <= 2 * PART
    assert result.verified == ("composite" if key == "parts" else "md5")
    assert target.read_bytes() == DATA
    assert os.listdir(target.parent) == ["target"]
    assert used(stored) == 0


async def test_one_that_was_all_there_is_asked_for_once_more(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    from aiocos.transfer.download.partial import Partial

    async def killed(self: Partial, target: Path) -> None:
        raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Partial, "become", killed)
        with pytest.raises(asyncio.CancelledError):
            await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    cos_emulator.requests.clear()
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert count(cos_emulator, "GetObject") == 1
    assert result.resumed_bytes >= len(DATA) - 2**20
    assert (tmp_path / "f").read_bytes() == DATA


@pytest.mark.parametrize("gone", [False, True])
async def test_an_object_that_was_replaced_is_fetched_anew(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, gone: bool
):
    await half_a_download(stored, cos_emulator, "whole", tmp_path / "f")
    other = os.urandom(len(DATA) + 5)
    if gone:
        await stored.objects.delete("bucket", "whole")
        with pytest.raises(aiocos.errors.NotFound):
            await stored.download("bucket", "whole", tmp_path / "f", resume=True)
        assert not [name for name in os.listdir(tmp_path) if name.endswith((".part", ".journal"))]
    await stored.objects.put("bucket", "whole", other)
    result = await stored.download("bucket", "whole", tmp_path / "f", resume=True)
    assert (result.resume_rejected is None) == gone
    assert (tmp_path / "f").read_bytes() == other


def _shorter(part: Path) -> None:
    with part.open("r+b") as file:
        file.truncate(PART + 5)


def _other(part: Path) -> None:
    with part.open("r+b") as file:
        file.seek(PART + 1)
        file.write(b"????")


@pytest.mark.parametrize("damage", [_shorter, _other, Path.unlink], ids=["shorter", "other bytes", "gone"])
async def test_bytes_that_are_not_on_disk_are_fetched_again(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, damage: Callable[[Path], None]
):
    await half_a_download(stored, cos_emulator, "parts", tmp_path / "f")
    [part] = tmp_path.glob(".f.*.part")
    damage(part)
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert result.resumed_bytes < 2 * PART - 2**20
    assert (tmp_path / "f").read_bytes() == DATA


@pytest.mark.parametrize("line", ["no", "[0, 5]", "[-1, 5, 5]", "[0, 999999999999, 1]", '["a", 1, 1]', "{}"])
async def test_a_damaged_journal_of_a_download_is_refused(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, line: str
):
    await half_a_download(stored, cos_emulator, "parts", tmp_path / "f")
    [journal] = tmp_path.glob(".f.*.journal")
    with journal.open("a") as file:
        file.write(line + "\n")
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert "damaged" in (result.resume_rejected or "")
    assert (tmp_path / "f").read_bytes() == DATA


async def test_steps_in_any_order_and_twice(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    await half_a_download(stored, cos_emulator, "parts", tmp_path / "f")
    [journal] = tmp_path.glob(".f.*.journal")
    head, *steps = journal.read_text().splitlines()
    journal.write_text("\n".join([head, *reversed(steps), *steps]) + "\n")
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert (result.resume_rejected, result.size) == (None, len(DATA))
    assert (tmp_path / "f").read_bytes() == DATA


async def test_another_width_of_parts_goes_on_too(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    await half_a_download(stored, cos_emulator, "parts", tmp_path / "f")
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True, part_size=700_000)
    assert result.resumed_bytes > PART
    assert (tmp_path / "f").read_bytes() == DATA


async def test_a_small_object_leaves_no_journal(stored: aiocos.Client, tmp_path: Path):
    await stored.objects.put("bucket", "small", b"x")
    result = await stored.download("bucket", "small", tmp_path / "f", resume=True)
    assert (result.size, result.resumed_bytes) == (1, 0)
    assert sorted(os.listdir(tmp_path)) == ["f"]


async def test_a_download_refused_at_once_leaves_nothing(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject")])
    with pytest.raises(AccessDenied):
        await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert os.listdir(tmp_path) == []


async def test_a_cancel_at_every_await_of_a_download_loses_nothing(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path
):
    before, n, target = descriptors(), 0, tmp_path / "f"
    target.write_bytes(b"old")
    while True:
        n += 1

        async def stepped(n: int = n) -> object:
            return await Stepped(stored.download("bucket", "parts", target, resume=True, concurrency=2), n)

        outcome = (await asyncio.gather(asyncio.create_task(stepped()), return_exceptions=True))[0]
        if not isinstance(outcome, asyncio.CancelledError):
            break
        assert (used(stored), descriptors()) == (0, before)
        if target.read_bytes() == b"old":
            result = await stored.download("bucket", "parts", target, resume=True)
            assert result.resume_rejected is None
        assert target.read_bytes() == DATA
        assert os.listdir(tmp_path) == ["f"]
        target.write_bytes(b"old")
    assert n >= 3


# -- what is believed of an upload, without a service -----------------------------------------------------------------


def hexed(number: int) -> str:
    return f"{number:032x}"


def noted(number: int, etag: str | None = None) -> dict[str, object]:
    return {"part": number, "etag": f'"{hexed(number)}"' if etag is None else etag, "md5": hexed(number)}


class Shown:
    """A service that shows these parts, None for no upload, and this object."""

    def __init__(self, parts: list[tuple[int, int, str]] | None, head: ObjectInfo | None = None, *, md5: bool = True) -> None:
        self._engine = self
        self.multipart = self
        self.config = SimpleNamespace(verify_writes=True, transfer=SimpleNamespace(cleanup_timeout=30))
        self.aborted: list[str] = []
        self.asked: list[str] = []
        self._parts, self._head, self._md5 = parts, head, md5

    async def list_parts(self, bucket: str, key: str, upload_id: str) -> AsyncIterator[Any]:
        assert (bucket, key, upload_id) == ("bucket", "key", "id")
        if self._parts is None or self.aborted:
            raise NoSuchUpload("no such upload")
        for number, size, etag in self._parts:
            yield SimpleNamespace(part_number=number, size=size, etag=etag)

    async def abort(self, bucket: str, key: str, upload_id: str) -> None:
        assert (bucket, key) == ("bucket", "key")
        self.aborted.append(upload_id)

    async def call(self, operation: object) -> ObjectInfo:
        assert isinstance(operation, HeadObject)
        self.asked.append("object")
        if self._head is None:
            raise NoSuchKey("no such key")
        return self._head

    async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
        assert (bucket, expected_bucket_owner) == ("bucket", "owner")
        self.asked.append("bucket")
        return self._md5


WHAT = {"kind": "upload", "endpoint": "https://cos", "bucket": "bucket", "key": "key", "size": 25, "part_size": 10}
CUT = list(cut(25, 10))


class Resumed:
    """The journal of an upload, and what is found by it."""

    def __init__(self, path: Path, *steps: object, **begun: object) -> None:
        self.journal = Journal.open(path)
        self.journal.begin({**WHAT, "upload_id": "id", **begun})
        for step in steps:
            self.journal.add(step)
        self.journal.close()
        self.journal = Journal.open(path)

    async def find(self, service: Any, **creation: Any) -> tuple[resuming.ResumableUpload | None, str | None]:
        create = CreateMultipartUpload("bucket", "key", expected_bucket_owner="owner", **creation)
        record = resuming.UploadJournal(service, self.journal, WHAT, create)
        found = await record.find(HeadObject("bucket", "key"), CUT)
        self.journal.close()
        return found, record.refused


async def test_parts_that_are_there_are_found(tmp_path: Path):
    service = Shown([(1, 10, f'"{hexed(1)}"'), (2, 9, f'"{hexed(2)}"'), (3, 5, "opaque")])
    found, refused = await Resumed(tmp_path / "j", noted(1), noted(3, "opaque")).find(service)
    assert refused is None
    assert found is not None
    assert (found.upload_id, found.joined) == ("id", None)
    assert found.parts == {1: (f'"{hexed(1)}"', {hexed(1)}), 3: ("opaque", {"opaque", hexed(3)})}
    assert found.has(CUT[0], hexed(1)) == f'"{hexed(1)}"'
    assert found.has(CUT[0], hexed(2)) is None
    assert found.has(CUT[1], hexed(2)) is None, "one of another length"
    assert found.has(CUT[2], hexed(3)) == "opaque"
    assert (service.asked, service.aborted) == ([], [])


@pytest.mark.parametrize(
    ("creation", "verify", "md5", "opaque", "asked"),
    [
        ({}, True, True, False, ["bucket"]),
        ({}, True, False, True, ["bucket"]),
        ({"customer_key": bytes(32)}, True, True, True, []),
        ({}, False, True, True, []),
        ({"server_side_encryption": "aws:kms"}, True, True, True, []),
        ({"server_side_encryption": "AES256"}, True, True, False, ["bucket"]),
    ],
)
async def test_the_journal_stands_in_where_etags_are_no_md5s(
    tmp_path: Path, creation: dict[str, Any], verify: bool, md5: bool, opaque: bool, asked: list[str]
):
    etag = f'"{hexed(99)}"'
    service = Shown([(1, 10, etag), (2, 10, f'"{hexed(98)}"')], md5=md5)
    service.config.verify_writes = verify
    found, _ = await Resumed(tmp_path / "j", noted(1, etag), noted(2, etag)).find(service, **creation)
    assert found is not None
    assert found.parts[1] == (etag, {hexed(99), hexed(1)} if opaque else {hexed(99)})
    assert found.parts[2] == (f'"{hexed(98)}"', {hexed(98)}), "another ETag than the one that was answered"
    assert service.asked == asked


async def test_where_all_that_was_answered_are_md5s_nothing_is_asked(tmp_path: Path):
    service = Shown([(1, 10, f'"{hexed(1)}"')])
    await Resumed(tmp_path / "j", noted(1), noted(3, "opaque")).find(service)
    assert service.asked == []
    await Resumed(tmp_path / "k").find(service, customer_key=bytes(32))
    assert service.asked == []


async def test_a_part_too_many_refuses_it(tmp_path: Path):
    service = Shown([(1, 10, "e"), (4, 10, "e")])
    found, refused = await Resumed(tmp_path / "j").find(service)
    assert (found, refused) == (None, "the upload has a part 4, which the source has not")
    assert service.aborted == ["id"]


@pytest.mark.parametrize(
    ("changed", "aborted"),
    [
        ({"size": 24}, True),
        ({"part_size": 11}, True),
        ({"bucket": "b"}, False),
        ({"key": "k"}, False),
        ({"endpoint": "e"}, False),
    ],
)
async def test_a_journal_of_something_else_is_refused(tmp_path: Path, changed: dict[str, object], aborted: bool):
    """The old upload is aborted where it was of this object, and of this service."""
    service = Shown([(1, 10, "e")])
    found, refused = await Resumed(tmp_path / "j", **changed).find(service)
    assert found is None
    assert refused
    assert service.aborted == (["id"] if aborted else [])


@pytest.mark.parametrize(
    ("begun", "step"),
    [
        ({"upload_id": 5}, noted(1)),
        ({"upload_id": "é"}, noted(1)),
        ({"upload_id": "a\nb"}, noted(1)),
        ({}, {"part": 1, "etag": "é", "md5": "x"}),
        ({}, {"part": 1, "etag": "e"}),
        ({}, {"part": "x", "etag": "e", "md5": "x"}),
        ({}, [1]),
        ({}, None),
    ],
)
async def test_a_damaged_journal_is_named(tmp_path: Path, begun: dict[str, object], step: object):
    service = Shown([])
    found, refused = await Resumed(tmp_path / "j", step, **begun).find(service)
    assert (found, refused) == (None, f"{tmp_path / 'j'} is damaged")
    assert service.aborted == []


async def test_without_a_journal_nothing_is_found_and_nothing_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    journal = Journal.open(tmp_path / "j")
    record = resuming.UploadJournal(Shown([]), journal, WHAT, CreateMultipartUpload("bucket", "key"))  # type: ignore[arg-type]
    assert (await record.find(HeadObject("bucket", "key"), CUT), record.refused) == (None, None)
    journal.trouble = "for a reason"
    assert (await record.find(HeadObject("bucket", "key"), CUT), record.refused) == (None, "for a reason")
    [entry] = caplog.records
    assert entry.name == "aiocos.transfer"
    assert "the upload of bucket/key begins anew" in entry.getMessage()
    journal.close()


ALL = [noted(1), noted(2), noted(3)]
JOINED = composite_etag(bytes.fromhex(hexed(number)) for number in (1, 2, 3))


async def test_one_that_was_completed_unheard_is_found(tmp_path: Path):
    for size in (25, None):
        info = ObjectInfo(etag=f'"{JOINED}"', content_length=size)
        found, refused = await Resumed(tmp_path / f"j{size}", *ALL).find(Shown(None, info))
        assert refused is None
        assert found is not None
        assert found.joined == info
        assert found.parts == {number: (f'"{hexed(number)}"', {hexed(number)}) for number in (1, 2, 3)}


@pytest.mark.parametrize(
    ("steps", "head", "asked"),
    [
        (ALL, ObjectInfo(etag=f'"{JOINED}"', content_length=24), True),
        (ALL, ObjectInfo(etag='"other"', content_length=25), True),
        (ALL[:2], ObjectInfo(etag=f'"{JOINED}"', content_length=25), False),
        ([*ALL[:2], noted(4)], ObjectInfo(etag=f'"{JOINED}"', content_length=25), False),
        ([*ALL[:2], noted(3, "opaque")], ObjectInfo(etag=f'"{JOINED}"', content_length=25), False),
        ([], ObjectInfo(etag=f'"{JOINED}"', content_length=25), False),
    ],
)
async def test_an_object_that_this_upload_has_not_made(tmp_path: Path, steps: list[Any], head: ObjectInfo, asked: bool):
    service = Shown(None, head)
    found, refused = await Resumed(tmp_path / "j", *steps).find(service)
    assert (found, refused) == (None, "the upload is gone: it was aborted, or completed by somebody else")
    assert ("object" in service.asked) is asked


async def test_gone_and_no_object(tmp_path: Path):
    found, refused = await Resumed(tmp_path / "j", *ALL).find(Shown(None))
    assert (found, refused) == (None, "the upload is gone, and there is no object")


async def test_all_parts_are_read_to_know_whose_they_are():
    data = {part.number: os.urandom(part.length) for part in CUT}

    class Origin:
        async def part(self, part: Any) -> bytes:
            return data[part.number]

    md5s = {number: md5(piece).hexdigest() for number, piece in data.items()}
    found = resuming.ResumableUpload("id", {number: (f"e{number}", {one}) for number, one in md5s.items()})
    assert await found.is_of(Origin(), CUT) is True  # type: ignore[arg-type]
    assert found.read == {number: (f"e{number}", one) for number, one in md5s.items()}
    data[2] = b"changed"
    assert await found.is_of(Origin(), CUT) is False  # type: ignore[arg-type]
    assert await resuming.ResumableUpload("id").is_of(Origin(), CUT) is False  # type: ignore[arg-type]


async def test_what_is_done_is_noted(tmp_path: Path):
    journal = Journal.open(tmp_path / "j")
    record = resuming.UploadJournal(Shown([]), journal, WHAT, CreateMultipartUpload("bucket", "key"))  # type: ignore[arg-type]
    await record.begin("id")
    await record.note(CompletedPart(etag="e", part_number=3), "x")
    assert journal.steps == [{"part": 3, "etag": "e", "md5": "x"}], "this very call may begin again"
    lines = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]
    assert lines == [{"journal": 1, **WHAT, "upload_id": "id"}, {"part": 3, "etag": "e", "md5": "x"}]
    await record.end()
    assert not (tmp_path / "j").exists()


def test_other_headers_are_other_options():
    def options(**more: Any) -> str:
        return resuming._options(CreateMultipartUpload("bucket", "key", **more))

    assert options() == options(timeout=5) == options(timeout=6), "a deadline is no header"
    assert options(content_type="a/b") == options(content_type="a/b") != options(content_type="a/c") != options()
    secret = options(customer_key=bytes(32))
    assert secret != options(customer_key=bytes(31) + b"x")
    assert len(secret) == 64
