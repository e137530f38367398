"""Read an object as a stream or into memory: resume, and verify checksums."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from types import TracebackType

from aiocos.call import Engine
from aiocos.errors import ConfigError, IntegrityError, PreconditionFailed, ProtocolError
from aiocos.integrity import Verification, find_verification, verify_checksum
from aiocos.net.hashing import INLINE, OrderedHashing
from aiocos.net.stream import BodyStream, Reopen
from aiocos.net.streamed_response import StreamedResponse
from aiocos.object_checksum import Checksum, checksum_of
from aiocos.operations.objects import GetObject, ObjectInfo
from aiocos.response_errors import resource_of
from aiocos.wire import digest
from aiocos.wire.bind import from_response
from aiocos.wire.message import Response
from aiocos.wire.ranges import ByteRange, Extent


class ObjectStream:
    """The content of an object, read as it arrives, and the object's headers.

    ::

        async with client.objects.get("bucket", "key") as obj:
            async for chunk in obj: ...

    If the connection breaks, the stream continues at the byte where it broke, with `If-Match` on the ETag. At the end of a
    whole object its checksum is compared: the read after the last bytes raises `IntegrityError` if it differs. The cheapest
    checksum of the response is used (see `object_checksum`): a native CRC is computed here, everything else in a thread while
    further bytes arrive. The ETag of a multipart object is not compared: that takes requests for the sizes of the parts, which
    `client.objects.read` and `client.download` send.

    A stream has one reader at a time and ends with its `async with` block or with its client; reading on raises `ConfigError`.
    A response with other bytes than those requested raises `ProtocolError`. A stream that is dropped closes its connection.

    Args:
        engine: Sends the requests.
        operation: The read.
        response: A response to `operation` that has begun already; None sends the operation on `async with`.
    """

    def __init__(self, engine: Engine, operation: GetObject, response: StreamedResponse | None = None) -> None:
        self._engine = engine
        self._operation = operation
        self._what = f"GetObject {resource_of(operation)}"
        self._info: ObjectInfo | None = None
        self._body: BodyStream | None = None
        self._checksum: Checksum | None = None
        # Hashes in a thread; None if the checksum is computed in this one.
        self._hashing: OrderedHashing | None = None
        # True if the response has no checksum of the whole object, but there may be one of its parts.
        self._needs_verification = False
        self.extent: Extent | None = None
        """The bytes of the object that the body holds; None before the stream is open."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening = False
        self._response = response

    async def __aenter__(self) -> ObjectStream:
        if self._opening:
            raise ConfigError(f"{self._what}: another task is opening this stream already")
        self.close()
        self._loop = asyncio.get_running_loop()
        self._opening = True
        try:
            await self._open(self._loop)
        finally:
            self._opening = False
        return self

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        timeout = self._operation.timeout
        deadline = None if timeout is None else loop.time() + timeout
        response, self._response = self._response or await self._engine.open(self._operation), None
        try:
            self._info = info = from_response(ObjectInfo, Response(response.status, response.headers))
            if not info.etag and (info.content_type or "").partition(";")[0].strip().lower() == "text/html":
                # Every object has an ETag. This is the page of a proxy or a gateway.
                raise ProtocolError(
                    f"{self._what}: the {response.status} response is a web page without an ETag, not an object"
                )
            self._check_version(info)
            self.extent = extent = self._check_extent(response, info)
            self._body = BodyStream(
                response,
                what=self._what,
                extent=extent,
                reopen=_make_reopen(self._engine, self._operation, info.etag, deadline) if info.etag else None,
                retry=self._engine.config.retry,
                budget=self._engine.budget,
                deadline=deadline,
            )
            if extent.is_whole and verifies(self._engine, self._operation) and not self._operation.part_number:
                self._checksum = checksum = checksum_of(info)
                self._needs_verification = checksum is None
                if checksum is not None and not (checksum.is_combinable and checksum.inline):
                    self._hashing = OrderedHashing(checksum.update_all, checksum.inline)
        except BaseException:
            response.close()
            raise

    def _check_version(self, info: ObjectInfo) -> None:
        """Compare the ETag with If-Match.

        Some servers (rclone) ignore the header, and ranges of two versions would be mixed.
        """
        expected = self._operation.if_match
        if not expected or expected == "*" or "," in expected:
            return
        if not info.etag:
            raise ProtocolError(f"{self._what}: the version {expected} was requested, and the response has no ETag")
        if digest.bare(expected) != digest.bare(info.etag):
            raise PreconditionFailed(
                f"the object has the ETag {info.etag}, not {expected}",
                status=412,
                code="PreconditionFailed",
                resource=resource_of(self._operation),
                request_id=info.request_id,
                operation=self._operation.spec.name,
            )

    def _check_extent(self, response: StreamedResponse, info: ObjectInfo) -> Extent:
        """Return the extent of the body, or raise `ProtocolError` if it is another one."""
        requested, number = self._operation.range, self._operation.part_number
        if isinstance(requested, str):
            requested = ByteRange.from_wire(requested)
        try:
            extent = Extent.of(requested, response.status, info.content_range, info.content_length, part=number is not None)
        except ValueError as error:
            raise ProtocolError(f"{self._what}: {error}") from error
        # Servers without ranges or part numbers send the whole object.
        if requested is not None and not extent.answers(requested):
            raise ProtocolError(f"{self._what}: {requested.to_wire()} was requested, the server sent the whole object")
        if number is not None and info.content_range is None:
            raise ProtocolError(f"{self._what}: part {number} was requested, the server sent the whole object")
        if number is not None and (extent.first == 0) != (number == 1):
            raise ProtocolError(f"{self._what}: part {number} was requested, the server sent {info.content_range!r}")
        return extent

    def close(self) -> None:
        """Stop reading. The connection is closed unless the body was read to its end."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def __del__(self) -> None:
        # aiohttp's session and its connections refer to each other: without this, the socket would stay open until the client
        # is closed.
        body = self._body
        if body is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, and the connection with it
                # The last reference may be dropped in any thread.
                self._loop.call_soon_threadsafe(body.close)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- the headers ----------------------------------------------------------------------------------------------

    @property
    def info(self) -> ObjectInfo:
        """The parsed headers. Raises `ConfigError` before the stream is open."""
        if self._info is None:
            raise ConfigError(f"{self._what}: not open yet: `async with client.objects.get(...) as obj`")
        return self._info

    @property
    def etag(self) -> str:
        """The ETag, with quotes."""
        return self.info.etag

    @property
    def size(self) -> int:
        """The size in bytes of the object, or of the range that was requested."""
        length = self.extent.length if self.extent is not None else None
        return self.info.size if length is None else length

    @property
    def content_type(self) -> str | None:
        """The media type that the object was stored with; None if the response has none."""
        return self.info.content_type

    @property
    def metadata(self) -> dict[str, str]:
        """The user metadata, with names in lower case."""
        return self.info.metadata

    @property
    def last_modified(self) -> datetime | None:
        """The time when the object was stored; None if the response has none."""
        return self.info.last_modified

    @property
    def version_id(self) -> str | None:
        """The version id; None if the bucket has no versioning."""
        return self.info.version_id

    async def verification(self) -> Verification | None:
        """Return how to verify a multipart object, which the stream does not do.

        Sends requests for the sizes of the parts. None if the stream itself compares a checksum, if it is of a range only,
        or if there is no way to verify it.
        """
        return await find_verification(self._engine, self._operation, self.info) if self._needs_verification else None

    def skip_verification(self) -> None:
        """Do not compare the checksum at the end: the caller does it."""
        self._checksum = self._hashing = None

    # -- the bytes ------------------------------------------------------------------------------------------------

    async def chunk(self) -> bytes:
        """Return the next bytes, as many as have arrived, or an empty string at the end.

        Raises `IntegrityError` at the end if the bytes of a whole object do not have its checksum.
        """
        if self._body is None:
            raise ConfigError(f"{self._what}: not open: it is read inside `async with client.objects.get(...) as obj`")
        hashing = self._hashing
        if hashing is not None and hashing.is_full:
            # Before bytes are taken: a cancel during the wait loses none.
            await hashing.wait()
        data = await self._body.chunk()
        if self._checksum is not None:
            if not data:
                if hashing is not None:
                    await hashing.finish()
                # After an error the checksum is kept: reading on raises the error again.
                await verify_checksum(self._engine, self._operation, self._checksum, self._what)
                self.skip_verification()
            elif hashing is not None:
                hashing.add(data)
            else:
                self._checksum.update(data)
        return data

    async def read(self) -> bytes:
        """Return the rest of the body.

        If the read is cancelled midway, the bytes it has taken are lost: reading on raises `ConfigError`.
        """
        checksum = self._checksum
        limit = INLINE if checksum is None else min(INLINE, checksum.inline)
        if self._body is not None and (whole := self._body.take_whole(limit)) is not None:
            if checksum is not None:
                checksum.update(whole)
                await self.chunk()  # at the end: compares the checksum
            return whole
        first = await self.chunk()
        try:
            if not (data := await self.chunk()):
                return first
            # `BytesIO` grows in place and returns its bytes without a copy; joining a list needs twice the memory.
            buffer = io.BytesIO()
            buffer.write(first)
            while data:
                buffer.write(data)
                data = await self.chunk()
        except IntegrityError:
            raise
        except BaseException:
            self._invalidate()
            raise
        return buffer.getvalue()

    def _invalidate(self) -> None:
        if self._body is not None:
            self._body.invalidate()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._each()

    async def _each(self) -> AsyncIterator[bytes]:
        if not (data := await self.chunk()):
            return
        yield data
        try:
            while data := await self.chunk():
                yield data
        except ConfigError:
            # Another task is reading, and would not notice that the bytes yielded here are missing.
            self._invalidate()
            raise

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        """Iterate over the rest in chunks of `size` bytes; the last may be shorter.

        Raises `ConfigError` if `size` is below 1.
        """
        if size < 1:
            raise ConfigError(f"a chunk has at least 1 byte, not {size}")
        buffer = bytearray()
        try:
            while data := await self.chunk():
                buffer += data
                while len(buffer) >= size:
                    chunk = bytes(buffer[:size])
                    del buffer[:size]
                    yield chunk
        except IntegrityError:
            raise
        except BaseException:
            if buffer:
                self._invalidate()
            raise
        if buffer:
            yield bytes(buffer)


def _make_reopen(engine: Engine, operation: GetObject, etag: str, deadline: float | None) -> Reopen:
    """Return the function that requests the rest of a body.

    It has no reference to the stream, so that a stream that its user drops is deleted.
    """
    connections = engine.connections

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        if engine.connections is not connections:
            # The client would open new connections, and nothing would close them.
            what = f"GetObject {resource_of(operation)}"
            raise ConfigError(f"{what}: the client was closed while this body was being read; open the object again to read it")
        pinned = replace(operation, range=ByteRange(first, last), part_number=None, if_match=etag)
        # The first response has met these conditions; a date among them may not hold any more.
        pinned = replace(pinned, if_none_match=None, if_modified_since=None, if_unmodified_since=None)
        if deadline is not None:
            pinned = replace(pinned, timeout=deadline - asyncio.get_running_loop().time())
        return await engine.open(pinned)

    return reopen


def verifies(engine: Engine, operation: GetObject) -> bool:
    """Return True if the bytes of a read are compared with a checksum."""
    return engine.config.verify_reads if operation.verify_reads is None else operation.verify_reads


def open_object(engine: Engine, operation: GetObject) -> ObjectStream:
    """Return a stream of an object; nothing is sent before `async with`."""
    return ObjectStream(engine, operation)
