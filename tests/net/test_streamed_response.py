"""Reading a response whole, and the mapping of aiohttp's exceptions."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import BadStatusLine
from aiohttp.streams import EofStream
from multidict import CIMultiDict, CIMultiDictProxy
from tests.responses import FakeResponse
from yarl import URL

from aiocos.errors import ConfigError, ConnectError, ConnectionLostError, CosError, ProtocolError, RequestTimeoutError
from aiocos.net.streamed_response import DOCUMENT_LIMIT, map_aiohttp_error, name_of
from aiocos.wire.message import PreparedRequest

REQUEST = PreparedRequest("GET", "https://cos.example", "/b/k", "versionId=1", {"Authorization": "Bearer a-token"})
NAME = "GET https://cos.example/b/k"


@pytest.mark.parametrize("pieces", [[], [b"abc"], [b"ab", b"c"]])
async def test_read_joins_all_chunks(pieces: list[bytes]) -> None:
    assert await FakeResponse(*pieces).read() == b"".join(pieces)


async def test_single_chunk_is_not_copied() -> None:
    piece = bytes(bytearray(b"abc"))
    assert await FakeResponse(piece).read() is piece


async def test_read_limit() -> None:
    assert await FakeResponse(b"ab", b"c").read(3) == b"abc"
    for pieces in ((b"ab", b"cd"), (b"abcd",), (b"ab", b"c", b"d")):
        with pytest.raises(ProtocolError, match=rf"^{NAME}: the response has more than 3 bytes$"):
            await FakeResponse(*pieces).read(3)
    assert DOCUMENT_LIMIT == 32 * 1024 * 1024


def test_context_manager_closes_the_response() -> None:
    response = FakeResponse()
    with response as same:
        assert same is response
        assert response.closed == 0
    assert response.closed == 1
    with pytest.raises(KeyError), response:
        raise KeyError
    assert response.closed == 2


def test_request_name() -> None:
    assert name_of(REQUEST) == NAME


URL_ASKED = URL("https://cos.example/b/k")
ASKED = aiohttp.RequestInfo(URL_ASKED, "GET", CIMultiDictProxy(CIMultiDict()), URL_ASKED)
KEY = ConnectionKey("cos.example", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "kind", "sent", "text"),
    [
        (aiohttp.ConnectionTimeoutError("x"), RequestTimeoutError, False, "no connection in time"),
        (aiohttp.ServerTimeoutError("x"), RequestTimeoutError, True, "nothing moved"),
        (TimeoutError(), RequestTimeoutError, True, "nothing moved"),
        (aiohttp.ClientConnectorError(KEY, OSError(111, "refused")), ConnectError, False, "refused"),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(111, "refused")), ConnectError, False, "refused"),
        (aiohttp.ClientHttpProxyError(ASKED, (), status=407, message="no"), ConnectError, False, "407"),
        (
            aiohttp.ClientResponseError(ASKED, (), status=400, message="odd"),
            ProtocolError,
            None,
            "the response is not HTTP: odd",
        ),
        (BadStatusLine("odd"), ProtocolError, None, "the response is not HTTP: Bad status line 'odd'"),
        (aiohttp.InvalidURL("odd"), ConfigError, None, "odd"),
        (ValueError("odd"), ConfigError, None, "odd"),
        (aiohttp.ClientPayloadError("cut"), ConnectionLostError, True, "cut"),
        (aiohttp.ServerDisconnectedError(), ConnectionLostError, True, "Server disconnected"),
        (OSError(5, "broken"), ConnectionLostError, True, "broken"),
        (RuntimeError("closed"), ConnectionLostError, True, "closed"),
        (EofStream(), ConnectionLostError, True, "EofStream"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_mapped_errors(error: Exception, kind: type[CosError], sent: bool | None, text: str) -> None:
    made = map_aiohttp_error(error, REQUEST, "nothing moved")
    assert type(made) is kind
    assert getattr(made, "sent", None) is sent
    assert str(made).startswith(f"{NAME}: ")
    assert text in str(made)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (TimeoutError(), RequestTimeoutError, "no connection in time"),
        (aiohttp.ConnectionTimeoutError("x"), RequestTimeoutError, "no connection in time"),
        (aiohttp.ClientConnectorError(KEY, OSError(111, "refused")), ConnectError, "refused"),
        (aiohttp.ClientConnectionError("speaks before it is asked"), ConnectionLostError, "speaks before it is asked"),
        (OSError(24, "too many files"), ConnectionLostError, "too many files"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_mapped_errors_while_connecting(error: Exception, kind: type[CosError], text: str) -> None:
    made = map_aiohttp_error(error, REQUEST, "nothing moved", connecting=True)
    assert type(made) is kind
    assert made.sent is False  # type: ignore[attr-defined]
    assert text in str(made)


def test_secrets_are_removed_from_aiohttp_errors() -> None:
    error = BadStatusLine("a-token")
    made = map_aiohttp_error(error, REQUEST, "")
    assert "a-token" not in f"{made} {error} {error.args}"
    assert "***" in str(made)
