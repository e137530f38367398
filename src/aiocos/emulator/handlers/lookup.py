"""Lookup of object versions for the handlers that read them."""

import sqlite3

from aiocos.emulator.store import BucketRow, ObjectRow, objects
from aiocos.errors import MethodNotAllowed, NoSuchKey, NoSuchVersion


def no_such_key() -> NoSuchKey:
    """Build the error for an object that does not exist."""
    return NoSuchKey("The specified key does not exist.", status=404, code="NoSuchKey")


def lookup(connection: sqlite3.Connection, bucket: int, key: str, version_id: str | None = None) -> ObjectRow | None:
    """Return the version that a read finds.

    None if there is no version, or the latest one is a delete marker.
    """
    return readable(objects.find(connection, bucket, key, version_id), version_id)


def readable(found: ObjectRow | None, version_id: str | None) -> ObjectRow | None:
    """Return a version if it can be read.

    None for a latest version that is a delete marker.

    With a version id, raises `NoSuchVersion` if there is no version, and `MethodNotAllowed` for a delete marker.
    """
    if version_id is not None:
        if found is None:
            raise NoSuchVersion("The specified version does not exist.", status=404, code="NoSuchVersion")
        if found.delete_marker:
            raise MethodNotAllowed("This version is a delete marker.", status=405, code="MethodNotAllowed")
    return None if found is not None and found.delete_marker else found


def response_version_id(bucket: BucketRow, found: ObjectRow | None) -> str | None:
    """Return the version id for a response header.

    None if the bucket never had versioning.
    """
    return None if found is None or bucket.versioning is None else found.version_id


def must_find(connection: sqlite3.Connection, bucket: int, key: str, version_id: str | None = None) -> ObjectRow:
    """Return the version that a read finds. Raises `NoSuchKey` without one."""
    found = lookup(connection, bucket, key, version_id)
    if found is None:
        raise no_such_key()
    return found
