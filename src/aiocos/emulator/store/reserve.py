"""Room on the disk that is kept for deletions.

SQLite writes to its journal before it deletes, so on a full disk a deletion would fail like any other write, and nobody could
make room. The reserve is a file. When a deletion finds the disk full, the file is given up and the deletion repeated in the
room that it leaves. Until the file could be made again, everything that would add to the disk is refused.
"""

import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from aiocos.errors import ServiceError

SIZE = 4 * 1024 * 1024
"""Bytes that are kept. Enough for the journal of any single deletion, and for most that name 1,000 objects."""
LEAST = 256 * 1024
"""Bytes that are kept on a disk that is almost full, or very small: a sixteenth of what is free, but no less than this."""


def no_room() -> ServiceError:
    """Build the error of a write that the disk has no room for."""
    code = "InsufficientStorage"
    message = "The emulator's disk is full. Reads and deletions still work: delete objects, a few at a time."
    return ServiceError.class_for(507, code)(message, status=507, code=code)


def is_full(error: BaseException) -> bool:
    """Tell whether an error of the system or of SQLite means that the disk has no room, or the user no quota."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def answered_when_full() -> Generator[None]:
    """Raise the service's 507 in place of the system's error of a full disk."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise no_room() from error
        raise


class Reserve:
    """The file that is given up when the disk is full. Its methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._missing = False
        self._in_use = False
        try:
            self._missing = path.lstat().st_size < LEAST
        except FileNotFoundError:
            self._missing = True
        self._restore()

    def check(self) -> None:
        """Raise `ServiceError` 507 while there is no reserve and it cannot be made again. For what adds to the disk."""
        if self._missing:
            self._restore()
            if self._missing:
                raise no_room()

    @contextmanager
    def opened(self) -> Generator[None]:
        """Give the room up for a deletion that runs in the block; only one at a time may."""
        with self._mutex:
            self._missing = self._in_use = True
            with suppress(OSError):
                self._path.unlink()
        try:
            yield
        finally:
            self._in_use = False
            self._restore()

    def _restore(self) -> None:
        with self._mutex:
            if not self._missing or self._in_use:
                return
            try:
                size = min(SIZE, max(LEAST, shutil.disk_usage(self._path.parent).free // 16))
                _allocate(self._path, size)
            except OSError as error:
                with suppress(OSError):
                    self._path.unlink()
                # Where no reserve can be kept for another reason, there is none: that must not stop every write.
                self._missing = is_full(error)
            else:
                self._missing = False


def _allocate(path: Path, size: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            os.posix_fallocate(fd, 0, size)
        except (AttributeError, OSError) as error:
            # macOS does not have it, and some file systems do not know it.
            if is_full(error):
                raise
            for _ in range(0, size, LEAST):
                os.write(fd, bytes(LEAST))
    finally:
        os.close(fd)
