"""Write and delete files of many keys below one directory, and never outside.

Others choose the keys of a bucket. `../../x`, `/etc/x`, `a\\0b` or `C:\\x` must not reach outside the directory that the user
named, and keys that would have the same path (`a//b` and `a/b`) must not overwrite each other. Such keys are refused one by
one, with the reason, and the others are transferred. Nor may a key name a file in which transfers keep their state.

The naive way is to check the path and then open it. But somebody may replace a directory of the path by a link in between. So
files are created and deleted by names in open directories: `DirectoryChain` opens one directory below the other, never
through a link, and the last one stays open while the file in it is written.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import threading
import unicodedata
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from pathlib import Path

from aiocos.errors import TransferError
from aiocos.transfer.download.target import Target
from aiocos.transfer.files import OpenTarget, make_directory, resource
from aiocos.transfer.reserved_names import is_reserved, reserved_name_error
from aiocos.transfer.state import state_directory
from aiocos.transfer.sync.directory_chain import DIRECTORY, NO_LINK, DirectoryChain

_DRIVE = re.compile(r"[A-Za-z]:")


def check_key(name: str) -> None:
    """Raise `TransferError` if a key cannot be a path of its own below a directory."""
    for part in name.split("/"):
        if part in ("", ".", ".."):
            raise TransferError(f"the key {name!r} cannot be a path: it has the segment {part!r}")
        if "\0" in part or (os.name == "nt" and ("\\" in part or ":" in part or part.endswith((" ", ".")))):
            raise TransferError(f"the key {name!r} cannot be a path: it has a character that file names cannot have")
    if _DRIVE.match(name) and os.name == "nt":
        raise TransferError(f"the key {name!r} cannot be a path: it names a drive")
    try:
        os.fsencode(name)
    except UnicodeEncodeError as error:
        raise TransferError(f"the key {name!r} cannot be a path here: {error.reason}") from error


def path_for_key(root: Path, name: str) -> Path:
    """Return the path below `root` for a key.

    Raises `TransferError` if a key cannot be a path of its own there.
    """
    check_key(name)
    return root.joinpath(*name.split("/"))


class SafeTarget:
    """A directory to which objects are downloaded, each to a path of its own.

    `download_directory`, `sync` and `mv -r` create and delete all their files with it. All methods but `opened` and `target`
    block.

    Args:
        root: The directory.
        ignores_case: Returns True if the file system of an open directory ignores case. None probes it with a file.
        state: Directory in which uploads keep their journals, where no object may be written. None is the user's.
        fsync: True flushes new directories to the disk before a file is written to them.
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
        # A thread that finds a directory which another thread has made must find it flushed.
        self._making_directories: AbstractContextManager[object] = threading.Lock() if fsync else nullcontext()
        self._fd: int | None = None
        self._real = root
        self._state = None if state is None else Path(state)
        self.refused = False
        """True once a key could not become a path because of what is in the directory."""
        self._ignores_case = ignores_case or _ignores_case
        # If case is ignored: the hash of each name so far, by the hash of its case-folded form.
        self._names: dict[int, int] | None = None

    @asynccontextmanager
    async def opened(self, *, create: bool = True) -> AsyncGenerator[None]:
        """Open the directory for the duration of an `async with` block.

        With `create`, make it if it is missing.
        """
        async with resource(partial(self.open, create=create), lambda _: self.close()):
            yield

    def open(self, *, create: bool = True) -> None:
        """Open the directory; see `opened`."""
        if create:
            make_directory(self._root, fsync=self._fsync)
        try:
            # Links are followed here: the user has named this path.
            self._fd = os.open(self._root, DIRECTORY)
        except FileNotFoundError:
            if create:
                raise
            return
        try:
            self._real = self._root.resolve()
            with suppress(RuntimeError):  # a user without a home directory has no state directory
                self._state = (self._state or state_directory()).resolve()
            if create and self._ignores_case(self._fd):
                self._names = {}
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the directory."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def path(self, name: str) -> Path:
        """Return the path for a key, without creating anything.

        Raises `TransferError` if its object must not be written.
        """
        path = self._path(name)
        if self._fd is None:
            return path
        try:
            with DirectoryChain(self._fd, self._root, self._real, name) as chain:
                self._check(chain, path, name, complete=chain.open())
        except OSError as error:
            raise _no_path(name, error) from error
        except TransferError:
            self.refused = True
            raise
        return path

    @contextmanager
    def targets(self) -> Generator[Callable[[str], Target]]:
        """Yield a function that opens the directory for the file of a key.

        The `Target` that it returns is of use until the next call, or the end of the `with` block. The directory stays open
        if the next key is in it. Missing directories are made.

        The function blocks, and raises `TransferError` as `path` does.
        """
        chain: DirectoryChain | None = None
        opened, path, real, has_journals = "", self._root, self._real, False

        def find(name: str) -> Target:
            nonlocal chain, opened, path, real, has_journals
            self.check_name(name)
            directory, _, file = name.rpartition("/")
            try:
                if chain is None or directory != opened:
                    if chain is not None:
                        last, chain = chain, None
                        last.close()
                    chain = self._open_chain(name)
                    opened, path, real = directory, self._root / directory, chain.real
                    has_journals = self._state is not None and (real == self._state.parent or real.is_relative_to(self._state))
                if has_journals:
                    self._check_state(real, name)
                return self._target_in(path, file, chain.directory, name)
            except TransferError:
                self.refused = True
                raise

        try:
            yield find
        finally:
            if chain is not None:
                chain.close()

    def _open_chain(self, name: str) -> DirectoryChain:
        """Open the directory for the file of a key; missing directories are made."""
        # Under the lock, since a directory that is found must be flushed.
        with self._making_directories:
            chain = self._new_chain(name)
            try:
                try:
                    complete = chain.open()
                except OSError as error:
                    raise _no_path(name, error) from error
                if not complete:
                    # Before anything is made there.
                    self._check_state(chain.real, name)
                    chain.close()
                    chain = self._new_chain(name)
                    chain.open(create=True, fsync=self._fsync)
            except BaseException:
                chain.close()
                raise
            return chain

    def _new_chain(self, name: str) -> DirectoryChain:
        assert self._fd is not None
        return DirectoryChain(self._fd, self._root, self._real, name)

    def target(self, name: str) -> AbstractAsyncContextManager[OpenTarget]:
        """Open the directory for the file of a key, for an `async with` block.

        Missing directories are made.

        Raises `TransferError` as `path` does.
        """
        return resource(partial(self._open_target, name), OpenTarget.close)

    def _open_target(self, name: str) -> OpenTarget:
        path = self._path(name)
        try:
            with self._open_chain(name) as chain:
                self._check_state(chain.real, name)
                self._target_in(path.parent, path.name, chain.directory, name)
                return OpenTarget(path, os.dup(chain.directory))
        except TransferError:
            self.refused = True
            raise

    def check_name(self, name: str) -> None:
        """Raise `TransferError` if a key cannot be a path, whatever is in the directory.

        Does not block.
        """
        check_key(name)
        if is_reserved(name):
            raise reserved_name_error(f"the key {name!r}")
        if self._names is not None and self._names.setdefault(_folded(name), hash(name)) != hash(name):
            raise TransferError(f"the key {name!r} has no path of its own here: another key differs in case alone")

    def _path(self, name: str) -> Path:
        self.check_name(name)
        return path_for_key(self._root, name)

    def _check(self, chain: DirectoryChain, path: Path, name: str, *, complete: bool) -> None:
        """Raise `TransferError` if the file must not be written.

        It must not be among journals, nor replace anything but a regular file.
        """
        self._check_state(chain.real, name)
        if complete:
            self._target_in(path.parent, path.name, chain.directory, name)

    def _check_state(self, directory: Path, name: str) -> None:
        """Raise `TransferError` for a file in the directory of journals.

        `directory` is the path of the file's directory, without links.
        """
        if self._state is not None and (directory / name.rpartition("/")[2]).is_relative_to(self._state):
            raise TransferError(f"the key {name!r} cannot be a path here: in {self._state} uploads keep their journals")

    def _target_in(self, directory: Path, file: str, dir_fd: int, name: str) -> Target:
        """Return the target for a file in an open directory.

        Raises `TransferError` if there is anything but a regular file.
        """
        try:
            target = Target(directory, file, dir_fd=dir_fd)
        except OSError as error:
            raise _no_path(name, error) from error
        if target.old is None:
            return target
        mode, path = target.old.st_mode, target.path
        if stat.S_ISDIR(mode):
            raise TransferError(f"the key {name!r} cannot be a path here: {path} is a directory, and the object a file")
        if stat.S_ISLNK(mode):
            raise TransferError(
                f"the key {name!r} cannot be a path here: {path} is a link, which is neither followed nor replaced"
            )
        if not stat.S_ISREG(mode):
            raise TransferError(
                f"the key {name!r} cannot be a path here: {path} is not a regular file, and is not replaced by one"
            )
        return target

    def why_kept(self, name: str) -> str | None:
        """Return why the file of a key must not be deleted; None if it may be."""
        try:
            self._with_directory(name, lambda chain: None)
        except TransferError as error:
            return str(error)
        except OSError:
            return None  # deleting it will report the error
        return None

    def remove(self, name: str) -> bool:
        """Delete the file of a key, and the directories that this leaves empty.

        Never deletes through a link.

        Returns False if nothing was deleted: the file is gone, or it belongs to another key that differs in case alone.
        """
        if self._names is not None and self._names.get(_folded(name), hash(name)) != hash(name):
            return False

        def remove(chain: DirectoryChain) -> None:
            os.unlink(name.rpartition("/")[2], dir_fd=chain.directory)
            chain.remove_empty()

        return self._with_directory(name, remove)

    def _with_directory(self, name: str, action: Callable[[DirectoryChain], None]) -> bool:
        """Call `action` with the directory of a key, reached without following links.

        Returns False if it does not exist.
        """
        if self._fd is None:
            return False
        with DirectoryChain(self._fd, self._root, self._real, name) as chain:
            try:
                found = chain.open(max_links=0)
                if found:
                    action(chain)
            except FileNotFoundError:
                return False
            return found


def _no_path(name: str, error: OSError) -> TransferError:
    return TransferError(f"the key {name!r} cannot be a path here: {error.strerror or error}")


def _folded(name: str) -> int:
    """Return a hash that is equal for names which differ in case alone."""
    return hash(unicodedata.normalize("NFC", name.casefold()))


def _ignores_case(directory: int) -> bool:
    """Return True if `a` and `A` are one name in an open directory. Blocks."""
    probe = f".aiocos-Case-{secrets.token_hex(4)}"
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | NO_LINK, 0o600, dir_fd=directory))
    except OSError:
        return False  # writing the first file will report the error
    try:
        os.stat(probe.lower(), dir_fd=directory)
    except FileNotFoundError:
        return False
    finally:
        os.unlink(probe, dir_fd=directory)
    return True
