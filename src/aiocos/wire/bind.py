"""From an operation to its request and back, from a response to its result and back.

The client uses `to_request` and `from_response`, the emulator `from_request` and `to_response`. All four walk one plan per
class, made at its first use.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, cast

from pydantic import ValidationError

from aiocos.errors import ConfigError, InvalidRequest, ProtocolError, ServiceError
from aiocos.wire import digest
from aiocos.wire.document import Document, Plan, XmlError, build, plan_of, root_of, told, unwrap
from aiocos.wire.failure import error_in_success
from aiocos.wire.fast_builder import FastBuilder
from aiocos.wire.message import Bytes, Request, Response
from aiocos.wire.spec import (
    Body,
    Header,
    HeaderMap,
    Local,
    Operation,
    OperationSpec,
    Parameter,
    Path,
    Payload,
    Query,
    Result,
)
from aiocos.wire.values import Codec, CustomerKey, codec, header_text

R = TypeVar("R", bound=Result)
O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - an operation

# Line breaks would end the header, and other control characters are not for headers; half a character is no text.
_NOT_A_VALUE = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class _Field:
    parameter: Parameter
    name: str
    place: Any
    codec: Codec | None
    document: type[Document] | None
    inner: str | None  # the field of `document` that this parameter is, with Body(of=...)


class _Fields(NamedTuple):
    """The fields of an operation that travel, and a function that gets the values of all of them at once."""

    fields: tuple[_Field, ...]  # first those that every call gives: the path, the payload, and what is required
    given: int  # how many these are
    values: Callable[[Any], tuple[Any, ...]]
    defaults: tuple[Any, ...]  # of the others
    headers: dict[str, str]  # that the defaults make
    query: list[tuple[str, str]]


_plans: dict[type[Any], _Fields] = {}


def _plan(cls: type[Operation[Any]]) -> _Fields:
    plan = _plans.get(cls)
    if plan is None:
        every = [_field(p) for p in cls.spec.parameters if not isinstance(p.location, Local)]
        first = [f for f in every if f.parameter.required or isinstance(f.place, Payload)]
        others = [f for f in every if f not in first]
        fields = (*first, *others)
        # Of one name it would give no tuple. Every operation has `timeout`, which `zip` then drops.
        values = attrgetter(*(f.name for f in fields), "timeout", "timeout")
        defaults = tuple(f.parameter.default for f in others)
        usual = Request(cls.spec.method, query=list(cls.spec.query), headers={})
        _write(usual, cls.spec, others, defaults)
        plan = _Fields(fields, len(first), values, defaults, cast("dict[str, str]", usual.headers), usual.query)
        _plans[cls] = plan
    return plan


def _field(p: Parameter) -> _Field:
    document: type[Document] | None = None
    inner: str | None = None
    if isinstance(p.location, Body):
        document = p.location.of or cast("type[Document]", unwrap(p.type))
        if p.location.of is not None:
            (inner,) = document.model_fields
    place = p.location
    written = None
    if isinstance(place, Header):
        written = codec(p.type, place.iso, place.fraction)
    elif isinstance(place, Query):
        written = codec(p.type)
    return _Field(p, p.name, place, written, document, inner)


# ---------------------------------------------------------------------------------------------------------------------
# Requests


def to_request(operation: Operation[Any]) -> Request:
    """Write an operation as a request. What cannot be sent raises `ConfigError`, naming operation and parameter."""
    statement = operation.spec
    plan = _plan(type(operation))
    values, given = plan.values(operation), plan.given
    if values[given:-2] == plan.defaults:
        # As most calls are made: what the defaults come to is known.
        request = Request(statement.method, query=plan.query.copy(), headers=plan.headers.copy())
        _write(request, statement, plan.fields[:given], values)
    else:
        request = Request(statement.method, query=list(statement.query), headers={})
        _write(request, statement, plan.fields, values)
    return request


def _write(request: Request, statement: OperationSpec, fields: Iterable[_Field], values: tuple[Any, ...]) -> None:
    headers, query = cast("dict[str, str]", request.headers), request.query
    for f, value in zip(fields, values, strict=False):
        if value is None:
            if f.parameter.required:
                raise ConfigError(f"{statement.name}: {f.name} is missing")
            continue
        try:
            place = f.place
            if isinstance(place, Path):
                _put_path(request, f.name, value)
            elif isinstance(place, Header):
                headers[place.name] = _checked(f.codec.write(value))  # type: ignore[union-attr]
            elif isinstance(place, Query):
                query.append((place.name, f.codec.write(value)))  # type: ignore[union-attr]
            elif isinstance(place, Payload):
                request.body = _checked_payload(value)
            elif isinstance(place, Body):
                request.body = _document(f, value).to_xml()
                if place.md5:
                    headers["Content-MD5"] = digest.content_md5(request.body)
            elif isinstance(place, HeaderMap):
                _put_map(headers, place.prefix, value)
            else:
                key = value if isinstance(value, CustomerKey) else CustomerKey(value)
                headers.update(key.headers(place.prefix))
        except ConfigError:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(f"{statement.name}: {f.name}: {error}") from error


def _put_path(request: Request, name: str, value: object) -> None:
    # An empty key would turn the deletion of an object into the deletion of its bucket.
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a name, not {value!r}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{value!r} cannot be written as UTF-8") from error
    if name == "bucket":
        if "/" in value or "?" in value or "#" in value or value in (".", ".."):
            raise ValueError(f"{value!r} is no bucket name")
        request.bucket = value
    else:
        request.key = value


def _put_map(headers: dict[str, str], prefix: str, values: Mapping[str, str]) -> None:
    if len({name.lower() for name in values}) < len(values):
        raise ValueError("two names differ in case only, which the service takes for one")
    for name, value in values.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a header")
        headers[prefix + name] = _checked(value)


def _checked(value: str) -> str:
    if found := _NOT_A_VALUE.search(value):
        raise ValueError(
            f"a header carries no control character, U+{ord(found.group()):04X} here: encode the value (percent, base64)"
        )
    return value


def _checked_payload(value: object) -> Bytes:
    if isinstance(value, memoryview):
        view = cast("memoryview[int]", value)
        return view if view.format == "B" and view.ndim == 1 else view.cast("B")
    if isinstance(value, bytes | bytearray):
        return value
    raise ValueError(f"the body is bytes, not {type(value).__name__}; for text encode it, for files and streams use `upload`")


def _document(f: _Field, value: Any) -> Document:
    document = cast("type[Document]", f.document)
    if isinstance(value, document):
        return value
    if f.inner is None:
        raise TypeError(f"expected {document.__name__}, not {type(value).__name__}")
    if isinstance(value, Document):
        # What a call returned is written back as it is, with all that it holds.
        if root_of(type(value)) != root_of(document) or f.inner not in type(value).model_fields:
            raise TypeError(f"a {type(value).__name__} is another document than a {root_of(document)}")
        return value
    try:
        return document(**{f.inner: value})
    except ValidationError as error:
        raise TypeError(told(error)) from error


def from_request(cls: type[O], request: Request) -> O:
    """Read a request as an operation; `InvalidRequest` with the service's code where it does not fit.

    `request.body` is the XML of a document; the bytes of an object do not pass through here (the field becomes empty).
    """
    query = dict(request.query)
    values: dict[str, Any] = {}
    for f in _plan(cls).fields:
        place, raw = f.place, None
        try:
            if isinstance(place, Header):
                raw = request.headers.get(place.name.lower())
                raw = None if raw is None else header_text(raw)
                value = None if raw is None else f.codec.read(raw)  # type: ignore[union-attr]
            elif isinstance(place, Query):
                raw = query.get(place.name)
                value = None if raw is None else f.codec.read(raw)  # type: ignore[union-attr]
            elif isinstance(place, Path):
                value = request.bucket if f.name == "bucket" else request.key
            elif isinstance(place, Payload):
                value = request.body if request.body is not None else b""
            elif isinstance(place, Body):
                value = _read_body(f, request.body)
            elif isinstance(place, HeaderMap):
                value = _read_map(request.headers, place.prefix) or None
            else:
                value = CustomerKey.from_headers(
                    *(request.headers.get((place.prefix + part).lower()) for part in ("algorithm", "key", "key-MD5"))
                )
        except XmlError as error:
            raise refusal("MalformedXML", str(error), cls.spec) from error
        except (ValueError, OverflowError) as error:
            if not (isinstance(place, Header | Query) and place.lenient):
                raise refusal("InvalidArgument", f"{getattr(place, 'name', f.name)}: {error}", cls.spec) from error
            value = None
        if value is not None or not f.parameter.required:
            # What a request leaves out is None, not the default of the client's method (`encoding_type="url"`).
            values[f.name] = value
        else:
            code = "MissingRequestBodyError" if isinstance(place, Body) else "InvalidRequest"
            text = "Request body is empty." if isinstance(place, Body) else f"{getattr(place, 'name', f.name)} is missing"
            raise refusal(code, text, cls.spec)
    return cls(**values)


def refusal(code: str, message: str, statement: OperationSpec) -> ServiceError:
    """Make the error that the service answers with: its class and status follow from the code."""
    cls = ServiceError.by_code.get(code, InvalidRequest)
    return cls(message, status=400, code=code, operation=statement.name)


def _read_body(f: _Field, body: Bytes | None) -> Any:
    if not body:
        return None
    document = cast("type[Document]", f.document).from_xml(bytes(body))
    return getattr(document, f.inner) if f.inner is not None else document


def _read_map(headers: Mapping[str, str], prefix: str) -> dict[str, str]:
    # Servers write the names in any case (rclone capitalises them); names are defined as case-insensitive.
    length = len(prefix)
    return {n[length:].lower(): header_text(v) for n, v in headers.items() if len(n) > length and n[:length].lower() == prefix}


# ---------------------------------------------------------------------------------------------------------------------
# Responses


@dataclass(frozen=True, slots=True)
class _Shape:
    headers: tuple[tuple[str, Header], ...]  # field, place
    maps: tuple[tuple[str, str], ...]
    xml: Plan | None
    by_name: dict[str, str]  # the field by the header's name in lower case
    met: dict[str, str | None]  # the same by names as servers have written them; None: no field
    maker: FastBuilder | None  # of results that have nothing in a document


_shapes: dict[type[Result], _Shape] = {}


def _shape(cls: type[Result]) -> _Shape:
    shape = _shapes.get(cls)
    if shape is None:
        headers: list[tuple[str, Header]] = []
        maps: list[tuple[str, str]] = []
        for name, info in cls.model_fields.items():
            for mark in info.metadata:
                if isinstance(mark, Header):
                    headers.append((name, mark))
                elif isinstance(mark, HeaderMap):
                    maps.append((name, mark.prefix))
        plan = plan_of(cls)
        has_xml = bool(plan.elements or plan.attributes or plan.text)
        by_name = {place.name.lower(): name for name, place in headers}
        maker = None if has_xml else FastBuilder(cls)
        shape = _shapes[cls] = _Shape(
            tuple(headers),
            tuple(maps),
            plan if has_xml else None,
            by_name,
            {},
            maker if maker is not None and maker.is_right else None,
        )
    return shape


def has_document(cls: type[Result]) -> bool:
    """Tell whether a result has a document, and not only headers."""
    return _shape(cls).xml is not None


# Servers write a few dozen names; whoever invents new ones for ever shall not fill the memory.
_MET = 500


def _read_headers(shape: _Shape, headers: Mapping[str, str], values: dict[str, Any]) -> None:
    """Read the headers that are fields, each by one look: an answer has ten headers, and a result knows forty."""
    met = shape.met
    for name, value in headers.items():
        try:
            field = met[name]
        except KeyError:
            lower = name.lower()
            for whole, prefix in shape.maps:
                if lower.startswith(prefix) and len(lower) > len(prefix):
                    # Servers write the names in any case (rclone capitalises them); they are defined as case-insensitive.
                    values[whole][lower[len(prefix) :]] = value
            field = shape.by_name.get(lower)
            if len(met) < _MET and not any(lower.startswith(prefix) for _, prefix in shape.maps):
                met[name] = field
        # Of a header that comes twice the first counts.
        if field is not None and field not in values:
            values[field] = value


def from_response(cls: type[R], response: Response) -> R:
    """Read a successful response as a result.

    Raises the service's own error where the body of a success is an error document (copy, complete), and `ProtocolError`
    where it is nothing that was expected.
    """
    shape = _shape(cls)
    try:
        values: dict[str, Any] = {}
        if shape.xml is not None:
            if failed := error_in_success(response):
                raise failed
            values = cls.read(response.body)
        headers = response.headers
        if shape.by_name or shape.maps:
            # What stands in headers is not looked for in the document.
            found: dict[str, Any] = {name: {} for name, _ in shape.maps}
            _read_headers(shape, headers, found)
            values = values | found if values else found
        values["request_id"] = response.request_id
        made = shape.maker.make(values) if shape.maker is not None else None
        return build(cls, _as_texts(shape, values)) if made is None else made
    except XmlError as error:
        where = f" (request id {response.request_id})" if response.request_id else ""
        raise ProtocolError(f"the {response.status} answer is no {cls.__name__}: {error}{where}") from error


def _as_texts(shape: _Shape, values: dict[str, Any]) -> dict[str, Any]:
    """Make text of headers that others have stored in Latin-1."""
    for name, _ in shape.headers:
        if isinstance(value := values.get(name), str):
            values[name] = header_text(value)
    for name, _ in shape.maps:
        values[name] = {key: header_text(value) for key, value in values[name].items()}
    return values


def to_response(result: Result, status: int) -> Response:
    """Write a result as a response. Request ids are the server's to add."""
    shape = _shape(type(result))
    headers: dict[str, str] = {}
    for name, place in shape.headers:
        value = getattr(result, name)
        if value is not None and value != "":
            kind = cast("type[object]", type(value))
            headers[place.name] = value if isinstance(value, str) else codec(kind, place.iso, place.fraction).write(value)
    for name, prefix in shape.maps:
        for key, value in getattr(result, name).items():
            headers[prefix + key] = value
    if shape.xml is None:
        return Response(status, headers)
    headers["Content-Type"] = "application/xml"
    return Response(status, headers, result.to_xml())
