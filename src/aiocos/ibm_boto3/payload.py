"""Bodies of requests: a file or a stream is read to its end before the request is made.

A request that is sent again needs its bytes. One `read(n)` may return fewer bytes than there are (pipes, sockets, raw files,
decompressors), so only an empty one counts as the end.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import AsyncIterable
from typing import Any, cast

from aiocos.ibm_boto3.exceptions import FlexibleChecksumError, ParamValidationError, TextBodyError
from aiocos.net.hashing import run_in_hash_pool
from aiocos.operations.multipart import UploadPart
from aiocos.operations.objects import PutObject
from aiocos.transfer.files import in_thread
from aiocos.wire import digest
from aiocos.wire.message import Bytes

_STEP = 1024 * 1024
# Checksums that are asked for by name and that nothing below computes.
_KNOWN = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
_HASHES = {"SHA1": "checksum_sha1"}


async def read_body(body: Any, length: int | None) -> Bytes:
    """Read a body whole: bytes, a file, an object with an awaitable `read`, an async iterator of bytes.

    With `length` (`ContentLength`) no more than so many bytes are read of a file. Raises `ParamValidationError` where there are
    fewer, and for text.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        return cast("Bytes", body)
    if _reads_by_size(body):
        pieces = await _by_size(body.read, length)
    elif isinstance(body, AsyncIterable):
        pieces = [_checked(chunk) async for chunk in cast("AsyncIterable[Any]", body)]
    else:
        pieces = await _in_pieces(body.read)
    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if length is not None and length != len(data):
        raise ParamValidationError(f"Invalid value for parameter ContentLength: {length}, the body has {len(data)} bytes")
    return data


def _reads_by_size(body: Any) -> bool:
    """Tell whether a body has a `read(size)`; a `read` without a size is asked in another way."""
    read = getattr(body, "read", None)
    try:
        return read is not None and bool(inspect.signature(read).bind(1))
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return True


async def _by_size(read: Any, length: int | None) -> list[bytes]:
    pieces: list[bytes] = []
    left = length
    awaited = inspect.iscoroutinefunction(read)
    while left is None or left > 0:
        size = _STEP if left is None else min(left, _STEP)
        found: list[Any]
        if awaited:
            found = [_checked(await read(size))]
        else:
            found = await in_thread(_read_on, read, size, left)
            if len(found) == 1 and inspect.isawaitable(found[0]):
                # A plain function that returns an awaitable, as wrappers have it.
                found = [_checked(await cast("Any", found[0]))]
        pieces += found
        got = sum(map(len, found))
        if not found[-1]:
            break
        left = None if left is None else left - got
    return [piece for piece in pieces if len(piece)]


def _read_on(read: Any, size: int, left: int | None) -> list[Any]:
    """Read in one thread to the end, or until `left` bytes are there; what is awaitable is given back after one call."""
    pieces: list[Any] = []
    while left is None or left > 0:
        piece = read(size if left is None else min(left, size))
        if inspect.isawaitable(piece):
            return [piece]
        pieces.append(_checked(piece))
        if not len(piece):
            break
        left = None if left is None else left - len(piece)
    return pieces


async def _in_pieces(read: Any) -> list[bytes]:
    """Read by a `read` that takes no size, until it gives nothing."""
    pieces: list[bytes] = []
    while True:
        found = read() if inspect.iscoroutinefunction(read) else await in_thread(read)
        piece = _checked(await found if inspect.isawaitable(found) else found)
        if not len(piece):
            return pieces
        pieces.append(piece)


def _checked(piece: Any) -> bytes:
    """Return a piece of a body; raises where it is none."""
    if isinstance(piece, str):
        raise TextBodyError()
    if piece is None:
        raise ParamValidationError(
            "Invalid value for parameter Body: its read() gave None: it does not block and has nothing yet; "
            "give a file that blocks, or an async iterator"
        )
    if isinstance(piece, bytes):
        return piece
    if not isinstance(piece, bytearray | memoryview):
        raise ParamValidationError(f"Invalid value for parameter Body: its read() gave {type(piece).__name__}, not bytes")
    # Its owner may use the memory again for the next piece.
    return bytes(cast("memoryview", piece))


async def add_checksum(operation: PutObject | UploadPart) -> None:
    """Compute the checksum that `ChecksumAlgorithm` asks for, where nothing below does; names are taken in any case."""
    if (asked := operation.sdk_checksum_algorithm) is None:
        return
    if (name := asked.upper()) not in _KNOWN:
        raise FlexibleChecksumError(f"Unsupported checksum algorithm: {asked}")
    operation.sdk_checksum_algorithm = name
    field = _HASHES.get(name)
    if field is not None and getattr(operation, field) is None:
        made = await run_in_hash_pool(hashlib.sha1, operation.data)
        setattr(operation, field, digest.encode(made.digest()))
