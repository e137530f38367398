"""A progress bar on the terminal for transfers."""

from collections.abc import Generator
from contextlib import contextmanager

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

from aiocos.cli.display import ProgressView, format_size
from aiocos.transfer import Progress as Event


class ProgressBar(ProgressView):
    """A progress bar on the terminal for the sum of all transfers.

    The events of finished transfers are dropped after their bytes are added up, so memory does not grow with their number.
    """

    shown = True

    def __init__(self, progress: Progress, label: str, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._task = progress.add_task(label, total=total, files="")
        self._running: dict[str, Event] = {}
        self._files = self._bytes = 0

    def expect(self, size: int) -> None:
        """Set the total number of bytes; the bar then shows the remaining time."""
        self._total = size
        self._progress.update(self._task, total=size)

    def __call__(self, event: Event) -> None:
        """Add a progress event to the sum and redraw the bar."""
        if event.state in ("done", "failed", "cancelled"):
            self._running.pop(event.key, None)
            self._files += 1
            self._bytes += event.bytes_done
        else:
            self._running[event.key] = event
        done = self._bytes + sum(e.bytes_done for e in self._running.values())
        # A single transfer has a known total. The total of many is unknown until `expect` is called.
        single = self._files == 0 and len(self._running) == 1
        total = self._total if self._total is not None or not single else event.bytes_total
        files = f"{self._files} done" if self._files > 1 or (self._files and self._running) else ""
        self._progress.update(self._task, completed=done, total=total, files=files)


class _Rate(ProgressColumn):
    """The rate in bytes per second, in the same units as the sizes beside it."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{format_size(speed)}/s" if speed else "", style="progress.data.speed")


@contextmanager
def show_bar(label: str, total: int | None, console: Console) -> Generator[ProgressView]:
    """Show a progress bar during the block.

    `total` is the number of bytes, None if unknown.
    """
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", max_width=24)),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8)),
        TextColumn("{task.fields[files]}", table_column=Column(no_wrap=True)),
        DownloadColumn(binary_units=True, table_column=Column(no_wrap=True)),
        _Rate(table_column=Column(no_wrap=True, min_width=11, justify="right")),
        TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
        console=console,
        transient=True,
        expand=True,
    ) as progress:
        yield ProgressBar(progress, label, total)
