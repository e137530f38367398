"""Writes whose response names other bytes than those that were sent."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator

import pytest
from tests.responses import ChangedResponse, change_responses

import aiocos
from aiocos.emulator import Emulator
from aiocos.errors import IntegrityError
from aiocos.groups import engine_of
from aiocos.operations.objects import CopyObject, CopyObjectResult, PutObject
from aiocos.wire import checksum, digest
from aiocos.wire.message import PreparedRequest
from aiocos.write_check import check_copy

DATA = b"what was sent"
OTHER = '"' + digest.etag_of(b"something else") + '"'


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client whose writes are verified by their ETags alone; a checksum in the response would outweigh them."""
    async with cos_emulator.client(config=aiocos.ClientConfig(checksum="md5")) as client:
        yield client


@pytest.fixture(autouse=True)
async def bucket(cos: aiocos.Client) -> None:
    await cos.buckets.create("bucket")


def lying(etag: str, protected: bool = False):
    """Answer every PUT of an object with this ETag; say of the bucket that it is under Key Protect, or not."""

    def change(answer: ChangedResponse) -> None:
        if answer.is_for("PUT") and answer.is_for_object:
            answer.headers["ETag"] = etag
        if answer.is_for("HEAD") and not answer.is_for_object and protected:
            answer.headers["ibm-sse-kp-enabled"] = "True"

    return change


@pytest.mark.parametrize("size", [0, 13, 3_000_000])
@pytest.mark.parametrize("form", [OTHER, OTHER.upper(), "W/" + OTHER, OTHER.strip('"')])
async def test_an_etag_that_is_another_md5(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, form: str, size: int):
    change_responses(monkeypatch, lying(form))
    data = os.urandom(size)
    with pytest.raises(IntegrityError, match=r"PutObject bucket/key.*verify_writes") as caught:
        await cos.objects.put("bucket", "key", data)
    assert (caught.value.expected, digest.bare(caught.value.actual)) == (digest.etag_of(data), digest.bare(OTHER))
    upload = await cos.multipart.create("bucket", "parts")
    with pytest.raises(IntegrityError, match="bucket/parts part 7"):
        await cos.multipart.upload_part("bucket", "parts", upload.upload_id, 7, data)


async def test_whoever_wants_the_headers_too(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    change_responses(monkeypatch, lying(OTHER))
    with pytest.raises(IntegrityError):
        await engine_of(cos).call_with_response(PutObject("bucket", "key", DATA))


async def test_nothing_is_sent_again(cos: aiocos.Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
    change_responses(monkeypatch, lying(OTHER))
    cos_emulator.requests.clear()
    with pytest.raises(IntegrityError):
        await cos.objects.put("bucket", "key", DATA)
    assert [r.operation for r in cos_emulator.requests if r.operation != "CreateToken"] == ["PutObject", "HeadBucket"]


@pytest.mark.parametrize("etag", ['"opaque"', '"' + "5" * 32 + '-1"', '"' + digest.etag_of(DATA) + '"'])
async def test_an_etag_of_another_form_contradicts_nothing(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, etag: str):
    change_responses(monkeypatch, lying(etag))
    assert (await cos.objects.put("bucket", "key", DATA)).etag == etag


async def test_etags_that_are_known_to_be_none(cos: aiocos.Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
    change_responses(monkeypatch, lying(OTHER, protected=True))
    for _ in range(3):
        assert (await cos.objects.put("bucket", "key", DATA)).etag == OTHER
    assert sum(r.operation == "HeadBucket" for r in cos_emulator.requests) == 1, "asked once, and remembered"


async def test_a_customers_key(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    change_responses(monkeypatch, lying(OTHER))
    assert (await cos.objects.put("bucket", "key", DATA, customer_key=os.urandom(32))).etag == OTHER


async def test_a_key_of_a_key_service(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    def change(answer: ChangedResponse) -> None:
        if answer.is_for("PUT"):
            answer.headers.update({"ETag": OTHER, "x-amz-server-side-encryption": "aws:kms"})

    change_responses(monkeypatch, change)
    assert (await cos.objects.put("bucket", "key", DATA)).etag == OTHER


async def test_a_setting_for_services_that_do_not_say_so(cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
    change_responses(monkeypatch, lying(OTHER))
    async with cos_emulator.client(config=aiocos.ClientConfig(verify_writes=False)) as trusting:
        assert (await trusting.objects.put("bucket", "key", DATA)).etag == OTHER
        await trusting.objects.put("bucket", "source", DATA)
        copied = await trusting.objects.copy("bucket", "key", ("bucket", "source"), source_if_match=digest.etag_of(DATA))
        assert copied.etag


@pytest.mark.parametrize("echo", [True, False])
async def test_another_checksum(cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, echo: bool):
    """A checksum that is repeated is compared, under any key; where none is, the ETag is."""

    def change(answer: ChangedResponse) -> None:
        if answer.is_for("PUT"):
            del answer.headers["x-amz-checksum-crc32"]
            if echo:
                answer.headers["x-amz-checksum-crc32"] = "AAAAAA=="
            else:
                answer.headers["ETag"] = OTHER

    change_responses(monkeypatch, change)
    async with cos_emulator.client(config=aiocos.ClientConfig(checksum="crc32")) as cos:
        with pytest.raises(IntegrityError):
            await cos.objects.put("bucket", "key", DATA, customer_key=os.urandom(32) if echo else None)


async def test_a_checksum_of_ones_own(cos: aiocos.Client):
    await cos.objects.put("bucket", "key", DATA, content_md5=digest.content_md5(DATA))
    sha = checksum.encode(checksum.compute("sha256", DATA))
    assert (await cos.objects.put("bucket", "key", DATA, checksum_sha256=sha)).checksum_sha256 == sha


def copying(etag: str, protected: str = "") -> object:
    def change(answer: ChangedResponse) -> None:
        if answer.body and b"CopyObjectResult" in answer.body:
            answer.body = answer.body.replace(digest.etag_of(DATA).encode(), etag.strip('"').encode())
        if answer.is_for("HEAD") and not answer.is_for_object and protected and answer.request.path.endswith(protected):
            answer.headers["ibm-sse-kp-enabled"] = "True"

    return change


async def test_copies(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    source = await cos.objects.put("bucket", "source", DATA)
    change_responses(monkeypatch, copying(OTHER))  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="the source has"):
        await cos.objects.copy("bucket", "key", ("bucket", "source"), source_if_match=source.etag)
    with pytest.raises(IntegrityError):
        await cos.copy("bucket", "source", "bucket", "key")
    with pytest.raises(IntegrityError):
        await cos.objects.update_metadata("bucket", "source", metadata={"a": "b"})
    # Of what the source is, a copy without a condition knows nothing.
    assert digest.bare((await cos.objects.copy("bucket", "key", ("bucket", "source"))).etag) == digest.bare(OTHER)


@pytest.mark.parametrize("protected", [True, False])
async def test_completions(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, protected: bool):
    upload = await cos.multipart.create("bucket", "key")
    part = await cos.multipart.upload_part("bucket", "key", upload.upload_id, 1, DATA)

    def change(answer: ChangedResponse) -> None:
        if answer.body and b"<CompleteMultipartUploadResult" in answer.body:
            answer.body = re.sub(rb"[0-9a-f]{32}-1", digest.bare(OTHER).encode() + b"-1", answer.body)
        if answer.is_for("HEAD") and not answer.is_for_object and protected:
            answer.headers["ibm-sse-kp-enabled"] = "True"

    change_responses(monkeypatch, change)
    parts = [aiocos.CompletedPart(etag=part.etag, part_number=1)]
    completing = cos.multipart.complete("bucket", "key", upload.upload_id, parts)
    if protected:
        assert (await completing).etag.endswith('-1"')
        return
    with pytest.raises(IntegrityError, match="the parts make") as caught:
        await completing
    assert caught.value.expected == digest.composite_etag([checksum.compute("md5", DATA)])


@pytest.mark.parametrize("protected", ["bucket", "elsewhere"])
async def test_copies_from_and_to_buckets_under_key_protect(
    cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, protected: str
):
    await cos.buckets.create("elsewhere")
    await cos.objects.put("bucket", "source", DATA)
    change_responses(monkeypatch, copying(OTHER, protected))  # type: ignore[arg-type]
    assert digest.bare((await cos.copy("bucket", "source", "elsewhere", "key")).etag) == digest.bare(OTHER)


async def test_copies_under_customers_keys(cos: aiocos.Client):
    await cos.objects.put("bucket", "source", DATA)
    await cos.copy("bucket", "source", "bucket", "key", customer_key=os.urandom(32))


async def test_copies_whose_etag_is_of_another_kind(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    """A service may give the copy of an object made of parts the MD5 of all of it."""
    await cos.objects.put("bucket", "source", DATA)
    change_responses(monkeypatch, copying("5" * 32 + "-3"))  # type: ignore[arg-type]
    assert (await cos.copy("bucket", "source", "bucket", "key")).etag


async def test_a_write_that_must_not_overwrite_is_not_sent_twice():
    from aiocos.call import is_idempotent

    assert is_idempotent(PutObject("b", "k", b""))
    for value, repeatable in ((None, True), (False, True), (True, False)):
        assert is_idempotent(PutObject("b", "k", b"", forbid_overwrite=value)) is repeatable
        assert is_idempotent(CopyObject("b", "k", ("b", "s"), forbid_overwrite=value)) is repeatable


@pytest.mark.parametrize("form", ["{}", '"{}"', 'W/"{}"'])
@pytest.mark.parametrize("upper", [False, True])
async def test_the_right_md5_in_any_form(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, form: str, upper: bool):
    etag = digest.etag_of(DATA)
    change_responses(monkeypatch, lying(form.format(etag.upper() if upper else etag)))
    assert digest.bare((await cos.objects.put("bucket", "key", DATA)).etag) == etag


@pytest.mark.parametrize("key", ["customer_key", "source_customer_key"])
async def test_copies_of_what_is_under_a_key(key: str):
    """Such ETags may look like MD5s, and be none; no bucket need be asked."""

    class Nobody:
        async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
            raise AssertionError("asked")

    source_etag = f'"{digest.etag_of(DATA)}"'
    operation = CopyObject("b", "k", ("b", "s"), source_if_match=source_etag, **{key: os.urandom(32)})  # type: ignore[arg-type]
    await check_copy(Nobody(), operation, PreparedRequest("PUT", "", "", "", {}), CopyObjectResult(etag=OTHER))
