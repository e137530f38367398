"""Variants of operations, for requests that only IBM's SDK allows.

The typed client does not allow these requests. A variant is made at first use.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, cast

from aiocos.operations.listing import Page
from aiocos.wire import digest
from aiocos.wire.spec import Body, Header, Operation, OperationSpec, Parameter, Result


def _variant(cls: type[Operation[Any]], spec: OperationSpec) -> type[Operation[Any]]:
    """Return an operation with another spec.

    It has the name of the original and is not registered.
    """
    return type(cls.__name__, (cls,), {"__slots__": (), "__module__": cls.__module__, "spec": spec})


@cache
def with_optional_body(cls: type[Operation[Any]]) -> type[Operation[Any]]:
    """Return the operation with a document that may be None.

    Without a document, the request has no body, and the service reports the error.
    """
    body = cls.spec.body
    parameters = tuple(replace(p, required=p.required and p is not body) for p in cls.spec.parameters)
    if body is None or not isinstance(body.location, Body) or not body.location.md5:
        return _variant(cls, replace(cls.spec, parameters=parameters))
    checksum = Parameter("content_md5", Header("Content-MD5"), str, required=False)
    variant = _variant(cls, replace(cls.spec, parameters=(*parameters, checksum)))
    variant.content_md5 = digest.content_md5(b"")  # type: ignore[attr-defined]
    return variant


class _EncodedPage(Page):
    """A page of a listing whose keys are left URL-encoded."""

    @classmethod
    def read(cls, body: bytes) -> dict[str, Any]:
        # Not by the fast reader of entries, which decodes keys as well.
        return super(Page, cls).read(body)

    @classmethod
    def received(cls, values: dict[str, Any]) -> dict[str, Any]:
        return values


@cache
def with_encoded_keys(cls: type[Operation[Any]]) -> type[Operation[Any]]:
    """Return the listing with keys that stay URL-encoded.

    It serves callers that pass `EncodingType` themselves.
    """
    result = cls.spec.result
    page_type = cast("type[Result]", type(result.__name__, (_EncodedPage, result), {"__module__": result.__module__}))

    def find_mismatch(self: Operation[Any], page: Page) -> str | None:
        # The request has its keys decoded, so a decoded copy of the page is compared with it.
        return cls.find_mismatch(self, result.model_validate(result.received(page.model_dump(exclude_unset=True))))

    listing = _variant(cls, replace(cls.spec, result=page_type))
    listing.find_mismatch = find_mismatch  # type: ignore[method-assign, assignment]
    return listing
