"""Declaration of operations.

An operation is a small class. Its fields are the parameters, each with its location in the request.

::

    @operation("PUT", "/{bucket}/{key}?retention")
    class PutObjectRetention(Operation[Result]):
        bucket: str
        key: str
        retention: Annotated[Retention, Body(md5=True)]
        _: KW_ONLY
        version_id: Annotated[str | None, Query("versionId")] = None

The client's method, the emulator's router and parser, the command line and the reference all follow from this one declaration.
A declaration that cannot work is refused when the class is created: a field without a location, two bodies, a path with an
unknown field, two operations whose requests could be equal.

Modules that declare operations must not postpone the evaluation of annotations: `@operation` reads the types themselves.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from dataclasses import Field as DataclassField
from typing import Annotated, Any, ClassVar, Generic, TypeAlias, TypeVar, cast, dataclass_transform, get_args, get_origin

from aiocos.wire.document import Document, NotInXml, read_tree

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T", bound="Operation[Any]")

# ---------------------------------------------------------------------------------------------------------------------
# Locations


@dataclass(frozen=True, slots=True)
class Path:
    """A part of the path: the fields named `bucket` and `key`."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter."""

    name: str
    """Name on the wire."""
    lenient: bool = False
    """True: the service ignores a malformed value instead of refusing it."""


@dataclass(frozen=True, slots=True)
class Header(NotInXml):
    """A header."""

    name: str
    """Name on the wire."""
    iso: bool = False
    """True writes times as ISO 8601 in whole seconds, False as RFC 1123."""
    lenient: bool = False
    """True: the service ignores a malformed value instead of refusing it."""
    fraction: bool = False
    """With `iso`: write milliseconds."""


@dataclass(frozen=True, slots=True)
class HeaderMap(NotInXml):
    """All headers with a common prefix, such as those of user metadata.

    The field is a dictionary. Its names are those of the headers, without the prefix.
    """

    prefix: str
    """Prefix of the names on the wire."""


@dataclass(frozen=True, slots=True)
class KeyHeaders(NotInXml):
    """The three headers of a customer's encryption key (SSE-C)."""

    prefix: str
    """Prefix of the names `algorithm`, `key` and `key-MD5` on the wire."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body, as an XML document."""

    md5: bool = False
    """True adds Content-MD5, which the service requires of most configuration bodies."""
    of: type[Document] | None = None
    """Document whose only field is the parameter, such as a list of parts. None: the parameter is the document."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The body, as bytes."""


@dataclass(frozen=True, slots=True)
class Local(NotInXml):
    """A field that is not sent."""


Location = Path | Query | Header | HeaderMap | KeyHeaders | Body | Payload | Local
_LOCATIONS = (Path, Query, Header, HeaderMap, KeyHeaders, Body, Payload, Local)


class Result(Document):
    """The result of an operation."""

    other_roots: ClassVar[tuple[str, ...]] = ()
    """Other names that the root element may have in a response."""

    needed: ClassVar[tuple[str, ...]] = ()
    """Fields that every response must have; one without them does not belong to the operation. A text must not be empty."""

    may_be_empty: ClassVar[tuple[str, ...]] = ()
    """Fields among those in `needed` whose text some services leave empty."""

    request_id: Annotated[str | None, Local()] = None
    """Id of the request, which IBM support asks for. None if the response has none."""

    @classmethod
    def read(cls, body: bytes) -> dict[str, Any]:
        """Parse the XML of a response into the values that are validated.

        Listings override this method with a faster parser.

        Args:
            body: The XML.
        """
        return cls.received(read_tree(cls, body))

    @classmethod
    def received(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Adjust parsed values before they are validated.

        Listings override this method to decode their keys.

        Args:
            values: Fields of the result, as parsed.
        """
        return values


# ---------------------------------------------------------------------------------------------------------------------
# Operations


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    """Name of the field."""
    location: Location
    """Place on the wire."""
    type: Any
    """Type, without `Annotated`."""
    required: bool
    """True if the field has no default."""
    default: Any = None
    """Default; None for a required parameter."""


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """The declaration of an operation."""

    name: str
    """Name of the class."""
    method: str
    """HTTP method."""
    has_bucket: bool
    """True if the path has a bucket."""
    has_key: bool
    """True if the path has a key."""
    query: tuple[tuple[str, str], ...]
    """Fixed query parameters: `(("list-type", "2"),)`, `(("acl", ""),)`."""
    success_status: int
    """HTTP status of a success."""
    idempotent: bool
    """True if the request may be sent again after its response was lost."""
    parameters: tuple[Parameter, ...]
    """Parameters, bucket and key first."""
    result: type[Result]
    """Class of the result."""
    has_payload: bool
    """True if the body is bytes."""
    names_instance: bool
    """True if the operation takes a service instance, which the client fills in."""

    @property
    def discriminators(self) -> frozenset[str]:
        """Parts of a request that identify this operation.

        They are the fixed query, the required query parameters and the required headers.
        """
        marks = {f"?{name}={value}" if value else f"?{name}" for name, value in self.query}
        for p in self.parameters:
            if p.required and isinstance(p.location, Query):
                marks.add(f"?{p.location.name}")
            elif p.required and isinstance(p.location, Header):
                marks.add(p.location.name.lower())
        return frozenset(marks)

    @property
    def body(self) -> Parameter | None:
        """The parameter that is the body; None if the operation has no body."""
        return next((p for p in self.parameters if isinstance(p.location, Body | Payload)), None)


registry: dict[str, "type[Operation[Any]]"] = {}
"""The operations by name, in the order of their declaration: those of the modules that have been imported."""

# The names of operations by what identifies their requests.
_Request: TypeAlias = tuple[str, bool, bool, frozenset[str]]
_by_request: dict[_Request, str] = {}


@dataclass(kw_only=True, repr=False, eq=False)
class Operation(Generic[R_co]):
    """A call of an operation.

    Its fields are the parameters of the client's method, which creates it.
    """

    __slots__ = ()
    spec: ClassVar[OperationSpec]

    timeout: Annotated[float | None, Local()] = None
    """Seconds for the whole call, retries and waits included; `RequestTimeoutError` after that. None: no limit."""

    def find_mismatch(self, result: Any) -> str | None:
        """Return the reason why a result does not belong to this request, or None.

        A well-formed response may be about another bucket or prefix, or leave out a requested key. Operations whose responses
        name bucket, prefix or keys override this method.
        """
        return None

    # One method for all operations: `dataclass` would compile one for each.
    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, p.name) == getattr(other, p.name) for p in self.spec.parameters)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = [
            f"{p.name}={getattr(self, p.name)!r}"
            for p in self.spec.parameters
            if not isinstance(p.location, KeyHeaders | Payload) and getattr(self, p.name) != p.default
        ]
        return f"{self.spec.name}({', '.join(shown)})"


@dataclass_transform()
def operation(
    method: str, pattern: str, *, success_status: int = 200, idempotent: bool | None = None
) -> Callable[[type[T]], type[T]]:
    """Declare an operation; a class decorator.

    Args:
        method: HTTP method.
        pattern: Path with fixed query: `/{bucket}/{key}?acl`.
        success_status: HTTP status of a success.
        idempotent: True if the request may be sent again after its response was lost. None: True for all methods but POST.

    Raises:
        TypeError: The declaration cannot work; the message has the reason.
    """

    def declare(cls: type[T]) -> type[T]:
        declared = dataclass(slots=True, repr=False, eq=False)(cls)
        path, _, query = pattern.partition("?")
        names = tuple(part.strip("{}") for part in path.split("/") if part)
        if names not in ((), ("bucket",), ("bucket", "key")):
            raise TypeError(f"{cls.__name__}: the path {path} is not one of /, /{{bucket}}, /{{bucket}}/{{key}}")
        parameters = [_parameter(cls.__name__, f, names) for f in fields(declared)]
        declared.spec = OperationSpec(
            name=cls.__name__,
            method=method,
            has_bucket="bucket" in names,
            has_key="key" in names,
            query=tuple((n, v) for n, _, v in (part.partition("=") for part in query.split("&") if part)),
            success_status=success_status,
            idempotent=method != "POST" if idempotent is None else idempotent,
            # Bucket and key first, although the fields of mix-ins come before them.
            parameters=tuple(sorted(parameters, key=lambda p: not isinstance(p.location, Path))),
            result=_result_type(cls),
            has_payload=any(isinstance(p.location, Payload) for p in parameters),
            names_instance=any(p.name == "service_instance_id" for p in parameters),
        )
        _check(declared.spec, names)
        registry[cls.__name__] = declared
        return declared

    return declare


def _parameter(owner: str, f: "DataclassField[Any]", path_names: tuple[str, ...]) -> Parameter:
    annotation: Any = f.type
    if isinstance(annotation, str):
        raise TypeError(f"{owner}.{f.name}: the module must not postpone the evaluation of annotations")
    location: Location | None = Path() if f.name in path_names else None
    if get_origin(annotation) is Annotated:
        annotation, *marks = get_args(annotation)
        location = next((m for m in marks if isinstance(m, _LOCATIONS)), location)
    if location is None:
        raise TypeError(f"{owner}.{f.name} has no location on the wire")
    required = f.default is MISSING and f.default_factory is MISSING
    return Parameter(f.name, location, annotation, required, None if f.default is MISSING else f.default)


def _result_type(cls: type[Any]) -> type[Result]:
    for base in cast("tuple[Any, ...]", getattr(cls, "__orig_bases__", ())):
        if get_origin(base) is Operation:
            result = get_args(base)[0]
            if isinstance(result, type) and issubclass(result, Result):
                return result
    raise TypeError(f"{cls.__name__} has no result type: derive from Operation[SomeResult]")


def _check(spec: OperationSpec, path_names: tuple[str, ...]) -> None:
    name = spec.name
    if missing := set(path_names) - {p.name for p in spec.parameters}:
        raise TypeError(f"{name}: the path has {', '.join(sorted(missing))}, but there is no such field")
    if sum(isinstance(p.location, Body | Payload) for p in spec.parameters) > 1:
        raise TypeError(f"{name} has two bodies")
    taken: set[tuple[str, str]] = set()
    for p in spec.parameters:
        if isinstance(p.location, Header | Query):
            place = (type(p.location).__name__, p.location.name.lower())
            if place in taken:
                raise TypeError(f"{name}: two fields use the {place[0].lower()} {p.location.name}")
            taken.add(place)
    request = _request_of(spec)
    other = name if name in registry else _by_request.get(request, "")
    if other in registry and (other == name or _request_of(registry[other].spec) == request):
        raise TypeError(f"{name} and {other} have the same request line, required parameters and headers")
    _by_request[request] = name


def _request_of(spec: OperationSpec) -> _Request:
    """Return what identifies the requests of an operation."""
    return spec.method, spec.has_bucket, spec.has_key, spec.discriminators
