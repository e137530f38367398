"""Correct and wrong uses of the client, for pyright. Nothing here is run.

A wrong use carries a comment with the rule that refuses it. If pyright stops refusing the line, the comment is unnecessary, and
that is an error of its own in this file.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=error

from datetime import UTC, datetime, timedelta
from typing import assert_type

import aiocos
from aiocos import (
    ByteRange,
    Client,
    CopySource,
    InvalidRange,
    NoSuchKeyy,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
)
from aiocos.operations.acl import AccessControlPolicy
from aiocos.operations.buckets import BucketEntry, BucketInfo, BucketList, CreateBucketResult
from aiocos.operations.listing import ListObjectsV2Result, ObjectEntry
from aiocos.operations.multipart import CompletedPart, CompletedUpload, MultipartUpload, Part, UploadPartResult
from aiocos.operations.objects import CopyObjectResult, DeleteObjectsResult, ObjectInfo, PutObjectResult
from aiocos.wire.spec import Result


async def right(cos: Client, part: CompletedPart) -> None:
    """Results and entries have the types of their operations."""
    assert_type(await cos.buckets.create("b", location="us-south-smart", kp_algorithm="AES256"), CreateBucketResult)
    assert_type(await cos.buckets.head("b"), BucketInfo)
    assert_type(await cos.buckets.exists("b"), bool)
    assert_type(await cos.buckets.list(), list[BucketEntry])
    async for listing in cos.buckets.list().pages():
        assert_type(listing, BucketList)
    assert_type(await cos.buckets.delete("b", timeout=1.5), Result)

    put = await cos.objects.put("b", "k", b"data", content_type="text/plain", metadata={"a": "b"}, if_none_match="*")
    assert_type(put, PutObjectResult)
    assert_type(put.etag, str)
    assert_type(put.version_id, str | None)
    await cos.objects.put("b", "k", bytearray(b"x"), retention_period=timedelta(days=1), expires=datetime.now(UTC))
    await cos.objects.put(bucket="b", key="k", data=memoryview(b"x"), retention_period=-1, object_lock_mode="GOVERNANCE")

    assert_type(await cos.objects.head("b", "k", version_id="1"), ObjectInfo)
    assert_type(await cos.objects.read("b", "k", range=ByteRange(0, 9)), bytes)
    async with cos.objects.get("b", "k", if_match='"x"') as obj:
        assert_type(obj.size, int)
        assert_type(obj.metadata, dict[str, str])
        assert_type(await obj.read(), bytes)
        async for chunk in obj:
            assert_type(chunk, bytes)
    assert_type(await cos.objects.copy("b", "k", ("b", "from")), CopyObjectResult)
    assert_type(await cos.objects.copy("b", "k", CopySource("b", "from", "1"), metadata_directive="REPLACE"), CopyObjectResult)
    assert_type(await cos.objects.delete_many("b", ["a", "b"]), DeleteObjectsResult)

    async for entry in cos.objects.list("b", prefix="p/", max_keys=10):
        assert_type(entry, ObjectEntry)
        assert_type(entry.last_modified, datetime | None)
    async for page in cos.objects.list("b").pages():
        assert_type(page, ListObjectsV2Result)
    await cos.objects.delete_many("b", cos_keys(cos))

    upload = await cos.multipart.create("b", "k", storage_class="STANDARD")
    assert_type(upload, MultipartUpload)
    assert_type(upload.upload_id, str)
    assert_type(await cos.multipart.upload_part("b", "k", upload.upload_id, 1, b"data"), UploadPartResult)
    assert_type(await cos.multipart.complete("b", "k", upload.upload_id, [part]), CompletedUpload)
    async for listed in cos.multipart.list_parts("b", "k", upload.upload_id):
        assert_type(listed, Part)
    assert_type(await cos.acl.get_bucket("b"), AccessControlPolicy)
    assert_type(cos.objects.presign("b", "k", expires=timedelta(minutes=5)), str)


def cos_keys(cos: Client) -> list[str]:
    """Some keys."""
    return [repr(cos)]


async def wrong(cos: Client) -> None:
    """Each line is refused."""
    await cos.buckets.create()  # pyright: ignore[reportCallIssue]
    await cos.buckets.create("b", "us-south-smart")  # pyright: ignore[reportCallIssue]
    await cos.buckets.create("b", region="us-south")  # pyright: ignore[reportCallIssue]
    await cos.buckets.create(b"b")  # pyright: ignore[reportArgumentType]
    await cos.buckets.head("b", object_lock_enabled=True)  # pyright: ignore[reportCallIssue]
    await cos.buckets.make("b")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    (await cos.buckets.head("b")).kp_enable  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    await cos.objects.put("b")  # pyright: ignore[reportCallIssue]
    await cos.objects.put("b", "k", "text")  # pyright: ignore[reportArgumentType]
    await cos.objects.put("b", "k", b"x", "text/plain")  # pyright: ignore[reportCallIssue]
    await cos.objects.put("b", "k", b"x", contenttype="text/plain")  # pyright: ignore[reportCallIssue]
    await cos.objects.put("b", "k", b"x", metadata={"n": 1})  # pyright: ignore[reportArgumentType]
    await cos.objects.put("b", "k", b"x", expires="tomorrow")  # pyright: ignore[reportArgumentType]
    await cos.objects.put("b", "k", b"x", retention_period="1d")  # pyright: ignore[reportArgumentType]
    await cos.objects.put("b", "k", b"x", object_lock_mode="governance")  # pyright: ignore[reportArgumentType]
    await cos.objects.put("b", "k", b"x", range=ByteRange(0))  # pyright: ignore[reportCallIssue]
    await cos.objects.put("b", "k", b"x", timeout="1")  # pyright: ignore[reportArgumentType]
    await cos.objects.read("b", "k", range=(0, 9))  # pyright: ignore[reportArgumentType]
    await cos.objects.read("b", "k", ByteRange(0))  # pyright: ignore[reportCallIssue]
    await cos.objects.get("b", "k")  # pyright: ignore[reportGeneralTypeIssues]
    await cos.objects.copy("b", "k", "b/from")  # pyright: ignore[reportArgumentType]
    await cos.objects.copy("b", "k", CopySource("b", "from"), metadata_directive="Replace")  # pyright: ignore[reportArgumentType]
    await cos.objects.list("b").pages()  # pyright: ignore[reportGeneralTypeIssues]
    for _ in cos.objects.list("b"):  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass
    async for _ in cos.objects.list("b", max_keys="10"):  # pyright: ignore[reportArgumentType]
        pass
    cos.objects.presign("b", "k", method="PATCH")  # pyright: ignore[reportArgumentType]
    cos.objects.delete("b", "k")  # pyright: ignore[reportUnusedCoroutine]

    await cos.multipart.upload_part("b", "k", "id")  # pyright: ignore[reportCallIssue]
    await cos.multipart.upload_part("b", "k", "id", "1", b"x")  # pyright: ignore[reportArgumentType]
    await cos.multipart.complete("b", "k", "id", [1, 2])  # pyright: ignore[reportArgumentType]
    CompletedPart(part_number="one")  # pyright: ignore[reportArgumentType]
    Client("https://host", "key")  # pyright: ignore[reportCallIssue]
    Client("https://host", network="secret")  # pyright: ignore[reportArgumentType]


def names(error: aiocos.InvalidRange) -> None:
    """A misspelled name of the package is an error; every exception is a name of it."""
    assert_type(error, InvalidRange)
    print(aiocos.NoSuchKeyy, NoSuchKeyy)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]


async def settings(cos: Client) -> None:
    """What was read of a setting is what is written back."""
    await cos.lifecycle.put("b", await cos.lifecycle.get("b"))
    await cos.lifecycle.put("b", (await cos.lifecycle.get("b")).rules)
    await cos.cors.put("b", await cos.cors.get("b"))
    await cos.website.put("b", await cos.website.get("b"))
    await cos.replication.put("b", await cos.replication.get("b"))
    await cos.protection.put("b", await cos.protection.get("b"))
    await cos.versioning.put("b", await cos.versioning.get("b"))
    await cos.public_access.put("b", await cos.public_access.get("b"))
    await cos.tagging.put_bucket("b", await cos.tagging.get_bucket("b"))
    await cos.tagging.put_object("b", "k", await cos.tagging.get_object("b", "k"))
    await cos.acl.put_bucket("b", await cos.acl.get_bucket("b"))
    await cos.acl.put_object("b", "k", await cos.acl.get_object("b", "k"))
    await cos.object_lock.put_configuration("b", await cos.object_lock.get_configuration("b"))
    await cos.object_lock.put_retention("b", "k", await cos.object_lock.get_retention("b", "k"))
    await cos.object_lock.put_legal_hold("b", "k", await cos.object_lock.get_legal_hold("b", "k"))
    await cos.lifecycle.put("b", await cos.cors.get("b"))  # pyright: ignore[reportArgumentType]
