"""Resources against the emulator: what they know, what they ask, what becomes of what they know."""

from __future__ import annotations

import asyncio
import copy
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import ibm_boto3
import pytest
from ibm_botocore.config import Config as TheirConfig

from aiocos import ibm_boto3 as ours
from aiocos.emulator import Delay, Emulator, Reset, Status
from aiocos.ibm_boto3 import BotoCoreError, ClientError, Config
from aiocos.ibm_boto3.exceptions import ParamValidationError, WaiterError
from aiocos.ibm_boto3.resource import ResourceNotLoadedError, ServiceResource

from .resources import asked, connected

BUCKET = "resource-bucket"


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[Any]:
    """A resource, and a bucket."""
    async with connected(cos_emulator) as made:
        await made.create_bucket(Bucket=BUCKET)
        yield made


# ---------------------------------------------------------------------------------------------------------------------
# Identifiers


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
async def test_identifiers_that_are_none(cos: Any, make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make(cos)


# ---------------------------------------------------------------------------------------------------------------------
# Attributes


async def test_an_attribute_needs_data(cos: Any, cos_emulator: Emulator) -> None:
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


async def test_what_cannot_be_loaded_says_where_it_comes_from(cos: Any) -> None:
    for made, where in (
        (cos.ObjectVersion(BUCKET, "k", "1"), "bucket.object_versions.all()"),
        (cos.MultipartUpload(BUCKET, "k", "1"), "bucket.multipart_uploads.all()"),
        (cos.MultipartUploadPart(BUCKET, "k", "1", 1), "multipart_upload.parts.all()"),
    ):
        assert not hasattr(made, "load")
        with pytest.raises(ResourceNotLoadedError) as caught:
            made.owner if where.startswith("bucket") else made.size
        assert f"it has no load method, data comes with `async for … in {where}`" in str(caught.value)
        with pytest.raises(ResourceNotLoadedError, match="has no load method"):
            await made
    with pytest.raises(ResourceNotLoadedError, match="async with"):
        await cos


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


# ---------------------------------------------------------------------------------------------------------------------
# Actions, and what becomes of data


async def test_a_write_drops_data_and_a_read_does_not(cos: Any) -> None:
    bucket = await cos.Bucket(BUCKET)
    thing = await bucket.put_object(Key="k", Body=b"123")
    assert thing == cos.Object(BUCKET, "k")
    assert bucket.creation_date
    await thing.load()
    response = await thing.get(Range="bytes=1-")
    assert await response["Body"].read() == b"23"
    await thing.wait_until_exists()
    assert thing.content_length == 3
    for act in (thing.put(Body=b"1"), thing.copy_from(CopySource=f"{BUCKET}/k", MetadataDirective="REPLACE"), thing.delete()):
        await act
        with pytest.raises(ResourceNotLoadedError):
            thing.content_length
        thing.meta.data = {"ContentLength": 3}


async def test_what_was_refused_keeps_data_and_what_may_have_happened_does_not(cos: Any, cos_emulator: Emulator) -> None:
    thing = await cos.Bucket(BUCKET).put_object(Key="k", Body=b"123")
    await thing.load()
    with pytest.raises(ClientError, match="PreconditionFailed"):
        await thing.put(Body=b"", IfMatch='"other"')
    with pytest.raises(ParamValidationError, match="Nonsense"):
        await thing.put(Nonsense=1)
    assert thing.content_length == 3
    for fault in (Reset(lost_answer=True, operation="PutObject"), Status(503, operation="PutObject")):
        cos_emulator.faults.script([fault])
        await thing.load()
        with pytest.raises((BotoCoreError, ClientError)):
            await thing.put(Body=b"1", IfNoneMatch='"x"')
        assert thing.meta.data is None
    await thing.load()
    cos_emulator.faults.script([Delay(5, operation="PutObject")])
    putting = asyncio.ensure_future(thing.put(Body=b"1"))
    while not cos_emulator.faults.hits:
        await asyncio.sleep(0.001)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert thing.meta.data is None


async def test_actions_take_names_only(cos: Any) -> None:
    with pytest.raises(TypeError):
        await cos.Object(BUCKET, "k").put(b"data")
    await cos.Object(BUCKET, "k").put(Body=b"data")
    response = await cos.Object(BUCKET, "k").get(Bucket=BUCKET, IfMatch='"8d777f385d3dfec8815d20f7496026dc"')
    assert await response["Body"].read() == b"data"


async def test_a_bucket_is_made_by_the_service(cos: Any) -> None:
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


async def test_objects_are_waited_for(cos: Any) -> None:
    for made in (cos.Object(BUCKET, "k"), cos.ObjectSummary(BUCKET, "k")):
        with pytest.raises(WaiterError):
            await made.wait_until_exists(WaiterConfig={"Delay": 0, "MaxAttempts": 1})
        await made.wait_until_not_exists()
        await made.put(Body=b"")
        await made.wait_until_exists()
        await made.delete()


# ---------------------------------------------------------------------------------------------------------------------
# The same as IBM's


async def test_attributes_are_those_of_the_sdk(cos: Any, cos_emulator: Emulator) -> None:
    upload = await cos.Object(BUCKET, "up").initiate_multipart_upload()
    await cos.Object(BUCKET, "a b/ü").put(Body=b"data", Metadata={"who": "me"}, CacheControl="max-age=5")
    await cos.Object(BUCKET, "b\rc").put(Body=b"")
    await upload.Part(1).upload(Body=b"x")
    made = {"upload": upload.id}

    def told(thing: Any) -> dict[str, Any]:
        model, shape = thing.meta.resource_model, thing.meta.client.meta.service_model.shape_for
        attributes = [*thing.meta.identifiers, *model.get_attributes(shape(model.shape))]
        return {repr(thing): {name: getattr(thing, name) for name in attributes}}

    def story() -> list[dict[str, Any]]:
        theirs = ibm_boto3.resource(
            "s3",
            ibm_api_key_id=cos_emulator.api_key,
            ibm_service_instance_id=cos_emulator.service_instance_id,
            ibm_auth_endpoint=cos_emulator.iam_endpoint,
            endpoint_url=cos_emulator.endpoint,
            config=TheirConfig(signature_version="oauth"),
        )
        bucket = theirs.Bucket(BUCKET)
        loaded = [theirs.Object(BUCKET, "a b/ü"), theirs.ObjectSummary(BUCKET, "a b/ü"), bucket.Acl(), bucket.Versioning()]
        parts = theirs.MultipartUpload(BUCKET, "up", made["upload"]).parts.all()
        listed = [theirs.buckets.all(), bucket.objects.all(), bucket.object_versions.all(), bucket.multipart_uploads, parts]
        out = [told(one) for one in loaded] + [told(one) for many in listed for one in many.all()]
        theirs.meta.client.close()
        return out

    expected = await asyncio.to_thread(story)
    bucket = cos.Bucket(BUCKET)
    loaded = [cos.Object(BUCKET, "a b/ü"), cos.ObjectSummary(BUCKET, "a b/ü"), bucket.Acl(), bucket.Versioning()]
    here = [await one for one in loaded]
    for many in (cos.buckets, bucket.objects, bucket.object_versions, bucket.multipart_uploads, upload.parts):
        here += [one async for one in many.all()]
    assert len(expected) == 4 + 1 + 2 + 2 + 1 + 1
    for thing, told_there in zip(here, expected, strict=True):
        ((name, attributes),) = told_there.items()
        assert repr(thing) == name
        assert {attr: getattr(thing, attr) for attr in attributes} == attributes, name


# ---------------------------------------------------------------------------------------------------------------------
# Transfers


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("upload_file", {"Filename": "f"}),
        ("upload_fileobj", {"Fileobj": io.BytesIO()}),
        ("download_file", {"Filename": "f"}),
        ("download_fileobj", {"Fileobj": io.BytesIO()}),
        ("copy", {"CopySource": {"Bucket": "c", "Key": "s"}, "SourceClient": None}),
    ],
)
async def test_transfers_are_the_clients(cos: Any, monkeypatch: pytest.MonkeyPatch, method: str, given: dict[str, Any]) -> None:
    seen: list[dict[str, Any]] = []

    async def record(**kwargs: Any) -> None:
        seen.append(kwargs)

    monkeypatch.setattr(cos.meta.client, method, record)
    more = {"ExtraArgs": {"ACL": "private"}, "Callback": print, "Config": ours.s3.transfer.TransferConfig()}
    thing = cos.Object(BUCKET, "k")
    thing.meta.data = {"ContentLength": 1}
    await getattr(thing, method)(**given, **more)
    assert (thing.meta.data is None) == (not method.startswith("download"))
    await getattr(cos.Bucket(BUCKET), method)(Key="k", **given, **more)
    assert seen == [{**given, **more, "Bucket": BUCKET, "Key": "k"}] * 2
    first, *_ = given.values()
    await getattr(thing, method)(first)
    await getattr(cos.Bucket(BUCKET), method)(*(("k", first) if method.startswith("download") else (first, "k")))
    assert seen[2:] == [{**given, **dict.fromkeys(more), "Bucket": BUCKET, "Key": "k"}] * 2


async def test_a_transfer_that_fails_drops_data_where_it_writes(cos: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(**kwargs: Any) -> None:
        raise BotoCoreError("half done")

    thing = cos.Object(BUCKET, "k")
    for method, given in (("upload_file", "f"), ("upload_fileobj", "f"), ("copy", {}), ("download_file", "f")):
        monkeypatch.setattr(cos.meta.client, method, fail)
        thing.meta.data = {"ContentLength": 1}
        with pytest.raises(BotoCoreError, match="half done"):
            await getattr(thing, method)(given)
        assert (thing.meta.data is None) == (method != "download_file")


async def test_the_service_is_a_context(cos_emulator: Emulator) -> None:
    client = cos_emulator.client()
    resource = ServiceResource(ours.S3Client(client, Config()))
    async with resource as entered:
        assert entered is resource
        assert [bucket async for bucket in resource.buckets] == []
    await resource.close()
    assert resource.meta.client.typed is client
    assert resource.meta.service_name == "s3"
