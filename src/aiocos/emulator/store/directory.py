"""The data directory of an emulator: ownership, lock and permissions.

The emulator deletes blob files that its database does not name. Trusting any directory that it is given would be the naive way:
one wrong path and it deletes a user's files. So before it changes anything, it checks that the directory is its own. That is so
if the directory has the marker file, or the emulator's database (earlier releases wrote no marker). An empty directory is
claimed. Every other directory is refused and left unchanged.

The database holds API keys and HMAC secrets, so the directory gets mode 0700 and the database 0600, even if they existed.
"""

import fcntl
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from aiocos.errors import ConfigError

MARKER = "AIOCOS_EMULATOR"
DATABASE = "emulator.sqlite"
LOCK = "lock"
RESERVE = "reserve"
BLOBS = "blobs"
INCOMING = "incoming"

_NEW_MARKER = f"{MARKER}.new"
_FIRST_LINE = "Data directory of the aiocos emulator."
_TEXT = f"""{_FIRST_LINE}
The emulator deletes every file in {BLOBS}/ and {INCOMING}/ that {DATABASE} does not name. Keep nothing of yours there.
"""
_TABLES = frozenset({"instances", "keys", "buckets", "blobs", "objects", "uploads", "parts"})
_BLOB_NAME = re.compile(r"[0-9a-f]{32}")
_BLOB_FOLDER = re.compile(r"[0-9a-f]{2}")


def claim(directory: Path) -> int:
    """Claim a directory for one emulator and return the descriptor of its lock file.

    Closing it releases the directory.

    Raises `ConfigError`, and leaves the directory unchanged, if it holds anything but an emulator's data, if its database is
    missing, or if another emulator uses it.
    """
    try:
        _check_owner(directory)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _locked(directory)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"the data directory {directory} cannot be used: {error}") from error
    try:
        # Check again under the lock: another emulator may have started and stopped since the first check.
        _check_owner(directory)
        _check_database(directory)
        _mark(directory)
        _make_private(directory)
    except (OSError, sqlite3.Error) as error:
        os.close(lock)
        raise ConfigError(f"the data directory {directory} cannot be used: {error}") from error
    except BaseException:
        os.close(lock)
        raise
    return lock


def blob_files(directory: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files with the name of a blob in a blob folder.

    Symbolic links are not followed.
    """
    for folder in _entries(directory / BLOBS):
        if _BLOB_FOLDER.fullmatch(folder.name) and folder.is_dir(follow_symlinks=False):
            yield from _named_like_blobs(Path(folder.path))


def incoming_files(directory: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the unfinished files left by a killed emulator."""
    return _named_like_blobs(directory / INCOMING)


def _named_like_blobs(folder: Path) -> Iterator[os.DirEntry[str]]:
    return (e for e in _entries(folder) if _BLOB_NAME.fullmatch(e.name) and e.is_file(follow_symlinks=False))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []


def _check_owner(directory: Path) -> None:
    if not directory.exists():
        return
    if not directory.is_dir():
        raise ConfigError(f"the data directory {directory} is not a directory")
    if not any(map(_is_foreign, _entries(directory))) or _is_marked(directory) or _has_tables(directory):
        return
    raise ConfigError(
        f"the data directory {directory} is not empty and does not belong to an emulator (it has neither {MARKER} nor our "
        f"{DATABASE}); nothing was changed in it: name a new or an empty directory"
    )


def _is_foreign(entry: os.DirEntry[str]) -> bool:
    # An emulator killed before it wrote the marker leaves an empty lock file and perhaps a temporary marker file.
    if not entry.is_file(follow_symlinks=False):
        return True
    return entry.name != _NEW_MARKER and (entry.name != LOCK or entry.stat().st_size > 0)


def _check_database(directory: Path) -> None:
    for name in (BLOBS, INCOMING):
        # Behind a symbolic link, files of another directory would be deleted.
        if (directory / name).is_symlink():
            raise ConfigError(
                f"the data directory {directory} cannot be used: {name} in it is a link, and files that the database does not "
                "name would be deleted where it leads; nothing was changed: move the whole directory instead"
            )
    database = directory / DATABASE
    if _has_tables(directory):
        return
    if database.exists() and database.stat().st_size and not _is_sqlite(database):
        raise ConfigError(f"{database} is not a database of the emulator: put the right one back, or name another directory")
    # With a new, empty database every one of these files would be deleted.
    for name, found in ((BLOBS, blob_files(directory)), (INCOMING, incoming_files(directory))):
        if next(found, None) is not None:
            raise ConfigError(
                f"the data directory {directory} holds objects in {name}/, but its database {DATABASE} is missing or is not "
                f"ours; nothing was deleted: put the database back, or name another directory"
            )


def _is_marked(directory: Path) -> bool:
    path = directory / MARKER
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(len(_FIRST_LINE)) == _FIRST_LINE.encode()
    except FileNotFoundError:
        return False


def _has_tables(directory: Path) -> bool:
    """Return True if the database exists and has the emulator's tables.

    It is opened read-only.
    """
    path = directory / DATABASE
    if not _is_sqlite(path):
        return False
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=30)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            # The first release had no table `keys`.
            return {name for (name,) in rows} >= _TABLES - {"keys"}
    except sqlite3.DatabaseError:
        return False


def _is_sqlite(path: Path) -> bool:
    # Check the file type before opening: opening a pipe would block until there is a writer.
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _locked(directory: Path) -> int:
    # Two emulators on one directory would delete each other's files.
    fd = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise ConfigError(
            f"the data directory {directory} is in use by another emulator: stop that one, or name another directory"
        ) from None
    except BaseException:
        os.close(fd)
        raise
    return fd


def _make_private(directory: Path) -> None:
    _restrict(directory, 0o700)
    database = directory / DATABASE
    # SQLite would create the database with the umask's permissions; its journal files get the mode of the database.
    os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", LOCK):
        if (directory / name).exists():
            _restrict(directory / name, 0o600)
    for name in (BLOBS, INCOMING):
        (directory / name).mkdir(exist_ok=True, mode=0o700)


def _restrict(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        os.chmod(path, mode)


def _mark(directory: Path) -> None:
    if _is_marked(directory):
        return
    temporary = directory / _NEW_MARKER
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(fd, "w") as file:
        file.write(_TEXT)
    os.replace(temporary, directory / MARKER)
