"""Trusted profiles: the requests of each way of authentication, endpoints, and invalid arguments."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from aiocos.auth.base import AuthSettings
from aiocos.auth.profile import METADATA_ENDPOINT, TOKEN_FILES, TrustedProfile
from aiocos.auth.token_fetcher import FetchPolicy
from aiocos.auth.tokens import Token
from aiocos.errors import ConfigError, CredentialsError

from .fakes import FakeIam, answer, outgoing, token

CR = "urn:ibm:params:oauth:grant-type:cr-token"
ASSUME = "urn:ibm:params:oauth:grant-type:assume"


async def fetched(profile: TrustedProfile, iam: FakeIam, **settings: Any) -> Token:
    return await profile.fetcher(AuthSettings(http=iam.http, **settings))()


@pytest.mark.parametrize(
    ("named", "form"),
    [
        ({"profile_id": "p"}, {"profile_id": ["p"]}),
        ({"profile_name": "n"}, {"profile_name": ["n"]}),
        (
            {"profile_id": "p", "profile_crn": "c", "profile_name": "n"},
            {"profile_id": ["p"], "profile_crn": ["c"], "profile_name": ["n"]},
        ),
        ({"profile_id": "p", "scope": "ibm"}, {"profile_id": ["p"], "scope": ["ibm"]}),
    ],
)
async def test_form_of_a_compute_resource(tmp_path: Path, named: dict[str, str], form: dict[str, list[str]]) -> None:
    file = tmp_path / "token"
    file.write_text(" compute-token\n")
    iam = FakeIam()
    assert (await fetched(TrustedProfile(token_file=file, iam_endpoint="iam.test", **named), iam)).value == "token-1"
    assert iam.form() == {"grant_type": [CR], "cr_token": ["compute-token"], **form}
    assert iam.requests[0].url == "https://iam.test/identity/token"
    assert "Authorization" not in iam.requests[0].headers


async def test_client_id_and_scope(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("compute-token")
    iam = FakeIam()
    client = {"client_id": "me", "client_secret": "hush", "scope": "ibm"}
    await fetched(TrustedProfile("p", token_file=file, **client), iam)
    assert iam.requests[0].headers["Authorization"] == "Basic bWU6aHVzaA=="
    # A key that assumes a profile sends it in both requests, to the same IAM.
    iam = FakeIam()
    await fetched(TrustedProfile("p", api_key="k", iam_endpoint="iam.test", **client), iam)
    assert [request.headers["Authorization"] for request in iam.requests] == ["Basic bWU6aHVzaA=="] * 2
    assert [request.url for request in iam.requests] == ["https://iam.test/identity/token"] * 2
    assert [iam.form(number)["scope"] for number in (0, 1)] == [["ibm"], ["ibm"]]


def test_token_files() -> None:
    """The files in IBM's documentation, for OpenShift and Kubernetes, and for Code Engine."""
    assert TOKEN_FILES == (
        "/var/run/secrets/tokens/vault-token",
        "/var/run/secrets/tokens/sa-token",
        "/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token",
    )


async def test_first_readable_token_file_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "good").write_text("good\n")
    (tmp_path / "later").write_text("later")
    names = [str(tmp_path / name) for name in ("none", "empty", "binary", "folder", "good", "later")]
    monkeypatch.setattr("aiocos.auth.profile.TOKEN_FILES", tuple(names))
    iam = FakeIam()
    await fetched(TrustedProfile("p"), iam)
    assert iam.form()["cr_token"] == ["good"]
    await fetched(TrustedProfile("p", token_file=tmp_path / "later"), iam)
    assert iam.form()["cr_token"] == ["later"], "only the given file is read"
    monkeypatch.setattr("aiocos.auth.profile.TOKEN_FILES", tuple(names[:4]))
    with pytest.raises(CredentialsError) as raised:
        await fetched(TrustedProfile("p"), iam)
    none, empty, binary, folder = names[:4]
    assert str(raised.value) == (
        "the trusted profile p: no token of a compute resource in "
        f"{none} (No such file or directory), {empty} (empty), {binary} (not text), {folder} (Is a directory)"
    )
    assert len(iam.requests) == 2


async def test_compute_token_in_a_response_is_hidden(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("compute-token")
    iam = FakeIam(answer({"errorCode": "C", "errorMessage": "bad compute-token"}, 400))
    with pytest.raises(CredentialsError, match=r"the trusted profile p from .*C: bad \*\*\*"):
        await fetched(TrustedProfile("p", token_file=file), iam)


# An API key


@pytest.mark.parametrize(
    ("named", "form"),
    [
        ({"profile_id": "p"}, {"profile_id": ["p"]}),
        ({"profile_crn": "c"}, {"profile_crn": ["c"]}),
        ({"profile_name": "n", "account_id": "a"}, {"profile_name": ["n"], "account": ["a"]}),
    ],
)
async def test_forms_of_an_api_key_that_assumes_a_profile(named: dict[str, str], form: dict[str, list[str]]) -> None:
    iam = FakeIam()
    profile = TrustedProfile(api_key=SecretStr("k"), service_instance_id="crn:x", **named)
    assert (await fetched(profile, iam)).value == "token-2"
    assert iam.form(0)["apikey"] == ["k"]
    assert iam.requests[0].headers["Authorization"] == "Basic Yng6Yng="
    assert iam.form(1) == {"grant_type": [ASSUME], "access_token": ["token-1"], **form}
    assert "Authorization" not in iam.requests[1].headers
    assert profile.service_instance_id == "crn:x"


async def test_secrets_of_both_requests_are_hidden() -> None:
    told = answer({"errorCode": "C", "errorMessage": "a-long-key of own-token"}, 400)
    profile = TrustedProfile("p", api_key="a-long-key")
    with pytest.raises(CredentialsError, match=r"no token for the API key .*C: \*\*\* of own-token"):
        await fetched(profile, FakeIam(told))
    with pytest.raises(CredentialsError, match=r"no token for the trusted profile p .*C: a-long-key of \*\*\*") as raised:
        await fetched(profile, FakeIam(token("own-token"), told))
    assert raised.value.code == "C"
    # The authorizer returns the key as a secret.
    authorizer = profile.authorizer(AuthSettings(http=FakeIam().http))
    assert set(authorizer.secrets()) == {"a-long-key"}


# The metadata service


@pytest.mark.parametrize(
    ("version", "paths"),
    [
        (True, ("/instance_identity/v1/token", "/instance_identity/v1/iam_token", "2022-03-01")),
        ("2022-03-01", ("/instance_identity/v1/token", "/instance_identity/v1/iam_token", "2022-03-01")),
        ("2025-08-26", ("/identity/v1/token", "/identity/v1/iam_tokens", "2025-08-26")),
    ],
)
@pytest.mark.parametrize(
    ("named", "body"),
    [
        ({"profile_crn": "c"}, {"trusted_profile": {"crn": "c"}}),
        ({"profile_id": "p"}, {"trusted_profile": {"id": "p"}}),
        ({"profile_name": "n"}, {"trusted_profile": {"name": "n"}}),
        ({}, None),
    ],
)
async def test_requests_of_a_virtual_server(
    version: Any, paths: tuple[str, str, str], named: dict[str, str], body: object
) -> None:
    iam = FakeIam()
    made = await fetched(TrustedProfile(vpc=version, **named), iam)
    assert made.value == "token-2"
    first, second = iam.requests
    assert (first.method, first.url) == ("PUT", f"{METADATA_ENDPOINT}{paths[0]}?version={paths[2]}")
    assert first.headers == {"Accept": "application/json", "Metadata-Flavor": "ibm", "Content-Type": "application/json"}
    assert json.loads(first.body or b"") == {"expires_in": 300}
    assert (second.method, second.url) == ("POST", f"{METADATA_ENDPOINT}{paths[1]}?version={paths[2]}")
    expected = {"Accept": "application/json", "Authorization": "Bearer token-1"}
    if body is None:
        assert (second.headers, second.body) == (expected, None)
    else:
        assert second.headers == {**expected, "Content-Type": "application/json"}
        assert json.loads(second.body or b"") == body


async def test_lifetime_counts_from_before_the_second_request() -> None:
    iam = FakeIam()
    fetch = TrustedProfile(vpc=True).fetcher(AuthSettings(http=iam.http))
    now = 1_000.0

    def later(value: str) -> Any:
        def say() -> Any:
            nonlocal now
            now += 7
            return token(value, 3600)

        return say

    fetch.clock = lambda: now  # type: ignore[attr-defined]
    fetch.draw = lambda: 1.0  # type: ignore[attr-defined]
    iam.script = [later("server"), later("profile")]
    assert await fetch() == Token.issued("profile", 3600.0, now=1_007.0, jitter=1.0)


async def test_tokens_in_responses_of_the_metadata_service_are_hidden() -> None:
    told = answer({"errors": [{"code": "c", "message": "no server-token of the server"}]}, 404)
    with pytest.raises(CredentialsError, match=r"linked to this server from .* c: no \*\*\* of the server"):
        await fetched(TrustedProfile(vpc=True), FakeIam(token("server-token"), told))
    with pytest.raises(CredentialsError, match="status 404 c: no server-token of the server") as raised:
        await fetched(TrustedProfile("p", vpc=True), FakeIam(told))
    assert (raised.value.status, raised.value.code) == (404, "c")
    # A token that can't be used is a secret too.
    fetch = TrustedProfile(vpc=True).fetcher(AuthSettings(http=FakeIam(token("first"), answer({"access_token": "a b"})).http))
    fetch._policy = FetchPolicy(attempts=1)  # type: ignore[attr-defined]
    with pytest.raises(CredentialsError, match="no usable access_token"):
        await fetch()
    assert fetch.secrets == {"first", "a b"}  # type: ignore[attr-defined]


async def test_retry_starts_with_the_first_request() -> None:
    iam = FakeIam(token("first"), answer(b"", 500), token("second"), token("third"))
    fetch = TrustedProfile(vpc=True).fetcher(AuthSettings(http=iam.http))
    fetch._policy = FetchPolicy(base=0.0)  # type: ignore[attr-defined]
    assert (await fetch()).value == "third"
    assert [request.method for request in iam.requests] == ["PUT", "POST", "PUT", "POST"]
    assert iam.requests[3].headers["Authorization"] == "Bearer second"


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        (None, "http://169.254.169.254"),
        ("", "http://169.254.169.254"),
        ("http://169.254.169.254/", "http://169.254.169.254"),
        ("http://api.metadata.cloud.ibm.com", "http://api.metadata.cloud.ibm.com"),
        ("https://api.metadata.cloud.ibm.com", "https://api.metadata.cloud.ibm.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[fe80::1]", "http://[fe80::1]"),
        ("https://elsewhere.test:8443/", "https://elsewhere.test:8443"),
    ],
)
async def test_metadata_endpoint(endpoint: str | None, origin: str) -> None:
    iam = FakeIam()
    await fetched(TrustedProfile(vpc=True, metadata_endpoint=endpoint), iam)
    assert {request.origin for request in iam.requests} == {origin}


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("http://127.0.0.1/X", "a URL without a path"),
        ("http://127.0.0.1?x=1", "a URL without a path"),
        ("http://user@127.0.0.1", "a URL without a path"),
        ("ftp://127.0.0.1", "a URL without a path"),
        ("127.0.0.1", "a URL without a path"),
        ("http://", "a URL without a path"),
        ("http://127.0.0.1:port", "a URL without a path"),
        ("http://[::1", "a URL without a path"),
        ("http://elsewhere.test", "plain http would show it"),
        ("http://api.metadata.cloud.ibm.com.evil.test", "plain http would show it"),
        ("http://8.8.8.8", "plain http would show it"),
    ],
)
def test_invalid_metadata_endpoints_are_refused(endpoint: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrustedProfile(vpc=True, metadata_endpoint=endpoint)


# What a profile is


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"vpc": True, "token_file": "f"}, "takes only one of .*, not token_file and vpc"),
        ({"vpc": True, "api_key": "k"}, "takes only one of .*, not vpc and api_key"),
        ({"token_file": "f", "api_key": "k"}, "takes only one of .*, not token_file and api_key"),
        ({"vpc": "2021-01-01"}, "not a version of the metadata service: 2022-03-01, 2025-08-26"),
        ({"vpc": True, "profile_crn": "c", "profile_id": "p"}, "one name of a profile, not profile_id and profile_crn"),
        ({"vpc": True, "profile_crn": "c", "profile_name": "n"}, "one name of a profile, not profile_crn and profile_name"),
        ({"api_key": "k"}, "by exactly one of profile_id, profile_crn, and profile_name"),
        ({"api_key": "k", "profile_id": "p", "profile_name": "n"}, "by exactly one of profile_id"),
        ({"api_key": "k", "profile_name": "n"}, "profile_name and account_id must be given together"),
        ({"api_key": "k", "profile_crn": "c", "account_id": "a"}, "profile_name and account_id must be given together"),
        ({}, "a compute resource needs the profile_id or profile_name"),
        ({"profile_crn": "c", "token_file": "f"}, "needs the profile_id or profile_name"),
    ],
)
def test_messages_for_conflicting_arguments(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrustedProfile(**given)


def test_empty_arguments_count_as_missing() -> None:
    empty = {
        "profile_crn": "",
        "profile_name": "",
        "account_id": "",
        "token_file": "",
        "api_key": "",
        "service_instance_id": "",
    }
    made = TrustedProfile("p", vpc=False, iam_endpoint="", client_id="", client_secret="", scope="", **empty)
    assert made == TrustedProfile("p")
    assert (made.service_instance_id, made.token_file, made.vpc, made.api_key) == (None, None, None, None)
    assert TrustedProfile("", vpc=True) == TrustedProfile(vpc=True)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"profile_id": "p", "profile_name": "n"}, "the trusted profile p"),
        ({"profile_crn": "c", "vpc": True}, "the trusted profile c"),
        ({"profile_name": "n"}, "the trusted profile n"),
        ({"vpc": True}, "the trusted profile linked to this server"),
    ],
)
def test_display_name(named: dict[str, Any], expected: str) -> None:
    assert TrustedProfile(**named).display_name == expected


async def test_only_equal_profiles_share_a_token(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    iam = FakeIam()
    unique = f"p-{time.monotonic_ns()}"
    by_file: dict[str, Any] = {"profile_id": unique, "token_file": one}
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (by_file, {}),
        ({**by_file, "token_file": two}, {}),
        ({**by_file, "profile_name": "n"}, {}),
        ({**by_file, "iam_endpoint": "iam.test"}, {}),
        ({**by_file, "scope": "ibm"}, {}),
        ({**by_file, "client_id": "me", "client_secret": "hush"}, {}),
        (by_file, {"verify_tls": False}),
        ({"profile_id": unique, "api_key": "k"}, {}),
        ({"profile_id": unique, "api_key": "other"}, {}),
        ({"profile_id": unique, "vpc": True}, {}),
        ({"profile_id": unique, "vpc": "2025-08-26"}, {}),
        ({"profile_id": unique, "vpc": True, "metadata_endpoint": "http://127.0.0.1:1"}, {}),
    ]
    seen: set[str] = set()
    for given, settings in cases:
        request = outgoing()
        await TrustedProfile(**given).authorizer(AuthSettings(http=iam.http, **settings)).authorize(request)
        assert request.headers["Authorization"] not in seen, given
        seen.add(request.headers["Authorization"])
        # The same profile with another service instance shares the token.
        again = outgoing()
        profile = TrustedProfile(**given, service_instance_id="another")
        await profile.authorizer(AuthSettings(http=iam.http, **settings)).authorize(again)
        assert again.headers == request.headers
    # For a virtual server, the IAM endpoint and the check of certificates don't matter.
    again = outgoing()
    profile = TrustedProfile(unique, vpc="2025-08-26")
    await profile.authorizer(AuthSettings(http=iam.http, verify_tls=False, iam_endpoint="iam.test")).authorize(again)
    assert again.headers["Authorization"] in seen
