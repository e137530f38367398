"""Tables of the documentation as tests: one function a row, and its number in the name of the test.

::

    put = Table()

    @put.row(8)
    async def _(w: World) -> None: ...

    @pytest.mark.parametrize("row", put)
    async def test_protection_put(row: int, world: World) -> None:
        await put.run(row, world)
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
class World:
    """An emulator whose clock stands still until it is moved, with clients of all kinds."""

    emulator: Emulator
    clock: Clock
    cos: Client  # a manager
    writer: Client
    session: aiohttp.ClientSession

    @property
    def raw(self) -> Raw:
        """Requests that no library has built, with a token of this moment."""
        return Raw(self.emulator, self.session, self.emulator.instance)

    async def protected(self, name: str = "kept", policy: ProtectionConfiguration = POLICY) -> None:
        """Make a bucket with a policy."""
        await self.cos.buckets.create(name)
        await self.cos.protection.put(name, policy)

    async def put_raw(self, target: str, body: bytes = b"x", **headers: str) -> Any:
        """Put with a checksum and headers of one's own."""
        return await self.raw.put(target, body, Content_MD5=md5(body), **headers)

    async def held(self, key: str = "key", *, bucket: str = "kept") -> set[str]:
        """The ids of an object's holds."""
        return {hold.id for hold in await self.cos.legal_holds.list(bucket, key)}

    async def period(self, key: str = "key", *, bucket: str = "kept") -> int | None:
        """The retention period of an object."""
        return (await self.cos.objects.head(bucket, key)).retention_period


@asynccontextmanager
async def make_world() -> AsyncIterator[World]:
    clock = Clock(START)
    async with Emulator(clock=clock) as emulator, aiohttp.ClientSession() as session:
        key = await emulator.add_api_key("Writer")
        async with emulator.client() as cos, emulator.client(key=key) as writer:
            yield World(emulator, clock, cos, writer, session)


Row = Callable[[World], Awaitable[None]]


class Table(dict[int | str, Row]):
    """The rows of one table, by number."""

    def row(self, number: int | str) -> Callable[[Row], Row]:
        def enter(run: Row) -> Row:
            assert number not in self
            self[number] = run
            return run

        return enter

    async def run(self, number: int | str, world: World) -> None:
        await self[number](world)


@contextmanager
def refused(kind: type[aiocos.ServiceError], status: int, code: str) -> Iterator[None]:
    """Expect an error of this class, with this status and code."""
    with pytest.raises(kind) as caught:
        yield
    assert (caught.value.status, caught.value.code) == (status, code)
    assert type(caught.value) is kind or issubclass(type(caught.value), kind)
