"""Standard input and output as ends of a copy, and `cat`."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from typing import Annotated, BinaryIO

import typer

from aiocos.cli import standard
from aiocos.cli.display import ProgressView
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.transfer import Progress
from aiocos.wire.ranges import ByteRange

# More than a pipe holds.
_READ = 256 * 1024


def standard_input() -> BinaryIO | AsyncIterator[bytes]:
    """What can be uploaded of standard input.

    A pipe or terminal is read when it has something, not in a thread: a thread that waits for a pipe cannot be called off, and
    Ctrl-C would have no effect before the other side writes.
    """
    stream = sys.stdin.buffer
    try:
        fd = stream.fileno()
        mode = os.fstat(fd).st_mode
    except OSError:
        return stream
    waits = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)
    return _arriving(fd) if waits and os.name == "posix" else stream


async def _arriving(fd: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    something = asyncio.Event()
    while True:
        loop.add_reader(fd, something.set)
        try:
            await something.wait()
        finally:
            loop.remove_reader(fd)
        something.clear()
        try:
            with standard.named(standard.INPUT):
                data = os.read(fd, _READ)
        except BlockingIOError:
            # Somebody else who shares this end of the pipe was faster.
            continue
        if not data:
            return
        yield data


async def pour(client: Client, source: CosPath, wanted: ByteRange | None = None, watch: ProgressView | None = None) -> int:
    """Write an object to standard output as it comes; return its bytes."""
    out, total = sys.stdout.buffer, 0
    async with client.objects.get(source.bucket, source.key, range=wanted) as stream:
        size = stream.info.content_length
        async for chunk in stream:
            await asyncio.to_thread(_write, out, chunk)
            total += len(chunk)
            if watch is not None:
                watch(Progress(source.bucket, source.key, "running", total, size, 0, None))
    return total


def _write(out: BinaryIO, data: bytes) -> None:
    out.write(data)
    out.flush()


def cat(
    path: Annotated[str, typer.Argument(help="cos://bucket/key")],
    range_: Annotated[
        str | None, typer.Option("--range", help="Bytes: first-last (both count), first-, or -count.", metavar="RANGE")
    ] = None,
) -> None:
    """Write an object to standard output."""
    target = CosPath.parse(path).of_object()
    try:
        wanted = ByteRange.from_wire(f"bytes={range_}") if range_ else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None

    async def work(client: Client) -> None:
        await pour(client, target, wanted)

    settings().run(work)
