"""The emulator's worker threads.

The event loop's default executor would be the naive choice, and can deadlock: a test may have filled it with threads that wait
for this emulator.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 8


class Workers:
    """A small thread pool for blocking work: files, hashes, long documents."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="aiocos-emulator")
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Run a function in a thread and return a future of its result."""
        return self._loop.run_in_executor(self._pool, lambda: work(*args, **kwargs))

    def start(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run a function in a thread without waiting for it. Does nothing after `close`."""
        if not self._closed:
            self._pool.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Wait for running functions and stop the threads."""
        self._closed = True
        self._pool.shutdown()
