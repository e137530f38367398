"""Compare clients: each (client, workload) in a new process, rounds interleaved, ratios within one run.

    python benchmarks/compare.py                                      # small calls and listings, all clients
    python benchmarks/compare.py --workloads upload,download-crc64 --mib 1024 --plot out.png
    python benchmarks/compare.py --suite all --out build/bench        # everything that the page on performance shows
    python benchmarks/compare.py --suite all --out build/quick --quick  # the same rows at small sizes, one round

The client runs on one core and the server on another. The load of other processes is measured, and a measurement with too much
of it is repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import clients
import results
from suites import LARGE, OTHER_LARGE, SMALL, SUITES, WORKLOADS, Suite

import servers
from aiocos.version import __version__

# A run with more load of other processes than this (in cores) is repeated, at most so many times.
NOISY, AGAIN = 0.15, 2
# Rounds of clients whose calls take several times as long as the others': their ratios need less precision.
SLOW_ROUNDS = 2
PACKAGES = ("aiohttp", "pydantic", "isal", "awscrt", "obstore", "aiobotocore", "ibm-cos-sdk", "miniopy-async", "s3fs")


def _busy() -> float:
    """Return the busy time of all processors in seconds."""
    with open("/proc/stat") as file:
        fields = [int(f) for f in file.readline().split()[1:]]
    # Without idle and iowait; guest time is included in user time.
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def _used(pid: int) -> float:
    """Return the processor time of a process and its finished children in seconds."""
    text = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, text[11:15])) / os.sysconf("SC_CLK_TCK")


def run(
    name: str, workload: str, told: dict[str, Any], server: servers.Server, core: int | None, again: int = AGAIN
) -> dict[str, Any]:
    """Measure once; repeat if the machine was busy. Returns the run with the least load of other processes."""
    best: dict[str, Any] | None = None
    for _ in range(again + 1):
        command = [sys.executable, str(Path(__file__).with_name("measure.py")), name, workload, json.dumps(told)]
        # Imports are measured with cached bytecode, as users have it.
        env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        if core is not None:
            command = ["taskset", "-c", str(core), *command]
        busy, served, children, began = _busy(), _used(server.pid), os.times(), time.perf_counter()
        ran = subprocess.run(command, capture_output=True, text=True, env=env)
        now = os.times()
        ours = now.children_user + now.children_system - children.children_user - children.children_system
        foreign = (_busy() - busy - ours - (_used(server.pid) - served)) / (time.perf_counter() - began)
        if not ran.stdout.strip():
            print(f"  {name} {workload}: {ran.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return {"failed": ran.stderr[-2000:]}
        found = {**json.loads(ran.stdout.splitlines()[-1]), "foreign": round(foreign, 3)}
        if best is None or found["foreign"] < best["foreign"]:
            best = found
        if found.get("missing") or workload == "checks" or foreign < NOISY:
            break
    assert best is not None
    return best


def measure(suite: Suite, server: servers.Server, *, pin: bool, again: int) -> list[dict[str, Any]]:
    """Measure all rows of a suite, round by round, in both directions alternately."""
    names = [name for name in suite.clients if not (needs := clients.CLIENTS[name].needs) or find_spec(needs)]
    told: dict[str, Any] = {"endpoint": server.endpoint, "ca": server.ca, "source": server.source}
    told |= {"size": suite.mib << 20, "uvloop": suite.uvloop}
    rows: list[dict[str, Any]] = []
    dropped: set[tuple[str, str]] = set()
    for name in names:
        run(name, "start", {**told, "count": 1}, server, None, 0)  # byte code of what it imports
    for round_ in range(suite.rounds):
        for workload in suite.workloads:
            for name in names if round_ % 2 == 0 else names[::-1]:
                slow = clients.CLIENTS[name].slow
                if (name, workload) in dropped or (slow and round_ >= SLOW_ROUNDS):
                    continue
                count = suite.files if workload.startswith("many") else suite.count
                count = count // 5 if slow else count
                found = run(name, workload, {**told, "count": count}, server, 0 if pin else None, again)
                if found.keys() & {"missing", "failed"}:
                    dropped.add((name, workload))
                if "missing" not in found:
                    rows.append({"client": name, "workload": workload, "round": round_, **found})
        print(f"  round {round_ + 1} of {suite.rounds}", file=sys.stderr, flush=True)
    return rows


def describe(suite: Suite, kind: str, rows: list[dict[str, Any]]) -> str:
    """Return one line about a run: versions, sizes, noise."""
    versions = {"aiocos": __version__}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    foreign = [row["foreign"] for row in rows if "foreign" in row]
    rounds = f"{suite.rounds} round{'s' * (suite.rounds > 1)}"
    if suite.rounds > SLOW_ROUNDS and any(clients.CLIENTS[name].slow for name in suite.clients):
        rounds += f" ({SLOW_ROUNDS} of the slow clients)"
    size = f", {suite.mib} MiB" if set(suite.workloads) & {*LARGE, *OTHER_LARGE, "busy"} else ""
    return (
        f"Python {platform.python_version()}{', uvloop' if suite.uvloop else ''}, {kind}{' with TLS' if suite.tls else ''}, "
        f"{rounds}{size}; other load {statistics.median(foreign) if foreign else 0:.2f} cores; "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
    )


def run_suite(suite: Suite, *, pin: bool, kind: str | None, again: int = AGAIN) -> dict[str, Any]:
    """Run a suite with a server of its own; return what is written to its file."""
    began = time.monotonic()
    with servers.server(suite.mib << 20, files=suite.files, tls=suite.tls, core=1 if pin else None, kind=kind) as server:
        rows = measure(suite, server, pin=pin, again=again)
        text = describe(suite, server.kind, rows)
    return {"run": text, "title": suite.title, "seconds": round(time.monotonic() - began), "measurements": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", help=f"of {', '.join(SUITES)}, with commas between them; or all. Sets everything below")
    parser.add_argument("--out", default="build/bench", help="directory for the files of --suite, one each")
    parser.add_argument("--quick", action="store_true", help="with --suite: one round, small sizes; the figures mean little")
    parser.add_argument("--clients", default=",".join(SUITES["small"].clients), help=f"of {', '.join(clients.CLIENTS)}")
    parser.add_argument("--workloads", default=",".join([*SMALL, "list"]), help=f"of {', '.join(WORKLOADS)}; or all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=3000, help="small calls in a measurement")
    parser.add_argument("--files", type=int, default=5000, help="files of many-up and many-down")
    parser.add_argument("--mib", type=int, default=256, help="size of the large object, a multiple of 8")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--server", choices=("nginx", "asyncio"), help="nginx where it is installed, by default")
    parser.add_argument("--no-pin", action="store_true", help="leave the choice of cores to the system")
    parser.add_argument("--json", help="where to write all measurements")
    parser.add_argument("--plot", help="where to draw the ratios to aiocos, as PNG or SVG")
    args = parser.parse_args()
    pin = not args.no_pin and (os.cpu_count() or 1) > 1
    if args.suite:
        out = Path(args.out)
        out.mkdir(parents=True, exist_ok=True)
        for name in SUITES if args.suite == "all" else args.suite.split(","):
            print(f"{name}: {SUITES[name].title}", file=sys.stderr, flush=True)
            suite, again = (SUITES[name].quick(), 0) if args.quick else (SUITES[name], AGAIN)
            made = run_suite(suite, pin=pin, kind=args.server, again=again)
            (out / f"{name}.json").write_text(json.dumps(made, indent=1))
            print(f"{name}: {made['seconds']} s", file=sys.stderr, flush=True)
        return
    workloads = WORKLOADS if args.workloads == "all" else args.workloads.split(",")
    custom = Suite(
        "Comparison",
        args.clients.split(","),
        workloads,
        args.rounds,
        count=args.count,
        files=args.files,
        mib=args.mib,
        tls=args.tls,
        uvloop=args.uvloop,
    )
    made = run_suite(custom, pin=pin, kind=args.server)
    measured = results.Run.of(made)
    print(f"{made['run']}\n\nMedian (smallest–largest). Below, the ratio of aiocos to each client.\n")
    print(measured.table({}) + "\n\n" + measured.ratios())
    if args.json:
        Path(args.json).write_text(json.dumps(made, indent=1))
    if args.plot:
        import plots

        plots.bars(Path(args.plot), measured)


if __name__ == "__main__":
    main()
