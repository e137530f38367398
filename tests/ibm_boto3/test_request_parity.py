"""The same calls through IBM's SDK and through this library put the same bytes on the wire."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import pytest_asyncio
from tests.ibm_boto3.both_clients import differences

from .captured_requests import Both, catching

KEY = b"k" * 32
MD5 = base64.b64encode(hashlib.md5(KEY).digest()).decode()
OBJECT = {"Bucket": "bucket", "Key": "key"}
BUCKET = {"Bucket": "bucket"}
PUT = {**OBJECT, "Body": b"1"}
AES = {**PUT, "SSECustomerAlgorithm": "AES256"}
EAST = timezone(timedelta(hours=2))

CASES: list[tuple[str, dict[str, Any]]] = [
    # Headers with more than ASCII.
    ("put_object", {**PUT, "ContentDisposition": 'attachment; filename="©.txt"'}),
    ("put_object", {**PUT, "ContentDisposition": "漢🙂"}),
    ("put_object", {**PUT, "ContentType": "a/b; x=ü", "CacheControl": "ü", "ContentLanguage": "ü", "ContentEncoding": "ü"}),
    ("put_object", {**PUT, "WebsiteRedirectLocation": "/ü", "StorageClass": "ü", "RetentionLegalHoldId": "ü"}),
    ("put_object", {**PUT, "GrantRead": "id=ü", "GrantFullControl": "id=©", "ExpectedBucketOwner": "ü"}),
    ("put_object", {**PUT, "Tagging": "k=ü&a b=c+d"}),
    ("create_multipart_upload", {**OBJECT, "ContentDisposition": "©", "Tagging": "ü=ü", "Metadata": {"a": "b"}}),
    (
        "copy_object",
        {**OBJECT, "CopySource": "bucket/k", "ContentDisposition": "©", "Tagging": "ü=ü", "MetadataDirective": "REPLACE"},
    ),
    ("get_object", {**OBJECT, "IfMatch": "ü", "IfNoneMatch": ""}),
    ("get_bucket_acl", {**BUCKET, "ExpectedBucketOwner": "ü"}),
    ("create_bucket", {**BUCKET, "IBMSSEKPEncryptionAlgorithm": "x", "IBMSSEKPCustomerRootKeyCrn": "crn:ü"}),
    # Headers and metadata in other odd forms.
    ("put_object", {**PUT, "CacheControl": ""}),
    ("put_object", {**PUT, "CacheControl": "  a  "}),
    ("put_object", {**PUT, "CacheControl": "a\tb"}),
    ("put_object", {**PUT, "Metadata": {"a": "", "B-c": "x y", "d_e": " s "}}),
    ("put_object", {**PUT, "Metadata": {}}),
    ("put_object", {**PUT, "ACL": "odd", "ObjectLockMode": "odd", "ObjectLockLegalHoldStatus": "odd"}),
    # Bodies and their checksums.
    ("put_object", OBJECT),
    ("put_object", {**OBJECT, "Body": "täxt"}),
    ("put_object", {**PUT, "ContentLength": 1}),
    ("put_object", {**PUT, "ChecksumAlgorithm": "SHA256"}),
    ("put_object", {**PUT, "ChecksumAlgorithm": "sha1"}),
    ("put_object", {**PUT, "ChecksumSHA1": "anything"}),
    # Times.
    ("put_object", {**PUT, "Expires": datetime(2030, 1, 1), "RetentionExpirationDate": datetime(2030, 1, 1, 1, 2, 3)}),
    ("put_object", {**PUT, "Expires": 0}),
    ("put_object", {**PUT, "Expires": "20300101"}),
    ("put_object", {**PUT, "ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime(2030, 1, 1, 5, tzinfo=EAST)}),
    ("put_object", {**PUT, "ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "1893456000"}),
    ("get_object", {**OBJECT, "IfModifiedSince": "Jan 5 2020 10:00", "IfUnmodifiedSince": True}),
    ("copy_object", {**OBJECT, "CopySource": "bucket/k", "CopySourceIfModifiedSince": "1577836800"}),
    ("put_object_retention", {**OBJECT, "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": "20200101"}}),
    (
        "put_object_retention",
        {**OBJECT, "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": datetime(2030, 1, 1, tzinfo=UTC)}},
    ),
    ("extend_object_retention", {**OBJECT, "NewRetentionExpirationDate": "2030-01-01", "NewRetentionPeriod": 5}),
    # Customer keys.
    ("put_object", {**AES, "SSECustomerKey": KEY}),
    ("put_object", {**AES, "SSECustomerKey": "k" * 32}),
    ("put_object", {**AES, "SSECustomerKey": "ü" * 16}),
    ("put_object", {**AES, "SSECustomerKey": base64.b64encode(KEY).decode(), "SSECustomerKeyMD5": MD5}),
    # Documents with more than ASCII, and with nothing in them.
    ("put_object_tagging", {**OBJECT, "Tagging": {"TagSet": [{"Key": "ü", "Value": "漢 <&>\"'"}]}}),
    ("put_object_tagging", {**OBJECT, "Tagging": {"TagSet": []}}),
    ("put_bucket_tagging", {**BUCKET, "Tagging": {"TagSet": ({"Key": "ü", "Value": ""},)}}),
    ("delete_objects", {**BUCKET, "Delete": {"Objects": [{"Key": "ü<&>"}], "Quiet": False}}),
    ("delete_objects", {**BUCKET, "Delete": {"Objects": []}}),
    ("delete_objects", {**BUCKET, "Delete": {"Objects": [{"Key": "k", "VersionId": "null"}]}, "MFA": "serial 123"}),
    ("delete_object", {**OBJECT, "MFA": "serial 123", "VersionId": "null"}),
    ("put_bucket_cors", {**BUCKET, "CORSConfiguration": {"CORSRules": []}}),
    (
        "put_bucket_cors",
        {
            **BUCKET,
            "CORSConfiguration": {
                "CORSRules": [{"AllowedMethods": [], "AllowedOrigins": ["*", "ü"], "ID": "", "MaxAgeSeconds": -1}]
            },
        },
    ),
    ("put_bucket_website", {**BUCKET, "WebsiteConfiguration": {}}),
    ("put_bucket_versioning", {**BUCKET, "VersioningConfiguration": {}}),
    ("put_public_access_block", {**BUCKET, "PublicAccessBlockConfiguration": {"BlockPublicAcls": False}}),
    ("put_bucket_replication", {**BUCKET, "ReplicationConfiguration": {"Role": "", "Rules": []}}),
    ("put_bucket_lifecycle_configuration", {**BUCKET, "LifecycleConfiguration": {"Rules": []}}),
    (
        "put_bucket_lifecycle_configuration",
        {
            **BUCKET,
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Status": "Enabled",
                        "ID": "",
                        "Prefix": "",
                        "Filter": {"Prefix": "", "Tag": {"Key": "ü", "Value": ""}},
                        "Expiration": {"Date": "1577836800"},
                        "Transitions": [{"Date": datetime(2030, 1, 1), "StorageClass": "odd"}],
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                    }
                ]
            },
        },
    ),
    ("restore_object", {**OBJECT, "RestoreRequest": {"Days": -1, "GlacierJobParameters": {"Tier": "odd"}}}),
    ("create_bucket", {**BUCKET, "CreateBucketConfiguration": {"LocationConstraint": ""}}),
    # Documents that are left out.
    ("complete_multipart_upload", {**OBJECT, "UploadId": "u"}),
    ("complete_multipart_upload", {**OBJECT, "UploadId": "u", "MultipartUpload": {}}),
    ("complete_multipart_upload", {**OBJECT, "UploadId": "u", "MultipartUpload": {"Parts": []}}),
    ("complete_multipart_upload", {**OBJECT, "UploadId": "u", "MultipartUpload": {"Parts": [{}]}}),
    ("complete_multipart_upload", {**OBJECT, "UploadId": "", "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "ü"}]}}),
    ("put_object_retention", OBJECT),
    ("put_object_retention", {**OBJECT, "Retention": {}}),
    ("put_object_legal_hold", OBJECT),
    ("put_object_legal_hold", {**OBJECT, "LegalHold": {}}),
    ("put_object_lock_configuration", BUCKET),
    ("put_bucket_lifecycle_configuration", BUCKET),
    ("restore_object", OBJECT),
    # Sources of copies.
    ("copy_object", {**OBJECT, "CopySource": "bucket/ü key"}),
    ("copy_object", {**OBJECT, "CopySource": "bucket/a?b"}),
    ("copy_object", {**OBJECT, "CopySource": "bucket/a?versionId=x"}),
    ("copy_object", {**OBJECT, "CopySource": "bucket/a?versionId=x y"}),
    ("copy_object", {**OBJECT, "CopySource": "bucket/a?versionId="}),
    ("copy_object", {**OBJECT, "CopySource": "bucket/a%20b+c"}),
    ("copy_object", {**OBJECT, "CopySource": {"Bucket": "bucket", "Key": "/a//b~?versionId=3", "VersionId": "x"}}),
    ("copy_object", {**OBJECT, "CopySource": {"Bucket": "bucket", "Key": "a", "VersionId": None}}),
    (
        "upload_part_copy",
        {**OBJECT, "CopySource": "bucket/ü", "UploadId": "ü&", "PartNumber": 1, "CopySourceRange": "bytes=0-5"},
    ),
    # Keys, versions, and parameters of the query.
    ("get_object", {**BUCKET, "Key": "ü/漢+ %20?&=#~*()!'"}),
    ("get_object", {**BUCKET, "Key": "/lead//x/../y/./"}),
    ("get_object", {**BUCKET, "Key": ".."}),
    ("get_object", {**BUCKET, "Key": "a\nb\x01\r"}),
    ("get_object", {**OBJECT, "VersionId": "ü&+ "}),
    ("get_object", {**OBJECT, "VersionId": ""}),
    ("get_object", {**OBJECT, "Range": "bytes=0-"}),
    ("get_object", {**OBJECT, "Range": "bytes=-5"}),
    ("get_object", {**OBJECT, "PartNumber": 0}),
    ("get_object", {**OBJECT, "ChecksumMode": "odd", "ResponseContentDisposition": "©; ü", "ResponseContentType": ""}),
    ("list_objects_v2", {**BUCKET, "Prefix": "", "Delimiter": "", "StartAfter": "", "MaxKeys": 0}),
    ("list_objects_v2", {**BUCKET, "Prefix": "ü +&", "MaxKeys": -5, "ContinuationToken": "ü", "FetchOwner": False}),
    ("list_objects_v2", {**BUCKET, "EncodingType": "odd", "MaxKeys": 10**12}),
    ("list_objects", {**BUCKET, "Marker": "a\rb"}),
    ("list_object_versions", {**BUCKET, "KeyMarker": "", "VersionIdMarker": "null"}),
    ("list_parts", {**OBJECT, "UploadId": "u", "MaxParts": 0, "PartNumberMarker": 0}),
    ("list_buckets_extended", {"Marker": "", "Prefix": "ü", "MaxKeys": 0}),
    ("add_legal_hold", {**OBJECT, "RetentionLegalHoldId": "ü a"}),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both() -> AsyncIterator[Both]:
    with catching() as catcher:
        made = Both(catcher)
        yield made
        await made.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "arguments"), CASES, ids=[f"{method}-{n}" for n, (method, _) in enumerate(CASES)])
async def test_requests_equal_those_of_the_sdk(method: str, arguments: dict[str, Any], both: Both) -> None:
    theirs = await both.call_sdk(method, arguments)
    ours = await both.call_client(method, arguments)
    assert (len(theirs), len(ours)) == (1, 1)
    assert differences(ours[0].comparable(), theirs[0].comparable()) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_headers_are_utf_8(both: Both) -> None:
    """What is compared above, said once in full."""
    (request,) = await both.call_client("put_object", {**PUT, "ContentDisposition": "©", "Tagging": "k=ü"})
    assert (request.headers[b"content-disposition"], request.headers[b"x-amz-tagging"]) == (b"\xc2\xa9", b"k=\xc3\xbc")
    (request,) = await both.call_client("put_object_tagging", {**OBJECT, "Tagging": {"TagSet": [{"Key": "ü", "Value": "漢"}]}})
    assert "<Key>ü</Key><Value>漢</Value>".encode() in request.body


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("text", ["a\r\nx-evil: 1", "ü\n", "ü\r", "ü\0", "ü\x7f", "ü\x1b[0m", "ü\ud800"])
async def test_a_value_cannot_inject_a_header(text: str, both: Both) -> None:
    for name in ("ContentDisposition", "Tagging", "IfMatch"):
        assert await both.call_client("put_object", {**PUT, name: text}) == []
