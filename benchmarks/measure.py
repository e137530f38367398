"""Measure one client with one workload in this process; print one line of JSON.

`cpu` is the processor time (user and system) of the process in seconds, `wall` the elapsed time in seconds, `count` the number
of units (calls, keys, files, GiB), and `rss` the peak memory in MiB.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

GIB = 1 << 30


class Ticker:
    """Record the longest delay of the event loop in seconds, beyond the requested 2 ms."""

    longest = 0.0

    async def __aenter__(self) -> Ticker:
        self.task = asyncio.create_task(self._tick())
        await asyncio.sleep(0.02)
        self.longest = 0.0
        return self

    async def _tick(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            self.longest = max(self.longest, time.perf_counter() - before - 0.002)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0.005)
        self.task.cancel()


async def timed(work: Awaitable[object]) -> dict[str, float]:
    before, began = time.process_time(), time.perf_counter()
    await work
    return {"cpu": time.process_time() - before, "wall": time.perf_counter() - began}


async def measure(name: str, workload: str, store: Any, size: int, count: int, folder: Path) -> dict[str, Any]:
    """Run a workload."""
    import clients

    import servers

    kind = clients.CLIENTS[name]
    async with kind(store) as client:
        small = servers.small("k")
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "get": lambda: client.get("k"),
            "put": lambda: client.put("k", small),
            "head": lambda: client.head("k"),
        }
        what, _, width = workload.partition("-")
        if what in calls:
            call = calls[what]
            await clients.each(range(int(width) * 2), int(width), lambda _: call())
            return {**await timed(clients.each(range(count), int(width), lambda _: call())), "count": count}
        if what == "list":
            await client.list()
            made = await timed(client.list())
            return {**made, "count": servers.PAGES * servers.A_PAGE}
        if what == "first":
            # The first request of a process includes the connection and everything that is initialized late.
            return {**await timed(client.head("k")), "count": 1}
        if what in ("upload", "download", "memory", "stream", "stall"):
            return await _large(what, width, client, size, folder)
        if what == "many":
            return await _many(width, client, count, folder)
        if what in ("tree", "sync"):
            return await _tree(workload, client, folder)
        if what == "busy":
            return await _busy(client, count, size, idle=width == "idle")
        raise SystemExit(f"no workload {workload}")


async def _large(what: str, which: str, client: Any, size: int, folder: Path) -> dict[str, Any]:
    import servers

    path = folder / "big"

    async def chunks() -> AsyncIterator[bytes]:
        data = servers.block(servers.PART)
        for start in range(0, size, 1 << 20):
            yield data[start % servers.PART :][: 1 << 20]

    if what == "stall":
        what, which = which, ""
    if what in ("upload", "memory"):
        servers._write_big(path, size)
    if what == "memory":
        data = path.read_bytes()
        path.unlink()
        work = client.upload_memory(data)
    elif what == "upload":
        work = client.upload(path)
    elif what == "stream":
        work = client.upload_stream(chunks)
    else:
        work = client.download(which or "big", folder / "down")
    async with Ticker() as ticker:
        made = await timed(work)
    return {**made, "count": size / GIB, "stall": ticker.longest}


async def _many(what: str, client: Any, count: int, folder: Path) -> dict[str, Any]:
    import servers

    # Mixed sizes: most files are small, one in a hundred has 256 KiB.
    kinds = ["s1"] * 40 + ["s4"] * 35 + ["s16"] * 18 + ["s64"] * 6 + ["s256"]
    names = [f"{kinds[n % 100]}-{n:06}" for n in range(count)]
    if what == "up":
        for name in names:
            (folder / name).write_bytes(servers.small(name.partition("-")[0]))
        made = await timed(client.upload_many(folder))
    else:
        made = await timed(client.download_many(names, folder))
        assert sum(1 for _ in folder.iterdir()) == count
    return {**made, "count": count}


async def _tree(workload: str, client: Any, folder: Path) -> dict[str, Any]:
    """Measure 5,000 files of 4 KiB in ten directories, with their listing."""
    import servers

    names, data = servers.tree_names(), servers.small("s4")
    work = {
        "tree-up": client.upload_tree,
        "tree-down": client.download_tree,
        "sync-up": client.sync_up,
        "sync-down": client.sync_down,
    }[workload]
    if workload.endswith("up"):
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
    made = await timed(work(folder))
    assert sum((folder / name).read_bytes() == data for name in names) == len(names)
    return {**made, "count": len(names)}


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
    cuts = statistics.quantiles(took, n=100)
    return {**made, "count": count, "p50": cuts[49], "p99": cuts[98]}


def start(name: str, store: Any) -> dict[str, Any]:
    """Import the library and create a client, in a process that has imported nothing else."""
    import clients

    before, began = time.process_time(), time.perf_counter()

    async def run() -> dict[str, float]:
        async with clients.CLIENTS[name](store):
            return {"cpu": time.process_time() - before, "wall": time.perf_counter() - began}

    return {**asyncio.run(run()), "count": 1}


def main() -> None:
    name, workload, told = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    import clients

    width = int(workload.partition("-")[2]) if workload.partition("-")[2].isdigit() else 64
    store = clients.Store(told["endpoint"], told["ca"], width)
    fast = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="aiocos-bench-", dir=fast))
    try:
        if workload == "start":
            found = start(name, store)
        else:
            if told.get("uvloop"):
                import uvloop

                runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
            else:
                runner = asyncio.Runner()
            with runner:
                work = measure(name, workload, store, told["size"], told["count"], folder)
                found = runner.run(work)
        found["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    except clients.Missing:
        found = {"missing": True}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found), flush=True)
    # Rust threads abort some processes during interpreter shutdown, after the output.
    os._exit(0)


if __name__ == "__main__":
    main()
