"""UploadPart and UploadPartCopy."""

import os

import pytest

from ..conftest import Raw, etag
from .multipart_requests import MIN, begin, complete, composite, part


async def test_an_object_can_be_read_by_part_number(raw: Raw) -> None:
    first, second = os.urandom(MIN), os.urandom(1000)
    upload = await begin(raw)
    await part(raw, upload, 1, first)
    await part(raw, upload, 2, second)
    await complete(raw, upload, [(1, etag(first)), (2, etag(second))])
    got = await raw.get("/bucket/key?partNumber=2")
    assert (got.status, got.body, got.headers["x-amz-mp-parts-count"]) == (206, second, "2")
    assert got.headers["Content-Range"] == f"bytes {MIN}-{MIN + 999}/{MIN + 1000}"
    head = await raw.head("/bucket/key?partNumber=1")
    assert (head.status, head.headers["Content-Length"], head.headers["x-amz-mp-parts-count"]) == (206, str(MIN), "2")
    assert (await raw.get("/bucket/key?partNumber=3")).status == 416
    await raw.put("/bucket/plain", b"abc")
    plain = await raw.get("/bucket/plain?partNumber=1")
    assert (plain.status, plain.body) == (206, b"abc")
    assert "x-amz-mp-parts-count" not in plain.headers


@pytest.mark.parametrize("number", [0, -1, 10_001])
async def test_a_part_number_out_of_range_is_refused(raw: Raw, number: int) -> None:
    upload = await begin(raw)
    response = await part(raw, upload, number, b"x")
    assert (response.status, response.code) == (400, "InvalidArgument")
    assert (await part(raw, upload, 10_000, b"x")).status == 200


async def test_a_range_of_an_object_can_be_copied_as_a_part(raw: Raw) -> None:
    source = os.urandom(MIN + 1000)
    await raw.put("/bucket/source", source)
    upload = await begin(raw)
    whole = await part(raw, upload, 1, b"", x_amz_copy_source="bucket/source")
    assert whole.xml.tag == "CopyPartResult"
    assert whole.texts("ETag") == [etag(source)]
    some = await part(raw, upload, 2, b"", x_amz_copy_source="/bucket/source", x_amz_copy_source_range="bytes=10-109")
    assert some.texts("ETag") == [etag(source[10:110])]
    for requested, status in [("bytes=0-99999999", 416), ("bytes=5-", 400), ("bytes=-5", 400)]:
        refused = await part(raw, upload, 3, b"", x_amz_copy_source="bucket/source", x_amz_copy_source_range=requested)
        assert refused.status == status, requested
    assert (await part(raw, upload, 3, b"", x_amz_copy_source="bucket/none")).code == "NoSuchKey"
    bad = await part(raw, upload, 3, b"", x_amz_copy_source="bucket/source", x_amz_copy_source_if_match='"x"')
    assert bad.code == "PreconditionFailed"
    await raw.delete("/bucket/source")
    done = await complete(raw, upload, [(1, etag(source)), (2, etag(source[10:110]))])
    assert done.texts("ETag") == [composite(source, source[10:110])]
    assert (await raw.get("/bucket/key")).body == source + source[10:110]
