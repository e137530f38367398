"""A body on its way out: bytes in memory, written in steps, and watched."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aiohttp import payload

from aiocos.wire.message import Bytes

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

# Below this aiohttp joins head and body into one segment, which is what a small request wants.
SMALL = 32 * 1024
# A write of a whole part would be copied whole into the transport's buffer; a step is, at worst, copied itself. It is also what
# counts as progress: with the default idle timeout of a minute, an uplink of 5 kB/s is slow and not stalled.
STEP = 256 * 1024


class SteppedPayload(payload.Payload):
    """Bytes that are written a step at a time, without copies, telling `progress` after each.

    aiohttp's own payload for bytes writes everything at once, and warns above 1 MiB that this holds up the event loop.
    """

    _autoclose = True

    def __init__(self, data: Bytes, progress: Callable[[asyncio.WriteTransport | None], None]) -> None:
        super().__init__(data)
        self._view = memoryview(data)
        self._size = self._view.nbytes
        self._progress = progress

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text (aiohttp asks for it in debugging only)."""
        return bytes(self._view).decode(encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the body as bytes (aiohttp asks for it when it digests a body, which we never ask for)."""
        return bytes(self._view)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write all of it, as fast as the peer takes it."""
        # Taken now: aiohttp forgets it when it closes the connection, which is before it cancels this.
        transport = cast("asyncio.WriteTransport | None", getattr(writer, "transport", None))
        try:
            for start in range(0, self._view.nbytes, STEP):
                await writer.write(self._view[start : start + STEP])
                self._progress(transport)
        except asyncio.CancelledError:
            # Closing the connection would still send what is buffered, and a part that was cancelled must not arrive.
            if transport is not None:
                transport.abort()
            raise

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write all of it; the length was announced by `size`."""
        await self.write(writer)


if sys.platform == "linux":
    import fcntl
    import termios

    def waiting(transport: asyncio.WriteTransport) -> int:
        """Return the bytes that the system has taken from us and the peer has not yet."""
        connection = transport.get_extra_info("socket")
        try:
            return int.from_bytes(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        except (AttributeError, OSError, ValueError):
            return 0

else:

    def waiting(transport: asyncio.WriteTransport) -> int:
        """Return 0: this system does not tell what of a body is still on its way out."""
        return 0
