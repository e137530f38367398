"""Fixtures and helpers of the tests in this directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.ibm_boto3.resource.helpers import connected

from aiocos.emulator import Emulator

BUCKET = "resource-bucket"


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[Any]:
    """A resource, and a bucket."""
    async with connected(cos_emulator) as made:
        await made.create_bucket(Bucket=BUCKET)
        yield made
