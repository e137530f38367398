"""The command `demo`: upload, list, download and verify on an embedded emulator, with a table of results."""

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

from aiocos.cli.arguments import Json, Quiet, size_of
from aiocos.cli.display import human, say, show_json, watching
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
_MOST_FILES = 4_000
_MOST_BYTES = 256 * MIB
_CHUNK = MIB


@dataclass
class Step:
    """One row of the table of results."""

    what: str
    objects: int = 0
    bytes: int = 0
    seconds: float = 0.0
    verified: str = ""


@dataclass
class _Tree:
    """Directories to upload, each under its own name, and their files."""

    directories: list[Path]
    files: list[Path] = field(default_factory=list[Path])
    bytes: int = 0
    bounded: bool = False


def demo(
    size: Annotated[str, typer.Option(help="Size of the generated stream.")] = "256MiB",
    tree: Annotated[Path | None, typer.Option(help="Directory to upload. Default: the installed Python packages.")] = None,
    data: Annotated[Path | None, typer.Option(help="Directory of the emulator's data. Default: a temporary directory.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the bucket and its objects in --data.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Start an emulator, upload and download a directory tree and a large stream, and compare every byte.

    Then show that retention and a legal hold refuse deletions.
    """
    length = size_of(size)
    if length is None or length < 0:
        raise typer.BadParameter(f"{size!r} is not a size")
    if keep and data is None:
        raise typer.BadParameter("--keep needs --data: a temporary directory is deleted at the end")

    async def work() -> None:
        steps = await run(length, tree, data, keep=keep, quiet=quiet or as_json)
        _show(steps, as_json)

    run_command(work, verbose=settings().verbose)


async def run(length: int, tree: Path | None, data: Path | None, *, keep: bool, quiet: bool) -> list[Step]:
    """Run the demo. Returns its steps. Raises `IntegrityError` if a downloaded byte differs."""
    from aiocos.emulator import Emulator  # imported here: other commands start faster

    steps: list[Step] = []
    with _no_new_bytecode(), tempfile.TemporaryDirectory(prefix="aiocos-demo-") as scratch:
        found = await asyncio.to_thread(_find, tree)
        async with Emulator(data) as emulator, emulator.client() as cos:
            if not quiet:
                say(f"An emulator of COS and IAM at {emulator.endpoint}" + (f", kept in {data}" if data else ""))
                some = ", some of the installed packages" if found.bounded else ""
                say(f"Tree: {len(found.files)} files, {human(found.bytes)}{some}")
                say(f"Stream: {human(length)}, of a length that is not known in advance\n")
            try:
                await cos.buckets.create(BUCKET, location="us-south-smart")
            except BucketAlreadyOwnedByYou:
                raise ConfigError(f"{data} has the bucket {BUCKET} of an earlier demo: give another --data") from None
            await _upload_all(cos, found, length, steps, quiet)
            await _download_all(cos, found, Path(scratch), length, steps, quiet)
            tokens = len(emulator.iam.requests)
            steps.append(Step("IAM tokens", tokens, verified="one for all calls" if tokens == 1 else ""))
            await _show_retention(cos, emulator.clock, steps, quiet)
            if not keep:
                with _timed(steps, "deleted again") as step:
                    keys = (entry.key async for entry in cos.objects.list(BUCKET))
                    gone = await cos.objects.delete_many(BUCKET, keys)
                    if gone.errors:
                        raise TransferError(f"{len(gone.errors)} objects were not deleted: {gone.errors[0].message}")
                    await cos.buckets.delete(BUCKET)
                    step.objects = len(gone.deleted)
    return steps


async def _upload_all(cos: Client, tree: _Tree, length: int, steps: list[Step], quiet: bool) -> None:
    with _timed(steps, "tree up") as step, watching("tree up", quiet=quiet, total=tree.bytes) as progress:
        for directory in tree.directories:
            result = await cos.upload_directory(directory, BUCKET, prefix=f"tree/{directory.name}/", progress=progress)
            step.objects += result.files
            step.bytes += result.bytes
    with _timed(steps, "stream up") as step, watching("stream up", quiet=quiet) as progress:
        sent = await cos.upload(BUCKET, "stream.bin", _stream(length), progress=progress)
        step.objects, step.bytes = 1, sent.size
        step.verified = _by(sent.verified)
    with _timed(steps, "listed") as step:
        async for entry in cos.objects.list(BUCKET):
            step.objects += 1
            step.bytes += entry.size
        if (step.objects, step.bytes) != (len(tree.files) + 1, tree.bytes + length):
            raise IntegrityError(f"the listing shows {step.objects} objects of {step.bytes} bytes, not what was uploaded")
        step.verified = "all there"


async def _download_all(cos: Client, tree: _Tree, scratch: Path, length: int, steps: list[Step], quiet: bool) -> None:
    with _timed(steps, "tree down") as step, watching("tree down", quiet=quiet, total=tree.bytes) as progress:
        result = await cos.download_directory(BUCKET, scratch / "tree", prefix="tree/", progress=progress)
        step.objects, step.bytes = result.files, result.bytes
    step.verified = await asyncio.to_thread(_same_trees, tree, scratch / "tree")
    with _timed(steps, "stream down") as step, watching("stream down", quiet=quiet, total=length) as progress:
        came = await cos.download(BUCKET, "stream.bin", scratch / "stream.bin", progress=progress)
        step.objects, step.bytes = 1, came.size
    digest = hashlib.sha256()
    async for chunk in _stream(length):
        digest.update(chunk)
    if await asyncio.to_thread(_sha256, scratch / "stream.bin") != digest.hexdigest():
        raise IntegrityError("the stream was changed by the round trip")
    step.verified = "SHA-256" + (" and ETag" if came.verified in ("md5", "composite") else "")


async def _show_retention(cos: Client, clock: "Clock", steps: list[Step], quiet: bool) -> None:
    """Show that retention and a legal hold refuse deletions; the emulator's clock is advanced to end them."""
    bucket, key = f"{BUCKET}-records", "report.txt"
    with _timed(steps, "retention, hold") as step:
        await cos.buckets.create(bucket, location="us-south-smart")
        await cos.protection.put(bucket, ProtectionConfiguration.of_days(minimum=1, default=30, maximum=365))
        await cos.objects.put(bucket, key, b"kept for 30 days", retention_legal_hold_id="case-1")
        refused = [await _refusal(cos, bucket, key, "the retention period and a legal hold")]
        clock.advance(days=31)
        refused.append(await _refusal(cos, bucket, key, "the legal hold"))
        await cos.legal_holds.delete(bucket, key, "case-1")
        await cos.objects.delete(bucket, key)
        await cos.buckets.delete(bucket)
        step.objects, step.verified = 1, f"{len(refused)} deletes refused"
    if not quiet:
        say("\nA report under a retention of 30 days and a legal hold:")
        for line in (f"now:                {refused[0]}", f"31 days later:      {refused[1]}", "the hold is lifted: deleted\n"):
            say(f"  {line}")


async def _refusal(cos: Client, bucket: str, key: str, why: str) -> str:
    try:
        await cos.objects.delete(bucket, key)
    except ObjectProtected as error:
        return f"{error.status} {error.code}, by {why}"
    raise IntegrityError(f"{bucket}/{key} was deleted despite {why}")


def _by(kind: str | None) -> str:
    return {"md5": "ETag = MD5", "composite": "ETag recomputed"}.get(kind or "", "")


@contextmanager
def _no_new_bytecode() -> Generator[None]:
    """Keep imports from writing bytecode into the installed packages while they are uploaded and compared."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextmanager
def _timed(steps: list[Step], what: str) -> Generator[Step]:
    step = Step(what)
    began = perf_counter()
    yield step
    step.seconds = perf_counter() - began
    steps.append(step)


def _find(tree: Path | None) -> _Tree:
    """Choose the directories to upload. Blocks."""
    if tree is not None:
        if not tree.is_dir():
            raise ConfigError(f"{tree} is not a directory")
        found = _Tree([tree.resolve()], list(walk(tree)))
        found.bytes = sum(path.stat().st_size for path in found.files)
        return found
    packages = Path(sysconfig.get_paths()["purelib"])
    found = _Tree([])
    for directory in sorted(p for p in packages.iterdir() if p.is_dir() and not p.is_symlink()):
        try:
            files = list(walk(directory))
        except (OSError, TransferError):
            continue  # it has files that cannot be read; other packages are enough
        size = sum(path.stat().st_size for path in files)
        if len(found.files) + len(files) > _MOST_FILES or found.bytes + size > _MOST_BYTES:
            found.bounded = True
            continue
        found.directories.append(directory)
        found.files += files
        found.bytes += size
    return found


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
            other = copy / directory.name / path.relative_to(directory)
            if not other.is_file() or _sha256(path) != _sha256(other):
                raise IntegrityError(f"{path} was changed by the round trip")
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
        moved = bool(step.bytes and step.seconds) and step.what != "listed"
        table.add_row(
            step.what,
            f"{step.objects:,}" if step.objects else "",
            human(step.bytes) if step.bytes else "",
            f"{step.seconds:.2f}" if step.seconds else "",
            f"{step.bytes / step.seconds / MIB:.1f}" if moved else "",
            step.verified,
        )
    Console().print(table)
    down = [step for step in steps if step.what.endswith(" down")]
    objects, size = sum(step.objects for step in down), sum(step.bytes for step in down)
    say(f"Every byte of {objects:,} objects ({human(size)}) came back unchanged.")
