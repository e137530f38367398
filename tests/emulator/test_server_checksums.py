"""The emulator of a service that does not know `x-amz-checksum-*`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from aiocos.emulator import Emulator
from aiocos.emulator.checksums import ALGORITHMS
from aiocos.wire.checksum import Algorithm

from .checksum_requests import PLACES, put_with, read_sums, sums_of, value
from .conftest import Raw, etag, md5
from .handlers.multipart_requests import begin, complete, part


@pytest_asyncio.fixture(loop_scope="module")
async def old(session: aiohttp.ClientSession) -> AsyncIterator[Raw]:
    """The owner of `bucket` in an emulator that ignores checksums."""
    async with Emulator(checksums=False) as emulator:
        assert emulator.checksums is False
        raw = Raw(emulator, session, emulator.instance)
        await raw.put("/bucket")
        yield raw


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ALGORITHMS)
async def test_checksums_of_bodies_are_ignored(old: Raw, name: Algorithm, place: str) -> None:
    for text in (value(name, b"abc"), value(name, b"other"), "nonsense"):
        put = await put_with(old, "/bucket/key", b"abc", name, text, place)
        assert (put.status, sums_of(put)) == (200, {})
    upload = await begin(old)
    sent = await put_with(old, f"/bucket/key?partNumber=1&uploadId={upload}", b"abc", name, value(name, b"x"), place)
    assert (sent.status, sums_of(sent)) == (200, {})
    assert await read_sums(old, "/bucket/key") == {}


async def test_checksums_are_neither_stored_nor_shown(old: Raw) -> None:
    """Neither those of earlier objects nor those of objects that are written meanwhile."""
    emulator = old.emulator
    emulator.checksums = True
    assert (await old.put("/bucket/new", b"abc")).headers["x-amz-checksum-crc64nvme"] == value("crc64nvme", b"abc")
    declared = await begin(old, x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT")
    emulator.checksums = False
    assert await read_sums(old, "/bucket/new") == {}
    assert (await old.put("/bucket/old", b"abc")).status == 200
    copied = await old.put("/bucket/copy", x_amz_copy_source="bucket/new", x_amz_checksum_algorithm="SHA1")
    created = await old.post("/bucket/key?uploads", x_amz_checksum_algorithm="MD5", x_amz_checksum_type="X")
    upload = created.texts("UploadId")[0]
    assert sums_of(created) == {}
    sent = await part(old, upload, 1, b"abc", x_amz_checksum_sha1="nonsense")
    listed = await old.get(f"/bucket/key?uploadId={declared}")
    done = await complete(old, upload, [(1, etag(b"abc"))], x_amz_checksum_type="X", x_amz_checksum_crc32="nonsense")
    part_copied = await part(old, declared, 1, b"", x_amz_copy_source="bucket/new")
    for response in (copied, listed, done, part_copied, await old.get("/bucket"), await old.get("/bucket?uploads"), sent):
        assert response.status == 200
        assert b"Checksum" not in response.body
    assert (await old.get("/bucket?versions")).texts("Version/ChecksumAlgorithm") == []
    stored = old.emulator.store.connection.execute("SELECT key, sums FROM objects ORDER BY key").fetchall()
    assert {bytes(key): sums == "{}" for key, sums in stored} == {b"copy": True, b"key": True, b"new": False, b"old": True}
    emulator.checksums = True
    assert await read_sums(old, "/bucket/new") == {"crc64nvme": value("crc64nvme", b"abc"), "type": "FULL_OBJECT"}


async def test_content_md5_is_verified_and_the_only_checksum_that_counts(old: Raw) -> None:
    assert (await old.put("/bucket/key", b"abc", Content_MD5=md5(b"other"))).code == "BadDigest"
    document = b"<Delete><Object><Key>a</Key></Object></Delete>"
    refused = await old.post("/bucket?delete", document, x_amz_checksum_crc32=value("crc32", document))
    assert (refused.status, refused.code) == (400, "InvalidRequest")
    assert (await old.post("/bucket?delete", document, Content_MD5=md5(document))).status == 200
