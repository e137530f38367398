"""Identities that the environment names: trusted profiles, and the settings that IBM's SDK core reads.

`RESOURCE_CONFIGURATION_…` are the names under which IBM's SDK for the configuration of buckets finds its authenticator. They
are read from the process environment, and from the file that `IBM_CREDENTIALS_FILE` names (which wins, as there). Two places of
that SDK are left out on purpose: `ibm-credentials.env` in the working directory, which whoever supplies a directory could
plant, and `VCAP_SERVICES`, which no platform of IBM sets any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from aiocos.auth.base import Anonymous, BearerToken, Credentials
from aiocos.auth.iam import ApiKey
from aiocos.auth.profile import MetadataVersion, TrustedProfile
from aiocos.errors import ConfigError

PREFIX = "RESOURCE_CONFIGURATION_"


def from_profile(environ: Mapping[str, str]) -> TrustedProfile | None:
    """Return the trusted profile that the environment names, in the words of IBM's Go SDK."""
    profile_id, name = environ.get("TRUSTED_PROFILE_ID"), environ.get("TRUSTED_PROFILE_NAME")
    if not (profile_id or name):
        return None
    key = environ.get("IBM_SERVICE_ID_API_KEY")
    return TrustedProfile(
        profile_id,
        # An API key assumes a profile by one name only.
        profile_name=None if profile_id and key else name,
        account_id=environ.get("IAM_ACCOUNT_ID") if key and not profile_id else None,
        token_file=environ.get("CR_TOKEN_FILE_PATH"),
        api_key=key,
        service_instance_id=environ.get("IBM_SERVICE_INSTANCE_ID"),
        iam_endpoint=environ.get("IBM_AUTH_ENDPOINT"),
    )


def from_sdk(environ: Mapping[str, str], read: Callable[[Path], dict[str, str]]) -> Credentials | None:
    """Return the identity that the names of IBM's SDK core describe."""
    named = environ.get("IBM_CREDENTIALS_FILE")
    everything = {**environ, **(read(Path(named)) if named else {})}
    values = {n.removeprefix(PREFIX): v for n, v in everything.items() if n.startswith(PREFIX) and v}
    if not values:
        return None
    instance = environ.get("IBM_SERVICE_INSTANCE_ID")
    by_default = "iam" if "APIKEY" in values else "container" if _names_a_profile(values) else ""
    kind = values.get("AUTH_TYPE", by_default).lower()
    if kind == "iam":
        return ApiKey(_must(values, "APIKEY"), instance, values.get("AUTH_URL"), **_client(values))
    if kind == "bearertoken":
        return BearerToken(_must(values, "BEARER_TOKEN"), instance)
    if kind == "noauth":
        return Anonymous()
    if kind in ("container", "vpc", "iamassume"):
        return _profile(kind, values, instance)
    if kind:
        raise ConfigError(
            f"{PREFIX}AUTH_TYPE={kind} is no identity of COS: iam, iamAssume, container, vpc, bearerToken or noAuth"
        )
    return None  # a URL, say, and nothing of who asks


def _profile(kind: str, values: Mapping[str, str], instance: str | None) -> TrustedProfile:
    version = values.get("VPC_IMS_VERSION", "2022-03-01")
    return TrustedProfile(
        values.get("IAM_PROFILE_ID"),
        profile_crn=values.get("IAM_PROFILE_CRN") if kind != "container" else None,
        profile_name=values.get("IAM_PROFILE_NAME"),
        account_id=values.get("IAM_ACCOUNT_ID") if kind == "iamassume" else None,
        token_file=values.get("CR_TOKEN_FILENAME") if kind == "container" else None,
        vpc=cast("MetadataVersion", version) if kind == "vpc" else False,
        api_key=_must(values, "APIKEY") if kind == "iamassume" else None,
        service_instance_id=instance,
        iam_endpoint=values.get("AUTH_URL") if kind != "vpc" else None,
        metadata_endpoint=values.get("AUTH_URL") if kind == "vpc" else None,
        **_client(values),
    )


def _client(values: Mapping[str, str]) -> dict[str, str | None]:
    named = {"client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET", "scope": "SCOPE"}
    return {parameter: values.get(name) for parameter, name in named.items()}


def _names_a_profile(values: Mapping[str, str]) -> bool:
    return any(name in values for name in ("IAM_PROFILE_ID", "IAM_PROFILE_NAME", "IAM_PROFILE_CRN", "CR_TOKEN_FILENAME"))


def _must(values: Mapping[str, str], name: str) -> str:
    if name not in values:
        raise ConfigError(f"{PREFIX}AUTH_TYPE needs {PREFIX}{name} beside it")
    return values[name]
