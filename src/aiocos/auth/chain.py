"""The search for credentials: a client's arguments, or the places of the chain.

These are the places that IBM's SDK searches, in its order:

1. The environment: `IBM_API_KEY_ID`, with `IBM_SERVICE_INSTANCE_ID` and `IBM_AUTH_ENDPOINT`. Or a trusted profile, with the
   names of IBM's Go SDK: `TRUSTED_PROFILE_ID` or `TRUSTED_PROFILE_NAME`, with `CR_TOKEN_FILE_PATH` or `IBM_SERVICE_ID_API_KEY`
   (and `IAM_ACCOUNT_ID` for a name). Both together are an error. If the HMAC keys of step 2 are set beside `IBM_API_KEY_ID`,
   both are used: calls carry tokens, and the HMAC keys sign presigned URLs.
2. The environment: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, with `AWS_SESSION_TOKEN`. Then
   `RESOURCE_CONFIGURATION_APIKEY` and similar names, which IBM's SDK for the configuration of buckets reads
   (`auth.environment`).
3. A service credential (JSON): `COS_CREDENTIALS_FILE`, or `~/.bluemix/cos_credentials`. Its HMAC keys win over its API key.
4. `AWS_SHARED_CREDENTIALS_FILE`, or `~/.aws/credentials`.
5. `AWS_CONFIG_FILE`, or `~/.aws/config`.

A profile given to the client skips steps 1 to 3. A profile in `AWS_DEFAULT_PROFILE` or `AWS_PROFILE` only selects the section
in steps 4 and 5. An incomplete pair of HMAC keys ends the search with an error, because going on could find another identity.

Places of IBM's SDK that are left out on purpose: AWS roles, web identities and SSO, `credential_process`, and the EC2,
container and boto2 sources. They give identities of AWS, which mean nothing to COS; one of them runs other programs, and the
EC2 metadata service costs every machine outside AWS a network timeout. `AWS_CREDENTIAL_EXPIRATION` is not read, because keys of
COS don't expire.

One promise of IBM's documentation that IBM's SDK doesn't keep is kept here: an API key as `aws_access_key_id` with an instance
id as `aws_secret_access_key`. A "secret" that begins with `crn:` is an instance id.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from pydantic import SecretStr

from aiocos.auth import environment
from aiocos.auth.base import Authorizer, AuthSettings, Credentials, Presigner
from aiocos.auth.files import read_ini, read_text, text_value, warn_if_readable_by_all
from aiocos.auth.iam import ApiKey
from aiocos.auth.keys import DualCredentials, Hmac
from aiocos.errors import ConfigError, CredentialsError
from aiocos.wire.message import PreparedRequest

Secret: TypeAlias = str | SecretStr


def from_arguments(
    *,
    api_key: Secret | None = None,
    service_instance_id: str | None = None,
    access_key_id: str | None = None,
    secret_access_key: Secret | None = None,
    session_token: Secret | None = None,
    iam_endpoint: str | None = None,
    credentials: Credentials | None = None,
    profile: str | None = None,
) -> Credentials:
    """Return the identity of a client's arguments, or a `Chain` without any.

    An API key together with HMAC keys gives `DualCredentials`: calls use the key, and the HMAC keys sign presigned URLs. A
    `Chain` searches for credentials at first use.

    Args:
        api_key: IBM Cloud API key.
        service_instance_id: CRN or GUID of the service instance.
        access_key_id: Id of HMAC keys.
        secret_access_key: Secret of HMAC keys.
        session_token: Token of temporary HMAC keys.
        iam_endpoint: IAM endpoint, for the API key.
        credentials: Credentials, instead of keys or a profile.
        profile: Section of the files `~/.aws/credentials` and `~/.aws/config`.

    Raises:
        ConfigError: The HMAC keys are incomplete, or more than one identity was given.
    """
    pair = hmac_keys(access_key_id, secret_access_key, session_token, "the arguments", service_instance_id)
    if pair is None and any(value is not None for value in (access_key_id, secret_access_key, session_token)):
        # The arguments may come from variables that are not set: going on to the chain could find another identity.
        raise ConfigError("access_key_id and secret_access_key are empty")
    if credentials is not None:
        if api_key is not None or pair is not None or profile is not None:
            raise ConfigError("credentials are given twice: give either credentials=… or keys or a profile")
        return credentials
    if profile is not None and (api_key is not None or pair is not None):
        raise ConfigError("credentials are given twice: give either keys or a profile")
    if api_key is None:
        return pair or Chain(profile)
    key = ApiKey(api_key, service_instance_id, iam_endpoint)
    return DualCredentials(key, pair) if pair else key


def resolve(*, environ: Mapping[str, str] | None = None, home: Path | None = None, profile: str | None = None) -> Credentials:
    """Return the first credentials of the chain. Reads small files.

    Args:
        environ: Environment variables. None reads those of this process.
        home: Home directory. None uses that of this user.
        profile: Section of the files of AWS; it skips the other places. None searches all places.

    Raises:
        CredentialsError: There are no credentials; the message names the places that were searched.
        ConfigError: A file can't be read, or a pair of HMAC keys is incomplete. The message doesn't show what a file contains.
    """
    environ = os.environ if environ is None else environ
    home = Path(os.path.expanduser("~")) if home is None else home
    searched: list[str] = []
    if profile is None:
        if found := _from_environment(environ):
            return found
        searched += ["IBM_API_KEY_ID, TRUSTED_PROFILE_ID and AWS_ACCESS_KEY_ID in the environment"]
        if found := environment.from_sdk(environ):
            return found
        searched += ["RESOURCE_CONFIGURATION_… in the environment and in IBM_CREDENTIALS_FILE"]
        path = _path(environ, "COS_CREDENTIALS_FILE", home, ".bluemix/cos_credentials")
        if found := _from_service_credential(path):
            return _found_in(path, found)
        searched += [str(path)]
    section = _section_name(environ, profile)
    path = _path(environ, "AWS_SHARED_CREDENTIALS_FILE", home, ".aws/credentials")
    if found := _from_section(read_ini(path).get(section), f"[{section}] of {path}"):
        return _found_in(path, found)
    searched += [f"[{section}] of {path}"]
    path, title = _path(environ, "AWS_CONFIG_FILE", home, ".aws/config"), _config_title(section)
    if found := _from_section(_config_sections(path).get(title), f"[{title}] of {path}"):
        return _found_in(path, found)
    searched += [f"[{title}] of {path}"]
    raise CredentialsError(
        f"no credentials: none were given, and none are in {'; '.join(searched)}. "
        "Give api_key=… and service_instance_id=… to the client, or access_key_id=… and secret_access_key=…, "
        "or credentials=Anonymous() for public objects"
    )


def settings_of(
    profile: str | None = None, *, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> dict[str, str] | None:
    """Return the settings of a profile in the files of AWS; None if it has none.

    The secrets are among them. Settings of `~/.aws/credentials` win over those of `~/.aws/config`. Reads two small files, and
    raises `ConfigError` if one can't be read.

    Args:
        profile: Name of the profile. None takes `AWS_DEFAULT_PROFILE`, `AWS_PROFILE`, or `default`.
        environ: Environment variables. None reads those of this process.
        home: Home directory. None uses that of this user.
    """
    environ = os.environ if environ is None else environ
    home = Path(os.path.expanduser("~")) if home is None else home
    section = _section_name(environ, profile)
    in_credentials = read_ini(_path(environ, "AWS_SHARED_CREDENTIALS_FILE", home, ".aws/credentials")).get(section)
    in_config = _config_sections(_path(environ, "AWS_CONFIG_FILE", home, ".aws/config")).get(_config_title(section))
    if in_credentials is None and in_config is None:
        return None
    return {**(in_config or {}), **(in_credentials or {})}


@dataclass(frozen=True)
class Chain(Credentials):
    """The credentials that the chain finds at first use.

    Making a client reads no file.

    Args:
        profile: Section of the files of AWS; it skips the other places. None searches all places.
    """

    profile: str | None = None
    """Section of the files of AWS; None searches all places."""

    @property
    def service_instance_id(self) -> str | None:
        """CRN or GUID of the found credentials' service instance; None if unknown."""
        return self.found().service_instance_id

    def found(self) -> Credentials:
        """Return the credentials; the search runs once. Raises as `resolve` does."""
        found: Credentials | None = self.__dict__.get("_found")
        if found is None:
            found = resolve(profile=self.profile)
            object.__setattr__(self, "_found", found)
        return found

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return an authorizer that searches for credentials at the first request."""
        return _LazyAuthorizer(self, settings)

    def delegation(self, settings: AuthSettings, receiver: str) -> Callable[[], Awaitable[Any]]:
        """Return the found credentials' function for tokens of another service.

        Raises `CredentialsError` if they have none.
        """
        return self.found().delegation(settings, receiver)

    def presigner(self, settings: AuthSettings) -> Presigner:
        """Return the found credentials' signer of URLs.

        Raises `CredentialsError` if they have none.
        """
        return self.found().presigner(settings)

    def __getstate__(self) -> dict[str, Any]:
        # Another process has another environment, and the secrets that were found need not be pickled.
        return {"profile": self.profile}


class _LazyAuthorizer(Authorizer):
    """The authorizer of credentials that are searched for at the first request."""

    def __init__(self, chain: Chain, settings: AuthSettings) -> None:
        self._chain = chain
        self._settings = settings
        self._authorizer: Authorizer | None = None

    async def authorize(self, request: PreparedRequest) -> None:
        if self._authorizer is None:
            self._authorizer = self._chain.found().authorizer(self._settings)
        await self._authorizer.authorize(request)

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        return self._authorizer is not None and self._authorizer.rejected(request, status, date, code)

    def settled(self, request: PreparedRequest, status: int) -> None:
        if self._authorizer is not None:
            self._authorizer.settled(request, status)

    def secrets(self) -> Iterable[str]:
        return self._authorizer.secrets() if self._authorizer is not None else ()

    async def close(self) -> None:
        if self._authorizer is not None:
            await self._authorizer.close()


def hmac_keys(
    access_key_id: str | None,
    secret_access_key: Secret | None,
    session_token: Secret | None,
    place: str,
    service_instance_id: str | None = None,
) -> Hmac | None:
    """Return a pair of HMAC keys; None if all values are missing or empty.

    Raises `ConfigError` for an incomplete pair.

    Args:
        access_key_id: Id of the keys.
        secret_access_key: Secret of the keys.
        session_token: Token of temporary keys.
        place: Name of the place that the values come from, for the error message.
        service_instance_id: CRN or GUID of the service instance.
    """
    if access_key_id and secret_access_key:
        return Hmac(access_key_id, secret_access_key, session_token, service_instance_id)
    if access_key_id or secret_access_key or session_token:
        missing = " and ".join(
            name for name, value in (("access_key_id", access_key_id), ("secret_access_key", secret_access_key)) if not value
        )
        raise ConfigError(f"incomplete HMAC keys in {place}: no {missing}")
    return None


def _from_environment(environ: Mapping[str, str]) -> Credentials | None:
    profile = environment.from_profile(environ)
    token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN")
    pair = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY"), token
    if key := environ.get("IBM_API_KEY_ID"):
        if profile is not None:
            raise ConfigError("the environment has two identities: IBM_API_KEY_ID, and a trusted profile (TRUSTED_PROFILE_*)")
        return _with_hmac_keys(ApiKey(key, environ.get("IBM_SERVICE_INSTANCE_ID"), environ.get("IBM_AUTH_ENDPOINT")), *pair)
    if profile is not None:
        return profile
    return _from_aws_names(*pair, "the environment (AWS_*)")


def _from_service_credential(path: Path) -> Credentials | None:
    """Read a service credential, as the console and the CLI of IBM Cloud write it."""
    text = read_text(path)
    if text is None:
        return None
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    # Raised after the `except` block, because the decoder's error carries the whole text.
    if not isinstance(parsed, dict):
        raise ConfigError(f"{path} holds no JSON object: a service credential is expected there")
    values = cast("dict[str, Any]", parsed)
    keys = values.get("cos_hmac_keys")
    if keys is not None and not isinstance(keys, dict):
        raise ConfigError(f"cos_hmac_keys in {path} is not an object")
    if keys:
        pair = cast("dict[str, Any]", keys)
        access_key_id, secret = (text_value(pair, name, path) for name in ("access_key_id", "secret_access_key"))
        if found := hmac_keys(access_key_id, secret, None, f"cos_hmac_keys of {path}"):
            return found
    if key := text_value(values, "apikey", path):
        return ApiKey(key, text_value(values, "resource_instance_id", path), text_value(values, "iam_auth_endpoint", path))
    return None


def _from_section(values: Mapping[str, str] | None, place: str) -> Credentials | None:
    if values is None:
        return None
    if key := values.get("ibm_api_key_id"):
        return ApiKey(key, values.get("ibm_service_instance_id"), values.get("ibm_auth_endpoint"))
    token = values.get("aws_session_token") or values.get("aws_security_token")
    return _from_aws_names(values.get("aws_access_key_id"), values.get("aws_secret_access_key"), token, place)


def _with_hmac_keys(calls: Credentials, access_key_id: str | None, secret: str | None, token: str | None) -> Credentials:
    """Return an API key together with HMAC keys beside it, if there are any.

    Calls carry tokens, and the HMAC keys sign presigned URLs. An incomplete pair is ignored: no call would be made with it, and
    `presign` raises an error that says what it needs.
    """
    if access_key_id and secret and not secret.strip().startswith("crn:"):
        return DualCredentials(calls, Hmac(access_key_id, secret, token))
    return calls


def _from_aws_names(access_key_id: str | None, secret: str | None, token: str | None, place: str) -> Credentials | None:
    if access_key_id and secret and secret.strip().startswith("crn:"):
        return ApiKey(access_key_id, secret.strip())
    # A session token alone is no identity: other tools leave it behind.
    return hmac_keys(access_key_id, secret, token, place) if access_key_id or secret else None


def _path(environ: Mapping[str, str], variable: str, home: Path, default: str) -> Path:
    given = environ.get(variable)
    if not given:
        return home / default
    return home / given[2:] if given.startswith("~/") else Path(given)


def _found_in(path: Path, found: Credentials) -> Credentials:
    warn_if_readable_by_all(path)
    return found


def _section_name(environ: Mapping[str, str], profile: str | None) -> str:
    # If both variables are set, IBM's SDK takes AWS_DEFAULT_PROFILE.
    return profile or environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or "default"


def _config_title(profile: str) -> str:
    """Return the title of a profile's section in `~/.aws/config`."""
    return profile if profile == "default" else f"profile {profile}"


def _config_sections(path: Path) -> dict[str, dict[str, str]]:
    """Return the sections of `~/.aws/config`, with unquoted titles.

    `profile "a b"` becomes `profile a b`.
    """
    sections: dict[str, dict[str, str]] = {}
    for title, values in read_ini(path).items():
        words = title.split(None, 1)
        is_profile = len(words) == 2 and words[0] == "profile"
        sections[_config_title(words[1].strip().strip("\"'")) if is_profile else title] = values
    return sections
