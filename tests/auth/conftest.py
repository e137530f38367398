from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .fakes import Clock, Issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def issuer(clock: Clock) -> Issuer:
    return Issuer(clock)


@pytest.fixture(autouse=True)
def private_files() -> Iterator[None]:
    """Let files be readable by their owner only, as files with credentials are."""
    before = os.umask(0o077)
    yield
    os.umask(before)
