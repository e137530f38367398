"""Transfers that go on: what is kept, what is believed, and what is not."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, used
from tests.transfer.test_abort_at_every_await import Stepped, descriptors

import aiocos
from aiocos.emulator import Emulator, Status
from aiocos.errors import ConfigError, IntegrityError, TransferError
from aiocos.groups import engine_of
from aiocos.operations.multipart import CompleteMultipartUpload, ListParts
from aiocos.transfer.upload import multipart

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
    assert (seen[-1].bytes_done, seen[-1].resumed_bytes) == (len(DATA), 2 * PART)
    assert await cos.objects.read("bucket", "key") == DATA
    assert await open_uploads(cos) == []
    assert journals(tmp_path) == []
    assert used(cos) == 0


async def test_without_resume_nothing_is_kept(cos: aiocos.Client, cos_emulator: Emulator, source: Path, tmp_path: Path):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="UploadPart", nth=3)])
    with pytest.raises(TransferError, match="the upload was aborted"):
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
    with pytest.raises(TransferError, match="already running"):
        await cos.upload("bucket", "key", source, resume=True)
    first.resume()
    assert (await first).size == len(DATA)


async def test_what_can_be_read_only_once_cannot_be_resumed(cos: aiocos.Client):
    with pytest.raises(ConfigError, match="read only once"):
        await cos.upload("bucket", "key", iter([DATA]), resume=True)


async def test_damage_on_the_way_is_nothing_to_go_on_with(
    cos: aiocos.Client, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(multipart, "composite_of", lambda parts: "0" * 32 + "-4")
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
