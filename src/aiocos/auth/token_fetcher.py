"""Token requests, retried until a token is issued or a failure is final.

An attempt is retried if that can help: without a response, after a 429 or 5xx, or after a response that makes no sense. The
backoff is exponential and random, and `Retry-After` is honored. A 400, 401 or 403 with an error code of IAM is final. All
attempts share one deadline. A failure always raises one `CredentialsError`, which says for which identity a token was requested
and what IAM returned, and never contains a secret.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from abc import ABC, abstractmethod
from asyncio import timeout
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from aiocos.auth.base import HttpClient, HttpFactory
from aiocos.auth.tokens import Token
from aiocos.errors import CredentialsError, ProtocolError, TransportError
from aiocos.net.retry import pause
from aiocos.wire.message import PreparedRequest, Response
from aiocos.wire.redaction import redacted, scrub, secrets_of
from aiocos.wire.retry_after import http_date, retry_after


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Limits and backoff of the attempts to fetch one token. Times are in seconds.

    Separate from `RetryConfig`: all clients of an identity share a token, so their settings can't apply to its fetch.
    """

    attempts: int = 5
    """Most attempts of one fetch. An attempt that got a 429 is not counted."""

    attempt_timeout: float = 10.0
    """Time limit of one attempt. IBM's SDK gives up after 5 s and starts again, so a slow IAM never responds in time."""

    deadline: float = 30.0
    """Time limit of all attempts together, with the waits between them."""

    base: float = 0.1
    """Longest wait before the second attempt. It doubles with each further attempt; the actual wait is random below it."""

    cap: float = 5.0
    """Longest wait between two attempts, not counting `Retry-After`."""


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """The reason why an attempt got no token."""

    text: str
    """Reason, for the error message."""

    status: int | None = None
    """HTTP status of the response; None if there was no response."""

    code: str | None = None
    """Error code of IAM; None if there was none."""

    final: bool = False
    """True if another attempt can't help."""

    retry_after: float = 0.0
    """Seconds that the service asks to wait; 0 if it doesn't ask."""

    cause: Exception | None = None
    """Exception of the attempt; None if there was a response."""


class TokenFetcher(ABC):
    """Fetches one kind of token, in as many attempts as it takes.

    Args:
        url: URL of the token service.
        display_name: Name of the identity in error messages, without a secret.
        http: Opens the HTTP client for a fetch.
        policy: Limits and backoff of the attempts.
        pause: Sleeps for some seconds.
        clock: Monotonic clock, in seconds.
        wall_clock: Seconds since 1970.
        draw: Returns a random number from 0 to 1.
    """

    def __init__(
        self,
        url: str,
        display_name: str,
        http: HttpFactory,
        *,
        policy: FetchPolicy = FetchPolicy(),
        pause: Callable[[float], Awaitable[None]] = pause,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        parts = urlsplit(url)
        self.url, self.display_name = url, display_name
        self.origin, self.path = f"{parts.scheme}://{parts.netloc}", parts.path
        # Texts that error messages must not contain, even if IAM or a proxy repeats what was sent.
        self.secrets: set[str] = set()
        self._http = http
        self._policy = policy
        self._pause = pause
        self.clock = clock
        self.wall_clock = wall_clock
        self.draw = draw

    def add_secrets(self, *secrets: str) -> None:
        """Keep these texts out of error messages."""
        self.secrets |= {secret for secret in secrets if secret}

    def redact(self, text: str) -> str:
        """Return a text of the server without the secrets."""
        return redacted(text, self.secrets)

    @abstractmethod
    async def attempt(self, http: HttpClient, limit: float) -> Token | FetchFailure:
        """Request a token once.

        Raises what `HttpClient.send` raises, and `CredentialsError` if no attempt can help.

        Args:
            http: The HTTP client.
            limit: Seconds for the attempt.
        """

    async def __call__(self) -> Token:
        """Fetch a token. Raises `CredentialsError`."""
        policy, end, attempt, counted = self._policy, self.clock() + self._policy.deadline, 0, 0
        async with self._http() as http:
            while True:
                attempt += 1
                outcome = await self._limited_attempt(http, min(policy.attempt_timeout, end - self.clock()))
                if isinstance(outcome, Token):
                    return outcome
                # A 429 asks to come back later, so it is retried for as long as the deadline allows.
                counted += outcome.status != 429
                backoff = self.draw() * min(policy.cap, policy.base * 2 ** (attempt - 1))
                delay = outcome.retry_after + backoff
                if outcome.final or counted >= policy.attempts or self.clock() + delay >= end:
                    raise self._error(outcome, attempt) from outcome.cause
                await self._pause(delay)

    async def _limited_attempt(self, http: HttpClient, limit: float) -> Token | FetchFailure:
        try:
            async with timeout(limit):
                return await self.attempt(http, limit)
        except (TransportError, ProtocolError) as error:
            return FetchFailure(f"no response: {error}", cause=error)
        except TimeoutError as error:
            return FetchFailure(f"no response within {limit:.0f} s", cause=error)

    def _error(self, failure: FetchFailure, attempts: int) -> CredentialsError:
        count = f"{attempts} attempt{'s' if attempts > 1 else ''}"
        text, code = f"no token for {self.display_name} from {self.url} after {count}: {failure.text}", failure.code
        if failure.retry_after:
            text += f" (it asks to wait {failure.retry_after:.0f} s)"
        if failure.cause is not None:
            scrub(failure.cause, self.secrets)
        return CredentialsError(self.redact(text), status=failure.status, code=code and self.redact(code))


Form = Mapping[str, str]
"""The fields of a form."""

DEFAULT_CLIENT = "Basic Yng6Yng="
"""Authorization header of IAM's default client for API keys: id `bx`, secret `bx`, the same for everybody."""


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The form of a successful response."""

    token_field: str = "access_token"
    """Field with the token."""

    lifetime: float | None = None
    """Lifetime of the token in seconds, if the response doesn't have it. None reads `expires_in`."""


class FormTokenFetcher(TokenFetcher):
    """Fetches a token by posting a form to IAM.

    Args:
        url: URL of the token service.
        form: Fields of the form, or a function that returns them for each attempt.
        http: Opens the HTTP client for a fetch.
        display_name: Name of the identity in error messages, without a secret.
        secret_fields: Fields of the form whose values error messages must not contain.
        authorization: Authorization header of the client; None sends none.
        response: Form of a successful response.
        policy: Limits and backoff of the attempts.
        pause: Sleeps for some seconds.
        clock: Monotonic clock, in seconds.
        wall_clock: Seconds since 1970.
        draw: Returns a random number from 0 to 1.
    """

    def __init__(
        self,
        url: str,
        form: Form | Callable[[], Form],
        http: HttpFactory,
        *,
        display_name: str = "the API key",
        secret_fields: tuple[str, ...] = ("apikey",),
        authorization: str | None = DEFAULT_CLIENT,
        response: TokenResponse = TokenResponse(),
        policy: FetchPolicy = FetchPolicy(),
        pause: Callable[[float], Awaitable[None]] = pause,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(url, display_name, http, policy=policy, pause=pause, clock=clock, wall_clock=wall_clock, draw=draw)
        self._form = form
        self._secret_fields = secret_fields
        self._authorization = authorization
        self._response = response
        if not callable(form):
            self.add_secrets(*(form[name] for name in secret_fields if name in form))
        if authorization not in (None, DEFAULT_CLIENT):
            headers = {"Authorization": authorization or ""}
            self.add_secrets(*secrets_of(PreparedRequest("POST", self.origin, self.path, "", headers)))

    async def attempt(self, http: HttpClient, limit: float) -> Token | FetchFailure:
        """Post the form once."""
        form = self._form
        if callable(form):
            form = form()
            self.add_secrets(*(form[name] for name in self._secret_fields if name in form))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "Cache-Control": "no-cache",
        }
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        # The lifetime counts from before the request, so that the token is rather refreshed too early than too late.
        now = self.clock()
        request = PreparedRequest("POST", self.origin, self.path, "", headers, urlencode(form).encode())
        response = await http.send(request, timeout=limit)
        return read_token_response(
            response, now=now, wall_time=self.wall_clock(), jitter=self.draw(), form=self._response, redact=self.redact
        )


def _unchanged(text: str) -> str:
    return text


def read_token_response(
    response: Response,
    *,
    now: float,
    wall_time: float,
    jitter: float,
    form: TokenResponse = TokenResponse(),
    redact: Callable[[str], str] = _unchanged,
) -> Token | FetchFailure:
    """Return the token in a response of IAM, or a `FetchFailure`.

    Args:
        response: The response.
        now: Time of the monotonic clock from which the lifetime of the token counts.
        wall_time: Seconds since 1970, for a response without a `Date` header.
        jitter: Random number from 0 to 1 that delays the refresh of the token.
        form: Form of a successful response.
        redact: Takes secrets out of IAM's texts, before they are shortened.
    """
    status, body = response.status, json_object(response)
    if status in (200, 201):
        if body is None:
            return _no_token("the response is no JSON object")
        return _read_token(body, response, now, wall_time, jitter, form)
    code, details = _error_details(body or {}, response, redact)
    text = f"status {status}{details}"
    if 300 <= status < 400:
        return FetchFailure(f"{text}: a redirect, which is not followed with an API key", status, code, final=True)
    # A 400, 401 or 403 without a code of IAM comes from a gateway in between, and may be temporary.
    temporary = status in (408, 425, 429) or status >= 500 or (status in (400, 401, 403) and code is None)
    wait = (retry_after(response.headers, wall_time) or 0.0) if temporary else 0.0
    return FetchFailure(text, status, code, final=not temporary, retry_after=wait)


def json_object(response: Response) -> dict[str, Any] | None:
    """Return the JSON object in the body of `response`; None for other bodies."""
    try:
        parsed: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None


def _read_token(
    body: dict[str, Any], response: Response, now: float, wall_time: float, jitter: float, form: TokenResponse
) -> Token | FetchFailure:
    value, expiration = body.get(form.token_field), _finite_number(body.get("expiration"))
    lifetime = _finite_number(body.get("expires_in")) if form.lifetime is None else form.lifetime
    # The token becomes a header, so it must be visible ASCII without spaces and line breaks.
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        return _no_token(f"the response has no usable {form.token_field}")
    if lifetime is None or lifetime <= 0:
        return _no_token("the response has no expires_in above 0")
    # `expiration` is a time of IAM's clock, so it is compared with IAM's Date; the clock of this machine may be wrong.
    if expiration is not None and expiration <= (http_date(response.headers.get("date")) or wall_time):
        return _no_token("the token has already expired")
    return Token.issued(value, lifetime, now=now, jitter=jitter)


def _no_token(text: str) -> FetchFailure:
    return FetchFailure(text, 200)


def _error_details(body: dict[str, Any], response: Response, redact: Callable[[str], str]) -> tuple[str | None, str]:
    """Return IAM's error code, and a text for an error message.

    The text has the code, the message and the request id.
    """
    code, message, context = body.get("errorCode"), body.get("errorMessage"), body.get("context")
    errors = body.get("errors")
    if code is None and isinstance(errors, list) and errors and isinstance(errors[0], dict):
        # The form of the metadata service of a virtual server.
        first = cast("dict[str, Any]", errors[0])
        code, message = first.get("code"), first.get("message")
    request_id = cast("dict[str, Any]", context).get("requestId") if isinstance(context, dict) else None
    request_id = request_id or response.headers.get("transaction-id")
    code = _one_line(redact(code)) if isinstance(code, str) and code else None
    details = f" {code}" if code else ""
    if isinstance(message, str) and message:
        details += f": {_one_line(redact(message))}"
    if isinstance(request_id, str) and request_id:
        details += f" (request id {_one_line(redact(request_id))})"
    return code, details


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:300])


def _finite_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
