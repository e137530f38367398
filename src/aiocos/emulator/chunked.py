"""Decode `aws-chunked` bodies.

They consist of chunks that may be signed, followed by trailers with checksums.

::

    hex-size[;chunk-signature=hex] CRLF  bytes CRLF  …  0[;chunk-signature=hex] CRLF  [trailer: value CRLF …]  CRLF

The decoder takes the received bytes and returns the bytes of the object. A signed chunk can be verified only when it is
complete, so the decoder buffers one signed chunk (SDKs send 64 KiB to some MiB; more than 16 MiB is refused). Otherwise it
buffers at most one line. No bytes may follow the end, and the number and size of trailers are limited. Every announced trailer
must be present, and no other; signed trailers must be signed.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

import re
from collections.abc import Callable, Collection

from aiocos.config import MAX_PUT
from aiocos.errors import IncompleteBody, InvalidRequest

MAX_LINE = 16 * 1024
MAX_SIGNED_CHUNK = 16 * 1024 * 1024
MAX_TRAILERS = 16
MAX_TRAILER_BYTES = 16 * 1024
SIGNATURE = "x-amz-trailer-signature"

CheckChunk = Callable[[bytes, str], None]
"""Verify the signature of a chunk; raise if it does not match."""
CheckTrailer = Callable[[bytes, str], None]
"""Verify the signature of the trailers; raise if it does not match."""

# Stricter than int(), which accepts signs, spaces, prefixes and underscores.
_SIZE = re.compile(r"([0-9a-fA-F]{1,16})(?:;([\x20-\x7e]*))?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _malformed(what: str) -> InvalidRequest:
    return InvalidRequest(f"the aws-chunked body is malformed: {what}", status=400, code="InvalidRequest")


def _bad_trailer(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"The request contained trailing data that was not well-formed: {what}", status=400, code="MalformedTrailerError"
    )


class ChunkDecoder:
    """A decoder of one `aws-chunked` body.

    `trailers` are complete when `done` is True.

    `announced` are the names of the required trailers, in lower case; None accepts any. With `check_trailer` the trailers must
    be signed.
    """

    def __init__(
        self,
        check: CheckChunk | None = None,
        check_trailer: CheckTrailer | None = None,
        announced: Collection[str] | None = None,
    ) -> None:
        self._check = check
        self._check_trailer = check_trailer
        self._announced = announced
        self._buffer = bytearray()
        self._state = "size"
        self._left = 0
        self._signature = ""
        self._pending = bytearray()
        self._trailer_bytes = 0
        self.trailers: dict[str, str] = {}
        self.done = False

    def feed(self, data: bytes) -> list[bytes]:
        """Decode received bytes; return the bytes of the object in them."""
        out: list[bytes] = []
        self._buffer += data
        while not self.done and self._step(out):
            pass
        if self.done and self._buffer:
            raise _malformed("bytes after its end")
        return out

    def finish(self) -> None:
        """Raise `IncompleteBody` if the body ended before its last chunk."""
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

    def _line(self) -> str | None:
        end = self._buffer.find(b"\n", 0, MAX_LINE)
        if end < 0:
            if len(self._buffer) >= MAX_LINE:
                raise _malformed(f"a line of more than {MAX_LINE} bytes")
            if self._state == "end" and not b"\r\n".startswith(self._buffer[:2]):
                raise _malformed("no line break after a chunk")
            return None
        line = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 1]
        if not line.endswith("\r"):
            raise _malformed("a line that does not end with CR LF")
        return line[:-1]

    def _size(self, line: str) -> None:
        found = _SIZE.fullmatch(line)
        if found is None:
            raise _malformed("a chunk without a size in hexadecimal digits")
        self._left = int(found[1], 16)
        if self._left > MAX_PUT:
            raise _malformed("a chunk that is larger than any body")
        if self._check is not None and self._left > MAX_SIGNED_CHUNK:
            raise _malformed("a signed chunk above 16 MiB")
        self._signature = (found[2] or "").strip().removeprefix("chunk-signature=")
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
            self._pending += piece
        if self._left == 0:
            if self._check is not None:
                chunk = bytes(self._pending)
                self._pending.clear()
                self._check(chunk, self._signature)
                out.append(chunk)
            self._state = "end"
        return True

    def _trailer(self, line: str) -> None:
        if not line:
            self._end()
            return
        self._trailer_bytes += len(line)
        if self._trailer_bytes > MAX_TRAILER_BYTES or len(self.trailers) >= MAX_TRAILERS:
            raise _bad_trailer(f"more than {MAX_TRAILERS} trailers or {MAX_TRAILER_BYTES} bytes")
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not _NAME.fullmatch(name) or not value or not value.isascii() or not value.isprintable():
            raise _bad_trailer("a line that is not `name: value`")
        if name in self.trailers:
            raise _bad_trailer(f"{name} was sent twice")
        if self._announced is not None and name != SIGNATURE and name not in self._announced:
            raise _bad_trailer(f"{name} was not announced in x-amz-trailer")
        self.trailers[name] = value

    def _end(self) -> None:
        signature = self.trailers.pop(SIGNATURE, None)
        missing = sorted(set(self._announced or ()) - self.trailers.keys())
        if missing:
            raise _bad_trailer(f"{', '.join(missing)} was announced in x-amz-trailer and is missing")
        if self._check_trailer is not None:
            # In the order in which they were sent.
            lines = "".join(f"{name}:{value}\n" for name, value in self.trailers.items())
            self._check_trailer(lines.encode("latin-1"), signature or "")
        self.done = True
