"""This library and IBM's SDK beside each other, on an emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.ibm_boto3.both_clients import OURS, THEIRS, BothClients, build_both_clients, client_of, renamed
from tests.parity.test_every_operation import PLAIN
from tests.parity.test_ibm_boto3 import sdk_client

from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import Config, S3Client


@pytest.fixture
async def client(cos_emulator: Emulator) -> AsyncIterator[S3Client]:
    async with client_of(cos_emulator) as client:
        yield client


@pytest.fixture
async def sdk(cos_emulator: Emulator) -> AsyncIterator[Any]:
    client = await asyncio.to_thread(sdk_client, cos_emulator, "iam")
    yield client
    client.close()


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[S3Client]:
    """The client with a bucket named `bucket`, and one more attempt at each call; nothing was asked yet."""
    async with client_of(cos_emulator, config=Config(signature_version="oauth", retries={"max_attempts": 1})) as client:
        await client.create_bucket(Bucket="bucket")
        cos_emulator.requests.clear()
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both() -> AsyncIterator[BothClients]:
    """IBM's SDK and this library, each with a world of its own on one emulator."""
    async with Emulator() as emulator:
        sdk = await asyncio.to_thread(sdk_client, emulator, "iam")
        made = await build_both_clients(emulator, sdk)
        yield made
        await made.client.close()
        sdk.close()


@pytest.fixture
async def bucket(client: S3Client) -> str:
    await client.create_bucket(Bucket="things")
    return "things"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both_with_odd_keys() -> AsyncIterator[BothClients]:
    async with Emulator() as emulator:
        sdk = await asyncio.to_thread(sdk_client, emulator, "iam")
        made = await build_both_clients(emulator, sdk)
        for world in (THEIRS, OURS):
            bucket = renamed(PLAIN, world)
            for key in ("odd key ü+%", "odd!", "odd/1 2", "odd/ü"):
                await made.client.put_object(Bucket=bucket, Key=key, Body=b"1")
            await made.client.create_multipart_upload(Bucket=bucket, Key="odd key ü")
        yield made
        await made.client.close()
        sdk.close()
