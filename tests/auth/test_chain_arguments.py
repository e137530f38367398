"""Credentials from the arguments of a client."""

from __future__ import annotations

import pytest

from aiocos import Anonymous, ApiKey, BearerToken, ConfigError, DualCredentials, Hmac
from aiocos.auth.base import AuthSettings
from aiocos.auth.chain import Chain, from_arguments

from .fakes import FakeIam, outgoing
from .homes import CRN


def test_identity_of_arguments() -> None:
    assert from_arguments(api_key="k", service_instance_id=CRN, iam_endpoint="iam.test") == ApiKey("k", CRN, "iam.test")
    assert from_arguments(access_key_id="i", secret_access_key="s", session_token="t") == Hmac("i", "s", "t")
    assert from_arguments(access_key_id="i", secret_access_key="s", service_instance_id=CRN).service_instance_id == CRN
    both = from_arguments(api_key="k", service_instance_id=CRN, access_key_id="i", secret_access_key="s")
    assert both == DualCredentials(ApiKey("k", CRN), Hmac("i", "s", None, CRN))
    assert from_arguments(credentials=Anonymous()) == Anonymous()
    assert from_arguments() == Chain()
    assert from_arguments(profile="work", service_instance_id=CRN) == Chain("work")


@pytest.mark.parametrize(
    "arguments",
    [
        {"access_key_id": "i"},
        {"secret_access_key": "s"},
        {"session_token": "t"},
        {"api_key": "k", "access_key_id": "i"},
        {"access_key_id": "", "secret_access_key": ""},
        {"api_key": ""},
        {"credentials": Anonymous(), "api_key": "k"},
        {"credentials": Anonymous(), "access_key_id": "i", "secret_access_key": "s"},
        {"credentials": Anonymous(), "profile": "work"},
        {"profile": "work", "api_key": "k"},
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_incomplete_or_conflicting_arguments_are_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        from_arguments(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"access_key_id": "i"}, "the arguments: no secret_access_key"),
        ({"secret_access_key": "s"}, "the arguments: no access_key_id"),
        ({"session_token": "t"}, "the arguments: no access_key_id and secret_access_key"),
        ({"access_key_id": ""}, "access_key_id and secret_access_key are empty"),
        ({"secret_access_key": ""}, "access_key_id and secret_access_key are empty"),
        ({"session_token": ""}, "access_key_id and secret_access_key are empty"),
        ({"credentials": Anonymous(), "profile": ""}, "either credentials=… or keys or a profile"),
        ({"profile": "work", "access_key_id": "i", "secret_access_key": "s"}, "either keys or a profile"),
        ({"profile": "", "api_key": "k"}, "either keys or a profile"),
    ],
)
def test_messages_for_incomplete_or_conflicting_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_arguments(**arguments)  # type: ignore[arg-type]


def test_token_function() -> None:
    """IBM's SDK calls it `auth_function`; here it is an async function that returns the token."""

    async def token() -> str:
        return "t"

    assert from_arguments(credentials=BearerToken(token, CRN)).service_instance_id == CRN


def test_token_manager() -> None:
    """Its method is such a function. IBM's SDK also needs a `set_from_config`."""

    class Manager:
        async def get_token(self) -> str:
            return "t"

    from_arguments(credentials=BearerToken(Manager().get_token))


def test_api_key() -> None:
    made = from_arguments(api_key="k", service_instance_id=CRN, iam_endpoint="https://iam.test/x")
    assert made == ApiKey("k", CRN, "https://iam.test/x")


def test_hmac_keys() -> None:
    assert from_arguments(access_key_id="i", secret_access_key="s", session_token="t") == Hmac("i", "s", "t")
    for half in ({"access_key_id": "i"}, {"secret_access_key": "s"}):
        with pytest.raises(ConfigError, match="incomplete HMAC keys"):
            from_arguments(**half)


def test_no_arguments() -> None:
    assert from_arguments() == Chain()


def test_api_key_and_hmac_keys() -> None:
    """IBM's SDK ignores the HMAC keys; here they sign presigned URLs."""
    made = from_arguments(api_key="k", access_key_id="i", secret_access_key="s")
    assert made == DualCredentials(ApiKey("k"), Hmac("i", "s"))


async def test_authorization_scheme_follows_from_the_credentials() -> None:
    """IBM's SDK needs `signature_version="oauth"` for API keys, and then sends `Bearer None` for HMAC keys."""
    request = outgoing()
    await Hmac("i", "s").authorizer(AuthSettings()).authorize(request)
    assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 ")
    request = outgoing()
    await ApiKey("k").authorizer(AuthSettings(http=FakeIam().http)).authorize(request)
    assert request.headers["Authorization"].startswith("Bearer ")
