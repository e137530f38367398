"""Replications that failed, in the database. They go with their version. Functions that take a transaction run on the writer's
thread.
"""

import sqlite3
from typing import NamedTuple

from aiocos.emulator.store.database import Transaction


class Failure(NamedTuple):
    """One replication that failed. `kind` is the service's SyncType."""

    serial: int
    key: str
    version_id: str
    kind: str
    cause: str
    first: float
    last: float


def record(t: Transaction, bucket: int, serial: int, kind: str, cause: str, now: float) -> None:
    """Enter a failure, or another try that failed."""
    t.execute(
        "INSERT INTO failures (serial, bucket, kind, cause, first, last) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (serial) "
        "DO UPDATE SET kind = excluded.kind, cause = excluded.cause, last = excluded.last, due = NULL",
        (serial, bucket, kind, cause, now, now),
    )


def clear(t: Transaction, serial: int) -> None:
    """Take a failure off: it was made good."""
    t.execute("DELETE FROM failures WHERE serial = ?", (serial,))


def schedule(t: Transaction, bucket: int, at: float) -> None:
    """Let all failures of a bucket be tried again from a time on."""
    t.execute("UPDATE failures SET due = ? WHERE bucket = ?", (at, bucket))


def is_due(connection: sqlite3.Connection, now: float) -> bool:
    """Tell whether anything is to be tried again."""
    return connection.execute("SELECT 1 FROM failures WHERE due <= ? LIMIT 1", (now,)).fetchone() is not None


def take_due(t: Transaction, now: float) -> list[tuple[str, str, str]]:
    """Bucket, key and version id of all that is to be tried again, the oldest first. It is due no more."""
    rows = t.execute(
        "SELECT buckets.name, objects.key, objects.version_id FROM failures JOIN objects USING (serial) "
        "JOIN buckets ON buckets.id = failures.bucket WHERE failures.due <= ? ORDER BY serial",
        (now,),
    ).fetchall()
    t.execute("UPDATE failures SET due = NULL WHERE due <= ?", (now,))
    return [(name, bytes(key).decode(), version_id) for name, key, version_id in rows]


def listed(
    connection: sqlite3.Connection, bucket: int, before: float | None, after: tuple[float, int] | None, limit: int
) -> list[Failure]:
    """The failures of a bucket, the newest first: those first tried before a time, and behind the last of a page."""
    rows = connection.execute(
        "SELECT serial, objects.key, objects.version_id, kind, cause, first, last FROM failures JOIN objects USING (serial) "
        "WHERE failures.bucket = ? AND first < ? AND (first, serial) < (?, ?) ORDER BY first DESC, serial DESC LIMIT ?",
        (bucket, 1e15 if before is None else before, *(after or (1e15, 0)), limit),
    )
    return [Failure(row[0], bytes(row[1]).decode(), *row[2:]) for row in rows]
