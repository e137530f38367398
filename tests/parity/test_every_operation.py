"""IBM's SDK calls each operation on the emulator and reads each response.

An operation in the registry without a case here fails. The buckets and objects of the cases are created by the SDK too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from aiocos.emulator import Emulator
from aiocos.operations import every_operation
from aiocos.wire.spec import registry

from .test_ibm_boto3 import sdk_client

OPERATIONS = list(every_operation())
PLAIN, VERSIONED, TARGET, LOCKED, PROTECTED, COLD = (
    "w-plain", "w-versioned", "w-target", "w-locked", "w-protected", "w-cold",
)  # fmt: skip

CORS = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ID": "all", "MaxAgeSeconds": 5}]}
SITE = {
    "IndexDocument": {"Suffix": "index.html"},
    "ErrorDocument": {"Key": "error.html"},
    "RoutingRules": [{"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}],
}
EXPIRE = {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}]}
ARCHIVE = {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}]}]}
BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
TAGS = {"TagSet": [{"Key": "k", "Value": "v w"}]}
POLICY = {
    "Status": "Retention",
    "MinimumRetention": {"Days": 10},
    "DefaultRetention": {"Days": 100},
    "MaximumRetention": {"Days": 1000},
}
LOCK = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}}
ENABLED = {"Status": "Enabled"}
ACL = {"Grants": [], "Owner": {"ID": "me"}}
UNTIL = "2040-01-01T00:00:00Z"


def replication() -> dict[str, Any]:
    rule = {
        "ID": "all",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {},
        "Destination": {"Bucket": f"crn:v1:bluemix:public:cloud-object-storage:global:a/x:y:bucket:{TARGET}"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
    }
    return {"Rules": [rule]}


def build(sdk: Any) -> dict[str, str]:
    """Create the buckets and objects that the cases need. Returns ids assigned by the service."""
    for name in (PLAIN, VERSIONED, TARGET, PROTECTED, COLD, "w-empty"):
        sdk.create_bucket(Bucket=name)
    sdk.create_bucket(Bucket=LOCKED, ObjectLockEnabledForBucket=True)
    for name in (VERSIONED, TARGET):
        sdk.put_bucket_versioning(Bucket=name, VersioningConfiguration=ENABLED)
    sdk.put_object_lock_configuration(Bucket=LOCKED, ObjectLockConfiguration=LOCK)
    sdk.put_bucket_protection_configuration(Bucket=PROTECTED, ProtectionConfiguration=POLICY)
    sdk.put_bucket_lifecycle_configuration(Bucket=COLD, LifecycleConfiguration=ARCHIVE)
    for name in (PLAIN, VERSIONED, LOCKED, PROTECTED, COLD):
        for key in ("key", "other", "third"):
            sdk.put_object(Bucket=name, Key=key, Body=b"content", Tagging="a=1")
    sdk.put_bucket_cors(Bucket=PLAIN, CORSConfiguration=CORS)
    sdk.put_bucket_website(Bucket=PLAIN, WebsiteConfiguration=SITE)
    sdk.put_bucket_lifecycle_configuration(Bucket=PLAIN, LifecycleConfiguration=EXPIRE)
    sdk.put_public_access_block(Bucket=PLAIN, PublicAccessBlockConfiguration=BLOCK)
    sdk.put_bucket_tagging(Bucket=PLAIN, Tagging=TAGS)
    sdk.put_bucket_replication(Bucket=VERSIONED, ReplicationConfiguration=replication())
    sdk.put_object_legal_hold(Bucket=LOCKED, Key="key", LegalHold={"Status": "ON"})
    sdk.add_legal_hold(Bucket=PROTECTED, Key="key", RetentionLegalHoldId="first")
    uploads = {key: sdk.create_multipart_upload(Bucket=PLAIN, Key=key)["UploadId"] for key in ("up", "done", "gone")}
    parts = [sdk.upload_part(Bucket=PLAIN, Key=key, UploadId=u, PartNumber=1, Body=b"p") for key, u in uploads.items()]
    return {**uploads, "etag": parts[0]["ETag"]}


# By operation: the SDK's arguments, and the members that its result must have (besides the metadata of the response).
# A text in braces is replaced by an id from `build`.
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "ListBuckets": ({}, ["Buckets", "Owner"]),
    "ListBucketsExtended": ({"Prefix": "w-", "MaxKeys": 2}, ["Buckets", "IsTruncated", "Owner"]),
    "CreateBucket": ({"Bucket": "w-new", "CreateBucketConfiguration": {"LocationConstraint": "us-south-smart"}}, ["Location"]),
    "HeadBucket": ({"Bucket": PLAIN}, []),
    "DeleteBucket": ({"Bucket": "w-empty"}, []),
    "GetBucketLocation": ({"Bucket": PLAIN}, ["LocationConstraint"]),
    "GetBucketAspera": ({"Bucket": PLAIN}, ["AccessKey", "ATSEndpoint"]),
    "ListObjects": ({"Bucket": PLAIN}, ["Contents", "Name"]),
    "ListObjectsV2": ({"Bucket": PLAIN, "FetchOwner": True}, ["Contents", "KeyCount"]),
    "ListObjectVersions": ({"Bucket": VERSIONED}, ["Versions", "Name"]),
    "ListMultipartUploads": ({"Bucket": PLAIN}, ["Uploads", "Bucket"]),
    "GetBucketAcl": ({"Bucket": PLAIN}, ["Grants", "Owner"]),
    "PutBucketAcl": ({"Bucket": TARGET, "ACL": "private"}, []),
    "GetBucketCors": ({"Bucket": PLAIN}, ["CORSRules"]),
    "PutBucketCors": ({"Bucket": TARGET, "CORSConfiguration": CORS}, []),
    "DeleteBucketCors": ({"Bucket": COLD}, []),
    "GetBucketLifecycleConfiguration": ({"Bucket": PLAIN}, ["Rules"]),
    "PutBucketLifecycleConfiguration": ({"Bucket": TARGET, "LifecycleConfiguration": EXPIRE}, []),
    "DeleteBucketLifecycle": ({"Bucket": LOCKED}, []),
    "GetBucketWebsite": ({"Bucket": PLAIN}, ["IndexDocument", "ErrorDocument", "RoutingRules"]),
    "PutBucketWebsite": ({"Bucket": TARGET, "WebsiteConfiguration": SITE}, []),
    "DeleteBucketWebsite": ({"Bucket": COLD}, []),
    "GetBucketProtectionConfiguration": ({"Bucket": PROTECTED}, ["ProtectionConfiguration"]),
    "PutBucketProtectionConfiguration": ({"Bucket": PROTECTED, "ProtectionConfiguration": POLICY}, []),
    "GetPublicAccessBlock": ({"Bucket": PLAIN}, ["PublicAccessBlockConfiguration"]),
    "PutPublicAccessBlock": ({"Bucket": TARGET, "PublicAccessBlockConfiguration": BLOCK}, []),
    "DeletePublicAccessBlock": ({"Bucket": COLD}, []),
    "GetBucketVersioning": ({"Bucket": VERSIONED}, ["Status"]),
    "PutBucketVersioning": ({"Bucket": VERSIONED, "VersioningConfiguration": ENABLED}, []),
    "GetBucketReplication": ({"Bucket": VERSIONED}, ["ReplicationConfiguration"]),
    "PutBucketReplication": ({"Bucket": VERSIONED, "ReplicationConfiguration": replication()}, []),
    "DeleteBucketReplication": ({"Bucket": TARGET}, []),
    "PutBucketReplicationReattempt": ({"Bucket": VERSIONED}, []),
    "ListBucketReplicationFailures": ({"Bucket": VERSIONED}, ["ListReplicationFailureResult"]),
    "GetObjectLockConfiguration": ({"Bucket": LOCKED}, ["ObjectLockConfiguration"]),
    "PutObjectLockConfiguration": ({"Bucket": LOCKED, "ObjectLockConfiguration": LOCK}, []),
    "GetBucketTagging": ({"Bucket": PLAIN}, ["TagSet"]),
    "PutBucketTagging": ({"Bucket": TARGET, "Tagging": TAGS}, []),
    "DeleteBucketTagging": ({"Bucket": COLD}, []),
    "PutObject": ({"Bucket": PROTECTED, "Key": "new", "Body": b"1", "RetentionPeriod": 864000}, ["ETag"]),
    "GetObject": ({"Bucket": PROTECTED, "Key": "key"}, ["Body", "ETag", "RetentionPeriod", "RetentionLegalHoldCount"]),
    "HeadObject": ({"Bucket": LOCKED, "Key": "key"}, ["ETag", "ObjectLockMode", "ObjectLockRetainUntilDate", "VersionId"]),
    "DeleteObject": ({"Bucket": VERSIONED, "Key": "other"}, ["DeleteMarker", "VersionId"]),
    "DeleteObjects": ({"Bucket": PLAIN, "Delete": {"Objects": [{"Key": "other"}]}}, ["Deleted"]),
    "CopyObject": (
        {"Bucket": VERSIONED, "Key": "copy", "CopySource": {"Bucket": PLAIN, "Key": "key"}},
        ["CopyObjectResult", "VersionId"],
    ),
    "RestoreObject": (
        {"Bucket": COLD, "Key": "key", "RestoreRequest": {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}}},
        [],
    ),
    "GetObjectAcl": ({"Bucket": PLAIN, "Key": "key"}, ["Grants", "Owner"]),
    "PutObjectAcl": ({"Bucket": COLD, "Key": "key", "ACL": "public-read"}, []),
    "GetObjectTagging": ({"Bucket": VERSIONED, "Key": "key"}, ["TagSet", "VersionId"]),
    "PutObjectTagging": ({"Bucket": VERSIONED, "Key": "key", "Tagging": TAGS}, ["VersionId"]),
    "DeleteObjectTagging": ({"Bucket": VERSIONED, "Key": "third"}, ["VersionId"]),
    "AddLegalHold": ({"Bucket": PROTECTED, "Key": "other", "RetentionLegalHoldId": "a!_.*(b)-"}, []),
    "DeleteLegalHold": ({"Bucket": PROTECTED, "Key": "key", "RetentionLegalHoldId": "second"}, []),
    "ListLegalHolds": (
        {"Bucket": PROTECTED, "Key": "key"},
        ["CreateTime", "LegalHolds", "RetentionPeriod", "RetentionPeriodExpirationDate"],
    ),
    "ExtendObjectRetention": ({"Bucket": PROTECTED, "Key": "third", "AdditionalRetentionPeriod": 60}, []),
    "PutObjectRetention": (
        {"Bucket": LOCKED, "Key": "other", "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": UNTIL}},
        [],
    ),
    "GetObjectRetention": ({"Bucket": LOCKED, "Key": "key"}, ["Retention"]),
    "PutObjectLegalHold": ({"Bucket": LOCKED, "Key": "third", "LegalHold": {"Status": "ON"}}, []),
    "GetObjectLegalHold": ({"Bucket": LOCKED, "Key": "key"}, ["LegalHold"]),
    "CreateMultipartUpload": ({"Bucket": PLAIN, "Key": "next"}, ["UploadId", "Bucket", "Key"]),
    "UploadPart": ({"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "PartNumber": 2, "Body": b"1"}, ["ETag"]),
    "UploadPartCopy": (
        {"Bucket": PLAIN, "Key": "up", "UploadId": "{up}", "PartNumber": 3, "CopySource": {"Bucket": PLAIN, "Key": "key"}},
        ["CopyPartResult"],
    ),
    "CompleteMultipartUpload": (
        {
            "Bucket": PLAIN,
            "Key": "done",
            "UploadId": "{done}",
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "{etag}"}]},
        },
        ["ETag", "Location", "Bucket", "Key"],
    ),
    "AbortMultipartUpload": ({"Bucket": PLAIN, "Key": "gone", "UploadId": "{gone}"}, []),
    "ListParts": ({"Bucket": PLAIN, "Key": "up", "UploadId": "{up}"}, ["Parts", "UploadId"]),
}


class FilledEmulator:
    """An emulator filled by the SDK, for all cases of this module."""

    def __init__(self, emulator: Emulator, sdk: Any, ids: dict[str, str]) -> None:
        self.emulator = emulator
        self.sdk = sdk
        self._ids = ids

    def arguments(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.arguments(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.arguments(inner) for inner in value]
        return self._ids[value[1:-1]] if isinstance(value, str) and re.fullmatch(r"{\w+}", value) else value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled_emulator() -> AsyncIterator[FilledEmulator]:
    async with Emulator() as emulator:
        sdk = await asyncio.to_thread(sdk_client, emulator, "iam")
        yield FilledEmulator(emulator, sdk, await asyncio.to_thread(build, sdk))
        sdk.close()


def test_every_operation_has_a_case() -> None:
    assert set(OPERATIONS) == set(CASES)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", OPERATIONS)
async def test_the_sdk_can_call_the_operation(name: str, filled_emulator: FilledEmulator) -> None:
    arguments_template, expected = CASES[name]
    if name == "DeleteLegalHold":
        await asyncio.to_thread(filled_emulator.sdk.add_legal_hold, Bucket=PROTECTED, Key="key", RetentionLegalHoldId="second")
    method = getattr(filled_emulator.sdk, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    response = await asyncio.to_thread(method, **filled_emulator.arguments(arguments_template))
    served = filled_emulator.emulator.requests[-1]
    assert (served.operation, served.code) == (name, "")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == served.status == registry[name].spec.success_status
    assert [member for member in expected if response.get(member) in (None, "", [], {})] == []
