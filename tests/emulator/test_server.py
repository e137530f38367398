"""The emulator as a server: addresses, ports, and its data directory."""

from pathlib import Path

import pytest

from aiocos.emulator import Emulator
from aiocos.errors import ConfigError


async def test_a_directory_can_be_used_by_one_emulator_only(tmp_path: Path) -> None:
    async with Emulator(tmp_path):
        with pytest.raises(ConfigError, match="in use"):
            async with Emulator(tmp_path):
                pass
    async with Emulator(tmp_path):
        pass


async def test_a_temporary_directory_is_removed() -> None:
    async with Emulator() as emulator:
        directory = emulator.store.directory
        assert directory.exists()
    assert not directory.exists()


async def test_only_loopback_addresses_are_accepted() -> None:
    for host in ("0.0.0.0", "192.168.0.1", "example.com"):
        with pytest.raises(ConfigError):
            Emulator(host=host)
    async with Emulator(host="localhost") as emulator:
        assert emulator.endpoint.startswith("http://localhost:")


async def test_a_port_in_use_is_an_error() -> None:
    async with Emulator() as first:
        with pytest.raises(OSError, match="in use"):
            async with Emulator(port=first.port):
                pass
