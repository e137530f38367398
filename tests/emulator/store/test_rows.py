"""Rows as values: what is written to the database is what is read."""

from __future__ import annotations

from dataclasses import replace

from aiocos.emulator.store import BucketRow, ObjectRow, PartRow, Segment, Store, Transaction, UploadRow, objects, uploads
from aiocos.emulator.store.blobs import Blob

SEGMENTS = (Segment("blob", 0, 3),)


def allow(old: ObjectRow | None) -> None:
    pass


async def test_an_object_version_is_read_as_it_was_written(store: Store, bucket: BucketRow) -> None:
    row = ObjectRow(
        "ü/key",
        "0" * 32,
        3,
        1.5,
        "owner",
        headers={"content_type": "text/plain"},
        metadata={"a": "b"},
        sums={"crc32": "AAAAAA=="},
        segments=SEGMENTS,
        parts=(1, 2),
        acl="public-read",
        customer_md5="md5",
        retention={"period": 5, "holds": {}},
        lock={"mode": "GOVERNANCE", "until": 9.5},
        archive={"class": "GLACIER"},
    )
    stored = await store.write(lambda t: objects.put(t, bucket.id, row, allow), Blob(3, b"abc", "blob"))
    assert objects.find(store.connection, bucket.id, "ü/key") == stored
    assert replace(stored, serial=0) == row


async def test_an_upload_and_its_parts_are_read_as_they_were_written(store: Store, bucket: BucketRow) -> None:
    upload = UploadRow(
        "id", bucket.id, "ü", 1.5, "owner", {"a": "b"}, {"c": "d"}, "private", "md5", "CRC32", "COMPOSITE", {"hold": "ON"}
    )
    part = PartRow(7, "0" * 32, 3, 2.5, {"crc32": "AAAAAA=="}, SEGMENTS)

    def write(t: Transaction) -> None:
        uploads.add(t, upload)
        uploads.put_part(t, "id", part)

    await store.write(write, Blob(3, b"abc", "blob"))
    assert uploads.find(store.connection, bucket.id, "ü", "id") == upload
    assert uploads.parts(store.connection, "id") == [part]
