"""The command `demo`: upload, list, download and verify on an emulator.

The emulator runs in this process. A table shows the results.
"""

import asyncio
import hashlib
import random
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from aiocos.cli.arguments import Json, Quiet, parse_size
from aiocos.cli.display import format_size, print_text, show_json, show_progress
from aiocos.cli.running import run_command, settings
from aiocos.client import Client
from aiocos.config import MIB
from aiocos.errors import BucketAlreadyOwnedByYou, ConfigError, IntegrityError, ObjectProtected, TransferError
from aiocos.operations.protection import ProtectionConfiguration
from aiocos.transfer.sync.walk import walk

if TYPE_CHECKING:
    from aiocos.emulator import Clock

BUCKET = "aiocos-demo"
# Limits of the uploaded tree: some environments have tens of thousands of files.
_MAX_FILES = 4_000
_MAX_BYTES = 256 * MIB
_CHUNK = MIB


@dataclass
class Step:
    """One row of the table of results."""

    what: str
    """Name of the step."""
    objects: int = 0
    """Number of objects."""
    bytes: int = 0
    """Their total size in bytes."""
    seconds: float = 0.0
    """Duration in seconds."""
    verified: str = ""
    """How the data was verified; empty if it was not."""


@dataclass
class _Tree:
    """Directories to upload, each under its own name, and their files."""

    directories: list[Path]
    files: list[Path] = field(default_factory=list[Path])
    bytes: int = 0
    truncated: bool = False
    """True if packages were left out because of the limits."""


def demo(
    size: Annotated[str, typer.Option(help="Size of the generated stream, such as 20MB.", metavar="SIZE")] = "256MiB",
    tree: Annotated[
        Path | None, typer.Option(help="Directory to upload. Default: the installed Python packages.", metavar="DIRECTORY")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Directory of the emulator's data. Default: a temporary directory.", metavar="DIRECTORY"),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the bucket with its objects; needs --data.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run a tour on an emulator: upload, download, compare, retention.

    A directory tree and a large stream are uploaded and downloaded, and every byte is compared. Then deletions are refused
    because of a retention period and a legal hold.
    """
    length = parse_size(size)
    if keep and data is None:
        raise typer.BadParameter("--keep needs --data: a temporary directory is deleted at the end")

    async def work() -> None:
        steps = await run(length, tree, data, keep=keep, quiet=quiet or as_json)
        _show(steps, as_json)

    run_command(work, verbose=settings().verbose)


async def run(length: int, tree: Path | None, data: Path | None, *, keep: bool, quiet: bool) -> list[Step]:
    """Run the demo and return its steps.

    Raises `IntegrityError` if a downloaded byte differs.
    """
    from aiocos.emulator import Emulator  # imported here: other commands start faster

    steps: list[Step] = []
    with _no_new_bytecode(), tempfile.TemporaryDirectory(prefix="aiocos-demo-") as scratch:
        sources = await asyncio.to_thread(_find, tree)
        async with Emulator(data) as emulator, emulator.client() as cos:
            if not quiet:
                print_text(f"Emulator of COS and IAM: {emulator.endpoint}" + (f", data in {data}" if data else ""))
                note = " (some of the installed packages)" if sources.truncated else ""
                print_text(f"Tree: {len(sources.files)} files, {format_size(sources.bytes)}{note}")
                print_text(f"Stream: {format_size(length)}, uploaded without announcing its length\n")
            try:
                await cos.buckets.create(BUCKET, location="us-south-smart")
            except BucketAlreadyOwnedByYou:
                raise ConfigError(
                    f"{data} has the bucket {BUCKET} of an earlier demo: use another directory for --data"
                ) from None
            await _upload_all(cos, sources, length, steps, quiet)
            await _download_all(cos, sources, Path(scratch), length, steps, quiet)
            tokens = len(emulator.iam.requests)
            steps.append(Step("IAM tokens", tokens, verified="one for all calls" if tokens == 1 else ""))
            await _show_retention(cos, emulator.clock, steps, quiet)
            if not keep:
                with _timed(steps, "deleted") as step:
                    keys = (entry.key async for entry in cos.objects.list(BUCKET))
                    result = await cos.objects.delete_many(BUCKET, keys)
                    if result.errors:
                        raise TransferError(f"{len(result.errors)} objects were not deleted: {result.errors[0].message}")
                    await cos.buckets.delete(BUCKET)
                    step.objects = len(result.deleted)
    return steps


async def _upload_all(cos: Client, tree: _Tree, length: int, steps: list[Step], quiet: bool) -> None:
    with _timed(steps, "tree up") as step, show_progress("tree up", quiet=quiet, total=tree.bytes) as progress:
        for directory in tree.directories:
            result = await cos.upload_directory(directory, BUCKET, prefix=f"tree/{directory.name}/", progress=progress)
            step.objects += result.files
            step.bytes += result.bytes
    with _timed(steps, "stream up") as step, show_progress("stream up", quiet=quiet) as progress:
        result = await cos.upload(BUCKET, "stream.bin", _stream(length), progress=progress)
        step.objects, step.bytes = 1, result.size
        names = {"checksum": "checksum returned", "md5": "ETag = MD5", "composite": "ETag recomputed"}
        step.verified = names.get(result.verified or "", "")
    with _timed(steps, "listed") as step:
        async for entry in cos.objects.list(BUCKET):
            step.objects += 1
            step.bytes += entry.size
        if (step.objects, step.bytes) != (len(tree.files) + 1, tree.bytes + length):
            raise IntegrityError(
                f"the listing shows {step.objects} objects of {step.bytes} bytes,"
                f" but {len(tree.files) + 1} objects of {tree.bytes + length} bytes were uploaded"
            )
        step.verified = "number and size"


async def _download_all(cos: Client, tree: _Tree, scratch: Path, length: int, steps: list[Step], quiet: bool) -> None:
    with _timed(steps, "tree down") as step, show_progress("tree down", quiet=quiet, total=tree.bytes) as progress:
        result = await cos.download_directory(BUCKET, scratch / "tree", prefix="tree/", progress=progress)
        step.objects, step.bytes = result.files, result.bytes
    step.verified = await asyncio.to_thread(_same_trees, tree, scratch / "tree")
    with _timed(steps, "stream down") as step, show_progress("stream down", quiet=quiet, total=length) as progress:
        result = await cos.download(BUCKET, "stream.bin", scratch / "stream.bin", progress=progress)
        step.objects, step.bytes = 1, result.size
    digest = hashlib.sha256()
    async for chunk in _stream(length):
        digest.update(chunk)
    if await asyncio.to_thread(_sha256, scratch / "stream.bin") != digest.hexdigest():
        raise IntegrityError("the downloaded stream differs from the uploaded one")
    step.verified = "SHA-256"
    if result.verified is not None:
        step.verified += " and ETag" if result.verified in ("md5", "composite") else f" and {result.verified.upper()}"


async def _show_retention(cos: Client, clock: "Clock", steps: list[Step], quiet: bool) -> None:
    """Show that a retention period and a legal hold prevent deletions.

    The emulator's clock is advanced to end the retention period.
    """
    bucket, key = f"{BUCKET}-records", "report.txt"
    with _timed(steps, "retention, hold") as step:
        await cos.buckets.create(bucket, location="us-south-smart")
        await cos.protection.put(bucket, ProtectionConfiguration.of_days(minimum=1, default=30, maximum=365))
        await cos.objects.put(bucket, key, b"kept for 30 days", retention_legal_hold_id="case-1")
        refusals = [await _refused_deletion(cos, bucket, key, "the retention period and a legal hold")]
        clock.advance(days=31)
        refusals.append(await _refused_deletion(cos, bucket, key, "the legal hold"))
        await cos.legal_holds.delete(bucket, key, "case-1")
        await cos.objects.delete(bucket, key)
        await cos.buckets.delete(bucket)
        step.objects, step.verified = 1, f"{len(refusals)} deletes refused"
    if not quiet:
        print_text("\nDelete a report that has a retention of 30 days and a legal hold:")
        print_text(f"  now:                        {refusals[0]}")
        print_text(f"  31 days later:              {refusals[1]}")
        print_text("  after removal of the hold:  deleted\n")


async def _refused_deletion(cos: Client, bucket: str, key: str, why: str) -> str:
    """Try to delete a protected object and return the error of the service.

    Raises `IntegrityError` if the object is deleted.
    """
    try:
        await cos.objects.delete(bucket, key)
    except ObjectProtected as error:
        return f"{error.status} {error.code}, by {why}"
    raise IntegrityError(f"{bucket}/{key} was deleted despite {why}")


@contextmanager
def _no_new_bytecode() -> Generator[None]:
    """Keep imports from writing bytecode in the block.

    Bytecode would change the installed packages while they are uploaded and compared.
    """
    previous, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = previous


@contextmanager
def _timed(steps: list[Step], what: str) -> Generator[Step]:
    step = Step(what)
    started = perf_counter()
    yield step
    step.seconds = perf_counter() - started
    steps.append(step)


def _find(tree: Path | None) -> _Tree:
    """Choose the directories to upload. Blocks."""
    if tree is not None:
        if not tree.is_dir():
            raise ConfigError(f"{tree} is not a directory")
        chosen = _Tree([tree.resolve()], list(walk(tree)))
        chosen.bytes = sum(path.stat().st_size for path in chosen.files)
        return chosen
    packages = Path(sysconfig.get_paths()["purelib"])
    chosen = _Tree([])
    for directory in sorted(p for p in packages.iterdir() if p.is_dir() and not p.is_symlink()):
        try:
            files = list(walk(directory))
        except (OSError, TransferError):
            continue  # The package has files that cannot be read; the other packages are enough.
        size = sum(path.stat().st_size for path in files)
        if len(chosen.files) + len(files) > _MAX_FILES or chosen.bytes + size > _MAX_BYTES:
            chosen.truncated = True
            continue
        chosen.directories.append(directory)
        chosen.files += files
        chosen.bytes += size
    return chosen


async def _stream(length: int) -> AsyncIterator[bytes]:
    """Yield pseudo-random bytes, the same in every run, generated in a thread."""
    source = random.Random(2026)
    for start in range(0, length, _CHUNK):
        yield await asyncio.to_thread(source.randbytes, min(_CHUNK, length - start))


def _same_trees(tree: _Tree, copy: Path) -> str:
    """Compare every file with its copy. Returns a description of the check. Blocks."""
    compared = 0
    for directory in tree.directories:
        for path in walk(directory):
            downloaded = copy / directory.name / path.relative_to(directory)
            if not downloaded.is_file() or _sha256(path) != _sha256(downloaded):
                raise IntegrityError(f"the downloaded copy of {path} differs from it")
            compared += 1
    if compared != sum(1 for _ in walk(copy)):
        raise IntegrityError(f"{copy} has files that were never uploaded")
    return "SHA-256 of each"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _show(steps: list[Step], as_json: bool) -> None:
    if as_json:
        for step in steps:
            show_json(vars(step))
        return
    table = Table(title="Results", title_justify="left")
    for name in ("step", "objects", "bytes", "seconds", "MiB/s", "verified"):
        table.add_column(name, justify="left" if name in ("step", "verified") else "right")
    for step in steps:
        has_rate = bool(step.bytes and step.seconds) and step.what != "listed"
        table.add_row(
            step.what,
            f"{step.objects:,}" if step.objects else "",
            format_size(step.bytes) if step.bytes else "",
            f"{step.seconds:.2f}" if step.seconds else "",
            f"{step.bytes / step.seconds / MIB:.1f}" if has_rate else "",
            step.verified,
        )
    Console().print(table)
    downloads = [step for step in steps if step.what.endswith(" down")]
    objects, size = sum(step.objects for step in downloads), sum(step.bytes for step in downloads)
    print_text(f"Every byte of {objects:,} objects ({format_size(size)}) came back unchanged.")
