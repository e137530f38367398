"""Download an object into a file object.

That is an open binary file, a `BytesIO`, a file of aiofiles, an `asyncio.StreamWriter`, or anything with a similar `write`.

A file object may be unable to seek, so it is written strictly in order. The naive way is one request whose body is copied to
the file object: correct, and as slow as one connection. Here ranges are requested in parallel, as for a file; a range that
arrives early waits in memory until everything before it is written. Ranges acquire their memory in order, so the range that
the writer needs next always has memory, and there is no deadlock. The window is bounded by `concurrency` and by half of the
memory budget: the other half stays free for the upload to which a user may have connected this download.

The checksum is computed while bytes are written, and compared at the end, when the file object has all of them. A download
that fails cannot take back what was written, so it is neither retried nor resumed: whoever gave the file object discards the
content.
"""

from __future__ import annotations

import asyncio
import io
import logging
from dataclasses import replace
from typing import Any

from aiocos.config import MAX_OBJECT, MIB
from aiocos.errors import ConfigError, CosError, IntegrityError, PreconditionFailed, ProtocolError, TransferError, printable
from aiocos.groups import Service, engine_of
from aiocos.integrity import Verification, find_verification, pinned_to
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import GetObject
from aiocos.transfer.derive import derive_read
from aiocos.transfer.download.verify import verify_mode
from aiocos.transfer.download.writer import OrderedWriter
from aiocos.transfer.file_objects import is_text_file
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import PartRange, divide, range_size_for
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import DownloadRequest
from aiocos.transfer.results import DownloadResult, VerifiedBy, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup
from aiocos.wire.ranges import ByteRange

# Bytes of the first response to gather before they are written.
_WRITE_SIZE = MIB

_log = logging.getLogger("aiocos.transfer")


def check_file_object(target: Any, request: DownloadRequest) -> None:
    """Raise `ConfigError` if a target is not a binary file object.

    Raises it as well if the request has a parameter that needs a path.
    """
    what = f"the download of {request.bucket}/{request.key}"
    if is_text_file(target):
        raise ConfigError(f"{what}: the target is a text file: open it with mode 'wb'")
    if not callable(getattr(target, "write", None)):
        raise ConfigError(f"{what}: {type(target).__name__} is not a target: give a path or a binary file object")
    if isinstance(target, io.IOBase) and not target.closed and not target.writable():
        raise ConfigError(f"{what}: the target is open for reading only: open it with mode 'wb'")
    if request.resume:
        raise ConfigError(f"{what} cannot be resumed: its target is a file object; give the path of a file")
    if request.verify == "disk":
        raise ConfigError(f"{what}: verify='disk' is for paths: a file object is not read back")
    if request.fsync:
        raise ConfigError(f"{what}: fsync is for paths: flush the file object after the download")


async def download_to_file_object(
    service: Service, budget: MemoryBudget, request: DownloadRequest, target: Any, monitor: Monitor
) -> DownloadResult:
    """Run a download into a file object; see `DownloadRequest`."""
    check_file_object(target, request)
    async with monitor.run(request.timeout, f"the download of {request.bucket}/{request.key}"):
        return await _Download(service, budget, request, OrderedWriter(target), monitor).run()


class _Download:
    """One download into a file object."""

    def __init__(
        self, service: Service, budget: MemoryBudget, request: DownloadRequest, writer: OrderedWriter, monitor: Monitor
    ) -> None:
        self._engine = engine_of(service)
        self._budget = budget
        self._request = request
        self._writer = writer
        self._monitor = monitor
        self._what = f"the download of {request.bucket}/{request.key}"
        self._verification: Verification | None = None
        # Ranges in order, as tasks that return their bytes.
        self._ranges: asyncio.Queue[tuple[PartRange, asyncio.Task[bytes]]] = asyncio.Queue()
        # Memory of ranges that are not written yet, by part number.
        self._memory: dict[int, int] = {}

    async def run(self) -> DownloadResult:
        request, monitor = self._request, self._monitor
        reading = derive_read(request)
        async with ObjectStream(self._engine, reading) as stream:
            stream.skip_verification()
            size = stream.extent.length if stream.extent else None
            if size is not None and size > MAX_OBJECT:
                raise ProtocolError(
                    f"{self._what}: {size} bytes are announced, and an object has at most {MAX_OBJECT} (10 TiB)"
                )
            if verify_mode(self._engine.config, request) != "none":
                self._verification = await find_verification(self._engine, reading, stream.info)
            window, parts = self._plan(size, can_pin=bool(stream.etag))
            self._slots = asyncio.Semaphore(window)
            monitor.bytes_total, monitor.parts_total = size, len(parts)
            try:
                async with TaskGroup() as tasks:
                    tasks.create_task(self._write_all(stream, parts))
                    if len(parts) > 1:
                        pinned = pinned_to(reading, stream.info)
                        tasks.create_task(self._fetch_all(parts[1:], pinned, tasks))
            except BaseExceptionGroup as group:
                raise_for(group, self._error_for(group))
            finally:
                for acquired in self._memory.values():
                    self._budget.release(acquired)
            monitor.start_verifying()
            return DownloadResult(
                bucket=request.bucket,
                key=request.key,
                path=None,
                etag=stream.etag,
                size=monitor.bytes_done,
                version_id=stream.version_id,
                verified=await self._verify(),
            )

    def _plan(self, size: int | None, *, can_pin: bool) -> tuple[int, list[PartRange]]:
        """Return how many ranges may be in memory, and the list of ranges.

        It is a single range if the object is small, or cannot be pinned to a version, or if memory allows no parallel requests.
        """
        request, config = self._request, self._engine.config.transfer
        part_size = request.part_size or config.part_size
        threshold = config.multipart_threshold if request.multipart_threshold is None else request.multipart_threshold
        if size is not None and size > max(threshold, part_size) and can_pin:
            part_size = range_size_for(size, part_size)
            # The first response is one of the requests in flight, and takes no memory to speak of.
            window = min((request.concurrency or config.concurrency) - 1, config.max_memory // 2 // part_size)
            if window >= 1:
                return window, list(divide(size, part_size))
        return 0, [PartRange(1, 0, size or 0)]

    async def _fetch_all(self, parts: list[PartRange], pinned: GetObject, tasks: TaskGroup) -> None:
        """Start a task for each range, in order, when there is a slot and memory for it."""
        for part in parts:
            await self._monitor.wait_if_paused()
            await self._slots.acquire()
            self._memory[part.number] = await self._budget.acquire(part.length, self._monitor)
            self._ranges.put_nowait((part, tasks.create_task(self._fetch(part, pinned))))

    async def _fetch(self, part: PartRange, pinned: GetObject) -> bytes:
        async with ObjectStream(self._engine, replace(pinned, range=ByteRange(part.offset, part.end - 1))) as stream:
            stream.skip_verification()
            data = await stream.read()
        if len(data) != part.length:
            raise ProtocolError(f"{self._what}: bytes {part.offset}-{part.end - 1} came as {len(data)} bytes")
        return data

    async def _write_all(self, stream: ObjectStream, parts: list[PartRange]) -> None:
        """Write the first response, then each range in order."""
        more = len(parts) > 1
        async with self._budget.reserve(2 * _WRITE_SIZE, self._monitor):
            await self._write_stream(stream, parts[0].length if more else None)
        if more:
            stream.close()
        self._monitor.advance(0, parts=1)
        for _ in parts[1:]:
            part, task = await self._ranges.get()
            await self._write(await task)
            self._budget.release(self._memory.pop(part.number))
            self._slots.release()
            self._monitor.advance(0, parts=1)

    async def _write_stream(self, stream: ObjectStream, limit: int | None) -> None:
        """Write a response as it arrives, at most `limit` bytes."""
        pieces: list[bytes] = []
        received = gathered = 0
        while chunk := await stream.chunk():
            if limit is not None:
                chunk = chunk[: limit - received]
            pieces.append(chunk)
            received, gathered = received + len(chunk), gathered + len(chunk)
            if gathered >= _WRITE_SIZE or received == limit:
                await self._write(b"".join(pieces))
                pieces, gathered = [], 0
                await self._monitor.wait_if_paused()
            if received == limit:
                return
        if pieces:
            await self._write(b"".join(pieces))

    async def _write(self, data: bytes) -> None:
        if self._verification is not None:
            await self._verification.checksum.add(data)
        await self._writer.write(data)
        self._monitor.advance(len(data))

    async def _verify(self) -> VerifiedBy:
        """Compare the bytes that were written with the object's checksum.

        Raises `IntegrityError` if they differ.
        """
        verification = self._verification
        if verification is None:
            return None
        checksum = verification.checksum
        if not checksum.agrees and verification.fallback is not None and await verification.fallback() is not checksum:
            # The part sizes were guessed from the first part, wrongly. They are known now, and the bytes are not here any more.
            _log.warning("%s: not verified, since its parts are of different sizes, or of unknown ones", printable(self._what))
            return None
        return checksum.kind if await verification.check(checksum, self._what) else None

    def _error_for(self, group: BaseExceptionGroup[BaseException]) -> BaseException:
        """Return the error to raise.

        An exception of the file object is raised as it is; others usually become a `TransferError`.
        """
        causes = leaves(group)
        for cause in causes:
            if not isinstance(cause, CosError) or isinstance(cause, PreconditionFailed | IntegrityError | TransferError):
                return cause
        text = f"{self._what} failed after {self._monitor.bytes_done} bytes were written: {causes[0]}"
        return TransferError(text, parts_done=self._monitor.parts_done)
