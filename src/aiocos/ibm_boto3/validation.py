"""Errors in the parameters of a call, collected and worded as botocore does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiocos.ibm_boto3.exceptions import ParamValidationError

INVALID: Any = object()
"""Returned in place of a value that was reported as an error."""


@dataclass(slots=True)
class ValidationReport:
    """The errors found in the parameters of one call."""

    lines: list[str] = field(default_factory=list[str])
    """One line for each error."""

    def add(self, line: str) -> Any:
        """Add an error; return `INVALID`."""
        self.lines.append(line)
        return INVALID

    def wrong_type(self, where: str, value: object, valid: str) -> Any:
        """Add the error that a value has the wrong type."""
        return self.add(
            f"Invalid type for parameter {where}, value: {_shortened(value)}, type: {type(value)}, valid types: {valid}"
        )

    def unknown(self, name: str, known: Iterable[str], where: str = "") -> Any:
        """Add the error that a structure has no member of this name."""
        return self.add(f'Unknown parameter in {where or "input"}: "{name}", must be one of: {", ".join(known)}')

    def missing(self, name: str, where: str = "") -> Any:
        """Add the error that a required member is missing."""
        return self.add(f'Missing required parameter in {where or "input"}: "{name}"')

    def check(self) -> None:
        """Raise `ParamValidationError` with all errors, if there are any."""
        if self.lines:
            raise ParamValidationError("\n".join(self.lines))


def _shortened(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
