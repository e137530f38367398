"""Upload and download directories, many files at once.

Each file is transferred completely or reported.

Files are found and keys are listed while transfers run, so the whole list is never in memory. A file that fails does not stop
the others. At the end, the failures are raised together, as a `DirectoryError` that has the result.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

import aiofiles.os

from aiocos.errors import ConfigError
from aiocos.groups import Service, engine_of
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import check_concurrency
from aiocos.transfer.pool import TaskPool
from aiocos.transfer.progress import Monitor
from aiocos.transfer.requests import (
    DirectoryParams,
    DownloadDirectoryRequest,
    UploadDirectoryRequest,
)
from aiocos.transfer.results import DirectoryError, DirectoryResult
from aiocos.transfer.sync.comparator import difference
from aiocos.transfer.sync.files import FileDownloads, FileUploads
from aiocos.transfer.sync.filters import Filter
from aiocos.transfer.sync.listing import Directory, Entry, Prefix, RemoteObject, Side
from aiocos.transfer.sync.plan import Step, steps
from aiocos.transfer.sync.safe_target import SafeTarget
from aiocos.transfer.sync.walk import LocalFile, Unreadable


async def upload_directory(
    service: Service, budget: MemoryBudget, request: UploadDirectoryRequest, monitor: Monitor
) -> DirectoryResult:
    """Run the upload of a directory; see `UploadDirectoryRequest`."""
    check_concurrency(request.concurrency)
    wanted, root = Filter(request.include, request.exclude), Path(request.root)
    source = Directory(root, wanted, request.symlinks)
    target = Prefix(service, request.bucket, request.prefix, wanted, folders=False)
    if not await aiofiles.os.path.isdir(root):
        raise ConfigError(f"{root} is not a directory")

    uploads = FileUploads(service, budget, part_size=request.part_size, resume=request.resume)

    async def upload_file(step: Step) -> int:
        assert isinstance(step.source, LocalFile)
        key = request.prefix + step.source.name
        return (await uploads.upload(step.source, request.bucket, key, monitor.for_file(request, key)))[0]

    return await _transfer_all(service, request, source, target, monitor, upload_file)


async def download_directory(
    service: Service, budget: MemoryBudget, request: DownloadDirectoryRequest, monitor: Monitor
) -> DirectoryResult:
    """Run the download of a directory; see `DownloadDirectoryRequest`."""
    check_concurrency(request.concurrency)
    wanted, root = Filter(request.include, request.exclude), Path(request.root)
    source = Prefix(service, request.bucket, request.prefix, wanted, folders=False)
    config = engine_of(service).config.transfer
    safe_target = SafeTarget(root, state=config.state_dir, fsync=config.fsync)

    downloads = FileDownloads(service, budget, safe_target, part_size=request.part_size, resume=request.resume)

    async def download_file(step: Step) -> int:
        assert isinstance(step.source, RemoteObject)
        return await downloads.download(step.source, monitor.for_file(request, step.source.key))

    async with safe_target.opened():
        target = Directory(root, wanted, is_target=True)
        return await _transfer_all(service, request, source, target, monitor, download_file)


async def _transfer_all(
    service: Service,
    request: DirectoryParams,
    source: Side,
    target: Side,
    monitor: Monitor,
    transfer_file: Callable[[Step], Awaitable[int]],
) -> DirectoryResult:
    """Transfer every file; with `resume`, only those that differ at the target."""
    unchanged = 0

    def on_unchanged(entry: Entry) -> None:
        nonlocal unchanged
        unchanged += 1

    async def by_time(left: Entry, right: Entry) -> str | None:
        return await difference(service, left, right, "time")

    async def no_entries() -> AsyncGenerator[Entry | Unreadable]:
        for entry in ():
            yield entry

    what = f"the transfer of {source} to {target}"
    existing = target.entries() if request.resume else no_entries()
    async with monitor.run(None, what):
        async with (
            TaskPool(request.concurrency, monitor) as pool,
            aclosing(steps(source.entries(), existing, by_time, on_unchanged)) as found,
        ):
            async for step in found:
                entry = step.source
                if entry is None:
                    continue
                path, remote = (
                    (source.location(entry.name), target)
                    if isinstance(source, Directory)
                    else (target.location(entry.name), source)
                )
                assert isinstance(remote, Prefix)
                key = remote.prefix + entry.name
                if isinstance(entry, Unreadable):
                    pool.record_failure(path, key, entry.error)
                else:
                    await pool.submit(path, key, partial(transfer_file, step))
        result = DirectoryResult(files=pool.files, bytes=pool.bytes, errors=pool.errors, unchanged=unchanged)
        if pool.errors:
            failed = len(pool.errors)
            raise DirectoryError(f"{what}: {failed} of {pool.files + failed} files failed: {pool.causes[0]}", result) from (
                ExceptionGroup(what, pool.causes)
            )
        return result
