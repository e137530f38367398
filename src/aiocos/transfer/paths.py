"""Between keys and paths: every file has a key, but not every key may become a path.

A bucket's keys are written by others. `../../x`, `/etc/x`, `a\\0b` or `C:\\x` must not reach outside the directory that was
named, and keys that would be the same path (`a//b` and `a/b`) must not overwrite each other. Such keys are refused one by one,
with the reason; the rest goes on. Nor is anything written through a link that leads outside.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from aiocos.errors import TransferError
from aiocos.transfer.globs import Filter

Symlinks: TypeAlias = Literal["files", "follow", "skip"]
"""Links to files are followed; or those to directories, too; or none."""

_DRIVE = re.compile(r"[A-Za-z]:")
# Directories that were looked at, and are remembered.
_REMEMBERED = 10_000
# What a download that runs, or waits to be resumed, has beside its target.
_OURS = re.compile(r"\..{1,50}\.[0-9a-f]{8}([0-9a-f]{4})?\.(part|journal)", re.DOTALL)


def path_of(root: Path, name: str) -> Path:
    """Return the path below `root` for a key's name; `TransferError` where it would not be a path of its own below it."""
    parts = name.split("/")
    for part in parts:
        if part in ("", ".", ".."):
            raise TransferError(f"the key {name!r} is no path: it has the segment {part!r}")
        if "\0" in part or (os.name == "nt" and ("\\" in part or ":" in part or part.endswith((" ", ".")))):
            raise TransferError(f"the key {name!r} is no path: it holds a character that no file name may")
    if _DRIVE.match(name) and os.name == "nt":
        raise TransferError(f"the key {name!r} is no path: it names a drive")
    try:
        os.fsencode(name)
    except UnicodeEncodeError as error:
        raise TransferError(f"the key {name!r} is no path here: {error.reason}") from error
    return root.joinpath(*parts)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file below a directory: its name as keys are written, its bytes, and when it was changed (ns since 1970)."""

    name: str
    path: Path
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What cannot be looked at: a directory that may not be read, a link that leads to itself, a name that is no text."""

    name: str
    path: Path
    error: Exception


def walk(root: Path) -> Iterator[Path]:
    """Give the regular files below a directory as `look` does; raise where something cannot be looked at. Blocks."""
    for found in look(root):
        if isinstance(found, Unreadable):
            raise found.error
        yield found.path


def look(root: Path, symlinks: Symlinks = "files", wanted: Filter | None = None) -> Iterator[LocalFile | Unreadable]:
    """Give the regular files below a directory, in the order in which a service lists their keys. Blocks.

    Empty directories have no key. What cannot be looked at is given as `Unreadable`, and the rest goes on.
    """
    yield from _look(root, "", symlinks, wanted or Filter(), ())


def _look(
    directory: Path, prefix: str, symlinks: Symlinks, wanted: Filter, above: tuple[tuple[int, int], ...]
) -> Iterator[LocalFile | Unreadable]:
    try:
        if symlinks == "follow":
            info = directory.stat()
            if (info.st_dev, info.st_ino) in above:
                raise TransferError(f"{directory} is a link to a directory that it lies in")
            above = (*above, (info.st_dev, info.st_ino))
        with os.scandir(directory) as scan:
            # Keys of what lies in `a` come with the slash: after those of `a-b`, before those of `a0`.
            entries = sorted(((_kind(entry, symlinks), entry) for entry in scan), key=lambda found: found[0])
    except (OSError, TransferError) as error:
        yield Unreadable(prefix, directory, error)
        return
    for (_, kind), entry in entries:
        path, name = Path(entry.path), prefix + entry.name
        try:
            name.encode()
        except UnicodeEncodeError as error:
            reason = TransferError(f"the file name {os.fsencode(path)!r} is no UTF-8 text, which keys are: {error.reason}")
            yield Unreadable(os.fsencode(name).decode("utf-8", "replace"), path, reason)
            continue
        if kind == "directory":
            if wanted.enters(name):
                yield from _look(path, f"{name}/", symlinks, wanted, above)
        elif kind != "other" and wanted.wants(name) and not _OURS.fullmatch(entry.name):
            try:
                info = entry.stat()
            except OSError as error:
                yield Unreadable(name, path, error)
                continue
            if kind == "file":
                yield LocalFile(name, path, info.st_size, info.st_mtime_ns)


def _kind(entry: os.DirEntry[str], symlinks: Symlinks) -> tuple[bytes, str]:
    try:
        if entry.is_symlink() and symlinks == "skip":
            kind = "other"
        elif entry.is_dir(follow_symlinks=symlinks == "follow"):
            kind = "directory"
        else:
            kind = "file" if entry.is_file() else "other"
    except OSError:
        kind = "unreadable"  # `stat` says why
    return os.fsencode(entry.name) + (b"/" if kind == "directory" else b""), kind


def _ignores_case(root: Path) -> bool:
    """Find out whether a directory takes `a` and `A` for one name. Blocks."""
    probe = root / f".aiocos-Case-{secrets.token_hex(4)}"
    try:
        probe.touch(exist_ok=False)
    except OSError:
        return False  # whatever comes will say why
    try:
        return probe.with_name(probe.name.lower()).exists()
    finally:
        probe.unlink()


class Landing:
    """Where the objects of a prefix land: paths below one directory, each object's its own. All methods block."""

    def __init__(self, root: Path, ignores_case: Callable[[Path], bool] = _ignores_case) -> None:
        self._root = root
        self._real: Path | None = None
        self._ignores_case = ignores_case
        # Hashes of the names so far, where names that differ in case alone are one; they are no more than 8 bytes each.
        self._seen: set[int] | None = None
        self._safe: set[Path] = set()

    def open(self) -> None:
        """Make the directory, if it is not there."""
        self._root.mkdir(parents=True, exist_ok=True)
        self._real = self._root.resolve()
        if self._ignores_case(self._root):
            self._seen = set()

    def path(self, name: str) -> Path:
        """Return the path for a name; `TransferError` where it can have none."""
        path = path_of(self._root, name)
        if self._seen is not None:
            folded = hash(name.casefold())
            if folded in self._seen:
                raise TransferError(f"the key {name!r} is no path of its own here: another differs from it in case alone")
            self._seen.add(folded)
        self._check(path.parent, name)
        if path.is_dir():
            raise TransferError(f"the key {name!r} is no path here: {path} is a directory, in which other keys lie")
        return path

    def _check(self, directory: Path, name: str) -> None:
        """Refuse a directory that a link takes outside, or that is a file."""
        if directory in self._safe or self._real is None:
            return
        real = directory.resolve()
        if not real.is_relative_to(self._real):
            raise TransferError(f"the key {name!r} leads outside: {directory} is {real} by a link")
        for there in (directory, *directory.parents):
            if there == self._root:
                break
            if there.is_file():
                raise TransferError(f"the key {name!r} is no path here: {there} is a file")
        if len(self._safe) >= _REMEMBERED:
            self._safe.clear()
        self._safe.add(directory)

    def prepare(self, path: Path) -> None:
        """Make the directories above a path."""
        path.parent.mkdir(parents=True, exist_ok=True)
