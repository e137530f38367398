"""Write the tables and figures of docs/performance.md from the runs of the benchmark.

python benchmarks/compare.py --suite all --out build/bench
python benchmarks/scale.py --json build/bench/scale.json
python docs/write_performance.py build/bench
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import clients
import goals
import plots
import results
from suites import SUITES

PAGE = Path(__file__).with_name("performance.md")
FIGURES = Path(__file__).with_name("_static")
BEGIN, END = "<!-- written by write_performance.py -->", "<!-- up to here -->"
_SENDS = {"etag": "the ETag", "checksum": "the checksum", "part-etag": "the ETag of a part", "part-checksum": "its checksum"}


def legend(checks: dict[str, dict[str, list[str]]]) -> str:
    """Return the table of clients: what each is, and what it was seen to check."""
    used = {name: None for suite in SUITES.values() for name in suite.clients}
    lines = [
        "| Column | | Sends with a body | Compares in responses to writes | Verifies when it reads |",
        "|---|---|---|---|---|",
    ]
    for name in used:
        summary = (clients.CLIENTS[name].__doc__ or "").splitlines()[0]
        checked = checks.get(name)
        if checked is None:
            lines.append(f"| {name} | {summary} | | | |")
            continue
        sends = ", ".join(sorted({*checked["sends"], *checked["sends-parts"]})) or "nothing"
        writes = ", ".join(_SENDS[one] for one in checked["writes"]) or "nothing"
        lines.append(f"| {name} | {summary} | {sends} | {writes} | {_reads(checked['reads'])} |")
    return "\n".join(lines)


def _reads(found: list[str]) -> str:
    """Return the reads that a client verifies: `GET (MD5), stream (MD5, CRC32)`."""
    names = {"small": "small", "md5": "MD5", "crc32": "CRC32", "crc64": "CRC64NVME", "etag": "ETag of parts"}
    methods = {"get": "GET", "open": "`objects.get`", "file": "directory"}
    by_method: dict[str, list[str]] = {}
    for one in found:
        method, _, kind = one.partition(":")
        by_method.setdefault(methods.get(method, method), []).append(names[kind])
    return ", ".join(f"{method} ({', '.join(kinds)})" for method, kinds in by_method.items()) or "nothing"


def scale(data: dict[str, Any]) -> str:
    """Return the tables by number of concurrent calls and by number of objects."""
    lines = ["| Calls at once | " + " | ".join(f"{n}, requests/s | µs CPU | MiB" for n in data["widths"]) + " |"]
    lines.append("|---" * (1 + 3 * len(data["widths"])) + "|")
    for width in next(iter(data["widths"].values())):
        rows = [rows.get(width) for rows in data["widths"].values()]
        cells = [f"{r['rate'][1]:,.0f} | {r['cpu'][1]:.0f} | {r['rss'][1]:.0f}" if r else "– | – | –" for r in rows]
        lines.append(f"| {int(width):,} | " + " | ".join(cells) + " |")
    lines += ["", "| Objects | listing, s CPU | MiB | comparing two sides, s CPU | MiB |", "|---|---|---|---|---|"]
    for keys, row in data["listing"].items():
        other = data["planning"].get(keys)
        cells = f"{other['cpu']:.2f} | {other['rss']:.0f}" if other else "– | –"
        lines.append(f"| {int(keys):,} | {row['cpu']:.2f} | {row['rss']:.0f} | {cells} |")
    return "\n".join(lines)


def picture(name: str, text: str) -> str:
    """Return a figure, in the file for light pages and the one for dark pages; the theme shows one of them."""
    shown = "```{{image}} _static/performance-{0}-{1}.svg\n:class: only-{1}\n:alt: {2}\n```"
    return "\n\n".join(shown.format(name, theme, text) for theme in plots.THEMES)


def main() -> None:
    folder = Path(sys.argv[1])
    runs = {name: results.Run.load(folder / f"{name}.json") for name in SUITES}
    checks = results.load_checks(folder / "checks.json")
    found: dict[str, Any] = json.loads((folder / "scale.json").read_text())
    rows = goals.bars(runs)
    for theme, colors in plots.THEMES.items():
        plots.draw_ratios(FIGURES / f"performance-ratios-{theme}.svg", rows, colors, note="Thick marks are goals.")
        plots.draw_scale(FIGURES / f"performance-scale-{theme}.svg", found, colors)
    parts = [
        "## Ratios",
        picture("ratios", "Ratios of aiocos to other clients by workload, with the smallest and the largest of all rounds"),
        "## Goals",
        goals.table(runs, checks),
        "## The clients, and what they check",
        legend(checks),
    ]
    for name, run in runs.items():
        if name != "checks" and run.values:
            parts += [f"## {run.title}", f"*{run.text}.*", run.table(checks)]
    parts += [
        "## Scale",
        picture("scale", "Requests per second, processor time and memory by number of concurrent calls and of objects"),
        scale(found),
    ]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}")


if __name__ == "__main__":
    main()
