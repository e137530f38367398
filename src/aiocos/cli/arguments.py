"""Options and argument parsers that several commands share."""

import re
import sys
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Include everything below the path.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def confirm(question: str, yes: bool) -> None:
    """Ask for confirmation before data is deleted; return at once if `yes` is True.

    Raises `typer.Abort` if the user declines, and `typer.BadParameter` if standard input is not a terminal.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{question} Standard input is not a terminal: add --yes to confirm")
    typer.confirm(question, abort=True, err=True)


# `ByteSize` ignores everything after the first number and word: `1,5MB` would be one byte.
_NUMBER_AND_UNIT = re.compile(r"\s*([0-9]*\.)?[0-9]+\s*[a-zA-Z]*\s*")


def parse_size(text: str) -> int:
    """Parse a size such as `16MiB`, `20MB` or `5242880` into bytes.

    The units are those of `pydantic.ByteSize`. Raises `typer.BadParameter` for a text that is not a size.
    """
    from pydantic import ByteSize, Field, TypeAdapter, ValidationError

    try:
        if _NUMBER_AND_UNIT.fullmatch(text):
            return int(TypeAdapter(Annotated[ByteSize, Field(le=2**63 - 1)]).validate_python(text))
    except (ValidationError, OverflowError):
        pass  # pydantic 2.10 raises OverflowError for a number that is too long for a float
    raise typer.BadParameter(f"{text!r} is not a size: write 16MiB, 20MB or 5242880")


PartSize = Annotated[
    int | None, typer.Option(help="Size of a part, such as 16MiB. Default: 8MiB.", metavar="SIZE", parser=parse_size)
]
