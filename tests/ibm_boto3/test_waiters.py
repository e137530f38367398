"""Waiters: when they succeed, and when they give up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ibm_botocore.exceptions
import pytest

from aiocos.emulator import Emulator
from aiocos.emulator.faults import Status
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.exceptions import WaiterError


async def test_waiters_wait(client: S3Client, cos_emulator: Emulator) -> None:
    quick = {"Delay": 0.01, "MaxAttempts": 10_000}

    async def waits(name: str, then: Callable[[], Awaitable[Any]], **arguments: Any) -> None:
        """Let a waiter ask in vain, twice, and then give it what it waits for."""
        before = len(cos_emulator.requests)
        waiting = asyncio.ensure_future(client.get_waiter(name).wait(**arguments, WaiterConfig=quick))
        while [served.operation[:4] for served in list(cos_emulator.requests)[before:]].count("Head") < 2:
            await asyncio.sleep(0.001)
        assert not waiting.done()
        await then()
        await asyncio.wait_for(waiting, 60)

    late, key = {"Bucket": "late"}, {"Bucket": "late", "Key": "k"}
    await waits("bucket_exists", lambda: client.create_bucket(**late), **late)
    await waits("object_exists", lambda: client.put_object(**key, Body=b"1"), **key)
    await waits("object_not_exists", lambda: client.delete_object(**key), **key)
    await waits("bucket_not_exists", lambda: client.delete_bucket(**late), **late)


async def test_waiters_fail_like_those_of_the_sdk(client: S3Client, sdk: Any, cos_emulator: Emulator) -> None:
    config = {"Delay": 0, "MaxAttempts": 3}
    with pytest.raises(WaiterError) as ours:
        await client.get_waiter("bucket_exists").wait(Bucket="never", WaiterConfig=config)
    assert [served.operation for served in cos_emulator.requests].count("HeadBucket") == 3
    with pytest.raises(ibm_botocore.exceptions.WaiterError) as theirs:
        await asyncio.to_thread(sdk.get_waiter("bucket_exists").wait, Bucket="never", WaiterConfig=config)
    assert str(ours.value) == str(theirs.value)
    assert ours.value.last_response["Error"]["Code"] == theirs.value.last_response["Error"]["Code"] == "404"
    # What the service refuses will not come by waiting.
    cos_emulator.faults.script([Status(400)])
    with pytest.raises(WaiterError, match=r"An error occurred \(400\): Bad Request"):
        await client.get_waiter("bucket_exists").wait(Bucket="never", WaiterConfig=config)


def test_waiters_have_names(client: S3Client, sdk: Any) -> None:
    for name in client.waiter_names:
        ours, theirs = client.get_waiter(name).config, sdk.get_waiter(name).config
        assert (ours.operation, ours.delay, ours.max_attempts) == (theirs.operation, theirs.delay, theirs.max_attempts)
    with pytest.raises(ValueError, match="Waiter does not exist: bucket_is_nice"):
        client.get_waiter("bucket_is_nice")
