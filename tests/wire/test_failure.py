"""Tests of `aiocos.wire.failure` and of errors: class, code, status, message, pickling."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos import errors
from aiocos.errors import CosError, IntegrityError, RequestTimeoutError, ServiceError, TransferError, TransportError
from aiocos.wire.failure import ErrorDocument, error_code, error_in_success, is_web_page, read_error, write_error
from aiocos.wire.message import Response


def _classes(base: type[CosError] = CosError) -> list[type[CosError]]:
    found = [base, *(c for sub in base.__subclasses__() for c in _classes(sub))]
    return [cls for cls in found if cls.__module__.startswith(f"{errors.__name__}.")]


def _response(status: int, code: str, message: str = "why", **headers: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><Resource>/b/k</Resource><RequestId>r-1</RequestId></Error>"
    return Response(status, {n.replace("_", "-"): v for n, v in headers.items()}, body.encode())


# Codes of the service and of similar services, with the class that a user would catch.
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
    "NotImplemented": (501, errors.OperationNotSupported),
    "TemporaryRedirect": (307, errors.Redirected),
    "Anything": (429, errors.Throttled),
    "Teapot": (418, errors.ServiceError),
    "Bad": (502, errors.Unavailable),
}


@pytest.mark.parametrize(("code", "expected"), _CODES.items())
def test_the_code_selects_the_class(code: str, expected: tuple[int, type[ServiceError]]) -> None:
    status, cls = expected
    error = read_error(_response(status, code, x_clv_request_id="r-2"), "PutObject", "b/k")
    assert type(error) is cls
    assert (error.status, error.code, error.message, error.request_id) == (status, code, "why", "r-2")
    assert (error.operation, error.resource) == ("PutObject", "b/k")
    assert str(error) == f"PutObject b/k: {status} {code}: why (request id r-2)"


def test_the_resource_of_the_document_is_the_fallback() -> None:
    error = read_error(_response(404, "NoSuchKey"))
    assert (error.resource, error.request_id) == ("/b/k", "r-1")


@pytest.mark.parametrize(
    "message", ["Object is under RETENTION", "it has a legal hold", "object is WORM protected", "Object Lock"]
)
def test_a_denial_for_retention_is_object_protected(message: str) -> None:
    assert type(read_error(_response(403, "AccessDenied", message))) is errors.ObjectProtected


def test_an_error_without_body_is_classified_by_status() -> None:
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
def test_a_body_of_a_proxy_is_quoted(body: bytes) -> None:
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
def test_retry_after_of_an_error(headers: dict[str, str], seconds: float | None) -> None:
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


def test_a_written_error_is_read_back_equal() -> None:
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
def test_the_code_counts_even_if_the_status_is_malformed(body: bytes) -> None:
    assert type(read_error(Response(404, {}, body))) is errors.NoSuchKey


# ---------------------------------------------------------------------------------------------------------------------
# Errors as Python objects


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


def test_errors_inherit_from_builtin_exceptions() -> None:
    with pytest.raises(TimeoutError):
        raise RequestTimeoutError("m", sent=False)
    with pytest.raises(ValueError):
        raise errors.ConfigError("m")
    assert str(RequestTimeoutError("slow", sent=True, attempts=3)) == "slow (the request was sent, after 3 attempts)"


def test_a_code_claimed_twice_is_refused() -> None:
    with pytest.raises(TypeError, match="NoSuchKey is claimed by NoSuchKey and Another"):

        class Another(ServiceError, codes=("NoSuchKey",)):  # pyright: ignore[reportUnusedClass]
            pass

    with pytest.raises(TypeError, match="status 404 is claimed by NotFound and Other"):

        class Other(ServiceError, status=404):  # pyright: ignore[reportUnusedClass]
            pass

    assert ServiceError.by_code["NoSuchKey"] is errors.NoSuchKey


# ---------------------------------------------------------------------------------------------------------------------
# Single parts of an error


@pytest.mark.parametrize(
    ("message", "protected"),
    [
        ("Object is under Retention.", True), ("a Legal Hold is set", True), ("PROTECTED", True), ("Object Lock", True),
        ("WORM", True), ("no access", False), ("", False),
    ],
)  # fmt: skip
def test_words_that_mean_protection(message: str, protected: bool) -> None:
    error = read_error(_response(403, "AccessDenied", message))
    assert type(error) is (errors.ObjectProtected if protected else errors.AccessDenied)
    assert type(read_error(_response(409, "OperationAborted", message))) is errors.Conflict


def test_the_source_of_each_attribute_of_an_error() -> None:
    error = read_error(_response(503, "SlowDown", "m", x_amz_request_id="r-2", Retry_After="5"))
    assert (error.resource, error.request_id, error.retry_after, error.operation) == ("/b/k", "r-2", 5, "")
    assert error.headers["Retry-After"] == "5"
    assert read_error(_response(503, "SlowDown")).request_id == "r-1"
    assert read_error(_response(503, "SlowDown"), "O", "b/k").resource == "b/k"
    date = {"Retry-After": "Fri, 20 Nov 2026 10:01:40 GMT"}
    assert read_error(Response(503, date, b""), now=1_795_168_800.0).retry_after == 100
    assert read_error(Response(503, date, b"")).retry_after is None
    empty = read_error(Response(404, {}, b""))
    assert (type(empty), empty.code, empty.message, empty.resource, empty.request_id) == (errors.NotFound, "404", "", "", None)


def test_every_text_of_a_server_is_redacted() -> None:
    body = "<Error><Code>{0}C</Code><Message>{0}M</Message><Resource>{0}R</Resource><RequestId>{0}I</RequestId></Error>"
    response = Response(400, {"X-Any": "secret!"}, body.replace("{0}", "secret").encode())
    error = read_error(response, redact=lambda text: text.replace("secret", "*"))
    assert (error.code, error.message, error.resource, error.request_id) == ("*C", "*M", "*R", "*I")
    assert error.headers == {"X-Any": "*!"}
    page = read_error(Response(502, {}, b"<p>  a secret\n page </p>"), redact=lambda text: text.replace("secret", "*"))
    assert page.message == "<p> a * page </p>"


@pytest.mark.parametrize(("size", "shown"), [(199, 199), (200, 200), (201, 200), (500, 200)])
def test_a_body_that_is_not_an_error_is_quoted_in_short(size: int, shown: int) -> None:
    assert read_error(Response(502, {}, b"x" * size)).message == "x" * shown
    # Runs of white space become one space, so twice as many characters are read as are quoted.
    assert read_error(Response(502, {}, b"x " * 300)).message == ("x " * 200)[:200]
    assert read_error(Response(502, {}, b" " * 399 + b"x" * 300)).message == "x"
    assert read_error(Response(502, {}, b" " * 400 + b"x" * 300)).message == ""


def test_only_128_kib_of_a_body_are_redacted() -> None:
    seen: list[int] = []

    def redact(text: str) -> str:
        seen.append(len(text))
        return text

    read_error(Response(502, {}, b"x" * 500_000), redact=redact)
    assert seen[0] == 128 * 1024


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"<Error><Code>C</Code></Error>", "C"), (b"", ""), (b"<", ""), (b"<Error/>", ""), (b"x", "")],
)
def test_error_code_of_a_body(body: bytes, code: str) -> None:
    assert error_code(Response(404, {}, body)) == code


@pytest.mark.parametrize(
    ("status", "kept"),
    [("404", 404), ("-5", -5), ("1" * 18, int("1" * 18)), ("1" * 19, None), ("x", None), ("", None), ("5x", None)],
)
def test_status_in_the_document(status: str, kept: int | None) -> None:
    body = f"<Error><Code>C</Code><httpStatusCode>{status}</httpStatusCode></Error>".encode()
    assert ErrorDocument.from_xml(body).status == kept


@pytest.mark.parametrize(
    ("body", "is_page"),
    [
        (b"<html>", True), (b"<HEAD ", True), (b"<body>", True), (b"<!DOCTYPE html>", True), (b"<!doctype  HTML x", True),
        (b"\xef\xbb\xbf \n<?xml version='1.0'?><!-- a\nb --> <html>", True), (b"<htmlx>", False), (b"<!DOCTYPE x>", False),
        (b"text <html>", False), (b"", False), (b"<a><html>", False),
    ],
)  # fmt: skip
def test_is_web_page(body: bytes, is_page: bool) -> None:
    assert is_web_page(body) is is_page


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<ErrorX/>",
        b"<Other><Error/></Other>",
        b"<Error",
        b"<Error><Code>",
        b"<?a?><?b?><Error/>",
        b"x<Error/>",
        b"<error/>",
    ],
)
def test_success_bodies_without_error(body: bytes) -> None:
    assert error_in_success(Response(200, {}, body)) is None


def test_error_in_success() -> None:
    body = (
        b"<Error><Code>SlowDown</Code><Message>m</Message><Resource>/b</Resource><httpStatusCode>503</httpStatusCode></Error>"
    )
    error = error_in_success(Response(200, {"x-amz-request-id": "r", "Retry-After": "7"}, body))
    assert error is not None
    assert (type(error), error.status, error.message, error.resource) == (errors.Throttled, 503, "m", "/b")
    assert (error.request_id, error.retry_after, error.operation) == ("r", 7, "")


def test_write_error() -> None:
    error = ServiceError("a\x01b", status=503, code="SlowDown", resource="/b/\x02", retry_after=1.2)
    written = write_error(error, "r-1")
    assert (written.status, written.headers) == (503, {"Content-Type": "application/xml", "Retry-After": "2"})
    assert written.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>a\xef\xbf\xbdb</Message>'
        b"<Resource>/b/\xef\xbf\xbd</Resource><RequestId>r-1</RequestId><httpStatusCode>503</httpStatusCode></Error>"
    )
    for seconds in (None, math.inf):
        error.retry_after = seconds
        assert write_error(error, "r").headers == {"Content-Type": "application/xml"}
