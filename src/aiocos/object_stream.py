"""An object that is being read."""

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
from aiocos.integrity import Checksum, ChecksumKind, Verification, check, checksum_of, find_verification
from aiocos.net.hashing import INLINE, run_in_hash_pool
from aiocos.net.stream import BodyStream, Reopen
from aiocos.net.streamed_response import StreamedResponse
from aiocos.operations.objects import GetObject, ObjectInfo
from aiocos.response_errors import resource_of
from aiocos.wire import digest
from aiocos.wire.bind import from_response
from aiocos.wire.message import Response
from aiocos.wire.ranges import ByteRange, Extent


class ObjectStream:
    """An object's content, read as it arrives, and what the service says of the object.

    ::

        async with client.objects.get("bucket", "key") as obj:
            async for chunk in obj: ...

    A connection that breaks is taken up again at the byte where it broke, pinned to the ETag. A whole object is compared with
    its checksum at the end: `IntegrityError` where they disagree, after the last chunk. Of an object made of parts the answer
    has none: `client.objects.read` and `client.download` ask for what it takes, a stream is not compared.

    A stream has one reader at a time, and ends with its `async with` or with its client: `ConfigError` for whoever reads on. A
    response that holds other bytes than those asked for is a `ProtocolError`. A stream that is dropped closes its connection.
    """

    def __init__(self, engine: Engine, operation: GetObject, exchange: StreamedResponse | None = None) -> None:
        self._engine = engine
        self._operation = operation
        self._what = f"GetObject {resource_of(operation)}"
        self._info: ObjectInfo | None = None
        self._body: BodyStream | None = None
        self._proof: Checksum | None = None
        self._open_question = False
        self.extent: Extent | None = None
        """The bytes of the object that this body holds; None before it is open."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening = False
        # An answer that has begun already.
        self._begun = exchange

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
        exchange, self._begun = self._begun or await self._engine.open(self._operation), None
        try:
            self._info = info = from_response(ObjectInfo, Response(exchange.status, exchange.headers))
            if not info.etag and (info.content_type or "").partition(";")[0].strip().lower() == "text/html":
                # Every object has an ETag, and a proxy's page has none.
                raise ProtocolError(f"{self._what}: the {exchange.status} answer is a web page without an ETag, and no object")
            self._check_version(info)
            self.extent = extent = self._extent(exchange, info)
            self._body = BodyStream(
                exchange,
                what=self._what,
                extent=extent,
                reopen=_reopening(self._engine, self._operation, info.etag, deadline) if info.etag else None,
                retry=self._engine.config.retry,
                budget=self._engine.budget,
                deadline=deadline,
            )
            if extent.is_whole and self._engine.config.verify_reads and not self._operation.part_number:
                self._proof = checksum_of(info)
                self._open_question = self._proof is None
        except BaseException:
            exchange.close()
            raise

    def _check_version(self, info: ObjectInfo) -> None:
        """Hold the answer against If-Match: some servers (rclone) ignore it, and ranges of two versions would be mixed."""
        wanted = self._operation.if_match
        if not wanted or wanted == "*" or "," in wanted:
            return
        if not info.etag:
            raise ProtocolError(f"{self._what}: asked for the version {wanted}, the answer does not say which one it is of")
        if digest.bare(wanted) != digest.bare(info.etag):
            raise PreconditionFailed(
                f"the object has the ETag {info.etag}, not {wanted}",
                status=412,
                code="PreconditionFailed",
                resource=resource_of(self._operation),
                request_id=info.request_id,
                operation=self._operation.spec.name,
            )

    def _extent(self, exchange: StreamedResponse, info: ObjectInfo) -> Extent:
        """Return what of the object the body holds; `ProtocolError` where that is not what was asked for."""
        asked, number = self._operation.range, self._operation.part_number
        if isinstance(asked, str):
            asked = ByteRange.from_wire(asked)
        try:
            extent = Extent.of(asked, exchange.status, info.content_range, info.content_length, part=number is not None)
        except ValueError as error:
            raise ProtocolError(f"{self._what}: {error}") from error
        # A server that knows no ranges, or no parts, sends the whole object. Better said than guessed.
        if asked is not None and not extent.answers(asked):
            raise ProtocolError(f"{self._what}: asked for {asked.to_wire()}, the server answered with the whole object")
        if number is not None and info.content_range is None:
            raise ProtocolError(f"{self._what}: asked for part {number}, got the whole object")
        if number is not None and (extent.first == 0) != (number == 1):
            raise ProtocolError(f"{self._what}: asked for part {number}, got {info.content_range!r}")
        return extent

    def close(self) -> None:
        """Drop the rest."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def __del__(self) -> None:
        # aiohttp's session and its connections refer to each other: without this, the socket stays until the client is closed.
        body = self._body
        if body is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, and the connection with it
                # The last reference may go in any thread.
                self._loop.call_soon_threadsafe(body.close)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- what the service says ------------------------------------------------------------------------------------

    @property
    def info(self) -> ObjectInfo:
        """Everything the answer says of the object."""
        if self._info is None:
            raise ConfigError(f"{self._what}: not open yet: `async with client.objects.get(...) as obj`")
        return self._info

    @property
    def etag(self) -> str:
        """The ETag, with its quotes."""
        return self.info.etag

    @property
    def size(self) -> int:
        """The bytes of this body: of the object, or of the range that was asked for."""
        length = self.extent.length if self.extent is not None else None
        return self.info.size if length is None else length

    @property
    def content_type(self) -> str | None:
        """The media type it was stored with."""
        return self.info.content_type

    @property
    def metadata(self) -> dict[str, str]:
        """User metadata, names in lower case."""
        return self.info.metadata

    @property
    def last_modified(self) -> datetime | None:
        """When it was stored."""
        return self.info.last_modified

    @property
    def version_id(self) -> str | None:
        """Its version, in a versioned bucket."""
        return self.info.version_id

    async def verification(self) -> Verification | None:
        """Ask what vouches for a whole object, where the answer to the read did not say: an object made of parts.

        None where nothing does, or where what was read has been compared.
        """
        return await find_verification(self._engine, self._operation, self.info) if self._open_question else None

    def skip_verification(self) -> None:
        """Leave the comparison with the checksum to the caller."""
        self._proof = None

    # -- the bytes ------------------------------------------------------------------------------------------------

    async def chunk(self) -> bytes:
        """Return the next bytes as they came, of any number; empty at the end."""
        if self._body is None:
            raise ConfigError(f"{self._what}: not open: it is read inside `async with client.objects.get(...) as obj`")
        data = await self._body.chunk()
        if self._proof is not None:
            if data:
                self._proof.update(data)
            else:
                # Whoever reads on after bytes that do not agree is told again.
                await check(self._engine, self._operation, self._proof, self._what)
                self._proof = None
        return data

    async def read(self) -> bytes:
        """Read the rest, whole.

        A read that is given up midway (by a cancel, a deadline) has taken bytes that nobody gets any more: `ConfigError` for
        whoever reads on.
        """
        first = await self.chunk()
        try:
            if not (data := await self.chunk()):
                return first
            # Grows in place and gives its bytes away uncopied; joining a list holds everything twice.
            buffer = io.BytesIO()
            buffer.write(first)
            while data:
                buffer.write(data)
                data = await self.chunk()
        except IntegrityError:
            raise
        except BaseException:
            self._forfeit()
            raise
        return buffer.getvalue()

    def _forfeit(self) -> None:
        if self._body is not None:
            self._body.forfeit()

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
            # Another task is reading, and would not miss what was given away here.
            self._forfeit()
            raise

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        """Give the rest in chunks of exactly `size` bytes, the last one shorter."""
        if size < 1:
            raise ConfigError("the size of a chunk is at least 1 byte")
        kept = bytearray()
        try:
            while data := await self.chunk():
                kept += data
                while len(kept) >= size:
                    whole = bytes(kept[:size])
                    del kept[:size]
                    yield whole
        except IntegrityError:
            raise
        except BaseException:
            if kept:
                self._forfeit()
            raise
        if kept:
            yield bytes(kept)


def _reopening(engine: Engine, operation: GetObject, etag: str, deadline: float | None) -> Reopen:
    """Return what asks for the rest of a body. It does not refer to the stream, which shall go when its user drops it."""
    connections = engine.connections

    async def reopen(first: int, last: int | None) -> StreamedResponse:
        if engine.connections is not connections:
            # The client would open connections again that nobody closes.
            what = f"GetObject {resource_of(operation)}"
            raise ConfigError(f"{what}: the client was closed while this body was being read; open the object again to read it")
        pinned = replace(operation, range=ByteRange(first, last), part_number=None, if_match=etag)
        # The conditions of the first answer have been met; time that passed meanwhile must not turn them.
        pinned = replace(pinned, if_none_match=None, if_modified_since=None, if_unmodified_since=None)
        if deadline is not None:
            pinned = replace(pinned, timeout=deadline - asyncio.get_running_loop().time())
        return await engine.open(pinned)

    return reopen


def open_object(engine: Engine, operation: GetObject) -> ObjectStream:
    """Prepare to read an object; nothing is asked before `async with`."""
    return ObjectStream(engine, operation)


async def read_object(engine: Engine, operation: GetObject) -> bytes:
    """Read an object (or a range of it) into memory. Damaged bytes are asked for again before `IntegrityError` is raised."""
    loop = asyncio.get_running_loop()
    deadline = None if operation.timeout is None else loop.time() + operation.timeout
    for attempt in range(1, engine.config.retry.attempts + 1):
        if deadline is not None:
            operation = replace(operation, timeout=deadline - loop.time())
        exchange = await engine.open(operation)
        data = _small(operation, exchange) if engine.config.verify_reads else None
        if data is not None:
            return data
        try:
            async with ObjectStream(engine, operation, exchange) as stream:
                data = await stream.read()
                if evidence := await stream.verification():
                    await compare(evidence, data, f"GetObject {resource_of(operation)}")
                return data
        except IntegrityError:
            late = deadline is not None and loop.time() >= deadline
            if attempt == engine.config.retry.attempts or late or not engine.budget.take():
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _small(operation: GetObject, exchange: StreamedResponse) -> bytes | None:
    """A whole object that has arrived together with its head, and that its ETag proves.

    That is all there is to a small read. None where anything is otherwise, and nothing has happened then: the length, a range,
    another version, checksums of other kinds and damages are for `ObjectStream`.
    """
    etag = exchange.headers.get("ETag")
    length = exchange.headers.get("Content-Length", "")
    if (
        exchange.status != 200
        or etag is None
        or len(length) > 6
        or operation.range is not None
        or operation.part_number is not None
        or operation.if_match is not None
    ):
        return None
    data = exchange.arrived()
    if data is None or len(data) > INLINE or etag != f'"{digest.etag_of(data)}"' or "Content-Range" in exchange.headers:
        return None
    return data


async def compare(evidence: Verification, data: bytes, what: str) -> ChecksumKind | None:
    """Compare a whole object in memory with what vouches for it; `IntegrityError` where they disagree.

    Returns what did vouch for it; None where that turns out to mean nothing.
    """
    proof, otherwise = evidence.checksum, evidence.fallback
    while True:
        await run_in_hash_pool(proof.update, data) if len(data) > INLINE else proof.update(data)
        if proof.agrees or otherwise is None:
            break
        second, otherwise = await otherwise(), None
        if second is None:
            return None
        if second is proof:
            break
        proof = second
    return proof.kind if await evidence.check(proof, what) else None
