"""An engine with a transport that answers from a script, for tests of `aiocos.call`."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any

from tests.responses import FakeResponse

from aiocos.auth.base import Authorizer, AuthSettings
from aiocos.auth.keys import Hmac
from aiocos.call import Engine
from aiocos.config import ClientConfig, RetryConfig
from aiocos.errors import (
    CredentialsError,
)
from aiocos.operations.objects import PutObject
from aiocos.wire.address import Endpoint
from aiocos.wire.message import PreparedRequest, Response

QUICK = RetryConfig(attempts=3, base=0.0, cap=0.0, budget=20.0, retry_cost=5.0, refund=1.0)
Step = Response | Exception | Callable[[PreparedRequest], Response]


def ok(body: bytes = b"", status: int = 200, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def error(status: int, code: str, message: str = "no") -> Response:
    return ok(f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(), status)


class FakeTransport:
    """Returns the responses of a script, the last one again and again."""

    def __init__(self, *script: Step) -> None:
        self.script = list(script)
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.deadlines: list[float | None] = []
        self.opened: list[FakeResponse] = []
        self.secrets = {"of-a-proxy"}
        self.closed = 0
        self.concurrency, self.connections = "concurrency", "connections"

    async def send(self, request: PreparedRequest, *, deadline: float | None = None) -> Response:
        self.requests.append((request.method, request.path))
        self.headers.append(dict(request.headers))
        self.deadlines.append(deadline)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    async def open(self, request: PreparedRequest, *, deadline: float | None = None) -> FakeResponse:
        response = await self.send(request, deadline=deadline)
        made = FakeResponse(response.body)
        made.status, made.headers = response.status, response.headers
        self.opened.append(made)
        return made

    async def close(self) -> None:
        self.closed += 1


class FakeAuthorizer(Authorizer):
    """Records its calls; `again` is its return value for a refused request."""

    def __init__(self, again: bool = False) -> None:
        self.again = again
        self.calls: list[tuple[object, ...]] = []
        self.authorized = 0
        self.closed = 0

    async def authorize(self, request: PreparedRequest) -> None:
        self.authorized += 1
        request.headers["Authorization"] = f"Bearer token-{self.authorized}"

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        self.calls.append(("rejected", status, date, code))
        return self.again

    def settled(self, request: PreparedRequest, status: int) -> None:
        self.calls.append(("settled", status))

    def secrets(self) -> Iterable[str]:
        return ("a-key-behind",)

    async def close(self) -> None:
        self.closed += 1
        if self.again:
            raise CredentialsError("cannot be closed")


def engine(
    transport: FakeTransport, identity: FakeAuthorizer | None = None, *, origin: str = "https://cos.example", **config: Any
) -> Engine:
    return Engine(
        Endpoint.parse(origin),
        identity or FakeAuthorizer(),
        transport,  # type: ignore[arg-type]
        ClientConfig(**{"retry": QUICK, "checksum": "md5", **config}),
        lambda: "an-instance",
        lambda: Hmac("id", "secret").presigner(AuthSettings()),
    )


PUT = PutObject("b", "k", b"data")
SHA256 = b64encode(hashlib.sha256(b"data").digest()).decode()
MD5 = '"8d777f385d3dfec8815d20f7496026dc"'
