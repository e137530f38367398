"""`S3Transfer` and the transfer methods of the client."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.ibm_boto3.s3.helpers import DATA, IN_PARTS, PART, Sink, nothing_left, stored
from tests.parity.test_ibm_boto3 import sdk_client
from tests.transfer.conftest import PATIENCE

from aiocos import errors, ibm_boto3
from aiocos.emulator import Delay, Emulator, Status
from aiocos.groups import engine_of
from aiocos.ibm_boto3 import ClientError, S3Client
from aiocos.ibm_boto3.exceptions import S3UploadFailedError
from aiocos.ibm_boto3.s3.transfer import MB, S3Transfer, TransferConfig, TransferManager
from aiocos.transfer.manager import manager_of

PROTECTION = {
    "Status": "Retention",
    "MinimumRetention": {"Days": 10},
    "DefaultRetention": {"Days": 100},
    "MaximumRetention": {"Days": 1000},
}


def sent(emulator: Emulator) -> Counter[str]:
    """How often each operation was asked for since the last look."""
    found = Counter(request.operation for request in emulator.requests if request.operation)
    emulator.requests.clear()
    return found


async def test_sample_40_multi_part_upload(cos: S3Client, cos_emulator: Emulator, file: Path):
    config = TransferConfig(multipart_threshold=1024 * 1024 * 15, multipart_chunksize=1024 * 1024 * 5)
    with file.open("rb") as file_data:
        await cos.upload_fileobj(Bucket="bucket", Key="key", Fileobj=file_data, Config=config)
        assert not file_data.closed
    assert await stored(cos) == DATA
    assert sent(cos_emulator)["UploadPart"] == 4
    await cos.upload_fileobj(Bucket="bucket", Key="key", Fileobj=io.BytesIO(DATA[: 15 * MB - 1]), Config=config)
    assert sent(cos_emulator) == {"PutObject": 1}
    assert await stored(cos) == DATA[: 15 * MB - 1]


@pytest.mark.parametrize("size", [1000, len(DATA)])
async def test_sample_43_upload_file_with_retention(cos: S3Client, tmp_path: Path, size: int):
    await cos.put_bucket_protection_configuration(Bucket="bucket", ProtectionConfiguration=PROTECTION)
    (tmp_path / "f").write_bytes(DATA[:size])
    for key, extra in (
        ("a", {"RetentionPeriod": 30 * 86_400}),
        ("b", {"RetentionPeriod": 40 * 86_400, "RetentionLegalHoldId": "case-1"}),
        ("c", None),
    ):
        await cos.upload_file(str(tmp_path / "f"), "bucket", key, ExtraArgs=extra, Config=IN_PARTS)
        assert (await cos.head_object(Bucket="bucket", Key=key))["ContentLength"] == size
        wanted = (extra or {"RetentionPeriod": 100 * 86_400})["RetentionPeriod"]
        assert (await cos.list_legal_holds(Bucket="bucket", Key=key))["RetentionPeriod"] == wanted
    assert (await cos.list_legal_holds(Bucket="bucket", Key="b"))["LegalHolds"][0]["ID"] == "case-1"
    with pytest.raises(S3UploadFailedError, match=r"Failed to upload .*/f to bucket/a: .*AccessDenied"):
        await cos.upload_file(tmp_path / "f", "bucket", "a", Config=IN_PARTS)
    await nothing_left(cos)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, len(DATA)])
async def test_a_file_is_uploaded_and_downloaded(cos: S3Client, cos_emulator: Emulator, tmp_path: Path, size: int):
    (tmp_path / "f").write_bytes(DATA[:size])
    up: list[int] = []
    down: list[int] = []
    await cos.upload_file(str(tmp_path / "f"), "bucket", "key", Callback=up.append, Config=IN_PARTS)
    assert sent(cos_emulator)["UploadPart"] == (0 if size < PART else -(-size // PART))
    await cos.download_file("bucket", "key", str(tmp_path / "g"), Callback=down.append, Config=IN_PARTS)
    assert (tmp_path / "g").read_bytes() == DATA[:size]
    for heard in (up, down):
        assert sum(heard) == size
        assert all(amount > 0 for amount in heard)
    await nothing_left(cos)


async def test_options_reach_the_object_in_one_piece_and_in_parts(cos: S3Client, cos_emulator: Emulator, tmp_path: Path):
    key = os.urandom(32)
    extra = {
        "Metadata": {"who": "me"},
        "ContentType": "text/x-odd",
        "CacheControl": "no-store",
        "ACL": "public-read",
        "Tagging": "a=1&b=2",
        "StorageClass": "STANDARD",
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": key,
    }
    for size in (1000, len(DATA)):
        (tmp_path / "f").write_bytes(DATA[:size])
        await cos.upload_file(tmp_path / "f", "bucket", "key", ExtraArgs=extra, Config=IN_PARTS)
        sse = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
        head = await cos.head_object(Bucket="bucket", Key="key", **sse)
        assert (head["Metadata"], head["ContentType"], head["CacheControl"]) == ({"who": "me"}, "text/x-odd", "no-store")
        tags = (await cos.get_object_tagging(Bucket="bucket", Key="key"))["TagSet"]
        assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
        grants = (await cos.get_object_acl(Bucket="bucket", Key="key"))["Grants"]
        assert any(grant["Permission"] == "READ" for grant in grants)
        await cos.download_file("bucket", "key", tmp_path / "g", ExtraArgs=sse | {"ChecksumMode": "ENABLED"})
        assert (tmp_path / "g").read_bytes() == DATA[:size]
        with pytest.raises(ClientError):
            await cos.download_file("bucket", "key", tmp_path / "h")
        assert not (tmp_path / "h").exists()


async def test_conditions(cos: S3Client, file: Path):
    only_new = {"IfNoneMatch": "*"}
    await cos.upload_file(file, "bucket", "key", ExtraArgs=only_new, Config=IN_PARTS)
    with pytest.raises(S3UploadFailedError) as caught:
        await cos.upload_file(file, "bucket", "key", ExtraArgs=only_new, Config=IN_PARTS)
    assert isinstance(caught.value.__cause__, ClientError)
    assert caught.value.__cause__.response["Error"]["Code"] == "PreconditionFailed"
    await nothing_left(cos)


async def test_versions(cos: S3Client, tmp_path: Path):
    await cos.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    first = (await cos.put_object(Bucket="bucket", Key="key", Body=b"old"))["VersionId"]
    await cos.put_object(Bucket="bucket", Key="key", Body=b"new")
    await cos.download_file("bucket", "key", tmp_path / "f", ExtraArgs={"VersionId": first})
    assert (tmp_path / "f").read_bytes() == b"old"
    target = io.BytesIO()
    await cos.download_fileobj("bucket", "key", target, ExtraArgs={"VersionId": first})
    assert target.getvalue() == b"old"
    await cos.copy({"Bucket": "bucket", "Key": "key", "VersionId": first}, "bucket", "copy")
    assert await stored(cos, "copy") == b"old"


async def test_threads_or_none(cos: S3Client, cos_emulator: Emulator, file: Path, tmp_path: Path):
    """Without threads it is one part at a time, and one request down."""
    config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)
    busy = widest = 0
    send = engine_of(cos.typed)._send

    async def counted(operation: Any, *more: Any) -> Any:
        nonlocal busy, widest
        busy += operation.spec.name in ("UploadPart", "UploadPartCopy")
        widest = max(widest, busy)
        try:
            return await send(operation, *more)
        finally:
            busy -= operation.spec.name in ("UploadPart", "UploadPartCopy")

    engine_of(cos.typed)._send = counted  # type: ignore[method-assign]
    cos_emulator.faults.script([Delay(0.05, operation=name, times=None) for name in ("UploadPart", "UploadPartCopy")])
    await cos.upload_file(file, "bucket", "key", Config=config)
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", Config=config)
    await cos.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy", Config=config)
    assert widest == 1
    await cos.upload_file(file, "bucket", "key", Config=IN_PARTS)
    assert widest > 1
    sent(cos_emulator)
    await cos.download_file("bucket", "key", tmp_path / "f", Config=config)
    assert sent(cos_emulator)["GetObject"] == 1
    await cos.download_file("bucket", "key", tmp_path / "g", Config=IN_PARTS)
    assert sent(cos_emulator)["GetObject"] == 4
    assert (tmp_path / "f").read_bytes() == (tmp_path / "g").read_bytes() == DATA


async def test_sample_44_parts_are_as_large_as_the_service_wants_them(cos: S3Client, cos_emulator: Emulator, file: Path):
    await cos.upload_file(file, "bucket", "key", Config=TransferConfig(multipart_threshold=1, multipart_chunksize=1))
    assert sent(cos_emulator)["UploadPart"] == 4
    head = await cos.head_object(Bucket="bucket", Key="key", PartNumber=1)
    assert (head["ContentLength"], head["PartsCount"]) == (PART, 4)


async def test_a_copy_keeps_headers_metadata_and_tags(cos: S3Client, cos_emulator: Emulator):
    extra = {"Metadata": {"who": "me"}, "ContentType": "text/x-odd", "Tagging": "a=1"}
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", ExtraArgs=extra)
    for config, parts in ((IN_PARTS, 4), (TransferConfig(multipart_threshold=len(DATA) + 1), 0)):
        heard: list[int] = []
        sent(cos_emulator)
        await cos.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy", Callback=heard.append, Config=config)
        found = sent(cos_emulator)
        assert (found["UploadPartCopy"], found["CopyObject"]) == (parts, 0 if parts else 1)
        assert sum(heard) == len(DATA)
        head = await cos.head_object(Bucket="bucket", Key="copy")
        assert (head["Metadata"], head["ContentType"]) == ({"who": "me"}, "text/x-odd")
        assert await stored(cos, "copy") == DATA
        new = {"MetadataDirective": "REPLACE", "Metadata": {"n": "1"}}
        await cos.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy", ExtraArgs=new, Config=config)
        assert (await cos.head_object(Bucket="bucket", Key="copy"))["Metadata"] == {"n": "1"}
        with pytest.raises(ClientError) as caught:
            wrong = {"CopySourceIfMatch": '"other"'}
            await cos.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy", ExtraArgs=wrong, Config=config)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    await nothing_left(cos)


@pytest.mark.parametrize("config", [IN_PARTS, TransferConfig(multipart_threshold=len(DATA) + 1)])
async def test_a_copy_may_set_retention(cos: S3Client, config: TransferConfig):
    await cos.create_bucket(Bucket="kept-bucket")
    await cos.put_bucket_protection_configuration(Bucket="kept-bucket", ProtectionConfiguration=PROTECTION)
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key")
    source, extra = {"Bucket": "bucket", "Key": "key"}, {"RetentionPeriod": 20 * 86_400}
    await cos.copy(source, "kept-bucket", "copy", ExtraArgs=extra, Config=config)
    state = await cos.list_legal_holds(Bucket="kept-bucket", Key="copy")
    assert state["RetentionPeriod"] == 20 * 86_400


async def test_source_client_reads_the_source(cos: S3Client, cos_emulator: Emulator):
    await cos.upload_fileobj(io.BytesIO(b"data"), "bucket", "key")
    keys = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
    async with ibm_boto3.client("s3", endpoint_url=cos_emulator.endpoint, region_name="us-south", **keys) as stranger:
        with pytest.raises(ClientError) as caught:
            await cos.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy", SourceClient=stranger)
        assert caught.value.operation_name == "HeadObject"
    await cos.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy", SourceClient=cos)
    assert await stored(cos, "copy") == b"data"


async def test_an_async_callback_gets_all_bytes_before_the_end(cos: S3Client, file: Path, tmp_path: Path):
    busy = False
    heard: list[int] = []

    async def slow(amount: int) -> None:
        nonlocal busy
        assert not busy
        busy = True
        await asyncio.sleep(0.02)
        heard.append(amount)
        busy = False

    async def each(transfer: Any) -> None:
        heard.clear()
        await transfer
        assert sum(heard) == len(DATA)
        assert not busy

    await each(cos.upload_file(file, "bucket", "key", Callback=slow, Config=IN_PARTS))
    await each(cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", Callback=slow, Config=IN_PARTS))
    await each(cos.download_file("bucket", "key", tmp_path / "f", Callback=slow, Config=IN_PARTS))
    await each(cos.download_fileobj("bucket", "key", io.BytesIO(), Callback=slow, Config=IN_PARTS))
    await each(cos.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy", Callback=slow, Config=IN_PARTS))


@pytest.mark.parametrize("waits", [False, True])
async def test_an_exception_of_a_callback_fails_the_transfer(cos: S3Client, file: Path, tmp_path: Path, waits: bool):
    class Enough(Exception):
        pass

    reason = KeyError("why")

    def at_once(amount: int) -> None:
        raise Enough from reason

    async def later(amount: int) -> None:
        await asyncio.sleep(0)
        raise Enough from reason

    callback = later if waits else at_once
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "source")
    for transfer in (
        cos.upload_file(file, "bucket", "key", Callback=callback, Config=IN_PARTS),
        cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", Callback=callback, Config=IN_PARTS),
        cos.download_file("bucket", "source", tmp_path / "target", Callback=callback, Config=IN_PARTS),
        cos.download_fileobj("bucket", "source", Sink(), Callback=callback, Config=IN_PARTS),
        cos.copy({"Bucket": "bucket", "Key": "source"}, "bucket", "key", Callback=callback, Config=IN_PARTS),
    ):
        with pytest.raises(Enough) as caught:
            await transfer
        assert caught.value.__cause__ is reason
    assert not (tmp_path / "target").exists()
    assert [entry["Key"] for entry in (await cos.list_objects_v2(Bucket="bucket"))["Contents"]] == ["source"]
    await nothing_left(cos)


@pytest.mark.parametrize(
    ("operation", "size"), [("PutObject", 10), ("UploadPart", len(DATA)), ("CreateMultipartUpload", len(DATA))]
)
async def test_an_error_of_the_service_is_a_client_error(
    cos: S3Client, cos_emulator: Emulator, tmp_path: Path, operation: str, size: int
):
    (tmp_path / "f").write_bytes(DATA[:size])
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation=operation, times=None)])
    with pytest.raises(ClientError) as caught:
        await cos.upload_fileobj(io.BytesIO(DATA[:size]), "bucket", "key", Config=IN_PARTS)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.operation_name == operation
    assert isinstance(caught.value.__cause__, errors.CosError)
    with pytest.raises(S3UploadFailedError, match=rf"^Failed to upload {tmp_path}/f to bucket/key: An error occurred \(Acc"):
        await cos.upload_file(tmp_path / "f", "bucket", "key", Config=IN_PARTS)
    await nothing_left(cos)


async def test_errors_equal_those_of_the_sdk(cos: S3Client, cos_emulator: Emulator, tmp_path: Path):
    """The same mistakes with IBM's SDK, in a thread."""
    (tmp_path / "f").write_bytes(b"data")
    there, away, folder = str(tmp_path / "f"), str(tmp_path / "away"), str(tmp_path)
    deep = str(tmp_path / "no" / "f")
    source, gone = {"Bucket": "bucket", "Key": "key"}, {"Bucket": "bucket", "Key": "gone"}
    await cos.put_object(Bucket="bucket", Key="key", Body=b"data")
    mistakes: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("upload_file", (away, "bucket", "k"), {}),
        ("upload_file", (folder, "bucket", "k"), {}),
        ("upload_file", (there, "no-such-bucket", "k"), {}),
        ("upload_file", (there, "bucket", "k"), {"ExtraArgs": {"Foo": 1}}),
        ("upload_file", (there, "bucket", "k"), {"ExtraArgs": {"Metadata": 1}}),
        ("upload_file", (there, "bucket", "k"), {"ExtraArgs": {"RetentionPeriod": 5}}),
        ("upload_fileobj", (b"", "bucket", "k"), {}),
        ("download_file", ("bucket", "gone", away), {}),
        ("download_file", ("no-such-bucket", "gone", away), {}),
        ("download_file", ("bucket", "key", folder), {}),
        ("download_file", ("bucket", "key", deep), {}),
        ("download_file", ("bucket", "key", away), {"ExtraArgs": {"Range": "bytes=0-1"}}),
        ("download_fileobj", ("bucket", "gone", io.BytesIO()), {}),
        ("copy", (gone, "bucket", "k"), {}),
        ("copy", (source, "no-such-bucket", "k"), {}),
        ("copy", (source, "bucket", "k"), {"ExtraArgs": {"Foo": 1}}),
    ]

    def mistake(client: Any, call: tuple[str, tuple[Any, ...], dict[str, Any]]) -> Exception:
        name, arguments, options = call
        with pytest.raises(Exception) as caught:
            getattr(client, name)(*arguments, **options)
        return caught.value

    theirs = await asyncio.to_thread(sdk_client, cos_emulator, "iam")
    for call in mistakes:
        expected = await asyncio.to_thread(mistake, theirs, call)
        with pytest.raises(Exception) as caught:
            await getattr(cos, call[0])(*call[1], **call[2])
        assert [cls.__name__ for cls in type(caught.value).__mro__].count(type(expected).__name__), (call, caught.value)
        if isinstance(expected, OSError):
            assert isinstance(caught.value, OSError)
            assert caught.value.errno == expected.errno, call
        if hasattr(expected, "response"):
            assert caught.value.response["Error"]["Code"] == expected.response["Error"]["Code"], call
    theirs.close()
    assert not os.path.exists(away)


async def test_a_cancel_leaves_nothing(cos: S3Client, cos_emulator: Emulator, file: Path, tmp_path: Path):
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "source", Config=IN_PARTS)
    transfers: dict[str, Callable[[], Any]] = {
        "UploadPart": lambda: cos.upload_file(file, "bucket", "key", Config=IN_PARTS),
        "PutObject": lambda: cos.upload_fileobj(io.BytesIO(b"data"), "bucket", "key"),
        "GetObject": lambda: cos.download_file("bucket", "source", tmp_path / "target", Config=IN_PARTS),
        "UploadPartCopy": lambda: cos.copy({"Bucket": "bucket", "Key": "source"}, "bucket", "key", Config=IN_PARTS),
    }
    for operation, transfer in transfers.items():
        cos_emulator.faults.script([Delay(30, operation=operation, times=None)])
        task = asyncio.create_task(transfer())
        async with asyncio.timeout(PATIENCE):
            while not cos_emulator.faults.hits:
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cos_emulator.faults.clear()
        assert own_tasks(cos) == set()
        await nothing_left(cos)
    assert sorted(os.listdir(tmp_path)) == ["source"]
    assert [entry["Key"] for entry in (await cos.list_objects_v2(Bucket="bucket"))["Contents"]] == ["source"]


def own_tasks(cos: S3Client) -> set[asyncio.Task[Any]]:
    """The transfers of a client that run."""
    return set(manager_of(cos.typed)._started.get(asyncio.get_running_loop(), ()))  # type: ignore[attr-defined]


async def test_an_awaited_failure_is_not_logged(cos: S3Client, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    # What others have left is theirs: aiohttp 3.11 tells of writers that were cancelled.
    gc.collect()
    caplog.clear()
    with pytest.raises(FileNotFoundError):
        await cos.upload_file(tmp_path / "away", "bucket", "key")
    gc.collect()
    assert [record for record in caplog.records if "never retrieved" in record.getMessage()] == []


async def test_s3_transfer_with_a_manager_of_its_own(cos: S3Client, file: Path):
    async with S3Transfer(cos, IN_PARTS) as transfer:
        await transfer.upload_file(str(file), "bucket", "key", None, {"ContentType": "text/x-odd"})
    async with S3Transfer(manager=TransferManager(cos)) as transfer:
        await transfer.download_file("bucket", "key", str(file) + "2")
    assert hashlib.sha256(Path(str(file) + "2").read_bytes()).digest() == hashlib.sha256(DATA).digest()
    with pytest.raises(ValueError, match="must be provided"):
        S3Transfer()
    with pytest.raises(ValueError, match="mutually exclusive"):
        S3Transfer(cos, manager=TransferManager(cos))
