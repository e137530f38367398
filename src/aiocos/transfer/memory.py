"""Bound the memory that all transfers of a client use for bytes in flight.

A part reserves its memory before its bytes are read. The common way, to read first and then wait for a connection, keeps the
whole source in memory when the network is slower than the disk.

Each transfer has a queue of its own, and the queues take turns, so a small file does not wait for all parts of a large one.
The head of the queue whose turn it is never gets overtaken, so a large part is not starved by small ones. Nobody waits for
memory while holding some, so there is no deadlock.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiocos.errors import ConfigError


class MemoryBudget:
    """A number of bytes that may be in memory at once."""

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ConfigError("a memory budget is at least 1 byte")
        self.total = total
        self.used = 0
        # Waiters by owner. The first queue has the turn.
        self._queues: OrderedDict[object, deque[tuple[asyncio.Future[None], int]]] = OrderedDict()

    async def acquire(self, size: int, owner: object = None) -> int:
        """Wait until `size` bytes are free, and reserve them.

        Returns the number to `release`.

        Requests above the total are capped at it. `owner` is the transfer: waiters queue per owner.
        """
        size = min(size, self.total)
        if not self._queues and self.used + size <= self.total:
            self.used += size
            return size
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(owner, deque()).append((granted, size))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                # Granted at the same moment as the cancel.
                self.release(size)
            else:
                self._dequeue(owner, granted)
                self._wake()
            raise
        return size

    def release(self, size: int) -> None:
        """Return `size` bytes to the budget."""
        self.used -= size
        self._wake()

    def _dequeue(self, owner: object, granted: asyncio.Future[None]) -> None:
        queue = deque(waiter for waiter in self._queues.get(owner, ()) if waiter[0] is not granted)
        if queue:
            self._queues[owner] = queue
        else:
            self._queues.pop(owner, None)

    def _wake(self) -> None:
        while self._queues:
            owner, queue = next(iter(self._queues.items()))
            granted, size = queue[0]
            if granted.done():  # canceled, and not yet removed from the queue
                size = 0
            elif self.used + size > self.total:
                return
            else:
                self.used += size
                granted.set_result(None)
            queue.popleft()
            if queue:
                self._queues.move_to_end(owner)
            else:
                del self._queues[owner]

    @asynccontextmanager
    async def reserve(self, size: int, owner: object = None) -> AsyncGenerator[None]:
        """Hold `size` bytes for the duration of the `async with` block."""
        acquired = await self.acquire(size, owner)
        try:
            yield
        finally:
            self.release(acquired)
