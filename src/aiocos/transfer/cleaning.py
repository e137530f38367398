"""Clean-ups that outlive the task they belong to: an upload that was given up is taken back although its caller has gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from weakref import WeakKeyDictionary

from aiocos.groups import Service

# The loop itself keeps only weak references to its tasks.
_cleaning: WeakKeyDictionary[Service, set[asyncio.Task[None]]] = WeakKeyDictionary()


def keep(service: Service, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a clean-up that nobody has to wait for."""
    task = asyncio.ensure_future(work)
    tasks = _cleaning.setdefault(service, set())
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def cleaned(service: Service) -> None:
    """Wait for the clean-ups that run; each bounds its own time."""
    loop = asyncio.get_running_loop()
    if tasks := [task for task in _cleaning.get(service, ()) if task.get_loop() is loop]:
        await asyncio.wait(tasks)
