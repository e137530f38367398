"""Reach a directory below a root without being led outside by a link.

`open("root/a/b/file")` gives the system a path, and the system follows every link in it: those that were there when the path
was checked, and those that somebody puts there afterwards. Here each segment is opened by its name in the directory before it.
A link is not followed by the system but read here, and its segments are opened one by one, too. They cannot leave the root:
`..` goes back to the directory that was opened before, and no further.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from aiocos.errors import TransferError
from aiocos.transfer.files import flush_directory

# Links on the way to one directory, as many as Linux follows.
_LINKS = 40
DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


class DirectoryChain:
    """A chain of open directories, from a root to the directory of a name.

    All methods block.
    """

    def __init__(self, root: int, path: Path, real: Path, name: str) -> None:
        self._path = path
        self._real = real
        self._name = name
        self._fds = [os.dup(root)]
        self._segments: list[str] = []
        self._todo: deque[str] = deque()

    def __enter__(self) -> DirectoryChain:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while self._fds:
            os.close(self._fds.pop())

    @property
    def directory(self) -> int:
        """The descriptor of the directory that was reached."""
        return self._fds[-1]

    @property
    def real(self) -> Path:
        """Path of that directory without links, whether all of it is there or not."""
        return Path(os.path.normpath(self._real.joinpath(*self._segments, *self._todo)))

    def go(self, *, create: bool = False, links: int = _LINKS, fsync: bool = False) -> bool:
        """Open one directory after the other, as far as they are there.

        Returns True where that is all the way. With `create`, the missing directories of the name are made. At most `links`
        links are followed, not by the system but here, step by step; `TransferError` where one leaves the root. With `fsync`
        the names of directories that are made are on the disk afterwards.
        """
        todo = self._todo = deque(self._name.split("/")[:-1])
        # Segments of the name itself that are left: only they are made. What a link leads to is there, or is not to be.
        own = len(todo)
        while todo:
            segment = todo.popleft()
            linked = len(todo) >= own
            own = min(own, len(todo))
            if segment in ("", "."):
                continue
            if segment == "..":
                self._up()
                continue
            try:
                self._enter(segment)
                continue
            except FileNotFoundError:
                if linked:
                    reason = f"a link on its way leads to {self._here(segment)}, which is not there"
                    raise TransferError(f"the key {self._name!r} is no path here: {reason}") from None
                todo.appendleft(segment)
                own = len(todo)
                if not create:
                    return False
                self._make(segment)
                if fsync:
                    flush_directory(self._here(segment).parent, self.directory)
                continue
            except OSError as error:
                # Which error a link gives depends on the system.
                found = os.stat(segment, dir_fd=self.directory, follow_symlinks=False).st_mode
                if not stat.S_ISLNK(found):
                    if stat.S_ISDIR(found):
                        raise
                    reason = f"{self._here(segment)} is a file, and no directory"
                    raise TransferError(f"the key {self._name!r} is no path here: {reason}") from error
            if not links:
                raise TransferError(f"the key {self._name!r} is reached by the link {self._here(segment)}")
            links -= 1
            todo.extendleft(reversed(self._behind(segment)))
        return True

    def _enter(self, segment: str) -> None:
        self._fds.append(os.open(segment, DIRECTORY | NO_LINK, dir_fd=self.directory))
        self._segments.append(segment)

    def _make(self, segment: str) -> None:
        try:
            os.mkdir(segment, dir_fd=self.directory)
        except FileExistsError:
            return  # by another of our tasks; what it is will be seen

    def _up(self) -> None:
        if not self._segments:
            raise self._outside("..")
        self._segments.pop()
        os.close(self._fds.pop())

    def _behind(self, segment: str) -> Sequence[str]:
        """Return the segments that a link stands for.

        They begin at the directory that was reached; for an absolute link that is the root again.
        """
        text = os.readlink(segment, dir_fd=self.directory)
        if not os.path.isabs(text):
            return text.split("/")
        real = Path(os.path.realpath(text))
        if not real.is_relative_to(self._real):
            raise self._outside(segment, real)
        while self._segments:
            self._up()
        return real.relative_to(self._real).parts

    def _here(self, segment: str) -> Path:
        return self._path.joinpath(*self._segments, segment)

    def _outside(self, segment: str, real: Path | None = None) -> TransferError:
        where = f"{self._here(segment)} is {real} by a link" if real else f"a link on its way leaves {self._path}"
        return TransferError(f"the key {self._name!r} leads outside: {where}")

    def prune(self) -> None:
        """Remove the directories on the way that are empty, the last one first."""
        while self._segments:
            segment = self._segments[-1]
            self._up()
            try:
                os.rmdir(segment, dir_fd=self.directory)
            except OSError:
                return
