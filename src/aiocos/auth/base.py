"""The interface of credentials, and the credentials that need no token service.

`Credentials` describe an identity. For each client they make an `Authorizer`, which puts the identity on requests and holds
what changes, such as tokens.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeAlias

from pydantic import SecretStr

from aiocos.errors import ConfigError, CredentialsError
from aiocos.wire.address import is_exposed
from aiocos.wire.message import PreparedRequest, Response

_log = logging.getLogger("aiocos.auth")


class HttpClient(Protocol):
    """The part of an HTTP client that fetching a token needs."""

    async def send(self, request: PreparedRequest, *, timeout: float) -> Response:
        """Send a request once and return the whole response.

        Follows no redirect, because the body holds an API key, and doesn't retry. Raises a `TransportError` if no response
        arrives.

        Args:
            request: The request.
            timeout: Seconds until the response must be complete.
        """
        ...


HttpFactory: TypeAlias = Callable[[], AbstractAsyncContextManager[HttpClient]]
"""A function that opens an `HttpClient` for the time of one token fetch.

All clients of an event loop share a token, so its fetch must not use the session of the client that needed it first: that
client may be closed while the others still wait.
"""


class Authorizer(Protocol):
    """Puts an identity on the requests of one client.

    Made by `Credentials.authorizer`.
    """

    async def authorize(self, request: PreparedRequest) -> None:
        """Add the authorization headers to `request.headers`.

        Raises `CredentialsError` rather than leave a request without them.
        """
        ...

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        """Return True if a second attempt can succeed after a 401 or 403.

        It can if a token was invalidated, or if the time of the signature was the reason. The caller then authorizes and sends
        the request once more, and calls `settled`.

        Args:
            request: The request as it was sent.
            status: HTTP status of the response, 401 or 403.
            date: Time of the service's clock in seconds since 1970; None if the response has none.
            code: Error code of the response; empty if it has no body.
        """
        ...

    def settled(self, request: PreparedRequest, status: int) -> None:
        """Take note of the result of the second attempt.

        Args:
            request: The request as it was sent.
            status: HTTP status of the response; 0 if there was none.
        """
        return

    def secrets(self) -> Iterable[str]:
        """Return texts that error messages must not contain.

        Those that are in a request need not be among them.
        """
        return ()

    async def close(self) -> None:
        """Release what the authorizer holds. It can be used again afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """The settings of a client that its authorizer needs."""

    region: str = "us-east-1"
    """Region in the scope of HMAC signatures."""

    iam_endpoint: str | None = None
    """IAM endpoint that was given to the client; it overrides the one of the credentials. None uses theirs."""

    iam_endpoint_default: str | None = None
    """IAM endpoint if neither the client nor the credentials have one, from `IBM_AUTH_ENDPOINT`. None uses IBM's."""

    verify_tls: bool = True
    """True if certificates are checked. Clients that check them share no tokens with clients that don't."""

    http: HttpFactory | None = None
    """Opens the HTTP client for fetching tokens. None for credentials that need no tokens."""

    clock: Callable[[], float] = time.time
    """Clock for signatures, in seconds since 1970. A `SigningClock` can be corrected by the service."""

    sign_bodies: bool = True
    """False signs `UNSIGNED-PAYLOAD` instead of the SHA-256 of a body, over https only, where TLS protects the body."""


class SigningClock:
    """The clock for signatures.

    It shows this machine's time until the service shows that it is wrong, and then the service's.

    Args:
        clock: Clock of this machine, in seconds since 1970.
    """

    TOLERANCE = 60.0
    """Difference in seconds that needs no correction. The service allows some minutes, and a response takes its time."""

    ALLOWED = 900.0
    """Difference in seconds above which the service refuses every signature (S3's limit; IBM documents none)."""

    PLAUSIBLE = 90 * 86400.0
    """Difference in seconds above which the service's clock is not followed: 90 days.

    The clock of a machine that slept, or that was set to another month, is within this. If the difference were larger, the
    machine couldn't verify the service's certificate.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._warned = False
        self.offset = 0.0

    def follow(self, clock: Callable[[], float]) -> None:
        """Use another clock instead of this machine's from now on, without an offset."""
        self._clock, self.offset = clock, 0.0

    def __call__(self) -> float:
        """Return the time in seconds since 1970."""
        return self._clock() + self.offset

    def at(self, offset: float) -> float:
        """Return the time with another offset to this machine's clock."""
        return self._clock() + offset

    def offset_of(self, date: float | None) -> float | None:
        """Return the offset with which this machine's clock shows a time of the service.

        Returns None if no correction is needed or plausible: `date` is None, it differs by less than `TOLERANCE`, or this
        machine's clock would be wrong by more than `PLAUSIBLE`.

        Args:
            date: Time of the service's clock in seconds since 1970.
        """
        if date is None or abs(date - self()) < self.TOLERANCE:
            return None
        offset = date - self._clock()
        return offset if abs(offset) <= self.PLAUSIBLE else None

    def correct(self, date: float | None) -> bool:
        """Adopt the service's time if it differs; True if it was adopted.

        Args:
            date: Time of the service's clock in seconds since 1970.
        """
        offset = self.offset_of(date)
        if offset is None:
            return False
        self.adopt(offset)
        return True

    def adopt(self, offset: float) -> None:
        """Add an offset to this machine's clock from now on.

        This is logged, the first time as a warning.

        Args:
            offset: Seconds to add.
        """
        self.offset = offset
        log = _log.debug if self._warned else _log.warning
        self._warned = True
        log(
            "This machine's clock is %s %s the service's: signatures and presigned URLs carry the service's time",
            timedelta(seconds=round(abs(offset))),
            "behind" if offset > 0 else "ahead of",
        )


class Presigner(Protocol):
    """Signs URLs that can be used without credentials.

    Made by `Credentials.presigner`.
    """

    def presign(self, request: PreparedRequest, *, expires: int, strict: bool = True) -> str:
        """Return a presigned URL.

        All headers of the request are signed, so whoever uses the URL must send them with the same values.

        Args:
            request: The request that the URL allows.
            expires: Seconds from now for which the URL is valid.
            strict: Raise `ConfigError` if the service would not accept `expires`. False signs it all the same.
        """
        ...


class Credentials(ABC):
    """Base class of all credentials.

    They are frozen and picklable, and `repr` doesn't show their secrets.
    """

    @property
    def service_instance_id(self) -> str | None:
        """CRN or GUID of the service instance; None if unknown.

        Buckets are listed and created in this instance.
        """
        return None

    @abstractmethod
    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return the authorizer for the requests of one client, without any I/O.

        Args:
            settings: Settings of the client.
        """

    def delegation(self, settings: AuthSettings, receiver: str) -> Callable[[], Awaitable[Any]]:
        """Return a function that fetches a token for another service.

        With the token the service can act for this identity. Raises `CredentialsError` if the credentials are no API key.

        Args:
            settings: Settings of the client.
            receiver: Name of the other service, such as `aspera_ats`.
        """
        raise CredentialsError(f"{type(self).__name__} cannot delegate: that takes an API key")

    def presigner(self, settings: AuthSettings) -> Presigner:
        """Return a signer of URLs.

        Raises `CredentialsError` if the credentials have no HMAC keys.

        Args:
            settings: Settings of the client.
        """
        raise CredentialsError(
            f"{type(self).__name__} cannot sign URLs: that takes HMAC keys. Give access_key_id and secret_access_key to the "
            "client, beside the API key if you like (a service credential created with HMAC has them as cos_hmac_keys)"
        )


@dataclass(frozen=True)
class Anonymous(Credentials):
    """No identity, for public buckets and `public-read` objects."""

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return an authorizer that adds nothing to requests."""
        return _NoAuthorizer()


class _NoAuthorizer(Authorizer):
    async def authorize(self, request: PreparedRequest) -> None:
        return None

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        return False

    async def close(self) -> None:
        return None


def refuse_plain_http(origin: str) -> None:
    """Raise `ConfigError` if a bearer token would be sent over plain http.

    Plain http to this machine is allowed; to another one it would show the token to the network.

    Args:
        origin: Scheme, host and port that the token would be sent to.
    """
    if origin.startswith("https://") or not is_exposed(origin):
        return
    raise ConfigError(f"a bearer token is not sent to {origin}: plain http would show it to the network; use https")


@dataclass(frozen=True)
class BearerToken(Credentials):
    """A token of your own, or a function that returns one.

    Args:
        token: The token, which is used until it expires, or an async function that returns the token for each request and keeps
            it fresh.
        service_instance_id: CRN or GUID of the service instance whose buckets are listed and created. None sends none.
    """

    token: SecretStr | Callable[[], Awaitable[str]]
    """The token, or the function that returns it."""
    instance_id: str | None = field(default=None)
    """CRN or GUID of the service instance; None if none was given."""

    def __init__(self, token: str | SecretStr | Callable[[], Awaitable[str]], service_instance_id: str | None = None) -> None:
        object.__setattr__(self, "token", SecretStr(token) if isinstance(token, str) else token)
        object.__setattr__(self, "instance_id", service_instance_id)

    @property
    def service_instance_id(self) -> str | None:
        """CRN or GUID of the service instance; None if none was given."""
        return self.instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return an authorizer that sends the token."""
        return _BearerAuthorizer(self.token)


class _BearerAuthorizer(Authorizer):
    def __init__(self, token: SecretStr | Callable[[], Awaitable[str]]) -> None:
        self._token = token
        # The header of a fixed token, once it was made.
        self._header = ""

    async def authorize(self, request: PreparedRequest) -> None:
        refuse_plain_http(request.origin)
        if self._header:
            request.headers["Authorization"] = self._header
            return
        token = self._token.get_secret_value() if isinstance(self._token, SecretStr) else await self._token()
        if not token:
            raise CredentialsError("the token is empty: the request was not sent")
        request.headers["Authorization"] = header = f"Bearer {token}"
        if isinstance(self._token, SecretStr):
            self._header = header

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        # A function may return another token now; a fixed token stays what it is.
        return status == 401 and not isinstance(self._token, SecretStr)

    async def close(self) -> None:
        return None
