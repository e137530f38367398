"""Credentials in environment variables of IBM's Go SDK and of IBM's SDK core.

`RESOURCE_CONFIGURATION_…` are the names under which IBM's SDK for the configuration of buckets finds its credentials. They are
read from the environment, and from the file that `IBM_CREDENTIALS_FILE` names, which wins, as in that SDK. Two places of that
SDK are left out on purpose: `ibm-credentials.env` in the working directory, which could be planted by whoever provides the
directory, and `VCAP_SERVICES`, which no platform of IBM sets any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from aiocos.auth.base import Anonymous, BearerToken, Credentials
from aiocos.auth.files import read_env_file
from aiocos.auth.iam import ApiKey
from aiocos.auth.profile import MetadataVersion, TrustedProfile
from aiocos.errors import ConfigError

PREFIX = "RESOURCE_CONFIGURATION_"
"""Prefix of the names of IBM's SDK core."""


def from_profile(environ: Mapping[str, str]) -> TrustedProfile | None:
    """Return the trusted profile in the variables of IBM's Go SDK, if any.

    Raises `ConfigError` if they don't go together.

    Args:
        environ: Environment variables.
    """
    profile_id, name = environ.get("TRUSTED_PROFILE_ID"), environ.get("TRUSTED_PROFILE_NAME")
    if not (profile_id or name):
        return None
    key = environ.get("IBM_SERVICE_ID_API_KEY")
    return TrustedProfile(
        profile_id,
        # An API key assumes a profile by id or by name, not by both.
        profile_name=None if profile_id and key else name,
        account_id=environ.get("IAM_ACCOUNT_ID") if key and not profile_id else None,
        token_file=environ.get("CR_TOKEN_FILE_PATH"),
        api_key=key,
        service_instance_id=environ.get("IBM_SERVICE_INSTANCE_ID"),
        iam_endpoint=environ.get("IBM_AUTH_ENDPOINT"),
    )


def from_sdk(environ: Mapping[str, str], read: Callable[[Path], dict[str, str]] = read_env_file) -> Credentials | None:
    """Return the credentials in the variables of IBM's SDK core, if any.

    Raises `ConfigError` if a variable is missing or has a value that COS can't use.

    Args:
        environ: Environment variables.
        read: Reads the `NAME=value` lines of a file.
    """
    file = environ.get("IBM_CREDENTIALS_FILE")
    variables = {**environ, **(read(Path(file)) if file else {})}
    values = {n.removeprefix(PREFIX): v for n, v in variables.items() if n.startswith(PREFIX) and v}
    if not values:
        return None
    instance = environ.get("IBM_SERVICE_INSTANCE_ID")
    default = "iam" if "APIKEY" in values else "container" if _has_profile(values) else ""
    kind = values.get("AUTH_TYPE", default).lower()
    if kind == "iam":
        return ApiKey(_required(values, "APIKEY"), instance, values.get("AUTH_URL"), **_client(values))
    if kind == "bearertoken":
        return BearerToken(_required(values, "BEARER_TOKEN"), instance)
    if kind == "noauth":
        return Anonymous()
    if kind in ("container", "vpc", "iamassume"):
        return _profile(kind, values, instance)
    if kind:
        raise ConfigError(
            f"{PREFIX}AUTH_TYPE={kind} can't be used with COS; use iam, iamAssume, container, vpc, bearerToken or noAuth"
        )
    return None  # other settings, such as a URL, without credentials


def _profile(kind: str, values: Mapping[str, str], instance: str | None) -> TrustedProfile:
    version = values.get("VPC_IMS_VERSION", "2022-03-01")
    return TrustedProfile(
        values.get("IAM_PROFILE_ID"),
        profile_crn=values.get("IAM_PROFILE_CRN") if kind != "container" else None,
        profile_name=values.get("IAM_PROFILE_NAME"),
        account_id=values.get("IAM_ACCOUNT_ID") if kind == "iamassume" else None,
        token_file=values.get("CR_TOKEN_FILENAME") if kind == "container" else None,
        vpc=cast("MetadataVersion", version) if kind == "vpc" else False,
        api_key=_required(values, "APIKEY") if kind == "iamassume" else None,
        service_instance_id=instance,
        iam_endpoint=values.get("AUTH_URL") if kind != "vpc" else None,
        metadata_endpoint=values.get("AUTH_URL") if kind == "vpc" else None,
        **_client(values),
    )


def _client(values: Mapping[str, str]) -> dict[str, str | None]:
    names = {"client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET", "scope": "SCOPE"}
    return {parameter: values.get(name) for parameter, name in names.items()}


def _has_profile(values: Mapping[str, str]) -> bool:
    return any(name in values for name in ("IAM_PROFILE_ID", "IAM_PROFILE_NAME", "IAM_PROFILE_CRN", "CR_TOKEN_FILENAME"))


def _required(values: Mapping[str, str], name: str) -> str:
    if name not in values:
        raise ConfigError(f"{PREFIX}AUTH_TYPE needs {PREFIX}{name} too")
    return values[name]
