"""Directories: many files at once, each of them whole or reported.

Files are found and keys are listed while transfers run, so nothing holds the whole list. A file that fails does not stop the
others; at the end the failures are raised together, as a `DirectoryError` that has the result with all that was done.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from aiocos.errors import ConfigError, CosError, CredentialsError, NoSuchBucket
from aiocos.groups import Service
from aiocos.transfer.budget import Budget
from aiocos.transfer.download import Download, download
from aiocos.transfer.monitor import Monitor, Observed
from aiocos.transfer.paths import Unreadable, look, name_of, path_of
from aiocos.transfer.plan import check_concurrency
from aiocos.transfer.results import DirectoryError, DirectoryResult, FileError, leaves, raise_for
from aiocos.transfer.stated import Upload
from aiocos.transfer.upload import upload

# Files in flight. Small ones cost a round trip each, and the memory budget bounds the large ones.
_AT_ONCE = 32
# Files found in one step of a thread.
_FOUND = 256


@dataclass(kw_only=True, slots=True)
class _Both(Observed):
    prefix: str = ""
    concurrency: int | None = None
    part_size: int | None = None


@dataclass(slots=True)
class UploadDirectory(_Both):
    """Upload all regular files below a directory; a file's key is `prefix` and its path with slashes.

    `concurrency` is the number of files in flight; `progress` hears of each file, `on_queued`, `on_progress` and `on_done` of
    the directory as a whole. Links to files are followed, links to directories are not. Gives a `DirectoryResult`; raises
    `DirectoryError` with it where some files failed.
    """

    root: str | os.PathLike[str]
    bucket: str


@dataclass(slots=True)
class DownloadDirectory(_Both):
    """Download all objects under a prefix; an object's path is what its key has after the prefix.

    Keys that are no path of their own below `root` (`../x`, `/x`, `a//b`, a NUL) are refused, each with the reason; keys that
    end in a slash are folders and have no content to write. `concurrency` is the number of files in flight; `progress` hears of
    each file, `on_queued`, `on_progress` and `on_done` of the directory as a whole. Gives a `DirectoryResult`; raises
    `DirectoryError` with it where some files failed.
    """

    bucket: str
    root: str | os.PathLike[str]


async def upload_directory(service: Service, budget: Budget, request: UploadDirectory, monitor: Monitor) -> DirectoryResult:
    """Carry the upload of a directory out."""
    check_concurrency(request.concurrency)
    root = Path(request.root)
    if not await asyncio.to_thread(root.is_dir):
        raise ConfigError(f"{root} is no directory")

    async def jobs() -> AsyncIterator[tuple[str, str, Callable[[], Awaitable[int]]]]:
        found = look(root)
        while some := await asyncio.to_thread(lambda: list(islice(found, _FOUND))):
            for one in some:
                path = one.path if isinstance(one, Unreadable) else one
                # In bytes that are no text the path cannot be a key, which the work says.
                name = os.fsencode(path.relative_to(root)).decode("utf-8", "replace").replace(os.sep, "/")
                yield str(path), request.prefix + name, _uploading(one)

    def _uploading(path: Path | Unreadable) -> Callable[[], Awaitable[int]]:
        async def work() -> int:
            if isinstance(path, Unreadable):
                raise path.error
            key = request.prefix + name_of(root, path)
            one = Upload(bucket=request.bucket, key=key, source=path, part_size=request.part_size)
            return (await upload(service, budget, one, monitor.of_file(request, key))).size

        return work

    return await _all(
        jobs(), request.concurrency or _AT_ONCE, monitor, f"upload of {root} to {request.bucket}/{request.prefix}"
    )


async def download_directory(service: Service, budget: Budget, request: DownloadDirectory, monitor: Monitor) -> DirectoryResult:
    """Carry the download of a directory out."""
    check_concurrency(request.concurrency)
    root = Path(request.root)
    await asyncio.to_thread(root.mkdir, parents=True, exist_ok=True)

    async def jobs() -> AsyncIterator[tuple[str, str, Callable[[], Awaitable[int]]]]:
        async for entry in service.objects.list(request.bucket, prefix=request.prefix or None):
            name = entry.key[len(request.prefix) :]
            if entry.key.endswith("/") and not entry.size:
                continue
            yield str(root / name.lstrip("/")), entry.key, _downloading(entry.key, name)

    def _downloading(key: str, name: str) -> Callable[[], Awaitable[int]]:
        async def work() -> int:
            path = path_of(root, name)
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            one = Download(bucket=request.bucket, key=key, path=path, part_size=request.part_size)
            return (await download(service, budget, one, monitor.of_file(request, key))).size

        return work

    return await _all(
        jobs(), request.concurrency or _AT_ONCE, monitor, f"download of {request.bucket}/{request.prefix} to {root}"
    )


async def _all(
    jobs: AsyncIterator[tuple[str, str, Callable[[], Awaitable[int]]]], width: int, monitor: Monitor, what: str
) -> DirectoryResult:
    """Do all jobs, `width` at once; collect what fails."""
    files = size = 0
    errors: list[FileError] = []
    causes: list[Exception] = []
    places = asyncio.Semaphore(width)

    async def one(path: str, key: str, work: Callable[[], Awaitable[int]]) -> None:
        nonlocal files, size
        try:
            done = await work()
            files += 1
            size += done
        except (CredentialsError, NoSuchBucket):
            # It would be the same for every file.
            raise
        except (CosError, OSError) as error:
            errors.append(FileError(path=path, key=key, error=str(error)))
            causes.append(error)
        finally:
            places.release()

    async with monitor.run(None, f"the {what}"):
        try:
            async with asyncio.TaskGroup() as tasks:
                async for path, key, work in jobs:
                    await monitor.going()
                    await places.acquire()
                    tasks.create_task(one(path, key, work))
        except BaseExceptionGroup as group:
            raise_for(group, leaves(group)[0])
        result = DirectoryResult(files=files, bytes=size, errors=errors)
        if causes:
            raise DirectoryError(f"the {what}: {len(causes)} of {files + len(causes)} files failed: {causes[0]}", result) from (
                ExceptionGroup(what, causes)
            )
        return result
