"""`StreamingBody`: the content of an object, read while it is received."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from aiocos.errors import ConnectionLostError
from aiocos.ibm_boto3.exceptions import ResponseStreamingError, translate_errors
from aiocos.object_stream import ObjectStream

_CHUNK = 1024


class _translate_body_errors(translate_errors):
    """Raise errors as botocore does while a body is read."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("GetObject")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, ConnectionLostError):
            raise ResponseStreamingError(str(error)) from error
        super().__exit__(kind, error, trace)


class StreamingBody:
    """The content of an object, `response["Body"]`.

    The methods are those of botocore's class, to be awaited.

    ::

        response = await client.get_object(Bucket="photos", Key="a.jpg")
        async with response["Body"] as body:
            async for chunk in body.iter_chunks(65536): ...

    The body holds a connection until it is read to the end or closed. If the connection breaks, the read is resumed at the same
    byte. A whole object is compared with its checksum at the end.
    """

    def __init__(self, stream: ObjectStream) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._ended = self._closed = False
        self._position = 0

    async def read(self, amt: int | None = None) -> bytes:
        """Return the next bytes; empty at the end.

        Args:
            amt: Bytes to return, fewer only at the end; None returns the rest.

        Raises:
            ResponseStreamingError: The connection broke and could not be resumed.
            FlexibleChecksumError: The bytes do not match the checksum of the object.
        """
        if amt is None or amt < 0:
            whole = b""
            if not self._ended:
                with _translate_body_errors():
                    whole = await self._stream.read()
                self._ended = True
            if self._buffer:  # only now, so that a cancelled read loses nothing
                whole = bytes(self._buffer) + whole
                self._buffer.clear()
            self._position += len(whole)
            return whole
        while len(self._buffer) < amt and await self._fill_buffer():
            pass
        with memoryview(self._buffer) as view:  # a slice of the buffer would be one more copy
            data = bytes(view[:amt])
        del self._buffer[:amt]
        self._position += len(data)
        return data

    async def _fill_buffer(self) -> bool:
        if self._ended:
            return False
        with _translate_body_errors():
            chunk = await self._stream.chunk()
        self._ended = not chunk
        self._buffer += chunk
        return not self._ended

    async def readinto(self, b: bytearray | memoryview) -> int:
        """Read into a buffer; return the number of bytes, 0 at the end."""
        view = memoryview(b).cast("B")
        data = await self.read(len(view))
        view[: len(data)] = data
        return len(data)

    async def iter_chunks(self, chunk_size: int = _CHUNK) -> AsyncIterator[bytes]:
        """Yield the rest in chunks of `chunk_size` bytes; the last one may be shorter."""
        while chunk := await self.read(chunk_size):
            yield chunk

    async def iter_lines(self, chunk_size: int = _CHUNK, keepends: bool = False) -> AsyncIterator[bytes]:
        """Yield the rest line by line. Lines end with `\\n`, `\\r` or `\\r\\n`.

        Args:
            chunk_size: Bytes that are read at a time; 1,024 by default.
            keepends: Leave the line breaks on the lines.
        """
        # The pieces of an incomplete line. They are joined once: a line may span thousands of chunks.
        pending: list[bytes] = []
        async for chunk in self.iter_chunks(chunk_size):
            if pending and pending[-1].endswith(b"\r") and not chunk.startswith(b"\n"):
                yield _line(pending, keepends)
            lines = chunk.splitlines(keepends=True)
            for line in lines[:-1]:
                pending.append(line)
                yield _line(pending, keepends)
            pending.append(lines[-1])
            if lines[-1].endswith(b"\n"):
                yield _line(pending, keepends)
        if pending:
            yield _line(pending, keepends)

    async def readlines(self) -> list[bytes]:
        """Return the rest as a list of lines, with their line breaks."""
        return [line async for line in self.iter_lines(keepends=True)]

    def tell(self) -> int:
        """Return the number of bytes read so far."""
        return self._position

    async def readline(self) -> bytes:
        """Return the next line, up to and including `\\n`; empty at the end."""
        seen = 0
        while (at := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if not await self._fill_buffer():
                break
        return await self.read(at + 1 if at >= 0 else None)

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return False: a body cannot be written to."""
        return False

    def seekable(self) -> bool:
        """Return False: a body is read in order."""
        return False

    @property
    def closed(self) -> bool:
        """True if the body was closed."""
        return self._closed

    def close(self) -> None:
        """Discard the rest and release the connection."""
        self._ended = self._closed = True
        self._buffer.clear()
        self._stream.close()

    def __del__(self) -> None:
        # As in botocore, it is not an error to leave a body unread: close its connection without a warning.
        with suppress(RuntimeError):  # the event loop is closed, and the connection with it
            self._stream.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if chunk := await self.read(_CHUNK):
            return chunk
        raise StopAsyncIteration

    if not TYPE_CHECKING:  # checkers refuse the loop themselves

        def __iter__(self) -> NoReturn:
            raise TypeError("a body is read from the network: write `async for`, or pass on `io.BytesIO(await body.read())`")

    async def __aenter__(self) -> StreamingBody:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _line(pieces: list[bytes], keepends: bool) -> bytes:
    """Join the pieces of a line and clear the list."""
    line = b"".join(pieces)
    pieces.clear()
    return line if keepends else line.splitlines()[0]
