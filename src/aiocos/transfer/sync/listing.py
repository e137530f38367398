"""The two sides of a synchronisation: a directory, or what lies below a prefix. Each gives its entries in order of name.

The order is that of the service, by the bytes of the key in UTF-8; so two sides are compared in one pass, and neither is ever
held in memory. A service that lists in another order is noticed (`in_order`): the comparison then finds too much to do, which
does no harm, but what seems to be surplus may be none.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from aiocos.errors import ConfigError, ProtocolError
from aiocos.groups import Service
from aiocos.transfer.sync.filters import Filter
from aiocos.transfer.sync.paths import LocalFile, Reserved, Symlinks, Unreadable, is_reserved, look

# Files found in one step of a thread.
_FOUND = 256
_SCHEME = "cos://"


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """An object below a prefix: its name is what the key has after that. `modified` is in ns since 1970."""

    name: str
    bucket: str
    key: str
    size: int
    modified: int
    etag: str


Entry: TypeAlias = LocalFile | RemoteObject


class Directory:
    """The files below a directory.

    With `is_target` they are compared with a source, and written to.
    """

    def __init__(self, root: Path, wanted: Filter, symlinks: Symlinks = "files", *, is_target: bool = False) -> None:
        self.root = root
        self._is_target = is_target
        self.in_order = True
        self._wanted = wanted
        self._symlinks: Symlinks = symlinks

    def at(self, name: str) -> str:
        """Say where a name is, or would be."""
        return str(self.root / name)

    async def entries(self) -> AsyncIterator[LocalFile | Unreadable]:
        """Yield the files.

        A target that is not there has none; a source that is not there any more cannot be read.
        """
        if self._is_target and not await asyncio.to_thread(self.root.exists):
            return
        found = look(self.root, self._symlinks, self._wanted)
        while some := await asyncio.to_thread(lambda: list(islice(found, _FOUND))):
            for one in some:
                yield one

    def __str__(self) -> str:
        return str(self.root)


class Prefix:
    """The objects below a prefix.

    `folders`: the other side is a prefix, too, so objects that stand for folders (empty, with a slash at the end) count, and no
    name is reserved.
    """

    def __init__(self, service: Service, bucket: str, prefix: str, wanted: Filter, *, folders: bool) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.in_order = True
        self._service = service
        self._wanted = wanted
        self._folders = folders

    def at(self, name: str) -> str:
        """Say where a name is, or would be."""
        return f"{_SCHEME}{self.bucket}/{self.prefix}{name}"

    async def entries(self) -> AsyncIterator[RemoteObject | Unreadable]:
        """Yield the objects.

        Raises `ProtocolError` where the service lists one that is not below the prefix.
        """
        before: bytes | None = None
        async for entry in self._service.objects.list(self.bucket, prefix=self.prefix or None):
            if not entry.key.startswith(self.prefix):
                # What it would be called here is the name of something else, which might be overwritten or deleted.
                raise ProtocolError(f"the listing of {self} has the key {entry.key!r}, which does not lie there")
            name = entry.key[len(self.prefix) :]
            if not self._folders and entry.key.endswith("/") and not entry.size:
                continue
            encoded = name.encode()
            if before is not None and encoded <= before:
                self.in_order = False
            before = encoded
            if not self._wanted.wants(name):
                continue
            if not self._folders and is_reserved(name):
                yield Reserved.at(name, self.at(name))
                continue
            stamp = entry.last_modified
            modified = 0 if stamp is None else int(stamp.timestamp()) * 10**9 + stamp.microsecond * 1000
            yield RemoteObject(name, self.bucket, entry.key, entry.size, modified, entry.etag)

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.prefix}"


Side: TypeAlias = Directory | Prefix


def side_of(
    service: Service,
    place: str | os.PathLike[str],
    wanted: Filter,
    symlinks: Symlinks,
    *,
    folders: bool,
    is_target: bool = False,
) -> Side:
    """Return the side that a path or a `cos://bucket/prefix` names. A prefix gets a slash at its end: it is a folder."""
    if not isinstance(place, str) or not place.startswith(_SCHEME):
        return Directory(Path(place), wanted, symlinks, is_target=is_target)
    bucket, _, prefix = place[len(_SCHEME) :].partition("/")
    if not bucket:
        raise ConfigError(f"{place!r} names no bucket")
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    return Prefix(service, bucket, prefix, wanted, folders=folders)


def is_remote(place: str | os.PathLike[str]) -> bool:
    """Tell whether a place is in the service."""
    return isinstance(place, str) and place.startswith(_SCHEME)
