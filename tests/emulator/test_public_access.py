"""Public access by access control lists, and its block."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import aiocos
from aiocos import Anonymous, Client, PublicAccessBlockConfiguration
from aiocos.emulator import Emulator


@pytest.fixture
async def anybody(cos_emulator: Emulator) -> AsyncIterator[Client]:
    async with Client(endpoint=cos_emulator.endpoint, credentials=Anonymous()) as client:
        yield client


@pytest.fixture(autouse=True)
async def bucket(cos: Client) -> None:
    await cos.buckets.create("bucket")


async def test_the_block_comes_back(cos: Client) -> None:
    with pytest.raises(aiocos.NoSuchConfiguration) as caught:
        await cos.public_access.get("bucket")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchPublicAccessBlockConfiguration")
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(block_public_acls=True))
    found = await cos.public_access.get("bucket")
    assert (found.block_public_acls, found.ignore_public_acls) == (True, False)
    await cos.public_access.delete("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration):
        await cos.public_access.get("bucket")


async def test_anybody_reads_what_is_public(cos: Client, anybody: Client) -> None:
    await cos.objects.put("bucket", "public", b"x", acl="public-read")
    await cos.objects.put("bucket", "private", b"x")
    assert await anybody.objects.read("bucket", "public") == b"x"
    for key in ("private", "missing"):
        with pytest.raises(aiocos.AccessDenied):
            await anybody.objects.read("bucket", key)
    with pytest.raises(aiocos.AccessDenied):
        [entry async for entry in anybody.objects.list("bucket")]
    await cos.acl.put_bucket("bucket", acl="public-read")
    assert [entry.key async for entry in anybody.objects.list("bucket")] == ["private", "public"]
    with pytest.raises(aiocos.NoSuchKey):
        await anybody.objects.read("bucket", "missing")
    with pytest.raises(aiocos.AccessDenied):
        await anybody.objects.put("bucket", "new", b"x")


async def test_new_public_lists_are_blocked(cos: Client, anybody: Client) -> None:
    await cos.objects.put("bucket", "old", b"x", acl="public-read")
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(block_public_acls=True))
    for refused in (
        cos.objects.put("bucket", "new", b"x", acl="public-read"),
        cos.objects.copy("bucket", "new", ("bucket", "old"), acl="public-read"),
        cos.multipart.create("bucket", "new", acl="public-read"),
        cos.acl.put_object("bucket", "old", acl="public-read"),
        cos.acl.put_bucket("bucket", acl="public-read"),
    ):
        with pytest.raises(aiocos.AccessDenied) as caught:
            await refused
        assert (caught.value.status, caught.value.code) == (403, "AccessDenied")
    assert [entry.key async for entry in cos.objects.list("bucket")] == ["old"]
    # What is public stays so, and may be made private.
    assert await anybody.objects.read("bucket", "old") == b"x"
    await cos.acl.put_object("bucket", "old", acl="private")
    await cos.objects.put("bucket", "new", b"x", acl="private")


async def test_old_public_lists_are_ignored(cos: Client, anybody: Client) -> None:
    await cos.objects.put("bucket", "old", b"x", acl="public-read")
    await cos.acl.put_bucket("bucket", acl="public-read-write")
    await anybody.objects.put("bucket", "by anybody", b"x")
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(ignore_public_acls=True))
    for refused in (
        anybody.objects.read("bucket", "old"),
        anybody.objects.put("bucket", "new", b"x"),
        anybody.objects.delete("bucket", "old"),
        anybody.buckets.head("bucket"),
    ):
        with pytest.raises(aiocos.AccessDenied):
            await refused
    assert await cos.objects.read("bucket", "old") == b"x"
    await cos.public_access.delete("bucket")
    assert await anybody.objects.read("bucket", "old") == b"x"
