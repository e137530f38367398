"""Send requests by aiohttp's session: the general path.

It works with every aiohttp, through proxies, and on a user's session.

`raw_backend` does the same work in less time where it applies, and has to give the same responses and errors.

Timeouts are per progress. aiohttp's own limits are for the whole request, which would fail a slow uplink, or for the wait for
the response, which does not notice a stalled upload. So each wait has a timer here, which every written step moves on.
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
from aiocos.net.body import SMALL_BODY, SteppedPayload, unsent_bytes
from aiocos.net.streamed_response import BODY_ERRORS, LINE_LIMIT, REQUEST_ERRORS, StreamedResponse, map_aiohttp_error, name_of
from aiocos.wire.message import PreparedRequest

# Headers that aiohttp would add. The service stores a Content-Type with the object, so none is made up.
_NOT_ADDED = (hdrs.CONTENT_TYPE, hdrs.ACCEPT, hdrs.USER_AGENT, hdrs.ACCEPT_ENCODING)

Proxy: TypeAlias = "tuple[URL, dict[str, str]]"
"""The address of a proxy, and the header with its password."""


class IdleTimeout:
    """The idle timer of one request.

    A wait fails after `idle` seconds without progress, and at `deadline` in any case.

    A step of the body that was written is progress. After the last step the system may still hold megabytes of the body in its
    buffer; while these get fewer, there is progress too.

    Args:
        idle: Seconds without progress after which a wait fails.
        deadline: A time of the loop's clock at which a wait fails in any case; None for no such time.
    """

    __slots__ = ("_is_stopped", "_loop", "_poll", "_sending", "_timer", "_unsent", "deadline", "idle")

    def __init__(self, idle: float, deadline: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Timeout | None = None
        self._poll: asyncio.TimerHandle | None = None
        self._sending: asyncio.WriteTransport | None = None
        self._unsent = 0
        self._is_stopped = False
        self.idle = idle
        self.deadline = deadline

    def start(self) -> asyncio.Timeout:
        """Return a started timer for one wait, to be used with `async with`."""
        self._timer = asyncio.timeout_at(self._expiry())
        return self._timer

    def on_progress(self, sending: asyncio.WriteTransport | None = None) -> None:
        """Restart the timer.

        `sending` is the transport that a body is written to; its send buffer is polled from then on.
        """
        if self._is_stopped:
            # A server may respond before it has read the body; the rest of the body is written after the timer has ended.
            return
        if self._timer is not None and not self._timer.expired():
            self._timer.reschedule(self._expiry())
        if sending is not None and self._sending is None:
            self._sending = sending
            self._poll = self._loop.call_later(self.idle / 4, self._poll_buffer)

    def _poll_buffer(self) -> None:
        unsent = unsent_bytes(self._sending) if self._sending is not None else 0
        if unsent < self._unsent:
            self.on_progress()
        self._unsent = unsent
        self._poll = self._loop.call_later(self.idle / 4, self._poll_buffer)

    def stop_polling(self) -> None:
        """Stop watching the body: the response has begun, or the request has failed."""
        self._is_stopped = True
        if self._poll is not None:
            self._poll.cancel()

    def _expiry(self) -> float:
        expiry = self._loop.time() + self.idle
        return expiry if self.deadline is None else min(expiry, self.deadline)

    def __str__(self) -> str:
        if self.deadline is not None and self._loop.time() >= self.deadline:
            return "the deadline of the call passed"
        return f"nothing moved for {self.idle:g} s"


class _SessionResponse(StreamedResponse):
    """A response of aiohttp's session.

    `reading` is the backend's set of responses that a task is waiting on.
    """

    __slots__ = ("_data", "_idle_timeout", "_reading", "_request", "_response")

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        idle_timeout: IdleTimeout,
        request: PreparedRequest,
        reading: set[_SessionResponse],
    ) -> None:
        self._response = response
        self._reading = reading
        self._idle_timeout = idle_timeout
        self._request = request
        self._data: bytes | None = None
        self.status = response.status
        self.headers = response.headers

    @property
    def request_name(self) -> str:
        return name_of(self._request)

    async def chunk(self) -> bytes:
        if self._data is not None:
            # Empty from now on: aiohttp would raise because the response was released.
            data, self._data = self._data, b""
            return data
        content = self._response.content
        try:
            if content.is_eof():
                return await content.readany()
            self._reading.add(self)
            try:
                async with self._idle_timeout.start():
                    return await content.readany()
            finally:
                self._reading.discard(self)
        except BODY_ERRORS as error:
            raise map_aiohttp_error(error, self._request, str(self._idle_timeout)) from error

    def read_nowait(self) -> bytes | None:
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
        # aiohttp's own finalizer never runs: the connection refers to the response, and the loop to the connection. So a
        # dropped response would keep its socket until the client is closed. Connections of the raw backend close themselves.
        response = getattr(self, "_response", None)
        connection = response.connection if response is not None else None
        if response is None or connection is None or connection.closed or response.content.is_eof():
            return
        name = self.request_name
        response.close()
        warnings.warn(f"a body was dropped before its end, and not closed: {name}", ResourceWarning, stacklevel=2, source=self)


class SessionBackend:
    """Sends requests by a session, for one event loop.

    Args:
        config: The settings of the client.
        user_agent: The User-Agent header.
        connector: The connections.
        is_borrowed: True if the connections belong to a session of the user's, and stay open.
    """

    def __init__(self, config: ClientConfig, user_agent: str, connector: aiohttp.BaseConnector, *, is_borrowed: bool) -> None:
        self._idle_timeout = config.idle_timeout
        # Responses that a task is waiting on.
        self._reading: set[_SessionResponse] = set()
        self.client = aiohttp.ClientSession(
            connector=connector,
            connector_owner=not is_borrowed,
            # A cookie of one bucket must not be sent to another.
            cookie_jar=aiohttp.DummyCookieJar(),
            # The ETag is a checksum of the stored bytes, so an object stored with Content-Encoding is not decoded.
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=config.connect_timeout),
            headers={hdrs.USER_AGENT: user_agent, hdrs.ACCEPT_ENCODING: "identity"},
            skip_auto_headers=_NOT_ADDED,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
            trust_env=False,
        )
        # aiohttp repeats a PUT if its pooled connection was closed, even a conditional one, which could then fail because the
        # first attempt had succeeded. Only net/retry.py decides about repeating a request.
        if hasattr(self.client, "_retry_connection"):
            self.client._retry_connection = False  # pyright: ignore[reportPrivateUsage]

    async def open(self, request: PreparedRequest, deadline: float | None, proxy: Proxy | None = None) -> StreamedResponse:
        """Send a request and return its response when the headers have arrived."""
        idle_timeout = IdleTimeout(self._idle_timeout, deadline)
        data = request.body
        if data is not None and len(data) > SMALL_BODY:
            data = SteppedPayload(data, idle_timeout.on_progress)
        proxy_url, proxy_headers = proxy or (None, {})
        # For https the password goes to the proxy with the CONNECT request, for http with each request.
        tunnel = proxy_headers and request.origin.startswith("https:")
        try:
            async with idle_timeout.start():
                response = await self.client.request(
                    request.method,
                    URL(request.url, encoded=True),
                    data=data,
                    headers={**request.headers, **proxy_headers} if proxy_headers and not tunnel else request.headers,
                    allow_redirects=False,
                    proxy=proxy_url,
                    proxy_headers=proxy_headers if tunnel else None,
                )
        except REQUEST_ERRORS as error:
            raise map_aiohttp_error(error, request, str(idle_timeout)) from error
        finally:
            idle_timeout.stop_polling()
        return _SessionResponse(response, idle_timeout, request, self._reading)

    def cancel_reads(self) -> None:
        """Close the responses that tasks are waiting on.

        aiohttp does not wake these tasks when the session is closed.
        """
        for response in list(self._reading):
            response.close()


def connector_of(session: aiohttp.ClientSession) -> aiohttp.BaseConnector:
    """Return the connections of a user's session.

    Raises `ConfigError` if the session is closed.
    """
    if session.closed or session.connector is None:
        raise ConfigError("the session given to the client is closed")
    return session.connector
