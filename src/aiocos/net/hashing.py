"""A thread pool for hashing, with as many threads as there are processors.

The event loop's default executor has more threads. If all of them hash parts, the thread of the event loop competes with them
and may wait a tenth of a second for the processor, and hashing does not get faster by it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from aiocos.wire import checksum
from aiocos.wire.checksum import Algorithm
from aiocos.wire.message import Bytes

P = ParamSpec("P")
T = TypeVar("T")

# Up to this size, hashing and parsing run in the event loop's thread: MD5 of 256 KiB takes about 0.4 ms.
INLINE = 256 * 1024

_pool: ThreadPoolExecutor | None = None


def pool() -> ThreadPoolExecutor:
    """Return the thread pool, created at first use."""
    global _pool
    if _pool is None:
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _pool = ThreadPoolExecutor(max(1, usable), thread_name_prefix="aiocos-hash")
    return _pool


def _drop_pool() -> None:
    """Drop the pool in a forked process.

    The process has none of the threads and would wait for them forever.
    """
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_pool)


async def run_in_hash_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in the thread pool and return its result.

    On a cancel, the thread still runs to the function's end.
    """
    return await asyncio.get_running_loop().run_in_executor(pool(), partial(work, *args, **kwargs))


async def hash_body(algorithm: Algorithm, data: Bytes) -> bytes:
    """Return the checksum of a body, computed in the thread pool if it is large."""
    if len(data) <= INLINE:
        return checksum.compute(algorithm, data)
    return await run_in_hash_pool(checksum.compute, algorithm, data)
