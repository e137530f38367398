"""Buckets and listings, with every server of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aiocos import Client
from aiocos.errors import BucketNotEmpty, Conflict, InvalidRequest, InvalidSignature, NotFound
from aiocos.operations import entries
from aiocos.wire.document import Document
from aiocos.wire.spec import Result

pytestmark = pytest.mark.asyncio(loop_scope="module")

Needs = Callable[[str], None]
KEYS = ["a", "b/1", "b/2", "b/c/3", "d/4", "e f/5", "z"]


async def _filled(cos: Client, bucket: str) -> None:
    for key in KEYS:
        await cos.objects.put(bucket, key, key.encode())


async def test_a_bucket_can_be_created_and_deleted(cos: Client, bucket: str) -> None:
    assert await cos.buckets.exists(bucket)
    await cos.buckets.head(bucket)
    assert bucket in [b.name for b in await cos.buckets.list()]
    other = bucket + "-2"
    await cos.buckets.create(other)
    await cos.buckets.delete(other)
    assert not await cos.buckets.exists(other)
    with pytest.raises(NotFound):
        await cos.buckets.delete(other)


async def test_a_bucket_name_cannot_be_used_twice(cos: Client, bucket: str, needs: Needs) -> None:
    needs("duplicate names")
    with pytest.raises(Conflict):
        await cos.buckets.create(bucket)


async def test_a_bucket_with_objects_cannot_be_deleted(cos: Client, bucket: str) -> None:
    await cos.objects.put(bucket, "k", b"1")
    with pytest.raises(BucketNotEmpty):
        await cos.buckets.delete(bucket)
    assert await cos.objects.exists(bucket, "k")


async def test_a_bucket_has_the_requested_location(cos: Client, bucket: str, needs: Needs) -> None:
    needs("location")
    name = bucket + "-s"
    await cos.buckets.create(name, location="us-south-smart")
    assert (await cos.buckets.location(name)).location == "us-south-smart"
    await cos.buckets.delete(name)


async def test_the_extended_listing_of_buckets(cos: Client, bucket: str, needs: Needs) -> None:
    needs("extended")
    await cos.buckets.create(bucket + "-2")
    found = [b async for b in cos.buckets.list_extended(prefix=bucket, max_keys=1)]
    assert [b.name for b in found] == [bucket, bucket + "-2"]
    assert all(b.location_constraint for b in found)
    await cos.buckets.delete(bucket + "-2")


async def test_a_listing_has_every_object(cos: Client, bucket: str) -> None:
    await _filled(cos, bucket)
    entries = [entry async for entry in cos.objects.list(bucket)]
    assert [entry.key for entry in entries] == KEYS
    assert [entry.size for entry in entries] == [len(key) for key in KEYS]
    assert all(entry.etag and entry.last_modified for entry in entries)
    assert [entry.key async for entry in cos.objects.list_v1(bucket)] == KEYS


async def test_a_listing_of_an_empty_bucket(cos: Client, bucket: str) -> None:
    (page,) = [page async for page in cos.objects.list(bucket).pages()]
    assert (page.contents, page.common_prefixes, page.is_truncated) == ([], [], False)


async def test_a_listing_with_a_prefix(cos: Client, bucket: str) -> None:
    await _filled(cos, bucket)
    assert [entry.key async for entry in cos.objects.list(bucket, prefix="b/")] == ["b/1", "b/2", "b/c/3"]
    assert [entry.key async for entry in cos.objects.list(bucket, prefix="e f")] == ["e f/5"]
    assert [entry.key async for entry in cos.objects.list(bucket, prefix="nothing")] == []


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_a_listing_has_pages_of_the_requested_size(cos: Client, bucket: str, size: int) -> None:
    await _filled(cos, bucket)
    assert [entry.key async for entry in cos.objects.list(bucket, max_keys=size)] == KEYS
    assert [entry.key async for entry in cos.objects.list_v1(bucket, max_keys=size)] == KEYS
    pages = [page async for page in cos.objects.list(bucket, max_keys=size).pages()]
    assert all(len(page.contents) <= size for page in pages)
    assert [page.is_truncated for page in pages] == [True] * (len(pages) - 1) + [False]


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_a_delimiter_groups_keys_into_common_prefixes(cos: Client, bucket: str, needs: Needs, size: int) -> None:
    if size == 1:
        needs("small pages of prefixes")
    await _filled(cos, bucket)
    for listing in (
        cos.objects.list(bucket, delimiter="/", max_keys=size),
        cos.objects.list_v1(bucket, delimiter="/", max_keys=size),
    ):
        pages = [page async for page in listing.pages()]
        assert [entry.key for page in pages for entry in page.contents] == ["a", "z"]
        assert [p.prefix for page in pages for p in page.common_prefixes] == ["b/", "d/", "e f/"]
    inner = [page async for page in cos.objects.list(bucket, delimiter="/", prefix="b/").pages()]
    assert [entry.key for page in inner for entry in page.contents] == ["b/1", "b/2"]
    assert [p.prefix for page in inner for p in page.common_prefixes] == ["b/c/"]


async def test_a_listing_starts_after_a_key(cos: Client, bucket: str) -> None:
    await _filled(cos, bucket)
    assert [entry.key async for entry in cos.objects.list(bucket, start_after="b/2")] == ["b/c/3", "d/4", "e f/5", "z"]
    assert [entry.key async for entry in cos.objects.list_v1(bucket, marker="b/2")] == ["b/c/3", "d/4", "e f/5", "z"]


async def test_versions_of_a_bucket_without_versioning(cos: Client, bucket: str, needs: Needs) -> None:
    needs("versions")
    await _filled(cos, bucket)
    found = [entry async for entry in cos.objects.list_versions(bucket, max_keys=2)]
    assert [(entry.key, entry.version_id, entry.is_latest) for entry in found] == [(key, "null", True) for key in KEYS]


@pytest.mark.parametrize("name", ["list", "list_v1", "list_versions"])
async def test_the_fast_path_of_pages_equals_the_general_parser(
    cos: Client, bucket: str, needs: Needs, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "list_versions":
        needs("versions")
    for key in (*KEYS, "q&<>", "ü/ñ", "a+b", "x%2Fy"):
        await cos.objects.put(bucket, key, key.encode())
    read = entries.read
    used_fast_path: list[bool] = []

    def recording_read(cls: type[Result], body: bytes, field: str, model: type[Document]) -> dict[str, Any] | None:
        values = read(cls, body, field, model)
        used_fast_path.append(values is not None)
        return values

    async def pages(**more: Any) -> list[Any]:
        found = [page async for page in getattr(cos.objects, name)(bucket, **more).pages()]
        return [page.model_copy(update={"request_id": None}) for page in found]

    for more in ({}, {"delimiter": "|"}, {"fetch_owner": True}, {"prefix": "a", "encoding_type": None}):
        if "fetch_owner" in more and name != "list":
            continue
        monkeypatch.setattr(entries, "_MIN_ENTRIES", 2)
        monkeypatch.setattr(entries, "read", recording_read)
        fast = await pages(**more)
        assert used_fast_path == [True], more
        monkeypatch.setattr(entries, "read", lambda *_: None)
        general = await pages(**more)
        assert fast == general
        assert repr(fast) == repr(general)
        used_fast_path.clear()


async def test_an_invalid_bucket_name_is_refused(cos: Client, needs: Needs) -> None:
    needs("bucket names")
    with pytest.raises(InvalidRequest):
        await cos.buckets.create("Bad_Name")


async def test_a_wrong_secret_is_refused(cos: Client, bucket: str, server: str, needs: Needs) -> None:
    needs("signatures")
    async with Client(endpoint=cos.endpoint, access_key_id="nobody", secret_access_key="wrong") as other:
        with pytest.raises(InvalidSignature):
            await other.objects.put(bucket, "k", b"1")


async def test_an_acl_makes_an_object_public(cos: Client, bucket: str, needs: Needs) -> None:
    needs("acl")
    await cos.objects.put(bucket, "k", b"1")
    policy = await cos.acl.get_object(bucket, "k")
    assert policy.owner is not None
    assert "FULL_CONTROL" in [grant.permission for grant in policy.grants]
    await cos.acl.put_object(bucket, "k", acl="public-read")
    grants = (await cos.acl.get_object(bucket, "k")).grants
    assert "http://acs.amazonaws.com/groups/global/AllUsers" in [g.grantee.uri for g in grants if g.grantee]
    assert await cos.objects.read(bucket, "k") == b"1"
    assert (await cos.acl.get_bucket(bucket)).grants
