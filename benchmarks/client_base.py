"""What all drivers of compared clients share.

Each driver uses its client as the client's documentation shows, with the settings that its class names. A client without a
feature raises `Missing`, and its cell in the table is empty.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY, SECRET, TOKEN = "BENCHMARKKEY", "BENCHMARKSECRET", "t" * 1200
BUCKET, LISTED, PREFIX = "bench", "listed", "many/"
PART, AT_ONCE, FILES_AT_ONCE = 8 << 20, 8, 64


class Missing(Exception):
    """The client does not have this feature."""


@dataclass(frozen=True)
class Store:
    """The address and credentials of the server.

    `ca` is the file of its CA certificate. `width` is the number of concurrent calls, for clients whose connection pool has a
    size.
    """

    endpoint: str
    ca: str | None
    width: int


class Client:
    """The operations that are measured. Methods return the number to count: keys or bytes."""

    needs: str | None = None
    """Module that has to be installed."""
    hidden: tuple[str, ...] = ()
    """Modules that the process must not find."""
    slow = False
    """True: measured with a fifth of the calls, and in the first two rounds only."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def get(self, key: str) -> bytes:
        raise Missing

    async def open(self, key: str) -> bytes:
        """Open a small object as a stream and read it, where that differs from `get`."""
        raise Missing

    async def put(self, key: str, data: bytes) -> None:
        raise Missing

    async def head(self, key: str) -> None:
        raise Missing

    async def list(self) -> int:
        raise Missing

    async def stream(self, key: str) -> int:
        """Read an object in pieces, as they arrive, without keeping them."""
        raise Missing

    async def upload(self, path: Path) -> None:
        raise Missing

    async def upload_memory(self, data: bytes) -> None:
        raise Missing

    async def upload_stream(self, chunks: Callable[[], AsyncIterator[bytes]]) -> None:
        raise Missing

    async def download(self, key: str, path: Path) -> None:
        raise Missing

    async def upload_many(self, folder: Path) -> None:
        """Upload all files of a directory: by the client's method for it, or else by a plain loop, 64 files at once.

        The plain loop reads and writes files in the thread of the event loop, because a trip to another thread costs more
        than a small file. It writes to the file's final name, and checks nothing that the client does not check.
        """
        await each(sorted(folder.iterdir()), FILES_AT_ONCE, lambda path: self.put_file(f"{PREFIX}{path.name}", path))

    async def download_many(self, folder: Path) -> None:
        """Download all objects below the prefix, as `upload_many` does."""
        names = await self.names()
        await each(names, FILES_AT_ONCE, lambda key: self.get_file(key, folder / key.removeprefix(PREFIX)))

    async def names(self) -> list[str]:
        """Return the keys below the prefix."""
        raise Missing

    async def put_file(self, key: str, path: Path) -> None:
        await self.put(key, path.read_bytes())

    async def get_file(self, key: str, path: Path) -> None:
        path.write_bytes(await self.get(key))

    @classmethod
    def command(cls, what: str) -> list[str]:
        """Return the arguments of Python that run a command: `version` or `ls`."""
        raise Missing


async def each(items: Any, width: int, call: Callable[[Any], Any]) -> None:
    """Call a function for each item, `width` calls at a time."""
    left = iter(items)

    async def worker() -> None:
        for item in left:
            await call(item)

    await asyncio.gather(*(worker() for _ in range(width)))


def context(store: Store) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=store.ca) if store.ca else None
