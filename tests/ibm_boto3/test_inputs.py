"""Parameters of calls: what is accepted, compared with IBM's SDK."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import date
from typing import Any

import pytest
from tests.ibm_boto3.both_clients import BothClients, comparable_error, differences
from tests.parity.test_every_operation import COLD, LOCKED, PLAIN, PROTECTED, TARGET, VERSIONED

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import exceptions


async def test_customer_keys_in_base64(cos_emulator: Emulator) -> None:
    """A customer's key that is base64 already comes with its MD5, as for IBM's SDK."""
    key = os.urandom(32)
    encoded, md5 = base64.b64encode(key).decode(), base64.b64encode(hashlib.md5(key).digest()).decode()
    client = ibm_boto3.client("s3", endpoint_url="https://cos.example", aws_access_key_id="a", aws_secret_access_key="b")
    url = {"Bucket": "b", "Key": "k", "SSECustomerAlgorithm": "AES256"}
    forms = [{"SSECustomerKey": key}, {"SSECustomerKey": encoded, "SSECustomerKeyMD5": md5}]
    made = {client.generate_presigned_url("get_object", {**url, **form}).partition("X-Amz-SignedHeaders")[2] for form in forms}
    assert len({text.partition("&X-Amz-Signature")[0] for text in made}) == 1
    with pytest.raises(exceptions.ParamValidationError, match="not the MD5 of the key"):
        client.generate_presigned_url("get_object", {**url, "SSECustomerKey": key, "SSECustomerKeyMD5": "AAAA"})


KEY = {"Bucket": PLAIN, "Key": "key"}


CASES: list[tuple[str, dict[str, Any]]] = [
    ("complete_multipart_upload", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}"}),
    ("complete_multipart_upload", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "MultipartUpload": {}}),
    ("complete_multipart_upload", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "MultipartUpload": {"Parts": []}}),
    ("complete_multipart_upload", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "MultipartUpload": {"Parts": [{}]}}),
    (
        "complete_multipart_upload",
        {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "MultipartUpload": {"Parts": [{"PartNumber": 1}]}},
    ),
    (
        "complete_multipart_upload",
        {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "MultipartUpload": {"Parts": [{"ETag": "x"}]}},
    ),
    ("complete_multipart_upload", {"Bucket": PLAIN, "Key": "up", "UploadId": "", "MultipartUpload": {"Parts": []}}),
    ("complete_multipart_upload", {"Bucket": PLAIN, "Key": "up", "UploadId": "none"}),
    ("put_object_retention", KEY),
    ("put_object_retention", {**KEY, "Retention": {}}),
    ("put_object_legal_hold", KEY),
    ("put_object_legal_hold", {**KEY, "LegalHold": {}}),
    ("put_object_legal_hold", {"Bucket": LOCKED, "Key": "key", "LegalHold": {}}),
    ("put_object_lock_configuration", {"Bucket": PLAIN}),
    ("put_object_lock_configuration", {"Bucket": LOCKED}),
    ("put_object_lock_configuration", {"Bucket": LOCKED, "ObjectLockConfiguration": {}}),
    ("restore_object", KEY),
    ("restore_object", {"Bucket": COLD, "Key": "third"}),
    ("restore_object", {"Bucket": COLD, "Key": "third", "RestoreRequest": {"Days": 0}}),
    ("put_bucket_lifecycle_configuration", {"Bucket": TARGET}),
    ("put_bucket_lifecycle_configuration", {"Bucket": TARGET, "LifecycleConfiguration": {"Rules": []}}),
    ("put_bucket_lifecycle_configuration", {"Bucket": TARGET, "LifecycleConfiguration": {}}),
    (
        "put_bucket_lifecycle_configuration",
        {"Bucket": TARGET, "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Expiration": {"Days": 1}}]}},
    ),
    (
        "put_bucket_lifecycle_configuration",
        {
            "Bucket": TARGET,
            "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Filter": {}, "Expiration": {"Date": "20200101"}}]},
        },
    ),
    (
        "put_bucket_lifecycle_configuration",
        {
            "Bucket": TARGET,
            "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Filter": {}, "Expiration": {"Date": "1577836800"}}]},
        },
    ),
    (
        "put_bucket_lifecycle_configuration",
        {
            "Bucket": TARGET,
            "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": None}, "Expiration": {"Days": 1}}]},
        },
    ),
    (
        "put_bucket_lifecycle_configuration",
        {
            "Bucket": TARGET,
            "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 0}}]},
        },
    ),
    ("put_bucket_cors", {"Bucket": TARGET, "CORSConfiguration": {"CORSRules": []}}),
    ("put_bucket_cors", {"Bucket": TARGET, "CORSConfiguration": {}}),
    ("put_bucket_tagging", {"Bucket": TARGET, "Tagging": {"TagSet": []}}),
    ("put_bucket_tagging", {"Bucket": TARGET, "Tagging": {"TagSet": [{"Key": "ü", "Value": "©"}]}}),
    ("put_bucket_tagging", {"Bucket": TARGET, "Tagging": {"TagSet": [{"Key": "", "Value": "©"}]}}),
    ("put_bucket_website", {"Bucket": TARGET, "WebsiteConfiguration": {}}),
    ("put_bucket_versioning", {"Bucket": TARGET, "VersioningConfiguration": {}}),
    ("put_bucket_acl", {"Bucket": TARGET}),
    ("put_bucket_acl", {"Bucket": TARGET, "AccessControlPolicy": {}}),
    ("put_bucket_acl", {"Bucket": TARGET, "ACL": "odd"}),
    ("put_object_acl", {**KEY, "ACL": "odd"}),
    ("put_public_access_block", {"Bucket": TARGET, "PublicAccessBlockConfiguration": {}}),
    ("put_bucket_replication", {"Bucket": VERSIONED, "ReplicationConfiguration": {"Rules": []}}),
    ("put_bucket_replication", {"Bucket": VERSIONED, "ReplicationConfiguration": {}}),
    ("create_bucket", {"Bucket": "w-brandnew", "CreateBucketConfiguration": {}}),
    ("create_bucket", {"Bucket": "w-brandnew2", "CreateBucketConfiguration": {"LocationConstraint": ""}}),
    ("create_bucket", {"Bucket": "w-brandnew3", "ACL": "odd"}),
    ("create_bucket", {"Bucket": "w-brandnew4", "IBMSSEKPEncryptionAlgorithm": "odd"}),
    ("create_bucket", {"Bucket": "ab"}),
    ("get_object", {**KEY, "IfModifiedSince": "20200101"}),
    ("get_object", {**KEY, "IfModifiedSince": "1577836800"}),
    ("get_object", {**KEY, "IfModifiedSince": "4102444800"}),
    ("get_object", {**KEY, "IfModifiedSince": "2000/01/01 10:00"}),
    ("get_object", {**KEY, "IfModifiedSince": 0}),
    ("get_object", {**KEY, "IfModifiedSince": -1}),
    ("get_object", {**KEY, "IfModifiedSince": float("nan")}),
    ("get_object", {**KEY, "IfModifiedSince": ""}),
    ("get_object", {**KEY, "IfModifiedSince": date(2020, 1, 1)}),
    ("get_object", {**KEY, "IfUnmodifiedSince": "Sat, 01 Jan 2000 00:00:00 GMT"}),
    ("get_object", {**KEY, "Range": "bytes=0-0"}),
    ("get_object", {**KEY, "Range": "bytes=-1"}),
    ("get_object", {**KEY, "Range": "bytes=-0"}),
    ("get_object", {**KEY, "Range": "bytes=2-"}),
    ("get_object", {**KEY, "Range": "bytes=0-1000"}),
    ("get_object", {**KEY, "PartNumber": 0}),
    ("get_object", {**KEY, "PartNumber": 1}),
    ("get_object", {**KEY, "PartNumber": 2}),
    ("get_object", {**KEY, "PartNumber": 10001}),
    ("get_object", {**KEY, "PartNumber": -1}),
    ("get_object", {**KEY, "VersionId": ""}),
    ("get_object", {**KEY, "VersionId": "null"}),
    ("get_object", {**KEY, "IfMatch": ""}),
    ("get_object", {**KEY, "IfMatch": "*"}),
    ("get_object", {**KEY, "IfNoneMatch": '"x", "y"'}),
    ("get_object", {**KEY, "ResponseContentType": "ü/x", "ResponseCacheControl": ""}),
    ("get_object", {**KEY, "ResponseContentDisposition": 'attachment; filename="©"'}),
    ("get_object", {**KEY, "ChecksumMode": "DISABLED"}),
    ("get_object", {**KEY, "RequestPayer": "odd", "ExpectedBucketOwner": "odd"}),
    ("head_object", {**KEY, "PartNumber": 1}),
    ("head_object", {**KEY, "Range": "bytes=0-1"}),
    ("head_object", {**KEY, "VersionId": ""}),
    ("head_object", {**KEY, "IfMatch": "x"}),
    ("head_object", {**KEY, "IfNoneMatch": "*"}),
    ("list_objects_v2", {"Bucket": PLAIN, "MaxKeys": 0}),
    ("list_objects_v2", {"Bucket": PLAIN, "MaxKeys": -1}),
    ("list_objects_v2", {"Bucket": PLAIN, "MaxKeys": 1000000000000}),
    ("list_objects_v2", {"Bucket": PLAIN, "Prefix": "", "Delimiter": "", "StartAfter": ""}),
    ("list_objects_v2", {"Bucket": PLAIN, "ContinuationToken": ""}),
    ("list_objects_v2", {"Bucket": PLAIN, "ContinuationToken": "odd"}),
    ("list_objects_v2", {"Bucket": PLAIN, "EncodingType": "url"}),
    ("list_objects_v2", {"Bucket": PLAIN, "EncodingType": "odd"}),
    ("list_objects_v2", {"Bucket": PLAIN, "EncodingType": ""}),
    ("list_objects_v2", {"Bucket": PLAIN, "EncodingType": "url", "Prefix": "ü ", "Delimiter": "/ ü", "StartAfter": "a b"}),
    ("list_objects_v2", {"Bucket": PLAIN, "EncodingType": "url", "Prefix": "odd", "Delimiter": "/"}),
    ("list_objects_v2", {"Bucket": PLAIN, "Prefix": "odd", "Delimiter": " "}),
    (
        "list_objects",
        {"Bucket": PLAIN, "EncodingType": "url", "Marker": "a b", "Prefix": "odd", "Delimiter": " ", "MaxKeys": 1},
    ),
    ("list_objects", {"Bucket": PLAIN, "Prefix": "odd ü", "Delimiter": " ", "MaxKeys": 1}),
    ("list_objects", {"Bucket": PLAIN, "Marker": "a b+c%", "Delimiter": " ü", "MaxKeys": 1}),
    ("list_object_versions", {"Bucket": PLAIN, "EncodingType": "url", "KeyMarker": "a b", "Prefix": "odd", "Delimiter": " "}),
    ("list_object_versions", {"Bucket": PLAIN, "KeyMarker": "a b", "Prefix": "odd", "Delimiter": " "}),
    ("list_object_versions", {"Bucket": PLAIN, "VersionIdMarker": "x"}),
    ("list_multipart_uploads", {"Bucket": PLAIN, "EncodingType": "url", "MaxUploads": 1}),
    ("list_multipart_uploads", {"Bucket": PLAIN, "MaxUploads": 0}),
    ("list_parts", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "MaxParts": 0}),
    ("list_parts", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "PartNumberMarker": -1}),
    ("list_buckets_extended", {"MaxKeys": 0}),
    ("list_buckets_extended", {"Prefix": "zzz"}),
    ("list_buckets_extended", {"MaxKeys": -1}),
    ("delete_objects", {"Bucket": PLAIN, "Delete": {"Objects": [{"Key": "nothing"}], "Quiet": True}}),
    ("delete_objects", {"Bucket": PLAIN, "Delete": {"Objects": [{"Key": ""}]}}),
    ("delete_objects", {"Bucket": PLAIN, "Delete": {"Objects": [{"Key": "x", "VersionId": ""}]}}),
    ("delete_objects", {"Bucket": PLAIN, "Delete": {"Objects": [{"Key": "x"}] * 1001}}),
    ("delete_object", {"Bucket": PLAIN, "Key": "nothing", "VersionId": "odd"}),
    ("delete_object", {"Bucket": PLAIN, "Key": "nothing", "MFA": "1 2"}),
    ("copy_object", {**KEY, "CopySource": f"{PLAIN}/key"}),
    ("copy_object", {**KEY, "CopySource": f"{PLAIN}/key", "MetadataDirective": "REPLACE", "ContentDisposition": "©"}),
    ("copy_object", {**KEY, "CopySource": f"/{PLAIN}/key", "MetadataDirective": "odd"}),
    ("copy_object", {**KEY, "CopySource": f"{PLAIN}/key?versionId="}),
    ("copy_object", {**KEY, "CopySource": f"{PLAIN}/key?versionId=null", "MetadataDirective": "REPLACE"}),
    ("copy_object", {**KEY, "CopySource": {"Bucket": PLAIN, "Key": "key", "VersionId": ""}, "MetadataDirective": "REPLACE"}),
    ("copy_object", {**KEY, "CopySource": {"Bucket": PLAIN, "Key": "key"}, "TaggingDirective": "odd"}),
    (
        "copy_object",
        {
            **KEY,
            "CopySource": {"Bucket": PLAIN, "Key": "key"},
            "MetadataDirective": "REPLACE",
            "Tagging": "a=1&a=2",
            "TaggingDirective": "REPLACE",
        },
    ),
    ("upload_part_copy", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "PartNumber": 0, "CopySource": f"{PLAIN}/key"}),
    (
        "upload_part_copy",
        {
            "Bucket": PLAIN,
            "Key": "up",
            "UploadId": "{up}",
            "PartNumber": 2,
            "CopySource": f"{PLAIN}/key",
            "CopySourceRange": "bytes=0-100",
        },
    ),
    ("upload_part", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "PartNumber": 6, "Body": b""}),
    ("upload_part", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "PartNumber": 5, "Body": "täxt"}),
    ("upload_part", {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "PartNumber": 5}),
    ("put_object", {"Bucket": PLAIN, "Key": "new1", "Body": b"1", "ContentDisposition": 'attachment; filename="©.txt"'}),
    ("put_object", {"Bucket": PLAIN, "Key": "new2", "Body": b"1", "Tagging": "k=ü"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new2", "Body": b"1", "Tagging": "k"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new2", "Body": b"1", "Tagging": "k=1&k=2"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new2", "Body": b"1", "Metadata": {"a": "ü"}}),
    ("put_object", {"Bucket": PLAIN, "Key": "new2", "Body": b"1", "Metadata": {"ü": "a", "b": "ö"}}),
    ("put_object", {"Bucket": PLAIN, "Key": "new2", "Body": b"1", "Metadata": {"Aa": "x" * 3000}}),
    ("put_object", {"Bucket": PLAIN, "Key": "new2", "Body": b"1", "Metadata": {}}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "Expires": "20300101"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "Expires": "1577836800"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "Expires": 0}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ContentType": ""}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "StorageClass": "odd"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "StorageClass": "STANDARD"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ACL": "odd"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ServerSideEncryption": "AES256"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ServerSideEncryption": "odd"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ContentMD5": ""}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ContentMD5": "xx"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ChecksumCRC32": "xx"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ChecksumAlgorithm": "SHA1"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ChecksumAlgorithm": "sha256"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new3", "Body": b"1", "ChecksumAlgorithm": "odd"}),
    ("put_object", {"Bucket": PLAIN, "Key": "x" * 1025, "Body": b"1"}),
    ("put_object", {"Bucket": PLAIN, "Key": "ü" * 512, "Body": b"1"}),
    ("put_object", {"Bucket": PLAIN, "Key": "new4", "Body": b"1", "ObjectLockMode": "GOVERNANCE"}),
    ("put_object", {"Bucket": LOCKED, "Key": "new4", "Body": b"1", "ObjectLockMode": "GOVERNANCE"}),
    (
        "put_object",
        {"Bucket": LOCKED, "Key": "new4", "Body": b"1", "ObjectLockMode": "odd", "ObjectLockRetainUntilDate": "2040-01-01"},
    ),
    (
        "put_object",
        {
            "Bucket": LOCKED,
            "Key": "new4",
            "Body": b"1",
            "ObjectLockMode": "GOVERNANCE",
            "ObjectLockRetainUntilDate": "20200101",
        },
    ),
    (
        "put_object",
        {
            "Bucket": LOCKED,
            "Key": "new4",
            "Body": b"1",
            "ObjectLockMode": "GOVERNANCE",
            "ObjectLockRetainUntilDate": "4102444800",
        },
    ),
    ("put_object", {"Bucket": PROTECTED, "Key": "new4", "Body": b"1", "RetentionPeriod": 0}),
    ("put_object", {"Bucket": PROTECTED, "Key": "new4", "Body": b"1", "RetentionPeriod": -1}),
    ("put_object", {"Bucket": PROTECTED, "Key": "new4", "Body": b"1", "RetentionPeriod": -3}),
    ("put_object", {"Bucket": PROTECTED, "Key": "new5", "Body": b"1", "RetentionExpirationDate": "20200101"}),
    (
        "put_object",
        {"Bucket": PROTECTED, "Key": "new5", "Body": b"1", "RetentionPeriod": 864000, "RetentionExpirationDate": "2030-01-01"},
    ),
    ("put_object", {"Bucket": PROTECTED, "Key": "new5", "Body": b"1", "RetentionLegalHoldId": ""}),
    ("extend_object_retention", {"Bucket": PROTECTED, "Key": "key", "AdditionalRetentionPeriod": 0}),
    ("extend_object_retention", {"Bucket": PROTECTED, "Key": "key", "NewRetentionPeriod": 1}),
    ("extend_object_retention", {"Bucket": PROTECTED, "Key": "key", "NewRetentionExpirationDate": "20200101"}),
    ("add_legal_hold", {"Bucket": PROTECTED, "Key": "key", "RetentionLegalHoldId": ""}),
    ("add_legal_hold", {"Bucket": PROTECTED, "Key": "key", "RetentionLegalHoldId": "x" * 65}),
    ("delete_legal_hold", {"Bucket": PROTECTED, "Key": "key", "RetentionLegalHoldId": "nix"}),
    ("put_object_tagging", {**KEY, "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "b"}]}}),
    (
        "put_object_tagging",
        {
            **KEY,
            "Tagging": {
                "TagSet": [
                    {"Key": "0", "Value": "b"},
                    {"Key": "1", "Value": "b"},
                    {"Key": "2", "Value": "b"},
                    {"Key": "3", "Value": "b"},
                    {"Key": "4", "Value": "b"},
                    {"Key": "5", "Value": "b"},
                    {"Key": "6", "Value": "b"},
                    {"Key": "7", "Value": "b"},
                    {"Key": "8", "Value": "b"},
                    {"Key": "9", "Value": "b"},
                    {"Key": "10", "Value": "b"},
                ]
            },
        },
    ),
    ("put_object_tagging", {**KEY, "Tagging": {"TagSet": [{"Key": "x" * 129, "Value": "b"}]}}),
    ("put_object_tagging", {**KEY, "Tagging": {"TagSet": [{"Key": "ü", "Value": "© <&>"}]}}),
    ("put_object_tagging", {**KEY, "Tagging": {"TagSet": ({"Key": "a", "Value": ""},)}}),
    ("get_object_tagging", {**KEY, "VersionId": ""}),
    ("get_bucket_acl", {"Bucket": PLAIN, "ExpectedBucketOwner": "odd"}),
    ("head_bucket", {"Bucket": PLAIN, "ExpectedBucketOwner": "odd"}),
    ("list_bucket_replication_failures", {"Bucket": VERSIONED, "MaxKeys": 0}),
    ("list_bucket_replication_failures", {"Bucket": VERSIONED, "FirstSyncAttemptedBefore": "x"}),
    ("list_bucket_replication_failures", {"Bucket": VERSIONED, "EncodingType": "url"}),
]


# Members of an answer that differ, by the operation and the reason.
DIFFERENT = {
    ("GetObject", ".ResponseMetadata.ChecksumAlgorithm"): "which checksum the SDK looked at: here all that there are",
    ("GetObject", ".ContentType"): "the SDK reads UTF-8 in headers as Latin-1",
    ("GetObject", ".ContentDisposition"): "the same",
    ("GetObject", ".ResponseMetadata.HTTPHeaders.content-type"): "the same",
    ("GetObject", ".ResponseMetadata.HTTPHeaders.content-disposition"): "the same",
    ("ListObjects", ".Prefix"): "the SDK decodes all of that listing but this",
    ("ListMultipartUploads", ".EncodingType"): "the SDK does not ask for it",
    ("ListBucketReplicationFailures", ".ListReplicationFailureResult.EncodingType"): "the same",
}


async def _outcome(both_with_odd_keys: BothClients, ask: Any, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    before = len(both_with_odd_keys.emulator.requests)
    try:
        outcome = await ask(method, arguments)
    except Exception as error:
        outcome = comparable_error(error)
    sent = [served for served in list(both_with_odd_keys.emulator.requests)[before:] if served.operation != "CreateToken"]
    return {**outcome, "sent": len(sent)}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "arguments"), CASES, ids=[f"{method}-{n}" for n, (method, _) in enumerate(CASES)])
async def test_the_outcome_equals_that_of_the_sdk(
    method: str, arguments: dict[str, Any], both_with_odd_keys: BothClients
) -> None:
    theirs = await _outcome(both_with_odd_keys, both_with_odd_keys.call_sdk, method, arguments)
    ours = await _outcome(both_with_odd_keys, both_with_odd_keys.call_client, method, arguments)
    operation = both_with_odd_keys.client.meta.method_to_api_mapping[method]
    found = differences(ours, theirs)
    assert [line for line in found if (operation, line.partition(":")[0]) not in DIFFERENT] == []
