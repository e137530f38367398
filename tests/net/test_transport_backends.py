"""The backend that a transport chooses."""

import contextlib

import aiohttp
import pytest

import aiocos
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator
from aiocos.net.raw_backend import RawBackend
from aiocos.net.session_backend import SessionBackend

ONCE = RetryConfig(attempts=1)


async def _backends_used(client: aiocos.Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    for name, kind in {"raw": RawBackend, "session": SessionBackend}.items():
        original = kind.open

        def opened(self, *args, original=original, name=name, **more):
            seen.append(name)
            return original(self, *args, **more)

        monkeypatch.setattr(kind, "open", opened)
    async with client:
        with contextlib.suppress(aiocos.CosError):
            await client.buckets.list()
    return seen


async def test_backend_of_each_configuration(cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
    def client(**more) -> aiocos.Client:
        secret = {"access_key_id": cos_emulator.access_key_id, "secret_access_key": cos_emulator.secret_access_key}
        return aiocos.Client(cos_emulator.endpoint, **secret, **more)

    assert await _backends_used(client(), monkeypatch) == ["raw"]
    assert await _backends_used(client(config=ClientConfig(fast_path=False)), monkeypatch) == ["session"]
    async with aiohttp.ClientSession() as session:
        assert set(await _backends_used(client(session=session), monkeypatch)) == {"session"}
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    assert await _backends_used(client(), monkeypatch) == ["raw"], "this machine is not reached through a proxy"
    proxied = aiocos.Client("http://cos.invalid", credentials=aiocos.Anonymous(), config=ClientConfig(retry=ONCE))
    assert set(await _backends_used(proxied, monkeypatch)) == {"session"}
