"""Short representations of results and documents.

They show only the fields that are set, and only the first entries of a long list.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

_SHOWN = 3


class _First:
    """A representation of the first entries of a list."""

    def __init__(self, entries: Sequence[Any]) -> None:
        self._entries = entries

    def __repr__(self) -> str:
        first = ", ".join(map(repr, self._entries[:_SHOWN]))
        return f"[{first}, … {len(self._entries) - _SHOWN:,} more]"


def brief(arguments: Iterable[tuple[str | None, Any]]) -> list[tuple[str | None, Any]]:
    """Return the arguments of a representation without the empty ones.

    Empty arguments are None, and texts, lists and dictionaries without content.
    """
    return [(name, _short(value)) for name, value in arguments if value is not None and value not in ("", [], {}, ())]


def _short(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    entries = cast("Sequence[Any]", value)
    return _First(entries) if len(entries) > _SHOWN else entries
