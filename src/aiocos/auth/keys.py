"""HMAC keys, which sign requests and URLs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from aiocos.auth.base import Authorizer, AuthSettings, Credentials, Presigner, SigningClock
from aiocos.auth.sigv4 import UNSIGNED_PAYLOAD, SigningKey, amz_date, payload_sha256, presign, sign, signing_key
from aiocos.errors import ConfigError
from aiocos.wire.address import is_loopback
from aiocos.wire.message import PreparedRequest

# Error codes for a wrong time of a signature: the one of S3 and IBM, and those that gateways in front of them use.
_CLOCK_SKEW_CODES = frozenset(("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"))

HASH_IN_THREAD = 512 * 1024
"""Bytes of a body above which it is hashed in a thread. SHA-256 takes about a millisecond for this, a switch to a thread 0.1.
"""


@dataclass(frozen=True, init=False)
class Hmac(Credentials):
    """A pair of HMAC keys, which signs requests and presigned URLs.

    A service credential has them as `cos_hmac_keys`, if they were requested when it was created.

    Args:
        access_key_id: Id of the key. White space around it is removed.
        secret_access_key: Secret of the key. White space around it is removed.
        session_token: Token of temporary keys, for other S3 services; COS has none. None sends none.
        service_instance_id: CRN or GUID of the service instance whose buckets are listed and created. None sends none: COS
            finds the instance by the key.

    Raises:
        ConfigError: The id or the secret is empty.
    """

    access_key_id: str
    """Id of the key."""
    secret_access_key: SecretStr
    """Secret of the key."""
    session_token: SecretStr | None
    """Token of temporary keys; None without one."""
    instance_id: str | None
    """CRN or GUID of the service instance; None if none was given."""

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str | SecretStr,
        session_token: str | SecretStr | None = None,
        service_instance_id: str | None = None,
    ) -> None:
        secret = stripped_secret(secret_access_key)
        token = stripped_secret(session_token) if session_token is not None else ""
        if not access_key_id.strip() or not secret:
            raise ConfigError("HMAC keys need both access_key_id and secret_access_key: one of them is empty")
        object.__setattr__(self, "access_key_id", access_key_id.strip())
        object.__setattr__(self, "secret_access_key", SecretStr(secret))
        object.__setattr__(self, "session_token", SecretStr(token) if token else None)
        object.__setattr__(self, "instance_id", service_instance_id or None)

    @property
    def service_instance_id(self) -> str | None:
        """CRN or GUID of the service instance; None if none was given."""
        return self.instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return the signer of one client's requests."""
        return Signer(self, settings)

    def presigner(self, settings: AuthSettings) -> Presigner:
        """Return the signer of URLs."""
        return Signer(self, settings)


@dataclass(frozen=True)
class DualCredentials(Credentials):
    """Two identities: one for calls, and HMAC keys for presigned URLs.

    Args:
        calls: Credentials of all calls, usually an API key.
        urls: HMAC keys that sign URLs.
    """

    calls: Credentials
    """Credentials of all calls."""
    urls: Hmac
    """HMAC keys that sign URLs."""

    @property
    def service_instance_id(self) -> str | None:
        """CRN or GUID of the service instance of `calls`; None if unknown."""
        return self.calls.service_instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Return the authorizer of `calls`."""
        return self.calls.authorizer(settings)

    def delegation(self, settings: AuthSettings, receiver: str) -> Callable[[], Awaitable[Any]]:
        """Return the function of `calls` that fetches a token for another service."""
        return self.calls.delegation(settings, receiver)

    def presigner(self, settings: AuthSettings) -> Presigner:
        """Return the signer of URLs."""
        return self.urls.presigner(settings)


class Signer(Authorizer, Presigner):
    """Signs the requests and URLs of one client.

    Args:
        keys: The HMAC keys.
        settings: Settings of the client.
    """

    def __init__(self, keys: Hmac, settings: AuthSettings) -> None:
        self._keys = keys
        self._region = settings.region
        self._clock: Callable[[], float] = settings.clock
        self._sign_bodies = settings.sign_bodies
        self._verify_tls = settings.verify_tls
        # Requests whose second attempt is signed by the service's clock, with the clock's offset, by `id()` of the request. The
        # clock is adopted if that attempt succeeds.
        self._clock_trials: dict[int, tuple[PreparedRequest, float]] = {}
        self._key: SigningKey | None = None

    async def authorize(self, request: PreparedRequest) -> None:
        """Sign the request.

        A large body is hashed in a thread, and must not change until this returns.
        """
        if not self._sign_bodies and request.body is not None and request.origin.startswith("https://"):
            payload = UNSIGNED_PAYLOAD
        elif request.body is not None and memoryview(request.body).nbytes > HASH_IN_THREAD:
            payload = await asyncio.to_thread(payload_sha256, request.body)
        else:
            payload = payload_sha256(request.body)
        timestamp = amz_date(self._time_for(request) if self._clock_trials else self._clock())
        sign(request, self._signing_key(timestamp[:8]), timestamp, payload)

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        """Adopt the service's clock if the time of the signature caused a 403.

        Returns True if a second attempt is signed with the service's time.

        The error code of the response shows the reason. A response to HEAD has no code. If the clocks then differ by more than
        the service allows for any signature, the second attempt is signed with the service's time, and the clock is adopted if
        that attempt succeeds. The service's time is used only if nobody else can have sent it: over verified TLS, or from this
        machine.
        """
        clock = self._clock
        if status != 403 or not isinstance(clock, SigningClock) or not self._is_trusted(request.origin):
            return False
        offset = clock.offset_of(date)
        if offset is None:
            return False
        if code in _CLOCK_SKEW_CODES:
            clock.adopt(offset)
            return True
        if code or request.method != "HEAD" or abs(offset - clock.offset) <= clock.ALLOWED:
            return False
        self._clock_trials[id(request)] = request, offset
        return True

    def settled(self, request: PreparedRequest, status: int) -> None:
        """Adopt the clock of a second attempt that was not refused."""
        trial = self._clock_trials.pop(id(request), None)
        if trial is not None and status not in (0, 401, 403) and isinstance(self._clock, SigningClock):
            self._clock.adopt(trial[1])

    def secrets(self) -> Iterable[str]:
        """Return the secret key and the session token."""
        keys = self._keys
        yield keys.secret_access_key.get_secret_value()
        if keys.session_token is not None:
            yield keys.session_token.get_secret_value()

    def _time_for(self, request: PreparedRequest) -> float:
        trial = self._clock_trials.get(id(request))
        return self._clock.at(trial[1]) if trial is not None and isinstance(self._clock, SigningClock) else self._clock()

    def _is_trusted(self, origin: str) -> bool:
        parts = urlsplit(origin)
        return (parts.scheme == "https" and self._verify_tls) or is_loopback(parts.hostname or "")

    async def close(self) -> None:
        """Forget the signing key."""
        self._key = None

    def presign(self, request: PreparedRequest, *, expires: int, strict: bool = True) -> str:
        """Return a presigned URL.

        Args:
            request: The request that the URL allows. Its headers are signed and must be sent by whoever uses the URL.
            expires: Seconds from now for which the URL is valid, 1 to 604,800 (7 days).
            strict: Raise `ConfigError` for other values of `expires`. False signs them all the same.
        """
        timestamp = amz_date(self._clock())
        return presign(request, self._signing_key(timestamp[:8]), timestamp, expires=expires, strict=strict)

    def _signing_key(self, date: str) -> SigningKey:
        # Deriving the key takes five rounds of HMAC: once a day instead of once a request.
        if self._key is None or self._key.date != date:
            keys = self._keys
            token = keys.session_token.get_secret_value() if keys.session_token else None
            derived = signing_key(keys.secret_access_key.get_secret_value(), date, self._region)
            self._key = SigningKey(keys.access_key_id, date, self._region, derived, token)
        return self._key


def stripped_secret(secret: str | SecretStr) -> str:
    """Return a secret without white space around it.

    White space comes from files and terminals; keys of the service have none.
    """
    return (secret.get_secret_value() if isinstance(secret, SecretStr) else secret).strip()
