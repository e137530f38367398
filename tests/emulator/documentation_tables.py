"""Tables of the documentation as tests: one function per row, with the row's number in the name of the test.

::

    put = Table()

    @put.row(8)
    async def _(env: Environment) -> None: ...

    @pytest.mark.parametrize("row", put)
    async def test_protection_put(row: int, env: Environment) -> None:
        await put.run(row, env)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

import aiocos
from aiocos import Client, ProtectionConfiguration
from aiocos.emulator import Clock, Emulator

from .conftest import Raw, md5

START = datetime(2030, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 86400
POLICY = ProtectionConfiguration.of_days(minimum=10, default=100, maximum=1000)
FREE = ProtectionConfiguration.of_days(minimum=0, default=0, maximum=1000, permanent=True)


@dataclass
class Environment:
    """An emulator with a clock that moves only when told to, and clients of a manager and a writer."""

    emulator: Emulator
    clock: Clock
    cos: Client  # a manager
    writer: Client
    session: aiohttp.ClientSession

    @property
    def raw(self) -> Raw:
        """Return a client for raw requests, with a token issued now."""
        return Raw(self.emulator, self.session, self.emulator.instance)

    async def create_protected_bucket(self, name: str = "kept", policy: ProtectionConfiguration = POLICY) -> None:
        """Create a bucket with a retention policy."""
        await self.cos.buckets.create(name)
        await self.cos.protection.put(name, policy)

    async def put_raw(self, target: str, body: bytes = b"x", **headers: str) -> Any:
        """Send a PUT with a checksum and the given headers."""
        return await self.raw.put(target, body, Content_MD5=md5(body), **headers)

    async def hold_ids(self, key: str = "key", *, bucket: str = "kept") -> set[str]:
        """Return the ids of an object's legal holds."""
        return {hold.id for hold in await self.cos.legal_holds.list(bucket, key)}

    async def period(self, key: str = "key", *, bucket: str = "kept") -> int | None:
        """Return the retention period of an object in seconds."""
        return (await self.cos.objects.head(bucket, key)).retention_period


@asynccontextmanager
async def make_environment() -> AsyncIterator[Environment]:
    clock = Clock(START)
    async with Emulator(clock=clock) as emulator, aiohttp.ClientSession() as session:
        key = await emulator.add_api_key("Writer")
        async with emulator.client() as cos, emulator.client(key=key) as writer:
            yield Environment(emulator, clock, cos, writer, session)


Row = Callable[[Environment], Awaitable[None]]


class Table(dict[int | str, Row]):
    """The rows of one table, by number."""

    def row(self, number: int | str) -> Callable[[Row], Row]:
        def enter(run: Row) -> Row:
            assert number not in self
            self[number] = run
            return run

        return enter

    async def run(self, number: int | str, env: Environment) -> None:
        await self[number](env)


@contextmanager
def refused(kind: type[aiocos.ServiceError], status: int, code: str) -> Iterator[None]:
    """Expect an error of this class, with this status and code."""
    with pytest.raises(kind) as caught:
        yield
    assert (caught.value.status, caught.value.code) == (status, code)
    assert type(caught.value) is kind or issubclass(type(caught.value), kind)
