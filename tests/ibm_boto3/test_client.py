"""The client: methods, presigned URLs, closing."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import ibm_boto3 as sdks
import ibm_boto3 as theirs
import pytest
from ibm_botocore.config import Config as TheirConfig
from tests.ibm_boto3.both_clients import client_of, hmac_keys

import aiocos
from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import Config, S3Client, exceptions

_URLS: list[tuple[str, dict[str, Any]]] = [
    ("get_object", {"Key": "a/ü +?%&"}),
    ("get_object", {"Key": "k", "VersionId": "v", "ResponseContentType": "text/plain", "ResponseCacheControl": "no-store"}),
    ("get_object", {"Key": "k", "Range": "bytes=0-1"}),
    ("put_object", {"Key": "k", "ContentType": "text/plain", "Metadata": {"a": "b"}}),
    ("put_object", {"Key": "k", "ContentDisposition": 'attachment; filename="©"', "Tagging": "k=ü"}),
    ("get_object", {"Key": "k", "IfModifiedSince": "1577836800"}),
    ("head_object", {"Key": "k"}),
    ("delete_object", {"Key": "k"}),
    ("upload_part", {"Key": "k", "UploadId": "u", "PartNumber": 3}),
    ("list_objects_v2", {"Prefix": "a/"}),
    ("head_bucket", {}),
    ("get_bucket_acl", {}),
]


@pytest.mark.parametrize(("method", "parameters"), _URLS, ids=lambda value: value if isinstance(value, str) else "")
async def test_presigned_urls_equal_those_of_the_sdk(method: str, parameters: dict[str, Any], cos_emulator: Emulator) -> None:
    keys = hmac_keys(cos_emulator)
    sdk = await asyncio.to_thread(theirs.client, "s3", config=TheirConfig(signature_version="s3v4"), **keys)
    client = ibm_boto3.client("s3", config=Config(signature_version="s3v4"), **keys)
    parameters = {"Bucket": "things", **parameters}

    def parts(url: str) -> Any:
        split = urlsplit(url)
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        # A client asks for listings whose keys any XML can carry, and so does its URL.
        return split.path, query.pop("encoding-type", None) and None, query

    while True:
        other = parts(await asyncio.to_thread(sdk.generate_presigned_url, method, parameters, 60))
        ours = parts(client.generate_presigned_url(method, parameters, 60))
        if ours[2]["X-Amz-Date"] == other[2]["X-Amz-Date"]:  # both within one second
            break
    if method == "list_objects_v2":
        # Signed with what it asks for, which the SDK's URL does not say.
        ours[2].pop("X-Amz-Signature")
        other[2].pop("X-Amz-Signature")
    assert ours == other
    await client.close()
    sdk.close()


async def test_presigned_urls_work(cos_emulator: Emulator) -> None:
    async with ibm_boto3.client("s3", **hmac_keys(cos_emulator)) as client, aiohttp.ClientSession() as anybody:
        await client.create_bucket(Bucket="things")
        url = client.generate_presigned_url("put_object", Params={"Bucket": "things", "Key": "k"}, ExpiresIn=60)
        async with anybody.put(url, data=b"by url") as answer:
            assert answer.status == 200
        url = client.generate_presigned_url("get_object", Params={"Bucket": "things", "Key": "k"}, ExpiresIn=60)
        async with anybody.get(url) as answer:
            assert await answer.read() == b"by url"
        url = client.generate_presigned_url("get_object", {"Bucket": "things", "Key": "k"}, 60, "HEAD")
        async with anybody.head(url) as answer:
            assert answer.status == 200
        with pytest.raises(exceptions.UnknownClientMethodError, match="does not have method: get_thing"):
            client.generate_presigned_url("get_thing")
        with pytest.raises(exceptions.ParamValidationError, match='Missing required parameter in input: "Key"'):
            client.generate_presigned_url("get_object", {"Bucket": "things"})


async def test_presigned_urls_require_hmac_keys(client: S3Client) -> None:
    with pytest.raises(exceptions.CredentialRetrievalError, match="HMAC keys"):
        client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})


async def test_the_typed_client_shares_the_service(client: S3Client, bucket: str) -> None:
    assert isinstance(client.typed, aiocos.Client)
    await client.typed.objects.put(bucket, "k", b"typed")
    assert await (await client.get_object(Bucket=bucket, Key="k"))["Body"].read() == b"typed"
    assert "put_object" in dir(client)
    assert "    ExpectedBucketOwner" in str(client.put_object.__doc__)
    assert client.meta.method_to_api_mapping["list_objects_v2"] == "ListObjectsV2"


async def test_a_client_works_in_a_second_event_loop(cos_emulator: Emulator) -> None:
    client = client_of(cos_emulator)

    async def work(name: str) -> int:
        async with client:
            return (await client.create_bucket(Bucket=name))["ResponseMetadata"]["HTTPStatusCode"]

    assert await work("one") == 200
    assert await asyncio.to_thread(lambda: asyncio.run(work("two"))) == 200


def test_synchronous_for_and_with_are_refused() -> None:
    client = ibm_boto3.client("s3", endpoint_url="https://cos.example")
    with pytest.raises(TypeError, match="async with"), client:  # type: ignore[attr-defined]
        pass
    with pytest.raises(TypeError, match="async for"):
        list(client.get_paginator("list_objects_v2").paginate(Bucket="b"))  # type: ignore[call-overload]
    manager = ibm_boto3.s3.transfer.TransferManager(client)
    with pytest.raises(TypeError, match="async with"), manager:  # type: ignore[attr-defined]
        pass
    with pytest.raises(RuntimeError, match="start them in a coroutine"):
        manager.upload("file", "b", "k")


@pytest.mark.parametrize("expires", [0, 1, 604800, 604801, 10**9, -5, 1.5, "60"])
async def test_presigned_urls_of_any_lifetime_equal_those_of_the_sdk(
    expires: Any, cos_emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """IBM's SDK signs whatever it is told, and so does the client; it says in the log what the service will not take."""
    keys = {
        "endpoint_url": cos_emulator.endpoint,
        "aws_access_key_id": cos_emulator.access_key_id,
        "aws_secret_access_key": cos_emulator.secret_access_key,
        "region_name": "us-south",
    }
    arguments = ("get_object", {"Bucket": "things", "Key": "k"}, expires)
    sdk = await asyncio.to_thread(sdks.client, "s3", config=TheirConfig(signature_version="s3v4"), **keys)
    async with ibm_boto3.client("s3", config=Config(signature_version="s3v4"), **keys) as client:
        while True:
            before = await asyncio.to_thread(sdk.generate_presigned_url, *arguments)
            ours = client.generate_presigned_url(*arguments)
            after = await asyncio.to_thread(sdk.generate_presigned_url, *arguments)
            if before == after:  # all within one second
                break
    sdk.close()
    assert sorted(ours.partition("?")[2].split("&")) == sorted(before.partition("?")[2].split("&"))
    assert ("the service refuses it" in caplog.text) == (expires not in (1, 604800))
