"""What beginning costs: the import, the first client, and how long the event loop stands still for either and for a first call.

Each figure is of a fresh process; the median of the rounds is printed. The stall is the longest time between two turns of a
loop that otherwise does nothing but turn.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time

_IMPORTS = ("aiohttp", "pydantic", "aiocos")


async def _stalls() -> dict[str, float]:
    import aiocos
    from aiocos.emulator import Emulator

    async with Emulator() as emulator:
        longest = 0.0

        async def turn() -> None:
            nonlocal longest
            last = time.perf_counter()
            while True:
                await asyncio.sleep(0)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now

        turning = asyncio.create_task(turn())
        await asyncio.sleep(0.05)
        longest = 0.0
        before = time.perf_counter()
        cos = aiocos.Client(
            emulator.endpoint, api_key=emulator.api_key, service_instance_id="i", iam_endpoint=emulator.iam_endpoint
        )
        made = time.perf_counter() - before
        await asyncio.sleep(0.01)
        stall_made, longest = longest, 0.0
        async with cos:
            await cos.buckets.list(service_instance_id=emulator.service_instance_id)
            stall_called, longest = longest, 0.0
            await cos.buckets.list(service_instance_id=emulator.service_instance_id)
            stall_again = longest
        turning.cancel()
        return {
            "client": made,
            "stall: client": stall_made,
            "stall: first call": stall_called,
            "stall: second call": stall_again,
        }


def child(what: str) -> None:
    """Measure once; print JSON of seconds."""
    if what == "stalls":
        print(json.dumps(asyncio.run(_stalls())))
        return
    before = time.perf_counter()
    times: dict[str, float] = {}
    for name in _IMPORTS:
        __import__(name)
        now = time.perf_counter()
        times[f"import {name}"], before = now - before, now
    print(json.dumps(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--child")
    args = parser.parse_args()
    if args.child:
        child(args.child)
        return
    found: dict[str, list[float]] = {}
    for _ in range(args.rounds):
        for what in ("imports", "stalls"):
            out = subprocess.run([sys.executable, __file__, "--child", what], capture_output=True, text=True, check=True)
            for name, value in json.loads(out.stdout).items():
                found.setdefault(name, []).append(value)
    print(f"milliseconds, median of {args.rounds} processes (minimum), Python {sys.version.split()[0]}; imports in this order")
    for name, values in found.items():
        print(f"{name:22}{statistics.median(values) * 1e3:9.2f} ({min(values) * 1e3:.2f})")


if __name__ == "__main__":
    main()
