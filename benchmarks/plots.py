"""Draw the figures of the page on performance, each for light and for dark pages.

The background is transparent. Text stays text in the SVG files, so they are small and can be searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import results
from results import Cell, Spread

PEERS = ("aiohttp", "obstore", "aiobotocore")


@dataclass(frozen=True)
class Theme:
    """Colors for one kind of page."""

    text: str
    grid: str
    series: tuple[str, ...]
    """Of the peers in their order, and of aiocos."""

    def color(self, client: str) -> str:
        return self.series[(*PEERS, "aiocos").index(client)]


THEMES = {
    "light": Theme("#24292f", "#d0d7de", ("#0f62fe", "#d9480f", "#737a82", "#0f7b6c")),
    "dark": Theme("#e4e6e8", "#43474c", ("#78a9ff", "#ff9a52", "#9ba1a8", "#4fd1bd")),
}


@dataclass(frozen=True)
class Bars:
    """A row of the figure: the ratio to each peer, and the largest ratio that is a goal."""

    label: str
    ratios: dict[str, Spread]
    goals: dict[str, float]


@contextmanager
def _style(theme: Theme) -> Iterator[Any]:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    settings = {
        "font.family": "sans-serif",
        "font.size": 9,
        "svg.fonttype": "none",
        "svg.hashsalt": "aiocos",  # the same figure makes the same file
        "axes.facecolor": "none",
        "text.color": theme.text,
        "axes.labelcolor": theme.text,
        "axes.edgecolor": theme.grid,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": theme.text,
        "ytick.color": theme.text,
        "grid.color": theme.grid,
        "legend.frameon": False,
    }
    with pyplot.rc_context(settings):
        yield pyplot


def _save(pyplot: Any, figure: Any, path: Path, background: str | None = None) -> None:
    figure.savefig(
        path,
        dpi=130,
        transparent=background is None,
        facecolor=background or "none",
        metadata={"Date": None} if path.suffix == ".svg" else None,
    )
    pyplot.close(figure)
    if path.suffix == ".svg":
        path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")


def draw_ratios(path: Path, rows: list[Bars], theme: Theme, *, note: str = "", background: str | None = None) -> None:
    """Draw horizontal bars on a logarithmic axis: below 1, aiocos takes less. Whiskers span all rounds."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    peers = [peer for peer in PEERS if any(peer in row.ratios for row in rows)]
    with _style(theme) as pyplot:
        figure, axis = pyplot.subplots(figsize=(8.4, 1.1 + 0.52 * len(rows)))
        height, ends = 0.8 / len(peers), [1.0]
        for number, peer in enumerate(peers):
            color = theme.color(peer)
            for place, row in enumerate(rows):
                if (found := row.ratios.get(peer)) is None or found.median <= 0:
                    continue
                y = place + (number - (len(peers) - 1) / 2) * height
                axis.barh(y, found.median - 1, left=1, height=height * 0.82, color=color, label=peer, zorder=2)
                axis.plot([found.low, found.high], [y, y], color=theme.text, linewidth=1, zorder=3, solid_capstyle="butt")
                ends += [found.low, found.high]
                shown = f"{found.median:.2f}" if found.median >= 0.095 else f"{found.median:.3f}"
                aimed = f" (≤ {row.goals[peer]:g})" if peer in row.goals else ""
                axis.annotate(
                    shown + aimed, (1.01, y), xycoords=axis.get_yaxis_transform(), va="center", fontsize=7.5, color=color
                )
                if goal := row.goals.get(peer):
                    axis.plot([goal, goal], [y - height / 2, y + height / 2], color=theme.text, linewidth=1.8, zorder=4)
                    ends.append(goal)
        axis.axvline(1, color=theme.text, linewidth=0.8, zorder=1)
        axis.set_xscale("log", base=2)
        axis.set_xlim(min(ends) / 1.15, max(ends) * 1.15)
        ticks = [2.0**power for power in range(-7, 6) if min(ends) / 1.15 <= 2.0**power <= max(ends) * 1.15]
        axis.set_xticks(ticks)
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:g}x" if value >= 1 else f"1/{round(1 / value)}x")
        )
        axis.grid(axis="x", linewidth=0.6, zorder=0)
        axis.set_axisbelow(True)
        axis.set_yticks(range(len(rows)), [row.label for row in rows])
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
        axis.set_xlabel("aiocos : other client. Left of 1x, aiocos takes less." + (f" {note}" if note else ""))
        handles, labels = axis.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        axis.annotate("ratio (goal)", (1.01, 1), xycoords="axes fraction", va="bottom", fontsize=7.5)
        axis.legend(
            unique.values(),
            [f"to {label}" for label in unique],
            ncols=len(peers),
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            borderaxespad=0.2,
        )
        figure.tight_layout()
        _save(pyplot, figure, path, background)


def bars(path: Path, run: results.Run) -> None:
    """Draw the ratios of any run to all peers that it has."""
    rows: list[Bars] = []
    for row in results.ROWS:
        if row.figure == "rss" or (row.figure == "loop"):
            continue
        cells: dict[str, Cell] = {peer: (peer, row.workload, row.figure) for peer in PEERS}
        ratios = {
            peer: found for peer, cell in cells.items() if (found := run.ratio(("aiocos", row.workload, row.figure), cell))
        }
        if ratios:
            rows.append(Bars(f"{row.label}, {row.unit}", ratios, {}))
    draw_ratios(path, rows, THEMES["light"], background="white")


def draw_scale(path: Path, found: dict[str, Any], theme: Theme, *, background: str | None = None) -> None:
    """Draw requests/s, processor time and memory by concurrency, and the growth with the number of keys."""
    from matplotlib.ticker import FuncFormatter

    with _style(theme) as pyplot:
        figure, axes = pyplot.subplots(2, 2, figsize=(8.4, 5.6))
        lines: list[tuple[Any, str, Callable[[dict[str, Any]], list[float]]]] = [
            (axes[0][0], "requests/s", lambda row: row["rate"]),
            (axes[0][1], "µs CPU a request", lambda row: row["cpu"]),
            (axes[1][0], "peak memory, MiB", lambda row: row["rss"]),
        ]
        for axis, title, value in lines:
            for name, rows in found["widths"].items():
                color = theme.color(name)
                x = [int(width) for width in rows]
                low, middle, high = zip(*(value(row) for row in rows.values()), strict=True)
                axis.plot(x, middle, marker="o", markersize=3.5, linewidth=1.6, color=color, label=name)
                axis.fill_between(x, low, high, color=color, alpha=0.25, linewidth=0)
            axis.set_title(title, fontsize=9, loc="left")
            axis.set_xlabel("calls at once (1 KiB GET)", fontsize=8)
        axis = axes[1][1]
        names = {"listing": ("listing", theme.color("aiocos")), "planning": ("comparing two sides", theme.color("aiobotocore"))}
        for what, (label, color) in names.items():
            rows = found[what]
            x, y = [int(keys) for keys in rows], [row["rss"] for row in rows.values()]
            axis.plot(x, y, marker="o", markersize=3.5, linewidth=1.6, color=color, label=label)
        axis.set_title("peak memory, MiB", fontsize=9, loc="left")
        axis.set_xlabel("objects", fontsize=8)
        for axis in axes.flat:
            axis.set_xscale("log")
            axis.set_ylim(0, axis.get_ylim()[1] * 1.1)
            for side in (axis.xaxis, axis.yaxis):
                side.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
            axis.grid(linewidth=0.5)
            axis.tick_params(labelsize=8)
        axes[0][0].legend(fontsize=8)
        axes[1][1].legend(fontsize=8, loc="lower right")
        figure.tight_layout()
        _save(pyplot, figure, path, background)
