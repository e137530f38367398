"""Polling of the service until something exists, is gone, or is restored.

Errors of a request (no permission, no connection) end the wait at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiocos.errors import RequestTimeoutError
from aiocos.net.retry import pause

T = TypeVar("T")


async def within(work: Awaitable[T], *, what: str, timeout: float | None) -> T:
    """Await something for at most `timeout` seconds (None: without a limit).

    `RequestTimeoutError` opens with `what`: a phrase for what was awaited.
    """
    clock = asyncio.timeout(timeout)
    try:
        async with clock:
            return await work
    except TimeoutError as error:
        if isinstance(error, RequestTimeoutError) or not clock.expired():
            raise
        raise RequestTimeoutError(f"{what}: not within {timeout:g} s", sent=True) from error


async def wait_for(
    check: Callable[[], Awaitable[T]], is_done: Callable[[T], bool], *, what: str, timeout: float | None, poll: float
) -> T:
    """Call `check` until its result satisfies `is_done`, and return that result.

    There are `poll` seconds between two calls. `RequestTimeoutError` after `timeout` seconds (None: never) opens with `what`: a
    phrase for the state that was awaited.
    """

    async def poll_until_done() -> T:
        while True:
            result = await check()
            if is_done(result):
                return result
            await pause(poll)

    return await within(poll_until_done(), what=what, timeout=timeout)
