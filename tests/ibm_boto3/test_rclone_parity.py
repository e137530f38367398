"""The same calls through IBM's SDK and through this library, against `rclone serve s3`, for all that it serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import ibm_boto3
import ibm_botocore.exceptions
import pytest_asyncio
from ibm_botocore.config import Config as TheirConfig
from tests import servers
from tests.ibm_boto3.both_clients import comparable, differences

from aiocos import ibm_boto3 as client
from aiocos.ibm_boto3 import ClientError, Config

MIB = 1 << 20
PARTS = [bytes([n]) * (5 * MIB if n < 2 else 1000) for n in range(3)]

# Values of rclone's that no two calls have in common.
OURS, THEIRS = "y-bucket", "x-bucket"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: Any) -> AsyncIterator[tuple[Any, client.S3Client]]:
    folder: Path = tmp_path_factory.mktemp("rclone")
    with servers.rclone(folder) as server:
        common: dict[str, Any] = {
            "endpoint_url": server.endpoint,
            "aws_access_key_id": server.access_key_id,
            "aws_secret_access_key": server.secret_access_key,
            "region_name": "us-south",
        }
        # Else rclone keeps the SDK's checksum with the object, and the SDK holds it against ranges of it, too.
        options: dict[str, Any] = {
            "signature_version": "s3v4",
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            "retries": {"max_attempts": 0},
        }
        sdk = ibm_boto3.client("s3", config=TheirConfig(**options), **common)
        config = Config(**options)
        async with client.client("s3", config=config, **common) as ours:
            yield sdk, ours
        sdk.close()


def _plain(answer: Any) -> Any:
    told = comparable(answer)
    headers = told["ResponseMetadata"]["HTTPHeaders"]
    told["ResponseMetadata"]["HTTPHeaders"] = {n: v for n, v in headers.items() if n not in ASIDE}
    if "Metadata" in told:
        # Names of metadata have no case; rclone changes it, and the client gives them in lower case.
        told["Metadata"] = {name.lower(): value for name, value in told["Metadata"].items()}
    return told


# The SDK asks for a 100 before a body, and its connection is closed after some answers; rclone keeps the checksum of a body,
# which only the client has sent.
ASIDE = ("connection", "content-md5")


class Pair:
    """Makes a call on both sides and holds the answers, or the errors, against each other."""

    def __init__(self, sdk: Any, ours: client.S3Client) -> None:
        self._sdk = sdk
        self._ours = ours

    async def __call__(self, method: str, ours: dict[str, Any] | None = None, **arguments: Any) -> Any:
        """`ours` are arguments that differ: ids that the server gave to each side."""
        theirs = await asyncio.to_thread(self._theirs, method, arguments)
        told = await self._told(method, {**arguments, **(ours or {})})
        assert differences(_both(told), _both(theirs), method) == []
        return theirs, told

    def _theirs(self, method: str, arguments: dict[str, Any]) -> Any:
        if "Bucket" in arguments:
            arguments = {**arguments, "Bucket": THEIRS}
        try:
            answer = getattr(self._sdk, method)(**_source(arguments, THEIRS))
            return {**answer, "Body": answer["Body"].read()} if "Body" in answer else answer
        except ibm_botocore.exceptions.ClientError as error:
            return error

    async def _told(self, method: str, arguments: dict[str, Any]) -> Any:
        if "Bucket" in arguments:
            arguments = {**arguments, "Bucket": OURS}
        try:
            answer = await getattr(self._ours, method)(**_source(arguments, OURS))
            return {**answer, "Body": await answer["Body"].read()} if "Body" in answer else answer
        except ClientError as error:
            return error


def _source(arguments: dict[str, Any], bucket: str) -> dict[str, Any]:
    source = arguments.get("CopySource")
    return arguments if source is None else {**arguments, "CopySource": {**source, "Bucket": bucket}}


def _both(answer: Any) -> Any:
    if not isinstance(answer, Exception):
        return _plain(answer)
    error: Any = answer
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    told = error.response["Error"]
    return type(error).__name__, told["Code"], comparable(told.get("Message", "")), status, error.operation_name


async def test_responses_are_equal(both: tuple[Any, client.S3Client]) -> None:
    call = Pair(*both)
    here: dict[str, Any] = {"Bucket": "…", "Key": "folder/key"}
    await call("create_bucket", Bucket="…")
    await call("head_bucket", Bucket="…")
    await call("list_objects_v2", Bucket="…")
    await call("put_object", **here, Body="text", Metadata={"a": "b"}, ContentType="text/plain")
    await call("put_object", **{**here, "Key": "other"}, Body=b"bytes")
    await call("get_object", **here)
    await call("get_object", **here, Range="bytes=1-2")
    await call("head_object", **here)
    await call("list_objects", Bucket="…")
    await call("list_objects", Bucket="…", Delimiter="/")
    await call("list_objects_v2", Bucket="…", Prefix="folder/", MaxKeys=1)
    await call("list_objects_v2", Bucket="…", Delimiter="/")
    await call("copy_object", **{**here, "Key": "copy"}, CopySource={"Key": "folder/key"})
    await call("delete_object", **{**here, "Key": "copy"})
    await call("delete_objects", Bucket="…", Delete={"Objects": [{"Key": "other"}, {"Key": "never"}]})
    await call("list_buckets")

    theirs, ours = await call("create_multipart_upload", **here)
    ids = {"UploadId": theirs["UploadId"]}, {"UploadId": ours["UploadId"]}
    parts: list[dict[str, Any]] = []
    for n, body in enumerate(PARTS, 1):
        part, _ = await call("upload_part", ids[1], **here, **ids[0], PartNumber=n, Body=body)
        parts.append({"PartNumber": n, "ETag": part["ETag"]})
    await call("list_parts", ids[1], **here, **ids[0])
    await call("complete_multipart_upload", ids[1], **here, **ids[0], MultipartUpload={"Parts": parts})
    answer, _ = await call("get_object", **here)
    assert answer["Body"] == b"".join(PARTS)
    theirs, ours = await call("create_multipart_upload", **here)
    await call("abort_multipart_upload", {"UploadId": ours["UploadId"]}, **here, UploadId=theirs["UploadId"])

    for method, wrong in {
        "get_object": {"Key": "nothing"},
        "head_object": {"Key": "nothing"},
        "delete_bucket": {},
        "list_parts": {"Key": "key", "UploadId": "none"},
        "abort_multipart_upload": {"Key": "key", "UploadId": "none"},
        "upload_part": {"Key": "key", "UploadId": "none", "PartNumber": 1, "Body": b"1"},
        "put_object": {"Key": "key", "Body": b"1", "ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="},
    }.items():
        theirs, ours = await call(method, Bucket="…", **wrong)
        assert isinstance(theirs, Exception), method
    await call("delete_object", **here)
    await call("delete_bucket", Bucket="…")
    theirs, _ = await call("head_bucket", Bucket="…")
    assert isinstance(theirs, Exception)
