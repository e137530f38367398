"""Read the measurements of a run: values by round, ratios with their noise, and tables."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIGURES = ("cpu", "loop", "wall", "rss", "stall", "stall99", "step", "p50", "p99")


@dataclass(frozen=True)
class Row:
    """A row of the tables."""

    label: str
    workload: str
    figure: str
    unit: str
    factor: float
    digits: int
    less: bool = True
    """False: shown as a rate, of which more is better. The value is a time all the same."""

    def shown(self, value: float) -> float:
        """Return a value in the unit of the row."""
        return (value if self.less else 1 / value) * self.factor if value else 0.0

    def cell(self, found: Spread, *, bold: bool) -> str:
        """Return the median with the smallest and the largest value."""
        median, low, high = (f"{value:,.{self.digits}f}" for value in (found.median, found.low, found.high))
        shown = f"**{median}**" if bold else median
        return shown if low == high else f"{shown} ({low}–{high})"


_CALL = ("cpu", "µs CPU a call", 1e6, 1)
_GIB = ("cpu", "s CPU a GiB", 1, 2)
_LOOP = ("loop", "s of it on the loop's thread", 1, 2)
_STALL = ("stall", "ms at most", 1e3, 1)
_STALLS = {
    "stall-upload": "upload from a file",
    "stall-download-crc64": "download, CRC64NVME",
    "stall-read-crc64": "stream, CRC64NVME",
    "stall-read-md5": "stream, MD5 alone",
}
ROWS: list[Row] = [
    Row("1 KiB GET, 64 at once", "get-64", *_CALL),
    Row("1 KiB PUT, 64 at once", "put-64", *_CALL),
    Row("HEAD, 64 at once", "head-64", *_CALL),
    Row("`objects.get` and read, 64 at once", "open-64", *_CALL),
    Row("1 KiB GET, 256 at once", "get-256", *_CALL),
    Row("1 KiB PUT, 256 at once", "put-256", *_CALL),
    Row("HEAD, 256 at once", "head-256", *_CALL),
    Row("listing 100,000 keys", "list", "wall", "keys/s", 1, 0, less=False),
    *(
        Row(f"one {what} at a time, {figure}", f"latency-{what.rpartition(' ')[2].lower()}", figure, "ms", 1e3, 3)
        for what in ("1 KiB GET", "1 KiB PUT", "HEAD")
        for figure in ("p50", "p99")
    ),
    Row("upload from a file", "upload", *_GIB),
    Row("download to a file, CRC64NVME", "download-crc64", *_GIB),
    Row("download to a file, CRC32", "download-crc32", *_GIB),
    Row("download to a file, ETag of parts alone", "download-etag", *_GIB),
    Row("upload from memory", "memory", *_GIB),
    Row("upload from a stream", "stream", *_GIB),
    Row("stream with a CRC64NVME", "read-crc64", *_GIB),
    Row("stream with a CRC64NVME", "read-crc64", *_LOOP),
    Row("stream with a CRC32", "read-crc32", *_GIB),
    Row("stream with a CRC32", "read-crc32", *_LOOP),
    Row("stream with an MD5 alone", "read-md5", *_GIB),
    Row("stream with an MD5 alone", "read-md5", *_LOOP),
    Row("files of 4 KiB, up", "many-up", "cpu", "µs CPU a file", 1e6, 0),
    Row("files of 4 KiB, up", "many-up", "wall", "files/s", 1, 0, less=False),
    Row("files of 4 KiB, down", "many-down", "cpu", "µs CPU a file", 1e6, 0),
    Row("files of 4 KiB, down", "many-down", "wall", "files/s", 1, 0, less=False),
    Row("import and first client", "start", "cpu", "ms CPU", 1e3, 0),
    Row("first request", "first", "wall", "ms", 1e3, 2),
    Row("`aiocos --version`", "cli-version", "cpu", "ms CPU", 1e3, 0),
    Row("`aiocos ls`", "cli-ls", "cpu", "ms CPU", 1e3, 0),
    *(Row(f"{label}: delay of the loop", workload, *_STALL) for workload, label in _STALLS.items()),
    *(Row(f"{label}: delay of the loop, p99", w, "stall99", "ms", 1e3, 1) for w, label in _STALLS.items()),
    *(Row(f"{label}: longest step of the loop", w, "step", "ms CPU", 1e3, 1) for w, label in _STALLS.items()),
    Row("HEAD alone, p50", "busy-idle", "p50", "ms", 1e3, 2),
    Row("HEAD alone, p99", "busy-idle", "p99", "ms", 1e3, 2),
    Row("HEAD during 8 uploads, p50", "busy", "p50", "ms", 1e3, 2),
    Row("HEAD during 8 uploads, p99", "busy", "p99", "ms", 1e3, 2),
    Row("peak memory, upload from a file", "upload", "rss", "MiB", 1, 0),
    Row("peak memory, download", "download-crc64", "rss", "MiB", 1, 0),
]


@dataclass(frozen=True)
class Spread:
    """The median, and the smallest and the largest value of all rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the spread of some values, None if there are none."""
        found = list(values)
        return cls(statistics.median(found), min(found), max(found)) if found else None


Cell = tuple[str, str, str]
"""Client, workload and figure."""


@dataclass
class Run:
    """The measurements of one suite."""

    text: str = ""
    title: str = ""
    clients: list[str] = field(default_factory=list[str])
    values: dict[Cell, dict[int, float]] = field(default_factory=dict[Cell, dict[int, float]])
    """Seconds (a unit), MiB: by round."""

    @classmethod
    def load(cls, path: Path) -> Run:
        """Read the file of a suite; an empty run if there is none."""
        return cls.of(json.loads(path.read_text())) if path.exists() else cls()

    @classmethod
    def of(cls, data: dict[str, Any]) -> Run:
        """Return the measurements in the content of a file."""
        run = cls(data["run"], data["title"])
        for row in data["measurements"]:
            if row["client"] not in run.clients:
                run.clients.append(row["client"])
            for figure in FIGURES:
                if figure in row and "count" in row:
                    value = row[figure] / row["count"] if figure in ("cpu", "loop", "wall") else row[figure]
                    run.values.setdefault((row["client"], row["workload"], figure), {})[row["round"]] = value
        return run

    def spread(self, cell: Cell, of: Callable[[float], float] = lambda value: value) -> Spread | None:
        return Spread.of(of(value) for value in self.values.get(cell, {}).values())

    def ratio(self, above: Cell, below: Cell, minus: Cell | None = None) -> Spread | None:
        """Return the spread of the ratios of two cells, each within one round; `minus` is taken off the first one."""
        first, second = self.values.get(above, {}), self.values.get(below, {})
        less = self.values.get(minus, {}) if minus else dict.fromkeys(first, 0.0)
        rounds = first.keys() & second.keys() & less.keys()
        return Spread.of((first[n] - less[n]) / second[n] for n in rounds if second[n])

    def table(self, checks: dict[str, dict[str, list[str]]], ours: str = "aiocos") -> str:
        """Return a Markdown table of all measurements."""
        names = [name for name in self.clients if any(client == name for client, _, _ in self.values)]
        lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for row in ROWS:
            cells: list[str] = []
            for name in names:
                found = self.spread((name, row.workload, row.figure), row.shown)
                mark = " ✓" if row.figure == "cpu" and verifies(checks.get(name), row.workload) else ""
                cells.append("–" if found is None else row.cell(found, bold=name == ours) + mark)
            if any(cell != "–" for cell in cells):
                lines.append(f"| {row.label}, {row.unit} | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def ratios(self, ours: str = "aiocos") -> str:
        """Return a Markdown table of the ratios of a client to the others, in time or memory: below 1 it takes less."""
        names = [name for name in self.clients if name != ours]
        lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for row in ROWS:
            found = [self.ratio((ours, row.workload, row.figure), (name, row.workload, row.figure)) for name in names]
            if any(found):
                cells = (f"{one.median:.2f} ({one.low:.2f}–{one.high:.2f})" if one else "–" for one in found)
                lines.append(f"| {row.label}, {row.unit} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def verifies(checked: dict[str, list[str]] | None, workload: str) -> bool:
    """Return True if a client was seen to check the bytes of a workload, by `checks.py`."""
    if checked is None:
        return False
    what, _, which = workload.partition("-")
    if what in ("get", "open"):
        return f"{what}:small" in checked["reads"]
    if what == "read":
        return f"stream:{which}" in checked["reads"]
    if what == "download":
        return workload.replace("-", ":") in checked["reads"]
    if workload == "many-down":
        return "file:small" in checked["reads"]
    if what == "put" or workload == "many-up":
        return bool({"etag", "checksum"} & set(checked["writes"]))
    if what in ("upload", "memory", "stream"):
        return bool({"part-etag", "part-checksum"} & set(checked["writes"]))
    return False


def load_checks(path: Path) -> dict[str, dict[str, list[str]]]:
    """Return what each client checks: `sends`, `sends-parts`, `writes` and `reads`; empty without the file."""
    if not path.exists():
        return {}
    rows: list[dict[str, Any]] = json.loads(path.read_text())["measurements"]
    return {row["client"]: row for row in rows if "reads" in row}
