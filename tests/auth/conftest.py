"""Fixtures of the tests of credentials."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .fakes import Clock, Issuer
from .homes import Home


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def issuer(clock: Clock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(autouse=True)
def private_files() -> Iterator[None]:
    """Make new files readable by their owner only, as files with credentials should be."""
    before = os.umask(0o077)
    yield
    os.umask(before)
