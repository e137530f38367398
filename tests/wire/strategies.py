"""Hypothesis strategies for operations and documents, derived from their types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

from hypothesis import strategies as st

from aiocos.operations import every_operation
from aiocos.operations.listing import Page
from aiocos.wire.document import Document, Text, Unknown, unwrap
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import (
    Body,
    Header,
    HeaderMap,
    KeyHeaders,
    Local,
    Operation,
    Parameter,
    Path,
    Payload,
    Result,
)
from aiocos.wire.text import attribute, escape
from aiocos.wire.values import CopySource, CustomerKey, Stored

# Unusual keys: each has a special meaning in some layer.
ODD_KEYS = [
    "a//b", "//", "/", "/lead", "trail/", "./x", "x/.", "..", "../..", "a/../b", "ü/ñ/漢字/🙂", "a+b", "a%2Fb", "%", "%zz",
    "a b", " lead", "trail ", "?", "a?acl", "#", "a#b", "&=;", "a:b@c", "'\"<>", "\\", "~", "*", "(x)", "[1]", "{bucket}",
    "\t", "\n", "\r", "a\rb", "a\r\nb", "\x01", "\x7f", "\ufffe",
    "<Error>", "]]>", "&amp;", "x" * 1024, "ü" * 512, ".", "e\u0301",
]  # fmt: skip

unicode_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r&<>\"'")
)
header_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
header_names = st.from_regex(r"[a-z0-9!#$&_.-]{1,12}", fullmatch=True)
buckets = st.from_regex(r"[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]", fullmatch=True)
keys = st.sampled_from(ODD_KEYS) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
numbers = st.integers(-(10**15), 10**15)
seconds = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))
millis = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000, tzinfo=UTC)
)
ranges = st.one_of(
    st.builds(lambda a, n: ByteRange(a, a + n), st.integers(0, 10**13), st.integers(0, 10**13)),
    st.builds(ByteRange, st.integers(0, 10**13)),
    st.builds(ByteRange.suffix, st.integers(0, 10**13)),
)
copy_sources = st.builds(CopySource, buckets, keys, st.none() | st.text("abc0-/?&=% ü", min_size=1, max_size=8))
customer_keys = st.binary(min_size=32, max_size=32)


def operations() -> list[type[Operation[Any]]]:
    return list(every_operation().values())


_names = st.sampled_from(["Younger", "Other.One", "x-y", "Ü"])
_spaces = st.sampled_from(["", "", "", ' xmlns=""', ' xmlns="urn:other"'])


@st.composite
def unknown_elements(draw: st.DrawFn, text: st.SearchStrategy[str] = xml_text, depth: int = 2) -> str:
    """Draw unknown elements, normalized."""
    name, content = draw(_names), escape(draw(text))
    space = draw(_spaces) if depth == 2 else ""
    if draw(st.booleans()):
        space += f' a="{attribute(draw(text))}"'
    if depth and draw(st.booleans()):
        content += draw(unknown_elements(text, depth - 1)) + escape(draw(text))
    # For a text of its own, an empty namespace is the namespace of the parent.
    space = space.replace(' xmlns=""', "")
    return f"<{name}{space}>{content}</{name}>" if content else f"<{name}{space}/>"


def documents() -> list[type[Document]]:
    found: dict[str, type[Document]] = {}
    waiting: list[type[Document]] = [Document]
    while waiting:
        for cls in waiting.pop().__subclasses__():
            waiting.append(cls)
            if cls.__module__.startswith("aiocos."):
                found[cls.__name__] = cls
    return list(found.values())


def scalar(kind: Any, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a type, with the text that its location allows."""
    kind = unwrap(kind)
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        # Ranges and tags may be given as text or as a dictionary too, but are read back in one form only.
        members = [a for a in get_args(kind) if a is not NoneType and get_origin(a) is not dict]
        if ByteRange in members:
            return ranges
        return st.one_of(*[scalar(m, text) for m in members])
    if get_origin(kind) is tuple:
        return st.tuples(buckets, keys)
    table: dict[Any, st.SearchStrategy[Any]] = {
        str: text,
        int: numbers,
        bool: st.booleans(),
        datetime: seconds,
        Stored: st.sampled_from(["0", "-1", "never"]).map(Stored),
        timedelta: st.integers(-2, 10**9).map(lambda s: timedelta(seconds=s)),
        ByteRange: ranges,
        CopySource: copy_sources,
        CustomerKey: customer_keys.map(CustomerKey),
        bytes: customer_keys,
    }
    return table[kind]


def model(cls: type[Document], text: st.SearchStrategy[str] = xml_text) -> st.SearchStrategy[Any]:
    """Return a strategy for instances of a document."""
    given = {name: _field(name, info.annotation, list(info.metadata), cls, text) for name, info in cls.model_fields.items()}
    return st.fixed_dictionaries(
        {n: s for n, s in given.items() if cls.model_fields[n].is_required()},
        optional={n: s for n, s in given.items() if not cls.model_fields[n].is_required()},
    ).map(lambda values: cls(**values))


def _field(name: str, annotation: Any, marks: list[Any], owner: type[Document], text: Any) -> st.SearchStrategy[Any]:
    mark = next((m for m in marks if isinstance(m, Header | HeaderMap | Local | Text | Unknown)), None)
    if isinstance(mark, Unknown):
        return st.lists(unknown_elements(text), max_size=2).map(tuple)
    if isinstance(mark, HeaderMap):
        return st.dictionaries(header_names, header_text, max_size=3)
    if isinstance(mark, Header):
        return scalar(annotation, header_text.filter(bool))
    if isinstance(mark, Local):
        return st.from_regex(r"[0-9a-f]{8}", fullmatch=True)
    if isinstance(mark, Text):
        return text.map(str.strip)  # the text of a root element is read without the white space around it
    if issubclass(owner, Page) and name == "encoding_type":
        return st.sampled_from([None, "url"])
    # An empty list leaves no trace in XML: a required list that is empty reads back as missing.
    return _element(annotation, text, least=int(owner.model_fields[name].is_required()))


def _element(annotation: Any, text: Any, least: int = 0) -> st.SearchStrategy[Any]:
    kind = unwrap(annotation)
    if get_origin(kind) in (list, tuple):
        return st.lists(_element(get_args(kind)[0], text), min_size=least, max_size=3)
    if isinstance(kind, type) and issubclass(kind, Document):
        return model(kind, text)
    if kind is datetime:
        return millis
    return scalar(kind, text)


def parameter(p: Parameter) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a parameter."""
    place = p.location
    if isinstance(place, Path):
        return buckets if p.name == "bucket" else keys
    if isinstance(place, Payload):
        return st.binary(max_size=40)
    if isinstance(place, HeaderMap):
        return st.dictionaries(header_names, header_text, min_size=1, max_size=3)
    if isinstance(place, KeyHeaders):
        return customer_keys | customer_keys.map(CustomerKey)
    if isinstance(place, Body):
        if place.of is not None:
            ((name, info),) = place.of.model_fields.items()
            return _field(name, info.annotation, list(info.metadata), place.of, xml_text)
        # A result that is sent as a body (an ACL that was read) loses the fields that came from headers.
        return _element(p.type, xml_text).map(_without_headers)
    return scalar(p.type, header_text if isinstance(place, Header) else unicode_text)


def _without_headers(value: Any) -> Any:
    return value.model_copy(update={"request_id": None}) if isinstance(value, Result) else value


def instances(cls: type[Operation[Any]]) -> st.SearchStrategy[Any]:
    """Return a strategy for operations of a class, with any of the optional parameters."""
    wired = [p for p in cls.spec.parameters if not isinstance(p.location, Local)]
    return st.fixed_dictionaries(
        {p.name: parameter(p) for p in wired if p.required},
        optional={
            p.name: parameter(p) | st.none() if not isinstance(p.location, Payload) else parameter(p)
            for p in wired
            if not p.required
        },
    ).map(lambda values: cast("Operation[Any]", cls(**values)))


def normal(value: Any, p: Parameter) -> Any:
    """Return the form in which a value is read back: seconds as int, a pair as CopySource, bytes as CustomerKey."""
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if type(value) is tuple:
        return CopySource(*value)
    if isinstance(p.location, KeyHeaders) and isinstance(value, bytes):
        return CustomerKey(value)
    return value
