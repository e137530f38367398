"""What vouches for an object's bytes: its ETag, a checksum of all of it, or the ETag of its parts.

The ETag of an object put in one piece is its MD5. That of a multipart object is the MD5 of its parts' MD5s, so it can be
computed by whoever knows where the parts ended; the service tells by `HEAD ?partNumber=1`. With a customer's own key the ETag
is no checksum at all.
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

_log = logging.getLogger("aiocos.reading")
# Parts of differing sizes are asked for one by one, so many at once; with more than the limit that costs more than it is worth.
_AT_ONCE = 16
_ASKED = 1_000


class Checksum:
    """A checksum that grows with what is read, and what it shall be in the end."""

    def __init__(
        self,
        kind: ChecksumKind,
        expected: str,
        update: Callable[[Bytes], None],
        actual: Callable[[], str],
    ) -> None:
        self.kind: ChecksumKind = kind
        self._expected = expected
        self.update = update
        self._actual = actual

    @property
    def agrees(self) -> bool:
        """Whether what was read is what was stored."""
        return self._actual() == self._expected

    def check(self, what: str) -> None:
        """Raise `IntegrityError` where what was read is not what was stored."""
        actual = self._actual()
        if actual != self._expected:
            raise IntegrityError(
                f"{what}: the bytes that came have the checksum {actual}, the object has {self._expected}",
                expected=self._expected,
                actual=actual,
            )


async def check(engine: Engine, reading: GetObject, proof: Checksum, what: str) -> bool:
    """Compare what was read with what was stored; True where they agree, `IntegrityError` where they do not.

    False where that means nothing: of buckets under Key Protect the documentation says both that ETags are MD5s and that they
    are not. So before an ETag is held against an object, its bucket is asked.
    """
    try:
        proof.check(what)
    except IntegrityError as error:
        if proof.kind == "checksum":
            raise
        asking = HeadBucket(reading.bucket, expected_bucket_owner=reading.expected_bucket_owner, timeout=reading.timeout)
        try:
            bucket = await engine.call(asking)
        except CosError:
            raise error from None
        if not bucket.kp_enabled:
            raise
        _log.warning("not verified, since its bucket is under Key Protect and ETags there may be no MD5s: %s", error)
        return False
    return True


def checksum_of(info: ObjectInfo) -> Checksum | None:
    """Return what vouches for a whole object: its ETag where that is an MD5, else a checksum of all of it, else None."""
    named = info.server_side_encryption in (None, "AES256")  # under keys of a key service ETags are no MD5s
    if digest.is_md5(info.etag) and info.customer_algorithm is None and named:
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
    """What vouches for an object. `otherwise` asks for more before anything is held against an object on a supposition."""

    checksum: Checksum
    check: Callable[[Checksum, str], Awaitable[bool]]
    fallback: Callable[[], Awaitable[Checksum | None]] | None = None
    """Returns what the bytes have to agree with where they do not with `proof`: another proof, or `proof` where its supposition
    is right, or None where nothing is known."""


def pinned_to(reading: GetObject, info: ObjectInfo) -> GetObject:
    """Return the request for the very version that an answer was of; other conditions were met by that answer."""
    return replace(
        reading,
        if_match=info.etag,
        if_none_match=None,
        if_modified_since=None,
        if_unmodified_since=None,
        version_id=reading.version_id or info.version_id,
    )


async def find_verification(engine: Engine, reading: GetObject, info: ObjectInfo) -> Verification | None:
    """Return what vouches for the object, or None where nothing that can be computed does."""
    count, size = digest.part_count(info.etag), info.content_length
    plain = checksum_of(info)

    async def final(proof: Checksum, what: str) -> bool:
        return await check(engine, reading, proof, what)

    # A service may write any number there, and a part has a byte at least.
    sound = count is not None and size is not None and 1 <= count <= min(MAX_PARTS, max(size, 1))
    if count is None or not sound or info.customer_algorithm is not None or size is None:
        return Verification(plain, final) if plain else None
    parts = _Parts(engine, pinned_to(reading, info), size, count)
    if even := await parts.if_even():
        supposed = composite_proof(info.etag, even)

        async def otherwise() -> Checksum | None:
            lengths = await parts.all(strict=True)
            if not lengths:
                # The service does not tell, or contradicts itself: that accuses nobody.
                return plain
            return supposed if lengths == even else composite_proof(info.etag, lengths)

        return Verification(supposed, final, otherwise if count > 2 else None)
    lengths = await parts.all() if count <= _ASKED else None
    if lengths:
        return Verification(composite_proof(info.etag, lengths), final)
    return Verification(plain, final) if plain else None


def composite_proof(etag: str, lengths: list[int]) -> Checksum:
    """Return the proof of an object made of parts of these lengths."""
    md5s: list[bytes] = []
    current = hashlib.md5(usedforsecurity=False)
    left = lengths[0]

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
                left = lengths[len(md5s)] if len(md5s) < len(lengths) else 1 << 62

    return Checksum("composite", digest.bare(etag), update, lambda: digest.composite_etag(md5s))


class _Parts:
    """The sizes of an object's parts, where the service tells."""

    def __init__(self, engine: Engine, pinned: GetObject, size: int, count: int) -> None:
        self._engine = engine
        self._pinned = pinned
        self._size = size
        self._count = count

    async def if_even(self) -> list[int] | None:
        """The sizes as they follow from the first part's, if all are alike but the last; None where that cannot be."""
        if self._count == 1:
            return [self._size]
        first = await self._length(1)
        rest = self._size - first * (self._count - 1)
        return [first] * (self._count - 1) + [rest] if first and 0 < rest <= first else None

    async def all(self, *, strict: bool = False) -> list[int] | None:
        """The sizes as the service tells them one by one; None where it does not.

        With `strict`, a service that cannot be asked now is an error: what depends on its answer is not passed over.
        """
        lengths: list[int] = []
        for start in range(1, self._count + 1, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, self._count + 1))
            lengths += await asyncio.gather(*(self._length(number, strict=strict) for number in numbers))
            if not all(lengths):
                return None
        return lengths if sum(lengths) == self._size else None

    async def _length(self, number: int, *, strict: bool = False) -> int:
        """The size of one part; 0 where the service does not tell."""
        pinned = self._pinned
        # Not on a condition: there are servers (moto) that hold If-Match against the ETag of the part.
        asking = HeadObject(pinned.bucket, pinned.key, part_number=number, version_id=pinned.version_id)
        try:
            answer = await self._engine.call(asking)
        except CosError as error:
            if strict and (isinstance(error, TransportError | Throttled | Unavailable)):
                raise
            return 0
        # A server that does not know the parameter answers for the whole object, and counts no parts.
        return (answer.content_length or 0) if answer.parts_count == self._count else 0
