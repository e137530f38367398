"""Responses as plain dictionaries, with the member names of `ibm_boto3`.

A member that the service left out is missing from the dictionary, as in botocore; it is never None.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache, lru_cache
from typing import Any, cast

from aiocos.call import CallResult
from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.exceptions import response_metadata
from aiocos.wire.document import Document, parse_time
from aiocos.wire.spec import Operation, Result

# Types that are returned as they are. Checked first, since a listing has thousands of such values.
_SIMPLE = (str, int, datetime, bool)


def to_response(operation: Operation[Any], call: CallResult[Any]) -> dict[str, Any]:
    """Return the response to an operation, with its `ResponseMetadata`."""
    response = from_result(type(operation), call.result)
    response["ResponseMetadata"] = response_metadata(call.status, call.headers, call.attempts)
    return response


def from_result(operation: type[Operation[Any]], result: Result) -> dict[str, Any]:
    """Return a result as a dictionary, without `ResponseMetadata`."""
    wrapper = names.wrapper_of(operation)
    response: dict[str, Any] = {}
    inner: dict[str, Any] = {} if wrapper is not None else response
    values = result.__dict__
    for field, name, in_header in _set_members(operation, type(result), frozenset(result.model_fields_set)):
        if (value := values[field]) is not None:
            members = response if in_header else inner
            members[name] = value if type(value) in _SIMPLE else _plain(value)
    if isinstance(expires := response.get("Expires"), str):
        response["Expires"] = _parse_expires(expires)
    if wrapper is not None:
        response[wrapper] = inner
    return response


def member_names(operation: type[Operation[Any]]) -> list[str]:
    """Return the names of the members that a response to an operation may have."""
    wrapper, omitted = names.wrapper_of(operation), names.omitted_members(operation.spec.name)
    members = _members(operation.spec.result)
    found = [name for _, name, in_header in members if name not in omitted and (in_header or wrapper is None)]
    body = ["Body"] if operation.spec.name == "GetObject" else []
    return [*([wrapper] if wrapper is not None else []), *body, *found]


def from_document(document: Document) -> dict[str, Any]:
    """Return a document as a dictionary of the fields that were set."""
    given, values = document.model_fields_set, document.__dict__
    return {
        name: value if type(value) in _SIMPLE else _plain(value)
        for field, name, _ in _members(type(document))
        if field in given and (value := values[field]) is not None
    }


def _parse_expires(text: str) -> datetime | str:
    """Return the time in an `Expires` header, or its text if it is not a time.

    The service stores the header as the writer of the object sent it, so it may hold any text.
    """
    try:
        time = parse_time(text)
    except ValueError:
        return text
    return time if isinstance(time, datetime) else text


def _plain(value: Any) -> Any:
    if isinstance(value, Document):
        return from_document(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in cast("list[Any]", value)]
    if isinstance(value, dict):
        return dict(cast("dict[str, Any]", value))
    return value


# Responses have few combinations of fields, and a result has about forty fields, of which few are set.
@lru_cache(maxsize=256)
def _set_members(
    operation: type[Operation[Any]], cls: type[Document], given: frozenset[str]
) -> tuple[tuple[str, str, bool], ...]:
    """Return the set fields of a result that are members, as `_members` does."""
    omitted = names.omitted_members(operation.spec.name)
    return tuple(member for member in _members(cls) if member[0] in given and member[1] not in omitted)


@cache
def _members(cls: type[Document]) -> tuple[tuple[str, str, bool], ...]:
    """Return the fields of a document, with their member names.

    The third value of each entry is True if the field comes from a header.
    """
    return tuple(
        (field, names.of_field(cls, field), names.is_header(cls, field)) for field in cls.model_fields if field != "request_id"
    )
