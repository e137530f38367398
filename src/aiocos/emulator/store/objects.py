"""Objects in the database: found, written, copied, removed. Functions that take a transaction run on the writer's thread."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiocos.emulator.store.blobs import Blob
from aiocos.emulator.store.database import Transaction
from aiocos.emulator.store.rows import OBJECT_COLUMNS, Object, Segment, object_of, values_of

Check = Callable[[Object | None], None]
"""Looks at the object that a write would replace (None: there is none) and raises where the write is refused."""


def find(connection: sqlite3.Connection, bucket: int, key: str, version_id: str | None = None) -> Object | None:
    """The latest version of an object (it may be a delete marker), or the one of this id."""
    if version_id is None:
        row = connection.execute(
            f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key = ? AND is_latest = 1", (bucket, key.encode())
        ).fetchone()
    else:
        row = connection.execute(
            f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key = ? AND version_id = ? ORDER BY serial DESC",
            (bucket, key.encode(), version_id),
        ).fetchone()
    return None if row is None else object_of(row)


def read_inline(connection: sqlite3.Connection, name: str) -> bytes | None:
    """The bytes of a blob that stands in the database; None where it is a file."""
    row = connection.execute("SELECT data FROM blobs WHERE id = ?", (name,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def add_blob(t: Transaction, blob: Blob) -> None:
    """Name a blob that has arrived. It must be held in the same transaction."""
    if blob.size:
        t.execute("INSERT INTO blobs (id, size, refs, data) VALUES (?, ?, 0, ?)", (blob.id, blob.size, blob.data))


def hold(t: Transaction, segments: Iterable[Segment]) -> None:
    """Count one reference more for each segment."""
    for s in segments:
        t.execute("UPDATE blobs SET refs = refs + 1 WHERE id = ?", (s.blob,))


def release(t: Transaction, segments: Iterable[Segment]) -> None:
    """Count one reference less for each segment, and drop what nothing refers to."""
    for s in segments:
        t.execute("UPDATE blobs SET refs = refs - 1 WHERE id = ?", (s.blob,))
    for name in {s.blob for s in segments}:
        # Not `DELETE … RETURNING data IS NULL`: SQLite 3.40 answers that with 0 for a NULL.
        row = t.execute("SELECT data IS NULL FROM blobs WHERE id = ? AND refs <= 0", (name,)).fetchone()
        if row is not None:
            t.execute("DELETE FROM blobs WHERE id = ?", (name,))
            if row[0]:
                t.dead.append(name)


def put(t: Transaction, bucket: int, new: Object, check: Check) -> Object:
    """Write an object over the latest version, which is given up; its segments are held. Returns the row with its serial.

    Buckets without versioning only: a version store puts the new row beside the old one here.
    """
    old = find(t.connection, bucket, new.key)
    check(old)
    if old is not None:
        t.execute("DELETE FROM objects WHERE serial = ?", (old.serial,))
    hold(t, new.segments)
    values = values_of(new)
    del values["serial"]
    values["bucket"] = bucket
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    serial = t.execute(f"INSERT INTO objects ({names}) VALUES ({marks})", values).lastrowid
    if old is not None:
        release(t, old.segments)
    return new.copy(serial=serial or 0)


def remove(t: Transaction, bucket: int, key: str, version_id: str | None, check: Check) -> Object | None:
    """Remove an object; returns what was removed, or None where there was nothing."""
    old = find(t.connection, bucket, key, version_id)
    check(old)
    if old is None:
        return None
    t.execute("DELETE FROM objects WHERE serial = ?", (old.serial,))
    release(t, old.segments)
    return old


def set_acl(t: Transaction, serial: int, acl: str) -> None:
    """Replace an object's access control list."""
    t.execute("UPDATE objects SET acl = ? WHERE serial = ?", (acl, serial))


def set_headers(t: Transaction, serial: int, headers: dict[str, str]) -> None:
    """Replace what an object's readers are told, its tags with it."""
    t.execute("UPDATE objects SET headers = ? WHERE serial = ?", (json.dumps(headers), serial))


def set_archive(t: Transaction, serial: int, archive: dict[str, Any]) -> None:
    """Replace what is known of an object's archive."""
    t.execute("UPDATE objects SET archive = ? WHERE serial = ?", (json.dumps(archive), serial))


def total(segments: Sequence[Segment]) -> int:
    """The bytes that segments make up."""
    return sum(s.length for s in segments)
