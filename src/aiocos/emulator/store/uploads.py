"""Multipart uploads in the database. Functions that take a transaction run on the writer's thread."""

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
    """An open upload of this key."""
    row = connection.execute(
        f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE id = ? AND bucket = ? AND key = ?", (upload_id, bucket, key.encode())
    ).fetchone()
    return None if row is None else upload_of(row)


def add(t: Transaction, upload: UploadRow) -> None:
    """Begin an upload."""
    values = values_of(upload)
    t.execute(f"INSERT INTO uploads ({UPLOAD_COLUMNS}) VALUES ({', '.join(f':{n}' for n in values)})", values)


def put_part(t: Transaction, upload: str, part: PartRow) -> None:
    """Enter a part, over one of the same number. Its segments are held."""
    place = (upload, part.number)
    old = t.execute(f"SELECT {PART_COLUMNS} FROM parts WHERE upload = ? AND number = ?", place).fetchone()
    t.execute("DELETE FROM parts WHERE upload = ? AND number = ?", place)
    objects.hold(t, part.segments)
    values = values_of(part)
    names = ", ".join(values)
    t.execute(
        f"INSERT INTO parts (upload, {names}) VALUES (:upload, {', '.join(f':{n}' for n in values)})",
        {**values, "upload": upload},
    )
    if old is not None:
        objects.release(t, part_of(old).segments)


def parts(connection: sqlite3.Connection, upload: str, after: int = 0, limit: int = -1) -> list[PartRow]:
    """The parts of an upload by number, those after a number, at most `limit` (-1: all)."""
    rows = connection.execute(
        f"SELECT {PART_COLUMNS} FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?", (upload, after, limit)
    )
    return [part_of(row) for row in rows]


def remove(t: Transaction, upload: str) -> None:
    """End an upload: its parts give up their segments."""
    for part in parts(t.connection, upload):
        objects.release(t, part.segments)
    t.execute("DELETE FROM parts WHERE upload = ?", (upload,))
    t.execute("DELETE FROM uploads WHERE id = ?", (upload,))


def note_completion(t: Transaction, upload: str, serial: int, parts: str) -> None:
    """Keep the parts that an upload was completed with, as long as the version is there that it became."""
    t.execute("INSERT INTO completions (upload, serial, parts) VALUES (?, ?, ?)", (upload, serial, parts))


def completed(connection: sqlite3.Connection, bucket: int, key: str, upload_id: str, parts: str) -> ObjectRow | None:
    """Return the version that an upload has become by a completion with these parts; None where it is gone, or never was."""
    row = connection.execute(
        f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key = ? "
        "AND serial = (SELECT serial FROM completions WHERE upload = ? AND parts = ?)",
        (bucket, key.encode(), upload_id, parts),
    ).fetchone()
    return None if row is None else object_of(row)


def of_bucket(t: Transaction, bucket: int) -> list[str]:
    """The ids of a bucket's open uploads."""
    return [row[0] for row in t.execute("SELECT id FROM uploads WHERE bucket = ?", (bucket,))]
