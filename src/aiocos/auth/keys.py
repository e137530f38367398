"""HMAC keys: the pair of a service credential that signs requests and URLs."""

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

# How the service says that the time of a signature was the reason: S3's code, which is IBM's too, and what gateways in front of
# it write instead.
_SKEWED = frozenset(("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"))

# Bodies above this are hashed in a thread: SHA-256 takes about a millisecond for as much, a hop to a thread a tenth of that.
HASH_IN_THREAD = 512 * 1024


@dataclass(frozen=True, init=False)
class Hmac(Credentials):
    """An access key pair (`cos_hmac_keys` of a service credential): signs requests, and URLs for others.

    The pair itself stands for a service instance; `service_instance_id` is sent only where it is given.
    """

    access_key_id: str
    secret_access_key: SecretStr
    session_token: SecretStr | None
    instance_id: str | None

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str | SecretStr,
        session_token: str | SecretStr | None = None,
        service_instance_id: str | None = None,
    ) -> None:
        secret = plain(secret_access_key)
        token = plain(session_token) if session_token is not None else ""
        if not access_key_id.strip() or not secret:
            raise ConfigError("HMAC keys are a pair: neither access_key_id nor secret_access_key may be empty")
        object.__setattr__(self, "access_key_id", access_key_id.strip())
        object.__setattr__(self, "secret_access_key", SecretStr(secret))
        object.__setattr__(self, "session_token", SecretStr(token) if token else None)
        object.__setattr__(self, "instance_id", service_instance_id or None)

    @property
    def service_instance_id(self) -> str | None:
        """The instance given beside the keys."""
        return self.instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Make what signs the requests of one client."""
        return Signer(self, settings)

    def presigner(self, settings: AuthSettings) -> Presigner:
        """Make what signs URLs."""
        return Signer(self, settings)


@dataclass(frozen=True)
class DualCredentials(Credentials):
    """Two identities: one for calls (an API key, as a rule), and HMAC keys for presigned URLs."""

    calls: Credentials
    urls: Hmac

    @property
    def service_instance_id(self) -> str | None:
        """The instance of the identity that makes the calls."""
        return self.calls.service_instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Make what authorises calls."""
        return self.calls.authorizer(settings)

    def delegation(self, settings: AuthSettings, receiver: str) -> Callable[[], Awaitable[Any]]:
        """Make what fetches a token for another service, with the identity that makes the calls."""
        return self.calls.delegation(settings, receiver)

    def presigner(self, settings: AuthSettings) -> Presigner:
        """Make what signs URLs."""
        return self.urls.presigner(settings)


class Signer(Authorizer, Presigner):
    """Signs the requests and URLs of one client."""

    def __init__(self, keys: Hmac, settings: AuthSettings) -> None:
        self._keys = keys
        self._region = settings.region
        self._clock: Callable[[], float] = settings.clock
        self._sign_bodies = settings.sign_bodies
        self._verify_tls = settings.verify_tls
        # Requests that are tried once more by the service's clock, which is adopted if that helps: by id, with the offset.
        self._trials: dict[int, tuple[PreparedRequest, float]] = {}
        self._key: SigningKey | None = None

    async def authorize(self, request: PreparedRequest) -> None:
        """Sign the request as it stands. A large body is hashed in a thread, and read there until that is done."""
        if not self._sign_bodies and request.body is not None and request.origin.startswith("https://"):
            payload = UNSIGNED_PAYLOAD
        elif request.body is not None and memoryview(request.body).nbytes > HASH_IN_THREAD:
            payload = await asyncio.to_thread(payload_sha256, request.body)
        else:
            payload = payload_sha256(request.body)
        timestamp = amz_date(self._time(request) if self._trials else self._clock())
        sign(request, self._signing_key(timestamp[:8]), timestamp, payload)

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        """Follow the service's clock where the time of the signature was the reason; else it would be refused again.

        The service says so by the code of its answer. An answer to HEAD has no code: there, a clock that differs by more than
        any signature may is followed for one more try, and for good only if that is not refused. Nobody on the way is
        believed: over plain http, and over TLS that is not verified, only this machine itself.
        """
        clock = self._clock
        if status != 403 or not isinstance(clock, SigningClock) or not self._is_trusted(request.origin):
            return False
        offset = clock.offset_of(date)
        if offset is None:
            return False
        if code in _SKEWED:
            clock.adopt(offset)
            return True
        if code or request.method != "HEAD" or abs(offset - clock.offset) <= clock.ALLOWED:
            return False
        self._trials[id(request)] = request, offset
        return True

    def settled(self, request: PreparedRequest, status: int) -> None:
        """Adopt the clock of a second try that was not refused."""
        trial = self._trials.pop(id(request), None)
        if trial is not None and status not in (0, 401, 403) and isinstance(self._clock, SigningClock):
            self._clock.adopt(trial[1])

    def secrets(self) -> Iterable[str]:
        """Return the key, and the session token."""
        keys = self._keys
        yield keys.secret_access_key.get_secret_value()
        if keys.session_token is not None:
            yield keys.session_token.get_secret_value()

    def _time(self, request: PreparedRequest) -> float:
        trial = self._trials.get(id(request))
        return self._clock.at(trial[1]) if trial is not None and isinstance(self._clock, SigningClock) else self._clock()

    def _is_trusted(self, origin: str) -> bool:
        parts = urlsplit(origin)
        return (parts.scheme == "https" and self._verify_tls) or is_loopback(parts.hostname or "")

    async def close(self) -> None:
        """Forget the derived key."""
        self._key = None

    def presign(self, request: PreparedRequest, *, expires: int, strict: bool = True) -> str:
        """Return the URL of `request`, valid for `expires` seconds from now; see `sigv4.presign` for `strict`."""
        timestamp = amz_date(self._clock())
        return presign(request, self._signing_key(timestamp[:8]), timestamp, expires=expires, strict=strict)

    def _signing_key(self, date: str) -> SigningKey:
        # Five rounds of HMAC once a day, not once a request.
        if self._key is None or self._key.date != date:
            keys = self._keys
            token = keys.session_token.get_secret_value() if keys.session_token else None
            derived = signing_key(keys.secret_access_key.get_secret_value(), date, self._region)
            self._key = SigningKey(keys.access_key_id, date, self._region, derived, token)
        return self._key


def plain(secret: str | SecretStr) -> str:
    """Return a secret as it was meant: white space around it comes from files and terminals, never from the service."""
    return (secret.get_secret_value() if isinstance(secret, SecretStr) else secret).strip()
