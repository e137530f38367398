"""Support for `Expect: 100-continue`.

The client waits for `100 Continue` before it sends the body.

Two rules hold for every request. Before reading a body, the emulator sends `100 Continue`. If it sends a final response without
having asked for the body, it closes the connection and says so with `Connection: close`: the client may send the body anyway,
or its next request, and the server cannot tell which. Clients handle this case in different ways, but all of them accept
`Connection: close`.
"""

from aiohttp import HttpVersion11, web

_CONTINUE_SENT = "aiocos-sent-continue"


def _expects(request: web.BaseRequest) -> bool:
    # HTTP/1.0 has no interim responses.
    return request.headers.get("Expect", "").lower() == "100-continue" and request.version >= HttpVersion11


def _is_continue_sent(request: web.BaseRequest) -> bool:
    # Stored in the instance dictionary: as a mapping, a request accepts other keys in aiohttp 3.14 than in 3.11.
    return _CONTINUE_SENT in vars(request)


async def ask_for_body(request: web.BaseRequest) -> None:
    """Send `100 Continue` if the client waits for it.

    Call this before reading the body.
    """
    if not _expects(request) or _is_continue_sent(request):
        return
    vars(request)[_CONTINUE_SENT] = True
    writer = request.writer
    await writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    writer.output_size = 0


def close_if_waiting(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Close the connection after this response if a body may follow it.

    A body may follow if the client still waits for `100 Continue`, or is sending its body.
    """
    if not _expects(request):
        return
    content = request.content
    sent_without_waiting = content.is_eof() and bool(request.content_length)
    if not content.is_eof() or not (_is_continue_sent(request) or sent_without_waiting):
        response.force_close()
