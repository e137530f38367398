"""A server of raw bytes: each request gets the next answer of a script, and what was asked is kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import aiocos

CONFIG = aiocos.ClientConfig(retry=aiocos.RetryConfig(attempts=3, base=0.001, cap=0.002))


class Script:
    """`answers` are used up one by one, the last one for all further requests; a connection is closed behind what is short."""

    def __init__(self) -> None:
        self.answers: list[bytes | Callable[[bytes], bytes]] = []
        self.heads: list[bytes] = []
        self.open = 0
        self.hold: asyncio.Event | None = None
        """Set to an event, an answer that is short is left as it is until that is set, instead of closing the connection."""
        self.url = ""

    @property
    def ranges(self) -> list[str]:
        """The `Range` of each request, empty where it had none."""
        lines = [dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line) for head in self.heads]
        return [line.get("Range", "") for line in lines]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(answer(head) if callable(answer) else answer)
                await writer.drain()
                if self.hold is not None:
                    # Until the client goes, or the test says so.
                    gone = asyncio.ensure_future(reader.read())
                    held = asyncio.ensure_future(self.hold.wait())
                    await asyncio.wait([gone, held], return_when=asyncio.FIRST_COMPLETED)
                    gone.cancel()
                    held.cancel()
                return
        finally:
            self.open -= 1


def answer(
    body: bytes = b"", *, status: int = 200, length: int | None = -1, etag: str | None = '"v1"', **headers: str
) -> bytes:
    """One answer; `length` is what it announces, its body's by default, None for a chunked body with its end."""
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
async def scripted(
    *answers: bytes | Callable[[bytes], bytes], config: aiocos.ClientConfig = CONFIG
) -> AsyncIterator[tuple[Script, aiocos.Client]]:
    """Run a server by a script, and a client of it, until the end of the block."""
    script, tasks = Script(), set[asyncio.Task[None]]()
    script.answers = list(answers)

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
