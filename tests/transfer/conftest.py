"""Clients with small parts, so that a few MiB are a multipart upload."""

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Emulator
from aiocos.transfer.handle import TransferHandle
from aiocos.transfer.manager import manager_of

PART = 5 * MIB
SMALL = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART)
CONFIG = aiocos.ClientConfig(transfer=SMALL, retry=aiocos.RetryConfig(base=0.01, cap=0.05))
DATA = os.urandom(3 * PART + 12_345)


MD5 = dataclasses.replace(CONFIG, checksum="md5")
"""For tests about ETags, which are all that tells what a service without checksums has stored."""


@pytest.fixture
async def small_md5(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client like `small` that sends `Content-MD5`."""
    async with cos_emulator.client(config=MD5) as cos:
        await cos.buckets.create("bucket")
        yield cos


@pytest.fixture
def without_checksums(cos_emulator: Emulator) -> None:
    """Have the service report no checksums: objects are compared with their ETags.

    Request it by `usefixtures`, so that it comes before anything is stored.
    """
    cos_emulator.checksums = False


@pytest.fixture
async def small(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client with parts of 5 MiB, and a bucket."""
    async with cos_emulator.client(config=CONFIG) as cos:
        await cos.buckets.create("bucket")
        yield cos


async def open_uploads(cos: aiocos.Client) -> list[str]:
    return [upload.upload_id async for upload in cos.multipart.list_uploads("bucket")]


PATIENCE = 60.0
"""Seconds after which a test gives up what it waits for. A loaded machine is slow, and no test waits for this to pass."""


async def held(handle: TransferHandle[Any], cos: aiocos.Client) -> None:
    """Wait until a paused transfer begins nothing more: it waits to go on, and none of its requests is under way."""
    async with asyncio.timeout(PATIENCE):
        while not _waits(handle) or cos.concurrency.in_flight or used(cos):
            await asyncio.sleep(0.001)


def _waits(handle: TransferHandle[Any]) -> bool:
    paused = handle._monitor._paused  # type: ignore[attr-defined]
    return paused is not None and bool(paused._waiters)


async def stays_held(cos: aiocos.Client) -> None:
    """Give a transfer that should be held the time of some requests to begin something."""
    for _ in range(10):
        await open_uploads(cos)


async def settled(cos: aiocos.Client, within: float = PATIENCE) -> None:
    """Wait until no upload is open, for at most so many seconds."""
    async with asyncio.timeout(within):
        while await open_uploads(cos):
            pass


def used(cos: aiocos.Client) -> int:
    """The bytes of the client's memory budget that are taken."""
    return manager_of(cos).budget.used


def open_files() -> int:
    """The number of descriptors that this process has open."""
    return len(os.listdir("/dev/fd"))
