from __future__ import annotations

import pytest

from .fakes import Clock, Issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def issuer(clock: Clock) -> Issuer:
    return Issuer(clock)
