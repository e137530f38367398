"""Tests of `aiocos.operations.entries`: for any page, the fast reader gives the result and the error of the general codec."""

from __future__ import annotations

import copy
import html
import pickle
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.wire.strategies import model, xml_text

from aiocos.operations import entries
from aiocos.operations.listing import (
    ListObjectsResult,
    ListObjectsV2Result,
    ListObjectVersionsResult,
    ObjectEntry,
    ObjectVersion,
)
from aiocos.wire.spec import Result

from .pages import assert_equal, assert_like, general_codec_only, outcome, plain, read_fast


@pytest.fixture(autouse=True, scope="module")
def _short_pages() -> Iterator[None]:
    with patch.object(entries, "_MIN_ENTRIES", 1):
        yield


# ---------------------------------------------------------------------------------------------------------------------
# Pages of one form

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
    "keys encoded, declared at the end": (page_with(_of("1", "a+b%20c"), "", _URL), "a b c"),
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
    with general_codec_only():
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


@pytest.mark.parametrize(
    "column",
    [
        ["&quot;a&quot;", "&quot;b&quot;"],
        ["&quot;&quot;", "&quot;a&quot;"],
        ["&quot;"],
        ["&quot;a&quot;", "b"],
        ["&quot;a&amp;&quot;", "&quot;b&quot;"],
        ["&quot;a", "b&quot;"],
        ["a", "b"],
        ["&#34;a&#34;", "&quot;b&quot;"],
        ["&quot;ü&quot;", "&quot;b&quot;"],
    ],
)
def test_quotes_around_a_column_are_like_other_references(column: list[str]) -> None:
    assert entries._unescaped(column) == [html.unescape(text) for text in column]


@pytest.mark.parametrize("column", [["a\x7f"], ["a\n"], ["\x00"], ["ü\x85"], ["&quot;a\t&quot;"]])
def test_control_characters_are_left_to_the_codec(column: list[str]) -> None:
    with pytest.raises(entries._Unexpected):
        entries._unescaped(column)
