"""Read IAM's responses: which of them may pass, what is said of them, and how long to wait."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from aiocos.auth.token_fetcher import (
    FetchFailure,
    FetchPolicy,
    FormTokenFetcher,
    TokenResponse,
    json_object,
    read_token_response,
)
from aiocos.auth.tokens import Token
from aiocos.errors import CredentialsError, RequestTimeoutError
from aiocos.wire.message import Response

from .fakes import Clock, FakeIam, Pauses, answer, token

NOW = 1_792_000_000.0
URL = "https://iam.test/identity/token"
TOLD = {"errorCode": "BXNIM0415E", "errorMessage": "no."}


def read(response: Response, **more: Any) -> Token | FetchFailure:
    return read_token_response(response, now=100.0, wall_time=NOW, jitter=0.0, **more)


def refused(response: Response, **more: Any) -> FetchFailure:
    read_as = read(response, **more)
    assert isinstance(read_as, FetchFailure)
    return read_as


@pytest.mark.parametrize("status", [400, 401, 403, 408, 425, 429, 500, 501, 503, 599])
def test_statuses_that_may_pass(status: int) -> None:
    said = refused(answer(b"<html>a proxy</html>", status, retry_after="7"))
    assert (said.text, said.status, said.code) == (f"status {status}", status, None)
    assert (said.final, said.retry_after) == (False, 7.0)


@pytest.mark.parametrize("status", [199, 202, 203, 204, 299, 402, 404, 405, 407, 409, 424, 426, 428, 430, 499])
def test_statuses_that_cannot_pass(status: int) -> None:
    said = refused(answer(b"<html>a proxy</html>", status, retry_after="7"))
    assert (said.text, said.status, said.final, said.retry_after) == (f"status {status}", status, True, 0.0)


@pytest.mark.parametrize("status", [300, 302, 308, 399])
def test_redirects_are_not_followed(status: int) -> None:
    said = refused(answer(TOLD, status, retry_after="7"))
    assert "a redirect, which is not followed with an API key" in said.text
    assert (said.status, said.code, said.final, said.retry_after) == (status, "BXNIM0415E", True, 0.0)


@pytest.mark.parametrize(("status", "final"), [(400, True), (401, True), (403, True), (408, False), (429, False), (500, False)])
def test_a_refusal_in_iams_own_words_is_final(status: int, final: bool) -> None:
    said = refused(answer(TOLD, status, retry_after="7"))
    assert (said.code, said.final) == ("BXNIM0415E", final)
    assert said.retry_after == (0.0 if final else 7.0)


@pytest.mark.parametrize("status", [200, 201])
def test_a_token(status: int) -> None:
    made = read(answer({"access_token": "t", "expires_in": 3600}, status))
    assert made == Token.issued("t", 3600.0, now=100.0)


def test_a_token_under_another_name_with_a_lifetime_of_its_own() -> None:
    kind = TokenResponse("delegated_refresh_token", 600.0)
    assert read(answer({"delegated_refresh_token": "t", "expires_in": 1}), form=kind) == Token.issued("t", 600.0, now=100.0)
    assert "no usable delegated_refresh_token" in refused(answer({"access_token": "t"}), form=kind).text


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
def test_what_is_no_token_counts_as_a_200_that_may_pass(body: bytes, text: str) -> None:
    said = refused(answer(body))
    assert text in said.text
    assert (said.status, said.code, said.final, said.retry_after) == (200, None, False, 0.0)


def test_a_token_lives_while_its_expiration_lies_ahead() -> None:
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


def test_the_spread_delays_the_refresh() -> None:
    response = token("t", 1000)
    assert read_token_response(response, now=0.0, wall_time=NOW, jitter=1.0) == Token.issued("t", 1000.0, now=0.0, jitter=1.0)


@pytest.mark.parametrize(
    ("body", "code", "told"),
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
def test_iams_words(body: object, code: str | None, told: str) -> None:
    said = refused(answer(body, 404))
    assert (said.code, said.text) == (code, f"status 404{told}")


def test_iams_words_are_redacted_before_they_are_shortened() -> None:
    body = {"errorCode": "C-hush", "errorMessage": "x" * 297 + "hush", "context": {"requestId": "r-hush"}}
    said = refused(answer(body, 404), redact=lambda text: text.replace("hush", "***"))
    assert said.code == "C-***"
    assert said.text == f"status 404 C-***: {'x' * 297}*** (request id r-***)"


def test_json_objects() -> None:
    assert json_object(answer({"a": 1})) == {"a": 1}
    for body in (b"[1]", b"", b"{", b"\xff", b"[" * 100_000, b"7"):
        assert json_object(answer(body)) is None


# The attempts


def exchange(iam: FakeIam, pauses: Pauses, chance: float = 0.0, **more: Any) -> FormTokenFetcher:
    clock = pauses.clock
    form = more.pop("form", {"apikey": "k"})
    return FormTokenFetcher(URL, form, iam.http, pause=pauses, clock=clock, wall_clock=lambda: NOW, draw=lambda: chance, **more)


async def failure(fetch: FormTokenFetcher) -> CredentialsError:
    with pytest.raises(CredentialsError) as raised:
        await fetch()
    return raised.value


def test_how_hard_is_tried_unless_said_otherwise() -> None:
    assert FetchPolicy() == FetchPolicy(attempts=5, attempt_timeout=10.0, deadline=30.0, base=0.1, cap=5.0)


async def test_pauses_double_up_to_the_cap() -> None:
    pauses, iam = Pauses(Clock()), FakeIam(answer(b"", 500))
    await failure(exchange(iam, pauses, 1.0, policy=FetchPolicy(attempts=9, deadline=1_000.0)))
    assert pauses.taken == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


async def test_an_attempt_begins_only_while_the_deadline_has_not_come() -> None:
    pauses, iam = Pauses(Clock()), FakeIam(answer(b"", 429, retry_after="1"))
    error = await failure(exchange(iam, pauses))
    # The thirtieth begins at 29 s; the next one would begin at the deadline itself.
    assert len(iam.requests) == 30
    assert sum(pauses.taken) == 29
    assert str(error) == f"no token for the API key from {URL} after 30 attempts: status 429 (it asks to wait 1 s)"


async def test_refusals_for_haste_do_not_count_among_the_attempts() -> None:
    busy, down = answer(b"", 429), answer(b"", 500)
    pauses, iam = Pauses(Clock()), FakeIam(busy, down, busy, busy, down, busy, down, token("never"))
    error = await failure(exchange(iam, pauses, policy=FetchPolicy(attempts=3)))
    assert error.status == 500
    assert len(iam.requests) == 7
    assert "after 7 attempts" in str(error)


async def test_the_number_of_attempts() -> None:
    for attempts in (1, 2):
        iam = FakeIam(answer(b"", 500))
        error = await failure(exchange(iam, Pauses(Clock()), policy=FetchPolicy(attempts=attempts)))
        assert len(iam.requests) == attempts
        assert f"after {attempts} attempt{'s' if attempts > 1 else ''}: status 500" in str(error)


async def test_an_attempt_has_its_own_limit() -> None:
    iam = FakeIam(token("t"))
    await exchange(iam, Pauses(Clock()))()
    assert iam.limits == [10.0]


async def test_an_attempt_that_times_out_is_told_with_its_limit() -> None:
    iam = FakeIam(RequestTimeoutError("nothing came", sent=True))
    error = await failure(exchange(iam, Pauses(Clock()), policy=FetchPolicy(attempts=1)))
    assert "after 1 attempt: no response: nothing came" in str(error)
    iam = FakeIam()
    iam.gate.clear()
    error = await failure(exchange(iam, Pauses(Clock()), policy=FetchPolicy(attempts=1, attempt_timeout=0.01)))
    assert "no response within 0 s" in str(error)
    assert isinstance(error.__cause__, TimeoutError)
    assert error.status is None


async def test_a_secret_in_the_cause_is_taken_out() -> None:
    iam = FakeIam(RequestTimeoutError("asked with apikey=a-long-key", sent=True))
    error = await failure(exchange(iam, Pauses(Clock()), form={"apikey": "a-long-key"}, policy=FetchPolicy(attempts=1)))
    assert "a-long-key" not in f"{error} {error.__cause__}"


async def test_a_form_is_made_anew_for_each_attempt_and_its_secrets_are_hidden() -> None:
    made: list[str] = []

    def form() -> dict[str, str]:
        made.append(f"secret-number-{len(made)}")
        return {"grant_type": "g", "cr_token": made[-1]}

    told = answer({"errorCode": "C", "errorMessage": "secret-number-0 and secret-number-1"}, 404)
    iam = FakeIam(answer(b"", 500), told)
    fetch = exchange(iam, Pauses(Clock()), form=form, secret_fields=("cr_token", "not_there"), authorization=None)
    error = await failure(fetch)
    assert [iam.form(number)["cr_token"] for number in (0, 1)] == [["secret-number-0"], ["secret-number-1"]]
    assert "C: *** and ***" in str(error)
    assert "Authorization" not in iam.requests[0].headers
    assert fetch.secrets == {"secret-number-0", "secret-number-1"}


async def test_a_form_that_stays_has_its_secrets_hidden_from_the_start() -> None:
    fetch = exchange(FakeIam(), Pauses(Clock()), form={"apikey": "key", "password": "word"}, secret_fields=("apikey", "other"))
    assert fetch.secrets == {"key"}
    assert exchange(FakeIam(), Pauses(Clock()), form={"apikey": ""}).secrets == set()


async def test_the_secret_of_a_client_of_its_own_is_hidden() -> None:
    told = answer({"errorCode": "C", "errorMessage": "hush-hush bWU6aHVzaC1odXNo Yng6Yng="}, 404)
    for authorization, words in (("Basic bWU6aHVzaC1odXNo", "*** *** Yng6Yng="), (None, "hush-hush bWU6aHVzaC1odXNo Yng6Yng=")):
        error = await failure(exchange(FakeIam(told), Pauses(Clock()), authorization=authorization))
        assert f"C: {words}" in str(error)
    # The one that everybody has is no secret.
    assert exchange(FakeIam(told), Pauses(Clock())).secrets == {"k"}


async def test_the_clocks_are_the_machines_unless_given() -> None:
    iam = FakeIam(token("t", 3600, expiration=time.time() + 60))
    before = asyncio.get_running_loop().time()
    made = await FormTokenFetcher(URL, {"apikey": "k"}, iam.http)()
    assert before <= made.expires_at - 3600 <= time.monotonic()
    assert (iam.requests[0].origin, iam.requests[0].path) == ("https://iam.test", "/identity/token")
