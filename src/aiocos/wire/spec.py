"""How an operation is stated: a small class whose fields are its parameters and say where they travel.

::

    @operation("PUT", "/{bucket}/{key}?retention")
    class PutObjectRetention(Operation[Result]):
        bucket: str
        key: str
        retention: Annotated[Retention, Body(md5=True)]
        _: KW_ONLY
        version_id: Annotated[str | None, Query("versionId")] = None

The client's method, the emulator's router and parser, the command line and the reference table are all read off this one
statement. What cannot be true is refused when the class is made: a field without a place, two bodies, a path that names an
unknown field, two operations that one request could mean.

Modules that state operations do not postpone the evaluation of annotations: the checks read the types themselves.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from dataclasses import Field as DataclassField
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast, dataclass_transform, get_args, get_origin

from aiocos.wire.document import Document, NotInXml, read_tree

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T", bound="Operation[Any]")

# ---------------------------------------------------------------------------------------------------------------------
# Places


@dataclass(frozen=True, slots=True)
class Path:
    """In the path: the fields named `bucket` and `key`."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter. `lenient`: a value that makes no sense counts as none."""

    name: str
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Header(NotInXml):
    """A header.

    `iso` writes times as ISO 8601 instead of RFC 1123, in whole seconds, and with `fraction` in milliseconds. `lenient`: a
    value that makes no sense counts as none.
    """

    name: str
    iso: bool = False
    lenient: bool = False
    fraction: bool = False


@dataclass(frozen=True, slots=True)
class HeaderMap(NotInXml):
    """All headers with a prefix, as a dictionary without it: user metadata."""

    prefix: str


@dataclass(frozen=True, slots=True)
class KeyHeaders(NotInXml):
    """The three headers of a customer's own encryption key (SSE-C)."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Body:
    """The body, as XML. `md5` adds Content-MD5, which the service demands of most configuration bodies.

    The field is a document, or (`of`) the one field of a document: a location, a list of parts.
    """

    md5: bool = False
    of: type[Document] | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """The body, as bytes."""


@dataclass(frozen=True, slots=True)
class Local(NotInXml):
    """Not on the wire."""


Location = Path | Query | Header | HeaderMap | KeyHeaders | Body | Payload | Local
_LOCATIONS = (Path, Query, Header, HeaderMap, KeyHeaders, Body, Payload, Local)


class Result(Document):
    """What an operation gives back. `request_id` is what IBM support asks for."""

    other_roots: ClassVar[tuple[str, ...]] = ()
    """Other names that the root of the document may have in an answer, besides its own."""

    needed: ClassVar[tuple[str, ...]] = ()
    """Fields that every answer must have: without them it is not the answer to this operation. A text must not be empty."""

    may_be_empty: ClassVar[tuple[str, ...]] = ()
    """Fields among those needed whose text some services leave empty."""

    request_id: Annotated[str | None, Local()] = None

    @classmethod
    def read(cls, body: bytes) -> dict[str, Any]:
        """Read the XML of an answer into what is validated (listings have a faster way for most pages)."""
        return cls.received(read_tree(cls, body))

    @classmethod
    def received(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Put right what the XML says in a form of its own, before it is validated (listings decode their keys here)."""
        return values


# ---------------------------------------------------------------------------------------------------------------------
# Statements


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of an operation: its place and its type."""

    name: str
    location: Location
    type: Any
    required: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """What `@operation` says of a class, with everything that can be read off it."""

    name: str
    method: str
    has_bucket: bool
    has_key: bool
    query: tuple[tuple[str, str], ...]  # the fixed part: (("list-type", "2"),), (("acl", ""),)
    success_status: int  # the status of success
    idempotent: bool  # a second time does no harm
    parameters: tuple[Parameter, ...]
    result: type[Result]
    has_payload: bool  # the body is bytes
    names_instance: bool  # it is about a service instance

    @property
    def discriminators(self) -> frozenset[str]:
        """What a request must carry to mean this operation: fixed query names, required queries and required headers."""
        marks = {f"?{name}={value}" if value else f"?{name}" for name, value in self.query}
        for p in self.parameters:
            if p.required and isinstance(p.location, Query):
                marks.add(f"?{p.location.name}")
            elif p.required and isinstance(p.location, Header):
                marks.add(p.location.name.lower())
        return frozenset(marks)

    @property
    def body(self) -> Parameter | None:
        """The parameter that is the body."""
        return next((p for p in self.parameters if isinstance(p.location, Body | Payload)), None)


registry: dict[str, "type[Operation[Any]]"] = {}
"""All operations by name, in the order of their statement."""


@dataclass(kw_only=True, repr=False, eq=False)
class Operation(Generic[R_co]):
    """One request to be made. Made by a group's method; its fields are that method's parameters."""

    __slots__ = ()
    spec: ClassVar[OperationSpec]

    timeout: Annotated[float | None, Local()] = None
    """The deadline of the whole call in seconds, waits and retries included."""

    def contradiction(self, result: Any) -> str | None:
        """Say why a result cannot be the answer to this very request; None where it can.

        An answer about another bucket or prefix, and one that leaves out a key that was asked for, are well-formed and about
        something else. Operations whose answers say what they are about look at it here.
        """
        return None

    # Once for all operations: a dataclass would compile one for each.
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
    """State an operation: the request line it has, the status of its success, and whether it may be sent twice.

    `repeatable` is by default true for every method but POST.
    """

    def state(cls: type[T]) -> type[T]:
        made = dataclass(slots=True, repr=False, eq=False)(cls)
        path, _, query = pattern.partition("?")
        names = tuple(part.strip("{}") for part in path.split("/") if part)
        if names not in ((), ("bucket",), ("bucket", "key")):
            raise TypeError(f"{cls.__name__}: the path {path} is not one of /, /{{bucket}}, /{{bucket}}/{{key}}")
        parameters = [_parameter(cls.__name__, f, names) for f in fields(made)]
        made.spec = OperationSpec(
            name=cls.__name__,
            method=method,
            has_bucket="bucket" in names,
            has_key="key" in names,
            query=tuple((n, v) for n, _, v in (part.partition("=") for part in query.split("&") if part)),
            success_status=success_status,
            idempotent=method != "POST" if idempotent is None else idempotent,
            # Bucket and key first, whatever mix-ins came before them.
            parameters=tuple(sorted(parameters, key=lambda p: not isinstance(p.location, Path))),
            result=_result_type(cls),
            has_payload=any(isinstance(p.location, Payload) for p in parameters),
            names_instance=any(p.name == "service_instance_id" for p in parameters),
        )
        _check(made.spec, names)
        registry[cls.__name__] = made
        return made

    return state


def _parameter(owner: str, f: "DataclassField[Any]", path_names: tuple[str, ...]) -> Parameter:
    annotation: Any = f.type
    if isinstance(annotation, str):
        raise TypeError(f"{owner}.{f.name}: the module postpones its annotations; operations are read from real types")
    place: Location | None = Path() if f.name in path_names else None
    if get_origin(annotation) is Annotated:
        annotation, *marks = get_args(annotation)
        place = next((m for m in marks if isinstance(m, _LOCATIONS)), place)
    if place is None:
        raise TypeError(f"{owner}.{f.name} has no place on the wire")
    required = f.default is MISSING and f.default_factory is MISSING
    return Parameter(f.name, place, annotation, required, None if f.default is MISSING else f.default)


def _result_type(cls: type[Any]) -> type[Result]:
    for base in cast("tuple[Any, ...]", getattr(cls, "__orig_bases__", ())):
        if get_origin(base) is Operation:
            result = get_args(base)[0]
            if isinstance(result, type) and issubclass(result, Result):
                return result
    raise TypeError(f"{cls.__name__} does not say its result: derive from Operation[SomeResult]")


def _check(statement: OperationSpec, path_names: tuple[str, ...]) -> None:
    name = statement.name
    if missing := set(path_names) - {p.name for p in statement.parameters}:
        raise TypeError(f"{name}: the path names {', '.join(sorted(missing))}, which is no field")
    if sum(isinstance(p.location, Body | Payload) for p in statement.parameters) > 1:
        raise TypeError(f"{name} has two bodies")
    taken: set[tuple[str, str]] = set()
    for p in statement.parameters:
        if isinstance(p.location, Header | Query):
            where = (type(p.location).__name__, p.location.name.lower())
            if where in taken:
                raise TypeError(f"{name}: two fields travel in {where[0].lower()} {p.location.name}")
            taken.add(where)
    for other in registry.values():
        o = other.spec
        if o.name == name or (o.method, o.has_bucket, o.has_key, o.discriminators) == (
            statement.method,
            statement.has_bucket,
            statement.has_key,
            statement.discriminators,
        ):
            raise TypeError(f"{name} and {o.name} are one request")
