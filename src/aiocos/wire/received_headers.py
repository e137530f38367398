"""The headers of a response whose form is known.

A server writes the heads of its responses in a few forms: the same status line, the same header names in the same order. The
first head of a form is examined in full, and its form becomes a regular expression (`HeadForm`). For every further head a match
gives the values of all headers at once, and what follows from the names is known already: which of them is the ETag, or which
field of a result each one is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS = re.compile(r"HTTP/1\.1 (200|204|206) [ -~]*")
# A value without the spaces around it, which parsers remove.
_VALUE = r"(?! )([ -~]+)(?<! )"
# Headers that change how the response is read, or whether the connection can be used again.
_SPECIAL = frozenset({"transfer-encoding", "upgrade", "trailer", "te", "proxy-connection", "sec-websocket-key1"})
_MAX_HEADERS = 64
_MAX_NAMES = 256

MAX_HEAD = 16_384
"""Characters of the longest head that gets a form."""


class HeadForm:
    """The status of a response head and the names of its headers, in order."""

    __slots__ = ("_index", "cache", "length_at", "match", "names", "status")

    def __init__(self, status: int, names: tuple[str, ...], pattern: str) -> None:
        self.status = status
        """The HTTP status."""
        self.names = names
        """The names of the headers."""
        self.match = re.compile(pattern).fullmatch
        """Matches a head of this form; its groups are the values of the headers."""
        self._index: dict[str, int | None] = {}
        self.length_at = self.index_of("Content-Length")
        """The position of Content-Length; None if the status has no body."""
        self.cache: dict[Any, Any] = {}
        """What others derive from the names, by keys of their own."""

    @classmethod
    def of(cls, head: str, usual_names: Mapping[str, str]) -> HeadForm | None:
        """Return the form of a head, or None if it needs a general parser.

        Args:
            head: The head with the empty line at its end.
            usual_names: Names as the general parser spells them, by their lower case.
        """
        first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        status = _STATUS.fullmatch(first)
        if status is None or len(lines) > _MAX_HEADERS or len(head) > MAX_HEAD:
            return None
        names: list[str] = []
        pattern = re.escape(first)
        for line in lines:
            name, colon, value = line.partition(":")
            lower, space = name.lower(), " " if value.startswith(" ") else ""
            if not colon or not _NAME.fullmatch(name) or lower in _SPECIAL:
                return None
            inner = _VALUE
            if lower == "connection":
                if value.strip().lower() != "keep-alive":
                    return None
                inner = f"({re.escape(value.removeprefix(' '))})"
            elif lower == "content-length":
                inner = "([0-9]{1,9})"
            names.append(usual_names.get(lower, name))
            pattern += f"\r\n{re.escape(name)}:{space}{inner}"
        lowered = [name.lower() for name in names]
        if lowered.count("content-length") > 1 or lowered.count("connection") > 1:
            return None
        if (status[1] == "204") == ("content-length" in lowered):
            return None
        form = cls(int(status[1]), tuple(names), f"{pattern}\r\n\r\n")
        return form if form.match(head) else None

    def index_of(self, name: str) -> int | None:
        """Return the position of the first header of a name, or None.

        The name may be in any case.
        """
        try:
            return self._index[name]
        except KeyError:
            lower = name.lower()
            found = next((at for at, one in enumerate(self.names) if one.lower() == lower), None)
            if len(self._index) < _MAX_NAMES:
                self._index[name] = found
            return found


class FormedHeaders(Mapping[str, str]):
    """Headers of a known form.

    Look-ups ignore case; of a repeated header they find the first.
    """

    __slots__ = ("form", "texts")

    def __init__(self, form: HeadForm, texts: tuple[str, ...]) -> None:
        self.form = form
        """The form of the head."""
        self.texts = texts
        """The values, in the order of the form's names."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a header, or a default."""
        at = self.form.index_of(key)
        return default if at is None else self.texts[at]

    def __getitem__(self, key: str) -> str:
        at = self.form.index_of(key)
        if at is None:
            raise KeyError(key)
        return self.texts[at]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.form.index_of(key) is not None

    def __iter__(self) -> Iterator[str]:
        # As in aiohttp's headers: each name once, whatever its case.
        index_of = self.form.index_of
        return (name for at, name in enumerate(self.form.names) if index_of(name) == at)

    def __len__(self) -> int:
        return len(self.texts)

    def items(self) -> Any:
        """Return all names and values in order, with repeated names."""
        return tuple(zip(self.form.names, self.texts, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        others = cast("Mapping[str, str]", other)
        return sorted((n.lower(), v) for n, v in self.items()) == sorted((n.lower(), v) for n, v in others.items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"FormedHeaders({dict(self.items())!r})"
