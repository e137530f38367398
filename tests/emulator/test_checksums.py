"""Checksums that the emulator computes itself."""

import hashlib
from base64 import b64encode

import pytest

from aiocos.emulator import checksums
from aiocos.emulator.checksums import LENGTHS, Sums, combine, composite, decode
from aiocos.errors import BadDigest

# https://reveng.sourceforge.io/crc-catalogue/all.htm: the check values of "123456789"
CHECKS = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


@pytest.mark.parametrize("name", CHECKS)
def test_crcs_match_their_published_check_values(name: str) -> None:
    sums = Sums([name])
    sums.update([b"1234", b"56789"])
    value = sums.value(name)
    assert value is not None
    assert value.hex() == CHECKS[name]


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("sizes", [[9], [4, 5], [1, 0, 8], [3, 3, 3]])
def test_the_crc_of_an_object_is_combined_from_those_of_its_parts(name: str, sizes: list[int]) -> None:
    data, parts = b"123456789", []
    for size in sizes:
        part, data = data[:size], data[size:]
        sums = Sums([name])
        sums.update([part])
        parts.append((sums.value(name) or b"", size))
    assert combine(name, parts) == b64encode(bytes.fromhex(CHECKS[name])).decode()


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_hashes_cannot_be_combined(name: str) -> None:
    assert combine(name, [(bytes(LENGTHS[name]), 1)]) is None


def test_a_composite_checksum_ends_in_the_number_of_parts() -> None:
    values = [hashlib.sha256(data).digest() for data in (b"a", b"b")]
    expected = b64encode(hashlib.sha256(b"".join(values)).digest()).decode()
    assert composite("sha256", values) == f"{expected}-2"


@pytest.mark.parametrize("text", ["", "nonsense", "AAAA", "AAAAAA==AAAA", "AAAAAAA="])
def test_a_malformed_checksum_is_refused(text: str) -> None:
    with pytest.raises(BadDigest) as refused:
        decode(text, 4, "x-amz-checksum-crc32")
    assert refused.value.code == "InvalidDigest"
    assert decode(" AAAAAA== ", 4, "x-amz-checksum-crc32") == bytes(4)


@pytest.mark.parametrize("name", ["crc32c", "crc64nvme"])
def test_slow_checksums_are_not_computed_above_a_limit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "SLOW_LIMIT", 10)
    sums = Sums([name, "crc32"])
    sums.update([b"x" * 11])
    assert sums.value(name) is None
    assert sums.value("crc32") is not None
