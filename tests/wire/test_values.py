"""Tests of `aiocos.wire.values`: values of headers and queries, and customer keys."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import pytest

from aiocos.operations.objects import GetObject, PutObject
from aiocos.wire.ranges import ByteRange
from aiocos.wire.values import Codec, CopySource, CustomerKey, Stored, codec, header_text

# ---------------------------------------------------------------------------------------------------------------------
# Ranges


# ---------------------------------------------------------------------------------------------------------------------
# Checksums. The vectors are of RFC 1321, RFC 3720 (zlib's CRC-32 of the check string) and FIPS 180.


# ---------------------------------------------------------------------------------------------------------------------
# What a request does not carry


# ---------------------------------------------------------------------------------------------------------------------
# SSE-C


def test_repr_does_not_show_a_customer_key() -> None:
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
def test_inconsistent_headers_of_a_customer_key_are_refused(headers: tuple[str | None, str | None, str | None]) -> None:
    with pytest.raises(ValueError):
        CustomerKey.from_headers(*headers)


# ---------------------------------------------------------------------------------------------------------------------
# Requests as a server receives them


# ---------------------------------------------------------------------------------------------------------------------
# Codecs

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
def test_write_values(by: Codec, value: Any, text: str) -> None:
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
def test_read_values(by: Codec, text: str, value: Any) -> None:
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
def test_malformed_texts_are_refused(by: Codec, text: str) -> None:
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
def test_values_of_the_wrong_type_are_refused(by: Codec, value: Any) -> None:
    with pytest.raises(ValueError):
        by.write(value)


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), ("Grüße", "Grüße"), ("Gr\udcfc\udcdfe", "Grüße"), ("ü\udcfc", "Ã¼ü"), ("", "")]
)
def test_header_text(value: str, text: str) -> None:
    assert header_text(value) == text


def test_headers_of_a_customer_key() -> None:
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
def test_a_customer_key_needs_32_bytes(length: int) -> None:
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
        (("AES256", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", ""), "does not match its MD5"),
    ],
)
def test_the_reason_is_in_the_error_of_a_customer_key(headers: tuple[str | None, str | None, str | None], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        CustomerKey.from_headers(*headers)
