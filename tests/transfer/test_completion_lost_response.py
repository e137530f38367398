"""The end of an upload when its answer is lost: settled by what the service shows, or said to be uncertain."""

import dataclasses
import re
from collections.abc import Awaitable, Callable

import pytest
from tests.responses import ChangedResponse, change_responses
from tests.transfer.conftest import DATA, MD5, PART, open_uploads, used

import aiocos
from aiocos.emulator import Emulator, LateError, Reset, Status
from aiocos.errors import IntegrityError, OutcomeUnknown, TransferError
from aiocos.groups import engine_of
from aiocos.operations.multipart import CompletedUpload, CompleteMultipartUpload
from aiocos.wire.checksum import compute
from aiocos.wire.digest import bare, composite_etag


@pytest.fixture
def small(small_md5: aiocos.Client) -> aiocos.Client:
    """The ETag alone tells what was made; `upload/test_checksums.py` has the completions with a checksum."""
    return small_md5


async def test_the_lost_answer_of_a_completion_that_happened(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Reset(operation="CompleteMultipartUpload", lost_answer=True)])
    result = await small.upload("bucket", "key", DATA)
    assert result.verified == "composite"
    assert await small.objects.read("bucket", "key") == DATA
    assert len([r for r in cos_emulator.requests if r.operation == "CompleteMultipartUpload"]) == 1, "settled, not repeated"


@pytest.mark.parametrize(
    "fault", [Reset(), Status(500, code="InternalError"), LateError(), LateError(applied=True), Status(503, code="SlowDown")]
)
async def test_a_completion_that_may_be_tried_again(small: aiocos.Client, cos_emulator: Emulator, fault):
    fault.operation = "CompleteMultipartUpload"
    cos_emulator.faults.script([fault])
    result = await small.upload("bucket", "key", DATA)
    assert result.verified == "composite"
    assert await small.objects.read("bucket", "key") == DATA
    assert await open_uploads(small) == []


async def test_an_object_like_it_that_was_there_before_proves_nothing(small: aiocos.Client, cos_emulator: Emulator):
    """Uploaded once more with other metadata, and the completion refused: the old object has the very ETag."""
    await small.upload("bucket", "key", DATA)
    cos_emulator.faults.script([Status(500, code="InternalError", operation="CompleteMultipartUpload")])
    await small.upload("bucket", "key", DATA, metadata={"made": "later"})
    assert (await small.objects.head("bucket", "key")).metadata == {"made": "later"}
    assert await open_uploads(small) == []


async def test_a_completion_that_always_fails_is_taken_back(small: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([LateError(operation="CompleteMultipartUpload", times=None)])
    with pytest.raises(aiocos.Unavailable):
        await small.upload("bucket", "key", DATA)
    assert await open_uploads(small) == []
    assert not await small.objects.exists("bucket", "key")
    assert used(small) == 0


async def test_gone_and_another_object_in_its_place_is_uncertain(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    await _lose(small, monkeypatch, then=lambda: small.objects.put("bucket", "key", b"somebody else's"))
    with pytest.raises(OutcomeUnknown, match="look at the object") as caught:
        await small.upload("bucket", "key", DATA)
    assert caught.value.upload_id
    assert await small.objects.read("bucket", "key") == b"somebody else's"


async def test_gone_and_nothing_in_its_place_is_a_failure(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    await _lose(small, monkeypatch, then=lambda: small.objects.delete("bucket", "key"))
    with pytest.raises(TransferError, match="gone") as caught:
        await small.upload("bucket", "key", DATA)
    assert not isinstance(caught.value, OutcomeUnknown)


async def test_an_upload_that_somebody_aborted(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    real = engine_of(small).call

    async def aborting(operation):
        if isinstance(operation, CompleteMultipartUpload):
            await small.multipart.abort(operation.bucket, operation.key, operation.upload_id)
        return await real(operation)

    monkeypatch.setattr(engine_of(small), "call", aborting)
    with pytest.raises(TransferError, match="gone"):
        await small.upload("bucket", "key", DATA)


async def test_an_empty_etag_is_asked_for(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    real = engine_of(small).call

    async def silent(operation):
        result = await real(operation)
        return CompletedUpload() if isinstance(operation, CompleteMultipartUpload) else result

    monkeypatch.setattr(engine_of(small), "call", silent)
    result = await small.upload("bucket", "key", DATA)
    assert result.verified == "composite"
    assert result.etag == (await small.objects.head("bucket", "key")).etag


async def test_an_object_that_is_not_its_parts_is_found(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    real = engine_of(small).call

    async def lying(operation):
        result = await real(operation)
        if isinstance(operation, CompleteMultipartUpload):
            return CompletedUpload(etag=f'"{composite_etag([b"0" * 16] * 4)}"')
        return result

    monkeypatch.setattr(engine_of(small), "call", lying)
    with pytest.raises(IntegrityError):
        await small.upload("bucket", "key", DATA)


async def _lose(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, then) -> None:
    """Let a completion happen, then something else happen to the object, then lose the answer."""
    real = engine_of(cos).call

    async def losing(operation):
        result = await real(operation)
        if isinstance(operation, CompleteMultipartUpload):
            await then()
            raise aiocos.ConnectionLostError("lost", sent=True)
        return result

    monkeypatch.setattr(engine_of(cos), "call", losing)


@pytest.fixture
async def hasty(cos_emulator: Emulator, small: aiocos.Client):
    config = dataclasses.replace(MD5, retry=aiocos.RetryConfig(attempts=2, base=0.01, cap=0.02))
    async with cos_emulator.client(config=config) as cos:
        yield cos


def outage(*operations: str, times: int | None = None) -> list[Status]:
    return [Status(503, code="ServiceUnavailable", operation=operation, times=times) for operation in operations]


async def test_a_service_that_goes_away_after_a_completion_leaves_it_uncertain(hasty: aiocos.Client, cos_emulator: Emulator):
    lost = Reset(operation="CompleteMultipartUpload", lost_answer=True)
    cos_emulator.faults.script(
        [lost, *outage("CompleteMultipartUpload", "HeadObject", "ListParts", "ListMultipartUploads", "AbortMultipartUpload")]
    )
    with pytest.raises(OutcomeUnknown, match="cannot be seen") as caught:
        await hasty.upload("bucket", "key", DATA)
    assert caught.value.upload_id in str(caught.value)
    cos_emulator.faults.clear()
    assert await hasty.objects.read("bucket", "key") == DATA, "it had been completed"


async def test_an_abort_that_finds_an_upload_settles_it(hasty: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Reset(operation="CompleteMultipartUpload", times=None), *outage("HeadObject")])
    with pytest.raises(aiocos.CosError) as caught:
        await hasty.upload("bucket", "key", DATA)
    assert not isinstance(caught.value, OutcomeUnknown)
    cos_emulator.faults.clear()
    assert await open_uploads(hasty) == []
    assert not await hasty.objects.exists("bucket", "key")


async def test_an_abort_that_finds_none_asks_once_more(hasty: aiocos.Client, cos_emulator: Emulator):
    lost = Reset(operation="CompleteMultipartUpload", lost_answer=True)
    cos_emulator.faults.script([lost, *outage("HeadObject", times=4)])
    result = await hasty.upload("bucket", "key", DATA)
    assert result.verified == "composite"
    assert await hasty.objects.read("bucket", "key") == DATA


@pytest.mark.parametrize("happened", [True, False])
async def test_who_may_write_and_not_read(small: aiocos.Client, cos_emulator: Emulator, happened: bool):
    lost = Reset(operation="CompleteMultipartUpload", lost_answer=happened)
    cos_emulator.faults.script([lost, Status(403, code="AccessDenied", operation="HeadObject", times=None)])
    if happened:
        with pytest.raises(OutcomeUnknown):
            await small.upload("bucket", "key", DATA)
    else:
        assert (await small.upload("bucket", "key", DATA)).verified == "composite", "still open, and completed again"
    cos_emulator.faults.clear()
    assert await small.objects.read("bucket", "key") == DATA
    assert await open_uploads(small) == []


async def test_an_etag_that_is_not_told_and_cannot_be_asked_for_is_uncertain(
    small: aiocos.Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
):
    real = engine_of(small).call

    async def silent(operation):
        result = await real(operation)
        return CompletedUpload() if isinstance(operation, CompleteMultipartUpload) else result

    monkeypatch.setattr(engine_of(small), "call", silent)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="HeadObject", times=None)])
    with pytest.raises(OutcomeUnknown, match="has no ETag"):
        await small.upload("bucket", "key", DATA)


async def test_an_upload_that_cannot_be_aborted_is_logged(
    hasty: aiocos.Client, cos_emulator: Emulator, caplog: pytest.LogCaptureFixture
):
    cos_emulator.faults.script(
        [Status(403, code="AccessDenied", operation="UploadPart", nth=3, times=None), *outage("AbortMultipartUpload")]
    )
    with pytest.raises(TransferError) as caught:
        await hasty.upload("bucket", "key", DATA)
    assert "could not be aborted" in caplog.text
    assert caught.value.upload_id
    assert caught.value.upload_id in caplog.text


# -- what is answered, and what is there ------------------------------------------------------------------------------

WORK = {
    "upload": lambda cos: cos.upload("bucket", "key", DATA),
    "copy": lambda cos: cos.copy("bucket", "source", "bucket", "key", copy_threshold=0, part_size=PART),
}
EXPECTED = composite_etag(compute("md5", DATA[start : start + PART]) for start in range(0, len(DATA), PART))


def completed(
    cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, then: Callable[[], Awaitable[object]] | None, **said: object
) -> None:
    """Change what the answer to a completion says, after something else has happened."""
    real = engine_of(cos).call

    async def call(operation):
        result = await real(operation)
        if isinstance(operation, CompleteMultipartUpload):
            if then is not None:
                await then()
            return result.model_copy(update=said)
        return result

    monkeypatch.setattr(engine_of(cos), "call", call)


@pytest.fixture
async def prepared(small: aiocos.Client, cos_emulator: Emulator) -> aiocos.Client:
    """A source to be copied; put in one piece, so that the copy's ETag is another. The service has no other checksums."""
    cos_emulator.checksums = False
    await small.objects.put("bucket", "source", DATA)
    return small


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("there", ["another", "shorter", "parts of another"])
async def test_an_answer_without_an_etag_and_another_object(
    prepared: aiocos.Client, monkeypatch: pytest.MonkeyPatch, name: str, there: str
):
    """What HEAD shows is no proof of what it shows: not the ETag of whatever is there."""
    others = {
        "another": lambda: prepared.objects.put("bucket", "key", b"x" * len(DATA)),
        "shorter": lambda: prepared.objects.put("bucket", "key", b"x"),
        "parts of another": lambda: prepared.upload("bucket", "key", DATA[::-1]),
    }
    done = [others[there]]

    async def once() -> None:
        if done:
            await done.pop()()

    completed(prepared, monkeypatch, once, etag="")
    with pytest.raises(OutcomeUnknown, match=EXPECTED):
        await WORK[name](prepared)


@pytest.mark.parametrize("name", WORK)
async def test_an_answer_without_an_etag_and_the_object(prepared: aiocos.Client, monkeypatch: pytest.MonkeyPatch, name: str):
    completed(prepared, monkeypatch, None, etag="")
    assert bare((await WORK[name](prepared)).etag) == EXPECTED


@pytest.mark.parametrize("name", WORK)
async def test_the_etag_of_other_parts(prepared: aiocos.Client, monkeypatch: pytest.MonkeyPatch, name: str):
    for etag in (f'"{"5" * 32}-4"', f'"{EXPECTED[:-1]}3"'):
        with monkeypatch.context() as patch:
            completed(prepared, patch, None, etag=etag)
            with pytest.raises(IntegrityError, match="the parts make") as caught:
                await WORK[name](prepared)
        assert (caught.value.expected, caught.value.actual) == (EXPECTED, etag)
        assert await open_uploads(prepared) == []


@pytest.mark.parametrize("etag", ["opaque", "5" * 32, f"{'5' * 32}-4"])
async def test_a_copy_with_the_checksum_of_its_source_needs_no_etag(
    small: aiocos.Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, etag: str
):
    """As for uploads, the checksum of all bytes outweighs any ETag, and nothing more is looked at."""
    await small.objects.put("bucket", "source", DATA)
    completed(small, monkeypatch, None, etag=f'"{etag}"')
    assert bare((await WORK["copy"](small)).etag) == etag
    assert [r.key for r in cos_emulator.requests if r.operation == "HeadObject"] == ["source"]
    # Another one is an error, though the ETag is right.
    completed(small, monkeypatch, None, etag=f'"{EXPECTED}"', checksum_crc64nvme="AAAAAAAAAAA=")
    with pytest.raises(IntegrityError, match="has the crc64nvme AAAAAAAAAAA=, the parts make"):
        await WORK["copy"](small)


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("etag", ["opaque", "5" * 32])
async def test_an_etag_that_cannot_be_compared_is_looked_at(
    prepared: aiocos.Client, monkeypatch: pytest.MonkeyPatch, name: str, etag: str
):
    """Nothing follows from it; the object under it must have the size of the parts at least."""
    shown: dict[str, object] = {"etag": f'"{etag}"', "content_length": len(DATA)}

    def told(answer: ChangedResponse) -> None:
        if answer.is_for("HEAD") and answer.request.path.endswith("/key"):
            answer.headers["ETag"] = str(shown["etag"])
            answer.headers["Content-Length"] = str(shown["content_length"])

    change_responses(monkeypatch, told)
    completed(prepared, monkeypatch, None, etag=f'"{etag}"')
    result = await WORK[name](prepared)
    assert bare(result.etag) == etag
    assert getattr(result, "verified", None) is None
    shown["content_length"] = len(DATA) - 1
    with pytest.raises(OutcomeUnknown, match=f"has {len(DATA) - 1} bytes; the parts have {len(DATA)}"):
        await WORK[name](prepared)
    # Another writer's, by its ETag: of ours it says nothing.
    shown["etag"] = '"other"'
    assert bare((await WORK[name](prepared)).etag) == etag


@pytest.mark.parametrize("name", WORK)
async def test_an_object_that_is_not_there_after_its_completion(
    prepared: aiocos.Client, monkeypatch: pytest.MonkeyPatch, name: str
):
    completed(prepared, monkeypatch, lambda: prepared.objects.delete("bucket", "key"), etag='"opaque"')
    with pytest.raises(OutcomeUnknown, match="is not there"):
        await WORK[name](prepared)


async def test_a_size_that_disagrees_settles_nothing(
    prepared: aiocos.Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
):
    def shorter(answer: ChangedResponse) -> None:
        if answer.is_for("HEAD") and answer.is_for_object:
            answer.headers["Content-Length"] = "5"

    change_responses(monkeypatch, shorter)
    cos_emulator.faults.script([Reset(operation="CompleteMultipartUpload", lost_answer=True)])
    with pytest.raises(OutcomeUnknown, match="and 5 bytes"):
        await prepared.upload("bucket", "key", DATA)


@pytest.mark.parametrize("name", WORK)
async def test_an_answer_that_contradicts_the_parts_is_final(
    prepared: aiocos.Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, name: str
):
    """It is not asked for again: the answer would be another, of an upload that is no more."""

    def change(answer: ChangedResponse) -> None:
        if answer.body and b"<CompleteMultipartUploadResult" in answer.body:
            answer.body = re.sub(rb"[0-9a-f]{32}-4", b"5" * 32 + b"-4", answer.body)

    change_responses(monkeypatch, change)
    with pytest.raises(IntegrityError, match="the parts make"):
        await WORK[name](prepared)
    assert [r.operation for r in cos_emulator.requests].count("CompleteMultipartUpload") == 1
    assert await open_uploads(prepared) == []
