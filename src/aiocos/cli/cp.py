"""The command `cp`: upload, download, and copy within the service."""

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

from aiocos.cli.arguments import Json, PartSize, Quiet, Recursive
from aiocos.cli.copy_within import copy_object, copy_prefix
from aiocos.cli.display import ProgressView, format_size, print_error, print_text, show_json, show_progress
from aiocos.cli.paths import CosPath, Location, file_for, key_for, parse_location
from aiocos.cli.running import settings
from aiocos.cli.stdio import standard_input, write_object
from aiocos.client import Client
from aiocos.errors import CosError, TransferError
from aiocos.transfer import DirectoryError
from aiocos.transfer.file_objects import Source
from aiocos.transfer.sync.walk import walk

# Number of failed files to print on standard error; `--json` lists all of them.
_MAX_ERRORS_SHOWN = 20


def cp(
    source: Annotated[str, typer.Argument(help="A file, a directory, cos://bucket/key, or - for standard input.")],
    target: Annotated[str, typer.Argument(help="A file, a directory, cos://bucket/key, or - for standard output.")],
    recursive: Recursive = False,
    content_type: Annotated[
        str | None, typer.Option(help="Content-Type of the new object (not with -r).", metavar="TYPE")
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(help="User metadata of the new object: name=value; may be repeated.", metavar="NAME=VALUE"),
    ] = None,
    part_size: PartSize = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Transfers at the same time. Default: 8 parts (4 of standard input); with -r 32 files (16 within COS).",
            metavar="N",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue an interrupted transfer; keep the finished parts if this one is interrupted."),
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Copy files and objects: up, down, or within the service.

    If the target is a bucket, a directory, or ends in a slash, the copy keeps the name of the source; otherwise the target is
    the new name. Existing files and objects are replaced.

    With -r, the contents of the source directory or prefix are copied directly into the target: `cp -r site cos://b/www` copies
    `site/index.html` to `www/index.html`, with or without trailing slashes. If one file fails, the others are still copied.
    """
    copy = _Copy(
        parse_location(source),
        parse_location(target),
        target,
        recursive,
        content_type,
        dict(_parse_pair(text) for text in metadata or ()) or None,
        part_size,
        concurrency,
        resume,
    )
    copy.check()
    to_stdout = copy.target is None
    if to_stdout and as_json:
        raise typer.BadParameter("--json does not work with the target -: both would be written to standard output")

    async def work(client: Client) -> None:
        started = perf_counter()
        # On a terminal, the object's bytes and the progress bar would be mixed.
        with show_progress(copy.label, quiet=quiet or as_json or (to_stdout and sys.stdout.isatty())) as watch:
            try:
                result = await copy.run(client, watch)
            except DirectoryError as error:
                if as_json:
                    show_json(error.result)
                for failure in error.result.errors[:_MAX_ERRORS_SHOWN]:
                    print_error(f"{failure.path}: {failure.error}")
                if (more := len(error.result.errors) - _MAX_ERRORS_SHOWN) > 0:
                    print_error(f"and {more:,} more: --json lists all of them")
                raise
        if as_json:
            show_json(result)
        elif not quiet and not to_stdout:
            print_text(_summary(result, perf_counter() - started))

    settings().run(work)


def _parse_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"--metadata {text!r} is not of the form name=value")
    return name, value


def _summary(result: dict[str, Any], seconds: float) -> str:
    count: int | None = result.get("files")
    files = "" if count is None else f"{count:,} file{'' if count == 1 else 's'}, "
    size: int | None = result.get("bytes")
    if size is None:
        return f"copied in {seconds:.1f} s"
    return f"{files}{format_size(size)} in {seconds:.1f} s ({format_size(size / seconds)}/s)"


@dataclass(slots=True)
class _Copy:
    """The arguments of one `cp` command."""

    source: Location
    target: Location
    target_text: str
    recursive: bool
    content_type: str | None
    metadata: dict[str, str] | None
    part_size: int | None
    concurrency: int | None
    resume: bool

    @property
    def label(self) -> str:
        """A short name of the source, for the progress bar."""
        match self.source:
            case None:
                return "standard input"
            case CosPath():
                return self.source.key.rstrip("/").rsplit("/", 1)[-1] or self.source.bucket
            case Path():
                return self.source.name or self.source.resolve().name or "/"

    def check(self) -> None:
        """Raise `typer.BadParameter` for arguments that contradict each other.

        Nothing has been sent then.
        """
        source, target = self.source, self.target
        if not isinstance(source, CosPath) and not isinstance(target, CosPath):
            raise typer.BadParameter("the source or the target must be a cos:// path")
        if isinstance(source, Path) and self.recursive and source.is_file():
            self.recursive = False
        if self.recursive and (source is None or target is None):
            raise typer.BadParameter("- is a single stream: it cannot be copied with -r")
        if self.recursive and isinstance(source, CosPath) and isinstance(target, CosPath) and target.is_below(source):
            raise typer.BadParameter(f"{target} is below {source}: the copies would be copied again")
        if isinstance(source, CosPath) and not self.recursive and not source.key:
            raise typer.BadParameter(f"{source} is a bucket: name an object in it, or add -r to copy all of them")
        if self.resume and (source is None or target is None):
            raise typer.BadParameter("--resume does not work with -: a stream can be read or written only once")
        if self.resume and isinstance(source, CosPath) and isinstance(target, CosPath):
            raise typer.BadParameter("--resume does not work for copies within the service: they always start again")
        if source is None and isinstance(target, CosPath) and target.is_folder:
            raise typer.BadParameter(f"standard input has no name: write the key of the object, not only {target}")
        if isinstance(source, Path) and not self.recursive and source.is_dir():
            raise typer.BadParameter(f"{source} is a directory: add -r")
        if (self.content_type or self.metadata) and (self.recursive or not isinstance(target, CosPath)):
            raise typer.BadParameter("--content-type and --metadata work only if one object is written")

    async def run(self, client: Client, watch: ProgressView) -> dict[str, Any]:
        """Run the copy. Returns the fields of its result, as JSON values."""
        match self.source, self.target:
            case CosPath() as source, CosPath() as target:
                return await self._within(client, source, target, watch)
            case CosPath() as source, None:
                return {"bytes": await write_object(client, source, watch=watch)}
            case CosPath() as source, Path() as target:
                download = self._download_all if self.recursive else self._download
                return await download(client, source, target, watch)
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
        # Raises an `OSError` with the reason if the directory does not exist.
        await asyncio.to_thread(source.stat)
        async with _counting_total(watch, lambda: _size_of_tree(source)):
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
        await _require_objects(client, source)
        async with _counting_total(watch, lambda: _size_of_prefix(client, source)):
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
            result = await copy_object(
                client,
                source,
                target,
                self.content_type,
                self.metadata,
                part_size=self.part_size,
                concurrency=self.concurrency,
                watch=watch,
            )
            return {**result.model_dump(mode="json", exclude_none=True), "bytes": result.size}
        await _require_objects(client, source)
        async with _counting_total(watch, lambda: _size_of_prefix(client, source)):
            return {**await copy_prefix(client, source, target, self.concurrency, watch)}


async def _require_objects(client: Client, source: CosPath) -> None:
    """Raise `TransferError` if a prefix has no objects: it may be mistyped.

    An empty bucket is allowed.
    """
    async for page in client.objects.list(source.bucket, prefix=source.folder or None, max_keys=1).pages():
        if source.key and not page.contents:
            raise TransferError(f"there are no objects below cos://{source.bucket}/{source.folder}")
        return


@asynccontextmanager
async def _counting_total(watch: ProgressView, count: Callable[[], Awaitable[int]]) -> AsyncGenerator[None]:
    """Count the total bytes while the transfers of the block run.

    The progress bar needs the total to show the remaining time.
    """
    if not watch.shown:
        yield
        return

    async def set_total() -> None:
        # The transfer itself reports errors.
        with suppress(CosError, OSError):
            watch.expect(await count())

    task = asyncio.create_task(set_total())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _size_of_tree(root: Path) -> int:
    files, total = walk(root), 0
    while sizes := await asyncio.to_thread(lambda: [path.stat().st_size for path in islice(files, 1000)]):
        total += sum(sizes)
    return total


async def _size_of_prefix(client: Client, source: CosPath) -> int:
    size = 0
    async for entry in client.objects.list(source.bucket, prefix=source.folder or None):
        size += entry.size
    return size
