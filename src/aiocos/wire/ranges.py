"""Byte ranges: what is asked for (`Range`), what is meant, and what came (`Content-Range`)."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes of an object. `ByteRange(0, 99)` are the first hundred (both ends count, as on the wire); without `last`, all from
    `first`; `ByteRange.suffix(n)` are the last n.
    """

    first: int | None
    last: int | None = None

    def __post_init__(self) -> None:
        if self.first is None and self.last is None:
            raise ValueError("a range has a first or a last byte")
        if (self.last is not None and self.last < (self.first or 0)) or (self.first is not None and self.first < 0):
            raise ValueError(f"not a range of bytes: {self.first}-{self.last}")

    @classmethod
    def suffix(cls, length: int) -> "ByteRange":
        """The last `length` bytes."""
        return cls(None, length)

    def to_wire(self) -> str:
        """`bytes=first-last`."""
        return f"bytes={'' if self.first is None else self.first}-{'' if self.last is None else self.last}"

    @classmethod
    def from_wire(cls, text: str) -> "ByteRange":
        """Read a single range; ValueError for anything else (several ranges are not served)."""
        found = _RANGE.fullmatch(text.replace(" ", ""))
        if found is None or text.strip() in ("bytes=-", "bytes="):
            raise ValueError(f"not a single range of bytes: {text!r}")
        first, last = found.groups()
        return cls(int(first) if first else None, int(last) if last else None)

    def resolve(self, size: int) -> tuple[int, int] | None:
        """Return (offset, length) within an object of `size` bytes, or None if nothing of it is there (416)."""
        if self.first is None:
            length = min(self.last or 0, size)
            return (size - length, length) if length else None
        if self.first >= size:
            return None
        last = size - 1 if self.last is None else min(self.last, size - 1)
        return self.first, last - self.first + 1


@dataclass(frozen=True, slots=True)
class ContentRange:
    """What an answer holds: bytes `first` to `last` (both count) of `total` (None where the server does not say)."""

    first: int
    last: int
    total: int | None

    @property
    def length(self) -> int:
        """The number of bytes."""
        return self.last - self.first + 1

    def to_wire(self) -> str:
        """`bytes first-last/total`."""
        return f"bytes {self.first}-{self.last}/{'*' if self.total is None else self.total}"

    @classmethod
    def from_wire(cls, text: str) -> "ContentRange":
        """Read the header; ValueError where it is no range."""
        found = _CONTENT_RANGE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"not a content range: {text!r}")
        first, last, total = int(found[1]), int(found[2]), None if found[3] == "*" else int(found[3])
        if last < first or (total is not None and last >= total):
            raise ValueError(f"not a content range: {text!r}")
        return cls(first, last, total)
