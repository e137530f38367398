"""The memory that all transfers of a client share.

A part takes its permit before its bytes are read, so what is in memory is bounded where it is born. Reading first and waiting
for a connection then, which is how uploaders commonly do it, holds the whole source in memory when the network is the slower.

Those who wait stand in a line for each transfer, and the lines take turns: a small file does not wait for all the parts that a
large one has asked for. Within its turn nobody is overtaken, so a large part is not starved by small ones; and nobody holds one
permit while waiting for another, so nothing can lock up.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiocos.errors import ConfigError


class MemoryBudget:
    """Bytes that may be in memory at once."""

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ConfigError("a memory budget is at least 1 byte")
        self.total = total
        self.used = 0
        # The first line has the turn.
        self._lines: OrderedDict[object, deque[tuple[asyncio.Future[None], int]]] = OrderedDict()

    async def take(self, size: int, owner: object = None) -> int:
        """Wait until `size` bytes are free, and take them; return what to `give` back.

        More than there is at all counts as all of it. `owner` is the transfer, in whose line this waits.
        """
        size = min(size, self.total)
        if not self._lines and self.used + size <= self.total:
            self.used += size
            return size
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(owner, deque()).append((turn, size))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The permit came together with the cancel.
                self.give(size)
            else:
                self._leave(owner, turn)
                self._wake()
            raise
        return size

    def give(self, size: int) -> None:
        """Give bytes back."""
        self.used -= size
        self._wake()

    def _leave(self, owner: object, turn: asyncio.Future[None]) -> None:
        line = deque(waiting for waiting in self._lines.get(owner, ()) if waiting[0] is not turn)
        if line:
            self._lines[owner] = line
        else:
            self._lines.pop(owner, None)

    def _wake(self) -> None:
        while self._lines:
            owner, line = next(iter(self._lines.items()))
            turn, size = line[0]
            if turn.done():  # cancelled, and about to leave
                size = 0
            elif self.used + size > self.total:
                return
            else:
                self.used += size
                turn.set_result(None)
            line.popleft()
            if line:
                self._lines.move_to_end(owner)
            else:
                del self._lines[owner]

    @asynccontextmanager
    async def reserve(self, size: int, owner: object = None) -> AsyncGenerator[None]:
        """Hold `size` bytes for a while."""
        taken = await self.take(size, owner)
        try:
            yield
        finally:
            self.give(taken)
