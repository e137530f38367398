"""Error messages and logs of a call: no secrets, no control characters."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadStatusLine, TransferEncodingError
from tests.net.raw_server import serving
from tests.net.scripted import reply, scripted

import aiocos
from aiocos.cli.display import show_json
from aiocos.config import ClientConfig, RetryConfig
from aiocos.errors import ConfigError, CosError, CredentialsError, ServiceError, TransportError, printable
from aiocos.net.streamed_response import map_aiohttp_error
from aiocos.wire.message import PreparedRequest, Response

ONCE = ClientConfig(retry=RetryConfig(attempts=1))
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl/c2lnbmF0dXJl+A=="
API_KEY = "an-API-key/with+odd=signs-0123456789"
SECRET = "hmac/secret+0123456789abcdef"
KEY = b"0123456789-customer-key-01234567"
# ESC, a line break, C1's CSI, an override of the direction, a zero-width character, a line separator, DEL.
EVIL = "a\x1b[2Jb\nc\x9b31md\u202ee\u200bf\u2028g\x7fh\u2066i"
UNSEEN = [c for c in EVIL if not c.isprintable()]

Reply = Callable[[web.BaseRequest, bytes], web.Response]


class Service:
    """A service and an IAM whose replies the test makes from the requests."""

    def __init__(self) -> None:
        self.reply: Reply = lambda request, body: web.Response(status=400)
        self.iam: Reply | None = None
        self.origin = ""

    async def respond(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        if request.path == "/identity/token":
            if self.iam is not None:
                return self.iam(request, body)
            return web.json_response({"access_token": TOKEN, "expires_in": 3600})
        return self.reply(request, body)

    def client(self, kind: str) -> aiocos.Client:
        given: dict[str, dict[str, object]] = {
            "bearer": {"credentials": aiocos.BearerToken(TOKEN)},
            "api key": {"api_key": API_KEY, "iam_endpoint": f"{self.origin}/identity/token"},
            "hmac": {"access_key_id": "id", "secret_access_key": SECRET, "session_token": "session-token-0123"},
        }
        return aiocos.Client(self.origin, config=ONCE, **given[kind])  # type: ignore[arg-type]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    runner = web.ServerRunner(web.Server(made.respond))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def sent(request: web.BaseRequest, body: bytes) -> str:
    """Return the whole request, as a failing gateway quotes it, and the secrets that a service knows."""
    known = SECRET if "AWS4" in request.headers.get("Authorization", "") else ""
    head = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    return f"{request.method} {request.path_qs}\n{head}\n\n{body.decode('latin-1')}\n{known}"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def as_document(request: web.BaseRequest, body: bytes) -> web.Response:
    text = escaped(sent(request, body))
    token = escaped(request.headers["Authorization"])
    document = (
        f"<Error><Code>Bad {token}</Code><Message>{text}</Message><Resource>{token}</Resource>"
        f"<RequestId>{token}</RequestId></Error>"
    )
    return web.Response(status=400, text=document, content_type="application/xml")


def as_page(request: web.BaseRequest, body: bytes) -> web.Response:
    return web.Response(status=502, text=sent(request, body))


def as_page_cut(request: web.BaseRequest, body: bytes) -> web.Response:
    """A page that is cut in the middle of a secret."""
    said = request.headers["Authorization"]
    return web.Response(status=502, text="x" * 180 + said.rpartition("Signature=" if "AWS4" in said else " ")[2])


def as_header(request: web.BaseRequest, body: bytes) -> web.Response:
    return web.Response(status=403, headers={"x-amz-request-id": request.headers["Authorization"]})


def as_redirect(request: web.BaseRequest, body: bytes) -> web.Response:
    said = request.headers["Authorization"]
    secret = said.rpartition("Signature=" if "AWS4" in said else " ")[2]
    return web.Response(status=307, headers={"Location": f"http://{secret}"})


def as_success(request: web.BaseRequest, body: bytes) -> web.Response:
    return web.Response(text="<Error><Code>InternalError</Code><Message>" + escaped(sent(request, body)) + "</Message></Error>")


def all_of(error: BaseException) -> str:
    """Return all texts of an exception."""
    lines = traceback.format_exception(error)
    kept = vars(error)
    return (
        f"{error} {error!r} {error.args!r} {kept!r} {''.join(lines)} {pickle.loads(pickle.dumps(error))!r} {copy.copy(error)}"
    )


def shows_no_secret(text: str) -> None:
    customer_key = base64.b64encode(KEY).decode()
    for secret in (TOKEN, API_KEY, SECRET, "session-token-0123", customer_key, KEY.decode(), KEY.hex()):
        assert secret not in text
        assert secret[:16] not in text
    assert "Signature=" not in text or "Signature=***" in text


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("kind", ["bearer", "api key", "hmac"])
@pytest.mark.parametrize("reply", [as_document, as_page, as_page_cut, as_header, as_redirect, as_success])
async def test_service_repeats_the_request(service: Service, kind: str, reply: Reply, caplog: pytest.LogCaptureFixture):
    service.reply = reply
    caplog.set_level(logging.DEBUG)
    async with service.client(kind) as cos:
        for call in (
            lambda: cos.objects.read("bucket", "key", customer_key=KEY),
            lambda: cos.objects.put("bucket", "key", b"data", customer_key=KEY),
            lambda: cos.buckets.list(),
            lambda: cos.objects.copy("bucket", "copy", ("bucket", "key"), customer_key=KEY),
        ):
            if reply is as_success and call.__code__.co_names[:2] != ("buckets", "list"):
                continue
            with pytest.raises(CosError) as caught:
                await call()
            shows_no_secret(all_of(caught.value))
            if reply is as_header and isinstance(caught.value, ServiceError):
                assert caught.value.request_id is not None
                assert "***" in caught.value.request_id
    shows_no_secret(caplog.text)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("status", [400, 403, 429, 500, 302])
@pytest.mark.parametrize("form", ["json", "page", "cut", "header"])
async def test_iam_repeats_the_request(service: Service, status: int, form: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)

    def iam(request: web.BaseRequest, body: bytes) -> web.Response:
        response = said(request, body)
        response.headers["Retry-After"] = "1e9"  # told at once
        return response

    def said(request: web.BaseRequest, body: bytes) -> web.Response:
        text = sent(request, body)
        if form == "json":
            return web.json_response(
                {"errorCode": API_KEY, "errorMessage": text, "context": {"requestId": API_KEY}}, status=status
            )
        if form == "cut":
            return web.json_response({"errorCode": "E", "errorMessage": "x" * 280 + API_KEY}, status=status)
        if form == "header":
            return web.Response(status=status, headers={"transaction-id": API_KEY})
        return web.Response(status=status, text=text)

    service.iam = iam
    key = aiocos.ApiKey(API_KEY, client_id="client", client_secret="client-secret-0123456789")
    async with aiocos.Client(service.origin, credentials=key, iam_endpoint=service.origin, config=ONCE) as cos:
        with pytest.raises(CredentialsError) as caught:
            await cos.buckets.list(timeout=20)
    shows_no_secret(all_of(caught.value))
    assert "client-secret" not in all_of(caught.value)
    shows_no_secret(caplog.text)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("where", ["status", "header", "chunk", "length"])
async def test_response_that_is_not_http_repeats_the_request(where: str):
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"authorization"))
        writer.write(
            {
                "status": line + b"\r\n\r\n",
                "header": b"HTTP/1.1 200 OK\r\n\x00" + line + b"\r\n\r\n",
                "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + line + b"\r\n" + line + b"\r\n\r\n",
                "length": b"HTTP/1.1 200 OK\r\nContent-Length: " + line + b"\r\n\r\n",
            }[where]
        )
        await writer.drain()

    async with serving(echo) as origin:
        async with aiocos.Client(origin, credentials=aiocos.BearerToken(TOKEN), config=ONCE) as cos:
            for call in (cos.buckets.list, lambda: cos.objects.read("bucket", "key")):
                with pytest.raises(CosError) as caught:
                    await call()
                shows_no_secret(all_of(caught.value))


@pytest.mark.parametrize("connecting", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        BadStatusLine(f"Authorization: Bearer {TOKEN}"),
        TransferEncodingError(f"chunk size b'Bearer {TOKEN}'"),
        aiohttp.ClientPayloadError(f"quoted {TOKEN}"),
        aiohttp.ClientError(TOKEN),
        ValueError(TOKEN),
        OSError(5, TOKEN),
        RuntimeError(TOKEN),
    ],
    ids=lambda error: type(error).__name__,
)
def test_secrets_quoted_by_aiohttp(error: Exception, connecting: bool):
    request = PreparedRequest("GET", "https://cos.example", "/b/k", "", {"Authorization": f"Bearer {TOKEN}"})
    told = map_aiohttp_error(copy.copy(error), request, "", connecting=connecting)
    told.__cause__ = error
    map_aiohttp_error(error, request, "", connecting=connecting)
    shows_no_secret(f"{told} {told!r} {''.join(traceback.format_exception(told))} {error.args!r}")


# -- control characters -----------------------------------------------------------------------------------------------


def test_printable_text():
    assert printable("ü 漢字 עברית 🙂 a\\b") == "ü 漢字 עברית 🙂 a\\b"
    assert printable(EVIL) == r"a\x1b[2Jb\nc\x9b31md\u202ee\u200bf\u2028g\x7fh\u2066i"
    assert printable("\ud800") == r"\ud800"


@pytest.mark.parametrize(
    "error",
    [
        CosError(EVIL),
        ConfigError(EVIL),
        CredentialsError(EVIL),
        aiocos.errors.ProtocolError(EVIL),
        aiocos.errors.IntegrityError(EVIL, expected=EVIL),
        aiocos.errors.TransferError(EVIL),
        TransportError(EVIL, sent=True),
        aiocos.errors.RequestTimeoutError(EVIL, sent=False),
        ServiceError(EVIL, status=400, code=EVIL, resource=EVIL, request_id=EVIL, operation=EVIL),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_control_characters_in_messages(error: CosError):
    for text in (str(error), repr(error), f"{error}", "%s" % error, str(pickle.loads(pickle.dumps(error)))):  # noqa: UP031
        assert not [c for c in UNSEEN if c in text]
        assert r"\x1b[2J" in text
    assert EVIL in error.args, "the arguments keep the original text"


@pytest.mark.usefixtures("backend")
async def test_no_control_characters_of_services_and_keys(service: Service, caplog: pytest.LogCaptureFixture):
    # XML cannot contain ESC, so that is sent in plain text.
    document = f"<Error><Code>InternalError</Code><Message>{EVIL.replace(chr(27), '')}</Message></Error>"
    caplog.set_level(logging.DEBUG)
    config = ClientConfig(retry=RetryConfig(attempts=2, base=0.001))
    for make_reply in (
        lambda request, body: web.Response(status=500, text=document, content_type="application/xml"),
        lambda request, body: web.Response(status=500, text=EVIL),
        lambda request, body: web.Response(status=500, headers={"x-amz-request-id": "a\u009bb\u202ec"}),
    ):
        service.reply = make_reply
        async with aiocos.Client(service.origin, credentials=aiocos.Anonymous(), config=config) as cos:
            with pytest.raises(ServiceError) as caught:
                await cos.objects.put("bucket", EVIL, b"x")
        assert not [c for c in UNSEEN if c in str(caught.value)]
        messages = [record.getMessage() for record in caplog.records if record.name.startswith("aiocos")]
        assert messages
        assert not [c for c in UNSEEN if c in "".join(messages)]


async def test_command_line_shows_no_secrets_or_control_characters(service: Service):
    service.reply = lambda request, body: web.Response(status=403, text=EVIL + sent(request, body))
    environ = {"IBM_API_KEY_ID": API_KEY, "IBM_AUTH_ENDPOINT": f"{service.origin}/identity/token", "PATH": "/usr/bin:/bin"}
    for verbose in ([], ["-v"]):
        command = [sys.executable, "-m", "aiocos", *verbose, "--endpoint", service.origin, "ls"]
        ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, env=environ, timeout=60)
        text = (ran.stdout + ran.stderr).decode()
        assert ran.returncode == 1
        assert r"a\x1b[2Jb" in text
        assert not [c for c in UNSEEN if c in text and c != "\n"]
        shows_no_secret(text)


def test_json_output_without_control_characters(capsys: pytest.CaptureFixture[str]):
    show_json({EVIL: [EVIL, "ü 漢字 🙂", "\ud800"]})
    text = capsys.readouterr().out
    assert text.removesuffix("\n").isprintable()
    assert json.loads(text) == {EVIL: [EVIL, "ü 漢字 🙂", "\ud800"]}
    assert "ü 漢字 🙂" in text


# -- a customer's key -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["http://cos.example", "http://10.0.0.1:9000"])
async def test_customer_key_is_not_sent_over_plain_http(endpoint: str, monkeypatch: pytest.MonkeyPatch):
    async def send(*args: object, **more: object) -> Response:
        raise AssertionError("it was sent")

    monkeypatch.setattr("aiocos.net.transport.Transport.send", send)
    monkeypatch.setattr("aiocos.net.transport.Transport.open", send)
    async with aiocos.Client(endpoint, access_key_id="id", secret_access_key="secret") as cos:
        for call in (
            lambda: cos.objects.put("b", "k", b"x", customer_key=KEY),
            lambda: cos.objects.read("b", "k", customer_key=KEY),
            lambda: cos.objects.head("b", "k", customer_key=KEY),
            lambda: cos.objects.copy("b", "k", ("b", "k"), source_customer_key=KEY),
            lambda: cos.multipart.create("b", "k", customer_key=KEY),
        ):
            with pytest.raises(ConfigError, match="use https") as caught:
                await call()
            shows_no_secret(all_of(caught.value))
        name = "x-amz-server-side-encryption-customer-key"
        for given in ({"headers": {name: "a2V5"}}, {"query": {name: "a2V5"}}, {"headers": {name.title(): "a2V5"}}):
            with pytest.raises(ConfigError, match="use https"):
                cos.objects.presign("b", "k", **given)
        assert "customer-key-md5" in cos.objects.presign("b", "k", headers={f"{name}-MD5": "a2V5"})


async def test_customer_key_is_sent_to_loopback_and_over_https(service: Service):
    service.reply = lambda request, body: web.Response(headers={"ETag": '"e"'})
    async with aiocos.Client(service.origin, credentials=aiocos.Anonymous()) as cos:
        await cos.objects.head("b", "k", customer_key=KEY)
    async with aiocos.Client("https://cos.example", access_key_id="id", secret_access_key="secret") as cos:
        cos.objects.presign("b", "k", headers={"x-amz-server-side-encryption-customer-key": "a2V5"})


def test_request_repr_has_no_secrets():
    assert TOKEN not in repr(PreparedRequest("GET", "https://cos.example", "/", "", {"Authorization": TOKEN}))


@pytest.mark.parametrize(
    "document",
    [
        "<ListBucketResult><IsTruncated>false</IsTruncated><Prefix>BIG</Prefix></ListBucketResult>",
        "<ListBucketResult><Name>BIG</Name><IsTruncated>false</IsTruncated></ListBucketResult>",
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><LastModified>BIG</LastModified></Contents></ListBucketResult>",
        "<Error><Code>BIG</Code><Message>BIG</Message></Error>",
    ],
)
async def test_long_responses_are_shortened_in_messages(document: str):
    body = document.replace("BIG", "x\n" * 1_000_000).encode()
    async with scripted(reply(body, status=200 if "List" in document else 400)) as (_, cos):
        with pytest.raises(CosError) as caught:
            async for _ in cos.objects.list("bucket"):
                pass
    for text in (str(caught.value), repr(caught.value), str(pickle.loads(pickle.dumps(caught.value)))):
        assert len(text) < 20_000
        assert text.isprintable()


@pytest.mark.usefixtures("backend")
async def test_successful_transfer_logs_nothing(cos: aiocos.Client, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "aiocos")
    await cos.buckets.create("bucket")
    await cos.upload("bucket", "key", os.urandom(100_000))
    assert await cos.objects.read("bucket", "key")
    assert [r for r in caplog.records if r.name.startswith(("aiocos.call", "aiocos.transfer"))] == []
