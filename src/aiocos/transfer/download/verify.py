"""Compare the bytes of a download with the object's checksum, while they arrive.

Ranges arrive in any order, and there are three ways to get one checksum from them. `verifier_for` chooses:

* **CRCs can be combined**: each range has a CRC of its own, computed from the bytes that arrived, just before they are written.
  The bytes of an earlier run are read from the disk, and their CRC is combined with the others.
* **The ETag of a multipart object** follows from the MD5s of its parts. If the ranges begin and end where parts do, each range
  computes the MD5s of its parts from the bytes that arrived.
* **Everything else** (SHA-1, SHA-256, the MD5 of the whole, parts that ranges do not follow) has to be computed in order. The
  file is read from the beginning up to the first gap: its bytes are in the page cache, where reading them takes a tenth of the
  time of hashing them. To hash them from memory, ranges that are ahead would have to stay in memory. A download of a single
  range is in order, and is hashed from memory.

With `verify="disk"` the file is read in every case, so what is compared is what the file system returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from aiocos.config import MIB, ClientConfig, Verify
from aiocos.integrity import Verification
from aiocos.net.hashing import pool
from aiocos.object_checksum import Checksum, PartMd5s
from aiocos.transfer.files import in_thread_of, read_at
from aiocos.transfer.parts import PartRange
from aiocos.transfer.requests import DownloadRequest
from aiocos.transfer.results import VerifiedBy
from aiocos.wire import checksum as checksums
from aiocos.wire import digest

# Bytes to read and hash in one call of a thread.
_HASH_SIZE = 4 * MIB


def verify_mode(config: ClientConfig, request: DownloadRequest) -> Verify:
    """Return how the bytes of a download are compared."""
    return request.verify or (config.transfer.verify if config.verify_reads else "none")


class RangeHash:
    """The checksum of one range, computed from its pieces in order.

    Args:
        update: Adds pieces. Called in a thread.
        add: Called in the event loop when the range is complete, with its number of bytes.
    """

    __slots__ = ("add", "update")

    def __init__(self, update: Callable[[Sequence[bytes]], None], add: Callable[[int], None]) -> None:
        self.update = update
        self.add = add


class Verifier:
    """Compares nothing; the base class of those that do.

    `fd` is the file, `size` its bytes (None if they are not known before the end).
    """

    def __init__(self, fd: int, size: int | None, verification: Verification | None) -> None:
        self._fd = fd
        self._size = size
        self._verification = verification
        self.verified: VerifiedBy = None
        """What the bytes were compared with; None until then, and if nothing could be compared."""

    def hash_for(self, part: PartRange) -> RangeHash | None:
        """Return what hashes a range while it arrives; None if nothing does."""
        return None

    def add_written(self, offset: int, length: int) -> None:
        """Record that bytes are in the file."""

    async def run(self, what: str) -> None:
        """Compare when all bytes are there; `what` names the download.

        Raises `IntegrityError` if they are not those of the object.
        """
        verification = self._verification
        if verification is None:
            return
        checksum = await self._hash(verification.checksum)
        if checksum is None:
            return
        if not checksum.agrees and verification.fallback is not None and self._size is not None:
            # The part sizes were guessed from the first part. The fallback requests all of them.
            other = await verification.fallback()
            if other is None:
                return
            if other is not verification.checksum:
                checksum = other
                await _hash_range(self._fd, 0, self._size, checksum.update)
        if await verification.check(checksum, what):
            self.verified = checksum.kind

    async def _hash(self, checksum: Checksum) -> Checksum | None:
        """Wait until all bytes are hashed.

        Returns the checksum with their value; None if nothing is to be compared.
        """
        return None


class DiskVerifier(Verifier):
    """Hashes the file from the beginning up to the first gap, until there is none."""

    def __init__(self, fd: int, size: int | None, verification: Verification | None) -> None:
        super().__init__(fd, size, verification)
        # Ranges behind the first gap: length by offset.
        self._written: dict[int, int] = {}
        # Bytes before the first gap.
        self._contiguous = 0
        self._grown = asyncio.Event()

    def add_written(self, offset: int, length: int) -> None:
        """Record that bytes are in the file."""
        self._written[offset] = length
        while self._contiguous in self._written:
            self._contiguous += self._written.pop(self._contiguous)
        self._grown.set()

    async def _hash(self, checksum: Checksum) -> Checksum | None:
        if self._size is None:
            return None
        done, buffer = 0, bytearray(min(self._size, _HASH_SIZE))
        while done < self._size:
            if self._contiguous == done:
                self._grown.clear()
                await self._grown.wait()
                continue
            length = min(self._contiguous - done, _HASH_SIZE)
            await in_thread_of(pool(), _hash, self._fd, done, memoryview(buffer)[:length], checksum.update)
            done += length
        return checksum


class _FlowVerifier(Verifier):
    """Hashes ranges while they arrive.

    `resumed` are the bytes of an earlier run: offset and length.
    """

    def __init__(self, fd: int, size: int | None, verification: Verification, resumed: Iterable[tuple[int, int]] = ()) -> None:
        super().__init__(fd, size, verification)
        self._checksum = verification.checksum
        self._resumed = list(resumed)
        self._hashed = 0
        self._is_complete = asyncio.Event()

    def _count(self, length: int) -> None:
        self._hashed += length
        if self._size is None or self._hashed >= self._size:
            self._is_complete.set()


class CrcVerifier(_FlowVerifier):
    """Combines the CRCs of the ranges."""

    def __init__(self, fd: int, size: int | None, verification: Verification, resumed: Iterable[tuple[int, int]] = ()) -> None:
        super().__init__(fd, size, verification, resumed)
        assert self._checksum.kind != "composite"
        self._algorithm: checksums.Algorithm = self._checksum.kind
        # Ranges behind the first gap, by offset: length and CRC.
        self._pending: dict[int, tuple[int, bytes]] = {}
        # Bytes before the first gap, and their CRC.
        self._contiguous = 0
        self._value: bytes | None = None

    def hash_for(self, part: PartRange) -> RangeHash | None:
        """Return the CRC of a range."""
        hasher = checksums.hasher(self._algorithm)
        is_slow = not self._checksum.inline

        def update(pieces: Sequence[bytes]) -> None:
            for piece in (b"".join(pieces),) if is_slow else pieces:
                hasher.update(piece)

        return RangeHash(update, lambda length: self._add(part.offset, length, hasher.digest()))

    def _add(self, offset: int, length: int, value: bytes) -> None:
        # Combined one by one: thousands of them at the end would stall the event loop.
        self._pending[offset] = length, value
        while (found := self._pending.pop(self._contiguous, None)) is not None:
            length, value = found
            if self._value is None:
                self._value = value
            elif length:
                self._value = checksums.combine(self._algorithm, [(self._value, self._contiguous), (value, length)])
            self._contiguous += length
            self._count(length)
            if not length:
                break

    async def _hash(self, checksum: Checksum) -> Checksum | None:
        for offset, length in self._resumed:
            hasher = checksums.hasher(self._algorithm)
            await _hash_range(self._fd, offset, length, hasher.update)
            self._add(offset, length, hasher.digest())
        await self._is_complete.wait()
        assert self._value is not None
        return checksum.with_actual(checksums.encode(self._value))


class PartsVerifier(_FlowVerifier):
    """Collects the MD5s of parts; each range consists of whole parts."""

    def __init__(self, fd: int, size: int | None, verification: Verification) -> None:
        super().__init__(fd, size, verification)
        # MD5s of the parts of each range, by offset.
        self._md5s: dict[int, list[bytes]] = {}
        self._sizes: dict[int, Sequence[int]] = {}

    def follow(self, parts: Iterable[PartRange]) -> bool:
        """Find out which parts each range has.

        Returns False if a range begins or ends within a part.
        """
        left = iter(self._checksum.sizes or ())
        for part in parts:
            sizes: list[int] = []
            while sum(sizes) < part.length or not sizes:
                if (size := next(left, None)) is None:
                    return False
                sizes.append(size)
            if sum(sizes) != part.length:
                return False
            self._sizes[part.offset] = sizes
        return next(left, None) is None

    def hash_for(self, part: PartRange) -> RangeHash | None:
        """Return the MD5s of the parts of a range."""
        md5s = PartMd5s(self._sizes[part.offset])

        def update(pieces: Sequence[bytes]) -> None:
            for piece in pieces:
                md5s.update(piece)

        def add(length: int) -> None:
            self._md5s[part.offset] = md5s.md5s
            self._count(length)

        return RangeHash(update, add)

    async def _hash(self, checksum: Checksum) -> Checksum | None:
        await self._is_complete.wait()
        return checksum.with_actual(digest.composite_etag(one for _, md5s in sorted(self._md5s.items()) for one in md5s))


class SingleVerifier(_FlowVerifier):
    """Hashes the only range, whose bytes arrive in order."""

    def hash_for(self, part: PartRange) -> RangeHash | None:
        """Return the checksum itself."""
        return RangeHash(self._checksum.update_all, self._count)

    async def _hash(self, checksum: Checksum) -> Checksum | None:
        await self._is_complete.wait()
        return checksum


def verifier_for(
    mode: Verify,
    fd: int,
    size: int | None,
    verification: Verification | None,
    parts: Sequence[PartRange],
    resumed: Sequence[tuple[int, int]],
) -> Verifier:
    """Return what compares a download.

    Args:
        mode: How; see `TransferConfig.verify`.
        fd: The file.
        size: Its bytes; None if they are not known before the end.
        verification: What to compare with; None for nothing.
        parts: The ranges of the object, in order.
        resumed: Bytes of an earlier run: offset and length. They are always compared.
    """
    if verification is None or (mode == "none" and not resumed):
        return Verifier(fd, size, None)
    verifier: Verifier | None = None
    if mode != "disk":
        if verification.checksum.is_combinable:
            verifier = CrcVerifier(fd, size, verification, resumed)
        elif not resumed and len(parts) == 1:
            verifier = SingleVerifier(fd, size, verification)
        elif not resumed and verification.checksum.sizes is not None:
            following = PartsVerifier(fd, size, verification)
            verifier = following if following.follow(parts) else None
    if verifier is None:
        verifier = DiskVerifier(fd, size, verification)
        for offset, length in resumed:
            verifier.add_written(offset, length)
    return verifier


async def _hash_range(fd: int, offset: int, length: int, update: Callable[[memoryview], None]) -> None:
    """Read and hash bytes of a file in threads."""
    end, buffer = offset + length, bytearray(min(length, _HASH_SIZE))
    while offset < end:
        length = min(end - offset, _HASH_SIZE)
        await in_thread_of(pool(), _hash, fd, offset, memoryview(buffer)[:length], update)
        offset += length


def _hash(fd: int, offset: int, view: memoryview, update: Callable[[memoryview], None]) -> None:
    update(view[: read_at(fd, view, offset)])
