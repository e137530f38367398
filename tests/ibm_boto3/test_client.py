"""The client of the face itself: how it is made and closed, bodies in and out, URLs, errors without an answer."""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import io
import os
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiofiles
import aiohttp
import ibm_boto3 as theirs
import pytest
from ibm_botocore.config import Config as TheirConfig

import aiocos
from aiocos import ibm_boto3
from aiocos.emulator import Emulator
from aiocos.emulator.faults import FlipBit, Status, Truncate
from aiocos.errors import ConfigError, ConnectError, NoSuchKey
from aiocos.ibm_boto3 import UNSIGNED, BotoCoreError, ClientError, Config, S3Client, exceptions

from .worlds import face_of


@pytest.fixture
async def bucket(face: S3Client) -> str:
    await face.create_bucket(Bucket="things")
    return "things"


# ---------------------------------------------------------------------------------------------------------------------
# Bodies


class Chatty:
    """A file whose `read` is awaited."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    async def read(self, size: int = -1) -> bytes:
        await asyncio.sleep(0)
        return self._data.read(size)


async def _bits(data: bytes) -> AsyncIterator[bytes]:
    for n in range(0, len(data), 3):
        yield data[n : n + 3]


async def test_bodies_of_all_kinds(face: S3Client, bucket: str, tmp_path: Path) -> None:
    data = b"some bytes, \xff and more"
    path = tmp_path / "file"
    path.write_bytes(data)

    async def kept(body: Any, **more: Any) -> bytes:
        await face.put_object(Bucket=bucket, Key="k", Body=body, **more)
        return await (await face.get_object(Bucket=bucket, Key="k"))["Body"].read()

    assert await kept("täxt") == "täxt".encode()
    for body in (data, bytearray(data), memoryview(data), io.BytesIO(data), Chatty(data), _bits(data)):
        assert await kept(body) == data
    with path.open("rb") as file:
        file.seek(5)
        assert await kept(file) == data[5:]
        file.seek(2)
        assert await kept(file, ContentLength=4) == data[2:6]
    async with aiofiles.open(path, "rb") as file:
        assert await kept(file) == data
    await face.put_object(Bucket=bucket, Key="source", Body=data)
    assert await kept((await face.get_object(Bucket=bucket, Key="source"))["Body"]) == data
    assert (await face.put_object(Bucket=bucket, Key="empty"))["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    path.write_text("text")
    with path.open() as text, pytest.raises(exceptions.ParamValidationError, match="text file"):
        await face.put_object(Bucket=bucket, Key="k", Body=text)
    with pytest.raises(exceptions.ParamValidationError, match="ContentLength: 9, the body has 3"):
        await face.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(b"abc"), ContentLength=9)


async def test_a_body_is_read_as_theirs_is(face: S3Client, sdk: Any, bucket: str) -> None:
    lines = b"one\ntwo\r\n\nthree\rfour\n\xe2\x80\xa8five" * 50 + b"\r\nlast"
    await face.put_object(Bucket=bucket, Key="k", Body=lines)
    get = {"Bucket": bucket, "Key": "k"}

    async def ours() -> Any:
        return (await face.get_object(**get))["Body"]

    def other() -> Any:
        return sdk.get_object(**get)["Body"]

    assert [c async for c in await ours()] == list(await asyncio.to_thread(lambda: list(other())))
    for size in (1, 7, 64, 100_000):
        assert [c async for c in (await ours()).iter_chunks(size)] == await asyncio.to_thread(
            lambda size=size: list(other().iter_chunks(size))
        )
        for ends in (False, True):
            assert [line async for line in (await ours()).iter_lines(size, ends)] == await asyncio.to_thread(
                lambda size=size, ends=ends: list(other().iter_lines(size, ends))
            )
    assert await (await ours()).readlines() == lines.splitlines(keepends=True)
    body = await ours()
    assert (await body.read(5), await body.read(0), body.tell()) == (lines[:5], b"", 5)
    buffer = bytearray(7)
    assert (await body.readinto(buffer), bytes(buffer)) == (7, lines[5:12])
    assert await body.read() == lines[12:]
    assert (await body.read(), await body.read(10), body.tell(), body.readable()) == (b"", b"", len(lines), True)
    body = await ours()
    assert [await body.readline(), await body.readline()] == lines.splitlines(keepends=True)[:2]
    assert await anext(body) == lines[9 : 9 + 1024]
    assert (body.closed, body.seekable(), body.writable()) == (False, False, False)
    with pytest.raises(TypeError, match="async for"):
        list(body)  # type: ignore[call-overload]
    body.close()
    assert body.closed


async def test_a_body_that_is_dropped_frees_its_connection(face: S3Client, bucket: str) -> None:
    await face.put_object(Bucket=bucket, Key="large", Body=b"x" * 5_000_000)
    async with (await face.get_object(Bucket=bucket, Key="large"))["Body"] as body:
        assert len(await body.read(10)) == 10
    assert await body.read() == b""
    assert (await face.head_object(Bucket=bucket, Key="large"))["ContentLength"] == 5_000_000


async def test_a_body_that_nobody_reads_is_no_trouble(face: S3Client, bucket: str) -> None:
    await face.put_object(Bucket=bucket, Key="large", Body=b"x" * 5_000_000)
    for _ in range(3):
        assert (await face.get_object(Bucket=bucket, Key="large"))["ContentLength"] == 5_000_000
    gc.collect()
    assert face.typed.concurrency.in_flight == 0


async def test_a_body_that_breaks_goes_on(face: S3Client, bucket: str, cos_emulator: Emulator) -> None:
    data = os.urandom(3_000_000)
    await face.put_object(Bucket=bucket, Key="k", Body=data)
    cos_emulator.faults.script([Truncate(1_000_000, operation="GetObject")])
    async with ibm_boto3.client("s3", **_keys(cos_emulator)) as patient:
        assert await (await patient.get_object(Bucket=bucket, Key="k"))["Body"].read() == data
    # Without another attempt, what came is not taken for the whole.
    cos_emulator.faults.script([Truncate(1_000_000, operation="GetObject")])
    body = (await face.get_object(Bucket=bucket, Key="k"))["Body"]
    with pytest.raises(exceptions.ResponseStreamingError):
        await body.read()
    cos_emulator.faults.script([FlipBit(operation="GetObject")])
    body = (await face.get_object(Bucket=bucket, Key="k"))["Body"]
    with pytest.raises(exceptions.FlexibleChecksumError):
        await body.read()


# ---------------------------------------------------------------------------------------------------------------------
# URLs


def _keys(emulator: Emulator) -> dict[str, Any]:
    return {
        "endpoint_url": emulator.endpoint,
        "aws_access_key_id": emulator.access_key_id,
        "aws_secret_access_key": emulator.secret_access_key,
        "region_name": "us-south",
    }


_URLS: list[tuple[str, dict[str, Any]]] = [
    ("get_object", {"Key": "a/ü +?%&"}),
    ("get_object", {"Key": "k", "VersionId": "v", "ResponseContentType": "text/plain", "ResponseCacheControl": "no-store"}),
    ("get_object", {"Key": "k", "Range": "bytes=0-1"}),
    ("put_object", {"Key": "k", "ContentType": "text/plain", "Metadata": {"a": "b"}}),
    ("put_object", {"Key": "k", "ContentDisposition": 'attachment; filename="©"', "Tagging": "k=ü"}),
    ("get_object", {"Key": "k", "IfModifiedSince": "1577836800"}),
    ("head_object", {"Key": "k"}),
    ("delete_object", {"Key": "k"}),
    ("upload_part", {"Key": "k", "UploadId": "u", "PartNumber": 3}),
    ("list_objects_v2", {"Prefix": "a/"}),
    ("head_bucket", {}),
    ("get_bucket_acl", {}),
]


@pytest.mark.parametrize(("method", "parameters"), _URLS, ids=lambda value: value if isinstance(value, str) else "")
async def test_urls_are_theirs(method: str, parameters: dict[str, Any], cos_emulator: Emulator) -> None:
    keys = _keys(cos_emulator)
    sdk = await asyncio.to_thread(theirs.client, "s3", config=TheirConfig(signature_version="s3v4"), **keys)
    face = ibm_boto3.client("s3", config=Config(signature_version="s3v4"), **keys)
    parameters = {"Bucket": "things", **parameters}

    def parts(url: str) -> Any:
        split = urlsplit(url)
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        # A client asks for listings whose keys any XML can carry, and so does its URL.
        return split.path, query.pop("encoding-type", None) and None, query

    while True:
        other = parts(await asyncio.to_thread(sdk.generate_presigned_url, method, parameters, 60))
        ours = parts(face.generate_presigned_url(method, parameters, 60))
        if ours[2]["X-Amz-Date"] == other[2]["X-Amz-Date"]:  # both within one second
            break
    if method == "list_objects_v2":
        # Signed with what it asks for, which the SDK's URL does not say.
        ours[2].pop("X-Amz-Signature")
        other[2].pop("X-Amz-Signature")
    assert ours == other
    await face.close()
    sdk.close()


async def test_urls_work(cos_emulator: Emulator) -> None:
    async with ibm_boto3.client("s3", **_keys(cos_emulator)) as face, aiohttp.ClientSession() as anybody:
        await face.create_bucket(Bucket="things")
        url = face.generate_presigned_url("put_object", Params={"Bucket": "things", "Key": "k"}, ExpiresIn=60)
        async with anybody.put(url, data=b"by url") as answer:
            assert answer.status == 200
        url = face.generate_presigned_url("get_object", Params={"Bucket": "things", "Key": "k"}, ExpiresIn=60)
        async with anybody.get(url) as answer:
            assert await answer.read() == b"by url"
        url = face.generate_presigned_url("get_object", {"Bucket": "things", "Key": "k"}, 60, "HEAD")
        async with anybody.head(url) as answer:
            assert answer.status == 200
        with pytest.raises(exceptions.UnknownClientMethodError, match="does not have method: get_thing"):
            face.generate_presigned_url("get_thing")
        with pytest.raises(exceptions.ParamValidationError, match='Missing required parameter in input: "Key"'):
            face.generate_presigned_url("get_object", {"Bucket": "things"})


async def test_urls_need_keys(face: S3Client) -> None:
    with pytest.raises(exceptions.CredentialRetrievalError, match="HMAC keys"):
        face.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})


# ---------------------------------------------------------------------------------------------------------------------
# Clients


async def test_the_typed_client_is_underneath(face: S3Client, bucket: str) -> None:
    assert isinstance(face.typed, aiocos.Client)
    await face.typed.objects.put(bucket, "k", b"typed")
    assert await (await face.get_object(Bucket=bucket, Key="k"))["Body"].read() == b"typed"
    assert "put_object" in dir(face)
    assert "    ExpectedBucketOwner" in str(face.put_object.__doc__)
    assert face.meta.method_to_api_mapping["list_objects_v2"] == "ListObjectsV2"


async def test_errors_keep_their_cause(face: S3Client, bucket: str) -> None:
    with pytest.raises(face.exceptions.NoSuchKey) as caught:
        await face.get_object(Bucket=bucket, Key="none")
    assert isinstance(caught.value.__cause__, NoSuchKey)
    assert isinstance(caught.value, ClientError)
    assert caught.value.response["Error"]["Resource"] == "/things/none"
    with pytest.raises(AttributeError, match="Valid exceptions are: ClientError, BucketAlreadyExists"):
        face.exceptions.NoSuchThing
    assert face.exceptions.from_code("NoSuchBucket") is face.exceptions.NoSuchBucket


async def test_no_answer_is_no_client_error() -> None:
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0})
    async with ibm_boto3.client("s3", endpoint_url="http://127.0.0.1:9", config=config) as face:
        with pytest.raises(exceptions.EndpointConnectionError) as caught:
            await face.list_buckets()
    assert isinstance(caught.value.__cause__, ConnectError)
    assert isinstance(caught.value, BotoCoreError)


async def test_attempts_are_told(cos_emulator: Emulator) -> None:
    async with ibm_boto3.client("s3", config=Config(retries={"total_max_attempts": 3}), **_keys(cos_emulator)) as face:
        await face.create_bucket(Bucket="things")
        cos_emulator.faults.script([Status(503, times=2)])
        assert (await face.head_bucket(Bucket="things"))["ResponseMetadata"]["RetryAttempts"] == 2
        cos_emulator.faults.script([Status(503, times=3)])
        with pytest.raises(ClientError, match=r"reached max retries: 2") as caught:
            await face.head_bucket(Bucket="things")
        assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2


async def test_a_client_in_a_second_loop(cos_emulator: Emulator) -> None:
    face = face_of(cos_emulator)

    async def work(name: str) -> int:
        async with face:
            return (await face.create_bucket(Bucket=name))["ResponseMetadata"]["HTTPStatusCode"]

    assert await work("one") == 200
    assert await asyncio.to_thread(lambda: asyncio.run(work("two"))) == 200


def test_what_there_is_not() -> None:
    with pytest.raises(exceptions.UnknownServiceError, match="Unknown service: 'sqs'"):
        ibm_boto3.client("sqs")
    with pytest.raises(exceptions.ResourceNotExistsError, match="'sqs' resource"):
        ibm_boto3.resource("sqs")
    with pytest.raises(exceptions.InvalidConfigError, match="client\\(\\) has no parameter colour"):
        ibm_boto3.client("s3", colour="red")
    with pytest.raises(exceptions.PartialCredentialsError, match="missing: aws_secret_access_key"):
        ibm_boto3.client("s3", aws_access_key_id="half")
    with pytest.raises(exceptions.InvalidConfigError, match="no http or https URL"):
        ibm_boto3.client("s3", endpoint_url="ftp://cos.example")
    for options, said in [
        ({"proxies": {}}, "unsupported option proxies; the options are region_name"),
        ({"signature_version": "s3"}, "signature_version is"),
        ({"s3": {"addressing_style": "odd"}}, "addressing_style"),
        ({"s3": {"use_accelerate_endpoint": True}}, "unsupported option s3.use_accelerate_endpoint"),
        ({"retries": {"many": 1}}, "retries has no many"),
        ({"retries": -2}, "retries"),
        ({"request_checksum_calculation": "never"}, "request_checksum_calculation"),
        ({"read_timeout": 0}, "idle_timeout"),
    ]:
        with pytest.raises(ConfigError, match=re.escape(said)):
            Config(**options).applied()


async def test_surroundings_are_theirs(cos_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoint and region of the environment and of a profile, as IBM's SDK finds them."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "IBM_", "AIOCOS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    text = "[default]\nregion = eu-de\n[profile other]\nregion = jp-tok\nendpoint_url = http://profile.example\n"
    (tmp_path / ".aws" / "config").write_text(text)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}

    def both(make: Callable[[Any], Any]) -> str:
        ours, other = make(ibm_boto3), make(theirs)
        told = ours.meta.endpoint_url, ours.meta.region_name
        assert told[1] == other.meta.region_name
        if ".appdomain." not in told[0]:
            assert told[0] == other.meta.endpoint_url
        other.close()
        return told[0]

    assert both(lambda sdk: sdk.Session(**keys).client("s3")).startswith("https://s3.eu-de.")
    assert both(lambda sdk: sdk.Session(**keys, profile_name="other").client("s3")) == "http://profile.example"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east")
    assert both(lambda sdk: sdk.Session(**keys).client("s3")).startswith("https://s3.us-east.")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all.example")
    assert both(lambda sdk: sdk.Session(**keys).client("s3")) == "http://all.example"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.example")
    assert both(lambda sdk: sdk.Session(**keys).client("s3")) == "http://s3.example"
    given = {"endpoint_url": "http://given.example"}
    assert both(lambda sdk: sdk.Session(**keys).client("s3", **given)) == "http://given.example"
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert both(lambda sdk: sdk.Session(**keys).client("s3")).startswith("https://s3.us-east.")
    with pytest.raises(exceptions.ProfileNotFound, match="could not be found"):
        ibm_boto3.Session(profile_name="nobody")
    (tmp_path / ".aws" / "config").write_text("no section")
    with pytest.raises(exceptions.InvalidConfigError, match="no INI file"):
        ibm_boto3.Session()


async def test_keys_as_they_travel(cos_emulator: Emulator) -> None:
    """A customer's key that is base64 already comes with its MD5, as for IBM's SDK."""
    key = os.urandom(32)
    encoded, md5 = base64.b64encode(key).decode(), base64.b64encode(hashlib.md5(key).digest()).decode()
    face = ibm_boto3.client("s3", endpoint_url="https://cos.example", aws_access_key_id="a", aws_secret_access_key="b")
    url = {"Bucket": "b", "Key": "k", "SSECustomerAlgorithm": "AES256"}
    forms = [{"SSECustomerKey": key}, {"SSECustomerKey": encoded, "SSECustomerKeyMD5": md5}]
    made = {face.generate_presigned_url("get_object", {**url, **form}).partition("X-Amz-SignedHeaders")[2] for form in forms}
    assert len({text.partition("&X-Amz-Signature")[0] for text in made}) == 1
    with pytest.raises(exceptions.ParamValidationError, match="not the MD5 of the key"):
        face.generate_presigned_url("get_object", {**url, "SSECustomerKey": key, "SSECustomerKeyMD5": "AAAA"})


async def test_times_that_writers_chose(face: S3Client, sdk: Any, bucket: str) -> None:
    when = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    await face.put_object(Bucket=bucket, Key="k", Expires=when)
    assert (await face.head_object(Bucket=bucket, Key="k"))["Expires"] == when
    assert (await asyncio.to_thread(sdk.head_object, Bucket=bucket, Key="k"))["Expires"] == when


def test_the_wrong_kind_of_for_and_with() -> None:
    face = ibm_boto3.client("s3", endpoint_url="https://cos.example")
    with pytest.raises(TypeError, match="async with"), face:  # type: ignore[attr-defined]
        pass
    with pytest.raises(TypeError, match="async for"):
        list(face.get_paginator("list_objects_v2").paginate(Bucket="b"))  # type: ignore[call-overload]
    manager = ibm_boto3.s3.transfer.TransferManager(face)
    with pytest.raises(TypeError, match="async with"), manager:  # type: ignore[attr-defined]
        pass
    with pytest.raises(RuntimeError, match="start them in a coroutine"):
        manager.upload("file", "b", "k")


def test_options_arrive() -> None:
    config = Config(
        region_name="eu-de",
        connect_timeout=3,
        read_timeout=4,
        max_pool_connections=5,
        retries={"max_attempts": 6, "mode": "adaptive"},
        s3={"addressing_style": "virtual"},
        user_agent_extra="mine/1",
        tcp_keepalive=True,
        user_agent_appid="app-1",
    )
    face = ibm_boto3.client("s3", config=config.merge(Config(retries=1)), ibm_api_key_id="key", verify=None)
    settings = face.typed.config
    assert (settings.connect_timeout, settings.idle_timeout, settings.max_connections) == (3, 4, 5)
    assert (settings.retry.attempts, settings.addressing, settings.user_agent) == (2, "virtual", "mine/1 app/app-1")
    assert face.meta.endpoint_url == "https://s3.eu-de.cloud-object-storage.appdomain.cloud"
    assert (settings.checksum, Config(request_checksum_calculation="when_required").applied().checksum) == ("crc32", "md5")
    assert ibm_boto3.client("s3", endpoint_url="cos.example", use_ssl=False).meta.endpoint_url == "http://cos.example"
    assert ibm_boto3.client("s3", verify="/a/file", endpoint_url="cos.example").typed.config.ca_file == "/a/file"
    Config(s3={"use_accelerate_endpoint": False, "addressing_style": None}, proxies=None)
    with pytest.warns(UserWarning, match="not verified"):
        ibm_boto3.client("s3", verify=False, endpoint_url="cos.example")


async def test_who_it_is(cos_emulator: Emulator) -> None:
    """An API key, HMAC keys, both with either signature, a function, a manager: as the server sees them."""
    iam = {
        "ibm_api_key_id": cos_emulator.api_key,
        "ibm_service_instance_id": cos_emulator.service_instance_id,
        "ibm_auth_endpoint": cos_emulator.iam_endpoint,
        "endpoint_url": cos_emulator.endpoint,
    }

    async def token() -> str:
        async with aiohttp.ClientSession() as session:
            form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": cos_emulator.api_key}
            async with session.post(cos_emulator.iam_endpoint, data=form) as answer:
                return (await answer.json())["access_token"]

    value, asked = await token(), []

    def function() -> dict[str, Any]:
        asked.append("function")
        return {"access_token": value, "refresh_token": "…", "token_type": "Bearer", "expires_in": 3600, "expiration": 0}

    class Manager:
        def get_token(self) -> str:
            asked.append("manager")
            return value

    async def works(**arguments: Any) -> str:
        async with ibm_boto3.client("s3", **arguments) as face:
            await face.list_buckets()
            await face.list_buckets()
            return "tokens" if any(s.operation == "CreateToken" for s in list(cos_emulator.requests)[-3:]) else "none"

    elsewhere = {"endpoint_url": cos_emulator.endpoint, "ibm_service_instance_id": cos_emulator.service_instance_id}
    await works(**iam)
    await works(**iam, config=Config(signature_version="oauth"))
    assert await works(**_keys(cos_emulator)) == "none"
    assert await works(**{**iam, **_keys(cos_emulator)}, config=Config(signature_version="s3v4")) == "none"
    assert await works(**elsewhere, auth_function=function) == "none"
    assert asked == ["function"]
    assert await works(**elsewhere, token_manager=Manager()) == "none"
    assert asked == ["function", "manager", "manager"]
    session = ibm_boto3.Session(**{name: value for name, value in iam.items() if name != "endpoint_url"})
    async with session.client("s3", endpoint_url=cos_emulator.endpoint) as face:
        await face.list_buckets()
    with pytest.raises(exceptions.CredentialRetrievalError, match="auth_function raised KeyError"):
        await works(**elsewhere, auth_function=lambda: {}["secret"])
    with pytest.raises(exceptions.CredentialRetrievalError, match="returned no access_token"):
        await works(**elsewhere, auth_function=dict)
