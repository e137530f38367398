"""Between keys and paths: every file has a key, but not every key may become a path.

A bucket's keys are written by others. `../../x`, `/etc/x`, `a\\0b` or `C:\\x` must not reach outside the directory that was
named, and keys that would be the same path (`a//b` and `a/b`) must not overwrite each other. Such keys are refused one by one,
with the reason; the rest goes on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiocos.errors import TransferError

_DRIVE = re.compile(r"[A-Za-z]:")


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


def name_of(root: Path, path: Path) -> str:
    """Return the name of a file below `root` as keys are written; `TransferError` where its bytes are no text."""
    name = PurePosixPath(*path.relative_to(root).parts).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise TransferError(f"the file name {os.fsencode(path)!r} is no UTF-8 text, which keys are") from error
    return name


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A directory that may not be read, or a link that leads to itself."""

    path: Path
    error: OSError


def walk(root: Path) -> Iterator[Path]:
    """Give the regular files below a directory as `look` does; raise where something cannot be looked at. Blocks."""
    for found in look(root):
        if isinstance(found, Unreadable):
            raise found.error
        yield found


def look(root: Path) -> Iterator[Path | Unreadable]:
    """Give the regular files below a directory, depth first, in order of name. Blocks.

    Links to files are followed, links to directories are not: they may lead in circles. Empty directories have no key. What
    cannot be looked at is given as `Unreadable`, and the rest goes on.
    """
    try:
        entries = sorted(os.scandir(root), key=lambda e: e.name)
    except OSError as error:
        yield Unreadable(root, error)
        return
    for entry in entries:
        try:
            deeper, wanted = entry.is_dir(follow_symlinks=False), entry.is_file()
        except OSError as error:
            yield Unreadable(Path(entry.path), error)
            continue
        if deeper:
            yield from look(Path(entry.path))
        elif wanted:
            yield Path(entry.path)
