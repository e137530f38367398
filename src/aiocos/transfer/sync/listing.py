"""List one side of a sync in order of name: a directory or a prefix.

The order is that in which a service lists keys: by their bytes in UTF-8. So two sides are compared in one pass, and neither
is ever held in memory. A service that lists in another order is noticed (`in_order`). The comparison then transfers too much,
which does no harm; but a file that seems to be missing on the other side may just come later, so nothing must be deleted.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import aiofiles.os

from aiocos.errors import ProtocolError
from aiocos.groups import Service
from aiocos.transfer.location import CosLocation, is_cos_url
from aiocos.transfer.requests import Symlinks
from aiocos.transfer.reserved_names import is_reserved
from aiocos.transfer.sync.filters import Filter
from aiocos.transfer.sync.walk import LocalFile, Reserved, Unreadable, find_files

# Files to find in one call of a thread.
_BATCH = 256


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """An object below a prefix."""

    name: str
    """The key without the prefix."""
    bucket: str
    """Name of the bucket."""
    key: str
    """The whole key."""
    size: int
    """Size in bytes."""
    modified: int
    """Time at which it was written, in nanoseconds since 1970; 0 if the service does not say."""
    etag: str
    """ETag as the service writes it."""


Entry: TypeAlias = LocalFile | RemoteObject


class Directory:
    """The files below a directory.

    `is_target`: a missing directory counts as empty, and not as an error.
    """

    def __init__(self, root: Path, wanted: Filter, symlinks: Symlinks = "files", *, is_target: bool = False) -> None:
        self.root = root
        self._is_target = is_target
        self.in_order = True
        """Always True: files are sorted."""
        self._wanted = wanted
        self._symlinks: Symlinks = symlinks

    def location(self, name: str) -> str:
        """Return the path of a name, whether it exists or not."""
        return str(self.root / name)

    async def entries(self) -> AsyncIterator[LocalFile | Unreadable]:
        """Yield the files.

        If the directory of a source is missing, yields it as `Unreadable`.
        """
        if self._is_target and not await aiofiles.os.path.exists(self.root):
            return
        files = find_files(self.root, self._symlinks, self._wanted)
        # Not with `aiofiles.os.scandir`: each step of the walk would be a trip to a thread.
        while batch := await asyncio.to_thread(lambda: list(islice(files, _BATCH))):
            for file in batch:
                yield file

    def __str__(self) -> str:
        return str(self.root)


class Prefix:
    """The objects below a prefix.

    `folders`: the other side is a prefix, too. Then empty objects whose key ends in a slash are listed, and no name is
    reserved.
    """

    def __init__(self, service: Service, bucket: str, prefix: str, wanted: Filter, *, folders: bool) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.in_order = True
        """False once the service has listed a key out of order."""
        self._service = service
        self._wanted = wanted
        self._folders = folders

    def location(self, name: str) -> str:
        """Return the `cos://` location of a name, whether it exists or not."""
        return str(CosLocation(self.bucket, self.prefix + name))

    async def entries(self) -> AsyncIterator[RemoteObject | Unreadable]:
        """Yield the objects.

        Raises `ProtocolError` if the service lists one that is not below the prefix.
        """
        previous: bytes | None = None
        async for entry in self._service.objects.list(self.bucket, prefix=self.prefix or None):
            if not entry.key.startswith(self.prefix):
                # Without its prefix it would get the name of another object, which might be overwritten or deleted.
                raise ProtocolError(f"the listing of {self} has the key {entry.key!r}, which is not below it")
            name = entry.key[len(self.prefix) :]
            if not self._folders and entry.key.endswith("/") and not entry.size:
                continue
            encoded = name.encode()
            if previous is not None and encoded <= previous:
                self.in_order = False
            previous = encoded
            if not self._wanted.wants(name):
                continue
            if not self._folders and is_reserved(name):
                yield Reserved.at(name, self.location(name))
                continue
            stamp = entry.last_modified
            modified = 0 if stamp is None else int(stamp.timestamp()) * 10**9 + stamp.microsecond * 1000
            yield RemoteObject(name, self.bucket, entry.key, entry.size, modified, entry.etag)

    def __str__(self) -> str:
        return str(CosLocation(self.bucket, self.prefix))


Side: TypeAlias = Directory | Prefix


def side_of(
    service: Service,
    path: str | os.PathLike[str],
    wanted: Filter,
    symlinks: Symlinks,
    *,
    folders: bool,
    is_target: bool = False,
) -> Side:
    """Return the side for a path or a `cos://bucket/prefix`.

    A prefix is a folder, with or without a slash at its end.

    Raises `ConfigError` for a `cos://` location without a bucket.
    """
    if not is_cos_url(path):
        return Directory(Path(path), wanted, symlinks, is_target=is_target)
    location = CosLocation.parse(path)
    return Prefix(service, location.bucket, location.folder, wanted, folders=folders)
