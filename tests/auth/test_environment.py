"""Credentials in environment variables of IBM's Go SDK and IBM's SDK core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import aiocos
from aiocos import Anonymous, ApiKey, BearerToken, ConfigError, TrustedProfile
from aiocos.auth.base import Credentials
from aiocos.auth.environment import from_profile, from_sdk

from .homes import CRN, Home

# All variables of IBM's SDK core: those that don't belong to the AUTH_TYPE must be ignored.
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


def unexpected_read(path: Path) -> dict[str, str]:
    raise AssertionError(f"{path} is read although no variable names a file")


def from_variables(values: dict[str, str]) -> Credentials | None:
    return from_sdk(values, unexpected_read)


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
def test_each_kind_reads_only_its_own_variables(kind: str, expected: Credentials) -> None:
    assert from_variables({**EVERYTHING, "RESOURCE_CONFIGURATION_AUTH_TYPE": kind}) == expected
    # Upper and lower case are the same.
    assert from_variables({**EVERYTHING, "RESOURCE_CONFIGURATION_AUTH_TYPE": kind.upper()}) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("vpc", TrustedProfile(vpc=True, profile_crn="c")), ("iamassume", TrustedProfile(api_key="key", profile_crn="c"))],
)
def test_profile_by_crn(kind: str, expected: Credentials) -> None:
    prefix = "RESOURCE_CONFIGURATION_"
    values = {f"{prefix}AUTH_TYPE": kind, f"{prefix}IAM_PROFILE_CRN": "c", f"{prefix}APIKEY": "key"}
    assert from_variables(values) == expected
    with pytest.raises(ConfigError, match="needs the profile_id or profile_name"):
        from_variables({**values, f"{prefix}AUTH_TYPE": "container"})


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
def test_kind_without_auth_type(values: dict[str, str], expected: Credentials | None) -> None:
    assert from_variables({f"RESOURCE_CONFIGURATION_{name}": value for name, value in values.items()}) == expected


@pytest.mark.parametrize("values", [{"IAM_PROFILE_CRN": "c"}, {"CR_TOKEN_FILENAME": "/t"}])
def test_compute_resource_needs_a_profile_id_or_name(values: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="a compute resource needs the profile_id or profile_name"):
        from_variables({f"RESOURCE_CONFIGURATION_{name}": value for name, value in values.items()})


@pytest.mark.parametrize(("kind", "name"), [("iam", "APIKEY"), ("iamAssume", "APIKEY"), ("bearerToken", "BEARER_TOKEN")])
def test_missing_variable_is_named(kind: str, name: str) -> None:
    values = {"RESOURCE_CONFIGURATION_AUTH_TYPE": kind, "RESOURCE_CONFIGURATION_IAM_PROFILE_ID": "p"}
    with pytest.raises(ConfigError, match=f"RESOURCE_CONFIGURATION_AUTH_TYPE needs RESOURCE_CONFIGURATION_{name} too"):
        from_variables(values)


def test_file_wins_over_the_environment() -> None:
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
def test_variables_of_the_go_sdk(environ: dict[str, str], expected: dict[str, Any] | None) -> None:
    assert from_profile(environ) == (None if expected is None else TrustedProfile(**expected))


AWS = {"AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "s"}


def test_trusted_profile_in_the_chain(home: Home) -> None:
    base = {"TRUSTED_PROFILE_ID": "Profile-1", "IBM_SERVICE_INSTANCE_ID": CRN, "IBM_AUTH_ENDPOINT": "https://iam.test"}
    rest = {"service_instance_id": CRN, "iam_endpoint": "https://iam.test"}
    assert home.resolve(**base, CR_TOKEN_FILE_PATH="/t") == TrustedProfile("Profile-1", token_file="/t", **rest)
    assert home.resolve(**base, **AWS) == TrustedProfile("Profile-1", **rest)
    assert home.resolve(**base, IBM_SERVICE_ID_API_KEY="k") == TrustedProfile("Profile-1", api_key="k", **rest)
    by_name = {"TRUSTED_PROFILE_NAME": "n", "IBM_SERVICE_ID_API_KEY": "k", "IAM_ACCOUNT_ID": "a"}
    assert home.resolve(**by_name) == TrustedProfile(profile_name="n", account_id="a", api_key="k")
    with pytest.raises(ConfigError, match="two identities"):
        home.resolve(**base, IBM_API_KEY_ID="k")


_R = "RESOURCE_CONFIGURATION_"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"APIKEY": "k", "AUTH_URL": "https://iam.test"}, ApiKey("k", CRN, "https://iam.test")),
        (
            {"AUTH_TYPE": "IAM", "APIKEY": "k", "CLIENT_ID": "c", "CLIENT_SECRET": "s", "SCOPE": "x"},
            ApiKey("k", CRN, client_id="c", client_secret="s", scope="x"),
        ),
        ({"IAM_PROFILE_NAME": "n"}, TrustedProfile(profile_name="n", service_instance_id=CRN)),
        (
            {"AUTH_TYPE": "container", "IAM_PROFILE_ID": "p", "CR_TOKEN_FILENAME": "/t"},
            TrustedProfile("p", token_file="/t", service_instance_id=CRN),
        ),
        ({"AUTH_TYPE": "vpc"}, TrustedProfile(vpc=True, service_instance_id=CRN)),
        (
            {"AUTH_TYPE": "vpc", "IAM_PROFILE_CRN": "c", "VPC_IMS_VERSION": "2025-08-26", "AUTH_URL": "http://[fe80::1]"},
            TrustedProfile(profile_crn="c", vpc="2025-08-26", metadata_endpoint="http://[fe80::1]", service_instance_id=CRN),
        ),
        (
            {"AUTH_TYPE": "iamAssume", "APIKEY": "k", "IAM_PROFILE_NAME": "n", "IAM_ACCOUNT_ID": "a"},
            TrustedProfile(profile_name="n", account_id="a", api_key="k", service_instance_id=CRN),
        ),
        ({"AUTH_TYPE": "bearerToken", "BEARER_TOKEN": "t"}, BearerToken("t", CRN)),
        ({"AUTH_TYPE": "noAuth"}, Anonymous()),
    ],
)
def test_variables_of_the_sdk_core_in_the_chain(home: Home, values: dict[str, str], expected: aiocos.Credentials) -> None:
    named = {f"{_R}{name}": value for name, value in values.items()}
    assert home.resolve(**named, IBM_SERVICE_INSTANCE_ID=CRN) == expected
    file = home.write("ibm.env", "# settings\n" + "".join(f"{name}={value}\n" for name, value in named.items()))
    assert home.resolve(IBM_CREDENTIALS_FILE=str(file), IBM_SERVICE_INSTANCE_ID=CRN) == expected


def test_invalid_variables_of_the_sdk_core(home: Home) -> None:
    with pytest.raises(ConfigError, match="can't be used with COS"):
        home.resolve(**{f"{_R}AUTH_TYPE": "cp4d"})
    with pytest.raises(ConfigError, match="APIKEY too"):
        home.resolve(**{f"{_R}AUTH_TYPE": "iam"})
    home.write(".aws/credentials", "[default]\nibm_api_key_id=k\n")
    assert home.resolve(**{f"{_R}URL": "https://config.test"}) == ApiKey("k")  # no credentials
