"""Tests of `aiocos.wire.digest`: checksums and ETags."""

from __future__ import annotations

import hashlib

import pytest

from aiocos.wire import checksum, digest

MD5 = "900150983cd24fb0d6963f7d28e17f72"


@pytest.mark.parametrize("etag", [MD5, f'"{MD5}"', f'W/"{MD5}"', MD5.upper(), f'"{MD5.upper()}"'])
def test_is_md5_accepts_every_form_of_an_etag(etag: str) -> None:
    assert digest.bare(etag) == MD5
    assert digest.is_md5(etag)
    assert digest.part_count(etag) is None


@pytest.mark.parametrize("etag", ["", '""', MD5[1:], MD5 + "0", "g" * 32, f"{MD5}-1", f'w/"{MD5}"', f"{MD5}\n"])
def test_is_md5_refuses_other_etags(etag: str) -> None:
    assert not digest.is_md5(etag)


@pytest.mark.parametrize(
    ("etag", "count"),
    [
        (f'"{MD5}-1"', 1), (f"{MD5.upper()}-10000", 10_000), (f"{MD5}-99999", 99_999), (f"{MD5}-0", 0), (f"{MD5}-100000", None),
        (f"{MD5}-", None), (f"{MD5[1:]}-1", None), (f"{MD5}-a", None), ("", None),
    ],
)  # fmt: skip
def test_part_count(etag: str, count: int | None) -> None:
    assert digest.part_count(etag) == count


@pytest.mark.parametrize(
    ("sent", "reported", "found"),
    [
        ({}, {}, None),
        ({"a": "1"}, {"a": "1"}, None),
        ({"a": "1"}, {"a": "2"}, ("1", "2")),
        ({"a": "1"}, {"a": None}, None),
        ({"a": "1"}, {"b": "2"}, None),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, ("2", "3")),
    ],
)
def test_the_first_difference(sent: dict[str, str], reported: dict[str, str | None], found: tuple[str, str] | None) -> None:
    assert digest.find_mismatch(sent, reported) == found


def test_no_parts() -> None:
    assert digest.composite_etag([]) == "d41d8cd98f00b204e9800998ecf8427e-0"


# The vectors are from RFC 1321.
def test_published_checksums() -> None:
    assert digest.content_md5(b"") == "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert digest.etag_of(b"abc") == "900150983cd24fb0d6963f7d28e17f72"


def test_composite_etag() -> None:
    parts = [b"a" * 10, b"b" * 3]
    joined = b"".join(hashlib.md5(p).digest() for p in parts)
    etag = digest.composite_etag(checksum.compute("md5", p) for p in parts)
    assert etag == hashlib.md5(joined).hexdigest() + "-2"
    # One empty part: the ETag that S3 reports for an empty multipart upload.
    assert digest.composite_etag([checksum.compute("md5", b"")]) == "59adb24ef3cdbe0297f05b395827453f-1"
    assert digest.part_count(f'"{etag}"') == 2
    assert digest.part_count(digest.etag_of(b"")) is None
    assert digest.is_md5('W/"900150983CD24FB0D6963F7D28E17F72"')
    assert not digest.is_md5(etag)
    assert not digest.is_md5("")
