"""`aws-chunked`: a body within the body, cut into chunks that may be signed, with checksums behind the last.

::

    hex-size[;chunk-signature=hex] CRLF  bytes CRLF  …  0[;chunk-signature=hex] CRLF  [trailer: value CRLF …]  CRLF

The decoder is fed what arrives and gives back the bytes of the object. Where chunks are signed, a chunk is checked when it is
complete, so a decoder of signed chunks holds one chunk (SDKs send 64 KiB to some MiB; more than 16 MiB is refused).
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

from collections.abc import Callable

from aiocos.errors import IncompleteBody, InvalidRequest

MAX_LINE = 16 * 1024
MAX_SIGNED_CHUNK = 16 * 1024 * 1024

CheckChunk = Callable[[bytes, str], None]
"""Raises where a chunk does not have its signature."""
CheckTrailer = Callable[[bytes, str], None]


def _malformed(what: str) -> InvalidRequest:
    return InvalidRequest(f"the aws-chunked body is malformed: {what}", status=400, code="InvalidRequest")


class ChunkDecoder:
    """Takes the body apart. `trailers` are there when `done`."""

    def __init__(self, check: CheckChunk | None = None, check_trailer: CheckTrailer | None = None) -> None:
        self._check = check
        self._check_trailer = check_trailer
        self._buffer = bytearray()
        self._state = "size"
        self._left = 0
        self._signature = ""
        self._held = bytearray()
        self._raw_trailer = b""
        self.trailers: dict[str, str] = {}
        self.done = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived; returns what it holds of the object."""
        out: list[bytes] = []
        self._buffer += data
        while not self.done and self._step(out):
            pass
        return out

    def finish(self) -> None:
        """The body has ended; it must have been whole."""
        if not self.done:
            raise IncompleteBody("the aws-chunked body ended before its last chunk", status=400, code="IncompleteBody")

    def _step(self, out: list[bytes]) -> bool:
        if self._state == "data":
            return self._data(out)
        line = self._line()
        if line is None:
            return False
        if self._state == "end":
            if line:
                raise _malformed("no line break after a chunk")
            self._state = "size"
        elif self._state == "size":
            self._size(line)
        else:
            self._trailer(line)
        return True

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > MAX_LINE:
                raise _malformed("a line without end")
            return None
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    def _size(self, line: bytes) -> None:
        size, _, extension = line.decode("latin-1").partition(";")
        try:
            if not size.strip() or size.strip()[0] in "+-":
                raise ValueError
            self._left = int(size, 16)
        except ValueError:
            raise _malformed("a chunk without a size") from None
        self._signature = extension.strip().removeprefix("chunk-signature=")
        if self._check is not None and self._left > MAX_SIGNED_CHUNK:
            raise _malformed("a signed chunk above 16 MiB")
        if self._left == 0:
            if self._check is not None:
                self._check(b"", self._signature)
            self._state = "trailer"
        else:
            self._state = "data"

    def _data(self, out: list[bytes]) -> bool:
        if not self._buffer:
            return False
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        if self._check is None:
            out.append(piece)
        else:
            self._held += piece
        if self._left == 0:
            if self._check is not None:
                held = bytes(self._held)
                self._held.clear()
                self._check(held, self._signature)
                out.append(held)
            self._state = "end"
        return True

    def _trailer(self, line: bytes) -> None:
        if not line:
            signature = self.trailers.pop("x-amz-trailer-signature", "")
            if self._check_trailer is not None and self._raw_trailer:
                self._check_trailer(self._raw_trailer, signature)
            self.done = True
            return
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise _malformed("a trailer without a value")
        self.trailers[name.strip().lower()] = value.strip()
        if name.strip().lower() != "x-amz-trailer-signature":
            self._raw_trailer += f"{name.strip().lower()}:{value.strip()}\n".encode("latin-1")
