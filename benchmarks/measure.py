"""Measure one client with one workload in this process; print one line of JSON.

`cpu` is the processor time (user and system) of the process in seconds, `loop` that of the event loop's thread alone, `wall`
the elapsed time in seconds, `count` the number of units (calls, keys, files, GiB), and `rss` the peak memory in MiB.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

GIB = 1 << 30
# Streamed objects of 64 MiB, and runs of a command, in one measurement.
STREAMS, COMMANDS = 4, 5


class Ticker:
    """Record how much longer than requested a sleep of 2 ms takes, and the longest step of the event loop.

    `delays` are seconds of elapsed time: other threads of the process, which share its core, count too. `step` is the longest
    processor time that the loop's thread spent in one callback.
    """

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.step = 0.0

    async def __aenter__(self) -> Ticker:
        self.task = asyncio.create_task(self._tick())
        await asyncio.sleep(0.02)
        self.delays.clear()
        self._run: Any = asyncio.Handle._run  # pyright: ignore[reportPrivateUsage]
        original, clock = self._run, time.thread_time

        def run(handle: asyncio.Handle) -> None:
            began = clock()
            original(handle)
            self.step = max(self.step, clock() - began)

        asyncio.Handle._run = run  # type: ignore[method-assign]
        return self

    async def _tick(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            self.delays.append(time.perf_counter() - before - 0.002)

    async def __aexit__(self, *_: object) -> None:
        asyncio.Handle._run = self._run  # type: ignore[method-assign]
        await asyncio.sleep(0.005)
        self.task.cancel()

    def figures(self) -> dict[str, float]:
        return {
            "stall": max(self.delays),
            "stall99": statistics.quantiles(self.delays, n=100, method="inclusive")[98],
            "step": self.step,
        }


async def timed(work: Awaitable[object]) -> dict[str, float]:
    loop, before, began = time.thread_time(), time.process_time(), time.perf_counter()
    await work
    return {
        "cpu": time.process_time() - before,
        "wall": time.perf_counter() - began,
        "loop": time.thread_time() - loop,
    }


async def measure(name: str, workload: str, store: Any, told: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a workload."""
    import clients

    import servers

    count: int = told["count"]
    what, _, which = workload.partition("-")
    async with clients.CLIENTS[name](store) as client:
        small = servers.small("k")
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "get": lambda: client.get("k"),
            "open": lambda: client.open("k"),
            "put": lambda: client.put("k", small),
            "head": lambda: client.head("k"),
        }
        if what in calls:
            call, width = calls[what], int(which)
            await clients.each(range(width * 2), width, lambda _: call())
            return {**await timed(clients.each(range(count), width, lambda _: call())), "count": count}
        if what == "latency":
            return await _latency(calls[which], count)
        if what == "list":
            # Not for slow clients: the listing takes them seconds, their first request milliseconds.
            await (client.head("k") if client.slow else client.list())
            made = await timed(client.list())
            return {**made, "count": servers.PAGES * servers.A_PAGE}
        if what == "first":
            # The first request of a process includes the connection and everything that is initialized late.
            return {**await timed(client.head("k")), "count": 1}
        if what == "read":
            return await _read(client, f"stream-{which}")
        if what in ("upload", "download", "memory", "stream", "stall"):
            return await _large(what, which, client, told, folder)
        if what == "many":
            return await _many(which, client, count, folder)
        if what == "busy":
            return await _busy(client, count, told["size"], idle=which == "idle")
        raise SystemExit(f"no workload {workload}")


async def _latency(call: Callable[[], Awaitable[object]], count: int) -> dict[str, Any]:
    """Measure calls one at a time."""
    for _ in range(20):
        await call()
    took: list[float] = []

    async def all_calls() -> None:
        for _ in range(count):
            start = time.perf_counter()
            await call()
            took.append(time.perf_counter() - start)

    made = await timed(all_calls())
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return {**made, "count": count, "p50": cuts[49], "p99": cuts[98]}


async def _read(client: Any, key: str) -> dict[str, Any]:
    """Read an object of 64 MiB as a stream, some times; once before, for the connection."""
    import servers

    assert await client.stream(key) == servers.STREAM

    async def all_reads() -> None:
        for _ in range(STREAMS):
            await client.stream(key)

    return {**await timed(all_reads()), "count": STREAMS * servers.STREAM / GIB}


async def _large(what: str, which: str, client: Any, told: dict[str, Any], folder: Path) -> dict[str, Any]:
    import servers

    size, path = told["size"], Path(told["source"])

    async def chunks() -> AsyncIterator[bytes]:
        data = servers.block(servers.PART)
        for start in range(0, size, 1 << 20):
            yield data[start % servers.PART :][: 1 << 20]

    is_stall = what == "stall"
    if is_stall:
        what, _, which = which.partition("-")
    if what == "memory":
        work = client.upload_memory(path.read_bytes())
    elif what == "upload":
        work = client.upload(path)
    elif what == "stream":
        work = client.upload_stream(chunks)
    elif what == "read":
        work = client.stream(f"stream-{which}")
    else:
        work = client.download(which, folder / "down")
    if not is_stall:
        made = await timed(work)
        if what == "download":
            assert (folder / "down").stat().st_size == size
        return {**made, "count": size / GIB}
    async with Ticker() as ticker:
        made = await timed(work)
    return {**made, "count": size / GIB, **ticker.figures()}


async def _many(what: str, client: Any, count: int, folder: Path) -> dict[str, Any]:
    """Transfer a directory of files of 4 KiB."""
    import servers

    if what == "up":
        for number in range(count):
            (folder / f"s4-{number:06}").write_bytes(servers.small("s4"))
        made = await timed(client.upload_many(folder))
    else:
        made = await timed(client.download_many(folder))
        # The listing of the server decides how many there are.
        files = list(folder.iterdir())
        assert all(path.stat().st_size == servers.SIZES["s4"] for path in files)
        count = len(files)
    return {**made, "count": count}


async def _busy(client: Any, count: int, size: int, *, idle: bool) -> dict[str, Any]:
    """Measure small calls, alone or while the same client runs eight uploads."""
    import servers

    data = b"" if idle else servers.block(size)
    await client.head("k")

    async def transfer() -> None:
        while True:
            await client.upload_memory(data)

    running = [] if idle else [asyncio.create_task(transfer()) for _ in range(8)]
    await asyncio.sleep(0.2)
    took: list[float] = []
    before, began = time.process_time(), time.perf_counter()
    for _ in range(count):
        start = time.perf_counter()
        await client.head("k")
        took.append(time.perf_counter() - start)
        await asyncio.sleep(0.002)
    made = {"cpu": time.process_time() - before, "wall": time.perf_counter() - began}
    for transfer_ in running:
        transfer_.cancel()
    for error in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(error, Exception):
            raise error
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return {**made, "count": count, "p50": cuts[49], "p99": cuts[98]}


def start(name: str, store: Any) -> dict[str, Any]:
    """Import the library and create a client, in a process that has imported nothing else."""
    import clients

    before, began = time.process_time(), time.perf_counter()

    async def run() -> dict[str, float]:
        async with clients.CLIENTS[name](store):
            return {"cpu": time.process_time() - before, "wall": time.perf_counter() - began}

    return {**asyncio.run(run()), "count": 1}


def command(name: str, what: str, store: Any) -> dict[str, Any]:
    """Run a command of the command line, some times; the time is that of its processes."""
    import clients

    arguments = [sys.executable, *clients.CLIENTS[name].command(what)]
    env = {
        **os.environ,
        "AIOCOS_ENDPOINT": store.endpoint,
        "AWS_ACCESS_KEY_ID": "BENCHMARKKEY",
        "AWS_SECRET_ACCESS_KEY": "BENCHMARKSECRET",
    }
    before, began = os.times(), time.perf_counter()
    for _ in range(COMMANDS):
        subprocess.run(arguments, env=env, check=True, stdout=subprocess.DEVNULL)
    now = os.times()
    cpu = now.children_user + now.children_system - before.children_user - before.children_system
    return {"cpu": cpu, "wall": time.perf_counter() - began, "count": COMMANDS}


def peak() -> float:
    """Return the peak memory of this process in MiB.

    `getrusage` does not serve: its value starts with that of the process that started this one.
    """
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024


def main() -> None:
    name, workload, told = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    import clients

    # A module that is None cannot be imported, as if it were not installed.
    sys.modules.update(dict.fromkeys(clients.CLIENTS[name].hidden))
    width = int(workload.partition("-")[2]) if workload.partition("-")[2].isdigit() else 64
    store = clients.Store(told["endpoint"], told["ca"], width)
    fast = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="aiocos-bench-", dir=fast))
    what, _, which = workload.partition("-")
    try:
        if what == "start":
            found = start(name, store)
        elif what == "cli":
            found = command(name, which, store)
        elif what == "checks":
            import checks

            found = asyncio.run(checks.probe(name, folder))
        else:
            if told.get("uvloop"):
                import uvloop

                runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
            else:
                runner = asyncio.Runner()
            with runner:
                found = runner.run(measure(name, workload, store, told, folder))
        found["rss"] = peak()
    except clients.Missing:
        found = {"missing": True}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found), flush=True)
    # Rust threads abort some processes during interpreter shutdown, after the output.
    os._exit(0)


if __name__ == "__main__":
    main()
