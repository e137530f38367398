"""Proxy variables in the environment (E21): no request to this machine goes to the proxy, whatever the variables are named."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fault_injection.conftest import Saw

import aiocos
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator
from aiocos.errors import ConfigError, ConnectError

ONCE = ClientConfig(retry=RetryConfig(attempts=1))
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SETTINGS = {
    "upper case, without NO_PROXY": (VARIABLES, None),
    "lower case, with NO_PROXY": (tuple(name.lower() for name in VARIABLES), "example.com"),
}
TEST = """
import asyncio, urllib.request

async def test_it(cos, cos_emulator):
    await cos.buckets.create("photos")
    await cos.objects.put("photos", "a", b"hello")
    assert await cos.objects.read("photos", "a") == b"hello"
    assert cos.objects.presign("photos", "a").startswith(cos_emulator.endpoint)
"""


class RecordingProxy:
    """A proxy that records and refuses every request."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[RecordingProxy]:
    recording = RecordingProxy()
    server = await asyncio.start_server(recording.serve, "127.0.0.1", 0)
    recording.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield recording
    server.close()


def environment(proxy: RecordingProxy, names: tuple[str, ...], no_proxy: str | None) -> dict[str, str]:
    """Return an environment with these variables and no credentials."""
    inherited = {
        n: v for n, v in os.environ.items() if "proxy" not in n.lower() and not n.startswith(("IBM_", "AWS_", "AIOCOS_"))
    }
    more = {} if no_proxy is None else {"NO_PROXY": no_proxy}
    return {**inherited, **dict.fromkeys(names, proxy.url), **more}


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS)
async def test_e21_local_services_are_reached_without_the_proxy(
    proxy: RecordingProxy, setting: str, tmp_path: Path, saw: Saw
) -> None:
    environ = environment(proxy, *SETTINGS[setting])
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_bytes(b"data")
    (tmp_path / "test_user.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")

    async def program(*arguments: str, cwd: Path = tmp_path) -> str:
        command = [sys.executable, "-m", *arguments]
        ran = await asyncio.to_thread(
            subprocess.run, command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=100
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    demo, fixtures = await asyncio.gather(
        program("aiocos", "demo", "--size", "1KiB", "--tree", str(tmp_path / "tree"), "-q"),
        program("pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)),
    )
    assert "came back unchanged" in demo
    assert "1 passed" in fixtures

    command = [sys.executable, "-m", "aiocos", "emulator", "--port", "0", "--json"]
    serving = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.PIPE)
    try:
        assert serving.stdout is not None
        started = json.loads(await asyncio.wait_for(serving.stdout.readline(), 60))
        environ |= {
            "AIOCOS_ENDPOINT": started["endpoint"],
            "IBM_API_KEY_ID": started["api_key"],
            "IBM_SERVICE_INSTANCE_ID": started["service_instance_id"],
            "IBM_AUTH_ENDPOINT": started["iam_endpoint"],
        }
        await program("aiocos", "mb", "cos://photos")
        assert "photos" in await program("aiocos", "ls")
    finally:
        serving.terminate()
        await serving.wait()
    assert proxy.heads == []
    saw("E21", "`aiocos demo`, `aiocos emulator` and the pytest fixtures work, and no request reaches the proxy")


@pytest.mark.usefixtures("backend")
async def test_e21_credentials_are_never_sent_to_the_proxy(
    proxy: RecordingProxy, monkeypatch: pytest.MonkeyPatch, saw: Saw
) -> None:
    for name in (*VARIABLES, *map(str.lower, VARIABLES), "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    async with Emulator() as emulator:
        key = {"api_key": emulator.api_key, "iam_endpoint": emulator.iam_endpoint, "config": ONCE}
        async with aiocos.Client("http://cos.invalid", **key) as cos:
            with pytest.raises(ConfigError, match="use https"):
                await cos.buckets.list()
        assert proxy.heads == []
        async with aiocos.Client("https://cos.invalid", **key) as cos:
            with pytest.raises(ConnectError):
                await cos.buckets.list()
    (head,) = proxy.heads
    assert head.startswith(b"CONNECT cos.invalid:443 ")
    assert b"Authorization" not in head
    saw("E21", "no token is sent over plain http to or through another host; over https the proxy sees only a tunnel")
