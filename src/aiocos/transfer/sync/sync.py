"""Synchronisation: one side made like the other, by transferring what differs.

Both sides are read once, in step, while the transfers run, so a tree of a million files needs no list in memory. What is
surplus in the target is written to a temporary file on the way, and deleted when all else is done: and only if the whole source
was seen. A source that could not be read, or was listed in disorder, would make everything look surplus. What is surplus in a
bucket is looked for in the directory once more before it goes: a name that stands there is not absent, whatever it is.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import KW_ONLY, dataclass
from typing import IO

from aiocos.errors import ConfigError, RequestTimeoutError, TransferError
from aiocos.groups import Service, engine_of
from aiocos.transfer.copy.copy import copy
from aiocos.transfer.download.download import DownloadRequest, download
from aiocos.transfer.files import held, in_thread
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import check_concurrency
from aiocos.transfer.pool import TaskPool
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.requests import CopyRequest, UploadRequest
from aiocos.transfer.results import DirectoryError, SyncAction, SyncResult
from aiocos.transfer.sync.comparator import Compare, difference
from aiocos.transfer.sync.filters import Filter
from aiocos.transfer.sync.listing import Directory, Entry, Prefix, RemoteObject, side_of
from aiocos.transfer.sync.paths import LocalFile, Reserved, SafeTarget, Symlinks, Unreadable, stands
from aiocos.transfer.sync.plan import Step, steps
from aiocos.transfer.upload.upload import upload

# How often a file is uploaded that is changed meanwhile.
_TRIES = 3


@dataclass(repr=False, slots=True)
class SyncRequest(ProgressCallbacks):
    """Make one side like the other: a directory like a prefix of a bucket, the reverse, or a prefix like another.

    `source` and `target` are paths, or `cos://bucket/prefix`; a prefix is a folder, with or without its slash. What differs is
    transferred: by `compare`, what has another size or is newer in the source (`time`), has another size only (`size`), or
    other bytes (`checksum`, which reads all files). With `delete`, what the source has not is removed from the target, at the
    end. `include` and `exclude` are patterns of names (`*.tmp`, `node_modules`, `docs/**/*.md`): what they leave out is neither
    transferred nor deleted. `symlinks` in a directory: those to `files` are followed, `follow` those to directories too, `skip`
    none; names of links that are not followed, and below them, are neither transferred nor deleted.

    Nothing is deleted where something in the source cannot be read (a directory without permission, a link to nowhere, a pipe),
    or has no place in the target (`a//b`, an object where a directory stands, an object below what is a file); each is named
    among the errors, and `exclude` takes it out of account. Names of the form `.NAME.TAG.part` and `.NAME.TAG.journal`, in
    which downloads keep what is unfinished, are among the errors, too: between a directory and a prefix they are neither
    transferred nor deleted.

    With `resume`, large files go on where an earlier run was interrupted. With `dry_run` nothing is done.

    `concurrency` is the number of files in flight; `progress` hears of each file, `on_queued`, `on_progress` and `on_done` of
    the whole. Gives a `SyncResult`; raises `DirectoryError` with it where some files failed, and what is told of `upload`.
    """

    source: str | os.PathLike[str]
    target: str | os.PathLike[str]
    _: KW_ONLY
    delete: bool = False
    dry_run: bool = False
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    compare: Compare = "time"
    symlinks: Symlinks = "files"
    resume: bool = False
    part_size: int | None = None
    concurrency: int | None = None


async def sync(service: Service, budget: MemoryBudget, request: SyncRequest, monitor: Monitor) -> SyncResult:
    """Carry a synchronisation out."""
    return await _Run(service, budget, request, monitor).run()


async def plan(service: Service, request: SyncRequest) -> AsyncGenerator[SyncAction]:
    """Give what a synchronisation would do, as it is found out."""
    run = _Run(service, None, request, Monitor(ProgressCallbacks(), "", ""))
    async with run.begun(), aclosing(run.actions()) as actions:
        async for action, _ in actions:
            yield action
    if request.delete and (kept := run.why_not_delete()):
        yield SyncAction("refuse", str(request.source), str(request.target), 0, f"nothing would be deleted: {kept}")


class _Run:
    """One synchronisation."""

    def __init__(self, service: Service, budget: MemoryBudget | None, request: SyncRequest, monitor: Monitor) -> None:
        check_concurrency(request.concurrency)
        if request.compare not in ("time", "size", "checksum"):
            raise ConfigError(f"compare is 'time', 'size' or 'checksum', not {request.compare!r}")
        if request.symlinks not in ("files", "follow", "skip"):
            raise ConfigError(f"symlinks is 'files', 'follow' or 'skip', not {request.symlinks!r}")
        self._service = service
        self._budget = budget
        self._request = request
        self._monitor = monitor
        wanted = Filter(request.include, request.exclude)
        within = all(isinstance(p, str) and p.startswith("cos://") for p in (request.source, request.target))
        self._source = side_of(service, request.source, wanted, request.symlinks, folders=within)
        self._target = side_of(service, request.target, wanted, request.symlinks, folders=within, is_target=True)
        self._check()
        self._landing: SafeTarget | None = None
        if isinstance(self._target, Directory):
            config = engine_of(service).config.transfer
            self._landing = SafeTarget(self._target.root, state=config.state_dir, fsync=config.fsync)
        self._unchanged = 0
        self._seen = False
        self._whole = True
        self._placed = True

    def _check(self) -> None:
        source, target = self._source, self._target
        if isinstance(source, Directory) and isinstance(target, Directory):
            raise ConfigError(f"{source} and {target}: one of the two must be a cos:// place")
        if str(source).startswith(str(target)) or str(target).startswith(str(source)):
            raise ConfigError(f"{source} and {target} lie in each other: what is copied would be source, or surplus")

    # -- what is to be done ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def begun(self) -> AsyncGenerator[None]:
        """Check the two places, and hold a target directory open.

        It is made, unless this is a dry run.
        """
        source, target = self._source, self._target
        if isinstance(source, Directory) and not await in_thread(source.root.is_dir):
            raise ConfigError(f"{source} is no directory")
        if isinstance(target, Directory) and await in_thread(target.root.is_file):
            raise ConfigError(f"{target} is a file, and no directory")
        if self._landing is None:
            yield
            return
        async with self._landing.opened(create=self._budget is not None and not self._request.dry_run):
            yield

    async def actions(self) -> AsyncGenerator[tuple[SyncAction, Step]]:
        """Yield each action with its step, as it is found."""
        source, target = self._source, self._target

        def same(entry: Entry) -> None:
            self._seen = True
            self._unchanged += 1

        async def differ(left: Entry, right: Entry) -> str | None:
            return await difference(self._service, left, right, self._request.compare)

        async with aclosing(steps(source.entries(), target.entries(), differ, same)) as found:
            async for step in found:
                action = await self._action(step)
                if action is not None:
                    yield action, step

    async def _action(self, step: Step) -> SyncAction | None:
        entry = step.source
        if entry is None:
            return await self._surplus(step) if self._request.delete else None
        source, target = self._source.at(entry.name), self._target.at(entry.name)
        if isinstance(entry, Unreadable):
            self._whole = self._whole and isinstance(entry, Reserved)
            return SyncAction("refuse", str(entry.path), target, 0, step.reason)
        self._seen = True
        if self._landing is not None:
            try:
                await in_thread(self._landing.path, entry.name)
            except TransferError as error:
                self._placed = False
                return SyncAction("refuse", source, target, entry.size, str(error))
            return SyncAction("download", source, target, entry.size, step.reason)
        kind = "upload" if isinstance(entry, LocalFile) else "copy"
        return SyncAction(kind, source, target, entry.size, step.reason)

    async def _surplus(self, step: Step) -> SyncAction | None:
        """Say what is to be done with something that only the target has."""
        gone = step.target
        assert gone is not None
        target = self._target.at(gone.name)
        if isinstance(gone, Unreadable):
            # In a directory, reserved names are those of our own downloads; what is in a directory that cannot be read stays.
            closed = not gone.name or gone.name.endswith("/")
            if (isinstance(self._target, Directory) and not closed) or await self._stands(gone.name):
                return None
            return SyncAction("refuse", "", target, 0, f"not deleted: {step.reason}")
        if await self._stands(gone.name):
            return None
        if self._landing is not None and (reason := await in_thread(self._landing.keeps, gone.name)):
            return SyncAction("refuse", "", target, gone.size, f"not deleted: {reason}")
        return SyncAction("delete", "", target, gone.size, step.reason)

    async def _stands(self, name: str) -> bool:
        """Return whether a source directory has something of that name after all."""
        source = self._source
        return isinstance(source, Directory) and await in_thread(stands, source.root, name, self._request.symlinks)

    # -- and doing it ---------------------------------------------------------------------------------------------

    async def run(self) -> SyncResult:
        """Do it all, or with `dry_run` tell of it."""
        what = f"the synchronisation of {self._target} with {self._source}"
        listed: list[SyncAction] = []
        # Not `with await in_thread(...)`: a cancel meanwhile would leave the file open.
        async with self._monitor.run(None, what), held(_scratch, _close) as surplus, self.begun():
            async with TaskPool(self._request.concurrency, self._monitor) as crew, aclosing(self.actions()) as actions:
                async for action, step in actions:
                    if self._request.dry_run:
                        listed.append(action)
                    elif action.kind == "refuse":
                        error = step.source.error if isinstance(step.source, Unreadable) else TransferError(action.reason)
                        crew.failed(*self._at_both(action), error)
                    elif action.kind == "delete":
                        assert step.target is not None
                        surplus.write(json.dumps(step.target.name) + "\n")
                    else:
                        await self._transfer(crew, action, step)
            kept = self.why_not_delete() if self._request.delete else None
            deleted = 0
            if self._request.delete and kept is None and not self._request.dry_run:
                deleted = await self._delete(surplus, crew)
            result = SyncResult(
                files=crew.files,
                bytes=crew.bytes,
                deleted=deleted,
                unchanged=self._unchanged,
                errors=crew.errors,
                not_deleted=kept,
                dry_run=self._request.dry_run,
                actions=listed,
            )
            if crew.errors or (kept is not None and not self._request.dry_run):
                raise self._failure(what, crew, kept, result) from (ExceptionGroup(what, crew.causes) if crew.causes else None)
            return result

    def _failure(self, what: str, crew: TaskPool, kept: str | None, result: SyncResult) -> DirectoryError:
        reasons = (
            [f"{len(crew.errors)} of {crew.files + len(crew.errors)} files failed: {crew.causes[0]}"] if crew.errors else []
        )
        if kept is not None:
            reasons.append(f"nothing was deleted: {kept}")
        return DirectoryError(f"{what}: {'; '.join(reasons)}", result)

    def why_not_delete(self) -> str | None:
        """Say why what seems surplus is not to be deleted; None where it is."""
        if not self._whole:
            return "not all of the source could be read"
        if not self._placed:
            return "not all of the source has a place here, and what seems surplus may stand for it"
        if not (self._source.in_order and self._target.in_order):
            return "the service does not list keys in order, so nothing is surely surplus"
        if not self._seen:
            return f"there is nothing in {self._source}, and all of {self._target} would go"
        return None

    async def _transfer(self, crew: TaskPool, action: SyncAction, step: Step) -> None:
        entry = step.source
        assert entry is not None
        assert not isinstance(entry, Unreadable)

        async def work() -> int:
            assert self._budget is not None
            if isinstance(entry, LocalFile):
                return await self._send(entry)
            if isinstance(self._target, Prefix):
                key = self._target.prefix + entry.name
                return await self._copy(entry, self._target.bucket, key)
            return await self._fetch(entry)

        await crew.do(*self._at_both(action), work)

    def _at_both(self, action: SyncAction) -> tuple[str, str]:
        """Return the path and the key that an action is about."""
        up = isinstance(self._source, Directory)
        return (action.source, action.target) if up else (action.target, action.source)

    async def _send(self, entry: LocalFile) -> int:
        """Upload one file; once more where it was changed meanwhile, since its object would look the newer of the two."""
        assert self._budget is not None
        assert isinstance(self._target, Prefix)
        request, key = self._request, self._target.prefix + entry.name
        for _ in range(_TRIES):
            try:
                before = await in_thread(os.stat, entry.path)
                up = UploadRequest(self._target.bucket, key, entry.path, part_size=request.part_size, resume=request.resume)
                result = await upload(self._service, self._budget, up, self._monitor.of_file(request, key))
                after = await in_thread(os.stat, entry.path)
            except (OSError, ConfigError) as error:
                # It cannot be read, or is no regular file any more. The service's timeout is an `OSError`, too.
                self._whole = self._whole and isinstance(error, RequestTimeoutError)
                raise
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                return result.size
        raise TransferError(f"{entry.path} was changed each time while it was uploaded, {_TRIES} times")

    async def _copy(self, entry: RemoteObject, bucket: str, key: str) -> int:
        assert self._budget is not None
        one = CopyRequest(entry.bucket, entry.key, bucket, key, source_if_match=entry.etag or None)
        return (await copy(self._service, self._budget, one, self._monitor.of_file(self._request, key))).size

    async def _fetch(self, entry: RemoteObject) -> int:
        """Download one object, and give its file the object's time: so it is seen to be the same, from either side."""
        assert self._budget is not None
        assert self._landing is not None
        async with self._landing.target(entry.name) as target:
            one = DownloadRequest(
                entry.bucket, entry.key, target, part_size=self._request.part_size, resume=self._request.resume
            )
            result = await download(self._service, self._budget, one, self._monitor.of_file(self._request, entry.key))
            if entry.modified:
                stamps = (entry.modified, entry.modified)
                await in_thread(os.utime, target.path.name, ns=stamps, dir_fd=target.dir_fd, follow_symlinks=False)
            return result.size

    async def _delete(self, surplus: IO[str], crew: TaskPool) -> int:
        await self._monitor.wait_if_paused()
        surplus.seek(0)
        target, done = self._target, 0
        if self._landing is not None:
            for name in _names(surplus):
                try:
                    done += await in_thread(self._landing.remove, name)
                except (OSError, TransferError) as error:
                    crew.failed(self._target.at(name), "", error)
            return done
        assert isinstance(target, Prefix)

        async def keys() -> AsyncIterator[str]:
            nonlocal done
            for name in _names(surplus):
                if not await self._stands(name):  # it may have come meanwhile
                    done += 1
                    yield target.prefix + name

        result = await self._service.objects.delete_many(target.bucket, keys(), quiet=True)
        for error in result.errors:
            crew.failed("", f"cos://{target.bucket}/{error.key}", TransferError(f"{error.key}: {error.code}: {error.message}"))
        return done - len(result.errors)


def _scratch() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8")


def _close(file: IO[str]) -> None:
    file.close()


def _names(surplus: IO[str]) -> Iterator[str]:
    for line in surplus:
        yield json.loads(line)
