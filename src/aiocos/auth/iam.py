"""API keys, which are exchanged for tokens at IBM Cloud IAM.

The exchange posts one form. IAM also returns refresh tokens, which are not used: an API key gets a new token just as well, a
refresh token of an API key is mostly the text `not_supported`, and it would outlive a key that was deleted. One kind of
exchange also is one kind to test.
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
from aiocos.auth.keys import stripped_secret
from aiocos.auth.token_fetcher import DEFAULT_CLIENT, FormTokenFetcher, TokenResponse
from aiocos.auth.tokens import Fetch
from aiocos.errors import ConfigError
from aiocos.wire.address import is_loopback

DEFAULT_ENDPOINT = "https://iam.cloud.ibm.com/identity/token"
"""IBM's token endpoint."""

APIKEY_GRANT = "urn:ibm:params:oauth:grant-type:apikey"
"""Grant type of the exchange of an API key."""

DELEGATED_TOKEN_LIFETIME = 518_400
"""Seconds that a delegated token is valid, as in IBM's SDK (six days); the response doesn't have it."""


@dataclass(frozen=True, init=False)
class IamClient:
    """The settings that all requests of an identity to IAM have in common.

    Args:
        endpoint: IAM endpoint: a host, a base URL, or the whole URL of the token endpoint. Plain http is accepted for this
            machine only. None uses the environment's (`IBM_AUTH_ENDPOINT`), or IBM's.
        client_id: Id of a client that is registered with IAM; only together with `client_secret`. None uses IAM's default
            client.
        client_secret: Secret of the client.
        scope: Scope of the token. None requests none.

    Raises:
        ConfigError: The endpoint isn't valid, or only one of `client_id` and `client_secret` was given.
    """

    endpoint: str | None
    """IAM endpoint, as it was given."""
    client_id: str | None
    """Id of the client; None for IAM's default client."""
    client_secret: SecretStr | None
    """Secret of the client; None for IAM's default client."""
    scope: str | None
    """Scope of the token; None requests none."""

    def __init__(
        self,
        endpoint: str | None = None,
        client_id: str | None = None,
        client_secret: str | SecretStr | None = None,
        scope: str | None = None,
    ) -> None:
        if endpoint:
            token_url(endpoint)  # report a mistake where it is made
        secret = stripped_secret(client_secret) if client_secret is not None else ""
        if bool(client_id) != bool(secret):
            missing = "client_secret" if client_id else "client_id"
            raise ConfigError(f"client_id and client_secret must be given together: {missing} is missing")
        object.__setattr__(self, "endpoint", endpoint or None)
        object.__setattr__(self, "client_id", client_id or None)
        object.__setattr__(self, "client_secret", SecretStr(secret) if secret else None)
        object.__setattr__(self, "scope", scope or None)

    def url(self, settings: AuthSettings) -> str:
        """Return the URL of the token endpoint.

        The endpoint given to the client wins, then this identity's, then the environment's, then IBM's.

        Args:
            settings: Settings of the client.
        """
        return token_url(settings.iam_endpoint or self.endpoint or settings.iam_endpoint_default)

    def authorization(self, default: str | None) -> str | None:
        """Return the Authorization header of the client, or `default` without one."""
        if self.client_id is None or self.client_secret is None:
            return default
        return "Basic " + b64encode(f"{self.client_id}:{self.client_secret.get_secret_value()}".encode()).decode()

    def with_scope(self, form: dict[str, str]) -> dict[str, str]:
        """Return the form with the scope added, if there is one."""
        return form if self.scope is None else {**form, "scope": self.scope}

    @property
    def cache_key(self) -> tuple[str | None, str, str | None]:
        """Values that differ between clients that must not share tokens.

        They hold a digest of the secret.
        """
        secret = self.client_secret.get_secret_value() if self.client_secret else ""
        return self.client_id, sha256_hex(secret), self.scope


@dataclass(frozen=True, init=False)
class ApiKey(Credentials):
    """An IBM Cloud API key.

    Requests carry tokens that IAM issues for the key; the key itself is sent to IAM only.

    Args:
        api_key: The key. White space around it is removed.
        service_instance_id: CRN or GUID of the COS instance whose buckets are listed and created. None sends none.
        iam_endpoint: IAM endpoint: a host, a base URL, or the whole URL of the token endpoint. Plain http is accepted for this
            machine only. None uses the environment's (`IBM_AUTH_ENDPOINT`), or IBM's.
        client_id: Id of a client that is registered with IAM; only together with `client_secret`. None uses IAM's default
            client.
        client_secret: Secret of the client.
        scope: Scope of the token. None requests none.

    Raises:
        ConfigError: The key is empty, the endpoint isn't valid, or only one of `client_id` and `client_secret` was given.
    """

    api_key: SecretStr
    """The key."""
    instance_id: str | None
    """CRN or GUID of the service instance; None if none was given."""
    iam: IamClient
    """Settings of requests to IAM."""

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
        key = stripped_secret(api_key)
        if not key:
            raise ConfigError("the API key is empty")
        object.__setattr__(self, "api_key", SecretStr(key))
        object.__setattr__(self, "instance_id", service_instance_id or None)
        object.__setattr__(self, "iam", IamClient(iam_endpoint, client_id, client_secret, scope))

    @property
    def service_instance_id(self) -> str | None:
        """CRN or GUID of the service instance; None if none was given."""
        return self.instance_id

    @property
    def iam_endpoint(self) -> str | None:
        """IAM endpoint, as it was given."""
        return self.iam.endpoint

    @property
    def display_name(self) -> str:
        """Name of the identity in error messages.

        It has the first digits of the key's SHA-256, and the service instance.
        """
        instance = f" for the instance {self.instance_id}" if self.instance_id else ""
        return f"the API key {sha256_hex(self.api_key.get_secret_value())[:8]}…{instance}"

    def cache_key(self, settings: AuthSettings) -> tuple[object, ...]:
        """Return a tuple that is equal for identities that share tokens.

        It holds a digest of the key.

        Args:
            settings: Settings of the client.
        """
        key = sha256_hex(self.api_key.get_secret_value())
        return ("apikey", key, self.iam.url(settings), settings.verify_tls, *self.iam.cache_key)

    def fetcher(self, settings: AuthSettings) -> FormTokenFetcher:
        """Return the fetcher of the key's tokens.

        Args:
            settings: Settings of the client.
        """
        form = {"grant_type": APIKEY_GRANT, "response_type": "cloud_iam", "apikey": self.api_key.get_secret_value()}
        return FormTokenFetcher(
            self.iam.url(settings),
            self.iam.with_scope(form),
            http_factory(settings),
            display_name=self.display_name,
            authorization=self.iam.authorization(DEFAULT_CLIENT),
        )

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return the authorizer that sends the key's tokens.

        All clients of an event loop share them.
        """
        return TokenAuthorizer(self.cache_key(settings), self.fetcher(settings))

    def delegation(self, settings: AuthSettings, receiver: str) -> Fetch:
        """Return a function that fetches a token for another service.

        With the token the service can act for this key. It is valid for six days.

        Args:
            settings: Settings of the client.
            receiver: Name of the other service, such as `aspera_ats`.
        """
        form = {
            "grant_type": APIKEY_GRANT,
            "response_type": "delegated_refresh_token",
            "receiver_client_ids": receiver,
            "apikey": self.api_key.get_secret_value(),
        }
        return FormTokenFetcher(
            self.iam.url(settings),
            form,
            http_factory(settings),
            display_name=self.display_name,
            authorization=self.iam.authorization(DEFAULT_CLIENT),
            response=TokenResponse("delegated_refresh_token", DELEGATED_TOKEN_LIFETIME),
        )


def http_factory(settings: AuthSettings) -> HttpFactory:
    """Return the factory of HTTP clients for token requests.

    Raises `ConfigError` if the settings have none.
    """
    if settings.http is None:
        raise ConfigError("tokens can't be fetched without an HTTP client: AuthSettings.http is not set")
    return settings.http


def sha256_hex(secret: str) -> str:
    """Return the SHA-256 of a secret, in hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_url(endpoint: str | None) -> str:
    """Return the URL of the token endpoint of an IAM endpoint.

    A host gets the scheme https, and a URL without a path gets IAM's path. Raises `ConfigError` for an endpoint that isn't
    valid, and for plain http to another machine.

    Args:
        endpoint: A host, a base URL, or a whole URL. None or an empty text gives IBM's endpoint.
    """
    if not endpoint or not endpoint.strip():
        return DEFAULT_ENDPOINT
    text = endpoint.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or "@" in parts.netloc or re.search(r"[\s\x00-\x1f]", parts.netloc + parts.path):
        raise ConfigError("the IAM endpoint must be a host name or URL, without a user name and password")
    if parts.scheme not in ("https", "http") or parts.query or parts.fragment:
        raise ConfigError(f"the IAM endpoint must be an https URL without a query: {parts.scheme}://{parts.netloc}{parts.path}")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"an API key is not sent to http://{parts.netloc}: plain http would show it to the network; use https"
        )
    path = parts.path if parts.path.strip("/") else "/identity/token"
    return f"{parts.scheme}://{parts.netloc}{path}"
