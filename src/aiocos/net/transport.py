"""Send a request once, when the limiter allows it, by one of two backends.

An error says whether the request was sent. A `Transport` does three things for each request: it waits for a free slot
(`limiter`), chooses a backend (`raw_backend` or `session_backend`), and hands the request to it.

Connections belong to an event loop. They are created on first use in each loop, so one client works in several
`asyncio.run` calls. Proxies of the environment are used as with aiohttp's `trust_env`, with three differences: they are looked
up once per origin and not once per request, `~/.netrc` is not read (it would add a password to an anonymous request), and this
machine itself is never reached through a proxy, see `proxy_for`.
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

# Requests with a body of more bytes than this wait in the limiter's queue for large requests.
LARGE_BODY = 256 * 1024


class _LoopState:
    """The connections, backends and limiter of one event loop.

    `is_borrowed` is True if the connections are those of a session that the user passed to the client.
    """

    __slots__ = (
        "__weakref__",
        "_proxy_plain_http",
        "backends",
        "connector",
        "hedge",
        "is_borrowed",
        "limiter",
        "loop",
        "proxy_secrets",
        "raw",
        "session",
    )

    def __init__(
        self,
        config: ClientConfig,
        user_agent: str,
        borrowed: aiohttp.ClientSession | None,
        make_tls: Any,
        proxy_plain_http: bool,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.is_borrowed = borrowed is not None
        if borrowed is None:
            self.connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, ssl=make_tls())
        else:
            self.connector = connector_of(borrowed)
        self.session = SessionBackend(config, user_agent, self.connector, is_borrowed=self.is_borrowed)
        self.raw = None
        if config.fast_path and not self.is_borrowed and is_compatible():
            self.raw = RawBackend(config, user_agent, self.connector)
        self.limiter = AdaptiveLimiter(config.concurrency, config.max_connections)
        self.hedge = None if config.hedge is None else Hedge(config.hedge)
        self.backends: dict[str, Send] = {}
        self.proxy_secrets: set[str] = set()
        self._proxy_plain_http = proxy_plain_http

    def backend_for(self, origin: str) -> Send:
        """Choose the backend for an origin, and keep it in `backends`.

        The session backend is the general path: it works with every aiohttp, through proxies and on a user's session. The raw
        backend does the same work in less time. It is used if `ClientConfig.fast_path` is set, the connections are the
        client's own, `compat_check` has accepted the installed aiohttp, and there is no proxy. Both give the same responses
        and errors: `tests/net` runs on both. Reads are hedged on either of them if `ClientConfig.hedge` is set.
        """
        proxy = proxy_for(origin) if self._proxy_plain_http or origin.startswith("https://") else None
        if proxy is not None:
            for value in proxy[1].values():
                password = b64decode(value[6:]).decode().partition(":")[2]
                self.proxy_secrets |= {value.removeprefix("Basic "), password} - {""}
        if self.raw is not None and proxy is None:
            backend: Send = self.raw.open
        else:
            backend = partial(self.session.open, proxy=proxy)
        if self.hedge is not None:
            backend = partial(self._send_hedged, self.hedge, backend)
        self.backends[origin] = backend
        return backend

    def _send_hedged(
        self, hedge: Hedge, backend: Send, request: PreparedRequest, deadline: float | None
    ) -> Coroutine[Any, Any, StreamedResponse]:
        if request.method not in ("GET", "HEAD"):
            return backend(request, deadline)
        return hedge.first_response(lambda: backend(request, deadline), self.limiter)


class Transport:
    """Sends requests. Can be created outside an event loop and without I/O.

    Args:
        config: The settings of the client.
        borrowed: A session of the user's whose connections are used; None opens connections of its own.
        proxy_plain_http: Send plain http through the proxy of the environment, if it has one. Loopback never goes through it.
    """

    def __init__(
        self, config: ClientConfig, borrowed: aiohttp.ClientSession | None = None, *, proxy_plain_http: bool = True
    ) -> None:
        self._config = config
        self._proxy_plain_http = proxy_plain_http
        self._borrowed = borrowed
        self._states: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopState] = weakref.WeakKeyDictionary()
        self._last_state: weakref.ref[_LoopState] | None = None
        self._user_agent = f"{config.user_agent} {USER_AGENT}".strip()

    def send(self, request: PreparedRequest, *, deadline: float | None = None) -> Coroutine[Any, Any, Response]:
        """Send a request and return its response with the whole body.

        `deadline` is a time of the loop's clock.
        """
        return self._attempt(request, deadline, True)

    def open(self, request: PreparedRequest, *, deadline: float | None = None) -> Coroutine[Any, Any, StreamedResponse]:
        """Send a request and return its response when the headers have arrived.

        The caller reads the body.
        """
        return self._attempt(request, deadline, False)

    async def _attempt(self, request: PreparedRequest, deadline: float | None, whole: bool) -> Any:
        """Wait for a slot and send.

        The slot is free again when the response is returned, read (`whole`) or not.
        """
        state, large = self._state(), request.body is not None and len(request.body) > LARGE_BODY
        limiter = state.limiter
        ticket = limiter.try_acquire(large=large) or await limiter.acquire(large=large)
        try:
            started = state.loop.time()
            response = await (state.backends.get(request.origin) or state.backend_for(request.origin))(request, deadline)
            limiter.on_response(ticket, response.status, response.headers, since=None if large else started)
            if not whole:
                return response
            body = response.read_nowait()
            if body is None:
                with response:
                    body = await response.read()
            return Response(response.status, response.headers, body)
        finally:
            limiter.release(large=large)

    @property
    def concurrency(self) -> ConcurrencyState:
        """The requests in flight in the running loop, and their limit."""
        return self._state().limiter.state()

    @property
    def connections(self) -> object:
        """The owner of the running loop's connections.

        None before the first request and after `close`.
        """
        state = self._states.get(asyncio.get_running_loop())
        return None if state is None or state.session.client.closed else state

    @property
    def secrets(self) -> set[str]:
        """The passwords of proxies, which must not appear in messages."""
        return self._state().proxy_secrets

    # -- the state of each loop -----------------------------------------------------------------------------------

    def _state(self) -> _LoopState:
        loop = asyncio.get_running_loop()
        state = self._last_state() if self._last_state is not None else None
        if state is not None and state.loop is loop and not state.session.client.closed:
            return state
        state = self._states.get(loop)
        if state is None or state.session.client.closed:
            for old in [old for old in self._states if old.is_closed()]:
                _abandon(self._states.pop(old))
            state = self._states[loop] = _LoopState(
                self._config, self._user_agent, self._borrowed, self._make_tls, self._proxy_plain_http
            )
        self._last_state = weakref.ref(state)
        return state

    def _make_tls(self) -> ssl.SSLContext | bool:
        if self._config.verify_tls and self._config.ca_file is None:
            return True
        context = ssl.create_default_context(cafile=self._config.ca_file)
        if not self._config.verify_tls:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def close(self) -> None:
        """Close the connections of the running loop; drop those of closed loops."""
        state = self._states.pop(asyncio.get_running_loop(), None)
        self._last_state = None
        for old in list(self._states):
            if old.is_closed():
                _abandon(self._states.pop(old))
        if state is not None:
            state.limiter.close()
            state.session.cancel_reads()
            if state.raw is not None:
                state.raw.close()
            try:
                await state.session.client.close()
            except BaseException:
                # A cancelled close is not repeated, so what is left is dropped here.
                _abandon(state)
                raise


class EphemeralTransport:
    """A transport for a few requests, closed at the end of `async with`.

    Tokens are fetched with it.

    Plain http never goes through a proxy here: it is for this machine or its metadata service, and a proxy would see the token.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._transport = Transport(config, proxy_plain_http=False)

    async def send(self, request: PreparedRequest, *, timeout: float) -> Response:
        """Send a request once, within `timeout` seconds, and return the response."""
        return await self._transport.send(request, deadline=asyncio.get_running_loop().time() + timeout)

    async def __aenter__(self) -> EphemeralTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()


def proxy_for(origin: str) -> Proxy | None:
    """Return the proxy of the environment for an origin, or None.

    A proxy is its address and the header with its password.

    `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` count, in upper or lower case; `ALL_PROXY` does not. This machine
    (`wire.address.is_loopback`) and link-local addresses (the metadata service of a virtual server) are never reached through a
    proxy: the proxy would look for them on its own machine and get the credentials meant for this one.

    Raises:
        ConfigError: The variable is not the URL of an http proxy.
    """
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if is_loopback(host) or is_link_local(host):
        return None
    # `no_proxy` may name a host with its port or without.
    text = None if proxy_bypass(host) or proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if not text:
        return None
    try:
        url = URL(text if "://" in text else f"http://{text}")
        usable = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        url, usable = URL(), False
    if not usable:
        # The value is not quoted in the message: it may have a password.
        raise ConfigError(
            f"{parts.scheme}_proxy in the environment is not the URL of an http proxy: nothing was sent to {origin}"
        )
    # Without its password: aiohttp's errors quote the address of a proxy.
    token = b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
    return url.with_user(None), {hdrs.PROXY_AUTHORIZATION: f"Basic {token}"} if url.user or url.password else {}


def _abandon(state: _LoopState) -> None:
    """Drop the sockets of a loop that is closed."""
    connector: Any = state.connector
    state.session.client.detach()
    if not state.is_borrowed:
        # A closed loop cannot run the coroutine; it has nothing to wait for, so one step completes it.
        with contextlib.suppress(RuntimeError, StopIteration):
            next(connector.close().__await__())
        if state.raw is not None:
            # The connector is closed and does nothing more with them.
            state.raw.release_idle()
