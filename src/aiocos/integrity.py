"""Find a checksum for the bytes of an object, and compare them with it.

* The ETag of an object that was stored by one PUT is the MD5 of its bytes.
* The ETag of a multipart object is the MD5 of the MD5s of its parts. It can be computed if the sizes of the parts are known,
  which `HEAD ?partNumber=1` returns.
* With a customer's key (SSE-C) or a key of a key management service, the ETag is not a checksum.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from aiocos.call import Engine
from aiocos.config import MAX_PARTS
from aiocos.errors import CosError, IntegrityError, Throttled, TransportError, Unavailable
from aiocos.operations.buckets import HeadBucket
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.wire import digest
from aiocos.wire.message import Bytes

ChecksumKind = Literal["md5", "composite", "checksum"]

_log = logging.getLogger("aiocos.integrity")
# If parts differ in size, each takes a HEAD: so many are sent at once, and above so many parts it is not worth the requests.
_HEADS_AT_ONCE = 16
_MAX_HEADS = 1_000


class Checksum:
    """A checksum computed while bytes are read, and the value expected at the end.

    Args:
        kind: What the expected value is: the MD5 of the whole ("md5"), the ETag of a multipart object ("composite"), or a
            checksum header ("checksum").
        expected: The expected value, in the form that `actual` returns.
        update: Adds the next bytes.
        actual: Returns the value of the bytes added so far.
    """

    def __init__(
        self,
        kind: ChecksumKind,
        expected: str,
        update: Callable[[Bytes], None],
        actual: Callable[[], str],
    ) -> None:
        self.kind: ChecksumKind = kind
        """What the expected value is: "md5", "composite" or "checksum"."""
        self._expected = expected
        self.update = update
        """Adds the next bytes."""
        self._actual = actual

    @property
    def agrees(self) -> bool:
        """True if the bytes added so far have the expected checksum."""
        return self._actual() == self._expected

    def check(self, what: str) -> None:
        """Raise `IntegrityError` if the bytes added do not have the expected checksum.

        `what` names the object.
        """
        actual = self._actual()
        if actual != self._expected:
            raise IntegrityError(
                f"{what}: the received bytes have the checksum {actual}, the object has {self._expected}",
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
        if checksum.kind == "checksum":
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
    """Return the checksum of a whole object, or None if it has none.

    It is the ETag if that is an MD5, or else a checksum header.
    """
    # With a key of a key management service, ETags are not MD5s.
    has_md5_etag = info.server_side_encryption in (None, "AES256") and info.customer_algorithm is None
    if digest.is_md5(info.etag) and has_md5_etag:
        md5 = hashlib.md5(usedforsecurity=False)
        return Checksum("md5", digest.bare(info.etag), md5.update, md5.hexdigest)
    if info.checksum_sha256 and "-" not in info.checksum_sha256:
        sha256 = hashlib.sha256()
        return Checksum("checksum", info.checksum_sha256, sha256.update, lambda: digest.encode(sha256.digest()))
    if info.checksum_crc32 and "-" not in info.checksum_crc32:
        value = 0

        def update(data: Bytes) -> None:
            nonlocal value
            value = digest.crc32(data, value)

        return Checksum("checksum", info.checksum_crc32, update, lambda: digest.encode(value.to_bytes(4, "big")))
    return None


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


async def find_verification(engine: Engine, operation: GetObject, info: ObjectInfo) -> Verification | None:
    """Return how to verify an object, or None if there is no way.

    For a multipart object the size of its first part is requested, and that of each part if they cannot all be equal.
    """
    count, size = digest.part_count(info.etag), info.content_length
    plain = checksum_of(info)

    async def check(checksum: Checksum, what: str) -> bool:
        return await verify_checksum(engine, operation, checksum, what)

    # The number in an ETag is not trusted: each part has at least one byte.
    is_plausible = count is not None and size is not None and 1 <= count <= min(MAX_PARTS, max(size, 1))
    if count is None or not is_plausible or info.customer_algorithm is not None or size is None:
        return Verification(plain, check) if plain else None
    parts = _Parts(engine, pinned_to(operation, info), size, count)
    if equal := await parts.sizes_if_equal():
        assumed = composite_checksum(info.etag, equal)

        async def fallback() -> Checksum | None:
            sizes = await parts.all_sizes(strict=True)
            if not sizes:
                # The service does not return the sizes, or they contradict each other: that is not damage.
                return plain
            return assumed if sizes == equal else composite_checksum(info.etag, sizes)

        return Verification(assumed, check, fallback if count > 2 else None)
    sizes = await parts.all_sizes() if count <= _MAX_HEADS else None
    if sizes:
        return Verification(composite_checksum(info.etag, sizes), check)
    return Verification(plain, check) if plain else None


def composite_checksum(etag: str, sizes: list[int]) -> Checksum:
    """Return the checksum of a multipart object with parts of these sizes."""
    md5s: list[bytes] = []
    current = hashlib.md5(usedforsecurity=False)
    left = sizes[0]

    def update(data: Bytes) -> None:
        nonlocal current, left
        view = memoryview(data)
        while view:
            current.update(view[:left])
            taken = min(left, len(view))
            view, left = view[taken:], left - taken
            if not left:
                md5s.append(current.digest())
                current = hashlib.md5(usedforsecurity=False)
                left = sizes[len(md5s)] if len(md5s) < len(sizes) else 1 << 62

    return Checksum("composite", digest.bare(etag), update, lambda: digest.composite_etag(md5s))


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
