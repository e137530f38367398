"""The arithmetic of parts."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.config import GIB, MAX_OBJECT, MAX_PART, MAX_PARTS, MAX_PUT, MIB, MIN_PART, TIB
from aiocos.errors import ConfigError
from aiocos.transfer.parts import (
    PartRange,
    check_concurrency,
    check_copy_threshold,
    check_part_size,
    check_threshold,
    divide,
    growing_parts,
    part_size_for,
    range_size_for,
)


@given(st.integers(0, MAX_OBJECT), st.integers(MIN_PART, MAX_PART))
def test_there_are_never_too_many_parts_nor_too_small_ones(size: int, wanted: int):
    part_size = part_size_for(size, wanted)
    assert MIN_PART <= part_size <= MAX_PART
    assert part_size >= wanted
    assert -(-size // part_size) <= MAX_PARTS


@given(st.integers(0, 50 * GIB), st.integers(64 * MIB, GIB))
def test_parts_cover_the_size_and_nothing_else(size: int, part_size: int):
    parts = list(divide(size, part_size))
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
    parts = list(growing_parts(8 * MIB, 64 * MIB))
    assert len(parts) == MAX_PARTS
    assert {p.length for p in parts} == {8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB}
    assert all(a.end == b.offset for a, b in pairwise(parts))
    assert parts[999].length == 8 * MIB
    assert parts[1000].length == 16 * MIB
    assert parts[-1].end > 490 * GIB
    assert {p.length for p in growing_parts(100 * MIB, 64 * MIB)} == {100 * MIB}, "what was asked for is not made smaller"


@pytest.mark.parametrize("size_for", [part_size_for, range_size_for])
def test_parts_are_as_small_as_asked_for_and_grow_by_whole_mib(size_for: Callable[[int, int], int]):
    odd = 8 * MIB + 1
    assert size_for(MAX_PARTS * odd, odd) == odd, "10,000 of them do"
    assert size_for(MAX_PARTS * odd + 1, odd) == 9 * MIB, "one byte more than 10,000 of them hold"
    assert size_for(MAX_PARTS * 20 * MIB, odd) == 20 * MIB
    assert size_for(MAX_PARTS * 20 * MIB + 1, odd) == 21 * MIB
    assert size_for(0, odd) == size_for(1, odd) == odd


def test_a_range_may_be_smaller_than_a_part():
    assert range_size_for(MAX_PARTS, 1) == 1
    assert range_size_for(MAX_PARTS + 1, 1) == MIB
    with pytest.raises(ConfigError, match="5 MiB"):
        part_size_for(1, MIN_PART - 1)
    with pytest.raises(ConfigError, match="5 MiB"):
        next(growing_parts(MIN_PART - 1, 64 * MIB))


def test_the_parts_of_sizes_on_the_edge():
    assert list(divide(0, 1)) == list(divide(0, 5)) == [PartRange(1, 0, 0)]
    assert list(divide(1, 1)) == [PartRange(1, 0, 1)]
    assert list(divide(10, 5)) == [PartRange(1, 0, 5), PartRange(2, 5, 5)]
    assert list(divide(11, 5)) == [PartRange(1, 0, 5), PartRange(2, 5, 5), PartRange(3, 10, 1)]


def test_growing_parts_are_numbered_from_one_and_have_at_most_five_gib():
    assert next(growing_parts(8 * MIB, 64 * MIB)) == PartRange(1, 0, 8 * MIB)
    assert [p.number for p in growing_parts(8 * MIB, 64 * MIB)] == list(range(1, MAX_PARTS + 1))
    assert max(p.length for p in growing_parts(3 * GIB, 100 * GIB)) == MAX_PART


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (check_part_size, (MIN_PART, MAX_PART), (0, MIN_PART - 1, MAX_PART + 1)),
        (check_concurrency, (None, 1, 100), (0, -1)),
        (check_threshold, (None, 0, 1, MAX_OBJECT), (-1,)),
        (check_copy_threshold, (0, 1, MAX_PUT), (-1, MAX_PUT + 1)),
    ],
)
def test_numbers_that_may_be_given(check: Callable[[int | None], None], good: tuple[int | None, ...], bad: tuple[int, ...]):
    for number in good:
        check(number)
    for number in bad:
        with pytest.raises(ConfigError, match=str(number)):
            check(number)
