"""Find a checksum for the bytes of an object, and compare them with it.

The service reports several checksums of an object. `checksum_of` chooses the cheapest that is of all bytes of the object:

1. CRC64NVME, CRC32C and CRC32, if they have a native implementation here (CRC32 always has one). COS computes the CRC64NVME
   of every object that came without a checksum.
2. SHA-1 and SHA-256.
3. The ETag of an object that was stored by one PUT: the MD5 of its bytes. With a customer's key (SSE-C) or a key of a key
   management service, the ETag is not a checksum; CRCs and hashes are.
4. The ETag of a multipart object: the MD5 of the MD5s of its parts. It can be computed if the sizes of the parts are known,
   which `HEAD ?partNumber=1` returns; `find_verification` requests them.
5. CRC64NVME and CRC32C computed in Python, 15 to 25 ms a MiB, for objects up to 16 MiB: a third of a second, in a thread.

A checksum of the type `COMPOSITE`, or one that ends with the number of parts, is not of all bytes and is not used.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from aiocos.call import Engine
from aiocos.config import MAX_PARTS, MIB
from aiocos.errors import CosError, IntegrityError, Throttled, TransportError, Unavailable
from aiocos.net.hashing import INLINE, run_in_hash_pool
from aiocos.operations.buckets import HeadBucket
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.wire import checksum as checksums
from aiocos.wire import digest
from aiocos.wire.message import Bytes

ChecksumKind = Literal["md5", "composite", "crc64nvme", "crc32", "crc32c", "sha1", "sha256"]
"""What bytes are compared with: `md5`, an ETag that is an MD5; `composite`, the ETag of a multipart object; or the checksum
header of that name."""

_log = logging.getLogger("aiocos.integrity")
# If parts differ in size, each takes a HEAD: so many are sent at once, and above so many parts it is not worth the requests.
_HEADS_AT_ONCE = 16
_MAX_HEADS = 1_000
# Largest object whose CRC is computed in Python, if there is nothing else.
MAX_SLOW = 16 * MIB
# Largest body whose native CRC is computed in the event loop's thread: 20 µs, and with zlib up to 1 ms.
_INLINE_CRC = MIB
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


async def verify_checksum(engine: Engine, operation: GetObject, checksum: Checksum, what: str) -> bool:
    """Compare the bytes read with the expected checksum; return True if they match.

    If they differ from an ETag, a HEAD shows whether the bucket is under Key Protect. There the comparison means nothing,
    because the documentation says in one place that ETags are MD5s and in another that they are not. Then a warning is logged,
    and the result is False.

    Args:
        engine: Sends the HEAD.
        operation: The read.
        checksum: The checksum of the bytes read.
        what: Names the object in messages.

    Raises:
        IntegrityError: The bytes differ from what was stored.
    """
    try:
        checksum.check(what)
    except IntegrityError as error:
        if checksum.kind not in ("md5", "composite"):
            raise
        head = HeadBucket(operation.bucket, expected_bucket_owner=operation.expected_bucket_owner, timeout=operation.timeout)
        try:
            bucket = await engine.call(head)
        except CosError:
            raise error from None
        if not bucket.kp_enabled:
            raise
        _log.warning("not verified: the bucket is under Key Protect, where ETags may not be MD5s: %s", error)
        return False
    return True


def checksum_of(info: ObjectInfo) -> Checksum | None:
    """Return the cheapest checksum of a whole object, or None if it has none.

    The ETag of a multipart object is not among them: see `find_verification`.
    """
    return _cheap_checksum(info) or _slow_checksum(info)


def _cheap_checksum(info: ObjectInfo) -> Checksum | None:
    """Return the cheapest checksum that is not computed in Python."""
    for algorithm in _BEFORE_ETAG:
        if checksums.is_fast(algorithm) and (found := _from_header(info, algorithm)):
            return found
    # With a key of a key management service, ETags are not MD5s.
    has_md5_etag = info.server_side_encryption in (None, "AES256") and info.customer_algorithm is None
    if digest.is_md5(info.etag) and has_md5_etag:
        md5 = hashlib.md5(usedforsecurity=False)
        return Checksum("md5", digest.bare(info.etag), md5.update, md5.hexdigest)
    return None


def _slow_checksum(info: ObjectInfo) -> Checksum | None:
    """Return a CRC that is computed in Python, if the object is small enough."""
    if info.content_length is None or info.content_length > MAX_SLOW:
        return None
    return next((found for algorithm in _IN_PYTHON if (found := _from_header(info, algorithm))), None)


def _from_header(info: ObjectInfo, algorithm: checksums.Algorithm) -> Checksum | None:
    """Return the checksum of a header, or None if there is none of all bytes."""
    text: str | None = getattr(info, f"checksum_{algorithm}")
    if not text or (info.checksum_type or "").upper() == "COMPOSITE":
        return None
    value = checksums.decode(algorithm, text)
    if value is None:
        # Most likely it has a dash and the number of parts: the checksum of the parts' checksums.
        return None
    hasher = checksums.hasher(algorithm)
    inline = INLINE if not checksums.is_combinable(algorithm) else _INLINE_CRC if checksums.is_fast(algorithm) else 0
    return Checksum(algorithm, checksums.encode(value), hasher.update, lambda: checksums.encode(hasher.digest()), inline=inline)


@dataclass(frozen=True, slots=True)
class Verification:
    """A checksum for the bytes of an object, and how to compare it."""

    checksum: Checksum
    """The checksum to compute first."""
    check: Callable[[Checksum, str], Awaitable[bool]]
    """Compares the bytes with a checksum, like `verify_checksum`: True if they match, False if the comparison means nothing.
    Raises `IntegrityError`. The second argument names the object in messages."""
    fallback: Callable[[], Awaitable[Checksum | None]] | None = None
    """Called if the bytes do not match `checksum` because that assumed parts of equal size. Returns the checksum to use
    instead; `checksum` itself if the assumption is right; None if the sizes of the parts cannot be found out. None if nothing
    was assumed."""


async def compare(verification: Verification, data: bytes, what: str) -> ChecksumKind | None:
    """Verify a whole object in memory.

    Return the kind of checksum that matched, or None if there is none to compare with.

    Raises `IntegrityError` if the bytes differ from what was stored. `what` names the object in messages.
    """
    checksum, fallback = verification.checksum, verification.fallback
    while True:
        await checksum.add(data)
        if checksum.agrees or fallback is None:
            break
        second, fallback = await fallback(), None
        if second is None:
            return None
        if second is checksum:
            break
        checksum = second
    return checksum.kind if await verification.check(checksum, what) else None


def pinned_to(operation: GetObject, info: ObjectInfo) -> GetObject:
    """Return a read of the version that a response was of.

    It has `If-Match` and the version id. Other conditions are removed: the response has met them.
    """
    return replace(
        operation,
        if_match=info.etag,
        if_none_match=None,
        if_modified_since=None,
        if_unmodified_since=None,
        version_id=operation.version_id or info.version_id,
    )


async def whole_info(engine: Engine, pinned: GetObject, info: ObjectInfo, size: int) -> ObjectInfo:
    """Return the headers of a whole object, given those of a range of it.

    A response to a range usually has no checksum of the whole, so a HEAD is sent. If that fails, they are the headers of the
    range, with the size of the object.
    """
    whole = info.model_copy(update={"content_length": size, "content_range": None})
    found = _cheap_checksum(whole)
    if found is not None and found.is_combinable:
        return whole
    head = HeadObject(
        pinned.bucket,
        pinned.key,
        version_id=pinned.version_id,
        customer_key=pinned.customer_key,
        checksum_mode="ENABLED",
        expected_bucket_owner=pinned.expected_bucket_owner,
    )
    try:
        told = await engine.call(head)
    except CosError:
        return whole
    return told if digest.bare(told.etag) == digest.bare(info.etag) and told.content_length == size else whole


async def find_verification(engine: Engine, operation: GetObject, info: ObjectInfo) -> Verification | None:
    """Return how to verify an object, or None if there is no way.

    If only the ETag of a multipart object is left, the size of its first part is requested, and that of each part if they
    cannot all be equal.
    """

    async def check(checksum: Checksum, what: str) -> bool:
        return await verify_checksum(engine, operation, checksum, what)

    if cheap := _cheap_checksum(info):
        return Verification(cheap, check)
    slow = _slow_checksum(info)
    count, size = digest.part_count(info.etag), info.content_length
    # The number in an ETag is not trusted: each part has at least one byte.
    is_plausible = count is not None and size is not None and 1 <= count <= min(MAX_PARTS, max(size, 1))
    if count is None or not is_plausible or info.customer_algorithm is not None or size is None:
        return Verification(slow, check) if slow else None
    parts = _Parts(engine, pinned_to(operation, info), size, count)
    if equal := await parts.sizes_if_equal():
        assumed = composite_checksum(info.etag, equal)

        async def fallback() -> Checksum | None:
            sizes = await parts.all_sizes(strict=True)
            if not sizes:
                # The service does not return the sizes, or they contradict each other: that is not damage.
                return slow
            return assumed if sizes == equal else composite_checksum(info.etag, sizes)

        return Verification(assumed, check, fallback if count > 2 else None)
    sizes = await parts.all_sizes() if count <= _MAX_HEADS else None
    if sizes:
        return Verification(composite_checksum(info.etag, sizes), check)
    return Verification(slow, check) if slow else None


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


class _Parts:
    """Requests the sizes of an object's parts. Not every service returns them."""

    def __init__(self, engine: Engine, pinned: GetObject, size: int, count: int) -> None:
        self._engine = engine
        self._pinned = pinned
        self._size = size
        self._count = count

    async def sizes_if_equal(self) -> list[int] | None:
        """Return the sizes of equal parts, computed from the size of the first one.

        Only the last part may be smaller. None if the parts cannot be equal.
        """
        if self._count == 1:
            return [self._size]
        first = await self._size_of(1)
        rest = self._size - first * (self._count - 1)
        return [first] * (self._count - 1) + [rest] if first and 0 < rest <= first else None

    async def all_sizes(self, *, strict: bool = False) -> list[int] | None:
        """Return the sizes, requested one by one, or None if the service has none.

        With `strict`, network errors, throttling and unavailability are raised. Without, they count as not returned.
        """
        sizes: list[int] = []
        for start in range(1, self._count + 1, _HEADS_AT_ONCE):
            numbers = range(start, min(start + _HEADS_AT_ONCE, self._count + 1))
            sizes += await asyncio.gather(*(self._size_of(number, strict=strict) for number in numbers))
            if not all(sizes):
                return None
        return sizes if sum(sizes) == self._size else None

    async def _size_of(self, number: int, *, strict: bool = False) -> int:
        """Return the size of one part; 0 if the service does not return it."""
        pinned = self._pinned
        # Without If-Match: some servers (moto) compare it with the ETag of the part.
        head = HeadObject(pinned.bucket, pinned.key, part_number=number, version_id=pinned.version_id)
        try:
            info = await self._engine.call(head)
        except CosError as error:
            if strict and (isinstance(error, TransportError | Throttled | Unavailable)):
                raise
            return 0
        # A server that does not know the parameter responds for the whole object, without a number of parts.
        return (info.content_length or 0) if info.parts_count == self._count else 0
