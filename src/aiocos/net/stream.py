"""A response body that is read to its end even if its connection breaks.

The bytes returned so far are counted. If the connection breaks, the rest is requested from that byte on with `If-Match`, so
bytes of two versions of an object are never mixed. Each continuation is checked, because some servers respond to a range with
the whole object.

A body has one reader at a time. After it was closed or has failed, every further read raises an error at once, and no
connection is opened.
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
"""Requests the bytes from a first to a last offset, both included, with `If-Match`; None as last means to the end."""


class BodyStream:
    """The body of a response, continued by further requests if its connection breaks.

    Args:
        response: The response, nothing of it read.
        what: The operation and its object, for messages.
        extent: The bytes of the object that the body holds.
        reopen: Requests the rest; None if the response has no ETag, because a continuation might then be of another version.
        retry: The number of attempts and the backoff for continuations.
        budget: Pays for continuations.
        deadline: A time of the running loop's clock after which no continuation is requested; None for no deadline.
    """

    def __init__(
        self,
        response: StreamedResponse,
        *,
        what: str,
        extent: Extent,
        reopen: Reopen | None,
        retry: RetryConfig,
        budget: RetryBudget,
        deadline: float | None = None,
    ) -> None:
        self._response = response
        self._what = what
        self._first = extent.first
        self._length: int | None = extent.length
        self._total: int | None = extent.total
        self._reopen = reopen
        self._retry = retry
        self._budget = budget
        self._deadline = deadline
        self._etag = response.headers.get("ETag", "")
        # Failures since the last byte arrived.
        self._failures = 0
        # Bytes of the response that come before the ones that are needed.
        self._skip = 0
        # True if the response is longer than the body: the whole object, though a range was requested.
        self._has_excess = False
        self._reading = False
        self._closed = self._ended = False
        self._error: CosError | None = None
        self.bytes_read = 0
        """The bytes that were returned."""

    async def chunk(self) -> bytes:
        """Return the next bytes, or an empty string at the end.

        Raises `ConfigError` if another task is reading or the body was closed. An error that ended the body is raised again by
        every further call.
        """
        if self._reading:
            raise ConfigError(f"{self._what}: another task is reading this body already; a body has one reader at a time")
        if self._error is not None:
            raise copy.copy(self._error)
        if self._closed:
            raise self._was_closed()
        if self._ended:
            # aiohttp's session would raise an error: the response has been released.
            return b""
        self._reading = True
        try:
            data = await self._next()
            self._ended = not data
            return data
        except CosError as error:
            self._response.close()
            # A copy, because the traceback of the original refers to this object.
            self._error = copy.copy(error)
            raise
        finally:
            self._reading = False

    def take_whole(self, limit: int) -> bytes | None:
        """Return the whole body, if all of it has arrived, and end it.

        In every other case, or if a part was read or there are more than `limit` bytes, the result is None, and `chunk`, the
        general path, reads the body.
        """
        length = self._length
        if self._reading or self._closed or self._ended or self._error is not None or self.bytes_read or self._failures:
            return None
        if length is None or not 0 < length <= limit:
            return None
        data = self._response.read_nowait()
        if data is None or len(data) != length:
            return None
        self.bytes_read, self._ended = length, True
        return data

    async def _next(self) -> bytes:
        while True:
            if self._has_excess and self.bytes_read == self._length:
                self._response.close()
                return b""
            try:
                data = await self._response.chunk()
                if not data and self._length is not None and self.bytes_read < self._length:
                    raise ConnectionLostError(
                        f"{self._what}: the body ended after {self.bytes_read} of {self._length} bytes", sent=True
                    )
            except TransportError as error:
                if self._closed:
                    raise self._was_closed() from error
                if self.bytes_read == self._length:
                    # The connection broke after the last byte, so nothing is missing.
                    return b""
                if not await self._resume(error):
                    return b""
                continue
            if self._skip and data:
                dropped = min(self._skip, len(data))
                self._skip -= dropped
                data = data[dropped:]
                if not data:
                    continue
            if data:
                self._failures = 0
                if self._has_excess and self._length is not None:
                    data = data[: self._length - self.bytes_read]
                self.bytes_read += len(data)
                if self._length is not None and self.bytes_read > self._length:
                    raise ProtocolError(f"{self._what}: the body has more than the {self._length} bytes that were announced")
            return data

    def _was_closed(self) -> ConfigError:
        return ConfigError(f"{self._what}: the body was closed after {self.bytes_read} bytes; open it again to read it")

    async def _resume(self, error: TransportError) -> bool:
        """Request the rest of the body; return False if there is no more."""
        self._response.close()
        while True:
            self._failures += 1
            error.attempts = self._failures
            delay = retry_delay(error, attempt=self._failures, idempotent=True, config=self._retry, draw=random.random())
            if self._reopen is None or delay is None or self._is_past_deadline(delay) or not self._budget.take():
                raise error
            await pause(delay)
            if self._closed:
                raise self._was_closed() from error
            first = self._first + self.bytes_read
            last = None if self._length is None else self._first + self._length - 1
            try:
                response = await self._reopen(first, last)
            except TransportError as again:
                error = again
                continue
            except InvalidRange as past_end:
                # The connection of a body of unknown length may have broken after its last byte.
                if self._length is None and size_in(past_end.headers.get("Content-Range")) == first:
                    return False
                raise
            except PreconditionFailed as changed:
                raise PreconditionFailed(
                    f"the object was replaced while it was being read, after {self.bytes_read} bytes: read it again",
                    status=412,
                    code="PreconditionFailed",
                    resource=changed.resource,
                    request_id=changed.request_id,
                    operation=changed.operation,
                ) from error
            self._response = response
            if self._closed:
                response.close()
                raise self._was_closed()
            self._check_continuation(response, ByteRange(first, last))
            return True

    def _is_past_deadline(self, delay: float) -> bool:
        return self._deadline is not None and asyncio.get_running_loop().time() + delay >= self._deadline

    def _check_continuation(self, response: StreamedResponse, requested: ByteRange) -> None:
        """Raise `ProtocolError` if a continuation does not have the requested bytes.

        The whole object, which contains them, is accepted as well.
        """
        etag = response.headers.get("ETag", "")
        if bare(etag) != bare(self._etag):
            raise ProtocolError(f"{self._what}: the continuation is of another version ({etag!r} instead of {self._etag!r})")
        headers = response.headers
        content_length, content_range = headers.get("Content-Length"), headers.get("Content-Range")
        try:
            length = None if content_length is None else int(content_length)
            extent = Extent.of(requested, response.status, content_range, length)
        except ValueError as error:
            raise ProtocolError(f"{self._what}: the continuation: {error}") from error
        if self._total is not None and extent.total is not None and extent.total != self._total:
            raise ProtocolError(f"{self._what}: the object had {self._total} bytes, the continuation is of {extent.total}")
        self._skip = self._first + self.bytes_read - extent.first
        self._has_excess = not extent.answers(requested)
        if self._length is None and extent.length is not None:
            self._length = extent.first + extent.length - self._first
        if self._total is None:
            self._total = extent.total

    def invalidate(self) -> None:
        """Make every further `chunk` raise `ConfigError`: bytes were read and lost.

        What follows the gap would look like the whole body.
        """
        if self._error is None:
            self._error = ConfigError(
                f"{self._what}: bytes of this body are lost: a read was cancelled midway, or another task has read them; "
                "open the object again to read it"
            )

    def close(self) -> None:
        """Stop reading. A task that is waiting in `chunk` gets a `ConfigError`."""
        self._closed = True
        self._response.close()
