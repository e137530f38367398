"""Send the emulator's responses.

Every response gets the common headers. Its body may come from the store, and a scripted fault (see `emulator.faults`) may cut or
corrupt it.

Content in one file is sent with `sendfile`, without passing through Python. Content in several pieces, or damaged by a fault,
is read in chunks of 1 MiB.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from aiocos.emulator import faults
from aiocos.emulator.expect_continue import close_if_waiting
from aiocos.emulator.faults import Fault, FlipBit, Reset, Truncate
from aiocos.emulator.store import Segment, Store, objects
from aiocos.emulator.store.blobs import CHUNK
from aiocos.wire.message import Response

SERVER = "Cleversafe/3.17.11"
_NO_BODY = frozenset({204, 304})

Piece = bytes | Segment


def send_json(status: int, body: Any, headers: Mapping[str, str]) -> web.Response:
    """Build a JSON response of IAM."""
    return web.json_response(body, status=status, headers={"Server": "aiocos-emulator", **headers})


async def send(
    request: web.BaseRequest,
    response: Response,
    extra: Mapping[str, str],
    request_id: str,
    content: tuple[Segment, ...] | None,
    store: Store,
    active: Sequence[Fault],
) -> web.StreamResponse:
    """Send a response with its own body, or with the content of an object.

    `active` are the faults that apply to this response.
    """
    headers: CIMultiDict[str] = CIMultiDict(response.headers)
    for name, value in extra.items():
        headers.setdefault(name, value)
    headers["X-Clv-Request-Id"] = request_id
    headers["x-amz-request-id"] = request_id
    headers["X-Clv-S3-Version"] = "2.5"
    headers["Server"] = SERVER
    headers.setdefault("Accept-Ranges", "bytes")
    if request.method == "HEAD" or response.status in _NO_BODY:
        if response.body:
            # HEAD sends no error document, so it has no content type.
            headers.popall("Content-Type", None)
        elif response.status not in _NO_BODY:
            headers.setdefault("Content-Length", "0")
        return web.Response(status=response.status, headers=headers)
    # No await between reading the row, the pins and the database: a deletion in between would remove the blob.
    pieces = _pieces(content, store) if content else [response.body] if response.body else []
    if not any(isinstance(f, Truncate | FlipBit | Reset) for f in active):
        if all(isinstance(p, bytes) for p in pieces):
            body = b"".join(p for p in pieces if isinstance(p, bytes))
            headers["Content-Length"] = str(len(body))
            return web.Response(status=response.status, headers=headers, body=body)
        with store.blobs.pinned(content or ()):
            return await _stream(request, response.status, headers, pieces, store)
    with store.blobs.pinned(content or ()):
        return await _send_faulty(request, response.status, headers, pieces, store, active)


def _pieces(content: tuple[Segment, ...], store: Store) -> list[Piece]:
    pieces: list[Piece] = []
    for segment in content:
        data = objects.read_inline(store.connection, segment.blob)
        pieces.append(segment if data is None else data[segment.offset : segment.offset + segment.length])
    return pieces


def _length(pieces: Sequence[Piece]) -> int:
    return sum(len(p) if isinstance(p, bytes) else p.length for p in pieces)


async def _begin(
    request: web.BaseRequest, status: int, headers: CIMultiDict[str], pieces: Sequence[Piece]
) -> web.StreamResponse:
    headers["Content-Length"] = str(_length(pieces))
    response = web.StreamResponse(status=status, headers=headers)
    close_if_waiting(request, response)
    await response.prepare(request)
    return response


async def _stream(
    request: web.BaseRequest, status: int, headers: CIMultiDict[str], pieces: Sequence[Piece], store: Store
) -> web.StreamResponse:
    response = await _begin(request, status, headers, pieces)
    for piece in pieces:
        if isinstance(piece, bytes):
            await response.write(piece)
        else:
            await _send_file(request, response, piece, store)
    await response.write_eof()
    return response


async def _send_file(request: web.BaseRequest, response: web.StreamResponse, piece: Segment, store: Store) -> None:
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the client closed the connection")
    loop = asyncio.get_running_loop()
    try:
        with store.blobs.path(piece.blob).open("rb", buffering=0) as file:
            await loop.sendfile(transport, file, piece.offset, piece.length, fallback=False)
    except (asyncio.SendfileNotAvailableError, NotImplementedError):
        async for chunk in store.blobs.read(piece):
            await response.write(chunk)


async def _chunks(pieces: Sequence[Piece], store: Store) -> AsyncIterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            for at in range(0, len(piece), CHUNK):
                yield piece[at : at + CHUNK]
        else:
            async for chunk in store.blobs.read(piece):
                yield chunk


async def _send_faulty(
    request: web.BaseRequest,
    status: int,
    headers: CIMultiDict[str],
    pieces: Sequence[Piece],
    store: Store,
    active: Sequence[Fault],
) -> web.StreamResponse:
    stop, reset, flip = _length(pieces), False, None
    for fault in active:
        if isinstance(fault, Truncate):
            stop = min(stop, fault.after)
        elif isinstance(fault, Reset) and fault.sent is not None:
            stop, reset = min(stop, fault.sent), True
        elif isinstance(fault, FlipBit):
            flip = fault.at
    response = await _begin(request, status, headers, pieces)
    sent = 0
    async for chunk in _chunks(pieces, store):
        if flip is not None and sent <= flip < sent + len(chunk):
            at = flip - sent
            chunk = chunk[:at] + bytes([chunk[at] ^ 1]) + chunk[at + 1 :]
        chunk = chunk[: stop - sent]
        if chunk:
            await response.write(chunk)
            sent += len(chunk)
        if sent >= stop:
            break
    if sent < _length(pieces):
        await _close_early(request, reset=reset)
        raise ConnectionResetError("connection closed by a fault")
    await response.write_eof()
    return response


async def _close_early(request: web.BaseRequest, *, reset: bool) -> None:
    transport = request.transport
    if transport is None:
        return
    if reset:
        # Wait until the written bytes are sent: a reset discards what is still in the buffer.
        transport.set_write_buffer_limits(0)
        await request.writer.drain()
        faults.reset(transport)
    else:
        transport.close()
