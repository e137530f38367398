"""Checksums that the emulator computes itself."""

import pytest

from aiocos.emulator.checksums import Sums

# https://reveng.sourceforge.io/crc-catalogue/all.htm: the check values of "123456789"
CHECKS = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


@pytest.mark.parametrize("name", CHECKS)
def test_crcs_match_their_published_check_values(name: str) -> None:
    sums = Sums([name])
    sums.update([b"1234", b"56789"])
    value = sums.value(name)
    assert value is not None
    assert value.hex() == CHECKS[name]
