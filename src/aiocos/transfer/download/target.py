"""Prepare and replace the file that a download writes.

The bytes are gathered in another file of the directory, which replaces the target at the end. What the user has at the target
is respected. A symbolic link is followed: the file that it leads to is replaced, and the link stays. The new file takes over
mode, owner, group and extended attributes of the old one, as far as the system permits. A file that did not exist gets its
mode from the umask. Anything that is not a regular file (device, pipe, socket, directory) is never replaced.

All names are relative to one directory, and used in this class only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from aiocos.errors import ConfigError, TransferError
from aiocos.transfer.files import OpenTarget, flush, flush_directory, open_own

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Mode of a new file, before the umask.
_NEW_MODE = 0o666
# Mode while the file gathers bytes, if it will replace another, whose mode it gets at the end: new content of a private file
# must not be readable by others meanwhile.
_PRIVATE_MODE = 0o600
# Links to links that are followed. Systems have a similar limit.
_MAX_LINKS = 40
# Extended attributes that were granted to the old content: privileges and signatures. The system removes them, too, when
# somebody writes to the file.
_CONTENT_ATTRIBUTES = frozenset({"security.capability", "security.ima", "security.evm"})
# Directories in which the system shows devices, and files that processes have open.
_SYSTEM_DIRECTORIES = ("/dev", "/dev/fd", "/proc", "/sys")


class Target:
    """A file in a directory, by its name. All methods block.

    With `dir_fd`, the directory is the open one with that descriptor, wherever its path leads by now.
    """

    def __init__(self, directory: Path, name: str, *, dir_fd: int | None = None) -> None:
        self.directory = directory
        self.name = name
        self.dir_fd = dir_fd
        # False if the file that will replace the target certainly has the mode of a new file.
        self._may_be_private = True
        self.old: os.stat_result | None = self._stat()
        """Status of the file that is there now; None if there is none."""

    @classmethod
    def find(cls, given: str | os.PathLike[str]) -> Target:
        """Return the target for a path, with links followed.

        Raises `ConfigError` if it cannot become a regular file.

        For an `OpenTarget`, a link is not followed: it could lead out of the directory that was opened.
        """
        path = current = Path(given)
        if isinstance(given, OpenTarget):
            target = cls(path.parent, path.name, dir_fd=given.dir_fd)
            if target.old is not None:
                _check_kind(path, target.old.st_mode)
            return target
        for _ in range(_MAX_LINKS):
            _check_not_of_system(path, current)
            try:
                mode = os.lstat(current).st_mode
            except (FileNotFoundError, NotADirectoryError):
                if current is not path:
                    raise ConfigError(
                        f"{path} is a link to {current}, which does not exist: remove the link, or name the file itself"
                    ) from None
                break
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    raise ConfigError(f"{path} is not a valid file name: {error.strerror}") from error
                raise
            if not stat.S_ISLNK(mode):
                _check_kind(path, mode)
                break
            current = current.parent / os.readlink(current)
        else:
            raise ConfigError(f"{path} is a link that leads to itself, or to more than {_MAX_LINKS} others")
        if not current.parent.is_dir():
            raise ConfigError(f"{current.parent} is not a directory: the object is not downloaded to {path}")
        return cls(current.parent, current.name)

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self.directory / self.name

    def sibling(self, name: str) -> Path:
        """Return the path of another name in the directory, for messages."""
        return self.directory / name

    def _name(self, name: str) -> str | Path:
        return name if self.dir_fd is not None else self.directory / name

    def _stat(self) -> os.stat_result | None:
        try:
            return os.stat(self._name(self.name), dir_fd=self.dir_fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    # -- the file that gathers the bytes --------------------------------------------------------------------------

    def create(self, name: str) -> int:
        """Create a file in the directory, under a name that must be free.

        Returns its descriptor.
        """
        self._may_be_private = self.old is not None
        return os.open(self._name(name), _CREATE, _PRIVATE_MODE if self._may_be_private else _NEW_MODE, dir_fd=self.dir_fd)

    def open_own(self, name: str, flags: int) -> tuple[int, str | None]:
        """Open or create a file in the directory that has a predictable name.

        See `files.open_own`.
        """
        mode = _NEW_MODE if self.old is None else _PRIVATE_MODE
        self._may_be_private = True
        fd, removed = open_own(self._name(name), flags, mode, dir_fd=self.dir_fd)
        if mode == _PRIVATE_MODE and hasattr(os, "fchmod"):
            _set_mode(fd, mode)
        return fd, removed

    def remove(self, name: str) -> None:
        """Remove a file of the directory, if it exists."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._name(name), dir_fd=self.dir_fd)

    def replace_with(self, name: str, fd: int, *, fsync: bool = False) -> None:
        """Rename another file of the directory, open as `fd`, to the target.

        With `fsync`, its content is flushed to the disk before, and the directory afterwards. Raises `TransferError` if by now
        something is there that must not be replaced.
        """
        now = self._stat()
        if now is not None and not stat.S_ISREG(now.st_mode):
            raise TransferError(f"{self.path} is not a regular file any more: it is not replaced by what was downloaded")
        old = now or self.old
        if old is not None:
            self._copy_ownership(fd, old)
        elif self._may_be_private and hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(fd).st_mode) == _PRIVATE_MODE:
            # Created by an earlier run, when there was a file to replace.
            _set_mode(fd, _NEW_MODE & ~_umask())
        if fsync:
            flush(fd)
        os.replace(self._name(name), self._name(self.name), src_dir_fd=self.dir_fd, dst_dir_fd=self.dir_fd)
        if fsync:
            flush_directory(self.directory, self.dir_fd)

    def _copy_ownership(self, fd: int, old: os.stat_result) -> None:
        """Give the new file owner, group, mode and extended attributes of the old one."""
        if not hasattr(os, "fchmod"):
            return
        mode, new = stat.S_IMODE(old.st_mode), os.fstat(fd)
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            try:
                os.fchown(fd, old.st_uid, old.st_gid)
            except OSError:
                # Users may give a file to a group of theirs, and to no other user. It must not run as its new owner instead.
                mode &= ~(stat.S_ISUID | stat.S_ISGID)
                with contextlib.suppress(OSError):
                    os.fchown(fd, -1, old.st_gid)
        # After the owner, since changing that clears some bits of the mode.
        _set_mode(fd, mode)
        if hasattr(os, "listxattr"):
            self._copy_attributes(fd)

    def _copy_attributes(self, fd: int) -> None:
        """Copy extended attributes, which include access control lists."""
        with contextlib.suppress(OSError):
            old = os.open(self._name(self.name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.dir_fd)
            try:
                for name in os.listxattr(old):
                    if name in _CONTENT_ATTRIBUTES:
                        continue
                    with contextlib.suppress(OSError):
                        os.setxattr(fd, name, os.getxattr(old, name))
            finally:
                os.close(old)


def _set_mode(fd: int, mode: int) -> None:
    """Set the mode of a file. File systems without modes refuse, which is ignored."""
    with contextlib.suppress(OSError):
        os.fchmod(fd, mode)


def _check_not_of_system(path: Path, current: Path) -> None:
    """Raise `ConfigError` for a file in `/dev`, `/proc` or `/sys`.

    A link there may be our own standard output.
    """
    directory = os.path.realpath(current.parent)
    if directory in _SYSTEM_DIRECTORIES or directory.startswith(("/proc/", "/sys/")):
        raise ConfigError(
            f"{path} is not a regular file, but one of the system's own: an object is not downloaded to it; "
            "`aiocos cp cos://bucket/key -` writes to standard output"
        )


def _check_kind(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise ConfigError(f"{path} is a directory: name the file to download to")
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{path} is not a regular file: a download would replace it")


def _umask() -> int:
    """Return the umask, or a strict one where the system does not show it.

    Where it is not shown, finding it out would mean changing it, for all threads.
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("Umask:"):
                    return int(line.split()[1], 8)
    except (OSError, ValueError, IndexError):
        pass
    return 0o077
