"""API keys: endpoints, the forms posted to IAM, and sharing of tokens."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import logging
import pickle
import time

import pytest
from pydantic import SecretStr

from aiocos.auth.base import AuthSettings
from aiocos.auth.iam import DEFAULT_ENDPOINT, ApiKey, IamClient, token_url
from aiocos.auth.keys import Hmac
from aiocos.errors import ConfigError, CredentialsError

from .fakes import DOWN, KEY, FakeIam, answer, outgoing

NOT_FOUND = {
    "errorCode": "BXNIM0415E",
    "errorMessage": "Provided API key could not be found.",
    "context": {"requestId": "abc-123", "url": "https://iam.test"},
}

URL = "https://iam.test/identity/token"


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
def test_token_url(given: str | None, url: str) -> None:
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
def test_invalid_endpoints_are_refused_by_credentials_and_settings(given: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ApiKey(KEY, iam_endpoint=given)
    assert "password@" not in str(raised.value)
    with pytest.raises(ConfigError):
        ApiKey(KEY).authorizer(AuthSettings(http=FakeIam().http, iam_endpoint=given))


def test_credentials_are_frozen_picklable_and_hide_secrets() -> None:
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


def test_settings_without_an_http_client_are_refused() -> None:
    with pytest.raises(ConfigError, match="without an HTTP client"):
        ApiKey(KEY).authorizer(AuthSettings())


async def test_ten_clients_with_one_key_share_one_fetch(caplog: pytest.LogCaptureFixture) -> None:
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


async def test_endpoint_of_the_client_wins_over_that_of_the_key() -> None:
    iam = FakeIam()
    key = ApiKey(KEY, iam_endpoint="of-the-key.test/oidc/token")
    await key.authorizer(AuthSettings(http=iam.http)).authorize(outgoing())
    await key.authorizer(AuthSettings(http=iam.http, iam_endpoint="of-the-client.test")).authorize(outgoing())
    assert [request.url for request in iam.requests] == [
        "https://of-the-key.test/oidc/token",
        "https://of-the-client.test/identity/token",
    ]


async def test_thousand_calls_share_one_failed_fetch() -> None:
    iam = FakeIam(DOWN)
    client = ApiKey(KEY).authorizer(AuthSettings(http=iam.http, iam_endpoint="down.test"))
    requests = [outgoing() for _ in range(1_000)]
    results = await asyncio.gather(*map(client.authorize, requests), return_exceptions=True)
    assert all(isinstance(result, CredentialsError) and "connection refused" in str(result) for result in results)
    assert not any(request.headers for request in requests)
    assert len(iam.requests) == 5, "the attempts of one fetch"


async def test_form_of_an_api_key() -> None:
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


async def test_delegated_token_is_valid_for_six_days() -> None:
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


async def test_error_has_the_name_of_the_identity() -> None:
    iam = FakeIam(answer(NOT_FOUND, 400))
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    for key, whose in (
        (ApiKey(KEY), f"the API key {digest[:8]}… from"),
        (ApiKey(KEY, "crn:x"), f"the API key {digest[:8]}… for the instance crn:x from"),
    ):
        for fetch in (key.fetcher(AuthSettings(http=iam.http)), key.delegation(AuthSettings(http=iam.http), "aspera")):
            with pytest.raises(CredentialsError, match=f"no token for {whose} {DEFAULT_ENDPOINT} after 1 attempt"):
                await fetch()


def test_cache_key() -> None:
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
def test_client_id_and_secret_are_needed_together(given: dict[str, str], missing: str) -> None:
    with pytest.raises(ConfigError, match=f"given together: {missing} is missing$"):
        IamClient(**given)


def test_empty_arguments_count_as_missing() -> None:
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
def test_token_url_keeps_a_path(given: str, url: str) -> None:
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
def test_messages_for_invalid_endpoints(given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        token_url(given)
