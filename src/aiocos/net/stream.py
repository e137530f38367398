"""A body that is read to its end although its connection breaks.

The bytes given so far are counted. Where the connection breaks, the rest is asked for from that byte on, on the condition that
the object is still the same (`If-Match`): bytes of two versions are never mixed. What comes is checked against what was asked,
since some servers answer a range with the whole.

A body has one reader at a time. One that was closed, or that failed, says so to everybody who reads on: nobody waits for bytes
that will not come, and no connection is opened for them.
"""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable

from aiocos.config import RetryConfig
from aiocos.errors import (
    ConfigError,
    ConnectionLostError,
    CosError,
    InvalidRange,
    PreconditionFailed,
    ProtocolError,
    TransportError,
)
from aiocos.net.retry import RetryBudget, pause, retry_delay
from aiocos.net.streamed_response import StreamedResponse
from aiocos.wire.digest import bare
from aiocos.wire.ranges import ByteRange, Extent, size_in

Reopen = Callable[[int, int | None], Awaitable[StreamedResponse]]
"""Asks for the bytes from one offset to another (both count, the last may be open), pinned to the ETag; raises for errors."""


class BodyStream:
    """The body of one answer, going on by further requests where it must.

    `extent` is what of the object the body holds. Without an ETag there is nothing to pin a continuation to, and `reopen` is
    None. `deadline` is a time of the running loop's clock, for all continuations together.
    """

    def __init__(
        self,
        exchange: StreamedResponse,
        *,
        what: str,
        extent: Extent,
        reopen: Reopen | None,
        retry: RetryConfig,
        budget: RetryBudget,
        deadline: float | None = None,
    ) -> None:
        self._exchange = exchange
        self._what = what
        self._first = extent.first
        self._length: int | None = extent.length
        self._total: int | None = extent.total
        self._reopen = reopen
        self._retry = retry
        self._budget = budget
        self._deadline = deadline
        self._etag = exchange.headers.get("ETag", "")
        self._breaks = 0
        self._skip = 0
        # The answer goes on beyond the body: a whole object that came for a range.
        self._beyond = False
        self._reading = False
        self._closed = self._ended = False
        self._failure: CosError | None = None
        self.given = 0

    async def chunk(self) -> bytes:
        """Return some bytes; empty at the end.

        Raises `ConfigError` where another task is reading, or the body was closed; an error that ended the body is raised
        again by every further call.
        """
        if self._reading:
            raise ConfigError(f"{self._what}: another task is reading this body already; a body has one reader at a time")
        if self._failure is not None:
            raise copy.copy(self._failure)
        if self._closed:
            raise self._was_closed()
        if self._ended:
            # An answer that is over is not asked again: aiohttp's session calls it closed.
            return b""
        self._reading = True
        try:
            data = await self._next()
            self._ended = not data
            return data
        except CosError as error:
            self._exchange.close()
            # A copy has no traceback, which would refer to this object.
            self._failure = copy.copy(error)
            raise
        finally:
            self._reading = False

    async def _next(self) -> bytes:
        while True:
            if self._beyond and self.given == self._length:
                self._exchange.close()
                return b""
            try:
                data = await self._exchange.chunk()
                if not data and self._length is not None and self.given < self._length:
                    raise ConnectionLostError(
                        f"{self._what}: the body ended after {self.given} of {self._length} bytes", sent=True
                    )
            except TransportError as error:
                if self._closed:
                    raise self._was_closed() from error
                if self.given == self._length:
                    # Broken off behind the last byte: nothing is missing.
                    return b""
                if not await self._go_on(error):
                    return b""
                continue
            if self._skip and data:
                dropped = min(self._skip, len(data))
                self._skip -= dropped
                data = data[dropped:]
                if not data:
                    continue
            if data:
                self._breaks = 0
                if self._beyond and self._length is not None:
                    data = data[: self._length - self.given]
                self.given += len(data)
                if self._length is not None and self.given > self._length:
                    raise ProtocolError(f"{self._what}: the body has more than the {self._length} bytes that were announced")
            return data

    def _was_closed(self) -> ConfigError:
        return ConfigError(f"{self._what}: the body was closed after {self.given} bytes; open it again to read it")

    async def _go_on(self, error: TransportError) -> bool:
        """Ask for the rest; False where it turns out that there is none."""
        self._exchange.close()
        while True:
            self._breaks += 1
            error.attempts = self._breaks
            delay = retry_delay(error, attempt=self._breaks, repeatable=True, config=self._retry, draw=random.random())
            if self._reopen is None or delay is None or self._too_late(delay) or not self._budget.take():
                raise error
            await pause(delay)
            if self._closed:
                raise self._was_closed() from error
            first = self._first + self.given
            last = None if self._length is None else self._first + self._length - 1
            try:
                exchange = await self._reopen(first, last)
            except TransportError as again:
                error = again
                continue
            except InvalidRange as beyond:
                # A body of unknown length may have broken off right behind its last byte.
                if self._length is None and size_in(beyond.headers.get("Content-Range")) == first:
                    return False
                raise
            except PreconditionFailed as changed:
                raise PreconditionFailed(
                    f"the object was replaced while it was being read, after {self.given} bytes: read it again",
                    status=412,
                    code="PreconditionFailed",
                    resource=changed.resource,
                    request_id=changed.request_id,
                    operation=changed.operation,
                ) from error
            self._exchange = exchange
            if self._closed:
                exchange.close()
                raise self._was_closed()
            self._accept(exchange, ByteRange(first, last))
            return True

    def _too_late(self, delay: float) -> bool:
        return self._deadline is not None and asyncio.get_running_loop().time() + delay >= self._deadline

    def _accept(self, exchange: StreamedResponse, asked: ByteRange) -> None:
        """Take a continuation only if it is the bytes that were asked for, or the whole object with them in it."""
        etag = exchange.headers.get("ETag", "")
        if bare(etag) != bare(self._etag):
            raise ProtocolError(f"{self._what}: the continuation is of another version ({etag!r} instead of {self._etag!r})")
        headers = exchange.headers
        length = headers.get("Content-Length")
        try:
            came = Extent.of(asked, exchange.status, headers.get("Content-Range"), None if length is None else int(length))
        except ValueError as error:
            raise ProtocolError(f"{self._what}: the continuation: {error}") from error
        if self._total is not None and came.total is not None and came.total != self._total:
            raise ProtocolError(f"{self._what}: the object had {self._total} bytes, the continuation is of {came.total}")
        self._skip, self._beyond = self._first + self.given - came.first, not came.answers(asked)
        if self._length is None and came.length is not None:
            self._length = came.first + came.length - self._first
        if self._total is None:
            self._total = came.total

    def forfeit(self) -> None:
        """Let every further call fail: bytes were taken and are lost, and what comes next would look like the whole."""
        if self._failure is None:
            self._failure = ConfigError(
                f"{self._what}: bytes of this body are lost: they were taken by a read that was given up midway, or by another "
                "task; open the object again to read it"
            )

    def close(self) -> None:
        """Drop the rest. Whoever is reading gets a `ConfigError`."""
        self._closed = True
        self._exchange.close()
