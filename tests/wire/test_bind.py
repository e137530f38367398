"""Operations as requests and results as responses, place by place."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from multidict import CIMultiDict

from aiocos.errors import ConfigError, InvalidRequest, NoSuchKey, ProtocolError
from aiocos.operations.buckets import CreateBucket, ListBuckets
from aiocos.operations.listing import ListObjectsV2, ListObjectsV2Result
from aiocos.operations.multipart import CompletedPart, CompleteMultipartUpload, UploadPart
from aiocos.operations.objects import (
    CopyObjectResult,
    Delete,
    DeleteObjects,
    GetObject,
    HeadObject,
    ObjectIdentifier,
    ObjectInfo,
    PutObject,
    PutObjectResult,
)
from aiocos.operations.website import PutBucketWebsite, WebsiteConfiguration
from aiocos.wire import bind
from aiocos.wire.bind import from_request, from_response, has_document, refusal, to_request, to_response
from aiocos.wire.document import Element
from aiocos.wire.message import Request, Response
from aiocos.wire.spec import Header, HeaderMap, Result
from aiocos.wire.values import CustomerKey

KEY = bytes(range(32))


def test_every_place_of_a_request() -> None:
    made = to_request(GetObject("b", "k", version_id="v", if_match='"e"', customer_key=KEY, timeout=5))
    assert (made.method, made.bucket, made.key, made.body) == ("GET", "b", "k", None)
    assert made.query == [("versionId", "v")]
    assert made.headers == {
        "If-Match": '"e"',
        "x-amz-checksum-mode": "ENABLED",
        **CustomerKey(KEY).headers("x-amz-server-side-encryption-customer-"),
    }
    assert to_request(GetObject("b", "k", customer_key=CustomerKey(KEY), version_id="v", if_match='"e"')) == made


def test_what_is_usual_is_known_and_not_shared() -> None:
    first, second = to_request(GetObject("b", "k")), to_request(GetObject("b", "l"))
    assert first.headers == second.headers == {"x-amz-checksum-mode": "ENABLED"}
    assert first.headers is not second.headers
    assert first.query is not second.query
    assert to_request(GetObject("b", "k", checksum_mode=None)).headers == {}
    page = to_request(ListObjectsV2("b"))
    assert page.query == [("list-type", "2"), ("encoding-type", "url")]
    page.query.append(("x", ""))
    assert to_request(ListObjectsV2("b")).query == [("list-type", "2"), ("encoding-type", "url")]
    assert to_request(ListObjectsV2("b", prefix="p", encoding_type=None)).query == [("list-type", "2"), ("prefix", "p")]
    assert to_request(ListBuckets()).bucket is None


def test_a_body_that_is_a_document() -> None:
    made = to_request(DeleteObjects("b", Delete(objects=[ObjectIdentifier(key="a")])))
    body = bytes(made.body or b"")
    assert b"<Object><Key>a</Key></Object>" in body
    assert made.headers == {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    assert made.query == [("delete", "")]
    part = CompletedPart(etag="e", part_number=1)
    whole = to_request(CompleteMultipartUpload("b", "k", "u", [part]))
    assert bytes(whole.body or b"").endswith(
        b'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Part><ETag>e</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    )


def test_a_body_of_one_field_is_not_always_digested() -> None:
    made = to_request(CreateBucket("b", location="eu-de-smart"))
    assert b"<LocationConstraint>eu-de-smart</LocationConstraint>" in bytes(made.body or b"")
    assert made.headers == {}


def test_a_document_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"PutBucketWebsite: \w+: expected WebsiteConfiguration, not dict"):
        to_request(PutBucketWebsite("b", {}))  # type: ignore[arg-type]
    assert to_request(PutBucketWebsite("b", WebsiteConfiguration.of("i"))).body


@pytest.mark.parametrize("value", ["a\tb", " ", "~", "\x80", "ü漢\U0001f642", "\ud7ff", "\ue000"])
def test_a_header_carries(value: str) -> None:
    assert to_request(PutObject("b", "k", content_type=value, metadata={"a": value})).headers == {
        "Content-Type": value,
        "x-amz-meta-a": value,
    }


@pytest.mark.parametrize("character", ["\x00", "\x08", "\n", "\r", "\x1f", "\x7f", "\ud800"])
def test_a_header_does_not_carry(character: str) -> None:
    with pytest.raises(ConfigError, match=rf"PutObject: content_type: .* U\+{ord(character):04X} here"):
        to_request(PutObject("b", "k", content_type=f"a{character}b"))


@pytest.mark.parametrize("name", ["a", "A-z0-9", "!#$%&'*+.^_`|~"])
def test_names_of_metadata(name: str) -> None:
    assert to_request(PutObject("b", "k", metadata={name: "v"})).headers == {f"x-amz-meta-{name}": "v"}


def test_names_that_differ_in_case_only_are_one_name() -> None:
    with pytest.raises(ConfigError, match="metadata: two names differ in case only"):
        to_request(PutObject("b", "k", metadata={"a": "1", "A": "2"}))
    assert len(to_request(PutObject("b", "k", metadata={"a": "1", "B": "2"})).headers) == 2


@pytest.mark.parametrize("bucket", ["a.b", "ü", "A_b", "...", "%"])
def test_names_of_buckets(bucket: str) -> None:
    assert to_request(HeadObject(bucket, "/a?b#")).bucket == bucket
    assert to_request(HeadObject(bucket, "..")).key == ".."


def test_buffers_are_sent_as_bytes() -> None:
    data = bytearray(b"abcdefgh")
    view = memoryview(data)
    assert to_request(PutObject("b", "k", view)).body is view
    assert to_request(PutObject("b", "k", data)).body is data
    for other in (view.cast("b"), view.cast("B", (2, 4)), view.cast("I")):
        body: Any = to_request(PutObject("b", "k", other)).body
        assert (body.format, body.ndim, bytes(body)) == ("B", 1, bytes(data))


# ---------------------------------------------------------------------------------------------------------------------
# Requests as a server reads them


def _received(method: str = "GET", query: Any = (), headers: Any = None, body: bytes | None = None) -> Request:
    return Request(method, "b", "k", list(query), headers or {}, body)


def test_every_place_of_a_request_is_read() -> None:
    headers = {"if-match": '"e"', "x-amz-meta-a": "1", "content-type": "a/b", "expires": "0"}
    encrypted = {n.lower(): v for n, v in CustomerKey(KEY).headers("x-amz-server-side-encryption-customer-").items()}
    made = from_request(PutObject, _received("PUT", headers=headers | encrypted, body=b"data"))
    assert (made.bucket, made.key, made.data, made.metadata, made.content_type) == ("b", "k", b"data", {"a": "1"}, "a/b")
    assert (made.if_match, made.customer_key, made.expires) == ('"e"', CustomerKey(KEY), "0")
    empty = from_request(PutObject, _received("PUT"))
    assert (empty.data, empty.metadata, empty.customer_key, empty.content_type) == (b"", None, None, None)


def test_what_makes_no_sense_counts_as_none_where_the_service_does_so() -> None:
    assert from_request(GetObject, _received(headers={"range": "items=1"})).range is None
    with pytest.raises(InvalidRequest, match="partNumber: 'x' is no whole number") as caught:
        from_request(GetObject, _received(query=[("partNumber", "x")]))
    assert (caught.value.code, caught.value.status, caught.value.operation) == ("InvalidArgument", 400, "GetObject")
    with pytest.raises(InvalidRequest, match="customer_key: a customer key needs") as caught:
        from_request(GetObject, _received(headers={"x-amz-server-side-encryption-customer-algorithm": "AES256"}))
    assert caught.value.code == "InvalidArgument"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"^UploadPart: 400 InvalidRequest: uploadId is missing") as caught:
        from_request(UploadPart, _received("PUT", [("partNumber", "1")]))
    assert caught.value.code == "InvalidRequest"
    with pytest.raises(InvalidRequest, match="Request body is empty") as caught:
        from_request(DeleteObjects, Request("POST", "b", None, [("delete", "")]))
    assert caught.value.code == "MissingRequestBodyError"
    with pytest.raises(InvalidRequest, match="key is missing"):
        from_request(GetObject, Request("GET", "b"))


def test_a_refusal_has_the_class_of_its_code() -> None:
    assert type(refusal("NoSuchKey", "why", GetObject.spec)) is NoSuchKey
    error = refusal("Strange", "why", GetObject.spec)
    assert (type(error), error.status, error.code, error.operation) == (InvalidRequest, 400, "Strange", "GetObject")


def test_headers_in_latin_1_are_read() -> None:
    made = from_request(
        PutObject, _received("PUT", headers={"cache-control": "\udcfc", "X-Amz-Meta-A": "\udcfc", "x-amz-meta-": "x"})
    )
    assert (made.cache_control, made.metadata) == ("ü", {"a": "ü"})


# ---------------------------------------------------------------------------------------------------------------------
# Responses


class _Told(Result):
    """A result of headers and of a document."""

    word: Annotated[str | None, Header("X-Word")] = None
    moment: Annotated[datetime | None, Header("X-Moment", iso=True)] = None
    more: Annotated[dict[str, str], HeaderMap("x-more-")] = {}
    inside: Annotated[str | None, Element("Inside")] = None


class _Heads(Result):
    """A result of headers."""

    word: Annotated[str | None, Header("X-Word")] = None


def test_a_result_of_both() -> None:
    body = b"<_Told><Inside>i</Inside><Word>no</Word></_Told>"
    headers = {"x-word": "w", "X-MORE-A": "1", "x-more-": "none", "x-moment": "2026-01-02T03:04:05Z", "x-amz-request-id": "r"}
    made = from_response(_Told, Response(200, headers, body))
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert made == _Told(word="w", moment=moment, more={"a": "1"}, inside="i", request_id="r")
    assert from_response(_Told, Response(200, {}, body)) == _Told(inside="i")
    assert (has_document(_Told), has_document(_Heads), has_document(PutObjectResult)) == (True, False, False)
    assert has_document(CopyObjectResult)


@pytest.mark.parametrize("cls", [_Told, _Heads])
def test_of_a_header_that_comes_twice_the_first_counts(cls: type[Any]) -> None:
    headers: Any = CIMultiDict([("X-Word", "first"), ("x-word", "second"), ("X-WORD", "third")])
    assert from_response(cls, Response(200, headers, b"<_Told/>")).word == "first"


@pytest.mark.parametrize("cls", [_Told, _Heads])
def test_bytes_that_are_no_utf8_are_latin_1(cls: type[Any]) -> None:
    made = from_response(cls, Response(200, {"X-Word": "Gr\udcfc", "x-more-a": "\udcfc"}, b"<_Told/>"))
    assert made.word == "Grü"
    assert cls is _Heads or made.more == {"a": "ü"}


def test_names_of_headers_that_never_end_do_not_fill_the_memory() -> None:
    met = bind._shape(_Heads).met
    met.clear()
    for number in range(600):
        assert from_response(_Heads, Response(200, {f"x-{number}": "v", "X-Word": "w"})).word == "w"
    assert len(met) == 500
    assert met["X-Word"] == "word"
    assert met["x-0"] is None
    met = bind._shape(_Told).met
    from_response(_Told, Response(200, {"x-more-b": "v", "x-word": "w"}, b"<_Told/>"))
    assert "x-more-b" not in met


def test_a_document_that_is_none() -> None:
    with pytest.raises(ProtocolError, match=r"^the 200 answer is no CopyObjectResult: .* \(request id r\)$"):
        from_response(CopyObjectResult, Response(200, {"x-amz-request-id": "r"}, b"<"))
    with pytest.raises(ProtocolError, match=r"^the 201 answer is no CopyObjectResult: [^()]*$"):
        from_response(CopyObjectResult, Response(201, {}, b""))


def test_a_result_is_written() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    written = to_response(_Told(word="w", moment=moment, more={"a": "1"}, inside="i"), 201)
    assert (written.status, written.body.endswith(b"><Inside>i</Inside></_Told>")) == (201, True)
    assert written.headers == {
        "X-Word": "w",
        "X-Moment": "2026-01-02T03:04:05Z",
        "x-more-a": "1",
        "Content-Type": "application/xml",
    }
    assert to_response(_Heads(word=""), 204) == Response(204, {})
    assert to_response(ObjectInfo(etag="e", content_length=0, last_modified=moment), 200).headers == {
        "ETag": "e",
        "Content-Length": "0",
        "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT",
    }
    assert to_response(ListObjectsV2Result(), 200).headers == {"Content-Type": "application/xml"}
