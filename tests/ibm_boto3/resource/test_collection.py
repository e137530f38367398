"""Collections of resources."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from tests.ibm_boto3.resource.helpers import asked, connected

from aiocos import ibm_boto3
from aiocos.emulator import Emulator, Status
from aiocos.ibm_boto3 import ClientError, Config
from aiocos.ibm_boto3.exceptions import ParamValidationError

BUCKET = "collection-bucket"


@pytest.fixture
async def bucket(cos_emulator: Emulator) -> AsyncIterator[Any]:
    """A bucket with seven objects."""
    async with connected(cos_emulator) as cos:
        made = await cos.create_bucket(Bucket=BUCKET)
        for n in range(7):
            await made.put_object(Key=f"{'ab'[n % 2]}/{n}", Body=bytes(n))
        cos_emulator.requests.clear()
        yield made


async def keys(collection: Any) -> list[str]:
    return [item.key async for item in collection]


EVERY = ["a/0", "a/2", "a/4", "a/6", "b/1", "b/3", "b/5"]


async def test_a_collection_sends_requests_when_it_is_iterated_over(bucket: Any, cos_emulator: Emulator) -> None:
    collection = bucket.objects.all()
    narrowed = collection.filter(Prefix="b/").limit(2)
    assert asked(cos_emulator) == []
    assert await keys(collection) == EVERY
    assert await keys(collection) == EVERY
    assert await keys(narrowed) == ["b/1", "b/3"]
    assert await keys(bucket.objects) == EVERY
    assert asked(cos_emulator) == ["ListObjects"] * 4
    async for item in collection:
        assert (item.bucket_name, item.size) == (BUCKET, int(item.key[2:]))
        assert item.last_modified.tzinfo is not None
        assert item.Object().Bucket() == bucket
    assert asked(cos_emulator) == ["ListObjects"]


async def test_pages(bucket: Any, cos_emulator: Emulator) -> None:
    pages = [[item.key for item in page] async for page in bucket.objects.page_size(3).pages()]
    assert pages == [EVERY[:3], EVERY[3:6], EVERY[6:]]
    assert asked(cos_emulator) == ["ListObjects"] * 3
    pages = [[item.key for item in page] async for page in bucket.objects.limit(4).page_size(3).pages()]
    assert pages == [EVERY[:3], EVERY[3:4]]
    assert asked(cos_emulator) == ["ListObjects"] * 2
    assert await keys(bucket.objects.page_size(3).limit(3)) == EVERY[:3]
    assert asked(cos_emulator) == ["ListObjects"]
    assert await keys(bucket.objects.limit(0)) == []
    assert asked(cos_emulator) == []
    assert await keys(bucket.objects.limit(2).limit(None)) == EVERY
    assert await keys(bucket.objects.filter(limit=3, page_size=2)) == EVERY[:3]
    assert [page async for page in bucket.objects.filter(Prefix="none").pages()] == [[]]


async def test_filters_can_be_chained(bucket: Any) -> None:
    narrowed = bucket.objects.filter(Prefix="a/")
    assert await keys(narrowed.filter(Marker="a/2")) == ["a/4", "a/6"]
    assert await keys(narrowed) == ["a/0", "a/2", "a/4", "a/6"]
    assert await keys(narrowed.filter(Prefix="b/").all()) == ["b/1", "b/3", "b/5"]
    assert await keys(bucket.objects.iterator(Delimiter="/")) == []
    # What stands in a page that the limit cuts in two is given up to the limit.
    assert await keys(narrowed.limit(2).filter(Marker="a/0")) == ["a/2", "a/4"]


async def test_invalid_limits_are_refused(bucket: Any, cos_emulator: Emulator) -> None:
    for wrong in (-1, "3", 2.0, True):
        with pytest.raises(ValueError, match=r"limit is a number from 0 on"):
            bucket.objects.limit(wrong)
    with pytest.raises(ValueError, match=r"page_size is a number from 1 on, not 0"):
        bucket.objects.page_size(0)
    with pytest.raises(ParamValidationError, match="Nonsense"):
        await keys(bucket.objects.filter(Nonsense=1))
    with pytest.raises(TypeError, match="async for"):
        list(bucket.objects.all())
    assert asked(cos_emulator) == []
    with pytest.raises(ClientError, match="NoSuchBucket") as caught:
        await keys(bucket.Object("k").Bucket().objects.filter(Bucket="no-such-bucket"))
    assert caught.value.operation_name == "ListObjects"


async def test_a_failure_in_the_middle(bucket: Any, cos_emulator: Emulator) -> None:
    pages = bucket.objects.page_size(4).pages()
    assert [item.key for item in await anext(pages)] == EVERY[:4]
    cos_emulator.faults.script([Status(403, "AccessDenied", operation="ListObjects")])
    with pytest.raises(ClientError, match="AccessDenied"):
        await anext(pages)


async def test_a_collection_that_has_no_pages(bucket: Any, cos_emulator: Emulator) -> None:
    cos = ibm_boto3.ServiceResource(bucket.meta.client)
    await cos.create_bucket(Bucket=f"{BUCKET}-2")
    asked(cos_emulator)
    assert [one.name async for one in cos.buckets.page_size(1)] == [BUCKET, f"{BUCKET}-2"]
    assert [[one.name for one in page] async for page in cos.buckets.limit(1).pages()] == [[BUCKET]]
    assert asked(cos_emulator) == ["ListBuckets"] * 2
    async for one in cos.buckets.all():
        assert one.creation_date.tzinfo is not None
    assert asked(cos_emulator) == ["ListBuckets"]


async def test_a_version_without_an_id_is_the_null_version() -> None:
    # As older systems answer where versioning was never set; the emulator does not.
    async def some(request: web.Request) -> web.Response:
        version = "<Version><Key>k</Key><Size>3</Size></Version>"
        body = f"<ListVersionsResult><IsTruncated>false</IsTruncated>{version}</ListVersionsResult>"
        return web.Response(text=body, content_type="application/xml")

    runner = web.ServerRunner(web.Server(some))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    async with ibm_boto3.resource("s3", endpoint_url=url, config=Config(signature_version=ibm_boto3.UNSIGNED)) as cos:
        found = [(one.id, one.version_id, one.size) async for one in cos.Bucket(BUCKET).object_versions.all()]
    await runner.cleanup()
    assert found == [("null", None, 3)]


async def test_a_filtered_collection_is_deleted(bucket: Any, cos_emulator: Emulator) -> None:
    answers = await bucket.objects.filter(Prefix="a/").delete()
    assert [sorted(gone["Key"] for gone in answer["Deleted"]) for answer in answers] == [["a/0", "a/2", "a/4", "a/6"]]
    assert answers[0]["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert asked(cos_emulator) == ["ListObjects", "DeleteObjects"]
    assert await keys(bucket.objects) == ["b/1", "b/3", "b/5"]
    await bucket.objects.limit(1).delete()
    assert await keys(bucket.objects) == ["b/3", "b/5"]
    quiet = await bucket.objects.delete(Delete={"Quiet": True})
    assert [set(answer) for answer in quiet] == [{"ResponseMetadata"}]
    assert await bucket.objects.delete() == []
    await bucket.delete()


async def test_empty_pages_do_not_end_a_deletion(bucket: Any) -> None:
    await bucket.put_object(Key="z", Body=b"")
    answers = await bucket.objects.filter(Delimiter="/").page_size(1).delete()
    assert [[gone["Key"] for gone in answer["Deleted"]] for answer in answers] == [["z"]]
    assert await keys(bucket.objects) == EVERY


async def test_a_request_deletes_a_thousand_objects(bucket: Any, cos_emulator: Emulator) -> None:
    put = bucket.meta.client.typed.objects.put
    for start in range(0, 1001, 143):
        await asyncio.gather(*(put(BUCKET, f"n{n:04}", b"") for n in range(start, start + 143)))
    asked(cos_emulator)
    answers = await bucket.objects.filter(Prefix="n").delete()
    assert [len(answer["Deleted"]) for answer in answers] == [1000, 1]
    assert asked(cos_emulator) == ["ListObjects", "DeleteObjects", "ListObjects", "DeleteObjects"]
    assert await keys(bucket.objects) == EVERY


async def test_keys_that_xml_cannot_carry(bucket: Any, cos_emulator: Emulator) -> None:
    odd = ["o\x01", "o\r\n", "o&<", "o ", "o\x02"]
    for key in odd:
        await bucket.put_object(Key=key, Body=b"")
    asked(cos_emulator)
    cos_emulator.faults.script([Status(403, "AccessDenied", operation="DeleteObject")])
    (answer,) = await bucket.objects.filter(Prefix="o").delete(RequestPayer="requester")
    assert sorted(gone["Key"] for gone in answer["Deleted"]) == sorted(["o\r\n", "o&<", "o ", "o\x02"])
    assert [(failed["Key"], failed["Code"]) for failed in answer["Errors"]] == [("o\x01", "AccessDenied")]
    assert asked(cos_emulator) == ["ListObjects", "DeleteObjects", "DeleteObject", "DeleteObject"]
    (answer,) = await bucket.objects.filter(Prefix="o").delete(Delete={"Quiet": True})
    assert set(answer) == {"ResponseMetadata"}
    assert await keys(bucket.objects) == EVERY
    await bucket.put_object(Key="o\x01", Body=b"")
    for status in (503, 429, 401):
        cos_emulator.faults.script([Status(status, operation="DeleteObject", times=2)])
        with pytest.raises(ClientError, match="scripted"):
            await bucket.objects.filter(Prefix="o").delete()
        cos_emulator.faults.script([])


async def test_invalid_arguments_of_a_deletion_are_refused(bucket: Any) -> None:
    for wrong in ({"Objects": []}, "all", {"Quiet": True, "Objects": [{"Key": "a/0"}]}):
        with pytest.raises(ParamValidationError, match="Delete may only hold Quiet here"):
            await bucket.objects.delete(Delete=wrong)
    with pytest.raises(ParamValidationError, match="Nonsense"):
        await bucket.objects.delete(Nonsense=1)
    with pytest.raises(TypeError):
        await bucket.objects.delete("a/0")
    assert await keys(bucket.objects) == EVERY
