"""Checksums are the same whoever computes them, at once or in steps, whole or combined from parts."""

from __future__ import annotations

import base64
import hashlib
import importlib
import sys
import zlib
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.wire import checksum

ALGORITHMS: tuple[checksum.Algorithm, ...] = get_args(checksum.Algorithm)
CRCS: tuple[checksum.Algorithm, ...] = ("crc32", "crc32c", "crc64nvme")
SPLITS = st.lists(st.binary(max_size=200), max_size=6)


@pytest.fixture
def without_native(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the libraries of the extra `fast`."""
    load = importlib.import_module

    def refuse(name: str, package: str | None = None) -> Any:
        if name.partition(".")[0] in ("awscrt", "isal"):
            raise ImportError(name)
        return load(name, package)

    monkeypatch.setattr(checksum.importlib, "import_module", refuse)
    checksum._function.cache_clear()
    yield
    checksum._function.cache_clear()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(parts=SPLITS)
def test_in_steps_as_at_once(algorithm: checksum.Algorithm, parts: list[bytes]):
    hasher = checksum.hasher(algorithm)
    for part in parts:
        hasher.update(part)
    assert hasher.digest() == checksum.compute(algorithm, b"".join(parts))
    assert len(hasher.digest()) == checksum.LENGTHS[algorithm]


@pytest.mark.parametrize("algorithm", CRCS)
@given(parts=SPLITS)
def test_combined_parts_have_the_checksum_of_the_whole(algorithm: checksum.Algorithm, parts: list[bytes]):
    combined = checksum.combine(algorithm, ((checksum.compute(algorithm, part), len(part)) for part in parts))
    assert combined == checksum.compute(algorithm, b"".join(parts))


def test_the_standard_library_agrees():
    data = b"some bytes" * 1000
    assert checksum.compute("md5", data) == hashlib.md5(data).digest()
    assert checksum.compute("sha1", data) == hashlib.sha1(data).digest()
    assert checksum.compute("sha256", memoryview(data)) == hashlib.sha256(data).digest()
    assert checksum.compute("crc32", bytearray(data)) == zlib.crc32(data).to_bytes(4, "big")


@pytest.mark.usefixtures("without_native")
def test_without_the_extra_all_checksums_work_and_crc32_is_the_automatic_one():
    assert checksum.compute("crc64nvme", b"123456789") == bytes.fromhex("ae8b14860a799888")
    assert checksum.compute("crc32c", b"123456789") == bytes.fromhex("e3069283")
    assert [name for name in ALGORITHMS if not checksum.is_fast(name)] == ["crc32c", "crc64nvme"]
    assert checksum.best() == "crc32"


def test_with_the_extra_crc64nvme_is_the_automatic_one():
    pytest.importorskip("awscrt")
    assert checksum.best() == "crc64nvme"
    assert all(map(checksum.is_fast, ALGORITHMS))


def test_hashes_cannot_be_combined():
    assert [name for name in ALGORITHMS if checksum.is_combinable(name)] == list(CRCS)
    with pytest.raises(KeyError):
        checksum.combine("sha256", [(b"\0" * 32, 1)])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_headers_carry_base64(algorithm: checksum.Algorithm):
    value = checksum.compute(algorithm, b"x")
    assert checksum.encode(value) == base64.b64encode(value).decode()
    assert checksum.decode(algorithm, f" {checksum.encode(value)} ") == value


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "AAAAAA==-3", "ä"])
def test_what_is_not_a_checksum_is_none(text: str):
    assert checksum.decode("sha256", text) is None


def test_only_the_library_of_two_crcs_takes_time_to_load(monkeypatch: pytest.MonkeyPatch):
    checksum.compute("crc64nvme", b"")
    assert all(checksum.is_loaded(algorithm) for algorithm in checksum.HEADERS)
    # A module that cannot be imported is known as None.
    monkeypatch.setitem(sys.modules, "awscrt.checksums", None)
    assert {algorithm for algorithm in checksum.HEADERS if not checksum.is_loaded(algorithm)} == {"crc32c", "crc64nvme"}
    monkeypatch.delitem(sys.modules, "awscrt.checksums")
    assert {algorithm for algorithm in checksum.HEADERS if not checksum.is_loaded(algorithm)} == {"crc32c", "crc64nvme"}
