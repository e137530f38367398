"""Exceptions: their classes, causes and messages, compared with IBM's SDK."""

from __future__ import annotations

from typing import Any

import ibm_botocore.exceptions
import pytest
from tests.ibm_boto3.both_clients import BothClients, case_ids, comparable, hmac_keys
from tests.parity.test_every_operation import COLD, PLAIN, PROTECTED, TARGET, VERSIONED

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.emulator.faults import Status
from aiocos.errors import ConnectError, NoSuchKey
from aiocos.ibm_boto3 import UNSIGNED, BotoCoreError, ClientError, Config, S3Client, exceptions


async def test_translated_errors_keep_their_cause(client: S3Client, bucket: str) -> None:
    with pytest.raises(client.exceptions.NoSuchKey) as caught:
        await client.get_object(Bucket=bucket, Key="none")
    assert isinstance(caught.value.__cause__, NoSuchKey)
    assert isinstance(caught.value, ClientError)
    assert caught.value.response["Error"]["Resource"] == "/things/none"
    with pytest.raises(AttributeError, match="Valid exceptions are: ClientError, BucketAlreadyExists"):
        client.exceptions.NoSuchThing
    assert client.exceptions.from_code("NoSuchBucket") is client.exceptions.NoSuchBucket


async def test_a_missing_response_is_not_a_client_error() -> None:
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0})
    async with ibm_boto3.client("s3", endpoint_url="http://127.0.0.1:9", config=config) as client:
        with pytest.raises(exceptions.EndpointConnectionError) as caught:
            await client.list_buckets()
    assert isinstance(caught.value.__cause__, ConnectError)
    assert isinstance(caught.value, BotoCoreError)


async def test_attempts_are_reported(cos_emulator: Emulator) -> None:
    async with ibm_boto3.client("s3", config=Config(retries={"total_max_attempts": 3}), **hmac_keys(cos_emulator)) as client:
        await client.create_bucket(Bucket="things")
        cos_emulator.faults.script([Status(503, times=2)])
        assert (await client.head_bucket(Bucket="things"))["ResponseMetadata"]["RetryAttempts"] == 2
        cos_emulator.faults.script([Status(503, times=3)])
        with pytest.raises(ClientError, match=r"reached max retries: 2") as caught:
            await client.head_bucket(Bucket="things")
        assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2


LONG = "2001-01-01T00:00:00Z"


# Calls that the service refuses.
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("get_object", {"Bucket": PLAIN, "Key": "nothing"}),
    ("get_object", {"Bucket": "w-nowhere", "Key": "key"}),
    ("get_object", {"Bucket": PLAIN, "Key": "key", "Range": "bytes=100-"}),
    ("get_object", {"Bucket": PLAIN, "Key": "key", "IfMatch": '"no"'}),
    ("get_object", {"Bucket": PLAIN, "Key": "key", "IfNoneMatch": "*"}),
    ("get_object", {"Bucket": VERSIONED, "Key": "key", "VersionId": "no-such-version"}),
    ("get_object", {"Bucket": COLD, "Key": "key"}),
    ("head_object", {"Bucket": PLAIN, "Key": "nothing"}),
    ("head_object", {"Bucket": PLAIN, "Key": "key", "IfUnmodifiedSince": LONG}),
    ("head_bucket", {"Bucket": "w-nowhere"}),
    ("create_bucket", {"Bucket": "Not_A_Name"}),
    ("create_bucket", {"Bucket": "w-new", "CreateBucketConfiguration": {"LocationConstraint": "the-moon"}}),
    ("delete_bucket", {"Bucket": PLAIN}),
    ("delete_bucket", {"Bucket": "w-nowhere"}),
    ("list_objects", {"Bucket": "w-nowhere"}),
    ("list_objects_v2", {"Bucket": "w-nowhere"}),
    ("list_object_versions", {"Bucket": "w-nowhere"}),
    ("list_multipart_uploads", {"Bucket": "w-nowhere"}),
    ("put_object", {"Bucket": "w-nowhere", "Key": "key", "Body": b"1"}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Body": b"1", "ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Body": b"1", "RetentionPeriod": 60}),
    ("put_object", {"Bucket": PROTECTED, "Key": "key", "Body": b"1"}),
    ("put_object", {"Bucket": PROTECTED, "Key": "one", "Body": b"1", "RetentionPeriod": 1}),
    ("delete_object", {"Bucket": PROTECTED, "Key": "key"}),
    ("delete_objects", {"Bucket": PLAIN, "Delete": {"Objects": []}}),
    ("copy_object", {"Bucket": PLAIN, "Key": "copy", "CopySource": {"Bucket": PLAIN, "Key": "nothing"}}),
    ("copy_object", {"Bucket": PLAIN, "Key": "key", "CopySource": {"Bucket": PLAIN, "Key": "key"}}),
    ("create_multipart_upload", {"Bucket": "w-nowhere", "Key": "key"}),
    ("upload_part", {"Bucket": PLAIN, "Key": "key", "UploadId": "none", "PartNumber": 1, "Body": b"1"}),
    ("upload_part", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "PartNumber": 0, "Body": b"1"}),
    (
        "complete_multipart_upload",
        {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "MultipartUpload": {"Parts": [{"PartNumber": 9, "ETag": "x"}]}},
    ),
    ("abort_multipart_upload", {"Bucket": PLAIN, "Key": "key", "UploadId": "none"}),
    ("list_parts", {"Bucket": PLAIN, "Key": "key", "UploadId": "none"}),
    ("get_bucket_cors", {"Bucket": TARGET}),
    ("get_bucket_website", {"Bucket": TARGET}),
    ("get_bucket_tagging", {"Bucket": TARGET}),
    ("get_bucket_lifecycle_configuration", {"Bucket": TARGET}),
    ("get_bucket_replication", {"Bucket": TARGET}),
    ("get_public_access_block", {"Bucket": TARGET}),
    ("get_object_lock_configuration", {"Bucket": TARGET}),
    ("get_object_retention", {"Bucket": PLAIN, "Key": "key"}),
    ("put_object_legal_hold", {"Bucket": PLAIN, "Key": "key", "LegalHold": {"Status": "ON"}}),
    ("put_bucket_versioning", {"Bucket": PROTECTED, "VersioningConfiguration": {"Status": "Enabled"}}),
    ("put_bucket_tagging", {"Bucket": PLAIN, "Tagging": {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}}),
    ("put_object_tagging", {"Bucket": PLAIN, "Key": "nothing", "Tagging": {"TagSet": []}}),
    ("restore_object", {"Bucket": PLAIN, "Key": "key", "RestoreRequest": {"Days": 1}}),
    ("add_legal_hold", {"Bucket": PLAIN, "Key": "key", "RetentionLegalHoldId": "a"}),
    ("add_legal_hold", {"Bucket": PROTECTED, "Key": "key", "RetentionLegalHoldId": "not/allowed"}),
    ("add_legal_hold", {"Bucket": PROTECTED, "Key": "key", "RetentionLegalHoldId": "first"}),
    ("delete_legal_hold", {"Bucket": PROTECTED, "Key": "nothing", "RetentionLegalHoldId": "a"}),
    ("list_legal_holds", {"Bucket": PLAIN, "Key": "key"}),
    ("extend_object_retention", {"Bucket": PROTECTED, "Key": "key"}),
    ("extend_object_retention", {"Bucket": PLAIN, "Key": "key", "AdditionalRetentionPeriod": 1}),
    (
        "put_bucket_protection_configuration",
        {
            "Bucket": PROTECTED,
            "ProtectionConfiguration": {
                "Status": "Retention",
                "MinimumRetention": {"Days": 10},
                "DefaultRetention": {"Days": 5},
                "MaximumRetention": {"Days": 1},
            },
        },
    ),
]


def comparable_error(error: Any) -> dict[str, Any]:
    """An error of the service as it compares; the SDK also shows other elements of the error document."""
    response = error.response
    metadata = comparable(response["ResponseMetadata"])
    return {
        "class": type(error).__name__,
        # The SDK says so of errors that it would have tried again, also where it may not.
        "message": comparable(str(error)).replace(" (reached max retries: 0)", ""),
        "Code": response["Error"]["Code"],
        "Message": comparable(response["Error"]["Message"]),
        "operation": error.operation_name,
        "status": metadata["HTTPStatusCode"],
        # The SDK waits for a 100 before it sends a body, and the server then closes the connection.
        "headers": set(metadata["HTTPHeaders"]) - {"connection"},
        "retries": metadata["RetryAttempts"],
    }


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "arguments"), REFUSED, ids=case_ids(REFUSED))
async def test_errors_of_the_service_equal_those_of_the_sdk(method: str, arguments: dict[str, Any], both: BothClients) -> None:
    with pytest.raises(ibm_botocore.exceptions.ClientError) as theirs:
        await both.call_sdk(method, arguments)
    with pytest.raises(ClientError) as ours:
        await both.call_client(method, arguments)
    assert comparable_error(ours.value) == comparable_error(theirs.value)
    assert isinstance(ours.value, getattr(both.client.exceptions, comparable_error(theirs.value)["class"]))
