"""Trusted profiles: identities of workloads, which have no key of their own to lose.

A profile is taken on in one of three ways:

* by the token that a compute resource (Kubernetes, OpenShift, Code Engine) finds in a file. The file is replaced as its token
  ages, so it is read again for every token that is fetched;
* by a virtual server (VPC), which asks the metadata service that only it can reach;
* by an API key that may assume the profile: first the key's own token is fetched, then the profile's.

https://cloud.ibm.com/docs/account?topic=account-create-trusted-profile
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from aiocos.auth.base import Authorizer, AuthSettings, Credentials, HttpClient, HttpFactory
from aiocos.auth.bearer import TokenAuthorizer
from aiocos.auth.iam import ApiKey, IamClient, http_of
from aiocos.auth.token_fetcher import FetchFailure, FormTokenFetcher, TokenFetcher, json_object, read_answer
from aiocos.auth.tokens import Fetch, Token
from aiocos.errors import ConfigError, CredentialsError
from aiocos.wire.address import is_link_local, is_loopback
from aiocos.wire.message import PreparedRequest

CR_GRANT = "urn:ibm:params:oauth:grant-type:cr-token"
ASSUME_GRANT = "urn:ibm:params:oauth:grant-type:assume"
TOKEN_FILES = (
    "/var/run/secrets/tokens/vault-token",
    "/var/run/secrets/tokens/sa-token",
    "/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token",
)
"""Where compute resources find their token, the first that can be read."""
METADATA = "http://169.254.169.254"
"""The metadata service, at an address that leads nowhere but to the own machine's host."""
# The name by which IBM's documentation has the same address.
_METADATA_HOST = "api.metadata.cloud.ibm.com"
MetadataVersion = Literal["2022-03-01", "2025-08-26"]
_METADATA_PATHS: dict[str, tuple[str, str]] = {
    "2022-03-01": ("/instance_identity/v1/token", "/instance_identity/v1/iam_token"),
    "2025-08-26": ("/identity/v1/token", "/identity/v1/iam_tokens"),
}


@dataclass(frozen=True)
class _Name:
    """A profile's name, in one of its forms."""

    id: str | None = None
    crn: str | None = None
    name: str | None = None
    account: str | None = None

    def __str__(self) -> str:
        return self.id or self.crn or self.name or "linked to this server"


@dataclass(frozen=True, init=False)
class TrustedProfile(Credentials):
    """A trusted profile, named by id, CRN or name.

    Without more it is taken on by the token of a compute resource: from `token_file`, else from the files where Kubernetes,
    OpenShift and Code Engine put it. With `vpc` a virtual server asks its metadata service (the profile need not be named where
    one is linked to the server). With `api_key` the key assumes the profile; a profile's name needs its `account_id` then.
    """

    profile: _Name
    token_file: str | None
    vpc: MetadataVersion | None
    api_key: ApiKey | None
    instance_id: str | None
    iam: IamClient
    metadata_endpoint: str

    def __init__(
        self,
        profile_id: str | None = None,
        *,
        profile_crn: str | None = None,
        profile_name: str | None = None,
        account_id: str | None = None,
        token_file: str | Path | None = None,
        vpc: bool | MetadataVersion = False,
        api_key: str | SecretStr | None = None,
        service_instance_id: str | None = None,
        iam_endpoint: str | None = None,
        client_id: str | None = None,
        client_secret: str | SecretStr | None = None,
        scope: str | None = None,
        metadata_endpoint: str | None = None,
    ) -> None:
        ways = [name for name, given in (("token_file", token_file), ("vpc", vpc), ("api_key", api_key)) if given]
        if len(ways) > 1:
            raise ConfigError(f"a trusted profile is taken on in one way: {' and '.join(ways)} are given")
        version: MetadataVersion | None = "2022-03-01" if vpc is True else vpc or None
        if version is not None and version not in _METADATA_PATHS:
            raise ConfigError(f"vpc={version!r} is no version of the metadata service: {', '.join(_METADATA_PATHS)}")
        name = _Name(profile_id or None, profile_crn or None, profile_name or None, account_id or None)
        _check_name(name, vpc=version is not None, assumed=bool(api_key))
        object.__setattr__(self, "profile", name)
        object.__setattr__(self, "token_file", str(token_file) if token_file else None)
        object.__setattr__(self, "vpc", version)
        object.__setattr__(self, "instance_id", service_instance_id or None)
        object.__setattr__(self, "iam", IamClient(iam_endpoint, client_id, client_secret, scope))
        object.__setattr__(self, "metadata_endpoint", _origin(metadata_endpoint or METADATA))
        key = None
        if api_key:
            key = ApiKey(api_key, None, iam_endpoint, client_id=client_id, client_secret=client_secret, scope=scope)
        object.__setattr__(self, "api_key", key)

    @property
    def service_instance_id(self) -> str | None:
        """The instance given beside the profile."""
        return self.instance_id

    @property
    def whose(self) -> str:
        """The identity in messages."""
        return f"the trusted profile {self.profile}"

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Make what sends the profile's tokens; they are shared by all clients of an event loop."""
        where = (self.metadata_endpoint, self.vpc) if self.vpc else (self.iam.url(settings), settings.verify_tls)
        by = self.api_key.identity(settings) if self.api_key is not None else (self.token_file,)
        return TokenAuthorizer(("profile", self.profile, *where, *by, *self.iam.fingerprint), self.fetch(settings))

    def fetch(self, settings: AuthSettings) -> Fetch:
        """Make what fetches the profile's tokens."""
        http = http_of(settings)
        if self.vpc is not None:
            return _Metadata(self.metadata_endpoint, self.vpc, self.profile, self.whose, http)
        if self.api_key is not None:
            return _Assuming(self.api_key, self, settings)
        return FormTokenFetcher(
            self.iam.url(settings),
            lambda: self.iam.scoped({"grant_type": CR_GRANT, "cr_token": self._compute_token(), **self._by_id_or_name()}),
            http,
            whose=self.whose,
            secrets=("cr_token",),
            authorization=self.iam.authorization(None),
        )

    def assume_form(self, token: str) -> dict[str, str]:
        """The form by which somebody with a token takes on the profile."""
        name = self.profile
        if name.id or name.crn:
            said = {"profile_id": name.id} if name.id else {"profile_crn": name.crn or ""}
        else:
            said = {"profile_name": name.name or "", "account": name.account or ""}
        return self.iam.scoped({"grant_type": ASSUME_GRANT, "access_token": token, **said})

    def _by_id_or_name(self) -> dict[str, str]:
        said = {"profile_id": self.profile.id, "profile_crn": self.profile.crn, "profile_name": self.profile.name}
        return {name: value for name, value in said.items() if value}

    def _compute_token(self) -> str:
        """Read the token of the compute resource. It is small, and on a file system in memory."""
        tried: list[str] = []
        for path in (self.token_file,) if self.token_file else TOKEN_FILES:
            try:
                token = Path(path).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "not text"
                tried.append(f"{path} ({reason})")
                continue
            if token:
                return token
            tried.append(f"{path} (empty)")
        raise CredentialsError(f"{self.whose}: there is no token of a compute resource in {', '.join(tried)}")


def _check_name(name: _Name, *, vpc: bool, assumed: bool) -> None:
    given = [
        field for field, value in (("profile_id", name.id), ("profile_crn", name.crn), ("profile_name", name.name)) if value
    ]
    if assumed:
        if len(given) != 1:
            raise ConfigError(
                "an API key assumes a profile by exactly one of profile_id, profile_crn, and profile_name with account_id"
            )
        if (name.name is None) != (name.account is None):
            raise ConfigError("profile_name and account_id belong together")
    elif vpc:
        if len(given) > 1:
            raise ConfigError(f"a virtual server asks for one profile: {' and '.join(given)} are given")
    elif not (name.id or name.name):
        raise ConfigError("a compute resource takes on a profile by profile_id or profile_name")


def _origin(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise ConfigError(f"the metadata service is at a URL without a path, not at {endpoint}")
    if parts.scheme == "http" and host != _METADATA_HOST and not is_link_local(host) and not is_loopback(host):
        raise ConfigError(
            f"the metadata service is not asked at {endpoint}: plain http would show its tokens to the network; use https"
        )
    return f"{parts.scheme}://{parts.netloc}"


class _Metadata(TokenFetcher):
    """Asks the metadata service of a virtual server: first for a token of the server, with that for one of the profile."""

    def __init__(self, origin: str, version: MetadataVersion, profile: _Name, whose: str, http: HttpFactory) -> None:
        self._paths = _METADATA_PATHS[version]
        super().__init__(f"{origin}{self._paths[1]}", whose, http)
        self._query = f"version={version}"
        self._profile = profile

    async def attempt(self, http: HttpClient, limit: float) -> Token | FetchFailure:
        """Ask twice."""
        first = await self._send(http, "PUT", self._paths[0], {"Metadata-Flavor": "ibm"}, {"expires_in": 300}, limit)
        server = read_answer(first, now=self.clock(), wall=self.wall(), spread=0, redact=self.redact)
        if isinstance(server, FetchFailure):
            return server
        self.hide(server.value)
        now = self.clock()
        headers = {"Authorization": f"Bearer {server.value}"}
        second = await self._send(http, "POST", self._paths[1], headers, _trusted(self._profile), limit)
        answer = json_object(second)
        if answer is not None and "access_token" in answer:
            self.hide(str(answer["access_token"]))
        return read_answer(second, now=now, wall=self.wall(), spread=self.chance(), redact=self.redact)

    async def _send(
        self, http: HttpClient, method: str, path: str, headers: Mapping[str, str], body: object | None, limit: float
    ):
        said = {"Accept": "application/json", **headers}
        data = None
        if body is not None:
            said["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return await http.send(PreparedRequest(method, self.origin, path, self._query, said, data), timeout=limit)


def _trusted(profile: _Name) -> object | None:
    for kind, value in (("crn", profile.crn), ("id", profile.id), ("name", profile.name)):
        if value:
            return {"trusted_profile": {kind: value}}
    return None  # the one that is linked to the server


class _Assuming:
    """Fetches the token of an API key, and with it the one of the profile."""

    def __init__(self, key: ApiKey, profile: TrustedProfile, settings: AuthSettings) -> None:
        self._first = key.fetch(settings)
        self._profile = profile
        self._settings = settings

    @property
    def hidden(self) -> set[str]:
        """What must not come back in a message."""
        return self._first.hidden

    async def __call__(self) -> Token:
        """Fetch the profile's token; raises `CredentialsError`."""
        own = await self._first()
        profile = self._profile
        exchange = FormTokenFetcher(
            profile.iam.url(self._settings),
            profile.assume_form(own.value),
            http_of(self._settings),
            whose=profile.whose,
            secrets=("access_token",),
            authorization=profile.iam.authorization(None),
        )
        return await exchange()
