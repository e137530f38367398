"""What vouches for a downloaded object, and the reader that checks it behind the writers.

The ETag of an object put in one piece is its MD5. That of a multipart object is the MD5 of its parts' MD5s, so it can be
computed by whoever knows where the parts ended; the service tells by `HEAD ?partNumber=1`. With a customer's own key the ETag
is no checksum at all.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiocos.config import MIB
from aiocos.errors import CosError
from aiocos.groups import Service
from aiocos.groups.reading import Proof, check, proof_of
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.transfer.files import in_thread, read_at
from aiocos.transfer.results import Verified
from aiocos.wire import digest
from aiocos.wire.message import Bytes

# What is read and hashed at once, in a thread.
_LOOK = 4 * MIB
# Parts of differing sizes are asked for one by one, so many at once; with more than the limit that costs more than it is worth.
_AT_ONCE = 16
_ASKED = 1_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What vouches for an object. `otherwise` asks for more before anything is held against an object on a supposition."""

    proof: Proof
    check: Callable[[Proof, str], Awaitable[bool]]
    otherwise: Callable[[], Awaitable[Proof | None]] | None = None


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


async def evidence_for(service: Service, reading: GetObject, info: ObjectInfo) -> Evidence | None:
    """Return what vouches for the object, or None where nothing that can be computed does."""
    count, size = digest.part_count(info.etag), info.content_length
    plain = proof_of(info)

    async def final(proof: Proof, what: str) -> bool:
        return await check(service.engine, reading, proof, what)

    if count is None or info.customer_algorithm is not None or size is None:
        return Evidence(plain, final) if plain else None
    parts = _Parts(service, pinned_to(reading, info), size, count)
    if even := await parts.if_even():

        async def otherwise() -> Proof | None:
            lengths = await parts.all()
            return composite_proof(info.etag, lengths) if lengths and lengths != even else None

        return Evidence(composite_proof(info.etag, even), final, otherwise if count > 2 else None)
    lengths = await parts.all() if count <= _ASKED else None
    if lengths:
        return Evidence(composite_proof(info.etag, lengths), final)
    return Evidence(plain, final) if plain else None


def composite_proof(etag: str, lengths: list[int]) -> Proof:
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

    return Proof("composite", digest.bare(etag), update, lambda: digest.composite_etag(md5s))


class _Parts:
    """The sizes of an object's parts, where the service tells."""

    def __init__(self, service: Service, pinned: GetObject, size: int, count: int) -> None:
        self._service = service
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

    async def all(self) -> list[int] | None:
        """The sizes as the service tells them one by one; None where it does not."""
        lengths: list[int] = []
        for start in range(1, self._count + 1, _AT_ONCE):
            lengths += await asyncio.gather(*map(self._length, range(start, min(start + _AT_ONCE, self._count + 1))))
            if not all(lengths):
                return None
        return lengths if sum(lengths) == self._size else None

    async def _length(self, number: int) -> int:
        """The size of one part; 0 where the service does not tell."""
        pinned = self._pinned
        # Not on a condition: there are servers (moto) that hold If-Match against the ETag of the part.
        asking = HeadObject(pinned.bucket, pinned.key, part_number=number, version_id=pinned.version_id)
        try:
            answer = await self._service.engine.call(asking)
        except CosError:
            return 0
        # A server that does not know the parameter answers for the whole object, and counts no parts.
        return (answer.content_length or 0) if answer.parts_count == self._count else 0


class Verifier:
    """Hashes a file while it is written: always what lies before the first gap."""

    def __init__(self, fd: int, size: int | None, evidence: Evidence | None) -> None:
        self._fd = fd
        self._size = size
        self._evidence = evidence
        self._pieces: dict[int, int] = {}
        self._ready = 0
        self._grown = asyncio.Event()
        self.verified: Verified = None

    def has(self, offset: int, length: int) -> None:
        """Note bytes that are on disk now."""
        self._pieces[offset] = length
        while self._ready in self._pieces:
            self._ready += self._pieces.pop(self._ready)
        self._grown.set()

    async def follow(self, what: str) -> None:
        """Hash all that comes until the file is whole; `IntegrityError` where it is not the object."""
        if self._evidence is None or self._size is None:
            return
        proof = self._evidence.proof
        await self._hash_all(proof, self._size)
        if not proof.agrees and self._evidence.otherwise is not None and (second := await self._evidence.otherwise()):
            proof = second
            await self._hash_all(proof, self._size)
        if await self._evidence.check(proof, what):
            self.verified = proof.kind

    async def _hash_all(self, proof: Proof, size: int) -> None:
        done = 0
        while done < size:
            if self._ready == done:
                self._grown.clear()
                await self._grown.wait()
                continue
            length = min(self._ready - done, _LOOK)
            await in_thread(_hash, self._fd, done, length, proof)
            done += length


def _hash(fd: int, offset: int, length: int, proof: Proof) -> None:
    buffer = bytearray(length)
    got = read_at(fd, buffer, offset)
    proof.update(memoryview(buffer)[:got])
