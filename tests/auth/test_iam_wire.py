"""API keys over real connections: a server that issues tokens, one that redirects, one that is down."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

import aiocos.net.transport
from aiocos.auth.base import AuthSettings
from aiocos.auth.iam import ApiKey
from aiocos.config import ClientConfig
from aiocos.errors import ConnectError, CredentialsError

from .fakes import KEY, outgoing


def settings() -> AuthSettings:
    return AuthSettings(http=lambda: aiocos.net.transport.EphemeralTransport(ClientConfig()))


@asynccontextmanager
async def token_server(handler: object) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/identity/token", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_api_key_is_exchanged_for_a_token() -> None:
    forms: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        forms.append({name: str(value) for name, value in (await request.post()).items()})
        if len(forms) == 1:
            return web.json_response({}, status=503, headers={"Retry-After": "0"})
        return web.json_response({"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 3600})

    async with token_server(answer) as endpoint:
        client = ApiKey(KEY, iam_endpoint=endpoint).authorizer(settings())
        requests = [outgoing() for _ in range(50)]
        await asyncio.gather(*map(client.authorize, requests))
        await client.close()
    assert {request.headers["Authorization"] for request in requests} == {"Bearer a.b.c"}
    assert [form["apikey"] for form in forms] == [KEY, KEY]


async def test_redirect_is_not_followed() -> None:
    elsewhere: list[str] = []

    async def collect(request: web.Request) -> web.Response:
        elsewhere.append(await request.text())
        return web.json_response({"access_token": "t", "expires_in": 3600})

    async with token_server(collect) as hostile:

        async def point(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"{hostile}/identity/token"})

        async with token_server(point) as endpoint:
            client = ApiKey(KEY, iam_endpoint=endpoint).authorizer(settings())
            with pytest.raises(CredentialsError, match="redirect") as raised:
                await client.authorize(outgoing())
    assert raised.value.status == 307
    assert not elsewhere


async def test_unreachable_iam() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused, and no other process can take the port
        client = ApiKey(KEY, iam_endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}").authorizer(settings())
        with pytest.raises(CredentialsError, match="after 5 attempts: no response") as raised:
            await client.authorize(outgoing())
    assert isinstance(raised.value.__cause__, ConnectError)
    assert KEY not in str(raised.value)
