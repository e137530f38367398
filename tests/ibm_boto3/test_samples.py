"""IBM's page "Using Python", sample by sample: the same calls with the same parameters, awaited, and what the page promises.

The numbers are those of the samples, in the order of the page: setting up (1), buckets and objects (20), uploads (40), Key
Protect (50). Immutable storage (60) and archive (80) are in `test_samples_storage`; samples of resources and transfers are in
the tests of these.
"""

from __future__ import annotations

import json
import math
import os
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
async def cos(client: S3Client) -> S3Client:
    await client.create_bucket(Bucket=BUCKET)
    return client


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


async def test_sample_13_the_location_is_one_of_the_endpoints(client: S3Client) -> None:
    with pytest.raises(ClientError) as caught:
        await client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "the-moon"})
    assert caught.value.response["Error"]["Code"] == "InvalidLocationConstraint"


# ---------------------------------------------------------------------------------------------------------------------
# 2. Buckets and objects


async def test_sample_20_create_bucket(client: S3Client) -> None:
    try:
        await client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": LOCATION})
    except ClientError as be:
        pytest.fail(f"CLIENT ERROR: {be}")
    assert (await client.get_bucket_location(Bucket=BUCKET))["LocationConstraint"] == LOCATION


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


async def test_sample_51_create_bucket_kp(client: S3Client) -> None:
    crn = "crn:v1:bluemix:public:kms:us-south:a/0123:4567:key:89ab"
    await client.create_bucket(
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": LOCATION},
        IBMSSEKPEncryptionAlgorithm="AES256",
        IBMSSEKPCustomerRootKeyCrn=crn,
    )
    told = await client.head_bucket(Bucket=BUCKET)
    assert told["IBMSSEKPEnabled"] is True
    assert told["IBMSSEKPCrkId"]
