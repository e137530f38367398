"""Resources: actions, waiters and transfers."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import ibm_boto3
import pytest
from ibm_botocore.config import Config as TheirConfig

from aiocos import ibm_boto3 as ours
from aiocos.emulator import Delay, Emulator, Reset, Status
from aiocos.ibm_boto3 import BotoCoreError, ClientError
from aiocos.ibm_boto3.exceptions import ParamValidationError, WaiterError
from aiocos.ibm_boto3.resource import ResourceNotLoadedError

BUCKET = "resource-bucket"


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


async def test_a_refused_action_keeps_data_and_an_uncertain_one_drops_it(cos: Any, cos_emulator: Emulator) -> None:
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


async def test_waiting_for_an_object(cos: Any) -> None:
    for made in (cos.Object(BUCKET, "k"), cos.ObjectSummary(BUCKET, "k")):
        with pytest.raises(WaiterError):
            await made.wait_until_exists(WaiterConfig={"Delay": 0, "MaxAttempts": 1})
        await made.wait_until_not_exists()
        await made.put(Body=b"")
        await made.wait_until_exists()
        await made.delete()


async def test_attributes_equal_those_of_the_sdk(cos: Any, cos_emulator: Emulator) -> None:
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
async def test_transfers_call_those_of_the_client(
    cos: Any, monkeypatch: pytest.MonkeyPatch, method: str, given: dict[str, Any]
) -> None:
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
