"""Options that several commands share."""

import sys
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="All below it.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def sure(question: str, yes: bool) -> None:
    """Ask before something is lost; without a terminal to ask on, refuse."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{question} There is no terminal to ask on: say --yes")
    typer.confirm(question, abort=True, err=True)


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}


def size_of(text: str | None) -> int | None:
    """Read a size: `16MiB`, `20MB`, `5242880`."""
    if text is None:
        return None
    lowered = text.strip().lower().removesuffix("b")
    digits = lowered.rstrip("kmgi")
    unit = lowered[len(digits) :]
    try:
        return int(float(digits.strip()) * _UNITS[unit])
    except (ValueError, KeyError):
        raise typer.BadParameter(f"{text!r} is no size: 16MiB, 20MB, 5242880") from None
