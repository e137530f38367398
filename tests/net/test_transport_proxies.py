"""Proxies of the environment: never for this machine, and without credentials over plain http."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.net.raw_server import serving

import aiocos
from aiocos.auth.profile import TrustedProfile
from aiocos.config import ClientConfig, RetryConfig
from aiocos.emulator import Emulator
from aiocos.errors import ConfigError, ConnectError, CosError, CredentialsError
from aiocos.net.transport import EphemeralTransport, Transport, proxy_for
from aiocos.wire.address import is_loopback
from aiocos.wire.message import PreparedRequest

ONCE = ClientConfig(retry=RetryConfig(attempts=1))
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "NO_PROXY", "no_proxy")


class Listening:
    """A proxy that keeps requests and forwards none."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self.url = ""
        self.response = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.response)
            await writer.drain()
        writer.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def proxy() -> AsyncIterator[Listening]:
    made = Listening()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("no_proxy", [None, "", "example.com", "*"])
@pytest.mark.parametrize("upper", [True, False])
async def test_loopback_is_not_reached_through_a_proxy(
    proxy: Listening, monkeypatch: pytest.MonkeyPatch, upper: bool, no_proxy: str | None
):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name.upper() if upper else name, proxy.url)
    if no_proxy is not None:
        monkeypatch.setenv("NO_PROXY" if upper else "no_proxy", no_proxy)
    async with Emulator() as emulator:
        for hmac in (False, True):
            async with emulator.client(hmac=hmac) as cos:
                await cos.buckets.create(f"bucket-{hmac}".lower())
                await cos.objects.put(f"bucket-{hmac}".lower(), "k", b"data")
                assert await cos.objects.read(f"bucket-{hmac}".lower(), "k") == b"data"
        port = emulator.endpoint.rpartition(":")[2]
        async with aiocos.Client(
            f"http://localhost:{port}",
            api_key=emulator.api_key,
            service_instance_id=emulator.service_instance_id,
            iam_endpoint=f"http://localhost:{port}/identity/token",
        ) as cos:
            assert len(await cos.buckets.list()) == 2
    assert proxy.connections == 0


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1", ":::", "http://[", "http://", "ftp://user:hush-hush@proxy"])
async def test_invalid_proxy_is_an_error_except_for_loopback(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv("HTTP_PROXY", value)
    async with Emulator() as emulator, emulator.client() as cos:
        await cos.buckets.list()
    async with aiocos.Client("http://cos.invalid", credentials=aiocos.Anonymous(), config=ONCE) as cos:
        with pytest.raises(ConfigError, match="http_proxy") as caught:
            await cos.buckets.list()
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost.", "bucket.localhost", "127.0.0.1", "127.255.0.3", "127.1", "2130706433",
        "0x7f000001", "0177.0.0.1", "::1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0", "::", "0",
    ],
)  # fmt: skip
def test_loopback_names(host: str, monkeypatch: pytest.MonkeyPatch):
    assert is_loopback(host)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    name = f"[{host.strip('[]')}]" if ":" in host else host
    assert proxy_for(f"http://{name}:9000") is None


@pytest.mark.parametrize(
    "host",
    [
        "localhost.example.com",
        "127.0.0.1.example.com",
        "notlocalhost",
        "10.0.0.1",
        "128.0.0.1",
        "::2",
        "127.0.0.1.",
        "1.2.3.4.5",
        "",
    ],
)
def test_other_names_are_not_loopback(host: str):
    assert is_loopback(host) is (host == "127.0.0.1.")


def test_proxy_without_a_scheme(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    found = proxy_for("https://cos.example")
    assert found is not None
    assert str(found[0]) == "http://proxy.example:3128"


@pytest.mark.usefixtures("backend")
async def test_no_credentials_over_plain_http_through_a_proxy(proxy: Listening, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    for given in ({"api_key": "a-key-that-is-secret"}, {"credentials": aiocos.BearerToken("a-token-that-is-secret")}):
        async with aiocos.Client("http://cos.invalid", config=ONCE, **given) as cos:
            with pytest.raises(CosError):
                await cos.buckets.list()
    with pytest.raises(ConfigError, match="https"):
        aiocos.Client("https://cos.invalid", api_key="a-key-that-is-secret", iam_endpoint="http://iam.invalid")
    # Tokens are never fetched over plain http through a proxy, which would see them.
    async with EphemeralTransport(ONCE) as http:
        with pytest.raises(ConnectError):
            await http.send(PreparedRequest("PUT", "http://metadata.invalid", "/instance_identity/v1/token", "", {}), timeout=5)
    assert proxy.connections == 0


@pytest.mark.parametrize("endpoint", ["http://metadata.example", "http://10.1.2.3"])
def test_remote_metadata_service_needs_https(endpoint: str):
    with pytest.raises(ConfigError, match="https"):
        TrustedProfile(vpc=True, metadata_endpoint=endpoint)


async def test_local_metadata_service_may_use_plain_http():
    for endpoint in ("http://169.254.169.254", "http://api.metadata.cloud.ibm.com", "http://127.0.0.1:81", "https://10.1.2.3"):
        assert TrustedProfile(vpc=True, metadata_endpoint=endpoint).metadata_endpoint == endpoint


@pytest.mark.usefixtures("backend")
async def test_https_uses_a_tunnel_without_credentials(proxy: Listening, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://user:pass-word@"))
    async with aiocos.Client(
        "https://cos.invalid", credentials=aiocos.BearerToken("a-token-that-is-secret"), config=ONCE
    ) as cos:
        with pytest.raises(ConnectError) as caught:
            await cos.buckets.list()
    assert proxy.connections == 1
    assert proxy.heads[0].startswith(b"CONNECT cos.invalid:443 ")
    assert b"a-token-that-is-secret" not in proxy.heads[0]
    assert "pass-word" not in str(caught.value)


@pytest.mark.usefixtures("backend")
async def test_proxy_password_is_not_in_messages(monkeypatch: pytest.MonkeyPatch):
    async def echo(request: web.BaseRequest) -> web.Response:
        return web.Response(status=407, text=f"who is {request.headers['Proxy-Authorization']}?")

    runner = web.ServerRunner(web.Server(echo))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("http_proxy", f"http://someone:pass-word-of-proxy@127.0.0.1:{runner.addresses[0][1]}")
    async with aiocos.Client("http://cos.invalid", credentials=aiocos.Anonymous(), config=ONCE) as cos:
        with pytest.raises(CosError, match=r"who is Basic \*\*\*\?") as caught:
            await cos.buckets.list()
    assert "c29tZW9uZTpwYXNz" not in str(caught.value)
    await runner.cleanup()


@pytest.mark.usefixtures("backend")
async def test_token_over_plain_http_bypasses_the_proxy(proxy: Listening, monkeypatch: pytest.MonkeyPatch):
    """IAM is on this machine and reached directly; the service is not, and fails."""
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    async with Emulator() as emulator:
        async with aiocos.Client(
            "https://cos.invalid", api_key=emulator.api_key, iam_endpoint=emulator.iam_endpoint, config=ONCE
        ) as cos:
            with pytest.raises(ConnectError):
                await cos.buckets.list()
        async with aiocos.Client(
            "https://cos.invalid", api_key="no-such-key-0123", iam_endpoint=emulator.iam_endpoint, config=ONCE
        ) as cos:
            with pytest.raises(CredentialsError):
                await cos.buckets.list()
    assert [head[:7] for head in proxy.heads] == [b"CONNECT"]


# -- variables of the environment -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "address", "header"),
    [
        ("http://proxy.test:8080", "http://proxy.test:8080", None),
        ("proxy.test:8080", "http://proxy.test:8080", None),
        ("https://proxy.test", "https://proxy.test", None),
        ("http://user:word@proxy.test:8080", "http://proxy.test:8080", "Basic dXNlcjp3b3Jk"),
        ("http://user@proxy.test", "http://proxy.test", "Basic dXNlcjo="),
        ("http://:word@proxy.test", "http://proxy.test", "Basic OndvcmQ="),
        ("http://us%20er:w%40rd@proxy.test", "http://proxy.test", "Basic dXMgZXI6d0ByZA=="),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_address_and_password(scheme: str, value: str, address: str, header: str | None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(f"{scheme}_proxy", value)
    found = proxy_for(f"{scheme}://cos.example")
    assert found is not None
    assert str(found[0]) == address
    assert found[1] == ({} if header is None else {"Proxy-Authorization": header})
    assert proxy_for(f"{'https' if scheme == 'http' else 'http'}://cos.example") is None


@pytest.mark.parametrize("value", ["ftp://proxy.test", "http://", "http://[::1", "socks5://proxy.test:1080"])
def test_invalid_proxy_is_not_quoted(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", value)
    with pytest.raises(ConfigError, match="https_proxy in the environment is not the URL of an http proxy") as caught:
        proxy_for("https://cos.example")
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("no_proxy", "origin", "past"),
    [
        ("cos.example", "http://cos.example", True),
        ("cos.example", "http://cos.example:81", True),
        ("cos.example:81", "http://cos.example:81", True),
        ("cos.example:81", "http://cos.example:82", False),
        ("other.example", "http://cos.example", False),
        ("", "http://169.254.169.254", True),
        ("", "http://127.0.0.1:9000", True),
        ("", "http://cos.example", False),
    ],
)
def test_no_proxy_hosts(no_proxy: str, origin: str, past: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://proxy.test:8080")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (proxy_for(origin) is None) is past


async def test_proxy_passwords_are_secrets_in_both_forms(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", "http://user:a-word@proxy.test:8080")
    monkeypatch.setenv("http_proxy", "http://user@proxy.test:8080")
    transport = Transport(ONCE)
    assert transport.secrets == set()
    state = transport._state()
    state.backend_for("https://cos.example")
    assert transport.secrets == {"a-word", "dXNlcjphLXdvcmQ="}
    state.backend_for("http://cos.example")
    assert transport.secrets == {"a-word", "dXNlcjphLXdvcmQ=", "dXNlcjo="}, "there is no word to hide"
    assert set(state.backends) == {"https://cos.example", "http://cos.example"}
    await transport.close()


async def test_ephemeral_transport_does_not_proxy_plain_http(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://user:a-word@proxy.test:8080")
    monkeypatch.setenv("https_proxy", "http://user:other@proxy.test:8080")
    for plainly, secrets in ((True, {"a-word", "other"}), (False, {"other"})):
        transport = Transport(ONCE, proxy_plain_http=plainly)
        state = transport._state()
        state.backend_for("http://cos.example")
        state.backend_for("https://cos.example")
        assert secrets <= transport.secrets
        assert ("a-word" in transport.secrets) is plainly
        await transport.close()
    assert EphemeralTransport(ONCE)._transport._proxy_plain_http is False


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_proxy_password_is_not_in_errors(scheme: str, monkeypatch: pytest.MonkeyPatch):
    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    seen: list[bytes] = []
    async with serving(refusing) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.replace("http://", "http://user:s3cret@"))
        async with aiocos.Client(f"{scheme}://cos.invalid", credentials=aiocos.Anonymous(), config=ONCE) as cos:
            with pytest.raises(aiocos.CosError) as caught:
                await cos.objects.read("bucket", "key")
    assert b"Proxy-Authorization: Basic" in seen[0]
    for text in (str(caught.value), repr(caught.value), str(caught.value.__cause__)):
        assert "s3cret" not in text
    assert "407" in str(caught.value)


@pytest.mark.usefixtures("backend")
async def test_unreachable_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://user:s3cret@127.0.0.1:1")
    async with aiocos.Client("http://cos.invalid", credentials=aiocos.Anonymous(), config=ONCE) as cos:
        with pytest.raises(ConnectError) as caught:
            await cos.objects.read("bucket", "key")
    assert caught.value.sent is False
    assert "s3cret" not in str(caught.value)


@pytest.mark.usefixtures("backend")
async def test_no_proxy_with_a_port(monkeypatch: pytest.MonkeyPatch, cos_emulator: Emulator):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", cos_emulator.endpoint.removeprefix("http://"))
    async with cos_emulator.client(hmac=True) as cos:
        await cos.buckets.list()
