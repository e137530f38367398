"""What the command line shows: sizes, keys, tables, and progress while something long runs."""

import json
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from aiocos.errors import printable
from aiocos.transfer import Progress as Event

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Write a line, or several, to standard output. Whatever of it came from a server cannot command the terminal."""
    sys.stdout.write((text if text.isprintable() else "\n".join(map(printable, text.split("\n")))) + "\n")


def complain(text: str) -> None:
    """Write one line to standard error. What servers and file names put into it cannot command the terminal."""
    errors.print(f"aiocos: {printable(text)}", markup=False)


def explain() -> None:
    """Write the traceback of the exception at hand to standard error; without the values of variables, which hold secrets."""
    errors.print_exception(show_locals=False)


# All that JSON leaves as it is in its strings and a terminal does not show; outside of strings there is only ASCII.
_UNSEEN = re.compile(r"[^\x20-\x7e]")


def _as_json(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def plainly(value: BaseModel) -> dict[str, Any]:
    """Return a document as JSON has it: without what is None, and without a list of unknown elements where there are none."""
    return _without_empty(value.model_dump(mode="json", exclude_none=True))


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        return {name: _without_empty(one) for name, one in given.items() if name != "unknown_elements" or one}
    if isinstance(value, list):
        return [_without_empty(one) for one in cast("list[Any]", value)]
    return value


def show_json(value: BaseModel | dict[str, Any]) -> None:
    """Write one JSON object on a line of its own."""
    plain = plainly(value) if isinstance(value, BaseModel) else value
    # Elsewhere than in UTF-8, letters are written as escapes of JSON, which every reader understands.
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(plain, ensure_ascii=not unicode, default=str)
    # So are characters that command a terminal or turn the direction of writing: JSON itself escapes only some.
    say(text if text.isprintable() else _UNSEEN.sub(_as_json, text))


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


class ProgressView:
    """Told of the progress of one or many transfers; shows nothing. `Bar` shows it."""

    shown = False

    def __call__(self, event: Event) -> None:
        """Take note of what a transfer tells."""

    def expect(self, size: int) -> None:
        """Take note of how many bytes there will be in all."""


class Bar(ProgressView):
    """Adds up what many transfers tell, and shows it. Finished ones are a sum only."""

    shown = True

    def __init__(self, progress: Progress, label: str, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._task = progress.add_task(label, total=total, files="")
        self._running: dict[str, Event] = {}
        self._files = self._bytes = 0

    def expect(self, size: int) -> None:
        """Show from now on how much of it is done, and how long the rest takes."""
        self._total = size
        self._progress.update(self._task, total=size)

    def __call__(self, event: Event) -> None:
        """Show what this changes."""
        if event.state in ("done", "failed", "cancelled"):
            self._running.pop(event.key, None)
            self._files += 1
            self._bytes += event.bytes_done
        else:
            self._running[event.key] = event
        done = self._bytes + sum(e.bytes_done for e in self._running.values())
        # The sum over many files is not known before the last has been found.
        single = self._files == 0 and len(self._running) == 1
        total = self._total if self._total is not None or not single else event.bytes_total
        files = f"{self._files} done" if self._files > 1 or (self._files and self._running) else ""
        self._progress.update(self._task, completed=done, total=total, files=files)


class _Rate(ProgressColumn):
    """Bytes a second, in the units of the sizes beside it."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{human(speed)}/s" if speed else "", style="progress.data.speed")


@contextmanager
def watching(label: str, *, quiet: bool, total: int | None = None) -> Generator[ProgressView]:
    """Show the progress of one or many transfers on a terminal; elsewhere, and if quiet, show nothing.

    `total` is the number of bytes of all of them together, where somebody knows it.
    """
    if quiet or not errors.is_terminal:
        yield ProgressView()
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", max_width=24)),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8)),
        TextColumn("{task.fields[files]}", table_column=Column(no_wrap=True)),
        DownloadColumn(binary_units=True, table_column=Column(no_wrap=True)),
        _Rate(table_column=Column(no_wrap=True, min_width=11, justify="right")),
        TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
        console=errors,
        transient=True,
        expand=True,
    ) as progress:
        yield Bar(progress, printable(label), total)
