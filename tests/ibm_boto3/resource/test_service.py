"""The service resource."""

from __future__ import annotations

from typing import Any

import pytest

from aiocos import ibm_boto3 as ours
from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import ClientError, Config
from aiocos.ibm_boto3.exceptions import WaiterError
from aiocos.ibm_boto3.resource import ServiceResource

BUCKET = "resource-bucket"


async def test_the_service_creates_a_bucket(cos: Any) -> None:
    bucket = await cos.create_bucket(
        Bucket="another-bucket", CreateBucketConfiguration={"LocationConstraint": "us-south-smart"}
    )
    assert bucket == cos.Bucket("another-bucket")
    await bucket.wait_until_exists()
    gone = await bucket.delete()
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    await bucket.wait_until_not_exists()
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        await bucket.wait_until_exists(WaiterConfig={"Delay": 0, "MaxAttempts": 2})
    with pytest.raises(ClientError, match="BucketAlreadyOwnedByYou"):
        await cos.create_bucket(Bucket=BUCKET)


async def test_the_service_is_a_context_manager(cos_emulator: Emulator) -> None:
    client = cos_emulator.client()
    resource = ServiceResource(ours.S3Client(client, Config()))
    async with resource as entered:
        assert entered is resource
        assert [bucket async for bucket in resource.buckets] == []
    await resource.close()
    assert resource.meta.client.typed is client
    assert resource.meta.service_name == "s3"
