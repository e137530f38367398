"""Pages of listings, found by seeks in an index.

A listing with a delimiter groups keys into common prefixes. Reading every key to find the prefixes is the naive way: one page
of a bucket with 100,000 keys in ten folders would read 100,000 rows. Here the first key of a folder gives its prefix, and the
next seek starts after all keys that can have that prefix. A page is continued after a key, or after a common prefix.
"""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from aiocos.emulator.store.rows import OBJECT_COLUMNS, UPLOAD_COLUMNS, ObjectRow, UploadRow, object_of, upload_of


@dataclass(slots=True)
class ListingPage:
    """One page of a listing.

    Entries and common prefixes count against the limit together.
    """

    objects: list[ObjectRow] = field(default_factory=list[ObjectRow])
    """Object versions on the page."""
    uploads: list[UploadRow] = field(default_factory=list[UploadRow])
    """Uploads on the page."""
    prefixes: list[str] = field(default_factory=list[str])
    """Common prefixes on the page."""
    truncated: bool = False
    """True if there are more entries."""
    last: str = ""
    """The last entry or prefix: the next page starts after it."""
    last_id: str = ""
    """Version id or upload id of the last entry; empty if a prefix is last."""

    def __len__(self) -> int:
        return len(self.objects) + len(self.uploads) + len(self.prefixes)


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """The parameters of a listing."""

    bucket: int
    """Database id of the bucket."""
    prefix: str = ""
    """Only keys with this prefix are listed."""
    delimiter: str = ""
    """Keys are grouped at the first delimiter after the prefix; empty for no groups."""
    after: str = ""
    """Key or common prefix after which the page starts."""
    limit: int = 1000
    """Maximum number of entries and prefixes."""
    after_id: str = ""
    """Version id or upload id that ended the previous page within the key `after`; empty if all of that key were listed."""

    def first(self) -> bytes:
        """Return the key at which the page starts."""
        prefix, after = self.prefix.encode(), self.after.encode()
        if not after or after < prefix:
            return prefix
        common = self.common_prefix(self.after)
        if common is not None and common == self.after:
            return after_prefix(after)
        return after if self.after_id else after + b"\0"

    def common_prefix(self, key: str) -> str | None:
        """Return the common prefix that a key is grouped under, or None."""
        if not self.delimiter or not key.startswith(self.prefix):
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return None if at < 0 else key[: at + len(self.delimiter)]


def after_prefix(prefix: bytes) -> bytes:
    """Return the smallest bytes greater than every key with this prefix.

    UTF-8 never contains 0xFF, so no byte overflows.
    """
    return prefix[:-1] + bytes([prefix[-1] + 1])


def latest(connection: sqlite3.Connection, query: ListingQuery) -> ListingPage:
    """Return a page of the latest versions, without delete markers."""
    sql = (
        f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key >= ? {{}} AND is_latest = 1 AND delete_marker = 0 "
        "ORDER BY key"
    )
    return _walk(connection, query, sql, resumed=True)


def versions(connection: sqlite3.Connection, query: ListingQuery) -> ListingPage:
    """Return a page of all versions and delete markers, by key, the newest first."""
    sql = f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key >= ? {{}} ORDER BY key, serial DESC"
    # If the version that ended the previous page was removed meanwhile, its key is listed again: twice is better than never.
    existing = connection.execute(
        "SELECT 1 FROM objects WHERE bucket = ? AND key = ? AND version_id = ?",
        (query.bucket, query.after.encode(), query.after_id),
    ).fetchone()
    return _walk(connection, query, sql, resumed=existing is None)


def uploads(connection: sqlite3.Connection, query: ListingQuery) -> ListingPage:
    """Return a page of the open uploads, by key and id."""
    page = ListingPage()
    start = query.first()
    while True:
        upper, parameters = _upper(query, start)
        rows = connection.execute(
            f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE bucket = ? AND key >= ? {upper} ORDER BY key, id", parameters
        )
        for row in rows:
            upload = upload_of(row)
            if query.after_id and upload.key == query.after and upload.id <= query.after_id:
                continue
            if _is_full(page, query):
                return page
            common = query.common_prefix(upload.key)
            if common is not None:
                page.prefixes.append(common)
                page.last, page.last_id = common, ""
                start = after_prefix(common.encode())
                break
            page.uploads.append(upload)
            page.last, page.last_id = upload.key, upload.id
        else:
            return page


def _walk(connection: sqlite3.Connection, query: ListingQuery, sql: str, *, resumed: bool) -> ListingPage:
    page = ListingPage()
    start = query.first()
    while True:
        upper, parameters = _upper(query, start)
        for row in connection.execute(sql.format(upper), parameters):
            key = bytes(row[0]).decode()
            if not resumed:
                # Skip the versions of the key `after` up to the one that ended the previous page.
                if key == query.after:
                    resumed = row[-4] == query.after_id
                    continue
                resumed = True
            if _is_full(page, query):
                return page
            common = query.common_prefix(key)
            if common is not None:
                page.prefixes.append(common)
                page.last, page.last_id = common, ""
                start = after_prefix(common.encode())
                break
            entry = object_of(row)
            page.objects.append(entry)
            page.last, page.last_id = key, entry.version_id
        else:
            return page


def _upper(query: ListingQuery, start: bytes) -> tuple[str, tuple[Any, ...]]:
    if not query.prefix:
        return "", (query.bucket, start)
    return "AND key < ?", (query.bucket, start, after_prefix(query.prefix.encode()))


def _is_full(page: ListingPage, query: ListingQuery) -> bool:
    if len(page) < query.limit:
        return False
    # A page of no entries has no last entry to continue after, so it is never truncated.
    page.truncated = query.limit > 0
    return True
