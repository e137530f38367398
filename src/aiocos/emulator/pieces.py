"""Pieces of a request's body: waited for, but not for ever.

A body whose HTTP chunks are malformed in the middle, and not in the packet that its headers came in, is one of which aiohttp's
parser gives no more, and tells nobody who reads: the request would wait as long as its client stays.
"""

import asyncio
from collections.abc import Iterable

from aiohttp import ClientPayloadError, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError

from aiocos.emulator.expecting import ask_for_body
from aiocos.errors import IncompleteBody, InvalidRequest

MAX_IDLE = 60.0
"""Seconds that a body may stand still before its request is answered 400 `RequestTimeout`, as S3 does."""

_LOOK = 0.5  # seconds between two looks at a connection that brings nothing


async def next_piece(request: web.BaseRequest) -> bytes:
    """Wait for more of a body; b"" at its end. `IncompleteBody` where no more can come, or none does for `MAX_IDLE` seconds."""
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
    """Read a body of at most `limit` bytes; `InvalidRequest` for a larger one."""
    await ask_for_body(request)
    body = bytearray()
    while piece := await next_piece(request):
        body += piece
        if len(body) > limit:
            raise InvalidRequest(f"a body of more than {limit} bytes", status=400, code="MaxMessageLengthExceeded")
    return bytes(body)


def _is_unreadable(request: web.BaseRequest) -> bool:
    # aiohttp queues its refusal behind the request that is being served. If it ever stops doing so, MAX_IDLE is left.
    queued: Iterable[tuple[object, object]] = getattr(request.protocol, "_messages", ())
    return any(not isinstance(message, RawRequestMessage) for message, _ in queued)
