"""Checksums of copies."""

from __future__ import annotations

import os

import pytest

from aiocos.emulator.checksums import ALGORITHMS
from aiocos.emulator.handlers import copied_checksum
from aiocos.emulator.store import Store
from aiocos.wire.checksum import Algorithm

from ..checksum_requests import put_with, read_sums, value
from ..conftest import Raw


async def copy(raw: Raw, **headers: str) -> dict[str, str]:
    """Copy `/bucket/key` and return the checksums of the copy."""
    response = await raw.put("/bucket/copy", x_amz_copy_source="bucket/key", **headers)
    assert response.status == 200, response.body
    found = {e.tag.removeprefix("Checksum").lower(): e.text or "" for e in response.xml if e.tag.startswith("Checksum")}
    assert await read_sums(raw, "/bucket/copy") == found
    return found


@pytest.mark.parametrize("size", [10, 100_000])
@pytest.mark.parametrize("name", ALGORITHMS)
async def test_a_copy_keeps_the_algorithm_of_its_source_or_gets_the_requested_one(raw: Raw, name: Algorithm, size: int) -> None:
    body = os.urandom(size)
    await put_with(raw, "/bucket/key", body, name, value(name, body))
    assert await copy(raw) == {name: value(name, body), "type": "FULL_OBJECT"}
    for other in ALGORITHMS:
        assert await copy(raw, x_amz_checksum_algorithm=other.upper()) == {other: value(other, body), "type": "FULL_OBJECT"}
    unknown = await raw.put("/bucket/copy", x_amz_copy_source="bucket/key", x_amz_checksum_algorithm="MD5")
    assert (unknown.status, unknown.code) == (400, "InvalidRequest")


async def test_a_copy_of_an_object_without_checksum_gets_a_crc64nvme(raw: Raw) -> None:
    raw.emulator.checksums = False
    try:
        await raw.put("/bucket/key", b"abc")
    finally:
        raw.emulator.checksums = True
    assert await copy(raw) == {"crc64nvme": value("crc64nvme", b"abc"), "type": "FULL_OBJECT"}


async def test_a_source_that_may_not_be_copied_is_not_read(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise AssertionError("the bytes were read")

    await raw.put("/bucket/key", b"abc")
    monkeypatch.setattr(copied_checksum, "sums_of", fail)
    headers = {"x_amz_copy_source": "bucket/key", "x_amz_checksum_algorithm": "SHA1"}
    refused = await raw.put("/bucket/copy", x_amz_copy_source_if_match='"other"', **headers)
    assert (refused.status, refused.code) == (412, "PreconditionFailed")
    missing = await raw.put("/bucket/copy", x_amz_copy_source="bucket/none", x_amz_checksum_algorithm="SHA1")
    assert (missing.status, missing.code) == (404, "NoSuchKey")


async def test_a_source_that_is_replaced_while_it_is_read_is_not_copied(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = copied_checksum.sums_of

    async def replace_and_compute(store: Store, *arguments: object) -> object:
        await raw.put("/bucket/key", b"replaced")
        return await compute(store, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(copied_checksum, "sums_of", replace_and_compute)
    await raw.put("/bucket/key", b"a" * 100_000)
    refused = await raw.put("/bucket/copy", x_amz_copy_source="bucket/key", x_amz_checksum_algorithm="SHA1")
    assert (refused.status, refused.code) == (409, "OperationAborted")
    monkeypatch.undo()
    assert (await copy(raw, x_amz_checksum_algorithm="SHA1"))["sha1"] == value("sha1", b"replaced")
