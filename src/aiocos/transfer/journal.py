"""What a transfer writes down so that another process can go on with it.

A journal is a file of JSON lines: first what the transfer is, then what was done, a line a step. It is written behind the deed,
so a process that is killed leaves a journal that claims too little, and perhaps half a line, which is dropped. What it claims
is still not believed: whoever goes on compares the steps with the bytes on disk and with what the service has.

It may be anybody's work, too. Only a regular file that is ours, under one name, is opened (`files.open_own`); whatever its
content does to a parser makes it no journal, and nothing else; and its size is bounded, so that reading one is no work.

It also is a lock: two processes that carry on the same transfer would spoil each other's work, so the second is refused. The
lock is the system's and ends with the process, however that ends.
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
from aiocos.transfer.files import entry_of, open_own

# Of the form of the lines; another one is not understood.
_VERSION = 1
# Bytes of a journal: a million notes of a download, which are a TiB. What is beyond is not noted, and would be fetched again.
_LARGEST = 32 << 20
# Bytes of a line: paths and keys of some KiB, each character escaped.
_LONGEST = 64 << 10

if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def state_directory() -> Path:
    """Where journals of uploads are kept: `aiocos` in the user's directory for state, `XDG_STATE_HOME` or its like."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "aiocos"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "aiocos"


def name_for(*what: str) -> str:
    """Return a file name for the journal of a transfer, the same for the same transfer."""
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]


class Journal:
    """One transfer's. `begun` is what the transfer was when it began, None if it begins now; `steps` are what it had done.

    `trouble` says why what was there cannot be used. All methods block.
    """

    def __init__(self, path: Path, fd: int, trouble: str | None = None, dir_fd: int | None = None) -> None:
        self.path = path
        self._fd = fd
        self._dir_fd = dir_fd
        self.begun: dict[str, Any] | None = None
        self.steps: list[Any] = []
        self.trouble = trouble
        self._size = 0
        self._read()

    @classmethod
    def open(cls, path: Path, dir_fd: int | None = None) -> Journal:
        """Open a journal, or make one. `TransferError` where another process, or another transfer of this one, has it.

        With `dir_fd` it is opened, and later removed, by its name in that open directory. Raises `files.NotOurs` where what
        stands under its name is something else, and cannot be removed.
        """
        if dir_fd is None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = entry_of(path, dir_fd)
        trouble: str | None = None
        for _ in range(10):
            fd, removed = open_own(name, os.O_RDWR | os.O_APPEND, 0o600, dir_fd)
            trouble = removed or trouble
            try:
                try:
                    _lock(fd)
                except OSError as error:
                    raise TransferError(f"the same transfer is under way already: {path} is locked") from error
                # Whoever had it may have removed it between our opening and our lock: then this is the lock of no file.
                if _is(name, fd, dir_fd):
                    return cls(path, fd, trouble, dir_fd)
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)
        raise TransferError(f"the journal {path} comes and goes: something else writes there")

    def _read(self) -> None:
        try:
            lines = self._lines()
            if not lines:
                return
            head, *steps = [json.loads(line) for line in lines]
        except Exception as error:  # whatever a parser makes of what somebody wrote: recursion, memory, digits, text
            self.trouble = f"the journal {self.path} is damaged ({type(error).__name__})"
            return
        if not isinstance(head, dict) or cast("dict[str, Any]", head).get("journal") != _VERSION:
            self.trouble = f"the journal {self.path} was written by another version of this library, or by something else"
            return
        self.begun, self.steps = cast("dict[str, Any]", head), steps

    def _lines(self) -> list[bytes]:
        size = os.fstat(self._fd).st_size
        if size > _LARGEST:
            raise ValueError("too large")
        with open(self._fd, "rb", closefd=False) as file:
            file.seek(0)
            text = file.read(size)
        lines = text.split(b"\n")
        # A last line without its end was being written when the process died. It goes, or the next note would be its end.
        self._size = len(text) - len(lines.pop())
        os.ftruncate(self._fd, self._size)
        if any(len(line) > _LONGEST for line in lines):
            raise ValueError("a line is too long")
        return lines

    def begin(self, what: Mapping[str, Any]) -> None:
        """Begin anew: forget what was there."""
        os.ftruncate(self._fd, 0)
        self._size = 0
        self.begun, self.steps, self.trouble = {"journal": _VERSION, **what}, [], None
        self.add(self.begun)

    def add(self, step: Any) -> None:
        """Note what was done, as far as a journal goes: what is not noted is done again."""
        line = json.dumps(step, separators=(",", ":")).encode() + b"\n"
        if self._size + len(line) > _LARGEST:
            return
        self._size += len(line)
        # In one write: lines of several threads do not mix.
        if os.write(self._fd, line) != len(line):
            raise OSError(f"the journal {self.path} could not be written")

    def close(self) -> None:
        """Keep it for whoever goes on."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def remove(self) -> None:
        """End it: there is nothing to go on with."""
        if self._fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(entry_of(self.path, self._dir_fd), dir_fd=self._dir_fd)
            self.close()

    def differs(self, now: Mapping[str, Any]) -> str | None:
        """Say in what the transfer that began differs from the one that would go on; None where it is the same."""
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


def _is(name: str | Path, fd: int, dir_fd: int | None) -> bool:
    try:
        return os.path.samestat(os.stat(name, dir_fd=dir_fd, follow_symlinks=False), os.fstat(fd))
    except FileNotFoundError:
        return False
