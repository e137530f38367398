"""The same wrong calls through IBM's SDK and through the face give equal errors: class, code, message, status, operation."""

from __future__ import annotations

from typing import Any

import ibm_botocore.exceptions
import pytest
from tests.parity.test_every_operation import COLD, PLAIN, PROTECTED, TARGET, VERSIONED

from aiocos.ibm_boto3.exceptions import BotoCoreError, ClientError, ParamValidationError

from .worlds import Worlds, comparable

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

# Calls that are not sent.
MALFORMED: list[tuple[str, dict[str, Any]]] = [
    ("get_object", {}),
    ("get_object", {"Bucket": PLAIN}),
    ("get_object", {"Bucket": PLAIN, "Key": ""}),
    ("get_object", {"Bucket": PLAIN, "Key": 3}),
    ("get_object", {"Bucket": "a/b", "Key": "key"}),
    ("get_object", {"Bucket": "", "Key": "key"}),
    ("get_object", {"Bucket": "ü", "Key": "key"}),
    ("get_object", {"Bucket": PLAIN, "Key": "key", "PartNumber": "1"}),
    ("get_object", {"Bucket": PLAIN, "Key": "key", "IfModifiedSince": "some day"}),
    ("get_object", {"Bucket": PLAIN, "Key": "key", "Verify": True, "key": "key"}),
    ("list_objects_v2", {"Bucket": PLAIN, "MaxKeys": "10", "FetchOwner": "yes"}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Body": 5}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Metadata": ["a"]}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Body": b"1234", "ContentLength": "4"}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Body": b"1234", "ContentLength": 4.0}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Body": b"1234", "ContentLength": None}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Expires": "some day"}),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Metadata": None}),
    # What follows from a body is taken where there is one.
    ("get_object", {"Bucket": PLAIN, "Key": "key", "ContentMD5": "x"}),
    ("get_object", {"Bucket": PLAIN, "Key": "key", "ContentLength": 4}),
    ("head_bucket", {"Bucket": PLAIN, "ChecksumAlgorithm": "CRC32"}),
    ("list_parts", {"Bucket": PLAIN, "Key": "key", "UploadId": "u", "ContentMD5": "x", "ChecksumAlgorithm": "x"}),
    ("put_bucket_tagging", {"Bucket": PLAIN, "Tagging": {"TagSet": []}, "ContentLength": 4}),
    ("put_bucket_tagging", {"Bucket": PLAIN, "Tagging": {"TagSet": []}, "ContentMD5": 4, "ChecksumAlgorithm": None}),
    ("delete_objects", {"Bucket": PLAIN, "Delete": {}}),
    ("delete_objects", {"Bucket": PLAIN, "Delete": {"Objects": {"Key": "a"}}}),
    ("delete_objects", {"Bucket": PLAIN, "Delete": {"Objects": [{"Key": 1}, {"VersionId": "a"}, "b"], "Loud": True}}),
    ("copy_object", {"Bucket": PLAIN, "Key": "copy"}),
    ("upload_part", {"Bucket": PLAIN, "Key": "up", "PartNumber": "one", "UploadId": 1}),
    ("put_bucket_cors", {"Bucket": PLAIN, "CORSConfiguration": {"CORSRules": [{"AllowedMethods": "GET"}]}}),
    ("put_bucket_website", {"Bucket": PLAIN, "WebsiteConfiguration": {"IndexDocument": {}}}),
    ("put_bucket_tagging", {"Bucket": PLAIN, "Tagging": {"TagSet": [{"Key": "a"}]}}),
    ("put_bucket_tagging", {"Bucket": PLAIN, "Tagging": {"TagSet": [{"Key": "", "Value": None}]}}),
    ("put_bucket_website", {"Bucket": PLAIN, "WebsiteConfiguration": {"ErrorDocument": {"Key": ""}}}),
    ("put_bucket_cors", {"Bucket": PLAIN, "CORSConfiguration": {}}),
    ("put_bucket_tagging", {"Bucket": PLAIN, "Tagging": {}}),
    ("put_object_tagging", {"Bucket": PLAIN, "Key": "key", "Tagging": {}}),
    ("put_bucket_replication", {"Bucket": PLAIN, "ReplicationConfiguration": {"Role": "a"}}),
    ("put_bucket_lifecycle_configuration", {"Bucket": PLAIN, "LifecycleConfiguration": {"Rules": [{"Status": "Enabled"}]}}),
    ("put_bucket_acl", {"Bucket": PLAIN, "AccessControlPolicy": {"Grants": [{"Grantee": {"ID": "me"}}]}}),
    ("restore_object", {"Bucket": PLAIN, "Key": "key", "RestoreRequest": {"Days": "1"}}),
    ("extend_object_retention", {"Bucket": PROTECTED, "Key": "key", "NewRetentionExpirationDate": []}),
]

# Calls that are not sent either, and that the SDK complains of in another way.
OTHERWISE: list[tuple[str, dict[str, Any], str]] = [
    ("get_object", {"Bucket": None, "Key": "key"}, "parameter Bucket, value: None"),
    ("get_object", {"Bucket": PLAIN, "Key": "key", "Range": "all"}, "parameter Range"),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Metadata": {"a": 1}}, "parameter Metadata.a, value: 1"),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Metadata": {"a": "ü"}}, "Non ascii characters found in S3 metadata"),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "ContentType": "a\r\nb: c"}, "content_type"),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "Body": "text", "ContentLength": 5}, "ContentLength: 5, the body has 4"),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "SSECustomerKey": b"short", "SSECustomerAlgorithm": "AES256"}, "32 bytes"),
    ("put_object", {"Bucket": PLAIN, "Key": "key", "SSECustomerKey": b"k" * 32}, "come together"),
    ("copy_object", {"Bucket": PLAIN, "Key": "copy", "CopySource": {"Bucket": PLAIN}}, 'CopySource: "Key"'),
    ("copy_object", {"Bucket": PLAIN, "Key": "copy", "CopySource": 5}, "parameter CopySource, value: 5"),
    ("copy_object", {"Bucket": PLAIN, "Key": "copy", "CopySource": "no-key"}, "expected bucket/key"),
    (
        "put_bucket_versioning",
        {"Bucket": PLAIN, "VersioningConfiguration": {"Status": "On"}},
        "VersioningConfiguration.status",
    ),
]


def _ids(cases: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [f"{method}-{n}" for n, (method, _) in enumerate(cases)]


def _told(error: Any) -> dict[str, Any]:
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
@pytest.mark.parametrize(("method", "arguments"), REFUSED, ids=_ids(REFUSED))
async def test_refusals_are_equal(method: str, arguments: dict[str, Any], both: Worlds) -> None:
    with pytest.raises(ibm_botocore.exceptions.ClientError) as theirs:
        await both.theirs(method, arguments)
    with pytest.raises(ClientError) as ours:
        await both.ours(method, arguments)
    assert _told(ours.value) == _told(theirs.value)
    assert isinstance(ours.value, getattr(both.face.exceptions, _told(theirs.value)["class"]))


def _lines(error: Any) -> set[str]:
    """The complaints; names that would do are given in another order."""
    head, *lines = comparable(str(error)).splitlines()
    assert head == "Parameter validation failed:"
    return {line.partition(", must be one of")[0].partition(" or be an ARN")[0] for line in lines}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "arguments"), MALFORMED, ids=_ids(MALFORMED))
async def test_complaints_are_equal(method: str, arguments: dict[str, Any], both: Worlds) -> None:
    before = len(both.emulator.requests)
    with pytest.raises(ibm_botocore.exceptions.ParamValidationError) as theirs:
        await both.theirs(method, arguments)
    with pytest.raises(ParamValidationError) as ours:
        await both.ours(method, arguments)
    assert _lines(ours.value) == _lines(theirs.value)
    assert isinstance(ours.value, BotoCoreError)
    assert len(both.emulator.requests) == before


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "arguments", "said"), OTHERWISE)
async def test_complaints_of_ours(method: str, arguments: dict[str, Any], said: str, both: Worlds) -> None:
    before = len(both.emulator.requests)
    with pytest.raises(ParamValidationError) as ours:
        await both.ours(method, arguments)
    assert said in str(ours.value)
    assert len(both.emulator.requests) == before


async def test_parameters_have_names(both: Worlds) -> None:
    for client in (both.sdk, both.face):
        with pytest.raises(TypeError, match=r"get_object\(\) only accepts keyword arguments"):
            client.get_object(PLAIN, "key")
    for client in (both.sdk, both.face):
        with pytest.raises(AttributeError, match="get_objekt"):
            client.get_objekt
