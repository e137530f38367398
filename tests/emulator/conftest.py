"""Fixtures of the emulator's tests: a client that sends raw HTTP requests, so that no library corrects them."""

from __future__ import annotations

import base64
import hashlib
import inspect
import time
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from aiocos import Client
from aiocos.emulator import Emulator, Instance
from aiocos.emulator.store import Transaction

_HERE = Path(__file__).parent


@dataclass
class RawResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def xml(self) -> ET.Element:
        root = ET.fromstring(self.body)
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root

    @property
    def code(self) -> str:
        return self.xml.findtext("Code", "") if self.body else ""

    def texts(self, path: str) -> list[str]:
        return [e.text or "" for e in self.xml.findall(path)]


class _RepeatableBody:
    """A body that can be sent twice: aiohttp's session repeats a PUT by itself if a reused connection breaks."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 65536):
            yield self._body[start : start + 65536]


class Raw:
    """A client that sends requests as they are given, with the token of one service instance or without credentials."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession, instance: Instance | None) -> None:
        self.emulator = emulator
        self.session = session
        self.token = None if instance is None else emulator.iam.issue(instance)
        self.instance = None if instance is None else instance.crn

    async def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse:
        all_headers = dict(headers or {})
        if self.token is not None and "Authorization" not in all_headers:
            all_headers["Authorization"] = f"Bearer {self.token}"
            if self.instance is not None and not target.lstrip("/").partition("?")[0].partition("/")[2]:
                all_headers.setdefault("ibm-service-instance-id", self.instance)
        if body:
            all_headers["Content-Length"] = str(len(body))
        url = URL(f"{self.emulator.endpoint}{target}", encoded=True)
        async with self.session.request(
            method, url, data=_RepeatableBody(body) if body else body, headers=all_headers, skip_auto_headers=["Content-Type"]
        ) as r:
            return RawResponse(r.status, r.headers.copy(), await r.read())

    async def get(self, target: str, **headers: str) -> RawResponse:
        return await self.send("GET", target, headers=_header_names(headers))

    async def head(self, target: str, **headers: str) -> RawResponse:
        return await self.send("HEAD", target, headers=_header_names(headers))

    async def put(self, target: str, body: bytes = b"", **headers: str) -> RawResponse:
        return await self.send("PUT", target, body, _header_names(headers))

    async def post(self, target: str, body: bytes = b"", **headers: str) -> RawResponse:
        return await self.send("POST", target, body, _header_names(headers))

    async def delete(self, target: str, **headers: str) -> RawResponse:
        return await self.send("DELETE", target, headers=_header_names(headers))


def _header_names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


_TABLES = ("failures", "completions", "parts", "uploads", "objects", "blobs", "buckets")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of a module in one event loop, so that they can share an emulator."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function) and _HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def shared_emulator(module_emulator: Emulator) -> Emulator:
    """The module's emulator, emptied. Starting a new one for each test takes several times as long."""
    emulator = module_emulator

    def clear(t: Transaction) -> None:
        for table in _TABLES:
            t.execute(f"DELETE FROM {table}")

    await emulator.store.write(clear)
    for path in (*emulator.store.directory.glob("blobs/*/*"), *emulator.store.directory.glob("incoming/*")):
        path.unlink(missing_ok=True)
    if abs(ahead := emulator.clock.timestamp() - time.time()) > 1:
        emulator.clock.advance(-ahead)
    emulator.faults.script([])
    emulator.requests.clear()
    emulator.iam.requests.clear()
    return emulator


@pytest_asyncio.fixture(loop_scope="module")
async def new_emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Emulator:
    """A running emulator without buckets; a new one in modules with `NEW_EMULATOR = True`."""
    is_new = getattr(request.module, "NEW_EMULATOR", False)
    return request.getfixturevalue("new_emulator" if is_new else "shared_emulator")


@pytest.fixture
def cos_emulator(emulator: Emulator) -> Emulator:
    """The emulator, in place of the one of the pytest plugin."""
    return emulator


@pytest_asyncio.fixture(loop_scope="module")
async def cos(emulator: Emulator) -> AsyncIterator[Client]:
    """A client of the emulator."""
    async with emulator.client() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def raw(emulator: Emulator, session: aiohttp.ClientSession) -> Raw:
    """The owner of a bucket called `bucket`."""
    created = Raw(emulator, session, emulator.instance)
    assert (await created.put("/bucket")).status == 200
    return created


@pytest_asyncio.fixture(loop_scope="module")
async def other_instance(emulator: Emulator, session: aiohttp.ClientSession) -> Raw:
    """The manager of another service instance."""
    return Raw(emulator, session, await emulator.add_instance())


@pytest_asyncio.fixture(loop_scope="module")
async def anonymous(emulator: Emulator, session: aiohttp.ClientSession) -> Raw:
    """A client without credentials."""
    return Raw(emulator, session, None)
