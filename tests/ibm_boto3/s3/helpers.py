"""Helpers of the tests of transfers."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from tests.transfer.conftest import PATIENCE

from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.s3.transfer import MB, BaseSubscriber, TransferConfig
from aiocos.transfer.manager import manager_of

PART = 5 * MB
DATA = os.urandom(3 * PART + 12_345)
IN_PARTS = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)


async def stored(cos: S3Client, key: str = "key") -> bytes:
    async with (await cos.get_object(Bucket="bucket", Key=key))["Body"] as body:
        return await body.read()


async def nothing_left(cos: S3Client) -> None:
    """No upload is open, no memory of the transfers is taken."""
    assert "Uploads" not in await cos.list_multipart_uploads(Bucket="bucket")
    assert manager_of(cos.typed).budget.used == 0


class Sink:
    """Notes what it is given, and refuses to be written to twice at once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.largest = 0
        self._busy = False

    async def write(self, data: bytes) -> int:
        assert not self._busy
        self._busy = True
        await asyncio.sleep(0)
        self.data += data
        self.largest = max(self.largest, len(data))
        self._busy = False
        return len(data)


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
