"""The command `sync`: make a directory or prefix equal to another."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, Quiet, size_of
from aiocos.cli.display import complain, human, printable, say, show_json, watching
from aiocos.cli.paths import CosPath, place
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.transfer import DirectoryError, SyncAction, SyncResult

# Failed files that are listed on standard error; `--json` lists all of them.
_SHOWN = 20


class Comparison(StrEnum):
    """Values of `--compare`: the properties that decide if a file differs."""

    time = "time"
    size = "size"
    checksum = "checksum"


class Links(StrEnum):
    """Values of `--symlinks`: the symbolic links that are followed."""

    files = "files"
    follow = "follow"
    skip = "skip"


def sync(
    source: Annotated[str, typer.Argument(help="A directory, or cos://bucket/prefix.")],
    target: Annotated[str, typer.Argument(help="A directory, or cos://bucket/prefix. One of the two must be a cos:// path.")],
    delete: Annotated[bool, typer.Option("--delete", help="Delete files or objects that are only in the target.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show the planned actions without running them.")] = False,
    include: Annotated[
        list[str] | None, typer.Option(help="Only names that match this pattern; may be repeated.", metavar="GLOB")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="No names that match this pattern; may be repeated.", metavar="GLOB")
    ] = None,
    compare: Annotated[Comparison, typer.Option(help="Compare time and size, size only, or checksum.")] = Comparison.time,
    symlinks: Annotated[
        Links, typer.Option(help="Symbolic links in directories: files (links to files), follow (all), or skip.")
    ] = Links.files,
    part_size: Annotated[str | None, typer.Option(help="Size of a part, such as 16MiB. Default: 8MiB.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Files transferred at the same time.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make the target equal to the source: transfer files that are new, have another size, or are newer.

    Patterns such as `*.tmp` or `node_modules` match at any depth, `docs/**/*.md` matches from the top. Excluded files are not
    transferred and not deleted. Deletions come last, and only if the whole source could be read and every name fits into the
    target; otherwise the problems are listed and the exit code is 1. Run the command again to continue an interrupted sync.
    """
    sides = place(source), place(target)
    if None in sides:
        raise typer.BadParameter("- is a single stream: sync works on directories and prefixes")
    if not any(isinstance(side, CosPath) for side in sides):
        raise typer.BadParameter("one of the two must be a cos:// path")

    async def plan(client: Client) -> None:
        counts: dict[str, tuple[int, int]] = {}
        async for action in client.sync_plan(
            source, target, delete=delete, dry_run=True, include=include or (), exclude=exclude or (),
            compare=compare.value, symlinks=symlinks.value,
        ):  # fmt: skip
            count, size = counts.get(action.kind, (0, 0))
            counts[action.kind] = (count + 1, size + action.size)
            if as_json:
                show_json(asdict(action))
            else:
                say(_line(action))
        if not as_json and not quiet:
            complain(_planned(counts))

    async def work(client: Client) -> None:
        began = perf_counter()
        label = next(side.name for side in sides if isinstance(side, CosPath | Path)) or source
        with watching(label, quiet=quiet or as_json) as watch:
            try:
                result = await client.sync(
                    source, target, delete=delete, include=include or (), exclude=exclude or (), compare=compare.value,
                    symlinks=symlinks.value, resume=True, part_size=size_of(part_size), concurrency=concurrency, progress=watch,
                )  # fmt: skip
            except DirectoryError as error:
                if as_json:
                    show_json(error.result)
                for one in error.result.errors[:_SHOWN]:
                    complain(f"{one.path or one.key}: {one.error}")
                if (more := len(error.result.errors) - _SHOWN) > 0:
                    complain(f"and {more:,} more, which --json names")
                raise
        if as_json:
            show_json(result)
        elif not quiet:
            say(_summary(result, perf_counter() - began))

    settings().run(plan if dry_run else work)


def _line(action: SyncAction) -> str:
    if action.kind == "delete":
        return printable(f"delete {action.target}")
    if action.kind == "refuse":
        return printable(f"refuse {action.source or action.target}: {action.reason}")
    return printable(f"{action.kind} {action.source} -> {action.target} ({action.reason}, {human(action.size)})")


def _planned(counts: dict[str, tuple[int, int]]) -> str:
    moved = [counts[kind] for kind in ("upload", "download", "copy") if kind in counts]
    files, size = sum(count for count, _ in moved), sum(size for _, size in moved)
    deleted, refused = (counts.get(kind, (0, 0))[0] for kind in ("delete", "refuse"))
    return f"would transfer {files:,} files ({human(size)}), delete {deleted:,}, refuse {refused:,}"


def _summary(result: SyncResult, seconds: float) -> str:
    parts = [f"{result.files:,} transferred ({human(result.bytes)})", f"{result.unchanged:,} unchanged"]
    if result.deleted:
        parts.append(f"{result.deleted:,} deleted")
    return f"{', '.join(parts)}, in {seconds:.1f} s"
