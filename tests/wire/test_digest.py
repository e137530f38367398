"""ETags and checksums: their forms, and what contradicts what."""

from __future__ import annotations

import pytest

from aiocos.wire import digest

MD5 = "900150983cd24fb0d6963f7d28e17f72"


@pytest.mark.parametrize("etag", [MD5, f'"{MD5}"', f'W/"{MD5}"', MD5.upper(), f'"{MD5.upper()}"'])
def test_an_md5_in_every_form(etag: str) -> None:
    assert digest.bare(etag) == MD5
    assert digest.is_md5(etag)
    assert digest.part_count(etag) is None


@pytest.mark.parametrize("etag", ["", '""', MD5[1:], MD5 + "0", "g" * 32, f"{MD5}-1", f'w/"{MD5}"', f"{MD5}\n"])
def test_what_is_no_md5(etag: str) -> None:
    assert not digest.is_md5(etag)


@pytest.mark.parametrize(
    ("etag", "count"),
    [
        (f'"{MD5}-1"', 1), (f"{MD5.upper()}-10000", 10_000), (f"{MD5}-99999", 99_999), (f"{MD5}-0", 0), (f"{MD5}-100000", None),
        (f"{MD5}-", None), (f"{MD5[1:]}-1", None), (f"{MD5}-a", None), ("", None),
    ],
)  # fmt: skip
def test_the_number_of_parts(etag: str, count: int | None) -> None:
    assert digest.part_count(etag) == count


@pytest.mark.parametrize(
    ("sent", "told", "found"),
    [
        ({}, {}, None),
        ({"a": "1"}, {"a": "1"}, None),
        ({"a": "1"}, {"a": "2"}, ("1", "2")),
        ({"a": "1"}, {"a": None}, None),
        ({"a": "1"}, {"b": "2"}, None),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, ("2", "3")),
    ],
)
def test_a_checksum_that_contradicts(sent: dict[str, str], told: dict[str, str | None], found: tuple[str, str] | None) -> None:
    assert digest.contradiction(sent, told) == found


def test_the_names_of_the_headers() -> None:
    assert digest.HEADERS == {"md5": "Content-MD5", "crc32": "x-amz-checksum-crc32", "sha256": "x-amz-checksum-sha256"}
    assert digest.composite_etag([]) == "d41d8cd98f00b204e9800998ecf8427e-0"
