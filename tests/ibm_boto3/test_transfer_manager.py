"""`TransferManager`: futures, subscribers, and how many there are at once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import os
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import PATIENCE

from aiocos import ibm_boto3
from aiocos.emulator import Delay, Emulator, FlipBit, Status
from aiocos.groups import engine_of
from aiocos.ibm_boto3 import BotoCoreError, ClientError, Config, S3Client
from aiocos.ibm_boto3.s3 import transfer
from aiocos.ibm_boto3.s3.transfer import MB, BaseSubscriber, CancelledError, FatalError, TransferConfig, TransferManager
from aiocos.transfer.manager import manager_of

PART = 5 * MB
DATA = os.urandom(3 * PART + 12_345)
IN_PARTS = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)


class Noted(BaseSubscriber):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def on_queued(self, future: Any, **kwargs: Any) -> None:
        self.heard.append(("queued", future))

    def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> None:
        self.heard.append(("progress", bytes_transferred))

    def on_done(self, future: Any, **kwargs: Any) -> None:
        assert future.done()
        self.heard.append(("done", future))


async def keys(cos: S3Client) -> list[str]:
    listed = await cos.list_objects_v2(Bucket="bucket")
    return [entry["Key"] for entry in listed.get("Contents", [])]


async def struck(emulator: Emulator) -> None:
    """Wait until a fault has acted."""
    async with asyncio.timeout(PATIENCE):
        while not emulator.faults.hits:
            await asyncio.sleep(0.01)


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


async def test_everything_there_and_back(cos: S3Client, tmp_path: Path):
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
    call = engine_of(cos.typed).call

    async def counted(operation: Any) -> Any:
        nonlocal running, widest
        running += 1
        widest = max(widest, running)
        try:
            return await call(operation)
        finally:
            running -= 1

    engine_of(cos.typed).call = counted  # type: ignore[method-assign]
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


async def test_errors_are_the_futures(cos: S3Client, tmp_path: Path):
    noted = Noted()
    async with TransferManager(cos) as manager:
        gone = manager.download("bucket", "gone", str(tmp_path / "f"), None, [noted])
        away = manager.upload(str(tmp_path / "away"), "bucket", "key")
        bad = manager.upload(io.BytesIO(), "bucket", "key", {"Metadata": 1})
        nowhere = manager.upload(io.BytesIO(), "no-such-bucket", "key")
        for name in ("upload", "download", "copy", "delete"):
            arguments = ("bucket", "key") if name == "delete" else ("bucket", "key", io.BytesIO())
            with pytest.raises(ValueError, match="Invalid extra_args key 'Foo'"):
                getattr(manager, name)(*arguments, {"Foo": 1})
        with pytest.raises(ValueError, match="must implement read"):
            manager.upload(b"bytes", "bucket", "key")
        with pytest.raises(ValueError, match="must implement write"):
            manager.download("bucket", "key", b"bytes")
    with pytest.raises(ClientError, match="404"):
        await gone.result()
    assert noted.heard == [("queued", gone), ("done", gone)]
    with pytest.raises(FileNotFoundError):
        await away.result()
    with pytest.raises(BotoCoreError, match="Metadata"):
        await bad
    with pytest.raises(ClientError, match="NoSuchBucket"):
        await nowhere
    nowhere.set_exception(KeyError("mine"))
    with pytest.raises(KeyError, match="mine"):
        await nowhere
    with pytest.raises(RuntimeError, match="after shutdown"):
        manager.upload(io.BytesIO(), "bucket", "key")


async def test_settings_that_mean_nothing_are_refused(cos: S3Client):
    for wrong in ({"osutil": object()}, {"executor_cls": object}):
        with pytest.raises(ValueError, match="osutil and executor_cls are not supported"):
            TransferManager(cos, **wrong)
    with pytest.raises(TypeError, match="TransferConfig"):
        TransferManager(cos, config=Config())  # type: ignore[arg-type]


async def test_cancel(cos: S3Client, cos_emulator: Emulator):
    noted, later = Noted(), Noted()
    cos_emulator.faults.script([Delay(30, operation="UploadPart", times=None)])
    async with TransferManager(cos, TransferConfig(PART, 1, PART)) as manager:
        running = manager.upload(io.BytesIO(DATA), "bucket", "a", subscribers=[noted])
        waiting = manager.upload(io.BytesIO(DATA), "bucket", "b", subscribers=[later])
        never = manager.upload(io.BytesIO(DATA), "bucket", "c")
        never.cancel()  # before its first step
        await struck(cos_emulator)
        with pytest.raises(transfer.TransferNotDoneError):
            running.set_exception(KeyError())
        running.cancel()
        waiting.cancel()
        for future in (running, waiting, never):
            with pytest.raises(CancelledError) as caught:
                await future.result()
            assert isinstance(caught.value, concurrent.futures.CancelledError)
            assert future.done()
            future.cancel()
    assert noted.heard == [("queued", running), ("done", running)]
    assert later.heard == [("queued", waiting), ("done", waiting)]
    cos_emulator.faults.clear()
    assert await keys(cos) == []
    assert "Uploads" not in await cos.list_multipart_uploads(Bucket="bucket")
    assert manager_of(cos.typed).budget.used == 0


async def test_who_waits_and_is_cancelled_cancels(cos: S3Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="PutObject", times=None)])
    manager = TransferManager(cos)
    future = manager.upload(io.BytesIO(b"x"), "bucket", "a")
    waiting = asyncio.ensure_future(future.result())
    await struck(cos_emulator)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert future.done()
    with pytest.raises(CancelledError):
        await future
    cos_emulator.faults.script([Delay(30, operation="PutObject", times=None)])
    second = manager.upload(io.BytesIO(b"x"), "bucket", "b")
    waiting = asyncio.ensure_future(manager.shutdown())
    await struck(cos_emulator)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert second.done()
    cos_emulator.faults.clear()
    assert await keys(cos) == []


async def test_an_error_in_the_context_cancels(cos: S3Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="PutObject", times=None)])
    futures: list[Any] = []
    with pytest.raises(KeyError):
        async with asyncio.timeout(PATIENCE), TransferManager(cos, TransferConfig(max_concurrency=2)) as manager:
            futures += [manager.upload(io.BytesIO(b"x"), "bucket", f"{n}") for n in range(4)]
            await struck(cos_emulator)
            raise KeyError("mine")
    for future in futures:
        with pytest.raises(FatalError, match="mine"):
            await future
    cos_emulator.faults.clear()
    assert await keys(cos) == []


async def test_shutdown_with_cancel(cos: S3Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="PutObject", times=None)])
    manager = TransferManager(cos)
    future = manager.upload(io.BytesIO(b"x"), "bucket", "a")
    await struck(cos_emulator)
    async with asyncio.timeout(PATIENCE):
        await manager.shutdown(cancel=True, cancel_msg="enough")
    with pytest.raises(CancelledError, match="enough"):
        await future


async def test_a_client_that_is_closed_cancels_what_waits_too(cos: S3Client, cos_emulator: Emulator):
    cos_emulator.faults.script([Delay(30, operation="PutObject", times=None)])
    manager = TransferManager(cos, TransferConfig(max_concurrency=1))
    futures = [manager.upload(io.BytesIO(b"x"), "bucket", f"{n}") for n in range(3)]
    await struck(cos_emulator)
    async with asyncio.timeout(PATIENCE):
        await cos.close()
    for future in futures:
        with pytest.raises(CancelledError):
            await future
    assert len(cos_emulator.faults.hits) == 1


# ---------------------------------------------------------------------------------------------------------------------
# Subscribers


def test_subscribers_that_cannot_be_called_are_refused():
    class NoKeywords(BaseSubscriber):
        def on_queued(self, future: Any) -> None: ...  # type: ignore[override]

    class NoMethod(BaseSubscriber):
        on_done = "done"  # type: ignore[assignment]

    with pytest.raises(transfer.InvalidSubscriberMethodError, match=r"must accept keyword arguments \(\*\*kwargs\)"):
        NoKeywords()
    with pytest.raises(transfer.InvalidSubscriberMethodError, match="must be callable"):
        NoMethod()
    BaseSubscriber()


async def test_coroutines_are_awaited(cos: S3Client):
    heard: list[Any] = []

    class Slow(BaseSubscriber):
        async def on_queued(self, future: Any, **kwargs: Any) -> None:
            await asyncio.sleep(0.05)
            heard.append("queued")

        async def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> None:
            assert heard[0] == "queued"
            await asyncio.sleep(0.05)
            heard.append(bytes_transferred)

        async def on_done(self, future: Any, **kwargs: Any) -> None:
            await asyncio.wait_for(future.result(), PATIENCE)  # in a task of its own
            await asyncio.sleep(0.05)
            heard.append("done")

    async with TransferManager(cos, IN_PARTS) as manager:
        await manager.upload(io.BytesIO(DATA), "bucket", "key", subscribers=[Slow()])
        assert (heard[0], heard[-1], sum(heard[1:-1])) == ("queued", "done", len(DATA))
        heard.clear()
        manager.upload(io.BytesIO(DATA), "bucket", "key", subscribers=[Slow()])
    assert heard[-1] == "done"


async def test_a_coroutine_that_still_listens_ends_with_a_transfer_that_is_cancelled(cos: S3Client):
    listening, ended = asyncio.Event(), asyncio.Event()

    class Listening(BaseSubscriber):
        async def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> None:
            listening.set()
            try:
                await asyncio.sleep(30)
            finally:
                ended.set()

    async with asyncio.timeout(PATIENCE), TransferManager(cos, IN_PARTS) as manager:
        future = manager.upload(io.BytesIO(DATA), "bucket", "key", subscribers=[Listening()])
        await listening.wait()
        future.cancel()
        with pytest.raises(CancelledError):
            await future
        assert ended.is_set()


@pytest.mark.parametrize("kind", ["queued", "progress"])
@pytest.mark.parametrize("waits", [False, True])
async def test_what_a_subscriber_raises_ends_the_transfer(cos: S3Client, kind: str, waits: bool):
    async def later(**kwargs: Any) -> None:
        raise KeyError("mine")

    def at_once(**kwargs: Any) -> None:
        raise KeyError("mine")

    class Failing(Noted):
        pass

    failing, other = Failing(), Noted()
    setattr(failing, f"on_{kind}", later if waits else at_once)
    async with TransferManager(cos, IN_PARTS) as manager:
        future = manager.upload(io.BytesIO(DATA), "bucket", "key", subscribers=[failing, other])
        with pytest.raises(KeyError, match="mine"):
            await future
    assert other.heard[-1] == ("done", future)
    assert await keys(cos) == []
    assert "Uploads" not in await cos.list_multipart_uploads(Bucket="bucket")


@pytest.mark.parametrize("waits", [False, True])
async def test_what_is_raised_when_all_is_done_is_logged(cos: S3Client, waits: bool, caplog: pytest.LogCaptureFixture):
    async def later(**kwargs: Any) -> None:
        raise KeyError("mine")

    def at_once(**kwargs: Any) -> None:
        raise KeyError("mine")

    failing, other = Noted(), Noted()
    failing.on_done = later if waits else at_once  # type: ignore[method-assign]
    async with TransferManager(cos) as manager:
        await manager.upload(io.BytesIO(b"x"), "bucket", "key", subscribers=[failing, other])
    assert other.heard[-1][0] == "done"
    assert [record.name for record in caplog.records if record.exc_info] == ["aiocos.ibm_boto3"]


async def test_a_download_that_is_begun_again_takes_back_what_was_told(cos: S3Client, cos_emulator: Emulator, tmp_path: Path):
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", Config=IN_PARTS)
    cos_emulator.faults.script([FlipBit(7, operation="GetObject")])
    noted = Noted()
    async with TransferManager(cos, IN_PARTS) as manager:
        await manager.download("bucket", "key", str(tmp_path / "f"), None, [noted])
    amounts = [amount for kind, amount in noted.heard if kind == "progress"]
    assert sum(amounts) == len(DATA)
    assert min(amounts) < 0
    assert (tmp_path / "f").read_bytes() == DATA


async def test_deletions(cos: S3Client, cos_emulator: Emulator):
    await cos.put_object(Bucket="bucket", Key="key", Body=b"")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="DeleteObject")])
    async with transfer.create_transfer_manager(cos, TransferConfig()) as manager:
        with pytest.raises(ClientError, match="AccessDenied"):
            await manager.delete("bucket", "key")
        await manager.delete("bucket", "key", {"RequestPayer": "requester"})
    assert await keys(cos) == []
