"""Durability: acknowledged writes survive a restart and `kill -9`; other writes are stored completely or not at all."""

import asyncio
import hashlib
import os
import random
import signal
from pathlib import Path

import aiohttp

from aiocos.emulator import Emulator

from ..conftest import Raw, etag
from .emulator_process import start_process


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


async def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    """Kill the emulator while clients write known contents, then check what is stored; three times on one directory."""
    rng = random.Random(7)
    acknowledged: dict[str, str] = {}
    attempted: dict[str, set[str]] = {}
    for round_ in range(3):
        process, endpoint, headers = await start_process(tmp_path)
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
    process, endpoint, headers = await start_process(tmp_path)
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
