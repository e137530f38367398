"""Disk space reserved for deletions.

SQLite writes to its journal before it deletes anything. So on a full disk a deletion would fail like any other write, and
nobody could free space through the API. The reserve is a file of a few MiB: when a deletion finds the disk full, the reserve
file is deleted and the deletion runs again in the freed space. Until the file can be created again, every write that needs
space is refused.
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
"""Size of the reserve in bytes: enough for the journal of any single deletion, and of most deletions of 1,000 objects."""
MIN_SIZE = 256 * 1024
"""Minimum size of the reserve in bytes. On a small or nearly full disk it is a sixteenth of the free space, but not less."""


def disk_full_error() -> ServiceError:
    """Return the 507 error for a write that the disk has no space for."""
    code = "InsufficientStorage"
    message = "The emulator's disk is full. Reads and deletions still work: delete objects, a few at a time."
    return ServiceError.class_for(507, code)(message, status=507, code=code)


def is_disk_full(error: BaseException) -> bool:
    """Return True if an error means a full disk or an exhausted quota.

    Errors of the system and of SQLite are recognized.
    """
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_full_as_507() -> Generator[None]:
    """Raise the service's 507 error instead of the system's disk-full error."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise disk_full_error() from error
        raise


class Reserve:
    """The reserve file. Methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._missing = False
        self._in_use = False
        try:
            self._missing = path.lstat().st_size < MIN_SIZE
        except FileNotFoundError:
            self._missing = True
        self._restore()

    def check(self) -> None:
        """Raise `ServiceError` 507 if the reserve is used up and cannot be restored.

        For writes that need disk space.
        """
        if self._missing:
            self._restore()
            if self._missing:
                raise disk_full_error()

    @contextmanager
    def released(self) -> Generator[None]:
        """Delete the reserve file for a deletion that runs in the block.

        One block at a time.
        """
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
                size = min(SIZE, max(MIN_SIZE, shutil.disk_usage(self._path.parent).free // 16))
                _allocate(self._path, size)
            except OSError as error:
                with suppress(OSError):
                    self._path.unlink()
                # If the file cannot be created for another reason, run without a reserve instead of refusing every write.
                self._missing = is_disk_full(error)
            else:
                self._missing = False


def _allocate(path: Path, size: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            os.posix_fallocate(fd, 0, size)
        except (AttributeError, OSError) as error:
            # macOS has no posix_fallocate, and some file systems do not support it.
            if is_disk_full(error):
                raise
            for _ in range(0, size, MIN_SIZE):
                os.write(fd, bytes(MIN_SIZE))
    finally:
        os.close(fd)
