"""IBM's SDK uses the emulator over a socket, with API keys and with HMAC keys."""

from __future__ import annotations

import asyncio
import hashlib
import io
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import Any

import ibm_boto3
import pytest
from ibm_boto3.s3.transfer import TransferConfig
from ibm_botocore.config import Config
from ibm_botocore.exceptions import ClientError, CredentialRetrievalError

from aiocos.emulator import Emulator

MIB = 1 << 20
BUCKET = "parity-bucket"
CREDENTIALS = ["iam", "hmac", "hmac-default"]
ODD_KEYS = [
    "a//b", "/lead", "trail/", "./x", "..", "a/../b", "ü/漢字/🙂", "a+b", "a%2Fb", "a b", "?", "a?acl", "#", "&=;", "'\"<>",
    "~*()",    "\t", "\n", "a\rb", "x" * 1024,
]  # fmt: skip


def sdk_client(emulator: Emulator | _WrongSecrets, kind: str) -> Any:
    """Return the SDK's client for an emulator, with an API key (`iam`) or an HMAC key pair (`hmac`)."""
    common: dict[str, Any] = {"endpoint_url": emulator.endpoint}
    retries = {"max_attempts": 0}
    if kind == "iam":
        return ibm_boto3.client(
            "s3",
            ibm_api_key_id=emulator.api_key,
            ibm_service_instance_id=emulator.service_instance_id,
            ibm_auth_endpoint=emulator.iam_endpoint,
            config=Config(signature_version="oauth", retries=retries),
            **common,
        )
    config = Config(retries=retries) if kind == "hmac-default" else Config(signature_version="s3v4", retries=retries)
    return ibm_boto3.client(
        "s3",
        aws_access_key_id=emulator.access_key_id,
        aws_secret_access_key=emulator.secret_access_key,
        region_name="us-south",
        config=config,
        **common,
    )


@pytest.fixture(params=CREDENTIALS)
async def run(request: pytest.FixtureRequest, cos_emulator: Emulator) -> AsyncIterator[Callable[..., Any]]:
    """Run a blocking function with an SDK client in a thread."""
    client = await asyncio.to_thread(sdk_client, cos_emulator, request.param)

    async def calls(function: Callable[..., Any]) -> None:
        await asyncio.to_thread(function, client)

    yield calls
    client.close()


def _refused(code: str, call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code


async def test_sdk_creates_lists_and_deletes_buckets(run: Callable[..., Any], cos_emulator: Emulator) -> None:
    def calls(cos: Any) -> None:
        cos.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-south-smart"})
        cos.create_bucket(Bucket=BUCKET + "-2")
        assert cos.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "us-south-smart"
        assert [b["Name"] for b in cos.list_buckets()["Buckets"]] == [BUCKET, BUCKET + "-2"]
        extended = cos.list_buckets_extended(Prefix=BUCKET)
        assert extended["Buckets"][0]["LocationConstraint"] == "us-south-smart"
        pages = cos.get_paginator("list_buckets_extended").paginate(PaginationConfig={"PageSize": 1})
        assert [b["Name"] for page in pages for b in page["Buckets"]] == [BUCKET, BUCKET + "-2"]
        assert cos.head_bucket(Bucket=BUCKET)["ResponseMetadata"]["HTTPStatusCode"] == 200
        _refused("BucketAlreadyOwnedByYou", cos.create_bucket, Bucket=BUCKET)
        _refused("InvalidBucketName", cos.create_bucket, Bucket="ab")
        _refused("NoSuchBucket", cos.list_objects_v2, Bucket="missing-bucket")
        _refused("404", cos.head_bucket, Bucket="missing-bucket")
        cos.put_object(Bucket=BUCKET, Key="k", Body=b"1")
        _refused("BucketNotEmpty", cos.delete_bucket, Bucket=BUCKET)
        cos.delete_object(Bucket=BUCKET, Key="k")
        cos.delete_bucket(Bucket=BUCKET)
        cos.get_waiter("bucket_not_exists").wait(Bucket=BUCKET)

    await run(calls)


async def test_sdk_stores_reads_copies_and_deletes_objects(run: Callable[..., Any]) -> None:
    def calls(cos: Any) -> None:
        cos.create_bucket(Bucket=BUCKET)
        data = bytes(range(256)) * 100
        md5 = hashlib.md5(data).hexdigest()
        put = cos.put_object(
            Bucket=BUCKET, Key="a b/ü", Body=data, ContentType="text/x-odd", Metadata={"who": "me"}, CacheControl="max-age=5"
        )
        assert put["ETag"] == f'"{md5}"'
        head = cos.head_object(Bucket=BUCKET, Key="a b/ü")
        assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (len(data), "text/x-odd", {"who": "me"})
        got = cos.get_object(Bucket=BUCKET, Key="a b/ü")
        assert got["Body"].read() == data
        assert (got["ETag"], got["CacheControl"]) == (put["ETag"], "max-age=5")
        part = cos.get_object(Bucket=BUCKET, Key="a b/ü", Range="bytes=5-9")
        assert (part["Body"].read(), part["ContentRange"]) == (data[5:10], f"bytes 5-9/{len(data)}")
        assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
        cos.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "a b/ü"})
        assert cos.head_object(Bucket=BUCKET, Key="copy")["Metadata"] == {"who": "me"}
        cos.copy_object(
            Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/copy", MetadataDirective="REPLACE", Metadata={"n": "1"}
        )
        assert cos.head_object(Bucket=BUCKET, Key="copy")["Metadata"] == {"n": "1"}
        overridden = cos.get_object(Bucket=BUCKET, Key="copy", ResponseContentType="a/b")
        assert overridden["ContentType"] == "a/b"
        overridden["Body"].close()
        for algorithm in ("CRC32", "SHA1", "SHA256"):
            stored = cos.put_object(Bucket=BUCKET, Key=algorithm, Body=data, ChecksumAlgorithm=algorithm)
            assert stored[f"Checksum{algorithm}"]
            read = cos.get_object(Bucket=BUCKET, Key=algorithm, ChecksumMode="ENABLED")
            assert read["Body"].read() == data
            assert read[f"Checksum{algorithm}"] == stored[f"Checksum{algorithm}"]
        _refused("NoSuchKey", cos.get_object, Bucket=BUCKET, Key="missing")
        _refused("404", cos.head_object, Bucket=BUCKET, Key="missing")
        _refused("NoSuchKey", cos.copy_object, Bucket=BUCKET, Key="x", CopySource=f"{BUCKET}/missing")
        _refused("InvalidRange", cos.get_object, Bucket=BUCKET, Key="copy", Range="bytes=99999999-")
        _refused("PreconditionFailed", cos.get_object, Bucket=BUCKET, Key="copy", IfMatch='"0"')
        _refused("304", cos.get_object, Bucket=BUCKET, Key="copy", IfNoneMatch=put["ETag"])
        _refused("BadDigest", cos.put_object, Bucket=BUCKET, Key="x", Body=b"1", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
        _refused("InvalidDigest", cos.put_object, Bucket=BUCKET, Key="x", Body=b"1", ContentMD5="nonsense")
        cos.put_object_acl(Bucket=BUCKET, Key="copy", ACL="public-read")
        acl = cos.get_object_acl(Bucket=BUCKET, Key="copy")
        assert any(g["Grantee"].get("URI", "").endswith("/AllUsers") and g["Permission"] == "READ" for g in acl["Grants"])
        cos.put_object_acl(Bucket=BUCKET, Key="copy", AccessControlPolicy={"Owner": acl["Owner"], "Grants": acl["Grants"]})
        assert cos.get_object_acl(Bucket=BUCKET, Key="copy")["Grants"] == acl["Grants"]
        assert cos.get_bucket_acl(Bucket=BUCKET)["Grants"]

    await run(calls)


async def test_sdk_lists_unusual_keys(run: Callable[..., Any]) -> None:
    def calls(cos: Any) -> None:
        cos.create_bucket(Bucket=BUCKET)
        for key in ODD_KEYS:
            cos.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
            assert cos.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
        ordered = sorted(ODD_KEYS, key=str.encode)
        for name, field in (
            ("list_objects", "Contents"),
            ("list_objects_v2", "Contents"),
            ("list_object_versions", "Versions"),
        ):
            pages = cos.get_paginator(name).paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 3})
            assert [entry["Key"] for page in pages for entry in page.get(field, [])] == ordered, name
        page = cos.list_objects_v2(Bucket=BUCKET, Delimiter="/", Prefix="a")
        assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["a/"]
        assert "Owner" in cos.list_objects_v2(Bucket=BUCKET, FetchOwner=True, MaxKeys=1)["Contents"][0]
        assert cos.list_objects_v2(Bucket=BUCKET, ContinuationToken="", MaxKeys=1)["KeyCount"] == 1
        deleted = cos.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in ODD_KEYS]})
        assert sorted((d["Key"] for d in deleted["Deleted"]), key=str.encode) == ordered
        assert cos.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
        assert "Deleted" not in cos.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "x"}], "Quiet": True})

    await run(calls)


async def test_sdk_multipart_uploads(run: Callable[..., Any]) -> None:
    def calls(cos: Any) -> None:
        cos.create_bucket(Bucket=BUCKET)
        data = bytes(range(256)) * 4096 * 12 + b"the end"
        small = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=3)
        cos.upload_fileobj(io.BytesIO(data), BUCKET, "managed", ExtraArgs={"Metadata": {"who": "me"}}, Config=small)
        head = cos.head_object(Bucket=BUCKET, Key="managed")
        assert (head["ContentLength"], head["Metadata"], head["ETag"][-3:]) == (len(data), {"who": "me"}, '-3"')
        target = io.BytesIO()
        cos.download_fileobj(BUCKET, "managed", target, Config=small)
        assert target.getvalue() == data

        upload = cos.create_multipart_upload(Bucket=BUCKET, Key="by hand")["UploadId"]
        at = {"Bucket": BUCKET, "Key": "by hand", "UploadId": upload}
        first = cos.upload_part(**at, PartNumber=1, Body=data[: 5 * MIB])
        source = {"Bucket": BUCKET, "Key": "managed"}
        second = cos.upload_part_copy(**at, PartNumber=2, CopySource=source, CopySourceRange=f"bytes={5 * MIB}-{len(data) - 1}")
        assert [p["PartNumber"] for p in cos.list_parts(**at)["Parts"]] == [1, 2]
        assert [u["UploadId"] for u in cos.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == [upload]
        parts = [{"PartNumber": 1, "ETag": first["ETag"]}, {"PartNumber": 2, "ETag": second["CopyPartResult"]["ETag"]}]
        _refused("InvalidPartOrder", cos.complete_multipart_upload, **at, MultipartUpload={"Parts": parts[::-1]})
        wrong = [{"PartNumber": 1, "ETag": '"0123"'}]
        _refused("InvalidPart", cos.complete_multipart_upload, **at, MultipartUpload={"Parts": wrong})
        done = cos.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})
        assert done["ETag"].endswith('-2"')
        assert cos.get_object(Bucket=BUCKET, Key="by hand")["Body"].read() == data
        given_up = cos.create_multipart_upload(Bucket=BUCKET, Key="x")["UploadId"]
        cos.abort_multipart_upload(Bucket=BUCKET, Key="x", UploadId=given_up)
        _refused("NoSuchUpload", cos.upload_part, Bucket=BUCKET, Key="x", UploadId=given_up, PartNumber=1, Body=b"1")
        assert "Uploads" not in cos.list_multipart_uploads(Bucket=BUCKET)

    await run(calls)


@pytest.mark.parametrize("kind", ["hmac", "hmac-default"])
async def test_sdk_presigned_urls(cos_emulator: Emulator, kind: str) -> None:
    def calls() -> None:
        cos = sdk_client(cos_emulator, kind)
        cos.create_bucket(Bucket=BUCKET)
        at = {"Bucket": BUCKET, "Key": "a b+ü/?"}
        put = urllib.request.Request(cos.generate_presigned_url("put_object", Params=at), data=b"signed", method="PUT")
        put.add_header("Content-Type", "")
        with urllib.request.urlopen(put) as response:
            assert response.status == 200
        with urllib.request.urlopen(cos.generate_presigned_url("get_object", Params=at, ExpiresIn=60)) as response:
            assert response.read() == b"signed"
        cos.close()

    await asyncio.to_thread(calls)


class _WrongSecrets:
    """An emulator's endpoints with wrong secrets."""

    api_key = secret_access_key = "wrong"

    def __init__(self, emulator: Emulator) -> None:
        self.endpoint, self.iam_endpoint = emulator.endpoint, emulator.iam_endpoint
        self.service_instance_id, self.access_key_id = emulator.service_instance_id, emulator.access_key_id


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [("iam", CredentialRetrievalError, r"HttpCode\(400\)"), ("hmac", ClientError, "SignatureDoesNotMatch")],
)
async def test_sdk_with_wrong_secrets_is_refused(cos_emulator: Emulator, kind: str, error: type[Exception], text: str) -> None:
    def calls() -> None:
        cos = sdk_client(_WrongSecrets(cos_emulator), kind)
        with pytest.raises(error, match=text):
            cos.list_buckets()
        cos.close()

    await asyncio.to_thread(calls)
