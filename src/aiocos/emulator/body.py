"""Receive request bodies with little memory.

At most a few MiB of each body are in memory; they are hashed and written in worker threads.

While threads hash and write one block, the event loop receives the next. A body is stored only if it arrived completely and
matches the checksums sent in headers or trailers.
"""

import asyncio
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
from aiocos.wire.checksum import Algorithm

_WRITTEN = {"content-length": "Content-Length"}
_LENGTH = re.compile(r"[0-9]{1,19}")

MAX_DOCUMENT = 8 * 1024 * 1024
MAX_ON_LOOP = 256 * 1024
"""Bytes of the largest document that is hashed on the event loop."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A completely received body."""

    blob: Blob
    """The received bytes."""
    md5: bytes
    """MD5 of the bytes."""
    sums: dict[str, str]
    """The checksums that the client sent or the handler asked for, in base64, by algorithm."""


class Incoming:
    """The body of one request, before it is received."""

    def __init__(
        self, request: web.BaseRequest, signed: VerifiedSignature | None, blobs: Blobs, *, checksums: bool = True
    ) -> None:
        self._request = request
        self._knows_checksums = checksums
        self._headers = request.headers
        self._signed = signed
        self._blobs = blobs
        self._promised = payload_hash(signed, self._headers)
        self._sent: frozenset[Algorithm] | None = None
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

    def sent_algorithm(self) -> Algorithm | None:
        """Return the algorithm of the checksum of an object or part.

        None if the client sends none. Raises `InvalidRequest` if it sends several.
        """
        names = self._announced()
        if len(names) > 1:
            raise checksums.invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
        return next(iter(names), None)

    def _announced(self) -> frozenset[Algorithm]:
        """Return the algorithms of the checksums that the client sends."""
        if self._sent is None:
            trailers = self._trailers()
            self._sent = frozenset(
                name
                for header, name in checksums.HEADERS.items()
                if self._knows_checksums and (header in self._headers or header in trailers)
            )
        return self._sent

    def _new_sums(self, names: frozenset[Algorithm]) -> Sums:
        return Sums({*names, "sha256"} if self._promised else names)

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
        self._check_announcements(checksums.HEADERS if checksums_are_its else {})
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
        sums = self._new_sums(self._announced())
        if size > MAX_ON_LOOP:
            await self._blobs.workers.run(sums.update, chunks)
        else:
            sums.update(chunks)
        self._check(sums, checksums.HEADERS if checksums_are_its else {})
        return b"".join(chunks)

    async def receive(self, limit: int, compute: Algorithm | None) -> Arrival:
        """Receive an object or part into a blob.

        Raises `EntityTooLarge` above `limit` bytes.

        `compute` is a checksum to compute in addition to the one that the client sends.
        """
        length = self.length()
        if length > limit:
            raise EntityTooLarge("Your proposed upload exceeds the maximum allowed size.", status=400, code="EntityTooLarge")
        self._check_announcements(checksums.HEADERS)
        names: frozenset[Algorithm] = frozenset([*self._announced(), compute]) if compute else self._announced()
        sums = self._new_sums(names)
        blob = await self._small(length, sums) if length <= INLINE else await self._large(length, sums)
        try:
            self._check(sums, checksums.HEADERS)
        except ServiceError:
            await self._blobs.discard(blob)
            raise
        return Arrival(blob, sums.md5, {name: sums.text(name) for name in names})

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

    def _check_announcements(self, headers: Mapping[str, Algorithm]) -> None:
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
            checksums.decode_md5(md5)
        if self._knows_checksums:
            for header, name in headers.items():
                if (value := self._headers.get(header)) is not None:
                    checksums.decode(name, value)

    def _check(self, sums: Sums, headers: Mapping[str, Algorithm]) -> None:
        """Verify the checksums that the client sent.

        Headers that are not in `headers` are not verified.
        """
        md5 = self._headers.get("content-md5")
        if md5 is not None and checksums.decode_md5(md5) != sums.md5:
            raise checksums.mismatch("md5")
        trailers = self._decoder.trailers if self._decoder is not None else {}
        for name in self._announced():
            header = f"x-amz-checksum-{name}"
            text = self._headers.get(header) if header in headers else None
            # A trailer always describes the body. If header and trailer are both present, both must match.
            trailer = trailers.get(header)
            if (text is not None and checksums.decode(name, text) != sums.value(name)) or (
                trailer is not None and checksums.decode(name, trailer, "trailing header") != sums.value(name)
            ):
                raise checksums.mismatch(name)
        if self._promised is not None and sums.value("sha256").hex() != self._promised:
            raise ServiceError.by_code["XAmzContentSHA256Mismatch"](
                "the x-amz-content-sha256 that was sent does not match the body that arrived",
                status=400,
                code="XAmzContentSHA256Mismatch",
            )

    def has_integrity(self) -> bool:
        """Return True if the request has a checksum of its body."""
        return "content-md5" in self._headers or bool(self._announced())


async def _all_done(working: "list[asyncio.Future[None]]") -> None:
    for future in working:
        await future
