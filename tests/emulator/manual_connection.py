"""A connection on which a test decides when each byte is sent."""

import asyncio

from .conftest import Raw


class ManualConnection:
    """A connection on which the test decides when each byte is sent."""

    def __init__(self, raw: Raw, port: int | None = None) -> None:
        self._raw, self._port = raw, port or raw.emulator.port

    async def __aenter__(self) -> "ManualConnection":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    def head(self, method: str, target: str, *headers: str, version: str = "1.1") -> None:
        lines = [f"{method} {target} HTTP/{version}", "Host: x", f"Authorization: Bearer {self._raw.token}", *headers]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())

    async def read_response(self) -> tuple[int, dict[str, str], bytes]:
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)).decode()
        status, *lines = head.split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await asyncio.wait_for(self.reader.readexactly(int(headers.get("content-length", 0))), 20)
        return int(status.split()[1]), headers, body
