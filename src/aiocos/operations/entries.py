"""A fast reader for pages with many entries: it reads them column by column.

The general codec builds a tree, then dictionaries, then validates every entry. That suits any document, but it is slow for the
one document of which a program may read thousands: a page of a listing. A server writes all entries of a page in one form. So
the form of the first entry becomes a regular expression, which splits the page into columns: all keys, all times, all sizes.
Each column is checked and converted as a whole, and the entries are built from the columns without further validation.

The rest of the page, with an empty element in place of the entries, is read by the general codec. It finds XML that is not
well-formed, and it shows where the entries were: inside a comment or another element they would not count.

If anything is unusual, `read` returns None and the general codec reads the whole page: entries of different forms, an
attribute, an uncommon character reference, a control character, an unusual time or size. So every page gives the result, and
every error the message, that the general codec would give.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from itertools import repeat
from operator import itemgetter
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from pydantic import BaseModel

from aiocos.operations.shared import Owner
from aiocos.wire.document import Document, XmlError, plan_of, read_tree
from aiocos.wire.fast_builder import are_alike
from aiocos.wire.spec import Result

D = TypeVar("D", bound=Document)
Columns = dict[str, list[Any]]

_LEAF = re.compile(r"<([A-Za-z]\w*)>[^<]*</\1>", re.ASCII)
_SPACE = r"[ \t\r\n]*+"
_MAX_ELEMENTS = 30  # in one entry; the service sends ten
_MIN_ENTRIES = 8  # in a page; fewer are read faster one by one
_LARGE = 1024 * 1024  # bytes of a page
_START = 16 * 1024  # characters in which most pages have the fewest entries

_REFERENCE = re.compile("&[^;]*;?")
_REFERENCES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#34;": '"', "&#39;": "'"}

_PRINTABLE = bytes(range(0x20, 0x7F))

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_SECOND = b"0000-00-00T00:00:00"
_TIMES = frozenset([_SECOND + b"Z", *(_SECOND + b"." + b"0" * digits + b"Z" for digits in range(1, 10))])

_BOOLEANS = {"true": True, "false": False}


class _Unexpected(ValueError):
    """The page has an unusual form: the general codec must read it."""


def read(cls: type[Result], body: bytes, field: str, model: type[Document]) -> dict[str, Any] | None:
    """Read a page whose `field` lists entries of one model.

    Returns None if the general codec must read the page.

    Args:
        cls: Class of the page.
        body: XML of the page.
        field: Name of the page's field that lists the entries.
        model: Class of the entries.
    """
    tag = model.root
    try:
        text = body.decode()
        if (text.count(f"<{tag}>", 0, _START) < _MIN_ENTRIES and text.count(f"<{tag}>") < _MIN_ENTRIES) or not _can_make(model):
            return None
        # Splitting a large document that consists of something else than entries would be wasted work.
        if len(body) > _LARGE and text.count("<") > (text.count(f"<{tag}>") + 100) * (2 * _MAX_ELEMENTS + 4):
            return None
        start, closing = text.find(f"<{tag}>"), f"</{tag}>"
        entry = text[start : text.find(closing, start) + len(closing)]
        if entry.count("<") > 2 * _MAX_ELEMENTS + 4:
            return None
        names = _names(entry, tag)
        pieces = re.split(_LEAF.sub(r"<\1>([^<]*+)</\1>", entry) + _SPACE, text)
        width = len(names) + 1
        between = pieces[::width]
        # Delete markers may come between versions; an empty element takes the place of every run of entries.
        parts = [between[0], *filter(None, between[1:-1]), between[-1]]
        if re.search(rf"[<:]{tag}[\s/>]", "".join(parts)):
            return None
        values = read_tree(cls, f"<{tag}/>".join(parts).encode())
        if values.get(field) != [{}] * (len(parts) - 1):
            return None
        encoded = values.get("encoding_type") == "url"
        columns = _columns(model, {name: pieces[i::width] for i, name in enumerate(names, 1)}, encoded)
    except (UnicodeDecodeError, XmlError, _Unexpected):
        return None
    values[field] = []
    values = cls.received(values)
    values[field] = _make(model, columns, len(between) - 1)
    return values


# ---------------------------------------------------------------------------------------------------------------------
# The form of an entry


def _names(entry: str, tag: str) -> list[str]:
    """Return the names of the elements with text, in order.

    An element within the owner has a name like `Owner/ID`.
    """
    frame = re.fullmatch(rf"<{tag}>{_SPACE}(<Owner>{_SPACE}</Owner>{_SPACE})?</{tag}>", _LEAF.sub("", entry))
    if frame is None:
        raise _Unexpected("a nested element, an attribute or a comment")
    owner = range(entry.find("<Owner>"), entry.find("</Owner>")) if frame[1] else range(0)
    names = [f"Owner/{found[1]}" if found.start() in owner else found[1] for found in _LEAF.finditer(entry)]
    if len(set(names)) < len(names) or len(names) > _MAX_ELEMENTS or "Owner" in names or "Key" not in names:
        raise _Unexpected("a repeated element, an owner with text of its own, or no key")
    return names


# ---------------------------------------------------------------------------------------------------------------------
# Converting columns


def _columns(model: type[Document], texts: Mapping[str, list[str]], encoded: bool) -> Columns:
    """Convert the texts of all entries to values, by field."""
    by_name = plan_of(model).by_name
    columns: Columns = {}
    owners: dict[str, list[str]] = {}
    for name, column in texts.items():
        field = by_name[name].field if name in by_name else None
        if field == "last_modified":
            columns[field] = _times(column)
        elif field == "size":
            columns[field] = _numbers(column)
        elif field == "is_latest":
            columns[field] = _booleans(column)
        else:
            # Elements without a field are dropped, but they must be well-formed.
            values = _unescaped(column)
            if field == "key":
                columns[field] = _decoded(values) if encoded else values
            elif field == "checksum_algorithm":
                columns[field] = [(value,) for value in values]
            elif field is not None:
                columns[field] = values
            elif name.startswith("Owner/"):
                owners[name.removeprefix("Owner/")] = values
    if owners:
        columns["owner"] = _owners(owners)
    return columns


def _unescaped(column: list[str]) -> list[str]:
    # No text contains `<`, so it can separate them. Characters that XML forbids are not printable; nor are line breaks, which
    # a parser would normalize.
    joined = "<".join(column)
    if not _is_printable(joined) or "]]>" in joined:
        raise _Unexpected("a character that XML forbids or changes")
    if "&" not in joined:
        return column
    # Most references are the quotes around ETags.
    if joined.startswith("&quot;") and joined.endswith("&quot;"):
        inner = joined[6:-6].split("&quot;<&quot;")
        if len(inner) == len(column) and joined.count("&") == 2 * len(inner):
            quoted = '"<"'.join(inner)
            return f'"{quoted}"'.split("<")
    joined = joined.replace("&quot;", '"').replace("&#34;", '"')
    if "&" not in joined:
        return joined.split("<")
    return [_REFERENCE.sub(_character, text) for text in column]


def _is_printable(text: str) -> bool:
    # `isprintable` takes three times as long, which shows in the time of a page.
    return not text.encode().translate(None, _PRINTABLE) if text.isascii() else text.isprintable()


def _character(reference: re.Match[str]) -> str:
    character = _REFERENCES.get(reference[0])
    if character is None:
        raise _Unexpected("an uncommon character reference")
    return character


def _decoded(keys: list[str]) -> list[str]:
    joined = "<".join(keys)
    if "%" not in joined and "+" not in joined:
        return keys
    # All keys at once cost a third of one by one. A key that contains an encoded `<` shows in the number of pieces.
    decoded = unquote_plus(joined).split("<")
    return decoded if len(decoded) == len(keys) else [unquote_plus(key) for key in keys]


def _times(column: list[str]) -> list[datetime]:
    # Objects that were written together often have the same time: each is read once.
    unique = set(column)
    patterns = set("<".join(unique).encode().translate(_DIGITS).split(b"<"))
    if not patterns <= _TIMES:
        raise _Unexpected("an unusual form of a time")
    try:
        if len(unique) > len(column) // 2:
            return list(map(datetime.fromisoformat, column))
        return list(map({text: datetime.fromisoformat(text) for text in unique}.__getitem__, column))
    except ValueError as error:
        raise _Unexpected("not a time") from error


def _numbers(column: list[str]) -> list[int]:
    joined = "".join(column)
    if not (joined.isascii() and joined.isdigit()):
        raise _Unexpected("an unusual form of a size")
    try:
        return list(map(int, column))
    except ValueError as error:
        raise _Unexpected("not a number, or too long") from error


def _booleans(column: list[str]) -> list[bool]:
    if not set(column) <= _BOOLEANS.keys():
        raise _Unexpected("neither true nor false")
    return [_BOOLEANS[text] for text in column]


def _owners(columns: Mapping[str, list[str]]) -> list[Owner]:
    # Few owners have many objects: one frozen `Owner` serves all objects of an owner.
    by_name = plan_of(Owner).by_name
    fields = [by_name[name].field if name in by_name else None for name in columns]
    rows = list(zip(*columns.values(), strict=True))
    owner_of = {row: Owner(**{f: text for f, text in zip(fields, row, strict=True) if f is not None}) for row in set(rows)}
    return [owner_of[row] for row in rows]


# ---------------------------------------------------------------------------------------------------------------------
# Building entries without validation

_DEFAULTS: dict[str, Any] = {"etag": "", "size": 0}
_order = itemgetter("key", "last_modified", "etag", "size", "storage_class", "owner", "checksum_algorithm", "checksum_type")


def _make(model: type[D], columns: Columns, count: int) -> list[D]:
    """Build entries from columns of values that need no further validation."""
    absent = {name: repeat(_DEFAULTS.get(name)) for name in model.model_fields}
    given: dict[str, Iterable[Any]] = {**absent, "checksum_algorithm": repeat(()), **columns}
    # A dictionary display costs half of a dictionary made from pairs.
    states: list[dict[str, Any]] = [
        {
            "key": key,
            "last_modified": modified,
            "etag": etag,
            "size": size,
            "storage_class": storage,
            "owner": owner,
            "checksum_algorithm": algorithm,
            "checksum_type": kind,
        }
        for key, modified, etag, size, storage, owner, algorithm, kind in zip(*_order(given), strict=False)
    ]
    if "version_id" in absent:
        for state, version, latest in zip(states, given["version_id"], given["is_latest"], strict=False):
            state["version_id"] = version
            state["is_latest"] = latest
    entries = list(map(model.__new__, repeat(model, count)))
    # The slots of a pydantic instance. A loop over `object.__setattr__` would cost three times as much.
    parts: dict[str, Iterable[Any]] = {
        "__dict__": states,
        # One set for all entries, which are frozen: every additional object costs the garbage collector time.
        "__pydantic_fields_set__": repeat(set(columns)),
        "__pydantic_extra__": repeat(None),
        "__pydantic_private__": repeat(None),
    }
    for slot, contents in parts.items():
        write: Callable[[Any, Any], None] = BaseModel.__dict__[slot].__set__
        deque(map(write, entries, contents), maxlen=0)
    return entries


@cache
def _can_make(model: type[Document]) -> bool:
    """Return True if entries built without validation equal validated ones.

    That depends on the installed version of pydantic.
    """
    moment = datetime.fromisoformat("2026-01-02T03:04:05.678Z")
    whole: dict[str, Any] = {
        "key": "k",
        "last_modified": moment,
        "etag": '"e"',
        "size": 1,
        "storage_class": "STANDARD",
        "owner": Owner(id="i"),
        "checksum_algorithm": ("CRC32C",),
        "checksum_type": "FULL_OBJECT",
        "version_id": "v",
        "is_latest": True,
    }
    whole = {name: value for name, value in whole.items() if name in model.model_fields}
    try:
        return _same(model, whole) and _same(model, {"key": "k"})
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _same(model: type[Document], values: dict[str, Any]) -> bool:
    (entry,) = _make(model, {name: [value] for name, value in values.items()}, 1)
    return are_alike(entry, model.model_validate(values))
