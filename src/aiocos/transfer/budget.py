"""The memory that all transfers of a client share.

A part takes its permit before its bytes are read, so what is in memory is bounded where it is born. Reading first and waiting
for a connection then, which is how uploaders commonly do it, holds the whole source in memory when the network is the slower.

Permits are given in the order they were asked for: a large part is not starved by small ones, and nobody holds one permit while
waiting for another, so nothing can lock up.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiocos.errors import ConfigError


class Budget:
    """Bytes that may be in memory at once."""

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ConfigError("a memory budget is at least 1 byte")
        self.total = total
        self.used = 0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    async def take(self, size: int) -> int:
        """Wait until `size` bytes are free, and take them; return what to `give` back.

        More than there is at all counts as all of it.
        """
        size = min(size, self.total)
        if not self._waiting and self.used + size <= self.total:
            self.used += size
            return size
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, size))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The permit came together with the cancel.
                self.give(size)
            else:
                self._waiting = deque(w for w in self._waiting if w[0] is not turn)
                self._wake()
            raise
        return size

    def give(self, size: int) -> None:
        """Give bytes back."""
        self.used -= size
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.used + self._waiting[0][1] <= self.total:
            turn, size = self._waiting.popleft()
            if not turn.done():
                self.used += size
                turn.set_result(None)

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncGenerator[None]:
        """Hold `size` bytes for a while."""
        taken = await self.take(size)
        try:
            yield
        finally:
            self.give(taken)
