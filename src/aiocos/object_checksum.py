"""Choose the cheapest checksum of an object, and compute it.

The service reports several checksums of an object. `checksum_of` chooses the cheapest that is of all bytes of the object:

1. CRC64NVME, CRC32C and CRC32, if they have a native implementation here (CRC32 always has one). COS computes the CRC64NVME
   of every object that came without a checksum. To load the library for the first two takes 40 ms, once per process: as long as
   it is not loaded, they come after the ETag of an object below 16 MiB, whose MD5 takes half of that.
2. SHA-1 and SHA-256.
3. The ETag of an object that was stored by one PUT: the MD5 of its bytes. With a customer's key (SSE-C) or a key of a key
   management service, the ETag is not a checksum; CRCs and hashes are.
4. The ETag of a multipart object: the MD5 of the MD5s of its parts. It can be computed if the sizes of the parts are known,
   which `HEAD ?partNumber=1` returns; `integrity.find_verification` requests them.
5. CRC64NVME and CRC32C computed in Python, 15 to 25 ms a MiB, for objects up to 16 MiB: a third of a second, in a thread.

A checksum of the type `COMPOSITE`, or one that ends with the number of parts, is not of all bytes and is not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from aiocos.config import MIB
from aiocos.errors import IntegrityError
from aiocos.net.hashing import INLINE, run_in_hash_pool
from aiocos.operations.objects import ObjectInfo
from aiocos.wire import checksum as checksums
from aiocos.wire import digest
from aiocos.wire.message import Bytes

ChecksumKind = Literal["md5", "composite", "crc64nvme", "crc32", "crc32c", "sha1", "sha256"]
"""What bytes are compared with: `md5`, an ETag that is an MD5; `composite`, the ETag of a multipart object; or the checksum
header of that name."""

# Largest object whose CRC is computed in Python, if there is nothing else.
MAX_SLOW = 16 * MIB
# Largest body whose native CRC is computed in the event loop's thread: 20 µs, and with zlib up to 1 ms.
_INLINE_CRC = MIB
# Size from which it is worth to load the library of CRC64NVME and CRC32C, rather than to compute an MD5.
_WORTH_LOADING = 16 * MIB
# The cheapest first.
_BEFORE_ETAG: tuple[checksums.Algorithm, ...] = ("crc64nvme", "crc32c", "crc32", "sha1", "sha256")
_IN_PYTHON: tuple[checksums.Algorithm, ...] = ("crc32c", "crc64nvme")


class Checksum:
    """A checksum computed while bytes are read, and the value expected at the end.

    Args:
        kind: What the expected value is: an algorithm, or the ETag of a multipart object ("composite").
        expected: The expected value, in the form that `actual` returns.
        update: Adds the next bytes.
        actual: Returns the value of the bytes added so far.
        inline: Largest number of bytes that are added in the event loop's thread; 0 for a checksum computed in Python.
        sizes: Sizes of the parts, for the kind "composite".
    """

    def __init__(
        self,
        kind: ChecksumKind,
        expected: str,
        update: Callable[[Bytes], None],
        actual: Callable[[], str],
        *,
        inline: int = INLINE,
        sizes: Sequence[int] | None = None,
    ) -> None:
        self.kind: ChecksumKind = kind
        """What the expected value is: an algorithm or "composite"."""
        self._expected = expected
        self.update = update
        """Adds the next bytes. Blocks."""
        self._actual = actual
        self.inline = inline
        """Largest number of bytes to add in the event loop's thread."""
        self.sizes = sizes
        """Sizes of the parts, for the kind "composite"; else None."""

    @property
    def is_combinable(self) -> bool:
        """True if the checksum follows from those of ranges, whatever their order."""
        return self.kind != "composite" and checksums.is_combinable(self.kind)

    @property
    def agrees(self) -> bool:
        """True if the bytes added so far have the expected checksum."""
        return self._actual() == self._expected

    def with_actual(self, actual: str) -> Checksum:
        """Return this checksum with a value that was computed elsewhere.

        `actual` has the form of the expected value.
        """
        return Checksum(self.kind, self._expected, self.update, lambda: actual, sizes=self.sizes)

    def update_all(self, pieces: Iterable[Bytes]) -> None:
        """Add several pieces. Blocks."""
        # In Python, small pieces take much longer than one large piece.
        for piece in pieces if self.inline else (b"".join(pieces),):
            self.update(piece)

    async def add(self, data: Bytes) -> None:
        """Add the next bytes: here, or in a thread if that would take long."""
        if len(data) <= self.inline:
            self.update(data)
        else:
            await run_in_hash_pool(self.update, data)

    def check(self, what: str) -> None:
        """Raise `IntegrityError` if the bytes added do not have the expected checksum.

        `what` names the object.
        """
        actual = self._actual()
        if actual != self._expected:
            name = "ETag" if self.kind == "composite" else self.kind.upper()
            raise IntegrityError(
                f"{what}: the received bytes have the checksum {actual}, the object has {self._expected} ({name})",
                expected=self._expected,
                actual=actual,
            )


def checksum_of(info: ObjectInfo) -> Checksum | None:
    """Return the cheapest checksum of a whole object, or None if it has none.

    The ETag of a multipart object is not among them: see `integrity.find_verification`.
    """
    return cheap_checksum(info) or slow_checksum(info)


def cheap_checksum(info: ObjectInfo) -> Checksum | None:
    """Return the cheapest checksum that is not computed in Python."""
    size = info.content_length
    may_load = size is None or size >= _WORTH_LOADING
    given: dict[checksums.Algorithm, bytes] = {}
    for algorithm in _BEFORE_ETAG:
        if value := _header_value(info, algorithm):
            given[algorithm] = value
    for algorithm, value in given.items():
        if (may_load or checksums.is_loaded(algorithm)) and checksums.is_fast(algorithm):
            return _from_header(algorithm, value)
    # With a key of a key management service, ETags are not MD5s.
    has_md5_etag = info.server_side_encryption in (None, "AES256") and info.customer_algorithm is None
    if digest.is_md5(info.etag) and has_md5_etag:
        md5 = hashlib.md5(usedforsecurity=False)
        return Checksum("md5", digest.bare(info.etag), md5.update, md5.hexdigest)
    return next((_from_header(algorithm, value) for algorithm, value in given.items() if checksums.is_fast(algorithm)), None)


def slow_checksum(info: ObjectInfo) -> Checksum | None:
    """Return a CRC that is computed in Python, if the object is small enough."""
    if info.content_length is None or info.content_length > MAX_SLOW:
        return None
    for algorithm in _IN_PYTHON:
        if value := _header_value(info, algorithm):
            return _from_header(algorithm, value)
    return None


def _header_value(info: ObjectInfo, algorithm: checksums.Algorithm) -> bytes | None:
    """Return the checksum in a header, or None if there is none of all bytes."""
    text: str | None = getattr(info, f"checksum_{algorithm}")
    if not text or (info.checksum_type or "").upper() == "COMPOSITE":
        return None
    # None most likely for one with a dash and the number of parts: the checksum of the parts' checksums.
    return checksums.decode(algorithm, text)


def _from_header(algorithm: checksums.Algorithm, value: bytes) -> Checksum:
    hasher = checksums.hasher(algorithm)
    inline = INLINE if not checksums.is_combinable(algorithm) else _INLINE_CRC if checksums.is_fast(algorithm) else 0
    return Checksum(algorithm, checksums.encode(value), hasher.update, lambda: checksums.encode(hasher.digest()), inline=inline)


class PartMd5s:
    """The MD5s of consecutive parts, computed while their bytes arrive.

    `sizes` are those of the parts, in bytes.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._current = hashlib.md5(usedforsecurity=False)
        self._left = sizes[0]
        # The only part without bytes is that of an empty object.
        self.md5s: list[bytes] = [] if self._left else [self._current.digest()]
        """MD5s of the parts that are complete."""

    def update(self, data: Bytes) -> None:
        """Add the next bytes."""
        view = memoryview(data)
        while view:
            self._current.update(view[: self._left])
            taken = min(self._left, len(view))
            view, self._left = view[taken:], self._left - taken
            if not self._left:
                self.md5s.append(self._current.digest())
                self._current = hashlib.md5(usedforsecurity=False)
                done = len(self.md5s)
                self._left = self._sizes[done] if done < len(self._sizes) else 1 << 62


def composite_checksum(etag: str, sizes: Sequence[int]) -> Checksum:
    """Return the checksum of a multipart object with parts of these sizes."""
    parts = PartMd5s(sizes)
    return Checksum("composite", digest.bare(etag), parts.update, lambda: digest.composite_etag(parts.md5s), sizes=sizes)
