"""Parameters of transfers, and how they come into requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from aiocos.operations.multipart import (
    CompleteMultipartUpload,
    CreateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    UploadPartResult,
)
from aiocos.operations.objects import CopyObject, HeadObject, PutObject, PutObjectResult
from aiocos.transfer.derive import derive, is_confirmed, with_checksum
from aiocos.transfer.requests import CopyRequest, UploadRequest
from aiocos.wire import digest

KEY = bytes(32)
"""A customer's key."""


def upload(**more: Any) -> UploadRequest:
    return UploadRequest(
        "bucket",
        "key",
        b"",
        content_type="text/plain",
        metadata={"a": "b"},
        tagging="x=y",
        customer_key=KEY,
        if_match='"e"',
        if_unmodified_since=datetime(2024, 1, 1, tzinfo=UTC),
        timeout=5,
        **more,
    )


def test_what_a_request_knows_is_carried_into_it():
    creation = derive(upload(), CreateMultipartUpload)
    assert (creation.bucket, creation.key, creation.content_type, creation.metadata) == (
        "bucket",
        "key",
        "text/plain",
        {"a": "b"},
    )
    assert (creation.tagging, creation.customer_key) == ("x=y", KEY)
    part = derive(upload(), UploadPart, upload_id="id", part_number=3, data=b"x")
    assert (part.bucket, part.key, part.upload_id, part.part_number, part.data, part.customer_key) == (
        "bucket", "key", "id", 3, b"x", KEY,
    )  # fmt: skip
    copied = derive(
        CopyRequest("from", "k", "to", "l", customer_key=KEY), UploadPartCopy, upload_id="id", part_number=1, source="x"
    )
    assert (copied.bucket, copied.key, copied.customer_key) == ("to", "l", KEY)


def test_a_deadline_is_that_of_the_whole_transfer():
    for operation in (
        derive(upload(), CreateMultipartUpload),
        derive(upload(), PutObject, data=b""),
        derive(upload(), HeadObject),
    ):
        assert operation.timeout is None


def test_conditions_on_what_is_written_say_nothing_about_reading_it():
    written = derive(upload(if_none_match='"f"'), PutObject, data=b"")
    assert (written.if_match, written.if_none_match, written.if_unmodified_since) == (
        '"e"', '"f"', datetime(2024, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    completed = derive(upload(), CompleteMultipartUpload, upload_id="id", parts=[])
    assert completed.if_match == '"e"'
    head = derive(upload(if_none_match='"f"'), HeadObject)
    assert (head.if_match, head.if_none_match, head.if_unmodified_since) == (None, None, None)
    assert (head.bucket, head.key, head.customer_key) == ("bucket", "key", KEY)


def test_what_is_given_goes_before_what_the_request_says():
    assert derive(upload(), CreateMultipartUpload, content_type="other").content_type == "other"
    assert derive(
        CopyRequest("a", "b", "c", "d", forbid_overwrite=None), CopyObject, source="x", forbid_overwrite=True
    ).forbid_overwrite


@pytest.mark.parametrize("algorithm", ["md5", "crc32", "sha256"])
def test_a_body_has_its_checksum(algorithm: Any):
    value = digest.digest(algorithm, b"body")
    names = {"md5": "content_md5", "crc32": "checksum_crc32", "sha256": "checksum_sha256"}
    for operation in (
        PutObject("bucket", "key", b"body"),
        UploadPart("bucket", "key", "id", 1, b"body"),
    ):
        assert with_checksum(operation, algorithm, value) is operation
        said = {name: getattr(operation, name) for name in names.values() if getattr(operation, name, None) is not None}
        assert said == {names[algorithm]: digest.encode(value)}


def test_a_checksum_that_is_said_back_confirms_a_body():
    value = digest.digest("crc32", b"body")
    for result in (PutObjectResult, UploadPartResult):
        assert is_confirmed(result(etag="e", checksum_crc32=digest.encode(value)), "crc32", value)
        assert not is_confirmed(result(etag="e", checksum_crc32=digest.encode(b"else")), "crc32", value)
        assert not is_confirmed(result(etag="e"), "crc32", value)
        assert not is_confirmed(result(etag="e", checksum_sha256=digest.encode(value)), "crc32", value)
        assert not is_confirmed(result(etag="e"), "md5", value), "an MD5 is confirmed by the ETag"


def test_what_is_not_given():
    up, copy = UploadRequest("b", "k", b""), CopyRequest("a", "b", "c", "d")
    assert (up.part_size, up.multipart_threshold, up.concurrency, up.resume, up.timeout) == (None, None, None, False, None)
    assert (copy.version_id, copy.part_size, copy.copy_threshold, copy.concurrency, copy.timeout) == (None,) * 5
    assert (copy.source_client, copy.metadata_directive, copy.tagging_directive, copy.retention_directive) == (None,) * 4
