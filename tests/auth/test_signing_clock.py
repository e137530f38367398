"""A machine whose clock is wrong signs by the service's clock, once the service has said that this is the reason."""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import pytest
from aiohttp import web

import aiocos
from aiocos.auth.base import AuthSettings, SigningClock
from aiocos.auth.keys import Hmac
from aiocos.emulator import Emulator
from aiocos.wire.message import PreparedRequest


def by_this_machine(emulator: Emulator) -> aiocos.Client:
    """Make a client that signs by this machine's clock, unlike those that the emulator makes."""
    return aiocos.Client(emulator.endpoint, access_key_id=emulator.access_key_id, secret_access_key=emulator.secret_access_key)


@pytest.mark.parametrize("off", [timedelta(hours=5), timedelta(days=-40)])
async def test_a_wrong_clock_is_set_once(
    cos_emulator: Emulator, off: timedelta, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"x")
    cos_emulator.clock.advance(off)
    cos_emulator.requests.clear()
    async with by_this_machine(cos_emulator) as cos:
        await cos.objects.head("bucket", "key")  # an answer without a body, and so without a code
        await cos.objects.put("bucket", "key", b"y")
        async with cos.objects.get("bucket", "key") as obj:
            assert await obj.read() == b"y"
        assert [(s.operation, s.status) for s in cos_emulator.requests] == [
            ("HeadObject", 403),
            ("HeadObject", 200),
            ("PutObject", 200),
            ("GetObject", 200),
        ]
        # Presigned URLs carry the corrected time too.
        url = cos.objects.presign("bucket", "key")
        assert (cos_emulator.clock.now() + timedelta(seconds=2)).strftime("X-Amz-Date=%Y%m%d") in url
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1
    assert ("behind" in said[0].getMessage()) is (off > timedelta(0))


@pytest.mark.usefixtures("backend")
async def test_a_streamed_read_is_the_first_to_learn(cos_emulator: Emulator) -> None:
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"x")
    cos_emulator.clock.advance(timedelta(hours=-3))
    async with by_this_machine(cos_emulator) as cos:
        assert await cos.objects.read("bucket", "key") == b"x"


async def test_a_clock_that_is_right_makes_no_second_try(cos_emulator: Emulator) -> None:
    await cos_emulator.add_instance()
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
    stranger = await cos_emulator.add_instance()
    cos_emulator.requests.clear()
    async with cos_emulator.client(hmac=True, instance=stranger) as cos:
        for _ in range(3):
            with pytest.raises(aiocos.AccessDenied):
                await cos.buckets.head("bucket")
    assert len(cos_emulator.requests) == 3


def test_the_clock_itself() -> None:
    now = 1000.0
    clock = SigningClock(lambda: now)
    assert not clock.correct(None)
    assert not clock.correct(1059.0)
    assert clock.correct(2000.0)
    assert clock() == 2000.0
    assert not clock.correct(2030.0)
    assert clock.correct(900.0)
    assert clock() == 900.0


@pytest.mark.parametrize(("days", "followed"), [(89, True), (-89, True), (91, False), (-91, False), (27_000, False)])
def test_what_is_not_plausible_is_not_followed(days: int, followed: bool) -> None:
    clock = SigningClock(lambda: 5e9)
    assert clock.correct(5e9 + days * 86_400) is followed
    assert clock() == (5e9 + days * 86_400 if followed else 5e9)


def test_the_bound_is_from_this_machines_clock_and_not_from_step_to_step() -> None:
    clock = SigningClock(lambda: 5e9)
    for days in range(30, 3_000, 30):
        clock.correct(5e9 + days * 86_400)
    assert clock.offset == 90 * 86_400


# -- servers that say something else ----------------------------------------------------------------------------------


class Refusing:
    """Answers 403 with a date of its own, until it is told otherwise; keeps the time of every signature."""

    def __init__(self, code: str, hours: float) -> None:
        self.code, self.hours = code, hours
        self.stamps: list[str] = []
        self.origin = ""
        self.takes = 0  # so many are refused; 0 for all

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.stamps.append(request.headers["x-amz-date"])
        headers = {"Date": formatdate(time.time() + self.hours * 3600, usegmt=True)}
        if self.takes and len(self.stamps) > self.takes:
            return web.Response(headers={**headers, "ETag": '"e"'})
        text = f"<Error><Code>{self.code}</Code><Message>no</Message></Error>" if self.code else ""
        return web.Response(status=403, text=text, content_type="application/xml", headers=headers)

    def hours_of(self, stamp: str) -> int:
        made = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return round((made - datetime.now(UTC)) / timedelta(hours=1))


@asynccontextmanager
async def refusing(code: str, hours: float, tls: ssl.SSLContext | None = None) -> AsyncIterator[Refusing]:
    made = Refusing(code, hours)
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    made.origin = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


def client_of(server: Refusing, **more) -> aiocos.Client:
    return aiocos.Client(server.origin, access_key_id="id", secret_access_key="a-secret-key", **more)


def hours_signed(cos: aiocos.Client, server: Refusing) -> int:
    """By how many hours a presigned URL is off."""
    return server.hours_of(re.findall(r"X-Amz-Date=(\w+)", cos.objects.presign("bucket", "key"))[0])


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("method", ["head", "read", "put"])
@pytest.mark.parametrize("code", ["AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", ""])
async def test_another_403_moves_no_clock(code: str, method: str) -> None:
    async with refusing(code, 5) as server, client_of(server) as cos:
        with pytest.raises(aiocos.AccessDenied):
            await getattr(cos.objects, method)("bucket", "key", *([b"x"] if method == "put" else []))
        assert hours_signed(cos, server) == 0
        # An answer to HEAD has no code: there it is tried once by the service's clock, which did not help.
        assert [server.hours_of(stamp) for stamp in server.stamps] == ([0, 5] if method == "head" else [0])
        server.stamps.clear()
        with pytest.raises(aiocos.AccessDenied):
            await cos.objects.read("bucket", "key")
        assert [server.hours_of(stamp) for stamp in server.stamps] == [0]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("hours", [24 * 365 * 10, -24 * 365 * 40])
@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", ""])
async def test_a_date_that_is_not_plausible_moves_no_clock(hours: int, code: str) -> None:
    async with refusing(code, hours) as server, client_of(server) as cos:
        for call in (cos.objects.head, cos.objects.read):
            with pytest.raises(aiocos.AccessDenied):
                await call("bucket", "key")
        assert hours_signed(cos, server) == 0
        assert len(server.stamps) == 2


async def test_a_difference_that_any_signature_may_have_is_no_reason_for_a_403_without_a_code() -> None:
    async with refusing("", 0.2) as server, client_of(server) as cos:
        with pytest.raises(aiocos.AccessDenied):
            await cos.objects.head("bucket", "key")
        assert len(server.stamps) == 1


async def test_a_head_that_is_taken_by_the_services_clock_sets_it(backend: str) -> None:
    async with refusing("", 5) as server, client_of(server) as cos:
        server.takes = 1
        await cos.objects.head("bucket", "key")
        assert hours_signed(cos, server) == 5


async def test_a_second_try_without_an_answer_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Hmac("id", "secret").authorizer(AuthSettings(clock=SigningClock(lambda: 1000.0)))
    request = PreparedRequest("HEAD", "https://cos.example", "/b/k", "", {})
    for status in (0, 401, 403):
        assert signer.rejected(request, 403, 9000.0)
        await signer.authorize(request)
        assert request.headers["x-amz-date"] == "19700101T023000Z"
        signer.settled(request, status)
        await signer.authorize(request)
        assert request.headers["x-amz-date"] == "19700101T001640Z"
    assert signer.rejected(request, 403, 9000.0)
    signer.settled(request, 404)
    await signer.authorize(request)
    assert request.headers["x-amz-date"] == "19700101T023000Z"


@pytest.mark.parametrize(
    ("origin", "verify_tls", "followed"),
    [
        ("https://cos.example", True, True),
        ("https://cos.example", False, False),
        ("http://cos.example", True, False),
        ("http://127.0.0.1:9000", True, True),
        ("http://localhost:9000", False, True),
        ("https://127.0.0.1:9000", False, True),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_only_the_service_itself_is_believed(origin: str, verify_tls: bool, followed: bool, method: str) -> None:
    settings = AuthSettings(clock=SigningClock(lambda: 1000.0), verify_tls=verify_tls)
    signer = Hmac("id", "secret").authorizer(settings)
    code = "RequestTimeTooSkewed" if method == "GET" else ""
    assert signer.rejected(PreparedRequest(method, origin, "/b/k", "", {}), 403, 9000.0, code) is followed


@pytest.mark.parametrize("years", [-8, 30])
async def test_a_client_of_an_emulator_signs_by_its_clock(cos_emulator: Emulator, years: int) -> None:
    async with cos_emulator.client(hmac=True) as cos:
        await cos.buckets.create("bucket")
        cos_emulator.clock.advance(days=365 * years)
        await cos.objects.put("bucket", "key", b"x")
        assert await cos.objects.read("bucket", "key") == b"x"
        assert f"X-Amz-Date={cos_emulator.clock.now():%Y}" in cos.objects.presign("bucket", "key")
    assert {served.status for served in cos_emulator.requests} == {200}
