"""Rows of multipart uploads and their parts."""

from __future__ import annotations

from aiocos.emulator.store import BucketRow, ObjectRow, PartRow, Store, UploadRow, objects, uploads
from aiocos.emulator.store.blobs import Blob


def part(number: int, blob: Blob) -> PartRow:
    return PartRow(number, "0" * 32, blob.size, 1.0, {}, blob.segments)


async def begin(store: Store, bucket: BucketRow, upload_id: str = "upload") -> UploadRow:
    upload = UploadRow(upload_id, bucket.id, "key", 1.0, "owner", {}, {})
    await store.write(lambda t: uploads.add(t, upload))
    return upload


def blob_count(store: Store) -> int:
    return store.connection.execute("SELECT count(*) FROM blobs").fetchone()[0]


async def test_an_upload_is_found_by_bucket_key_and_id(store: Store, bucket: BucketRow) -> None:
    upload = await begin(store, bucket)
    assert uploads.find(store.connection, bucket.id, "key", "upload") == upload
    assert uploads.find(store.connection, bucket.id, "other", "upload") is None
    assert uploads.find(store.connection, bucket.id + 1, "key", "upload") is None


async def test_a_part_replaces_the_part_with_its_number(store: Store, bucket: BucketRow) -> None:
    await begin(store, bucket)
    for data in (b"first", b"other"):
        blob = Blob(len(data), data)
        await store.write(lambda t, blob=blob: uploads.put_part(t, "upload", part(1, blob)), blob)  # type: ignore[misc]
    (stored,) = uploads.parts(store.connection, "upload")
    assert objects.read_inline(store.connection, stored.segments[0].blob) == b"other"
    assert blob_count(store) == 1


async def test_removing_an_upload_removes_its_parts_and_their_blobs(store: Store, bucket: BucketRow) -> None:
    await begin(store, bucket)
    for number in (1, 2):
        blob = Blob(1, b"x")
        await store.write(lambda t, n=number, blob=blob: uploads.put_part(t, "upload", part(n, blob)), blob)  # type: ignore[misc]
    await store.write(lambda t: uploads.remove(t, "upload"))
    assert uploads.parts(store.connection, "upload") == []
    assert blob_count(store) == 0


async def test_parts_are_listed_after_a_number_up_to_a_limit(store: Store, bucket: BucketRow) -> None:
    await begin(store, bucket)
    blob = Blob(1, b"x")
    await store.write(lambda t: [uploads.put_part(t, "upload", part(n, blob)) for n in (3, 1, 2)], blob)
    assert [p.number for p in uploads.parts(store.connection, "upload")] == [1, 2, 3]
    assert [p.number for p in uploads.parts(store.connection, "upload", after=1, limit=1)] == [2]


async def test_a_completion_is_found_while_its_version_exists(store: Store, bucket: BucketRow) -> None:
    def allow(old: ObjectRow | None) -> None:
        pass

    row = ObjectRow("key", "0" * 32, 0, 1.0, "owner")
    stored = await store.write(lambda t: objects.put(t, bucket.id, row, allow))
    await store.write(lambda t: uploads.record_completion(t, "upload", stored.serial, "[1]"))
    found = uploads.completed(store.connection, bucket.id, "key", "upload", "[1]")
    assert found is not None
    assert found.serial == stored.serial
    assert uploads.completed(store.connection, bucket.id, "key", "upload", "[1, 2]") is None
    await store.write(lambda t: objects.remove(t, bucket.id, "key", None, allow, 2.0, "owner"))
    assert uploads.completed(store.connection, bucket.id, "key", "upload", "[1]") is None
