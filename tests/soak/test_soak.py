"""Many transfers under random faults for a long time. At the end, all acknowledged data is stored completely, and nothing else.

    AIOCOS_SOAK_SECONDS=600 AIOCOS_SOAK_REPORT=soak.json python -m pytest tests/soak -m soak -s
    python docs/write_soak.py soak.json

The service refuses, delays, returns errors in a 200, loses responses, expires tokens, flips bits, and is killed with -9 and
restarted. The network between cuts, resets, stalls and flips bits. Callers cancel. `AIOCOS_SOAK_SEED` repeats a run as far as
timing can be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.proxy import Proxy, proxy_to
from tests.soak.ledger import Ledger, digest

import aiocos
from aiocos.config import KIB, MIB
from aiocos.errors import CosError, NotFound, OutcomeUnknown
from aiocos.transfer.manager import manager_of

SECONDS = float(os.environ.get("AIOCOS_SOAK_SECONDS", "40"))
SEED = int(os.environ.get("AIOCOS_SOAK_SEED", str(time.time_ns() % 10**6)))
WORKERS, KEYS = 16, 60
OPERATIONS = ("PutObject", "UploadPart", "GetObject", "CompleteMultipartUpload", "CreateMultipartUpload")
DEEDS = ("put", "upload", "upload", "file", "stream", "read", "download", "download", "delete", "copy")
TRANSFER = {"part_size": 5 * MIB, "multipart_threshold": 6 * MIB, "max_memory": 64 * MIB, "cleanup_timeout": 8.0}


class Service:
    """The emulator's process. Every restart uses the same port."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._data = data
        self.about: dict[str, str] = {}
        self.acted = 0

    async def start(self) -> None:
        for _ in range(20):
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.soak.service", str(self._data), str(self.port),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            assert self._process.stdout is not None
            if line := await self._process.stdout.readline():
                self.about = json.loads(line)
                return
            await self._process.wait()
            await asyncio.sleep(0.2)  # the port may still be in use for a moment
        raise AssertionError("the emulator does not start")

    async def script(self, faults: list[tuple[str, dict[str, object]]]) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(faults).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.drain()
        self.acted += int(await self._process.stdout.readline() or b"0")

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()


def random_fault(chance: random.Random) -> tuple[str, list[tuple[str, dict[str, object]]]]:
    """Return a random fault of the service with its name."""
    operation = chance.choice([*OPERATIONS, None])
    where: dict[str, object] = {"operation": operation, "times": chance.randrange(1, 6)}
    applied = chance.random() < 0.5
    return chance.choice([
        ("503", [("Status", {"status": 503, "code": "SlowDown", **where})]),
        ("503 with Retry-After", [("Status", {"status": 503, "code": "SlowDown", "retry_after": 0.2, **where})]),
        ("500", [("Status", {"status": 500, "code": "InternalError", **where})]),
        ("delay", [("Delay", {"seconds": chance.random() * 2, **where})]),
        ("error in a 200", [("LateError", {**where, "operation": "CompleteMultipartUpload", "applied": applied})]),
        ("response lost", [("Reset", {"lost_answer": True, **where})]),
        ("request interrupted", [("Reset", {"received": chance.randrange(1, 2 * MIB), **where})]),
        ("response truncated", [("Truncate", {"after": chance.randrange(1, 2 * MIB), **where, "operation": "GetObject"})]),
        ("bit flipped (down)", [("FlipBit", {"at": chance.randrange(1, 100_000), **where, "operation": "GetObject"})]),
        ("token expired", [("ExpireToken", where)]),
        ("no token", [("Status", {"status": 500, "operation": "CreateToken", "times": 2})]),
    ])  # fmt: skip


async def inject_faults(service: Service, proxy: Proxy, chance: random.Random, faults: Counter[str]) -> None:
    """Inject random faults until cancelled."""
    last_kill = time.monotonic()
    while True:
        await asyncio.sleep(chance.uniform(0.1, 0.8))
        if time.monotonic() - last_kill > 15:
            faults["service killed and started again"] += 1
            print(f"{time.monotonic():.2f} killed")
            await service.kill()
            await asyncio.sleep(chance.uniform(0, 1))
            await service.start()
            last_kill = time.monotonic()
            continue
        match chance.randrange(8):
            case 0:
                faults["all connections closed"] += 1
                proxy.drop_all()
            case 1:
                faults["stall"] += 1
                proxy.passing.clear()
                await asyncio.sleep(chance.choice([0.2, 1.0, 3.0]))
                proxy.passing.set()
            case 2:
                faults["cut or reset"] += 1
                proxy.reset = chance.random() < 0.5
                setattr(proxy, chance.choice(["cut_up_after", "cut_down_after"]), chance.randrange(1, 4 * MIB))
            case 3:
                faults["bit flipped (up)"] += 1
                proxy.flip_up_at = chance.randrange(2 * KIB, 4 * MIB)
            case _:
                name, script = random_fault(chance)
                faults[name] += 1
                await service.script(script)


class Worker:
    """Performs random operations with keys that no other worker is writing."""

    def __init__(self, cos: aiocos.Client, ledger: Ledger, chance: random.Random, place: Path) -> None:
        self._cos = cos
        self._ledger = ledger
        self._chance = chance
        self._place = place

    def _data(self) -> bytes:
        size = self._chance.choice([0, 1, 1000, 100 * KIB, MIB, 7 * MIB, 10 * MIB, self._chance.randrange(16 * MIB)])
        return self._chance.randbytes(64) * (size // 64) + self._chance.randbytes(size % 64)

    async def one(self) -> None:
        what = self._chance.choice(DEEDS)
        key = f"key {self._chance.randrange(KEYS)}/ü"
        work = asyncio.ensure_future(getattr(self, f"_{what}")(key))
        outcome = "done"
        try:
            if self._chance.random() < 0.1:
                await asyncio.sleep(self._chance.random())
                work.cancel()
            await work
        except asyncio.CancelledError:
            outcome = "cancelled"
        except OutcomeUnknown:
            outcome = "uncertain"
        except NotFound:
            outcome = "not there"
        except (CosError, ExceptionGroup):
            outcome = "failed"
        finally:
            work.cancel()
        self._ledger.counts[f"{what}: {outcome}"] += 1

    async def _put(self, key: str) -> None:
        await self._write(key, self._data(), lambda data: self._cos.objects.put("bucket", key, data, timeout=30))

    async def _upload(self, key: str) -> None:
        await self._write(key, self._data(), lambda data: self._cos.upload("bucket", key, data, timeout=30))

    async def _stream(self, key: str) -> None:
        async def pieces(data: bytes) -> AsyncIterator[bytes]:
            for start in range(0, len(data), 300_000):
                yield data[start : start + 300_000]
                await asyncio.sleep(0)

        await self._write(key, self._data(), lambda data: self._cos.upload("bucket", key, pieces(data), timeout=30))

    async def _file(self, key: str) -> None:
        path, data = self._place / f"up-{id(self)}", self._data()
        await asyncio.to_thread(path.write_bytes, data)
        await self._write(key, data, lambda _: self._cos.upload("bucket", key, path, timeout=30))

    async def _write(self, key: str, data: bytes, send) -> None:  # type: ignore[no-untyped-def]
        async with self._ledger.lock(key):
            self._ledger.begin_write(key, digest(data))
            try:
                await send(data)
            except BaseException:
                self._ledger.attempt_failed(key)
                raise
            self._ledger.acknowledge(key, digest(data))

    async def _delete(self, key: str) -> None:
        async with self._ledger.lock(key):
            self._ledger.begin_write(key, None)
            try:
                await self._cos.objects.delete("bucket", key, timeout=30)
            except BaseException:
                self._ledger.attempt_failed(key)
                raise
            self._ledger.acknowledge(key, None)

    async def _copy(self, key: str) -> None:
        other = f"copy of {key}"
        async with self._ledger.lock(key), self._ledger.lock(other):
            source = self._ledger.allowed.get(key, {None})
            if len(source) > 1:
                return  # the copied contents would be unknown
            [value] = source
            self._ledger.begin_write(other, value)
            try:
                await self._cos.copy("bucket", key, "bucket", other, timeout=30)
            except BaseException:
                self._ledger.attempt_failed(other)
                raise
            self._ledger.acknowledge(other, value)

    async def _read(self, key: str) -> None:
        async with self._ledger.lock(key):
            try:
                data = await self._cos.objects.read("bucket", key, timeout=30)
            except NotFound:
                self._ledger.check_read(key, None)
                raise
            self._ledger.check_read(key, digest(data))

    async def _download(self, key: str) -> None:
        path = self._place / f"down-{id(self)}"
        async with self._ledger.lock(key):
            try:
                await self._cos.download("bucket", key, path, timeout=30)
            except NotFound:
                self._ledger.check_read(key, None)
                raise
            self._ledger.check_read(key, digest(await asyncio.to_thread(path.read_bytes)))


# An attempt without response that may have created or removed an object.
_WRITE = re.compile(r"(?:PutObject|CopyObject|CompleteMultipartUpload|DeleteObject)\(.*?key='(.*?)'[,)]")


class LogCounter(logging.Handler):
    """Collects from the client's log which uploads could not be aborted and which creations got no response."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.INFO)
        self._ledger = ledger
        self.left: set[str] = set()
        self.creations = 0
        self.retries = 0

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "could not be aborted, upload id " in text:
            self.left.add(text.partition("upload id ")[2].partition(":")[0])
        elif " again in " in text:
            self.retries += 1
            self.creations += "CreateMultipartUpload" in text
            if found := _WRITE.match(text):
                self._ledger.attempt_failed(found[1])


@pytest.mark.soak
@pytest.mark.timeout(int(SECONDS) + 240)
async def test_acknowledged_data_survives_random_faults(tmp_path: Path) -> None:
    print(f"\nAIOCOS_SOAK_SEED={SEED} AIOCOS_SOAK_SECONDS={SECONDS:g}")
    chance, ledger, faults = random.Random(SEED), Ledger(), Counter[str]()
    warnings = LogCounter(ledger)
    for name in ("aiocos.transfer", "aiocos.call"):
        logging.getLogger(name).addHandler(warnings)
        logging.getLogger(name).setLevel(logging.INFO)
    place = tmp_path / "place"
    place.mkdir()
    service = Service(tmp_path / "store")
    (tmp_path / "store").mkdir()
    await service.start()
    keys = {name: service.about[name] for name in ("api_key", "service_instance_id")}
    config = aiocos.ClientConfig(
        idle_timeout=2.0, connect_timeout=3.0, transfer=aiocos.TransferConfig(**TRANSFER), retry=aiocos.RetryConfig(cap=2.0)
    )
    clock = asyncio.get_running_loop().time
    async with proxy_to(service.about["endpoint"]) as proxy:
        async with aiocos.Client(proxy.url, iam_endpoint=service.about["iam_endpoint"], config=config, **keys) as cos:
            await cos.buckets.create("bucket")
            end = clock() + SECONDS

            async def work(n: int) -> None:
                worker = Worker(cos, ledger, random.Random(SEED * 1000 + n), place)
                while clock() < end:
                    await worker.one()

            troubling = asyncio.create_task(inject_faults(service, proxy, chance, faults))
            await asyncio.gather(*(work(n) for n in range(WORKERS)))
            troubling.cancel()
            await asyncio.gather(troubling, return_exceptions=True)
            await service.kill()
            proxy.passing.set()
            await service.start()
            assert manager_of(cos).budget.used == 0
            assert cos.concurrency[1:3] == (0, 0)
            moved = proxy.bytes_up + proxy.bytes_down
        assert [t for t in asyncio.all_tasks() if "/transfer/" in repr(t.get_coro())] == []
    report = await check_everything(service, ledger, faults, warnings, place)
    report |= {"seed": SEED, "seconds": SECONDS, "bytes": moved, "retries": warnings.retries, "struck": service.acted}
    await service.kill()
    show(report)
    print("\n".join(ledger.wrong))
    if path := os.environ.get("AIOCOS_SOAK_REPORT"):
        await asyncio.to_thread(Path(path).write_text, json.dumps(report, indent=1))
    assert ledger.wrong == []
    assert report["uploads nobody knows of"] <= warnings.creations
    assert sum(n for what, n in ledger.counts.items() if what.endswith("done")) > 10, (
        "too few operations succeeded: the run shows nothing"
    )


async def check_everything(
    service: Service, ledger: Ledger, faults: Counter[str], warnings: LogCounter, place: Path
) -> dict[str, object]:
    """Check everything that is stored, without faults and without the proxy."""
    keys = {name: service.about[name] for name in ("access_key_id", "secret_access_key")}
    async with aiocos.Client(service.about["endpoint"], **keys) as cos:
        there = {entry.key async for entry in cos.objects.list("bucket")}
        for key in there | ledger.allowed.keys():
            try:
                ledger.check_read(key, digest(await cos.objects.read("bucket", key)))
            except NotFound:
                ledger.check_read(key, None)
        uploads = [upload.upload_id async for upload in cos.multipart.list_uploads("bucket")]
    left = sorted(path.name for path in place.iterdir() if path.name.startswith("."))
    assert left == [], "files of downloads that were given up"
    return {
        "operations": dict(sorted(ledger.counts.items())),
        "faults": dict(sorted(faults.items())),
        "keys": len(ledger.allowed),
        "of two possible outcomes": ledger.uncertain,
        "losses": len(ledger.wrong),
        "uploads left and told of": len(set(uploads) & warnings.left),
        "uploads nobody knows of": len(set(uploads) - warnings.left),
    }


def show(report: dict[str, object]) -> None:
    for name, value in report.items():
        if isinstance(value, dict):
            print(f"{name}: {sum(value.values()):,}")
            for what, count in value.items():
                print(f"    {what:36}{count:>8,}")
        else:
            print(f"{name}: {value}")
