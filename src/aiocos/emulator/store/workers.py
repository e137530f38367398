"""The emulator's own threads.

Not the loop's default executor: a test may have filled that with threads that wait for this very emulator.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 8


class Workers:
    """A few threads for what blocks: files, hashes, long documents."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="aiocos-emulator")
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Run a function in a thread."""
        return self._loop.run_in_executor(self._pool, lambda: work(*args, **kwargs))

    def start(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run a function in a thread that nobody waits for; nothing happens when the threads are gone."""
        if not self._closed:
            self._pool.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Wait for what runs, and end the threads."""
        self._closed = True
        self._pool.shutdown()
