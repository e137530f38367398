"""Write to a file object: synchronous or asynchronous, buffered or not."""

from __future__ import annotations

import asyncio
import io
from inspect import isawaitable, iscoroutinefunction
from typing import Any

from aiofiles.base import AsyncBase
from aiofiles.threadpool.binary import AsyncFileIO

from aiocos.config import MIB
from aiocos.errors import TransferError
from aiocos.net.retry import pause
from aiocos.transfer.files import in_thread, wait_through_cancels

# Bytes to offer in one call of `write`.
_WRITE_SIZE = MIB
# Seconds before bytes are offered again to a non-blocking file that is full.
_RETRY_DELAY = 0.01


class OrderedWriter:
    """Writes bytes to a file object, one call after the other, until all are taken.

    A `write` that is a coroutine function is awaited, and so is `drain`, if there is one. Other `write` methods run in a
    thread, except that of `BytesIO`. A cancel waits for a `write` that runs in a thread, also in one of aiofiles: otherwise
    the user could close the file while the thread still writes to its descriptor.
    """

    def __init__(self, target: Any) -> None:
        self._write: Any = target.write
        self._drain: Any = getattr(target, "drain", None)
        self._is_aiofiles = isinstance(target, AsyncBase)
        self._in_loop = isinstance(target, io.BytesIO) or iscoroutinefunction(self._write) or iscoroutinefunction(self._drain)
        # Only unbuffered files take less than they are offered, and return None if they would block.
        self._is_raw = isinstance(target, io.RawIOBase | AsyncFileIO)

    async def write(self, data: bytes) -> None:
        """Write all of `data`. Exceptions of the file object are raised as they are."""
        done = 0
        while done < len(data):
            piece = data[done : done + _WRITE_SIZE]
            count = await self._write_once(piece)
            if count is None and not self._is_raw:
                count = len(piece)  # many asynchronous writers return nothing
            if not count and self._is_raw:
                await pause(_RETRY_DELAY)
                continue
            if not isinstance(count, int) or not 0 < count <= len(piece):
                raise TransferError(f"the file object was given {len(piece)} bytes, and its `write` returned {count!r}")
            done += count

    async def _write_once(self, piece: bytes) -> Any:
        if self._is_aiofiles:
            running = asyncio.ensure_future(self._write(piece))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                await wait_through_cancels(running)
                raise
        result = self._write(piece) if self._in_loop else await in_thread(self._write, piece)
        if isawaitable(result):
            # Also in a thread: a wrapper may be a plain function that returns an awaitable.
            result = await result
        if self._drain is not None:
            await self._drain()
        return result
