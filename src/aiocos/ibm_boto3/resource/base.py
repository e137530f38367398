"""What all resources are: identifiers, data, and what follows from them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.client import S3Client
from aiocos.ibm_boto3.exceptions import ResourceLoadException
from aiocos.ibm_boto3.resource.kinds import Kind


class ResourceNotLoadedError(ResourceLoadException):
    """An attribute was read before there was data; what to write is said. Reading an attribute makes no request here.

    It is no `AttributeError`: `getattr(item, "version_id", None)` would take it for a value that is none.
    """


@dataclass(slots=True, eq=False)
class ResourceMeta:
    """`resource.meta`: the client that makes its requests, and what was loaded."""

    identifiers: list[str]
    """The names of the identifiers."""
    client: S3Client = field(repr=False)
    data: dict[str, Any] | None = field(default=None, repr=False)
    """The members that the service gave; None before there are any."""
    service_name: str = "s3"


class Resource:
    """A thing of the service, known by its identifiers.

    Methods are awaited and take the parameters of the client's methods by name, without those that the identifiers say.
    Attributes have values once there is data: from the listing that the resource came from, by `await resource.load()` (or
    `reload()`, which is the same), or by awaiting the resource, which loads it where it has none and returns it. An action
    that changes the thing drops the data. Two resources of a kind with the same identifiers are equal.
    """

    _kind: ClassVar[Kind]
    meta: ResourceMeta

    def __init__(self, *args: Any, client: S3Client, **kwargs: Any) -> None:
        given = named(self._kind, tuple(self._kind.identifiers), args, kwargs)
        self._values = {name: _valid(name, given.get(name)) for name in self._kind.identifiers}
        self.meta = ResourceMeta(list(self._kind.identifiers), client)

    def get_available_subresources(self) -> list[str]:
        """The names of the methods that make other resources of this one."""
        return sorted(self._kind.children)

    def __await__(self) -> Generator[Any, None, Self]:
        return self._loaded().__await__()

    async def _loaded(self) -> Self:
        if self.meta.data is None:
            self.meta.data = await self._asked({})
        return self

    async def _asked(self, given: dict[str, Any]) -> dict[str, Any]:
        if self._kind.load is None:
            raise ResourceNotLoadedError(f"{self!r} has no data: {self._remedy()}")
        return await self._kind.load(self.meta.client, parameters_of(self), given)

    def _remedy(self) -> str:
        """What to write, where there is no data."""
        if self._kind.load is not None:
            return f"write `await {names.snake(self._kind.name)}.load()` first, or await the resource itself"
        found = self._kind.found
        return f"it has no load method, data comes with `async for … in {found}`" if found else "use it with `async with`"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values == other._values

    def __hash__(self) -> int:
        return hash((type(self), *self._values.values()))

    def __repr__(self) -> str:
        return f"s3.{self._kind.name}({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in self._kind.absent]


class Loadable(Resource):
    """A resource that an operation tells of."""

    async def load(self, **kwargs: Any) -> None:
        """Ask for the data. Parameters are those of the operation that has it: a `VersionId`, a customer's key."""
        self.meta.data = await self._asked(kwargs)

    async def reload(self, **kwargs: Any) -> None:
        """Ask for the data again: the same as `load`."""
        await self.load(**kwargs)


def kind_of(resource: type[Resource] | Resource) -> Kind:
    """How a resource is stated."""
    return resource._kind  # pyright: ignore[reportPrivateUsage]


def parameters_of(resource: Resource) -> dict[str, Any]:
    """The members of requests that the identifiers are: `{"Bucket": …, "Key": …}`."""
    return {member: identifier_of(resource, name) for name, member in kind_of(resource).identifiers.items()}


def identifier_of(resource: Resource, name: str) -> Any:
    """The value of an identifier."""
    return resource._values[name]  # pyright: ignore[reportPrivateUsage]


def attribute_of(resource: Resource, name: str, member: str) -> Any:
    """The value of an attribute: None where the service left it out. Raises `ResourceNotLoadedError`."""
    if resource.meta.data is None:
        remedy = resource._remedy()  # pyright: ignore[reportPrivateUsage]
        raise ResourceNotLoadedError(f"{resource!r} has no .{name} yet: {remedy}")
    return resource.meta.data.get(member)


def made_by(cls: type[Resource], client: S3Client, members: Mapping[str, Any], data: dict[str, Any] | None = None) -> Resource:
    """Make a resource by the members of requests that its identifiers are."""
    made = cls(client=client, **{name: members.get(member) for name, member in kind_of(cls).identifiers.items()})
    made.meta.data = data
    return made


def named(kind: Kind, free: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give every argument the name of its identifier: those by position are the ones that are free, in order."""
    takes = f"s3.{kind.name} takes {', '.join(free) or 'no identifiers'} here"
    if len(args) > len(free):
        raise TypeError(f"{takes}; {len(args)} were given")
    given = dict(zip(free, args, strict=False))
    for name, value in kwargs.items():
        if name not in free:
            raise ValueError(f"Unknown keyword argument: {name}; {takes}")
        if name in given:
            raise TypeError(f"{name} was given twice; {takes}")
        given[name] = value
    return given


def _valid(name: str, value: Any) -> Any:
    if value is None or value == "":
        raise ValueError(f"Required parameter {name} not set")
    if name == "part_number":
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"Required parameter {name} is a number, not {value!r}")
    elif not isinstance(value, str):
        raise ValueError(f"Required parameter {name} is a string, not {type(value).__name__}")
    return value
