"""The metadata service: identity tokens of a server, and IAM tokens of trusted profiles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from aiocos.emulator import Clock, Emulator
from aiocos.emulator.metadata import PATHS


class Server:
    """A virtual server that requests tokens from its metadata service."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession, version: str) -> None:
        self.emulator, self._session, self._version = emulator, session, version
        self._own, self._profile = PATHS[version]

    async def _send(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
        url = f"{self.emulator.metadata_endpoint}{path}?version={self._version}"
        async with self._session.request(method, url, headers=headers, json=body) as response:
            return response.status, await response.json()

    async def identity(self, body: Any = None, flavor: str = "ibm") -> tuple[int, Any]:
        return await self._send("PUT", self._own, {"Metadata-Flavor": flavor}, body)

    async def iam_token(self, identity: str, body: Any = None) -> tuple[int, Any]:
        return await self._send("POST", self._profile, {"Authorization": f"Bearer {identity}"}, body)


@pytest_asyncio.fixture(loop_scope="module", params=list(PATHS))
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with Emulator(clock=Clock(), metadata_port=0) as emulator, aiohttp.ClientSession() as session:
        yield Server(emulator, session, request.param)


async def test_an_identity_token_gets_an_iam_token_of_the_first_profile(server: Server) -> None:
    await server.emulator.add_trusted_profile("first")
    status, identity = await server.identity()
    assert (status, identity["expires_in"]) == (200, 300)
    status, token = await server.iam_token(identity["access_token"])
    assert status == 200
    assert server.emulator.iam.key_of(token["access_token"]).instance == server.emulator.instance


async def test_a_profile_can_be_selected_by_name(server: Server) -> None:
    await server.emulator.add_trusted_profile("first")
    identity = (await server.identity())[1]["access_token"]
    assert (await server.iam_token(identity, {"trusted_profile": {"name": "first"}}))[0] == 200
    status, error = await server.iam_token(identity, {"trusted_profile": {"name": "unknown"}})
    assert (status, error["errors"][0]["code"]) == (400, "trusted_profile_not_found")


async def test_an_identity_token_needs_the_flavor_header(server: Server) -> None:
    status, error = await server.identity(flavor="other")
    assert (status, error["errors"][0]["code"]) == (400, "missing_header")


@pytest.mark.parametrize("seconds", [4, 3601, True, "60", 1.5])
async def test_an_invalid_lifetime_is_refused(server: Server, seconds: object) -> None:
    status, error = await server.identity({"expires_in": seconds})
    assert (status, error["errors"][0]["code"]) == (400, "invalid_parameter")


async def test_an_expired_or_unknown_identity_token_is_refused(server: Server) -> None:
    await server.emulator.add_trusted_profile("first")
    identity = (await server.identity({"expires_in": 5}))[1]["access_token"]
    server.emulator.clock.advance(6)
    for token in (identity, "unknown"):
        status, error = await server.iam_token(token)
        assert (status, error["errors"][0]["code"]) == (401, "not_authorized")
