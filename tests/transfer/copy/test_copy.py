"""Copies within the service: in one piece, by parts, what they keep, and what they leave behind when they fail."""

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.emulator.test_ibm_boto3 import make
from tests.responses import ChangedResponse, change_responses
from tests.transfer.conftest import DATA, PART, open_uploads, settled
from tests.transfer.test_abort_at_every_await import visit

import aiocos
from aiocos.emulator import Emulator, LateError, Reset, Status
from aiocos.errors import (
    ConfigError,
    IntegrityError,
    NotFound,
    PreconditionFailed,
    TransferError,
)
from aiocos.groups import engine_of
from aiocos.operations.multipart import UploadPartCopy
from aiocos.operations.protection import ProtectionConfiguration
from aiocos.operations.versioning import VersioningConfiguration
from aiocos.wire.checksum import compute
from aiocos.wire.digest import bare, composite_etag
from aiocos.wire.message import PreparedRequest

RETRY = aiocos.RetryConfig(base=0.01, cap=0.05)


CONFIG = aiocos.ClientConfig(
    transfer=aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, copy_threshold=PART, copy_part_size=PART),
    retry=RETRY,
)


COMPOSITE = composite_etag(compute("md5", DATA[start : start + PART]) for start in range(0, len(DATA), PART))


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client that copies by parts of 5 MiB, and a bucket with a source of four parts, put in one piece."""
    async with cos_emulator.client(config=CONFIG) as client:
        await client.buckets.create("bucket")
        await client.objects.put(
            "bucket",
            "source",
            DATA,
            content_type="text/x-odd",
            content_language="de",
            cache_control="no-store",
            expires=datetime(2040, 1, 2, tzinfo=UTC),
            metadata={"who": "me"},
            website_redirect_location="/elsewhere",
            tagging="a%20b=c%2Bd&e=",
            acl="public-read",
        )
        cos_emulator.requests.clear()
        yield client


def sent(emulator: Emulator, operation: str) -> int:
    return len([r for r in emulator.requests if r.operation == operation])


def said(info: Any) -> dict[str, Any]:
    names = ("content_type", "content_language", "cache_control", "expires", "metadata", "website_redirect_location")
    return {name: getattr(info, name) for name in names}


async def test_up_to_the_threshold_it_is_one_request(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.objects.put("bucket", "small", DATA[:PART], metadata={"a": "b"})
    result = await cos.copy("bucket", "small", "bucket", "copy")
    assert (result.parts, result.size, bare(result.etag)) == (1, PART, compute("md5", DATA[:PART]).hex())
    assert sent(cos_emulator, "CopyObject") == 1
    assert sent(cos_emulator, "UploadPartCopy") == 0
    assert (await cos.objects.head("bucket", "copy")).metadata == {"a": "b"}
    await cos.objects.put("bucket", "larger", DATA[: PART + 1])
    assert (await cos.copy("bucket", "larger", "bucket", "copy")).parts == 2


async def test_parts_keep_what_copy_object_keeps(cos: aiocos.Client):
    await cos.objects.copy("bucket", "whole", ("bucket", "source"))
    events: list[aiocos.Progress] = []
    result = await cos.copy("bucket", "source", "bucket", "copy", progress=events.append)
    assert (result.bucket, result.key, result.size, result.parts) == ("bucket", "copy", len(DATA), 4)
    assert bare(result.etag) == COMPOSITE
    assert result.request_id
    assert await cos.objects.read("bucket", "copy") == DATA
    whole, copy = [await cos.objects.head("bucket", key) for key in ("whole", "copy")]
    assert said(copy) == said(whole)
    assert copy.metadata == {"who": "me"}
    assert (await cos.tagging.get_object("bucket", "copy")).as_dict() == {"a b": "c+d", "e": ""}
    grants = [len((await cos.acl.get_object("bucket", key)).grants) for key in ("source", "whole", "copy")]
    assert grants == [2, 1, 1], "an access control list is not copied"
    assert (events[0].state, events[-1].state, events[-1].bytes_done, events[-1].parts_total) == (
        "queued",
        "done",
        len(DATA),
        4,
    )
    assert await open_uploads(cos) == []


@pytest.mark.filterwarnings("ignore")
async def test_another_client_reads_the_copy(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.copy("bucket", "source", "bucket", "copy")
    theirs = make(cos_emulator, "hmac")

    def read() -> tuple[bytes, dict[str, Any]]:
        answer = theirs.get_object(Bucket="bucket", Key="copy")
        return answer["Body"].read(), answer

    data, answer = await asyncio.to_thread(read)
    assert data == DATA
    assert (answer["ContentType"], answer["Metadata"], answer["TagCount"]) == ("text/x-odd", {"who": "me"}, 2)
    assert bare(answer["ETag"]) == COMPOSITE


async def test_directives_replace(cos: aiocos.Client):
    await cos.copy(
        "bucket", "source", "bucket", "copy", metadata_directive="REPLACE", content_type="text/y", metadata={"new": "1"}
    )
    info = await cos.objects.head("bucket", "copy")
    assert (info.content_type, info.metadata, info.cache_control) == ("text/y", {"new": "1"}, None)
    assert (await cos.tagging.get_object("bucket", "copy")).as_dict() == {"a b": "c+d", "e": ""}
    await cos.copy("bucket", "source", "bucket", "copy", tagging_directive="REPLACE", tagging="x=y", acl="public-read")
    info = await cos.objects.head("bucket", "copy")
    assert info.metadata == {"who": "me"}
    assert (await cos.tagging.get_object("bucket", "copy")).as_dict() == {"x": "y"}
    assert len((await cos.acl.get_object("bucket", "copy")).grants) == 2


async def test_onto_itself_something_must_change(cos: aiocos.Client, cos_emulator: Emulator):
    with pytest.raises(ConfigError, match="onto itself"):
        await cos.copy("bucket", "source", "bucket", "source")
    assert not cos_emulator.requests
    # Twice: the second finds the very ETag that it will make.
    for value in ("1", "2"):
        cos_emulator.faults.script([Status(500, code="InternalError", operation="CompleteMultipartUpload")])
        result = await cos.copy("bucket", "source", "bucket", "source", metadata_directive="REPLACE", metadata={"new": value})
        assert bare(result.etag) == COMPOSITE
        info = await cos.objects.head("bucket", "source")
        assert (info.metadata, info.size) == ({"new": value}, len(DATA))
        assert await open_uploads(cos) == []
    assert await cos.objects.read("bucket", "source") == DATA


async def test_what_is_too_large_to_be_changed_in_one_piece_is_sent_here(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("aiocos.update_metadata.MAX_PUT", PART)
    with pytest.raises(ConfigError, match=r"client\.copy\("):
        await cos.objects.update_metadata("bucket", "source", metadata={"a": "b"})


async def test_a_version_is_copied_and_told(cos: aiocos.Client):
    await cos.versioning.put("bucket", VersioningConfiguration(status="Enabled"))
    old = await cos.objects.put("bucket", "k", DATA)
    new = await cos.objects.put("bucket", "k", DATA[: 2 * PART])
    result = await cos.copy("bucket", "k", "bucket", "copy", version_id=old.version_id)
    assert (result.source_version_id, result.size) == (old.version_id, len(DATA))
    assert result.version_id not in (None, old.version_id)
    assert await cos.objects.read("bucket", "copy") == DATA
    assert (await cos.copy("bucket", "k", "bucket", "copy")).source_version_id == new.version_id
    # An old version comes back over the latest.
    await cos.copy("bucket", "k", "bucket", "k", version_id=old.version_id)
    assert await cos.objects.read("bucket", "k") == DATA


async def test_customer_keys_of_source_and_target(cos: aiocos.Client):
    one, two = os.urandom(32), os.urandom(32)
    await cos.objects.put("bucket", "secret", DATA, customer_key=one)
    await cos.copy("bucket", "secret", "bucket", "copy", source_customer_key=one, customer_key=two)
    assert await cos.objects.read("bucket", "copy", customer_key=two) == DATA
    with pytest.raises(aiocos.CosError):
        await cos.copy("bucket", "secret", "bucket", "other", source_customer_key=two)
    assert await open_uploads(cos) == []


async def test_conditions(cos: aiocos.Client):
    etag = (await cos.objects.head("bucket", "source")).etag
    past = datetime.now(UTC) - timedelta(days=1)
    await cos.copy("bucket", "source", "bucket", "copy", source_if_match=etag, if_none_match="*")
    for conditions in (
        {"source_if_match": '"0"'},
        {"source_if_none_match": etag},
        {"source_if_unmodified_since": past},
        {"if_none_match": "*"},
        {"if_match": '"0"'},
    ):
        with pytest.raises(PreconditionFailed):
            await cos.copy("bucket", "source", "bucket", "copy", **conditions)  # type: ignore[arg-type]
        assert await open_uploads(cos) == []
    with pytest.raises(NotFound):
        await cos.copy("bucket", "missing", "bucket", "copy")


@pytest.fixture
async def protected(cos: aiocos.Client) -> aiocos.Client:
    for name in ("kept", "kept-too"):
        await cos.buckets.create(name)
        await cos.protection.put(name, ProtectionConfiguration.of_days(minimum=0, default=1, maximum=100))
    await cos.objects.put("kept", "source", DATA, retention_period=777, retention_legal_hold_id="one")
    await cos.legal_holds.add("kept", "source", "two")
    return cos


async def test_retention_by_its_directive(protected: aiocos.Client):
    cos = protected
    await cos.copy("kept", "source", "kept-too", "copied", retention_directive="COPY")
    state = await cos.retention.get("kept-too", "copied")
    assert (state.retention_period, {hold.id for hold in state.legal_holds}) == (777, {"one", "two"})
    await cos.copy("kept", "source", "kept-too", "new", retention_directive="REPLACE", retention_period=88)
    await cos.copy("kept", "source", "kept-too", "default")
    periods = [(await cos.objects.head("kept-too", key)).retention_period for key in ("new", "default")]
    assert periods == [88, 86_400]
    assert await cos.legal_holds.list("kept-too", "new") == []
    # Where no policy is, none comes along.
    await cos.copy("kept", "source", "bucket", "free", retention_directive="COPY")
    assert (await cos.objects.head("bucket", "free")).retention_period is None
    with pytest.raises(ConfigError, match="retention_directive"):
        await cos.copy("kept", "source", "kept-too", "x", retention_period=1)


async def test_a_protected_target_stays(protected: aiocos.Client):
    with pytest.raises(aiocos.CosError) as caught:
        await protected.copy("bucket", "source", "kept", "source")
    assert getattr(caught.value, "status", 0) == 403
    assert await protected.objects.read("kept", "source") == DATA
    assert [u async for u in protected.multipart.list_uploads("kept")] == []


@pytest.mark.parametrize("then", ["replaced", "deleted"])
async def test_a_source_that_changes_midway(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, then: str):
    real = engine_of(cos).call

    async def changing(operation: Any) -> Any:
        if isinstance(operation, UploadPartCopy) and operation.part_number == 3:
            if then == "replaced":
                await cos.objects.put("bucket", "source", DATA[::-1])
            else:
                await cos.objects.delete("bucket", "source")
        return await real(operation)

    monkeypatch.setattr(engine_of(cos), "call", changing)
    with pytest.raises(TransferError, match="not what it was") as caught:
        await cos.copy("bucket", "source", "bucket", "copy", concurrency=1)
    assert caught.value.parts_done == 2
    assert await open_uploads(cos) == []
    assert not await cos.objects.exists("bucket", "copy")


async def test_a_small_source_that_changes_after_the_look(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    await cos.objects.put("bucket", "small", b"old")
    real = engine_of(cos).call

    async def changing(operation: Any) -> Any:
        result = await real(operation)
        if type(operation).__name__ == "HeadObject":
            await cos.objects.put("bucket", "small", b"new")
        return result

    monkeypatch.setattr(engine_of(cos), "call", changing)
    with pytest.raises(TransferError, match="not what it was"):
        await cos.copy("bucket", "small", "bucket", "copy")


@pytest.mark.parametrize("fault", [LateError(), LateError(applied=True), Reset(), Status(503, code="SlowDown")])
@pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
async def test_errors_that_pass(cos: aiocos.Client, cos_emulator: Emulator, fault: Any, operation: str):
    fault.operation, fault.seen, fault.acted = operation, 0, 0
    cos_emulator.faults.script([fault])
    result = await cos.copy("bucket", "source", "bucket", "copy")
    assert bare(result.etag) == COMPOSITE
    assert fault.acted == 1
    assert await cos.objects.read("bucket", "copy") == DATA
    assert await open_uploads(cos) == []


async def test_the_lost_answer_of_a_completion(cos: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Reset(operation="CompleteMultipartUpload", lost_answer=True)])
    assert bare((await cos.copy("bucket", "source", "bucket", "copy")).etag) == COMPOSITE
    assert sent(cos_emulator, "CompleteMultipartUpload") == 1, "settled, not repeated"


@pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
async def test_errors_that_stay_are_taken_back(cos: aiocos.Client, cos_emulator: Emulator, operation: str):
    cos_emulator.faults.script([LateError(operation=operation, times=None)])
    with pytest.raises(aiocos.CosError):
        await cos.copy("bucket", "source", "bucket", "copy")
    assert await open_uploads(cos) == []
    assert not await cos.objects.exists("bucket", "copy")


async def test_a_cancel_at_every_await(cos: aiocos.Client):
    async def clean() -> None:
        await settled(cos)

    assert await visit(lambda: cos.copy("bucket", "source", "bucket", "copy", concurrency=2), clean) >= 4
    assert await cos.objects.read("bucket", "copy") == DATA


async def test_no_more_parts_at_once_than_asked_for(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    real, now, most = engine_of(cos).call, 0, 0

    async def counting(operation: Any) -> Any:
        nonlocal now, most
        if not isinstance(operation, UploadPartCopy):
            return await real(operation)
        now += 1
        most = max(most, now)
        try:
            await asyncio.sleep(0)
            return await real(operation)
        finally:
            now -= 1

    monkeypatch.setattr(engine_of(cos), "call", counting)
    await cos.copy("bucket", "source", "bucket", "copy", concurrency=2)
    assert most == 2


@pytest.mark.parametrize("shown", ["equal", "other", "composite", "none"])
async def test_a_copy_in_parts_keeps_the_checksum_of_its_source(
    small: aiocos.Client, monkeypatch: pytest.MonkeyPatch, shown: str
):
    """It is declared, and the copy must have it. One of the checksums of parts says nothing about the copy."""
    kind = "COMPOSITE" if shown == "composite" else "FULL_OBJECT"
    await small.upload("bucket", "source", DATA, checksum_algorithm="CRC32C", checksum_type=kind)
    source = await small.objects.head("bucket", "source", checksum_mode="ENABLED")
    declared: list[dict[str, str]] = []

    def note(request: PreparedRequest) -> None:
        if request.method == "POST" and request.query == "uploads":
            declared.append({name: value for name, value in request.headers.items() if "-checksum-" in name})

    def change(answer: ChangedResponse) -> None:
        text = {"equal": source.checksum_crc32c, "other": "AAAAAA=="}.get(shown)
        if text and answer.body and b"<CompleteMultipartUploadResult" in answer.body:
            end = b"</CompleteMultipartUploadResult>"
            answer.body = answer.body.replace(end, f"<ChecksumCRC32C>{text}</ChecksumCRC32C>".encode() + end)

    change_responses(monkeypatch, change, note)
    work = small.copy("bucket", "source", "bucket", "copy", copy_threshold=0, part_size=PART)
    if shown == "other":
        with pytest.raises(IntegrityError, match=r"has the crc32c AAAAAA==, the parts make"):
            await work
    else:
        assert (await work).parts == 4
    wanted = {"x-amz-checksum-algorithm": "CRC32C", "x-amz-checksum-type": "FULL_OBJECT"}
    assert declared == [{} if shown == "composite" else wanted]


async def test_a_copy_whose_checksum_is_refused_declares_none(small: aiocos.Client, cos_emulator: Emulator):
    await small.objects.put("bucket", "source", DATA)
    refusal = Status(501, code="NotImplemented", operation="CreateMultipartUpload")
    cos_emulator.faults.script([refusal])
    assert (await small.copy("bucket", "source", "bucket", "copy", copy_threshold=0, part_size=PART)).parts == 4
    assert await small.objects.read("bucket", "copy") == DATA
    cos_emulator.faults.script([dataclasses.replace(refusal, times=None)])
    with pytest.raises(aiocos.CosError):
        await small.copy("bucket", "source", "bucket", "copy", copy_threshold=0, part_size=PART)
