"""Download an object to a file.

The first request is a plain GET. Its response has the size and the ETag, and for a small object it is the whole download. For a
large one, its body is read up to the end of the first range only. The other ranges are requested in parallel, each with the
condition that the object still has that ETag.

The bytes are written to a hidden file beside the target, and compared with a checksum of the object while they arrive
(`verify`). Then the file is renamed to the target; a download that fails leaves the old file as it was.

With `resume`, a download that fails keeps the hidden file (`partial`), and the same call fetches what is missing. Bytes of an
earlier run are never trusted: they are read from the file, and the whole must agree with a checksum of the object, even if
nothing else is compared. If the service has none that can be compared, the download begins anew.

Sizes are announced by the server. An object has at most 10 TiB and is read in at most 10,000 ranges, whatever is announced.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiocos.config import MAX_OBJECT, MIB, TransferConfig, Verify
from aiocos.errors import (
    ConfigError,
    CosError,
    IntegrityError,
    InvalidRange,
    NotFound,
    PreconditionFailed,
    ProtocolError,
    TransferError,
)
from aiocos.groups import Service, engine_of
from aiocos.integrity import Verification, find_verification, pinned_to, whole_info
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import GetObject, ObjectInfo
from aiocos.transfer.derive import derive_read
from aiocos.transfer.download.file_object import download_to_file_object
from aiocos.transfer.download.partial import PartialFile
from aiocos.transfer.download.small import SMALL_OBJECT, receive
from aiocos.transfer.download.target import Target
from aiocos.transfer.download.verify import RangeHash, Verifier, verifier_for, verify_mode
from aiocos.transfer.files import in_thread
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import PartRange, check_concurrency, check_threshold, divide, range_size_for, whole_parts
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import DownloadRequest
from aiocos.transfer.results import DownloadResult, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup
from aiocos.wire.ranges import ByteRange

# Bytes to write at once.
_WRITE_SIZE = MIB
# Memory of one range: bytes that are being gathered, and bytes that are being written.
_RANGE_MEMORY = 2 * _WRITE_SIZE
# Ranges follow the parts of a multipart object if its largest part is at most so many ranges: larger parts would leave little
# to request in parallel.
_MAX_PART = 4
ATTEMPTS = 3
"""Complete attempts if the bytes do not verify."""


async def download(service: Service, budget: MemoryBudget, request: DownloadRequest, monitor: Monitor) -> DownloadResult:
    """Run a download; see `DownloadRequest`."""
    check_concurrency(request.concurrency)
    check_threshold(request.multipart_threshold)
    if request.part_size is not None and request.part_size < 1:
        raise ConfigError("part_size is at least 1 byte")
    if request.verify not in (None, "flow", "disk", "none"):
        raise ConfigError(f"verify is {request.verify!r}; it must be 'flow', 'disk' or 'none'")
    if not isinstance(request.target, str | os.PathLike):
        return await download_to_file_object(service, budget, request, request.target, monitor)
    path = Path(request.target)
    target = await in_thread(Target.find, request.target)
    rejected: str | None = None
    async with monitor.run(request.timeout, f"the download of {request.bucket}/{request.key}"):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await _Attempt(service, budget, request, path, target, monitor, rejected).run()
            except IntegrityError as error:
                if attempt == ATTEMPTS:
                    raise
                if monitor.resumed_bytes:
                    rejected = str(error)
                monitor.restart()
        raise AssertionError("unreachable: the last attempt returns or raises")


class _ResumedBytesUnverified(IntegrityError):
    """Bytes of an earlier run could not be compared with anything.

    The next attempt begins without them.
    """


class _Attempt:
    """One attempt of a download."""

    def __init__(
        self,
        service: Service,
        budget: MemoryBudget,
        request: DownloadRequest,
        path: Path,
        target: Target,
        monitor: Monitor,
        rejected: str | None,
    ) -> None:
        self._engine = engine_of(service)
        self._budget = budget
        self._request = request
        self._config: TransferConfig = self._engine.config.transfer
        self._path = path
        self._target = target
        self._monitor = monitor
        self._what = f"download of {request.bucket}/{request.key}"
        self._rejected = rejected
        self._verify: Verify = verify_mode(self._engine.config, request)
        fsync = self._config.fsync if request.fsync is None else request.fsync
        self._partial = PartialFile(target, self._identity() if request.resume else None, fsync=fsync)

    def _identity(self) -> dict[str, Any]:
        """Return what a journal must agree with to be of this download."""
        request = self._request
        return {
            "kind": "download",
            "endpoint": self._engine.endpoint.origin,
            "bucket": request.bucket,
            "key": request.key,
            "version": request.version_id,
            "target": self._target.name,
        }

    async def run(self) -> DownloadResult:
        reading = derive_read(self._request)
        if not self._request.resume:
            async with ObjectStream(self._engine, reading) as stream:
                if (size := stream.info.content_length) is not None and size <= SMALL_OBJECT:
                    return await self._download_small(stream, reading, size)
                async with self._partial.open():
                    return await self._download_all(stream, reading)
        async with self._partial.open():
            if self._partial.etag is not None and (result := await self._resume(reading)):
                return result
            async with ObjectStream(self._engine, reading) as stream:
                return await self._download_all(stream, reading)

    async def _download_small(self, stream: ObjectStream, reading: GetObject, size: int) -> DownloadResult:
        """Read a small object into memory, verify it, and write the file.

        Writing is one call of a thread: each takes as long as the request.
        """
        engine, monitor, what = self._engine, self._monitor, f"the {self._what}"
        monitor.bytes_total, monitor.parts_total = size, 1
        async with self._budget.reserve(2 * size, monitor):
            data, verified = await receive(engine, reading, stream, what, verify=self._verify != "none")
            await in_thread(self._partial.write_small, data, what)
        monitor.advance(len(data), parts=1)
        return DownloadResult(
            bucket=self._request.bucket,
            key=self._request.key,
            path=self._path,
            etag=stream.etag,
            size=len(data),
            version_id=stream.version_id,
            verified=verified,
        )

    async def _download_all(self, stream: ObjectStream, reading: GetObject) -> DownloadResult:
        """Download the whole object, of which `stream` is the first response."""
        size = stream.extent.length if stream.extent else None
        if size is not None and size > MAX_OBJECT:
            raise ProtocolError(
                f"the {self._what}: {size} bytes are announced, and an object has at most {MAX_OBJECT} (10 TiB)"
            )
        info = stream.info.model_copy(update={"content_length": size, "content_range": None})
        verification = await self._find_verification(reading, info)
        part_size = self._request.part_size or self._config.part_size
        given = self._request.multipart_threshold
        threshold = self._config.multipart_threshold if given is None else given
        if size is None or size <= max(threshold, part_size) or not stream.etag:
            parts = [PartRange(1, 0, size if size is not None else 0)]
        else:
            sizes = verification.checksum.sizes if verification is not None and self._verify == "flow" else None
            range_size = range_size_for(size, part_size)
            if sizes is not None and max(sizes) <= _MAX_PART * range_size:
                parts = whole_parts(sizes, range_size)
            else:
                parts = list(divide(size, range_size))
            await self._partial.begin(stream.etag, stream.version_id, size)
        await self._partial.allocate(size or 0)
        return await self._fill(stream, reading, size, parts, parts, verification)

    async def _find_verification(self, reading: GetObject, info: ObjectInfo) -> Verification | None:
        """Return how to verify the object; None if there is no way or it is not wanted."""
        return None if self._verify == "none" else await find_verification(self._engine, reading, info)

    async def _resume(self, reading: GetObject) -> DownloadResult | None:
        """Download what is missing in the file of an earlier run.

        Returns None if that is of no use any more.
        """
        partial, size = self._partial, self._partial.size
        part_size = self._request.part_size or self._config.part_size
        parts = list(divide(size, range_size_for(size, part_size)))
        if not partial.missing(parts):
            # Killed after the last byte, before the rename. A little is fetched again, to see whether this is still the object.
            offset, length = partial.resumed.pop()
            partial.resumed.append((offset, length - min(_WRITE_SIZE, parts[-1].length)))
        missing = partial.missing(parts)
        # The version id in the journal is not used: the newest version must have that ETag.
        pinned = replace(reading, if_match=partial.etag)
        first = replace(pinned, range=ByteRange(missing[0].offset, missing[0].end - 1))
        async with contextlib.AsyncExitStack() as stack:
            try:
                stream = await stack.enter_async_context(ObjectStream(self._engine, first))
                total = stream.extent.total if stream.extent else None
            except (PreconditionFailed, NotFound, InvalidRange, ProtocolError, ValueError) as error:
                partial.reject(f"the object was replaced since, or is gone: {error}")
                return None
            if total != size:
                partial.reject(f"the object has {total} bytes now, and had {size}")
                return None
            info = await whole_info(self._engine, pinned_to(reading, stream.info), stream.info, size)
            if (verification := await find_verification(self._engine, reading, info)) is None:
                partial.reject("the service has no checksum of the object with which the earlier bytes could be compared")
                return None
            self._monitor.advance(size - sum(part.length for part in missing), resumed=True)
            return await self._fill(stream, reading, size, parts, missing, verification)

    async def _fill(
        self,
        stream: ObjectStream,
        reading: GetObject,
        size: int | None,
        parts: list[PartRange],
        missing: list[PartRange],
        verification: Verification | None,
    ) -> DownloadResult:
        """Download the missing ranges, the first one from `stream`.

        Then rename the file, if all bytes are verified.
        """
        stream.skip_verification()
        monitor, partial = self._monitor, self._partial
        monitor.bytes_total = size
        complete = len({part.number for part in parts} - {part.number for part in missing})
        monitor.parts_total, monitor.parts_done = complete + len(missing), complete
        verifier = verifier_for(self._verify, partial.fd, size, verification, parts, partial.resumed)
        try:
            async with TaskGroup() as tasks:
                tasks.create_task(self._first_range(stream, missing[0], len(missing) > 1, verifier))
                if len(missing) > 1:
                    slots = asyncio.Semaphore((self._request.concurrency or self._config.concurrency) - 1 or 1)
                    tasks.create_task(self._other_ranges(missing[1:], pinned_to(reading, stream.info), slots, verifier, tasks))
                tasks.create_task(verifier.run(f"the {self._what}"))
        except BaseExceptionGroup as group:
            error = self._error_for(group)
            if isinstance(error, IntegrityError):
                await partial.discard()
            raise_for(group, error)
        if partial.resumed and verifier.verified is None:
            # Under Key Protect, an ETag that differs may mean nothing, or that the file contains bytes that somebody planted.
            await partial.discard()
            raise _ResumedBytesUnverified("the bytes of an earlier run could not be compared with a checksum of the object")
        await partial.finish(self._target)
        return DownloadResult(
            bucket=self._request.bucket,
            key=self._request.key,
            path=self._path,
            etag=stream.etag,
            size=monitor.bytes_done,
            version_id=stream.version_id,
            verified=verifier.verified,
            resumed_bytes=monitor.resumed_bytes,
            resume_rejected=partial.rejected or self._rejected,
        )

    async def _first_range(self, stream: ObjectStream, part: PartRange, more: bool, verifier: Verifier) -> None:
        """Write the first response: all of it, or with `more` only the first range."""
        async with self._budget.reserve(_RANGE_MEMORY, self._monitor):
            await self._write_range(stream, part, part.length if more else None, verifier)
        if more:
            stream.close()
        self._monitor.advance(0, parts=1)

    async def _other_ranges(
        self,
        parts: Iterable[PartRange],
        pinned: GetObject,
        slots: asyncio.Semaphore,
        verifier: Verifier,
        tasks: TaskGroup,
    ) -> None:
        """Start a task for each range, when there is a slot and memory for it."""

        def release(acquired: int) -> None:
            self._budget.release(acquired)
            slots.release()

        for part in parts:
            await self._monitor.wait_if_paused()
            await slots.acquire()
            try:
                acquired = await self._budget.acquire(_RANGE_MEMORY, self._monitor)
            except BaseException:
                slots.release()
                raise
            # Released by the callback, since a task that is canceled before its first step runs none of its code.
            task = tasks.create_task(self._range(part, pinned, verifier))
            task.add_done_callback(lambda _, acquired=acquired: release(acquired))

    async def _range(self, part: PartRange, pinned: GetObject, verifier: Verifier) -> None:
        reading = replace(pinned, range=ByteRange(part.offset, part.end - 1))
        async with ObjectStream(self._engine, reading) as stream:
            stream.skip_verification()
            length = await self._write_range(stream, part, None, verifier)
        if length != part.length:
            raise ProtocolError(f"the {self._what}: bytes {part.offset}-{part.end - 1} came as {length} bytes")
        self._monitor.advance(0, parts=1)

    async def _write_range(self, stream: ObjectStream, part: PartRange, limit: int | None, verifier: Verifier) -> int:
        """Write a response to the file, and hash it; return the number of bytes.

        At most `limit` bytes are written, in steps of 1 MiB.
        """
        range_hash = verifier.hash_for(part)
        length = await self._write_stream(stream, part.offset, limit, verifier, range_hash)
        if range_hash is not None:
            range_hash.add(length)
        return length

    async def _write_stream(
        self, stream: ObjectStream, offset: int, limit: int | None, verifier: Verifier, range_hash: RangeHash | None
    ) -> int:
        written = gathered = 0
        pieces: list[bytes] = []
        while chunk := await stream.chunk():
            if limit is not None and written + gathered + len(chunk) > limit:
                chunk = chunk[: limit - written - gathered]
            pieces.append(chunk)
            gathered += len(chunk)
            at_limit = limit is not None and written + gathered == limit
            if gathered >= _WRITE_SIZE or at_limit:
                await self._write(pieces, gathered, offset + written, verifier, range_hash)
                written, gathered, pieces = written + gathered, 0, []
            if at_limit:
                return written
        if pieces:
            await self._write(pieces, gathered, offset + written, verifier, range_hash)
        return written + gathered

    async def _write(
        self, pieces: list[bytes], length: int, offset: int, verifier: Verifier, range_hash: RangeHash | None
    ) -> None:
        await self._partial.write(pieces, length, offset, None if range_hash is None else range_hash.update)
        self._monitor.advance(length)
        verifier.add_written(offset, length)

    def _error_for(self, group: BaseExceptionGroup[BaseException]) -> BaseException:
        """Return the error to raise for ranges that failed."""
        causes = leaves(group)
        for kind in (PreconditionFailed, IntegrityError):
            if found := next((c for c in causes if isinstance(c, kind)), None):
                return found
        first = causes[0]
        if not isinstance(first, CosError):
            return first
        kept = "; the same call continues from there" if self._request.resume else ""
        text = f"the {self._what} failed, {self._target.path} is as it was{kept}: {first}"
        return TransferError(text, parts_done=self._monitor.parts_done)
