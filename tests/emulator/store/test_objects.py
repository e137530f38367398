"""Rows of object versions, and the references from them to blobs."""

from __future__ import annotations

import pytest

from aiocos.emulator.store import BucketRow, ObjectRow, Store, buckets, objects
from aiocos.emulator.store.blobs import Blob
from aiocos.errors import PreconditionFailed


def allow(old: ObjectRow | None) -> None:
    pass


def version(key: str, blob: Blob | None = None, modified: float = 1.0) -> ObjectRow:
    size, segments = (0, ()) if blob is None else (blob.size, blob.segments)
    return ObjectRow(key, "0" * 32, size, modified, "owner", segments=segments)


def blob_count(store: Store) -> int:
    return store.connection.execute("SELECT count(*) FROM blobs").fetchone()[0]


async def test_without_versioning_a_write_replaces_the_object_and_its_blob(store: Store, bucket: BucketRow) -> None:
    for data in (b"first", b"second"):
        blob = Blob(len(data), data)
        await store.write(lambda t, blob=blob: objects.put(t, bucket.id, version("key", blob), allow), blob)  # type: ignore[misc]
    found = objects.find(store.connection, bucket.id, "key")
    assert found is not None
    assert (found.version_id, found.size) == ("null", 6)
    assert objects.read_inline(store.connection, found.segments[0].blob) == b"second"
    assert blob_count(store) == 1


async def test_a_blob_is_removed_with_its_last_reference(store: Store, bucket: BucketRow) -> None:
    blob = Blob(4, b"data")
    await store.write(lambda t: objects.put(t, bucket.id, version("one", blob), allow), blob)
    await store.write(lambda t: objects.put(t, bucket.id, version("two", blob), allow))
    for key, left in (("one", 1), ("two", 0)):
        await store.write(lambda t, key=key: objects.remove(t, bucket.id, key, None, allow, 2.0, "owner"))  # type: ignore[misc]
        assert blob_count(store) == left


async def test_a_refused_write_stores_neither_row_nor_blob(store: Store, bucket: BucketRow) -> None:
    def refuse(old: ObjectRow | None) -> None:
        raise PreconditionFailed("no", status=412, code="PreconditionFailed")

    blob = Blob(4, b"data")
    with pytest.raises(PreconditionFailed):
        await store.write(lambda t: objects.put(t, bucket.id, version("key", blob), refuse), blob)
    assert objects.find(store.connection, bucket.id, "key") is None
    assert blob_count(store) == 0


async def test_with_versioning_a_removal_adds_a_marker_and_removing_the_marker_restores(
    store: Store, bucket: BucketRow
) -> None:
    await store.write(lambda t: buckets.set_versioning(t, bucket.id, "Enabled"))
    stored = await store.write(lambda t: objects.put(t, bucket.id, version("key"), allow))
    removal = await store.write(lambda t: objects.remove(t, bucket.id, "key", None, allow, 2.0, "owner"))
    marker = removal.marker
    assert marker is not None
    assert removal.removed is None
    latest = objects.find(store.connection, bucket.id, "key")
    assert latest is not None
    assert (latest.version_id, latest.delete_marker) == (marker.version_id, True)
    await store.write(lambda t: objects.remove(t, bucket.id, "key", marker.version_id, allow, 3.0, "owner"))
    latest = objects.find(store.connection, bucket.id, "key")
    assert latest is not None
    assert (latest.version_id, latest.is_latest) == (stored.version_id, True)


async def test_insert_in_order_keeps_versions_sorted_by_time(store: Store, bucket: BucketRow) -> None:
    for name, modified in (("new", 3.0), ("old", 1.0), ("middle", 2.0)):
        row = version("key", modified=modified).copy(version_id=name)
        await store.write(lambda t, row=row: objects.insert_in_order(t, bucket.id, row))  # type: ignore[misc]
    rows = store.connection.execute("SELECT version_id, is_latest FROM objects ORDER BY serial DESC").fetchall()
    assert rows == [("new", 1), ("middle", 0), ("old", 0)]
