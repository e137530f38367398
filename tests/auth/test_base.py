"""Anonymous access, bearer tokens of the user, and the clock for signatures."""

from __future__ import annotations

import logging

import pytest
from pydantic import SecretStr

from aiocos.auth.base import Anonymous, AuthSettings, BearerToken, SigningClock, refuse_plain_http
from aiocos.auth.keys import Hmac
from aiocos.errors import ConfigError, CredentialsError

from .fakes import outgoing

SETTINGS = AuthSettings()


def test_default_settings() -> None:
    assert SETTINGS.region == "us-east-1"
    assert (SETTINGS.verify_tls, SETTINGS.sign_bodies) == (True, True)


# SigningClock


@pytest.mark.parametrize(
    ("difference", "offset"),
    [
        (59.0, None),
        (-59.0, None),
        (60.0, 60.0),
        (-60.0, -60.0),
        (90 * 86_400.0, 90 * 86_400.0),
        (-90 * 86_400.0, -90 * 86_400.0),
        (90 * 86_400.0 + 1, None),
        (-90 * 86_400.0 - 1, None),
    ],
)
def test_offsets_that_are_followed(difference: float, offset: float | None) -> None:
    clock = SigningClock(lambda: 5e9)
    assert clock.offset_of(5e9 + difference) == offset
    assert clock.correct(5e9 + difference) is (offset is not None)
    assert clock() == 5e9 + (offset or 0.0)
    assert clock.offset_of(None) is None


def test_follow_resets_the_offset() -> None:
    clock = SigningClock(lambda: 1_000.0)
    assert clock() == 1_000.0
    clock.adopt(500.0)
    assert (clock(), clock.at(7.0)) == (1_500.0, 1_007.0)
    clock.follow(lambda: 2_000.0)
    assert (clock(), clock.offset) == (2_000.0, 0.0)


def test_only_the_first_correction_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "aiocos.auth")
    clock = SigningClock(lambda: 1_000.0)
    clock.adopt(3_600.4)
    clock.adopt(-120.0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.DEBUG]
    first, second = (record.getMessage() for record in caplog.records)
    assert "clock is 1:00:00 behind the service's" in first
    assert "clock is 0:02:00 ahead of the service's" in second


# Anonymous


async def test_anonymous_adds_nothing() -> None:
    authorizer = Anonymous().authorizer(SETTINGS)
    request = outgoing()
    await authorizer.authorize(request)
    assert request.headers == {}
    assert authorizer.rejected(request, 401) is False
    assert authorizer.secrets() == ()
    assert authorizer.settled(request, 200) is None
    await authorizer.close()
    assert Anonymous().service_instance_id is None


@pytest.mark.parametrize("credentials", [Anonymous(), BearerToken("t"), Hmac("i", "s")], ids=lambda c: type(c).__name__)
def test_only_api_keys_delegate(credentials: Anonymous | BearerToken | Hmac) -> None:
    with pytest.raises(CredentialsError, match="cannot delegate: that takes an API key"):
        credentials.delegation(SETTINGS, "aspera")


# Bearer tokens


@pytest.mark.parametrize("token", ["a-token", SecretStr("a-token")], ids=["text", "secret"])
async def test_fixed_token(token: str | SecretStr) -> None:
    credentials = BearerToken(token, "an-instance")
    assert credentials.service_instance_id == "an-instance"
    assert "a-token" not in repr(credentials)
    authorizer = credentials.authorizer(SETTINGS)
    for _ in range(2):
        request = outgoing()
        await authorizer.authorize(request)
        assert request.headers == {"Authorization": "Bearer a-token"}
    assert authorizer.rejected(request, 401) is False
    await authorizer.close()
    assert BearerToken("t").service_instance_id is None


async def test_token_function_is_called_for_each_request() -> None:
    made: list[str] = []

    async def token() -> str:
        made.append(f"token-{len(made)}")
        return made[-1]

    authorizer = BearerToken(token).authorizer(SETTINGS)
    for number in range(3):
        request = outgoing()
        await authorizer.authorize(request)
        assert request.headers == {"Authorization": f"Bearer token-{number}"}
    assert authorizer.rejected(request, 401) is True, "the function may return another token now"
    assert authorizer.rejected(request, 403) is False


async def test_empty_token_is_not_sent() -> None:
    async def token() -> str:
        return ""

    for empty in ("", token):
        request = outgoing()
        with pytest.raises(CredentialsError, match="the token is empty"):
            await BearerToken(empty).authorizer(SETTINGS).authorize(request)
        assert request.headers == {}


async def test_token_is_not_sent_over_plain_http() -> None:
    authorizer = BearerToken("t").authorizer(SETTINGS)
    await authorizer.authorize(outgoing())  # also after the header was cached
    request = outgoing("http://cos.example")
    with pytest.raises(ConfigError, match=r"not sent to http://cos\.example: plain http"):
        await authorizer.authorize(request)
    assert request.headers == {}
    for origin in ("https://cos.example", "http://127.0.0.1:9000", "http://localhost"):
        refuse_plain_http(origin)
