"""Checksums of bodies and objects."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from aiocos.emulator import checksums
from aiocos.emulator.checksums import ALGORITHMS, Sums, combine, composite, decode, decode_md5, full_object, requested, type_of
from aiocos.errors import BadDigest, InvalidRequest
from aiocos.wire.checksum import LENGTHS, Algorithm

# https://reveng.sourceforge.io/crc-catalogue/all.htm: the check values of "123456789"
CHECKS: dict[Algorithm, str] = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


@pytest.mark.parametrize("name", CHECKS)
def test_crcs_match_their_published_check_values(name: Algorithm) -> None:
    sums = Sums([name])
    sums.update([b"1234", b"56789"])
    assert sums.value(name).hex() == CHECKS[name]
    assert sums.text(name) == b64encode(bytes.fromhex(CHECKS[name])).decode()
    assert sums.md5 == hashlib.md5(b"123456789").digest()


def test_crcs_in_python_get_all_pieces_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are several times as fast for large pieces."""
    pieces: list[int] = []

    class Recorded:
        def update(self, data: bytes) -> None:
            pieces.append(len(data))

        def digest(self) -> bytes:
            return b""

    monkeypatch.setattr(checksums.checksum, "hasher", lambda name: Recorded())
    for fast, expected in ((True, [2, 3]), (False, [5])):
        monkeypatch.setattr(checksums.checksum, "is_fast", lambda name, fast=fast: fast)
        pieces.clear()
        sums = Sums(["crc64nvme"])
        sums.update([b"12", b"345"])
        assert pieces == expected
        assert sums.md5 == hashlib.md5(b"12345").digest()


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("sizes", [[9], [4, 5], [1, 0, 8], [3, 3, 3]])
def test_the_crc_of_an_object_is_combined_from_those_of_its_parts(name: Algorithm, sizes: list[int]) -> None:
    data, parts = b"123456789", list[tuple[bytes, int]]()
    for size in sizes:
        part, data = data[:size], data[size:]
        sums = Sums([name])
        sums.update([part])
        parts.append((sums.value(name), size))
    assert combine(name, parts) == b64encode(bytes.fromhex(CHECKS[name])).decode()


def test_a_composite_checksum_ends_in_the_number_of_parts() -> None:
    values = [hashlib.sha256(data).digest() for data in (b"a", b"b")]
    expected = b64encode(hashlib.sha256(b"".join(values)).digest()).decode()
    assert composite("sha256", values) == f"{expected}-2"
    assert type_of({"sha256": f"{expected}-2"}) == "COMPOSITE"
    assert type_of({"sha256": expected}) == "FULL_OBJECT"
    assert type_of({}) is None
    assert full_object({"sha256": f"{expected}-2"}, "sha256") is None
    assert full_object({"sha256": expected}, "crc32") is None
    assert full_object({"sha256": expected}, "sha256") == expected


@pytest.mark.parametrize("text", ["", "nonsense", "AAAA", "AAAAAA==AAAA", "AAAAAAA="])
@pytest.mark.parametrize("where", ["header", "trailing header"])
def test_a_malformed_checksum_is_refused(text: str, where: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Value for x-amz-checksum-crc32 {where} is invalid") as refused:
        decode("crc32", text, where)
    assert refused.value.code == "InvalidRequest"
    assert decode("crc32", " AAAAAA== ") == bytes(4)


@pytest.mark.parametrize("text", ["", "nonsense", "AAAAAA=="])
def test_a_malformed_md5_is_refused(text: str) -> None:
    with pytest.raises(BadDigest) as refused:
        decode_md5(text)
    assert refused.value.code == "InvalidDigest"
    assert decode_md5(b64encode(bytes(LENGTHS["md5"])).decode()) == bytes(16)


def test_an_unknown_algorithm_is_refused() -> None:
    assert [requested(name.upper()) for name in ALGORITHMS] == list(ALGORITHMS)
    assert (requested("Crc32c"), requested(None), requested("")) == ("crc32c", None, None)
    for unknown in ("md5", "MD5", "SHA512", "x"):
        with pytest.raises(InvalidRequest, match=r"\[CRC32, CRC32C, CRC64NVME, SHA1, SHA256\]"):
            requested(unknown)
