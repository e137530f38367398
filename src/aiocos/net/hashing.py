"""A thread pool for hashing, with as many threads as there are processors.

The event loop's default executor has more threads. If all of them hash parts, the thread of the event loop competes with them
and may wait a tenth of a second for the processor, and hashing does not get faster by it.

`OrderedHashing` hashes a stream of chunks in that pool, one batch after the other, while the event loop receives the next ones.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
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

# Bytes of a stream that are handed to a thread at once, at least, and that may wait for it. One hop takes about 0.1 ms, and MD5
# of 512 KiB 0.7 ms.
_BATCH = 512 * 1024
_MAX_WAITING = 4 * 1024 * 1024

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


class OrderedHashing:
    """Hashes chunks in order in the thread pool, while further chunks arrive.

    At most 4 MiB wait for the thread. What is left at the end, and so a whole small body, is hashed in the event loop's thread
    if it is small enough.

    Args:
        update: Adds pieces to the checksum. Blocks.
        inline: Number of bytes that `update` may be given in the event loop's thread.
    """

    def __init__(self, update: Callable[[Sequence[bytes]], None], inline: int) -> None:
        self._update = update
        self._inline = inline
        self._waiting: list[bytes] = []
        self._size = 0
        self._running: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        """True if `wait` must be awaited before the next chunk is added."""
        return self._size >= _MAX_WAITING

    def add(self, data: bytes) -> None:
        """Add a chunk, which is hashed later."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= _BATCH and self._running is None:
            self._start()

    async def wait(self) -> None:
        """Wait until no chunk waits for the thread. Can be called again after a cancel."""
        while self._running is not None:
            # Not awaited itself: a cancel would cancel it, and the batch might never be hashed.
            await asyncio.wait([self._running])

    async def finish(self) -> None:
        """Hash everything that was added. Can be called again after a cancel."""
        await self.wait()
        if 0 < self._size <= self._inline:
            self._update(self._waiting)
            self._waiting, self._size = [], 0
        elif self._size:
            self._start()
            await self.wait()

    def _start(self) -> None:
        batch, self._waiting, self._size = self._waiting, [], 0
        self._running = asyncio.get_running_loop().run_in_executor(pool(), self._update, batch)
        self._running.add_done_callback(self._on_done)

    def _on_done(self, done: asyncio.Future[None]) -> None:
        self._running = None
        if self._size >= _BATCH:
            self._start()
