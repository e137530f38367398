"""Checksums of bytes that are stored already."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from aiocos.emulator.checksums import ALGORITHMS
from aiocos.emulator.store import Segment, Transaction, objects
from aiocos.emulator.store.reserve import disk_full_error
from aiocos.emulator.stored_checksums import sums_of

from .checksum_requests import read_sums, value
from .checksum_requests import sums_of as headers_of
from .conftest import Raw, etag, md5
from .handlers.multipart_requests import MIN, begin, complete, part


def bucket_id(raw: Raw) -> int:
    return raw.emulator.store.connection.execute("SELECT id FROM buckets").fetchone()[0]


async def forget(raw: Raw) -> None:
    """Make all objects those of an earlier release, which stored no checksums."""

    def write(t: Transaction) -> None:
        t.execute("UPDATE objects SET sums = '{}', part_sums = NULL")

    await raw.emulator.store.write(write)


async def test_the_bytes_of_all_segments_are_hashed(raw: Raw) -> None:
    bodies = {1: os.urandom(MIN), 2: b"abc"}
    upload = await begin(raw)
    for number, body in bodies.items():
        await part(raw, upload, number, body)
    await complete(raw, upload, [(number, etag(body)) for number, body in bodies.items()])
    store = raw.emulator.store
    found = objects.find(store.connection, bucket_id(raw), "key")
    assert found is not None
    with store.blobs.pinned(found.segments):
        sums = await sums_of(store, found.segments, ALGORITHMS)
    assert {name: sums.text(name) for name in ALGORITHMS} == {name: value(name, *bodies.values()) for name in ALGORITHMS}
    assert sums.md5.hex() in etag(b"".join(bodies.values()))


async def test_an_object_that_is_deleted_meanwhile_is_read_to_its_end(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last part is in the database, its first one is a file."""
    upload = await begin(raw)
    for number, body in ((1, b"x" * MIN), (2, b"abc")):
        await part(raw, upload, number, body)
    await complete(raw, upload, [(1, etag(b"x" * MIN)), (2, etag(b"abc"))])
    store, read = raw.emulator.store, raw.emulator.store.blobs.read

    async def delete_and_read(segment: Segment) -> AsyncIterator[bytes]:
        await raw.delete("/bucket/key")
        async for chunk in read(segment):
            yield chunk

    found = objects.find(store.connection, bucket_id(raw), "key")
    assert found is not None
    monkeypatch.setattr(store.blobs, "read", delete_and_read)
    with store.blobs.pinned(found.segments):
        sums = await sums_of(store, found.segments, ["sha1"])
    assert (await raw.get("/bucket/key")).status == 404
    assert sums.text("sha1") == value("sha1", b"x" * MIN, b"abc")


@pytest.mark.parametrize("size", [0, 10, 100_000])
async def test_an_object_of_an_earlier_release_gets_a_checksum_when_it_is_asked_for(raw: Raw, size: int) -> None:
    body = os.urandom(size)
    await raw.put("/bucket/key", body, Content_MD5=md5(body))
    await forget(raw)
    assert (await raw.get("/bucket")).texts("Contents/ChecksumAlgorithm") == []
    assert headers_of(await raw.get("/bucket/key")) == {}
    assert (await raw.get("/bucket")).texts("Contents/ChecksumAlgorithm") == []
    assert await read_sums(raw, "/bucket/key") == {"crc64nvme": value("crc64nvme", body), "type": "FULL_OBJECT"}
    assert (await raw.get("/bucket")).texts("Contents/ChecksumAlgorithm") == ["CRC64NVME"]


async def test_a_read_succeeds_although_the_checksum_cannot_be_stored(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    await raw.put("/bucket/key", b"abc")
    await forget(raw)

    def full() -> None:
        raise disk_full_error()

    monkeypatch.setattr(raw.emulator.store.reserve, "check", full)
    got = await raw.get("/bucket/key", x_amz_checksum_mode="ENABLED")
    assert (got.status, got.body, headers_of(got)) == (200, b"abc", {})
