"""Errors on the wire: the `<Error>` document, and the exception it means."""

import math
import re
from collections.abc import Callable
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from aiocos.errors import AccessDenied, ObjectProtected, ServiceError
from aiocos.wire.document import Document, Element, XmlError, sayable
from aiocos.wire.message import Response
from aiocos.wire.retry_after import retry_after

# Any amount of white space may come first: it is how the service keeps the connection of a long copy open.
_ERROR_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(?:(?><\?.*?\?>)\s*+)?<Error[\s>]", re.DOTALL)

# So much of a body that is no error document is looked at; less of it is quoted.
_LOOKED_AT, _QUOTED = 128 * 1024, 200

_PROTECTING = ("retention", "legal hold", "protected", "object lock", "worm")


def _status(value: object) -> object:
    # What a gateway writes here must not cost the code that stands beside it.
    return None if isinstance(value, str) and not re.fullmatch("-?[0-9]{1,18}", value) else value


class ErrorDocument(Document):
    """What the service says when it says no. It has no namespace."""

    root: ClassVar[str] = "Error"
    namespace: ClassVar[str] = ""

    code: str = ""
    message: str = ""
    resource: str | None = None
    request_id: str | None = None
    status: Annotated[int | None, Element("httpStatusCode"), BeforeValidator(_status)] = None


def _as_it_is(text: str) -> str:
    return text


def read_error(
    response: Response,
    operation: str = "",
    resource: str = "",
    *,
    redact: Callable[[str], str] = _as_it_is,
    now: float | None = None,
) -> ServiceError:
    """Turn an error response into its exception. A body that is no error document (a proxy's page) is quoted in short.

    `redact` takes the secrets of the request out of what the server said. `now` (seconds since 1970) is what a date in
    `Retry-After` counts from where the response has no `Date`.
    """
    document = ErrorDocument()
    if response.body:
        try:
            document = ErrorDocument.from_xml(response.body)
        except XmlError:
            pass
        if not document.code:
            text = redact(response.body[:_LOOKED_AT].decode("utf-8", "replace"))
            document = ErrorDocument(message=" ".join(text[: 2 * _QUOTED].split())[:_QUOTED])
    return _error(document, response.status, response, operation, resource, redact, now)


def error_code(response: Response) -> str:
    """Return the code of an error document; empty where the body is none, as that of an answer to HEAD."""
    try:
        return ErrorDocument.from_xml(response.body).code if response.body else ""
    except XmlError:
        return ""


# Any gateway's: `<html>`, behind a declaration and comments or not. HTML is no XML, so its case says nothing.
_WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<!--.*?-->|<\?.*?\?>)*+<(?:!doctype\s+html|html|head|body)\b", re.DOTALL | re.IGNORECASE
)


def is_web_page(body: bytes) -> bool:
    """Tell whether a body is HTML: the page of a proxy, a firewall, a login."""
    return _WEB_PAGE.match(body) is not None


def error_in_success(response: Response) -> ServiceError | None:
    """Return the error that a 200 carries in its body, or None.

    The service sends the status before a long copy or completion is done; what went wrong afterwards can only be said in the
    body. Its root element decides, not a search for a substring: an object's key may hold the word.
    """
    if _ERROR_ROOT.match(response.body) is None:
        return None
    try:
        document = ErrorDocument.from_xml(response.body)
    except XmlError:
        return None
    return _error(document, document.status or 500, response, "", "", _as_it_is, None)


def _error(
    document: ErrorDocument,
    status: int,
    response: Response,
    operation: str,
    resource: str,
    redact: Callable[[str], str],
    now: float | None,
) -> ServiceError:
    code = document.code or str(status)
    cls = ServiceError.class_for(status, document.code)
    lowered = document.message.lower()
    if cls is AccessDenied and any(word in lowered for word in _PROTECTING):
        cls = ObjectProtected
    request_id = response.request_id or document.request_id
    return cls(
        redact(document.message),
        status=status,
        code=redact(code),
        resource=resource or redact(document.resource or ""),
        request_id=redact(request_id) if request_id else None,
        retry_after=retry_after(response.headers, now),
        operation=operation,
        headers={name: redact(response.headers[name]) for name in response.headers},
    )


def write_error(error: ServiceError, request_id: str) -> Response:
    """Write an exception as the service's error document."""
    document = ErrorDocument(
        code=error.code,
        message=sayable(error.message),
        resource=sayable(error.resource),
        request_id=request_id,
        status=error.status,
    )
    headers = {"Content-Type": "application/xml"}
    if error.retry_after is not None and math.isfinite(error.retry_after):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return Response(error.status, headers, document.to_xml())
