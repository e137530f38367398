"""The command `mv`: copy, verify the copy, then delete the source.

A source is deleted only if its copy is proven complete.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, Quiet, Recursive
from aiocos.cli.display import ProgressView, format_size, print_error, print_text, show_json, show_progress
from aiocos.cli.paths import CosPath, file_for, key_for, parse_location
from aiocos.cli.running import settings
from aiocos.cli.verify_copy import CopyVerifier
from aiocos.client import Client
from aiocos.errors import TransferError
from aiocos.transfer.files import OpenTarget, make_directory
from aiocos.transfer.pool import TaskPool
from aiocos.transfer.sync.safe_target import SafeTarget
from aiocos.transfer.sync.walk import Unreadable, find_files

# Number of files to move at the same time.
_LIMIT = 16

# One file or object to move: its name for messages, and a function that moves it and returns its size in bytes.
_Move = tuple[str, Callable[[], Awaitable[int]]]


def mv(
    source: Annotated[str, typer.Argument(help="A file, a directory, or cos://bucket/key.")],
    target: Annotated[
        str, typer.Argument(help="A file, a directory, or cos://bucket/key. One of the two must be a cos:// path.")
    ],
    recursive: Recursive = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Move files and objects: up, down, or within the service.

    Target names are chosen as `cp` does. A source is deleted only after the size and a checksum of its copy agree with it, and
    only if it was not changed in the meantime. If the service has no checksum to compare with, the copy is made, the source is
    kept and the exit code is 1.

    A downloaded file is flushed to disk before its object is deleted. A move within the service may have to read the object
    once, to compute a checksum that can be compared with the ETag of the copy.
    """
    origin, destination = parse_location(source), parse_location(target)
    if origin is None or destination is None:
        raise typer.BadParameter("mv does not work with -: use cp")
    if not isinstance(origin, CosPath) and not isinstance(destination, CosPath):
        raise typer.BadParameter("the source or the target must be a cos:// path")
    if isinstance(origin, CosPath) and not recursive:
        origin.of_object()
    if isinstance(origin, Path) and origin.is_dir() and not recursive:
        raise typer.BadParameter(f"{origin} is a directory: add -r")
    if isinstance(origin, CosPath) and isinstance(destination, CosPath):
        if origin.bucket == destination.bucket and origin.key == key_for(destination, origin.name) and not recursive:
            raise typer.BadParameter(f"{origin} cannot be moved to itself")
        if recursive and (destination.is_below(origin) or origin.is_below(destination)):
            raise typer.BadParameter(f"{origin} and {destination} overlap: one is below the other")
    many = recursive and not (isinstance(origin, Path) and origin.is_file())

    async def work(client: Client) -> None:
        async with AsyncExitStack() as stack:
            watch = stack.enter_context(show_progress(source, quiet=quiet or as_json))
            moves = _Moves(client, watch, stack)
            if isinstance(origin, Path):
                assert isinstance(destination, CosPath)
                key = key_for(destination, origin.name)
                pending = moves.up_all(origin, destination) if many else moves.up(origin, destination.bucket, key)
            elif isinstance(destination, CosPath):
                pending = moves.within_all(origin, destination) if many else moves.within(origin, destination)
            elif many:
                pending = moves.down_all(origin, destination)
            else:
                pending = moves.down(origin, file_for(destination, target, origin))
            count, size = await _run_all(pending)
        if as_json:
            show_json({"files": count, "bytes": size})
        elif not quiet:
            print_text(f"moved {count:,} file{'' if count == 1 else 's'}, {format_size(size)}")

    settings().run(work)


async def _run_all(moves: AsyncIterator[_Move]) -> tuple[int, int]:
    """Run the moves, up to `_LIMIT` at the same time.

    Returns the number of files and bytes moved. A move that fails does not stop the others; its source is kept.
    """
    async with TaskPool(_LIMIT, on_failure=lambda failure: print_error(f"{failure.path}: {failure.error}")) as pool:
        async for name, move in moves:
            await pool.submit(name, "", move)
    if failures := len(pool.errors):
        raise TransferError(f"{failures} of {pool.files + failures} files were not moved; they are kept")
    if not pool.files:
        raise TransferError("there is nothing to move: the source has no files or objects")
    return pool.files, pool.bytes


class _Moves:
    """Iterators over the files or objects to move."""

    def __init__(self, client: Client, watch: ProgressView, stack: AsyncExitStack) -> None:
        self._client = client
        self._watch = watch
        self._stack = stack  # closed after the last move
        self._verifier = CopyVerifier(client)

    # -- up -------------------------------------------------------------------------------------------------------

    async def up(self, source: Path, bucket: str, key: str) -> AsyncIterator[_Move]:
        """Move one file."""

        async def move() -> int:
            before = await asyncio.to_thread(source.stat)
            result = await self._client.upload(bucket, key, source, progress=self._watch)
            await self._verifier.uploaded(source, before.st_size, result)
            await asyncio.to_thread(_remove, source, before)
            return result.size

        yield str(source), move

    async def up_all(self, source: Path, target: CosPath) -> AsyncIterator[_Move]:
        """Move all files below a directory."""
        await asyncio.to_thread(source.stat)
        files = find_files(source)
        while batch := await asyncio.to_thread(lambda: list(islice(files, 256))):
            for file in batch:
                if isinstance(file, Unreadable):
                    yield str(file.path), _failing(file.error)
                    continue
                async for item in self.up(Path(file.path), target.bucket, target.folder + file.name):
                    yield item

    # -- down -----------------------------------------------------------------------------------------------------

    async def down(
        self, source: CosPath, path: Path, target: AbstractAsyncContextManager[OpenTarget] | None = None
    ) -> AsyncIterator[_Move]:
        """Move one object to `target` if it is not None, otherwise to the file `path`."""

        async def move() -> int:
            if target is None:
                await asyncio.to_thread(make_directory, path.parent, fsync=True)
            async with target or nullcontext(path) as file:
                result = await self._client.download(source.bucket, source.key, file, fsync=True, progress=self._watch)
                await self._verifier.downloaded(source, result)
            await self._client.objects.delete(source.bucket, source.key)
            return result.size

        yield str(source), move

    async def down_all(self, source: CosPath, root: Path) -> AsyncIterator[_Move]:
        """Move all objects below a prefix to files."""
        target_root: SafeTarget | None = None
        async for entry in self._client.objects.list(source.bucket, prefix=source.folder or None):
            if entry.key.endswith("/") and not entry.size:
                continue
            name = entry.key[len(source.folder) :]
            if target_root is None:
                target_root = SafeTarget(root, state=self._client.config.transfer.state_dir, fsync=True)
                await self._stack.enter_async_context(target_root.opened())
            async for item in self.down(CosPath(source.bucket, entry.key), root, target_root.target(name)):
                yield item

    # -- within ---------------------------------------------------------------------------------------------------

    async def within(self, source: CosPath, target: CosPath, size: int | None = None) -> AsyncIterator[_Move]:
        """Move one object within the service."""
        key = key_for(target, source.name) if size is None else target.key

        async def move() -> int:
            info = await self._client.objects.head(source.bucket, source.key, checksum_mode="ENABLED")
            result = await self._client.copy(
                source.bucket, source.key, target.bucket, key, source_if_match=info.etag or None, progress=self._watch
            )
            await self._verifier.copied(source, info, result)
            # The service has no conditional delete.
            await self._verifier.unchanged(source, info.etag, info.size)
            await self._client.objects.delete(source.bucket, source.key)
            return result.size

        yield str(source), move

    async def within_all(self, source: CosPath, target: CosPath) -> AsyncIterator[_Move]:
        """Move all objects below a prefix within the service."""
        async for entry in self._client.objects.list(source.bucket, prefix=source.folder or None):
            destination = CosPath(target.bucket, target.folder + entry.key[len(source.folder) :])
            async for item in self.within(CosPath(source.bucket, entry.key), destination, entry.size):
                yield item


def _failing(error: Exception) -> Callable[[], Awaitable[int]]:
    async def move() -> int:
        raise error

    return move


def _remove(path: Path, before: os.stat_result) -> None:
    """Remove a moved file. Raises `TransferError` if it was changed since `before`."""
    now = path.stat()
    if _identity(now) != _identity(before) or (now.st_nlink == before.st_nlink == 1 and now.st_ctime_ns != before.st_ctime_ns):
        raise TransferError(f"{path} was changed while it was moved, so it is kept; its earlier content was uploaded")
    path.unlink()


def _identity(info: os.stat_result) -> tuple[int, ...]:
    # The inode number detects another file with the same size and time. The caller compares the change time, which detects a
    # modification time that was set back; it also changes when a hard link is added or removed.
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns
