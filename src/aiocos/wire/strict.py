"""Strict reading of responses: a response must belong to its request.

The login page of a gateway, the response of another operation and the page of another bucket may all have status 200. A reader
that skips unknown elements would take each of them for an empty success: a listing without keys, after which a synchronization
deletes everything. So a response must have the root element of its document, the fields that all responses of the operation
have (`Result.needed`), and must not name another bucket, prefix or key than the request (`Operation.find_mismatch`).

Fields that services are known to leave out are not required: the ETag of CompleteMultipartUpload may be empty, a page need not
repeat its bucket and prefix, and a root element may have each name that services use.
"""

import re
from typing import Any, TypeVar, cast

from aiocos.errors import ProtocolError
from aiocos.wire.bind import from_response, has_document
from aiocos.wire.document import plan_of, root_of, unwrap
from aiocos.wire.failure import error_in_success, is_web_page
from aiocos.wire.message import Response
from aiocos.wire.spec import Body, Header, Operation, OperationSpec, Result, registry

R = TypeVar("R", bound=Result)


def read_response(operation: Operation[R], response: Response) -> R:
    """Return the result in the response to an operation.

    Args:
        operation: The operation that was sent.
        response: Its successful response.

    Raises:
        ProtocolError: The response is malformed, or does not belong to the operation.
        ServiceError: The body of the successful response is an error document.
    """
    cls = cast("type[R]", operation.spec.result)
    if response.body:
        _check_body(operation, cls, response)
    result = from_response(cls, response)
    given = result.model_fields_set
    for name in cls.needed:
        if name not in given or (value := getattr(result, name)) is None or (value == "" and name not in cls.may_be_empty):
            raise _mismatch(response, f"it has no {_wire_name(cls, name)}, which every {root_of(cls)} has")
    if reason := operation.find_mismatch(result):
        raise _mismatch(response, reason)
    return result


# The local name of the root element, after a declaration and comments.
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|<\?.*?\?>|<!--.*?-->)*+<(?:[^\s<>/!?:]*:)?([^\s<>/!?:]+)", re.DOTALL)


def _check_body(operation: Operation[Any], cls: type[Result], response: Response) -> None:
    """Raise if the body of a response with a success status is no success.

    The body may be an error document, a web page, or a document with another root element. Some services send additional
    information in a document although the operation has none. It is ignored, unless it is the document of another operation.
    """
    if failed := error_in_success(response):
        raise failed
    if is_web_page(response.body):
        raise _mismatch(response, "it is a web page")
    found = _ROOT.match(response.body)
    if found is None:
        return
    root = found[1].decode("utf-8", "replace")
    if not has_document(cls):
        if root in _response_roots() and root != _request_root(operation.spec):
            raise _mismatch(response, f"its root element is {root}, but this operation has no document")
    elif root not in (root_of(cls), *cls.other_roots):
        raise _mismatch(response, f"its root element is {root[:80]}, not {root_of(cls)}")


def _response_roots() -> set[str]:
    results = {cls.spec.result for cls in registry.values()}
    return {root for cls in results if has_document(cls) for root in (root_of(cls), *cls.other_roots)}


def _request_root(spec: OperationSpec) -> str | None:
    if spec.body is None or not isinstance(spec.body.location, Body):
        return None
    return root_of(spec.body.location.of or unwrap(spec.body.type))


def _mismatch(response: Response, reason: str) -> ProtocolError:
    request_id = f" (request id {response.request_id})" if response.request_id else ""
    return ProtocolError(f"the response (status {response.status}) does not belong to the request: {reason}{request_id}")


def _wire_name(cls: type[Result], field: str) -> str:
    """Return the name of a field's header or element."""
    header = next((m.name for m in cls.model_fields[field].metadata if isinstance(m, Header)), None)
    return header or next(e.name for e in plan_of(cls).elements if e.field == field)
