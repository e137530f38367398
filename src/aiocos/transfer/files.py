"""Use files without blocking the event loop or losing them to a cancel.

A thread cannot be canceled. If a task is canceled while a thread of its opens a file, nobody learns the descriptor, and it
stays open. If the task then closes a file to which a thread still writes, the thread may write to another file that got the
same descriptor. So here a cancel waits until the thread has finished.

That is why transfers open their files with the functions of this module. aiofiles runs each step in a thread, too, but on a
cancel it returns at once: good for `stat` and the like (`aiofiles.os`), which leave nothing behind, and not for descriptors.
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


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a thread.

    A cancel takes effect only after the function has returned.
    """
    return await in_thread_of(None, function, *args, **kwargs)


async def in_thread_of(executor: Executor | None, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a thread of `executor`.

    None is the default executor. See `in_thread`.
    """
    # Not `to_thread` in a task: a loop that ends cancels all its tasks, and nobody would wait for the thread.
    future = asyncio.get_running_loop().run_in_executor(executor, partial(function, *args, **kwargs))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await wait_through_cancels(future)
        raise


async def wait_through_cancels(future: "asyncio.Future[T]") -> None:
    """Wait until a future is done, however often the waiting task is canceled."""
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            continue
    if not future.cancelled():
        future.exception()  # marks it as retrieved, so that it is not logged


@asynccontextmanager
async def resource(acquire: Callable[[], T], release: Callable[[T], object]) -> AsyncGenerator[T]:
    """Acquire something in a thread, and release it after the `async with` block.

    It is also released if a cancel arrives while it is being acquired.
    """
    acquiring = asyncio.get_running_loop().run_in_executor(None, acquire)
    try:
        acquired = await asyncio.shield(acquiring)
    except asyncio.CancelledError:
        await wait_through_cancels(acquiring)
        if not acquiring.cancelled() and acquiring.exception() is None:
            release(acquiring.result())
        raise
    try:
        yield acquired
    finally:
        await in_thread(release, acquired)


def opened(path: "str | os.PathLike[str]", flags: int, dir_fd: int | None = None) -> AbstractAsyncContextManager[int]:
    """Open a file for an `async with` block, which gets its descriptor.

    With `dir_fd`, `path` is relative to that open directory.
    """
    return resource(partial(os.open, path, flags | getattr(os, "O_CLOEXEC", 0), 0o666, dir_fd=dir_fd), os.close)


class OpenTarget(os.PathLike[str]):
    """A file to write in a directory that is open already.

    A download to it opens, renames and removes names in that directory only, by its descriptor. So replacing a directory of the
    path by a link cannot redirect the download.
    """

    __slots__ = ("dir_fd", "path")

    def __init__(self, path: Path, dir_fd: int) -> None:
        self.path = path
        """Path of the file, for messages and results."""
        self.dir_fd = dir_fd
        """Descriptor of its directory."""

    def __fspath__(self) -> str:
        return str(self.path)

    def close(self) -> None:
        """Close the directory."""
        os.close(self.dir_fd)


def name_in(path: Path, dir_fd: int | None) -> "Path | str":
    """Return what to pass to the system as the path together with `dir_fd`.

    That is the last segment of the path; the path itself if `dir_fd` is None.
    """
    return path if dir_fd is None else path.name


class NotOurs(OSError):
    """Somebody else's file has a name that we need, and cannot be removed."""


# Errors of opening a link, a directory, a device, a socket, or a file of another user.
_NOT_OURS_ERRNOS = {errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM}


def open_own(path: "str | os.PathLike[str]", flags: int, mode: int, dir_fd: int | None = None) -> tuple[int, str | None]:
    """Open or create a file that has a predictable name. Blocks.

    Only a regular file of this user, which has no other name, is opened.

    Others can guess such a name, and may have planted something there: a link, a pipe, a file of theirs. That is removed. It is
    never followed and never written to.

    Returns the descriptor, and what was removed (None: nothing). Raises `NotOurs` if it cannot be removed.
    """
    flags |= os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    # Without O_NONBLOCK, opening a pipe that nobody reads would wait forever.
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    removed: str | None = None
    for _ in range(3):
        try:
            fd = os.open(path, flags, mode, dir_fd=dir_fd)
        except OSError as error:
            if error.errno not in _NOT_OURS_ERRNOS:
                raise
            failure, reason = error, f"cannot be opened as a file of this user ({error.strerror})"
        else:
            reason = _why_not_ours(os.fstat(fd))
            if reason is None:
                return fd, removed
            os.close(fd)
            failure = None
        removed = f"{path} {reason}"
        try:
            os.unlink(path, dir_fd=dir_fd)
        except FileNotFoundError:
            if failure is not None and failure.errno in (errno.EACCES, errno.EPERM):
                raise failure from None  # nothing has that name, and the directory is not writable
        except OSError as error:
            raise NotOurs(error.errno, f"{removed}, and cannot be removed: {error.strerror}") from error
    raise NotOurs(errno.EAGAIN, f"{removed}, and is created again whenever it is removed")


def _why_not_ours(info: os.stat_result) -> str | None:
    """Return why an open file may be shared with somebody else.

    Returns None if it is ours alone.
    """
    if not stat.S_ISREG(info.st_mode):
        return "is not a regular file"
    if info.st_nlink != 1:
        return "has another name too (a hard link)"
    if hasattr(os, "geteuid") and info.st_uid != os.geteuid():
        return "belongs to another user"
    return None


def flush(fd: int) -> None:
    """Wait until a file's content is on the disk. Blocks."""
    if sys.platform == "darwin":
        import fcntl

        # On macOS, `fsync` leaves the bytes in the cache of the disk.
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
    os.fsync(fd)


def flush_directory(path: "str | os.PathLike[str]", dir_fd: int | None = None) -> None:
    """Wait until the names in a directory are on the disk.

    Does nothing where the system cannot flush directories. Blocks.
    """
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
    """Make a directory and its missing parents. Blocks.

    With `fsync`, the names of the new directories are flushed to the disk. Otherwise a file that was flushed itself could be
    lost with the directory that contains it.
    """
    made: list[Path] = []
    parent = path
    while fsync and not parent.exists():
        made.append(parent)
        parent = parent.parent
    path.mkdir(parents=True, exist_ok=True)
    for directory in reversed(made):
        flush_directory(directory.parent)


# Bytes to read with one system call.
_READ_SIZE = 1 << 20


def read_at(fd: int, buffer: bytearray | memoryview, offset: int, update: Callable[[memoryview], None] | None = None) -> int:
    """Fill a buffer from `offset` of a file.

    Returns the number of bytes, fewer at the end of the file. `update` is called with each piece that was read. Blocks.
    """
    view, got = memoryview(buffer), 0
    while got < len(view):
        # In steps, since some systems run nothing else on this processor while they copy: the event loop would stall.
        count = os.preadv(fd, [view[got : got + _READ_SIZE]], offset + got)
        if not count:
            break
        if update is not None:
            update(view[got : got + count])
        got += count
    return got


# Buffers that every system accepts in one call (IOV_MAX is at least this).
_MAX_BUFFERS = 512


def write_at(fd: int, data: "Sequence[bytes]", offset: int) -> None:
    """Write several pieces contiguously at `offset`, without joining them. Blocks."""
    for start in range(0, len(data), _MAX_BUFFERS):
        pieces: list[memoryview] = [memoryview(piece) for piece in data[start : start + _MAX_BUFFERS]]
        while pieces:
            count = os.pwritev(fd, pieces, offset)
            offset += count
            while pieces and count >= len(pieces[0]):
                count -= len(pieces.pop(0))
            if pieces:
                pieces[0] = pieces[0][count:]
