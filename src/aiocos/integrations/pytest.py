"""A pytest plugin with the fixtures `cos_emulator` and `cos`.

`cos_emulator` is a new emulator for each test, `cos` a client for that emulator.

pytest loads the plugin wherever aiocos is installed; the emulator is imported only when a test uses a fixture.
The fixtures are asynchronous and need pytest-asyncio, in strict or auto mode. Without it
they fail with a message that names it.
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
        """A new emulator with an empty temporary data directory, for one test."""
        from aiocos.emulator import Emulator

        async with Emulator() as emulator:
            yield emulator

    @_fixture
    async def cos(cos_emulator: Emulator) -> AsyncIterator[Client]:
        """A client for the test's emulator.

        It has IAM tokens for requests, and HMAC keys for presigned URLs.
        """
        async with cos_emulator.client() as client:
            yield client

else:  # pragma: no cover - an environment without the extra

    @pytest.fixture(name="cos_emulator")
    def cos_emulator_missing() -> None:
        """Fail with the name of the missing package."""
        pytest.fail("the fixtures `cos` and `cos_emulator` need pytest-asyncio: pip install pytest-asyncio")

    @pytest.fixture(name="cos")
    def cos_missing(cos_emulator: None) -> None:
        """Fail with the name of the missing package."""
