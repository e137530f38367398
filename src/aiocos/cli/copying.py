"""`cp` and `cat`."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from aiocos.cli.arguments import Json, Quiet, Recursive, settings, size_of
from aiocos.cli.display import complain, human, printable, say, show_json, watching
from aiocos.cli.paths import CosPath, Place, file_for, key_for, place
from aiocos.client import Client
from aiocos.errors import CosError, TransferError
from aiocos.transfer import DirectoryError, DirectoryResult
from aiocos.transfer.results import Observer
from aiocos.wire.ranges import ByteRange

# Copies within the service in flight: they cost it work, and us nothing.
_COPIES = 16


def cp(
    source: Annotated[str, typer.Argument(help="A file, a directory, cos://bucket/key, or - for standard input.")],
    target: Annotated[str, typer.Argument(help="The same, or - for standard output.")],
    recursive: Recursive = False,
    content_type: Annotated[str | None, typer.Option(help="Media type of what is uploaded.")] = None,
    metadata: Annotated[list[str] | None, typer.Option(help="name=value, may be repeated.", metavar="NAME=VALUE")] = None,
    part_size: Annotated[str | None, typer.Option(help="Bytes of a part: 16MiB.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Parts, or files with -r, in flight.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Copy files and objects: up, down, or within the service.

    A target that is a bucket, a directory, or ends in a slash takes the source's name below it. With -r, what is in the source
    directory (or below the source prefix) comes to lie in the target. Existing files and objects are replaced.
    """
    here, there = place(source), place(target)
    if not isinstance(here, CosPath) and not isinstance(there, CosPath):
        raise typer.BadParameter("one of the two must be a cos:// path")
    pairs = dict(_pair(text) for text in metadata or ())
    size = size_of(part_size)

    async def work(client: Client) -> None:
        began = perf_counter()
        with watching(f"{printable(source)} → {printable(target)}", quiet=quiet or as_json) as progress:
            job = _Copy(client, here, there, target, recursive, content_type, pairs, size, concurrency, progress)
            outcome = await job.run()
        if as_json:
            show_json(outcome)
        elif not quiet and there is not None:
            seconds = perf_counter() - began
            files = f"{outcome['files']} files, " if "files" in outcome else ""
            moved: int | None = outcome.get("bytes")
            told = (
                f"{human(moved)} in {seconds:.1f} s ({human(moved / seconds)}/s)" if moved is not None else f"{seconds:.1f} s"
            )
            say(f"{files}{told}")

    settings().run(work)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text!r} is not name=value")
    return name, value


class _Copy:
    """One run of `cp`."""

    def __init__(
        self,
        client: Client,
        source: Place,
        target: Place,
        target_text: str,
        recursive: bool,
        content_type: str | None,
        metadata: dict[str, str],
        part_size: int | None,
        concurrency: int | None,
        progress: Observer,
    ) -> None:
        self._client = client
        self._source = source
        self._target = target
        self._target_text = target_text
        self._recursive = recursive
        self._content_type = content_type
        self._metadata = metadata or None
        self._part_size = part_size
        self._concurrency = concurrency
        self._progress = progress

    async def run(self) -> dict[str, Any]:
        """Do it; return what there is to tell."""
        match self._source, self._target:
            case CosPath() as source, CosPath() as target:
                return await (self._copy_prefix if self._recursive else self._copy_object)(source, target)
            case CosPath() as source, None:
                return await self._to_stdout(source)
            case CosPath() as source, Path() as target:
                return await (self._download_all if self._recursive else self._download)(source, target)
            case None, CosPath() as target:
                return await self._upload(sys.stdin.buffer, target, "stdin")
            case Path() as source, CosPath() as target:
                if self._recursive:
                    return await self._upload_all(source, target)
                if source.is_dir():
                    raise typer.BadParameter(f"{source} is a directory: say -r")
                return await self._upload(source, target, source.name)
            case _:
                raise typer.BadParameter("one of the two must be a cos:// path")

    async def _upload(self, source: Any, target: CosPath, name: str) -> dict[str, Any]:
        result = await self._client.upload(
            target.bucket,
            key_for(target, name),
            source,
            part_size=self._part_size,
            concurrency=self._concurrency,
            content_type=self._content_type,
            metadata=self._metadata,
            progress=self._progress,
        )
        return {**result.model_dump(mode="json", exclude_none=True), "bytes": result.size}

    async def _download(self, source: CosPath, target: Path) -> dict[str, Any]:
        path = file_for(target, self._target_text, source.key)
        result = await self._client.download(
            source.bucket,
            source.key,
            path,
            part_size=self._part_size,
            concurrency=self._concurrency,
            progress=self._progress,
        )
        return {**result.model_dump(mode="json", exclude_none=True), "bytes": result.size}

    async def _to_stdout(self, source: CosPath) -> dict[str, Any]:
        return {"bytes": await _pour(self._client, source, None)}

    async def _upload_all(self, source: Path, target: CosPath) -> dict[str, Any]:
        return await _whole(
            lambda: self._client.upload_directory(
                source,
                target.bucket,
                prefix=target.folder,
                concurrency=self._concurrency,
                part_size=self._part_size,
                progress=self._progress,
            )
        )

    async def _download_all(self, source: CosPath, target: Path) -> dict[str, Any]:
        return await _whole(
            lambda: self._client.download_directory(
                source.bucket,
                target,
                prefix=source.folder,
                concurrency=self._concurrency,
                part_size=self._part_size,
                progress=self._progress,
            )
        )

    async def _copy_object(self, source: CosPath, target: CosPath) -> dict[str, Any]:
        name = source.key.rsplit("/", 1)[-1]
        await self._client.objects.copy(target.bucket, key_for(target, name), (source.bucket, source.key))
        return {"bucket": target.bucket, "key": key_for(target, name)}

    async def _copy_prefix(self, source: CosPath, target: CosPath) -> dict[str, Any]:
        places, done, failures = asyncio.Semaphore(self._concurrency or _COPIES), 0, 0

        async def one(key: str, new: str) -> None:
            nonlocal done, failures
            try:
                await self._client.objects.copy(target.bucket, new, (source.bucket, key))
                done += 1
            except CosError as error:
                failures += 1
                complain(str(error))
            finally:
                places.release()

        async with asyncio.TaskGroup() as tasks:
            async for entry in self._client.objects.list(source.bucket, prefix=source.folder or None):
                await places.acquire()
                tasks.create_task(one(entry.key, target.folder + entry.key[len(source.folder) :]))
        if failures:
            raise TransferError(f"{failures} of {done + failures} objects were not copied")
        return {"files": done}


async def _whole(work: Callable[[], Any]) -> dict[str, Any]:
    try:
        result: DirectoryResult = await work()
    except DirectoryError as error:
        for one in error.result.errors[:20]:
            complain(f"{printable(one.path)}: {one.error}")
        raise
    return result.model_dump(mode="json")


def cat(
    path: Annotated[str, typer.Argument(help="cos://bucket/key")],
    range_: Annotated[str | None, typer.Option("--range", help="Bytes first-last, first- or -count.", metavar="RANGE")] = None,
) -> None:
    """Write an object to standard output."""
    target = CosPath.parse(path)
    if not target.key:
        raise typer.BadParameter(f"{path} is a bucket")
    try:
        wanted = ByteRange.from_wire(f"bytes={range_}") if range_ else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None

    async def work(client: Client) -> None:
        await _pour(client, target, wanted)

    settings().run(work)


async def _pour(client: Client, source: CosPath, wanted: ByteRange | None) -> int:
    """Write an object to standard output as it comes; return its bytes."""
    out, total = sys.stdout.buffer, 0
    async with client.objects.get(source.bucket, source.key, range=wanted) as stream:
        async for chunk in stream:
            await asyncio.to_thread(_write_all, out.fileno(), chunk)
            total += len(chunk)
    return total


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
