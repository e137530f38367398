"""Options and argument parsers that several commands share."""

import sys
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Everything below the path.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def confirm(question: str, yes: bool) -> None:
    """Ask for confirmation before data is deleted; fail if there is no terminal to ask on.

    Returns at once if `yes` is True. Raises `typer.Abort` if the user declines.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{question} There is no terminal to ask on: add --yes")
    typer.confirm(question, abort=True, err=True)


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}


def size_of(text: str | None) -> int | None:
    """Parse a size such as `16MiB`, `20MB` or `5242880` into bytes; None stays None."""
    if text is None:
        return None
    lowered = text.strip().lower().removesuffix("b")
    digits = lowered.rstrip("kmgi")
    unit = lowered[len(digits) :]
    try:
        return int(float(digits.strip()) * _UNITS[unit])
    except (ValueError, KeyError):
        raise typer.BadParameter(f"{text!r} is not a size: write 16MiB, 20MB or 5242880") from None
