"""Measure scaling: requests/s and memory by concurrency, keys/s and memory by number of objects.

    python benchmarks/scale.py --json build/bench/scale.json --plot scale.png

Concurrency is measured against the server of `compare.py`. Objects are simulated: a stub replaces the transport and generates
listing pages, so that ten million keys need no disk. Parsing, typing and comparing them is the library's code.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import compare
import measure

import servers

WIDTHS = [1, 4, 16, 64, 256, 1024, 4096]
COUNTS = [10**n for n in range(3, 8)]
CLIENTS = ["aiocos", "aiohttp", "obstore"]


class Endless:
    """A transport that returns listing pages of 1,000 keys, up to a number of keys."""

    def __init__(self, keys: int) -> None:
        self._pages = keys // servers.A_PAGE
        self._page = servers.page(0)
        self._last = servers.page(servers.PAGES - 1)

    async def send(self, request: Any, *, deadline: float | None = None) -> Any:
        from aiocos.wire.message import Response

        found = re.search("continuation-token=p([0-9]+)", request.query)
        number = int(found[1]) if found else 0
        if number == self._pages - 1:
            return Response(200, {}, self._last)
        # Keys in ascending order, as in a listing.
        body = self._page.replace(b"data/2026/11/000/", f"data/{number:08}/".encode())
        return Response(200, {}, body.replace(b">p1<", f">p{number + 1}<".encode()))


async def listing(keys: int) -> float:
    """Read a listing. Returns the processor time in seconds."""
    import aiocos

    cos = aiocos.Client("http://127.0.0.1:1", credentials=aiocos.Anonymous())
    cos._engine._transport = Endless(keys)  # type: ignore[assignment]
    before, count = time.process_time(), 0
    async for entry in cos.objects.list("listed"):
        count += bool(entry.key)
    assert count == keys, count
    return time.process_time() - before


async def planning(keys: int) -> float:
    """Compare two sorted listings of `count` names. Returns the processor time in seconds."""
    from aiocos.transfer.sync.listing import RemoteObject
    from aiocos.transfer.sync.plan import steps

    async def side() -> AsyncIterator[RemoteObject]:
        for n in range(keys):
            yield RemoteObject(f"{n:09}", "bucket", f"data/{n:09}", n, 0, '"e"')

    async def differ(left: Any, right: Any) -> str | None:
        return None if left.size == right.size else "size"

    same = 0

    def count(_: Any) -> None:
        nonlocal same
        same += 1

    before = time.process_time()
    async for _ in steps(side(), side(), differ, count):  # type: ignore[arg-type]
        pass
    assert same == keys
    return time.process_time() - before


def child(what: str, keys: int) -> None:
    seconds = asyncio.run({"listing": listing, "planning": planning}[what](keys))
    print(json.dumps({"cpu": seconds, "rss": measure.peak()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=6000, help="calls in a measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, small sizes; the figures mean little")
    parser.add_argument("--json", help="where to write all measurements")
    parser.add_argument("--plot", help="where to draw them, as PNG or SVG")
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "KEYS"))
    args = parser.parse_args()
    if args.child:
        child(args.child[0], int(args.child[1]))
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else soft, hard))
    pin = (os.cpu_count() or 1) > 1
    keys = COUNTS[:3] if args.quick else COUNTS
    found: dict[str, Any] = {
        "widths": widths(args.rounds, args.count, pin=pin, quick=args.quick),
        "listing": {},
        "planning": {},
    }
    for what in ("listing", "planning"):
        for number in keys if what == "listing" else keys[:-1]:
            command = [sys.executable, __file__, "--child", what, str(number)]
            made = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            found[what][number] = made
            rate = number / made["cpu"]
            print(f"{what} {number:>10,} keys: {made['cpu']:7.2f} s {rate:9,.0f} keys/s {made['rss']:6.1f} MiB", flush=True)
    if args.json:
        Path(args.json).parent.mkdir(parents=True, exist_ok=True)
        Path(args.json).write_text(json.dumps(found, indent=1))
    if args.plot:
        import plots

        plots.draw_scale(Path(args.plot), found, plots.THEMES["light"], background="white")


def widths(rounds: int, count: int, *, pin: bool, quick: bool) -> dict[str, Any]:
    """Measure by concurrency. Each figure is its smallest value, the median, and its largest value of all rounds."""
    measured: dict[str, dict[int, list[dict[str, float]]]] = {}
    with servers.server(8 << 20, core=1 if pin else None) as server:
        told = {"endpoint": server.endpoint, "ca": None, "size": 8 << 20}
        for round_ in range(1 if quick else rounds):
            for width in WIDTHS[:5] if quick else WIDTHS:
                for name in CLIENTS if round_ % 2 == 0 else CLIENTS[::-1]:
                    asked = {**told, "count": 500 if quick else max(count, 4 * width)}
                    made = compare.run(name, f"get-{width}", asked, server, 0 if pin else None, 0 if quick else compare.AGAIN)
                    if "wall" not in made:
                        print(f"{name} {width}: {made}", file=sys.stderr)
                        continue
                    rate, cpu = made["count"] / made["wall"], made["cpu"] / made["count"] * 1e6
                    one = {"rate": rate, "cpu": cpu, "rss": made["rss"]}
                    measured.setdefault(name, {}).setdefault(width, []).append(one)
                    shown = f"{rate:8,.0f} requests/s {cpu:6.1f} µs {made['rss']:6.1f} MiB"
                    print(f"{name:8} {width:5} wide: {shown}", flush=True)
    return {name: {width: _spread(all_) for width, all_ in measured[name].items()} for name in CLIENTS if name in measured}


def _spread(all_: list[dict[str, float]]) -> dict[str, list[float]]:
    columns = {figure: [one[figure] for one in all_] for figure in all_[0]}
    return {figure: [min(values), statistics.median(values), max(values)] for figure, values in columns.items()}


if __name__ == "__main__":
    main()
