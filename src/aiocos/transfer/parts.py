"""How an object is cut: pure arithmetic.

Parts are numbered 1 to 10,000, and each but the last has at least 5 MiB. With a known size the parts are all alike, as small
as asked for and as large as 10,000 of them require. With an unknown size they grow, since nobody knows how many there will be.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aiocos.config import MAX_OBJECT, MAX_PART, MAX_PARTS, MAX_PUT, MIB, MIN_PART
from aiocos.errors import ConfigError

# With an unknown length, the part size doubles after so many parts.
_GROWTH = 1_000


@dataclass(frozen=True, slots=True)
class PartRange:
    """A piece of an object: its number from 1, where it starts, and its bytes."""

    number: int
    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.offset + self.length


def part_size_for(size: int, wanted: int) -> int:
    """Return the part size for an object of `size` bytes: `wanted`, or more where 10,000 parts of that would not do.

    Raises `ConfigError` beyond 10 TiB and for a size that no part may have.
    """
    check_part_size(wanted)
    if size > MAX_OBJECT:
        raise ConfigError(f"an object of {size} bytes is more than the {MAX_OBJECT} bytes (10 TiB) the service takes")
    least = -(-size // MAX_PARTS)
    if least <= wanted:
        return wanted
    return min(MAX_PART, -(-least // MIB) * MIB)


def range_size_for(size: int, wanted: int) -> int:
    """Return the bytes of the ranges in which an object is read: `wanted`, or more where those would be over 10,000."""
    least = -(-size // MAX_PARTS)
    return wanted if least <= wanted else -(-least // MIB) * MIB


def check_part_size(size: int) -> None:
    """Raise `ConfigError` for a size that no part may have."""
    if not MIN_PART <= size <= MAX_PART:
        raise ConfigError(f"a part of {size} bytes: the service takes parts of {MIN_PART} (5 MiB) to {MAX_PART} (5 GiB) bytes")


def check_concurrency(width: int | None) -> None:
    """Raise `ConfigError` for a number of things at once that is none."""
    if width is not None and width < 1:
        raise ConfigError(f"concurrency is at least 1, not {width}")


def check_threshold(size: int | None) -> None:
    """Raise `ConfigError` for a threshold that is none."""
    if size is not None and size < 0:
        raise ConfigError(f"multipart_threshold is in bytes and not below 0, not {size}")


def check_copy_threshold(size: int) -> None:
    """Raise `ConfigError` for a size up to which the service does not copy in one piece."""
    if not 0 <= size <= MAX_PUT:
        raise ConfigError(f"copy_threshold is {size} bytes; the service copies up to {MAX_PUT} in one piece")


def cut(size: int, part_size: int) -> Iterator[PartRange]:
    """Give the parts of `size` bytes; an empty object has one empty part."""
    for index, offset in enumerate(range(0, max(size, 1), part_size)):
        yield PartRange(index + 1, offset, min(part_size, size - offset))


def growing(part_size: int, largest: int) -> Iterator[PartRange]:
    """Give parts for an unknown size: each 1,000 parts are twice as large as those before, up to `largest`.

    Ends after 10,000 parts: with 8 MiB growing to 64 MiB these are about 490 GiB.
    """
    check_part_size(part_size)
    offset = 0
    for index in range(MAX_PARTS):
        length = min(part_size << (index // _GROWTH), max(largest, part_size), MAX_PART)
        yield PartRange(index + 1, offset, length)
        offset += length
