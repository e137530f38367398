"""What vouches for a downloaded object, and the reader that checks it behind the writers.

The ETag of an object put in one piece is its MD5. That of a multipart object is the MD5 of its parts' MD5s, so it can be
computed by whoever knows where the parts ended; the service tells by `HEAD ?partNumber=1`. With a customer's own key the ETag
is no checksum at all.
"""

import asyncio
import hashlib
from dataclasses import replace

from aiocos.config import MIB
from aiocos.errors import CosError
from aiocos.groups import Service
from aiocos.groups.reading import Proof, proof_of
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.transfer.files import in_thread, read_at
from aiocos.transfer.results import Verified
from aiocos.wire import digest
from aiocos.wire.message import Bytes

# What is read and hashed at once, in a thread.
_LOOK = 4 * MIB
# Parts of differing sizes are asked for one by one; with more than this that costs more than it is worth.
_ASKED = 1_000


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


async def proof_for(service: Service, reading: GetObject, info: ObjectInfo) -> Proof | None:
    """Return what vouches for the object, or None where nothing that can be computed does."""
    count = digest.part_count(info.etag)
    if count is None or info.customer_algorithm is not None or info.content_length is None:
        return proof_of(info)
    lengths = await _part_lengths(service, pinned_to(reading, info), info.content_length, count)
    return composite_proof(info.etag, lengths) if lengths else proof_of(info)


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


async def _part_lengths(service: Service, pinned: GetObject, size: int, count: int) -> list[int] | None:
    """The sizes of the parts, where the service tells; None where it does not."""
    if count == 1:
        return [size]

    async def length_of(number: int) -> int | None:
        # Not on a condition: there are servers (moto) that hold If-Match against the ETag of the part.
        asking = HeadObject(pinned.bucket, pinned.key, part_number=number, version_id=pinned.version_id)
        try:
            answer = await service.engine.call(asking)
        except CosError:
            return None
        # A server that does not know the parameter answers for the whole object, and counts no parts.
        return answer.content_length if answer.parts_count == count else None

    first = await length_of(1)
    if not first:
        return None
    rest = size - first * (count - 1)
    if 0 < rest <= first:
        return [first] * (count - 1) + [rest]
    if count > _ASKED:
        return None
    lengths = [first] + [await length_of(number) or 0 for number in range(2, count + 1)]
    return lengths if sum(lengths) == size and all(lengths) else None


class Verifier:
    """Hashes a file while it is written: always what lies before the first gap."""

    def __init__(self, fd: int, size: int | None, proof: Proof | None) -> None:
        self._fd = fd
        self._size = size
        self._proof = proof
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
        proof, done = self._proof, 0
        if proof is None or self._size is None:
            return
        while done < self._size:
            if self._ready == done:
                self._grown.clear()
                await self._grown.wait()
                continue
            length = min(self._ready - done, _LOOK)
            await in_thread(_hash, self._fd, done, length, proof)
            done += length
        proof.check(what)
        self.verified = proof.kind


def _hash(fd: int, offset: int, length: int, proof: Proof) -> None:
    buffer = bytearray(length)
    got = read_at(fd, buffer, offset)
    proof.update(memoryview(buffer)[:got])
