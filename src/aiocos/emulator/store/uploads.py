"""Database access for multipart uploads.

Functions that take a transaction run on the writer thread.
"""

import sqlite3

from aiocos.emulator.store import objects
from aiocos.emulator.store.database import Transaction
from aiocos.emulator.store.rows import (
    OBJECT_COLUMNS,
    PART_COLUMNS,
    UPLOAD_COLUMNS,
    ObjectRow,
    PartRow,
    UploadRow,
    object_of,
    part_of,
    upload_of,
    values_of,
)


def find(connection: sqlite3.Connection, bucket: int, key: str, upload_id: str) -> UploadRow | None:
    """Return the open upload with this id and key, or None."""
    row = connection.execute(
        f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE id = ? AND bucket = ? AND key = ?", (upload_id, bucket, key.encode())
    ).fetchone()
    return None if row is None else upload_of(row)


def add(t: Transaction, upload: UploadRow) -> None:
    """Insert a new upload."""
    values = values_of(upload)
    t.execute(f"INSERT INTO uploads ({UPLOAD_COLUMNS}) VALUES ({', '.join(f':{n}' for n in values)})", values)


def put_part(t: Transaction, upload: str, part: PartRow) -> None:
    """Insert a part, or replace the part with this number.

    Adds references to its segments.
    """
    where = (upload, part.number)
    replaced = t.execute(f"SELECT {PART_COLUMNS} FROM parts WHERE upload = ? AND number = ?", where).fetchone()
    t.execute("DELETE FROM parts WHERE upload = ? AND number = ?", where)
    objects.add_references(t, part.segments)
    values = values_of(part)
    names = ", ".join(values)
    t.execute(
        f"INSERT INTO parts (upload, {names}) VALUES (:upload, {', '.join(f':{n}' for n in values)})",
        {**values, "upload": upload},
    )
    if replaced is not None:
        objects.drop_references(t, part_of(replaced).segments)


def parts(connection: sqlite3.Connection, upload: str, after: int = 0, limit: int = -1) -> list[PartRow]:
    """Return the parts of an upload by number.

    Those with a number above `after`, at most `limit` (-1 for all).
    """
    rows = connection.execute(
        f"SELECT {PART_COLUMNS} FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?", (upload, after, limit)
    )
    return [part_of(row) for row in rows]


def remove(t: Transaction, upload: str) -> None:
    """Delete an upload, its parts and their references to segments."""
    for part in parts(t.connection, upload):
        objects.drop_references(t, part.segments)
    t.execute("DELETE FROM parts WHERE upload = ?", (upload,))
    t.execute("DELETE FROM uploads WHERE id = ?", (upload,))


def record_completion(t: Transaction, upload: str, serial: int, parts: str) -> None:
    """Record the parts of a completion request.

    The record is kept for as long as the resulting version exists.
    """
    t.execute("INSERT INTO completions (upload, serial, parts) VALUES (?, ?, ?)", (upload, serial, parts))


def completed(connection: sqlite3.Connection, bucket: int, key: str, upload_id: str, parts: str) -> ObjectRow | None:
    """Return the version created by completing this upload with these parts.

    None if the version no longer exists.
    """
    row = connection.execute(
        f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key = ? "
        "AND serial = (SELECT serial FROM completions WHERE upload = ? AND parts = ?)",
        (bucket, key.encode(), upload_id, parts),
    ).fetchone()
    return None if row is None else object_of(row)


def of_bucket(t: Transaction, bucket: int) -> list[str]:
    """Return the ids of a bucket's open uploads."""
    return [row[0] for row in t.execute("SELECT id FROM uploads WHERE bucket = ?", (bucket,))]
