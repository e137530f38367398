"""A machine with a wrong clock signs with the service's time, once the service has refused a signature for its time."""

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


def client_with_local_clock(emulator: Emulator) -> aiocos.Client:
    """Make a client that signs with this machine's time, unlike the clients that the emulator makes."""
    return aiocos.Client(emulator.endpoint, access_key_id=emulator.access_key_id, secret_access_key=emulator.secret_access_key)


@pytest.mark.parametrize("off", [timedelta(hours=5), timedelta(days=-40)])
async def test_wrong_clock_is_corrected_once(
    cos_emulator: Emulator, off: timedelta, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"x")
    cos_emulator.clock.advance(off)
    cos_emulator.requests.clear()
    async with client_with_local_clock(cos_emulator) as cos:
        await cos.objects.head("bucket", "key")  # its response has no body, so there is no error code
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
async def test_clock_is_corrected_by_a_streamed_read(cos_emulator: Emulator) -> None:
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"x")
    cos_emulator.clock.advance(timedelta(hours=-3))
    async with client_with_local_clock(cos_emulator) as cos:
        assert await cos.objects.read("bucket", "key") == b"x"


async def test_right_clock_causes_no_second_attempt(cos_emulator: Emulator) -> None:
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


def test_correct() -> None:
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
def test_implausible_time_is_not_followed(days: int, followed: bool) -> None:
    clock = SigningClock(lambda: 5e9)
    assert clock.correct(5e9 + days * 86_400) is followed
    assert clock() == (5e9 + days * 86_400 if followed else 5e9)


def test_bound_counts_from_this_machines_clock() -> None:
    clock = SigningClock(lambda: 5e9)
    for days in range(30, 3_000, 30):
        clock.correct(5e9 + days * 86_400)
    assert clock.offset == 90 * 86_400


# -- servers that refuse signatures -----------------------------------------------------------------------------------


class RefusingServer:
    """A server that returns 403 with a date of its own, and records the time of every signature."""

    def __init__(self, code: str, hours: float) -> None:
        self.code, self.hours = code, hours
        self.stamps: list[str] = []
        self.origin = ""
        self.refusals = 0  # number of requests to refuse; 0 refuses all

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.stamps.append(request.headers["x-amz-date"])
        headers = {"Date": formatdate(time.time() + self.hours * 3600, usegmt=True)}
        if self.refusals and len(self.stamps) > self.refusals:
            return web.Response(headers={**headers, "ETag": '"e"'})
        text = f"<Error><Code>{self.code}</Code><Message>no</Message></Error>" if self.code else ""
        return web.Response(status=403, text=text, content_type="application/xml", headers=headers)

    def hours_of(self, stamp: str) -> int:
        made = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return round((made - datetime.now(UTC)) / timedelta(hours=1))


@asynccontextmanager
async def refusing_server(code: str, hours: float, tls: ssl.SSLContext | None = None) -> AsyncIterator[RefusingServer]:
    made = RefusingServer(code, hours)
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    made.origin = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


def client_for(server: RefusingServer, **more) -> aiocos.Client:
    return aiocos.Client(server.origin, access_key_id="id", secret_access_key="a-secret-key", **more)


def hours_signed(cos: aiocos.Client, server: RefusingServer) -> int:
    """Return the hours by which a presigned URL differs from this machine's clock."""
    return server.hours_of(re.findall(r"X-Amz-Date=(\w+)", cos.objects.presign("bucket", "key"))[0])


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("method", ["head", "read", "put"])
@pytest.mark.parametrize("code", ["AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", ""])
async def test_other_403_does_not_correct_the_clock(code: str, method: str) -> None:
    async with refusing_server(code, 5) as server, client_for(server) as cos:
        with pytest.raises(aiocos.AccessDenied):
            await getattr(cos.objects, method)("bucket", "key", *([b"x"] if method == "put" else []))
        assert hours_signed(cos, server) == 0
        # A response to HEAD has no code: it is tried once with the service's time, without success.
        assert [server.hours_of(stamp) for stamp in server.stamps] == ([0, 5] if method == "head" else [0])
        server.stamps.clear()
        with pytest.raises(aiocos.AccessDenied):
            await cos.objects.read("bucket", "key")
        assert [server.hours_of(stamp) for stamp in server.stamps] == [0]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("hours", [24 * 365 * 10, -24 * 365 * 40])
@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", ""])
async def test_implausible_date_does_not_correct_the_clock(hours: int, code: str) -> None:
    async with refusing_server(code, hours) as server, client_for(server) as cos:
        for call in (cos.objects.head, cos.objects.read):
            with pytest.raises(aiocos.AccessDenied):
                await call("bucket", "key")
        assert hours_signed(cos, server) == 0
        assert len(server.stamps) == 2


async def test_allowed_difference_causes_no_second_attempt_of_head() -> None:
    async with refusing_server("", 0.2) as server, client_for(server) as cos:
        with pytest.raises(aiocos.AccessDenied):
            await cos.objects.head("bucket", "key")
        assert len(server.stamps) == 1


async def test_successful_second_attempt_of_head_corrects_the_clock(backend: str) -> None:
    async with refusing_server("", 5) as server, client_for(server) as cos:
        server.refusals = 1
        await cos.objects.head("bucket", "key")
        assert hours_signed(cos, server) == 5


async def test_failed_second_attempt_does_not_correct_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
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
async def test_clock_is_corrected_only_by_a_trusted_server(origin: str, verify_tls: bool, followed: bool, method: str) -> None:
    settings = AuthSettings(clock=SigningClock(lambda: 1000.0), verify_tls=verify_tls)
    signer = Hmac("id", "secret").authorizer(settings)
    code = "RequestTimeTooSkewed" if method == "GET" else ""
    assert signer.rejected(PreparedRequest(method, origin, "/b/k", "", {}), 403, 9000.0, code) is followed


@pytest.mark.parametrize("years", [-8, 30])
async def test_client_of_the_emulator_signs_with_the_emulators_time(cos_emulator: Emulator, years: int) -> None:
    async with cos_emulator.client(hmac=True) as cos:
        await cos.buckets.create("bucket")
        cos_emulator.clock.advance(days=365 * years)
        await cos.objects.put("bucket", "key", b"x")
        assert await cos.objects.read("bucket", "key") == b"x"
        assert f"X-Amz-Date={cos_emulator.clock.now():%Y}" in cos.objects.presign("bucket", "key")
    assert {served.status for served in cos_emulator.requests} == {200}
