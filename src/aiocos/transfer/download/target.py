"""The file that a download becomes: where its bytes are gathered meanwhile, and how it takes its place at the end.

What a person has at the target stays theirs. A link is followed: the file that it leads to is replaced, and the link kept. The
new file takes over mode, owner, group and extended attributes of the old one, as far as the system lets us; one that was not
there gets what the umask leaves. What is no regular file (a device, a pipe, a socket, a directory) is never replaced.

All names are used relative to one directory, and in this class only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from aiocos.errors import ConfigError, TransferError
from aiocos.transfer.files import OpenTarget, entry_of, flush, flush_directory, open_own

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Of a new file, before the umask; and of one that replaces another, whose mode it gets at the end: a private file's new content
# must not be readable for others meanwhile.
_OPEN, _PRIVATE = 0o666, 0o600
# Links to links that are followed; the system has such a limit too.
_LINKS = 40
# Extended attributes that were given to the old content: rights to run as more than its user, and signatures. The system takes
# them away, too, when somebody writes to the file.
_OF_THE_CONTENT = frozenset({"security.capability", "security.ima", "security.evm"})
# What lies here is the system's: names of devices, and of what processes have open.
_SYSTEM = ("/dev", "/dev/fd", "/proc", "/sys")


class Target:
    """A file in a directory, by its name. `had` is what is there now, None for nothing. All methods block.

    With `dir_fd` the directory is the one that is open under that descriptor, whatever its path has become.
    """

    def __init__(self, directory: Path, name: str, *, dir_fd: int | None = None) -> None:
        self.directory = directory
        self.name = name
        self.dir_fd = dir_fd
        self.had: os.stat_result | None = self._look()

    @classmethod
    def find(cls, given: str | os.PathLike[str]) -> Target:
        """Return the target that a path names, links followed; `ConfigError` where it cannot become a file, with the reason.

        In a directory that was opened for it, a link is not followed: it may lead anywhere.
        """
        path = there = Path(given)
        if isinstance(given, OpenTarget):
            target = cls(path.parent, path.name, dir_fd=given.dir_fd)
            if target.had is not None:
                _check_kind(path, target.had.st_mode)
            return target
        for _ in range(_LINKS):
            _check_place(path, there)
            try:
                mode = os.lstat(there).st_mode
            except (FileNotFoundError, NotADirectoryError):
                if there is not path:
                    raise ConfigError(
                        f"{path} is a link to {there}, which does not exist: remove the link, or name the file itself"
                    ) from None
                break
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    raise ConfigError(f"{path} is no file name: {error.strerror}") from error
                raise
            if not stat.S_ISLNK(mode):
                _check_kind(path, mode)
                break
            there = there.parent / os.readlink(there)
        else:
            raise ConfigError(f"{path} is a link that leads to itself, or to more than {_LINKS} others")
        if not there.parent.is_dir():
            raise ConfigError(f"{there.parent} is no directory: the object is not downloaded to {path}")
        return cls(there.parent, there.name)

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self.directory / self.name

    def beside(self, name: str) -> Path:
        """Return the path of another name in the same directory, for messages."""
        return self.directory / name

    def _at(self, name: str) -> str | Path:
        return entry_of(self.directory / name, self.dir_fd)

    def _look(self) -> os.stat_result | None:
        try:
            return os.stat(self._at(self.name), dir_fd=self.dir_fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    # -- the file that gathers the bytes --------------------------------------------------------------------------

    def create(self, name: str) -> int:
        """Create a file beside the target under a name that nothing has; return its descriptor."""
        return os.open(self._at(name), _NEW, _OPEN if self.had is None else _PRIVATE, dir_fd=self.dir_fd)

    def open_own(self, name: str, flags: int) -> tuple[int, str | None]:
        """Open, or create, a file beside the target under a name that others can guess; see `files.open_own`."""
        mode = _OPEN if self.had is None else _PRIVATE
        fd, removed = open_own(self._at(name), flags, mode, dir_fd=self.dir_fd)
        if mode == _PRIVATE and hasattr(os, "fchmod"):
            _set_mode(fd, mode)
        return fd, removed

    def remove(self, name: str) -> None:
        """Remove a file beside the target, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self.dir_fd)

    def become(self, name: str, fd: int, *, fsync: bool = False) -> None:
        """Let a file beside the target, open as `fd`, take its place.

        With `fsync` its bytes are on the disk before it has the name, and the name is before this returns. Raises
        `TransferError` where meanwhile something stands there that must not be replaced.
        """
        now = self._look()
        if now is not None and not stat.S_ISREG(now.st_mode):
            raise TransferError(f"{self.path} is no regular file any more: what was downloaded does not take its place")
        kept = now or self.had
        if kept is not None:
            self._keep(fd, kept)
        elif hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(fd).st_mode) == _PRIVATE:
            # Begun by an earlier call, which found a file to replace.
            _set_mode(fd, _OPEN & ~_umask())
        if fsync:
            flush(fd)
        os.replace(self._at(name), self._at(self.name), src_dir_fd=self.dir_fd, dst_dir_fd=self.dir_fd)
        if fsync:
            flush_directory(self.directory, self.dir_fd)

    def _keep(self, fd: int, old: os.stat_result) -> None:
        """Give a new file what the old one had."""
        if not hasattr(os, "fchmod"):
            return
        mode, new = stat.S_IMODE(old.st_mode), os.fstat(fd)
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            try:
                os.fchown(fd, old.st_uid, old.st_gid)
            except OSError:
                # A user may give a file to a group of theirs, and to nobody else. And it must not run as somebody else now.
                mode &= ~(stat.S_ISUID | stat.S_ISGID)
                with contextlib.suppress(OSError):
                    os.fchown(fd, -1, old.st_gid)
        # After the owner: the system takes some bits away when that changes.
        _set_mode(fd, mode)
        if hasattr(os, "listxattr"):
            self._keep_attributes(fd)

    def _keep_attributes(self, fd: int) -> None:
        """Copy extended attributes, access control lists among them, where the file system has any."""
        with contextlib.suppress(OSError):
            there = os.open(self._at(self.name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.dir_fd)
            try:
                for name in os.listxattr(there):
                    if name in _OF_THE_CONTENT:
                        continue
                    with contextlib.suppress(OSError):
                        os.setxattr(fd, name, os.getxattr(there, name))
            finally:
                os.close(there)


def _set_mode(fd: int, mode: int) -> None:
    """Set the mode of a file, on file systems that have modes: without them the file is as private as it can be."""
    with contextlib.suppress(OSError):
        os.fchmod(fd, mode)


def _check_place(path: Path, there: Path) -> None:
    """Refuse what lies where the system shows devices and open files: a link there may be our own standard output."""
    directory = os.path.realpath(there.parent)
    if directory in _SYSTEM or directory.startswith(("/proc/", "/sys/")):
        raise ConfigError(
            f"{path} is no regular file, but one of the system's own: an object is not downloaded to it; "
            "`aiocos cp cos://bucket/key -` writes to standard output"
        )


def _check_kind(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise ConfigError(f"{path} is a directory: name the file the object shall become")
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{path} is no regular file: a download would take its place")


def _umask() -> int:
    """Return the umask; where the system does not tell, a careful one: to find it out it would have to be changed."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("Umask:"):
                    return int(line.split()[1], 8)
    except (OSError, ValueError, IndexError):
        pass
    return 0o077
