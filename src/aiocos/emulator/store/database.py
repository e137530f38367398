"""SQLite without standing in the event loop's way.

Reading one row by its key takes some ten microseconds, less than handing the work to a thread would: point reads run on the
loop, on a connection of their own. Pages of listings run on one reader thread. Writes go to one writer thread, which takes
all that wait into one transaction: a commit costs the same for one object as for a hundred (each write has its savepoint, so
one that is refused takes nothing of the others with it).

The journal is a write-ahead log: readers never wait for the writer, and what was committed survives a killed process.
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

from aiocos.emulator.store.reserve import Reserve, is_full, no_room
from aiocos.emulator.store.schema import ADDED, SCHEMA

T = TypeVar("T")

_BATCH = 256


@dataclass(slots=True)
class Transaction:
    """What a write works with: the connection, and the blobs that nothing refers to any more."""

    connection: sqlite3.Connection
    dead: list[str] = field(default_factory=list[str])

    def execute(self, sql: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(sql, parameters)


Write = Callable[[Transaction], T]


@dataclass(slots=True)
class _Job:
    run: Write[Any]
    frees: bool
    future: "asyncio.Future[Any]"


_Outcome = tuple[_Job, Any, BaseException | None]


class Database:
    """The connections and their threads. `on_dead` is told, on the loop, which blob files have become garbage."""

    def __init__(self, path: Path, reserve: Reserve, *, durable: bool, on_dead: Callable[[list[str]], None]) -> None:
        self._path = path
        self._reserve = reserve
        self._durable = durable
        self._on_dead = on_dead
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._writer_connection = self._connect()
        try:
            self._writer_connection.executescript(SCHEMA)
            _add_columns(self._writer_connection)
        except BaseException:
            self._writer_connection.close()
            raise
        self.point = self._connect()  # reads of one row, on the loop
        self._page = self._connect()  # reads of many, on the reader thread
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="aiocos-emulator-reader")
        self._writer = threading.Thread(target=self._write_all, name="aiocos-emulator-writer", daemon=True)
        self._writer.start()

    def _connect(self) -> sqlite3.Connection:
        # Each connection is used by one thread at a time; SQLite's own check would forbid to make it on another.
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
        """Run a function in the writer's next transaction; returns after the commit. What it raises is rolled back alone.

        A caller that is cancelled does not take the write back. On a full disk, a function that `frees` runs once or twice
        more, with the reserve given up for it; every other raises `ServiceError` 507.
        """
        if not frees:
            self._reserve.check()
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Job(run, frees, future))
        return await asyncio.shield(future)

    async def read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that reads many rows."""
        return await self._loop.run_in_executor(self._reader, run, self._page)

    async def close(self) -> None:
        """Let the writer finish what it has, and close."""
        self._queue.put(None)
        await self._loop.run_in_executor(self._reader, self._writer.join)
        self._reader.shutdown()
        for connection in (self.point, self._page, self._writer_connection):
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
            done, dead = self._run(batch)
        except sqlite3.Error as error:
            done, dead = self._run_when_full(batch) if is_full(error) else _all_failed(batch, error)
        self._loop.call_soon_threadsafe(self._tell, done, dead)

    def _run(self, batch: list[_Job]) -> tuple[list[_Outcome], list[str]]:
        connection = self._writer_connection
        done: list[_Outcome] = []
        dead: list[str] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                transaction = Transaction(connection)
                connection.execute("SAVEPOINT one")
                try:
                    result = job.run(transaction)
                except Exception as error:  # refused, or a defect: its caller hears of it, the others do not
                    if is_full(error):
                        raise  # SQLite may have rolled back everything
                    connection.execute("ROLLBACK TO one")
                    done.append((job, None, error))
                else:
                    dead += transaction.dead
                    done.append((job, result, None))
                connection.execute("RELEASE one")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return done, dead

    def _run_when_full(self, batch: list[_Job]) -> tuple[list[_Outcome], list[str]]:
        refused: list[_Outcome] = [(job, None, no_room()) for job in batch if not job.frees]
        freeing = [job for job in batch if job.frees]
        if not freeing:
            return refused, []
        with self._reserve.opened():
            try:
                try:
                    done, dead = self._run(freeing)
                except sqlite3.Error as error:
                    if not is_full(error):
                        raise
                    # What an earlier journal holds may be the room that is missing.
                    self._empty_journal()
                    done, dead = self._run(freeing)
            except sqlite3.Error as error:
                return [*refused, *((job, None, no_room() if is_full(error) else error) for job in freeing)], []
            # The room of the journal is given back, so that the next deletion finds some too.
            self._empty_journal()
        return [*refused, *done], dead

    def _empty_journal(self) -> None:
        """Move what the journal holds into the database, if there is room for that: what was written before may need some."""
        with suppress(sqlite3.Error):
            self._writer_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _tell(self, done: list[_Outcome], dead: list[str]) -> None:
        for job, result, error in done:
            if job.future.done():
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)
        if dead:
            self._on_dead(dead)


def _all_failed(batch: list[_Job], error: BaseException) -> tuple[list[_Outcome], list[str]]:
    return [(job, None, error) for job in batch], []


def _add_columns(connection: sqlite3.Connection) -> None:
    for table, columns in ADDED.items():
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for name, kind in columns.items():
            if name not in there:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
