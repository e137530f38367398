"""Clients with small parts, so that a few MiB are a multipart upload."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Emulator

PART = 5 * MIB
SMALL = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART)
CONFIG = aiocos.ClientConfig(transfer=SMALL, retry=aiocos.RetryConfig(base=0.01, cap=0.05))
DATA = os.urandom(3 * PART + 12_345)


@pytest.fixture
async def small(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client with parts of 5 MiB, and a bucket."""
    async with cos_emulator.client(config=CONFIG) as cos:
        await cos.buckets.create("bucket")
        yield cos


async def open_uploads(cos: aiocos.Client) -> list[str]:
    return [upload.upload_id async for upload in cos.multipart.list_uploads("bucket")]


async def settled(cos: aiocos.Client, within: float = 2.0) -> None:
    """Wait until no upload is open, for at most so many seconds."""
    async with asyncio.timeout(within):
        while await open_uploads(cos):
            pass


def used(cos: aiocos.Client) -> int:
    """The bytes of the client's memory budget that are taken."""
    return cos.caller.budget.used  # type: ignore[attr-defined]
