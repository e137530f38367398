"""Helpers of the tests of Aspera transfers."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any

from tests.transfer.conftest import PATIENCE

from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.aspera import AsperaBaseSubscriber
from aiocos.ibm_boto3.s3.transfer import MB

DATA = os.urandom(25 * MB)
FILES = {"a.txt": b"a", "deep/b.txt": b"bb", "deep/er/c.txt": b"ccc"}


async def stored(cos: S3Client) -> dict[str, bytes]:
    listed = (await cos.list_objects_v2(Bucket="bucket")).get("Contents", [])
    bodies = {entry["Key"]: (await cos.get_object(Bucket="bucket", Key=entry["Key"]))["Body"] for entry in listed}
    return {key: await body.read() for key, body in bodies.items()}


def sent(emulator: Emulator) -> Counter[str]:
    found = Counter(request.operation for request in emulator.requests)
    emulator.requests.clear()
    return found


async def struck(emulator: Emulator, times: int = 1) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(emulator.faults.hits) < times:
            await asyncio.sleep(0.01)


class CallbackOnQueued(AsperaBaseSubscriber):
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_queued(self, future: Any, **kwargs: Any) -> None:
        self.heard.append(future)


class CallbackOnProgress(AsperaBaseSubscriber):
    def __init__(self) -> None:
        self.heard: list[int] = []

    def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> None:
        self.heard.append(bytes_transferred)


class CallbackOnDone(AsperaBaseSubscriber):
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_done(self, future: Any, **kwargs: Any) -> None:
        assert future.is_done()
        self.heard.append(future)


def subscribed() -> list[Any]:
    return [CallbackOnQueued(), CallbackOnProgress(), CallbackOnDone()]


def heard_all(subscribers: list[Any], future: Any, size: int) -> None:
    """All bytes so far were told, ever more of them, and beginning and end once."""
    queued, progress, done = subscribers
    assert queued.heard == done.heard == [future]
    assert progress.heard == sorted(set(progress.heard))
    assert progress.heard[-1] == size
