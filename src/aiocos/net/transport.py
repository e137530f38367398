"""One attempt: a request goes out, an answer comes in, or an error says whether the request was sent.

Here it is decided how a request goes (`direct`, or by a `session`), and that it has its place among those in flight (`pace`).

What belongs to an event loop is made at first use, for the loop that uses it; a client lives through several `asyncio.run`.
Proxies of the environment are honoured as aiohttp's `trust_env` would, but looked up once a host instead of once a request, and
without `~/.netrc`, which would put a password on an anonymous request; and never for this machine itself, see `proxy_for`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import weakref
from base64 import b64decode, b64encode
from collections.abc import Coroutine
from functools import partial
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import hdrs
from yarl import URL

from aiocos.config import ClientConfig
from aiocos.errors import ConfigError
from aiocos.net.compat_check import is_compatible
from aiocos.net.hedge import Hedge
from aiocos.net.limiter import AdaptiveLimiter, ConcurrencyState
from aiocos.net.raw_backend import RawBackend
from aiocos.net.session_backend import Proxy, SessionBackend, connector_of
from aiocos.net.streamed_response import Send, StreamedResponse
from aiocos.version import USER_AGENT
from aiocos.wire.address import is_link_local, is_loopback
from aiocos.wire.message import PreparedRequest, Response

# A body of more bytes than this makes a request slow by itself.
LARGE = 256 * 1024


class _LoopState:
    """What belongs to one event loop. `lent`: the connections are a user's."""

    __slots__ = (
        "__weakref__",
        "_plainly",
        "connector",
        "direct",
        "hedge",
        "lent",
        "limiter",
        "loop",
        "secrets",
        "session",
        "ways",
    )  # fmt: skip

    def __init__(
        self, config: ClientConfig, user_agent: str, lender: aiohttp.ClientSession | None, tls: Any, plainly: bool
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.lent = lender is not None
        self.connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, ssl=tls()) if lender is None else connector_of(lender)
        self.session = SessionBackend(config, user_agent, self.connector, lent=self.lent)
        self.direct = None
        if config.fast_path and not self.lent and is_compatible():
            self.direct = RawBackend(config, user_agent, self.connector)
        self.limiter = AdaptiveLimiter(config.concurrency, config.max_connections)
        self.hedge = None if config.hedge is None else Hedge(config.hedge)
        # By origin.
        self.ways: dict[str, Send] = {}
        # Passwords of proxies.
        self.secrets: set[str] = set()
        self._plainly = plainly

    def way_to(self, origin: str) -> Send:
        """Find out how requests go to an origin: by the session where there is a proxy, and twice where that helps."""
        proxy = proxy_for(origin) if self._plainly or origin.startswith("https://") else None
        if proxy is not None:
            for value in proxy[1].values():
                self.secrets |= {value.removeprefix("Basic "), b64decode(value[6:]).decode().partition(":")[2]} - {""}
        way = self.direct.open if self.direct is not None and proxy is None else partial(self.session.open, through=proxy)
        if self.hedge is not None:
            way = partial(self._hedged, self.hedge, way)
        self.ways[origin] = way
        return way

    def _hedged(
        self, hedge: Hedge, way: Send, request: PreparedRequest, deadline: float | None
    ) -> Coroutine[Any, Any, StreamedResponse]:
        if request.method not in ("GET", "HEAD"):
            return way(request, deadline)
        return hedge.first(lambda: way(request, deadline), self.limiter)


class Transport:
    """Sends requests. Made without I/O and outside any loop; `lender` lends the connections of a user's session.

    `plainly` lets plain http go through a proxy of the environment. Loopback never does.
    """

    def __init__(self, config: ClientConfig, lender: aiohttp.ClientSession | None = None, *, plainly: bool = True) -> None:
        self._config = config
        self._plainly = plainly
        self._lender = lender
        self._locals: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopState] = weakref.WeakKeyDictionary()
        self._last: weakref.ref[_LoopState] | None = None
        self._user_agent = f"{config.user_agent} {USER_AGENT}".strip()

    async def send(self, request: PreparedRequest, *, deadline: float | None = None) -> Response:
        """Send a request and read its answer whole."""
        local, large = self._local(), _is_large(request)
        pace = local.limiter
        ticket = pace.try_acquire(large=large) or await pace.acquire(large=large)
        try:
            began = local.loop.time()
            exchange = await (local.ways.get(request.origin) or local.way_to(request.origin))(request, deadline)
            pace.on_response(ticket, exchange.status, exchange.headers, since=None if large else began)
            body = exchange.arrived()
            if body is None:
                with exchange:
                    body = await exchange.read()
            return Response(exchange.status, exchange.headers, body)
        finally:
            pace.release(large=large)

    async def open(self, request: PreparedRequest, *, deadline: float | None = None) -> StreamedResponse:
        """Send a request and return when the head of its answer has arrived."""
        local, large = self._local(), _is_large(request)
        pace = local.limiter
        ticket = pace.try_acquire(large=large) or await pace.acquire(large=large)
        try:
            began = local.loop.time()
            exchange = await (local.ways.get(request.origin) or local.way_to(request.origin))(request, deadline)
            pace.on_response(ticket, exchange.status, exchange.headers, since=None if large else began)
            return exchange
        finally:
            pace.release(large=large)

    @property
    def concurrency(self) -> ConcurrencyState:
        """How many requests are in flight in the running loop, and may be."""
        return self._local().limiter.state()

    @property
    def connections(self) -> object:
        """What has the connections of the running loop; None before the first request, and after `close`."""
        local = self._locals.get(asyncio.get_running_loop())
        return None if local is None or local.session.client.closed else local

    @property
    def secrets(self) -> set[str]:
        """What a proxy must not bring into a message: its own passwords."""
        return self._local().secrets

    # -- what belongs to a loop -----------------------------------------------------------------------------------

    def _local(self) -> _LoopState:
        loop = asyncio.get_running_loop()
        local = self._last() if self._last is not None else None
        if local is not None and local.loop is loop and not local.session.client.closed:
            return local
        local = self._locals.get(loop)
        if local is None or local.session.client.closed:
            for old in [old for old in self._locals if old.is_closed()]:
                _abandon(self._locals.pop(old))
            local = self._locals[loop] = _LoopState(self._config, self._user_agent, self._lender, self._tls, self._plainly)
        self._last = weakref.ref(local)
        return local

    def _tls(self) -> ssl.SSLContext | bool:
        if self._config.verify_tls and self._config.ca_file is None:
            return True
        context = ssl.create_default_context(cafile=self._config.ca_file)
        if not self._config.verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def close(self) -> None:
        """Close the connections of the running loop, and forget those of loops that are no more."""
        local = self._locals.pop(asyncio.get_running_loop(), None)
        self._last = None
        for old in list(self._locals):
            if old.is_closed():
                _abandon(self._locals.pop(old))
        if local is not None:
            local.limiter.close()
            local.session.wake()
            if local.direct is not None:
                local.direct.close()
            try:
                await local.session.client.close()
            except BaseException:
                # Cancelled in the middle of it: nobody will come back for the rest.
                _abandon(local)
                raise


class EphemeralTransport:
    """A transport for a single errand, closed after it: how a token is fetched, whichever client asked for it."""

    def __init__(self, config: ClientConfig) -> None:
        # What goes over plain http is for this machine, or its own metadata service: both would hand a proxy a token.
        self._transport = Transport(config, plainly=False)

    async def send(self, request: PreparedRequest, *, timeout: float) -> Response:
        """Send a request once and read its answer whole, within `timeout` seconds."""
        return await self._transport.send(request, deadline=asyncio.get_running_loop().time() + timeout)

    async def __aenter__(self) -> EphemeralTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()


def proxy_for(origin: str) -> Proxy | None:
    """Find the proxy for an origin in the environment: the address, and the header with its password.

    `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` count, in upper or lower case; `ALL_PROXY` does not. This machine itself
    (`wire.address.is_loopback`) and its own link (the metadata service of a virtual server) are never reached through a
    proxy: to a proxy they would be another machine, which is given the credentials meant for this one. Raises
    `ConfigError` where the variable holds no URL of an http proxy.
    """
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if is_loopback(host) or is_link_local(host):
        return None
    # With its port as without: `no_proxy` may hold both.
    text = None if proxy_bypass(host) or proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if not text:
        return None
    try:
        url = URL(text if "://" in text else f"http://{text}")
        usable = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        url, usable = URL(), False
    if not usable:
        # Not quoted: it may hold a password.
        raise ConfigError(f"{parts.scheme}_proxy in the environment is no URL of an http proxy: {origin} was not asked")
    # The password is taken out: aiohttp's errors quote the address of a proxy.
    token = b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
    return url.with_user(None), {hdrs.PROXY_AUTHORIZATION: f"Basic {token}"} if url.user or url.password else {}


def _is_large(request: PreparedRequest) -> bool:
    """Tell whether a request takes long for its size alone."""
    return request.body is not None and len(request.body) > LARGE


def _abandon(local: _LoopState) -> None:
    """Let go of what belonged to a loop that is closed: its sockets can only be dropped."""
    connector: Any = local.connector
    local.session.client.detach()
    if not local.lent:
        # There is no loop to await it in, and nothing left to wait for: one step does it.
        with contextlib.suppress(RuntimeError, StopIteration):
            next(connector.close().__await__())
