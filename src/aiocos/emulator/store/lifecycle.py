"""Walk all keys of a bucket in the database, for its lifecycle rules.

These functions run in a write transaction, on the one thread that writes the database, so nothing changes between finding a
version and deleting it.
"""

from collections.abc import Iterator
from itertools import groupby

from aiocos.emulator.store.database import Transaction
from aiocos.emulator.store.rows import OBJECT_COLUMNS, UPLOAD_COLUMNS, ObjectRow, UploadRow, object_of, upload_of

_PAGE = 1000


def all_versions(t: Transaction, bucket: int) -> Iterator[list[ObjectRow]]:
    """Yield the versions of each key, the newest first.

    Keys are read in pages, so the caller may remove versions meanwhile.
    """
    after = b""
    while True:
        rows = t.execute(
            f"SELECT {OBJECT_COLUMNS} FROM objects WHERE bucket = ? AND key IN "
            "(SELECT DISTINCT key FROM objects WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?) ORDER BY key, serial DESC",
            (bucket, bucket, after, _PAGE),
        ).fetchall()
        if not rows:
            return
        for _, versions in groupby((object_of(row) for row in rows), key=lambda o: o.key):
            yield list(versions)
        after = bytes(rows[-1][0])


def all_uploads(t: Transaction, bucket: int) -> list[UploadRow]:
    """Return the open uploads of a bucket."""
    return [upload_of(row) for row in t.execute(f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE bucket = ?", (bucket,))]
