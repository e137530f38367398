"""The immutability examples of IBM's "Using Python" page, and refused requests: with IBM's SDK and with aiocos."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ibm_botocore.exceptions import ClientError

import aiocos
from aiocos import Client, CompletedPart, ProtectionConfiguration
from aiocos.emulator import Emulator

from .test_ibm_boto3 import sdk_client

BUCKET = "immutable"
CONFIGURATION = {
    "Status": "Retention",
    "MinimumRetention": {"Days": 10},
    "DefaultRetention": {"Days": 100},
    "MaximumRetention": {"Days": 1000},
}
DAYS = 86400
MIB = 1024 * 1024


@pytest.mark.parametrize("credentials", ["iam", "hmac"])
async def test_documented_examples_with_the_sdk(cos_emulator: Emulator, credentials: str) -> None:
    def calls() -> None:
        cos = sdk_client(cos_emulator, credentials)
        cos.create_bucket(Bucket=BUCKET)
        # add_protection_configuration_to_bucket, get_protection_configuration_on_bucket
        cos.put_bucket_protection_configuration(Bucket=BUCKET, ProtectionConfiguration=CONFIGURATION)
        found = cos.get_bucket_protection_configuration(Bucket=BUCKET)["ProtectionConfiguration"]
        assert found == CONFIGURATION
        # put_object_add_legal_hold
        cos.put_object(Bucket=BUCKET, Key="held", Body=b"text", RetentionLegalHoldId="hold-1")
        # copy_protected_object
        source = {"Bucket": BUCKET, "Key": "held"}
        cos.copy_object(Bucket=BUCKET, Key="copy", CopySource=source, RetentionDirective="Copy")
        assert [h["ID"] for h in cos.list_legal_holds(Bucket=BUCKET, Key="copy")["LegalHolds"]] == ["hold-1"]
        # complete_multipart_upload_with_retention
        upload = cos.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
        at = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload}
        parts = [{"PartNumber": 1, "ETag": cos.upload_part(**at, PartNumber=1, Body=b"part")["ETag"]}]
        cos.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}, RetentionPeriod=20 * DAYS)
        assert cos.head_object(Bucket=BUCKET, Key="parts")["RetentionPeriod"] == 20 * DAYS
        # add_legal_hold_to_object, list_legal_holds_on_object, delete_legal_hold_from_object
        cos.add_legal_hold(Bucket=BUCKET, Key="held", RetentionLegalHoldId="hold-2")
        state = cos.list_legal_holds(Bucket=BUCKET, Key="held")
        assert [h["ID"] for h in state["LegalHolds"]] == ["hold-1", "hold-2"]
        assert state["RetentionPeriod"] == 100 * DAYS
        assert state["RetentionPeriodExpirationDate"] - state["CreateTime"] == timedelta(days=100)
        cos.delete_legal_hold(Bucket=BUCKET, Key="held", RetentionLegalHoldId="hold-2")
        assert cos.head_object(Bucket=BUCKET, Key="held")["RetentionLegalHoldCount"] == 1
        # extend_retention_period_on_object
        cos.extend_object_retention(Bucket=BUCKET, Key="held", AdditionalRetentionPeriod=30)
        assert cos.head_object(Bucket=BUCKET, Key="held")["RetentionPeriod"] == 100 * DAYS + 30
        cos.close()

    await asyncio.to_thread(calls)


async def test_documented_examples_with_aiocos(cos: Client) -> None:
    await cos.buckets.create(BUCKET)
    await cos.protection.put(BUCKET, ProtectionConfiguration.of_days(minimum=10, default=100, maximum=1000))
    found = await cos.protection.get(BUCKET)
    assert found.status == "Retention"
    assert found.default_retention is not None
    assert found.default_retention.days == 100
    await cos.objects.put(BUCKET, "held", b"text", retention_legal_hold_id="hold-1")
    await cos.objects.copy(BUCKET, "copy", (BUCKET, "held"), retention_directive="COPY")
    assert [h.id for h in await cos.legal_holds.list(BUCKET, "copy")] == ["hold-1"]
    upload = await cos.multipart.create(BUCKET, "parts")
    part = await cos.multipart.upload_part(BUCKET, "parts", upload.upload_id, 1, b"part")
    await cos.multipart.complete(
        BUCKET, "parts", upload.upload_id, [CompletedPart(part_number=1, etag=part.etag)], retention_period=timedelta(days=20)
    )
    assert (await cos.objects.head(BUCKET, "parts")).retention_period == 20 * DAYS
    await cos.legal_holds.add(BUCKET, "held", "hold-2")
    state = await cos.retention.get(BUCKET, "held")
    assert [h.id for h in state.legal_holds] == ["hold-1", "hold-2"]
    assert state.create_time is not None
    assert state.retention_expires == state.create_time + timedelta(days=100)
    await cos.legal_holds.delete(BUCKET, "held", "hold-2")
    assert (await cos.objects.head(BUCKET, "held")).legal_hold_count == 1
    await cos.retention.extend(BUCKET, "held", additional_period=30)
    assert (await cos.objects.head(BUCKET, "held")).retention_period == 100 * DAYS + 30


# Refused requests: the calls with the SDK and with aiocos, the documented status, and the exception of aiocos.
DATE = datetime(2040, 1, 1, tzinfo=UTC)
AT = {"Bucket": BUCKET, "Key": "held"}
Ask = Callable[[Any], Any]
REFUSALS: dict[str, tuple[Ask, Ask, int, type[aiocos.ServiceError]]] = {
    "overwrite": (
        lambda sdk: sdk.put_object(**AT, Body=b"new"),
        lambda cos: cos.objects.put(BUCKET, "held", b"new"),
        403,
        aiocos.ObjectProtected,
    ),
    "overwrite by a copy": (
        lambda sdk: sdk.copy_object(**AT, CopySource={"Bucket": BUCKET, "Key": "full"}),
        lambda cos: cos.objects.copy(BUCKET, "held", (BUCKET, "full")),
        403,
        aiocos.ObjectProtected,
    ),
    "delete": (
        lambda sdk: sdk.delete_object(**AT),
        lambda cos: cos.objects.delete(BUCKET, "held"),
        403,
        aiocos.ObjectProtected,
    ),
    "shorten": (
        lambda sdk: sdk.extend_object_retention(**AT, NewRetentionPeriod=20 * DAYS),
        lambda cos: cos.retention.extend(BUCKET, "held", new_period=20 * DAYS),
        400,
        aiocos.InvalidRequest,
    ),
    "the 101st hold": (
        lambda sdk: sdk.add_legal_hold(Bucket=BUCKET, Key="full", RetentionLegalHoldId="more"),
        lambda cos: cos.legal_holds.add(BUCKET, "full", "more"),
        400,
        aiocos.InvalidRequest,
    ),
    "a bad id": (
        lambda sdk: sdk.add_legal_hold(**AT, RetentionLegalHoldId="a b"),
        lambda cos: cos.legal_holds.add(BUCKET, "held", "a b"),
        400,
        aiocos.InvalidRequest,
    ),
    "an id that is too long": (
        lambda sdk: sdk.add_legal_hold(**AT, RetentionLegalHoldId="x" * 65),
        lambda cos: cos.legal_holds.add(BUCKET, "held", "x" * 65),
        400,
        aiocos.InvalidRequest,
    ),
    "the same hold": (
        lambda sdk: sdk.add_legal_hold(**AT, RetentionLegalHoldId="hold"),
        lambda cos: cos.legal_holds.add(BUCKET, "held", "hold"),
        409,
        aiocos.Conflict,
    ),
    "a hold without retention": (
        lambda sdk: sdk.add_legal_hold(Bucket="plain", Key="key", RetentionLegalHoldId="a"),
        lambda cos: cos.legal_holds.add("plain", "key", "a"),
        400,
        aiocos.InvalidRequest,
    ),
    "holds of what has no retention": (
        lambda sdk: sdk.list_legal_holds(Bucket="plain", Key="key"),
        lambda cos: cos.legal_holds.list("plain", "key"),
        404,
        aiocos.NotFound,
    ),
    "period and date": (
        lambda sdk: sdk.put_object(Bucket=BUCKET, Key="new", Body=b"", RetentionPeriod=20 * DAYS, RetentionExpirationDate=DATE),
        lambda cos: cos.objects.put(BUCKET, "new", b"", retention_period=20 * DAYS, retention_expires=DATE),
        400,
        aiocos.InvalidRequest,
    ),
    "the bucket": (
        lambda sdk: sdk.delete_bucket(Bucket=BUCKET),
        lambda cos: cos.buckets.delete(BUCKET),
        409,
        aiocos.BucketNotEmpty,
    ),
}


@pytest.fixture
async def filled(cos: Client) -> None:
    await cos.buckets.create("plain")
    await cos.objects.put("plain", "key", b"x")
    await cos.buckets.create(BUCKET)
    await cos.protection.put(BUCKET, ProtectionConfiguration.of_days(minimum=10, default=100, maximum=1000))
    await cos.objects.put(BUCKET, "held", b"text", retention_legal_hold_id="hold")
    await cos.objects.put(BUCKET, "full", b"text")
    for n in range(100):
        await cos.legal_holds.add(BUCKET, "full", f"h{n}")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("credentials", ["iam", "hmac"])
async def test_requests_that_must_be_refused(cos_emulator: Emulator, cos: Client, credentials: str) -> None:
    sdk = await asyncio.to_thread(sdk_client, cos_emulator, credentials)
    for name, (theirs, ours, status, kind) in REFUSALS.items():
        with pytest.raises(ClientError) as caught:
            await asyncio.to_thread(theirs, sdk)
        with pytest.raises(kind) as raised:
            await ours(cos)
        assert raised.value.status == status, name
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status, name
        assert caught.value.response["Error"]["Code"] == raised.value.code, name
    sdk.close()
    assert await cos.objects.read(BUCKET, "held") == b"text"
    assert (await cos.objects.head(BUCKET, "held")).legal_hold_count == 1


@pytest.mark.usefixtures("filled")
async def test_bulk_deletion_reports_each_protected_key(cos_emulator: Emulator, cos: Client) -> None:
    sdk = await asyncio.to_thread(sdk_client, cos_emulator, "iam")
    caught = await asyncio.to_thread(
        sdk.delete_objects, Bucket=BUCKET, Delete={"Objects": [{"Key": "held"}, {"Key": "missing"}]}
    )
    sdk.close()
    assert [(e["Key"], e["Code"]) for e in caught["Errors"]] == [("held", "AccessDenied")]
    result = await cos.objects.delete_many(BUCKET, ["held", "missing"])
    assert [(e.key, e.code) for e in result.errors] == [("held", "AccessDenied")]
    assert [d.key for d in result.deleted] == ["missing"]


async def test_archive_and_restore_with_the_sdk(cos_emulator: Emulator) -> None:
    """Archive rule, restore and its progress, as in the SDK's examples."""

    def calls() -> None:
        cos = sdk_client(cos_emulator, "hmac")
        cos.create_bucket(Bucket="cold")
        rule = {"ID": "archive", "Status": "Enabled", "Filter": {"Prefix": ""}}
        rules = {"Rules": [{**rule, "Transitions": [{"Days": 0, "StorageClass": "ACCELERATED"}]}]}
        cos.put_bucket_lifecycle_configuration(Bucket="cold", LifecycleConfiguration=rules)
        assert cos.get_bucket_lifecycle_configuration(Bucket="cold")["Rules"] == rules["Rules"]
        cos.put_object(Bucket="cold", Key="key", Body=b"text")
        with pytest.raises(ClientError, match="InvalidObjectState"):
            cos.get_object(Bucket="cold", Key="key")
        request = {"Days": 2, "GlacierJobParameters": {"Tier": "Accelerated"}}
        restored = cos.restore_object(Bucket="cold", Key="key", RestoreRequest=request)
        assert restored["ResponseMetadata"]["HTTPStatusCode"] == 202
        head = cos.head_object(Bucket="cold", Key="key")
        assert (head["Restore"], head["StorageClass"]) == ('ongoing-request="true"', "ACCELERATED")
        cos.delete_bucket_lifecycle(Bucket="cold")
        cos.close()

    await asyncio.to_thread(calls)
