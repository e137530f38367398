"""Database access for failed replications.

A row is deleted together with its object version.

Functions that take a transaction run on the writer thread.
"""

import sqlite3
from typing import NamedTuple

from aiocos.emulator.store.database import Transaction


class Failure(NamedTuple):
    """One failed replication of an object version."""

    serial: int
    """Serial of the object version."""
    key: str
    """Key of the object."""
    version_id: str
    """Version id."""
    kind: str
    """What failed: the `SyncType` of the service's report."""
    cause: str
    """Why the last attempt failed."""
    first: float
    """Time of the first failed attempt, in seconds since 1970."""
    last: float
    """Time of the last failed attempt, in seconds since 1970."""


def record(t: Transaction, bucket: int, serial: int, kind: str, cause: str, now: float) -> None:
    """Record a failed attempt; the time of the version's first failure is kept."""
    t.execute(
        "INSERT INTO failures (serial, bucket, kind, cause, first, last) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (serial) "
        "DO UPDATE SET kind = excluded.kind, cause = excluded.cause, last = excluded.last, due = NULL",
        (serial, bucket, kind, cause, now, now),
    )


def clear(t: Transaction, serial: int) -> None:
    """Delete the failure of a version that was replicated after all."""
    t.execute("DELETE FROM failures WHERE serial = ?", (serial,))


def schedule(t: Transaction, bucket: int, at: float) -> None:
    """Schedule a new attempt for all failures of a bucket."""
    t.execute("UPDATE failures SET due = ? WHERE bucket = ?", (at, bucket))


def is_due(connection: sqlite3.Connection, now: float) -> bool:
    """Return True if a scheduled attempt is due."""
    return connection.execute("SELECT 1 FROM failures WHERE due <= ? LIMIT 1", (now,)).fetchone() is not None


def take_due(t: Transaction, now: float) -> list[tuple[str, str, str]]:
    """Return bucket, key and version id of all due attempts.

    The oldest is first. The attempts are unscheduled.
    """
    rows = t.execute(
        "SELECT buckets.name, objects.key, objects.version_id FROM failures JOIN objects USING (serial) "
        "JOIN buckets ON buckets.id = failures.bucket WHERE failures.due <= ? ORDER BY serial",
        (now,),
    ).fetchall()
    t.execute("UPDATE failures SET due = NULL WHERE due <= ?", (now,))
    return [(name, bytes(key).decode(), version_id) for name, key, version_id in rows]


def list_page(
    connection: sqlite3.Connection, bucket: int, before: float | None, after: tuple[float, int] | None, limit: int
) -> list[Failure]:
    """Return a page of a bucket's failures, the newest first.

    `before` limits it to failures whose first attempt was earlier; `after` is time and serial of the previous page's last row.
    """
    rows = connection.execute(
        "SELECT serial, objects.key, objects.version_id, kind, cause, first, last FROM failures JOIN objects USING (serial) "
        "WHERE failures.bucket = ? AND first < ? AND (first, serial) < (?, ?) ORDER BY first DESC, serial DESC LIMIT ?",
        (bucket, 1e15 if before is None else before, *(after or (1e15, 0)), limit),
    )
    return [Failure(row[0], bytes(row[1]).decode(), *row[2:]) for row in rows]
