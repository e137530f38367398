"""A server of raw bytes that answers requests with the replies of a script, and keeps the requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import aiocos

CONFIG = aiocos.ClientConfig(retry=aiocos.RetryConfig(attempts=3, base=0.001, cap=0.002))
Reply = bytes | Callable[[bytes], bytes]
"""The bytes of a reply, or a function that makes them from the head of the request."""


class Script:
    """The state of the server. Each connection is closed after one reply."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        """The replies left. The last one is used for all further requests."""
        self.heads: list[bytes] = []
        """The heads of the requests so far."""
        self.open = 0
        """The number of open connections."""
        self.hold: asyncio.Event | None = None
        """If set to an event, connections are closed only after that is set, or by the client."""
        self.url = ""

    @property
    def ranges(self) -> list[str]:
        """The `Range` header of each request, empty if it had none."""
        headers = [dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line) for head in self.heads]
        return [one.get("Range", "") for one in headers]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            made = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            writer.write(made(head) if callable(made) else made)
            await writer.drain()
            if self.hold is not None:
                closed = asyncio.ensure_future(reader.read())
                released = asyncio.ensure_future(self.hold.wait())
                await asyncio.wait([closed, released], return_when=asyncio.FIRST_COMPLETED)
                closed.cancel()
                released.cancel()
        finally:
            self.open -= 1


def reply(body: bytes = b"", *, status: int = 200, length: int | None = -1, etag: str | None = '"v1"', **headers: str) -> bytes:
    """Return a reply. `length` is its Content-Length: -1 for the real one, None for a chunked body with its end."""
    lines = [f"HTTP/1.1 {status} X", "Connection: close"]
    if etag is not None:
        lines.append(f"ETag: {etag}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if length is None:
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    else:
        lines.append(f"Content-Length: {len(body) if length == -1 else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def scripted(*replies: Reply, config: aiocos.ClientConfig = CONFIG) -> AsyncIterator[tuple[Script, aiocos.Client]]:
    """Run a server with these replies and a client of it until the end of the block."""
    script, tasks = Script(), set[asyncio.Task[None]]()
    script.replies = list(replies)

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await script.serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with aiocos.Client(script.url, credentials=aiocos.Anonymous(), config=config) as cos:
            yield script, cos
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
