"""Trusted profiles: identities of workloads, without a key that could be lost.

A workload authenticates for a profile in one of three ways:

* With the token that a compute resource (Kubernetes, OpenShift, Code Engine) finds in a file. The file is replaced before its
  token expires, so it is read for every token request.
* By the metadata service of a virtual server (VPC), which only that server can reach.
* With an API key that may assume the profile. The key's token is fetched first, and then the profile's.

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
from aiocos.auth.iam import ApiKey, IamClient, http_factory
from aiocos.auth.token_fetcher import FetchFailure, FormTokenFetcher, TokenFetcher, json_object, read_token_response
from aiocos.auth.tokens import Fetch, Token
from aiocos.errors import ConfigError, CredentialsError
from aiocos.wire.address import is_link_local, is_loopback
from aiocos.wire.message import PreparedRequest

CR_GRANT = "urn:ibm:params:oauth:grant-type:cr-token"
"""Grant type of the exchange of a compute resource's token."""

ASSUME_GRANT = "urn:ibm:params:oauth:grant-type:assume"
"""Grant type of assuming a profile with another token."""

TOKEN_FILES = (
    "/var/run/secrets/tokens/vault-token",
    "/var/run/secrets/tokens/sa-token",
    "/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token",
)
"""Files in which compute resources find their token; the first that can be read is used."""

METADATA_ENDPOINT = "http://169.254.169.254"
"""Endpoint of the metadata service. The address is link-local: it never leaves the machine's own host."""

# Host name of METADATA_ENDPOINT in IBM's documentation.
_METADATA_HOST = "api.metadata.cloud.ibm.com"

MetadataVersion = Literal["2022-03-01", "2025-08-26"]
"""Versions of the metadata service."""

# Paths of the requests for the server's token and the profile's token.
_METADATA_PATHS: dict[str, tuple[str, str]] = {
    "2022-03-01": ("/instance_identity/v1/token", "/instance_identity/v1/iam_token"),
    "2025-08-26": ("/identity/v1/token", "/identity/v1/iam_tokens"),
}


@dataclass(frozen=True)
class _ProfileName:
    """The name of a profile, in one of its forms."""

    id: str | None = None
    """Id of the profile."""
    crn: str | None = None
    """CRN of the profile."""
    name: str | None = None
    """Name of the profile."""
    account: str | None = None
    """Id of the account that the profile belongs to."""

    def __str__(self) -> str:
        return self.id or self.crn or self.name or "linked to this server"


@dataclass(frozen=True, init=False)
class TrustedProfile(Credentials):
    """A trusted profile, named by id, CRN or name.

    By default, the workload authenticates with the token of a compute resource. Give `vpc` for a virtual server, or `api_key`
    for a key that may assume the profile.

    Args:
        profile_id: Id of the profile, such as `Profile-…`. Not needed with `vpc`, if a profile is linked to the server.
        profile_crn: CRN of the profile, instead of the id; not for a compute resource.
        profile_name: Name of the profile, instead of the id; with `api_key`, only together with `account_id`.
        account_id: Id of the account that the profile belongs to.
        token_file: File with the token of the compute resource. None uses the first readable file of `TOKEN_FILES`, where
            Kubernetes, OpenShift and Code Engine put it.
        vpc: True or a version of the metadata service authenticates as a virtual server. True is version `2022-03-01`.
        api_key: API key that assumes the profile.
        service_instance_id: CRN or GUID of the COS instance whose buckets are listed and created. None sends none.
        iam_endpoint: IAM endpoint: a host, a base URL, or the whole URL of the token endpoint. Plain http is accepted for this
            machine only. None uses the environment's (`IBM_AUTH_ENDPOINT`), or IBM's.
        client_id: Id of a client that is registered with IAM; only together with `client_secret`. None sends none.
        client_secret: Secret of the client.
        scope: Scope of the token. None requests none.
        metadata_endpoint: URL of the metadata service, without a path. None uses `METADATA_ENDPOINT`.

    Raises:
        ConfigError: More than one of `token_file`, `vpc` and `api_key` was given, the name of the profile is missing or
            doesn't fit, or an endpoint isn't valid.
    """

    profile: _ProfileName
    """Name of the profile."""
    token_file: str | None
    """File with the token of the compute resource; None for the usual files."""
    vpc: MetadataVersion | None
    """Version of the metadata service; None if the workload isn't a virtual server."""
    api_key: ApiKey | None
    """API key that assumes the profile; None without one."""
    instance_id: str | None
    """CRN or GUID of the service instance; None if none was given."""
    iam: IamClient
    """Settings of requests to IAM."""
    metadata_endpoint: str
    """URL of the metadata service."""

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
        sources = [name for name, value in (("token_file", token_file), ("vpc", vpc), ("api_key", api_key)) if value]
        if len(sources) > 1:
            raise ConfigError(f"a trusted profile takes only one of token_file, vpc and api_key, not {' and '.join(sources)}")
        version: MetadataVersion | None = "2022-03-01" if vpc is True else vpc or None
        if version is not None and version not in _METADATA_PATHS:
            raise ConfigError(f"vpc={version!r} is not a version of the metadata service: {', '.join(_METADATA_PATHS)}")
        name = _ProfileName(profile_id or None, profile_crn or None, profile_name or None, account_id or None)
        _check_name(name, vpc=version is not None, assumed=bool(api_key))
        object.__setattr__(self, "profile", name)
        object.__setattr__(self, "token_file", str(token_file) if token_file else None)
        object.__setattr__(self, "vpc", version)
        object.__setattr__(self, "instance_id", service_instance_id or None)
        object.__setattr__(self, "iam", IamClient(iam_endpoint, client_id, client_secret, scope))
        object.__setattr__(self, "metadata_endpoint", _metadata_origin(metadata_endpoint or METADATA_ENDPOINT))
        key = None
        if api_key:
            key = ApiKey(api_key, None, iam_endpoint, client_id=client_id, client_secret=client_secret, scope=scope)
        object.__setattr__(self, "api_key", key)

    @property
    def service_instance_id(self) -> str | None:
        """CRN or GUID of the service instance; None if none was given."""
        return self.instance_id

    @property
    def display_name(self) -> str:
        """Name of the identity in error messages."""
        return f"the trusted profile {self.profile}"

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return the authorizer that sends the profile's tokens.

        All clients of an event loop share them.
        """
        issuer = (self.metadata_endpoint, self.vpc) if self.vpc else (self.iam.url(settings), settings.verify_tls)
        source = self.api_key.cache_key(settings) if self.api_key is not None else (self.token_file,)
        return TokenAuthorizer(("profile", self.profile, *issuer, *source, *self.iam.cache_key), self.fetcher(settings))

    def fetcher(self, settings: AuthSettings) -> Fetch:
        """Return the fetcher of the profile's tokens.

        Args:
            settings: Settings of the client.
        """
        http = http_factory(settings)
        if self.vpc is not None:
            return _MetadataTokenFetcher(self.metadata_endpoint, self.vpc, self.profile, self.display_name, http)
        if self.api_key is not None:
            return _AssumeTokenFetcher(self.api_key, self, settings)
        return FormTokenFetcher(
            self.iam.url(settings),
            lambda: self.iam.with_scope({"grant_type": CR_GRANT, "cr_token": self._compute_token(), **self._name_fields()}),
            http,
            display_name=self.display_name,
            secret_fields=("cr_token",),
            authorization=self.iam.authorization(None),
        )

    def assume_form(self, token: str) -> dict[str, str]:
        """Return the form that assumes the profile with another identity's token."""
        name = self.profile
        if name.id or name.crn:
            fields = {"profile_id": name.id} if name.id else {"profile_crn": name.crn or ""}
        else:
            fields = {"profile_name": name.name or "", "account": name.account or ""}
        return self.iam.with_scope({"grant_type": ASSUME_GRANT, "access_token": token, **fields})

    def _name_fields(self) -> dict[str, str]:
        fields = {"profile_id": self.profile.id, "profile_crn": self.profile.crn, "profile_name": self.profile.name}
        return {name: value for name, value in fields.items() if value}

    def _compute_token(self) -> str:
        """Read the token of the compute resource.

        The file is small and on a file system in memory, so it is read without a thread.
        """
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
        raise CredentialsError(f"{self.display_name}: no token of a compute resource in {', '.join(tried)}")


def _check_name(name: _ProfileName, *, vpc: bool, assumed: bool) -> None:
    given = [
        field for field, value in (("profile_id", name.id), ("profile_crn", name.crn), ("profile_name", name.name)) if value
    ]
    if assumed:
        if len(given) != 1:
            raise ConfigError(
                "an API key assumes a profile by exactly one of profile_id, profile_crn, and profile_name with account_id"
            )
        if (name.name is None) != (name.account is None):
            raise ConfigError("profile_name and account_id must be given together")
    elif vpc:
        if len(given) > 1:
            raise ConfigError(f"a virtual server takes only one name of a profile, not {' and '.join(given)}")
    elif not (name.id or name.name):
        raise ConfigError("a compute resource needs the profile_id or profile_name of the trusted profile")


def _metadata_origin(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise ConfigError(f"the endpoint of the metadata service must be a URL without a path, not {endpoint}")
    if parts.scheme == "http" and host != _METADATA_HOST and not is_link_local(host) and not is_loopback(host):
        raise ConfigError(
            f"no token is requested from the metadata service at {endpoint}: plain http would show it to the network; use https"
        )
    return f"{parts.scheme}://{parts.netloc}"


class _MetadataTokenFetcher(TokenFetcher):
    """Fetches a profile's token from the metadata service of a virtual server.

    The first request gets a token of the server, and the second one uses it to get the token of the profile.
    """

    def __init__(
        self, origin: str, version: MetadataVersion, profile: _ProfileName, display_name: str, http: HttpFactory
    ) -> None:
        self._paths = _METADATA_PATHS[version]
        super().__init__(f"{origin}{self._paths[1]}", display_name, http)
        self._query = f"version={version}"
        self._profile = profile

    async def attempt(self, http: HttpClient, limit: float) -> Token | FetchFailure:
        """Send the two requests once."""
        first = await self._send(http, "PUT", self._paths[0], {"Metadata-Flavor": "ibm"}, {"expires_in": 300}, limit)
        server = read_token_response(first, now=self.clock(), wall_time=self.wall_clock(), jitter=0, redact=self.redact)
        if isinstance(server, FetchFailure):
            return server
        self.add_secrets(server.value)
        now = self.clock()
        headers = {"Authorization": f"Bearer {server.value}"}
        second = await self._send(http, "POST", self._paths[1], headers, _profile_body(self._profile), limit)
        body = json_object(second)
        if body is not None and "access_token" in body:
            self.add_secrets(str(body["access_token"]))
        return read_token_response(second, now=now, wall_time=self.wall_clock(), jitter=self.draw(), redact=self.redact)

    async def _send(
        self, http: HttpClient, method: str, path: str, headers: Mapping[str, str], body: object | None, limit: float
    ):
        all_headers = {"Accept": "application/json", **headers}
        data = None
        if body is not None:
            all_headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return await http.send(PreparedRequest(method, self.origin, path, self._query, all_headers, data), timeout=limit)


def _profile_body(profile: _ProfileName) -> object | None:
    for kind, value in (("crn", profile.crn), ("id", profile.id), ("name", profile.name)):
        if value:
            return {"trusted_profile": {kind: value}}
    return None  # the profile that is linked to the server


class _AssumeTokenFetcher:
    """Fetches the token of an API key, and with it the token of the profile."""

    def __init__(self, key: ApiKey, profile: TrustedProfile, settings: AuthSettings) -> None:
        self._key_fetcher = key.fetcher(settings)
        self._profile = profile
        self._settings = settings

    @property
    def secrets(self) -> set[str]:
        """Texts that error messages must not contain."""
        return self._key_fetcher.secrets

    async def __call__(self) -> Token:
        """Fetch the profile's token. Raises `CredentialsError`."""
        key_token = await self._key_fetcher()
        profile = self._profile
        fetcher = FormTokenFetcher(
            profile.iam.url(self._settings),
            profile.assume_form(key_token.value),
            http_factory(self._settings),
            display_name=profile.display_name,
            secret_fields=("access_token",),
            authorization=profile.iam.authorization(None),
        )
        return await fetcher()
