"""Responses of IAM: tokens, temporary and final failures, and the text of an error."""

from __future__ import annotations

from typing import Any

import pytest

from aiocos.auth.token_fetcher import (
    FetchFailure,
    TokenResponse,
    json_object,
    read_token_response,
)
from aiocos.auth.tokens import Token
from aiocos.wire.message import Response

from .fakes import answer, token

NOW = 1_792_000_000.0

URL = "https://iam.test/identity/token"

ERROR = {"errorCode": "BXNIM0415E", "errorMessage": "no."}


def read(response: Response, **more: Any) -> Token | FetchFailure:
    return read_token_response(response, now=100.0, wall_time=NOW, jitter=0.0, **more)


def failure_in(response: Response, **more: Any) -> FetchFailure:
    read_as = read(response, **more)
    assert isinstance(read_as, FetchFailure)
    return read_as


@pytest.mark.parametrize("status", [400, 401, 403, 408, 425, 429, 500, 501, 503, 599])
def test_temporary_statuses(status: int) -> None:
    failed = failure_in(answer(b"<html>a proxy</html>", status, retry_after="7"))
    assert (failed.text, failed.status, failed.code) == (f"status {status}", status, None)
    assert (failed.final, failed.retry_after) == (False, 7.0)


@pytest.mark.parametrize("status", [199, 202, 203, 204, 299, 402, 404, 405, 407, 409, 424, 426, 428, 430, 499])
def test_final_statuses(status: int) -> None:
    failed = failure_in(answer(b"<html>a proxy</html>", status, retry_after="7"))
    assert (failed.text, failed.status, failed.final, failed.retry_after) == (f"status {status}", status, True, 0.0)


@pytest.mark.parametrize("status", [300, 302, 308, 399])
def test_redirects_are_not_followed(status: int) -> None:
    failed = failure_in(answer(ERROR, status, retry_after="7"))
    assert "a redirect, which is not followed with an API key" in failed.text
    assert (failed.status, failed.code, failed.final, failed.retry_after) == (status, "BXNIM0415E", True, 0.0)


@pytest.mark.parametrize(("status", "final"), [(400, True), (401, True), (403, True), (408, False), (429, False), (500, False)])
def test_error_with_a_code_of_iam_is_final(status: int, final: bool) -> None:
    failed = failure_in(answer(ERROR, status, retry_after="7"))
    assert (failed.code, failed.final) == ("BXNIM0415E", final)
    assert failed.retry_after == (0.0 if final else 7.0)


@pytest.mark.parametrize("status", [200, 201])
def test_token(status: int) -> None:
    made = read(answer({"access_token": "t", "expires_in": 3600}, status))
    assert made == Token.issued("t", 3600.0, now=100.0)


def test_token_field_and_lifetime_of_the_form() -> None:
    kind = TokenResponse("delegated_refresh_token", 600.0)
    assert read(answer({"delegated_refresh_token": "t", "expires_in": 1}), form=kind) == Token.issued("t", 600.0, now=100.0)
    assert "no usable delegated_refresh_token" in failure_in(answer({"access_token": "t"}), form=kind).text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"[]", "no JSON object"),
        (b"nothing", "no JSON object"),
        (b'{"access_token": "t", "expires_in": true}', "no expires_in above 0"),
        (b'{"access_token": "t", "expires_in": [1]}', "no expires_in above 0"),
        (b'{"access_token": "t", "expires_in": "1e999"}', "no expires_in above 0"),
        (b'{"access_token": "t", "expires_in": 1%b}' % (b"0" * 400), "no expires_in above 0"),
        (b'{"access_token": "t", "expires_in": 0}', "no expires_in above 0"),
        (b'{"access_token": "t", "expires_in": "-1"}', "no expires_in above 0"),
        (b'{"access_token": "a b", "expires_in": 1}', "no usable access_token"),
        (b'{"access_token": "\\u007f", "expires_in": 1}', "no usable access_token"),
        (b'{"access_token": "t\\u00fc", "expires_in": 1}', "no usable access_token"),
        (b'{"access_token": "t", "expires_in": 1, "expiration": %d}' % NOW, "already expired"),
    ],
)
def test_response_without_a_token_is_temporary(body: bytes, text: str) -> None:
    failed = failure_in(answer(body))
    assert text in failed.text
    assert (failed.status, failed.code, failed.final, failed.retry_after) == (200, None, False, 0.0)


def test_expiration() -> None:
    body = {"access_token": "~!", "expires_in": "0.5", "expiration": NOW + 1}
    assert read(answer(body)) == Token.issued("~!", 0.5, now=100.0)
    # IAM's own date counts more than the clock here.
    date = "Fri, 20 Nov 2026 10:00:00 GMT"
    for expiration, lives in ((1_795_168_801, True), (1_795_168_800, False)):
        made = read(answer({**body, "expiration": expiration}, date=date))
        assert isinstance(made, Token) is lives
    # One that is no number says nothing.
    assert isinstance(read(answer({**body, "expiration": True})), Token)
    assert isinstance(read(answer({**body, "expiration": "soon"})), Token)


def test_jitter_delays_the_refresh() -> None:
    response = token("t", 1000)
    assert read_token_response(response, now=0.0, wall_time=NOW, jitter=1.0) == Token.issued("t", 1000.0, now=0.0, jitter=1.0)


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"errorCode": "C", "errorMessage": "M"}, "C", " C: M"),
        ({"errorCode": "C"}, "C", " C"),
        ({"errorMessage": "M"}, None, ": M"),
        ({"errorCode": "", "errorMessage": ""}, None, ""),
        ({"errorCode": 7, "errorMessage": 7}, None, ""),
        ({"errorCode": "C", "errorMessage": ["M"]}, "C", " C"),
        ({"errors": [{"code": "c", "message": "m"}]}, "c", " c: m"),
        ({"errors": [{"code": "c", "message": "m"}, {"code": "other"}]}, "c", " c: m"),
        ({"errorCode": "C", "errors": [{"code": "c", "message": "m"}]}, "C", " C"),
        ({"errors": []}, None, ""),
        ({"errors": {"code": "c"}}, None, ""),
        ({"errors": ["c"]}, None, ""),
        ({"errors": "c"}, None, ""),
        ({"errorCode": "A\tB", "errorMessage": "a\r\nb\u2028c"}, "A B", " A B: a  b c"),
        ({"errorCode": "C", "errorMessage": "M" * 301}, "C", " C: " + "M" * 300),
        ({"errorCode": "C", "context": {"requestId": "r\n1"}}, "C", " C (request id r 1)"),
    ],
)
def test_error_details(body: object, code: str | None, text: str) -> None:
    failed = failure_in(answer(body, 404))
    assert (failed.code, failed.text) == (code, f"status 404{text}")


def test_error_details_are_redacted_before_they_are_shortened() -> None:
    body = {"errorCode": "C-hush", "errorMessage": "x" * 297 + "hush", "context": {"requestId": "r-hush"}}
    failed = failure_in(answer(body, 404), redact=lambda text: text.replace("hush", "***"))
    assert failed.code == "C-***"
    assert failed.text == f"status 404 C-***: {'x' * 297}*** (request id r-***)"


def test_json_object() -> None:
    assert json_object(answer({"a": 1})) == {"a": 1}
    for body in (b"[1]", b"", b"{", b"\xff", b"[" * 100_000, b"7"):
        assert json_object(answer(body)) is None


@pytest.mark.parametrize(
    ("context", "header", "shown"),
    [
        ({"requestId": "of-the-body"}, "of-the-header", "of-the-body"),
        ({"requestId": ""}, "of-the-header", "of-the-header"),
        ({}, "of-the-header", "of-the-header"),
        (None, "of-the-header", "of-the-header"),
        ("no object", "of-the-header", "of-the-header"),
        ({"requestId": "of-the-body"}, None, "of-the-body"),
        ({"requestId": 7}, None, None),
        (None, None, None),
    ],
)
def test_request_id(context: object, header: str | None, shown: str | None) -> None:
    text = {"errorCode": "BXNIM0415E", "errorMessage": "no.", "context": context}
    headers = {} if header is None else {"transaction_id": header}
    failed = failure_in(answer(text, 400, **headers))
    assert failed.text == "status 400 BXNIM0415E: no." + (f" (request id {shown})" if shown else "")
