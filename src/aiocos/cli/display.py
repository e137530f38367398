"""What the command line shows: sizes, keys, tables, and progress while something long runs."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from aiocos.transfer import Progress as Event
from aiocos.transfer.results import Observer

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """Write a line to standard error."""
    errors.print(f"aiocos: {text}", markup=False)


def show_json(value: BaseModel | dict[str, Any]) -> None:
    """Write one JSON object on a line of its own."""
    plain = value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value
    say(json.dumps(plain, ensure_ascii=False, default=str))


def printable(text: str) -> str:
    """A key as a terminal may see it: control characters, which could command the terminal, are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def human(size: float) -> str:
    """A number of bytes in binary units: `512 B`, `1.5 KiB`, `256.0 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def moment(value: datetime | None) -> str:
    """A time in the local zone, to the second."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""


@contextmanager
def watching(label: str, *, quiet: bool, total: int | None = None) -> Generator[Observer]:
    """Show the progress of one or many transfers, on a terminal; elsewhere, and if quiet, show nothing.

    `total` is the number of bytes of all of them together, where somebody knows it.
    """
    if quiet or not errors.is_terminal:
        yield lambda event: None
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        console=errors,
        transient=True,
    ) as progress:
        yield _Totals(progress, label, total)


class _Totals:
    """Adds up the events of many transfers; finished ones are a sum only."""

    def __init__(self, progress: Progress, label: str, total: int | None) -> None:
        self._progress = progress
        self._label = label
        self._total = total
        self._task = progress.add_task(label, total=None)
        self._running: dict[str, Event] = {}
        self._files = self._bytes = 0

    def __call__(self, event: Event) -> None:
        if event.state in ("done", "failed"):
            self._running.pop(event.key, None)
            self._files += 1
            self._bytes += event.bytes_done
        else:
            self._running[event.key] = event
        done = self._bytes + sum(e.bytes_done for e in self._running.values())
        # The sum over many files is not known before the last has been found.
        single = self._files == 0 and len(self._running) == 1
        total = self._total if self._total is not None or not single else event.bytes_total
        label = f"{self._label} ({self._files} done)" if self._files else self._label
        self._progress.update(self._task, description=label, completed=done, total=total)
