"""Storage of the emulator: SQLite, and files for large contents.

Keeping everything in memory is the naive way and enough for short tests. But the emulator is also a development server, which
must survive a restart, and tests upload gigabytes, which must not fill the memory. One file per object, with a file of metadata
beside it, does not work either: a listing would read every file, and a killed write would leave the two files out of step.
So one database describes everything, and a file of content counts only once the database has a row for it.
"""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TypeVar

from aiocos.emulator.store import buckets
from aiocos.emulator.store.blobs import Blob, Blobs
from aiocos.emulator.store.database import Database, Transaction, Write
from aiocos.emulator.store.directory import DATABASE, RESERVE, claim
from aiocos.emulator.store.objects import add_blob
from aiocos.emulator.store.reserve import Reserve
from aiocos.emulator.store.rows import BucketRow, Instance, Key, ObjectRow, PartRow, Segment, UploadRow
from aiocos.emulator.store.workers import Workers
from aiocos.errors import ConfigError

__all__ = ["Blob", "BucketRow", "Instance", "Key", "ObjectRow", "PartRow", "Segment", "Store", "Transaction", "UploadRow"]

T = TypeVar("T")


class Store:
    """The data directory of one emulator: its database and its blobs.

    Args:
        directory: Where the data is kept. None uses a temporary directory, which `close` removes.

    Raises:
        ConfigError: The directory is in use, belongs to something else, or cannot be opened.
    """

    def __init__(self, directory: Path | None) -> None:
        self._temporary = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="aiocos-emulator-")) if directory is None else directory
        self._lock = claim(self.directory)
        try:
            # A temporary directory is useless after the process ends, so nothing in it is synced to the disk.
            durable = not self._temporary
            self.workers = Workers()
            self.reserve = Reserve(self.directory / RESERVE)
            self.blobs = Blobs(self.directory, self.workers, self.reserve, durable=durable)
            try:
                self.database = Database(
                    self.directory / DATABASE, self.reserve, durable=durable, on_unreferenced=self.blobs.remove
                )
                self.blobs.sweep(row[0] for row in self.connection.execute("SELECT id FROM blobs WHERE data IS NULL"))
            except sqlite3.Error as error:
                raise ConfigError(f"the database {self.directory / DATABASE} cannot be opened: {error}") from error
        except BaseException:
            os.close(self._lock)
            raise
        self.instances = buckets.instances(self.connection)
        self.keys = buckets.keys(self.connection)

    @property
    def connection(self) -> "buckets.sqlite3.Connection":
        """The connection for reads of single rows, for use on the event loop."""
        return self.database.connection

    async def write(self, run: Write[T], *blobs: Blob, frees: bool = False) -> T:
        """Run a function in a write transaction and return its result.

        `blobs` is new content: each gets its row before the function runs, and is removed again if the function raises.
        `frees` marks a write that frees disk space (a deletion). On a full disk it uses the reserve and may run more than
        once; every other write raises `ServiceError` 507 `InsufficientStorage`.
        """

        def with_blobs(t: Transaction) -> T:
            for blob in blobs:
                add_blob(t, blob)
            return run(t)

        try:
            return await self.database.write(with_blobs, frees=frees)
        except Exception:
            for blob in blobs:
                await self.blobs.discard(blob)
            raise

    async def add_instance(self, instance: Instance) -> None:
        """Add an instance."""
        await self.write(lambda t: buckets.add_instance(t, instance))
        self.instances = buckets.instances(self.connection)
        self.keys = buckets.keys(self.connection)

    async def add_key(self, key: Key) -> None:
        """Add credentials."""
        await self.write(lambda t: buckets.add_key(t, key))
        self.keys = buckets.keys(self.connection)

    async def close(self) -> None:
        """Finish pending writes and release the directory."""
        await self.database.close()
        os.close(self._lock)
        if self._temporary:
            await self.workers.run(shutil.rmtree, self.directory, ignore_errors=True)
        self.workers.close()
