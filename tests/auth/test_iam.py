"""API keys traded for tokens: what is sent to IAM, what its answers mean, and that the key shows nowhere."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import logging
import pickle
import time
import traceback
from email.utils import formatdate
from urllib.parse import quote_plus

import pytest
from pydantic import SecretStr

from aiocos.auth.base import AuthSettings
from aiocos.auth.iam import DEFAULT_ENDPOINT, ApiKey, IamClient, token_url
from aiocos.auth.keys import Hmac
from aiocos.auth.token_fetcher import FetchPolicy, FormTokenFetcher
from aiocos.auth.tokens import Token
from aiocos.errors import ConfigError, ConnectionLostError, CredentialsError
from aiocos.wire.message import Response

from .fakes import DOWN, KEY, Clock, FakeIam, Pauses, answer, outgoing, token

NOT_FOUND = {
    "errorCode": "BXNIM0415E",
    "errorMessage": "Provided API key could not be found.",
    "context": {"requestId": "abc-123", "url": "https://iam.test"},
}
URL = "https://iam.test/identity/token"
NOW = 1_792_000_000.0


class Bench:
    """An exchange whose time, pauses and luck are in the test's hand."""

    def __init__(self, *script: Response | Exception, chance: float = 0.5, **policy: float) -> None:
        self.clock = Clock()
        self.pauses = Pauses(self.clock)
        self.iam = FakeIam(*script)
        self.fetch = FormTokenFetcher(
            URL,
            {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "response_type": "cloud_iam", "apikey": KEY},
            self.iam.http,
            policy=FetchPolicy(**policy),  # type: ignore[arg-type]
            pause=self.pauses,
            clock=self.clock,
            wall_clock=lambda: NOW,
            draw=lambda: chance,
        )

    async def fails(self) -> CredentialsError:
        with pytest.raises(CredentialsError) as raised:
            await self.fetch()
        assert self.iam.open == 0
        assert KEY not in "".join(traceback.format_exception(raised.value))
        return raised.value


async def test_the_request_is_the_one_the_sdk_sends() -> None:
    bench = Bench()
    made = await bench.fetch()
    assert isinstance(made, Token)
    assert made.value == "token-1"
    assert made.expires_at == bench.clock.now + 3_600
    (request,) = bench.iam.requests
    assert (request.method, request.url) == ("POST", URL)
    assert bench.iam.form() == {
        "grant_type": ["urn:ibm:params:oauth:grant-type:apikey"],
        "response_type": ["cloud_iam"],
        "apikey": [KEY],
    }
    assert request.headers == {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Authorization": "Basic Yng6Yng=",
        "Cache-Control": "no-cache",
    }
    assert bench.iam.open == 0


async def test_a_key_that_iam_does_not_know_fails_at_once_in_iams_words() -> None:
    for status in (400, 401, 403):
        bench = Bench(answer(NOT_FOUND, status))
        error = await bench.fails()
        assert len(bench.iam.requests) == 1
        assert (error.status, error.code) == (status, "BXNIM0415E")
        assert str(error) == (
            f"no token for the API key from {URL} after 1 attempt: status {status} BXNIM0415E: "
            "Provided API key could not be found. (request id abc-123)"
        )


@pytest.mark.parametrize(
    "bad",
    [
        DOWN,
        ConnectionLostError("cut", sent=True),
        answer(b"", 500),
        answer(b"<html>busy</html>", 502),
        answer({"errorCode": "BXNIM0513S", "errorMessage": "busy"}, 503),
        answer(b"<html>proxy</html>", 403),
        answer(b"no json"),
        answer(b"\xff\xfe"),
        answer(b"[" * 100_000),
        answer([1]),
        answer({"expires_in": 3600}),
        token(""),
        token("two words"),
        token("line\r\nX-Injected: 1"),
        answer({"access_token": 7, "expires_in": 3600}),
        token("t", 0),
        token("t", -1),
        token("t", "soon"),
        token("t", True),
        token("t", None),
        answer(b'{"access_token": "t", "expires_in": Infinity}'),
        token("t", 3600, expiration=NOW - 1),
    ],
    ids=lambda bad: repr(bad)[:60],
)
async def test_what_may_pass_is_tried_five_times_and_then_told(bad: Response | Exception) -> None:
    bench = Bench(bad)
    error = await bench.fails()
    assert len(bench.iam.requests) == 5
    assert "after 5 attempts" in str(error)
    assert bench.pauses.taken == pytest.approx([0.05, 0.1, 0.2, 0.4])
    if isinstance(bad, Exception):
        assert error.__cause__ is bad

    bench = Bench(bad, token("good"))
    assert (await bench.fetch()).value == "good"
    assert len(bench.iam.requests) == 2


async def test_who_is_asked_to_come_back_does_so_while_there_is_time() -> None:
    bench = Bench(answer(b"", 429, retry_after="1"))
    error = await bench.fails()
    assert error.status == 429
    assert 10 < len(bench.iam.requests) <= 30  # thirty seconds of at least one second each
    assert sum(bench.pauses.taken) < 30
    assert min(bench.pauses.taken) >= 1


@pytest.mark.parametrize("status", [301, 307, 404, 405, 400])
async def test_what_cannot_pass_is_not_tried_again(status: int) -> None:
    bench = Bench(answer(NOT_FOUND if status == 400 else b"", status, location="https://elsewhere.test/"))
    error = await bench.fails()
    assert len(bench.iam.requests) == 1
    assert error.status == status
    assert ("a redirect, which is not followed with an API key" in str(error)) == (status < 400)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "-3"}, 0.0),
        ({"retry_after": "soon"}, 0.0),
        ({"retry_after": "nan"}, 0.0),
        ({"retry_after": "-inf"}, 0.0),
        ({"retry_after": "-1e9"}, 0.0),
        ({"retry_after": formatdate(NOW + 9, usegmt=True)}, 9.0),
        ({"retry_after": "Fri, 20 Nov 2026 10:00:09 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 9.0),
        ({"retry_after": "Fri, 20 Nov 2026 09:00:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 0.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503, 400])
async def test_retry_after_is_honoured_with_a_little_jitter(status: int, headers: dict[str, str], wait: float) -> None:
    bench = Bench(answer(b"", status, **headers), token("good"))
    assert (await bench.fetch()).value == "good"
    assert bench.pauses.taken == [pytest.approx(wait + 0.05)]


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    bench = Bench(answer(b"", 429, retry_after="120"))
    error = await bench.fails()
    assert len(bench.iam.requests) == 1
    assert not bench.pauses.taken
    assert error.status == 429
    assert "asks to wait 120 s" in str(error)


@pytest.mark.parametrize("value", ["1e9", "inf", "9" * 400, "Fri, 20 Nov 2099 10:00:09 GMT"])
@pytest.mark.parametrize("status", [429, 503, 400])
async def test_a_wait_that_nobody_waits_is_told_at_once(status: int, value: str) -> None:
    bench = Bench(answer(b"", status, retry_after=value), token("good"))
    assert (await bench.fails()).status == status
    assert len(bench.iam.requests) == 1
    assert not bench.pauses.taken


async def test_an_iam_that_hangs_is_given_up_within_the_deadline() -> None:
    bench = Bench(attempt_timeout=0.02, deadline=0.06)
    bench.clock = asyncio.get_running_loop().time  # type: ignore[assignment]
    bench.fetch._clock = asyncio.get_running_loop().time
    bench.fetch._pause = asyncio.sleep
    bench.iam.gate.clear()
    async with asyncio.timeout(60):
        error = await bench.fails()
    assert "no response within" in str(error)
    assert isinstance(error.__cause__, TimeoutError)
    assert 1 <= len(bench.iam.requests) <= 4
    assert max(bench.iam.limits) <= 0.02


async def test_the_last_attempt_has_what_the_deadline_leaves() -> None:
    bench = Bench(attempt_timeout=10.0, deadline=16.0)

    def slow() -> Response:
        bench.clock.now += 9
        return answer(b"", 500)

    bench.iam.script = [slow]
    await bench.fails()
    assert bench.iam.limits == [10.0, pytest.approx(6.95)]


async def test_the_age_of_a_token_is_counted_from_before_it_was_asked_for() -> None:
    bench = Bench()

    def slow() -> Response:
        bench.clock.now += 30
        return token("slow", 3600)

    bench.iam.script = [slow]
    before = bench.clock.now
    assert (await bench.fetch()).expires_at == before + 3_600


async def test_expiration_is_read_by_iams_clock_where_it_shows_one() -> None:
    date = "Fri, 20 Nov 2026 10:00:00 GMT"  # 1795168800: far from the clock here
    good = answer({"access_token": "t", "expires_in": "3600", "expiration": 1_795_172_400}, date=date)
    assert (await Bench(good).fetch()).value == "t"
    stale = answer({"access_token": "t", "expires_in": 3600, "expiration": 1_795_168_799}, date=date)
    assert "already expired" in str(await Bench(stale).fails())


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
async def test_the_request_id_is_said_wherever_iam_has_it(context: object, header: str | None, shown: str | None) -> None:
    told = {"errorCode": "BXNIM0415E", "errorMessage": "no.", "context": context}
    headers = {} if header is None else {"transaction_id": header}
    error = await Bench(answer(told, 400, **headers)).fails()
    assert str(error).endswith("BXNIM0415E: no." + (f" (request id {shown})" if shown else ""))


async def test_nothing_that_iam_repeats_shows_the_key() -> None:
    told = {"errorCode": KEY, "errorMessage": f"bad key {KEY} in apikey={quote_plus(KEY)}\r\nforged line"}
    error = await Bench(answer(told, 400)).fails()
    text = f"{error} {error!r} {vars(error)}"
    assert KEY not in text
    assert quote_plus(KEY) not in text
    assert "\n" not in str(error)


# The key


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, DEFAULT_ENDPOINT),
        ("  ", DEFAULT_ENDPOINT),
        ("iam.test", URL),
        ("https://iam.test", URL),
        ("https://iam.test/", URL),
        (" https://iam.test/oidc/token ", "https://iam.test/oidc/token"),
        ("iam.test/oidc/token", "https://iam.test/oidc/token"),
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001/identity/token"),
        ("http://localhost:9001/x", "http://localhost:9001/x"),
        ("http://[::1]:9001", "http://[::1]:9001/identity/token"),
    ],
)
def test_endpoints_are_completed(given: str | None, url: str) -> None:
    assert token_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "http://iam.test",
        "http://127.0.0.1.evil.test",
        "http://localhost@evil.test",
        "ftp://iam.test",
        "https://",
        "https://user:password@iam.test",
        "https://iam.test?x=1",
        "https://iam.test#x",
        "https://iam.test:port",
        "https://iam test",
        "https://[::1",
    ],
)
def test_endpoints_that_cannot_be_are_refused_where_they_are_given(given: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ApiKey(KEY, iam_endpoint=given)
    assert "password@" not in str(raised.value)
    with pytest.raises(ConfigError):
        ApiKey(KEY).authorizer(AuthSettings(http=FakeIam().http, iam_endpoint=given))


def test_credentials_are_frozen_picklable_and_silent() -> None:
    for made in (ApiKey(KEY, "crn:x", "iam.test"), Hmac("id", KEY, KEY, "crn:x")):
        again = pickle.loads(pickle.dumps(made))
        assert again == made == copy.deepcopy(made)
        assert hash(again) == hash(made)
        assert again.service_instance_id == "crn:x"
        for text in (repr(made), str(made), repr(again), f"{made}"):
            assert KEY not in text
        with pytest.raises(AttributeError):
            made.instance_id = "other"  # type: ignore[misc]
    assert ApiKey(f" {KEY}\n").api_key.get_secret_value() == KEY
    assert ApiKey(KEY) != ApiKey("other")
    with pytest.raises(ConfigError):
        ApiKey(" \n")


def test_a_key_without_a_way_to_iam_is_refused() -> None:
    with pytest.raises(ConfigError, match="without an HTTP client"):
        ApiKey(KEY).authorizer(AuthSettings())


# Clients


async def test_ten_clients_with_one_key_take_one_token_whoever_closes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    iam = FakeIam()
    iam.gate.clear()
    clients = [ApiKey(KEY).authorizer(AuthSettings(http=iam.http, iam_endpoint="shared.test")) for _ in range(10)]
    requests = [outgoing() for _ in range(40)]
    calls = [asyncio.create_task(clients[number % 10].authorize(request)) for number, request in enumerate(requests)]
    await asyncio.sleep(0.01)
    assert not any(request.headers for request in requests), "nothing goes out without a token"
    calls[0].cancel()
    await clients[0].close()  # the one that began the fetch
    iam.gate.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [None] * 39
    assert {request.headers["Authorization"] for request in requests[1:]} == {"Bearer token-1"}
    assert len(iam.requests) == 1
    assert iam.open == 0
    assert KEY not in caplog.text

    for other in (
        ApiKey("another").authorizer(AuthSettings(http=iam.http, iam_endpoint="shared.test")),
        ApiKey(KEY).authorizer(AuthSettings(http=iam.http, iam_endpoint="elsewhere.test")),
        ApiKey(KEY).authorizer(AuthSettings(http=iam.http, iam_endpoint="shared.test", verify_tls=False)),
    ):
        before = len(iam.requests)
        await other.authorize(outgoing())
        assert len(iam.requests) == before + 1, "another key, another place, other checks: another token"


async def test_the_endpoint_of_the_client_is_preferred_to_that_of_the_key() -> None:
    iam = FakeIam()
    key = ApiKey(KEY, iam_endpoint="of-the-key.test/oidc/token")
    await key.authorizer(AuthSettings(http=iam.http)).authorize(outgoing())
    await key.authorizer(AuthSettings(http=iam.http, iam_endpoint="of-the-client.test")).authorize(outgoing())
    assert [request.url for request in iam.requests] == [
        "https://of-the-key.test/oidc/token",
        "https://of-the-client.test/identity/token",
    ]


async def test_iam_down_is_one_quick_error_for_each_of_a_thousand_calls() -> None:
    iam = FakeIam(DOWN)
    client = ApiKey(KEY).authorizer(AuthSettings(http=iam.http, iam_endpoint="down.test"))
    requests = [outgoing() for _ in range(1_000)]
    results = await asyncio.gather(*map(client.authorize, requests), return_exceptions=True)
    assert all(isinstance(result, CredentialsError) and "connection refused" in str(result) for result in results)
    assert not any(request.headers for request in requests)
    assert len(iam.requests) == 5, "the attempts of one fetch"


# What is asked for


async def test_the_form_of_a_key() -> None:
    iam = FakeIam()
    settings = AuthSettings(http=iam.http)
    await ApiKey(KEY, "crn:x").fetcher(settings)()
    form = {"grant_type": ["urn:ibm:params:oauth:grant-type:apikey"], "response_type": ["cloud_iam"], "apikey": [KEY]}
    assert iam.form() == form
    assert iam.requests[0].url == DEFAULT_ENDPOINT
    assert iam.requests[0].headers["Authorization"] == "Basic Yng6Yng="
    await ApiKey(KEY, scope="ibm openid", client_id="me", client_secret="hush").fetcher(settings)()
    assert iam.form() == {**form, "scope": ["ibm openid"]}
    assert iam.requests[1].headers["Authorization"] == "Basic bWU6aHVzaA=="


async def test_a_delegated_token_lasts_six_days() -> None:
    iam = FakeIam(answer({"delegated_refresh_token": "delegated"}))
    key = ApiKey(KEY, client_id="me", client_secret="hush", scope="not for this")
    before = time.monotonic()
    made = await key.delegation(AuthSettings(http=iam.http), "aspera_ats")()
    assert made.value == "delegated"
    assert made.expires_at == pytest.approx(before + 6 * 86_400, abs=60)
    assert iam.form() == {
        "grant_type": ["urn:ibm:params:oauth:grant-type:apikey"],
        "response_type": ["delegated_refresh_token"],
        "receiver_client_ids": ["aspera_ats"],
        "apikey": [KEY],
    }
    assert iam.requests[0].headers["Authorization"] == "Basic bWU6aHVzaA=="


async def test_a_failure_says_whose_key_it_is() -> None:
    iam = FakeIam(answer(NOT_FOUND, 400))
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    for key, whose in (
        (ApiKey(KEY), f"the API key {digest[:8]}… from"),
        (ApiKey(KEY, "crn:x"), f"the API key {digest[:8]}… for the instance crn:x from"),
    ):
        for fetch in (key.fetcher(AuthSettings(http=iam.http)), key.delegation(AuthSettings(http=iam.http), "aspera")):
            with pytest.raises(CredentialsError, match=f"no token for {whose} {DEFAULT_ENDPOINT} after 1 attempt"):
                await fetch()


def test_identities_share_tokens_only_where_everything_is_the_same() -> None:
    settings = AuthSettings()
    client = {"client_id": "me", "client_secret": "hush"}
    identities = [
        ApiKey("one").cache_key(settings),
        ApiKey("two").cache_key(settings),
        ApiKey("one", iam_endpoint="iam.test").cache_key(settings),
        ApiKey("one").cache_key(AuthSettings(verify_tls=False)),
        ApiKey("one", **client).cache_key(settings),
        ApiKey("one", **{**client, "client_id": "you"}).cache_key(settings),
        ApiKey("one", **{**client, "client_secret": "other"}).cache_key(settings),
        ApiKey("one", scope="ibm").cache_key(settings),
    ]
    assert len(set(identities)) == len(identities)
    assert ApiKey("one", "crn:x").cache_key(settings) == identities[0], "a token is good for all instances"
    for identity in identities:
        assert "hush" not in repr(identity)
        assert "one" not in identity


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"client_id": "me"}, "client_secret"),
        ({"client_secret": "hush"}, "client_id"),
        ({"client_id": "me", "client_secret": " "}, "client_secret"),
    ],
)
def test_half_a_client_is_refused(given: dict[str, str], missing: str) -> None:
    with pytest.raises(ConfigError, match=f"given together: {missing} is missing$"):
        IamClient(**given)


def test_what_is_empty_is_not_given() -> None:
    assert IamClient("", "", "", "") == IamClient()
    assert IamClient(client_id="me", client_secret=SecretStr(" hush\n")) == IamClient(None, "me", "hush")
    assert ApiKey("k", "", "").service_instance_id is None
    assert ApiKey("k", "", "") == ApiKey("k")
    assert ApiKey("k", iam_endpoint="iam.test").iam_endpoint == "iam.test"
    assert IamClient().authorization(None) is None
    assert IamClient().authorization("Basic x") == "Basic x"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://iam.test/X", "https://iam.test/X"),
        ("https://iam.test//", "https://iam.test/identity/token"),
        ("http://127.0.0.1/token", "http://127.0.0.1/token"),
        ("iam.test:8443", "https://iam.test:8443/identity/token"),
    ],
)
def test_a_path_that_is_given_is_kept(given: str, url: str) -> None:
    assert token_url(given) == url


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("http://iam.test", r"an API key is not sent to http://iam\.test: plain http"),
        ("https://iam.test?x", "an https URL without a query: https://iam.test"),
        ("https://iam.test#x", "an https URL without a query: https://iam.test"),
        ("ftp://iam.test/x", "an https URL without a query: ftp://iam.test/x"),
        ("https://user@iam.test", "without a user name and password"),
        ("https://iam.test/a b", "without a user name and password"),
        ("https://iam.test/a\tb\x01", "without a user name and password"),
        ("https://iam.test:99999", "without a user name and password"),
        ("https://:443", "without a user name and password"),
    ],
)
def test_an_endpoint_that_cannot_be_is_told_by_its_fault(given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        token_url(given)
