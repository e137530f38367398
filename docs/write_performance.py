"""Write the tables of docs/performance.md from benchmark runs.

python benchmarks/compare.py --json small.json
python benchmarks/compare.py --workloads upload,memory,stream,... --json large.json
python benchmarks/scale.py --json scale.json
python docs/write_performance.py small.json floor.json large.json waiting.json tls.json uvloop.json scale.json
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("performance.md")
BEGIN, END = "<!-- written by write_performance.py -->", "<!-- up to here -->"
# Name, workload, figure, unit, factor, digits, and whether less is better.
ROWS: list[tuple[str, str, str, str, float, int, bool]] = [
    ("1 KiB GET, 64 at once", "get-64", "cpu", "µs CPU per call", 1e6, 1, True),
    ("1 KiB PUT, 64 at once", "put-64", "cpu", "µs CPU per call", 1e6, 1, True),
    ("HEAD, 64 at once", "head-64", "cpu", "µs CPU per call", 1e6, 1, True),
    ("1 KiB GET, 256 at once", "get-256", "cpu", "µs CPU per call", 1e6, 1, True),
    ("1 KiB PUT, 256 at once", "put-256", "cpu", "µs CPU per call", 1e6, 1, True),
    ("HEAD, 256 at once", "head-256", "cpu", "µs CPU per call", 1e6, 1, True),
    ("listing 100,000 keys", "list", "wall", "keys/s", 1, 0, False),
    ("upload from a file", "upload", "cpu", "s CPU per GiB", 1, 2, True),
    ("upload from memory", "memory", "cpu", "s CPU per GiB", 1, 2, True),
    ("upload from a stream", "stream", "cpu", "s CPU per GiB", 1, 2, True),
    ("download to a file, ETag of parts", "download", "cpu", "s CPU per GiB", 1, 2, True),
    ("download to a file, CRC32", "download-crc", "cpu", "s CPU per GiB", 1, 2, True),
    ("10,000 small files, upload", "many-up", "wall", "files/s", 1, 0, False),
    ("10,000 small files, download", "many-down", "wall", "files/s", 1, 0, False),
    ("import and first client", "start", "cpu", "ms CPU", 1e3, 0, True),
    ("first request", "first", "wall", "ms", 1e3, 2, True),
    ("longest block of the event loop, upload", "stall-upload", "stall", "ms", 1e3, 1, True),
    ("longest block of the event loop, download", "stall-download", "stall", "ms", 1e3, 1, True),
    ("HEAD alone, p50", "busy-idle", "p50", "ms", 1e3, 2, True),
    ("HEAD alone, p99", "busy-idle", "p99", "ms", 1e3, 2, True),
    ("HEAD during 8 uploads, p50", "busy", "p50", "ms", 1e3, 2, True),
    ("HEAD during 8 uploads, p99", "busy", "p99", "ms", 1e3, 2, True),
    ("peak memory, upload from a file", "upload", "rss", "MiB", 1, 0, True),
    ("peak memory, download", "download", "rss", "MiB", 1, 0, True),
]
# Goals: workload, client, client to compare with, and the largest permitted ratio of the two times.
GOALS: list[tuple[str, str, str, float]] = [
    *((row, "aiocos", "aiohttp", 0.5) for row in ("get-64", "put-64", "head-256")),
    *((row, "aiocos", "obstore", 1 / 4) for row in ("get-64", "put-64", "head-256")),
    *((row, "aiocos", "aiobotocore", 1 / 25) for row in ("get-64", "put-64", "head-256")),
    *((row, "aiocos", "ibm_boto3-16", 1 / 25) for row in ("get-64", "put-64", "head-256")),
    *((row, "aiocos", "aiohttp-tuned", 1.25) for row in ("get-64", "put-64", "head-256")),
    ("list", "aiocos", "aiohttp", 1 / 2),
    ("list", "aiocos", "obstore", 1 / 1.8),
    ("list", "aiocos", "aiobotocore", 1 / 25),
    ("list", "aiocos", "ibm_boto3-16", 1 / 25),
    *((row, name, peer, goal) for row in ("upload",) for name in ("aiocos", "aiocos-crc32")
      for peer, goal in (("aiohttp", 0.85), ("obstore", 0.6), ("aiobotocore", 0.3), ("ibm_boto3-16", 0.25))),
    *((row, "aiocos", peer, goal) for row in ("download", "download-crc")
      for peer, goal in (("aiohttp", 0.8), ("obstore", 1.1), ("aiobotocore", 0.7), ("ibm_boto3-16", 0.75))),
    ("many-up", "aiocos", "obstore", 1 / 2),
    ("many-up", "aiocos", "aiobotocore", 1 / 10),
    ("many-up", "aiocos", "ibm_boto3-16", 1 / 10),
    ("start", "aiocos", "aiobotocore", 0.5),
    ("start", "aiocos", "ibm_boto3-16", 0.8),
]  # fmt: skip


def medians(path: str) -> tuple[str, dict[tuple[str, str, str], float]]:
    """Return a description of the run, and the median of each (client, workload, figure); CPU and wall time per call."""
    data = json.loads(Path(path).read_text())
    found: dict[tuple[str, str, str], list[float]] = {}
    for row in data["measurements"]:
        for figure in ("cpu", "wall", "rss", "stall", "p50", "p99"):
            if figure in row:
                value = row[figure] / row["count"] if figure in ("cpu", "wall") else row[figure]
                found.setdefault((row["client"], row["workload"], figure), []).append(value)
    return data["run"], {key: statistics.median(values) for key, values in found.items()}


def table(path: str) -> str:
    """Return the table of all measurements of a run."""
    run, found = medians(path)
    names = list(dict.fromkeys(client for client, _, _ in found))
    lines = [f"*{run}.*", "", "| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for label, workload, figure, unit, factor, digits, less in ROWS:
        cells: list[str] = []
        for name in names:
            value = found.get((name, workload, figure))
            shown = "–" if not value else f"{(value if less else 1 / value) * factor:,.{digits}f}"
            cells.append(f"**{shown}**" if name == "aiocos" else shown)
        if any(cell != "–" and cell != "**–**" for cell in cells):
            lines.append(f"| {label}, {unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def goals(paths: list[str]) -> str:
    """Return the table of goals and measured ratios. Each ratio is within one run."""
    lines = ["| | Client | Compared with | Goal | Measured | |", "|---|---|---|---|---|---|"]
    runs = [medians(path)[1] for path in paths]
    labels = {workload: (label, figure, less) for label, workload, figure, _, _, _, less in reversed(ROWS)}
    labels |= {"upload": ("upload from a file", "cpu", True), "download": ("download to a file, ETag of parts", "cpu", True)}
    for workload, name, peer, goal in GOALS:
        label, figure, less = labels[workload]
        found = next((r for r in runs if (name, workload, figure) in r and (peer, workload, figure) in r), None)
        if found is None:
            continue
        ratio = found[name, workload, figure] / found[peer, workload, figure]
        reached = "reached" if ratio <= goal else ""
        shown = (f"≤ {goal:.3g}x", f"{ratio:.2f}x") if less else (f"≥ {1 / goal:.3g}x", f"{1 / ratio:.2f}x")
        lines.append(f"| {label} | {name} | {peer} | {shown[0]} | {shown[1]} | {reached} |")
    return "\n".join(lines)


def scale(path: str) -> str:
    """Return the tables by number of concurrent calls and by number of objects."""
    data: dict[str, Any] = json.loads(Path(path).read_text())
    lines = ["| Calls at once | " + " | ".join(f"{n}, requests/s | µs CPU | MiB" for n in data["widths"]) + " |"]
    lines.append("|---" * (1 + 3 * len(data["widths"])) + "|")
    for width in next(iter(data["widths"].values())):
        rows = [rows.get(width) for rows in data["widths"].values()]
        cells = [f"{r['rate']:,.0f} | {r['cpu']:.0f} | {r['rss']:.0f}" if r else "– | – | –" for r in rows]
        lines.append(f"| {int(width):,} | " + " | ".join(cells) + " |")
    lines += ["", "| Objects | listing, s CPU | MiB | comparing two sides, s CPU | MiB |", "|---|---|---|---|---|"]
    for keys, row in data["listing"].items():
        other = data["planning"].get(keys)
        cells = f"{other['cpu']:.2f} | {other['rss']:.0f}" if other else "– | –"
        lines.append(f"| {int(keys):,} | {row['cpu']:.2f} | {row['rss']:.0f} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    small, floor, large, waiting, tls, loop, widths = sys.argv[1:]
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [
        "## Goals",
        goals([small, large]),
        "## Small calls, listings, startup",
        table(small),
        "## Small calls and their floor",
        table(floor),
        "## Large objects, and many files",
        table(large),
        "## Small calls during large uploads",
        table(waiting),
        "## With TLS",
        table(tls),
        "## With uvloop",
        table(loop),
        "## Scale",
        scale(widths),
    ]
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}")


if __name__ == "__main__":
    main()
