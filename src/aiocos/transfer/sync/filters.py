"""Match names against patterns, as shells and ignore files have them.

`*` and `?` match within a segment, `**` across segments, `[...]` is a set of characters. A pattern without a slash matches
any segment of a name, at any depth (`*.tmp`, `node_modules`); one with a slash matches from the beginning of the name. Both
match everything below as well. Repeated slashes count as one, in patterns and in names, and slashes at the end of a pattern
are ignored: `tmp//` is `tmp`, and `a/b` matches the key `a//b`.

`Filter.wants` alone decides about a name, on every side. `Filter.enters` only saves work: it may skip a directory only if
`wants` would refuse every name below it. Otherwise files would be missing on one side, and be deleted on the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from aiocos.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Filter:
    """A selection of names by patterns.

    It selects names that match one of `include`, or any name if that is empty, and none of `exclude`.

    Raises `ConfigError` for an invalid pattern, and for a string in place of a list.
    """

    include: Sequence[str] = ()
    """Patterns of names to select. Empty selects all."""
    exclude: Sequence[str] = ()
    """Patterns of names to leave out, whatever `include` says."""
    _includes: list[re.Pattern[str]] = field(init=False, repr=False)
    _excludes: list[re.Pattern[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            patterns = getattr(self, name)
            if isinstance(patterns, str):
                raise ConfigError(f"{name} is a list of patterns, not one: [{patterns!r}]")
            object.__setattr__(self, f"_{name}s", [compile_pattern(pattern) for pattern in patterns])

    def wants(self, name: str) -> bool:
        """Return True if the filter selects the name of a file or an object."""
        if "//" in name or name.startswith("/"):
            name = _SLASHES.sub("/", name).removeprefix("/")
        if self._excludes and any(pattern.match(name) for pattern in self._excludes):
            return False
        return not self._includes or any(pattern.match(name) for pattern in self._includes)

    def enters(self, directory: str) -> bool:
        """Return False if all names below a directory are excluded."""
        # The last segment of a pattern is never empty. So a pattern that matches `d/` either matches `d` or a parent of it,
        # or ends in a `*` that matches whatever follows the slash. Either way it matches all names below.
        return not any(pattern.match(f"{directory}/") for pattern in self._excludes)


_SLASHES = re.compile("//+")


@cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a regular expression for a pattern.

    Raises `ConfigError` for an invalid one.
    """
    text = _SLASHES.sub("/", pattern)
    while text.startswith("./"):
        text = text[2:]
    text = text.removesuffix("/")
    if not text:
        raise ConfigError(f"{pattern!r} is not a valid pattern")
    anchored = "/" in text
    text = text.removeprefix("/")
    head = "" if anchored else "(?:.*/)?"
    try:
        return re.compile(f"{head}{_translate(text)}(?:/.*)?\\Z", re.DOTALL)
    except re.error as error:
        raise ConfigError(f"{pattern!r} is not a valid pattern: {error}") from error


def _translate(text: str) -> str:
    """Return a regular expression, as text, for a pattern without outer slashes."""
    out: list[str] = []
    at = 0
    while at < len(text):
        rest = text[at:]
        if rest.startswith("**/"):
            out.append("(?:.*/)?")
            at += 3
        elif rest.startswith("**"):
            out.append(".*")
            at += 2
        elif rest[0] == "*":
            out.append("[^/]*")
            at += 1
        elif rest[0] == "?":
            out.append("[^/]")
            at += 1
        elif found := _SET.match(rest):
            inside = "".join(c if c == "-" else re.escape(c) for c in found[2])
            out.append(f"(?!/)[{'^' if found[1] else ''}{inside}]")
            at += found.end()
        else:
            out.append(re.escape(rest[0]))
            at += 1
    return "".join(out)


# A set has at least one character. A `]` right at its beginning is one of them.
_SET = re.compile(r"\[([!^]?)(\]?[^\]]*)\]", re.DOTALL)
