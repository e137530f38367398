"""Record what a transfer has done, so that another process can continue it.

A journal is a file of JSON lines. The first line says what the transfer is; each further line records one completed step. A
line is written after its step, so a process that is killed leaves a journal that claims too little, and possibly half a line
at the end, which is dropped. Whoever continues the transfer still compares every step with the bytes on disk and with the
service.

Journals have predictable names, so anybody may have written one. Only a regular file of this user with one name is opened
(`files.open_own`). Content that cannot be parsed counts as no journal, and the size of a journal is bounded.

A journal is also a lock: two processes that continue the same transfer would overwrite each other's work, so the second one is
refused. The lock belongs to the open file, so it ends with the process, however that ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from aiocos.errors import TransferError
from aiocos.transfer.files import name_in, open_own

# Version of the format. Journals of other versions are not used.
_VERSION = 1
# Bytes of a journal: a million steps of a download, which are a TiB. Further steps are not recorded, and would be repeated.
_MAX_SIZE = 32 << 20
# Bytes of a line: paths and keys of some KiB, with each character escaped.
_MAX_LINE = 64 << 10

if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def journal_id(*what: str) -> str:
    """Return an id for the journal of a transfer: a hash of the arguments."""
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]


class Journal:
    """The journal of one transfer, open and locked. All methods block."""

    def __init__(self, path: Path, fd: int, problem: str | None = None, dir_fd: int | None = None) -> None:
        self.path = path
        self._fd = fd
        self._dir_fd = dir_fd
        self.begun: dict[str, Any] | None = None
        """What the transfer was when it began; None for a new journal."""
        self.steps: list[Any] = []
        """The steps that were recorded."""
        self.problem = problem
        """Why an existing journal cannot be used; None if it can, or if there was none."""
        self._size = 0
        self._read()

    @classmethod
    def open(cls, path: Path, dir_fd: int | None = None) -> Journal:
        """Open or create a journal, and lock it.

        With `dir_fd`, it is opened and later removed by its name in that open directory. Raises `TransferError` if another
        transfer, in this process or another, has the lock, and `files.NotOurs` if something else has the name and cannot be
        removed.
        """
        if dir_fd is None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = name_in(path, dir_fd)
        problem: str | None = None
        for _ in range(10):
            fd, removed = open_own(name, os.O_RDWR | os.O_APPEND, 0o600, dir_fd)
            problem = removed or problem
            try:
                try:
                    _lock(fd)
                except OSError as error:
                    raise TransferError(f"the same transfer is already running: {path} is locked") from error
                # The previous owner may have removed the file after we had opened it: then our lock protects nothing.
                if _has_name(fd, name, dir_fd):
                    return cls(path, fd, problem, dir_fd)
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)
        raise TransferError(f"the journal {path} is replaced again and again: something else writes there")

    def _read(self) -> None:
        # From the locked descriptor, not by path: another process may have replaced the file behind the path.
        try:
            lines = self._lines()
            if not lines:
                return
            head, *steps = [json.loads(line) for line in lines]
        except Exception as error:  # a parser may raise anything for hostile content: recursion, memory, digits, encoding
            self.problem = f"the journal {self.path} is damaged ({type(error).__name__})"
            return
        if not isinstance(head, dict) or cast("dict[str, Any]", head).get("journal") != _VERSION:
            self.problem = f"the journal {self.path} was written by another version of this library, or by something else"
            return
        self.begun, self.steps = cast("dict[str, Any]", head), steps

    def _lines(self) -> list[bytes]:
        size = os.fstat(self._fd).st_size
        if size > _MAX_SIZE:
            raise ValueError("too large")
        with open(self._fd, "rb", closefd=False) as file:
            file.seek(0)
            text = file.read(size)
        lines = text.split(b"\n")
        # A last line without a newline was being written when the process died. The next step would be appended to it.
        self._size = len(text) - len(lines.pop())
        os.ftruncate(self._fd, self._size)
        if any(len(line) > _MAX_LINE for line in lines):
            raise ValueError("a line is too long")
        return lines

    def begin(self, what: Mapping[str, Any]) -> None:
        """Start a new journal for the transfer that `what` describes.

        Earlier content is discarded.
        """
        os.ftruncate(self._fd, 0)
        self._size = 0
        self.begun, self.steps, self.problem = {"journal": _VERSION, **what}, [], None
        self.add(self.begun)

    def add(self, step: Any) -> None:
        """Record a step.

        Once the journal has its full size, nothing is recorded, and the step would be repeated.
        """
        line = json.dumps(step, separators=(",", ":")).encode() + b"\n"
        if self._size + len(line) > _MAX_SIZE:
            return
        self._size += len(line)
        # With one write, so that lines of several threads do not mix.
        if os.write(self._fd, line) != len(line):
            raise OSError(f"the journal {self.path} could not be written")

    def close(self) -> None:
        """Close the journal and keep the file, for a later run.

        Does nothing if it is closed or removed.
        """
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def remove(self) -> None:
        """Close the journal and remove its file: there is nothing to continue."""
        if self._fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name_in(self.path, self._dir_fd), dir_fd=self._dir_fd)
            self.close()

    def difference(self, now: Mapping[str, Any]) -> str | None:
        """Return why the recorded transfer is not the one that `now` describes.

        Returns None if it is.
        """
        begun = self.begun or {}
        for name, value in now.items():
            if begun.get(name) != value:
                return _DIFFERENCES.get(name, f"it has another {name.replace('_', ' ')}")
        return None


_DIFFERENCES = {
    "kind": "it is of a transfer of another kind",
    "endpoint": "it is of a transfer with another service",
    "bucket": "it is of another bucket",
    "key": "it is of another object",
    "source": "it is of another source",
    "size": "the source has another size now",
    "mtime": "the source was changed since",
    "etag": "the object was replaced since",
    "options": "the object was to have other headers then",
    "part_size": "it was cut into parts of another size",
}


def _has_name(fd: int, name: str | Path, dir_fd: int | None) -> bool:
    """Return True if `name` is still the name of the open file."""
    try:
        return os.path.samestat(os.stat(name, dir_fd=dir_fd, follow_symlinks=False), os.fstat(fd))
    except FileNotFoundError:
        return False
