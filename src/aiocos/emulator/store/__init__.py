"""What the emulator remembers: SQLite for what is known of things, files for what is in them."""

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
    """A directory with a database and blobs; a temporary one, removed at the end, where none is given."""

    def __init__(self, directory: Path | None) -> None:
        self._temporary = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="aiocos-emulator-")) if directory is None else directory
        self._lock = claim(self.directory)
        try:
            # What dies with the process need not survive the machine.
            durable = not self._temporary
            self.workers = Workers()
            self.reserve = Reserve(self.directory / RESERVE)
            self.blobs = Blobs(self.directory, self.workers, self.reserve, durable=durable)
            try:
                self.database = Database(self.directory / DATABASE, self.reserve, durable=durable, on_dead=self.blobs.remove)
                self.blobs.sweep(row[0] for row in self.point.execute("SELECT id FROM blobs WHERE data IS NULL"))
            except sqlite3.Error as error:
                raise ConfigError(f"the database {self.directory / DATABASE} cannot be opened: {error}") from error
        except BaseException:
            os.close(self._lock)
            raise
        self.instances = buckets.instances(self.point)
        self.keys = buckets.keys(self.point)

    @property
    def point(self) -> "buckets.sqlite3.Connection":
        """The connection for reads of one row, on the event loop."""
        return self.database.point

    async def write(self, run: Write[T], *blobs: Blob, frees: bool = False) -> T:
        """Write in a transaction; new blobs are named first, and removed if the write is refused.

        `frees` is for writes that make room (deletions): on a full disk they use the reserve, and may run a second time.
        Others raise `ServiceError` 507 `InsufficientStorage` there.
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
        """Enter an instance."""
        await self.write(lambda t: buckets.add_instance(t, instance))
        self.instances = buckets.instances(self.point)
        self.keys = buckets.keys(self.point)

    async def add_key(self, key: Key) -> None:
        """Enter credentials."""
        await self.write(lambda t: buckets.add_key(t, key))
        self.keys = buckets.keys(self.point)

    async def close(self) -> None:
        """Finish what is being written, and let go of the directory."""
        await self.database.close()
        os.close(self._lock)
        if self._temporary:
            await self.workers.run(shutil.rmtree, self.directory, ignore_errors=True)
        self.workers.close()
