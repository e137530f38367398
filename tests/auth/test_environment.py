"""Identities that the environment names: each name, and what it means for each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiocos import Anonymous, ApiKey, BearerToken, ConfigError, TrustedProfile
from aiocos.auth.base import Credentials
from aiocos.auth.environment import from_profile, from_sdk

# Every name of IBM's SDK core at once: what does not belong to the kind that AUTH_TYPE names must not count.
EVERYTHING = {
    "RESOURCE_CONFIGURATION_APIKEY": "key",
    "RESOURCE_CONFIGURATION_AUTH_URL": "http://127.0.0.1:1",
    "RESOURCE_CONFIGURATION_BEARER_TOKEN": "token",
    "RESOURCE_CONFIGURATION_IAM_PROFILE_NAME": "name",
    "RESOURCE_CONFIGURATION_IAM_ACCOUNT_ID": "account",
    "RESOURCE_CONFIGURATION_CR_TOKEN_FILENAME": "/token",
    "RESOURCE_CONFIGURATION_VPC_IMS_VERSION": "2025-08-26",
    "RESOURCE_CONFIGURATION_CLIENT_ID": "client",
    "RESOURCE_CONFIGURATION_CLIENT_SECRET": "secret",
    "RESOURCE_CONFIGURATION_SCOPE": "scope",
    "IBM_SERVICE_INSTANCE_ID": "instance",
}
CLIENT = {"client_id": "client", "client_secret": "secret", "scope": "scope"}
URL = "http://127.0.0.1:1"


def nothing(path: Path) -> dict[str, str]:
    raise AssertionError(f"{path} is read though no file is named")


def found(values: dict[str, str]) -> Credentials | None:
    return from_sdk(values, nothing)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("iam", ApiKey("key", "instance", URL, **CLIENT)),
        ("bearerToken", BearerToken("token", "instance")),
        ("noAuth", Anonymous()),
        (
            "container",
            TrustedProfile(
                profile_name="name", token_file="/token", service_instance_id="instance", iam_endpoint=URL, **CLIENT
            ),
        ),
        (
            "vpc",
            TrustedProfile(
                profile_name="name", vpc="2025-08-26", service_instance_id="instance", metadata_endpoint=URL, **CLIENT
            ),
        ),
        (
            "iamAssume",
            TrustedProfile(
                profile_name="name",
                account_id="account",
                api_key="key",
                service_instance_id="instance",
                iam_endpoint=URL,
                **CLIENT,
            ),
        ),
    ],
)
def test_each_kind_takes_what_belongs_to_it(kind: str, expected: Credentials) -> None:
    assert found({**EVERYTHING, "RESOURCE_CONFIGURATION_AUTH_TYPE": kind}) == expected
    # The case is free, and white space is not.
    assert found({**EVERYTHING, "RESOURCE_CONFIGURATION_AUTH_TYPE": kind.upper()}) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("vpc", TrustedProfile(vpc=True, profile_crn="c")), ("iamassume", TrustedProfile(api_key="key", profile_crn="c"))],
)
def test_a_profile_is_named_by_its_crn(kind: str, expected: Credentials) -> None:
    prefix = "RESOURCE_CONFIGURATION_"
    values = {f"{prefix}AUTH_TYPE": kind, f"{prefix}IAM_PROFILE_CRN": "c", f"{prefix}APIKEY": "key"}
    assert found(values) == expected
    with pytest.raises(ConfigError, match="needs the profile_id or profile_name"):
        found({**values, f"{prefix}AUTH_TYPE": "container"})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"APIKEY": "k", "IAM_PROFILE_ID": "p"}, ApiKey("k")),
        ({"IAM_PROFILE_ID": "p"}, TrustedProfile("p")),
        ({"IAM_PROFILE_NAME": "n"}, TrustedProfile(profile_name="n")),
        ({"IAM_PROFILE_NAME": "n", "CR_TOKEN_FILENAME": "/t"}, TrustedProfile(profile_name="n", token_file="/t")),
        ({"AUTH_TYPE": "", "IAM_PROFILE_ID": "p"}, TrustedProfile("p")),
        ({"URL": "https://config.test"}, None),
        ({"AUTH_URL": "https://iam.test", "BEARER_TOKEN": "t"}, None),
        ({"APIKEY": ""}, None),
        ({}, None),
    ],
)
def test_the_kind_follows_from_what_is_there(values: dict[str, str], expected: Credentials | None) -> None:
    assert found({f"RESOURCE_CONFIGURATION_{name}": value for name, value in values.items()}) == expected


@pytest.mark.parametrize("values", [{"IAM_PROFILE_CRN": "c"}, {"CR_TOKEN_FILENAME": "/t"}])
def test_a_profile_that_a_compute_resource_cannot_name_is_told(values: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="a compute resource needs the profile_id or profile_name"):
        found({f"RESOURCE_CONFIGURATION_{name}": value for name, value in values.items()})


@pytest.mark.parametrize(("kind", "name"), [("iam", "APIKEY"), ("iamAssume", "APIKEY"), ("bearerToken", "BEARER_TOKEN")])
def test_what_a_kind_needs_and_does_not_have_is_told(kind: str, name: str) -> None:
    values = {"RESOURCE_CONFIGURATION_AUTH_TYPE": kind, "RESOURCE_CONFIGURATION_IAM_PROFILE_ID": "p"}
    with pytest.raises(ConfigError, match=f"RESOURCE_CONFIGURATION_AUTH_TYPE needs RESOURCE_CONFIGURATION_{name} too"):
        found(values)


def test_a_file_wins_over_the_environment() -> None:
    read: list[Path] = []

    def lines(path: Path) -> dict[str, str]:
        read.append(path)
        return {"RESOURCE_CONFIGURATION_APIKEY": "of the file", "OTHER_APIKEY": "of another service"}

    environ = {"IBM_CREDENTIALS_FILE": "/a/file", "RESOURCE_CONFIGURATION_APIKEY": "of the environment"}
    assert from_sdk(environ, lines) == ApiKey("of the file")
    assert read == [Path("/a/file")]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"TRUSTED_PROFILE_ID": "", "TRUSTED_PROFILE_NAME": ""}, None),
        ({"IBM_SERVICE_ID_API_KEY": "k", "IAM_ACCOUNT_ID": "a"}, None),
        ({"TRUSTED_PROFILE_ID": "p"}, {"profile_id": "p"}),
        ({"TRUSTED_PROFILE_NAME": "n"}, {"profile_name": "n"}),
        ({"TRUSTED_PROFILE_ID": "p", "TRUSTED_PROFILE_NAME": "n"}, {"profile_id": "p", "profile_name": "n"}),
        ({"TRUSTED_PROFILE_ID": "p", "CR_TOKEN_FILE_PATH": "/t"}, {"profile_id": "p", "token_file": "/t"}),
        ({"TRUSTED_PROFILE_NAME": "n", "IAM_ACCOUNT_ID": "a"}, {"profile_name": "n"}),
        (
            {"TRUSTED_PROFILE_ID": "p", "TRUSTED_PROFILE_NAME": "n", "IBM_SERVICE_ID_API_KEY": "k", "IAM_ACCOUNT_ID": "a"},
            {"profile_id": "p", "api_key": "k"},
        ),
        (
            {"TRUSTED_PROFILE_NAME": "n", "IBM_SERVICE_ID_API_KEY": "k", "IAM_ACCOUNT_ID": "a"},
            {"profile_name": "n", "api_key": "k", "account_id": "a"},
        ),
        (
            {"TRUSTED_PROFILE_ID": "p", "IBM_SERVICE_INSTANCE_ID": "i", "IBM_AUTH_ENDPOINT": "https://iam.test"},
            {"profile_id": "p", "service_instance_id": "i", "iam_endpoint": "https://iam.test"},
        ),
    ],
)
def test_the_names_of_the_go_sdk(environ: dict[str, str], expected: dict[str, Any] | None) -> None:
    assert from_profile(environ) == (None if expected is None else TrustedProfile(**expected))
