"""Tokens on requests: one source of tokens for each identity and event loop, shared by all clients there."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Hashable, Iterable

from aiocos.auth.base import Authorizer, refuse_plain_http
from aiocos.auth.tokens import Fetch, TokenSource
from aiocos.wire.message import PreparedRequest

# Sources that no client uses any more are kept for the next client of the same identity, this many for each loop: programs
# that make a client for each job need no token for each job, and services with endless identities do not grow for ever.
KEPT = 64


class _Sources:
    """The token sources of one event loop."""

    def __init__(self) -> None:
        self._all: weakref.WeakValueDictionary[Hashable, TokenSource] = weakref.WeakValueDictionary()
        self._kept: deque[TokenSource] = deque(maxlen=KEPT)

    def get(self, identity: Hashable) -> TokenSource:
        source = self._all.get(identity)
        if source is None:
            source = self._all[identity] = TokenSource()
            self._kept.append(source)
        return source


# Futures belong to a loop, so a fetch can be shared within one loop only.
_by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Sources] = weakref.WeakKeyDictionary()


def source_for(identity: Hashable) -> TokenSource:
    """Return the source of tokens for an identity in the running event loop.

    `identity` names the key and the place it is traded at, by a digest and not by the key itself.
    """
    loop = asyncio.get_running_loop()
    sources = _by_loop.get(loop)
    if sources is None:
        # A loop that was closed in the middle of a fetch is held by the task that never ended.
        for stale in [other for other in _by_loop if other.is_closed()]:
            _by_loop.pop(stale, None)
        sources = _by_loop[loop] = _Sources()
    return sources.get(identity)


class TokenAuthorizer(Authorizer):
    """Sends the shared token of an identity. One client's, in whichever event loop the client is used."""

    def __init__(self, identity: Hashable, fetch: Fetch) -> None:
        self._identity = identity
        self._fetch = fetch
        self._source: TokenSource | None = None
        self._loop: weakref.ref[asyncio.AbstractEventLoop] | None = None

    async def authorize(self, request: PreparedRequest) -> None:
        """Add the token; while it is fresh nothing is waited for."""
        refuse_plain_http(request.origin)
        source = self._bound()
        token = source.current(self._fetch) or await source.token(self._fetch)
        request.headers["Authorization"] = f"Bearer {token}"

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        """Drop the token this request carried; a second try then has another (so does one that another caller dropped)."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if status != 401 or self._source is None or scheme != "Bearer" or not token:
            return False
        self._source.drop(token)
        return True

    def secrets(self) -> Iterable[str]:
        """Return what the token is fetched with."""
        return getattr(self._fetch, "hidden", ())

    async def close(self) -> None:
        """Leave the shared source; the last client to leave stops a refresh that runs for nobody."""
        source, self._source, self._loop = self._source, None, None
        if source is not None:
            source.users.discard(self)
            if not source.users:
                await source.settle()

    def _bound(self) -> TokenSource:
        loop = asyncio.get_running_loop()
        if self._source is None or self._loop is None or self._loop() is not loop:
            self._source = source_for(self._identity)
            self._source.users.add(self)
            self._loop = weakref.ref(loop)
        return self._source
