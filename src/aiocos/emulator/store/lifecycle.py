"""Everything of a bucket, key by key, for the rules of its lifecycle. On the writer's thread."""

from collections.abc import Iterator
from itertools import groupby

from aiocos.emulator.store.database import Transaction
from aiocos.emulator.store.rows import OBJECT_COLUMNS, UPLOAD_COLUMNS, ObjectRow, UploadRow, object_of, upload_of

_PAGE = 1000


def all_versions(t: Transaction, bucket: int) -> Iterator[list[ObjectRow]]:
    """The versions of each key, the newest first. What is removed meanwhile does not disturb it: keys are read page by page."""
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
    """The open uploads of a bucket."""
    return [upload_of(row) for row in t.execute(f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE bucket = ?", (bucket,))]
