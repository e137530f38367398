"""Answers held against what was asked: a document that can be read is not yet the answer to this request.

A gateway's login page, an answer of another operation, a page of another bucket are all a 200. Read as far as its elements are
known, each of them would be a success with nothing in it: a listing without keys, at whose end a synchronisation deletes
everything. So an answer has to have the root of its document, what every answer of its kind has, and has to be about the bucket
and prefix that were asked for.

What services of this protocol leave out is not asked for: the ETag in CompleteMultipartUpload may be empty, a page need not
repeat its bucket and its prefix, and a root has the names that services give it.
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


def read_answer(operation: Operation[R], response: Response) -> R:
    """Read the answer to an operation, which has to be the answer to this very operation.

    `from_response` reads any document as far as its elements are known. Here the answer is held against what was asked: its
    root, what every answer of its kind has (`Result.needed`), and what it is about (`Operation.contradiction`). Raises
    `ProtocolError` where it is another, and the service's own error where a success carries one in its body.
    """
    cls = cast("type[R]", operation.spec.result)
    if response.body:
        _check_body(operation, cls, response)
    result = from_response(cls, response)
    given = result.model_fields_set
    for name in cls.needed:
        if name not in given or (value := getattr(result, name)) is None or (value == "" and name not in cls.may_be_empty):
            raise _foreign(response, f"it has no {_wire_name(cls, name)}, as every {root_of(cls)} has")
    if why := operation.contradiction(result):
        raise _foreign(response, why)
    return result


# Behind a declaration and comments: the name of the first element, without its prefix.
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|<\?.*?\?>|<!--.*?-->)*+<(?:[^\s<>/!?:]*:)?([^\s<>/!?:]+)", re.DOTALL)


def _check_body(operation: Operation[Any], cls: type[Result], response: Response) -> None:
    """Raise the error that a success carries, and refuse a document with another root and a web page.

    An operation whose answers have no document may be answered by one all the same: some services say what they have stored,
    or have elements of their own. The document of another operation is none of these.
    """
    if failed := error_in_success(response):
        raise failed
    if is_web_page(response.body):
        raise _foreign(response, "it is a web page")
    found = _ROOT.match(response.body)
    if found is None:
        return
    root = found[1].decode("utf-8", "replace")
    if not has_document(cls):
        if root in _roots_of_answers() and root != _root_of_request(operation.spec):
            raise _foreign(response, f"its root is {root}, and this operation has no document")
    elif root not in (root_of(cls), *cls.other_roots):
        raise _foreign(response, f"its root is {root[:80]}, and not {root_of(cls)}")


def _roots_of_answers() -> set[str]:
    results = {cls.spec.result for cls in registry.values()}
    return {root for cls in results if has_document(cls) for root in (root_of(cls), *cls.other_roots)}


def _root_of_request(statement: OperationSpec) -> str | None:
    if statement.body is None or not isinstance(statement.body.location, Body):
        return None
    return root_of(statement.body.location.of or unwrap(statement.body.type))


def _foreign(response: Response, why: str) -> ProtocolError:
    where = f" (request id {response.request_id})" if response.request_id else ""
    return ProtocolError(f"the {response.status} answer is another's: {why}{where}")


def _wire_name(cls: type[Result], field: str) -> str:
    """Return the name that a field has on the wire."""
    header = next((m.name for m in cls.model_fields[field].metadata if isinstance(m, Header)), None)
    return header or next(e.name for e in plan_of(cls).elements if e.field == field)
