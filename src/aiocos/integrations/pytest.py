"""A pytest plugin: `cos_emulator`, a fresh emulator for a test, and `cos`, a client on it.

It is loaded in every test run of an environment that has aiocos installed, and with it the package and its client; the
emulator is imported when a fixture is asked for. The fixtures are asynchronous and belong to pytest-asyncio, in strict mode as
in auto mode; where it is not installed, they fail with a sentence that says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aiocos.client import Client
    from aiocos.emulator import Emulator

_Fixture = Callable[[Callable[..., Any]], Any]

try:
    import pytest_asyncio
except ImportError:  # pragma: no cover - an environment without the extra
    _asynchronous = False
else:
    _asynchronous = True

if _asynchronous:
    _fixture: _Fixture = pytest_asyncio.fixture  # pyright: ignore[reportPossiblyUnboundVariable]

    @_fixture
    async def cos_emulator() -> AsyncIterator[Emulator]:
        """A fresh emulator with a data folder of its own."""
        from aiocos.emulator import Emulator

        async with Emulator() as emulator:
            yield emulator

    @_fixture
    async def cos(cos_emulator: Emulator) -> AsyncIterator[Client]:
        """A client on the test's emulator: calls by API key (IAM), presigned URLs by key pair."""
        async with cos_emulator.client() as client:
            yield client

else:  # pragma: no cover - an environment without the extra

    @pytest.fixture(name="cos_emulator")
    def cos_emulator_missing() -> None:
        """Say what is missing."""
        pytest.fail("the fixtures `cos` and `cos_emulator` need pytest-asyncio: pip install pytest-asyncio")

    @pytest.fixture(name="cos")
    def cos_missing(cos_emulator: None) -> None:
        """Say what is missing."""
