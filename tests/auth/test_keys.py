"""HMAC keys: signing requests, the derived key, and correcting the clock."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from aiocos.auth.base import AuthSettings, BearerToken, SigningClock
from aiocos.auth.iam import ApiKey
from aiocos.auth.keys import DualCredentials, Hmac, Signer, stripped_secret
from aiocos.errors import ConfigError
from aiocos.wire.message import PreparedRequest

from .fakes import FakeIam, answer

HTTPS = "https://cos.example"


def request(method: str = "GET", origin: str = HTTPS, body: bytes | None = None) -> PreparedRequest:
    return PreparedRequest(method, origin, "/b/k", "", {}, body)


def signer(clock: SigningClock, **more: object) -> Signer:
    made = Hmac("id", "secret").authorizer(AuthSettings(clock=clock, **more))  # type: ignore[arg-type]
    assert isinstance(made, Signer)
    return made


def test_white_space_around_keys_is_removed() -> None:
    made = Hmac(" id\n", SecretStr(" secret\n"), " token ", "")
    assert made == Hmac("id", "secret", SecretStr("token"))
    assert (made.access_key_id, stripped_secret(made.secret_access_key)) == ("id", "secret")
    assert made.service_instance_id is None
    assert Hmac("id", "secret", " ").session_token is None
    for pair in ((" ", "secret"), ("id", " ")):
        with pytest.raises(ConfigError, match="one of them is empty"):
            Hmac(*pair)


def test_secrets() -> None:
    settings = AuthSettings()
    assert list(Hmac("id", "secret").authorizer(settings).secrets()) == ["secret"]
    assert list(Hmac("id", "secret", "token").authorizer(settings).secrets()) == ["secret", "token"]


async def test_payload_is_unsigned_only_on_request_and_over_https() -> None:
    digest = hashlib.sha256(b"data").hexdigest()
    for sign_bodies, origin, expected in (
        (True, HTTPS, digest),
        (False, HTTPS, "UNSIGNED-PAYLOAD"),
        (False, "http://127.0.0.1", digest),
    ):
        asked = request("PUT", origin, b"data")
        await signer(SigningClock(lambda: 1e9), sign_bodies=sign_bodies).authorize(asked)
        assert asked.headers["x-amz-content-sha256"] == expected
    asked = request("PUT", body=b"")
    await signer(SigningClock(lambda: 1e9), sign_bodies=False).authorize(asked)
    assert asked.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"


async def test_signing_key_is_derived_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    from aiocos.auth import keys

    derived: list[tuple[str, str, str]] = []
    original = keys.signing_key

    def counted(secret: str, date: str, region: str) -> bytes:
        derived.append((secret, date, region))
        return original(secret, date, region)

    monkeypatch.setattr(keys, "signing_key", counted)
    now = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC).timestamp()
    made = Hmac("id", "secret").authorizer(AuthSettings(clock=lambda: now, region="us-south"))
    assert isinstance(made, Signer)
    for _ in range(2):
        await made.authorize(request())
        assert "id%2F20260101%2Fus-south" in made.presign(request(), expires=60)
    now += 1
    assert "X-Amz-Date=20260102T000000Z" in made.presign(request(), expires=60)
    await made.authorize(request())
    assert derived == [("secret", "20260101", "us-south"), ("secret", "20260102", "us-south")]
    await made.close()
    await made.authorize(request())
    assert len(derived) == 3, "a closed client keeps no key"


# Correcting the clock


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"])
def test_error_codes_for_a_wrong_time_correct_the_clock(code: str) -> None:
    clock = SigningClock(lambda: 1e9)
    made = signer(clock)
    assert made.rejected(request("PUT"), 403, 1e9 + 60, code) is True
    assert clock.offset == 60
    assert made.rejected(request("PUT"), 403, 1e9 + 60, code) is False, "the clock was already corrected"
    assert made.rejected(request("PUT"), 401, 1e9 + 600, code) is False
    assert made.rejected(request("PUT"), 403, None, code) is False
    assert clock.offset == 60


@pytest.mark.parametrize(
    ("method", "code", "difference", "tried"),
    [
        ("HEAD", "", 901, True),
        ("HEAD", "", -901, True),
        ("HEAD", "", 900, False),
        ("HEAD", "", -900, False),
        ("HEAD", "AccessDenied", 901, False),
        ("GET", "", 901, False),
        ("GET", "AccessDenied", 901, False),
    ],
)
def test_head_without_a_code_is_tried_with_the_time_of_the_service(
    method: str, code: str, difference: int, tried: bool
) -> None:
    clock = SigningClock(lambda: 1e9)
    made = signer(clock)
    assert made.rejected(request(method), 403, 1e9 + difference, code) is tried
    assert clock.offset == 0, "not before the second attempt has succeeded"


async def test_only_the_second_attempt_has_the_time_of_the_service() -> None:
    clock = SigningClock(lambda: 1e9)
    made = signer(clock)
    tried, other = request("HEAD"), request("HEAD")
    assert made.rejected(tried, 403, 1e9 + 3600)
    await made.authorize(tried)
    await made.authorize(other)
    assert tried.headers["x-amz-date"] == "20010909T024640Z"
    assert other.headers["x-amz-date"] == "20010909T014640Z"
    made.settled(other, 200)
    assert clock.offset == 0, "the result of another request doesn't count"
    made.settled(tried, 200)
    assert clock.offset == 3600
    # The difference is to the corrected clock.
    assert made.rejected(request("HEAD"), 403, 1e9 + 3600 + 900) is False
    assert made.rejected(request("HEAD"), 403, 1e9 + 3600 + 901) is True


async def test_other_clocks_are_not_corrected() -> None:
    made = Hmac("id", "secret").authorizer(AuthSettings(clock=lambda: 1e9))
    assert made.rejected(request("HEAD"), 403, 1e9 + 3600) is False
    assert made.rejected(request(), 403, 1e9 + 3600, "RequestTimeTooSkewed") is False


# DualCredentials


async def test_dual_credentials() -> None:
    iam = FakeIam(answer({"delegated_refresh_token": "t"}))
    settings = AuthSettings(http=iam.http)
    both = DualCredentials(ApiKey("k", "an-instance"), Hmac("id", "secret", None, "another"))
    assert both.service_instance_id == "an-instance"
    assert (await both.delegation(settings, "aspera")()).value == "t"
    assert "X-Amz-Credential=id%2F" in both.presigner(settings).presign(request(), expires=60)
    asked = request()
    await DualCredentials(BearerToken("t"), Hmac("id", "secret")).authorizer(settings).authorize(asked)
    assert asked.headers == {"Authorization": "Bearer t"}
    assert Hmac("id", "secret", None, "another").service_instance_id == "another"
