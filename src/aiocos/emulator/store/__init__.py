"""What the emulator remembers: SQLite for what is known of things, files for what is in them."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TypeVar

from aiocos.emulator.store import buckets
from aiocos.emulator.store.blobs import Blob, Blobs
from aiocos.emulator.store.database import Database, Transaction, Write
from aiocos.emulator.store.objects import add_blob
from aiocos.emulator.store.rows import Bucket, Instance, Key, Object, Part, Segment, Upload
from aiocos.emulator.store.workers import Workers
from aiocos.errors import ConfigError

__all__ = ["Blob", "Bucket", "Instance", "Key", "Object", "Part", "Segment", "Store", "Transaction", "Upload"]

T = TypeVar("T")


class Store:
    """A directory with a database and blobs; a temporary one, removed at the end, where none is given."""

    def __init__(self, directory: Path | None) -> None:
        self._temporary = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="aiocos-emulator-")) if directory is None else directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.directory)
        try:
            # What dies with the process need not survive the machine.
            self.workers = Workers()
            self.blobs = Blobs(self.directory, self.workers, durable=not self._temporary)
            self.database = Database(self.directory / "emulator.sqlite", durable=not self._temporary, on_dead=self.blobs.remove)
            self.blobs.sweep(row[0] for row in self.point.execute("SELECT id FROM blobs WHERE data IS NULL"))
        except BaseException:
            os.close(self._lock)
            raise
        self.instances = buckets.instances(self.point)
        self.keys = buckets.keys(self.point)

    @property
    def point(self) -> "buckets.sqlite3.Connection":
        """The connection for reads of one row, on the event loop."""
        return self.database.point

    async def write(self, run: Write[T], *blobs: Blob) -> T:
        """Write in a transaction; new blobs are named first, and removed if the write is refused."""

        def with_blobs(t: Transaction) -> T:
            for blob in blobs:
                add_blob(t, blob)
            return run(t)

        try:
            return await self.database.write(with_blobs)
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


def _locked(directory: Path) -> int:
    # Two emulators over one directory would sweep each other's files away.
    fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise ConfigError(f"the directory {directory} is in use by another emulator") from None
    return fd
