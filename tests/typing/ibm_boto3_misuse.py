"""Wrong uses of `aiocos.ibm_boto3`, each of which pyright and mypy refuse. Nothing here is run.

A wrong use carries a comment that both checkers read. If one of them stops refusing the line, the comment is unnecessary for
it, and that is an error of its own: `warn_unused_ignores` of mypy (part of `--strict`), `reportUnnecessaryTypeIgnoreComment` of
pyright.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=error

from aiocos import ibm_boto3
from aiocos.ibm_boto3 import S3Client, ServiceResource, Session
from aiocos.ibm_boto3.s3.transfer import TransferManager
from aiocos.ibm_boto3.type_defs import LifecycleRuleTypeDef, UploadArgsTypeDef


async def calls(cos: S3Client) -> None:
    """Parameters of methods: their names, their types, those that are required."""
    await cos.put_object(Bucket="b", Keyy="k", Body=b"x")  # type: ignore[call-arg]
    await cos.put_object(Bucket="b", Body=b"x")  # type: ignore[call-arg]
    await cos.put_object(Bucket="b", Key=1)  # type: ignore[arg-type]
    await cos.put_object(Bucket="b", Key="k", Body=1)  # type: ignore[arg-type]
    await cos.put_object("b", "k")  # type: ignore[call-arg]
    await cos.put_object(Bucket="b", Key="k", ObjectLockMode="governance")  # type: ignore[arg-type]
    await cos.put_objects(Bucket="b", Key="k")  # type: ignore[attr-defined]
    await cos.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "a", "Version": "1"}]})  # type: ignore[typeddict-unknown-key]
    await cos.copy_object(Bucket="b", Key="k", CopySource={"Bucket": "b"})  # type: ignore[arg-type]


async def responses(cos: S3Client) -> None:
    """Keys of responses."""
    response = await cos.list_objects_v2(Bucket="b")
    response["Contentss"]  # type: ignore[typeddict-item]
    for entry in response.get("Contents", []):
        entry["key"]  # type: ignore[typeddict-item]
    response["ResponseMetadata"]["Status"]  # type: ignore[typeddict-item]
    (await cos.get_object(Bucket="b", Key="k"))["Body"].read_all()  # type: ignore[attr-defined]
    cos.get_object(Bucket="b", Key="k")["Body"]  # type: ignore[index]
    for _ in (await cos.get_object(Bucket="b", Key="k"))["Body"]:  # type: ignore[attr-defined]
        pass


async def pages(cos: S3Client) -> None:
    """Paginators and waiters."""
    cos.get_paginator("list_objects_v3")  # type: ignore[call-overload]
    paginator = cos.get_paginator("list_objects_v2")
    paginator.paginate(Bucket="b", Prefixx="p")  # type: ignore[call-arg]
    paginator.paginate(Bucket="b", PaginationConfig={"MaxItem": 1})  # type: ignore[arg-type]
    async for page in paginator.paginate(Bucket="b"):
        page["Versions"]  # type: ignore[typeddict-item]
    for _ in paginator.paginate(Bucket="b"):  # type: ignore[attr-defined]
        pass
    cos.get_waiter("object_exist")  # type: ignore[call-overload]
    await cos.get_waiter("object_exists").wait(Bucket="b")  # type: ignore[call-arg]


async def resources(service: ServiceResource) -> None:
    """Resources, their attributes and collections."""
    bucket = service.Bucket("b")
    service.Buckets("b")  # type: ignore[attr-defined]
    bucket.Object()  # type: ignore[call-arg]
    await bucket.Object("k").put(Bodyy=b"x")  # type: ignore[call-arg]
    bucket.objects.filter(Prefixx="p")  # type: ignore[call-arg]
    async for item in bucket.objects.all():
        item.sizes  # type: ignore[attr-defined]


async def transfers(cos: S3Client) -> None:
    """Transfers and their arguments."""
    await cos.upload_file("file", "b", "k", ExtraArgs={"ContentTyp": "x"})  # type: ignore[arg-type]
    await cos.upload_fileobj("file", "b", "k")  # type: ignore[arg-type]
    extra: UploadArgsTypeDef = {"Metadata": {"n": 1}}  # type: ignore[dict-item]
    await cos.upload_file("file", "b", "k", extra)
    with TransferManager(cos):  # type: ignore[attr-defined]
        pass
    TransferManager(cos).upload("file", "b")  # type: ignore[call-arg]
    rule: LifecycleRuleTypeDef = {"ID": "1", "Status": "Enabled"}  # type: ignore[typeddict-item]
    await cos.put_bucket_lifecycle_configuration(Bucket="b", LifecycleConfiguration={"Rules": [rule]})


def sessions(session: Session, cos: S3Client) -> None:
    """Clients, credentials, exceptions."""
    ibm_boto3.client("ec2")  # type: ignore[arg-type]
    session.client("s3", ibm_api_key="key")  # type: ignore[call-arg]
    ibm_boto3.resource("s3", endpoint="https://host")  # type: ignore[call-arg]
    print(cos.exceptions.NoSuchKeyy)  # type: ignore[attr-defined]
    with cos:  # type: ignore[attr-defined]
        pass
