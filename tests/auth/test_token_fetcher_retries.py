"""Token requests: attempts, waits, the deadline, and secrets in error messages."""

from __future__ import annotations

import asyncio
import time
import traceback
from email.utils import formatdate
from typing import Any
from urllib.parse import quote_plus

import pytest

from aiocos.auth.token_fetcher import (
    FetchPolicy,
    FormTokenFetcher,
)
from aiocos.auth.tokens import Token
from aiocos.errors import ConnectionLostError, CredentialsError, RequestTimeoutError
from aiocos.wire.message import Response

from .fakes import DOWN, KEY, Clock, FakeIam, RecordedWaits, answer, token

NOT_FOUND = {
    "errorCode": "BXNIM0415E",
    "errorMessage": "Provided API key could not be found.",
    "context": {"requestId": "abc-123", "url": "https://iam.test"},
}

URL = "https://iam.test/identity/token"

NOW = 1_792_000_000.0


class FetchHarness:
    """A token fetcher whose clock, waits and random numbers the test controls."""

    def __init__(self, *script: Response | Exception, chance: float = 0.5, **policy: float) -> None:
        self.clock = Clock()
        self.pauses = RecordedWaits(self.clock)
        self.iam = FakeIam(*script)
        self.fetch = FormTokenFetcher(
            URL,
            {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "response_type": "cloud_iam", "apikey": KEY},
            self.iam.http,
            policy=FetchPolicy(**policy),  # type: ignore[arg-type]
            pause=self.pauses,
            clock=self.clock,
            wall_clock=lambda: NOW,
            draw=lambda: chance,
        )

    async def failure_of(self) -> CredentialsError:
        with pytest.raises(CredentialsError) as raised:
            await self.fetch()
        assert self.iam.open == 0
        assert KEY not in "".join(traceback.format_exception(raised.value))
        return raised.value


async def test_request_equals_the_one_of_the_sdk() -> None:
    harness = FetchHarness()
    made = await harness.fetch()
    assert isinstance(made, Token)
    assert made.value == "token-1"
    assert made.expires_at == harness.clock.now + 3_600
    (request,) = harness.iam.requests
    assert (request.method, request.url) == ("POST", URL)
    assert harness.iam.form() == {
        "grant_type": ["urn:ibm:params:oauth:grant-type:apikey"],
        "response_type": ["cloud_iam"],
        "apikey": [KEY],
    }
    assert request.headers == {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Authorization": "Basic Yng6Yng=",
        "Cache-Control": "no-cache",
    }
    assert harness.iam.open == 0


async def test_unknown_api_key_is_not_retried() -> None:
    for status in (400, 401, 403):
        harness = FetchHarness(answer(NOT_FOUND, status))
        error = await harness.failure_of()
        assert len(harness.iam.requests) == 1
        assert (error.status, error.code) == (status, "BXNIM0415E")
        assert str(error) == (
            f"no token for the API key from {URL} after 1 attempt: status {status} BXNIM0415E: "
            "Provided API key could not be found. (request id abc-123)"
        )


@pytest.mark.parametrize(
    "bad",
    [
        DOWN,
        ConnectionLostError("cut", sent=True),
        answer(b"", 500),
        answer(b"<html>busy</html>", 502),
        answer({"errorCode": "BXNIM0513S", "errorMessage": "busy"}, 503),
        answer(b"<html>proxy</html>", 403),
        answer(b"no json"),
        answer(b"\xff\xfe"),
        answer(b"[" * 100_000),
        answer([1]),
        answer({"expires_in": 3600}),
        token(""),
        token("two words"),
        token("line\r\nX-Injected: 1"),
        answer({"access_token": 7, "expires_in": 3600}),
        token("t", 0),
        token("t", -1),
        token("t", "soon"),
        token("t", True),
        token("t", None),
        answer(b'{"access_token": "t", "expires_in": Infinity}'),
        token("t", 3600, expiration=NOW - 1),
    ],
    ids=lambda bad: repr(bad)[:60],
)
async def test_temporary_failures_are_tried_five_times(bad: Response | Exception) -> None:
    harness = FetchHarness(bad)
    error = await harness.failure_of()
    assert len(harness.iam.requests) == 5
    assert "after 5 attempts" in str(error)
    assert harness.pauses.taken == pytest.approx([0.05, 0.1, 0.2, 0.4])
    if isinstance(bad, Exception):
        assert error.__cause__ is bad

    harness = FetchHarness(bad, token("good"))
    assert (await harness.fetch()).value == "good"
    assert len(harness.iam.requests) == 2


async def test_429_is_retried_until_the_deadline() -> None:
    harness = FetchHarness(answer(b"", 429, retry_after="1"))
    error = await harness.failure_of()
    assert error.status == 429
    assert 10 < len(harness.iam.requests) <= 30  # thirty seconds of at least one second each
    assert sum(harness.pauses.taken) < 30
    assert min(harness.pauses.taken) >= 1


@pytest.mark.parametrize("status", [301, 307, 404, 405, 400])
async def test_final_failures_are_not_retried(status: int) -> None:
    harness = FetchHarness(answer(NOT_FOUND if status == 400 else b"", status, location="https://elsewhere.test/"))
    error = await harness.failure_of()
    assert len(harness.iam.requests) == 1
    assert error.status == status
    assert ("a redirect, which is not followed with an API key" in str(error)) == (status < 400)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "-3"}, 0.0),
        ({"retry_after": "soon"}, 0.0),
        ({"retry_after": "nan"}, 0.0),
        ({"retry_after": "-inf"}, 0.0),
        ({"retry_after": "-1e9"}, 0.0),
        ({"retry_after": formatdate(NOW + 9, usegmt=True)}, 9.0),
        ({"retry_after": "Fri, 20 Nov 2026 10:00:09 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 9.0),
        ({"retry_after": "Fri, 20 Nov 2026 09:00:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 0.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503, 400])
async def test_retry_after_is_honored_with_jitter(status: int, headers: dict[str, str], wait: float) -> None:
    harness = FetchHarness(answer(b"", status, **headers), token("good"))
    assert (await harness.fetch()).value == "good"
    assert harness.pauses.taken == [pytest.approx(wait + 0.05)]


async def test_retry_after_beyond_the_deadline_fails_at_once() -> None:
    harness = FetchHarness(answer(b"", 429, retry_after="120"))
    error = await harness.failure_of()
    assert len(harness.iam.requests) == 1
    assert not harness.pauses.taken
    assert error.status == 429
    assert "asks to wait 120 s" in str(error)


@pytest.mark.parametrize("value", ["1e9", "inf", "9" * 400, "Fri, 20 Nov 2099 10:00:09 GMT"])
@pytest.mark.parametrize("status", [429, 503, 400])
async def test_absurd_retry_after_fails_at_once(status: int, value: str) -> None:
    harness = FetchHarness(answer(b"", status, retry_after=value), token("good"))
    assert (await harness.failure_of()).status == status
    assert len(harness.iam.requests) == 1
    assert not harness.pauses.taken


async def test_hanging_iam_fails_within_the_deadline() -> None:
    harness = FetchHarness(attempt_timeout=0.02, deadline=0.06)
    harness.clock = asyncio.get_running_loop().time  # type: ignore[assignment]
    harness.fetch.clock = asyncio.get_running_loop().time
    harness.fetch._pause = asyncio.sleep
    harness.iam.gate.clear()
    async with asyncio.timeout(60):
        error = await harness.failure_of()
    assert "no response within" in str(error)
    assert isinstance(error.__cause__, TimeoutError)
    assert 1 <= len(harness.iam.requests) <= 4
    assert max(harness.iam.limits) <= 0.02


async def test_last_attempt_gets_the_rest_of_the_deadline() -> None:
    harness = FetchHarness(attempt_timeout=10.0, deadline=16.0)

    def slow() -> Response:
        harness.clock.now += 9
        return answer(b"", 500)

    harness.iam.script = [slow]
    await harness.failure_of()
    assert harness.iam.limits == [10.0, pytest.approx(6.95)]


async def test_lifetime_counts_from_before_the_request() -> None:
    harness = FetchHarness()

    def slow() -> Response:
        harness.clock.now += 30
        return token("slow", 3600)

    harness.iam.script = [slow]
    before = harness.clock.now
    assert (await harness.fetch()).expires_at == before + 3_600


async def test_expiration_is_compared_with_the_date_of_iam() -> None:
    date = "Fri, 20 Nov 2026 10:00:00 GMT"  # 1795168800: far from the clock here
    good = answer({"access_token": "t", "expires_in": "3600", "expiration": 1_795_172_400}, date=date)
    assert (await FetchHarness(good).fetch()).value == "t"
    stale = answer({"access_token": "t", "expires_in": 3600, "expiration": 1_795_168_799}, date=date)
    assert "already expired" in str(await FetchHarness(stale).failure_of())


async def test_api_key_in_a_response_is_hidden() -> None:
    told = {"errorCode": KEY, "errorMessage": f"bad key {KEY} in apikey={quote_plus(KEY)}\r\nforged line"}
    error = await FetchHarness(answer(told, 400)).failure_of()
    text = f"{error} {error!r} {vars(error)}"
    assert KEY not in text
    assert quote_plus(KEY) not in text
    assert "\n" not in str(error)


def fetcher_for(iam: FakeIam, pauses: RecordedWaits, chance: float = 0.0, **more: Any) -> FormTokenFetcher:
    clock = pauses.clock
    form = more.pop("form", {"apikey": "k"})
    return FormTokenFetcher(URL, form, iam.http, pause=pauses, clock=clock, wall_clock=lambda: NOW, draw=lambda: chance, **more)


async def failure(fetch: FormTokenFetcher) -> CredentialsError:
    with pytest.raises(CredentialsError) as raised:
        await fetch()
    return raised.value


def test_default_policy() -> None:
    assert FetchPolicy() == FetchPolicy(attempts=5, attempt_timeout=10.0, deadline=30.0, base=0.1, cap=5.0)


async def test_waits_double_up_to_the_cap() -> None:
    pauses, iam = RecordedWaits(Clock()), FakeIam(answer(b"", 500))
    await failure(fetcher_for(iam, pauses, 1.0, policy=FetchPolicy(attempts=9, deadline=1_000.0)))
    assert pauses.taken == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


async def test_no_attempt_starts_at_the_deadline() -> None:
    pauses, iam = RecordedWaits(Clock()), FakeIam(answer(b"", 429, retry_after="1"))
    error = await failure(fetcher_for(iam, pauses))
    # The thirtieth begins at 29 s; the next one would begin at the deadline itself.
    assert len(iam.requests) == 30
    assert sum(pauses.taken) == 29
    assert str(error) == f"no token for the API key from {URL} after 30 attempts: status 429 (it asks to wait 1 s)"


async def test_429_does_not_count_as_an_attempt() -> None:
    busy, down = answer(b"", 429), answer(b"", 500)
    pauses, iam = RecordedWaits(Clock()), FakeIam(busy, down, busy, busy, down, busy, down, token("never"))
    error = await failure(fetcher_for(iam, pauses, policy=FetchPolicy(attempts=3)))
    assert error.status == 500
    assert len(iam.requests) == 7
    assert "after 7 attempts" in str(error)


async def test_number_of_attempts() -> None:
    for attempts in (1, 2):
        iam = FakeIam(answer(b"", 500))
        error = await failure(fetcher_for(iam, RecordedWaits(Clock()), policy=FetchPolicy(attempts=attempts)))
        assert len(iam.requests) == attempts
        assert f"after {attempts} attempt{'s' if attempts > 1 else ''}: status 500" in str(error)


async def test_time_limit_of_an_attempt() -> None:
    iam = FakeIam(token("t"))
    await fetcher_for(iam, RecordedWaits(Clock()))()
    assert iam.limits == [10.0]


async def test_message_of_a_timeout() -> None:
    iam = FakeIam(RequestTimeoutError("nothing came", sent=True))
    error = await failure(fetcher_for(iam, RecordedWaits(Clock()), policy=FetchPolicy(attempts=1)))
    assert "after 1 attempt: no response: nothing came" in str(error)
    iam = FakeIam()
    iam.gate.clear()
    error = await failure(fetcher_for(iam, RecordedWaits(Clock()), policy=FetchPolicy(attempts=1, attempt_timeout=0.01)))
    assert "no response within 0 s" in str(error)
    assert isinstance(error.__cause__, TimeoutError)
    assert error.status is None


async def test_secret_in_the_cause_is_hidden() -> None:
    iam = FakeIam(RequestTimeoutError("asked with apikey=a-long-key", sent=True))
    error = await failure(
        fetcher_for(iam, RecordedWaits(Clock()), form={"apikey": "a-long-key"}, policy=FetchPolicy(attempts=1))
    )
    assert "a-long-key" not in f"{error} {error.__cause__}"


async def test_form_function_is_called_for_each_attempt_and_its_secrets_are_hidden() -> None:
    made: list[str] = []

    def form() -> dict[str, str]:
        made.append(f"secret-number-{len(made)}")
        return {"grant_type": "g", "cr_token": made[-1]}

    told = answer({"errorCode": "C", "errorMessage": "secret-number-0 and secret-number-1"}, 404)
    iam = FakeIam(answer(b"", 500), told)
    fetch = fetcher_for(iam, RecordedWaits(Clock()), form=form, secret_fields=("cr_token", "not_there"), authorization=None)
    error = await failure(fetch)
    assert [iam.form(number)["cr_token"] for number in (0, 1)] == [["secret-number-0"], ["secret-number-1"]]
    assert "C: *** and ***" in str(error)
    assert "Authorization" not in iam.requests[0].headers
    assert fetch.secrets == {"secret-number-0", "secret-number-1"}


async def test_secrets_of_a_fixed_form() -> None:
    fetch = fetcher_for(
        FakeIam(), RecordedWaits(Clock()), form={"apikey": "key", "password": "word"}, secret_fields=("apikey", "other")
    )
    assert fetch.secrets == {"key"}
    assert fetcher_for(FakeIam(), RecordedWaits(Clock()), form={"apikey": ""}).secrets == set()


async def test_client_secret_is_hidden() -> None:
    told = answer({"errorCode": "C", "errorMessage": "hush-hush bWU6aHVzaC1odXNo Yng6Yng="}, 404)
    for authorization, words in (("Basic bWU6aHVzaC1odXNo", "*** *** Yng6Yng="), (None, "hush-hush bWU6aHVzaC1odXNo Yng6Yng=")):
        error = await failure(fetcher_for(FakeIam(told), RecordedWaits(Clock()), authorization=authorization))
        assert f"C: {words}" in str(error)
    # The default client is no secret.
    assert fetcher_for(FakeIam(told), RecordedWaits(Clock())).secrets == {"k"}


async def test_default_clocks() -> None:
    iam = FakeIam(token("t", 3600, expiration=time.time() + 60))
    before = asyncio.get_running_loop().time()
    made = await FormTokenFetcher(URL, {"apikey": "k"}, iam.http)()
    assert before <= made.expires_at - 3600 <= time.monotonic()
    assert (iam.requests[0].origin, iam.requests[0].path) == ("https://iam.test", "/identity/token")
