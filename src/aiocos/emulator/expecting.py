"""`Expect: 100-continue`: a client that sends its headers, and its body only when it is told to.

Two rules, for everything that is served here. Before a body is read, the client is asked for it. A final answer to a client
that was not asked ends the connection, and says so: the client may send its body all the same, or its next request instead,
and nothing tells which. Clients get this wrong in many ways, and all of them take `Connection: close`.
"""

from aiohttp import HttpVersion11, web

_ASKED = "aiocos-asked-for-the-body"


def _expects(request: web.BaseRequest) -> bool:
    # A client of HTTP/1.0 must not be sent an answer of this kind.
    return request.headers.get("Expect", "").lower() == "100-continue" and request.version >= HttpVersion11


def _was_asked(request: web.BaseRequest) -> bool:
    # The mapping that a request is takes other keys in aiohttp 3.14 than in 3.11.
    return _ASKED in vars(request)


async def ask_for_body(request: web.BaseRequest) -> None:
    """Tell the client to send its body, if it waits for that. To be called before the body is read."""
    if not _expects(request) or _was_asked(request):
        return
    vars(request)[_ASKED] = True
    writer = request.writer
    await writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    writer.output_size = 0


def close_if_waiting(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Let the connection end with this final answer, if its client waits to be asked or still sends its body."""
    if not _expects(request):
        return
    content = request.content
    sent_unasked = content.is_eof() and bool(request.content_length)
    if not content.is_eof() or not (_was_asked(request) or sent_unasked):
        response.force_close()
