"""Database access for instances, credentials and buckets."""

import json
import os
import sqlite3
import uuid
from typing import Any

from aiocos.emulator.store.database import Transaction
from aiocos.emulator.store.rows import BUCKET_COLUMNS, BucketRow, Instance, Key, Role, bucket_of

_INSTANCE = "crn, guid, api_key, access_key_id, secret_access_key"


def new_instance(
    crn: str | None = None, api_key: str | None = None, access_key_id: str | None = None, secret_access_key: str | None = None
) -> Instance:
    """Create an instance.

    Omitted values are random, in the service's forms (HMAC pairs are 32 and 48 hex digits).
    """
    if crn is None:
        account, guid = os.urandom(16).hex(), str(uuid.uuid4())
        crn = f"crn:v1:bluemix:public:cloud-object-storage:global:a/{account}:{guid}::"
    else:
        parts = crn.split(":")
        guid = parts[7] if len(parts) > 7 and parts[7] else crn
    return Instance(
        crn,
        guid,
        api_key or os.urandom(33).hex()[:44],
        access_key_id or os.urandom(16).hex(),
        secret_access_key or os.urandom(24).hex(),
    )


def instances(connection: sqlite3.Connection) -> list[Instance]:
    """Return all instances in order of creation."""
    return [Instance(*row) for row in connection.execute(f"SELECT {_INSTANCE} FROM instances ORDER BY rowid")]


def add_instance(t: Transaction, instance: Instance) -> None:
    """Add an instance, or replace the credentials of the instance with this CRN."""
    t.execute(
        f"INSERT INTO instances ({_INSTANCE}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (crn) DO UPDATE SET "
        "api_key = excluded.api_key, access_key_id = excluded.access_key_id, secret_access_key = excluded.secret_access_key",
        (instance.crn, instance.guid, instance.api_key, instance.access_key_id, instance.secret_access_key),
    )


def new_key(instance: Instance, role: Role) -> Key:
    """Create random credentials with a role."""
    return Key(instance, role, os.urandom(33).hex()[:44], os.urandom(16).hex(), os.urandom(24).hex())


def keys(connection: sqlite3.Connection) -> list[Key]:
    """Return all credentials.

    First the ones that each instance was created with, then the ones added later.
    """
    by_crn = {i.crn: i for i in instances(connection)}
    added = connection.execute("SELECT instance, role, api_key, access_key_id, secret_access_key FROM keys ORDER BY rowid")
    return [*map(Key.of_manager, by_crn.values()), *(Key(by_crn[crn], *rest) for crn, *rest in added)]


def add_key(t: Transaction, key: Key) -> None:
    """Add credentials."""
    t.execute(
        "INSERT INTO keys (api_key, instance, role, access_key_id, secret_access_key) VALUES (?, ?, ?, ?, ?)",
        (key.api_key, key.instance.crn, key.role, key.access_key_id, key.secret_access_key),
    )


def find(connection: sqlite3.Connection, name: str) -> BucketRow | None:
    """Return the bucket with this name, or None."""
    row = connection.execute(f"SELECT {BUCKET_COLUMNS} FROM buckets WHERE name = ?", (name,)).fetchone()
    return None if row is None else bucket_of(row)


def add(t: Transaction, bucket: BucketRow) -> None:
    """Insert a bucket. The database assigns its id; `bucket.id` is ignored."""
    t.execute(
        "INSERT INTO buckets (name, instance, created, location, acl, kp_root_key_crn, versioning, settings) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            bucket.name,
            bucket.instance,
            bucket.created,
            bucket.location,
            bucket.acl,
            bucket.kp_root_key_crn,
            bucket.versioning,
            json.dumps(bucket.settings),
        ),
    )


def is_empty(t: Transaction, bucket: int) -> bool:
    """Return True if a bucket holds no object, version or delete marker.

    Open uploads do not count.
    """
    return t.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket,)).fetchone() is None


def remove(t: Transaction, bucket: int) -> None:
    """Remove an empty bucket."""
    t.execute("DELETE FROM buckets WHERE id = ?", (bucket,))


def set_acl(t: Transaction, bucket: int, acl: str) -> None:
    """Replace a bucket's access control list."""
    t.execute("UPDATE buckets SET acl = ? WHERE id = ?", (acl, bucket))


def set_setting(t: Transaction, bucket: int, name: str, xml: str | None) -> None:
    """Replace the configuration of a sub-resource; None removes it."""
    row = t.execute("SELECT settings FROM buckets WHERE id = ?", (bucket,)).fetchone()
    if row is not None:
        settings = {n: v for n, v in json.loads(row[0]).items() if n != name} | ({} if xml is None else {name: xml})
        t.execute("UPDATE buckets SET settings = ? WHERE id = ?", (json.dumps(settings), bucket))


def set_versioning(t: Transaction, bucket: int, status: str) -> None:
    """Set a bucket's versioning status, `Enabled` or `Suspended`."""
    t.execute("UPDATE buckets SET versioning = ? WHERE id = ?", (status, bucket))


def with_setting(connection: sqlite3.Connection, name: str) -> list[BucketRow]:
    """Return the buckets that have a configuration for this sub-resource."""
    rows = connection.execute(f"SELECT {BUCKET_COLUMNS} FROM buckets WHERE settings != '{{}}'")
    return [bucket for bucket in map(bucket_of, rows) if name in bucket.settings]


def list_page(
    connection: sqlite3.Connection, instance: str, prefix: str = "", after: str = "", limit: int = -1
) -> list[BucketRow]:
    """Return an instance's buckets by name.

    Those with the prefix, after a name, at most `limit` (-1 for all).
    """
    parameters: tuple[Any, ...] = (instance, after, len(prefix), prefix, limit)
    rows = connection.execute(
        f"SELECT {BUCKET_COLUMNS} FROM buckets WHERE instance = ? AND name > ? AND substr(name, 1, ?) = ? "
        "ORDER BY name LIMIT ?",
        parameters,
    )
    return [bucket_of(row) for row in rows]
