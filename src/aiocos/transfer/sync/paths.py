"""Between keys and paths: every file has a key, but not every key may become a path.

A bucket's keys are written by others. `../../x`, `/etc/x`, `a\\0b` or `C:\\x` must not reach outside the directory that was
named, and keys that would be the same path (`a//b` and `a/b`) must not overwrite each other. Such keys are refused one by one,
with the reason; the rest goes on. Nor may a key name a file in which downloads and uploads keep their own state.

A path that was checked may lead elsewhere a moment later, when somebody replaces one of its directories by a link. So nothing
is created or deleted by its path: the directories are opened one below the other, each by its name in the one before and never
through a link, and the last of them stays open while the file in it is written (`SafeTarget`).
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import threading
import unicodedata
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from aiocos.errors import TransferError
from aiocos.transfer.directory_chain import DIRECTORY, NO_LINK, DirectoryChain
from aiocos.transfer.files import OpenTarget, held, make_directory
from aiocos.transfer.journal import state_directory
from aiocos.transfer.sync.filters import Filter

Symlinks: TypeAlias = Literal["files", "follow", "skip"]
"""Links to files are followed; or those to directories, too; or none."""

_DRIVE = re.compile(r"[A-Za-z]:")

# -- names that are ours ----------------------------------------------------------------------------------------------

# In any case: some file systems take names for one that differ in case alone.
_RESERVED = re.compile(
    r"\..{1,50}\.[0-9a-f]{8}(?:[0-9a-f]{4})?\.(?:part|journal)|\.aiocos-case-[0-9a-f]{8}", re.DOTALL | re.IGNORECASE
)


def hidden_name(name: str, tag: str) -> str:
    """Return the name of the file that a download to `name` fills.

    The name of its journal ends in `.journal` instead of `.part`.
    """
    # A name may have 255 bytes, and a character up to four of them.
    return f".{name[:50]}.{tag}.part"


def is_reserved(name: str) -> bool:
    """Return whether a segment of a name has the form of `hidden_name`.

    Such names are neither transferred nor deleted, on either side; where that leaves something undone, it is reported.
    """
    return any(segment.startswith(".") and _RESERVED.fullmatch(segment) for segment in name.split("/"))


def _reservation(where: str) -> TransferError:
    return TransferError(
        f"{where} is not transferred: names like .NAME.TAG.part and .NAME.TAG.journal are those of unfinished downloads. "
        "Finish the download, rename the file, or exclude it"
    )


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


# -- what is in a directory -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file below a directory: its name as keys are written, its bytes, and when it was changed (ns since 1970)."""

    name: str
    path: Path
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that is there and cannot be read now.

    A directory without permission, a link to nowhere, a pipe. `name` ends in a slash, or is empty, where it is a directory.
    """

    name: str
    path: Path | str
    error: Exception


class Reserved(Unreadable):
    """A file or an object that is left alone because of its name; see `is_reserved`."""

    @classmethod
    def at(cls, name: str, path: Path | str) -> Reserved:
        """Make one, with its error."""
        return cls(name, path, _reservation(str(path)))


def walk(root: Path) -> Iterator[Path]:
    """Give the regular files below a directory as `look` does; raise where something cannot be looked at. Blocks."""
    for found in look(root):
        if isinstance(found, Unreadable):
            raise found.error
        yield found.path


def look(root: Path, symlinks: Symlinks = "files", wanted: Filter | None = None) -> Iterator[LocalFile | Unreadable]:
    """Give the regular files below a directory, in the order in which a service lists their keys. Blocks.

    Empty directories have no key. Links that `symlinks` leaves out are not given, nor what lies behind them. Whatever else is
    there and cannot be read as a file is given as `Unreadable`, and the rest goes on.
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
        if kind == "left out" or not (wanted.enters(name) if kind == "directory" else wanted.wants(name)):
            continue
        try:
            name.encode()
        except UnicodeEncodeError as error:
            reason = TransferError(f"the file name {os.fsencode(path)!r} is no UTF-8 text, which keys are: {error.reason}")
            yield Unreadable(os.fsencode(name).decode("utf-8", "replace"), path, reason)
            continue
        if is_reserved(entry.name):
            yield Reserved.at(name, path)
        elif kind == "directory":
            yield from _look(path, f"{name}/", symlinks, wanted, above)
        else:
            yield _file(name, path)


def _kind(entry: os.DirEntry[str], symlinks: Symlinks) -> tuple[bytes, str]:
    try:
        if entry.is_symlink() and (symlinks == "skip" or (symlinks == "files" and entry.is_dir())):
            kind = "left out"
        else:
            kind = "directory" if entry.is_dir() else "file"
    except OSError:
        kind = "file"  # `_file` says why it is none
    return os.fsencode(entry.name) + (b"/" if kind == "directory" else b""), kind


def _file(name: str, path: Path) -> LocalFile | Unreadable:
    """Look at what should be a file, or a link to one."""
    try:
        info = os.stat(path)
    except OSError as error:
        lost = isinstance(error, FileNotFoundError) and path.is_symlink()
        return Unreadable(name, path, TransferError(f"{path} is a link to nowhere") if lost else error)
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


def stands(root: Path, name: str, symlinks: Symlinks) -> bool:
    """Return whether a name is, or may be, that of something but a directory.

    Blocks. What cannot be looked at may be there. What lies behind a link to a directory that is not followed may be there,
    too, whether the link leads anywhere or not.
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


# -- where objects land -----------------------------------------------------------------------------------------------


class SafeTarget:
    """The directory that the objects of a prefix are written to.

    Each object has a path of its own below it, and none is led outside by a link.

    Everything that makes or removes files for many keys goes through here: `download_directory`, `sync` and `mv -r`. `state`
    is the directory in which uploads keep their journals (None: the user's); nothing lands in it. With `fsync` the directories
    that are made are on the disk before a file is written to them. All methods but `opened` and `target` block.
    """

    def __init__(
        self,
        root: Path,
        ignores_case: Callable[[int], bool] | None = None,
        *,
        state: str | os.PathLike[str] | None = None,
        fsync: bool = False,
    ) -> None:
        self._root = root
        self._fsync = fsync
        # Whoever finds a directory that another thread has made must find it flushed.
        self._making: AbstractContextManager[object] = threading.Lock() if fsync else nullcontext()
        self._fd: int | None = None
        self._real = root
        self._state = None if state is None else Path(state)
        self._ignores_case = ignores_case or _ignores_case
        # Hashes of the names so far, by those of the form that is one for all names which the file system takes for one.
        self._seen: dict[int, int] | None = None

    @asynccontextmanager
    async def opened(self, *, create: bool = True) -> AsyncGenerator[None]:
        """Hold the directory open; make it if it is missing and `create` is True."""
        async with held(partial(self.open, create=create), lambda _: self.close()):
            yield

    def open(self, *, create: bool = True) -> None:
        """Open the directory; see `opened`."""
        if create:
            make_directory(self._root, fsync=self._fsync)
        try:
            # The user has named it, and it may be a link.
            self._fd = os.open(self._root, DIRECTORY)
        except FileNotFoundError:
            if create:
                raise
            return
        try:
            self._real = self._root.resolve()
            with suppress(RuntimeError):  # a user without a home has no state there
                self._state = (self._state or state_directory()).resolve()
            if create and self._ignores_case(self._fd):
                self._seen = {}
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the directory."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def path(self, name: str) -> Path:
        """Return the path for a name; `TransferError` where it can have none.

        Nothing is made.
        """
        path = self._named(name)
        if self._fd is None:
            return path
        try:
            with DirectoryChain(self._fd, self._root, self._real, name) as way:
                self._check(way, path, name, complete=way.go())
        except OSError as error:
            raise TransferError(f"the key {name!r} is no path here: {error.strerror or error}") from error
        return path

    def target(self, name: str) -> AbstractAsyncContextManager[OpenTarget]:
        """Open the directory of a name, for its file to be written there.

        Missing directories are made. `TransferError` as for `path`.
        """
        return held(partial(self._take, name), OpenTarget.close)

    def _take(self, name: str) -> OpenTarget:
        path = self.path(name)
        assert self._fd is not None
        with DirectoryChain(self._fd, self._root, self._real, name) as way:
            with self._making:
                complete = way.go(create=True, fsync=self._fsync)
            self._check(way, path, name, complete=complete)
            return OpenTarget(path, os.dup(way.directory))

    def _named(self, name: str) -> Path:
        path = path_of(self._root, name)
        if is_reserved(name):
            raise _reservation(f"the key {name!r}")
        if self._seen is not None and self._seen.setdefault(_folded(name), hash(name)) != hash(name):
            raise TransferError(f"the key {name!r} is no path of its own here: another differs from it in case alone")
        return path

    def _check(self, way: DirectoryChain, path: Path, name: str, *, complete: bool) -> None:
        """Refuse what must not be replaced by a file, and a place where state is kept."""
        if self._state is not None and (way.real / path.name).is_relative_to(self._state):
            raise TransferError(f"the key {name!r} is no path here: in {self._state} uploads keep their journals")
        try:
            mode = os.stat(path.name, dir_fd=way.directory, follow_symlinks=False).st_mode if complete else stat.S_IFREG
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode):
            raise TransferError(f"the key {name!r} is no path here: {path} is a directory, and the object a file")
        if stat.S_ISLNK(mode):
            raise TransferError(f"the key {name!r} is no path here: {path} is a link, which is neither followed nor replaced")
        if not stat.S_ISREG(mode):
            raise TransferError(f"the key {name!r} is no path here: {path} is no regular file, and is not replaced by one")

    def keeps(self, name: str) -> str | None:
        """Return why a file must not be deleted; None where it may be."""
        try:
            self._reach(name, lambda way: None)
        except TransferError as error:
            return str(error)
        except OSError:
            return None  # whatever is done to it will say why
        return None

    def remove(self, name: str) -> bool:
        """Delete a file, and the directories that it leaves empty.

        Nothing is deleted through a link. False where nothing is to be deleted: it is gone, or it is the file of another
        name that differs in case alone.
        """
        if self._seen is not None and self._seen.get(_folded(name), hash(name)) != hash(name):
            return False

        def remove(way: DirectoryChain) -> None:
            os.unlink(name.rpartition("/")[2], dir_fd=way.directory)
            way.prune()

        return self._reach(name, remove)

    def _reach(self, name: str, work: Callable[[DirectoryChain], None]) -> bool:
        if self._fd is None:
            return False
        with DirectoryChain(self._fd, self._root, self._real, name) as way:
            try:
                there = way.go(links=0)
                if there:
                    work(way)
            except FileNotFoundError:
                return False
            return there


def _folded(name: str) -> int:
    return hash(unicodedata.normalize("NFC", name.casefold()))


def _ignores_case(directory: int) -> bool:
    """Find out whether an open directory takes `a` and `A` for one name. Blocks."""
    probe = f".aiocos-Case-{secrets.token_hex(4)}"
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | NO_LINK, 0o600, dir_fd=directory))
    except OSError:
        return False  # whatever comes will say why
    try:
        os.stat(probe.lower(), dir_fd=directory)
    except FileNotFoundError:
        return False
    finally:
        os.unlink(probe, dir_fd=directory)
    return True
