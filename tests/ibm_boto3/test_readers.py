"""Readers of parameters: values that each accepts, and the reports of those that it does not."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.readers import Member, document_of, read_text, reader_of
from aiocos.ibm_boto3.validation import INVALID, ValidationReport
from aiocos.operations.cors import CorsConfiguration
from aiocos.operations.multipart import CompletedPart
from aiocos.wire.ranges import ByteRange
from aiocos.wire.values import CopySource


def read(method: str, parameter: str, value: Any) -> tuple[Any, list[str]]:
    """The value that a parameter of an operation is read as, and the errors that are reported."""
    report = ValidationReport()
    (p,) = (p for p in OPERATIONS[method].spec.parameters if p.name == parameter)
    return reader_of(p)(value, parameter, report), report.lines


NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
BODY = io.BytesIO(b"x")


@pytest.mark.parametrize(
    ("method", "parameter", "value", "expected"),
    [
        ("put_object", "bucket", "a.b-c_1", "a.b-c_1"),
        ("put_object", "data", "ü", "ü".encode()),
        ("put_object", "data", b"x", b"x"),
        ("put_object", "data", BODY, BODY),
        ("put_object", "metadata", {"a": "b"}, {"a": "b"}),
        ("put_object", "object_lock_retain_until", "2030-01-31T12:00:00Z", NOON),
        ("put_object", "object_lock_retain_until", NOON.timestamp(), NOON),
        ("put_object", "retention_period", 60, 60),
        ("list_objects_v2", "fetch_owner", True, True),
        ("get_object", "range", "bytes=0-9", ByteRange(0, 9)),
        ("copy_object", "source", "b/k?versionId=1", CopySource("b", "k", "1")),
        ("copy_object", "source", "/b/k/l", CopySource("b", "k/l")),
        ("copy_object", "source", {"Bucket": "b", "Key": "k"}, CopySource("b", "k")),
        ("complete_multipart_upload", "parts", {"Parts": []}, []),
    ],
)
def test_a_value_is_read(method: str, parameter: str, value: Any, expected: Any) -> None:
    assert read(method, parameter, value) == (expected, [])


@pytest.mark.parametrize(
    ("method", "parameter", "value", "error"),
    [
        ("put_object", "bucket", 1, "Invalid type for parameter bucket, value: 1"),
        ("put_object", "bucket", "a b", 'Invalid bucket name "a b"'),
        ("put_object", "data", 1, "Invalid type for parameter data"),
        ("put_object", "metadata", "a", "Invalid type for parameter metadata"),
        ("put_object", "metadata", {"a": 1}, "Invalid type for parameter metadata.a"),
        ("put_object", "metadata", {"a": "ü"}, "Non ascii characters found in S3 metadata"),
        ("put_object", "object_lock_retain_until", "never", "valid types: <class 'datetime.datetime'>"),
        ("put_object", "retention_period", "60", "valid types: <class 'int'>"),
        ("list_objects_v2", "fetch_owner", 1, "valid types: <class 'bool'>"),
        ("get_object", "range", 1, "Invalid type for parameter range"),
        ("get_object", "range", "all", "Invalid value for parameter range"),
        ("copy_object", "source", "b", "expected bucket/key, not 'b'"),
        ("copy_object", "source", {"Bucket": "b"}, 'Missing required parameter in source: "Key"'),
        ("copy_object", "source", {"Bucket": "b", "Key": "k", "Keyy": ""}, 'Unknown parameter in source: "Keyy"'),
        ("complete_multipart_upload", "parts", {"Parts": 1}, "Invalid type for parameter parts.Parts"),
        ("complete_multipart_upload", "parts", {"Parts": [{"E": ""}]}, 'Unknown parameter in parts.Parts[0]: "E"'),
    ],
)
def test_an_invalid_value_is_reported(method: str, parameter: str, value: Any, error: str) -> None:
    found, lines = read(method, parameter, value)
    assert len(lines) == 1
    assert error in lines[0]
    assert found is INVALID or parameter == "metadata"


def test_a_list_is_read_item_by_item() -> None:
    parts, lines = read("complete_multipart_upload", "parts", {"Parts": [{"ETag": "x", "PartNumber": 1}]})
    assert (parts, lines) == ([CompletedPart(etag="x", part_number=1)], [])


def test_a_key_must_not_be_empty() -> None:
    report = ValidationReport()
    assert read_text("", "Key", report) is INVALID
    assert read_text("", "Prefix", report) == ""
    assert report.lines == ["Invalid length for parameter Key, value: 0, valid min length: 1"]


def test_a_setting_is_given_as_the_document_that_it_is_read_as() -> None:
    (body,) = (p for p in OPERATIONS["put_bucket_cors"].spec.parameters if p.name == "rules")
    assert document_of(body) is CorsConfiguration


def test_a_member_has_the_name_of_its_field() -> None:
    assert Member("etag", False, read_text).field == "etag"
