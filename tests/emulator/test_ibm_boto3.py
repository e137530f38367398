"""IBM's SDK on the emulator over a socket, with IAM and HMAC credentials."""

import asyncio
import io
import os
import socket
import urllib.request
import warnings
from typing import Any

import pytest

from aiocos.emulator import Emulator

with warnings.catch_warnings():
    # The SDK uses what the standard library has given up; that is its own affair.
    warnings.simplefilter("ignore")
    import ibm_boto3
    from ibm_boto3.s3.transfer import TransferConfig
    from ibm_botocore.client import Config
    from ibm_botocore.exceptions import ClientError, CredentialRetrievalError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MIB = 1024 * 1024
KEYS = ["plain", "a//b", "./x", "x/../y", "ü", "+", "a b", "%2F", "?q", "#f", "a&b=c", "日本", "\r", "~!*'()"]


def make(emulator: Emulator, kind: str, **config: Any) -> Any:
    common = {"service_name": "s3", "endpoint_url": emulator.endpoint}
    if kind == "iam":
        return ibm_boto3.client(
            ibm_api_key_id=emulator.api_key,
            ibm_service_instance_id=emulator.service_instance_id,
            ibm_auth_endpoint=emulator.iam_endpoint,
            config=Config(signature_version="oauth", **config),
            **common,
        )
    return ibm_boto3.client(
        aws_access_key_id=emulator.access_key_id,
        aws_secret_access_key=emulator.secret_access_key,
        region_name="us-south",
        config=Config(signature_version="s3v4", **config),
        **common,
    )


@pytest.fixture(params=["iam", "hmac"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def refused(code: str, call: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code
    return caught.value.response


def bucket_and_object_operations(c: Any, guid: str) -> None:
    c.create_bucket(Bucket="story", CreateBucketConfiguration={"LocationConstraint": "us-south-smart"})
    refused("BucketAlreadyOwnedByYou", c.create_bucket, Bucket="story")
    assert c.get_bucket_location(Bucket="story")["LocationConstraint"] == "us-south-smart"
    assert [b["Name"] for b in c.list_buckets()["Buckets"]] == ["story"]
    extended = c.list_buckets_extended(IBMServiceInstanceId=guid)
    assert [b["LocationConstraint"] for b in extended["Buckets"]] == ["us-south-smart"]
    for key in KEYS:
        c.put_object(Bucket="story", Key=key, Body=key.encode() * 10, Metadata={"k": "v"}, ContentType="text/x")
        got = c.get_object(Bucket="story", Key=key)
        assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (key.encode() * 10, {"k": "v"}, "text/x")
    expected = sorted(KEYS, key=str.encode)
    assert [o["Key"] for o in c.list_objects(Bucket="story")["Contents"]] == expected
    pages = c.get_paginator("list_objects_v2").paginate(Bucket="story", PaginationConfig={"PageSize": 3})
    assert [o["Key"] for page in pages for o in page["Contents"]] == expected
    pages = c.get_paginator("list_object_versions").paginate(Bucket="story", PaginationConfig={"PageSize": 4})
    assert [o["Key"] for page in pages for o in page["Versions"]] == expected
    rolled = c.list_objects_v2(Bucket="story", Delimiter="/", ContinuationToken="")
    assert [p["Prefix"] for p in rolled["CommonPrefixes"]] == ["./", "a/", "x/"]
    response = refused("NoSuchKey", c.get_object, Bucket="story", Key="none")
    assert response["Error"]["httpStatusCode"] == "404"
    assert response["Error"]["Resource"] == "/story/none"
    assert response["ResponseMetadata"]["HTTPHeaders"]["x-clv-request-id"] == response["ResponseMetadata"]["RequestId"]
    refused("404", c.head_object, Bucket="story", Key="none")
    refused("NoSuchBucket", c.list_objects_v2, Bucket="none")
    refused("BucketNotEmpty", c.delete_bucket, Bucket="story")
    c.copy_object(Bucket="story", Key="copy", CopySource={"Bucket": "story", "Key": "a b"})
    assert c.get_object(Bucket="story", Key="copy", Range="bytes=0-2")["Body"].read() == b"a b"
    c.put_object_acl(Bucket="story", Key="copy", ACL="public-read")
    permissions = [g["Permission"] for g in c.get_object_acl(Bucket="story", Key="copy")["Grants"]]
    assert permissions == ["FULL_CONTROL", "READ"]
    c.put_bucket_acl(Bucket="story", ACL="private")
    refused("NoSuchTagSet", c.get_bucket_tagging, Bucket="story")
    removed = c.delete_objects(Bucket="story", Delete={"Objects": [{"Key": key} for key in [*KEYS, "copy"]]})
    assert {d["Key"] for d in removed["Deleted"]} == {*KEYS, "copy"}
    assert "Errors" not in removed
    c.delete_bucket(Bucket="story")
    assert c.list_buckets()["Buckets"] == []


async def test_bucket_and_object_operations(emulator: Emulator, kind: str) -> None:
    await asyncio.to_thread(lambda: bucket_and_object_operations(make(emulator, kind), emulator.instance.guid))


async def test_bucket_and_object_operations_with_virtual_hosts(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK connects to `story.localhost`, a name that not every machine resolves."""
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *args: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)

    def run() -> None:
        client = ibm_boto3.client(
            "s3",
            endpoint_url=f"http://localhost:{emulator.port}",
            aws_access_key_id=emulator.access_key_id,
            aws_secret_access_key=emulator.secret_access_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
        )
        bucket_and_object_operations(client, emulator.instance.guid)

    await asyncio.to_thread(run)


def transfer_a_file(c: Any) -> None:
    c.create_bucket(Bucket="story")
    body = os.urandom(17 * MIB + 5)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=3)
    c.upload_fileobj(io.BytesIO(body), "story", "big", Config=config)
    head = c.head_object(Bucket="story", Key="big")
    assert head["ETag"].endswith('-4"')
    assert head["ContentLength"] == len(body)
    out = io.BytesIO()
    c.download_fileobj("story", "big", out, Config=config)
    assert out.getvalue() == body
    assert c.get_object(Bucket="story", Key="big")["Body"].read() == body
    part = c.get_object(Bucket="story", Key="big", PartNumber=4)
    assert (part["Body"].read(), part["PartsCount"]) == (body[15 * MIB :], 4)
    c.copy({"Bucket": "story", "Key": "big"}, "story", "copied", Config=config)
    assert c.get_object(Bucket="story", Key="copied")["Body"].read() == body


async def test_the_transfer_manager_uploads_and_downloads(emulator: Emulator, kind: str) -> None:
    await asyncio.to_thread(lambda: transfer_a_file(make(emulator, kind)))


def upload_with_checksums_and_keys(c: Any) -> None:
    c.create_bucket(Bucket="story")
    upload = c.create_multipart_upload(Bucket="story", Key="k", ChecksumAlgorithm="SHA256")["UploadId"]
    assert [u["UploadId"] for u in c.list_multipart_uploads(Bucket="story")["Uploads"]] == [upload]
    part = c.upload_part(Bucket="story", Key="k", UploadId=upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    listed = c.list_parts(Bucket="story", Key="k", UploadId=upload)
    assert [(p["PartNumber"], p["ETag"], p["ChecksumSHA256"]) for p in listed["Parts"]] == [
        (1, part["ETag"], part["ChecksumSHA256"])
    ]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]}
    done = c.complete_multipart_upload(Bucket="story", Key="k", UploadId=upload, MultipartUpload=parts)
    assert done["ChecksumSHA256"].endswith("-1")
    refused("NoSuchUpload", c.abort_multipart_upload, Bucket="story", Key="k", UploadId=upload)
    key = os.urandom(32)
    c.put_object(Bucket="story", Key="s", Body=b"secret", SSECustomerAlgorithm="AES256", SSECustomerKey=key)
    refused("InvalidRequest", c.get_object, Bucket="story", Key="s")
    assert c.get_object(Bucket="story", Key="s", SSECustomerAlgorithm="AES256", SSECustomerKey=key)["Body"].read() == b"secret"
    for name in ("CRC32", "CRC32C", "SHA1", "CRC64NVME"):
        try:
            put = c.put_object(Bucket="story", Key=name, Body=b"body", ChecksumAlgorithm=name)
        except Exception as error:  # the SDK lacks its optional library for some of them
            assert "crt" in str(error).lower()  # noqa: PT017
        else:
            assert put[f"Checksum{name}"]
            assert c.get_object(Bucket="story", Key=name)["Body"].read() == b"body"
    refused("InvalidRequest", c.put_object, Bucket="story", Key="r", Body=b"x", RetentionPeriod=60)


async def test_uploads_with_checksums_and_customer_keys(emulator: Emulator, kind: str) -> None:
    # The SDK sends SSE-C keys over TLS only, unless its check is taken out.
    def run() -> None:
        client = make(emulator, kind)
        client.meta.events.unregister("before-parameter-build.s3.PutObject")
        upload_with_checksums_and_keys(client)

    await asyncio.to_thread(run)


async def test_presigned_urls_of_the_sdk_work(emulator: Emulator) -> None:
    def run() -> None:
        c = make(emulator, "hmac")
        c.create_bucket(Bucket="story")
        c.put_object(Bucket="story", Key="a b", Body=b"hello")
        url = c.generate_presigned_url("get_object", Params={"Bucket": "story", "Key": "a b"}, ExpiresIn=60)
        with urllib.request.urlopen(url) as response:
            assert response.read() == b"hello"

    await asyncio.to_thread(run)


async def test_a_wrong_api_key_is_refused(emulator: Emulator) -> None:
    def run() -> None:
        client = ibm_boto3.client(
            "s3",
            endpoint_url=emulator.endpoint,
            ibm_api_key_id="wrong",
            ibm_service_instance_id="x",
            ibm_auth_endpoint=emulator.iam_endpoint,
            config=Config(signature_version="oauth"),
        )
        with pytest.raises(CredentialRetrievalError, match="BXNIM0415E"):
            client.list_buckets()

    await asyncio.to_thread(run)
