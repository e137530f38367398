"""What comes out: results as the plain dictionaries of `ibm_boto3`.

A member is there where the answer had it: what the service left out is left out, as botocore does, and not None.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, cast

from aiocos.call import CallResult
from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.exceptions import metadata_of
from aiocos.wire.document import Document, parse_time
from aiocos.wire.spec import Operation, Result

# A listing has thousands of these.
_SIMPLE = (str, int, datetime, bool)


def told(operation: Operation[Any], answer: CallResult[Any]) -> dict[str, Any]:
    """Return the answer to an operation."""
    out = of_result(type(operation), answer.result)
    out["ResponseMetadata"] = metadata_of(answer.status, answer.headers, answer.attempts)
    return out


def of_result(operation: type[Operation[Any]], result: Result) -> dict[str, Any]:
    """Return a result without what the answer said besides."""
    wrapper, untold = names.wrapper_of(operation), names.untold(operation.spec.name)
    out: dict[str, Any] = {}
    inner: dict[str, Any] = {} if wrapper is not None else out
    for field, name, in_header in _members(type(result)):
        if field in result.model_fields_set and name not in untold:
            _put(out if in_header else inner, name, getattr(result, field))
    if isinstance(expires := out.get("Expires"), str):
        out["Expires"] = _time(expires)
    if wrapper is not None:
        out[wrapper] = inner
    return out


def members_told(operation: type[Operation[Any]]) -> list[str]:
    """The members that an operation's answer may have."""
    wrapper, untold = names.wrapper_of(operation), names.untold(operation.spec.name)
    of_result = _members(operation.spec.result)
    told = [name for _, name, in_header in of_result if name not in untold and (in_header or wrapper is None)]
    body = ["Body"] if operation.spec.name == "GetObject" else []
    return [*([wrapper] if wrapper is not None else []), *body, *told]


def of_document(document: Document) -> dict[str, Any]:
    """Return a document."""
    given, values = document.model_fields_set, document.__dict__
    return {
        name: value if type(value) in _SIMPLE else _plain(value)
        for field, name, _ in _members(type(document))
        if field in given and (value := values[field]) is not None
    }


def _time(text: str) -> datetime | str:
    """Read a time that writers may put anything into; that is given as it is."""
    try:
        made = parse_time(text)
    except ValueError:
        return text
    return made if isinstance(made, datetime) else text


def _put(out: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        out[name] = _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Document):
        return of_document(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in cast("list[Any]", value)]
    if isinstance(value, dict):
        return dict(cast("dict[str, Any]", value))
    return value


@cache
def _members(cls: type[Document]) -> tuple[tuple[str, str, bool], ...]:
    return tuple(
        (field, names.of_field(cls, field), names.is_header(cls, field)) for field in cls.model_fields if field != "request_id"
    )
