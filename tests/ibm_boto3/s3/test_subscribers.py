"""Subscribers of transfers."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from tests.ibm_boto3.s3.helpers import DATA, IN_PARTS, Noted, keys
from tests.transfer.conftest import PATIENCE

from aiocos.emulator import Emulator, FlipBit
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.s3 import transfer
from aiocos.ibm_boto3.s3.transfer import BaseSubscriber, CancelledError, TransferManager


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


async def test_async_subscribers_are_awaited(cos: S3Client):
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


async def test_a_running_progress_call_is_cancelled_with_the_transfer(cos: S3Client):
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
async def test_an_exception_of_a_subscriber_fails_the_transfer(cos: S3Client, kind: str, waits: bool):
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
async def test_an_exception_of_on_done_is_logged(cos: S3Client, waits: bool, caplog: pytest.LogCaptureFixture):
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


async def test_a_restarted_download_reports_negative_progress(cos: S3Client, cos_emulator: Emulator, tmp_path: Path):
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", Config=IN_PARTS)
    cos_emulator.faults.script([FlipBit(7, operation="GetObject")])
    noted = Noted()
    async with TransferManager(cos, IN_PARTS) as manager:
        await manager.download("bucket", "key", str(tmp_path / "f"), None, [noted])
    amounts = [amount for kind, amount in noted.heard if kind == "progress"]
    assert sum(amounts) == len(DATA)
    assert min(amounts) < 0
    assert (tmp_path / "f").read_bytes() == DATA
