"""Right uses of `aiocos.ibm_boto3`: both checkers accept every line. Nothing here is run.

Each key and attribute has the type of its field.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=error

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_type

from aiocos import ibm_boto3
from aiocos.ibm_boto3 import ClientError, Config, S3Client, ServiceResource
from aiocos.ibm_boto3.aspera import AsperaTransferManager
from aiocos.ibm_boto3.body import StreamingBody
from aiocos.ibm_boto3.resource.classes import Bucket, Object, ObjectSummary, ObjectVersion
from aiocos.ibm_boto3.s3.transfer import MB, TransferConfig, TransferManager
from aiocos.ibm_boto3.type_defs import (
    HeadObjectOutputTypeDef,
    LifecycleConfigurationTypeDef,
    ListObjectsV2OutputTypeDef,
    ObjectEntryTypeDef,
    PutObjectOutputTypeDef,
    UploadArgsTypeDef,
)

if TYPE_CHECKING:
    from aiocos.ibm_boto3.paginate import ListObjectsV2Paginator
    from aiocos.ibm_boto3.waiters import ObjectExistsWaiter


async def clients() -> None:
    """Make clients and resources: by the module, by a session."""
    ibm_boto3.setup_default_session(ibm_api_key_id="key", region_name="eu-de")
    session = ibm_boto3.Session(ibm_api_key_id="key", ibm_service_instance_id="crn:…", region_name="us-south")
    config = Config(signature_version="oauth", connect_timeout=5, retries={"max_attempts": 3})
    async with ibm_boto3.client("s3", ibm_api_key_id="key", config=config, endpoint_url="https://host") as cos:
        assert_type(cos, S3Client)
        assert_type(cos.meta.endpoint_url, str)
    async with session.client("s3", verify=False) as cos:
        assert_type(await cos.head_object(Bucket="b", Key="k"), HeadObjectOutputTypeDef)
    async with session.resource("s3") as service:
        assert_type(service, ServiceResource)
        assert_type(service.meta.client, S3Client)


async def objects(cos: S3Client) -> None:
    """Write, read, list and delete objects."""
    put = await cos.put_object(Bucket="b", Key="k", Body=b"data", Metadata={"a": "b"}, ContentType="text/plain")
    assert_type(put, PutObjectOutputTypeDef)
    assert_type(put["ETag"], str)
    assert_type(put["ResponseMetadata"]["HTTPStatusCode"], int)
    assert_type(put.get("VersionId"), str | None)
    await cos.put_object(Bucket="b", Key="k", Body="text", RetentionPeriod=60, ObjectLockMode="GOVERNANCE")
    await cos.put_object(Bucket="b", Key="k", Body=io.BytesIO(), Expires=datetime.now(UTC))
    await cos.put_object(Bucket="b", Key="k", Body=chunks(), Expires="2030-01-01")

    got = await cos.get_object(Bucket="b", Key="k", Range="bytes=0-3")
    assert_type(got["Body"], StreamingBody)
    async with got["Body"] as body:
        assert_type(await body.read(), bytes)
        async for chunk in body.iter_chunks(1024):
            assert_type(chunk, bytes)
    await cos.put_object(Bucket="b", Key="copy", Body=got["Body"])

    page = await cos.list_objects_v2(Bucket="b", Prefix="p/", MaxKeys=10)
    assert_type(page["IsTruncated"], bool)
    for entry in page.get("Contents", []):
        assert_type(entry, ObjectEntryTypeDef)
        assert_type(entry["Key"], str)
        assert_type(entry.get("LastModified"), datetime | None)
    await cos.copy_object(Bucket="b", Key="k", CopySource={"Bucket": "b", "Key": "from"}, MetadataDirective="REPLACE")
    await cos.copy_object(Bucket="b", Key="k", CopySource="b/from")
    deleted = await cos.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "1"}]})
    for failure in deleted.get("Errors", []):
        assert_type(failure.get("Code"), str | None)
    assert_type(cos.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}, ExpiresIn=60), str)


async def chunks() -> AsyncIterator[bytes]:
    """Yield a body in chunks."""
    yield b"data"


async def multipart(cos: S3Client) -> None:
    """Upload in parts."""
    upload = await cos.create_multipart_upload(Bucket="b", Key="k")
    identity = upload["UploadId"]
    part = await cos.upload_part(Bucket="b", Key="k", UploadId=identity, PartNumber=1, Body=b"x")
    await cos.complete_multipart_upload(
        Bucket="b", Key="k", UploadId=identity, MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    )


async def settings(cos: S3Client) -> None:
    """Write settings, and write back what was read."""
    rules: LifecycleConfigurationTypeDef = {
        "Rules": [{"ID": "1", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}]
    }
    await cos.put_bucket_lifecycle_configuration(Bucket="b", LifecycleConfiguration=rules)
    found = await cos.get_bucket_lifecycle_configuration(Bucket="b")
    await cos.put_bucket_lifecycle_configuration(Bucket="b", LifecycleConfiguration={"Rules": found.get("Rules", [])})
    tags = await cos.get_bucket_tagging(Bucket="b")
    await cos.put_bucket_tagging(Bucket="b", Tagging={"TagSet": tags["TagSet"]})
    retention = await cos.get_object_retention(Bucket="b", Key="k")
    await cos.put_object_retention(Bucket="b", Key="k", Retention=retention["Retention"])


async def pages(cos: S3Client) -> None:
    """Iterate over pages, and wait."""
    paginator: ListObjectsV2Paginator = cos.get_paginator("list_objects_v2")
    async for page in paginator.paginate(Bucket="b", Prefix="p/", PaginationConfig={"MaxItems": 10, "PageSize": 5}):
        assert_type(page, ListObjectsV2OutputTypeDef)
    whole = await cos.get_paginator("list_object_versions").paginate(Bucket="b").build_full_result()
    assert_type(whole.get("NextToken"), str | None)
    for version in whole.get("Versions", []):
        assert_type(version.get("IsLatest"), bool | None)
    waiter: ObjectExistsWaiter = cos.get_waiter("object_exists")
    await waiter.wait(Bucket="b", Key="k", WaiterConfig={"Delay": 1, "MaxAttempts": 3})
    await cos.get_waiter("bucket_not_exists").wait(Bucket="b")


async def resources(service: ServiceResource) -> None:
    """Use resources and collections."""
    bucket = service.Bucket("b")
    assert_type(bucket, Bucket)
    assert_type(bucket.name, str)
    async for summary in bucket.objects.filter(Prefix="p/").limit(10):
        assert_type(summary, ObjectSummary)
        assert_type(summary.key, str)
        assert_type(summary.size, int | None)
        assert_type(summary.Object(), Object)
    async for page in bucket.objects.page_size(100).pages():
        assert_type(page, list[ObjectSummary])
    async for version in bucket.object_versions.all():
        assert_type(version, ObjectVersion)
    await bucket.objects.filter(Prefix="old/").delete(Delete={"Quiet": True})
    made = await service.create_bucket(Bucket="b", CreateBucketConfiguration={"LocationConstraint": "eu-de-smart"})
    assert_type(made, Bucket)
    obj = await bucket.Object("k")
    assert_type(obj, Object)
    assert_type(obj.e_tag, str)
    assert_type((await obj.get())["Body"], StreamingBody)
    assert_type(await obj.put(Body=b"x"), PutObjectOutputTypeDef)
    acl = await bucket.Acl()
    assert_type(acl.grants[0].get("Permission"), str | None)
    await bucket.Versioning().enable()
    upload = await obj.initiate_multipart_upload()
    await upload.Part(1).upload(Body=b"x")
    await obj.wait_until_exists()
    await bucket.upload_file("file", "k")
    await obj.download_file("file")
    async for one in service.buckets.all():
        assert_type(one, Bucket)


async def transfers(cos: S3Client) -> None:
    """Transfer files and file objects."""
    config = TransferConfig(multipart_chunksize=5 * MB)
    extra: UploadArgsTypeDef = {"ContentType": "text/plain", "Metadata": {"a": "b"}}
    await cos.upload_file("file", "b", "k", ExtraArgs=extra, Callback=print, Config=config)
    await cos.upload_fileobj(io.BytesIO(b"x"), "b", "k", ExtraArgs={"RetentionPeriod": 60})
    await cos.download_file("b", "k", "file")
    await cos.download_fileobj("b", "k", io.BytesIO(), ExtraArgs={"VersionId": "1"})
    await cos.copy({"Bucket": "b", "Key": "from"}, "b", "k", SourceClient=cos)
    async with TransferManager(cos, config) as manager:
        future = manager.upload("file", "b", "k", {"ContentType": "text/plain"})
        await future.result()
        assert_type(future.meta.size, int | None)
    async with AsperaTransferManager(cos) as aspera:
        await aspera.upload_directory("directory", "b", "prefix")


async def errors(cos: S3Client) -> None:
    """Catch exceptions."""
    try:
        await cos.head_object(Bucket="b", Key="k")
    except cos.exceptions.NoSuchKey as error:
        assert_type(error.operation_name, str)
    except ClientError as error:
        assert_type(error.response["Error"]["Code"], str)
        assert_type(error.response["ResponseMetadata"]["HTTPStatusCode"], int)
