"""Resources: identifiers, loading, equality."""

from __future__ import annotations

import asyncio
import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.ibm_boto3.resource.helpers import asked

from aiocos.emulator import Emulator, Status
from aiocos.ibm_boto3 import BotoCoreError, ClientError
from aiocos.ibm_boto3.exceptions import ParamValidationError
from aiocos.ibm_boto3.resource import ResourceNotLoadedError

BUCKET = "resource-bucket"


async def test_identifiers(cos: Any, cos_emulator: Emulator) -> None:
    asked(cos_emulator)
    thing = cos.Object(BUCKET, key="a/ü")
    assert (thing.bucket_name, thing.key, repr(thing)) == (BUCKET, "a/ü", f"s3.Object(bucket_name='{BUCKET}', key='a/ü')")
    assert thing == cos.Bucket(name=BUCKET).Object("a/ü") == cos.Object(key="a/ü", bucket_name=BUCKET)
    assert len({thing, cos.Bucket(BUCKET).Object(key="a/ü"), cos.ObjectSummary(BUCKET, "a/ü")}) == 2
    assert thing != cos.Object(BUCKET, "b")
    assert thing != cos.ObjectSummary(BUCKET, "a/ü")
    assert thing != "thing"
    assert copy.copy(thing) == thing
    part = cos.MultipartUpload(BUCKET, "k", "u").Part("7")
    assert part.part_number == 7
    assert part == cos.MultipartUploadPart(BUCKET, "k", "u", 7)
    assert asked(cos_emulator) == []


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda cos: cos.Bucket(), ValueError, "Required parameter name not set"),
        (lambda cos: cos.Bucket(""), ValueError, "Required parameter name not set"),
        (lambda cos: cos.Bucket(None), ValueError, "Required parameter name not set"),
        (lambda cos: cos.Bucket(3), ValueError, "Required parameter name is a string, not int"),
        (lambda cos: cos.Bucket(["b"]), ValueError, "Required parameter name is a string, not list"),
        (lambda cos: cos.Object("b"), ValueError, "Required parameter key not set"),
        (lambda cos: cos.Object("b", foo=1), ValueError, "Unknown keyword argument: foo; s3.Object takes bucket_name, key"),
        (lambda cos: cos.Bucket("b").Object("k", bucket_name="c"), ValueError, "Unknown keyword argument: bucket_name"),
        (lambda cos: cos.Bucket("b", "c"), TypeError, "takes name here; 2 were given"),
        (lambda cos: cos.Bucket("b").Acl("c"), TypeError, "takes no identifiers here; 1 were given"),
        (lambda cos: cos.Object("b", bucket_name="c", key="k"), TypeError, "bucket_name was given twice"),
        (lambda cos: cos.Object("b", "k").Version(None), ValueError, "Required parameter id not set"),
        (lambda cos: cos.MultipartUpload("b", "k", "u").Part("x"), ValueError, "part_number is a number, not 'x'"),
        (lambda cos: cos.MultipartUpload("b", "k", "u").Part(True), ValueError, "part_number is a number, not True"),
        (lambda cos: cos.MultipartUpload("b", "k", "u").Part(1.0), ValueError, "part_number is a number, not 1.0"),
    ],
)
def test_invalid_identifiers_are_refused(offline: Any, make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make(offline)


async def test_an_attribute_requires_loaded_data(cos: Any, cos_emulator: Emulator) -> None:
    asked(cos_emulator)
    acl = cos.BucketAcl(BUCKET)
    with pytest.raises(ResourceNotLoadedError, match=r"BucketAcl.* has no .owner yet: write `await bucket_acl.load\(\)` first"):
        acl.owner
    assert issubclass(ResourceNotLoadedError, BotoCoreError)
    # Else this would take it for a value that is none.
    with pytest.raises(ResourceNotLoadedError):
        getattr(acl, "owner", None)
    assert acl.meta.data is None
    with pytest.raises(AttributeError) as caught:
        acl.nonsense
    assert not isinstance(caught.value, BotoCoreError)
    with pytest.raises(AttributeError):
        acl.owner = {}
    assert asked(cos_emulator) == []


async def test_a_resource_without_load_names_its_collection(offline: Any) -> None:
    for made, where in (
        (offline.ObjectVersion(BUCKET, "k", "1"), "bucket.object_versions.all()"),
        (offline.MultipartUpload(BUCKET, "k", "1"), "bucket.multipart_uploads.all()"),
        (offline.MultipartUploadPart(BUCKET, "k", "1", 1), "multipart_upload.parts.all()"),
    ):
        assert not hasattr(made, "load")
        with pytest.raises(ResourceNotLoadedError) as caught:
            made.owner if where.startswith("bucket") else made.size
        assert f"it has no load method, data comes with `async for … in {where}`" in str(caught.value)
        with pytest.raises(ResourceNotLoadedError, match="has no load method"):
            await made
    with pytest.raises(ResourceNotLoadedError, match="async with"):
        await offline


async def test_loading(cos: Any, cos_emulator: Emulator) -> None:
    await cos.Object(BUCKET, "k").put(Body=b"12345", Metadata={"who": "me"}, ContentType="text/x-odd")
    asked(cos_emulator)
    thing = cos.Object(BUCKET, "k")
    assert await thing.load() is None
    assert (thing.content_length, thing.metadata, thing.content_type) == (5, {"who": "me"}, "text/x-odd")
    assert thing.parts_count is None
    assert thing.meta.data["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert await thing is thing
    assert asked(cos_emulator) == ["HeadObject"]
    await cos.Object(BUCKET, "k").put(Body=b"123456")
    assert thing.content_length == 5
    await thing.reload()
    assert (thing.content_length, thing.metadata) == (6, {})
    assert (await cos.Object(BUCKET, "k")).content_length == 6
    assert asked(cos_emulator) == ["PutObject", "HeadObject", "HeadObject"]
    with pytest.raises(ClientError) as caught:
        await cos.Object(BUCKET, "missing")
    assert caught.value.response["Error"]["Code"] == "404"
    with pytest.raises(ParamValidationError, match="Nonsense"):
        await thing.load(Nonsense=1)
    assert thing.content_length == 6
    first, second = await asyncio.gather(cos.Object(BUCKET, "k"), cos.ObjectAcl(BUCKET, "k"))
    assert (first.content_length, second.grants[0]["Permission"]) == (6, "FULL_CONTROL")


async def test_loading_an_old_version(cos: Any) -> None:
    await cos.BucketVersioning(BUCKET).enable()
    old = await cos.Object(BUCKET, "k").put(Body=b"1")
    await cos.Object(BUCKET, "k").put(Body=b"22")
    thing = cos.Object(BUCKET, "k")
    await thing.load(VersionId=old["VersionId"])
    assert (thing.content_length, thing.version_id) == (1, old["VersionId"])
    await thing.reload()
    assert thing.content_length == 2


async def test_a_bucket_is_loaded_from_the_list(cos: Any, cos_emulator: Emulator) -> None:
    bucket = await cos.Bucket(BUCKET)
    assert abs((bucket.creation_date - datetime.now(UTC)).total_seconds()) < 60
    assert (await cos.Bucket("somebody-elses")).creation_date is None
    cos_emulator.faults.script([Status(403, "AccessDenied", operation="ListBuckets")])
    await bucket.load()
    assert bucket.creation_date is None
    cos_emulator.faults.script([Status(403, "InvalidAccessKeyId", operation="ListBuckets")])
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        await bucket.load()
    with pytest.raises(ParamValidationError):
        await bucket.load(Bucket=BUCKET)


async def test_a_summary_is_loaded_with_its_size(cos: Any) -> None:
    await cos.Bucket(BUCKET).put_object(Key="k", Body=b"123")
    summary = await cos.ObjectSummary(BUCKET, "k")
    assert (summary.size, summary.e_tag, summary.owner) == (3, '"202cb962ac59075b964b07152d234b70"', None)
    assert not hasattr(summary, "content_length")
