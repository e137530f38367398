"""Tests of `aiocos.wire.message`: addresses, request ids, query strings."""

from __future__ import annotations

import pytest

from aiocos.wire.message import PreparedRequest, Request, Response, encode_query


def test_url_and_host_of_a_prepared_request() -> None:
    prepared = PreparedRequest("GET", "https://cos.example:8080", "/b/k", "acl&x=1", {"Authorization": "token"}, b"the body")
    assert (prepared.host, prepared.url) == ("cos.example:8080", "https://cos.example:8080/b/k?acl&x=1")
    assert PreparedRequest("GET", "http://h", "/", "", {}).url == "http://h/"
    assert "token" not in repr(prepared)
    assert "the body" not in repr(prepared)


def test_messages_do_not_share_defaults() -> None:
    one, other = Request("GET"), Request("GET")
    one.query.append(("a", ""))
    assert (other.query, other.headers, other.bucket, other.key, other.body) == ([], {}, None, None, None)
    assert Response(200) == Response(200, {}, b"")


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"x-clv-request-id": "c", "x-amz-request-id": "a"}, "c"),
        ({"x-amz-request-id": "a"}, "a"),
        ({"x-clv-request-id": "", "x-amz-request-id": "a"}, "a"),
        ({"x-clv-request-id": "c"}, "c"),
        ({}, None),
    ],
)
def test_request_id(headers: dict[str, str], request_id: str | None) -> None:
    assert Response(200, headers).request_id == request_id


def test_encode_query() -> None:
    assert encode_query([]) == ""
    assert encode_query([("acl", ""), ("a b/c", "-._~/?&=+ü")]) == "acl&a%20b%2Fc=-._~%2F%3F%26%3D%2B%C3%BC"
    assert encode_query([("-._~/", "")]) == "-._~%2F"
