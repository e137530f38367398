"""A client used in a second event loop, in another process, and killed during a transfer (E11, E13)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import servers
from tests.fault_injection.conftest import Saw
from tests.proxy import Proxy, proxy_to
from tests.transfer.test_memory_large import emulator

import aiocos
from aiocos.config import MIB

# How many times a large transfer is killed per server (uploads and downloads in turns), and its size.
KILLS, LARGE = int(os.environ.get("AIOCOS_KILLS", "2")), int(os.environ.get("AIOCOS_KILL_MIB", "1024")) * MIB
# Part size in bytes, and concurrent parts. Parts that are not in the journal are sent again. Requests also have headers, and
# bytes in socket buffers were counted by the proxy although they were not received.
BUFFERS = 6 * MIB
SMALL, USUAL = (5 * MIB, 2), (8 * MIB, 8)

_AGAIN = """
import asyncio, pickle, sys
cos = pickle.loads(bytes.fromhex(sys.argv[1]))

async def work():
    async with cos:
        await cos.objects.put("bucket", "key", b"data")
        return await cos.objects.read("bucket", "key")

print(asyncio.run(work()).decode(), asyncio.run(work()).decode())
"""


async def test_e11_a_client_works_in_a_second_loop_and_another_process(small: aiocos.Client, saw: Saw) -> None:
    command = [sys.executable, "-c", _AGAIN, pickle.dumps(small).hex()]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("data data\n", "")
    saw("E11", "works in a second `asyncio.run`, and in another process after pickling")


@pytest.fixture(params=["the emulator", "rclone serve s3"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, servers.Process]]:
    """A server in its own process, with its name."""
    (tmp_path / "store").mkdir()
    start = emulator if request.param == "the emulator" else servers.rclone
    with start(tmp_path / "store") as process:
        yield request.param, process


def random_file(path: Path, size: int, seed: int) -> str:
    chance, digest = random.Random(seed), hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size // MIB):
            block = chance.randbytes(MIB)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def run(
    command: list[str], proxy: Proxy | None = None, kill_after: int = 0, *, up: bool = True
) -> dict[str, object] | None:
    """Run the transfer process to its end, or kill it with -9 after `kill_after` bytes were transferred."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    if proxy is not None:
        while process.returncode is None and (proxy.bytes_up if up else proxy.bytes_down) < kill_after:
            await asyncio.sleep(0.002)
        if process.returncode is None:
            process.kill()
    out, err = await process.communicate()
    if process.returncode == -9:
        return None
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def kill_and_resume(
    server: tuple[str, servers.Process], tmp_path: Path, size: int, rounds: int, widths: tuple[int, int], saw: Saw
) -> None:
    (name, at), (part, width) = server, widths
    source, target, journals = tmp_path / "source", tmp_path / "target", tmp_path / "journals"
    chance = random.Random(size + rounds)
    before = random_file(source, size, seed=rounds)
    keys = {"access_key_id": at.access_key_id, "secret_access_key": at.secret_access_key}
    worst = kills = 0
    async with proxy_to(at.endpoint) as proxy, aiocos.Client(at.endpoint, **keys) as cos:
        await cos.buckets.create("bucket")
        await cos.upload("bucket", "key", source)
        for n in range(rounds):
            what = ("up", "down")[n % 2]
            path = source if what == "up" else target
            if what == "up":
                await cos.objects.delete("bucket", "key")
            arguments = (proxy.url, *keys.values(), str(path), str(journals), str(part), str(width))
            command = [sys.executable, "-m", "tests.fault_injection.victim", what, *arguments]
            proxy.bytes_up = proxy.bytes_down = 0
            result = await run(command, proxy, chance.randrange(size // 20, size * 19 // 20), up=what == "up")
            kills += result is None
            # rclone stores an interrupted body, even over a part that was sent later. Wait until it has finished with it.
            proxy.drop_all()
            await asyncio.sleep(1)
            result = result or await run(command)
            assert result is not None
            assert result["refused"] is None
            assert result["size"] == size
            again = (proxy.bytes_up if what == "up" else proxy.bytes_down) - size
            worst = max(worst, again)
            assert again <= width * part + BUFFERS, f"round {n} ({what}): {again / MIB:.0f} MiB were sent again"
            if what == "up":
                fresh = tmp_path / "fresh"
                await cos.download("bucket", "key", fresh)
                assert sha256_of(fresh) == before
                fresh.unlink()
            else:
                assert sha256_of(target) == before
                target.unlink()
            left = [p.name for p in tmp_path.iterdir()]
            assert sorted(left) == ["journals", "source", "store"], left
            assert list(journals.iterdir()) == []
        assert kills >= rounds * 3 // 4, "too many transfers had finished before the kill"
    if size < LARGE:
        return  # the trial is about large transfers; a small one only checks the code
    saw(
        "E13",
        f"{name}: {kills} of {rounds} transfers of {size // MIB} MiB killed with -9, all resumed and complete; "
        f"at most {worst / MIB:.0f} MiB sent again",
    )


@pytest.mark.slow
async def test_e13_a_killed_transfer_resumes(server: tuple[str, servers.Process], tmp_path: Path, saw: Saw) -> None:
    await kill_and_resume(server, tmp_path, 64 * MIB, 2, SMALL, saw)


@pytest.mark.slow
@pytest.mark.timeout(580)
async def test_e13_a_large_transfer_killed_many_times_resumes(
    server: tuple[str, servers.Process], tmp_path: Path, saw: Saw
) -> None:
    await kill_and_resume(server, tmp_path, LARGE, KILLS, USUAL, saw)
