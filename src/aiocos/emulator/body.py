"""Receive request bodies with little memory.

At most a few MiB of each body are in memory; they are hashed and written in worker threads.

While threads hash and write one block, the event loop receives the next. A body is stored only if it arrived completely and
matches the checksums sent in headers or trailers.
"""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

from aiocos.emulator import checksums
from aiocos.emulator.checksums import Sums
from aiocos.emulator.chunked import ChunkDecoder
from aiocos.emulator.expect_continue import ask_for_body
from aiocos.emulator.receive import next_piece
from aiocos.emulator.signature import SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER, VerifiedSignature, payload_hash
from aiocos.emulator.store.blobs import CHUNK, INLINE, Blob, Blobs, Writer
from aiocos.errors import EntityTooLarge, IncompleteBody, InvalidRequest, MissingContentLength, ServiceError

_WRITTEN = {"content-length": "Content-Length"}
_LENGTH = re.compile(r"[0-9]{1,19}")

MAX_DOCUMENT = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """A completely received body."""

    blob: Blob
    """The received bytes."""
    md5: bytes
    """MD5 of the bytes."""
    sums: dict[str, str]
    """Checksums that the client sent, in base64, by algorithm."""


class Incoming:
    """The body of one request, before it is received."""

    def __init__(self, request: web.BaseRequest, signed: VerifiedSignature | None, blobs: Blobs) -> None:
        self._request = request
        self._headers = request.headers
        self._signed = signed
        self._blobs = blobs
        self._promised = payload_hash(signed, self._headers)
        self._decoder: ChunkDecoder | None = None
        self.drop_after: int | None = None
        """Set by a fault: the connection breaks after this many bytes. None: it does not."""
        payload = signed.payload if signed else self._headers.get("x-amz-content-sha256", "")
        if payload.startswith("STREAMING-") or "aws-chunked" in self._headers.get("content-encoding", "").lower():
            self._decoder = ChunkDecoder(
                signed.check_chunk if signed else None, signed.check_trailer if signed else None, self._trailers()
            )

    def length(self) -> int:
        """Return the size of the object according to the headers.

        Raises `MissingContentLength` without such a header.
        """
        name = "x-amz-decoded-content-length" if self._decoder is not None else "content-length"
        text = self._headers.get(name)
        if text is None:
            raise MissingContentLength(
                f"You must provide the {_WRITTEN.get(name, name)} HTTP header.", status=411, code="MissingContentLength"
            )
        if not _LENGTH.fullmatch(text):
            raise InvalidRequest(f"{name} must be a number of bytes, not {text[:40]!r}", status=400, code="InvalidArgument")
        return int(text)

    def _trailers(self) -> set[str]:
        return {name.strip().lower() for name in ",".join(self._headers.getall("x-amz-trailer", [])).split(",")} - {""}

    def _announced(self) -> set[str]:
        names = {name for header, name in checksums.HEADERS.items() if header in self._headers}
        names |= {checksums.HEADERS[trailer] for trailer in self._trailers() & checksums.HEADERS.keys()}
        return names | ({"sha256"} if self._promised else set())

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        request, decoder, seen = self._request, self._decoder, 0
        await ask_for_body(request)
        while piece := await next_piece(request):
            seen += len(piece)
            if self.drop_after is not None and seen >= self.drop_after:
                raise ConnectionResetError("dropped by a fault")
            if decoder is None:
                yield piece
            elif data := b"".join(decoder.feed(piece)):
                yield data
        if decoder is not None:
            decoder.finish()

    async def document(self, *, checksums_are_its: bool) -> bytes:
        """Receive and verify an XML body.

        Raises `InvalidRequest` (MaxMessageLengthExceeded) above 8 MiB.

        `checksums_are_its` is False if the `x-amz-checksum-*` headers describe the object instead of this body.
        """
        self._check_announcements()
        chunks: list[bytes] = []
        size = 0
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                size += len(piece)
                if size > MAX_DOCUMENT:
                    raise InvalidRequest("Your request was too big.", status=400, code="MaxMessageLengthExceeded")
                chunks.append(piece)
        if self._decoder is not None and "x-amz-decoded-content-length" in self._headers:
            self._check_length(size, self.length(), ended=True)
        sums = Sums(self._announced())
        sums.update(chunks)
        self._check(sums, checksums.HEADERS if checksums_are_its else {})
        return b"".join(chunks)

    async def receive(self, limit: int) -> Arrival:
        """Receive an object or part into a blob.

        Raises `EntityTooLarge` above `limit` bytes.
        """
        length = self.length()
        if length > limit:
            raise EntityTooLarge("Your proposed upload exceeds the maximum allowed size.", status=400, code="EntityTooLarge")
        self._check_announcements()
        sums = Sums(self._announced())
        blob = await self._small(length, sums) if length <= INLINE else await self._large(length, sums)
        try:
            values = self._check(sums, checksums.HEADERS)
        except ServiceError:
            await self._blobs.discard(blob)
            raise
        return Arrival(blob, sums.md5, values)

    async def _small(self, length: int, sums: Sums) -> Blob:
        data = bytearray()
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                data += piece
                self._check_length(len(data), length, ended=False)
        self._check_length(len(data), length, ended=True)
        sums.update([bytes(data)])
        return Blob(length, bytes(data))

    async def _large(self, length: int, sums: Sums) -> Blob:
        run = self._blobs.workers.run
        writer = Writer(self._blobs)
        working: list[asyncio.Future[None]] = []

        async def work(chunks: list[bytes]) -> None:
            # One block at a time, hashed and written in parallel.
            await _all_done(working)
            working[:] = [run(sums.update, chunks), run(writer.put, chunks)]

        try:
            chunks: list[bytes] = []
            gathered = seen = 0
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    chunks.append(piece)
                    gathered += len(piece)
                    seen += len(piece)
                    self._check_length(seen, length, ended=False)
                    if gathered >= CHUNK:
                        await work(chunks)
                        chunks, gathered = [], 0
            self._check_length(seen, length, ended=True)
            await work(chunks)
            await _all_done(working)
            return await run(writer.finish)
        except BaseException:
            # Wait for threads that still write before the file is closed.
            await asyncio.gather(*working, return_exceptions=True)
            writer.discard()
            raise

    def _check_length(self, seen: int, length: int, *, ended: bool) -> None:
        if seen > length or (ended and seen < length):
            raise IncompleteBody(
                f"{length} bytes were announced, {'more' if seen > length else seen} arrived", status=400, code="IncompleteBody"
            )

    def _check_announcements(self) -> None:
        # Malformed checksums are refused before the body is read.
        trailers = self._trailers()
        if unknown := trailers - checksums.HEADERS.keys():
            message = f"The value specified in the x-amz-trailer header is not supported: {min(unknown)[:100]}"
            raise InvalidRequest(message, status=400, code="InvalidRequest")
        if trailers and self._decoder is None:
            raise InvalidRequest("x-amz-trailer is for aws-chunked bodies", status=400, code="InvalidRequest")
        if trailers and self._signed is not None and self._signed.payload == SIGNED_CHUNKS:
            # With this payload type, chunks are signed but trailers are not.
            message = f"x-amz-trailer needs x-amz-content-sha256: {SIGNED_CHUNKS_TRAILER}"
            raise InvalidRequest(message, status=400, code="InvalidRequest")
        if (md5 := self._headers.get("content-md5")) is not None:
            checksums.decode(md5, 16, "Content-MD5")
        for header, name in checksums.HEADERS.items():
            if (value := self._headers.get(header)) is not None:
                checksums.decode(value, checksums.LENGTHS[name], header)

    def _check(self, sums: Sums, headers: Mapping[str, str]) -> dict[str, str]:
        """Verify the checksums that the client sent. Returns them by algorithm, base64."""
        md5 = self._headers.get("content-md5")
        if md5 is not None and checksums.decode(md5, 16, "Content-MD5") != sums.md5:
            raise checksums.mismatch("Content-MD5")
        trailers = self._decoder.trailers if self._decoder is not None else {}
        values: dict[str, str] = {}
        for header, name in checksums.HEADERS.items():
            # A trailer always describes the body. If header and trailer are both present, both must match.
            for text in (self._headers.get(header) if header in headers else None, trailers.get(header)):
                if text is None:
                    continue
                announced, computed = checksums.decode(text, checksums.LENGTHS[name], header), sums.value(name)
                if computed is not None and computed != announced:
                    raise checksums.mismatch(header)
                values[name] = base64.b64encode(announced).decode()
        if self._promised is not None:
            computed = sums.value("sha256")
            if computed is None or computed.hex() != self._promised:
                raise ServiceError.by_code["XAmzContentSHA256Mismatch"](
                    "the x-amz-content-sha256 that was sent does not match the body that arrived",
                    status=400,
                    code="XAmzContentSHA256Mismatch",
                )
        return values

    def has_integrity(self) -> bool:
        """Return True if the request has a checksum of its body."""
        return "content-md5" in self._headers or bool(self._trailers()) or any(h in self._headers for h in checksums.HEADERS)


async def _all_done(working: "list[asyncio.Future[None]]") -> None:
    for future in working:
        await future
