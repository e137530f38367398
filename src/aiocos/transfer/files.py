"""Files without blocking the event loop, and without losing them to a cancel.

A thread cannot be cancelled: who stops waiting for `open` never learns the descriptor, and who closes a file while a thread
writes to it lets the thread write to whatever gets that number next. So a cancel waits here until the thread is done.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run something that blocks in a thread, to its end even when cancelled; the cancel comes through after that."""
    return await in_thread_of(None, work, *args, **kwargs)


async def in_thread_of(pool: Executor | None, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same, in a thread of a pool."""
    # Not `to_thread` in a task: a loop that ends cancels all its tasks, and we would stop waiting while the thread goes on.
    running = asyncio.get_running_loop().run_in_executor(pool, partial(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await _ended(running)
        raise


async def _ended(running: "asyncio.Future[T]") -> None:
    """Wait for a thread, whatever comes."""
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            continue
    if not running.cancelled():
        running.exception()  # nobody else will ask for it


@asynccontextmanager
async def held(take: Callable[[], T], give_back: Callable[[T], object]) -> AsyncGenerator[T]:
    """Take something in a thread, and give it back in one at the end; also where a cancel comes before it is in our hands."""
    taking = asyncio.get_running_loop().run_in_executor(None, take)
    try:
        taken = await asyncio.shield(taking)
    except asyncio.CancelledError:
        await _ended(taking)
        if not taking.cancelled() and taking.exception() is None:
            give_back(taking.result())
        raise
    try:
        yield taken
    finally:
        await in_thread(give_back, taken)


def opened(path: "str | os.PathLike[str]", flags: int, dir_fd: int | None = None) -> AbstractAsyncContextManager[int]:
    """Open a file; give its descriptor and close it at the end. With `dir_fd`, the path is a name in that open directory."""
    return held(partial(os.open, path, flags | getattr(os, "O_CLOEXEC", 0), 0o666, dir_fd=dir_fd), os.close)


class OpenTarget(os.PathLike[str]):
    """A file to be written in a directory that is open: `path` is what it is called, `dir_fd` the descriptor of the directory.

    Whoever writes it opens, renames and removes names in that directory only. So nobody who swaps a directory of the path for
    a link can have it written elsewhere.
    """

    __slots__ = ("dir_fd", "path")

    def __init__(self, path: Path, dir_fd: int) -> None:
        self.path = path
        self.dir_fd = dir_fd

    def __fspath__(self) -> str:
        return str(self.path)

    def close(self) -> None:
        """Close the directory."""
        os.close(self.dir_fd)


def entry_of(path: Path, dir_fd: int | None) -> "Path | str":
    """Return what the system is to be given for a path: with an open directory, the name in that directory."""
    return path if dir_fd is None else path.name


_STEP = 1 << 20


def read_at(fd: int, buffer: bytearray | memoryview, offset: int) -> int:
    """Fill a buffer from a file, as far as the file goes; return the number of bytes. Blocks."""
    view, got = memoryview(buffer), 0
    while got < len(view):
        # A system may give the processor to nobody else while it copies: the event loop would wait for several whole parts.
        count = os.preadv(fd, [view[got : got + _STEP]], offset + got)
        if not count:
            break
        got += count
    return got


# Pieces that the system takes at once, at the least (IOV_MAX).
_PIECES = 512


def write_at(fd: int, data: "Sequence[bytes]", offset: int) -> None:
    """Write pieces one behind the other, as they are. Blocks."""
    for start in range(0, len(data), _PIECES):
        pieces: list[memoryview] = [memoryview(piece) for piece in data[start : start + _PIECES]]
        while pieces:
            count = os.pwritev(fd, pieces, offset)
            offset += count
            while pieces and count >= len(pieces[0]):
                count -= len(pieces.pop(0))
            if pieces:
                pieces[0] = pieces[0][count:]
