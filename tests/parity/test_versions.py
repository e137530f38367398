"""IBM's SDK uses versioning, Object Lock and replication of the emulator; rclone and s5cmd read versions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from aiocos import Client
from aiocos.emulator import Emulator

from .test_ibm_boto3 import _refused, sdk_client
from .test_rclone_s5cmd import _rclone, _s5cmd

BUCKET, TARGET = "parity-versions", "parity-target"


@pytest.fixture(params=["iam", "hmac"])
async def run(request: pytest.FixtureRequest, cos_emulator: Emulator) -> AsyncIterator[Callable[..., Any]]:
    """Run a blocking function with an SDK client in a thread."""
    client = await asyncio.to_thread(sdk_client, cos_emulator, request.param)

    async def calls(function: Callable[..., Any]) -> None:
        await asyncio.to_thread(function, client)

    yield calls
    client.close()


async def test_versioning_with_the_sdk(run: Callable[..., Any]) -> None:
    def calls(cos: Any) -> None:
        cos.create_bucket(Bucket=BUCKET)
        assert "Status" not in cos.get_bucket_versioning(Bucket=BUCKET)
        old = cos.put_object(Bucket=BUCKET, Key="k", Body=b"old")
        assert "VersionId" not in old
        cos.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        assert cos.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
        new = cos.put_object(Bucket=BUCKET, Key="k", Body=b"new")["VersionId"]
        assert cos.get_object(Bucket=BUCKET, Key="k", VersionId="null")["Body"].read() == b"old"
        assert cos.head_object(Bucket=BUCKET, Key="k")["VersionId"] == new
        marker = cos.delete_object(Bucket=BUCKET, Key="k")
        assert marker["DeleteMarker"] is True
        _refused("NoSuchKey", cos.get_object, Bucket=BUCKET, Key="k")
        _refused("405", cos.head_object, Bucket=BUCKET, Key="k", VersionId=marker["VersionId"])
        _refused("MethodNotAllowed", cos.get_object, Bucket=BUCKET, Key="k", VersionId=marker["VersionId"])
        listed = cos.list_object_versions(Bucket=BUCKET)
        assert [(v["VersionId"], v["IsLatest"]) for v in listed["Versions"]] == [(new, False), ("null", False)]
        assert [(m["VersionId"], m["IsLatest"]) for m in listed["DeleteMarkers"]] == [(marker["VersionId"], True)]
        pages = cos.get_paginator("list_object_versions").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 1})
        assert len([v for page in pages for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]) == 3
        copied = cos.copy_object(Bucket=BUCKET, Key="k", CopySource={"Bucket": BUCKET, "Key": "k", "VersionId": "null"})
        assert copied["CopySourceVersionId"] == "null"
        assert cos.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"old"
        cos.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
        assert cos.put_object(Bucket=BUCKET, Key="k", Body=b"null")["VersionId"] == "null"
        _refused("BucketNotEmpty", cos.delete_bucket, Bucket=BUCKET)
        listed = cos.list_object_versions(Bucket=BUCKET)
        every = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in listed["Versions"] + listed["DeleteMarkers"]]
        deleted = cos.delete_objects(Bucket=BUCKET, Delete={"Objects": every})["Deleted"]
        assert [d["DeleteMarkerVersionId"] for d in deleted if d.get("DeleteMarker")] == [marker["VersionId"]]
        cos.delete_bucket(Bucket=BUCKET)

    await run(calls)


async def test_object_lock_with_the_sdk(run: Callable[..., Any], cos_emulator: Emulator) -> None:
    def calls(cos: Any) -> None:
        cos.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        assert cos.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
        rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}
        cos.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule})
        configuration = cos.get_object_lock_configuration(Bucket=BUCKET)["ObjectLockConfiguration"]
        assert configuration == {"ObjectLockEnabled": "Enabled", "Rule": rule}
        _refused(
            "InvalidBucketState",
            cos.put_bucket_versioning,
            Bucket=BUCKET,
            VersioningConfiguration={"Status": "Suspended"},
        )
        version = cos.put_object(Bucket=BUCKET, Key="k", Body=b"x")["VersionId"]
        head = cos.head_object(Bucket=BUCKET, Key="k")
        assert head["ObjectLockMode"] == "GOVERNANCE"
        assert head["ObjectLockRetainUntilDate"] - head["LastModified"] == timedelta(days=2)
        _refused("AccessDenied", cos.delete_object, Bucket=BUCKET, Key="k", VersionId=version)
        denied = cos.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "k", "VersionId": version}]})
        assert [e["Code"] for e in denied["Errors"]] == ["AccessDenied"]
        until = (cos_emulator.clock.now() + timedelta(days=5)).replace(microsecond=0)
        cos.put_object_retention(Bucket=BUCKET, Key="k", Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
        assert cos.get_object_retention(Bucket=BUCKET, Key="k")["Retention"] == {
            "Mode": "GOVERNANCE",
            "RetainUntilDate": until,
        }
        cos.put_object_legal_hold(Bucket=BUCKET, Key="k", LegalHold={"Status": "ON"})
        assert cos.get_object_legal_hold(Bucket=BUCKET, Key="k")["LegalHold"] == {"Status": "ON"}
        bypass = {"Bucket": BUCKET, "Key": "k", "VersionId": version, "BypassGovernanceRetention": True}
        _refused("AccessDenied", cos.delete_object, **bypass)
        cos.put_object_legal_hold(Bucket=BUCKET, Key="k", LegalHold={"Status": "OFF"})
        cos.delete_object(**bypass)
        upload = cos.create_multipart_upload(
            Bucket=BUCKET, Key="p", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until
        )["UploadId"]
        part = cos.upload_part(Bucket=BUCKET, Key="p", UploadId=upload, PartNumber=1, Body=b"x")
        done = cos.complete_multipart_upload(
            Bucket=BUCKET,
            Key="p",
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )
        assert cos.head_object(Bucket=BUCKET, Key="p")["ObjectLockMode"] == "COMPLIANCE"
        _refused("AccessDenied", cos.delete_object, **{**bypass, "Key": "p", "VersionId": done["VersionId"]})

    await run(calls)


async def test_replication_with_the_sdk(run: Callable[..., Any], cos_emulator: Emulator) -> None:
    def calls(cos: Any) -> None:
        for name in (BUCKET, TARGET):
            cos.create_bucket(Bucket=name)
            cos.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        rule = {
            "ID": "all",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Destination": {"Bucket": cos_emulator.instance.crn.removesuffix("::") + f":bucket:{TARGET}"},
            "DeleteMarkerReplication": {"Status": "Disabled"},
        }
        cos.put_bucket_replication(Bucket=BUCKET, ReplicationConfiguration={"Rules": [rule]})
        assert cos.get_bucket_replication(Bucket=BUCKET)["ReplicationConfiguration"]["Rules"] == [rule]
        version = cos.put_object(Bucket=BUCKET, Key="k", Body=b"x")["VersionId"]
        assert cos.head_object(Bucket=BUCKET, Key="k")["ReplicationStatus"] == "COMPLETE"
        replica = cos.get_object(Bucket=TARGET, Key="k")
        assert (replica["Body"].read(), replica["VersionId"]) == (b"x", version)
        assert replica["ReplicationStatus"] == "REPLICA"
        cos.put_bucket_versioning(Bucket=TARGET, VersioningConfiguration={"Status": "Suspended"})
        cos.put_object(Bucket=BUCKET, Key="late", Body=b"x")
        (failure,) = cos.list_bucket_replication_failures(Bucket=BUCKET)["ListReplicationFailureResult"]["Contents"]
        assert (failure["Key"], failure["SyncType"]) == ("late", "content")
        cos.put_bucket_replication_reattempt(Bucket=BUCKET)
        cos.put_bucket_versioning(Bucket=TARGET, VersioningConfiguration={"Status": "Enabled"})
        cos.delete_bucket_replication(Bucket=BUCKET)
        _refused("ReplicationConfigurationNotFoundError", cos.get_bucket_replication, Bucket=BUCKET)

    await run(calls)


async def _two_versions_and_a_marker(cos: Client, emulator: Emulator) -> list[str]:
    """Create two versions and a delete marker of a key, seconds apart, in the past: s5cmd hides versions from the future."""
    emulator.clock.advance(-60)
    await cos.buckets.create(BUCKET)
    await cos.versioning.enable(BUCKET)
    ids = []
    for data in (b"first", b"second"):
        ids.append((await cos.objects.put(BUCKET, "k.txt", data)).version_id or "")
        emulator.clock.advance(10)
    ids.append((await cos.objects.delete(BUCKET, "k.txt")).version_id or "")
    await cos.objects.put(BUCKET, "other", b"x")
    return ids


@pytest.mark.parametrize("kind", ["iam", "hmac"])
async def test_rclone_reads_and_removes_versions(kind: str, cos: Client, cos_emulator: Emulator) -> None:
    await _two_versions_and_a_marker(cos, cos_emulator)
    run = _rclone(cos_emulator, kind)
    assert (await run("backend", "versioning", f"cos:{BUCKET}")).strip() == '"Enabled"'
    assert (await run("lsf", f"cos:{BUCKET}")).split() == ["other"]
    names = sorted((await run("lsf", "--s3-versions", f"cos:{BUCKET}")).split())
    assert len(names) == 3
    assert [await run("cat", "--s3-versions", f"cos:{BUCKET}/{name}") for name in names[:2]] == ["first", "second"]
    # Old hidden versions and their delete markers are removed; current versions stay.
    await run("backend", "cleanup-hidden", f"cos:{BUCKET}")
    page = await anext(cos.objects.list_versions(BUCKET).pages())
    assert [v.key for v in page.versions] == ["other"]


async def test_s5cmd_reads_and_removes_versions(cos: Client, cos_emulator: Emulator) -> None:
    first, second, marker = await _two_versions_and_a_marker(cos, cos_emulator)
    run = _s5cmd(cos_emulator)
    assert "Enabled" in await run("bucket-version", f"s3://{BUCKET}")
    listed = await run("ls", "--all-versions", f"s3://{BUCKET}/*")
    assert first in listed
    assert second in listed
    assert await run("cat", "--version-id", first, f"s3://{BUCKET}/k.txt") == "first"
    await run("rm", "--version-id", marker, f"s3://{BUCKET}/k.txt")
    assert await run("cat", f"s3://{BUCKET}/k.txt") == "second"
    await run("rm", "--all-versions", f"s3://{BUCKET}/*")
    await run("bucket-version", "--set", "Suspended", f"s3://{BUCKET}")
    assert (await cos.versioning.get(BUCKET)).status == "Suspended"
    await cos.buckets.delete(BUCKET)
