"""Calls of the client against the emulator: requests, errors, tokens, presigned URLs."""

import asyncio
import logging
import time
import urllib.request
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import aiocos
from aiocos.emulator import Delay, Emulator, ExpireToken, LateError, Status
from aiocos.errors import CredentialsError, NoSuchKey, PreconditionFailed, Throttled


async def test_an_error_inside_a_200_is_an_error(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "a", b"data")
    cos_emulator.faults.script([LateError(operation="CopyObject", times=2)])
    await cos.objects.copy("bucket", "b", ("bucket", "a"))
    assert len([r for r in cos_emulator.requests if r.operation == "CopyObject"]) == 3
    assert await cos.objects.read("bucket", "b") == b"data"
    cos_emulator.faults.script([LateError(code="NoSuchKey", operation="CopyObject")])
    with pytest.raises(NoSuchKey, match="CopyObject bucket/c") as caught:
        await cos.objects.copy("bucket", "c", ("bucket", "a"))
    assert caught.value.request_id


async def test_exists(cos: aiocos.Client):
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "a", b"")
    assert await cos.objects.exists("bucket", "a")
    assert not await cos.objects.exists("bucket", "b")
    assert not await cos.objects.exists("no-such-bucket", "b")
    assert await cos.buckets.exists("bucket")
    assert not await cos.buckets.exists("no-such-bucket")


async def test_a_write_on_condition(cos: aiocos.Client):
    await cos.buckets.create("bucket")
    first = await cos.objects.put("bucket", "a", b"1", if_none_match="*")
    with pytest.raises(PreconditionFailed):
        await cos.objects.put("bucket", "a", b"2", if_none_match="*")
    await cos.objects.put("bucket", "a", b"3", if_match=first.etag)
    assert await cos.objects.read("bucket", "a") == b"3"


def _fetch(method: str, url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


async def test_presigned_urls_work_for_anybody(cos_emulator: Emulator):
    async with cos_emulator.client(hmac=True) as cos:
        await cos.buckets.create("bucket")
        key = "a b/ü+%2F?#"
        put = cos.objects.presign("bucket", key, method="PUT", expires=timedelta(minutes=5), headers={"x-amz-meta-who": "me"})
        await asyncio.to_thread(_fetch, "PUT", put, b"data", {"x-amz-meta-who": "me", "Content-Type": ""})
        get = cos.objects.presign("bucket", key, query={"response-content-type": "x/y"})
        assert await asyncio.to_thread(_fetch, "GET", get) == b"data"
        assert (await cos.objects.head("bucket", key)).metadata == {"who": "me"}


async def test_tokens_cannot_presign_and_both_together_can(cos_emulator: Emulator):
    key = {"api_key": cos_emulator.api_key, "service_instance_id": cos_emulator.service_instance_id}
    only = aiocos.Client(cos_emulator.endpoint, iam_endpoint=cos_emulator.iam_endpoint, **key)
    with pytest.raises(CredentialsError, match="access_key_id"):
        only.objects.presign("bucket", "key")
    both = aiocos.Client(
        cos_emulator.endpoint,
        iam_endpoint=cos_emulator.iam_endpoint,
        **key,
        access_key_id=cos_emulator.access_key_id,
        secret_access_key=cos_emulator.secret_access_key,
    )
    async with both:
        await both.buckets.create("bucket")
        await both.objects.put("bucket", "key", b"data")
        assert await asyncio.to_thread(_fetch, "GET", both.objects.presign("bucket", "key")) == b"data"
    assert len(cos_emulator.iam.requests) == 1


async def test_the_instance_goes_with_the_token(cos: aiocos.Client, cos_emulator: Emulator):
    other = await cos_emulator.add_instance()
    async with cos_emulator.client(instance=other) as theirs:
        await cos.buckets.create("mine")
        await theirs.buckets.create("theirs")
        assert [b.name for b in await cos.buckets.list()] == ["mine"]
        assert [b.name for b in await theirs.buckets.list()] == ["theirs"]
        assert [b.name async for b in theirs.buckets.list_extended()] == ["theirs"]
        with pytest.raises(aiocos.Conflict):
            await theirs.buckets.create("mine")


async def test_a_token_that_is_refused_is_replaced_once(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    cos_emulator.faults.script([ExpireToken(operation="PutObject")])
    await cos.objects.put("bucket", "a", b"data")
    assert len(cos_emulator.iam.requests) == 2
    cos_emulator.faults.script([Status(401, code="AccessDenied", operation="PutObject", times=None)])
    with pytest.raises(aiocos.ServiceError) as caught:
        await cos.objects.put("bucket", "a", b"data")
    assert caught.value.status == 401


async def test_a_thousand_calls_on_an_expired_token_ask_for_one(cos: aiocos.Client, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "a", b"data")
    cos_emulator.faults.script([ExpireToken(operation="HeadObject", times=None)])
    with pytest.raises(aiocos.ServiceError):
        await cos.objects.head("bucket", "a")
    cos_emulator.faults.clear()
    cos_emulator.iam.requests.clear()
    await asyncio.gather(*(cos.objects.head("bucket", "a") for _ in range(1000)))
    assert len(cos_emulator.iam.requests) == 1


async def test_one_cancelled_caller_is_alone(cos_emulator: Emulator):
    async with cos_emulator.client() as cos:
        cos_emulator.faults.script([Delay(0.3, operation="CreateToken")])
        calls = [asyncio.ensure_future(cos.buckets.list()) for _ in range(1000)]
        await asyncio.sleep(0.1)
        calls[0].cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert not [r for r in results[1:] if isinstance(r, BaseException)]
    assert len(cos_emulator.iam.requests) == 1


async def test_with_iam_down_everybody_learns_it_from_one_request(cos_emulator: Emulator):
    cos_emulator.faults.script([Status(400, code="BXNIM0415E", operation="CreateToken", times=None)])
    async with cos_emulator.client() as cos:
        results = await asyncio.gather(*(cos.buckets.list() for _ in range(1000)), return_exceptions=True)
    assert all(isinstance(r, CredentialsError) for r in results)
    assert len(cos_emulator.iam.requests) <= 1
    assert not [r for r in cos_emulator.requests if r.operation == "ListBuckets"], "nothing is sent without a token"


async def test_one_token_for_all_clients_of_a_loop(cos_emulator: Emulator):
    clients = [cos_emulator.client() for _ in range(10)]
    await asyncio.gather(*(client.buckets.list() for client in clients for _ in range(6)))
    for client in clients:
        await client.close()
    assert len(cos_emulator.iam.requests) == 1


async def test_retry_after_is_waited_for(cos: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Status(503, code="SlowDown", retry_after=1, operation="ListBuckets")])
    began = time.monotonic()
    await cos.buckets.list()
    assert time.monotonic() - began >= 1
    cos_emulator.faults.script([Status(429, retry_after=4000, operation="ListBuckets")])
    with pytest.raises(Throttled) as caught:
        await cos.buckets.list()
    assert caught.value.retry_after == 4000


async def test_a_deadline(cos: aiocos.Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(5, operation="ListBuckets")])
    with pytest.raises(aiocos.RequestTimeoutError) as caught:
        await cos.buckets.list(timeout=0.2)
    assert isinstance(caught.value, TimeoutError)


async def test_no_secret_is_logged_or_said(cos_emulator: Emulator, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    cos_emulator.faults.script([Status(503, operation="ListBuckets"), ExpireToken(operation="CreateBucket")])
    said: list[str] = []
    for hmac in (False, True):
        async with cos_emulator.client(hmac=hmac) as cos:
            await cos.buckets.list()
            await cos.buckets.create(f"bucket-{hmac}".lower())
            said.append(repr(cos))
            with pytest.raises(aiocos.NoSuchKey) as caught:
                await cos.objects.read(f"bucket-{hmac}".lower(), "k", customer_key=b"K" * 32)
            said += [str(caught.value), repr(caught.value)]
    text = caplog.text + " ".join(said)
    assert "attempt 1 failed" in text, "the retry was logged"
    for secret in (cos_emulator.api_key, cos_emulator.secret_access_key, "K" * 32):
        assert secret not in text


PART_OF_AN_UPLOAD: dict[str, Any] = {"upload_id": "u", "part_number": 1}


@pytest.fixture
def cos_pair() -> aiocos.Client:
    """A client that can sign; it makes no request."""
    return aiocos.Client("https://cos.example", access_key_id="id", secret_access_key="secret-key")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_only_a_put_is_of_a_part(cos_pair: aiocos.Client, method: Any):
    with pytest.raises(aiocos.ConfigError, match="a part is a PUT"):
        cos_pair.objects.presign("bucket", "key", method=method, **PART_OF_AN_UPLOAD)
    assert "uploadId" not in cos_pair.objects.presign("bucket", "key", method=method)


@pytest.mark.parametrize("one", PART_OF_AN_UPLOAD)
def test_a_part_has_an_upload_and_a_number(cos_pair: aiocos.Client, one: str):
    with pytest.raises(aiocos.ConfigError, match="a part is a PUT"):
        cos_pair.objects.presign("bucket", "key", method="PUT", **{one: PART_OF_AN_UPLOAD[one]})


def test_what_a_presigned_url_says(cos_pair: aiocos.Client):
    def query(**more: Any) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(cos_pair.objects.presign("bucket", "key", **more)).query))

    plain = query()
    assert plain["X-Amz-Expires"] == "3600"
    assert plain["X-Amz-SignedHeaders"] == "host"
    assert not {"versionId", "uploadId", "partNumber"} & set(plain)
    part = query(method="PUT", **PART_OF_AN_UPLOAD)
    assert (part["uploadId"], part["partNumber"]) == ("u", "1")
    of_version = query(version_id="v", query={"response-content-type": "a/b"}, expires=60)
    assert (of_version["versionId"], of_version["response-content-type"]) == ("v", "a/b")
    assert of_version["X-Amz-Expires"] == "60"
    assert query(headers={"Content-Type": "x/y"})["X-Amz-SignedHeaders"] == "content-type;host"


async def test_a_range_as_text_and_tags_as_a_dict(cos: aiocos.Client):
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "a", b"0123456789", tagging={"team": "a b", "x": "ü"})
    assert await cos.objects.read("bucket", "a", range="bytes=2-4") == b"234"
    assert await cos.objects.read("bucket", "a", range="bytes=-3") == b"789"
    async with cos.objects.get("bucket", "a", range="bytes=8-") as obj:
        assert obj.extent is not None
        assert (obj.extent.first, await obj.read()) == (8, b"89")
    assert (await cos.objects.head("bucket", "a", range="bytes=0-0")).size == 1
    assert (await cos.tagging.get_object("bucket", "a")).as_dict() == {"team": "a b", "x": "ü"}
    with pytest.raises(aiocos.ConfigError, match="range: not a single range"):
        await cos.objects.read("bucket", "a", range="2-4")
