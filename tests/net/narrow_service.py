"""A service that accepts a few requests at once and refuses the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass
class Narrow:
    """Accepts a number of requests at once, each for a number of seconds, and refuses others with 503."""

    admits: int
    seconds: float
    inside: int = 0
    asked: int = 0
    done: int = 0
    url: str = ""

    async def response(self, request: web.BaseRequest) -> web.Response:
        self.asked += 1
        await request.read()
        if self.inside >= self.admits:
            return web.Response(status=503, text="<Error><Code>SlowDown</Code></Error>", content_type="application/xml")
        self.inside += 1
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.inside -= 1
        self.done += 1
        return web.Response(headers={"ETag": '"x"'})


@asynccontextmanager
async def narrow(admits: int, seconds: float) -> AsyncIterator[Narrow]:
    service = Narrow(admits, seconds)
    runner = web.ServerRunner(web.Server(service.response))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()
