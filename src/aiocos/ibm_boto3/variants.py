"""Operations as IBM's SDK sends and reads them, where the typed ones are stricter: made of these, at first use."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, cast

from aiocos.operations.listing import Page
from aiocos.wire import digest
from aiocos.wire.spec import Body, Header, Operation, OperationSpec, Parameter, Result


def _variant(cls: type[Operation[Any]], statement: OperationSpec) -> type[Operation[Any]]:
    """Return an operation with another statement; it is not registered, and has the name of the first."""
    return type(cls.__name__, (cls,), {"__slots__": (), "__module__": cls.__module__, "spec": statement})


@cache
def without_body(cls: type[Operation[Any]]) -> type[Operation[Any]]:
    """Return the operation whose document may be left out, with None in its place: the service says what it misses."""
    body = cls.spec.body
    parameters = tuple(replace(p, required=p.required and p is not body) for p in cls.spec.parameters)
    if body is None or not isinstance(body.location, Body) or not body.location.md5:
        return _variant(cls, replace(cls.spec, parameters=parameters))
    checksum = Parameter("content_md5", Header("Content-MD5"), str, required=False)
    made = _variant(cls, replace(cls.spec, parameters=(*parameters, checksum)))
    made.content_md5 = digest.content_md5(b"")  # type: ignore[attr-defined]
    return made


class _Undecoded(Page):
    """A page of a listing as it came: with its keys encoded."""

    @classmethod
    def read(cls, body: bytes) -> dict[str, Any]:
        # Not by the quick reader of entries, which decodes them too.
        return super(Page, cls).read(body)

    @classmethod
    def received(cls, values: dict[str, Any]) -> dict[str, Any]:
        return values


@cache
def undecoded(cls: type[Operation[Any]]) -> type[Operation[Any]]:
    """Return the listing whose keys stay encoded, as for callers who ask for `EncodingType` themselves."""
    result = cls.spec.result
    made = cast("type[Result]", type(result.__name__, (_Undecoded, result), {"__module__": result.__module__}))

    def contradiction(self: Operation[Any], page: Page) -> str | None:
        # Held against the request in the form that the request has.
        return cls.contradiction(self, result.model_validate(result.received(page.model_dump(exclude_unset=True))))

    listing = _variant(cls, replace(cls.spec, result=made))
    listing.contradiction = contradiction  # type: ignore[method-assign, assignment]
    return listing
