"""Waiting for the service: until something is there, or gone, or restored.

Each wait asks again and again. `timeout` is how long to wait in all, in seconds (None: for ever); what the call itself cannot
do (no permission, no connection) is raised at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiocos.errors import RequestTimeoutError

T = TypeVar("T")


async def within(work: Awaitable[T], *, what: str, timeout: float | None) -> T:
    """Await work for so long at most; `RequestTimeoutError` says what was not done."""
    clock = asyncio.timeout(timeout)
    try:
        async with clock:
            return await work
    except TimeoutError as error:
        if isinstance(error, RequestTimeoutError) or not clock.expired():
            raise
        raise RequestTimeoutError(f"{what}: not within {timeout:g} s", sent=True) from error


async def wait_for(
    look: Callable[[], Awaitable[T]], enough: Callable[[T], bool], *, what: str, timeout: float | None, poll: float
) -> T:
    """Look until what is seen is enough; `RequestTimeoutError` says what was waited for."""

    async def keep_looking() -> T:
        while True:
            seen = await look()
            if enough(seen):
                return seen
            await asyncio.sleep(poll)

    return await within(keep_looking(), what=what, timeout=timeout)
