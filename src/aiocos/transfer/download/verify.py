"""The reader that compares a downloaded file, behind the writers, with what vouches for the object."""

import asyncio

from aiocos.config import MIB
from aiocos.integrity import Checksum, Verification
from aiocos.net.hashing import pool
from aiocos.transfer.files import in_thread_of, read_at
from aiocos.transfer.results import Verified

# What is read and hashed at once, in a thread.
_LOOK = 4 * MIB


class Verifier:
    """Hashes a file while it is written: always what lies before the first gap."""

    def __init__(self, fd: int, size: int | None, evidence: Verification | None) -> None:
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
        proof = self._evidence.checksum
        await self._hash_all(proof, self._size)
        if not proof.agrees and self._evidence.fallback is not None:
            second = await self._evidence.fallback()
            if second is None:
                return
            if second is not proof:
                proof = second
                await self._hash_all(proof, self._size)
        if await self._evidence.check(proof, what):
            self.verified = proof.kind

    async def _hash_all(self, proof: Checksum, size: int) -> None:
        done, buffer = 0, bytearray(min(size, _LOOK))
        while done < size:
            if self._ready == done:
                self._grown.clear()
                await self._grown.wait()
                continue
            length = min(self._ready - done, _LOOK)
            await in_thread_of(pool(), _hash, self._fd, done, memoryview(buffer)[:length], proof)
            done += length


def _hash(fd: int, offset: int, view: memoryview, proof: Checksum) -> None:
    proof.update(view[: read_at(fd, view, offset)])
