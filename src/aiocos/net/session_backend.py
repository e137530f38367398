"""Requests by aiohttp's session: for proxies, for a session of the user's, and wherever the direct way is not.

Timeouts are per progress. aiohttp's own limits are for the whole request, which a slow uplink would break, or for the wait
for an answer, which does not see that a body on its way out has stopped. So each wait has a timer of ours, moved on by every
step written.
"""

from __future__ import annotations

import asyncio
import warnings
from typing import TypeAlias

import aiohttp
from aiohttp import hdrs
from yarl import URL

from aiocos.config import ClientConfig
from aiocos.errors import ConfigError
from aiocos.net.body import SMALL, SteppedPayload, waiting
from aiocos.net.streamed_response import BROKEN, ERRORS, LINE_LIMIT, StreamedResponse, map_aiohttp_error, name_of
from aiocos.wire.message import PreparedRequest

# Headers aiohttp would add on its own. The service stores a Content-Type as the object's, so none is invented.
_NOT_ADDED = (hdrs.CONTENT_TYPE, hdrs.ACCEPT, hdrs.USER_AGENT, hdrs.ACCEPT_ENCODING)

Proxy: TypeAlias = "tuple[URL, dict[str, str]]"
"""The address of a proxy, and the header with its password."""


class IdleTimeout:
    """How long an exchange may stand still: `idle` seconds without progress, and never beyond `deadline`.

    Progress of a body is a step that was written, and afterwards, while the system still holds megabytes of it in its buffer,
    that there are fewer of them.
    """

    __slots__ = ("_done", "_look", "_loop", "_sending", "_timer", "_unsent", "deadline", "idle")

    def __init__(self, idle: float, deadline: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Timeout | None = None
        self._look: asyncio.TimerHandle | None = None
        self._sending: asyncio.WriteTransport | None = None
        self._unsent = 0
        self._done = False
        self.idle = idle
        self.deadline = deadline

    def wait(self) -> asyncio.Timeout:
        """Return the timer for one wait."""
        self._timer = asyncio.timeout_at(self._until())
        return self._timer

    def moved(self, sending: asyncio.WriteTransport | None = None) -> None:
        """Note progress within a wait; `sending` is where a body is being written to."""
        if self._done:
            # A server may answer before it has read the body, which then goes on behind a timer that has ended.
            return
        if self._timer is not None and not self._timer.expired():
            self._timer.reschedule(self._until())
        if sending is not None and self._sending is None:
            self._sending = sending
            self._look = self._loop.call_later(self.idle / 4, self._watch)

    def _watch(self) -> None:
        unsent = waiting(self._sending) if self._sending is not None else 0
        if unsent < self._unsent:
            self.moved()
        self._unsent = unsent
        self._look = self._loop.call_later(self.idle / 4, self._watch)

    def sent(self) -> None:
        """Stop watching what is sent: the answer has begun, or there will be none."""
        self._done = True
        if self._look is not None:
            self._look.cancel()

    def _until(self) -> float:
        idle = self._loop.time() + self.idle
        return idle if self.deadline is None else min(idle, self.deadline)

    def __str__(self) -> str:
        if self.deadline is not None and self._loop.time() >= self.deadline:
            return "the deadline of the call passed"
        return f"nothing moved for {self.idle:g} s"


class _Answer(StreamedResponse):
    """An answer by the session."""

    __slots__ = ("_data", "_patience", "_request", "_response", "_waiting")

    def __init__(
        self, response: aiohttp.ClientResponse, patience: IdleTimeout, request: PreparedRequest, waiting: set[_Answer]
    ) -> None:
        self._response = response
        self._waiting = waiting
        self._patience = patience
        self._request = request
        self._data: bytes | None = None
        self.status = response.status
        self.headers = response.headers

    @property
    def what(self) -> str:
        return name_of(self._request)

    async def chunk(self) -> bytes:
        if self._data is not None:
            # Behind it there is nothing: aiohttp would say that the answer, which was let go of, is closed.
            data, self._data = self._data, b""
            return data
        content = self._response.content
        try:
            if content.is_eof():
                return await content.readany()
            self._waiting.add(self)
            try:
                async with self._patience.wait():
                    return await content.readany()
            finally:
                self._waiting.discard(self)
        except BROKEN as error:
            # The last is of a connection that was closed on this side: with the client, while somebody still reads.
            raise map_aiohttp_error(error, self._request, str(self._patience)) from error

    def arrived(self) -> bytes | None:
        content = self._response.content
        if not content.is_eof() or content.exception() is not None:
            return None
        self._data = data = content.read_nowait()
        self._response.release()
        return data

    def close(self) -> None:
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()

    def __del__(self) -> None:
        # aiohttp's own finalizer never runs: the connection refers to the response, and the loop to the connection. One that
        # was dropped would keep its socket until the client closes. The direct way's connections see to it by themselves.
        response = getattr(self, "_response", None)
        connection = response.connection if response is not None else None
        if response is None or connection is None or connection.closed or response.content.is_eof():
            return
        what = self.what
        response.close()
        warnings.warn(f"a body was dropped before its end, and not closed: {what}", ResourceWarning, stacklevel=2, source=self)


class SessionBackend:
    """Requests by a session, for one event loop. `lent`: the connections are a user's."""

    def __init__(self, config: ClientConfig, user_agent: str, connector: aiohttp.BaseConnector, *, lent: bool) -> None:
        self._idle = config.idle_timeout
        # Answers whose next bytes are waited for.
        self._waiting: set[_Answer] = set()
        self.client = aiohttp.ClientSession(
            connector=connector,
            connector_owner=not lent,
            # A cookie of one bucket has nothing to say to another.
            cookie_jar=aiohttp.DummyCookieJar(),
            # An object stored with Content-Encoding is given as it is stored: its bytes are what the ETag vouches for.
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=config.connect_timeout),
            headers={hdrs.USER_AGENT: user_agent, hdrs.ACCEPT_ENCODING: "identity"},
            skip_auto_headers=_NOT_ADDED,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
            trust_env=False,
        )
        # aiohttp repeats a PUT on a connection that was closed under it, also a conditional one, whose second try would fail
        # because the first succeeded. Whether a request may be repeated is decided in one place, net/retry.py.
        if hasattr(self.client, "_retry_connection"):
            self.client._retry_connection = False  # pyright: ignore[reportPrivateUsage]

    async def open(self, request: PreparedRequest, deadline: float | None, through: Proxy | None = None) -> StreamedResponse:
        """Send a request and return when the head of its answer has arrived."""
        patience = IdleTimeout(self._idle, deadline)
        data = request.body
        if data is not None and len(data) > SMALL:
            data = SteppedPayload(data, patience.moved)
        proxy, password = through or (None, {})
        # To a tunnel it is told when that is asked for, to a proxy of plain requests with each of them.
        tunnel = password and request.origin.startswith("https:")
        try:
            async with patience.wait():
                response = await self.client.request(
                    request.method,
                    URL(request.url, encoded=True),
                    data=data,
                    headers={**request.headers, **password} if password and not tunnel else request.headers,
                    allow_redirects=False,
                    proxy=proxy,
                    proxy_headers=password if tunnel else None,
                )
        except ERRORS as error:
            raise map_aiohttp_error(error, request, str(patience)) from error
        finally:
            patience.sent()
        return _Answer(response, patience, request, self._waiting)

    def wake(self) -> None:
        """End all waits for bytes: the client is being closed, and aiohttp leaves those who wait where they are."""
        for answer in list(self._waiting):
            answer.close()


def connector_of(lender: aiohttp.ClientSession) -> aiohttp.BaseConnector:
    """The connections of a user's session; `ConfigError` where it is closed."""
    if lender.closed or lender.connector is None:
        raise ConfigError("the session given to the client is closed")
    return lender.connector
