"""Helpers of the tests of Object Lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from aiocos import Client
from aiocos.operations.object_lock import LockMode

from ..conftest import Raw

DAY = timedelta(days=1)


def later(raw: Raw, days: float) -> datetime:
    """Return the time `days` from now, in whole seconds."""
    return (raw.emulator.clock.now() + days * DAY).replace(microsecond=0)


async def put_locked(cos: Client, until: datetime, mode: LockMode = "GOVERNANCE", hold: Any = None, key: str = "key") -> str:
    """Store a version with retention and return its version id."""
    put = await cos.objects.put(
        "locked", key, b"x", object_lock_mode=mode, object_lock_retain_until=until, object_lock_legal_hold=hold
    )
    assert put.version_id is not None
    return put.version_id


def at(error: pytest.ExceptionInfo[Any]) -> tuple[int, str]:
    return error.value.status, error.value.code
