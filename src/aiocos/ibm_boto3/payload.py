"""Bodies of requests, read to the end before the request is sent.

A retry needs the bytes again, so a file or a stream is read as a whole. `read(n)` may return fewer bytes than are left (pipes,
sockets, raw files, decompressors), so only an empty result counts as the end.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable
from typing import Any, cast

from aiocos.ibm_boto3.exceptions import FlexibleChecksumError, ParamValidationError, TextBodyError
from aiocos.operations.multipart import UploadPart
from aiocos.operations.objects import PutObject
from aiocos.transfer.files import in_thread
from aiocos.wire.message import Bytes

_READ_SIZE = 1024 * 1024
_ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


async def read_body(body: Any, length: int | None) -> Bytes:
    """Return all bytes of a body.

    Args:
        body: Bytes, a binary file, an object whose `read` is async, or an async iterator of bytes.
        length: `ContentLength`: no more bytes than that are read of a file. None reads to the end.

    Raises:
        ParamValidationError: The body has fewer bytes than `length`, or returns text.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        return cast("Bytes", body)
    if _accepts_size(body):
        pieces = await _read_sized(body.read, length)
    elif isinstance(body, AsyncIterable):
        pieces = [_as_bytes(chunk) async for chunk in cast("AsyncIterable[Any]", body)]
    else:
        pieces = await _read_unsized(body.read)
    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if length is not None and length != len(data):
        raise ParamValidationError(f"Invalid value for parameter ContentLength: {length}, the body has {len(data)} bytes")
    return data


def _accepts_size(body: Any) -> bool:
    """Return True if a body's `read` accepts a size."""
    read = getattr(body, "read", None)
    try:
        return read is not None and bool(inspect.signature(read).bind(1))
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return True


async def _read_sized(read: Any, length: int | None) -> list[bytes]:
    pieces: list[bytes] = []
    left = length
    awaited = inspect.iscoroutinefunction(read)
    while left is None or left > 0:
        size = _READ_SIZE if left is None else min(left, _READ_SIZE)
        found: list[Any]
        if awaited:
            found = [_as_bytes(await read(size))]
        else:
            found = await in_thread(_read_to_end, read, size, left)
            if len(found) == 1 and inspect.isawaitable(found[0]):
                # A wrapper may be a plain function that returns an awaitable.
                found = [_as_bytes(await cast("Any", found[0]))]
        pieces += found
        got = sum(map(len, found))
        if not found[-1]:
            break
        left = None if left is None else left - got
    return [piece for piece in pieces if len(piece)]


def _read_to_end(read: Any, size: int, left: int | None) -> list[Any]:
    """Read pieces until the end, or until `left` bytes are read, in one thread.

    If `read` returns an awaitable, only that awaitable is returned, for the caller to await.
    """
    pieces: list[Any] = []
    while left is None or left > 0:
        piece = read(size if left is None else min(left, size))
        if inspect.isawaitable(piece):
            return [piece]
        pieces.append(_as_bytes(piece))
        if not len(piece):
            break
        left = None if left is None else left - len(piece)
    return pieces


async def _read_unsized(read: Any) -> list[bytes]:
    """Call a `read` that accepts no size until it returns nothing."""
    pieces: list[bytes] = []
    while True:
        found = read() if inspect.iscoroutinefunction(read) else await in_thread(read)
        piece = _as_bytes(await found if inspect.isawaitable(found) else found)
        if not len(piece):
            return pieces
        pieces.append(piece)


def _as_bytes(piece: Any) -> bytes:
    """Return a piece of a body as bytes.

    Raises:
        ParamValidationError: The piece is text, None or another value that is not bytes-like.
    """
    if isinstance(piece, str):
        raise TextBodyError()
    if piece is None:
        raise ParamValidationError(
            "Invalid value for parameter Body: its read() returned None, so it is non-blocking and has no data yet; "
            "pass a blocking file or an async iterator"
        )
    if isinstance(piece, bytes):
        return piece
    if not isinstance(piece, bytearray | memoryview):
        raise ParamValidationError(f"Invalid value for parameter Body: its read() returned {type(piece).__name__}, not bytes")
    # A copy: the owner may reuse the memory for the next piece.
    return bytes(cast("memoryview", piece))


def name_checksum(operation: PutObject | UploadPart) -> None:
    """Check the name of `ChecksumAlgorithm`.

    The typed client computes the checksum. The name may be in upper or lower case.
    """
    if (given := operation.sdk_checksum_algorithm) is None:
        return
    if (name := given.upper()) not in _ALGORITHMS:
        raise FlexibleChecksumError(f"Unsupported checksum algorithm: {given}")
    operation.sdk_checksum_algorithm = name
