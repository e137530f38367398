"""Credentials in files: service credentials, `~/.aws/credentials` and `~/.aws/config`."""

from __future__ import annotations

import pytest

from aiocos.auth.iam import ApiKey
from aiocos.auth.keys import Hmac
from aiocos.errors import ConfigError, CredentialsError

from .homes import CRN, PAIR, SERVICE, Home, assert_hides_secret, fill_all_places


def test_hmac_keys_of_a_service_credential_win_over_its_api_key(home: Home) -> None:
    home.service({**SERVICE, "cos_hmac_keys": PAIR})
    assert home.resolve() == Hmac("file-id", "file-secret")
    home.service({**SERVICE, "cos_hmac_keys": {}, "iam_auth_endpoint": "https://iam.test/oidc/token"})
    assert home.resolve() == ApiKey("file-key", CRN, "https://iam.test/oidc/token")


@pytest.mark.parametrize("half", list(PAIR))
def test_incomplete_hmac_keys_in_a_service_credential_are_an_error(home: Home, half: str) -> None:
    home.service({**SERVICE, "cos_hmac_keys": {half: PAIR[half]}})
    with pytest.raises(ConfigError, match=r"cos_hmac_keys of .*: no "):
        home.resolve()


def test_service_credential_without_keys_is_skipped(home: Home) -> None:
    fill_all_places(home)
    home.environ.clear()
    home.service({"endpoints": "x"})
    assert home.resolve() == Hmac("shared-id", "shared-secret")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"apikey": "s3cr3t"',
        b'["s3cr3t"]',
        b'"s3cr3t"',
        b"\xff\xfes3cr3t",
        b'{"apikey": ["s3cr3t"]}',
        b'{"cos_hmac_keys": "s3cr3t"}',
        b'{"cos_hmac_keys": {"access_key_id": 1, "secret_access_key": "s3cr3t"}}',
    ],
)
def test_error_for_an_invalid_service_credential_hides_its_content(home: Home, content: bytes) -> None:
    path = home.write(".bluemix/cos_credentials", content)
    with pytest.raises(ConfigError) as raised:
        home.resolve()
    assert str(path) in str(raised.value)
    assert_hides_secret(raised.value)


def test_empty_and_null_values_of_a_service_credential_count_as_missing(home: Home) -> None:
    home.service({"apikey": "k", "resource_instance_id": None, "iam_auth_endpoint": "", "cos_hmac_keys": None})
    assert home.resolve() == ApiKey("k")
    home.service({"apikey": "", "cos_hmac_keys": {"access_key_id": None, "secret_access_key": ""}})
    with pytest.raises(CredentialsError):
        home.resolve()
    home.service({"apikey": "k", "resource_instance_id": 7})
    with pytest.raises(ConfigError, match=r"resource_instance_id in .* is not text"):
        home.resolve()


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("profile work", True),
        ('profile "work"', True),
        ("profile 'work'", True),
        ("profile   work", True),
        ("sso-session work", False),
        ("services work", False),
        ("profile", False),
        ("work", False),
        ("profilework", False),
        ("Profile work", False),
        ("my profile work", False),
    ],
)
def test_section_titles_of_the_config_file(home: Home, title: str, found: bool) -> None:
    home.write(".aws/config", f"[{title}]\nibm_api_key_id=key\n")
    if found:
        assert home.resolve("work") == ApiKey("key")
    else:
        with pytest.raises(CredentialsError, match="no credentials"):
            home.resolve("work")


@pytest.mark.parametrize("file", [".aws/credentials", ".aws/config"])
def test_sections_have_an_api_key_or_hmac_keys(home: Home, file: str) -> None:
    pair = "aws_access_key_id = id\naws_secret_access_key = a%b;c#d\naws_session_token=t\n"
    for content, expected in (
        (pair, Hmac("id", "a%b;c#d", "t")),
        (f"{pair}ibm_api_key_id = key\nibm_auth_endpoint = iam.test\n", ApiKey("key", None, "iam.test")),
        (f"aws_access_key_id = key\naws_secret_access_key = {CRN}\n", ApiKey("key", CRN)),
        ("s3 =\n  addressing_style = path\nIBM_API_KEY_ID = key\n", ApiKey("key")),
    ):
        home.write(file, f"\ufeff# a comment\n[default]\n{content}")
        assert home.resolve() == expected
    for half in ("aws_access_key_id=s3cr3t", "aws_secret_access_key=s3cr3t"):
        home.write(file, f"[default]\n{half}\n")
        with pytest.raises(ConfigError, match="incomplete HMAC keys") as raised:
            home.resolve()
        assert_hides_secret(raised.value)
