"""Which names are meant: patterns as shells and ignore files write them.

`*` and `?` stay within a segment, `**` does not, `[...]` is a set. A pattern without a slash means any segment of a name, at
whatever depth (`*.tmp`, `node_modules`); one with a slash is held against the name from its beginning. Either means, besides
what it matches, all that lies below. Slashes in a row count as one, in patterns and in names, and those at the end of a pattern
do not count: `tmp//` is `tmp`, and `a/b` also means the key `a//b`.

`Filter.wants` alone decides about a name, on every side. `Filter.enters` only saves work: it may refuse a directory only where
`wants` would refuse every name below it. Otherwise files would be missing on one side and counted as deleted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from aiocos.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Filter:
    """Names that match one of `include`, where there are any, and none of `exclude`."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    _includes: list[re.Pattern[str]] = field(init=False, repr=False)
    _excludes: list[re.Pattern[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            patterns = getattr(self, name)
            if isinstance(patterns, str):
                raise ConfigError(f"{name} is a list of patterns, not one: [{patterns!r}]")
            object.__setattr__(self, f"_{name}s", [compiled(pattern) for pattern in patterns])

    def wants(self, name: str) -> bool:
        """Return whether the name of a file or an object is meant."""
        if "//" in name or name.startswith("/"):
            name = _SLASHES.sub("/", name).removeprefix("/")
        if self._excludes and any(pattern.match(name) for pattern in self._excludes):
            return False
        return not self._includes or any(pattern.match(name) for pattern in self._includes)

    def enters(self, directory: str) -> bool:
        """Return False if all names below a directory are excluded."""
        # Sound because the last segment of a pattern is never empty: what matches `d/` either matches `d` or an ancestor of it,
        # or ends in a `*` that matches whatever follows the slash.
        return not any(pattern.match(f"{directory}/") for pattern in self._excludes)


_SLASHES = re.compile("//+")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a regular expression that matches the names that a pattern means. `ConfigError` for a pattern that is none."""
    text = _SLASHES.sub("/", pattern)
    while text.startswith("./"):
        text = text[2:]
    text = text.removesuffix("/")
    if not text:
        raise ConfigError(f"{pattern!r} is no pattern")
    anchored = "/" in text
    text = text.removeprefix("/")
    head = "" if anchored else "(?:.*/)?"
    try:
        return re.compile(f"{head}{_translated(text)}(?:/.*)?\\Z", re.DOTALL)
    except re.error as error:
        raise ConfigError(f"{pattern!r} is no pattern: {error}") from error


def _translated(text: str) -> str:
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


# A set has at least one character; a bracket right at its beginning is one.
_SET = re.compile(r"\[([!^]?)(\]?[^\]]*)\]", re.DOTALL)
