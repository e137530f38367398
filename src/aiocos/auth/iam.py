"""API keys, traded for tokens at IBM Cloud IAM.

The exchange is one form post. IAM also hands out refresh tokens, and they are left unused: the API key is at hand and buys a
token just as well, a refresh token for an API key is mostly the text `not_supported`, and a key that was withdrawn would live
on in it. One grant is one path to test.

A post is tried again while that can help (no answer, 429, 5xx, an answer that makes no sense), with growing pauses drawn at
random and `Retry-After` honoured; a 400, 401 or 403 in IAM's own words is final. All attempts together have one deadline, and
however it fails there is one `CredentialsError` that says what IAM said, and never the key.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import time
from asyncio import timeout
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import quote_plus, urlencode, urlsplit

from pydantic import SecretStr

from aiocos.auth.base import Authorizer, AuthSettings, Credentials, HttpClient, HttpFactory, is_loopback
from aiocos.auth.bearer import TokenAuthorizer
from aiocos.auth.keys import plain
from aiocos.auth.tokens import Token
from aiocos.errors import ConfigError, CredentialsError, ProtocolError, TransportError
from aiocos.net.retry import pause
from aiocos.wire.message import Outgoing, Response

DEFAULT_ENDPOINT = "https://iam.cloud.ibm.com/identity/token"
APIKEY_GRANT = "urn:ibm:params:oauth:grant-type:apikey"


@dataclass(frozen=True, init=False)
class ApiKey(Credentials):
    """An IBM Cloud API key. Requests carry the tokens it is traded for; the key itself goes to IAM only.

    `service_instance_id` is the CRN (or GUID) of the COS instance whose buckets are listed and created. `iam_endpoint` is a
    host, a base URL, or the whole URL with its path; plain http is taken for this machine only.
    """

    api_key: SecretStr
    instance_id: str | None
    iam_endpoint: str | None

    def __init__(
        self, api_key: str | SecretStr, service_instance_id: str | None = None, iam_endpoint: str | None = None
    ) -> None:
        key = plain(api_key)
        if not key:
            raise ConfigError("the API key is empty")
        if iam_endpoint:
            token_url(iam_endpoint)  # a mistake is told where it is made
        object.__setattr__(self, "api_key", SecretStr(key))
        object.__setattr__(self, "instance_id", service_instance_id or None)
        object.__setattr__(self, "iam_endpoint", iam_endpoint or None)

    @property
    def service_instance_id(self) -> str | None:
        """The instance given beside the key."""
        return self.instance_id

    def authorizer(self, settings: AuthSettings) -> Authorizer:
        """Make what sends this key's tokens; they are shared by all clients of an event loop."""
        if settings.http is None:
            raise ConfigError("an API key needs a way to reach IAM: AuthSettings.http is not set")
        url = token_url(settings.iam_endpoint or self.iam_endpoint)
        key = self.api_key.get_secret_value()
        identity = ("apikey", hashlib.sha256(key.encode()).hexdigest(), url, settings.verify_tls)
        form = {"grant_type": APIKEY_GRANT, "response_type": "cloud_iam", "apikey": key}
        return TokenAuthorizer(identity, Exchange(url, form, settings.http))


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


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard is tried to get one token. Times in seconds."""

    attempts: int = 5
    # IBM's SDK gives up on an attempt after 5 s and starts again; a slow IAM then never answers in time.
    attempt: float = 10.0
    deadline: float = 30.0
    # Pauses are drawn at random below base * 2**n, never above cap.
    base: float = 0.1
    cap: float = 5.0


@dataclass(frozen=True, slots=True)
class _No:
    """Why an attempt gave no token."""

    text: str
    status: int | None = None
    code: str | None = None
    final: bool = False
    retry_after: float = 0.0
    cause: Exception | None = None


class Exchange:
    """Posts a form to IAM until a token comes, or until it is plain that none will. `secrets` names form fields never shown."""

    def __init__(
        self,
        url: str,
        form: dict[str, str],
        http: HttpFactory,
        *,
        secrets: tuple[str, ...] = ("apikey",),
        effort: Effort = Effort(),
        pause: Callable[[float], Awaitable[None]] = pause,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        parts = urlsplit(url)
        self._url, self._origin, self._path = url, f"{parts.scheme}://{parts.netloc}", parts.path
        self._body = urlencode(form).encode()
        # What must not come back in a message, should IAM or a proxy repeat what it was sent.
        self._secrets = {form[name] for name in secrets} | {quote_plus(form[name]) for name in secrets}
        self._http = http
        self._effort = effort
        self._pause = pause
        self._clock = clock
        self._wall = wall
        self._chance = chance

    async def __call__(self) -> Token:
        """Fetch a token; raises `CredentialsError`."""
        effort, end, attempt = self._effort, self._clock() + self._effort.deadline, 0
        async with self._http() as http:
            while True:
                attempt += 1
                outcome = await self._attempt(http, min(effort.attempt, end - self._clock()))
                if isinstance(outcome, Token):
                    return outcome
                drawn = self._chance() * min(effort.cap, effort.base * 2 ** (attempt - 1))
                delay = outcome.retry_after + drawn
                if outcome.final or attempt >= effort.attempts or self._clock() + delay >= end:
                    raise self._error(outcome, attempt) from outcome.cause
                await self._pause(delay)

    async def _attempt(self, http: HttpClient, limit: float) -> Token | _No:
        request = Outgoing(
            "POST",
            self._origin,
            self._path,
            "",
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                # The client that IAM knows for API keys: "bx" with the secret "bx", the same for everybody.
                "Authorization": "Basic Yng6Yng=",
                "Cache-Control": "no-cache",
            },
            self._body,
        )
        # The token's life is counted from before it was asked for: rather too short than too long.
        now = self._clock()
        try:
            async with timeout(limit):
                response = await http.send(request, timeout=limit)
        except (TransportError, ProtocolError) as error:
            return _No(f"no answer: {error}", cause=error)
        except TimeoutError as error:
            return _No(f"no answer within {limit:.0f} s", cause=error)
        return read_answer(response, now=now, wall=self._wall(), spread=self._chance())

    def _error(self, no: _No, attempts: int) -> CredentialsError:
        text, code = f"no token from {self._url} after {attempts} attempt{'s' if attempts > 1 else ''}: {no.text}", no.code
        if no.retry_after:
            text += f" (it asks to wait {no.retry_after:.0f} s)"
        for secret in self._secrets:
            text, code = text.replace(secret, "***"), code and code.replace(secret, "***")
        return CredentialsError(text, status=no.status, code=code)


def read_answer(response: Response, *, now: float, wall: float, spread: float) -> Token | _No:
    """Read IAM's answer: a token, or why it is none and whether another attempt can help."""
    status = response.status
    try:
        parsed: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        parsed = None
    answer = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None
    if status == 200:
        return _no_token("the answer is no JSON object") if answer is None else _read_token(answer, response, now, wall, spread)
    code, told = _said(answer or {}, response)
    text = f"status {status}{told}"
    if 300 <= status < 400:
        return _No(f"{text}: a redirect, which an API key does not follow", status, code, final=True)
    # Without IAM's code a 400, 401 or 403 comes from something in between, and may pass.
    waits = status in (408, 425, 429) or status >= 500 or (status in (400, 401, 403) and code is None)
    return _No(text, status, code, final=not waits, retry_after=_retry_after(response, wall) if waits else 0.0)


def _read_token(answer: dict[str, Any], response: Response, now: float, wall: float, spread: float) -> Token | _No:
    value, seconds, expiration = (
        answer.get("access_token"),
        _number(answer.get("expires_in")),
        _number(answer.get("expiration")),
    )
    # It becomes a header: nothing but visible ASCII, and no comma or line break to end it early.
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        return _no_token("the answer has no usable access_token")
    if seconds is None or seconds <= 0:
        return _no_token("the answer has no expires_in above 0")
    # `expiration` is on IAM's clock, so IAM's Date says whether it has passed; the clock here may be wrong.
    if expiration is not None and expiration <= (_date(response.headers.get("date")) or wall):
        return _no_token("the token has expired already")
    return Token.lasting(value, seconds, now=now, spread=spread)


def _no_token(text: str) -> _No:
    return _No(text, 200)


def _said(answer: dict[str, Any], response: Response) -> tuple[str | None, str]:
    """Return IAM's error code, and its words as one line of a message."""
    code, message, context = answer.get("errorCode"), answer.get("errorMessage"), answer.get("context")
    request_id = cast("dict[str, Any]", context).get("requestId") if isinstance(context, dict) else None
    request_id = request_id or response.headers.get("transaction-id")
    code = _line(code) if isinstance(code, str) and code else None
    told = f" {code}" if code else ""
    if isinstance(message, str) and message:
        told += f": {_line(message)}"
    if isinstance(request_id, str) and request_id:
        told += f" (request id {_line(request_id)})"
    return code, told


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:300])


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None


def _retry_after(response: Response, wall: float) -> float:
    """Return the seconds that a Retry-After asks for (a number, or a date on the server's clock), 0 without one."""
    text = response.headers.get("retry-after")
    if not text:
        return 0.0
    seconds = _number(text)
    if seconds is None:
        until = _date(text)
        seconds = until - (_date(response.headers.get("date")) or wall) if until is not None else 0.0
    return max(0.0, seconds)
