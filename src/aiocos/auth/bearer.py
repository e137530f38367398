"""Bearer tokens, shared by all clients of an identity in an event loop."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Hashable, Iterable

from aiocos.auth.base import Authorizer, refuse_plain_http
from aiocos.auth.tokens import Fetch, TokenSource
from aiocos.wire.message import PreparedRequest

MAX_UNUSED_SOURCES = 64
"""Token sources without a client that each event loop keeps for the next client of their identity.

A program that makes a client for each job then doesn't fetch a token for each job. The limit bounds the memory of a service
with ever new identities.
"""


class _Sources:
    """The token sources of one event loop."""

    def __init__(self) -> None:
        self._by_identity: weakref.WeakValueDictionary[Hashable, TokenSource] = weakref.WeakValueDictionary()
        # Strong references to the newest sources, so that they outlive their clients.
        self._newest: deque[TokenSource] = deque(maxlen=MAX_UNUSED_SOURCES)

    def get(self, identity: Hashable) -> TokenSource:
        source = self._by_identity.get(identity)
        if source is None:
            source = self._by_identity[identity] = TokenSource()
            self._newest.append(source)
        return source


# Futures belong to a loop, so a fetch can be shared within one loop only.
_by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Sources] = weakref.WeakKeyDictionary()


def source_for(identity: Hashable) -> TokenSource:
    """Return the token source of an identity in the running event loop.

    Args:
        identity: Hashable description of the key and of the endpoint that issues its tokens. It has a digest of the key instead
            of the key.
    """
    loop = asyncio.get_running_loop()
    sources = _by_loop.get(loop)
    if sources is None:
        # If a loop was closed during a fetch, its unfinished task keeps the loop alive.
        for closed in [other for other in _by_loop if other.is_closed()]:
            _by_loop.pop(closed, None)
        sources = _by_loop[loop] = _Sources()
    return sources.get(identity)


class TokenAuthorizer(Authorizer):
    """Puts the shared token of an identity on the requests of one client.

    The client may be used in any event loop; each loop has its own token.

    Args:
        identity: Hashable description of the identity, see `source_for`.
        fetch: Fetches a token.
    """

    def __init__(self, identity: Hashable, fetch: Fetch) -> None:
        self._identity = identity
        self._fetch = fetch
        self._source: TokenSource | None = None
        self._loop: weakref.ref[asyncio.AbstractEventLoop] | None = None

    async def authorize(self, request: PreparedRequest) -> None:
        """Add the token to the request. Doesn't wait while the token is fresh."""
        refuse_plain_http(request.origin)
        source = self._current_source()
        token = source.current(self._fetch) or await source.token(self._fetch)
        request.headers["Authorization"] = f"Bearer {token}"

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        """Invalidate the token of a request that got a 401.

        Returns True, because a second attempt then has another token.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if status != 401 or self._source is None or scheme != "Bearer" or not token:
            return False
        self._source.invalidate(token)
        return True

    def secrets(self) -> Iterable[str]:
        """Return the secrets that the token is fetched with."""
        return getattr(self._fetch, "secrets", ())

    async def close(self) -> None:
        """Leave the shared source.

        The last client to leave cancels a refresh that nobody needs.
        """
        source, self._source, self._loop = self._source, None, None
        if source is not None:
            source.users.discard(self)
            if not source.users:
                await source.cancel_unused_refresh()

    def _current_source(self) -> TokenSource:
        loop = asyncio.get_running_loop()
        if self._source is None or self._loop is None or self._loop() is not loop:
            self._source = source_for(self._identity)
            self._source.users.add(self)
            self._loop = weakref.ref(loop)
        return self._source
