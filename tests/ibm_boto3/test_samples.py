"""IBM's page "Using Python", sample by sample: the same calls with the same parameters, awaited, and what the page promises.

The numbers are those of the samples, in the order of the page: setting up (1), buckets and objects (20), uploads (40), Key
Protect (50), immutable storage (60), archive (80). Samples that use resources or transfers are in the tests of these.
"""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import ClientError, Config, S3Client

BUCKET, ITEM = "a-new-bucket", "item.txt"
LOCATION = "us-south-smart"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without anybody's credentials."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "IBM_", "COS_", "TRUSTED_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def _kept(home: Path, name: str, text: str) -> None:
    path = home / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


async def _works(emulator: Emulator, **arguments: Any) -> None:
    async with ibm_boto3.client("s3", endpoint_url=emulator.endpoint, **arguments) as cos:
        await cos.create_bucket(Bucket=BUCKET)
        assert [bucket["Name"] for bucket in (await cos.list_buckets())["Buckets"]] == [BUCKET]


@pytest.fixture
async def cos(face: S3Client) -> S3Client:
    await face.create_bucket(Bucket=BUCKET)
    return face


# ---------------------------------------------------------------------------------------------------------------------
# 1. Setting up


async def test_sample_01_beside_boto3() -> None:
    import boto3
    import ibm_boto3 as ibms

    assert len({boto3.client, ibms.client, ibm_boto3.client}) == 3


async def test_sample_02_service_resource(cos_emulator: Emulator) -> None:
    cos = ibm_boto3.resource(
        "s3",
        ibm_api_key_id=cos_emulator.api_key,
        ibm_service_instance_id=cos_emulator.service_instance_id,
        ibm_auth_endpoint=cos_emulator.iam_endpoint,
        config=Config(signature_version="oauth"),
        endpoint_url=cos_emulator.endpoint,
    )
    async with cos:
        assert (await cos.meta.client.list_buckets())["Buckets"] == []


async def test_sample_03_low_level_client(cos_emulator: Emulator) -> None:
    cos = ibm_boto3.client(
        "s3",
        ibm_api_key_id=cos_emulator.api_key,
        ibm_service_instance_id=cos_emulator.service_instance_id,
        ibm_auth_endpoint=cos_emulator.iam_endpoint,
        config=Config(signature_version="oauth"),
        endpoint_url=cos_emulator.endpoint,
    )
    assert (await cos.list_buckets())["Buckets"] == []
    await cos.close()


async def test_sample_04_an_older_auth_endpoint(cos_emulator: Emulator) -> None:
    endpoint = f"{cos_emulator.endpoint}/oidc/token"
    await _works(
        cos_emulator,
        ibm_api_key_id=cos_emulator.api_key,
        ibm_service_instance_id=cos_emulator.service_instance_id,
        ibm_auth_endpoint=endpoint,
    )


async def test_sample_06_credentials_of_a_file(cos_emulator: Emulator, home: Path) -> None:
    credential = {"apikey": cos_emulator.api_key, "resource_instance_id": cos_emulator.service_instance_id}
    _kept(home, ".bluemix/cos_credentials", json.dumps(credential))
    # README: the config still says `oauth`.
    await _works(cos_emulator, ibm_auth_endpoint=cos_emulator.iam_endpoint, config=Config(signature_version="oauth"))
    # Explicit credentials win over it.
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        await _works(cos_emulator, aws_access_key_id="explicit", aws_secret_access_key="and unknown here")


async def test_sample_07_hmac_keys_in_that_file_sign(cos_emulator: Emulator, home: Path) -> None:
    pair = {"access_key_id": cos_emulator.access_key_id, "secret_access_key": cos_emulator.secret_access_key}
    credential = {"apikey": "not used", "resource_instance_id": "crn:…", "cos_hmac_keys": pair}
    _kept(home, ".bluemix/cos_credentials", json.dumps(credential))
    await _works(cos_emulator)
    assert "CreateToken" not in [served.operation for served in cos_emulator.requests]


async def test_sample_08_credentials_of_the_environment(
    cos_emulator: Emulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IBM_API_KEY_ID", cos_emulator.api_key)
    monkeypatch.setenv("IBM_SERVICE_INSTANCE_ID", cos_emulator.service_instance_id)
    monkeypatch.setenv("IBM_AUTH_ENDPOINT", cos_emulator.iam_endpoint)
    await _works(cos_emulator)


async def test_sample_09_an_api_key_in_the_file_of_aws(cos_emulator: Emulator, home: Path) -> None:
    key, instance = cos_emulator.api_key, cos_emulator.service_instance_id
    _kept(home, ".aws/credentials", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {instance}\n")
    await _works(cos_emulator, ibm_auth_endpoint=cos_emulator.iam_endpoint)


async def test_sample_10_the_file_of_ibm_wins(cos_emulator: Emulator, home: Path) -> None:
    credential = {"apikey": cos_emulator.api_key, "resource_instance_id": cos_emulator.service_instance_id}
    _kept(home, ".bluemix/cos_credentials", json.dumps(credential))
    _kept(home, ".aws/credentials", "[default]\naws_access_key_id = other\naws_secret_access_key = unknown\n")
    await _works(cos_emulator, ibm_auth_endpoint=cos_emulator.iam_endpoint)


async def test_sample_11_hmac_keys_in_the_file_of_aws_or_the_environment(
    cos_emulator: Emulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = cos_emulator.access_key_id, cos_emulator.secret_access_key
    _kept(home, ".aws/credentials", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    await _works(cos_emulator)
    _kept(home, ".aws/credentials", "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    async with ibm_boto3.client("s3", endpoint_url=cos_emulator.endpoint) as cos:
        assert len((await cos.list_buckets())["Buckets"]) == 1


async def test_sample_13_the_location_is_one_of_the_endpoints(face: S3Client) -> None:
    with pytest.raises(ClientError) as caught:
        await face.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "the-moon"})
    assert caught.value.response["Error"]["Code"] == "InvalidLocationConstraint"


# ---------------------------------------------------------------------------------------------------------------------
# 2. Buckets and objects


async def test_sample_20_create_bucket(face: S3Client) -> None:
    try:
        await face.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": LOCATION})
    except ClientError as be:
        pytest.fail(f"CLIENT ERROR: {be}")
    assert (await face.get_bucket_location(Bucket=BUCKET))["LocationConstraint"] == LOCATION


async def test_sample_21_create_text_file(cos: S3Client) -> None:
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="These are the contents of the file: ü")
    file = await cos.get_object(Bucket=BUCKET, Key=ITEM)
    assert await file["Body"].read() == "These are the contents of the file: ü".encode()


async def test_sample_22_get_buckets(cos: S3Client) -> None:
    buckets = await cos.list_buckets()
    assert [bucket["Name"] for bucket in buckets["Buckets"]] == [BUCKET]
    assert buckets["Buckets"][0]["CreationDate"].tzinfo is not None
    # The page of 2017 prints the whole answer.
    assert buckets["Owner"]["ID"] == buckets["Owner"]["DisplayName"]
    metadata = buckets["ResponseMetadata"]
    assert (metadata["HTTPStatusCode"], metadata["HostId"], metadata["RetryAttempts"]) == (200, "", 0)
    assert metadata["HTTPHeaders"]["x-clv-request-id"] == metadata["RequestId"]


async def test_sample_23_get_bucket_contents(cos: S3Client) -> None:
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="12345")
    files = await cos.list_objects(Bucket=BUCKET)
    assert [(file["Key"], file["Size"]) for file in files.get("Contents", [])] == [(ITEM, 5)]
    assert (files["Marker"], files["Prefix"], files.get("Delimiter", "")) == ("", "", "")
    assert files["Contents"][0]["Owner"]["ID"]


async def test_sample_24_get_bucket_contents_v2(cos: S3Client) -> None:
    for n in range(7):
        await cos.put_object(Bucket=BUCKET, Key=f"item-{n}", Body="x" * n)
    more_results, next_token, found, pages = True, "", [], 0
    while more_results:
        response = await cos.list_objects_v2(Bucket=BUCKET, MaxKeys=3, ContinuationToken=next_token)
        found += [(file["Key"], file["Size"]) for file in response["Contents"]]
        pages += 1
        if response["IsTruncated"]:
            next_token = response["NextContinuationToken"]
        else:
            more_results, next_token = False, ""
    assert (found, pages) == ([(f"item-{n}", n) for n in range(7)], 3)


async def test_sample_25_get_item(cos: S3Client) -> None:
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="contents")
    file = await cos.get_object(Bucket=BUCKET, Key=ITEM)
    assert f"File Contents: {await file['Body'].read()}" == "File Contents: b'contents'"


async def test_sample_26_delete_item(cos: S3Client) -> None:
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="contents")
    await cos.delete_object(Bucket=BUCKET, Key=ITEM)
    with pytest.raises(ClientError):
        await cos.head_object(Bucket=BUCKET, Key=ITEM)


async def test_sample_27_delete_items(cos: S3Client) -> None:
    for name in ("deletetest/testfile1.txt", "deletetest/testfile2.txt"):
        await cos.put_object(Bucket=BUCKET, Key=name, Body="x")
    delete_request = {"Objects": [{"Key": "deletetest/testfile1.txt"}, {"Key": "deletetest/testfile2.txt"}]}
    response = await cos.delete_objects(Bucket=BUCKET, Delete=delete_request)
    assert json.loads(json.dumps(response.get("Deleted"), indent=4)) == delete_request["Objects"]


async def test_sample_28_delete_bucket(cos: S3Client) -> None:
    await cos.delete_bucket(Bucket=BUCKET)
    assert (await cos.list_buckets())["Buckets"] == []


async def test_sample_31_update_metadata_put(cos: S3Client) -> None:
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="contents", Metadata={"old": "1"}, ContentType="text/plain")
    item = await cos.get_object(Bucket=BUCKET, Key=ITEM)
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body=await item["Body"].read(), Metadata={"key": "value"})
    changed = await cos.head_object(Bucket=BUCKET, Key=ITEM)
    # The page's way loses what it does not say again.
    assert (changed["Metadata"], changed["ContentLength"]) == ({"key": "value"}, 8)
    assert changed["ContentType"] != "text/plain"


async def test_sample_32_update_metadata_copy(cos: S3Client) -> None:
    await cos.put_object(Bucket=BUCKET, Key=ITEM, Body="contents")
    copy_source = {"Bucket": BUCKET, "Key": ITEM}
    await cos.copy_object(
        Bucket=BUCKET, Key=ITEM, CopySource=copy_source, Metadata={"key": "value"}, MetadataDirective="REPLACE"
    )
    assert (await cos.head_object(Bucket=BUCKET, Key=ITEM))["Metadata"] == {"key": "value"}


async def test_sample_33_put_bucket_website(cos: S3Client) -> None:
    website_defaults = {"ErrorDocument": {"Key": "error.html"}, "IndexDocument": {"Suffix": "index.html"}}
    await cos.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=website_defaults)
    told = await cos.get_bucket_website(Bucket=BUCKET)
    assert {name: told[name] for name in website_defaults} == website_defaults


# ---------------------------------------------------------------------------------------------------------------------
# 3. Uploads


async def test_sample_41_multi_part_upload_manual(cos: S3Client, tmp_path: Path) -> None:
    path = tmp_path / "large"
    content = os.urandom(12 * 1024 * 1024 + 7)
    path.write_bytes(content)
    mp = await cos.create_multipart_upload(Bucket=BUCKET, Key=ITEM)
    upload_id = mp["UploadId"]
    part_size, file_size, position = 1024 * 1024 * 5, path.stat().st_size, 0
    part_count = math.ceil(file_size / float(part_size))
    data_packs = []
    with path.open("rb") as file:
        for i in range(part_count):
            part_num = i + 1
            part_size = min(part_size, file_size - position)
            file_part_response = await cos.upload_part(
                Bucket=BUCKET,
                Key=ITEM,
                PartNumber=part_num,
                Body=file.read(part_size),
                ContentLength=part_size,
                UploadId=upload_id,
            )
            data_packs.append({"ETag": file_part_response["ETag"], "PartNumber": part_num})
            position += part_size
    await cos.complete_multipart_upload(Bucket=BUCKET, Key=ITEM, UploadId=upload_id, MultipartUpload={"Parts": data_packs})
    assert len(data_packs) == 3
    assert await (await cos.get_object(Bucket=BUCKET, Key=ITEM))["Body"].read() == content


async def test_sample_41_an_error_aborts_it(cos: S3Client) -> None:
    upload_id = (await cos.create_multipart_upload(Bucket=BUCKET, Key=ITEM))["UploadId"]
    with pytest.raises(ClientError):
        await cos.complete_multipart_upload(
            Bucket=BUCKET, Key=ITEM, UploadId=upload_id, MultipartUpload={"Parts": [{"ETag": "none", "PartNumber": 1}]}
        )
    await cos.abort_multipart_upload(Bucket=BUCKET, Key=ITEM, UploadId=upload_id)
    assert "Uploads" not in await cos.list_multipart_uploads(Bucket=BUCKET)


# ---------------------------------------------------------------------------------------------------------------------
# 4. Key Protect


async def test_sample_51_create_bucket_kp(face: S3Client) -> None:
    crn = "crn:v1:bluemix:public:kms:us-south:a/0123:4567:key:89ab"
    await face.create_bucket(
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": LOCATION},
        IBMSSEKPEncryptionAlgorithm="AES256",
        IBMSSEKPCustomerRootKeyCrn=crn,
    )
    told = await face.head_bucket(Bucket=BUCKET)
    assert told["IBMSSEKPEnabled"] is True
    assert told["IBMSSEKPCrkId"]


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
