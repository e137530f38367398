"""Subscribers of Aspera transfers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.ibm_boto3.aspera.helpers import DATA, CallbackOnDone, heard_all, stored, subscribed

from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.aspera import (
    AsperaTransferManager,
)


async def test_sample_116_subscribers(cos: S3Client, file: str, tmp_path: Path):
    async with AsperaTransferManager(cos) as transfer_manager:
        subscribers = subscribed()
        future = transfer_manager.upload(file, "bucket", "object", None, subscribers)
        await future.result()
        heard_all(subscribers, future, len(DATA))
        subscribers = subscribed()
        future = transfer_manager.download("bucket", "object", str(tmp_path / "target"), None, subscribers)
        await future.result()
        heard_all(subscribers, future, len(DATA))
    assert future.meta.size == len(DATA)
    assert (future.meta.call_args.direction, future.meta.call_args.key) == ("receive", "object")


@pytest.mark.parametrize("waits", [False, True])
async def test_an_exception_of_a_subscriber_is_logged(cos: S3Client, file: str, waits: bool, caplog: pytest.LogCaptureFixture):
    def at_once(**kwargs: Any) -> None:
        raise KeyError("mine")

    async def later(**kwargs: Any) -> None:
        raise KeyError("mine")

    failing = CallbackOnDone()
    for name in ("on_queued", "on_progress", "on_done"):
        setattr(failing, name, later if waits else at_once)
    async with AsperaTransferManager(cos) as transfer_manager:
        await transfer_manager.upload(file, "bucket", "object", None, [failing])
    # Older versions of aiohttp log futures of their own.
    told = [record for record in caplog.records if record.exc_info and record.name.startswith("aiocos")]
    assert len(told) >= 3
    assert {record.name for record in told} == {"aiocos.ibm_boto3"}
    assert await stored(cos) == {"object": DATA}
