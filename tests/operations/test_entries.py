"""Tests of `aiocos.operations.entries`: for any page, the fast reader gives the result and the error of the general codec."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.wire.strategies import ODD_KEYS, model, unicode_text, xml_text

from aiocos.errors import ProtocolError
from aiocos.operations import entries
from aiocos.operations.listing import (
    ListObjectsResult,
    ListObjectsV2Result,
    ListObjectVersionsResult,
    ObjectEntry,
    ObjectVersion,
)
from aiocos.wire.bind import from_response
from aiocos.wire.document import Document
from aiocos.wire.message import Response
from aiocos.wire.spec import Result

# ---------------------------------------------------------------------------------------------------------------------
# Fast reader and general codec


@pytest.fixture(autouse=True, scope="module")
def _short_pages() -> Iterator[None]:
    with patch.object(entries, "_MIN_ENTRIES", 1):
        yield


def read_fast(cls: type[Result], body: bytes) -> dict[str, Any] | None:
    if issubclass(cls, ListObjectVersionsResult):
        return entries.read(cls, body, "versions", ObjectVersion)
    return entries.read(cls, body, "contents", ObjectEntry)


@contextmanager
def _general_codec_only() -> Iterator[None]:
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
    with _general_codec_only():
        general = outcome(cls, body)
    assert_like(quick, general)


# ---------------------------------------------------------------------------------------------------------------------
# Pages of one form


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
        said = "<EncodingType>url</EncodingType>"
        body = draw(st.sampled_from([said + body, body + said]))
    body += draw(
        st.sampled_from(["", "<NextMarker>%C3%A9+x</NextMarker>", "<CommonPrefixes><Prefix>d%2F</Prefix></CommonPrefixes>"])
    )
    head = draw(st.sampled_from(["", '<?xml version="1.0" encoding="UTF-8"?>\n', "\ufeff"]))
    root = draw(st.sampled_from(["<L>{}</L>", '<L xmlns="urn:x">{}\n</L>', '<a:L xmlns:a="urn:x">{}</a:L>']))
    return (head + root.replace("{}", body)).encode()


RESULTS = [ListObjectsV2Result, ListObjectsResult, ListObjectVersionsResult]
classes = st.sampled_from(RESULTS)
plain_pages = classes.flatmap(lambda cls: st.tuples(st.just(cls), plain(cls)))


@given(plain_pages)
def test_pages_of_one_form_are_read_fast_and_equal_to_the_codec(page: tuple[type[Result], bytes]) -> None:
    assert read_fast(*page) is not None
    assert not isinstance(outcome(*page), str)
    assert_equal(*page)


@given(st.lists(model(ObjectEntry), min_size=1, max_size=4), st.booleans(), classes)
def test_pages_of_the_emulator_are_read_fast(listed: list[ObjectEntry], encoded: bool, cls: type[Result]) -> None:
    if issubclass(cls, ListObjectVersionsResult):
        page = cls(versions=[ObjectVersion(**dict(e)) for e in listed], encoding_type="url" if encoded else None)
    else:
        page = cls(contents=listed, encoding_type="url" if encoded else None)
    assert_equal(cls, page.to_xml())


def test_the_codec_reads_only_the_rest_of_the_page() -> None:
    indented = page_with(_of("1")).replace(b"<Contents>", b"\n  <Contents>\n    ").replace(b"</Contents>", b"\n  </Contents>")
    for body in (page_with(_of("1")), indented):
        with patch.object(entries, "read_tree", wraps=entries.read_tree) as general:
            assert read_fast(ListObjectsV2Result, body) is not None
        ((_, rest),) = (call.args for call in general.call_args_list)
        assert rest.replace(b"\n  ", b"") == b"<L><Contents/></L>"


# ---------------------------------------------------------------------------------------------------------------------
# Unusual pages

NINE = [f"<Contents><Key>k{i}</Key><Size>{i}</Size></Contents>" for i in range(9)]


def page_with(entry: str, before: str = "", after: str = "") -> bytes:
    return f"<L>{before}{''.join(NINE)}{entry}{after}</L>".encode("utf-8", "surrogatepass")


def test_the_unchanged_page_of_the_cases_is_read_fast() -> None:
    assert read_fast(ListObjectsV2Result, page_with("")) is not None
    assert read_fast(ListObjectsV2Result, page_with("<Contents><Key>x</Key><Size>1</Size></Contents>")) is not None


def _of(size: str, key: str = "k") -> str:
    return f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>"


_URL = "<EncodingType>url</EncodingType>"
SAME = {
    "keys as they are": (page_with(_of("1", "a+b%20c")), "a+b%20c"),
    "keys encoded": (page_with(_of("1", "a+b%20c"), _URL), "a b c"),
    "keys encoded, said at the end": (page_with(_of("1", "a+b%20c"), "", _URL), "a b c"),
    "usual references": (page_with(_of("1", "&amp;&lt;&gt;&quot;&apos;&#34;&#39;")), "&<>\"'\"'"),
    "references of references": (page_with(_of("1", "&amp;quot;&amp;lt;&quot;")), '&quot;&lt;"'),
    "encoded references": (page_with(_of("1", "&lt;%3C&amp;+"), _URL), "<<& "),
    "space between": (page_with(_of("1") + "\r\n\t"), "k"),
}


@pytest.mark.parametrize(("body", "key"), SAME.values(), ids=SAME.keys())
def test_all_spellings_of_keys_are_read_fast(body: bytes, key: str) -> None:
    assert read_fast(ListObjectsV2Result, body) is not None
    assert outcome(ListObjectsV2Result, body).contents[-1].key == key
    assert_equal(ListObjectsV2Result, body)


def _alone(inner: str) -> bytes:
    return f"<L><Contents>{inner}</Contents><Contents>{inner}</Contents></L>".encode()


OTHERS = {
    "an attribute": page_with('<Contents a="1"><Key>k</Key><Size>1</Size></Contents>'),
    "an attribute of a child": page_with('<Contents><Key a="1">k</Key><Size>1</Size></Contents>'),
    "a namespace": page_with('<Contents xmlns="urn:y"><Key>k</Key><Size>1</Size></Contents>'),
    "a prefix": page_with('<a:Contents xmlns:a="urn:y"><Key>k</Key><Size>1</Size></a:Contents>'),
    "an undeclared prefix": page_with("<a:Contents><Key>k</Key><Size>1</Size></a:Contents>"),
    "space in a tag": page_with("<Contents ><Key>k</Key><Size>1</Size></Contents >"),
    "space in the tags of the owner": _alone("<Key>k</Key><Owner><ID>i</ID></Owner\r>"),
    "space before a slash": _alone("<Key>k</Key><Owner><ID>i</ID><\r/Owner>"),
    "space in the name of the owner": _alone("<Key>k</Key><Ow ner><ID>i</ID></Owner>"),
    "another form": page_with("<Contents><Size>1</Size><Key>k</Key></Contents>"),
    "an empty entry": page_with("<Contents/>"),
    "an empty entry in two tags": page_with("<Contents></Contents>"),
    "an entry that is no entry": page_with("<Contents>k</Contents>"),
    "no key": _alone("<Size>1</Size>"),
    "an element twice": _alone("<Key>k</Key><Key>l</Key>"),
    "checksums": _alone("<Key>k</Key><ChecksumAlgorithm>a</ChecksumAlgorithm><ChecksumAlgorithm>b</ChecksumAlgorithm>"),
    "an element with elements": _alone("<Key>k</Key><Restore><Size>7</Size></Restore>"),
    "an empty element": _alone("<Key>k</Key><Owner/>"),
    "an owner without elements": _alone("<Key>k</Key><Owner></Owner>"),
    "an owner in space": _alone("<Key>k</Key><Owner>\n</Owner>"),
    "two owners": _alone("<Key>k</Key><Owner><ID>a</ID></Owner><Owner><DisplayName>b</DisplayName></Owner>"),
    "a text between": _alone("<Key>k</Key>text<Size>1</Size>"),
    "a name of no element": _alone("<Key>k</Key><1a>x</1a>"),
    "many elements": _alone("<Key>k</Key>" + "".join(f"<E{i}>x</E{i}>" for i in range(40))),
    "a comment": page_with("<Contents><Key>k</Key><!-- c --><Size>1</Size></Contents>"),
    "a comment in a key": page_with(_of("1", "a<!-- c -->b")),
    "an instruction": page_with("<Contents><?pi?><Key>k</Key><Size>1</Size></Contents>"),
    "a text as it is": page_with(_of("1", "<![CDATA[k]]>")),
    "entries in a comment": page_with("", "<!--", "-->"),
    "entries in a comment and an empty one": page_with("", "<!--", "--><Contents/>"),
    "entries in a text": page_with("", "<Name><![CDATA[", "]]></Name>"),
    "entries in an instruction": page_with("", "<?pi ", "?>"),
    "entries in an attribute": page_with("", '<Name a="', '"/>'),
    "entries in another element": page_with("", "<Other>", "</Other>"),
    "entries in the name": page_with("", "<Name>x", "y</Name>"),
    "entries in an entry": page_with("", "<Contents><Key>k</Key>", "</Contents>"),
    "entries after the end": b"<L></L>" + "".join(NINE).encode(),
    "an entry as the page": NINE[0].encode(),
    "entries without a page": "".join(NINE).encode(),
    "entries before the page": "".join(NINE).encode() + b"<L/>",
    "a reference by number": page_with(_of("1", "&#97;")),
    "a reference of hexadecimals": page_with(_of("1", "&#x26;")),
    "an unknown reference": page_with(_of("1", "&nbsp;")),
    "a bare ampersand": page_with(_of("1", "a&b")),
    "an open reference": page_with(_of("1", "a&amp")),
    "a reference to what XML forbids": page_with(_of("1", "&#1;")),
    "a document type": b"<!DOCTYPE L>" + page_with(""),
    "an entity": b'<!DOCTYPE L [<!ENTITY e "x">]>' + page_with(_of("1", "&e;")),
    "a zero byte": page_with(_of("1", "\0")),
    "a zero byte elsewhere": page_with("", "<Name>\0</Name>"),
    "UTF-16": page_with("").decode().encode("utf-16"),
    "no UTF-8": page_with("").replace(b"k3", b"\xff"),
    "half of a pair": page_with(_of("1", "\ud800")),
    "an overlong form": page_with("").replace(b"k3", b"\xc0\xaf"),
    "a control character": page_with(_of("1", "\x01")),
    "a character that is none": page_with(_of("1", "\ufffe")),
    "a control character in an unknown element": _alone("<Key>k</Key><Type>\x1f</Type>"),
    "an unknown reference in an unknown element": _alone("<Key>k</Key><Type>&x;</Type>"),
    "a carriage return": page_with(_of("1", "a\rb")),
    "a line break": page_with(_of("1", "a\nb")),
    "a separator of lines": page_with(_of("1", "a\u2028b")),
    "the end of a text as it is": page_with(_of("1", "a]]>b")),
    "that end in the page": page_with("", "]]>"),
    "a web page": page_with("").replace(b"L>", b"html>"),
    "an end that is another": page_with("").replace(b"</L>", b"</M>"),
    "no end": page_with("").replace(b"</L>", b""),
    "no end of an entry": b"<L>" + NINE[0].encode() + b"<Contents><Key>k</Key>",
    "no entries": b"<L><IsTruncated>false</IsTruncated></L>",
    "nothing": b"",
    **{
        f"the size {text[:9]!r}": page_with(_of(text))
        for text in ("", " 1", "1 ", "-1", "+1", "1_0", "1.0", "\u0663", "\u00b2", "x", "9" * 5000)
    },
    **{
        f"the time {text!r}": _alone(f"<Key>k</Key><LastModified>{text}</LastModified>")
        for text in (
            "", " ", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05+02:00",
            "2026-01-02 03:04:05Z", "20260102T030405Z", "Fri, 02 Jan 2026 03:04:05 GMT", "2026-02-30T03:04:05Z",
            "2026-01-02T24:00:00Z", "2026-01-02T03:04:60Z", "0000-01-02T03:04:05Z", " 2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05,5Z", "1767323045", "\u0662026-01-02T03:04:05Z", "x",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS.keys())
def test_unusual_pages_are_read_by_the_codec(body: bytes) -> None:
    assert read_fast(ListObjectsV2Result, body) is None
    assert_equal(ListObjectsV2Result, body)


@pytest.mark.parametrize("text", ["", "True", "1", "0", "yes", " true", "maybe"])
def test_unusual_booleans_are_read_by_the_codec(text: str) -> None:
    body = _alone(f"<Key>k</Key><IsLatest>{text}</IsLatest>").replace(b"Contents", b"Version")
    assert read_fast(ListObjectVersionsResult, body) is None
    assert_equal(ListObjectVersionsResult, body)


def test_short_pages_are_read_by_the_codec() -> None:
    with patch.object(entries, "_MIN_ENTRIES", 10):
        assert read_fast(ListObjectsV2Result, page_with("")) is None
        assert read_fast(ListObjectsV2Result, page_with(_of("1"))) is not None


@pytest.mark.parametrize("field", ["MaxKeys", "IsTruncated"])
def test_errors_elsewhere_in_the_page_are_those_of_the_codec(field: str) -> None:
    body = page_with("", f"<{field}>many</{field}>")
    assert read_fast(ListObjectsV2Result, body) is not None
    assert "max_keys" in outcome(ListObjectsV2Result, body) or "is_truncated" in outcome(ListObjectsV2Result, body)
    assert_equal(ListObjectsV2Result, body)


_SNIPPETS = [
    b"<", b">", b"&", b";", b"/", b'"', b"%", b"+", b"\0", b"\x01", b"\r", b"\n", b" ", b"\xff", b"\xc3", b"\xef\xbf\xbe",
    b"&amp;", b"&lt;", b"&#34;", b"&#10;", b"&#0;", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?x?>", b"<!DOCTYPE L>",
    b"<Contents>", b"</Contents>", b"<Contents/>", b"<Key>", b"</Key>", b"<Key>k</Key>", b"<Owner>", b"</Owner>", b"<X/>",
    b"<X>y</X>", b"<X><Y/></X>", b"<Version>", b"</Version>", b"%3C", b"%0A", b"%C3", b"%E2%82", b"%", b"%00", b"T24:",
    b"<Size>1</Size>", b"<EncodingType>url</EncodingType>",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> tuple[type[Result], bytes]:
    """Draw a page with bytes changed, removed, cut off and inserted at random places."""
    cls, body = draw(plain_pages)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body)))
        what = draw(st.sampled_from(["flip", "cut", "end", "put", "move", "tag"]))
        if what == "flip" and at < len(body):
            body = body[:at] + bytes([body[at] ^ 1 << draw(st.integers(0, 7))]) + body[at + 1 :]
        elif what == "cut":
            body = body[:at] + body[at + draw(st.integers(1, 30)) :]
        elif what == "end":
            body = body[:at]
        elif what == "put":
            body = body[:at] + draw(st.sampled_from(_SNIPPETS)) + body[at:]
        elif what == "move":
            upto = draw(st.integers(0, len(body)))
            body = body[:at] + body[min(at, upto) : max(at, upto)] + body[at:]
        elif tags := [m.end() for m in re.finditer(rb"<[^<>]*>", body)]:
            after = draw(st.sampled_from(tags))
            body = body[:after] + draw(st.sampled_from(_SNIPPETS)) + body[after:]
    return cls, body


@given(damaged())
def test_damaged_pages_give_the_outcome_of_the_codec(page: tuple[type[Result], bytes]) -> None:
    assert_equal(*page)


@given(st.lists(xml_text | st.text(), min_size=1, max_size=5), st.sampled_from(["Key", "ETag", "Size", "LastModified", "Type"]))
def test_any_text_is_read_as_by_the_codec(texts: list[str], name: str) -> None:
    other = "" if name == "Key" else "<Key>k</Key>"
    inner = "".join(f"<Contents>{other}<{name}>{text}</{name}></Contents>" for text in texts)
    body = f"<L><EncodingType>url</EncodingType>{inner}</L>".encode("utf-8", "surrogatepass")
    assert_equal(ListObjectsV2Result, body)


@given(st.lists(st.text("%+<>&;0123456789ABCDEFabcdef \u00e9\u20ac"), min_size=1, max_size=5))
@example(["%C3", "%A9"])
@example(["%E2%82", "%AC", "%"])
@example(["%", "41"])
@example(["%3C", "a<b", "%0A"])
def test_keys_are_decoded_separately(keys: list[str]) -> None:
    inner = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys)
    body = f"<L><EncodingType>url</EncodingType>{inner}</L>".encode()
    assert read_fast(ListObjectsV2Result, body) is not None
    assert_equal(ListObjectsV2Result, body)


# ---------------------------------------------------------------------------------------------------------------------
# Use of entries


@given(plain(ListObjectsV2Result))
def test_fast_entries_behave_like_validated_ones(body: bytes) -> None:
    (quick, *_) = outcome(ListObjectsV2Result, body).contents
    with _general_codec_only():
        (general, *_) = outcome(ListObjectsV2Result, body).contents
    for copied in (
        pickle.loads(pickle.dumps(quick)),
        copy.copy(quick),
        copy.deepcopy(quick),
        quick.model_copy(),
        ObjectEntry.model_validate(quick),
        ObjectEntry.model_construct(quick.model_fields_set, **dict(quick)),
    ):
        assert_like(copied, general)
    assert_like(quick.model_copy(update={"size": 5}), general.model_copy(update={"size": 5}))
    assert quick.model_dump() == general.model_dump()
    assert quick.model_dump(exclude_unset=True) == general.model_dump(exclude_unset=True)
    assert quick.model_dump_json() == general.model_dump_json()
    for entry in (quick, general):
        with pytest.raises(ValueError, match="frozen"):
            entry.key = "other"
    assert hash(quick) == hash(general)


def test_a_changed_copy_changes_no_other_entry() -> None:
    """Check that entries can share one set of given fields: pydantic never changes it in place."""
    one, other, *_ = outcome(ListObjectsV2Result, page_with("")).contents
    changed = one.model_copy(update={"etag": "e", "key": "changed"})
    assert changed.model_fields_set == {"key", "size", "etag"}
    assert (one.model_fields_set, one.key) == ({"key", "size"}, "k0")
    assert (other.model_fields_set, other.key) == ({"key", "size"}, "k1")


@pytest.mark.parametrize("part", ["__dict__", "__pydantic_fields_set__", "__pydantic_extra__"])
def test_another_layout_of_pydantic_instances_is_detected(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make = entries._make

    def otherwise(*given: Any) -> Any:
        made = make(*given)
        for entry in made:
            object.__setattr__(entry, part, {"other": 1})
        return made

    entries._can_make.cache_clear()
    monkeypatch.setattr(entries, "_make", otherwise)
    try:
        assert read_fast(ListObjectsV2Result, page_with("")) is None
        assert_equal(ListObjectsV2Result, page_with(""))
    finally:
        entries._can_make.cache_clear()


def test_a_model_with_another_field_is_detected() -> None:
    class Longer(ObjectEntry):
        more: int = 0

    assert entries._can_make(ObjectEntry)
    assert entries._can_make(ObjectVersion)
    assert not entries._can_make(Longer)


# ---------------------------------------------------------------------------------------------------------------------
# Comparison with pydantic at the first use

GIVEN = ["key", "last_modified", "etag", "size", "storage_class", "owner", "checksum_algorithm", "checksum_type"]
_UNLIKE = object()


def _is_detected(cls: type[Any], change: Any, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return True if the comparison detects that `change` was applied to each entry."""
    make = entries._make

    def otherwise(*given: Any) -> Any:
        made = make(*given)
        for entry in made:
            change(entry)
        return made

    entries._can_make.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(entries, "_make", otherwise)
        made = entries._can_make(cls)
    entries._can_make.cache_clear()
    return made is False


@pytest.mark.parametrize(
    ("cls", "name"), [(cls, name) for cls in (ObjectEntry, ObjectVersion) for name in GIVEN]
    + [(ObjectVersion, "version_id"), (ObjectVersion, "is_latest")]
)  # fmt: skip
@pytest.mark.parametrize("given", [True, False])
def test_a_difference_in_any_field_is_detected(cls: type[Any], name: str, given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(entry: Any) -> None:
        if (name in entry.model_fields_set) == given:
            entry.__dict__[name] = _UNLIKE

    assert _is_detected(cls, change, monkeypatch) == (given or name != "key")


def test_the_installed_pydantic_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _is_detected(ObjectEntry, lambda _: None, monkeypatch)
    assert not _is_detected(ObjectVersion, lambda _: None, monkeypatch)
    assert entries._can_make(ObjectEntry) is True
    assert entries._can_make(ObjectVersion) is True


# ---------------------------------------------------------------------------------------------------------------------
# Pages that are not worth splitting


def _padded(inside: str, size: int) -> bytes:
    body = f"<L><Name>{'n' * size}</Name>{''.join(NINE)}{inside}</L>"
    return body.encode()


def test_large_pages_are_split_only_if_they_consist_of_entries() -> None:
    large, other = 1024 * 1024, "<X/>" * 20_000
    assert read_fast(ListObjectsV2Result, _padded("", large)) is not None
    assert read_fast(ListObjectsV2Result, _padded(other, large)) is None
    assert read_fast(ListObjectsV2Result, _padded(other, 0)) is not None
    assert read_fast(ListObjectsV2Result, _padded("<X/>" * 5_000, large)) is not None


@pytest.mark.parametrize(("count", "quick"), [(29, True), (30, False)])
def test_entries_of_more_than_thirty_elements_are_read_by_the_codec(count: int, quick: bool) -> None:
    body = _alone("<Key>k</Key>" + "".join(f"<E{i}>x</E{i}>" for i in range(count)))
    assert (read_fast(ListObjectsV2Result, body) is not None) == quick
    assert_equal(ListObjectsV2Result, body)


def test_fewer_than_eight_entries_are_read_by_the_codec() -> None:
    for count in (7, 8):
        body = f"<L>{''.join(NINE[:count])}</L>".encode()
        with patch.object(entries, "_MIN_ENTRIES", 8):
            assert (read_fast(ListObjectsV2Result, body) is not None) == (count == 8)
