"""Byte ranges: requested (`Range`), returned (`Content-Range`), and compared."""

import re
from dataclasses import dataclass

# No offset within an object has more than 20 digits.
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,20})-([0-9]{1,20})/([0-9]{1,20}|\*)")
_UNSATISFIED = re.compile(r"bytes \*/([0-9]{1,20})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of bytes to read from an object.

    `ByteRange(0, 99)` is the first hundred bytes, `ByteRange(100)` all bytes from the offset 100 on, and `ByteRange.suffix(5)`
    the last five. Raises `ValueError` for a range without ends, with a negative offset, or with `last` before `first`.
    """

    first: int | None
    """Offset of the first byte. None: `last` is the number of bytes at the end of the object."""
    last: int | None = None
    """Offset of the last byte, which belongs to the range. None: up to the end of the object."""

    def __post_init__(self) -> None:
        if self.first is None and self.last is None:
            raise ValueError("a range needs a first or a last byte")
        if (self.last is not None and self.last < (self.first or 0)) or (self.first is not None and self.first < 0):
            raise ValueError(f"not a range of bytes: {self.first}-{self.last}")

    @classmethod
    def suffix(cls, length: int) -> "ByteRange":
        """Return the range of the last `length` bytes."""
        return cls(None, length)

    def to_wire(self) -> str:
        """Return the value of the `Range` header: `bytes=first-last`."""
        return f"bytes={'' if self.first is None else self.first}-{'' if self.last is None else self.last}"

    @classmethod
    def from_wire(cls, text: str) -> "ByteRange":
        """Parse the value of a `Range` header.

        Args:
            text: The value, such as `bytes=0-99`.

        Raises:
            ValueError: The value is not a single range of bytes.
        """
        found = _RANGE.fullmatch(text.replace(" ", ""))
        if found is None or text.strip() in ("bytes=-", "bytes="):
            raise ValueError(f"not a single range of bytes: {text!r}")
        first, last = found.groups()
        return cls(int(first) if first else None, int(last) if last else None)

    def resolve(self, size: int) -> tuple[int, int] | None:
        """Return the offset and length of the range within an object of `size` bytes.

        None if no byte of the object is in the range; the service then responds with 416.
        """
        if self.first is None:
            length = min(self.last or 0, size)
            return (size - length, length) if length else None
        if self.first >= size:
            return None
        last = size - 1 if self.last is None else min(self.last, size - 1)
        return self.first, last - self.first + 1


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The range of bytes in a response."""

    first: int
    """Offset of the first byte."""
    last: int
    """Offset of the last byte, which belongs to the range."""
    total: int | None
    """Size of the object in bytes; None if the server does not report it."""

    @property
    def length(self) -> int:
        """Number of bytes in the range."""
        return self.last - self.first + 1

    def to_wire(self) -> str:
        """Return the value of the `Content-Range` header: `bytes first-last/total`."""
        return f"bytes {self.first}-{self.last}/{'*' if self.total is None else self.total}"

    @classmethod
    def from_wire(cls, text: str) -> "ContentRange":
        """Parse a `Content-Range` header. Raise `ValueError` if it is not a range."""
        found = _CONTENT_RANGE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"not a content range: {text!r}")
        first, last, total = int(found[1]), int(found[2]), None if found[3] == "*" else int(found[3])
        if last < first or (total is not None and last >= total):
            raise ValueError(f"not a content range: {text!r}")
        return cls(first, last, total)


@dataclass(frozen=True, slots=True)
class Extent:
    """The bytes of an object that are in the body of a response."""

    first: int
    """Offset of the body's first byte within the object."""
    length: int | None
    """Size of the body in bytes; None if the response does not state it (a chunked body of a whole object)."""
    total: int | None
    """Size of the object in bytes; None if the response does not state it."""

    @property
    def is_whole(self) -> bool:
        """True if the body is the whole object."""
        return self.first == 0 and self.length == self.total

    @classmethod
    def of(
        cls,
        requested: ByteRange | None,
        status: int,
        content_range: str | None,
        content_length: int | None,
        *,
        part: bool = False,
    ) -> "Extent":
        """Return the extent of the body of a successful response to a GET.

        A response without `Content-Range` contains the whole object, even if a range was requested: servers may ignore `Range`,
        so the caller must check `answers`. A `Content-Range` with status 200 counts as well; some servers send it.

        Args:
            requested: Range of the request; None for the whole object.
            status: HTTP status of the response.
            content_range: Its `Content-Range`; None if it has none.
            content_length: Its `Content-Length`; None if it has none.
            part: True if a part was requested by its number. Only the service knows the range of the part.

        Raises:
            ValueError: The response contradicts itself or the request.
        """
        if status not in (200, 206):
            raise ValueError(f"expected status 200 or 206, got status {status}")
        if content_range is None:
            if status == 206:
                raise ValueError("status 206 without Content-Range")
            return cls(0, content_length, content_length)
        returned = ContentRange.from_wire(content_range)
        if content_length is not None and content_length != returned.length:
            raise ValueError(f"{content_range!r} has {returned.length} bytes, but Content-Length announced {content_length}")
        out = cls(returned.first, returned.length, returned.total)
        if requested is None and not part and (status == 206 or not out.is_whole):
            raise ValueError(f"asked for the whole object, got status {status} with {content_range!r}")
        if requested is not None and not out.answers(requested):
            raise ValueError(f"asked for {requested.to_wire()}, got {content_range!r}")
        return out

    def answers(self, requested: ByteRange) -> bool:
        """Return True if the body contains exactly the bytes of the requested range."""
        if self.total is not None:
            if self.total == 0:
                return requested == ByteRange(0)
            return requested.resolve(self.total) == (self.first, self.length)
        if requested.first is None:
            return self.length == requested.last
        # Without the total size, a range that is cut short looks like one that ends with the object.
        length = None if requested.last is None else requested.last - requested.first + 1
        return self.first == requested.first and (length is None or length == self.length)


def size_in(content_range: str | None) -> int | None:
    """Return the size of the object in the `Content-Range` of a 416 response.

    The header has the form `bytes */size`. None if it is missing or has another form.
    """
    found = _UNSATISFIED.fullmatch((content_range or "").strip())
    return int(found[1]) if found else None
