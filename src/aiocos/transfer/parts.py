"""Compute how an object is divided into parts. Pure arithmetic.

A multipart upload has at most 10,000 parts, numbered from 1, and every part but the last has at least 5 MiB. If the size is
known, all parts but the last have the same size: the wanted one, or a larger one if there would be more than 10,000 parts. If
it is not known, part sizes grow.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiocos.config import MAX_OBJECT, MAX_PART, MAX_PARTS, MAX_PUT, MIB, MIN_PART
from aiocos.errors import ConfigError

# For a source of unknown length, the part size doubles after every so many parts.
_PARTS_PER_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class PartRange:
    """A contiguous piece of an object."""

    number: int
    """Number of the part, from 1."""
    offset: int
    """Offset of the first byte."""
    length: int
    """Length in bytes; 0 only for the single part of an empty object."""

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.offset + self.length


def part_size_for(size: int, wanted: int) -> int:
    """Return the part size for an object of `size` bytes.

    That is `wanted`, or more if there would be more than 10,000 parts.

    Raises `ConfigError` if the object is larger than 10 TiB or `wanted` is not a valid part size.
    """
    check_part_size(wanted)
    if size > MAX_OBJECT:
        raise ConfigError(f"an object of {size} bytes is more than the {MAX_OBJECT} bytes (10 TiB) the service takes")
    minimum = -(-size // MAX_PARTS)
    if minimum <= wanted:
        return wanted
    return min(MAX_PART, -(-minimum // MIB) * MIB)


def range_size_for(size: int, wanted: int) -> int:
    """Return the size of the ranges in which an object is downloaded.

    That is `wanted`, or more if there would be more than 10,000 ranges.
    """
    minimum = -(-size // MAX_PARTS)
    return wanted if minimum <= wanted else -(-minimum // MIB) * MIB


def check_part_size(size: int) -> None:
    """Raise `ConfigError` unless `size` is a valid part size: 5 MiB to 5 GiB."""
    if not MIN_PART <= size <= MAX_PART:
        raise ConfigError(f"a part of {size} bytes: the service takes parts of {MIN_PART} (5 MiB) to {MAX_PART} (5 GiB) bytes")


def check_concurrency(limit: int | None) -> None:
    """Raise `ConfigError` if `limit` is below 1. None is valid."""
    if limit is not None and limit < 1:
        raise ConfigError(f"concurrency is at least 1, not {limit}")


def check_threshold(size: int | None) -> None:
    """Raise `ConfigError` if a multipart threshold is negative. None is valid."""
    if size is not None and size < 0:
        raise ConfigError(f"multipart_threshold is in bytes and not below 0, not {size}")


def check_copy_threshold(size: int) -> None:
    """Raise `ConfigError` unless `size` is 0 to 5 GiB, the limit of CopyObject."""
    if not 0 <= size <= MAX_PUT:
        raise ConfigError(f"copy_threshold is {size} bytes; the service copies up to {MAX_PUT} in one piece")


def divide(size: int, part_size: int) -> Iterator[PartRange]:
    """Yield the parts of an object of `size` bytes.

    An empty object has one empty part.
    """
    for index, offset in enumerate(range(0, max(size, 1), part_size)):
        yield PartRange(index + 1, offset, min(part_size, size - offset))


def whole_parts(sizes: Sequence[int], wanted: int) -> list[PartRange]:
    """Return ranges that consist of whole parts of a multipart object.

    A range has as many parts as fit into `wanted` bytes, and at least one.

    Args:
        sizes: Sizes of the parts in bytes.
        wanted: Size of a range in bytes.
    """
    out: list[PartRange] = []
    offset = length = 0
    for size in sizes:
        if length and length + size > wanted:
            out.append(PartRange(len(out) + 1, offset, length))
            offset, length = offset + length, 0
        length += size
    return [*out, PartRange(len(out) + 1, offset, length)]


def growing_parts(part_size: int, maximum: int) -> Iterator[PartRange]:
    """Yield 10,000 parts for a source of unknown length.

    Part sizes double after every 1,000 parts, up to `maximum`.

    With 8 MiB growing to 64 MiB these are about 490 GiB. Raises `ConfigError` for an invalid part size.
    """
    check_part_size(part_size)
    offset = 0
    for index in range(MAX_PARTS):
        length = min(part_size << (index // _PARTS_PER_SIZE), max(maximum, part_size), MAX_PART)
        yield PartRange(index + 1, offset, length)
        offset += length
