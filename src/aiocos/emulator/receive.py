"""Read request bodies piece by piece, with a limit on the time without data.

If an HTTP chunk is malformed in a later packet than the headers, aiohttp's parser stops without telling the reader: the request
would wait until the client disconnects.
"""

import asyncio
from collections.abc import Iterable

from aiohttp import ClientPayloadError, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError

from aiocos.emulator.expect_continue import ask_for_body
from aiocos.errors import IncompleteBody, InvalidRequest

MAX_IDLE = 60.0
"""Seconds without data after which a request fails with 400 `RequestTimeout`, as on S3."""

_LOOK = 0.5  # seconds between checks of a connection without data


async def next_piece(request: web.BaseRequest) -> bytes:
    """Return the next bytes of a body; b"" at its end.

    Raises `IncompleteBody` if the rest cannot be read, or if nothing arrives for `MAX_IDLE` seconds.
    """
    idle = 0.0
    while idle < MAX_IDLE:
        try:
            async with asyncio.timeout(_LOOK):
                return await request.content.readany()
        except TimeoutError:
            idle += _LOOK
        except (ClientPayloadError, HttpProcessingError, web.RequestPayloadError) as error:
            raise IncompleteBody(f"the body did not arrive whole: {error}", status=400, code="IncompleteBody") from error
        if _is_unreadable(request):
            raise IncompleteBody("the rest of the body cannot be read as HTTP", status=400, code="IncompleteBody")
    message = f"Your socket connection to the server was not read from or written to for {MAX_IDLE:g} s."
    raise IncompleteBody(message, status=400, code="RequestTimeout")


async def read_small(request: web.BaseRequest, limit: int = 1024 * 1024) -> bytes:
    """Read a body of at most `limit` bytes. Raises `InvalidRequest` for a larger one."""
    await ask_for_body(request)
    body = bytearray()
    while piece := await next_piece(request):
        body += piece
        if len(body) > limit:
            raise InvalidRequest(f"a body of more than {limit} bytes", status=400, code="MaxMessageLengthExceeded")
    return bytes(body)


def _is_unreadable(request: web.BaseRequest) -> bool:
    # aiohttp queues its error response behind the running request. If a version changes that, MAX_IDLE still applies.
    queued: Iterable[tuple[object, object]] = getattr(request.protocol, "_messages", ())
    return any(not isinstance(message, RawRequestMessage) for message, _ in queued)
