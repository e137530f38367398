"""Durability: acknowledged writes survive a restart and `kill -9`; other writes are stored completely or not at all."""

import asyncio
import hashlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from aiocos.emulator import Emulator
from aiocos.errors import ConfigError

from .conftest import Raw, etag

SERVE = """
import asyncio, sys
from pathlib import Path
from aiocos.emulator import Emulator
async def main():
    async with Emulator(Path(sys.argv[1])) as emulator:
        print(emulator.port, emulator.iam.issue(emulator.instance), emulator.service_instance_id, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_data_survives_a_restart(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    body = os.urandom(200_000)
    async with Emulator(tmp_path) as first:
        raw = Raw(first, session, first.instance)
        await raw.put("/bucket")
        await raw.put("/bucket/large", body, x_amz_meta_a="b")
        await raw.put("/bucket/small", b"small")
        upload = (await raw.post("/bucket/up?uploads")).texts("UploadId")[0]
        await raw.put(f"/bucket/up?uploadId={upload}&partNumber=1", body)
        api_key, access_key_id = first.api_key, first.access_key_id
        # Files that a killed process leaves.
        (tmp_path / "blobs" / "00").mkdir(exist_ok=True)
        (tmp_path / "blobs" / "00" / ("0" * 32)).write_bytes(b"orphan")
        (tmp_path / "incoming" / ("1" * 32)).write_bytes(b"half")
    async with Emulator(tmp_path) as second:
        assert (second.api_key, second.access_key_id) == (api_key, access_key_id)
        raw = Raw(second, session, second.instance)
        got = await raw.get("/bucket/large")
        assert (got.body, got.headers["x-amz-meta-a"]) == (body, "b")
        assert (await raw.get("/bucket/small")).body == b"small"
        document = f"<X><Part><ETag>{etag(body)}</ETag><PartNumber>1</PartNumber></Part></X>".encode()
        assert (await raw.post(f"/bucket/up?uploadId={upload}", document)).status == 200
        assert (await raw.get("/bucket/up")).body == body
        assert not (tmp_path / "blobs" / "00" / ("0" * 32)).exists()
        assert not (tmp_path / "incoming" / ("1" * 32)).exists()


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


async def _served(directory: Path) -> tuple[asyncio.subprocess.Process, str, dict[str, str]]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, str(directory), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port, token, crn = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().split()
    return process, f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}", "ibm-service-instance-id": crn}


async def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    """Kill the emulator while clients write known contents, then check what is stored; three times on one directory."""
    rng = random.Random(7)
    acknowledged: dict[str, str] = {}
    attempted: dict[str, set[str]] = {}
    for round_ in range(3):
        process, endpoint, headers = await _served(tmp_path)
        async with aiohttp.ClientSession(headers=headers) as session:
            if round_ == 0:
                async with session.put(f"{endpoint}/bucket") as response:
                    assert response.status == 200
            await _check(session, endpoint, acknowledged, attempted)
            writers = [asyncio.create_task(_write(session, endpoint, rng, acknowledged, attempted)) for _ in range(8)]
            await asyncio.sleep(0.25)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await asyncio.gather(*writers)
    assert len(acknowledged) > 10
    process, endpoint, headers = await _served(tmp_path)
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            await _check(session, endpoint, acknowledged, attempted)
        assert not list((tmp_path / "incoming").iterdir())
    finally:
        process.kill()
        await process.wait()


async def _write(
    session: aiohttp.ClientSession,
    endpoint: str,
    rng: random.Random,
    acknowledged: dict[str, str],
    attempted: dict[str, set[str]],
) -> None:
    me = f"{rng.getrandbits(64):x}"
    try:
        for n in range(10_000):
            key, body = f"{me}-{n % 5}", os.urandom(rng.choice([10, 40_000, 300_000]))
            tag = hashlib.md5(body).hexdigest()
            attempted.setdefault(key, set()).add(tag)
            async with session.put(f"{endpoint}/bucket/{key}", data=body) as response:
                assert response.status == 200
                acknowledged[key] = tag
                # From now on, earlier contents would be wrong.
                attempted[key] = {tag}
    except (aiohttp.ClientError, ConnectionError):
        pass


async def _check(
    session: aiohttp.ClientSession, endpoint: str, acknowledged: dict[str, str], attempted: dict[str, set[str]]
) -> None:
    for key, tags in attempted.items():
        async with session.get(f"{endpoint}/bucket/{key}") as response:
            if response.status == 404:
                assert key not in acknowledged
                continue
            body = await response.read()
            tag = hashlib.md5(body).hexdigest()
            assert response.headers["ETag"] == f'"{tag}"'
            assert tag in tags
            acknowledged[key] = tag
            attempted[key] = {tag}


def _peak_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell the memory of a process")
async def test_a_large_object_is_streamed_in_little_memory(tmp_path: Path) -> None:
    """Storing and reading 400 MiB keeps the process below 150 MiB (it starts at about 60)."""
    process, endpoint, headers = await _served(tmp_path)
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
