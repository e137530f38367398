"""How a token is asked for: attempts until one comes, or until it is plain that none will.

An attempt is tried again while that can help (no answer, 429, 5xx, an answer that makes no sense), with growing pauses drawn at
random and `Retry-After` honoured; a 400, 401 or 403 in IAM's own words is final. All attempts together have one deadline, and
however it fails there is one `CredentialsError` that says whose token was asked for and what IAM said, and never a secret.
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
    """How hard is tried to get one token. Times in seconds."""

    attempts: int = 5
    # IBM's SDK gives up on an attempt after 5 s and starts again; a slow IAM then never answers in time.
    attempt: float = 10.0
    deadline: float = 30.0
    # Pauses are drawn at random below base * 2**n, never above cap.
    base: float = 0.1
    cap: float = 5.0


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """Why an attempt gave no token."""

    text: str
    status: int | None = None
    code: str | None = None
    final: bool = False
    retry_after: float = 0.0
    cause: Exception | None = None


class TokenFetcher(ABC):
    """The attempts to get one kind of token. `whose` names the identity in messages, without a secret."""

    def __init__(
        self,
        url: str,
        whose: str,
        http: HttpFactory,
        *,
        effort: FetchPolicy = FetchPolicy(),
        pause: Callable[[float], Awaitable[None]] = pause,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        parts = urlsplit(url)
        self.url, self.whose = url, whose
        self.origin, self.path = f"{parts.scheme}://{parts.netloc}", parts.path
        # What must not come back in a message, should IAM or a proxy repeat what it was sent.
        self.hidden: set[str] = set()
        self._http = http
        self._effort = effort
        self._pause = pause
        self.clock = clock
        self.wall = wall
        self.chance = chance

    def hide(self, *secrets: str) -> None:
        """Keep these out of messages."""
        self.hidden |= {secret for secret in secrets if secret}

    def redact(self, text: str) -> str:
        """Return a text of the server without what is hidden."""
        return redacted(text, self.hidden)

    @abstractmethod
    async def attempt(self, http: HttpClient, limit: float) -> Token | FetchFailure:
        """Ask once, within `limit` seconds. Raises what `HttpClient` raises, and `CredentialsError` where nothing can help."""

    async def __call__(self) -> Token:
        """Fetch a token; raises `CredentialsError`."""
        effort, end, attempt, counted = self._effort, self.clock() + self._effort.deadline, 0, 0
        async with self._http() as http:
            while True:
                attempt += 1
                outcome = await self._bounded(http, min(effort.attempt, end - self.clock()))
                if isinstance(outcome, Token):
                    return outcome
                # Who is asked to come back later comes back, for as long as there is time.
                counted += outcome.status != 429
                drawn = self.chance() * min(effort.cap, effort.base * 2 ** (attempt - 1))
                delay = outcome.retry_after + drawn
                if outcome.final or counted >= effort.attempts or self.clock() + delay >= end:
                    raise self._error(outcome, attempt) from outcome.cause
                await self._pause(delay)

    async def _bounded(self, http: HttpClient, limit: float) -> Token | FetchFailure:
        try:
            async with timeout(limit):
                return await self.attempt(http, limit)
        except (TransportError, ProtocolError) as error:
            return FetchFailure(f"no answer: {error}", cause=error)
        except TimeoutError as error:
            return FetchFailure(f"no answer within {limit:.0f} s", cause=error)

    def _error(self, no: FetchFailure, attempts: int) -> CredentialsError:
        tries = f"{attempts} attempt{'s' if attempts > 1 else ''}"
        text, code = f"no token for {self.whose} from {self.url} after {tries}: {no.text}", no.code
        if no.retry_after:
            text += f" (it asks to wait {no.retry_after:.0f} s)"
        if no.cause is not None:
            scrub(no.cause, self.hidden)
        return CredentialsError(self.redact(text), status=no.status, code=code and self.redact(code))


Form = Mapping[str, str]

BX = "Basic Yng6Yng="
"""The client that IAM knows for API keys: "bx" with the secret "bx", the same for everybody."""


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """Where an answer has its token, and how long that lasts where the answer does not say (seconds)."""

    token: str = "access_token"
    lasts: float | None = None


class FormTokenFetcher(TokenFetcher):
    """Posts a form to IAM. `secrets` names the fields that are never shown; a form may be made anew for each attempt."""

    def __init__(
        self,
        url: str,
        form: Form | Callable[[], Form],
        http: HttpFactory,
        *,
        whose: str = "the API key",
        secrets: tuple[str, ...] = ("apikey",),
        authorization: str | None = BX,
        answer: TokenResponse = TokenResponse(),
        effort: FetchPolicy = FetchPolicy(),
        pause: Callable[[float], Awaitable[None]] = pause,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(url, whose, http, effort=effort, pause=pause, clock=clock, wall=wall, chance=chance)
        self._form = form
        self._secret_fields = secrets
        self._authorization = authorization
        self._answer = answer
        if not callable(form):
            self.hide(*(form[name] for name in secrets if name in form))
        if authorization not in (None, BX):
            self.hide(*secrets_of(PreparedRequest("POST", self.origin, self.path, "", {"Authorization": authorization or ""})))

    async def attempt(self, http: HttpClient, limit: float) -> Token | FetchFailure:
        """Post the form once."""
        form = self._form
        if callable(form):
            form = form()
            self.hide(*(form[name] for name in self._secret_fields if name in form))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "Cache-Control": "no-cache",
        }
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        # The token's life is counted from before it was asked for: rather too short than too long.
        now = self.clock()
        request = PreparedRequest("POST", self.origin, self.path, "", headers, urlencode(form).encode())
        response = await http.send(request, timeout=limit)
        return read_answer(response, now=now, wall=self.wall(), spread=self.chance(), kind=self._answer, redact=self.redact)


def _as_it_is(text: str) -> str:
    return text


def read_answer(
    response: Response,
    *,
    now: float,
    wall: float,
    spread: float,
    kind: TokenResponse = TokenResponse(),
    redact: Callable[[str], str] = _as_it_is,
) -> Token | FetchFailure:
    """Read IAM's answer: a token, or why it is none and whether another attempt can help.

    `redact` takes secrets out of what IAM says, before that is shortened.
    """
    status, answer = response.status, json_object(response)
    if status in (200, 201):
        if answer is None:
            return _no_token("the answer is no JSON object")
        return _read_token(answer, response, now, wall, spread, kind)
    code, told = _said(answer or {}, response, redact)
    text = f"status {status}{told}"
    if 300 <= status < 400:
        return FetchFailure(f"{text}: a redirect, which an API key does not follow", status, code, final=True)
    # Without IAM's code a 400, 401 or 403 comes from something in between, and may pass.
    waits = status in (408, 425, 429) or status >= 500 or (status in (400, 401, 403) and code is None)
    return FetchFailure(
        text, status, code, final=not waits, retry_after=(retry_after(response.headers, wall) or 0.0) if waits else 0.0
    )


def json_object(response: Response) -> dict[str, Any] | None:
    """The object that a body holds as JSON; None where it holds something else."""
    try:
        parsed: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None


def _read_token(
    answer: dict[str, Any], response: Response, now: float, wall: float, spread: float, kind: TokenResponse
) -> Token | FetchFailure:
    value, expiration = answer.get(kind.token), _number(answer.get("expiration"))
    seconds = _number(answer.get("expires_in")) if kind.lasts is None else kind.lasts
    # It becomes a header: nothing but visible ASCII, and no comma or line break to end it early.
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        return _no_token(f"the answer has no usable {kind.token}")
    if seconds is None or seconds <= 0:
        return _no_token("the answer has no expires_in above 0")
    # `expiration` is on IAM's clock, so IAM's Date says whether it has passed; the clock here may be wrong.
    if expiration is not None and expiration <= (http_date(response.headers.get("date")) or wall):
        return _no_token("the token has expired already")
    return Token.lasting(value, seconds, now=now, spread=spread)


def _no_token(text: str) -> FetchFailure:
    return FetchFailure(text, 200)


def _said(answer: dict[str, Any], response: Response, redact: Callable[[str], str]) -> tuple[str | None, str]:
    """Return IAM's error code, and its words as one line of a message."""
    code, message, context = answer.get("errorCode"), answer.get("errorMessage"), answer.get("context")
    errors = answer.get("errors")
    if code is None and isinstance(errors, list) and errors and isinstance(errors[0], dict):
        # The metadata service of a virtual server words it so.
        first = cast("dict[str, Any]", errors[0])
        code, message = first.get("code"), first.get("message")
    request_id = cast("dict[str, Any]", context).get("requestId") if isinstance(context, dict) else None
    request_id = request_id or response.headers.get("transaction-id")
    code = _line(redact(code)) if isinstance(code, str) and code else None
    told = f" {code}" if code else ""
    if isinstance(message, str) and message:
        told += f": {_line(redact(message))}"
    if isinstance(request_id, str) and request_id:
        told += f" (request id {_line(redact(request_id))})"
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
