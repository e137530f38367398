"""Round trips: every operation and every document is read back equal to what was written."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from aiocos.operations.listing import CommonPrefix, ListObjectsV2Result, ListObjectVersionsResult, ObjectEntry, ObjectVersion
from aiocos.wire.address import Endpoint, split_path
from aiocos.wire.bind import from_request, from_response, to_request, to_response
from aiocos.wire.document import Document, XmlError, unrepresentable
from aiocos.wire.message import Request, Response, encode_query
from aiocos.wire.route import route
from aiocos.wire.spec import HeaderMap, Local, Operation, Result

from .strategies import ODD_KEYS, documents, instances, model, normal, operations

_modest = settings(max_examples=25)
_endpoint = Endpoint.parse("http://127.0.0.1:9000")


def received(request: Request) -> Request:
    """Return the request that a server reads: parsed from the request line, with lower-case header names."""
    origin, path = _endpoint.locate(request.bucket, request.key)
    query = encode_query(request.query)
    url = URL(f"{origin}{path}?{query}" if query else f"{origin}{path}", encoded=True)
    bucket, key = split_path(url.raw_path)
    pairs = [(unquote(n), unquote(v)) for n, _, v in (part.partition("=") for part in url.raw_query_string.split("&") if part)]
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, bucket, key, pairs, headers, request.body)


def test_the_registry_has_the_operations_of_the_service() -> None:
    assert len(operations()) >= 20


@pytest.mark.parametrize("cls", operations(), ids=lambda cls: cls.__name__)
def test_every_operation_survives_the_wire(cls: type[Operation[Any]]) -> None:
    @_modest
    @given(instances(cls))
    def check(operation: Operation[Any]) -> None:
        request = received(to_request(operation))
        assert route(request) is cls
        again = from_request(cls, request)
        for p in cls.spec.parameters:
            if isinstance(p.location, Local):
                continue
            expected, actual = normal(getattr(operation, p.name), p), getattr(again, p.name)
            if isinstance(p.location, HeaderMap) and not expected:
                expected = None
            if p.name == "content_md5" and expected is None:
                continue
            assert actual == expected, p.name

    check()


@pytest.mark.parametrize("cls", documents(), ids=lambda cls: cls.__name__)
def test_every_document_survives_the_wire(cls: type[Document]) -> None:
    @_modest
    @given(model(cls))
    def check(document: Document) -> None:
        if isinstance(document, Result):
            response = to_response(document, 200)
            assert not response.body or response.headers["Content-Type"] == "application/xml"
            headers = {name.lower(): value for name, value in response.headers.items()}
            if document.request_id:
                headers["x-clv-request-id"] = document.request_id
            assert from_response(type(document), Response(200, headers, response.body)) == document
        else:
            assert type(document).from_xml(document.to_xml()) == document

    check()


_HOSTILE = [
    "a\rb", "a\r\nb", "\n", "\t", " x ", "]]>", "&amp;", "&#13;", "<Key>x</Key>", '"', "'", "\x00", "\x01", "\x1f", "\x7f",
    "\x85", "\u2028", "\ufffe", "\uffff", "\U0001f642", "\U0010ffff", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", _HOSTILE, ids=ascii)
def test_unusual_texts_survive_or_are_refused(text: str) -> None:
    try:
        written = ObjectEntry(key=text, etag=text).to_xml()
    except XmlError:
        assert unrepresentable(text)
    except ValidationError:
        assert text == "\ud800"  # pydantic takes no text that is no Unicode
    else:
        assert not unrepresentable(text)
        assert ObjectEntry.from_xml(written) == ObjectEntry(key=text, etag=text)


@given(st.text(max_size=30))
@settings(max_examples=200)
def test_any_text_survives_or_is_refused(text: str) -> None:
    try:
        written = CommonPrefix.model_construct(prefix=text).to_xml()
    except XmlError:
        assert unrepresentable(text)
    else:
        assert CommonPrefix.from_xml(written).prefix == text


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_every_key_survives_an_encoded_listing(key: str) -> None:
    page = ListObjectsV2Result(
        encoding_type="url", prefix=key, delimiter=key, start_after=key, contents=[ObjectEntry(key=key)],
        common_prefixes=[CommonPrefix(prefix=key)],
    )  # fmt: skip
    assert from_response(ListObjectsV2Result, Response(200, {}, page.to_xml())) == page
    versions = ListObjectVersionsResult(
        encoding_type="url", key_marker=key, versions=[ObjectVersion(key=key, version_id="a+b")]
    )
    assert from_response(ListObjectVersionsResult, Response(200, {}, versions.to_xml())) == versions


def test_a_page_that_is_not_encoded_is_not_decoded() -> None:
    page = ListObjectsV2Result(contents=[ObjectEntry(key="a+b%20c")])
    assert from_response(ListObjectsV2Result, Response(200, {}, page.to_xml())).contents[0].key == "a+b%20c"
