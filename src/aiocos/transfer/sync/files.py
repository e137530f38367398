"""Transfer the files of a directory, small ones with few trips to threads.

`upload` and `download` make a trip for each step: looking at the file, opening it, reading or writing it, closing its
directory. For a file of some KiB, the trips take longer than the request. Here each file takes one, which it shares with other
files that are ready at the same time (`ThreadBatch`).

Whatever is not a small file any more when it is opened is left to `upload` and `download`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aiocos.errors import IntegrityError
from aiocos.groups import Service, engine_of
from aiocos.object_read import read_arrived
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import GetObject, PutObject
from aiocos.transfer.batch import ThreadBatch
from aiocos.transfer.download.download import ATTEMPTS, download
from aiocos.transfer.download.small import SMALL_OBJECT, receive, write_small
from aiocos.transfer.files import in_thread
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import DownloadRequest, UploadRequest
from aiocos.transfer.reserved_names import hidden_name
from aiocos.transfer.sync.listing import RemoteObject
from aiocos.transfer.sync.safe_target import SafeTarget
from aiocos.transfer.sync.walk import LocalFile
from aiocos.transfer.upload.small import SMALL_FILE, read_small
from aiocos.transfer.upload.upload import upload


@dataclass(slots=True)
class _Write:
    """A small object to write to its file."""

    name: str
    data: bytes
    modified: int
    what: str


def _call(job: Callable[[], Any]) -> Any:
    return job()


class FileUploads:
    """Uploads the files of a directory.

    `part_size` and `resume` are those of `UploadRequest`.
    """

    def __init__(self, service: Service, budget: MemoryBudget, *, part_size: int | None, resume: bool) -> None:
        self._service = service
        self._budget = budget
        self._part_size = part_size
        self._resume = resume
        self._files: ThreadBatch[Callable[[], Any], Any] = ThreadBatch(partial(nullcontext, _call))

    async def upload(self, file: LocalFile, bucket: str, key: str, monitor: Monitor) -> tuple[int, os.stat_result]:
        """Upload a file; return the number of bytes, and its status before it was read.

        Raises what `upload` raises.
        """
        async with monitor.run(None, f"the upload of {bucket}/{key}"):
            if file.size <= SMALL_FILE and (status := await self._upload_small(file, bucket, key, monitor)):
                return status.st_size, status
            before = await self.stat(file.path)
            request = UploadRequest(bucket, key, file.path, part_size=self._part_size, resume=self._resume)
            return (await upload(self._service, self._budget, request, monitor)).size, before

    async def _upload_small(self, file: LocalFile, bucket: str, key: str, monitor: Monitor) -> os.stat_result | None:
        """Upload a file with one PUT; return its status when it was read.

        Returns None if it is larger than it was. Then nothing was sent.
        """
        await monitor.wait_if_paused()
        acquired = await self._budget.acquire(file.size, monitor)
        try:
            found: tuple[bytes, os.stat_result] | None = await self._files.run(partial(read_small, file.path))
            # A file that grew takes more memory than was reserved.
            if found is None or len(found[0]) > file.size:
                return None
            data, status = found
            monitor.bytes_total, monitor.parts_total = len(data), 1
            await engine_of(self._service).call(PutObject(bucket, key, data))
        finally:
            self._budget.release(acquired)
        monitor.advance(len(data), parts=1)
        return status

    async def stat(self, path: Path) -> os.stat_result:
        """Return the status of a file now."""
        return await self._files.run(partial(os.stat, path))


class FileDownloads:
    """Downloads objects to files below a directory.

    `part_size` and `resume` are those of `DownloadRequest`.
    """

    def __init__(
        self, service: Service, budget: MemoryBudget, target: SafeTarget, *, part_size: int | None, resume: bool
    ) -> None:
        self._service = service
        self._engine = engine_of(service)
        self._budget = budget
        self._target = target
        self._part_size = part_size
        self._resume = resume
        config = self._engine.config
        self._fsync = config.transfer.fsync
        self._verify = config.verify_reads and config.transfer.verify != "none"
        self._writes = ThreadBatch(self._writing)

    @contextmanager
    def _writing(self) -> Generator[Callable[[_Write], None]]:
        """Yield a function that writes one file. Blocks."""
        # Files are written one after the other, so one tag will do for all of them.
        tag = secrets.token_hex(4)
        with self._target.targets() as find:

            def write(job: _Write) -> None:
                target = find(job.name)
                hidden = hidden_name(target.name, tag)
                write_small(target, hidden, job.data, job.what, fsync=self._fsync, modified=job.modified)

            yield write

    async def download(self, entry: RemoteObject, monitor: Monitor, *, modified: int = 0) -> int:
        """Download an object, and return its size.

        The file gets the time `modified`, in nanoseconds since 1970, unless that is 0. Raises what `SafeTarget.target` and
        `download` raise.
        """
        # Before anything is reported or requested.
        self._target.check_name(entry.name)
        if entry.size > SMALL_OBJECT or self._resume:
            return await self._download_large(entry, monitor, modified)
        async with monitor.run(None, f"the download of {entry.bucket}/{entry.key}"):
            size = await self._download_small(entry, monitor, modified)
            return size if size is not None else await self._download_large(entry, monitor, modified)

    async def _download_large(self, entry: RemoteObject, monitor: Monitor, modified: int) -> int:
        async with self._target.target(entry.name) as target:
            request = DownloadRequest(entry.bucket, entry.key, target, part_size=self._part_size, resume=self._resume)
            result = await download(self._service, self._budget, request, monitor)
            if modified:
                times = (modified, modified)
                await in_thread(os.utime, target.path.name, ns=times, dir_fd=target.dir_fd, follow_symlinks=False)
            return result.size

    async def _download_small(self, entry: RemoteObject, monitor: Monitor, modified: int) -> int | None:
        """Download a small object, and return its size.

        Returns None if its size is not the one that was listed. Then nothing was written.
        """
        reading, what = GetObject(entry.bucket, entry.key), f"the download of {entry.bucket}/{entry.key}"
        for attempt in range(1, ATTEMPTS + 1):
            acquired = await self._budget.acquire(2 * entry.size, monitor)
            try:
                data = await self._receive(reading, entry.size, what)
                if data is None:
                    return None
                monitor.bytes_total, monitor.parts_total = len(data), 1
                await self._writes.run(_Write(entry.name, data, modified, what))
            except IntegrityError:
                if attempt == ATTEMPTS:
                    raise
                monitor.restart()
                continue
            finally:
                self._budget.release(acquired)
            monitor.advance(len(data), parts=1)
            return len(data)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _receive(self, reading: GetObject, size: int, what: str) -> bytes | None:
        """Return the verified bytes of an object; None if it has another size."""
        engine = self._engine
        response = await engine.open(reading)
        data = read_arrived(reading, response) if self._verify else None
        if data is None:
            async with ObjectStream(engine, reading, response) as stream:
                if stream.info.content_length != size:
                    return None
                data, _ = await receive(engine, reading, stream, what, verify=self._verify)
        # An object that was replaced since may be larger than the memory that was reserved.
        return data if len(data) == size else None
