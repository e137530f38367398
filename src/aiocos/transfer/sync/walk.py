"""Find the files below a directory, in the order of their keys.

Whatever cannot be read as a file is found as well, as `Unreadable` with the reason, so that it is reported and not mistaken
for a file that was deleted.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiocos.errors import TransferError
from aiocos.transfer.requests import Symlinks
from aiocos.transfer.reserved_names import is_reserved, reserved_name_error
from aiocos.transfer.sync.filters import Filter


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A regular file below a directory."""

    name: str
    """Path below the directory, with slashes, as in keys."""
    path: Path
    """Whole path."""
    size: int
    """Size in bytes."""
    modified: int
    """Time of the last change, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that exists and cannot be read as a file.

    For example a directory without permission, a link to nowhere, or a pipe.
    """

    name: str
    """Path below the directory. Ends in a slash, or is empty, for a directory."""
    path: Path | str
    """Whole path, or `cos://` location."""
    error: Exception
    """Why it cannot be read."""


class Reserved(Unreadable):
    """A file or an object that is skipped because of its name; see `reserved_names`."""

    @classmethod
    def at(cls, name: str, path: Path | str) -> Reserved:
        """Return one with its error."""
        return cls(name, path, reserved_name_error(str(path)))


def walk(root: Path) -> Iterator[Path]:
    """Yield the regular files below a directory.

    Raises the error of the first `Unreadable`. Blocks.
    """
    for found in find_files(root):
        if isinstance(found, Unreadable):
            raise found.error
        yield found.path


def find_files(root: Path, symlinks: Symlinks = "files", wanted: Filter | None = None) -> Iterator[LocalFile | Unreadable]:
    """Yield the regular files below a directory, in the order of keys. Blocks.

    That is the order of the UTF-8 bytes of their names.

    Empty directories are not found: they have no key. Links that `symlinks` leaves out are skipped without a report, and so is
    what `wanted` refuses. Anything else that is not a readable file is yielded as `Unreadable`.
    """
    yield from _find(root, "", symlinks, wanted or Filter(), ())


def _find(
    directory: Path, prefix: str, symlinks: Symlinks, wanted: Filter, parents: tuple[tuple[int, int], ...]
) -> Iterator[LocalFile | Unreadable]:
    try:
        if symlinks == "follow":
            info = directory.stat()
            if (info.st_dev, info.st_ino) in parents:
                raise TransferError(f"{directory} is a link to a directory that contains it")
            parents = (*parents, (info.st_dev, info.st_ino))
        with os.scandir(directory) as scan:
            # A directory `a` is sorted as `a/`, like the keys below it: after `a-b`, before `a0`.
            entries = sorted(((_kind(entry, symlinks), entry) for entry in scan), key=lambda found: found[0])
    except (OSError, TransferError) as error:
        yield Unreadable(prefix, directory, error)
        return
    for (_, kind), entry in entries:
        path, name = Path(entry.path), prefix + entry.name
        if kind == "skipped" or not (wanted.enters(name) if kind == "directory" else wanted.wants(name)):
            continue
        try:
            name.encode()
        except UnicodeEncodeError as error:
            reason = TransferError(
                f"the file name {os.fsencode(path)!r} is not valid UTF-8, which keys must be: {error.reason}"
            )
            yield Unreadable(os.fsencode(name).decode("utf-8", "replace"), path, reason)
            continue
        if is_reserved(entry.name):
            yield Reserved.at(name, path)
        elif kind == "directory":
            yield from _find(path, f"{name}/", symlinks, wanted, parents)
        else:
            yield _file(name, path)


def _kind(entry: os.DirEntry[str], symlinks: Symlinks) -> tuple[bytes, str]:
    """Return an entry's sort key, and `file`, `directory` or `skipped`."""
    try:
        if entry.is_symlink() and (symlinks == "skip" or (symlinks == "files" and entry.is_dir())):
            kind = "skipped"
        else:
            kind = "directory" if entry.is_dir() else "file"
    except OSError:
        kind = "file"  # `_file` reports the error
    return os.fsencode(entry.name) + (b"/" if kind == "directory" else b""), kind


def _file(name: str, path: Path) -> LocalFile | Unreadable:
    """Return a file, or a link to one, with its status."""
    try:
        info = os.stat(path)
    except OSError as error:
        dangling = isinstance(error, FileNotFoundError) and path.is_symlink()
        return Unreadable(name, path, TransferError(f"{path} is a link to nowhere") if dangling else error)
    if stat.S_ISREG(info.st_mode):
        return LocalFile(name, path, info.st_size, info.st_mtime_ns)
    kind = _KINDS.get(stat.S_IFMT(info.st_mode), "no file")
    return Unreadable(name, path, TransferError(f"{path} is {kind}: only regular files can be transferred"))


_KINDS = {
    stat.S_IFDIR: "a directory now",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def may_exist(root: Path, name: str, symlinks: Symlinks) -> bool:
    """Return False if there is certainly no file of this name. Blocks.

    What cannot be looked at may exist. What is behind a link to a directory that is not followed may exist, too, even if the
    link leads nowhere.
    """
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts):
        return False
    try:
        for end in range(1, len(parts)):
            if symlinks != "follow" and stat.S_ISLNK(os.lstat(root.joinpath(*parts[:end])).st_mode):
                return True
        return not stat.S_ISDIR(os.lstat(root / name).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
