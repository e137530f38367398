"""Compare a file with the object's checksum, while it is being written."""

import asyncio

from aiocos.config import MIB
from aiocos.integrity import Checksum, Verification
from aiocos.net.hashing import pool
from aiocos.transfer.files import in_thread_of, read_at
from aiocos.transfer.results import Verified

# Bytes to read and hash in one call of a thread.
_HASH_SIZE = 4 * MIB


class Verifier:
    """Hashes a file while its ranges are written in any order.

    It hashes from the beginning up to the first gap.

    `size` or `verification` None: there is nothing to compare with, and nothing is read.
    """

    def __init__(self, fd: int, size: int | None, verification: Verification | None) -> None:
        self._fd = fd
        self._size = size
        self._verification = verification
        # Ranges behind the first gap: length by offset.
        self._written: dict[int, int] = {}
        # Bytes before the first gap.
        self._contiguous = 0
        self._grown = asyncio.Event()
        self.verified: Verified = None
        """What the file was compared with; None until then, and if nothing could be compared."""

    def add_written(self, offset: int, length: int) -> None:
        """Record that a range is on disk."""
        self._written[offset] = length
        while self._contiguous in self._written:
            self._contiguous += self._written.pop(self._contiguous)
        self._grown.set()

    async def run(self, what: str) -> None:
        """Hash until the file is complete.

        Raises `IntegrityError` if it is not the object; `what` names the download.
        """
        if self._verification is None or self._size is None:
            return
        checksum = self._verification.checksum
        await self._hash_all(checksum, self._size)
        if not checksum.agrees and self._verification.fallback is not None:
            # The part sizes were guessed from the first part. The fallback requests all of them.
            other = await self._verification.fallback()
            if other is None:
                return
            if other is not checksum:
                checksum = other
                await self._hash_all(checksum, self._size)
        if await self._verification.check(checksum, what):
            self.verified = checksum.kind

    async def _hash_all(self, checksum: Checksum, size: int) -> None:
        done, buffer = 0, bytearray(min(size, _HASH_SIZE))
        while done < size:
            if self._contiguous == done:
                self._grown.clear()
                await self._grown.wait()
                continue
            length = min(self._contiguous - done, _HASH_SIZE)
            await in_thread_of(pool(), _hash, self._fd, done, memoryview(buffer)[:length], checksum)
            done += length


def _hash(fd: int, offset: int, view: memoryview, checksum: Checksum) -> None:
    checksum.update(view[: read_at(fd, view, offset)])
