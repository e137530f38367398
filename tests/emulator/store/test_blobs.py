"""Blobs: large contents are streamed to and from files."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from .emulator_process import start_process


def _peak_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell the memory of a process")
async def test_a_large_object_is_streamed_in_little_memory(tmp_path: Path) -> None:
    """Storing and reading 400 MiB keeps the process below 150 MiB (it starts at about 60)."""
    process, endpoint, headers = await start_process(tmp_path)
    size, chunk = 400, os.urandom(1024 * 1024)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(size):
            yield chunk

    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.put(f"{endpoint}/bucket") as response:
                assert response.status == 200
            length = {"Content-Length": str(size * len(chunk))}
            async with session.put(f"{endpoint}/bucket/key", data=body(), headers=length) as response:
                assert response.status == 200
            async with session.get(f"{endpoint}/bucket/key") as response:
                got = 0
                async for piece in response.content.iter_any():
                    got += len(piece)
        assert got == size * len(chunk)
        assert _peak_kib(process.pid) < 150 * 1024
    finally:
        process.kill()
        await process.wait()
