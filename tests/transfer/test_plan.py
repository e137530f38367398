"""The arithmetic of parts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.config import GIB, MAX_OBJECT, MAX_PART, MAX_PARTS, MIB, MIN_PART, TIB
from aiocos.errors import ConfigError
from aiocos.transfer.plan import check_part_size, cut, growing, part_size_for


@given(st.integers(0, MAX_OBJECT), st.integers(MIN_PART, MAX_PART))
def test_there_are_never_too_many_parts_nor_too_small_ones(size: int, wanted: int):
    part_size = part_size_for(size, wanted)
    assert MIN_PART <= part_size <= MAX_PART
    assert part_size >= wanted
    assert -(-size // part_size) <= MAX_PARTS


@given(st.integers(0, 50 * GIB), st.integers(64 * MIB, GIB))
def test_parts_cover_the_size_and_nothing_else(size: int, part_size: int):
    parts = list(cut(size, part_size))
    assert [p.number for p in parts] == list(range(1, len(parts) + 1))
    assert parts[0].offset == 0
    assert all(a.end == b.offset for a, b in pairwise(parts))
    assert parts[-1].end == size
    assert all(p.length == part_size for p in parts[:-1])
    assert 0 < parts[-1].length <= part_size or size == 0


def test_the_largest_object_fits_and_a_byte_more_does_not():
    assert part_size_for(10 * TIB, 8 * MIB) * MAX_PARTS >= 10 * TIB
    with pytest.raises(ConfigError, match="10 TiB"):
        part_size_for(10 * TIB + 1, 8 * MIB)
    for size in (MIN_PART - 1, MAX_PART + 1, 0):
        with pytest.raises(ConfigError):
            check_part_size(size)


def test_parts_of_an_unknown_length_grow_within_memory():
    parts = list(growing(8 * MIB, 64 * MIB))
    assert len(parts) == MAX_PARTS
    assert {p.length for p in parts} == {8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB}
    assert all(a.end == b.offset for a, b in pairwise(parts))
    assert parts[999].length == 8 * MIB
    assert parts[1000].length == 16 * MIB
    assert parts[-1].end > 490 * GIB
    assert {p.length for p in growing(100 * MIB, 64 * MIB)} == {100 * MIB}, "what was asked for is not made smaller"
