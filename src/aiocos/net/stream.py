"""A body that is read to its end although its connection breaks.

The bytes given so far are counted. Where the connection breaks, the rest is asked for from that byte on, on the condition that
the object is still the same (`If-Match`): bytes of two versions are never mixed. What comes is checked against what was asked,
since some servers answer a range with the whole.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from aiocos.config import RetryConfig
from aiocos.errors import Interrupted, PreconditionFailed, ProtocolError, TransportError
from aiocos.net.exchange import Exchange
from aiocos.net.retry import RetryBudget, decide, pause
from aiocos.wire.digest import bare
from aiocos.wire.ranges import ContentRange

Reopen = Callable[[int, int | None], Awaitable[Exchange]]
"""Asks for the bytes from one offset to another (both count, the last may be open), pinned to the ETag; raises for errors."""


class BodyStream:
    """The body of one answer, going on by further requests where it must.

    `first` is the offset of the body within the object, `length` its bytes where known. Without an ETag there is nothing to pin
    a continuation to, and `reopen` is None. `deadline` is a time of the running loop's clock, for all continuations together.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        what: str,
        first: int,
        length: int | None,
        reopen: Reopen | None,
        retry: RetryConfig,
        budget: RetryBudget,
        deadline: float | None = None,
    ) -> None:
        self._exchange = exchange
        self._what = what
        self._first = first
        self._length = length
        self._reopen = reopen
        self._retry = retry
        self._budget = budget
        self._deadline = deadline
        self._etag = exchange.headers.get("ETag", "")
        self._breaks = 0
        self._skip = 0
        self.given = 0

    async def chunk(self) -> bytes:
        """Return some bytes; empty at the end."""
        while True:
            try:
                data = await self._exchange.chunk()
                if not data and self._length is not None and self.given < self._length:
                    raise Interrupted(f"{self._what}: the body ended after {self.given} of {self._length} bytes", sent=True)
            except TransportError as error:
                await self._go_on(error)
                continue
            if self._skip and data:
                dropped = min(self._skip, len(data))
                self._skip -= dropped
                data = data[dropped:]
                if not data:
                    continue
            if data:
                self._breaks = 0
                self.given += len(data)
                if self._length is not None and self.given > self._length:
                    raise ProtocolError(f"{self._what}: the body has more than the {self._length} bytes that were announced")
            return data

    async def _go_on(self, error: TransportError) -> None:
        self._exchange.close()
        while True:
            self._breaks += 1
            error.attempts = self._breaks
            delay = decide(error, attempt=self._breaks, repeatable=True, config=self._retry, draw=random.random())
            if self._reopen is None or delay is None or self._too_late(delay) or not self._budget.take():
                raise error
            await pause(delay)
            first = self._first + self.given
            last = None if self._length is None else self._first + self._length - 1
            try:
                exchange = await self._reopen(first, last)
            except TransportError as again:
                error = again
                continue
            except PreconditionFailed as changed:
                raise PreconditionFailed(
                    f"the object was replaced while it was being read, after {self.given} bytes: read it again",
                    status=412,
                    code="PreconditionFailed",
                    resource=changed.resource,
                    request_id=changed.request_id,
                    operation=changed.operation,
                ) from error
            self._accept(exchange, first)
            return

    def _too_late(self, delay: float) -> bool:
        return self._deadline is not None and asyncio.get_running_loop().time() + delay >= self._deadline

    def _accept(self, exchange: Exchange, first: int) -> None:
        """Take a continuation only if it is the bytes that were asked for."""
        self._exchange, self._skip = exchange, 0
        etag = exchange.headers.get("ETag", "")
        if bare(etag) != bare(self._etag):
            exchange.close()
            raise ProtocolError(f"{self._what}: the continuation is of another version ({etag} instead of {self._etag})")
        if announced := exchange.headers.get("Content-Range"):
            try:
                start = ContentRange.from_wire(announced).first
            except ValueError as error:
                exchange.close()
                raise ProtocolError(f"{self._what}: {error}") from error
            if start != first:
                exchange.close()
                raise ProtocolError(f"{self._what}: asked for bytes from {first}, got {announced}")
        elif exchange.status == 206:
            exchange.close()
            raise ProtocolError(f"{self._what}: asked for bytes from {first}, got a part without Content-Range")
        elif first:
            # The server has sent the whole object instead: what we have is skipped.
            self._skip = first

    def close(self) -> None:
        """Drop the rest."""
        self._exchange.close()
