"""A request body in memory, written in steps so that progress can be seen."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aiohttp import payload

from aiocos.wire.message import Bytes

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

# Bodies up to this size are sent in one write together with the head.
SMALL_BODY = 32 * 1024
# Larger bodies are written in steps of this size. asyncio copies what it cannot send at once: of a whole part that would be
# megabytes, of a step it is a step. A written step also counts as progress: with the default idle timeout of one minute, an
# uplink of 5 kB/s is slow and not stalled.
WRITE_STEP = 256 * 1024


class SteppedPayload(payload.Payload):
    """A payload of aiohttp that writes bytes in steps, without copies.

    aiohttp's own payload for bytes writes everything at once, and warns above 1 MiB that this blocks the event loop.

    Args:
        data: The body.
        on_progress: Called after each step with the transport that the body is written to.
    """

    _autoclose = True

    def __init__(self, data: Bytes, on_progress: Callable[[asyncio.WriteTransport | None], None]) -> None:
        super().__init__(data)
        self._view = memoryview(data)
        self._size = self._view.nbytes
        self._on_progress = on_progress

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text; aiohttp calls this for debugging only."""
        return bytes(self._view).decode(encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the body as bytes.

        aiohttp calls this for digest authentication only, which is not used here.
        """
        return bytes(self._view)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the whole body, as fast as the server reads it."""
        # Read now: aiohttp clears the attribute when it closes the connection, before it cancels this coroutine.
        transport = cast("asyncio.WriteTransport | None", getattr(writer, "transport", None))
        try:
            for start in range(0, self._view.nbytes, WRITE_STEP):
                await writer.write(self._view[start : start + WRITE_STEP])
                self._on_progress(transport)
        except asyncio.CancelledError:
            # `close` would still send what is buffered, and a part that was cancelled must not arrive.
            if transport is not None:
                transport.abort()
            raise

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the whole body; `size` has announced its length."""
        await self.write(writer)


if sys.platform == "linux":
    import fcntl
    import termios

    def unsent_bytes(transport: asyncio.WriteTransport) -> int:
        """Return the bytes in the send buffer that the server has not acknowledged."""
        connection = transport.get_extra_info("socket")
        try:
            return int.from_bytes(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        except (AttributeError, OSError, ValueError):
            return 0

else:

    def unsent_bytes(transport: asyncio.WriteTransport) -> int:
        """Return 0: the size of the send buffer is read on Linux only."""
        return 0
