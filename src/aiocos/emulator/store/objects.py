"""Database access for object versions.

Functions that take a transaction run on the writer thread.
"""

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiocos.emulator.store.blobs import Blob
from aiocos.emulator.store.database import Transaction
from aiocos.emulator.store.rows import OBJECT_COLUMNS, ObjectRow, Segment, object_of, values_of

Check = Callable[[ObjectRow | None], None]
"""Checks whether a write or a removal is allowed, and raises if not.

A write passes the latest version, a removal the version that would be lost; None if there is no version.
"""

NULL = "null"
"""The version id of objects written while versioning was not enabled."""


@dataclass(frozen=True, slots=True)
class Removal:
    """The outcome of a removal.

    It is the removed version, or the delete marker that was added.
    """

    removed: ObjectRow | None = None
    """The removed version; None if there was none, or a delete marker was added."""
    marker: ObjectRow | None = None
    """The added delete marker; None if a version was removed."""


def find(connection: sqlite3.Connection, bucket: int, key: str, version_id: str | None = None) -> ObjectRow | None:
    """Return the version with this id, or the latest one.

    The latest one may be a delete marker. None if there is no version.
    """
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
    """Return the bytes of a blob stored in the database; None if the blob is a file."""
    row = connection.execute("SELECT data FROM blobs WHERE id = ?", (name,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def add_blob(t: Transaction, blob: Blob) -> None:
    """Insert the row of a new blob. The same transaction must add a reference to it."""
    if blob.size:
        t.execute("INSERT INTO blobs (id, size, refs, data) VALUES (?, ?, 0, ?)", (blob.id, blob.size, blob.data))


def add_references(t: Transaction, segments: Iterable[Segment]) -> None:
    """Count one more reference to the blob of each segment."""
    for s in segments:
        t.execute("UPDATE blobs SET refs = refs + 1 WHERE id = ?", (s.blob,))


def drop_references(t: Transaction, segments: Iterable[Segment]) -> None:
    """Count one reference less to the blob of each segment.

    Blobs without references are deleted.
    """
    for s in segments:
        t.execute("UPDATE blobs SET refs = refs - 1 WHERE id = ?", (s.blob,))
    for name in {s.blob for s in segments}:
        # Not `DELETE … RETURNING data IS NULL`: SQLite 3.40 returns 0 for a NULL there.
        row = t.execute("SELECT data IS NULL FROM blobs WHERE id = ? AND refs <= 0", (name,)).fetchone()
        if row is not None:
            t.execute("DELETE FROM blobs WHERE id = ?", (name,))
            if row[0]:
                t.unreferenced.append(name)


def put(t: Transaction, bucket: int, new: ObjectRow, check: Check) -> ObjectRow:
    """Write an object and return its row with version id and serial.

    A bucket with versioning keeps the older versions; in other buckets the version `null` is replaced. `check` may refuse it.
    """
    latest = find(t.connection, bucket, new.key)
    check(latest)
    return _insert(t, bucket, new.copy(version_id=_next_id(t, bucket)), latest)


def remove(t: Transaction, bucket: int, key: str, version_id: str | None, check: Check, now: float, owner: str) -> Removal:
    """Remove a version.

    Without a version id, a bucket that ever had versioning gets a delete marker with this owner.
    """
    versioning = _versioning(t, bucket)
    if version_id is None and versioning is not None:
        marker_id = _next_id(t, bucket)
        check(find(t.connection, bucket, key, marker_id))
        return Removal(marker=insert(t, bucket, ObjectRow(key, "", 0, now, owner, version_id=marker_id, delete_marker=True)))
    old = find(t.connection, bucket, key, version_id)
    check(old)
    if old is None:
        return Removal()
    _delete(t, old)
    if old.is_latest:
        _promote(t, bucket, key)
    return Removal(removed=old)


def insert(t: Transaction, bucket: int, new: ObjectRow) -> ObjectRow:
    """Insert a version as the latest, with the version id it has.

    An existing version with this id is replaced.
    """
    return _insert(t, bucket, new, find(t.connection, bucket, new.key))


def _insert(t: Transaction, bucket: int, new: ObjectRow, latest: ObjectRow | None) -> ObjectRow:
    replaced = latest
    if latest is not None and latest.version_id != new.version_id:
        replaced = find(t.connection, bucket, new.key, new.version_id)
    add_references(t, new.segments)
    if replaced is not None:
        _delete(t, replaced)
    if latest is not None and latest is not replaced:
        t.execute("UPDATE objects SET is_latest = 0 WHERE serial = ?", (latest.serial,))
    values = values_of(new.copy(is_latest=True))
    del values["serial"]
    values["bucket"] = bucket
    names = ", ".join(values)
    placeholders = ", ".join(f":{name}" for name in values)
    serial = t.execute(f"INSERT INTO objects ({names}) VALUES ({placeholders})", values).lastrowid
    return new.copy(is_latest=True, serial=serial or 0)


def insert_in_order(t: Transaction, bucket: int, new: ObjectRow) -> ObjectRow:
    """Insert a version among the others of its key by its modification time."""
    row = insert(t, bucket, new)
    where = (bucket, new.key.encode())
    newer = t.execute(
        "SELECT serial FROM objects WHERE bucket = ? AND key = ? AND modified > ? ORDER BY serial", (*where, new.modified)
    ).fetchall()
    if not newer:
        return row
    t.execute("UPDATE objects SET is_latest = 0 WHERE serial = ?", (row.serial,))
    for (serial,) in newer:
        t.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'objects'")
        t.execute(
            "UPDATE objects SET serial = (SELECT seq FROM sqlite_sequence WHERE name = 'objects') WHERE serial = ?", (serial,)
        )
    _promote(t, bucket, new.key)
    return row.copy(is_latest=False)


def _promote(t: Transaction, bucket: int, key: str) -> None:
    t.execute(
        "UPDATE objects SET is_latest = 1 WHERE serial = (SELECT MAX(serial) FROM objects WHERE bucket = ? AND key = ?)",
        (bucket, key.encode()),
    )


def _versioning(t: Transaction, bucket: int) -> str | None:
    row = t.execute("SELECT versioning FROM buckets WHERE id = ?", (bucket,)).fetchone()
    return None if row is None else row[0]


def _next_id(t: Transaction, bucket: int) -> str:
    return str(uuid.uuid4()) if _versioning(t, bucket) == "Enabled" else NULL


def _delete(t: Transaction, old: ObjectRow) -> None:
    t.execute("DELETE FROM objects WHERE serial = ?", (old.serial,))
    drop_references(t, old.segments)


def set_acl(t: Transaction, serial: int, acl: str) -> None:
    """Replace an object's access control list."""
    t.execute("UPDATE objects SET acl = ? WHERE serial = ?", (acl, serial))


def set_lock(t: Transaction, serial: int, lock: dict[str, Any]) -> None:
    """Replace the Object Lock state of a version."""
    t.execute("UPDATE objects SET lock = ? WHERE serial = ?", (json.dumps(lock), serial))


def set_headers(t: Transaction, serial: int, headers: dict[str, str]) -> None:
    """Replace a version's stored response headers, which include its tags."""
    t.execute("UPDATE objects SET headers = ? WHERE serial = ?", (json.dumps(headers), serial))


def set_retention(t: Transaction, serial: int, retention: dict[str, Any]) -> None:
    """Replace the retention and the legal holds of an object."""
    t.execute("UPDATE objects SET retention = ? WHERE serial = ?", (json.dumps(retention), serial))


def set_archive(t: Transaction, serial: int, archive: dict[str, Any]) -> None:
    """Replace the archive state of an object."""
    t.execute("UPDATE objects SET archive = ? WHERE serial = ?", (json.dumps(archive), serial))


def set_sums(t: Transaction, serial: int, sums: dict[str, str]) -> None:
    """Set the checksums of a version that has none."""
    t.execute("UPDATE objects SET sums = ? WHERE serial = ? AND sums = '{}'", (json.dumps(sums), serial))


def total(segments: Sequence[Segment]) -> int:
    """Return the number of bytes in all segments."""
    return sum(s.length for s in segments)
