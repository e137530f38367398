"""Exceptions for responses that are not 2xx: the resource they name, and redirects."""

from __future__ import annotations

import pytest

from aiocos.errors import CosError, NotModified, Redirected
from aiocos.operations.buckets import HeadBucket, ListBuckets
from aiocos.operations.objects import GetObject
from aiocos.response_errors import error_for, resource_of
from aiocos.wire.message import PreparedRequest, Response

REQUEST = PreparedRequest("GET", "https://cos.example", "/b/k", "", {"Authorization": "Bearer a-token"})


def refused(status: int, **headers: str) -> CosError:
    return error_for(Response(status, headers, b""), GetObject("b", "k"), REQUEST, {"a-token"})


def test_the_resource_of_an_operation() -> None:
    assert [resource_of(one) for one in (GetObject("b", "k"), HeadBucket("b"), ListBuckets())] == ["b/k", "b", ""]


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 399])
@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://user:word@other.example:81/b/k", "other.example:81"),
        ("https://other.example/a-token", "other.example"),
        ("https://a-token.example/", r"\*\*\*.example"),
        ("/elsewhere", "/elsewhere"),
        ("http://[::1", "elsewhere"),
    ],
)
def test_a_redirect_is_told_with_its_host_and_not_followed(status: int, location: str, host: str) -> None:
    error = refused(status, Location=location)
    message = f"https://cos.example points to {host}: credentials do not follow a redirect, make a client for that endpoint"
    assert error.message == message.replace("\\", "")  # type: ignore[attr-defined]
    assert error.args == (error.message,)  # type: ignore[attr-defined]
    assert "word" not in str(error)


def test_a_response_without_a_place_or_with_another_status_points_nowhere() -> None:
    for error in (refused(302), refused(404, Location="https://other.example"), refused(299, Location="https://o.example")):
        assert "points to" not in str(error)
    error = refused(304, Location="https://other.example")
    assert isinstance(error, NotModified)
    assert "points to" not in str(error)
    assert isinstance(refused(301, Location="https://other.example"), Redirected)


def test_secrets_that_a_service_repeats_are_taken_out() -> None:
    body = b"<Error><Code>AccessDenied</Code><Message>bad a-token</Message></Error>"
    error = error_for(Response(403, {}, body), GetObject("b", "k"), REQUEST, {"a-token"})
    assert "bad ***" in str(error)
    assert (error.operation, error.resource) == ("GetObject", "b/k")  # type: ignore[attr-defined]


def test_a_date_in_retry_after_counts_from_now() -> None:
    error = refused(503, **{"Retry-After": "Fri, 02 Jan 2099 03:04:45 GMT"})
    assert error.retry_after is not None  # type: ignore[attr-defined]
    assert error.retry_after > 1e9  # type: ignore[attr-defined]
