"""A TCP proxy that can close, reset, stall or slow down connections."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """A running proxy. Attributes take effect with the next chunk; bytes are counted per connection and direction."""

    upstream: tuple[str, int]
    cut_down_after: int | None = None  # bytes to the client after which both connections are closed, once
    cut_up_after: int | None = None  # bytes to the server after which both connections are closed, once
    reset: bool = False  # a cut is a RST
    flip_up_at: int | None = None  # the byte to the server of which one bit is turned over, once
    up_rate: float | None = None  # bytes per second to the server
    down_rate: float | None = None  # bytes per second to the client
    passing: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: nothing passes
    refused: bool = False  # new connections are closed at once
    connections: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        if self.refused:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection(*self.upstream)
        except OSError:  # the server is being started again
            writer.transport.abort()
            return
        self._writers.add(up_writer)
        both = (writer, up_writer)
        self._spawn(self._pump(reader, up_writer, both, up=True))
        self._spawn(self._pump(up_reader, writer, both, up=False))

    def _spawn(self, work) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader, writer, both, *, up: bool) -> None:
        passed = 0
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(16 * 1024):
                await self.passing.wait()
                if rate := self.up_rate if up else self.down_rate:
                    await asyncio.sleep(len(data) / rate)
                limit = self.cut_up_after if up else self.cut_down_after
                if limit is not None and passed + len(data) >= limit:
                    if up:
                        self.cut_up_after = None
                    else:
                        self.cut_down_after = None
                    writer.write(data[: limit - passed])
                    with contextlib.suppress(ConnectionError):
                        await writer.drain()
                    for one in both:
                        one.transport.abort() if self.reset else one.close()
                    return
                if up and self.flip_up_at is not None and passed <= self.flip_up_at < passed + len(data):
                    at, self.flip_up_at = self.flip_up_at - passed, None
                    data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
                writer.write(data)
                passed += len(data)
                if up:
                    self.bytes_up += len(data)
                else:
                    self.bytes_down += len(data)
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            writer.close()

    def drop_all(self) -> None:
        """Close all connections, as a server does with idle ones."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()


@contextlib.asynccontextmanager
async def proxy_to(endpoint: str) -> AsyncIterator[Proxy]:
    """Run a proxy in front of an endpoint."""
    parts = urlsplit(endpoint)
    proxy = Proxy((parts.hostname or "", parts.port or 80))
    proxy.passing.set()
    listening = socket.socket()
    # With a large buffer the proxy would take a whole body at once, and a slow link would look fast to the client.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    listening.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(proxy.serve, sock=listening, limit=64 * 1024)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for writer in proxy._writers:
            # A closed transport has no loop any more.
            with contextlib.suppress(AttributeError):
                writer.transport.abort()
        for task in list(proxy._tasks):
            task.cancel()
        await asyncio.gather(*proxy._tasks, return_exceptions=True)
        await asyncio.sleep(0)
