"""Conversion between operations and requests, and between results and responses.

The client uses `to_request` and `from_response`, the emulator `from_request` and `to_response`. Each follows a plan that is
made once from the class of the operation or result.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, cast

from pydantic import ValidationError

from aiocos.errors import ConfigError, InvalidRequest, ProtocolError, ServiceError
from aiocos.wire import digest
from aiocos.wire.checks import check_header, check_payload, put_map, put_path
from aiocos.wire.document import Document, Plan, XmlError, build, describe_validation_error, plan_of, root_of, unwrap
from aiocos.wire.failure import error_in_success
from aiocos.wire.fast_builder import FastBuilder
from aiocos.wire.message import Bytes, Request, Response
from aiocos.wire.received_headers import FormedHeaders
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


@dataclass(frozen=True, slots=True)
class _Field:
    parameter: Parameter
    name: str
    location: Any
    codec: Codec | None
    document: type[Document] | None
    inner: str | None  # the field of `document` for this parameter, with Body(of=...)


class _Fields(NamedTuple):
    """The fields of an operation that are sent, and the request of its defaults."""

    fields: tuple[_Field, ...]  # first the fields that every call sets: required ones and the payload
    given: int  # the number of these
    values: Callable[[Any], tuple[Any, ...]]  # returns the values of all fields at once
    defaults: tuple[Any, ...]  # of the other fields
    headers: dict[str, str]  # of the defaults
    query: list[tuple[str, str]]  # of the defaults
    is_plain: bool  # every call sets bucket and key, or bucket, key and the bytes of an object


# Names that `put_path` has accepted as buckets, and the most that are kept.
_buckets: set[str] = set()
_MAX_BUCKETS = 256
_PLAIN = ([Path, Path], [Path, Path, Payload])

_plans: dict[type[Any], _Fields] = {}


def _plan(cls: type[Operation[Any]]) -> _Fields:
    plan = _plans.get(cls)
    if plan is None:
        every = [_field(p) for p in cls.spec.parameters if not isinstance(p.location, Local)]
        first = [f for f in every if f.parameter.required or isinstance(f.location, Payload)]
        others = [f for f in every if f not in first]
        fields = (*first, *others)
        # `attrgetter` of a single name would not return a tuple. Every operation has `timeout`, which `zip` drops.
        values = attrgetter(*(f.name for f in fields), "timeout", "timeout")
        defaults = tuple(f.parameter.default for f in others)
        default = Request(cls.spec.method, query=list(cls.spec.query), headers={})
        _write(default, cls.spec, others, defaults)
        is_plain = [type(f.location) for f in first] in _PLAIN and [f.name for f in first[:2]] == ["bucket", "key"]
        headers = cast("dict[str, str]", default.headers)
        plan = _Fields(fields, len(first), values, defaults, headers, default.query, is_plain)
        _plans[cls] = plan
    return plan


def _field(p: Parameter) -> _Field:
    document: type[Document] | None = None
    inner: str | None = None
    if isinstance(p.location, Body):
        document = p.location.of or cast("type[Document]", unwrap(p.type))
        if p.location.of is not None:
            (inner,) = document.model_fields
    location = p.location
    converter = None
    if isinstance(location, Header):
        converter = codec(p.type, location.iso, location.fraction)
    elif isinstance(location, Query):
        converter = codec(p.type)
    return _Field(p, p.name, location, converter, document, inner)


# ---------------------------------------------------------------------------------------------------------------------
# Requests


def to_request(operation: Operation[Any]) -> Request:
    """Return the request of an operation.

    Raises `ConfigError`, which names the parameter, for a value that cannot be sent.
    """
    spec = operation.spec
    plan = _plan(type(operation))
    values, given = plan.values(operation), plan.given
    if values[given:-2] == plan.defaults:
        # Most calls leave all other fields at their defaults: the plan has the part of the request for these.
        request = Request(spec.method, None, None, plan.query.copy(), plan.headers.copy())
        if not (plan.is_plain and _write_plain(request, values, given)):
            _write(request, spec, plan.fields[:given], values)
            if plan.is_plain and len(_buckets) < _MAX_BUCKETS:
                _buckets.add(values[0])
    else:
        request = Request(spec.method, query=list(spec.query), headers={})
        _write(request, spec, plan.fields, values)
    return request


def _write_plain(request: Request, values: tuple[Any, ...], given: int) -> bool:
    """Write bucket, key and bytes of the usual kinds; return False for others.

    `_write`, the general path, must write these.
    """
    bucket, key = values[0], values[1]
    if type(bucket) is not str or bucket not in _buckets or type(key) is not str or not key or not key.isascii():
        return False
    if given > 2:
        if type(values[2]) is not bytes:
            return False
        request.body = values[2]
    request.bucket, request.key = bucket, key
    return True


def _write(request: Request, spec: OperationSpec, fields: Iterable[_Field], values: tuple[Any, ...]) -> None:
    headers, query = cast("dict[str, str]", request.headers), request.query
    for f, value in zip(fields, values, strict=False):
        if value is None:
            if f.parameter.required:
                raise ConfigError(f"{spec.name}: {f.name} is missing")
            continue
        try:
            location = f.location
            if isinstance(location, Path):
                put_path(request, f.name, value)
            elif isinstance(location, Header):
                headers[location.name] = check_header(f.codec.write(value))  # type: ignore[union-attr]
            elif isinstance(location, Query):
                query.append((location.name, f.codec.write(value)))  # type: ignore[union-attr]
            elif isinstance(location, Payload):
                request.body = check_payload(value)
            elif isinstance(location, Body):
                request.body = _document(f, value).to_xml()
                if location.md5:
                    headers["Content-MD5"] = digest.content_md5(request.body)
            elif isinstance(location, HeaderMap):
                put_map(headers, location.prefix, value)
            else:
                key = value if isinstance(value, CustomerKey) else CustomerKey(value)
                headers.update(key.headers(location.prefix))
        except ConfigError:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(f"{spec.name}: {f.name}: {error}") from error


def _document(f: _Field, value: Any) -> Document:
    document = cast("type[Document]", f.document)
    if isinstance(value, document):
        return value
    if f.inner is None:
        raise TypeError(f"expected {document.__name__}, not {type(value).__name__}")
    if isinstance(value, Document):
        # The result of a call can be written back as it is, with its unknown elements.
        if root_of(type(value)) != root_of(document) or f.inner not in type(value).model_fields:
            raise TypeError(f"expected a {root_of(document)} document, not {type(value).__name__}")
        return value
    try:
        return document(**{f.inner: value})
    except ValidationError as error:
        raise TypeError(describe_validation_error(error)) from error


def from_request(cls: type[O], request: Request) -> O:
    """Return the operation of a request.

    Raises `InvalidRequest`, with the service's error code, if the request does not fit the operation.

    `request.body` is the XML of a document. The bytes of an object are not passed here: the field becomes empty.
    """
    query = dict(request.query)
    values: dict[str, Any] = {}
    for f in _plan(cls).fields:
        location, raw = f.location, None
        try:
            if isinstance(location, Header):
                raw = request.headers.get(location.name.lower())
                raw = None if raw is None else header_text(raw)
                value = None if raw is None else f.codec.read(raw)  # type: ignore[union-attr]
            elif isinstance(location, Query):
                raw = query.get(location.name)
                value = None if raw is None else f.codec.read(raw)  # type: ignore[union-attr]
            elif isinstance(location, Path):
                value = request.bucket if f.name == "bucket" else request.key
            elif isinstance(location, Payload):
                value = request.body if request.body is not None else b""
            elif isinstance(location, Body):
                value = _read_body(f, request.body)
            elif isinstance(location, HeaderMap):
                value = _read_map(request.headers, location.prefix) or None
            else:
                value = CustomerKey.from_headers(
                    *(request.headers.get((location.prefix + part).lower()) for part in ("algorithm", "key", "key-MD5"))
                )
        except XmlError as error:
            raise refusal("MalformedXML", str(error), cls.spec) from error
        except (ValueError, OverflowError) as error:
            if not (isinstance(location, Header | Query) and location.lenient):
                raise refusal("InvalidArgument", f"{getattr(location, 'name', f.name)}: {error}", cls.spec) from error
            value = None
        if value is not None or not f.parameter.required:
            # A field that the request leaves out is None, not the default of the client's method (`encoding_type="url"`).
            values[f.name] = value
        else:
            code = "MissingRequestBodyError" if isinstance(location, Body) else "InvalidRequest"
            text = "Request body is empty." if isinstance(location, Body) else f"{getattr(location, 'name', f.name)} is missing"
            raise refusal(code, text, cls.spec)
    return cls(**values)


def refusal(code: str, message: str, spec: OperationSpec) -> ServiceError:
    """Return the error for a refused request (status 400).

    The class of the error follows from its code.
    """
    cls = ServiceError.by_code.get(code, InvalidRequest)
    return cls(message, status=400, code=code, operation=spec.name)


def _read_body(f: _Field, body: Bytes | None) -> Any:
    if not body:
        return None
    document = cast("type[Document]", f.document).from_xml(bytes(body))
    return getattr(document, f.inner) if f.inner is not None else document


def _read_map(headers: Mapping[str, str], prefix: str) -> dict[str, str]:
    # Header names ignore case, and some servers change it (rclone capitalizes them).
    length = len(prefix)
    return {n[length:].lower(): header_text(v) for n, v in headers.items() if len(n) > length and n[:length].lower() == prefix}


# ---------------------------------------------------------------------------------------------------------------------
# Responses


@dataclass(frozen=True, slots=True)
class _Shape:
    headers: tuple[tuple[str, Header], ...]  # fields with their locations
    maps: tuple[tuple[str, str], ...]  # fields with their prefixes
    xml: Plan | None  # None for a result without a document
    by_name: dict[str, str]  # fields by the lower-case name of the header
    cache: dict[str, str | None]  # fields by header name as received; None: no field
    builder: FastBuilder | None  # for a result without a document


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
        by_name = {location.name.lower(): name for name, location in headers}
        builder = None if has_xml else FastBuilder(cls)
        shape = _shapes[cls] = _Shape(
            tuple(headers),
            tuple(maps),
            plan if has_xml else None,
            by_name,
            {},
            builder if builder is not None and builder.is_right else None,
        )
    return shape


def has_document(cls: type[Result]) -> bool:
    """Return True if a result has a document, not only headers."""
    return _shape(cls).xml is not None


# Most names in a cache. Servers send a few dozen; a server that always sends new names must not fill the memory.
_MAX_CACHED = 500


def _read_headers(shape: _Shape, headers: Mapping[str, str], values: dict[str, Any]) -> None:
    """Read the headers that are fields of the result into `values`.

    The loop is over the headers, about ten in a response, because a result has about forty fields.
    """
    cache = shape.cache
    for name, value in headers.items():
        try:
            field = cache[name]
        except KeyError:
            lower = name.lower()
            for whole, prefix in shape.maps:
                if lower.startswith(prefix) and len(lower) > len(prefix):
                    # Servers write the names in any case (rclone capitalizes them); they are defined as case-insensitive.
                    values[whole][lower[len(prefix) :]] = value
            field = shape.by_name.get(lower)
            if len(cache) < _MAX_CACHED and not any(lower.startswith(prefix) for _, prefix in shape.maps):
                cache[name] = field
        # If a header is repeated, the first one counts.
        if field is not None and field not in values:
            values[field] = value


def from_response(cls: type[R], response: Response) -> R:
    """Return the result in a successful response.

    Raises `ProtocolError` if the response does not fit the result, and the service's error if the body is an error document, as
    it may be for a copy or a completion.
    """
    shape = _shape(cls)
    if shape.builder is not None and type(response.headers) is FormedHeaders:
        result = shape.builder.from_headers(response.headers, shape.by_name, shape.maps)
        if result is not None:
            return cast("R", result)
    try:
        values: dict[str, Any] = {}
        if shape.xml is not None:
            if failed := error_in_success(response):
                raise failed
            values = cls.read(response.body)
        headers = response.headers
        if shape.by_name or shape.maps:
            # A field in a header takes precedence over the document.
            found: dict[str, Any] = {name: {} for name, _ in shape.maps}
            _read_headers(shape, headers, found)
            values = values | found if values else found
        values["request_id"] = response.request_id
        result = shape.builder.make(values) if shape.builder is not None else None
        return build(cls, _decode_headers(shape, values)) if result is None else result
    except XmlError as error:
        request_id = f" (request id {response.request_id})" if response.request_id else ""
        text = f"the response (status {response.status}) is not a {cls.__name__}: {error}{request_id}"
        raise ProtocolError(text) from error


def _decode_headers(shape: _Shape, values: dict[str, Any]) -> dict[str, Any]:
    """Decode headers that were stored in Latin-1."""
    for name, _ in shape.headers:
        if isinstance(value := values.get(name), str):
            values[name] = header_text(value)
    for name, _ in shape.maps:
        values[name] = {key: header_text(value) for key, value in values[name].items()}
    return values


def to_response(result: Result, status: int) -> Response:
    """Return the response for a result. The server adds the request ids."""
    shape = _shape(type(result))
    headers: dict[str, str] = {}
    for name, location in shape.headers:
        value = getattr(result, name)
        if value is not None and value != "":
            kind = cast("type[object]", type(value))
            written = value if isinstance(value, str) else codec(kind, location.iso, location.fraction).write(value)
            headers[location.name] = written
    for name, prefix in shape.maps:
        for key, value in getattr(result, name).items():
            headers[prefix + key] = value
    if shape.xml is None:
        return Response(status, headers)
    headers["Content-Type"] = "application/xml"
    return Response(status, headers, result.to_xml())
