"""API keys, traded for tokens at IBM Cloud IAM.

The exchange is one form post. IAM also hands out refresh tokens, and they are left unused: the API key is at hand and buys a
token just as well, a refresh token for an API key is mostly the text `not_supported`, and a key that was withdrawn would live
on in it. One grant is one path to test.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from aiocos.auth.base import Authorizer, AuthSettings, Credentials, HttpFactory
from aiocos.auth.bearer import TokenAuthorizer
from aiocos.auth.keys import plain
from aiocos.auth.token_fetcher import BX, FormTokenFetcher, TokenResponse
from aiocos.auth.tokens import Fetch
from aiocos.errors import ConfigError
from aiocos.wire.address import is_loopback

DEFAULT_ENDPOINT = "https://iam.cloud.ibm.com/identity/token"
APIKEY_GRANT = "urn:ibm:params:oauth:grant-type:apikey"


DELEGATED_LASTS = 518_400
"""Seconds that IBM's SDK gives a delegated token; the answer does not say."""


@dataclass(frozen=True, init=False)
class IamClient:
    """What an identity says to IAM of itself: where IAM is, as which client it comes, and what the token shall be good for.

    `endpoint` is a host, a base URL, or the whole URL with its path; plain http is taken for this machine only. Client id and
    secret come as a pair.
    """

    endpoint: str | None
    client_id: str | None
    client_secret: SecretStr | None
    scope: str | None

    def __init__(
        self,
        endpoint: str | None = None,
        client_id: str | None = None,
        client_secret: str | SecretStr | None = None,
        scope: str | None = None,
    ) -> None:
        if endpoint:
            token_url(endpoint)  # a mistake is told where it is made
        secret = plain(client_secret) if client_secret is not None else ""
        if bool(client_id) != bool(secret):
            missing = "client_secret" if client_id else "client_id"
            raise ConfigError(f"client_id and client_secret are a pair: there is no {missing}")
        object.__setattr__(self, "endpoint", endpoint or None)
        object.__setattr__(self, "client_id", client_id or None)
        object.__setattr__(self, "client_secret", SecretStr(secret) if secret else None)
        object.__setattr__(self, "scope", scope or None)

    def url(self, settings: AuthSettings) -> str:
        """The URL of the token endpoint: the client's, else this identity's own, else that of the environment, else IBM's."""
        return token_url(settings.iam_endpoint or self.endpoint or settings.iam_endpoint_default)

    def authorization(self, default: str | None) -> str | None:
        """The Authorization header: of client id and secret, where they are given."""
        if self.client_id is None or self.client_secret is None:
            return default
        return "Basic " + b64encode(f"{self.client_id}:{self.client_secret.get_secret_value()}".encode()).decode()

    def scoped(self, form: dict[str, str]) -> dict[str, str]:
        """The form with the scope that is asked for."""
        return form if self.scope is None else {**form, "scope": self.scope}

    @property
    def fingerprint(self) -> tuple[str | None, str, str | None]:
        """What tells two clients apart, without the secret."""
        secret = self.client_secret.get_secret_value() if self.client_secret else ""
        return self.client_id, digest(secret), self.scope


@dataclass(frozen=True, init=False)
class ApiKey(Credentials):
    """An IBM Cloud API key. Requests carry the tokens it is traded for; the key itself goes to IAM only.

    `service_instance_id` is the CRN (or GUID) of the COS instance whose buckets are listed and created. `iam_endpoint` is a
    host, a base URL, or the whole URL with its path; plain http is taken for this machine only. `client_id` with
    `client_secret`, and `scope`, are for those whom IAM knows as a client of their own.
    """

    api_key: SecretStr
    instance_id: str | None
    iam: IamClient

    def __init__(
        self,
        api_key: str | SecretStr,
        service_instance_id: str | None = None,
        iam_endpoint: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | SecretStr | None = None,
        scope: str | None = None,
    ) -> None:
        key = plain(api_key)
        if not key:
            raise ConfigError("the API key is empty")
        object.__setattr__(self, "api_key", SecretStr(key))
        object.__setattr__(self, "instance_id", service_instance_id or None)
        object.__setattr__(self, "iam", IamClient(iam_endpoint, client_id, client_secret, scope))

    @property
    def service_instance_id(self) -> str | None:
        """The instance given beside the key."""
        return self.instance_id

    @property
    def iam_endpoint(self) -> str | None:
        """Where the key is traded, as it was given."""
        return self.iam.endpoint

    @property
    def whose(self) -> str:
        """The identity in messages: never the key, but the instance it is for, and the first digits of the key's SHA-256."""
        place = f" for the instance {self.instance_id}" if self.instance_id else ""
        return f"the API key {digest(self.api_key.get_secret_value())[:8]}…{place}"

    def identity(self, settings: AuthSettings) -> tuple[object, ...]:
        """What tells this identity from others, without a secret: those who share it share tokens."""
        key = digest(self.api_key.get_secret_value())
        return ("apikey", key, self.iam.url(settings), settings.verify_tls, *self.iam.fingerprint)

    def fetch(self, settings: AuthSettings) -> FormTokenFetcher:
        """Make what trades the key for a token."""
        form = {"grant_type": APIKEY_GRANT, "response_type": "cloud_iam", "apikey": self.api_key.get_secret_value()}
        return FormTokenFetcher(
            self.iam.url(settings),
            self.iam.scoped(form),
            http_of(settings),
            whose=self.whose,
            authorization=self.iam.authorization(BX),
        )

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Make what sends this key's tokens; they are shared by all clients of an event loop."""
        return TokenAuthorizer(self.identity(settings), self.fetch(settings))

    def delegation(self, settings: AuthSettings, receiver: str) -> Fetch:
        """Make what trades the key for a token with which somebody else may act in its place."""
        form = {
            "grant_type": APIKEY_GRANT,
            "response_type": "delegated_refresh_token",
            "receiver_client_ids": receiver,
            "apikey": self.api_key.get_secret_value(),
        }
        return FormTokenFetcher(
            self.iam.url(settings),
            form,
            http_of(settings),
            whose=self.whose,
            authorization=self.iam.authorization(BX),
            answer=TokenResponse("delegated_refresh_token", DELEGATED_LASTS),
        )


def http_of(settings: AuthSettings) -> HttpFactory:
    """The way to reach IAM."""
    if settings.http is None:
        raise ConfigError("tokens need a way to reach IAM: AuthSettings.http is not set")
    return settings.http


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_url(endpoint: str | None) -> str:
    """Complete an IAM endpoint: a host gets a scheme, a URL without a path gets IAM's. Raises `ConfigError`."""
    if not endpoint or not endpoint.strip():
        return DEFAULT_ENDPOINT
    text = endpoint.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or "@" in parts.netloc or re.search(r"[\s\x00-\x1f]", parts.netloc + parts.path):
        raise ConfigError("the IAM endpoint is a host name or URL, without a user name and password in it")
    if parts.scheme not in ("https", "http") or parts.query or parts.fragment:
        raise ConfigError(f"the IAM endpoint is an https URL without a query: {parts.scheme}://{parts.netloc}{parts.path}")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"an API key is not sent to http://{parts.netloc}: plain http would show it to the network; use https"
        )
    path = parts.path if parts.path.strip("/") else "/identity/token"
    return f"{parts.scheme}://{parts.netloc}{path}"
