"""Objects in the database: found, written, copied, removed. Functions that take a transaction run on the writer's thread."""

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
"""Looks at the latest version where something is written, at what would be gone for good where something is removed (None: at
nothing), and raises where that is refused."""

NULL = "null"
"""The version id of what was written while its bucket kept no versions."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of a removal: the version that is gone, the delete marker that was made."""

    gone: ObjectRow | None = None
    marker: ObjectRow | None = None


def find(connection: sqlite3.Connection, bucket: int, key: str, version_id: str | None = None) -> ObjectRow | None:
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


def put(t: Transaction, bucket: int, new: ObjectRow, check: Check) -> ObjectRow:
    """Write an object: beside the older versions where the bucket keeps versions, else over the one of the id `null`.

    The segments of the new one are held, those of the old one released. Returns the row with its id and serial.
    """
    latest = find(t.connection, bucket, new.key)
    check(latest)
    return _enter(t, bucket, new.copy(version_id=_next_id(t, bucket)), latest)


def remove(t: Transaction, bucket: int, key: str, version_id: str | None, check: Check, now: float, owner: str) -> Removal:
    """Remove an object. Without a version id, a bucket that keeps or kept versions gets a delete marker of this owner."""
    versioning = _versioning(t, bucket)
    if version_id is None and versioning is not None:
        made = _next_id(t, bucket)
        check(find(t.connection, bucket, key, made))
        return Removal(marker=enter(t, bucket, ObjectRow(key, "", 0, now, owner, version_id=made, delete_marker=True)))
    old = find(t.connection, bucket, key, version_id)
    check(old)
    if old is None:
        return Removal()
    _drop(t, old)
    if old.is_latest:
        _promote(t, bucket, key)
    return Removal(gone=old)


def enter(t: Transaction, bucket: int, new: ObjectRow) -> ObjectRow:
    """Enter a version as the latest, under the id that it has. One of the same id is given up."""
    return _enter(t, bucket, new, find(t.connection, bucket, new.key))


def _enter(t: Transaction, bucket: int, new: ObjectRow, latest: ObjectRow | None) -> ObjectRow:
    same = latest
    if latest is not None and latest.version_id != new.version_id:
        same = find(t.connection, bucket, new.key, new.version_id)
    hold(t, new.segments)
    if same is not None:
        _drop(t, same)
    if latest is not None and latest is not same:
        t.execute("UPDATE objects SET is_latest = 0 WHERE serial = ?", (latest.serial,))
    values = values_of(new.copy(is_latest=True))
    del values["serial"]
    values["bucket"] = bucket
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    serial = t.execute(f"INSERT INTO objects ({names}) VALUES ({marks})", values).lastrowid
    return new.copy(is_latest=True, serial=serial or 0)


def enter_in_order(t: Transaction, bucket: int, new: ObjectRow) -> ObjectRow:
    """Enter a version behind those that are older than it, and before those that are newer."""
    made = enter(t, bucket, new)
    place = (bucket, new.key.encode())
    newer = t.execute(
        "SELECT serial FROM objects WHERE bucket = ? AND key = ? AND modified > ? ORDER BY serial", (*place, new.modified)
    ).fetchall()
    if not newer:
        return made
    t.execute("UPDATE objects SET is_latest = 0 WHERE serial = ?", (made.serial,))
    for (serial,) in newer:
        t.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'objects'")
        t.execute(
            "UPDATE objects SET serial = (SELECT seq FROM sqlite_sequence WHERE name = 'objects') WHERE serial = ?", (serial,)
        )
    _promote(t, bucket, new.key)
    return made.copy(is_latest=False)


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


def _drop(t: Transaction, old: ObjectRow) -> None:
    t.execute("DELETE FROM objects WHERE serial = ?", (old.serial,))
    release(t, old.segments)


def set_acl(t: Transaction, serial: int, acl: str) -> None:
    """Replace an object's access control list."""
    t.execute("UPDATE objects SET acl = ? WHERE serial = ?", (acl, serial))


def set_lock(t: Transaction, serial: int, lock: dict[str, Any]) -> None:
    """Replace the lock of a version."""
    t.execute("UPDATE objects SET lock = ? WHERE serial = ?", (json.dumps(lock), serial))


def set_headers(t: Transaction, serial: int, headers: dict[str, str]) -> None:
    """Replace what an object's readers are told, its tags with it."""
    t.execute("UPDATE objects SET headers = ? WHERE serial = ?", (json.dumps(headers), serial))


def set_retention(t: Transaction, serial: int, retention: dict[str, Any]) -> None:
    """Replace the retention and the holds of an object."""
    t.execute("UPDATE objects SET retention = ? WHERE serial = ?", (json.dumps(retention), serial))


def set_archive(t: Transaction, serial: int, archive: dict[str, Any]) -> None:
    """Replace what is known of an object's archive."""
    t.execute("UPDATE objects SET archive = ? WHERE serial = ?", (json.dumps(archive), serial))


def total(segments: Sequence[Segment]) -> int:
    """The bytes that segments make up."""
    return sum(s.length for s in segments)
