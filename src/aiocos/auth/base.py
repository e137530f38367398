"""What the rest of the library asks of an identity, and the identities that need no machinery."""

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
from aiocos.wire.address import shows
from aiocos.wire.message import PreparedRequest, Response

_log = logging.getLogger("aiocos.auth")


class HttpClient(Protocol):
    """The little of HTTP that an identity needs to fetch a token."""

    async def send(self, request: PreparedRequest, *, timeout: float) -> Response:
        """Send `request` once and read the answer whole, within `timeout` seconds.

        Follows no redirect (the body holds an API key) and makes no second attempt. Raises the `TransportError` family where
        no answer comes.
        """
        ...


HttpFactory: TypeAlias = Callable[[], AbstractAsyncContextManager[HttpClient]]
"""Opens an `HttpClient` for as long as one token is fetched.

A token is fetched for all clients of an event loop, so the fetch must not depend on the session of the one that happened to
come first: that client may be closed while the others wait.
"""


class Authorizer(Protocol):
    """Puts an identity on requests. Made by `Credentials.authorizer`, one per client; holds what changes (tokens)."""

    async def authorize(self, request: PreparedRequest) -> None:
        """Add the authorization headers to `request.headers`; raises `CredentialsError` rather than send without."""
        ...

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        """Note that the service answered 401 or 403 to `request`; True if a second try can go better.

        That is where a token was dropped, or where the time of the signature was the reason. `date` is the service's clock
        (seconds since 1970), `code` the error code of the answer, empty where it has no body. After True, `request` is
        authorized and sent once more, and `settled` is called with what came of it.
        """
        ...

    def settled(self, request: PreparedRequest, status: int) -> None:
        """Note the status of the second try; 0 where no answer came."""
        return

    def secrets(self) -> Iterable[str]:
        """Return what must not come back in a message, beside what a request itself carries."""
        return ()

    async def close(self) -> None:
        """Release what the authorizer holds; it can be used again afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """What an authorizer needs to know of its client."""

    # The scope of HMAC signatures.
    region: str = "us-east-1"
    # Where tokens come from; said for the client, it is preferred to what the credentials say.
    iam_endpoint: str | None = None
    # The same where neither the client nor the credentials say it: IBM_AUTH_ENDPOINT of the environment.
    iam_endpoint_default: str | None = None
    # Clients that check certificates share no token with clients that do not.
    verify_tls: bool = True
    # How tokens are fetched; identities that need none do without.
    http: HttpFactory | None = None
    # Seconds since 1970: the time in signatures; a `SigningClock` is set by the service where it is wrong.
    clock: Callable[[], float] = time.time
    # False sends UNSIGNED-PAYLOAD in place of a body's SHA-256, over https only (TLS then guards the body).
    sign_bodies: bool = True


class SigningClock:
    """The time that signatures carry: this machine's, until the service says that it is wrong."""

    TOLERANCE = 60.0
    """Seconds of difference that are no reason: the service allows some minutes, and answers take their time."""

    ALLOWED = 900.0
    """Seconds of difference that the service allows; beyond, it refuses every signature (S3's limit; IBM documents none)."""

    PLAUSIBLE = 90 * 86400.0
    """Seconds of difference beyond which the service's clock is not followed: 90 days.

    A machine that slept, or was set to another month, is within. With a larger error its certificates would not verify.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._said = False
        self.offset = 0.0

    def follow(self, clock: Callable[[], float]) -> None:
        """Take the time from another clock than this machine's from now on."""
        self._clock, self.offset = clock, 0.0

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self._clock() + self.offset

    def at(self, offset: float) -> float:
        """Return the time of this machine's clock with another offset."""
        return self._clock() + offset

    def offset_of(self, date: float | None) -> float | None:
        """Return the offset by which this machine's clock shows the time `date`; None if `date` is no reason to set it.

        That is where `date` is missing, where it differs from the time here by less than `TOLERANCE`, and where the
        clock of the machine would be wrong by more than `PLAUSIBLE`.
        """
        if date is None or abs(date - self()) < self.TOLERANCE:
            return None
        offset = date - self._clock()
        return offset if abs(offset) <= self.PLAUSIBLE else None

    def correct(self, date: float | None) -> bool:
        """Follow the service's clock where it differs; True if this one was set by it."""
        offset = self.offset_of(date)
        if offset is None:
            return False
        self.adopt(offset)
        return True

    def adopt(self, offset: float) -> None:
        """Add `offset` seconds to this machine's clock from now on. The first time, a warning is logged."""
        self.offset = offset
        log = _log.debug if self._said else _log.warning
        self._said = True
        log(
            "This machine's clock is %s %s the service's: signatures and presigned URLs carry the service's time",
            timedelta(seconds=round(abs(offset))),
            "behind" if offset > 0 else "ahead of",
        )


class Presigner(Protocol):
    """Signs URLs that others use without credentials. Made by `Credentials.presigner`."""

    def presign(self, request: PreparedRequest, *, expires: int, strict: bool = True) -> str:
        """Return the URL of `request`, valid for `expires` seconds from now.

        `strict` refuses times that the service does not take; False signs them all the same.

        Every header of `request` is signed too: whoever uses the URL must send them with the same values.
        """
        ...


class Credentials(ABC):
    """An identity as it is written down: frozen, picklable, and silent about its secrets in `repr`."""

    @property
    def service_instance_id(self) -> str | None:
        """The instance (CRN or GUID) that lists and creates buckets with this identity, where one is known."""
        return None

    @abstractmethod
    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Make what authorises the requests of one client. No I/O happens here."""

    def delegation(self, settings: AuthSettings, receiver: str) -> Callable[[], Awaitable[Any]]:
        """Make what fetches a token for another service to act with; raises `CredentialsError` if this identity cannot."""
        raise CredentialsError(f"{type(self).__name__} cannot delegate: that takes an API key")

    def presigner(self, settings: AuthSettings) -> Presigner:
        """Make what signs URLs; raises `CredentialsError` if this identity cannot (only HMAC keys can)."""
        raise CredentialsError(
            f"{type(self).__name__} cannot sign URLs: that takes HMAC keys. Give access_key_id and secret_access_key to the "
            "client, beside the API key if you like (a service credential has them where HMAC was asked for: cos_hmac_keys)"
        )


@dataclass(frozen=True)
class Anonymous(Credentials):
    """Nobody: public buckets, `public-read` objects, presigned URLs."""

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return an authorizer that adds nothing."""
        return _Nothing()


class _Nothing(Authorizer):
    async def authorize(self, request: PreparedRequest) -> None:
        return None

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        return False

    async def close(self) -> None:
        return None


def refuse_plain_http(origin: str) -> None:
    """Raise `ConfigError` where a bearer token would travel in the clear: plain http to anything but this machine."""
    if origin.startswith("https://") or not shows(origin):
        return
    raise ConfigError(f"a bearer token is not sent to {origin}: plain http would show it to the network; use https")


@dataclass(frozen=True)
class BearerToken(Credentials):
    """A token that somebody else keeps fresh: the token itself, or an async function asked for it on every request."""

    token: SecretStr | Callable[[], Awaitable[str]]
    instance_id: str | None = field(default=None)

    def __init__(self, token: str | SecretStr | Callable[[], Awaitable[str]], service_instance_id: str | None = None) -> None:
        object.__setattr__(self, "token", SecretStr(token) if isinstance(token, str) else token)
        object.__setattr__(self, "instance_id", service_instance_id)

    @property
    def service_instance_id(self) -> str | None:
        """The instance given beside the token."""
        return self.instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return an authorizer that sends this token."""
        return _Bearer(self.token)


class _Bearer(Authorizer):
    def __init__(self, token: SecretStr | Callable[[], Awaitable[str]]) -> None:
        self._token = token
        # The header of a token that stays.
        self._said = ""

    async def authorize(self, request: PreparedRequest) -> None:
        refuse_plain_http(request.origin)
        if self._said:
            request.headers["Authorization"] = self._said
            return
        token = self._token.get_secret_value() if isinstance(self._token, SecretStr) else await self._token()
        if not token:
            raise CredentialsError("the token is empty: the request was not sent")
        request.headers["Authorization"] = said = f"Bearer {token}"
        if isinstance(self._token, SecretStr):
            self._said = said

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        # A function may know better by now; a fixed token will not change.
        return status == 401 and not isinstance(self._token, SecretStr)

    async def close(self) -> None:
        return None
