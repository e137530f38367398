"""Standard input and output as source and target, and the command `cat`."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from typing import Annotated, BinaryIO

import typer

from aiocos.cli import standard_streams
from aiocos.cli.display import ProgressView
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.transfer import Progress
from aiocos.wire.ranges import ByteRange

# Bytes per read; more than the buffer of a pipe.
_READ_SIZE = 256 * 1024


def standard_input() -> BinaryIO | AsyncIterator[bytes]:
    """Return standard input as a source for an upload.

    A pipe or terminal is read by the event loop when it has data, not in a thread: a thread that waits for a pipe cannot be
    cancelled, so Ctrl-C would have no effect before the other process writes.
    """
    stream = sys.stdin.buffer
    try:
        fd = stream.fileno()
        mode = os.fstat(fd).st_mode
    except OSError:
        return stream
    may_block = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)
    return _read_when_ready(fd) if may_block and os.name == "posix" else stream


async def _read_when_ready(fd: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    while True:
        loop.add_reader(fd, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(fd)
        readable.clear()
        try:
            with standard_streams.named(standard_streams.INPUT):
                data = os.read(fd, _READ_SIZE)
        except BlockingIOError:
            # Another process that reads from the same pipe took the data first.
            continue
        if not data:
            return
        yield data


async def write_object(
    client: Client, source: CosPath, byte_range: ByteRange | None = None, watch: ProgressView | None = None
) -> int:
    """Write an object, or a range of its bytes, to standard output.

    Returns the number of bytes written.
    """
    out, total = sys.stdout.buffer, 0
    async with client.objects.get(source.bucket, source.key, range=byte_range) as stream:
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
        str | None,
        typer.Option(
            "--range", help="Bytes to write: first-last (inclusive), first-, or -count for the last bytes.", metavar="RANGE"
        ),
    ] = None,
) -> None:
    """Write an object to standard output."""
    target = CosPath.parse(path).of_object()
    try:
        byte_range = ByteRange.from_wire(f"bytes={range_}") if range_ else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None

    async def work(client: Client) -> None:
        await write_object(client, target, byte_range)

    settings().run(work)
