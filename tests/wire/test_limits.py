"""Tests of `aiocos.wire.limits`: documents that are too large or too deep are refused early."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest

from aiocos.operations.lifecycle import LifecycleConfiguration
from aiocos.operations.listing import ListObjectsV2Result, ObjectEntry
from aiocos.wire.bind import from_response
from aiocos.wire.document import Document, XmlError
from aiocos.wire.failure import ErrorDocument, read_error
from aiocos.wire.limits import MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, LimitExceeded, check_limits
from aiocos.wire.message import Response

MIB = 1024 * 1024
PAGE = b"<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>"
ENTRY = b"<Contents><Key>k</Key><Size>1</Size></Contents>"

HOSTILE = {
    "open": b"<a>" * 5_000_000,
    "closed": b"<a>" * 2_000_000 + b"</a>" * 2_000_000,
    "in a page": PAGE % (b"<a>" * 2_000_000 + b"</a>" * 2_000_000),
    "in a key": PAGE % (b"<Contents><Key>" + b"<a>" * 2_000_000 + b"</a>" * 2_000_000 + b"</Key></Contents>"),
    "behind entries": PAGE % (ENTRY * 20 + b"<a>" * 2_000_000 + b"</a>" * 2_000_000),
    "in the entries' form": PAGE % (b"<Contents>" * 2_000_000 + b"</Contents>" * 2_000_000),
    "behind white space": b" " * MIB + b"<a>" * 4_000_000,
    "attributes": b"<a " + b" ".join(b'b%d="1"' % n for n in range(1_000_000)) + b"/>",
    "attributes in a page": PAGE % (b"<x/><a " + b" ".join(b"b%d='1'" % n for n in range(1_000_000)) + b"/>"),
    "one long attribute": PAGE % (b"<a b='" + b"x" * (15 * MIB) + b"'/>" + b"<a/>" * 40_000),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("cls", [ListObjectsV2Result, LifecycleConfiguration, ErrorDocument])
def test_deep_documents_are_refused_early(cls: type[Document], name: str) -> None:
    data = HOSTILE[name]
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(XmlError):
            if issubclass(cls, ListObjectsV2Result):
                cls.read(data)
            else:
                cls.from_xml(data)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The bytes are copied, but no tree is built. Without the limits this takes many seconds and a gigabyte.
    assert held < 6 * len(data)
    assert time.process_time() - started < 2


def test_an_error_document_that_is_too_deep_is_quoted() -> None:
    error = read_error(Response(503, {}, b"<Error><Code>SlowDown</Code>" + b"<a>" * MIB))
    assert error.status == 503
    assert len(str(error)) < 400


def _nested(depth: int) -> bytes:
    return b"<Owner>" + b"<a>" * (depth - 1) + b"</a>" * (depth - 1) + b"</Owner>"


@pytest.mark.parametrize("more", [b"", b"<b/>" * 40_000], ids=["small", "large"])
def test_small_and_large_documents_have_the_same_depth_limit(more: bytes) -> None:
    for cls in (ErrorDocument, LifecycleConfiguration):
        deepest = _nested(MAX_DEPTH).replace(b"</Owner>", more + b"</Owner>")
        cls.from_xml(deepest)
        with pytest.raises(XmlError, match=f"nested more than {MAX_DEPTH} deep"):
            cls.from_xml(_nested(MAX_DEPTH + 2).replace(b"</Owner>", more + b"</Owner>"))


def test_elements_attributes_and_bytes_are_limited() -> None:
    with pytest.raises(XmlError, match="more than 1,000,000 elements"):
        ErrorDocument.from_xml(b"<Error>" + b"<a/>" * MAX_ELEMENTS + b"</Error>")
    many = b" ".join(b'b%d="1"' % n for n in range(MAX_ATTRIBUTES + 1))
    with pytest.raises(XmlError, match="attributes"):
        ErrorDocument.from_xml(b"<Error><a " + many + b"/>" + b"<a/>" * 40_000 + b"</Error>")
    with pytest.raises(XmlError, match="bytes"):
        ErrorDocument.from_xml(b"<Error>" + b"x" * MAX_BYTES + b"</Error>")


@pytest.mark.parametrize(
    "spoil", [b"", b"<Contents><Size>1</Size><Key>k</Key></Contents>"], ids=["of one form", "of two forms"]
)
def test_large_pages_of_the_service_are_read(spoil: bytes) -> None:
    def entry(number: int) -> bytes:
        return ObjectEntry(key=f"{number:06}" + "k" * 10_000, etag='"e"', size=number).to_xml().partition(b"?>\n")[2]

    body = PAGE % (spoil + b"".join(entry(n) for n in range(1_000)))
    assert len(body) > 10 * 1000 * 1000
    page = from_response(ListObjectsV2Result, Response(200, {}, body))
    assert [e.key[:6] for e in page.contents[-2:]] == ["000998", "000999"]
    many = from_response(ListObjectsV2Result, Response(200, {}, PAGE % (spoil + ENTRY * 100_000)))
    assert len(many.contents) == 100_000 + bool(spoil)


def test_many_quotation_marks_and_comments_are_accepted() -> None:
    document = ErrorDocument.from_xml(
        b"<Error><Message>" + b"'\"" * 500_000 + b"</Message>" + b"<!---->" * 50_000 + b"</Error>"
    )
    assert len(document.message) == 1_000_000


# ---------------------------------------------------------------------------------------------------------------------
# Random documents


def _document(random_: random.Random) -> bytes:
    """Draw a document that is similar to one of the service."""
    names = [b"ListBucketResult", b"Contents", b"Key", b"Size", b"Owner", b"ID", b"Rule", b"Filter", b"Tag", b"TagSet", b"x"]
    out = [random_.choice([b"", b"\xef\xbb\xbf", b" \n", b'<?xml version="1.0"?>', b"<!DOCTYPE a>"])]
    open_: list[bytes] = []
    for _ in range(random_.choice([5, 50, 500, 5_000])):
        kind = random_.random()
        name = random_.choice(names)
        if kind < 0.4:
            out.append(
                b"<" + name + random_.choice([b"", b' a="1"', b' xmlns="urn:x"', b" a", b" xmlns:p='u' p:q='&lt;'"]) + b">"
            )
            open_.append(name)
        elif kind < 0.7 and open_:
            out.append(b"</" + open_.pop() + b">")
        elif kind < 0.8:
            out.append(b"<" + name + b"/>")
        elif kind < 0.95:
            out.append(
                random_.choice([b"text", b"&amp;", b"&#13;", b"&#0;", b"\r\n", b"]]>", b"\xc3\xbc", b"\xff", b"1", b"true"])
            )
        else:
            out.append(random_.choice([b"<!-- c -->", b"<?p i?>", b"<![CDATA[<a>]]>", b"<", b"&", b"\0"]))
    if random_.random() < 0.9:
        out.extend(b"</" + name + b">" for name in reversed(open_))
    data = bytearray(b"".join(out))
    if random_.random() < 0.3 and data:
        for _ in range(random_.randrange(1, 4)):
            data[random_.randrange(len(data))] = random_.randrange(256)
    if random_.random() < 0.2:
        where = random_.randrange(len(data) + 1)
        data[where:where] = random_.choice([b"<a>", b"<a/>", b"'", b"x"]) * random_.choice([100, 40_000, 200_000])
    return bytes(data)


def _try(data: bytes) -> None:
    """Check that reading ends soon with a document or `XmlError`, and that a setting survives being written and read."""
    started = time.process_time()
    for cls in (ListObjectsV2Result, ErrorDocument):
        try:
            cls.from_xml(data)
        except XmlError:
            pass
    try:
        setting = LifecycleConfiguration.from_xml(data)
    except XmlError:
        pass
    else:
        assert LifecycleConfiguration.from_xml(setting.to_xml()) == setting
    assert time.process_time() - started < 5


def test_any_document_gives_a_result_or_an_xml_error() -> None:
    random_ = random.Random(20261126)
    for _ in range(150):
        _try(_document(random_))


@pytest.mark.slow
def test_any_large_document_gives_a_result_or_an_xml_error() -> None:
    seed = random.SystemRandom().getrandbits(32)
    random_ = random.Random(seed)
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        data = _document(random_)
        try:
            _try(data)
        except BaseException:
            print("seed", seed, data[:2000])
            raise


# ---------------------------------------------------------------------------------------------------------------------
# The limits themselves

FEW = 32_768


def _refused(data: bytes) -> str:
    try:
        check_limits(data)
    except LimitExceeded as error:
        return str(error)
    return ""


def test_the_limit_of_bytes() -> None:
    assert MAX_BYTES == 32 * MIB
    assert _refused(b" " * MAX_BYTES) == ""
    assert _refused(b" " * (MAX_BYTES + 1)) == "33,554,433 bytes, more than 33,554,432"


def _long(depth: int = 1, attributes: int = 0) -> bytes:
    """Return a document that is measured, with one element of this depth and this number of attributes."""
    inner = b"<x " + b" ".join(b"a%d=''" % n for n in range(attributes)) + b"/>"
    return b"<r>" + b"<a/>" * FEW + b"<d>" * (depth - 2) + inner + b"</d>" * (depth - 2) + b"</r>"


def test_the_limits_of_depth_and_attributes() -> None:
    assert _refused(_long(MAX_DEPTH)) == ""
    assert _refused(_long(MAX_DEPTH + 1)) == "elements nested more than 64 deep"
    assert _refused(_long(2, MAX_ATTRIBUTES)) == ""
    assert _refused(_long(2, MAX_ATTRIBUTES + 1)) == "an element with more than 64 attributes"


def test_the_limit_of_elements() -> None:
    assert MAX_ELEMENTS == 1_000_000
    assert _refused(b"<r>" + b"<a/>" * 999_999 + b"</r>") == ""
    assert _refused(b"<r>" + b"<a/>" * 1_000_000 + b"</r>") == "more than 1,000,000 elements"


def test_documents_with_few_tags_are_not_measured() -> None:
    """Check that a document with few tags and quotation marks passes without being parsed."""
    deep = b"<d>" * 100
    assert _refused(deep + b"<" * (FEW - 100)) == ""
    assert _refused(deep + b"<a/>" * (FEW - 99)) != ""
    for marks in (b'"' * FEW, b"'" * FEW, b"\"'" * (FEW // 2)):
        assert _refused(deep + marks) == ""
        assert _refused(deep + marks + b'"') != ""
        assert _refused(deep + marks + b"'") != ""


def test_malformed_documents_pass_the_limits() -> None:
    assert _refused(b"<r>" + b"<a/>" * FEW + b"</x>") == ""
    assert _refused(b"<r>" + b"<a/>" * FEW) == ""


def test_the_limit_of_the_length_of_a_tag() -> None:
    many = b"<a/>" * FEW
    assert _refused(b"<r>" + many + b"<x a='" + b"y" * (60 * 1024) + b"'/></r>") == ""
    assert _refused(b"<r>" + many + b"<x a='" + b"y" * (300 * 1024) + b"'/></r>") == "a tag of more than 65,536 bytes"
    assert _refused(b"<r>" + many + b"y" * (300 * 1024) + b"</r>") == ""
