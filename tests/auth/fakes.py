"""Test doubles: a clock that the test moves, an IAM with scripted responses, an issuer of tokens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

from aiocos.auth.tokens import Token
from aiocos.errors import ConnectError
from aiocos.wire.message import PreparedRequest, Response

KEY = "the-API-key/with+odd=signs"
DOWN = ConnectError("connection refused", sent=False)


class Clock:
    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class RecordedWaits:
    """Records waits, and moves the clock instead of sleeping."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.clock.now += seconds
        await asyncio.sleep(0)


def answer(body: object, status: int = 200, **headers: str) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def token(value: str, expires_in: object = 3600, **more: object) -> Response:
    return answer({"access_token": value, "token_type": "Bearer", "expires_in": expires_in, **more})


class FakeIam:
    """Returns the scripted responses one by one, and then the last one again; without a script, a new token each time."""

    def __init__(self, *script: Response | Exception | Callable[[], Response]) -> None:
        self.script = list(script)
        self.requests: list[PreparedRequest] = []
        self.limits: list[float] = []
        self.open = 0
        self.gate = asyncio.Event()
        self.gate.set()

    @asynccontextmanager
    async def http(self) -> AsyncIterator[FakeIam]:
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1

    async def send(self, request: PreparedRequest, *, timeout: float) -> Response:
        self.requests.append(request)
        self.limits.append(timeout)
        await asyncio.sleep(0)
        await self.gate.wait()
        step = (self.script.pop(0) if len(self.script) > 1 else self.script[0]) if self.script else None
        if step is None:
            return token(f"token-{len(self.requests)}")
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    def form(self, index: int = -1) -> dict[str, list[str]]:
        body = self.requests[index].body
        assert isinstance(body, bytes)
        return parse_qs(body.decode(), strict_parsing=True)


def outgoing(origin: str = "https://s3.test", **headers: str) -> PreparedRequest:
    return PreparedRequest("GET", origin, "/bucket/key", "", dict(headers))


class Issuer:
    """Issues numbered tokens that are valid for an hour; waits for `gate`, and raises `error` if it is set."""

    def __init__(self, clock: Clock, lifetime: float = 3_600.0) -> None:
        self.clock = clock
        self.lifetime = lifetime
        self.calls = 0
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Token:
        self.calls += 1
        number = self.calls
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Token.issued(f"token-{number}", self.lifetime, now=self.clock())


async def run_pending_tasks() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def fetches() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "aiocos token"]
