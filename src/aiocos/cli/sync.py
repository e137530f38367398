"""The command `sync`: make a directory or prefix equal to another."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, PartSize, Quiet
from aiocos.cli.display import format_size, print_error, print_text, printable, show_json, show_progress
from aiocos.cli.paths import CosPath, parse_location
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.transfer import DirectoryError, SyncAction, SyncResult

# Number of failed files to print on standard error; `--json` lists all of them.
_MAX_ERRORS_SHOWN = 20


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
        list[str] | None, typer.Option(help="Sync only names that match the pattern; may be repeated.", metavar="GLOB")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Ignore names that match the pattern; may be repeated.", metavar="GLOB")
    ] = None,
    compare: Annotated[
        Comparison, typer.Option(help="What decides that a file changed: time and size, size only, or checksum.")
    ] = Comparison.time,
    symlinks: Annotated[
        Links, typer.Option(help="Symbolic links to follow: files (only links to files), follow (all), or skip (none).")
    ] = Links.files,
    part_size: PartSize = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Number of files to transfer at the same time. Default: 32.", metavar="N")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a directory or prefix equal to another.

    Files are transferred if they are new, have another size, or are newer; see --compare. Patterns such as `*.tmp` or
    `node_modules` match at any depth, `docs/**/*.md` matches from the top. Excluded files are neither transferred nor deleted.

    Deletions come last, and only if the whole source could be read and every name is allowed in the target; otherwise the
    problems are listed and the exit code is 1. To continue an interrupted sync, run the command again.
    """
    locations = parse_location(source), parse_location(target)
    if None in locations:
        raise typer.BadParameter("- is a single stream: sync works on directories and prefixes")
    if not any(isinstance(location, CosPath) for location in locations):
        raise typer.BadParameter("the source or the target must be a cos:// path")

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
                print_text(_describe(action))
        if not as_json and not quiet:
            print_error(_plan_summary(counts))

    async def work(client: Client) -> None:
        started = perf_counter()
        label = next(location.name for location in locations if isinstance(location, CosPath | Path)) or source
        with show_progress(label, quiet=quiet or as_json) as watch:
            try:
                result = await client.sync(
                    source, target, delete=delete, include=include or (), exclude=exclude or (), compare=compare.value,
                    symlinks=symlinks.value, resume=True, part_size=part_size, concurrency=concurrency, progress=watch,
                )  # fmt: skip
            except DirectoryError as error:
                if as_json:
                    show_json(error.result)
                for failure in error.result.errors[:_MAX_ERRORS_SHOWN]:
                    print_error(f"{failure.path or failure.key}: {failure.error}")
                if (more := len(error.result.errors) - _MAX_ERRORS_SHOWN) > 0:
                    print_error(f"and {more:,} more: --json lists all of them")
                raise
        if as_json:
            show_json(result)
        elif not quiet:
            print_text(_summary(result, perf_counter() - started))

    settings().run(plan if dry_run else work)


def _describe(action: SyncAction) -> str:
    """Return the line of `--dry-run` for an action."""
    if action.kind == "delete":
        return printable(f"delete {action.target}")
    if action.kind == "refuse":
        return printable(f"refuse {action.source or action.target}: {action.reason}")
    return printable(f"{action.kind} {action.source} -> {action.target} ({action.reason}, {format_size(action.size)})")


def _plan_summary(counts: dict[str, tuple[int, int]]) -> str:
    """Return the last line of `--dry-run`.

    `counts` has the number of files and bytes per kind of action.
    """
    transfers = [counts[kind] for kind in ("upload", "download", "copy") if kind in counts]
    files, size = sum(count for count, _ in transfers), sum(size for _, size in transfers)
    deleted, refused = (counts.get(kind, (0, 0))[0] for kind in ("delete", "refuse"))
    return f"would transfer {files:,} files ({format_size(size)}), delete {deleted:,}, refuse {refused:,}"


def _summary(result: SyncResult, seconds: float) -> str:
    parts = [f"{result.files:,} transferred ({format_size(result.bytes)})", f"{result.unchanged:,} unchanged"]
    if result.deleted:
        parts.append(f"{result.deleted:,} deleted")
    return f"{', '.join(parts)}, in {seconds:.1f} s"
