"""Read a small file in one trip to a thread."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from aiocos.config import KIB
from aiocos.errors import ConfigError, TransferError

SMALL_FILE = 256 * KIB
"""Files up to this many bytes are opened, read and closed in one trip to a thread."""

# Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


def read_small(path: Path) -> tuple[bytes, os.stat_result] | None:
    """Return the content of a small file, and its status. Blocks.

    Returns None if the file is too large.

    Raises `ConfigError` for anything but a regular file, and `TransferError` if the file was changed while it was read.
    """
    fd = os.open(path, _OPEN)
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise ConfigError(f"{path} is not a regular file: open it and give the file object")
        if before.st_size > SMALL_FILE:
            return None
        # One byte more, to see that the file ends there.
        data = os.read(fd, before.st_size + 1)
        while len(data) < before.st_size and (more := os.read(fd, before.st_size + 1 - len(data))):
            data += more
        now = os.fstat(fd)
    finally:
        os.close(fd)
    if (now.st_size, now.st_mtime_ns, len(data)) != (before.st_size, before.st_mtime_ns, before.st_size):
        raise TransferError(f"{path} was changed while it was read: what was read may be a mixture, and is discarded")
    return data, now
