"""IBM's page "Using Python", its samples about immutable storage (60) and archive (80): see `test_samples`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import ClientError, S3Client

BUCKET, ITEM = "a-new-bucket", "item.txt"
LOCATION = "us-south-smart"


@pytest.fixture
async def cos(client: S3Client) -> S3Client:
    await client.create_bucket(Bucket=BUCKET)
    return client


# ---------------------------------------------------------------------------------------------------------------------
# 5. Immutable storage

PROTECTION = {
    "Status": "Retention",
    "MinimumRetention": {"Days": 10},
    "DefaultRetention": {"Days": 100},
    "MaximumRetention": {"Days": 1000},
}


@pytest.fixture
async def protected(cos: S3Client) -> S3Client:
    await cos.put_bucket_protection_configuration(Bucket=BUCKET, ProtectionConfiguration=PROTECTION)
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="contents")
    return cos


async def test_sample_60_add_protection_configuration(cos: S3Client) -> None:
    new_protection_config = dict(PROTECTION)
    await cos.put_bucket_protection_configuration(Bucket=BUCKET, ProtectionConfiguration=new_protection_config)
    for days in (-1, 365244):
        with pytest.raises(ClientError):
            await cos.put_bucket_protection_configuration(
                Bucket=BUCKET, ProtectionConfiguration={**PROTECTION, "MaximumRetention": {"Days": days}}
            )


async def test_sample_61_get_protection_configuration(protected: S3Client) -> None:
    response = await protected.get_bucket_protection_configuration(Bucket=BUCKET)
    assert response.get("ProtectionConfiguration") == PROTECTION


async def test_sample_62_put_object_add_legal_hold(protected: S3Client) -> None:
    response = await protected.put_object(Bucket=BUCKET, Key="held", Body="text", RetentionLegalHoldId="hold-1")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert (await protected.head_object(Bucket=BUCKET, Key="held"))["RetentionLegalHoldCount"] == 1


async def test_sample_63_copy_protected_object(protected: S3Client) -> None:
    copy_source = {"Bucket": BUCKET, "Key": ITEM}
    for n, directive in enumerate(("Copy", "COPY")):
        await protected.copy_object(Bucket=BUCKET, Key=f"copy-{n}", CopySource=copy_source, RetentionDirective=directive)
        copy = await protected.head_object(Bucket=BUCKET, Key=f"copy-{n}")
        assert copy["RetentionPeriod"] == 100 * 86400


async def test_sample_64_complete_multipart_upload_with_retention(protected: S3Client) -> None:
    upload = await protected.create_multipart_upload(Bucket=BUCKET, Key="parts")
    part = await protected.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload["UploadId"], PartNumber=1, Body=b"content")
    await protected.complete_multipart_upload(
        Bucket=BUCKET,
        Key="parts",
        MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]},
        UploadId=upload["UploadId"],
        RetentionPeriod=864_000,
    )
    assert (await protected.head_object(Bucket=BUCKET, Key="parts"))["RetentionPeriod"] == 864_000


async def test_sample_65_what_the_headers_mean(protected: S3Client) -> None:
    both = {"RetentionPeriod": 864_000, "RetentionExpirationDate": datetime.now(UTC) + timedelta(days=20)}
    for wrong in (both, {"RetentionPeriod": 0}, {"RetentionPeriod": 1}):
        with pytest.raises(ClientError) as caught:
            await protected.put_object(Bucket=BUCKET, Key="new", Body="x", **wrong)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
    await protected.put_object(Bucket=BUCKET, Key="new", Body="x", RetentionExpirationDate=until)
    assert (await protected.head_object(Bucket=BUCKET, Key="new"))["RetentionExpirationDate"] == until
    # Without either, the bucket's default.
    assert (await protected.head_object(Bucket=BUCKET, Key=ITEM))["RetentionPeriod"] == 100 * 86400


async def test_sample_66_add_and_delete_legal_hold(protected: S3Client) -> None:
    await protected.add_legal_hold(Bucket=BUCKET, Key=ITEM, RetentionLegalHoldId="hold-1")
    told = await protected.list_legal_holds(Bucket=BUCKET, Key=ITEM)
    assert [hold["ID"] for hold in told["LegalHolds"]] == ["hold-1"]
    await protected.delete_legal_hold(Bucket=BUCKET, Key=ITEM, RetentionLegalHoldId="hold-1")
    assert not (await protected.list_legal_holds(Bucket=BUCKET, Key=ITEM)).get("LegalHolds")


async def test_sample_67_how_many_and_which_holds(protected: S3Client) -> None:
    for wrong in ("x" * 65, "a/b"):
        with pytest.raises(ClientError, match="InvalidArgument"):
            await protected.add_legal_hold(Bucket=BUCKET, Key=ITEM, RetentionLegalHoldId=wrong)
    for n in range(100):
        await protected.add_legal_hold(Bucket=BUCKET, Key=ITEM, RetentionLegalHoldId=f"hold-{n}")
    for hold, status in (("hold-5", 409), ("one-more", 400)):
        with pytest.raises(ClientError) as caught:
            await protected.add_legal_hold(Bucket=BUCKET, Key=ITEM, RetentionLegalHoldId=hold)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


async def test_sample_68_extend_retention(protected: S3Client) -> None:
    async def period() -> int:
        return (await protected.head_object(Bucket=BUCKET, Key=ITEM))["RetentionPeriod"]

    await protected.extend_object_retention(Bucket=BUCKET, Key=ITEM, AdditionalRetentionPeriod=60)
    assert await period() == 100 * 86400 + 60
    await protected.extend_object_retention(Bucket=BUCKET, Key=ITEM, NewRetentionPeriod=200 * 86400)
    assert await period() == 200 * 86400
    await protected.extend_object_retention(Bucket=BUCKET, Key=ITEM, ExtendRetentionFromCurrentTime=300 * 86400)
    assert 300 * 86400 <= await period() < 300 * 86400 + 60
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=400)
    await protected.extend_object_retention(Bucket=BUCKET, Key=ITEM, NewRetentionExpirationDate=until)
    assert (await protected.head_object(Bucket=BUCKET, Key=ITEM))["RetentionExpirationDate"] == until


async def test_sample_69_a_period_can_only_grow(protected: S3Client) -> None:
    with pytest.raises(ClientError, match="InvalidArgument"):
        await protected.extend_object_retention(Bucket=BUCKET, Key=ITEM, NewRetentionPeriod=50 * 86400)


async def test_sample_70_list_legal_holds(protected: S3Client) -> None:
    response = await protected.list_legal_holds(Bucket=BUCKET, Key=ITEM)
    assert response["RetentionPeriod"] == 100 * 86400
    assert response["RetentionPeriodExpirationDate"] - response["CreateTime"] == timedelta(days=100)
    assert response.get("LegalHolds", []) == []
    await protected.add_legal_hold(Bucket=BUCKET, Key=ITEM, RetentionLegalHoldId="hold-1")
    (hold,) = (await protected.list_legal_holds(Bucket=BUCKET, Key=ITEM))["LegalHolds"]
    assert (hold["ID"], hold["Date"].tzinfo is not None) == ("hold-1", True)
    await protected.create_bucket(Bucket="free")
    await protected.put_object(Bucket="free", Key=ITEM, Body="x")
    with pytest.raises(ClientError) as caught:
        await protected.list_legal_holds(Bucket="free", Key=ITEM)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


async def test_sample_71_what_has_expired_can_be_overwritten(protected: S3Client, cos_emulator: Emulator) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        await protected.put_object(Bucket=BUCKET, Key=ITEM, Body="other")
    cos_emulator.clock.advance(days=101)
    await protected.put_object(Bucket=BUCKET, Key=ITEM, Body="other")
    with pytest.raises(ClientError, match="AccessDenied"):
        await protected.delete_object(Bucket=BUCKET, Key=ITEM)


async def test_sample_72_open_ended_and_permanent_retention(cos: S3Client) -> None:
    permanent = {**PROTECTION, "EnablePermanentRetention": True}
    await cos.put_bucket_protection_configuration(Bucket=BUCKET, ProtectionConfiguration=permanent)
    for period in (-1, -2):
        await cos.put_object(Bucket=BUCKET, Key=f"kept{period}", Body="x", RetentionPeriod=period)
        assert (await cos.head_object(Bucket=BUCKET, Key=f"kept{period}"))["RetentionPeriod"] == period
        with pytest.raises(ClientError, match="AccessDenied"):
            await cos.delete_object(Bucket=BUCKET, Key=f"kept{period}")


# ---------------------------------------------------------------------------------------------------------------------
# 6. Archive


async def test_sample_80_archive_by_days_or_date(cos: S3Client, cos_emulator: Emulator) -> None:
    for when in ({"Days": 2}, {"Date": datetime(2040, 1, 1, tzinfo=UTC)}):
        rule = {"ID": "cold", "Status": "Enabled", "Filter": {"Prefix": ""}}
        transition = {**when, "StorageClass": "GLACIER"}
        await cos.put_bucket_lifecycle_configuration(
            Bucket=BUCKET, LifecycleConfiguration={"Rules": [{**rule, "Transitions": [transition]}]}
        )
        (told,) = (await cos.get_bucket_lifecycle_configuration(Bucket=BUCKET))["Rules"]
        assert told["Transitions"] == [transition]


async def test_sample_81_restore_a_copy(cos: S3Client, cos_emulator: Emulator) -> None:
    rule = {"Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}]}
    await cos.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="contents")
    with pytest.raises(ClientError, match="InvalidObjectState"):
        await cos.get_object(Bucket=BUCKET, Key=ITEM)
    await cos.restore_object(Bucket=BUCKET, Key=ITEM, RestoreRequest={"Days": 3, "GlacierJobParameters": {"Tier": "Bulk"}})
    assert 'ongoing-request="true"' in (await cos.head_object(Bucket=BUCKET, Key=ITEM))["Restore"]
    cos_emulator.clock.advance(hours=15)
    assert 'ongoing-request="false"' in (await cos.head_object(Bucket=BUCKET, Key=ITEM))["Restore"]
    assert await (await cos.get_object(Bucket=BUCKET, Key=ITEM))["Body"].read() == b"contents"
    cos_emulator.clock.advance(days=4)
    with pytest.raises(ClientError, match="InvalidObjectState"):
        await cos.get_object(Bucket=BUCKET, Key=ITEM)


async def test_sample_82_accelerated_archive(cos: S3Client, cos_emulator: Emulator) -> None:
    rule = {"Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 0, "StorageClass": "ACCELERATED"}]}
    await cos.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="contents")
    await cos.restore_object(
        Bucket=BUCKET, Key=ITEM, RestoreRequest={"Days": 1, "GlacierJobParameters": {"Tier": "Accelerated"}}
    )
    cos_emulator.clock.advance(hours=2.1)
    assert await (await cos.get_object(Bucket=BUCKET, Key=ITEM))["Body"].read() == b"contents"


async def test_sample_83_read_and_delete_the_policy(cos: S3Client) -> None:
    rule = {"Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}
    await cos.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    assert len((await cos.get_bucket_lifecycle_configuration(Bucket=BUCKET))["Rules"]) == 1
    await cos.delete_bucket_lifecycle(Bucket=BUCKET)
    with pytest.raises(ClientError) as caught:
        await cos.get_bucket_lifecycle_configuration(Bucket=BUCKET)
    assert caught.value.response["Error"]["Code"] == "NoSuchLifecycleConfiguration"
