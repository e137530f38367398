"""Byte ranges: what is asked for (`Range`), what is meant, and what came (`Content-Range`)."""

import re
from dataclasses import dataclass

# No offset within an object has more than 20 digits.
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,20})-([0-9]{1,20})/([0-9]{1,20}|\*)")
_UNSATISFIED = re.compile(r"bytes \*/([0-9]{1,20})")


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


@dataclass(frozen=True, slots=True)
class Extent:
    """The bytes of an object that the body of a response holds."""

    first: int
    """The offset of the body's first byte within the object."""
    length: int | None
    """Bytes of the body; None where the response does not say (a chunked body of a whole object)."""
    total: int | None
    """Bytes of the object; None where the response does not say."""

    @property
    def is_whole(self) -> bool:
        """True if the body is the whole object."""
        return self.first == 0 and self.length == self.total

    @classmethod
    def of(
        cls, asked: ByteRange | None, status: int, content_range: str | None, content_length: int | None, *, part: bool = False
    ) -> "Extent":
        """Return the extent of the body that a successful response to a GET carries.

        `asked` is the range of the request, None for the whole object; `part` tells that a part was asked for by its number,
        whose range only the service knows. A response without `Content-Range` holds the whole object, also where a range was
        asked for: servers may ignore `Range`, so the caller has to look at `answers`. A `Content-Range` counts with status 200
        too, which some servers send. Raises `ValueError` where the response contradicts itself or the request.
        """
        if status not in (200, 206):
            raise ValueError(f"the status {status} is none of a body that was asked for")
        if content_range is None:
            if status == 206:
                raise ValueError("a part of the object (206) without Content-Range")
            return cls(0, content_length, content_length)
        came = ContentRange.from_wire(content_range)
        if content_length is not None and content_length != came.length:
            raise ValueError(f"{content_range!r} are {came.length} bytes, and {content_length} are announced")
        out = cls(came.first, came.length, came.total)
        if asked is None and not part and (status == 206 or not out.is_whole):
            raise ValueError(f"asked for the whole object, got status {status} with {content_range!r}")
        if asked is not None and not out.answers(asked):
            raise ValueError(f"asked for {asked.to_wire()}, got {content_range!r}")
        return out

    def answers(self, asked: ByteRange) -> bool:
        """Tell whether the body holds exactly the bytes of a range: none less, none more."""
        if self.total is not None:
            if self.total == 0:
                return asked == ByteRange(0)
            return asked.resolve(self.total) == (self.first, self.length)
        if asked.first is None:
            return self.length == asked.last
        # Without the total, a shorter answer cannot be told from the end of the object.
        length = None if asked.last is None else asked.last - asked.first + 1
        return self.first == asked.first and (length is None or length == self.length)


def size_in(content_range: str | None) -> int | None:
    """Return the size that the `Content-Range` of a 416 names (`bytes */size`); None where it names none."""
    found = _UNSATISFIED.fullmatch((content_range or "").strip())
    return int(found[1]) if found else None
