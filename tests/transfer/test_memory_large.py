"""Large and many: gigabytes in bounded memory, thousands of files, against the emulator and rclone. Slow: `pytest -m slow`."""

import contextlib
import filecmp
import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import servers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]

_PEAK = """
import asyncio, json, random, sys
import aiocos
from pathlib import Path

def peak():
    # Not ru_maxrss: a process inherits that from the one that started it.
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(status["VmHWM"].split()[0]) / 1024  # MiB

async def stream(size):
    block = random.Random(1).randbytes(1 << 20)
    for _ in range(size >> 20):
        yield block

async def main(what, endpoint, access_key_id, secret_access_key, path, size):
    async with aiocos.Client(endpoint, access_key_id=access_key_id, secret_access_key=secret_access_key) as cos:
        if not await cos.buckets.exists("large"):
            await cos.buckets.create("large")
        await cos.upload("large", "warm", b"x" * 1000)
        await cos.objects.read("large", "warm")
        base = peak()
        if what == "stream":
            result = await cos.upload("large", "stream", stream(int(size)))
            await cos.objects.delete("large", "stream")
        elif what == "up":
            result = await cos.upload("large", "file", Path(path))
        else:
            result = await cos.download("large", "file", Path(path))
            await cos.objects.delete("large", "file")
        print(json.dumps({"base": base, "peak": peak(), "size": result.size, "verified": result.verified}))

asyncio.run(main(*sys.argv[1:]))
"""


@contextlib.contextmanager
def emulator(data: Path) -> Iterator[servers.Process]:
    """The emulator as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aiocos", "emulator", "--port", "0", "--data", str(data), "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        yield servers.Process(told["endpoint"], told["access_key_id"], told["secret_access_key"])
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[servers.Process]:
    (tmp_path / "store").mkdir()
    start = emulator if request.param == "emulator" else servers.rclone
    with start(tmp_path / "store") as process:
        yield process


def measured(what: str, server: servers.Process, path: Path, size: int) -> dict[str, float]:
    """Do one transfer in a fresh process; return what it says of its memory (MiB)."""
    arguments = [what, server.endpoint, server.access_key_id, server.secret_access_key, str(path), str(size)]
    ran = subprocess.run([sys.executable, "-c", _PEAK, *arguments], capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    print(f"{what}: base {told['base']:.0f} MiB, peak {told['peak']:.0f} MiB, verified by {told['verified']}")
    return told


@pytest.mark.parametrize("server", ["emulator"], indirect=True)
def test_a_gibibyte_of_unknown_length_stays_within_64_mib(server: servers.Process, tmp_path: Path):
    told = measured("stream", server, tmp_path, 1 << 30)
    assert told["size"] == 1 << 30
    assert told["verified"] == "checksum"
    assert told["peak"] - told["base"] <= 64


@pytest.mark.parametrize("server", ["rclone"], indirect=True)
def test_two_gibibytes_both_ways_stay_within_250_mib(server: servers.Process, tmp_path: Path):
    source, copy = tmp_path / "source", tmp_path / "copy"
    generator, before = random.Random(2), hashlib.sha256()
    with source.open("wb") as file:
        for _ in range(256):
            block = generator.randbytes(8 << 20)
            before.update(block)
            file.write(block)
    up = measured("up", server, source, 0)
    source.unlink()
    down = measured("down", server, copy, 0)
    with copy.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == before.hexdigest()
    copy.unlink()
    for told in (up, down):
        assert told["size"] == 2 << 30
        assert told["verified"]
        assert told["peak"] < 250


@pytest.mark.parametrize("server", ["emulator", "rclone"], indirect=True)
def test_five_thousand_files_there_and_back_by_the_command_line(server: servers.Process, tmp_path: Path):
    generator, tree = random.Random(3), tmp_path / "tree"
    for index in range(5_000):
        path = tree / f"d{index % 37}" / f"e {index % 11}" / f"file {index}+ü.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(generator.randbytes(generator.randrange(4_000)))
    environment = {
        **servers.environment(),
        "AIOCOS_ENDPOINT": server.endpoint,
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
    }

    def aiocos(*args: str) -> str:
        command = [sys.executable, "-m", "aiocos", *args]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=300).stdout

    aiocos("mb", "cos://trees")
    print(aiocos("cp", "-r", str(tree), "cos://trees/t/"))
    print(aiocos("cp", "-r", "cos://trees/t/", str(tmp_path / "back")))
    assert _same(filecmp.dircmp(tree, tmp_path / "back"))
    assert sum(len(files) for _, _, files in os.walk(tmp_path / "back")) == 5_000


def _same(compared: "filecmp.dircmp[str]") -> bool:
    if compared.left_only or compared.right_only or compared.funny_files:
        return False
    _, different, failed = filecmp.cmpfiles(compared.left, compared.right, compared.common_files, shallow=False)
    return not different and not failed and all(map(_same, compared.subdirs.values()))
