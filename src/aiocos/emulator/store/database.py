"""The SQLite database, used without blocking the event loop.

Running every query in a thread is the naive way, and slow: reading one row by its key takes about ten microseconds, less than
the handover to a thread. So single rows are read on the event loop, on a separate connection, and pages of listings on one
reader thread. One commit per write is slow too, because a commit costs the same for one row as for a hundred. So one writer
thread runs all waiting writes in one transaction. Each write has its own savepoint: if it raises, the others are unaffected.

The journal is a write-ahead log: readers never wait for the writer, and committed data survives a killed process.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiocos.emulator.store.reserve import Reserve, disk_full_error, is_disk_full
from aiocos.emulator.store.schema import ADDED, SCHEMA

T = TypeVar("T")

_BATCH = 256


@dataclass(slots=True)
class Transaction:
    """The argument of a write.

    It has the connection, and the ids of blob files that lost their last reference.
    """

    connection: sqlite3.Connection
    """The connection of the writer."""
    unreferenced: list[str] = field(default_factory=list[str])
    """Ids of blob files that lost their last reference in this transaction."""

    def execute(self, sql: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> sqlite3.Cursor:
        """Run one SQL statement."""
        return self.connection.execute(sql, parameters)


Write = Callable[[Transaction], T]


@dataclass(slots=True)
class _Job:
    run: Write[Any]
    frees: bool
    future: "asyncio.Future[Any]"


_Outcome = tuple[_Job, Any, BaseException | None]


class Database:
    """The connections and their threads.

    `on_unreferenced` is called on the event loop, after a commit, with the ids of blob files that lost their last reference.
    """

    def __init__(self, path: Path, reserve: Reserve, *, durable: bool, on_unreferenced: Callable[[list[str]], None]) -> None:
        self._path = path
        self._reserve = reserve
        self._durable = durable
        self._on_unreferenced = on_unreferenced
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._writer_connection = self._connect()
        try:
            self._writer_connection.executescript(SCHEMA)
            _add_columns(self._writer_connection)
        except BaseException:
            self._writer_connection.close()
            raise
        self.connection = self._connect()  # reads of single rows, on the event loop
        self._page = self._connect()  # reads of many rows, on the reader thread
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="aiocos-emulator-reader")
        self._writer = threading.Thread(target=self._write_all, name="aiocos-emulator-writer", daemon=True)
        self._writer.start()

    def _connect(self) -> sqlite3.Connection:
        # Only one thread at a time uses a connection, but SQLite's check would also reject the thread that did not create it.
        made = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=256)
        try:
            made.execute("PRAGMA journal_mode = WAL")
            made.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
            made.execute("PRAGMA cache_size = -16384")
            made.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            made.close()
            raise
        return made

    async def write(self, run: Write[T], *, frees: bool = False) -> T:
        """Run a function in the writer's next transaction.

        Returns the function's result after the commit.

        If the function raises, only its own changes are rolled back. Cancelling the caller does not undo the write. On a full
        disk, a function with `frees` runs once or twice more, in the space of the reserve; others raise `ServiceError` 507.
        """
        if not frees:
            self._reserve.check()
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Job(run, frees, future))
        return await asyncio.shield(future)

    async def read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that reads many rows on the reader thread."""
        return await self._loop.run_in_executor(self._reader, run, self._page)

    async def close(self) -> None:
        """Finish all queued writes and close the connections."""
        self._queue.put(None)
        await self._loop.run_in_executor(self._reader, self._writer.join)
        self._reader.shutdown()
        for connection in (self.connection, self._page, self._writer_connection):
            connection.close()

    def _write_all(self) -> None:
        while True:
            job = self._queue.get()
            batch: list[_Job] = []
            while job is not None:
                batch.append(job)
                if len(batch) == _BATCH or self._queue.empty():
                    break
                job = self._queue.get()
            if batch:
                self._commit(batch)
            if job is None:
                return

    def _commit(self, batch: list[_Job]) -> None:
        try:
            outcomes, unreferenced = self._run(batch)
        except sqlite3.Error as error:
            outcomes, unreferenced = self._run_when_full(batch) if is_disk_full(error) else _all_failed(batch, error)
        self._loop.call_soon_threadsafe(self._resolve, outcomes, unreferenced)

    def _run(self, batch: list[_Job]) -> tuple[list[_Outcome], list[str]]:
        connection = self._writer_connection
        outcomes: list[_Outcome] = []
        unreferenced: list[str] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                transaction = Transaction(connection)
                connection.execute("SAVEPOINT one")
                try:
                    result = job.run(transaction)
                except Exception as error:  # an error of the service or a bug: reported to this caller only
                    if is_disk_full(error):
                        raise  # SQLite may have rolled back everything
                    connection.execute("ROLLBACK TO one")
                    outcomes.append((job, None, error))
                else:
                    unreferenced += transaction.unreferenced
                    outcomes.append((job, result, None))
                connection.execute("RELEASE one")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes, unreferenced

    def _run_when_full(self, batch: list[_Job]) -> tuple[list[_Outcome], list[str]]:
        refused: list[_Outcome] = [(job, None, disk_full_error()) for job in batch if not job.frees]
        freeing = [job for job in batch if job.frees]
        if not freeing:
            return refused, []
        with self._reserve.released():
            try:
                try:
                    outcomes, unreferenced = self._run(freeing)
                except sqlite3.Error as error:
                    if not is_disk_full(error):
                        raise
                    # Checkpointing the journal may free the space that is missing.
                    self._empty_journal()
                    outcomes, unreferenced = self._run(freeing)
            except sqlite3.Error as error:
                return [*refused, *((job, None, disk_full_error() if is_disk_full(error) else error) for job in freeing)], []
            # Return the journal's space to the disk, so that the next deletion has room too.
            self._empty_journal()
        return [*refused, *outcomes], unreferenced

    def _empty_journal(self) -> None:
        """Move the journal's contents into the database file, if there is enough space."""
        with suppress(sqlite3.Error):
            self._writer_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _resolve(self, outcomes: list[_Outcome], unreferenced: list[str]) -> None:
        for job, result, error in outcomes:
            if job.future.done():
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)
        if unreferenced:
            self._on_unreferenced(unreferenced)


def _all_failed(batch: list[_Job], error: BaseException) -> tuple[list[_Outcome], list[str]]:
    return [(job, None, error) for job in batch], []


def _add_columns(connection: sqlite3.Connection) -> None:
    for table, columns in ADDED.items():
        existing = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for name, kind in columns.items():
            if name not in existing:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
