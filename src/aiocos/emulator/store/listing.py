"""Pages of keys by seeks in an index.

A listing with a delimiter rolls keys up. Reading every key to find the prefixes would make one page of a bucket of 100,000
keys in ten folders cost 100,000 rows; here the first key of a folder tells its prefix, and the next seek starts behind all
keys that can have it. What stands between pages is where to go on: after a key, or behind a prefix.
"""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from aiocos.emulator.store.rows import OBJECT_COLUMNS, UPLOAD_COLUMNS, ObjectRow, UploadRow, object_of, upload_of


@dataclass(slots=True)
class ListingPage:
    """A page: entries and common prefixes together count against the limit. `last` is the last entry or prefix."""

    objects: list[ObjectRow] = field(default_factory=list[ObjectRow])
    uploads: list[UploadRow] = field(default_factory=list[UploadRow])
    prefixes: list[str] = field(default_factory=list[str])
    truncated: bool = False
    last: str = ""
    last_id: str = ""  # the version or upload id of the last entry; "" after a prefix

    def __len__(self) -> int:
        return len(self.objects) + len(self.uploads) + len(self.prefixes)


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """What to list: the keys with a prefix, rolled up at the delimiter, after a marker (a key, or a common prefix)."""

    bucket: int
    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    limit: int = 1000
    # The version or upload of the key `after` that was last given; without it all of that key have been.
    after_id: str = ""

    def first(self) -> bytes:
        """The key to start at."""
        prefix, after = self.prefix.encode(), self.after.encode()
        if not after or after < prefix:
            return prefix
        rolled = self.rolled(self.after)
        if rolled is not None and rolled == self.after:
            return behind(after)
        return after if self.after_id else after + b"\0"

    def rolled(self, key: str) -> str | None:
        """The common prefix of a key, or None."""
        if not self.delimiter or not key.startswith(self.prefix):
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return None if at < 0 else key[: at + len(self.delimiter)]


def behind(prefix: bytes) -> bytes:
    """The smallest bytes above everything that begins with `prefix`. UTF-8 has no byte 0xFF: the last one can grow."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def latest(connection: sqlite3.Connection, asked: ListingQuery) -> ListingPage:
    """The objects that a plain read finds."""
    sql = (
        f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key >= ? {{}} AND is_latest = 1 AND delete_marker = 0 "
        "ORDER BY key"
    )
    return _walk(connection, asked, sql, passed=True)


def versions(connection: sqlite3.Connection, asked: ListingQuery) -> ListingPage:
    """All versions and delete markers, by key, the newest first."""
    sql = f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key >= ? {{}} ORDER BY key, serial DESC"
    # Where the version that ended the last page has been removed meanwhile, its key begins anew: better twice than not at all.
    known = connection.execute(
        "SELECT 1 FROM objects WHERE bucket = ? AND key = ? AND version_id = ?",
        (asked.bucket, asked.after.encode(), asked.after_id),
    ).fetchone()
    return _walk(connection, asked, sql, passed=known is None)


def uploads(connection: sqlite3.Connection, asked: ListingQuery) -> ListingPage:
    """The open uploads, by key and id."""
    found = ListingPage()
    start = asked.first()
    while True:
        upper, parameters = _upper(asked, start)
        rows = connection.execute(
            f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE bucket = ? AND key >= ? {upper} ORDER BY key, id", parameters
        )
        for row in rows:
            upload = upload_of(row)
            if asked.after_id and upload.key == asked.after and upload.id <= asked.after_id:
                continue
            if _full(found, asked):
                return found
            rolled = asked.rolled(upload.key)
            if rolled is not None:
                found.prefixes.append(rolled)
                found.last, found.last_id = rolled, ""
                start = behind(rolled.encode())
                break
            found.uploads.append(upload)
            found.last, found.last_id = upload.key, upload.id
        else:
            return found


def _walk(connection: sqlite3.Connection, asked: ListingQuery, sql: str, *, passed: bool) -> ListingPage:
    found = ListingPage()
    start = asked.first()
    while True:
        upper, parameters = _upper(asked, start)
        for row in connection.execute(sql.format(upper), parameters):
            key = bytes(row[0]).decode()
            if not passed:
                # The version that ended the last page, and those before it, have been given.
                if key == asked.after:
                    passed = row[-4] == asked.after_id
                    continue
                passed = True
            if _full(found, asked):
                return found
            rolled = asked.rolled(key)
            if rolled is not None:
                found.prefixes.append(rolled)
                found.last, found.last_id = rolled, ""
                start = behind(rolled.encode())
                break
            made = object_of(row)
            found.objects.append(made)
            found.last, found.last_id = key, made.version_id
        else:
            return found


def _upper(asked: ListingQuery, start: bytes) -> tuple[str, tuple[Any, ...]]:
    if not asked.prefix:
        return "", (asked.bucket, start)
    return "AND key < ?", (asked.bucket, start, behind(asked.prefix.encode()))


def _full(found: ListingPage, asked: ListingQuery) -> bool:
    if len(found) < asked.limit:
        return False
    # Asked for nothing, nothing is left over: a page without a last entry could not be continued.
    found.truncated = asked.limit > 0
    return True
