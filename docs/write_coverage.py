"""Write the tables of `docs/coverage.md` from the data of `coverage run -m pytest` (see `docs/contributing.md`)."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "coverage.md"
BEGIN, END = "<!-- written by write_coverage.py -->\n", "<!-- end -->\n"
_COUNTS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def total(summaries: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up the counts of modules."""
    counts = dict.fromkeys(_COUNTS, 0)
    for summary in summaries:
        for name in _COUNTS:
            counts[name] += summary.get(name, 0)
    return counts


def percent(counts: Mapping[str, int]) -> float:
    """Return the executed part of lines and branches together, in percent."""
    every = counts["num_statements"] + counts["num_branches"]
    return 100 * (counts["covered_lines"] + counts["covered_branches"]) / every if every else 100.0


def row(name: str, counts: Mapping[str, int]) -> str:
    """Return a line of a table."""
    lines, covered_lines, branches, covered_branches = (counts[count] for count in _COUNTS)
    cells = (name, lines, lines - covered_lines, branches, branches - covered_branches, f"{percent(counts):.1f} %")
    return f"| {' | '.join(map(str, cells))} |"


def tables(modules: Mapping[str, Mapping[str, int]]) -> str:
    """Return the text between the markers: the packages, then the ten modules with the least coverage."""
    packages: dict[str, list[Mapping[str, int]]] = defaultdict(list)
    for name, counts in modules.items():
        packages[name.partition("/")[0] if "/" in name else "aiocos itself"].append(counts)
    head = "| {} | lines | not executed | branches | not taken | covered |\n|---|---:|---:|---:|---:|---:|"
    least = sorted(modules, key=lambda name: percent(modules[name]))[:10]
    lines = [
        f"Python {platform.python_version()}, `python -m pytest` without the slow tests.",
        "",
        head.format("package"),
        *(row(name, total(packages[name])) for name in sorted(packages)),
        row("**all**", total(modules.values())),
        "",
        "The ten modules with the least coverage:",
        "",
        head.format("module"),
        *(row(f"`{name}`", modules[name]) for name in least),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the combined data and rewrite the page between its markers."""
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"]
    report = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    modules = {name.partition("src/aiocos/")[2]: entry["summary"] for name, entry in report["files"].items()}
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + BEGIN + tables(modules) + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
