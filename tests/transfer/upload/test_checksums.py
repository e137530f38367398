"""The checksums of uploads: what is declared, sent and compared; services that have none."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable
from typing import Any

import pytest
from tests.responses import ChangedResponse, change_responses
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads

import aiocos
from aiocos.body_checksum import BodyChecksums
from aiocos.emulator import Emulator, Reset, Status
from aiocos.errors import BadDigest, ConfigError, IntegrityError, InvalidRequest, OutcomeUnknown
from aiocos.groups import engine_of
from aiocos.transfer.requests import UploadRequest
from aiocos.transfer.upload.checksums import UploadChecksums
from aiocos.wire import checksum
from aiocos.wire.checksum import best, combine, compute, encode
from aiocos.wire.message import PreparedRequest

NAMES = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
CRCS = NAMES[:3]


class Wire:
    """Records the checksums of requests, and changes responses."""

    def __init__(self, patch: pytest.MonkeyPatch, *, hide: bool = False) -> None:
        self.requests: list[PreparedRequest] = []
        self.hide = hide
        change_responses(patch, self._change, self.requests.append)

    def _change(self, answer: ChangedResponse) -> None:
        """Be a service without checksums: show none, anywhere."""
        if not self.hide:
            return
        for name in [name for name in answer.headers if name.lower().startswith("x-amz-checksum-")]:
            del answer.headers[name]
        if answer.body:
            answer.body = re.sub(rb"<Checksum(\w+)>[^<]*</Checksum\1>", b"", answer.body)

    def sums(self, method: str, *, query: str = "", start: int = 0) -> list[dict[str, str]]:
        """Return the checksum headers of requests by method and a part of the query."""
        return [
            {name: value for name, value in request.headers.items() if name == "Content-MD5" or "-checksum-" in name}
            for request in self.requests[start:]
            if request.method == method and query in request.query
        ]

    def completion(self) -> bytes:
        return bytes([r for r in self.requests if r.method == "POST" and r.query.startswith("uploadId")][-1].body or b"")


def client(emulator: Emulator, setting: Any = "auto", **more: Any) -> aiocos.Client:
    return emulator.client(config=dataclasses.replace(CONFIG, checksum=setting, **more))


@pytest.fixture
async def bucket(cos_emulator: Emulator, small: aiocos.Client) -> Emulator:
    return cos_emulator


def whole(name: Any, data: bytes = DATA) -> str:
    return encode(compute(name, data))


# -- the default ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["auto", *NAMES])
async def test_a_multipart_upload_declares_its_checksum(bucket: Emulator, monkeypatch: pytest.MonkeyPatch, setting: Any):
    name: Any = best() if setting == "auto" else setting
    wire = Wire(monkeypatch)
    async with client(bucket, setting) as cos:
        result = await cos.upload("bucket", "key", DATA)
        info = await cos.objects.head("bucket", "key", checksum_mode="ENABLED")
    kind = "FULL_OBJECT" if name in CRCS else "COMPOSITE"
    assert wire.sums("POST", query="uploads") == [{"x-amz-checksum-algorithm": name.upper(), "x-amz-checksum-type": kind}]
    parts = [DATA[at : at + PART] for at in range(0, len(DATA), PART)]
    sums = [whole(name, part) for part in parts]
    assert sorted(one[f"x-amz-checksum-{name}"] for one in wire.sums("PUT", query="partNumber")) == sorted(sums)
    [end] = wire.sums("POST", query="uploadId")
    end.pop("Content-MD5")
    assert end == ({f"x-amz-checksum-{name}": whole(name), "x-amz-checksum-type": "FULL_OBJECT"} if name in CRCS else {})
    assert re.findall(rf"<Checksum{name.upper()}>([^<]*)<".encode(), wire.completion()) == [text.encode() for text in sums]
    assert result.verified == "checksum"
    shown = getattr(info, f"checksum_{name}")
    assert (info.checksum_type, shown == whole(name)) == (kind, name in CRCS)
    if name not in CRCS:
        assert shown == encode(compute(name, b"".join(compute(name, part) for part in parts))) + "-4"


async def test_md5_declares_nothing(bucket: Emulator, monkeypatch: pytest.MonkeyPatch):
    wire = Wire(monkeypatch)
    async with client(bucket, "md5") as cos:
        assert (await cos.upload("bucket", "key", DATA)).verified == "composite"
    assert wire.sums("POST", query="uploads") == [{}]
    assert all(set(one) == {"Content-MD5"} for one in wire.sums("PUT"))
    assert [set(one) for one in wire.sums("POST", query="uploadId")] == [{"Content-MD5"}]


@pytest.mark.parametrize("length", [100, len(DATA)])
async def test_checksums_verify_what_is_under_a_customers_key(bucket: Emulator, length: int):
    async with client(bucket) as cos:
        result = await cos.upload("bucket", "key", DATA[:length], customer_key=os.urandom(32))
    assert result.verified == "checksum"


# -- checksums that the call gives ------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [100, len(DATA)])
@pytest.mark.parametrize("name", NAMES)
async def test_an_upload_may_have_a_checksum_of_its_own(
    bucket: Emulator, monkeypatch: pytest.MonkeyPatch, name: Any, length: int
):
    wire = Wire(monkeypatch)
    async with client(bucket, "md5") as cos:
        assert (await cos.upload("bucket", "key", DATA[:length], checksum_algorithm=name.upper())).verified == "checksum"
    assert all(list(one) == [f"x-amz-checksum-{name}"] for one in wire.sums("PUT"))


@pytest.mark.parametrize(("name", "length"), [*((name, 100) for name in NAMES), *((name, len(DATA)) for name in CRCS)])
async def test_the_checksum_of_the_object_may_be_given(bucket: Emulator, name: Any, length: int):
    data = DATA[:length]
    async with client(bucket) as cos:
        result = await cos.upload("bucket", "key", data, **{f"checksum_{name}": whole(name, data)})
        assert result.verified == "checksum"
        shown = await cos.objects.head("bucket", "key", checksum_mode="ENABLED")
        assert getattr(shown, f"checksum_{name}") == whole(name, data)
        with pytest.raises(IntegrityError, match="nothing was stored") as caught:
            await cos.upload("bucket", "other", data, **{f"checksum_{name}": whole(name, b"?")})
        assert (caught.value.expected, caught.value.actual) == (whole(name, b"?"), whole(name, data))
        assert await open_uploads(cos) == []
        assert not await cos.objects.exists("bucket", "other")


async def test_a_composite_checksum_may_be_asked_for(bucket: Emulator, monkeypatch: pytest.MonkeyPatch):
    async with client(bucket, "crc32") as cos:
        assert (await cos.upload("bucket", "key", DATA, checksum_type="COMPOSITE")).verified == "checksum"
        info = await cos.objects.head("bucket", "key", checksum_mode="ENABLED")
    assert (info.checksum_type, (info.checksum_crc32 or "")[-2:]) == ("COMPOSITE", "-4")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"checksum_algorithm": "MD5"}, "must be one of CRC32, CRC32C, CRC64NVME, SHA1, SHA256"),
        ({"checksum_algorithm": "crc32"}, "must be one of"),
        ({"checksum_crc32": "AAAAAA==", "checksum_sha1": "x"}, "give one checksum, not crc32 and sha1"),
        ({"checksum_crc32": "AAAA"}, "must be the base64 of 4 bytes"),
        ({"checksum_crc32": "?"}, "must be the base64 of 4 bytes"),
        ({"checksum_crc32": "AAAAAA==", "checksum_algorithm": "CRC32C"}, "checksum_algorithm is CRC32C, and a crc32 is given"),
        ({"checksum_type": "FULL_OBJECT", "checksum_algorithm": "SHA256"}, "is COMPOSITE, not FULL_OBJECT"),
        ({"checksum_type": "COMPOSITE", "checksum_algorithm": "CRC64NVME"}, "not COMPOSITE"),
        ({"checksum_type": "COMPOSITE", "checksum_crc32": "AAAAAA=="}, "not COMPOSITE"),
    ],
)
def test_invalid_checksums_are_refused(given: dict[str, Any], text: str):
    with pytest.raises(ConfigError, match=text):
        UploadChecksums(UploadRequest("b", "k", b"", **given), BodyChecksums("md5", "https://cos"), "upload of b/k")


async def test_a_hash_of_the_object_is_for_one_put(bucket: Emulator):
    async with client(bucket) as cos:
        with pytest.raises(ConfigError, match="raise multipart_threshold"):
            await cos.upload("bucket", "key", DATA, checksum_sha256=whole("sha256"))
        assert await open_uploads(cos) == []
        result = await cos.upload("bucket", "key", DATA, checksum_sha256=whole("sha256"), multipart_threshold=len(DATA) + 1)
        assert (result.parts, result.verified) == (1, "checksum")


# -- what the service stored is something else ------------------------------------------------------------------------


async def test_another_checksum_of_the_object_is_an_error(bucket: Emulator, monkeypatch: pytest.MonkeyPatch):
    """Its ETag is right, and cannot outweigh it."""
    other = {name: encode(bytes(checksum.LENGTHS[name])).encode() for name in CRCS}

    def change(answer: ChangedResponse) -> None:
        if answer.body and b"<CompleteMultipartUploadResult" in answer.body:
            for name, text in other.items():
                tag = f"Checksum{name.upper()}".encode()
                answer.body = re.sub(rb"<%b>[^<]*<" % tag, rb"<%b>%b<" % (tag, text), answer.body)

    change_responses(monkeypatch, change)
    async with client(bucket) as cos:
        with pytest.raises(IntegrityError) as caught:
            await cos.upload("bucket", "key", DATA)
    assert (caught.value.expected, caught.value.actual) == (whole(best()), other[best()].decode())
    async with client(bucket, "sha256") as cos:
        other["sha256"] = b"AAAA-4"
        with pytest.raises(IntegrityError, match="the object has the sha256 AAAA-4"):
            await cos.upload("bucket", "key", DATA)
    async with client(bucket, verify_writes=False) as cos:
        assert (await cos.upload("bucket", "key", DATA)).etag


# -- a completion whose response is lost ------------------------------------------------------------------------------


async def test_an_object_is_recognized_by_its_checksum(bucket: Emulator):
    """Under a customer's key its ETag says nothing."""
    key = os.urandom(32)
    bucket.faults.script([Reset(operation="CompleteMultipartUpload", lost_answer=True)])
    async with client(bucket) as cos:
        result = await cos.upload("bucket", "key", DATA, customer_key=key)
        assert result.verified == "checksum"
        assert await cos.objects.read("bucket", "key", customer_key=key) == DATA
    assert [r.operation for r in bucket.requests].count("CompleteMultipartUpload") == 1


async def test_an_object_with_another_checksum_is_not_recognized(bucket: Emulator, monkeypatch: pytest.MonkeyPatch):
    def change(answer: ChangedResponse) -> None:
        if answer.is_for("HEAD") and answer.is_for_object:
            answer.headers[f"x-amz-checksum-{best()}"] = encode(bytes(checksum.LENGTHS[best()]))

    change_responses(monkeypatch, change)
    bucket.faults.script([Reset(operation="CompleteMultipartUpload", lost_answer=True)])
    async with client(bucket) as cos:
        with pytest.raises(OutcomeUnknown):
            await cos.upload("bucket", "key", DATA)


# -- services without checksums ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["bytes", "stream"])
async def test_a_service_that_shows_no_checksums_gets_md5s(
    bucket: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, source: str
):
    """The write that finds it out is verified by its ETag, and the upload goes on."""
    caplog.set_level("INFO", "aiocos.call")
    wire = Wire(monkeypatch, hide=True)

    def given() -> bytes | Iterable[bytes]:
        return DATA if source == "bytes" else iter([DATA])

    async with client(bucket) as cos:
        assert (await cos.upload("bucket", "key", given(), concurrency=1)).verified == "composite"
        sums = wire.sums("PUT", query="partNumber")
        assert [list(one) for one in sums] == [[f"x-amz-checksum-{best()}"], *([["Content-MD5"]] * 3)]
        assert [set(one) for one in wire.sums("POST", query="uploadId")] == [{"Content-MD5"}]
        assert b"Checksum" not in wire.completion()
        assert await cos.objects.read("bucket", "key") == DATA
        start = len(wire.requests)
        # Known from now on, for every kind of write.
        assert (await cos.upload("bucket", "key", DATA)).verified == "composite"
        assert (await cos.upload("bucket", "key", DATA[:100])).verified == "md5"
        await cos.objects.put("bucket", "key", b"x")
        assert wire.sums("POST", query="uploads", start=start) == [{}]
        assert all(list(one) == ["Content-MD5"] for one in wire.sums("PUT", start=start))
        origin = engine_of(cos).endpoint.origin
    [line] = [record.getMessage() for record in caplog.records if "Content-MD5" in record.getMessage()]
    assert origin in line
    assert 'ClientConfig(checksum="md5")' in line


@pytest.mark.parametrize("length", [100, len(DATA)])
async def test_damage_is_found_where_no_checksum_is_shown(bucket: Emulator, monkeypatch: pytest.MonkeyPatch, length: int):
    wire = Wire(monkeypatch, hide=True)

    def damage(answer: ChangedResponse) -> None:
        if answer.is_for("PUT"):
            answer.headers["ETag"] = '"' + "5" * 32 + '"'

    change_responses(monkeypatch, damage)
    async with client(bucket) as cos:
        with pytest.raises(IntegrityError):
            await cos.upload("bucket", "key", DATA[:length])
        assert await open_uploads(cos) == []
    assert wire.sums("PUT")


async def test_a_named_checksum_is_always_sent(bucket: Emulator, monkeypatch: pytest.MonkeyPatch):
    """Nobody shows it, and it is verified by ETags."""
    wire = Wire(monkeypatch, hide=True)
    async with client(bucket, "crc32") as cos:
        assert (await cos.upload("bucket", "key", DATA)).verified == "composite"
        assert (await cos.upload("bucket", "key", DATA[:100])).verified == "md5"
    assert all(list(one) == ["x-amz-checksum-crc32"] for one in wire.sums("PUT"))
    assert [set(one) for one in wire.sums("POST", query="uploadId")] == [{"Content-MD5"}]


REFUSALS = [
    Status(501, code="NotImplemented", message="A header you provided implies functionality that is not implemented"),
    Status(400, code="InvalidRequest", message="x-amz-checksum-algorithm is not supported"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["501", "400"])
@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"])
async def test_a_service_that_refuses_checksums_gets_md5s(
    bucket: Emulator, monkeypatch: pytest.MonkeyPatch, refusal: Status, operation: str
):
    wire = Wire(monkeypatch)
    bucket.faults.script([dataclasses.replace(refusal, operation=operation)])
    data = DATA[:100] if operation == "PutObject" else DATA
    async with client(bucket) as cos:
        result = await cos.upload("bucket", "key", data, concurrency=1)
        expected = {"CreateMultipartUpload": "composite", "PutObject": "md5"}.get(operation)
        assert result.verified == (expected or ("composite" if operation == "UploadPart" else "checksum"))
        assert await cos.objects.read("bucket", "key") == data
        assert await open_uploads(cos) == []
        start = len(wire.requests)
        await cos.objects.put("bucket", "key", b"x")
        assert [list(one) for one in wire.sums("PUT", start=start)] == [["Content-MD5"]]


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"])
async def test_another_reason_for_a_refusal_changes_nothing(bucket: Emulator, monkeypatch: pytest.MonkeyPatch, operation: str):
    """It is refused with an MD5 as well: it was not the checksum. And a named checksum is not given up."""
    data = DATA[:100] if operation == "PutObject" else DATA
    for refusal in REFUSALS:
        async with client(bucket) as cos:
            bucket.faults.script([dataclasses.replace(refusal, operation=operation, times=None)])
            with pytest.raises(aiocos.CosError):
                await cos.upload("bucket", "key", data, concurrency=1)
            bucket.faults.script([])
            assert engine_of(cos).checksums.algorithm == best()
            assert await open_uploads(cos) == []
    async with client(bucket, "crc32") as cos:
        bucket.faults.script([dataclasses.replace(REFUSALS[1], operation=operation)])
        with pytest.raises(aiocos.CosError):
            await cos.upload("bucket", "key", data, concurrency=1)


async def test_a_damaged_body_is_no_refusal(bucket: Emulator, monkeypatch: pytest.MonkeyPatch):
    wire = Wire(monkeypatch)
    text = "the x-amz-checksum-crc32 does not match"
    bucket.faults.script([Status(400, code="BadDigest", message=text, operation="PutObject")])
    async with client(bucket, retry=aiocos.RetryConfig(attempts=1)) as cos:
        with pytest.raises(BadDigest):
            await cos.objects.put("bucket", "key", b"x")
        assert engine_of(cos).checksums.algorithm == best()
    assert len(wire.sums("PUT")) == 1


async def test_a_bucket_that_wants_content_md5_gets_it(bucket: Emulator):
    text = "Missing required header for this request: Content-MD5"
    bucket.faults.script([Status(400, code="InvalidRequest", message=text, operation="PutObject")])
    async with client(bucket) as cos:
        await cos.objects.put("bucket", "key", b"x")
        assert engine_of(cos).checksums.algorithm == "md5"
        bucket.faults.script([Status(400, code="InvalidRequest", message="no", operation="PutObject")])
        with pytest.raises(InvalidRequest):
            await cos.objects.put("bucket", "key", b"x")


async def test_an_upload_that_has_confirmed_parts_goes_on_as_declared():
    """Whatever another write of the same client has found out meanwhile."""
    sums = BodyChecksums("auto", "https://cos")
    mine = UploadChecksums(UploadRequest("b", "k", b""), sums, "upload")
    name: Any = mine.algorithm
    values = [compute(name, piece) for piece in (b"one", b"three")]
    assert sums.chosen(mine.of_part(values[0])) == name
    mine.add(1, values[0], 3, "checksum")
    sums.fall_back("shows none")
    assert sums.chosen(mine.of_part(values[1])) == name
    mine.add(2, values[1], 5, "checksum")
    wanted = await mine.of_object()
    assert wanted is not None
    assert wanted.text == encode(combine(name, [(values[0], 3), (values[1], 5)])) == whole(name, b"onethree")
    mine.add(2, values[1], 5, "md5")
    assert await mine.of_object() is None, "a part that the service has no checksum of"
    mine.restart()
    assert sums.chosen(mine.of_part(values[0])) == "md5"
