"""Hashing in threads of its own: no more of them than there are processors.

The default executor has many. Where all of them hash parts, the thread of the event loop is one among them, and waits for its
turn for a tenth of a second; and hashing is no faster for more threads than processors.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Hashing more than this is worth a thread: 256 KiB of MD5 take about 0.4 ms.
INLINE = 256 * 1024

_pool: ThreadPoolExecutor | None = None


def pool() -> ThreadPoolExecutor:
    """The threads; made at first use."""
    global _pool
    if _pool is None:
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _pool = ThreadPoolExecutor(max(1, usable), thread_name_prefix="aiocos-hash")
    return _pool


def _forget() -> None:
    """A forked process has none of the threads, and would wait for them for ever."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


async def run_in_hash_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run something that hashes a large body. A cancel comes through at once; the thread goes on to its end."""
    return await asyncio.get_running_loop().run_in_executor(pool(), partial(work, *args, **kwargs))
