"""Ranges, checksums and the values of headers; what a request refuses to carry."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.errors import ConfigError, InvalidRequest, OperationNotSupported
from aiocos.operations.buckets import CreateBucket, DeleteBucket
from aiocos.operations.listing import ListObjectsV2
from aiocos.operations.multipart import ListParts, UploadPart, UploadPartCopy
from aiocos.operations.objects import CopyObject, DeleteObject, GetObject, HeadObject, PutObject
from aiocos.wire import digest
from aiocos.wire.bind import from_request, to_request
from aiocos.wire.message import Request
from aiocos.wire.ranges import ByteRange, ContentRange
from aiocos.wire.route import route
from aiocos.wire.values import Codec, CopySource, CustomerKey, Stored, codec, header_text

# ---------------------------------------------------------------------------------------------------------------------
# Ranges


@pytest.mark.parametrize(
    ("text", "size", "resolved"),
    [
        ("bytes=0-0", 10, (0, 1)),
        ("bytes=0-", 10, (0, 10)),
        ("bytes=3-5", 10, (3, 3)),
        ("bytes=3-99", 10, (3, 7)),
        ("bytes=9-", 10, (9, 1)),
        ("bytes=10-", 10, None),
        ("bytes=-3", 10, (7, 3)),
        ("bytes=-99", 10, (0, 10)),
        ("bytes=-0", 10, None),
        ("bytes=0-", 0, None),
        ("bytes=-5", 0, None),
    ],
)
def test_a_range_within_an_object(text: str, size: int, resolved: tuple[int, int] | None) -> None:
    asked = ByteRange.from_wire(text)
    assert asked.resolve(size) == resolved
    assert asked.to_wire() == text


@pytest.mark.parametrize(
    "text", ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=--1", "0-1"]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError):
        ByteRange.from_wire(text)


@pytest.mark.parametrize(("first", "last"), [(None, None), (-1, None), (5, 4), (None, -1), (-1, 5)])
def test_ranges_that_cannot_be(first: int | None, last: int | None) -> None:
    with pytest.raises(ValueError):
        ByteRange(first, last)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 40))
def test_a_range_is_a_slice(first: int, more: int, size: int) -> None:
    data = bytes(range(size))
    resolved = ByteRange(first, first + more).resolve(size)
    expected = data[first : first + more + 1]
    assert (data[resolved[0] : sum(resolved)] if resolved else b"") == expected
    assert resolved is None or resolved[1] == len(expected) > 0


def test_content_range() -> None:
    came = ContentRange.from_wire("bytes 3-5/10")
    assert (came.first, came.last, came.total, came.length) == (3, 5, 10, 3)
    assert came.to_wire() == "bytes 3-5/10"
    assert ContentRange.from_wire("bytes 0-0/*").total is None
    for text in ("", "bytes */10", "bytes 5-3/10", "bytes 3-10/10", "bytes 0-1", "bytes=0-1/2"):
        with pytest.raises(ValueError, match="content range"):
            ContentRange.from_wire(text)


# ---------------------------------------------------------------------------------------------------------------------
# Checksums. The vectors are of RFC 1321, RFC 3720 (zlib's CRC-32 of the check string) and FIPS 180.


def test_digest_vectors() -> None:
    assert digest.content_md5(b"") == "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert digest.etag_of(b"abc") == "900150983cd24fb0d6963f7d28e17f72"
    assert digest.encode(digest.digest("crc32", b"123456789")) == "y/Q5Jg=="
    assert digest.encode(digest.digest("crc32", b"")) == "AAAAAA=="
    assert digest.digest("sha256", b"abc").hex().startswith("ba7816bf8f01cfea")


def test_the_etag_of_parts() -> None:
    parts = [b"a" * 10, b"b" * 3]
    joined = b"".join(hashlib.md5(p).digest() for p in parts)
    etag = digest.composite_etag(digest.digest("md5", p) for p in parts)
    assert etag == hashlib.md5(joined).hexdigest() + "-2"
    # One part of nothing, as S3 shows it for an empty multipart upload.
    assert digest.composite_etag([digest.digest("md5", b"")]) == "59adb24ef3cdbe0297f05b395827453f-1"
    assert digest.part_count(f'"{etag}"') == 2
    assert digest.part_count(digest.etag_of(b"")) is None
    assert digest.is_md5('W/"900150983CD24FB0D6963F7D28E17F72"')
    assert not digest.is_md5(etag)
    assert not digest.is_md5("")


@given(st.binary(max_size=50))
def test_any_buffer_has_the_same_digest(data: bytes) -> None:
    for algorithm in digest.HEADERS:
        assert digest.digest(algorithm, data) == digest.digest(algorithm, memoryview(bytearray(data)))


# ---------------------------------------------------------------------------------------------------------------------
# What a request does not carry


@pytest.mark.parametrize("text", ["a\r\nx-evil: 1", "a\n", "\r", "a\0b", "\x7f", "\x1b[0m", "\ud800"])
def test_a_header_cannot_be_broken_out_of(text: str) -> None:
    for build in (
        lambda: PutObject("b", "k", content_type=text),
        lambda: PutObject("b", "k", metadata={"name": text}),
        lambda: PutObject("b", "k", metadata={text: "value"}),
        lambda: CreateBucket("b", service_instance_id=text),
        lambda: GetObject("b", "k", if_match=text),
    ):
        with pytest.raises(ConfigError, match=r"^(PutObject|CreateBucket|GetObject): "):
            to_request(build())


@pytest.mark.parametrize("name", ["", " ", "a b", "a:b", "a=b", "a/b", "(x)"])
def test_a_name_of_metadata_is_a_token(name: str) -> None:
    with pytest.raises(ConfigError, match="metadata"):
        to_request(PutObject("b", "k", metadata={name: "v"}))


@pytest.mark.parametrize("bucket", ["", ".", "..", "a/b", "a?acl", "a#b", "\ud800", None, 5])
def test_a_bucket_has_a_name(bucket: Any) -> None:
    with pytest.raises(ConfigError, match="DeleteBucket: bucket"):
        to_request(DeleteBucket(bucket))


@pytest.mark.parametrize("key", ["", "\ud800", None, b"k"])
def test_a_key_is_a_text(key: Any) -> None:
    # An empty key would make the deletion of a bucket out of that of an object.
    with pytest.raises(ConfigError, match="DeleteObject: key"):
        to_request(DeleteObject("b", key))


@pytest.mark.parametrize("source", [("", "k"), ("b", ""), ("b/c", "k"), "b/k", ["b", "k"], ("b",), ("b", "\ud800"), ("b", 5)])
def test_a_copy_source_is_a_bucket_and_a_key(source: Any) -> None:
    with pytest.raises(ConfigError, match="CopyObject: source"):
        to_request(CopyObject("b", "k", source))


def test_a_copy_source_keeps_its_version() -> None:
    headers = to_request(CopyObject("b", "k", CopySource("s", "ü/a?b", "v+1"))).headers
    assert headers["x-amz-copy-source"] == "s/%C3%BC/a%3Fb?versionId=v%2B1"
    assert CopySource.from_wire("/s/%C3%BC/a%3Fb?versionId=v%2B1") == CopySource("s", "ü/a?b", "v+1")
    triple: Any = ("s", "k", "v")
    assert to_request(CopyObject("b", "k", triple)).headers["x-amz-copy-source"] == "s/k?versionId=v"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("expires", datetime(2026, 1, 1)),
        ("retention_expires", datetime(2026, 1, 1)),
        ("expires", "tomorrow"),
        ("retention_period", timedelta(milliseconds=1)),
        ("content_type", 5),
        ("customer_key", b"short"),
        ("metadata", {"a": 5}),
        ("metadata", ["a"]),
        ("data", "text"),
        ("data", 5),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(parameter: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^PutObject: {parameter}: "):
        to_request(PutObject("b", "k", **{parameter: value}))


@pytest.mark.parametrize("value", [True, "5", 5.0])
def test_a_number_is_a_number(value: Any) -> None:
    with pytest.raises(ConfigError, match="max_keys"):
        to_request(ListObjectsV2("b", max_keys=value))
    with pytest.raises(ConfigError, match="fetch_owner"):
        to_request(ListObjectsV2("b", fetch_owner="true"))  # type: ignore[arg-type]


def test_values_as_they_are_written() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    headers = to_request(
        PutObject("b", "k", b"x", expires=moment, retention_expires=moment, retention_period=timedelta(days=2), acl="")
    ).headers
    assert headers == {
        "Expires": "Fri, 02 Jan 2026 03:04:05 GMT",
        "Retention-Expiration-Date": "2026-01-02T03:04:05Z",
        "Retention-Period": "172800",
        "x-amz-acl": "",
    }
    assert to_request(PutObject("b", "k", retention_period=-1)).headers == {"Retention-Period": "-1"}


def test_buffers_are_bodies() -> None:
    assert to_request(PutObject("b", "k", bytearray(b"ab"))).body == b"ab"
    wide = memoryview(b"abcdefgh").cast("I")
    body = to_request(PutObject("b", "k", wide)).body
    assert isinstance(body, memoryview)
    assert (len(body), body.tobytes()) == (8, b"abcdefgh")


# ---------------------------------------------------------------------------------------------------------------------
# SSE-C


def test_a_customer_key_does_not_show() -> None:
    key = CustomerKey(b"0123456789abcdef0123456789abcdef")
    operation = GetObject("b", "k", customer_key=key)
    assert "0123" not in repr(key) + repr(operation) + repr(GetObject("b", "k", customer_key=key.key))
    assert b"secret-payload".decode() not in repr(PutObject("b", "k", b"secret-payload"))


@pytest.mark.parametrize(
    "headers",
    [
        ("AES256", None, None),
        (None, "AAAA", None),
        ("aws:kms", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", None),
        ("AES256", "!", None),
        ("AES256", "AAAA", None),
        ("AES256", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "wrong"),
        (None, None, "AAAA"),
    ],
)
def test_headers_of_a_key_that_do_not_fit(headers: tuple[str | None, str | None, str | None]) -> None:
    with pytest.raises(ValueError):
        CustomerKey.from_headers(*headers)


# ---------------------------------------------------------------------------------------------------------------------
# Requests as a server receives them


def _route(method: str, key: str | None, query: str, **headers: str) -> type[Any]:
    pairs = [(n, v) for n, _, v in (part.partition("=") for part in query.split("&") if part)]
    return route(Request(method, "b", key, pairs, {n.replace("_", "-"): v for n, v in headers.items()}))


def test_the_most_marks_win() -> None:
    part = "uploadId=1&partNumber=2"
    assert _route("PUT", "k", "") is PutObject
    assert _route("PUT", "k", "", x_amz_copy_source="a/b") is CopyObject
    assert _route("PUT", "k", part) is UploadPart
    assert _route("PUT", "k", part, x_amz_copy_source="a/b") is UploadPartCopy
    assert _route("GET", "k", "partNumber=2") is GetObject
    assert _route("HEAD", "k", "partNumber=2") is HeadObject
    assert _route("GET", "k", "uploadId=1") is ListParts
    assert _route("GET", "k", "X-Amz-Signature=1&response-content-type=a") is GetObject


@pytest.mark.parametrize(
    ("method", "key", "query"),
    [
        ("PUT", "k", "torrent"), ("DELETE", "k", "select"), ("PUT", "k", "partNumber=1"), ("PUT", "k", "uploadId=1"),
        ("PUT", None, "policy"), ("DELETE", None, "policy"), ("GET", None, "inventory"), ("POST", "k", ""), ("POST", None, ""),
        ("PATCH", "k", ""), ("DELETE", "k", "partNumber=1"),
    ],
)  # fmt: skip
def test_a_sub_resource_that_is_not_served_is_refused(method: str, key: str | None, query: str) -> None:
    # Falling through would empty the object or delete it.
    with pytest.raises(OperationNotSupported) as caught:
        _route(method, key, query)
    assert (caught.value.status, caught.value.code) == (501, "NotImplemented")


@pytest.mark.parametrize("query", ["max-keys=", "max-keys=a", "max-keys=1_0", "max-keys= 5", "max-keys=1.0", "fetch-owner=1"])
def test_a_parameter_that_cannot_be_read(query: str) -> None:
    name, _, value = query.partition("=")
    with pytest.raises(InvalidRequest) as caught:
        from_request(ListObjectsV2, Request("GET", "b", None, [("list-type", "2"), (name, value)]))
    assert caught.value.code == "InvalidArgument"
    assert name in caught.value.message


def test_an_absent_parameter_is_absent() -> None:
    assert from_request(ListObjectsV2, Request("GET", "b", None, [("list-type", "2")])).encoding_type is None
    assert from_request(ListObjectsV2, Request("GET", "b", None, [("continuation-token", "")])).continuation_token == ""


def test_a_missing_required_parameter() -> None:
    with pytest.raises(InvalidRequest, match="partNumber is missing"):
        from_request(UploadPart, Request("PUT", "b", "k", [("uploadId", "1")]))
    with pytest.raises(ConfigError, match="part_number is missing"):
        to_request(UploadPart("b", "k", "1", None))  # type: ignore[arg-type]


def test_metadata_names_ignore_case() -> None:
    found = from_request(
        PutObject, Request("PUT", "b", "k", [], {"X-Amz-Meta-Who": "me", "x-amz-meta-": "no", "x-amz-metal": "no"})
    )
    assert found.metadata == {"who": "me"}


# ---------------------------------------------------------------------------------------------------------------------
# Values one by one

_MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
_ELSEWHERE = datetime(2026, 1, 2, 5, 4, 5, 678_000, tzinfo=timezone(timedelta(hours=2)))

WRITTEN: list[tuple[Any, Any, str]] = [
    (codec(str), "a b", "a b"),
    (codec(str | None), "", ""),
    (codec(Literal["COPY", "REPLACE"]), "COPY", "COPY"),
    (codec(int | str), "-1", "-1"),
    (codec(int), -5, "-5"),
    (codec(bool), True, "true"),
    (codec(bool | None), False, "false"),
    (codec(datetime), _ELSEWHERE, "Fri, 02 Jan 2026 03:04:05 GMT"),
    (codec(datetime, True), _ELSEWHERE, "2026-01-02T03:04:05Z"),
    (codec(datetime, True, True), _ELSEWHERE, "2026-01-02T03:04:05.678Z"),
    (codec(datetime, fraction=True), _MOMENT, "Fri, 02 Jan 2026 03:04:05 GMT"),
    (codec(datetime | Stored | None), _MOMENT, "Fri, 02 Jan 2026 03:04:05 GMT"),
    (codec(datetime | Stored | None), Stored("0"), "0"),
    (codec(int | timedelta | None), 5, "5"),
    (codec(int | timedelta | None), timedelta(days=2, seconds=3), "172803"),
    (codec(ByteRange | None), ByteRange(1, 2), "bytes=1-2"),
    (codec(CopySource | tuple[str, str]), ("b", "k/ü a"), "b/k/%C3%BC%20a"),
    (codec(CopySource), CopySource("b-._~", "-._~", "v/w"), "b-._~/-._~?versionId=v%2Fw"),
    (codec(CopySource), CopySource("b", "k", ""), "b/k"),
]


@pytest.mark.parametrize(("by", "value", "text"), WRITTEN)
def test_a_value_is_written(by: Codec, value: Any, text: str) -> None:
    assert by.write(value) == text


READ: list[tuple[Any, str, Any]] = [
    (codec(str), "", ""),
    (codec(int), "-5", -5),
    (codec(int), "9" * 20, int("9" * 20)),
    (codec(bool), "True", True),
    (codec(bool), "false", False),
    (codec(datetime), "Fri, 02 Jan 2026 03:04:05 GMT", _MOMENT.replace(microsecond=0)),
    (codec(datetime), "Fri, 02 Jan 2026 05:04:05 +0200", _MOMENT.replace(microsecond=0)),
    (codec(datetime), "Fri, 02 Jan 2026 03:04:05 -0000", _MOMENT.replace(microsecond=0)),
    (codec(datetime), "2026-01-02T05:04:05.678+02:00", _MOMENT),
    (codec(datetime), "2026-01-02T03:04:05.678", _MOMENT),
    (codec(datetime), "20260102T030405Z", _MOMENT.replace(microsecond=0)),
    (codec(datetime, True), "2026-01-02T03:04:05.678Z", _MOMENT),
    (codec(datetime, True), "Fri, 02 Jan 2026 03:04:05 GMT", _MOMENT.replace(microsecond=0)),
    (codec(datetime | Stored | None), "Fri, 02 Jan 2026 03:04:05 GMT", _MOMENT.replace(microsecond=0)),
    (codec(datetime | Stored | None), "0", Stored("0")),
    (codec(int | timedelta | None), "5", 5),
    (codec(CopySource), "b/k+l%2Bm", CopySource("b", "k l+m")),
    (codec(CopySource), "/b%2F/k/l?versionId=v%2B+", CopySource("b/", "k/l", "v++")),
    (codec(CopySource), "b/k?versionId=", CopySource("b", "k")),
    (codec(CopySource), "b/k?other=v", CopySource("b", "k")),
    (codec(ByteRange), " bytes=1-2 ", ByteRange(1, 2)),
]


@pytest.mark.parametrize(("by", "text", "value"), READ)
def test_a_value_is_read(by: Codec, text: str, value: Any) -> None:
    made = by.read(text)
    assert made == value
    assert type(made) is type(value)
    if isinstance(made, datetime):
        assert made.tzinfo is UTC


@pytest.mark.parametrize(
    ("by", "text"),
    [
        (codec(int), ""), (codec(int), "9" * 21), (codec(int), "--1"), (codec(int), "\u0663"), (codec(int), "5\n"),
        (codec(bool), "1"), (codec(bool), ""), (codec(datetime), ""), (codec(datetime), "0"), (codec(datetime, True), "x"),
        (codec(datetime), "0001-01-01T00:00:00+14:00"), (codec(CopySource), ""), (codec(CopySource), "b"),
        (codec(CopySource), "b/"), (codec(CopySource), "//k"), (codec(CopySource), "?versionId=v"), (codec(ByteRange), "0"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(by: Codec, text: str) -> None:
    with pytest.raises(ValueError):
        by.read(text)


@pytest.mark.parametrize(
    ("by", "value"),
    [
        (codec(str), 5), (codec(str), None), (codec(str), b"a"), (codec(int), True), (codec(int), 1.0), (codec(bool), 1),
        (codec(bool), "true"), (codec(datetime), datetime(2026, 1, 1)), (codec(datetime, True), datetime(2026, 1, 1)),
        (codec(datetime, True, True), datetime(2026, 1, 1)), (codec(int | timedelta), timedelta(microseconds=1)),
        (codec(CopySource), "b/k"), (codec(CopySource), ("", "k")), (codec(CopySource), ("b", "")),
        (codec(CopySource), ("a/b", "k")),
    ],
)  # fmt: skip
def test_what_cannot_be_written(by: Codec, value: Any) -> None:
    with pytest.raises(ValueError):
        by.write(value)


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), ("Grüße", "Grüße"), ("Gr\udcfc\udcdfe", "Grüße"), ("ü\udcfc", "Ã¼ü"), ("", "")]
)
def test_the_text_of_a_header(value: str, text: str) -> None:
    assert header_text(value) == text


def test_a_customer_key_and_its_headers() -> None:
    raw = b"0123456789abcdef0123456789abcdef"
    key = CustomerKey(raw)
    headers = {
        "x-algorithm": "AES256",
        "x-key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "x-key-MD5": base64.b64encode(hashlib.md5(raw).digest()).decode(),
    }
    assert key.headers("x-") == headers
    assert (key.md5, key.key) == (headers["x-key-MD5"], raw)
    assert CustomerKey.from_headers(*headers.values()) == key
    assert CustomerKey.from_headers("AES256", headers["x-key"], None) == key
    assert CustomerKey.from_headers(None, None, None) is None
    assert key != CustomerKey(bytes(32))
    assert key != raw
    assert hash(key) == hash(CustomerKey(bytearray(raw)))
    assert {key, CustomerKey(raw)} == {key}
    assert repr(key) == "CustomerKey(…)"


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_customer_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        CustomerKey(bytes(length))


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (("AES256", None, None), "needs the algorithm"),
        (("AES256", None, "AAAA"), "needs the algorithm"),
        ((None, "AAAA", None), "needs the algorithm"),
        (("aws:kms", "AAAA", None), "needs the algorithm"),
        (("AES256", "!", None), "is not base64"),
        (("AES256", "AAAA", None), "32 bytes, not 3"),
        (("AES256", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", ""), "does not have the MD5"),
    ],
)
def test_why_headers_of_a_key_do_not_fit(headers: tuple[str | None, str | None, str | None], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        CustomerKey.from_headers(*headers)
