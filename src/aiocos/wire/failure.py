"""Conversion between the service's `<Error>` document and exceptions."""

import math
import re
from collections.abc import Callable
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from aiocos.errors import AccessDenied, ObjectProtected, ServiceError
from aiocos.wire.document import Document, Element, XmlError, replace_unrepresentable
from aiocos.wire.message import Response
from aiocos.wire.retry_after import retry_after

# Any amount of white space may come first: the service sends it to keep the connection of a long copy open.
_ERROR_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(?:(?><\?.*?\?>)\s*+)?<Error[\s>]", re.DOTALL)

# A body that is not an error document: number of its bytes that are redacted, and of its characters quoted in the message.
_REDACTED_BYTES, _QUOTED = 128 * 1024, 200

# Words in the message of an `AccessDenied` that mean retention, a legal hold or Object Lock.
_PROTECTION_WORDS = ("retention", "legal hold", "protected", "object lock", "worm")


def _status(value: object) -> object:
    # An odd value from a gateway must not make the whole document, with its error code, unreadable.
    return None if isinstance(value, str) and not re.fullmatch("-?[0-9]{1,18}", value) else value


class ErrorDocument(Document):
    """The error document of the service. It has no namespace."""

    root: ClassVar[str] = "Error"
    namespace: ClassVar[str] = ""

    code: str = ""
    """Error code, such as `NoSuchKey`."""
    message: str = ""
    """Message for people."""
    resource: str | None = None
    """`/bucket/` or `/bucket/key`."""
    request_id: str | None = None
    """Id of the request, as in the headers of the response."""
    status: Annotated[int | None, Element("httpStatusCode"), BeforeValidator(_status)] = None
    """HTTP status. Only IBM sends it."""


def _unchanged(text: str) -> str:
    return text


def read_error(
    response: Response,
    operation: str = "",
    resource: str = "",
    *,
    redact: Callable[[str], str] = _unchanged,
    now: float | None = None,
) -> ServiceError:
    """Build the exception for an error response.

    A body that is not an error document (the page of a proxy) is quoted in short.

    Args:
        response: The response.
        operation: Name of the operation.
        resource: Bucket and key, for the message. Empty takes the resource from the document.
        redact: Removes the secrets of the request from the server's text.
        now: Seconds since 1970, from which a date in `Retry-After` counts if the response has no `Date`.
    """
    document = ErrorDocument()
    if response.body:
        try:
            document = ErrorDocument.from_xml(response.body)
        except XmlError:
            pass
        if not document.code:
            text = redact(response.body[:_REDACTED_BYTES].decode("utf-8", "replace"))
            document = ErrorDocument(message=" ".join(text[: 2 * _QUOTED].split())[:_QUOTED])
    return _error(document, response.status, response, operation, resource, redact, now)


def error_code(response: Response) -> str:
    """Return the code of an error document.

    Empty if the body is not an error document, as in a response to HEAD, which has no body.
    """
    try:
        return ErrorDocument.from_xml(response.body).code if response.body else ""
    except XmlError:
        return ""


# The page of any gateway: `<html>`, perhaps after a declaration and comments, in any case (HTML is not XML).
_WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<!--.*?-->|<\?.*?\?>)*+<(?:!doctype\s+html|html|head|body)\b", re.DOTALL | re.IGNORECASE
)


def is_web_page(body: bytes) -> bool:
    """Return True if a body is HTML: the page of a proxy, a firewall or a login."""
    return _WEB_PAGE.match(body) is not None


def error_in_success(response: Response) -> ServiceError | None:
    """Return the error in the body of a response with status 200, or None.

    The service sends the status before a long copy or completion is done, and can report a later failure only in the body. The
    root element decides, not a substring: a key may contain `<Error>`.
    """
    if _ERROR_ROOT.match(response.body) is None:
        return None
    try:
        document = ErrorDocument.from_xml(response.body)
    except XmlError:
        return None
    return _error(document, document.status or 500, response, "", "", _unchanged, None)


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
    if cls is AccessDenied and any(word in lowered for word in _PROTECTION_WORDS):
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
    """Return the response for an exception, with the service's error document."""
    document = ErrorDocument(
        code=error.code,
        message=replace_unrepresentable(error.message),
        resource=replace_unrepresentable(error.resource),
        request_id=request_id,
        status=error.status,
    )
    headers = {"Content-Type": "application/xml"}
    if error.retry_after is not None and math.isfinite(error.retry_after):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return Response(error.status, headers, document.to_xml())
