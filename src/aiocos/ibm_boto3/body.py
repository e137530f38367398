"""`response["Body"]`: an object's content, read as it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import NoReturn

from aiocos.errors import ConnectionLostError
from aiocos.ibm_boto3.exceptions import ResponseStreamingError, understood
from aiocos.object_stream import ObjectStream

_CHUNK = 1024


@contextmanager
def _as_it_comes() -> Generator[None]:
    """Raise errors as botocore does of a body."""
    with understood("GetObject"):
        try:
            yield
        except ConnectionLostError as error:
            raise ResponseStreamingError(str(error)) from error


class StreamingBody:
    """The content of an object; botocore's methods, awaited.

    ::

        response = await client.get_object(Bucket="photos", Key="a.jpg")
        async with response["Body"] as body:
            async for chunk in body.iter_chunks(65536): ...

    It holds a connection until it is read to its end or closed; a connection that breaks is taken up again at the byte where it
    broke, and a whole object is compared with its checksum at the end.
    """

    def __init__(self, stream: ObjectStream) -> None:
        self._stream = stream
        self._kept = bytearray()
        self._ended = self._closed = False
        self._given = 0

    async def read(self, amt: int | None = None) -> bytes:
        """Read at most `amt` bytes, fewer only at the end; all of the rest without it."""
        if amt is None or amt < 0:
            whole = b""
            if not self._ended:
                with _as_it_comes():
                    whole = await self._stream.read()
                self._ended = True
            if self._kept:  # only now: a read that is given up leaves it to the next one
                whole = bytes(self._kept) + whole
                self._kept.clear()
            self._given += len(whole)
            return whole
        while len(self._kept) < amt and await self._more():
            pass
        data = bytes(self._kept[:amt])
        del self._kept[:amt]
        self._given += len(data)
        return data

    async def _more(self) -> bool:
        if self._ended:
            return False
        with _as_it_comes():
            chunk = await self._stream.chunk()
        self._ended = not chunk
        self._kept += chunk
        return not self._ended

    async def readinto(self, b: bytearray | memoryview) -> int:
        """Read into a buffer; return how many bytes."""
        view = memoryview(b).cast("B")
        data = await self.read(len(view))
        view[: len(data)] = data
        return len(data)

    async def iter_chunks(self, chunk_size: int = _CHUNK) -> AsyncIterator[bytes]:
        """Give the rest in chunks of `chunk_size` bytes, the last one shorter."""
        while chunk := await self.read(chunk_size):
            yield chunk

    async def iter_lines(self, chunk_size: int = _CHUNK, keepends: bool = False) -> AsyncIterator[bytes]:
        """Give the rest by lines: they end with `\\n`, `\\r` or `\\r\\n`, wherever the chunks are cut.

        The time is linear in the size, however long a line is. `keepends` leaves the line breaks on.
        """
        # The pieces of a line whose end has not come; joined once, since a line may have thousands of chunks.
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
        """Read the rest as a list of lines, with their ends."""
        return [line async for line in self.iter_lines(keepends=True)]

    def tell(self) -> int:
        """How many bytes were read."""
        return self._given

    async def readline(self) -> bytes:
        """Read the next line, up to `\\n` and with it; empty when there is none."""
        seen = 0
        while (at := self._kept.find(b"\n", seen)) < 0:
            seen = len(self._kept)
            if not await self._more():
                break
        return await self.read(at + 1 if at >= 0 else None)

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def writable(self) -> bool:
        """Whether it can be written to: never."""
        return False

    def seekable(self) -> bool:
        """Whether it can be read from another place: never."""
        return False

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Drop the rest, and free the connection."""
        self._ended = self._closed = True
        self._kept.clear()
        self._stream.close()

    def __del__(self) -> None:
        # As in botocore, a body that nobody reads is no error; its connection is closed here rather than complained of.
        with suppress(RuntimeError):  # the loop is closed, and the connection with it
            self._stream.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if chunk := await self.read(_CHUNK):
            return chunk
        raise StopAsyncIteration

    def __iter__(self) -> NoReturn:
        raise TypeError("a body comes by the network: write `async for`, or give `io.BytesIO(await body.read())` to a reader")

    async def __aenter__(self) -> StreamingBody:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _line(pieces: list[bytes], keepends: bool) -> bytes:
    """Join the pieces of one line, and forget them."""
    line = b"".join(pieces)
    pieces.clear()
    return line if keepends else line.splitlines()[0]
