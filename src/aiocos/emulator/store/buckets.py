"""Instances and buckets in the database."""

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
    """Make up an instance; what is not given is random, in the forms that the service uses (32 and 48 hex digits for HMAC)."""
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
    """All instances, in the order they were made."""
    return [Instance(*row) for row in connection.execute(f"SELECT {_INSTANCE} FROM instances ORDER BY rowid")]


def add_instance(t: Transaction, instance: Instance) -> None:
    """Enter an instance, over one of the same CRN."""
    t.execute(
        f"INSERT INTO instances ({_INSTANCE}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (crn) DO UPDATE SET "
        "api_key = excluded.api_key, access_key_id = excluded.access_key_id, secret_access_key = excluded.secret_access_key",
        (instance.crn, instance.guid, instance.api_key, instance.access_key_id, instance.secret_access_key),
    )


def new_key(instance: Instance, role: Role) -> Key:
    """Make up credentials of a role."""
    return Key(instance, role, os.urandom(33).hex()[:44], os.urandom(16).hex(), os.urandom(24).hex())


def keys(connection: sqlite3.Connection) -> list[Key]:
    """All credentials: those that instances were made with, and those that were added."""
    known = {i.crn: i for i in instances(connection)}
    added = connection.execute("SELECT instance, role, api_key, access_key_id, secret_access_key FROM keys ORDER BY rowid")
    return [*map(Key.of_manager, known.values()), *(Key(known[crn], *rest) for crn, *rest in added)]


def add_key(t: Transaction, key: Key) -> None:
    """Enter credentials."""
    t.execute(
        "INSERT INTO keys (api_key, instance, role, access_key_id, secret_access_key) VALUES (?, ?, ?, ?, ?)",
        (key.api_key, key.instance.crn, key.role, key.access_key_id, key.secret_access_key),
    )


def find(connection: sqlite3.Connection, name: str) -> BucketRow | None:
    """The bucket of this name."""
    row = connection.execute(f"SELECT {BUCKET_COLUMNS} FROM buckets WHERE name = ?", (name,)).fetchone()
    return None if row is None else bucket_of(row)


def add(t: Transaction, bucket: BucketRow) -> None:
    """Enter a bucket (its id is given here)."""
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
    """Tell whether a bucket holds no object, version or marker. Open uploads do not count."""
    return t.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket,)).fetchone() is None


def remove(t: Transaction, bucket: int) -> None:
    """Remove an empty bucket."""
    t.execute("DELETE FROM buckets WHERE id = ?", (bucket,))


def set_acl(t: Transaction, bucket: int, acl: str) -> None:
    """Replace a bucket's access control list."""
    t.execute("UPDATE buckets SET acl = ? WHERE id = ?", (acl, bucket))


def set_setting(t: Transaction, bucket: int, name: str, xml: str | None) -> None:
    """Replace one configuration of a bucket, by the name of its sub-resource; None removes it."""
    row = t.execute("SELECT settings FROM buckets WHERE id = ?", (bucket,)).fetchone()
    if row is not None:
        settings = {n: v for n, v in json.loads(row[0]).items() if n != name} | ({} if xml is None else {name: xml})
        t.execute("UPDATE buckets SET settings = ? WHERE id = ?", (json.dumps(settings), bucket))


def set_versioning(t: Transaction, bucket: int, status: str) -> None:
    """Let a bucket keep versions (`Enabled`), or no more (`Suspended`)."""
    t.execute("UPDATE buckets SET versioning = ? WHERE id = ?", (status, bucket))


def with_setting(connection: sqlite3.Connection, name: str) -> list[BucketRow]:
    """The buckets that have a configuration of this name."""
    rows = connection.execute(f"SELECT {BUCKET_COLUMNS} FROM buckets WHERE settings != '{{}}'")
    return [bucket for bucket in map(bucket_of, rows) if name in bucket.settings]


def listed(
    connection: sqlite3.Connection, instance: str, prefix: str = "", after: str = "", limit: int = -1
) -> list[BucketRow]:
    """The buckets of an instance in the order of their names, those after a name, at most `limit` (-1: all)."""
    parameters: tuple[Any, ...] = (instance, after, len(prefix), prefix, limit)
    rows = connection.execute(
        f"SELECT {BUCKET_COLUMNS} FROM buckets WHERE instance = ? AND name > ? AND substr(name, 1, ?) = ? "
        "ORDER BY name LIMIT ?",
        parameters,
    )
    return [bucket_of(row) for row in rows]
