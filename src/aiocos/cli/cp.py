"""`cp`: up, down, within the service, from standard input and to standard output."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from aiocos.cli.arguments import Json, Quiet, Recursive, size_of
from aiocos.cli.copy_within import copy_object, copy_prefix
from aiocos.cli.display import ProgressView, complain, human, say, show_json, watching
from aiocos.cli.paths import CosPath, Place, file_for, key_for, place
from aiocos.cli.running import settings
from aiocos.cli.stdio import pour, standard_input
from aiocos.client import Client
from aiocos.errors import CosError, TransferError
from aiocos.transfer import DirectoryError
from aiocos.transfer.file_objects import Source
from aiocos.transfer.sync.walk import walk

# Failures of single files that are shown; `--json` has all.
_SHOWN = 20


def cp(
    source: Annotated[str, typer.Argument(help="A file, a directory, cos://bucket/key, or - for standard input.")],
    target: Annotated[str, typer.Argument(help="The same, or - for standard output.")],
    recursive: Recursive = False,
    content_type: Annotated[str | None, typer.Option(help="Media type of the object that is made (not with -r).")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(help="name=value of the object that is made; may be repeated.", metavar="NAME=VALUE")
    ] = None,
    part_size: Annotated[str | None, typer.Option(help="Bytes of a part: 16MiB.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Parts, or files with -r, in flight.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is done when interrupted, and go on from it.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Copy files and objects: up, down, or within the service.

    A target that is a bucket, a directory, or ends in a slash takes the source under its own name; any other target is the new
    name. With -r, what is in the source directory (or below the source prefix) comes to lie directly in the target: `cp -r site
    cos://b/www` makes `www/index.html` of `site/index.html`, with or without slashes at the ends. Existing files and objects
    are replaced; a file that fails does not stop the others.
    """
    job = _Copy(
        place(source),
        place(target),
        target,
        recursive,
        content_type,
        dict(_pair(text) for text in metadata or ()) or None,
        size_of(part_size),
        concurrency,
        resume,
    )
    job.check()
    piped = job.target is None
    if piped and as_json:
        raise typer.BadParameter("--json and the object would both go to standard output")

    async def work(client: Client) -> None:
        began = perf_counter()
        # On a terminal, bytes and bar would be mixed.
        with watching(job.label, quiet=quiet or as_json or (piped and sys.stdout.isatty())) as watch:
            try:
                outcome = await job.run(client, watch)
            except DirectoryError as error:
                if as_json:
                    show_json(error.result)
                for one in error.result.errors[:_SHOWN]:
                    complain(f"{one.path}: {one.error}")
                if (more := len(error.result.errors) - _SHOWN) > 0:
                    complain(f"and {more:,} more, which --json names")
                raise
        if as_json:
            show_json(outcome)
        elif not quiet and not piped:
            say(_summary(outcome, perf_counter() - began))

    settings().run(work)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text!r} is not name=value")
    return name, value


def _summary(outcome: dict[str, Any], seconds: float) -> str:
    count: int | None = outcome.get("files")
    files = "" if count is None else f"{count:,} file{'' if count == 1 else 's'}, "
    moved: int | None = outcome.get("bytes")
    if moved is None:
        return f"copied in {seconds:.1f} s"
    return f"{files}{human(moved)} in {seconds:.1f} s ({human(moved / seconds)}/s)"


@dataclass(slots=True)
class _Copy:
    """One run of `cp`."""

    source: Place
    target: Place
    target_text: str
    recursive: bool
    content_type: str | None
    metadata: dict[str, str] | None
    part_size: int | None
    concurrency: int | None
    resume: bool

    @property
    def label(self) -> str:
        """What is being copied, in a word."""
        match self.source:
            case None:
                return "standard input"
            case CosPath():
                return self.source.key.rstrip("/").rsplit("/", 1)[-1] or self.source.bucket
            case Path():
                return self.source.name or self.source.resolve().name or "/"

    def check(self) -> None:
        """Refuse what cannot be meant, before anything is connected."""
        source, target = self.source, self.target
        if not isinstance(source, CosPath) and not isinstance(target, CosPath):
            raise typer.BadParameter("one of the two must be a cos:// path")
        if isinstance(source, Path) and self.recursive and source.is_file():
            self.recursive = False
        if self.recursive and (source is None or target is None):
            raise typer.BadParameter("- is one stream of bytes, -r means many files")
        if self.recursive and isinstance(source, CosPath) and isinstance(target, CosPath) and target.is_below(source):
            raise typer.BadParameter(f"{target} lies in {source}: the copies would be copied again")
        if isinstance(source, CosPath) and not self.recursive and not source.key:
            raise typer.BadParameter(f"{source} is a bucket: name an object in it, or say -r for all of them")
        if self.resume and (source is None or target is None):
            raise typer.BadParameter("- is read or written only once, and cannot be resumed")
        if self.resume and isinstance(source, CosPath) and isinstance(target, CosPath):
            raise typer.BadParameter("copies within the service cannot be resumed: they begin anew")
        if source is None and isinstance(target, CosPath) and target.is_place:
            raise typer.BadParameter(f"standard input has no name that it could have in {target}: name the object")
        if isinstance(source, Path) and not self.recursive and source.is_dir():
            raise typer.BadParameter(f"{source} is a directory: say -r")
        if (self.content_type or self.metadata) and (self.recursive or not isinstance(target, CosPath)):
            raise typer.BadParameter("--content-type and --metadata are for one object that is made")

    async def run(self, client: Client, watch: ProgressView) -> dict[str, Any]:
        """Do it; return what there is to tell."""
        match self.source, self.target:
            case CosPath() as source, CosPath() as target:
                return await self._within(client, source, target, watch)
            case CosPath() as source, None:
                return {"bytes": await pour(client, source, watch=watch)}
            case CosPath() as source, Path() as target:
                work = self._download_all if self.recursive else self._download
                return await work(client, source, target, watch)
            case None, CosPath() as target:
                return await self._upload(client, standard_input(), target, "", watch)
            case Path() as source, CosPath() as target:
                if self.recursive:
                    return await self._upload_all(client, source, target, watch)
                return await self._upload(client, source, target, source.name, watch)
            case _:
                raise AssertionError("unreachable: refused by `check`")

    async def _upload(self, client: Client, source: Source, target: CosPath, name: str, watch: ProgressView) -> dict[str, Any]:
        result = await client.upload(
            target.bucket,
            key_for(target, name),
            source,
            part_size=self.part_size,
            concurrency=self.concurrency,
            resume=self.resume,
            content_type=self.content_type,
            metadata=self.metadata,
            progress=watch,
        )
        return {**result.model_dump(mode="json", exclude_none=True), "bytes": result.size}

    async def _download(self, client: Client, source: CosPath, target: Path, watch: ProgressView) -> dict[str, Any]:
        path = file_for(target, self.target_text, source)
        if path != target:
            await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
        result = await client.download(
            source.bucket,
            source.key,
            path,
            part_size=self.part_size,
            concurrency=self.concurrency,
            resume=self.resume,
            progress=watch,
        )
        return {**result.model_dump(mode="json", exclude_none=True), "bytes": result.size}

    async def _upload_all(self, client: Client, source: Path, target: CosPath, watch: ProgressView) -> dict[str, Any]:
        # Raises, with the reason, where there is no such thing.
        await asyncio.to_thread(source.stat)
        async with _beside(watch, lambda: _size_of_tree(source)):
            result = await client.upload_directory(
                source,
                target.bucket,
                prefix=target.folder,
                concurrency=self.concurrency,
                part_size=self.part_size,
                resume=self.resume,
                progress=watch,
            )
        return result.model_dump(mode="json")

    async def _download_all(self, client: Client, source: CosPath, target: Path, watch: ProgressView) -> dict[str, Any]:
        await _something_below(client, source)
        async with _beside(watch, lambda: _size_of_prefix(client, source)):
            result = await client.download_directory(
                source.bucket,
                target,
                prefix=source.folder,
                concurrency=self.concurrency,
                part_size=self.part_size,
                resume=self.resume,
                progress=watch,
            )
        return result.model_dump(mode="json")

    async def _within(self, client: Client, source: CosPath, target: CosPath, watch: ProgressView) -> dict[str, Any]:
        if not self.recursive:
            copied = await copy_object(
                client,
                source,
                target,
                self.content_type,
                self.metadata,
                part_size=self.part_size,
                concurrency=self.concurrency,
                watch=watch,
            )
            return {**copied.model_dump(mode="json", exclude_none=True), "bytes": copied.size}
        await _something_below(client, source)
        async with _beside(watch, lambda: _size_of_prefix(client, source)):
            return {**await copy_prefix(client, source, target, self.concurrency, watch)}


async def _something_below(client: Client, source: CosPath) -> None:
    """Raise where nothing lies below a prefix: a mistyped name must not look like a copy. An empty bucket may be copied."""
    async for page in client.objects.list(source.bucket, prefix=source.folder or None, max_keys=1).pages():
        if source.key and not page.contents:
            raise TransferError(f"nothing lies below cos://{source.bucket}/{source.folder}")
        return


@asynccontextmanager
async def _beside(watch: ProgressView, count: Callable[[], Awaitable[int]]) -> AsyncGenerator[None]:
    """Find out the bytes of all, for the bar to show how long it takes, while the transfers run already."""
    if not watch.shown:
        yield
        return

    async def counting() -> None:
        # Trouble on the way is for the transfer to tell.
        with suppress(CosError, OSError):
            watch.expect(await count())

    task = asyncio.create_task(counting())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _size_of_tree(root: Path) -> int:
    found, size = walk(root), 0
    while some := await asyncio.to_thread(lambda: [path.stat().st_size for path in islice(found, 1000)]):
        size += sum(some)
    return size


async def _size_of_prefix(client: Client, source: CosPath) -> int:
    size = 0
    async for entry in client.objects.list(source.bucket, prefix=source.folder or None):
        size += entry.size
    return size
