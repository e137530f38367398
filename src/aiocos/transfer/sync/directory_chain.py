"""Open a directory below a root without being led outside by a symbolic link.

`open("root/a/b/file")` passes a path to the system, which follows every link in it: those that existed when the path was
checked, and those that somebody created afterwards. Here each segment is opened by its name in the directory before it. The
system does not follow links; this module reads a link and opens its segments one by one as well. They cannot leave the root:
`..` returns to the directory that was opened before, and not above the root.
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

# Links that are followed for one directory: as many as Linux follows.
_MAX_LINKS = 40
DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
"""Flags to open a directory."""
NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""Flag to refuse a link."""


class DirectoryChain:
    """Open directories, from a root to the directory that contains the file of a key.

    All methods block.

    Args:
        root: Descriptor of the root, which is duplicated.
        path: Path of the root, for messages.
        real: Path of the root without links.
        name: The key. Its last segment is the name of the file.
    """

    def __init__(self, root: int, path: Path, real: Path, name: str) -> None:
        self._path = path
        self._real = real
        self._name = name
        self._fds = [os.dup(root)]
        # Names of the directories that are open below the root.
        self._segments: list[str] = []
        # Segments that are still to be opened.
        self._todo: deque[str] = deque()

    def __enter__(self) -> DirectoryChain:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the directories."""
        while self._fds:
            os.close(self._fds.pop())

    @property
    def directory(self) -> int:
        """Descriptor of the last directory that was opened."""
        return self._fds[-1]

    @property
    def real(self) -> Path:
        """Path of the file's directory without links, also if not all of it exists."""
        return Path(os.path.normpath(self._real.joinpath(*self._segments, *self._todo)))

    def open(self, *, create: bool = False, max_links: int = _MAX_LINKS, fsync: bool = False) -> bool:
        """Open the directories of the key, one below the other, as far as they exist.

        Returns True if all exist.

        With `create`, missing directories are made; with `fsync`, their names are flushed to the disk. At most `max_links`
        links are followed. Raises `TransferError` if a link leaves the root, leads nowhere, or is one too many.
        """
        todo = self._todo = deque(self._name.split("/")[:-1])
        # How many of the segments are the key's own. Only those are made: the target of a link must exist.
        own = len(todo)
        while todo:
            segment = todo.popleft()
            from_link = len(todo) >= own
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
                if from_link:
                    reason = f"a link in its path leads to {self._path_of(segment)}, which does not exist"
                    raise TransferError(f"the key {self._name!r} cannot be a path here: {reason}") from None
                todo.appendleft(segment)
                own = len(todo)
                if not create:
                    return False
                self._make(segment)
                if fsync:
                    flush_directory(self._path_of(segment).parent, self.directory)
                continue
            except OSError as error:
                # Which error a link causes depends on the system.
                found = os.stat(segment, dir_fd=self.directory, follow_symlinks=False).st_mode
                if not stat.S_ISLNK(found):
                    if stat.S_ISDIR(found):
                        raise
                    reason = f"{self._path_of(segment)} is a file, not a directory"
                    raise TransferError(f"the key {self._name!r} cannot be a path here: {reason}") from error
            if not max_links:
                raise TransferError(f"the key {self._name!r} is reached by the link {self._path_of(segment)}")
            max_links -= 1
            todo.extendleft(reversed(self._segments_of_link(segment)))
        return True

    def _enter(self, segment: str) -> None:
        self._fds.append(os.open(segment, DIRECTORY | NO_LINK, dir_fd=self.directory))
        self._segments.append(segment)

    def _make(self, segment: str) -> None:
        try:
            os.mkdir(segment, dir_fd=self.directory)
        except FileExistsError:
            return  # made by another of our tasks, or not a directory: `_enter` will tell

    def _up(self) -> None:
        if not self._segments:
            raise self._leaves_root("..")
        self._segments.pop()
        os.close(self._fds.pop())

    def _segments_of_link(self, segment: str) -> Sequence[str]:
        """Return the segments of the path in a link.

        For an absolute path, goes back to the root, from which they are counted.
        """
        text = os.readlink(segment, dir_fd=self.directory)
        if not os.path.isabs(text):
            return text.split("/")
        real = Path(os.path.realpath(text))
        if not real.is_relative_to(self._real):
            raise self._leaves_root(segment, real)
        while self._segments:
            self._up()
        return real.relative_to(self._real).parts

    def _path_of(self, segment: str) -> Path:
        return self._path.joinpath(*self._segments, segment)

    def _leaves_root(self, segment: str, real: Path | None = None) -> TransferError:
        reason = f"{self._path_of(segment)} is a link to {real}" if real else f"a link in its path leaves {self._path}"
        return TransferError(f"the key {self._name!r} leads outside: {reason}")

    def remove_empty(self) -> None:
        """Remove the directories of the key that are empty, from the last one up."""
        while self._segments:
            segment = self._segments[-1]
            self._up()
            try:
                os.rmdir(segment, dir_fd=self.directory)
            except OSError:
                return
