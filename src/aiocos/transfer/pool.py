"""Transfer many files at once, at most a fixed number in parallel.

A file that fails is recorded in `errors`, and does not stop the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from aiocos.errors import CosError, CredentialsError, NoSuchBucket
from aiocos.transfer.progress import Monitor
from aiocos.transfer.results import FileError, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup

DEFAULT_LIMIT = 32
"""Files in flight by default. Small files cost a round trip each; the memory budget bounds large ones."""
# Exceptions that are kept for the error at the end. Of further ones only the message is kept.
_MAX_CAUSES = 100


class TaskPool:
    """Runs tasks, at most `limit` at once.

    `limit` None means 32. No task is started while `monitor` is paused. `on_failure` is called with the error of each file that
    fails. `CredentialsError` and `NoSuchBucket` cancel the pool and are raised at its end: they would fail every file.
    """

    def __init__(
        self,
        limit: int | None,
        monitor: Monitor | None = None,
        on_failure: Callable[[FileError], object] | None = None,
    ) -> None:
        self._slots = asyncio.Semaphore(limit or DEFAULT_LIMIT)
        self._monitor = monitor
        self._on_failure = on_failure
        self._tasks = TaskGroup()
        self.files = 0
        """Number of files that were transferred."""
        self.bytes = 0
        """Total size of those files, in bytes."""
        self.errors: list[FileError] = []
        """Every file that failed."""
        self.causes: list[Exception] = []
        """The exceptions of the first 100 files that failed."""

    async def __aenter__(self) -> TaskPool:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._tasks.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            raise_for(group, leaves(group)[0])

    async def submit(self, path: str, key: str, work: Callable[[], Awaitable[int]]) -> None:
        """Wait for a free slot, then run `work` in a task.

        `work` returns the number of bytes that it transferred. `path` and `key` name the file in a `FileError`.
        """
        if self._monitor is not None:
            await self._monitor.wait_if_paused()
        await self._slots.acquire()
        # Released by the callback, since a task that is canceled before its first step runs none of its code.
        self._tasks.create_task(self._run(path, key, work)).add_done_callback(lambda _: self._slots.release())

    async def _run(self, path: str, key: str, work: Callable[[], Awaitable[int]]) -> None:
        try:
            size = await work()
        except (CredentialsError, NoSuchBucket):
            raise
        except (CosError, OSError) as error:
            self.record_failure(path, key, error)
        else:
            self.files += 1
            self.bytes += size

    def record_failure(self, path: str, key: str, error: Exception) -> None:
        """Record that a file failed."""
        failure = FileError(path=path, key=key, error=str(error))
        self.errors.append(failure)
        if len(self.causes) < _MAX_CAUSES:
            self.causes.append(error)
        if self._on_failure is not None:
            self._on_failure(failure)
