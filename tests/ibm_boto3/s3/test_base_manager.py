"""Managers: shutdown, cancellation, errors."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from tests.ibm_boto3.s3.helpers import IN_PARTS, keys, nothing_left, struck
from tests.transfer.conftest import PATIENCE

from aiocos.emulator import Delay, Emulator
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.s3.transfer import CancelledError, FatalError, TransferConfig, TransferManager


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


async def test_closing_the_client_cancels_queued_transfers(cos: S3Client, cos_emulator: Emulator):
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


async def test_a_client_that_is_closed_cancels_its_transfers(cos: S3Client, cos_emulator: Emulator, file: Path):
    cos_emulator.faults.script([Delay(30, operation="UploadPart", times=None)])
    task = asyncio.create_task(cos.upload_file(file, "bucket", "key", Config=IN_PARTS))
    async with asyncio.timeout(PATIENCE):
        while not cos_emulator.faults.hits:
            await asyncio.sleep(0.01)
        await cos.close()
        with pytest.raises(CancelledError):
            await task
    cos_emulator.faults.clear()
    await nothing_left(cos)
