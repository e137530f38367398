"""Resources on an emulator, and one without a service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.ibm_boto3.resource.helpers import connected

from aiocos import ibm_boto3
from aiocos.emulator import Emulator

BUCKET = "resource-bucket"


@pytest.fixture
def offline() -> Any:
    """A resource without a service, for tests that send no request."""
    return ibm_boto3.resource(
        "s3", endpoint_url="http://127.0.0.1:1", aws_access_key_id="key", aws_secret_access_key="tests-secret-key"
    )


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[Any]:
    """A resource, and a bucket."""
    async with connected(cos_emulator) as made:
        await made.create_bucket(Bucket=BUCKET)
        yield made
