"""Pages of listings for tests of `aiocos.operations.entries`, and comparisons of the fast reader with the general codec."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from hypothesis import strategies as st
from tests.wire.strategies import ODD_KEYS, unicode_text

from aiocos.errors import ProtocolError
from aiocos.operations import entries
from aiocos.operations.listing import (
    ListObjectVersionsResult,
    ObjectEntry,
    ObjectVersion,
)
from aiocos.wire.bind import from_response
from aiocos.wire.document import Document
from aiocos.wire.message import Response
from aiocos.wire.spec import Result


def read_fast(cls: type[Result], body: bytes) -> dict[str, Any] | None:
    if issubclass(cls, ListObjectVersionsResult):
        return entries.read(cls, body, "versions", ObjectVersion)
    return entries.read(cls, body, "contents", ObjectEntry)


@contextmanager
def general_codec_only() -> Iterator[None]:
    with patch.object(entries, "read", lambda *_: None):
        yield


def outcome(cls: type[Result], body: bytes) -> Any:
    try:
        return from_response(cls, Response(200, {"x-clv-request-id": "r-1"}, body))
    except ProtocolError as error:
        return f"{type(error).__name__}: {error}"


def assert_like(made: Any, validated: Any) -> None:
    """Check that no property distinguishes the two objects."""
    assert type(made) is type(validated)
    assert made == validated
    assert validated == made
    assert repr(made) == repr(validated)
    if isinstance(made, list):
        for one, other in zip(made, validated, strict=True):
            assert_like(one, other)
    elif isinstance(made, datetime):
        assert_like(made.tzinfo, validated.tzinfo)
    elif isinstance(made, Document):
        assert made.model_fields_set == validated.model_fields_set
        assert type(made.model_fields_set) is type(validated.model_fields_set)
        assert (made.model_extra, made.__pydantic_private__) == (validated.model_extra, validated.__pydantic_private__)
        assert list(made.__dict__) == list(validated.__dict__)
        for one, other in zip(made.__dict__.values(), validated.__dict__.values(), strict=True):
            assert_like(one, other)


def assert_equal(cls: type[Result], body: bytes) -> None:
    quick = outcome(cls, body)
    with general_codec_only():
        general = outcome(cls, body)
    assert_like(quick, general)


@st.composite
def _escaped(draw: st.DrawFn, text: str) -> str:
    quotes = draw(st.sampled_from([{}, {'"': "&quot;"}, {'"': "&#34;", "'": "&#39;"}, {"'": "&apos;"}]))
    return escape(text, quotes)


printable = unicode_text.filter(str.isprintable)
plain_keys = printable | st.sampled_from(ODD_KEYS).filter(str.isprintable)
encodings = st.sampled_from([quote_plus, quote, lambda k: quote_plus(k, safe="/-._~"), lambda k: quote(k, safe="").lower()])
any_keys = st.sampled_from(ODD_KEYS) | unicode_text
etags = st.sampled_from(['"cfcd208495d565ef66e7dff9f98764da"', '"cfcd208495d565ef66e7dff9f98764da-3"', "cfcd", "", '"'])
times = st.builds(
    lambda t, digits: t.isoformat() + ("." + digits if digits else "") + "Z",
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda t: t.replace(microsecond=0)),
    st.just("") | st.from_regex("[0-9]{1,9}", fullmatch=True),
)
sizes = st.integers(0, 10**30).map(str) | st.sampled_from(["0", "007", "0" * 30, "9" * 18])
words = st.sampled_from(["STANDARD", "GLACIER", "CRC32C", "FULL_OBJECT", ""]) | printable
space = st.sampled_from(["", "", "\n", "\n    ", "\r\n\t"])


@st.composite
def _form(draw: st.DrawFn, versions: bool) -> list[str]:
    """Draw the elements of an entry, in order; a name with a slash is within the owner."""
    optional = ["LastModified", "ETag", "Size", "StorageClass", "ChecksumAlgorithm", "ChecksumType", "Type"]
    if versions:
        optional += ["VersionId", "IsLatest"]
    chosen = draw(st.lists(st.sampled_from(optional), unique=True))
    owner = draw(st.lists(st.sampled_from(["ID", "DisplayName", "Unknown"]), unique=True))
    return draw(st.permutations(["Key", *chosen, *(["Owner/" + "/".join(owner)] if owner else [])]))


@st.composite
def _text(draw: st.DrawFn, name: str, encoded: bool) -> str:
    if name == "Key":
        return draw(_escaped(draw(encodings)(draw(any_keys)) if encoded else draw(plain_keys)))
    if name in ("LastModified", "Size"):
        return draw(times if name == "LastModified" else sizes)
    if name == "IsLatest":
        return draw(st.sampled_from(["true", "false"]))
    return draw(_escaped(draw(etags if name == "ETag" else words)))


@st.composite
def plain(draw: st.DrawFn, cls: type[Result]) -> bytes:
    """Draw a page that the fast reader reads."""
    versions = issubclass(cls, ListObjectVersionsResult)
    tag = "Version" if versions else "Contents"
    form = draw(_form(versions))
    encoded = draw(st.booleans())
    gaps = draw(st.lists(space, min_size=12, max_size=12))

    def entry() -> str:
        out = [f"<{tag}>"]
        for gap, name in zip(gaps, form, strict=False):
            owner, _, inner = name.partition("/")
            texts = [(n, draw(_text(n, encoded))) for n in (inner.split("/") if inner else [name])]
            elements = gap.join(f"<{n}>{text}</{n}>" for n, text in texts)
            out += [gap, f"<{owner}>{gap}{elements}</{owner}>" if inner else elements]
        return "".join([*out, f"</{tag}>"])

    body = "".join(draw(space) + entry() for _ in range(draw(st.integers(1, 6))))
    if versions and draw(st.booleans()):
        cut = body.find("</Version>") + 10
        body = body[:cut] + "<DeleteMarker><Key>gone</Key><IsLatest>true</IsLatest></DeleteMarker>" + body[cut:]
    if draw(st.booleans()):
        body = "<Name>bucket</Name><IsTruncated>true</IsTruncated><Prefix>a%2Fb</Prefix>" + body
    if encoded:
        declared = "<EncodingType>url</EncodingType>"
        body = draw(st.sampled_from([declared + body, body + declared]))
    body += draw(
        st.sampled_from(["", "<NextMarker>%C3%A9+x</NextMarker>", "<CommonPrefixes><Prefix>d%2F</Prefix></CommonPrefixes>"])
    )
    head = draw(st.sampled_from(["", '<?xml version="1.0" encoding="UTF-8"?>\n', "\ufeff"]))
    root = draw(st.sampled_from(["<L>{}</L>", '<L xmlns="urn:x">{}\n</L>', '<a:L xmlns:a="urn:x">{}</a:L>']))
    return (head + root.replace("{}", body)).encode()
