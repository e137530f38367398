"""The entries of a page: a thousand of them are read at once, column by column.

The general codec makes a tree, dictionaries and a validation of every entry. That is right for any document, and slow for the
one document of which a program may read thousands. But one server writes all entries of a page in one form. So the form of the
first one becomes a regular expression, which takes the page apart into columns: all keys, all times, all sizes. A column is
checked and converted as a whole, and the entries are made of the columns without another validation.

What is left of the page, with an empty element in the place of the entries, is read by the general codec. It finds what is not
well-formed, and it says where the entries stood: in a comment or within another element they would not count.

Whatever is not as expected makes `read` give None, and the general codec reads the whole page: an entry of another form, an
attribute, a reference that is not a usual one, a control character, a time or a size in another form. So there is no page that
is read otherwise than by the general codec, and no error that is worded otherwise.
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
_MOST = 30  # elements in an entry; the service has ten
_FEWEST = 8  # entries in a page; fewer are read faster one by one
_LARGE = 1024 * 1024  # bytes of a page

_REFERENCE = re.compile("&[^;]*;?")
_REFERENCES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#34;": '"', "&#39;": "'"}

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_SECOND = b"0000-00-00T00:00:00"
_TIMES = frozenset([_SECOND + b"Z", *(_SECOND + b"." + b"0" * digits + b"Z" for digits in range(1, 10))])

_TRUTHS = {"true": True, "false": False}


class _Unexpected(ValueError):
    """The page is one for the general codec."""


def read(cls: type[Result], body: bytes, field: str, model: type[Document]) -> dict[str, Any] | None:
    """Read a page whose `field` lists entries of one model; None where the general codec has to read it."""
    tag = model.root
    try:
        text = body.decode()
        found = text.count(f"<{tag}>")
        if found < _FEWEST or not _can_make(model):
            return None
        # A page of entries consists of entries: taking a large one apart that is something else would be for nothing.
        if len(body) > _LARGE and text.count("<") > (found + 100) * (2 * _MOST + 4):
            return None
        start, closing = text.find(f"<{tag}>"), f"</{tag}>"
        entry = text[start : text.find(closing, start) + len(closing)]
        if entry.count("<") > 2 * _MOST + 4:
            return None
        names = _names(entry, tag)
        pieces = re.split(_LEAF.sub(r"<\1>([^<]*+)</\1>", entry) + _SPACE, text)
        width = len(names) + 1
        around = pieces[::width]
        # Deletion markers may stand between versions; every run of entries leaves an empty element.
        parts = [around[0], *filter(None, around[1:-1]), around[-1]]
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
    values[field] = _make(model, columns, len(around) - 1)
    return values


# ---------------------------------------------------------------------------------------------------------------------
# The form of an entry


def _names(entry: str, tag: str) -> list[str]:
    """Name the elements that have a text, in their order; those of the owner as `Owner/ID`."""
    frame = re.fullmatch(rf"<{tag}>{_SPACE}(<Owner>{_SPACE}</Owner>{_SPACE})?</{tag}>", _LEAF.sub("", entry))
    if frame is None:
        raise _Unexpected("an element with elements of its own, an attribute, a comment")
    owner = range(entry.find("<Owner>"), entry.find("</Owner>")) if frame[1] else range(0)
    names = [f"Owner/{found[1]}" if found.start() in owner else found[1] for found in _LEAF.finditer(entry)]
    if len(set(names)) < len(names) or len(names) > _MOST or "Owner" in names or "Key" not in names:
        raise _Unexpected("an element that comes twice, an owner without a name, no key")
    return names


# ---------------------------------------------------------------------------------------------------------------------
# Columns


def _columns(model: type[Document], texts: Mapping[str, list[str]], encoded: bool) -> Columns:
    """Turn the texts of all entries into values, by field."""
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
            columns[field] = _truths(column)
        else:
            # What is not known is not given, but it has to be well-formed.
            values = _texts(column)
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


def _texts(column: list[str]) -> list[str]:
    # No text holds a `<`, so it can stand between them. What XML forbids is not printable, nor is a line break, of which
    # there are kinds that a parser makes one of.
    joined = "<".join(column)
    if not joined.isprintable() or "]]>" in joined:
        raise _Unexpected("a character that XML forbids or changes")
    if "&" not in joined:
        return column
    # The quotes around an ETag.
    joined = joined.replace("&quot;", '"').replace("&#34;", '"')
    if "&" not in joined:
        return joined.split("<")
    return [_REFERENCE.sub(_character, text) for text in column]


def _character(reference: re.Match[str]) -> str:
    character = _REFERENCES.get(reference[0])
    if character is None:
        raise _Unexpected("a reference that is not a usual one")
    return character


def _decoded(keys: list[str]) -> list[str]:
    joined = "<".join(keys)
    if "%" not in joined and "+" not in joined:
        return keys
    # At once, which costs a third. A key that holds the `<` itself shows in the number.
    decoded = unquote_plus(joined).split("<")
    return decoded if len(decoded) == len(keys) else [unquote_plus(key) for key in keys]


def _times(column: list[str]) -> list[datetime]:
    forms = set("<".join(column).encode().translate(_DIGITS).split(b"<"))
    if not forms <= _TIMES:
        raise _Unexpected("a time in another form")
    try:
        return list(map(datetime.fromisoformat, column))
    except ValueError as error:
        raise _Unexpected("no time") from error


def _numbers(column: list[str]) -> list[int]:
    joined = "".join(column)
    if not (joined.isascii() and joined.isdigit()):
        raise _Unexpected("a size in another form")
    try:
        return list(map(int, column))
    except ValueError as error:
        raise _Unexpected("no number, or one without end") from error


def _truths(column: list[str]) -> list[bool]:
    if not set(column) <= _TRUTHS.keys():
        raise _Unexpected("neither true nor false")
    return [_TRUTHS[text] for text in column]


def _owners(columns: Mapping[str, list[str]]) -> list[Owner]:
    # Few people own many objects: an owner is made once for all of them, as it cannot be changed.
    by_name = plan_of(Owner).by_name
    fields = [by_name[name].field if name in by_name else None for name in columns]
    rows = list(zip(*columns.values(), strict=True))
    made = {row: Owner(**{f: text for f, text in zip(fields, row, strict=True) if f is not None}) for row in set(rows)}
    return [made[row] for row in rows]


# ---------------------------------------------------------------------------------------------------------------------
# Entries without validation

_DEFAULTS: dict[str, Any] = {"etag": "", "size": 0}
_order = itemgetter("key", "last_modified", "etag", "size", "storage_class", "owner", "checksum_algorithm", "checksum_type")


def _make(model: type[D], columns: Columns, count: int) -> list[D]:
    """Make entries of columns that hold what a validation would give."""
    absent = {name: repeat(_DEFAULTS.get(name)) for name in model.model_fields}
    given: dict[str, Iterable[Any]] = {**absent, "checksum_algorithm": repeat(()), **columns}
    # A dictionary written out costs half of one made of pairs.
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
    # What pydantic keeps in an instance. A loop over `object.__setattr__` would cost three times as much.
    parts: dict[str, Iterable[Any]] = {
        "__dict__": states,
        # One for all, since entries cannot be changed: every object more is one more for the collector of garbage.
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
    """Whether entries made without validation are those that pydantic makes, in the version that is installed."""
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
    (made,) = _make(model, {name: [value] for name, value in values.items()}, 1)
    return are_alike(made, model.model_validate(values))
