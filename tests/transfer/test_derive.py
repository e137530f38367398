"""Parameters of transfers, and how they come into requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiocos.operations.multipart import (
    CompleteMultipartUpload,
    CreateMultipartUpload,
    UploadPart,
    UploadPartCopy,
)
from aiocos.operations.objects import CopyObject, HeadObject, PutObject
from aiocos.transfer.derive import derive
from aiocos.transfer.requests import CopyRequest, UploadRequest

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


def test_a_checksum_of_the_object_is_none_of_its_parts():
    request = UploadRequest("b", "k", b"", checksum_crc32="AAAAAA==", checksum_algorithm="CRC32", checksum_type="FULL_OBJECT")
    assert derive(request, UploadPart, upload_id="u", part_number=1).checksum_crc32 is None
    assert derive(request, PutObject, data=b"").checksum_crc32 == "AAAAAA=="
    assert derive(request, CompleteMultipartUpload, upload_id="u", parts=[]).checksum_crc32 == "AAAAAA=="
    assert derive(request, CreateMultipartUpload).checksum_algorithm == "CRC32"


def test_what_is_not_given():
    up, copy = UploadRequest("b", "k", b""), CopyRequest("a", "b", "c", "d")
    assert (up.part_size, up.multipart_threshold, up.concurrency, up.resume, up.timeout) == (None, None, None, False, None)
    assert (copy.version_id, copy.part_size, copy.copy_threshold, copy.concurrency, copy.timeout) == (None,) * 5
    assert (copy.source_client, copy.metadata_directive, copy.tagging_directive, copy.retention_directive) == (None,) * 4
