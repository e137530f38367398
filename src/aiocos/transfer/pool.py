"""Many files at once: each of them is done or reported, and none stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from aiocos.errors import CosError, CredentialsError, NoSuchBucket
from aiocos.transfer.progress import Monitor
from aiocos.transfer.results import FileError, leaves, raise_for
from aiocos.transfer.tasks import TaskGroup

# Files in flight. Small ones cost a round trip each, and the memory budget bounds the large ones.
AT_ONCE = 32
# Causes that an error at the end carries; more are counted, and told of by name.
_CAUSES = 100


class TaskPool:
    """Carries out works, so many at once. `bytes` and `files` were done, `errors` and `causes` say what failed."""

    def __init__(self, width: int | None, monitor: Monitor) -> None:
        self._places = asyncio.Semaphore(width or AT_ONCE)
        self._monitor = monitor
        self._tasks = TaskGroup()
        self.files = 0
        self.bytes = 0
        self.errors: list[FileError] = []
        self.causes: list[Exception] = []

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

    async def do(self, path: str, key: str, work: Callable[[], Awaitable[int]]) -> None:
        """Have a work done when there is a place for it; it returns its bytes."""
        await self._monitor.wait_if_paused()
        await self._places.acquire()
        self._tasks.create_task(self._one(path, key, work)).add_done_callback(lambda _: self._places.release())

    async def _one(self, path: str, key: str, work: Callable[[], Awaitable[int]]) -> None:
        try:
            size = await work()
        except (CredentialsError, NoSuchBucket):
            # It would be the same for every file.
            raise
        except (CosError, OSError) as error:
            self.failed(path, key, error)
        else:
            self.files += 1
            self.bytes += size

    def failed(self, path: str, key: str, error: Exception) -> None:
        """Take note of a failure."""
        self.errors.append(FileError(path=path, key=key, error=str(error)))
        if len(self.causes) < _CAUSES:
            self.causes.append(error)
