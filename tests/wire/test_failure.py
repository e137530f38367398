"""Errors on the wire and in the process: class, code, status, what they say, and that they can be pickled."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos import errors
from aiocos.errors import CosError, IntegrityError, ServiceError, TimedOut, TransferError, TransportError
from aiocos.wire.failure import read_error, write_error
from aiocos.wire.message import Response


def _classes(base: type[CosError] = CosError) -> list[type[CosError]]:
    found = [base, *(c for sub in base.__subclasses__() for c in _classes(sub))]
    return [cls for cls in found if cls.__module__ == errors.__name__]


def _response(status: int, code: str, message: str = "why", **headers: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><Resource>/b/k</Resource><RequestId>r-1</RequestId></Error>"
    return Response(status, {n.replace("_", "-"): v for n, v in headers.items()}, body.encode())


# Codes of the service's own table, and of its siblings, with the class a user would catch.
_CODES = {
    "NoSuchBucket": (404, errors.NoSuchBucket),
    "NoSuchKey": (404, errors.NoSuchKey),
    "NoSuchUpload": (404, errors.NoSuchUpload),
    "NoSuchVersion": (404, errors.NoSuchVersion),
    "NoSuchLifecycleConfiguration": (404, errors.NoSuchConfiguration),
    "NoSuchThing": (404, errors.NotFound),
    "AccessDenied": (403, errors.AccessDenied),
    "InvalidAccessKeyId": (403, errors.InvalidSignature),
    "SignatureDoesNotMatch": (403, errors.InvalidSignature),
    "RequestTimeTooSkewed": (403, errors.InvalidSignature),
    "InvalidObjectState": (403, errors.InvalidObjectState),
    "BucketAlreadyExists": (409, errors.BucketAlreadyExists),
    "BucketAlreadyOwnedByYou": (409, errors.BucketAlreadyOwnedByYou),
    "BucketNotEmpty": (409, errors.BucketNotEmpty),
    "InvalidBucketState": (409, errors.InvalidBucketState),
    "OperationAborted": (409, errors.Conflict),
    "PreconditionFailed": (412, errors.PreconditionFailed),
    "InvalidRange": (416, errors.InvalidRange),
    "MissingContentLength": (411, errors.MissingContentLength),
    "MethodNotAllowed": (405, errors.MethodNotAllowed),
    "BadDigest": (400, errors.BadDigest),
    "InvalidDigest": (400, errors.BadDigest),
    "EntityTooSmall": (400, errors.EntityTooSmall),
    "EntityTooLarge": (400, errors.EntityTooLarge),
    "InvalidPart": (400, errors.InvalidPart),
    "InvalidPartOrder": (400, errors.InvalidRequest),
    "MalformedXML": (400, errors.InvalidRequest),
    "KeyTooLong": (400, errors.InvalidRequest),
    "InlineDataTooLarge": (400, errors.InvalidRequest),
    "IncompleteBody": (400, errors.IncompleteBody),
    "RequestTimeout": (400, errors.IncompleteBody),
    "SlowDown": (503, errors.Throttled),
    "ServiceUnavailable": (503, errors.Unavailable),
    "InternalError": (500, errors.Unavailable),
    "NotImplemented": (501, errors.NotServed),
    "TemporaryRedirect": (307, errors.Redirected),
    "Anything": (429, errors.Throttled),
    "Teapot": (418, errors.ServiceError),
    "Bad": (502, errors.Unavailable),
}


@pytest.mark.parametrize(("code", "expected"), _CODES.items())
def test_a_code_has_its_class(code: str, expected: tuple[int, type[ServiceError]]) -> None:
    status, cls = expected
    error = read_error(_response(status, code, x_clv_request_id="r-2"), "PutObject", "b/k")
    assert type(error) is cls
    assert (error.status, error.code, error.message, error.request_id) == (status, code, "why", "r-2")
    assert (error.operation, error.resource) == ("PutObject", "b/k")
    assert str(error) == f"PutObject b/k: {status} {code}: why (request id r-2)"


def test_where_the_call_says_nothing_the_document_does() -> None:
    error = read_error(_response(404, "NoSuchKey"))
    assert (error.resource, error.request_id) == ("/b/k", "r-1")


@pytest.mark.parametrize(
    "message", ["Object is under RETENTION", "it has a legal hold", "object is WORM protected", "Object Lock"]
)
def test_a_protected_object_is_said_to_be(message: str) -> None:
    assert type(read_error(_response(403, "AccessDenied", message))) is errors.ObjectProtected


def test_head_has_no_body() -> None:
    for status, cls in {
        404: errors.NotFound,
        403: errors.AccessDenied,
        412: errors.PreconditionFailed,
        304: errors.NotModified,
    }.items():
        error = read_error(Response(status), "HeadObject", "b/k")
        assert (type(error), error.code, str(error)) == (cls, str(status), f"HeadObject b/k: {status}")


@pytest.mark.parametrize(
    "body",
    [b"<html><body><h1>Bad gateway</h1>\n</body></html>", b"Bad gateway", b"\xff\x00Bad gateway", b'{"m":"Bad gateway"}'],
)
def test_a_page_of_somebody_else_is_quoted(body: bytes) -> None:
    error = read_error(Response(502, {}, body))
    assert type(error) is errors.Unavailable
    assert "Bad gateway" in error.message
    assert len(read_error(Response(502, {}, body + b"x" * 100_000)).message) <= 200


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:15 GMT", "date": "Fri, 02 Jan 2026 03:04:05 GMT"}, 10.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:00 GMT", "date": "Fri, 02 Jan 2026 03:04:05 GMT"}, 0.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:15 GMT"}, None),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:15 GMT", "date": "Fri, 02 Jan 2026 03:04:05 -0000"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "\u00b2"}, None),
        ({"retry-after": "9" * 400}, math.inf),
        ({"retry-after": "9" * 60_000}, math.inf),
        ({"retry-after": "1e9"}, 1e9),
        ({"retry-after": "1E400"}, math.inf),
        ({"retry-after": "inf"}, math.inf),
        ({"retry-after": "Infinity"}, math.inf),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-inf"}, None),
        ({"retry-after": "-0.5"}, None),
        ({"retry-after": "1_0"}, None),
        ({"retry-after": "0x10"}, None),
        ({"retry-after": "0.2"}, 0.2),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": "Fri, 02 Jan 2026 03:04:05 GMT"}, 251634977754.0),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert read_error(Response(503, headers)).retry_after == seconds


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_header_makes_reading_an_error_fail(after: str, date: str) -> None:
    read_error(Response(503, {"retry-after": after, "date": date}))


@given(st.text(max_size=30), st.text(max_size=30))
def test_an_error_can_always_be_written(message: str, resource: str) -> None:
    error = ServiceError(message, status=404, code="NoSuchKey", resource=resource, retry_after=0.2)
    response = write_error(error, "r-1")
    again = read_error(response)
    assert type(again) is errors.NoSuchKey
    assert again.request_id == "r-1"
    assert response.headers["Retry-After"] == "1"


def test_an_error_comes_back_as_it_was_written() -> None:
    response = write_error(ServiceError("a < b & c", status=409, code="BucketNotEmpty", resource="/b/"), "r-1")
    assert response.status == 409
    assert b"<httpStatusCode>409</httpStatusCode>" in response.body
    error = read_error(response)
    assert (error.code, error.message, error.resource) == ("BucketNotEmpty", "a < b & c", "/b/")


@pytest.mark.parametrize(
    "body",
    [
        b"<Error><Code>NoSuchKey</Code><httpStatusCode>many</httpStatusCode></Error>",
        b"<Error><Code>NoSuchKey</Code><X/></Error>",
    ],
)
def test_a_code_counts_whatever_else_is_wrong(body: bytes) -> None:
    assert type(read_error(Response(404, {}, body))) is errors.NoSuchKey


# ---------------------------------------------------------------------------------------------------------------------
# In the process


def _sample(cls: type[CosError]) -> CosError:
    if issubclass(cls, ServiceError):
        return cls("m", status=400, code="C", resource="b/k", request_id="r", retry_after=1.5, operation="O", attempts=3)
    arguments: dict[str, Any] = {}
    if issubclass(cls, TransportError):
        arguments = {"sent": True, "attempts": 2}
    elif issubclass(cls, TransferError):
        arguments = {"upload_id": "u", "parts_done": 4}
    elif issubclass(cls, IntegrityError):
        arguments = {"expected": "1", "actual": "2"}
    elif issubclass(cls, errors.CredentialsError):
        arguments = {"status": 400, "code": "BXNIM0415E"}
    return cls("m", **arguments)


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: cls.__name__)
def test_every_error_can_be_pickled(cls: type[CosError]) -> None:
    error = _sample(cls)
    error.add_note("said later")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert (str(again), again.args, again.__dict__) == (str(error), error.args, error.__dict__)


def test_errors_are_what_python_calls_them_too() -> None:
    with pytest.raises(TimeoutError):
        raise TimedOut("m", sent=False)
    with pytest.raises(ValueError):
        raise errors.ConfigError("m")
    assert str(TimedOut("slow", sent=True, attempts=3)) == "slow (the request was sent, after 3 attempts)"


def test_a_code_is_claimed_once() -> None:
    with pytest.raises(TypeError, match="NoSuchKey is claimed by NoSuchKey and Another"):

        class Another(ServiceError, codes=("NoSuchKey",)):  # pyright: ignore[reportUnusedClass]
            pass

    with pytest.raises(TypeError, match="status 404 is claimed by NotFound and Other"):

        class Other(ServiceError, status=404):  # pyright: ignore[reportUnusedClass]
            pass

    assert ServiceError.by_code["NoSuchKey"] is errors.NoSuchKey
