"""Paginators: pages, tokens, limits."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from tests.ibm_boto3.both_clients import client_of
from tests.parity.test_ibm_boto3 import sdk_client

from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.exceptions import OperationNotPageableError, PaginationError
from aiocos.ibm_boto3.paginate import PAGED, Paginator

KEYS = sorted([*(f"a/{n:02}" for n in range(7)), *(f"b{n:02}" for n in range(6)), "c/1", "d ü+%/1"])


@dataclass
class Listed:
    """A bucket that has been filled once for all listings, and both clients."""

    bucket: str
    client: S3Client
    sdk: Any


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listed() -> AsyncIterator[Listed]:
    async with Emulator() as emulator, client_of(emulator) as client:
        sdk = await asyncio.to_thread(sdk_client, emulator, "iam")
        yield Listed(await _filled(client), client, sdk)
        sdk.close()


async def _filled(client: S3Client) -> str:
    await client.create_bucket(Bucket="pages")
    await client.put_bucket_versioning(Bucket="pages", VersioningConfiguration={"Status": "Enabled"})
    for key in KEYS:
        await client.put_object(Bucket="pages", Key=key, Body=b"1")
        await client.delete_object(Bucket="pages", Key=key)
        await client.put_object(Bucket="pages", Key=key, Body=b"2")
    return "pages"


def _entries(page: dict[str, Any]) -> dict[str, Any]:
    names = ("Contents", "CommonPrefixes", "Versions", "DeleteMarkers", "Uploads", "Parts", "Buckets")
    return {
        name: [entry.get("Key", entry.get("Prefix", entry.get("PartNumber", entry.get("Name")))) for entry in page[name]]
        for name in names
        if page.get(name)
    }


def _theirs(sdk: Any, method: str, arguments: dict[str, Any]) -> tuple[list[dict[str, Any]], Any, dict[str, Any]]:
    pages = sdk.get_paginator(method).paginate(**arguments)
    listed = [_entries(page) for page in pages]
    # An iterator of the SDK's that was used goes on from where it ended.
    return listed, pages.resume_token, sdk.get_paginator(method).paginate(**arguments).build_full_result()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("method", ["list_objects_v2", "list_objects", "list_object_versions"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"Delimiter": "/"},
        {"Prefix": "a/"},
        {"Prefix": "b", "PaginationConfig": {"PageSize": 2}},
        {"Prefix": "zzz"},
        {"PaginationConfig": {"PageSize": 4}},
        {"PaginationConfig": {"PageSize": 1}},
        {"PaginationConfig": {"PageSize": 4, "MaxItems": 6}},
        {"PaginationConfig": {"PageSize": 4, "MaxItems": 8}},
        {"PaginationConfig": {"PageSize": "4", "MaxItems": "100"}},
        {"PaginationConfig": {"MaxItems": 0}},
        {"Delimiter": "/", "PaginationConfig": {"PageSize": 2, "MaxItems": 3}},
        {"Delimiter": "/", "PaginationConfig": {"PageSize": 3}},
    ],
    ids=str,
)
async def test_pages_equal_those_of_the_sdk(listed: Listed, method: str, arguments: dict[str, Any]) -> None:
    client, sdk = listed.client, listed.sdk
    arguments = {"Bucket": listed.bucket, **arguments}
    theirs, token, whole = await asyncio.to_thread(_theirs, sdk, method, arguments)
    assert client.can_paginate(method)
    pages = client.get_paginator(method).paginate(**arguments)
    assert [_entries(page) async for page in pages] == theirs
    assert (pages.resume_token is None) == (token is None)
    full = await pages.build_full_result()
    assert _entries(full) == _entries(whole)
    assert set(full) == set(whole)
    assert ("NextToken" in full) == ("NextToken" in whole)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("method", ["list_objects_v2", "list_objects", "list_object_versions"])
@pytest.mark.parametrize("most", [1, 3, 4, 5])
async def test_a_listing_continues_after_its_token(listed: Listed, method: str, most: int) -> None:
    client, sdk, bucket = listed.client, listed.sdk, listed.bucket
    whole = await client.get_paginator(method).paginate(Bucket=bucket).build_full_result()
    first = "Versions" if method == "list_object_versions" else "Contents"
    token, found = None, []
    for _ in range(100):
        config = {"PageSize": 4, "MaxItems": most, "StartingToken": token}
        arguments = {"Bucket": bucket, "PaginationConfig": config}
        part = await client.get_paginator(method).paginate(**arguments).build_full_result()
        # A token of ours is one that the SDK understands.
        theirs = await asyncio.to_thread(_theirs, sdk, method, arguments)
        assert _entries(part).get(first) == _entries(theirs[2]).get(first)
        found += part[first]
        token = part.get("NextToken")
        if token is None:
            break
    assert [entry["Key"] for entry in found] == [entry["Key"] for entry in whole[first]]


async def test_other_listings(client: S3Client, sdk: Any) -> None:
    await client.create_bucket(Bucket="uploads")
    ids = [(await client.create_multipart_upload(Bucket="uploads", Key=f"k{n}"))["UploadId"] for n in range(5)]
    for n in range(1, 6):
        await client.upload_part(Bucket="uploads", Key="k0", UploadId=ids[0], PartNumber=n, Body=b"1")
    config = {"PageSize": 2}
    for method, more in {
        "list_multipart_uploads": {"Bucket": "uploads"},
        "list_parts": {"Bucket": "uploads", "Key": "k0", "UploadId": ids[0]},
        "list_buckets_extended": {},
    }.items():
        arguments = {**more, "PaginationConfig": config}
        theirs, _, _ = await asyncio.to_thread(_theirs, sdk, method, arguments)
        assert [_entries(page) async for page in client.get_paginator(method).paginate(**arguments)] == theirs
        assert theirs


async def test_result_key_iterators(client: S3Client, sdk: Any) -> None:
    bucket = await _filled(client)
    arguments = {"Bucket": bucket, "Delimiter": "/", "PaginationConfig": {"PageSize": 3}}
    pages = client.get_paginator("list_objects_v2").paginate(**arguments)
    ours = [[entry.get("Key") or entry["Prefix"] async for entry in one] for one in pages.result_key_iters()]

    def theirs() -> Any:
        iterators = sdk.get_paginator("list_objects_v2").paginate(**arguments).result_key_iters()
        return [[entry.get("Key") or entry["Prefix"] for entry in one] for one in iterators]

    assert ours == await asyncio.to_thread(theirs)
    assert all(ours)


async def test_a_second_iteration_sends_the_requests_again(client: S3Client) -> None:
    bucket = await _filled(client)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 4, "MaxItems": 5})
    once = [_entries(page) async for page in pages]
    await client.put_object(Bucket=bucket, Key="0", Body=b"1")
    again = [_entries(page) async for page in pages]
    assert once[0]["Contents"][:3] == again[0]["Contents"][1:]


async def test_invalid_paginations_are_refused(client: S3Client) -> None:
    assert not client.can_paginate("get_object")
    with pytest.raises(OperationNotPageableError, match="get_object"):
        client.get_paginator("get_object")
    paginator = client.get_paginator("list_objects_v2")
    for config in ({"Pages": 1}, {"MaxItems": "many"}):
        with pytest.raises(PaginationError):
            paginator.paginate(Bucket="b", PaginationConfig=config)
    for token in ("a___b", "a___b___c"):
        with pytest.raises(PaginationError, match="Bad starting token"):
            await paginator.paginate(Bucket="b", PaginationConfig={"StartingToken": token}).build_full_result()
    with pytest.raises(TypeError, match="async for"):
        list(paginator.paginate(Bucket="b"))  # type: ignore[call-overload]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "token"),
    [
        ("list_objects_v2", ""),
        ("list_objects", "a/04"),
        ("list_objects", "a/04___2"),
        ("list_object_versions", "a/03___None"),
        ("list_object_versions", "a/03___None___2"),
    ],
)
async def test_tokens_of_other_forms(listed: Listed, method: str, token: str) -> None:
    client, sdk = listed.client, listed.sdk
    arguments = {"Bucket": listed.bucket, "PaginationConfig": {"PageSize": 4, "StartingToken": token}}
    theirs, _, whole = await asyncio.to_thread(_theirs, sdk, method, arguments)
    first = "Versions" if method == "list_object_versions" else "Contents"
    # Of the first page the SDK drops all else, also where nothing of it was given yet.
    ours = [_entries(page) async for page in client.get_paginator(method).paginate(**arguments)]
    assert [page[first] for page in ours] == [page[first] for page in theirs]
    full = await client.get_paginator(method).paginate(**arguments).build_full_result()
    assert _entries(full)[first] == _entries(whole)[first]


def _recorded(operation: str) -> tuple[Paginator, list[dict[str, Any]]]:
    """A paginator whose listing is empty, and what it was asked."""
    asked: list[dict[str, Any]] = []

    async def call(**arguments: Any) -> dict[str, Any]:
        asked.append(arguments)
        return {}

    return Paginator(call, PAGED[operation]), asked


def _token(**names: Any) -> str:
    return base64.b64encode(json.dumps(names).encode()).decode()


@pytest.mark.parametrize(
    ("operation", "token", "asked"),
    [
        # An empty token is none.
        ("ListObjectsV2", "", {}),
        ("ListObjectsV2", None, {}),
        ("ListObjectsV2", _token(ContinuationToken="a"), {"ContinuationToken": "a"}),
        ("ListObjectsV2", _token(ContinuationToken=None), {}),
        ("ListObjectVersions", _token(KeyMarker="a", VersionIdMarker="b"), {"KeyMarker": "a", "VersionIdMarker": "b"}),
        ("ListObjectVersions", _token(KeyMarker="a"), {"KeyMarker": "a"}),
        # What names anything else is no token, and the text itself is the marker.
        ("ListObjects", _token(Foo="a"), {"Marker": _token(Foo="a")}),
        ("ListObjects", _token(Marker="a", Foo="b"), {"Marker": _token(Marker="a", Foo="b")}),
        ("ListObjects", base64.b64encode(b"[1]").decode(), {"Marker": base64.b64encode(b"[1]").decode()}),
        ("ListObjects", base64.b64encode(b"5").decode(), {"Marker": base64.b64encode(b"5").decode()}),
        ("ListObjects", "plain", {"Marker": "plain"}),
    ],
)
async def test_request_for_a_starting_token(operation: str, token: str | None, asked: dict[str, Any]) -> None:
    paginator, seen = _recorded(operation)
    async for _ in paginator.paginate(Bucket="b", PaginationConfig={"StartingToken": token}):
        pass
    assert seen == [{"Bucket": "b", **asked}]


async def test_request_for_a_configuration() -> None:
    for config, limit in [({"PageSize": 3}, {"MaxKeys": 3}), ({"PageSize": "0"}, {"MaxKeys": 0}), ({}, {}), (None, {})]:
        paginator, seen = _recorded("ListObjectsV2")
        async for _ in paginator.paginate(Bucket="b", PaginationConfig=config):
            pass
        assert seen == [{"Bucket": "b", **limit}]


async def test_a_repeated_token_is_an_error() -> None:
    asked = 0

    async def call(**_: Any) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"IsTruncated": True, "NextContinuationToken": "again", "Contents": [{"Key": "a"}]}

    with pytest.raises(PaginationError, match="same next token was received twice"):
        await Paginator(call, PAGED["ListObjectsV2"]).paginate(Bucket="b").build_full_result()
    assert asked == 2
