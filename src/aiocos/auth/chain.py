"""Where credentials come from: a client's arguments, else the places IBM's SDK looks in, in its order.

1. The environment: `IBM_API_KEY_ID`, with `IBM_SERVICE_INSTANCE_ID` and `IBM_AUTH_ENDPOINT`.
   Or a trusted profile, as IBM's Go SDK takes it: `TRUSTED_PROFILE_ID` or `TRUSTED_PROFILE_NAME`, with `CR_TOKEN_FILE_PATH` or
   with `IBM_SERVICE_ID_API_KEY` (and `IAM_ACCOUNT_ID` for a name). An API key beside it is an error. The HMAC keys of 2 beside
   `IBM_API_KEY_ID` are a second identity: calls go by tokens, presigned URLs by the keys.
2. The environment: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, with `AWS_SESSION_TOKEN`. Then the names that IBM's SDK for
   the configuration of buckets reads, `RESOURCE_CONFIGURATION_APIKEY` and its kin (`auth.environment`).
3. A service credential (JSON): `COS_CREDENTIALS_FILE`, else `~/.bluemix/cos_credentials`. Its HMAC keys win over its API key.
4. `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
5. `AWS_CONFIG_FILE`, else `~/.aws/config`.

A profile named in the call leaves 1 to 3 out; one named by `AWS_DEFAULT_PROFILE` or `AWS_PROFILE` only chooses the section in
4 and 5. Half a pair of keys ends the search with an error: going on would act as somebody else.

Left out of IBM's list on purpose: assuming AWS roles, web identities and SSO, `credential_process`, and the EC2, container and
boto2 sources. They yield identities of AWS that COS does not know, one runs other programs, and the metadata service costs
every machine outside AWS a network time-out. `AWS_CREDENTIAL_EXPIRATION` is not read: keys of COS do not expire.

Kept, though IBM's SDK does not do it: the documentation promises that an API key as `aws_access_key_id` with an instance id as
`aws_secret_access_key` is understood. A "secret" that begins with `crn:` is such an instance id.
"""

from __future__ import annotations

import configparser
import json
import os
import stat
import warnings
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from pydantic import SecretStr

from aiocos.auth import environment
from aiocos.auth.base import Authorizer, AuthSettings, Credentials, Presigner
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
    """Return the identity that a client's arguments name; without any, the one the chain will find at first use.

    An API key together with HMAC keys is both: the first for calls, the second for presigned URLs. Raises `ConfigError` for
    half a pair, and for more than one identity.
    """
    pair = pair_of(access_key_id, secret_access_key, session_token, "the arguments", service_instance_id)
    if pair is None and any(value is not None for value in (access_key_id, secret_access_key, session_token)):
        # A variable that was not set, say: going on to the chain would act as somebody else.
        raise ConfigError("access_key_id and secret_access_key are empty")
    if credentials is not None:
        if api_key is not None or pair is not None or profile is not None:
            raise ConfigError("credentials are given twice: either credentials=… or keys or a profile")
        return credentials
    if profile is not None and (api_key is not None or pair is not None):
        raise ConfigError("credentials are given twice: either keys or a profile")
    if api_key is None:
        return pair or Chain(profile)
    key = ApiKey(api_key, service_instance_id, iam_endpoint)
    return DualCredentials(key, pair) if pair else key


def resolve(*, environ: Mapping[str, str] | None = None, home: Path | None = None, profile: str | None = None) -> Credentials:
    """Return the first credentials of the chain. Reads small files.

    Raises `CredentialsError`, with the places looked at, where there are none, and `ConfigError` for what is there and wrong: a
    file that cannot be read, half a pair of keys. Neither shows what a file holds.
    """
    environ = os.environ if environ is None else environ
    home = Path(os.path.expanduser("~")) if home is None else home
    looked: list[str] = []
    if profile is None:
        if found := _from_environment(environ):
            return found
        looked += ["IBM_API_KEY_ID, TRUSTED_PROFILE_ID and AWS_ACCESS_KEY_ID in the environment"]
        if found := environment.from_sdk(environ, _lines):
            return found
        looked += ["RESOURCE_CONFIGURATION_… in the environment and in IBM_CREDENTIALS_FILE"]
        path = _path(environ, "COS_CREDENTIALS_FILE", home, ".bluemix/cos_credentials")
        if found := _from_service_credential(path):
            return _found_in(path, found)
        looked += [str(path)]
    # Where both are set, IBM's SDK takes AWS_DEFAULT_PROFILE.
    section = profile or environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or "default"
    path = _path(environ, "AWS_SHARED_CREDENTIALS_FILE", home, ".aws/credentials")
    if found := _from_section(_ini(path).get(section), f"[{section}] of {path}"):
        return _found_in(path, found)
    looked += [f"[{section}] of {path}"]
    path, name = _path(environ, "AWS_CONFIG_FILE", home, ".aws/config"), _profile_section(section)
    sections = {_unquoted(title): values for title, values in _ini(path).items()}
    if found := _from_section(sections.get(name), f"[{name}] of {path}"):
        return _found_in(path, found)
    looked += [f"[{name}] of {path}"]
    raise CredentialsError(
        f"no credentials: none were given, and none are in {'; '.join(looked)}. "
        "Give api_key=… and service_instance_id=… to the client, or access_key_id=… and secret_access_key=…, "
        "or credentials=Anonymous() for public objects"
    )


def settings_of(
    profile: str | None = None, *, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> dict[str, str] | None:
    """Return what the files of AWS say of a profile, secrets and all; None where neither has it. Reads two small files.

    Raises `ConfigError` for a file that cannot be read.
    """
    environ = os.environ if environ is None else environ
    home = Path(os.path.expanduser("~")) if home is None else home
    section = profile or environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or "default"
    path = _path(environ, "AWS_SHARED_CREDENTIALS_FILE", home, ".aws/credentials")
    in_credentials = _ini(path).get(section)
    sections = {
        _unquoted(title): values for title, values in _ini(_path(environ, "AWS_CONFIG_FILE", home, ".aws/config")).items()
    }
    in_config = sections.get(_profile_section(section))
    if in_credentials is None and in_config is None:
        return None
    return {**(in_config or {}), **(in_credentials or {})}


@dataclass(frozen=True)
class Chain(Credentials):
    """Whatever the chain finds, looked for at first use: making a client reads no file."""

    profile: str | None = None

    @property
    def service_instance_id(self) -> str | None:
        """The instance of the credentials found."""
        return self.found().service_instance_id

    def found(self) -> Credentials:
        """Return what the chain finds; looked for once. Raises as `resolve` does."""
        found: Credentials | None = self.__dict__.get("_found")
        if found is None:
            found = resolve(profile=self.profile)
            object.__setattr__(self, "_found", found)
        return found

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Make what looks for credentials with the first request."""
        return _LazyAuthorizer(self, settings)

    def delegation(self, settings: AuthSettings, receiver: str) -> Callable[[], Awaitable[Any]]:
        """Make what fetches a token for another service, if the credentials found can."""
        return self.found().delegation(settings, receiver)

    def presigner(self, settings: AuthSettings) -> Presigner:
        """Make what signs URLs, if the credentials found can."""
        return self.found().presigner(settings)

    def __getstate__(self) -> dict[str, Any]:
        # Another process has another environment, and secrets that were found need not travel.
        return {"profile": self.profile}


class _LazyAuthorizer(Authorizer):
    """The authorizer of credentials that are not looked for yet."""

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


def pair_of(
    access_key_id: str | None,
    secret_access_key: Secret | None,
    session_token: Secret | None,
    place: str,
    service_instance_id: str | None = None,
) -> Hmac | None:
    """Return a pair of HMAC keys, None for none; raises `ConfigError`, with the place and the missing half, for half a pair."""
    if access_key_id and secret_access_key:
        return Hmac(access_key_id, secret_access_key, session_token, service_instance_id)
    if access_key_id or secret_access_key or session_token:
        missing = " and ".join(
            name for name, value in (("access_key_id", access_key_id), ("secret_access_key", secret_access_key)) if not value
        )
        raise ConfigError(f"HMAC keys are a pair, and {place} has no {missing}")
    return None


def _from_environment(environ: Mapping[str, str]) -> Credentials | None:
    profile = environment.from_profile(environ)
    token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN")
    pair = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY"), token
    if key := environ.get("IBM_API_KEY_ID"):
        if profile is not None:
            raise ConfigError("the environment names two identities: IBM_API_KEY_ID, and a trusted profile (TRUSTED_PROFILE_*)")
        return _with_pair(ApiKey(key, environ.get("IBM_SERVICE_INSTANCE_ID"), environ.get("IBM_AUTH_ENDPOINT")), *pair)
    if profile is not None:
        return profile
    return _aws(*pair, "the environment (AWS_*)")


def _from_service_credential(path: Path) -> Credentials | None:
    """Read a service credential as the console and the command line of IBM Cloud write it."""
    text = _read(path)
    if text is None:
        return None
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    # Raised out here: the decoder's error carries the whole text.
    if not isinstance(parsed, dict):
        raise ConfigError(f"{path} holds no JSON object: a service credential is expected there")
    values = cast("dict[str, Any]", parsed)
    keys = values.get("cos_hmac_keys")
    if keys is not None and not isinstance(keys, dict):
        raise ConfigError(f"cos_hmac_keys in {path} is no object")
    if keys:
        pair = cast("dict[str, Any]", keys)
        access_key_id, secret = (_text(pair, name, path) for name in ("access_key_id", "secret_access_key"))
        if found := pair_of(access_key_id, secret, None, f"cos_hmac_keys in {path}"):
            return found
    if key := _text(values, "apikey", path):
        return ApiKey(key, _text(values, "resource_instance_id", path), _text(values, "iam_auth_endpoint", path))
    return None


def _from_section(values: Mapping[str, str] | None, place: str) -> Credentials | None:
    if values is None:
        return None
    if key := values.get("ibm_api_key_id"):
        return ApiKey(key, values.get("ibm_service_instance_id"), values.get("ibm_auth_endpoint"))
    token = values.get("aws_session_token") or values.get("aws_security_token")
    return _aws(values.get("aws_access_key_id"), values.get("aws_secret_access_key"), token, place)


def _with_pair(calls: Credentials, access_key_id: str | None, secret: str | None, token: str | None) -> Credentials:
    """Return both identities where a pair of HMAC keys stands beside an API key: calls by tokens, presigned URLs by the pair.

    Half a pair is left out: no call would be made with it, and `presign` says what it needs.
    """
    if access_key_id and secret and not secret.strip().startswith("crn:"):
        return DualCredentials(calls, Hmac(access_key_id, secret, token))
    return calls


def _aws(access_key_id: str | None, secret: str | None, token: str | None, place: str) -> Credentials | None:
    if access_key_id and secret and secret.strip().startswith("crn:"):
        return ApiKey(access_key_id, secret.strip())
    # A session token alone names nobody: other tools leave it behind.
    return pair_of(access_key_id, secret, token, place) if access_key_id or secret else None


def _path(environ: Mapping[str, str], variable: str, home: Path, default: str) -> Path:
    given = environ.get(variable)
    if not given:
        return home / default
    return home / given[2:] if given.startswith("~/") else Path(given)


def _read(path: Path) -> str | None:
    """Return the text of a file, None if it is not there."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    raise ConfigError(f"{path} is not text in UTF-8")


_warned: set[Path] = set()


def _found_in(path: Path, found: Credentials) -> Credentials:
    """Warn, once a file, where everybody on this machine can read the credentials that were found in it."""
    if path not in _warned and os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
        _warned.add(path)
        warnings.warn(f"{path} holds credentials and can be read by everybody on this machine: chmod 600", stacklevel=2)
    return found


def _lines(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines, those that begin with `#` left out; none if the file is not there."""
    text = _read(path)
    if text is None:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _ini(path: Path) -> dict[str, dict[str, str]]:
    """Return the sections of an INI file; none if it is not there."""
    text = _read(path)
    if text is None:
        return {}
    # No section gives its values to the others, and no `%` in a secret is a reference.
    parser = configparser.RawConfigParser(default_section="")
    line = None
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or 0
    # Raised out here: the parser's error quotes the line.
    if line is not None:
        raise ConfigError(f"{path} is no INI file{f' (line {line})' if line else ''}")
    return {title: dict(parser.items(title)) for title in parser.sections()}


def _profile_section(profile: str) -> str:
    return profile if profile == "default" else f"profile {profile}"


def _unquoted(title: str) -> str:
    """Read a section title of `~/.aws/config`: `profile "a b"` names the profile `a b`."""
    words = title.split(None, 1)
    if len(words) == 2 and words[0] == "profile":
        return _profile_section(words[1].strip().strip("\"'"))
    return title


def _text(values: Mapping[str, Any], name: str, path: Path) -> str | None:
    value = values.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise ConfigError(f"{name} in {path} is no text")
