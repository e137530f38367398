"""Find out how to verify an object, and compare its bytes with the checksum.

`object_checksum` chooses among the checksums of a response. This module adds what takes requests: the sizes of the parts of a
multipart object, whose ETag can then be computed; the headers of the whole object; and whether a bucket is under Key Protect,
where an ETag that differs means nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiocos.call import Engine
from aiocos.config import MAX_PARTS
from aiocos.errors import CosError, IntegrityError, Throttled, TransportError, Unavailable
from aiocos.object_checksum import Checksum, ChecksumKind, cheap_checksum, composite_checksum, slow_checksum
from aiocos.operations.buckets import HeadBucket
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.wire import digest

_log = logging.getLogger("aiocos.integrity")
# If parts differ in size, each takes a HEAD: so many are sent at once, and above so many parts it is not worth the requests.
_HEADS_AT_ONCE = 16
_MAX_HEADS = 1_000


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
    found = cheap_checksum(whole)
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

    if cheap := cheap_checksum(info):
        return Verification(cheap, check)
    slow = slow_checksum(info)
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
            heads = [asyncio.ensure_future(self._size_of(number, strict=strict)) for number in numbers]
            try:
                sizes += await asyncio.gather(*heads)
            except BaseException:
                # Of the others, none may still be sent: the client may be closed next, and would open new connections.
                for head in heads:
                    head.cancel()
                await asyncio.gather(*heads, return_exceptions=True)
                raise
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
