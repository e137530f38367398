"""Output of the command line: text, JSON, sizes and progress bars."""

import json
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from aiocos.errors import printable

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from aiocos.transfer import Progress as Event


@cache
def stderr() -> "Console":
    """Return the console of standard error.

    rich is imported for it: most commands write nothing there.
    """
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_text(text: str) -> None:
    """Write text to standard output, followed by a newline.

    Control characters other than newlines are escaped, so that data from the service cannot control the terminal.
    """
    sys.stdout.write((text if text.isprintable() else "\n".join(map(printable, text.split("\n")))) + "\n")


def print_error(text: str) -> None:
    """Write one line to standard error.

    Control characters are escaped, so that data from the service cannot control the terminal.
    """
    stderr().print(f"aiocos: {printable(text)}", markup=False)


def print_traceback() -> None:
    """Write the traceback of the current exception to standard error.

    Variables are not shown: they may be secrets.
    """
    stderr().print_exception(show_locals=False)


# Characters beyond ASCII. In JSON they occur only in strings.
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def _escape(character: re.Match[str]) -> str:
    return character[0] if character[0].isprintable() else json.dumps(character[0])[1:-1]


def to_json(value: "BaseModel") -> dict[str, Any]:
    """Return a document as JSON values.

    None and empty `unknown_elements` are left out.
    """
    return _without_empty(value.model_dump(mode="json", exclude_none=True))


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: _without_empty(item) for name, item in fields.items() if name != "unknown_elements" or item}
    if isinstance(value, list):
        return [_without_empty(item) for item in cast("list[Any]", value)]
    return value


def show_json(value: "BaseModel | dict[str, Any]") -> None:
    """Write one JSON object on one line."""
    data = value if isinstance(value, dict) else to_json(value)
    # If standard output is not UTF-8, write letters beyond ASCII as JSON escapes, which every encoding has.
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(data, ensure_ascii=not is_utf8, default=str)
    # Escape characters that control a terminal or the writing direction: JSON itself escapes only some of them.
    print_text(text if text.isprintable() else _NOT_ASCII.sub(_escape, text))


def format_size(size: float) -> str:
    """Format a number of bytes in binary units: `512 B`, `1.5 KiB`, `256.0 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def format_time(value: datetime | None) -> str:
    """Format a time in the local time zone, to the second; empty for None."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""


class ProgressView:
    """A progress callback for transfers that shows nothing; see `ProgressBar`."""

    shown = False
    """True if progress is displayed."""

    def __call__(self, event: "Event") -> None:
        """Receive a progress event of a transfer."""

    def expect(self, size: int) -> None:
        """Set the total number of bytes of all transfers."""


@contextmanager
def show_progress(label: str, *, quiet: bool, total: int | None = None) -> Generator[ProgressView]:
    """Yield a progress callback for the transfers of the block.

    It shows a progress bar if standard error is a terminal and `quiet` is False. `label` is the text before the bar; `total` is
    the number of bytes of all transfers, None if unknown.
    """
    if quiet or not stderr().is_terminal:
        yield ProgressView()
        return
    from aiocos.cli.progress_bar import show_bar

    with show_bar(printable(label), total, stderr()) as bar:
        yield bar
