"""Files without blocking the event loop, and without losing them to a cancel.

A thread cannot be cancelled: who stops waiting for `open` never learns the descriptor, and who closes a file while a thread
writes to it lets the thread write to whatever gets that number next. So a cancel waits here until the thread is done.
"""

import asyncio
import contextlib
import errno
import os
import stat
import sys
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
    """A file to be written in an open directory.

    `path` is what it is called in messages and results, `dir_fd` the descriptor of the directory.

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
    """Return what to pass to the system: the path, or with `dir_fd` its last name."""
    return path if dir_fd is None else path.name


class NotOurs(OSError):
    """Something stands under a name of ours that is not ours, and cannot be removed."""


# What opening something says that is no file of ours: a link, a directory, a device or a socket, somebody else's.
_FOREIGN = {errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM}


def open_own(path: "str | os.PathLike[str]", flags: int, mode: int, dir_fd: int | None = None) -> tuple[int, str | None]:
    """Open, or create, a file whose name others can guess: only a regular file that is ours, under this name alone. Blocks.

    Whatever else stands there (a link that was planted, a pipe, somebody else's file) is removed, never followed and never
    written to. Returns the descriptor, and what was removed, None for nothing. Raises `NotOurs` where that is not possible.
    """
    flags |= os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    # A pipe that nobody reads must not hold us up.
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    removed: str | None = None
    for _ in range(3):
        try:
            fd = os.open(path, flags, mode, dir_fd=dir_fd)
        except OSError as error:
            if error.errno not in _FOREIGN:
                raise
            failure, reason = error, f"cannot be opened as a file of ours ({error.strerror})"
        else:
            reason = _foreign(os.fstat(fd))
            if reason is None:
                return fd, removed
            os.close(fd)
            failure = None
        removed = f"{path} {reason}"
        try:
            os.unlink(path, dir_fd=dir_fd)
        except FileNotFoundError:
            if failure is not None and failure.errno in (errno.EACCES, errno.EPERM):
                raise failure from None  # nothing stands there, and nothing may be created
        except OSError as error:
            raise NotOurs(error.errno, f"{removed}, and cannot be removed: {error.strerror}") from error
    raise NotOurs(errno.EAGAIN, f"{removed}, and comes again when it is removed")


def _foreign(info: os.stat_result) -> str | None:
    """Say why an open file is not ours alone; None where it is."""
    if not stat.S_ISREG(info.st_mode):
        return "is no regular file"
    if info.st_nlink != 1:
        return "has another name too (a hard link)"
    if hasattr(os, "geteuid") and info.st_uid != os.geteuid():
        return "belongs to another user"
    return None


def flush(fd: int) -> None:
    """Wait until a file's bytes are on the disk. Blocks."""
    if sys.platform == "darwin":
        import fcntl

        # There, `fsync` leaves them in the disk's own memory.
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
    os.fsync(fd)


def flush_directory(path: "str | os.PathLike[str]", dir_fd: int | None = None) -> None:
    """Wait until the names in a directory are on the disk, where the system can flush a directory at all. Blocks."""
    if sys.platform == "win32":
        return
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if dir_fd is None else dir_fd
    try:
        flush(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        if dir_fd is None:
            os.close(fd)


def make_directory(path: Path, *, fsync: bool = False) -> None:
    """Make a directory and those above it, where they are missing. Blocks.

    With `fsync` the names of those that were made are on the disk afterwards: a file that is flushed is lost all the same
    where the directory that it is in has no name yet.
    """
    made: list[Path] = []
    above = path
    while fsync and not above.exists():
        made.append(above)
        above = above.parent
    path.mkdir(parents=True, exist_ok=True)
    for one in reversed(made):
        flush_directory(one.parent)


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
