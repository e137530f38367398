"""aiocos under aioresponses: what the guide says, and what no server on this machine can be made to do."""

from __future__ import annotations

import inspect
import json
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

import aiocos
from aiocos import Anonymous, Client, ClientConfig, RetryConfig, TrustedProfile

from . import mocked as shown
from .mocked import Mocked

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guides" / "mocking-a-session.md"
HOST = "s3.us-south.cloud-object-storage.appdomain.cloud"
OBJECT = f"https://{HOST}/photos/a.txt"
ETAG = {"ETag": '"5d41402abc4b2a76b9719d911017c592"'}
ONCE = RetryConfig(attempts=1)
KEY = ConnectionKey(HOST, 443, True, True, None, None, None)


@pytest.fixture
def mocked() -> Iterator[Mocked]:
    with Mocked() as mocked:
        yield mocked


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session of the user's, with settings that must not reach the service."""
    async with aiohttp.ClientSession(headers={"X-Mine": "yes"}, cookies={"a": "b"}, raise_for_status=True) as session:
        yield session


def requests(mocked: Mocked) -> list[tuple[str, str]]:
    """Return method and URL of each request that the mock has seen."""
    return [(method, str(url)) for (method, url), calls in mocked.requests.items() for _ in calls]


def headers(mocked: Mocked, method: str, url: str, number: int = 0) -> Any:
    return mocked.requests[method, URL(url)][number].kwargs["headers"]


@pytest.mark.parametrize("name", shown.__all__)
def test_the_guide_shows_the_class_that_is_tested(name: str):
    assert inspect.getsource(getattr(shown, name)) in GUIDE.read_text()


async def test_only_the_connections_of_the_session_are_borrowed(mocked: Mocked, session: aiohttp.ClientSession):
    mocked.head(OBJECT, status=404)
    async with Client(region="us-south", credentials=Anonymous(), session=session) as cos:
        # `raise_for_status` of the user's session would raise an exception of aiohttp here.
        assert not await cos.objects.exists("photos", "a.txt")
    sent = headers(mocked, "HEAD", OBJECT)
    assert "X-Mine" not in sent
    assert "Cookie" not in sent
    assert sent["User-Agent"].startswith("aiocos/")
    assert not session.closed


async def test_a_request_that_is_not_mocked_fails_at_once_with_one_attempt(mocked: Mocked, session: aiohttp.ClientSession):
    async with Client(region="us-south", credentials=Anonymous(), session=session, config=ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(aiocos.TransportError, match="Connection refused"):
            await cos.objects.read("photos", "a.txt")
    assert requests(mocked) == [("GET", OBJECT)]


async def test_another_etag_is_noticed(mocked: Mocked, session: aiohttp.ClientSession):
    mocked.put(OBJECT, headers={"ETag": '"00000000000000000000000000000000"'}, repeat=True)
    async with Client(region="us-south", credentials=Anonymous(), session=session) as cos:
        with pytest.raises(aiocos.IntegrityError):
            await cos.objects.put("photos", "a.txt", b"hello")
    trusting = ClientConfig(verify_writes=False)
    async with Client(region="us-south", credentials=Anonymous(), session=session, config=trusting) as cos:
        await cos.objects.put("photos", "a.txt", b"hello")


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ({"region": "us-south"}, HOST),
        ({"region": "eu-de", "network": "private"}, "s3.private.eu-de.cloud-object-storage.appdomain.cloud"),
        ({"region": "ap", "network": "direct"}, "s3.direct.ap.cloud-object-storage.appdomain.cloud"),
    ],
)
async def test_a_region_leads_to_the_service_of_ibm(
    mocked: Mocked, session: aiohttp.ClientSession, options: dict[str, Any], host: str
):
    mocked.get(f"https://{host}/photos/a.txt", body=b"hello", headers=ETAG)
    async with Client(**options, credentials=Anonymous(), session=session) as cos:
        assert await cos.objects.read("photos", "a.txt") == b"hello"


async def test_virtual_addressing_puts_the_bucket_into_the_host(mocked: Mocked, session: aiohttp.ClientSession):
    mocked.get(f"https://photos.{HOST}/a.txt", body=b"hello", headers=ETAG)
    config = ClientConfig(addressing="virtual")
    async with Client(region="us-south", credentials=Anonymous(), session=session, config=config) as cos:
        assert await cos.objects.read("photos", "a.txt") == b"hello"


async def test_tokens_come_from_the_iam_of_ibm(mocked: Mocked):
    """All requests go by a session here, also those for tokens, and without one of the user's."""
    iam = "https://iam.cloud.ibm.com/identity/token"
    mocked.post(iam, payload={"access_token": "t-1", "expires_in": 3600, "expiration": int(time.time()) + 3600})
    mocked.get(OBJECT, body=b"hello", headers=ETAG, repeat=True)
    async with Client(
        region="us-south", api_key="mocked-api-key", service_instance_id="crn:v1:mocked", config=ClientConfig(fast_path=False)
    ) as cos:
        for _ in range(2):
            assert await cos.objects.read("photos", "a.txt") == b"hello"
    assert requests(mocked) == [("POST", iam), ("GET", OBJECT), ("GET", OBJECT)]
    assert headers(mocked, "GET", OBJECT)["Authorization"] == "Bearer t-1"


async def test_a_virtual_server_asks_the_metadata_service_at_its_link_local_address(
    mocked: Mocked, monkeypatch: pytest.MonkeyPatch
):
    """No server can listen on that address here. It is not reached through a proxy, which would be given the token."""
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    place = "http://169.254.169.254/instance_identity/v1"
    one, two = f"{place}/token?version=2022-03-01", f"{place}/iam_token?version=2022-03-01"
    expiration = int(time.time()) + 3600
    mocked.put(one, payload={"access_token": "of-the-server", "expires_in": 300})
    mocked.post(two, payload={"access_token": "of-the-profile", "expires_in": 3600, "expiration": expiration})
    mocked.get(OBJECT, body=b"hello", headers=ETAG)
    async with Client(
        region="us-south", credentials=TrustedProfile("Profile-mocked", vpc=True), config=ClientConfig(fast_path=False)
    ) as cos:
        assert await cos.objects.read("photos", "a.txt") == b"hello"
    assert requests(mocked) == [("PUT", one), ("POST", two), ("GET", OBJECT)]
    assert headers(mocked, "POST", two)["Authorization"] == "Bearer of-the-server"
    (call,) = mocked.requests["POST", URL(two)]
    assert json.loads(call.kwargs["data"]) == {"trusted_profile": {"id": "Profile-mocked"}}
    assert call.kwargs["proxy"] is None
    assert headers(mocked, "GET", OBJECT)["Authorization"] == "Bearer of-the-profile"


NOT_SENT = [
    aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known")),
    aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("certificate has expired")),
    aiohttp.ClientConnectorError(KEY, OSError(101, "Network is unreachable")),
    aiohttp.ConnectionTimeoutError("Connection timeout"),
]
SENT = [
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientOSError(104, "Connection reset by peer"),
    aiohttp.SocketTimeoutError("Timeout on reading data from socket"),
]


@pytest.mark.parametrize("error", NOT_SENT, ids=lambda error: type(error).__name__)
async def test_failures_to_connect_say_that_nothing_was_sent(mocked: Mocked, session: aiohttp.ClientSession, error: Exception):
    """DNS, TLS and the network of another host cannot fail on loopback. A write is repeated: it was not sent."""
    mocked.put(OBJECT, exception=error)
    mocked.put(OBJECT, headers=ETAG)
    mocked.put(OBJECT, exception=error)
    retry = RetryConfig(attempts=2, base=0)
    async with Client(region="us-south", credentials=Anonymous(), session=session, config=ClientConfig(retry=retry)) as cos:
        await cos.objects.put("photos", "a.txt", b"hello", if_none_match="*")
    async with Client(region="us-south", credentials=Anonymous(), session=session, config=ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(aiocos.TransportError) as caught:
            await cos.objects.put("photos", "a.txt", b"hello", if_none_match="*")
    assert caught.value.sent is False
    assert HOST in str(caught.value)


@pytest.mark.parametrize("error", SENT, ids=lambda error: type(error).__name__)
async def test_a_conditional_write_that_may_have_arrived_is_not_repeated(
    mocked: Mocked, session: aiohttp.ClientSession, error: Exception
):
    """The first attempt may have succeeded, and a second one would fail because of it."""
    mocked.put(OBJECT, exception=error)
    mocked.put(OBJECT, headers=ETAG)
    async with Client(region="us-south", credentials=Anonymous(), session=session) as cos:
        with pytest.raises(aiocos.TransportError) as caught:
            await cos.objects.put("photos", "a.txt", b"hello", if_none_match="*")
    assert caught.value.sent is True
    assert requests(mocked) == [("PUT", OBJECT)]
