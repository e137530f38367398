"""The goals of the library's performance, and whether a run reached them."""

from __future__ import annotations

from dataclasses import dataclass

import plots
from results import Cell, Run, Spread, verifies


@dataclass(frozen=True)
class Goal:
    """A ratio of two measurements of one suite, or a measurement alone."""

    label: str
    suite: str
    above: Cell
    below: Cell | None
    """Measurement to compare with; None compares the first one, in milliseconds, with `limit`."""
    limit: float | None
    """The largest ratio; None shows the ratio without a goal."""
    minus: Cell | None = None
    """Measurement that is subtracted from the first one."""
    less: bool = True
    """False: shown as a ratio of rates."""

    def measured(self, run: Run) -> Spread | None:
        if self.below is None:
            return run.spread(self.above, lambda seconds: seconds * 1e3)
        return run.ratio(self.above, self.below, self.minus)

    def verdict(self, found: Spread) -> str:
        """Return the verdict; "within noise" if some rounds are on the other side of the goal."""
        if self.limit is None:
            return ""
        if found.median <= self.limit:
            return "reached" if found.high <= self.limit else "reached, within noise"
        return "missed" if found.low > self.limit else "missed, within noise"

    @property
    def peer(self) -> str:
        if self.below is None:
            return "–"
        client, workload, _ = self.below
        return client if client != self.above[0] else f"its own `{workload}`"

    def shown(self, ratio: float) -> str:
        if self.below is None:
            return f"{ratio:.1f} ms"
        return f"{ratio if self.less else 1 / ratio:.2f}x"


def _each(
    label: str, suite: str, workload: str, ours: str, peers: dict[str, float | None], figure: str = "cpu", *, less: bool = True
) -> list[Goal]:
    above = (ours, workload, figure)
    return [Goal(label, suite, above, (peer, workload, figure), limit, less=less) for peer, limit in peers.items()]


_SMALL = {"get-64": "1 KiB GET, 64 at once", "put-64": "1 KiB PUT, 64 at once", "head-64": "HEAD, 64 at once"}
_SHOWN: dict[str, float | None] = {"aiohttp": None, "obstore": None, "aiobotocore": None}
_UNSIGNED: dict[str, float | None] = {"obstore-unsigned": None, "aiobotocore": None, "aiobotocore-unsigned": None}
_STALLS = {
    "stall-upload": "upload from a file",
    "stall-download-crc64": "download",
    "stall-read-crc64": "stream, CRC64NVME",
    "stall-read-md5": "stream, MD5",
}

GOALS: list[Goal] = [
    *_each("1 GiB up, with [fast]", "large", "upload", "aiocos", {"aiohttp": 0.85, "obstore": 0.6, **_UNSIGNED}),
    *_each("1 GiB up, without [fast]", "large", "upload", "aiocos-nofast", {"aiohttp": 1.3, "obstore": None}),
    *_each("1 GiB down to a file", "large", "download-crc64", "aiocos", {"aiohttp": 0.85, "obstore": 1.1, **_UNSIGNED}),
    *_each("large object down, CRC32", "other", "download-crc32", "aiocos", {"aiohttp": None, "obstore": None}),
    *_each("large object down, ETag of parts", "other", "download-etag", "aiocos", _SHOWN),
    *_each("1 GiB down, without [fast]", "large", "download-crc64", "aiocos-nofast", {"aiohttp": None, "obstore": None}),
    *_each("64 MiB stream, CRC64NVME", "read", "read-crc64", "aiocos", {"aiohttp": 1.15, "obstore": None}),
    *_each("64 MiB stream, CRC32", "read", "read-crc32", "aiocos", {"aiohttp": 1.15, "obstore": None}),
    Goal(
        "64 MiB stream, MD5 alone: time beyond an unverified stream",
        "read",
        ("aiocos", "read-md5", "cpu"),
        ("hashlib-md5", "read-md5", "cpu"),
        1.1,
        minus=("aiocos-unverified", "read-md5", "cpu"),
    ),
    Goal(
        "64 MiB stream, MD5 alone: time of the loop's thread",
        "read",
        ("aiocos", "read-md5", "loop"),
        ("aiocos-unverified", "read-md5", "loop"),
        1.1,
    ),
    *(
        goal
        for workload, label in {"many-up": "5,000 files of 4 KiB up", "many-down": "5,000 files of 4 KiB down"}.items()
        for goal in _each(
            label, "files", workload, "aiocos", {"obstore": 1.0, "obstore-threads": None, "aiohttp": None, **_UNSIGNED}
        )
    ),
    *(
        goal
        for workload, label in _SMALL.items()
        for goal in [
            *_each(label, "small", workload, "aiocos", {"aiohttp": 0.5, "obstore": None, **_UNSIGNED}),
            *_each(f"{label}, HMAC", "small", workload, "aiocos-hmac", {"aiohttp": None, "obstore": None}),
        ]
    ),
    Goal("`objects.get` and read", "small", ("aiocos", "open-64", "cpu"), ("aiocos", "get-64", "cpu"), 1.1),
    *_each("listing 100,000 keys", "small", "list", "aiocos", {**_SHOWN, "obstore": 0.5}, "wall", less=False),
    *_each(
        "import and first client", "start", "start", "aiocos", {"aiohttp+pydantic": 1.25, "aiohttp": None, "aiobotocore": None}
    ),
    *_each("import and first client, without [fast]", "start", "start", "aiocos-nofast", {"aiohttp+pydantic": 1.25}),
    *_each("`aiocos --version`", "commands", "cli-version", "aiocos", {"aiohttp": None, "python": None}),
    *_each("`aiocos ls`", "commands", "cli-ls", "aiocos", {"aiohttp": None, "aiohttp+pydantic": None}),
    *(Goal(f"{label}: longest step of the loop", "stall", ("aiocos", w, "step"), None, 2.0) for w, label in _STALLS.items()),
    *(Goal(f"{label}: longest delay of the loop", "stall", ("aiocos", w, "stall"), None, 2.0) for w, label in _STALLS.items()),
]  # fmt: skip


def table(runs: dict[str, Run], checks: dict[str, dict[str, list[str]]]) -> str:
    """Return the table of goals and measured ratios."""
    lines = ["| | Client | Compared with | Goal | Median | Smallest–largest | |", "|---|---|---|---|---|---|---|"]
    for goal in GOALS:
        if (found := goal.measured(runs[goal.suite])) is None:
            continue
        name, workload, figure = goal.above
        verdict = goal.verdict(found)
        is_of_bytes = goal.suite in ("large", "read", "files") and figure == "cpu"
        if is_of_bytes and not verifies(checks.get(name), workload):
            verdict = "not verified"
        limit = "" if goal.limit is None else f"{'≤' if goal.less else '≥'} {goal.shown(goal.limit)}"
        low, high = sorted((found.low, found.high), reverse=not goal.less)
        spread = f"{goal.shown(low)}–{goal.shown(high)}"
        label = f"**{goal.label}**" if goal.limit is not None else goal.label
        cells = (label, name, goal.peer, limit, goal.shown(found.median), spread, verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bars(runs: dict[str, Run]) -> list[plots.Bars]:
    """Return the rows of the figure: the ratios of all rows with a goal to the peers that it shows."""
    rows: dict[str, plots.Bars] = {}
    with_goal = {goal.label for goal in GOALS if goal.limit is not None} | {"large object down, ETag of parts"}
    for goal in GOALS:
        if goal.label not in with_goal:
            continue
        if goal.below is None or goal.below[0] not in plots.PEERS or goal.minus or goal.suite == "commands":
            continue
        if (found := goal.measured(runs[goal.suite])) is None:
            continue
        row = rows.setdefault(goal.label, plots.Bars(goal.label.replace("`", ""), {}, {}))
        row.ratios[goal.below[0]] = found
        if goal.limit is not None:
            row.goals[goal.below[0]] = goal.limit
    return list(rows.values())
