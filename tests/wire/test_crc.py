"""CRCs in Python agree with published check values, with zlib, and with themselves however the bytes are divided."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.test_checksum import SPLITS

from aiocos.wire import crc

# The check values of the catalogue of parametrised CRC algorithms, for b"123456789".
CHECK_VALUES = {crc.CRC32: 0xCBF43926, crc.CRC32C: 0xE3069283, crc.CRC64NVME: 0xAE8B14860A799888}


@pytest.mark.parametrize("polynomial", CHECK_VALUES)
def test_check_value(polynomial: crc.Polynomial):
    assert crc.update(polynomial, b"123456789") == CHECK_VALUES[polynomial]


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_crc32_is_that_of_zlib_and_continues(first: bytes, second: bytes):
    assert crc.update(crc.CRC32, second, crc.update(crc.CRC32, first)) == zlib.crc32(first + second)


def test_long_bytes_are_processed_in_lanes_with_the_same_result():
    data = random.Random(1).randbytes(700_001)
    assert crc.update(crc.CRC32, memoryview(data)) == zlib.crc32(data)
    assert crc.update(crc.CRC32, data, 0x1234) == zlib.crc32(data, 0x1234)


@pytest.mark.parametrize("polynomial", CHECK_VALUES)
@given(parts=SPLITS)
def test_combined_parts_have_the_crc_of_the_whole(polynomial: crc.Polynomial, parts: list[bytes]):
    combined = crc.combine(polynomial, ((crc.update(polynomial, part), len(part)) for part in parts))
    assert combined == crc.update(polynomial, b"".join(parts))
