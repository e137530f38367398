"""A headless Chromium for tests of web pages; the tests are skipped if it is not installed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import struct
import zlib
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program() -> str:
    for name in _NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    pytest.skip("no Chromium on this machine")


async def _run(profile: Path, *arguments: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        program(),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-background-networking",
        f"--user-data-dir={profile}",
        "--window-size=900,620",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(60):
            return (await process.communicate())[0]
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def dom(url: str, profile: Path) -> str:
    """Return the document of a page after its scripts ran."""
    return (await _run(profile, "--virtual-time-budget=5000", "--dump-dom", url)).decode()


async def screenshot(url: str, profile: Path, target: Path) -> None:
    """Return a screenshot of a page as PNG."""
    await _run(profile, f"--screenshot={target}", url)


def variety(png: bytes) -> int:
    """Return the number of different byte values in the pixels of a PNG; a blank page has two or three."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    return len(set(zlib.decompress(data)))
