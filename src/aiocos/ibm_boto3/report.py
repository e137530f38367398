"""Complaints about the parameters of a call, in the words of botocore."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiocos.ibm_boto3.exceptions import ParamValidationError

MISSING: Any = object()
"""Stands for a value that was complained of."""


@dataclass(slots=True)
class Report:
    """What is wrong with the parameters of a call."""

    lines: list[str] = field(default_factory=list[str])

    def add(self, line: str) -> Any:
        """Add a line."""
        self.lines.append(line)
        return MISSING

    def wrong_type(self, where: str, value: object, valid: str) -> Any:
        """Add that a value has the wrong type."""
        return self.add(
            f"Invalid type for parameter {where}, value: {_shown(value)}, type: {type(value)}, valid types: {valid}"
        )

    def unknown(self, name: str, known: Any, where: str = "") -> Any:
        """Add that there is no such member."""
        place = f"{where}: " if where else "input: "
        return self.add(f'Unknown parameter in {place}"{name}", must be one of: {", ".join(known)}')

    def missing(self, name: str, where: str = "") -> Any:
        """Add that a member is missing."""
        place = f"{where}: " if where else "input: "
        return self.add(f'Missing required parameter in {place}"{name}"')

    def check(self) -> None:
        """Raise what was found."""
        if self.lines:
            raise ParamValidationError("\n".join(self.lines))


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
