"""Directories: many files at once, each of them whole or reported.

Files are found and keys are listed while transfers run, so nothing holds the whole list. A file that fails does not stop the
others; at the end the failures are raised together, as a `DirectoryError` that has the result with all that was done.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiocos.errors import ConfigError
from aiocos.groups import Service, engine_of
from aiocos.transfer.download.download import DownloadRequest, download
from aiocos.transfer.files import in_thread
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import check_concurrency
from aiocos.transfer.pool import TaskPool
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.requests import UploadRequest
from aiocos.transfer.results import DirectoryError, DirectoryResult
from aiocos.transfer.sync.comparator import difference
from aiocos.transfer.sync.filters import Filter
from aiocos.transfer.sync.listing import Directory, Entry, Prefix, RemoteObject, Side
from aiocos.transfer.sync.paths import LocalFile, SafeTarget, Symlinks, Unreadable
from aiocos.transfer.sync.plan import Step, steps
from aiocos.transfer.upload.upload import upload


@dataclass(kw_only=True, slots=True)
class _Both(ProgressCallbacks):
    prefix: str = ""
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    resume: bool = False
    concurrency: int | None = None
    part_size: int | None = None


@dataclass(slots=True)
class UploadDirectoryRequest(_Both):
    """Upload all regular files below a directory; a file's key is `prefix` and its path with slashes.

    Whatever else is there and cannot be read as a file is a failure of its own, with its name: a directory without permission,
    a link to nowhere, a pipe, and files with the names that downloads give to what is unfinished (`.NAME.TAG.part`,
    `.NAME.TAG.journal`). What `exclude` names is no failure.

    `include` and `exclude` are patterns of names (`*.tmp`, `node_modules`, `docs/**/*.md`). `symlinks`: those to `files` are
    followed, `follow` those to directories too, `skip` none. With `resume`, what an earlier run has uploaded is not uploaded
    again, if it is not older than its file. `concurrency` is the number of files in flight; `progress` hears of each file,
    `on_queued`, `on_progress` and `on_done` of the directory as a whole. Gives a `DirectoryResult`; raises `DirectoryError`
    with it where some files failed.
    """

    root: str | os.PathLike[str]
    bucket: str
    symlinks: Symlinks = "files"


@dataclass(slots=True)
class DownloadDirectoryRequest(_Both):
    """Download all objects under a prefix; an object's path is what its key has after the prefix.

    Keys that are no path of their own below `root` (`../x`, `/x`, `a//b`, a NUL) are refused, each with the reason, and so are
    those that a link would take outside, those that name a link, and those that name a file in which transfers keep their state
    (`.NAME.TAG.part`, `.NAME.TAG.journal`, whatever is in the directory of journals). Links that appear meanwhile take nothing
    outside either. Keys that end in a slash are folders and have no content to write. With `resume`, what
    an earlier run has downloaded is not downloaded again, if it is not older than its object. `include`, `exclude`,
    `concurrency`, observers, result and errors are those of `upload_directory`.
    """

    bucket: str
    root: str | os.PathLike[str]


async def upload_directory(
    service: Service, budget: MemoryBudget, request: UploadDirectoryRequest, monitor: Monitor
) -> DirectoryResult:
    """Carry the upload of a directory out."""
    check_concurrency(request.concurrency)
    wanted, root = Filter(request.include, request.exclude), Path(request.root)
    source = Directory(root, wanted, request.symlinks)
    target = Prefix(service, request.bucket, request.prefix, wanted, folders=False)
    if not await in_thread(root.is_dir):
        raise ConfigError(f"{root} is no directory")

    async def one(step: Step) -> int:
        assert isinstance(step.source, LocalFile)
        key = request.prefix + step.source.name
        up = UploadRequest(request.bucket, key, step.source.path, part_size=request.part_size, resume=request.resume)
        return (await upload(service, budget, up, monitor.of_file(request, key))).size

    return await _all(service, request, source, target, monitor, one)


async def download_directory(
    service: Service, budget: MemoryBudget, request: DownloadDirectoryRequest, monitor: Monitor
) -> DirectoryResult:
    """Carry the download of a directory out."""
    check_concurrency(request.concurrency)
    wanted, root = Filter(request.include, request.exclude), Path(request.root)
    source = Prefix(service, request.bucket, request.prefix, wanted, folders=False)
    config = engine_of(service).config.transfer
    landing = SafeTarget(root, state=config.state_dir, fsync=config.fsync)

    async def one(step: Step) -> int:
        assert isinstance(step.source, RemoteObject)
        async with landing.target(step.source.name) as path:
            down = DownloadRequest(request.bucket, step.source.key, path, part_size=request.part_size, resume=request.resume)
            return (await download(service, budget, down, monitor.of_file(request, step.source.key))).size

    async with landing.opened():
        return await _all(service, request, source, Directory(root, wanted, is_target=True), monitor, one)


async def _all(
    service: Service,
    request: _Both,
    source: Side,
    target: Side,
    monitor: Monitor,
    one: Callable[[Step], Awaitable[int]],
) -> DirectoryResult:
    """Transfer everything; with `resume`, what the target has not."""
    unchanged = 0

    def same(entry: Entry) -> None:
        nonlocal unchanged
        unchanged += 1

    async def differ(left: Entry, right: Entry) -> str | None:
        return await difference(service, left, right, "time")

    async def nothing() -> AsyncGenerator[Entry | Unreadable]:
        for entry in ():
            yield entry

    what = f"the transfer of {source} to {target}"
    there = target.entries() if request.resume else nothing()
    async with monitor.run(None, what):
        async with (
            TaskPool(request.concurrency, monitor) as crew,
            aclosing(steps(source.entries(), there, differ, same)) as found,
        ):
            async for step in found:
                entry = step.source
                if entry is None:
                    continue
                path, key = (
                    (source.at(entry.name), target) if isinstance(source, Directory) else (target.at(entry.name), source)
                )
                assert isinstance(key, Prefix)
                if isinstance(entry, Unreadable):
                    crew.failed(path, key.prefix + entry.name, entry.error)
                else:
                    await crew.do(path, key.prefix + entry.name, partial(one, step))
        result = DirectoryResult(files=crew.files, bytes=crew.bytes, errors=crew.errors, unchanged=unchanged)
        if crew.errors:
            failed = len(crew.errors)
            raise DirectoryError(f"{what}: {failed} of {crew.files + failed} files failed: {crew.causes[0]}", result) from (
                ExceptionGroup(what, crew.causes)
            )
        return result
