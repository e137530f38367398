"""Make one side like the other, by transferring what differs.

Both sides are listed once, in parallel, while transfers run, so even a tree of a million files is never in memory. Names that
only the target has are written to a temporary file, and deleted after all transfers, if the whole source was read: a source
that could not be read, or was listed out of order, would make everything look as if only the target had it. Before an object
is deleted, its file is looked for once more: a name that exists in the source directory, whatever it is, is not deleted.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import IO

import aiofiles.os

from aiocos.errors import ConfigError, RequestTimeoutError, TransferError
from aiocos.groups import Service, engine_of
from aiocos.transfer.copy.copy import copy
from aiocos.transfer.files import in_thread, resource
from aiocos.transfer.location import is_cos_url
from aiocos.transfer.memory import MemoryBudget
from aiocos.transfer.parts import check_concurrency
from aiocos.transfer.pool import TaskPool
from aiocos.transfer.progress import Monitor, ProgressCallbacks
from aiocos.transfer.requests import CopyRequest, SyncRequest
from aiocos.transfer.results import DirectoryError, SyncAction, SyncResult
from aiocos.transfer.sync.comparator import difference
from aiocos.transfer.sync.files import FileDownloads, FileUploads
from aiocos.transfer.sync.filters import Filter
from aiocos.transfer.sync.listing import Directory, Entry, Prefix, RemoteObject, side_of
from aiocos.transfer.sync.plan import Step, steps
from aiocos.transfer.sync.safe_target import SafeTarget
from aiocos.transfer.sync.walk import LocalFile, Reserved, Unreadable, may_exist

# Uploads of a file that is changed each time while it is uploaded.
_UPLOAD_ATTEMPTS = 3


async def sync(service: Service, budget: MemoryBudget, request: SyncRequest, monitor: Monitor) -> SyncResult:
    """Run a sync; see `SyncRequest`."""
    return await _Sync(service, budget, request, monitor).run()


async def plan(service: Service, request: SyncRequest) -> AsyncGenerator[SyncAction]:
    """Yield what a sync would do, as it is found. Changes nothing."""
    run = _Sync(service, None, request, Monitor(ProgressCallbacks(), "", ""))
    async with run.opened(), aclosing(run.actions()) as actions:
        async for action, _ in actions:
            yield action
    if request.delete and (reason := run.why_not_delete()):
        yield SyncAction("refuse", str(request.source), str(request.target), 0, f"nothing would be deleted: {reason}")


class _Sync:
    """One sync. `budget` None: only a plan is wanted."""

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
        both_remote = is_cos_url(request.source) and is_cos_url(request.target)
        self._source = side_of(service, request.source, wanted, request.symlinks, folders=both_remote)
        self._target = side_of(service, request.target, wanted, request.symlinks, folders=both_remote, is_target=True)
        self._check_sides()
        self._safe_target: SafeTarget | None = None
        if isinstance(self._target, Directory):
            config = engine_of(service).config.transfer
            self._safe_target = SafeTarget(self._target.root, state=config.state_dir, fsync=config.fsync)
        self._changes = budget is not None and not request.dry_run
        self._uploads = self._downloads = None
        if budget is not None:
            self._uploads = FileUploads(service, budget, part_size=request.part_size, resume=request.resume)
            if self._safe_target is not None:
                self._downloads = FileDownloads(
                    service, budget, self._safe_target, part_size=request.part_size, resume=request.resume
                )
        self._unchanged = 0
        self._source_is_empty = True
        self._source_was_read = True  # False once something in it could not be read
        self._all_have_paths = True  # False once a key could not become a path

    def _check_sides(self) -> None:
        source, target = self._source, self._target
        if isinstance(source, Directory) and isinstance(target, Directory):
            raise ConfigError(f"{source} and {target}: one of the two must be a cos:// location")
        if str(source).startswith(str(target)) or str(target).startswith(str(source)):
            raise ConfigError(f"{source} and {target}: one contains the other, so what is copied would change the source")

    # -- planning -------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Check that the two sides are directories, and keep the target directory open.

        It is made unless nothing changes.
        """
        source, target = self._source, self._target
        if isinstance(source, Directory) and not await aiofiles.os.path.isdir(source.root):
            raise ConfigError(f"{source} is not a directory")
        if isinstance(target, Directory) and await aiofiles.os.path.isfile(target.root):
            raise ConfigError(f"{target} is a file, not a directory")
        if self._safe_target is None:
            yield
            return
        async with self._safe_target.opened(create=self._changes):
            yield

    async def actions(self) -> AsyncGenerator[tuple[SyncAction, Step]]:
        """Yield each action with its step, as it is found."""
        source, target = self._source, self._target

        def on_unchanged(entry: Entry) -> None:
            self._source_is_empty = False
            self._unchanged += 1

        async def compare(left: Entry, right: Entry) -> str | None:
            return await difference(self._service, left, right, self._request.compare)

        async with aclosing(steps(source.entries(), target.entries(), compare, on_unchanged)) as found:
            async for step in found:
                action = await self._action(step)
                if action is not None:
                    yield action, step

    async def _action(self, step: Step) -> SyncAction | None:
        entry = step.source
        if entry is None:
            return await self._delete_action(step) if self._request.delete else None
        source, target = self._source.location(entry.name), self._target.location(entry.name)
        if isinstance(entry, Unreadable):
            self._source_was_read = self._source_was_read and isinstance(entry, Reserved)
            return SyncAction("refuse", str(entry.path), target, 0, step.reason)
        self._source_is_empty = False
        if self._safe_target is not None:
            try:
                self._safe_target.check_name(entry.name)
                if not self._changes:  # else writing the file looks at what is there
                    await in_thread(self._safe_target.path, entry.name)
            except TransferError as error:
                self._all_have_paths = False
                return SyncAction("refuse", source, target, entry.size, str(error))
            return SyncAction("download", source, target, entry.size, step.reason)
        kind = "upload" if isinstance(entry, LocalFile) else "copy"
        return SyncAction(kind, source, target, entry.size, step.reason)

    async def _delete_action(self, step: Step) -> SyncAction | None:
        """Return the action for something that only the target has.

        Returns None if it is not to be touched.
        """
        entry = step.target
        assert entry is not None
        target = self._target.location(entry.name)
        if isinstance(entry, Unreadable):
            # In a directory, reserved names belong to our own downloads. What is in an unreadable directory is kept, and
            # reported.
            is_directory = not entry.name or entry.name.endswith("/")
            if (isinstance(self._target, Directory) and not is_directory) or await self._source_may_have(entry.name):
                return None
            return SyncAction("refuse", "", target, 0, f"not deleted: {step.reason}")
        if await self._source_may_have(entry.name):
            return None
        if self._safe_target is not None and (reason := await in_thread(self._safe_target.why_kept, entry.name)):
            return SyncAction("refuse", "", target, entry.size, f"not deleted: {reason}")
        return SyncAction("delete", "", target, entry.size, step.reason)

    async def _source_may_have(self, name: str) -> bool:
        """Return True if a source directory may have something of that name."""
        source = self._source
        return isinstance(source, Directory) and await in_thread(may_exist, source.root, name, self._request.symlinks)

    # -- transferring ---------------------------------------------------------------------------------------------

    async def run(self) -> SyncResult:
        """Do everything, or with `dry_run` list it."""
        what = f"the synchronisation of {self._target} with {self._source}"
        listed: list[SyncAction] = []
        # With `resource`, since a cancel while a thread opens the temporary file would leave it open.
        async with self._monitor.run(None, what), resource(_temporary_file, _close) as to_delete, self.opened():
            async with TaskPool(self._request.concurrency, self._monitor) as pool, aclosing(self.actions()) as actions:
                async for action, step in actions:
                    if self._request.dry_run:
                        listed.append(action)
                    elif action.kind == "refuse":
                        error = step.source.error if isinstance(step.source, Unreadable) else TransferError(action.reason)
                        pool.record_failure(*self._path_and_key(action), error)
                    elif action.kind == "delete":
                        assert step.target is not None
                        to_delete.write(json.dumps(step.target.name) + "\n")
                    else:
                        await self._transfer(pool, action, step)
            not_deleted = self.why_not_delete() if self._request.delete else None
            deleted = 0
            if self._request.delete and not_deleted is None and not self._request.dry_run:
                deleted = await self._delete(to_delete, pool)
            result = SyncResult(
                files=pool.files,
                bytes=pool.bytes,
                deleted=deleted,
                unchanged=self._unchanged,
                errors=pool.errors,
                not_deleted=not_deleted,
                dry_run=self._request.dry_run,
                actions=listed,
            )
            if pool.errors or (not_deleted is not None and not self._request.dry_run):
                cause = ExceptionGroup(what, pool.causes) if pool.causes else None
                raise self._error(what, pool, not_deleted, result) from cause
            return result

    def _error(self, what: str, pool: TaskPool, not_deleted: str | None, result: SyncResult) -> DirectoryError:
        reasons = (
            [f"{len(pool.errors)} of {pool.files + len(pool.errors)} files failed: {pool.causes[0]}"] if pool.errors else []
        )
        if not_deleted is not None:
            reasons.append(f"nothing was deleted: {not_deleted}")
        return DirectoryError(f"{what}: {'; '.join(reasons)}", result)

    def why_not_delete(self) -> str | None:
        """Return why nothing must be deleted.

        Returns None if names that only the target has are certain to be missing in the source.
        """
        if not self._source_was_read:
            return "not all of the source could be read"
        if not self._all_have_paths or (self._safe_target is not None and self._safe_target.refused):
            return "some keys of the source cannot be paths here, and files that seem to be surplus may be theirs"
        if not (self._source.in_order and self._target.in_order):
            return "the service does not list keys in order, so no file is certain to be surplus"
        if self._source_is_empty:
            return f"{self._source} is empty, so everything in {self._target} would be deleted"
        return None

    async def _transfer(self, pool: TaskPool, action: SyncAction, step: Step) -> None:
        entry = step.source
        assert entry is not None
        assert not isinstance(entry, Unreadable)

        async def transfer() -> int:
            assert self._budget is not None
            if isinstance(entry, LocalFile):
                return await self._upload(entry)
            if isinstance(self._target, Prefix):
                return await self._copy(entry, self._target.bucket, self._target.prefix + entry.name)
            return await self._download(entry)

        await pool.submit(*self._path_and_key(action), transfer)

    def _path_and_key(self, action: SyncAction) -> tuple[str, str]:
        """Return the path and the key of an action, for reports."""
        up = isinstance(self._source, Directory)
        return (action.source, action.target) if up else (action.target, action.source)

    async def _upload(self, entry: LocalFile) -> int:
        """Upload a file, and again if it was changed meanwhile.

        Its object would look newer than the file, and never be updated.
        """
        assert self._uploads is not None
        assert isinstance(self._target, Prefix)
        bucket, key = self._target.bucket, self._target.prefix + entry.name
        for _ in range(_UPLOAD_ATTEMPTS):
            try:
                size, before = await self._uploads.upload(entry, bucket, key, self._monitor.for_file(self._request, key))
                after = await self._uploads.stat(entry.path)
            except (OSError, ConfigError) as error:
                # The file cannot be read, or is not a regular file any more. Our own timeout is an `OSError`, too.
                self._source_was_read = self._source_was_read and isinstance(error, RequestTimeoutError)
                raise
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                return size
        raise TransferError(f"{entry.path} was changed each time while it was uploaded, {_UPLOAD_ATTEMPTS} times")

    async def _copy(self, entry: RemoteObject, bucket: str, key: str) -> int:
        assert self._budget is not None
        request = CopyRequest(entry.bucket, entry.key, bucket, key, source_if_match=entry.etag or None)
        return (await copy(self._service, self._budget, request, self._monitor.for_file(self._request, key))).size

    async def _download(self, entry: RemoteObject) -> int:
        """Download an object, and give the file the object's time.

        So a later sync finds them equal, in either direction.
        """
        assert self._downloads is not None
        monitor = self._monitor.for_file(self._request, entry.key)
        return await self._downloads.download(entry, monitor, modified=entry.modified)

    async def _delete(self, to_delete: IO[str], pool: TaskPool) -> int:
        """Delete the names in the temporary file from the target.

        Returns how many were deleted.
        """
        await self._monitor.wait_if_paused()
        to_delete.seek(0)
        target, deleted = self._target, 0
        if self._safe_target is not None:
            for name in _names(to_delete):
                try:
                    deleted += await in_thread(self._safe_target.remove, name)
                except (OSError, TransferError) as error:
                    pool.record_failure(self._target.location(name), "", error)
            return deleted
        assert isinstance(target, Prefix)

        async def keys() -> AsyncIterator[str]:
            nonlocal deleted
            for name in _names(to_delete):
                if not await self._source_may_have(name):  # it may have been created meanwhile
                    deleted += 1
                    yield target.prefix + name

        result = await self._service.objects.delete_many(target.bucket, keys(), quiet=True)
        for error in result.errors:
            failure = TransferError(f"{error.key}: {error.code}: {error.message}")
            pool.record_failure("", f"cos://{target.bucket}/{error.key}", failure)
        return deleted - len(result.errors)


def _temporary_file() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8")


def _close(file: IO[str]) -> None:
    file.close()


def _names(file: IO[str]) -> Iterator[str]:
    for line in file:
        yield json.loads(line)
