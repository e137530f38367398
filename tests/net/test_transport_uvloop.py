"""Both backends on uvloop."""

import asyncio
import socket
import subprocess
import sys

import pytest

from aiocos.emulator import Emulator

pytest.importorskip("uvloop", reason="uvloop has no build for this Python or system")

_CODE = """
import asyncio, os, sys, uvloop
from aiocos import Client, ClientConfig, RequestTimeoutError, RetryConfig

async def main(endpoint, key, secret, silent):
    for fast_path in (True, False):
        config = ClientConfig(fast_path=fast_path)
        async with Client(endpoint, access_key_id=key, secret_access_key=secret, config=config) as cos:
            assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
            data = os.urandom(20_000_000)
            await cos.objects.put("bucket", "small", b"x")
            assert await cos.objects.read("bucket", "small") == b"x"
            assert (await cos.upload("bucket", "large", data)).verified
            assert await cos.objects.read("bucket", "large") == data
            assert sorted([e.key async for e in cos.objects.list("bucket")]) == ["large", "small"]
            upload = asyncio.ensure_future(cos.upload("bucket", "cancelled", data))
            await asyncio.sleep(0.05)
            upload.cancel()
            await asyncio.gather(upload, return_exceptions=True)
        config = ClientConfig(idle_timeout=0.3, retry=RetryConfig(attempts=1), fast_path=fast_path)
        async with Client(silent, access_key_id=key, secret_access_key=secret, config=config) as cos:
            try:
                await cos.objects.put("bucket", "key", bytes(30_000_000))
            except RequestTimeoutError:
                pass
            else:
                raise SystemExit("it did not time out")

uvloop.run(main(*sys.argv[1:]))
"""


async def test_uvloop(cos, cos_emulator: Emulator):
    await cos.buckets.create("bucket")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never reads
        arguments = [
            cos_emulator.endpoint,
            cos_emulator.access_key_id,
            cos_emulator.secret_access_key,
            f"http://127.0.0.1:{silent.getsockname()[1]}",
        ]
        command = [sys.executable, "-W", "error", "-c", _CODE, *arguments]
        ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
