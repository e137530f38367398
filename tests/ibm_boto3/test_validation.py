"""Reports of invalid parameters, compared with IBM's SDK."""

from __future__ import annotations

from typing import Any

import ibm_botocore.exceptions
import pytest
from tests.ibm_boto3.both_clients import BothClients, case_ids, comparable
from tests.parity.test_every_operation import PLAIN, PROTECTED

from aiocos.ibm_boto3.exceptions import BotoCoreError, ParamValidationError
from aiocos.ibm_boto3.validation import INVALID, ValidationReport

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


def _lines(error: Any) -> set[str]:
    """The complaints; names that would do are given in another order."""
    head, *lines = comparable(str(error)).splitlines()
    assert head == "Parameter validation failed:"
    return {line.partition(", must be one of")[0].partition(" or be an ARN")[0] for line in lines}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "arguments"), MALFORMED, ids=case_ids(MALFORMED))
async def test_reports_equal_those_of_the_sdk(method: str, arguments: dict[str, Any], both: BothClients) -> None:
    before = len(both.emulator.requests)
    with pytest.raises(ibm_botocore.exceptions.ParamValidationError) as theirs:
        await both.call_sdk(method, arguments)
    with pytest.raises(ParamValidationError) as ours:
        await both.call_client(method, arguments)
    assert _lines(ours.value) == _lines(theirs.value)
    assert isinstance(ours.value, BotoCoreError)
    assert len(both.emulator.requests) == before


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "arguments", "said"), OTHERWISE)
async def test_reports_that_the_sdk_does_not_have(method: str, arguments: dict[str, Any], said: str, both: BothClients) -> None:
    before = len(both.emulator.requests)
    with pytest.raises(ParamValidationError) as ours:
        await both.call_client(method, arguments)
    assert said in str(ours.value)
    assert len(both.emulator.requests) == before


async def test_positional_arguments_are_refused(both: BothClients) -> None:
    for client in (both.sdk, both.client):
        with pytest.raises(TypeError, match=r"get_object\(\) only accepts keyword arguments"):
            client.get_object(PLAIN, "key")
    for client in (both.sdk, both.client):
        with pytest.raises(AttributeError, match="get_objekt"):
            client.get_objekt


def test_all_errors_are_raised_together() -> None:
    report = ValidationReport()
    report.check()
    assert report.missing("Key") is INVALID
    assert report.unknown("Keyy", ["Bucket", "Key"], "Delete") is INVALID
    assert report.wrong_type("Bucket", "x" * 300, "<class 'int'>") is INVALID
    with pytest.raises(ParamValidationError) as caught:
        report.check()
    assert str(caught.value).splitlines() == [
        "Parameter validation failed:",
        'Missing required parameter in input: "Key"',
        'Unknown parameter in Delete: "Keyy", must be one of: Bucket, Key',
        f"Invalid type for parameter Bucket, value: {'x' * 200}…, type: <class 'str'>, valid types: <class 'int'>",
    ]
