"""`TransferManager`: uploads, downloads, copies and deletions in the background."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from tests.ibm_boto3.both_clients import OURS, THEIRS, BothClients, comparable_error, renamed
from tests.ibm_boto3.s3.helpers import DATA, IN_PARTS, Noted, keys
from tests.parity.test_every_operation import PLAIN

from aiocos import ibm_boto3
from aiocos.emulator import Emulator, Status
from aiocos.groups import engine_of
from aiocos.ibm_boto3 import ClientError, Config, S3Client
from aiocos.ibm_boto3.s3 import transfer
from aiocos.ibm_boto3.s3.transfer import BaseSubscriber, TransferConfig, TransferManager
from aiocos.transfer.manager import manager_of

KEY = {"Bucket": PLAIN, "Key": "key"}


MIB = 1024 * 1024


def _copy(both_with_odd_keys: BothClients, world: str, key: str, **extra: Any) -> Any:
    bucket = renamed(PLAIN, world)
    arguments = {"CopySource": {"Bucket": bucket, "Key": "key"}, "Bucket": bucket, "Key": key, "ExtraArgs": extra}
    return (
        asyncio.to_thread(lambda: both_with_odd_keys.sdk.copy(**arguments))
        if world == THEIRS
        else both_with_odd_keys.client.copy(**arguments)
    )


@pytest.mark.asyncio(loop_scope="module")
async def test_a_managed_copy_onto_itself_is_refused_by_the_service(both_with_odd_keys: BothClients) -> None:
    told = []
    for world in (THEIRS, OURS):
        before = len(both_with_odd_keys.emulator.requests)
        with pytest.raises(Exception, match="InvalidRequest") as caught:
            await _copy(both_with_odd_keys, world, "key")
        told.append(comparable_error(caught.value))
        operations = [served.operation for served in list(both_with_odd_keys.emulator.requests)[before:]]
        assert operations == ["HeadObject", "CopyObject"]
    assert told[0] == told[1]
    assert isinstance(caught.value, ClientError)
    await _copy(both_with_odd_keys, OURS, "key", MetadataDirective="REPLACE", Metadata={"a": "b"})
    assert (await both_with_odd_keys.client.head_object(**renamed(KEY, OURS)))["Metadata"] == {"a": "b"}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_managed_copy_onto_itself_by_parts_is_a_copy(both_with_odd_keys: BothClients) -> None:
    arguments = {"Bucket": renamed(PLAIN, OURS), "Key": "large"}
    await both_with_odd_keys.client.put_object(**arguments, Body=bytes(6 * MIB))
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    await both_with_odd_keys.client.copy(arguments, **arguments, Config=config)
    assert (await both_with_odd_keys.client.head_object(**arguments))["ETag"].endswith('-2"')


async def test_sample_42_upload_large_file(cos: S3Client, tmp_path: Path):
    file_path = str(tmp_path / "large")
    Path(file_path).write_bytes(DATA)
    part_size, file_threshold = 1024 * 1024 * 5, 1024 * 1024 * 5
    transfer_config = ibm_boto3.s3.transfer.TransferConfig(multipart_threshold=file_threshold, multipart_chunksize=part_size)
    transfer_mgr = ibm_boto3.s3.transfer.TransferManager(cos, config=transfer_config)
    try:
        future = transfer_mgr.upload(file_path, "bucket", "item")
        await future.result()
    finally:
        await transfer_mgr.shutdown()
    assert (await cos.head_object(Bucket="bucket", Key="item", PartNumber=1))["PartsCount"] == 4


async def test_uploads_downloads_and_copies(cos: S3Client, tmp_path: Path):
    (tmp_path / "f").write_bytes(DATA)
    target = io.BytesIO()
    async with TransferManager(cos, config=IN_PARTS) as manager:
        noted = [Noted() for _ in range(5)]
        up = manager.upload(tmp_path / "f", "bucket", "file", {"ContentType": "text/x-odd"}, [noted[0]])
        assert not up.done()
        await up
        down = manager.download("bucket", "file", str(tmp_path / "g"), None, [noted[1]])
        into = manager.download("bucket", "file", target, subscribers=[noted[2]])
        copied = manager.copy({"Bucket": "bucket", "Key": "file"}, "bucket", "copy", None, [noted[3]])
        await asyncio.gather(down, into.result(), copied)
        gone = manager.delete("bucket", "file", None, [noted[4]])
        assert await gone.result() is None
    assert (tmp_path / "g").read_bytes() == target.getvalue() == DATA
    assert await keys(cos) == ["copy"]
    for one, future, size in zip(noted, (up, down, into, copied, gone), (len(DATA),) * 4 + (0,), strict=True):
        assert one.heard[0] == ("queued", future)
        assert one.heard[-1] == ("done", future)
        assert sum(amount for _, amount in one.heard[1:-1]) == size
        assert {kind for kind, _ in one.heard[1:-1]} <= {"progress"}
        assert future.meta.size == (size or None)
    assert [future.meta.transfer_id for future in (up, down, into, copied, gone)] == [0, 1, 2, 3, 4]
    args = up.meta.call_args
    assert (args.fileobj, args.bucket, args.key, args.extra_args) == (
        tmp_path / "f",
        "bucket",
        "file",
        {"ContentType": "text/x-odd"},
    )
    assert copied.meta.call_args.source_client is cos
    up.meta.user_context["mine"] = 1
    assert (up.meta.user_context, down.meta.user_context) == ({"mine": 1}, {})
    with pytest.raises(AttributeError, match="the call has no argument extra_arg; it has fileobj"):
        _ = args.extra_arg


async def test_a_thousand_small_uploads(cos: S3Client, cos_emulator: Emulator):
    """No more at once than the configuration says, and all of them."""
    running = widest = 0
    send = engine_of(cos.typed)._send

    async def counted(operation: Any, *more: Any) -> Any:
        nonlocal running, widest
        running += 1
        widest = max(widest, running)
        try:
            return await send(operation, *more)
        finally:
            running -= 1

    engine_of(cos.typed)._send = counted  # type: ignore[method-assign]
    ended = 0

    class Counting(BaseSubscriber):
        def on_done(self, future: Any, **kwargs: Any) -> None:
            nonlocal ended
            ended += 1

    async with TransferManager(cos, TransferConfig(max_concurrency=7)) as manager:
        counting = [Counting()]
        for number in range(1000):
            manager.upload(io.BytesIO(b"%d" % number), "bucket", f"k{number:04}", subscribers=counting)
    assert (ended, widest) == (1000, 7)
    assert manager_of(cos.typed).budget.used == 0
    listed = await cos.list_objects_v2(Bucket="bucket")
    assert (listed["KeyCount"], listed["IsTruncated"]) == (1000, False)
    assert await (await cos.get_object(Bucket="bucket", Key="k0999"))["Body"].read() == b"999"


async def test_thread_settings_are_refused(cos: S3Client):
    for wrong in ({"osutil": object()}, {"executor_cls": object}):
        with pytest.raises(ValueError, match="osutil and executor_cls are not supported"):
            TransferManager(cos, **wrong)
    with pytest.raises(TypeError, match="TransferConfig"):
        TransferManager(cos, config=Config())  # type: ignore[arg-type]


async def test_deletions(cos: S3Client, cos_emulator: Emulator):
    await cos.put_object(Bucket="bucket", Key="key", Body=b"")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="DeleteObject")])
    async with transfer.create_transfer_manager(cos, TransferConfig()) as manager:
        with pytest.raises(ClientError, match="AccessDenied"):
            await manager.delete("bucket", "key")
        await manager.delete("bucket", "key", {"RequestPayer": "requester"})
    assert await keys(cos) == []
