"""What IBM's documentation shows of resources, with `await` added and nothing else changed."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.ibm_boto3.resource.helpers import connected

from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import ClientError

BUCKET, ITEM = "sample-bucket", "sample.txt"


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[Any]:
    async with connected(cos_emulator) as resource:
        yield resource


async def test_sample_20_create_bucket(cos: Any) -> None:
    await cos.Bucket(BUCKET).create(CreateBucketConfiguration={"LocationConstraint": "us-south-smart"})
    assert (await cos.meta.client.get_bucket_location(Bucket=BUCKET))["LocationConstraint"] == "us-south-smart"


async def test_sample_51_create_bucket_kp(cos: Any) -> None:
    crn = "crn:v1:bluemix:public:kms:us-south:a/1:2:key:3"
    await cos.Bucket(BUCKET).create(
        CreateBucketConfiguration={"LocationConstraint": "us-south-standard"},
        IBMSSEKPEncryptionAlgorithm="AES256",
        IBMSSEKPCustomerRootKeyCrn=crn,
    )
    head = await cos.meta.client.head_bucket(Bucket=BUCKET)
    assert (head["IBMSSEKPEnabled"], head["IBMSSEKPCrkId"]) == (True, "3")


async def test_sample_21_create_text_file_and_25_get_item(cos: Any) -> None:
    await cos.Bucket(BUCKET).create()
    await cos.Object(BUCKET, ITEM).put(Body="the text, ü")
    file = await cos.Object(BUCKET, ITEM).get()
    assert await file["Body"].read() == "the text, ü".encode()


async def test_sample_22_get_buckets(cos: Any) -> None:
    names: list[str] = []
    for name in (BUCKET, f"{BUCKET}-2"):
        await cos.Bucket(name).create()
    buckets = cos.buckets.all()
    async for bucket in buckets:
        names += [bucket.name]
    assert names == [BUCKET, f"{BUCKET}-2"]


async def test_sample_23_get_bucket_contents(cos: Any) -> None:
    await cos.Bucket(BUCKET).create()
    await cos.Object(BUCKET, "a").put(Body="1")
    await cos.Object(BUCKET, "b").put(Body="22")
    found: list[tuple[str, int]] = []
    files = cos.Bucket(BUCKET).objects.all()
    async for file in files:
        found += [(file.key, file.size)]
    assert found == [("a", 1), ("b", 2)]


async def test_sample_26_delete_item_and_28_delete_bucket(cos: Any) -> None:
    await cos.Bucket(BUCKET).create()
    await cos.Object(BUCKET, ITEM).put(Body="text")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        await cos.Bucket(BUCKET).delete()
    await cos.Object(BUCKET, ITEM).delete()
    await cos.Bucket(BUCKET).delete()
    assert [bucket async for bucket in cos.buckets.all()] == []


async def test_sample_29_get_bucket_acl_and_30_get_item_acl(cos: Any, cos_emulator: Emulator) -> None:
    owner = cos_emulator.service_instance_id.split(":")[7]
    await cos.Bucket(BUCKET).create()
    await cos.Object(BUCKET, ITEM).put(Body="text")
    for made in (cos.Bucket(BUCKET).Acl(), cos.Object(BUCKET, ITEM).Acl()):
        acl = await made
        assert acl.owner["DisplayName"] == owner
        seen = [(grant["Grantee"]["DisplayName"], grant["Permission"]) for grant in acl.grants]
        assert seen == [(owner, "FULL_CONTROL")]


async def test_sample_40_multi_part_upload(cos: Any, cos_emulator: Emulator) -> None:
    part_size, file_threshold = 1024 * 1024 * 5, 1024 * 1024 * 15
    transfer_config = ibm_boto3.s3.transfer.TransferConfig(multipart_threshold=file_threshold, multipart_chunksize=part_size)
    await cos.Bucket(BUCKET).create()
    for size, parts in ((file_threshold - 1, 0), (file_threshold, 3)):
        cos_emulator.requests.clear()
        with io.BytesIO(bytes(size)) as file_data:
            await cos.Object(BUCKET, ITEM).upload_fileobj(Fileobj=file_data, Config=transfer_config)
        assert [served.operation for served in cos_emulator.requests].count("UploadPart") == parts
        assert (await cos.Object(BUCKET, ITEM)).content_length == size
