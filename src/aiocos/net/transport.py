"""One attempt: a request goes out, an answer comes in, or an error says whether the request was sent.

This is the one place with an aiohttp session, and the one place that names aiohttp's exceptions.

Timeouts are per progress. aiohttp's own limits are for the whole request, which a slow uplink would break, or for the wait
for an answer, which does not see that a body on its way out has stopped. So each wait has a timer of ours, moved on by every
step written.

The session is made at first use, for the loop that uses it; a client lives through several `asyncio.run`. Proxies of the
environment are honoured as `trust_env` would, but looked up once a host instead of once a request, and without `~/.netrc`,
which would put a password on an anonymous request.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from base64 import b64encode
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import hdrs
from yarl import URL

from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, ConnectFailed, CosError, Interrupted, ProtocolError, TimedOut
from aiocos.net.body import SMALL, SteppedPayload, waiting
from aiocos.net.hedge import Hedge
from aiocos.net.pace import Pace, Pacing
from aiocos.version import USER_AGENT
from aiocos.wire.message import Outgoing, Response

# Headers aiohttp would add on its own. The service stores a Content-Type as the object's, so none is invented.
_NOT_ADDED = (hdrs.CONTENT_TYPE, hdrs.ACCEPT, hdrs.USER_AGENT, hdrs.ACCEPT_ENCODING)
# A document of the service has at most a few MiB (1,000 keys of 1,024 bytes, percent-encoded); more is refused unread.
DOCUMENT_LIMIT = 32 * 1024 * 1024
# A body of more bytes than this makes a request slow by itself.
LARGE = 256 * 1024


class _Patience:
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


class Exchange:
    """An answer whose head has arrived. Read the body, or `close`; used as a context, it is closed at the end."""

    __slots__ = ("_patience", "_response", "_what", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, patience: _Patience, what: str) -> None:
        self._response = response
        self._patience = patience
        self._what = what
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def read(self, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Read the whole body; `ProtocolError` if it has more than `limit` bytes."""
        chunks: list[bytes] = []
        total = 0
        while chunk := await self.chunk():
            total += len(chunk)
            if total > limit:
                raise ProtocolError(f"{self._what}: the answer has more than {limit} bytes")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def chunk(self) -> bytes:
        """Return what has arrived, waiting if that is nothing; empty at the end. Raises `Interrupted`, `TimedOut`."""
        content = self._response.content
        try:
            if content.is_eof():
                return await content.readany()
            async with self._patience.wait():
                return await content.readany()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _meaning(error, self._what, self._patience) from error

    def close(self) -> None:
        """Drop the answer. A body that was not read to its end costs the connection."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


_Proxy: TypeAlias = "tuple[URL | None, dict[str, str]]"
"""The address of a proxy, and the header with its password."""


class _Session:
    """A session and its pace, for one event loop. `lent`: its connections are a user's."""

    __slots__ = ("client", "hedge", "lent", "pace", "proxies")

    def __init__(self, client: aiohttp.ClientSession, config: ClientConfig, lent: bool) -> None:
        self.client = client
        self.pace = Pace(config.pace, config.max_connections)
        self.hedge = None if config.hedge is None else Hedge(config.hedge)
        self.lent = lent
        self.proxies: dict[str, _Proxy] = {}


class Transport:
    """Sends requests. Made without I/O and outside any loop; `connector_of` lends the connections of a user's session."""

    def __init__(self, config: ClientConfig, connector_of: aiohttp.ClientSession | None = None) -> None:
        self._config = config
        self._lender = connector_of
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, _Session] = WeakKeyDictionary()
        self._user_agent = f"{config.user_agent} {USER_AGENT}".strip()

    async def send(self, request: Outgoing, *, deadline: float | None = None) -> Response:
        """Send a request and read its answer whole."""
        session = self._session()
        large = _is_large(request)
        ticket = await session.pace.take(large=large)
        try:
            with await self._heard(session, request, deadline, ticket, large) as exchange:
                return Response(exchange.status, exchange.headers, await exchange.read())
        finally:
            session.pace.give(large=large)

    async def open(self, request: Outgoing, *, deadline: float | None = None) -> Exchange:
        """Send a request and return when the head of its answer has arrived."""
        session = self._session()
        large = _is_large(request)
        ticket = await session.pace.take(large=large)
        try:
            return await self._heard(session, request, deadline, ticket, large)
        finally:
            session.pace.give(large=large)

    @property
    def pacing(self) -> Pacing:
        """How many requests are in flight in the running loop, and may be."""
        return self._session().pace.now()

    async def _heard(self, session: _Session, request: Outgoing, deadline: float | None, ticket: int, large: bool) -> Exchange:
        """Send a request, and let the pace know what came of it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if session.hedge is not None and request.method in ("GET", "HEAD"):
            exchange = await session.hedge.first(lambda: self._open(session, request, deadline), session.pace)
        else:
            exchange = await self._open(session, request, deadline)
        seconds = None if large else loop.time() - began
        session.pace.heard(ticket, exchange.status, _retry_after(exchange), seconds=seconds)
        return exchange

    async def _open(self, session: _Session, request: Outgoing, deadline: float | None) -> Exchange:
        patience = _Patience(self._config.idle_timeout, deadline)
        data = request.body
        if data is not None and len(data) > SMALL:
            data = SteppedPayload(data, patience.moved)
        what = f"{request.method} {request.origin}{request.path}"
        proxy, password = self._proxy(session, request.origin)
        # To a tunnel it is told when that is asked for, to a proxy of plain requests with each of them.
        tunnel = password and request.origin.startswith("https:")
        try:
            async with patience.wait():
                response = await session.client.request(
                    request.method,
                    URL(request.url, encoded=True),
                    data=data,
                    headers={**request.headers, **password} if password and not tunnel else request.headers,
                    allow_redirects=False,
                    proxy=proxy,
                    proxy_headers=password if tunnel else None,
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _meaning(error, what, patience) from error
        finally:
            patience.sent()
        return Exchange(response, patience, what)

    # -- the session ----------------------------------------------------------------------------------------------

    def _session(self) -> _Session:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.client.closed:
            for old in [old for old in self._sessions if old.is_closed()]:
                _abandon(self._sessions.pop(old))
            session = self._sessions[loop] = _Session(self._make(), self._config, self._lender is not None)
        return session

    def _make(self) -> aiohttp.ClientSession:
        lender = self._lender
        if lender is not None and lender.closed:
            raise ConfigError("the session given to the client is closed")
        connector: Any = lender.connector if lender is not None else None
        client = aiohttp.ClientSession(
            connector=connector or aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, ssl=self._tls()),
            connector_owner=connector is None,
            # A cookie of one bucket has nothing to say to another.
            cookie_jar=aiohttp.DummyCookieJar(),
            # An object stored with Content-Encoding is given as it is stored: its bytes are what the ETag vouches for.
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._config.connect_timeout),
            headers={hdrs.USER_AGENT: self._user_agent, hdrs.ACCEPT_ENCODING: "identity"},
            skip_auto_headers=_NOT_ADDED,
            trust_env=False,
        )
        # aiohttp repeats a PUT on a connection that was closed under it, also a conditional one, whose second try would fail
        # because the first succeeded. Whether a request may be repeated is decided in one place, net/retry.py.
        if hasattr(client, "_retry_connection"):
            client._retry_connection = False  # pyright: ignore[reportPrivateUsage]
        return client

    def _tls(self) -> ssl.SSLContext | bool:
        if self._config.verify_tls and self._config.ca_file is None:
            return True
        context = ssl.create_default_context(cafile=self._config.ca_file)
        if not self._config.verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _proxy(self, session: _Session, origin: str) -> _Proxy:
        if known := session.proxies.get(origin):
            return known
        parts = urlsplit(origin)
        # With its port as without: `no_proxy` may hold both.
        direct = proxy_bypass(parts.hostname or "") or proxy_bypass(parts.netloc) or _is_link_local(parts.hostname or "")
        found: _Proxy = (None, {})
        if not direct and (text := getproxies().get(parts.scheme)):
            url = URL(text)
            # The password is taken out: aiohttp's errors quote the address of a proxy.
            token = b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
            found = url.with_user(None), {hdrs.PROXY_AUTHORIZATION: f"Basic {token}"} if url.user or url.password else {}
        session.proxies[origin] = found
        return found

    async def close(self) -> None:
        """Close the connections of the running loop, and forget those of loops that are no more."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        for old in list(self._sessions):
            if old.is_closed():
                _abandon(self._sessions.pop(old))
        if session is not None:
            session.pace.close()
            try:
                await session.client.close()
            except BaseException:
                # Cancelled in the middle of it: nobody will come back for the rest.
                _abandon(session)
                raise


class OneOff:
    """A transport for a single errand, closed after it: how a token is fetched, whichever client asked for it."""

    def __init__(self, config: ClientConfig) -> None:
        self._transport = Transport(config)

    async def send(self, request: Outgoing, *, timeout: float) -> Response:
        """Send a request once and read its answer whole, within `timeout` seconds."""
        return await self._transport.send(request, deadline=asyncio.get_running_loop().time() + timeout)

    async def __aenter__(self) -> OneOff:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()


def _is_link_local(host: str) -> bool:
    """Tell whether an address belongs to this machine's own link: the metadata service of a virtual server, say."""
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def _is_large(request: Outgoing) -> bool:
    """Tell whether a request takes long for its size alone."""
    return request.body is not None and len(request.body) > LARGE


def _retry_after(exchange: Exchange) -> float | None:
    """The seconds that a refusal asks for; dates are for the caller, who waits for himself."""
    try:
        return float(exchange.headers.get("Retry-After", ""))
    except ValueError:
        return None


def _abandon(session: _Session) -> None:
    """Let go of a session whose loop is closed: its sockets can only be dropped."""
    connector: Any = session.client.connector
    session.client.detach()
    if connector is not None and not session.lent:
        # There is no loop to await it in, and nothing left to wait for: one step does it.
        with contextlib.suppress(RuntimeError, StopIteration):
            next(connector.close().__await__())


def _meaning(error: Exception, what: str, patience: _Patience) -> CosError:
    """Say what an exception of aiohttp means for a request: above all, whether it was sent."""
    text = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TimedOut(f"{what}: no connection in time", sent=False)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return ConnectFailed(f"{what}: {text}", sent=False)
    if isinstance(error, TimeoutError):
        return TimedOut(f"{what}: {patience}", sent=True)
    if isinstance(error, aiohttp.ClientResponseError):
        return ProtocolError(f"{what}: the answer is no HTTP: {error.message}")
    if isinstance(error, aiohttp.InvalidURL | ValueError) and not isinstance(error, aiohttp.ClientPayloadError):
        return ConfigError(f"{what}: {text}")
    return Interrupted(f"{what}: {text}", sent=True)
