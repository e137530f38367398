"""Futures of transfers: cancellation and errors."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
from pathlib import Path

import pytest
from tests.ibm_boto3.s3.helpers import DATA, PART, Noted, keys, struck

from aiocos.emulator import Delay, Emulator
from aiocos.ibm_boto3 import BotoCoreError, ClientError, S3Client
from aiocos.ibm_boto3.s3 import transfer
from aiocos.ibm_boto3.s3.transfer import CancelledError, TransferConfig, TransferManager
from aiocos.transfer.manager import manager_of


async def test_errors_are_raised_by_the_future(cos: S3Client, tmp_path: Path):
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


async def test_cancelling_the_waiting_task_cancels_the_transfer(cos: S3Client, cos_emulator: Emulator):
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
