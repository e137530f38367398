"""The base class of resources: identifiers, loaded data, equality."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from aiocos.ibm_boto3 import names
from aiocos.ibm_boto3.client import S3Client
from aiocos.ibm_boto3.exceptions import ResourceLoadException
from aiocos.ibm_boto3.resource.model import ResourceModel


class ResourceNotLoadedError(ResourceLoadException):
    """An attribute was read before the resource was loaded.

    The message describes how to load it. Reading an attribute cannot send a request, since it is not awaited. This is not an
    `AttributeError`: with one, `getattr(item, "version_id", None)` would return None as if the object had no version.
    """


@dataclass(slots=True, eq=False)
class ResourceMeta:
    """Client and loaded data of a resource: `resource.meta`."""

    identifiers: list[str]
    """Names of the identifiers."""
    client: S3Client = field(repr=False)
    """Client that sends the requests."""
    data: dict[str, Any] | None = field(default=None, repr=False)
    """Response members that the attributes are read from; None before the resource is loaded."""
    service_name: str = "s3"
    """Always `s3`."""


class Resource:
    """A bucket, object, upload, version or setting, identified by its identifiers.

    Methods are awaited. They take the parameters of the client's methods by name, except those that the identifiers provide.

    Attributes have values when the resource is loaded: it is if it comes from a collection; otherwise `await resource.load()`
    loads it, and `await resource` does if necessary and returns the resource. An action that changes the resource drops its
    data. Two resources of one kind with equal identifiers are equal.
    """

    _model: ClassVar[ResourceModel]
    meta: ResourceMeta
    """Client and loaded data of the resource."""

    def __init__(self, *args: Any, client: S3Client, **kwargs: Any) -> None:
        given = bind_identifiers(self._model, tuple(self._model.identifiers), args, kwargs)
        self._values = {name: _checked_identifier(name, given.get(name)) for name in self._model.identifiers}
        self.meta = ResourceMeta(list(self._model.identifiers), client)

    def get_available_subresources(self) -> list[str]:
        """Return the names of methods that return sub-resources.

        One of them is `Object` of a bucket.
        """
        return sorted(self._model.children)

    def __await__(self) -> Generator[Any, None, Self]:
        return self._loaded().__await__()

    async def _loaded(self) -> Self:
        if self.meta.data is None:
            self.meta.data = await self._load({})
        return self

    async def _load(self, given: dict[str, Any]) -> dict[str, Any]:
        if self._model.load is None:
            raise ResourceNotLoadedError(f"{self!r} has no data: {self._remedy()}")
        return await self._model.load(self.meta.client, identifier_members(self), given)

    def _remedy(self) -> str:
        """Return how to load the data, for error messages."""
        if self._model.load is not None:
            return f"write `await {names.snake(self._model.name)}.load()` first, or await the resource itself"
        source = self._model.data_source
        return f"it has no load method, data comes with `async for … in {source}`" if source else "use it with `async with`"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values == other._values

    def __hash__(self) -> int:
        return hash((type(self), *self._values.values()))

    def __repr__(self) -> str:
        return f"s3.{self._model.name}({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in self._model.not_offered]


class Loadable(Resource):
    """A resource whose data can be loaded with a request."""

    async def load(self, **kwargs: Any) -> None:
        """Load the data.

        Args:
            **kwargs: Further parameters of the operation that returns the data, such as `VersionId` or a customer key.
        """
        self.meta.data = await self._load(kwargs)

    async def reload(self, **kwargs: Any) -> None:
        """Load the data again, like `load`."""
        await self.load(**kwargs)


def model_of(resource: type[Resource] | Resource) -> ResourceModel:
    """Return the model of a resource."""
    return resource._model  # pyright: ignore[reportPrivateUsage]


def identifier_members(resource: Resource) -> dict[str, Any]:
    """Return the identifiers as parameters of a request: `{"Bucket": …, "Key": …}`."""
    return {member: identifier_of(resource, name) for name, member in model_of(resource).identifiers.items()}


def identifier_of(resource: Resource, name: str) -> Any:
    """Return the value of an identifier."""
    return resource._values[name]  # pyright: ignore[reportPrivateUsage]


def attribute_of(resource: Resource, name: str, member: str) -> Any:
    """Return the value of an attribute; None if the service left it out.

    Raises:
        ResourceNotLoadedError: The resource has no data yet.
    """
    if resource.meta.data is None:
        remedy = resource._remedy()  # pyright: ignore[reportPrivateUsage]
        raise ResourceNotLoadedError(f"{resource!r} has no .{name} yet: {remedy}")
    return resource.meta.data.get(member)


def resource_from_members(
    cls: type[Resource], client: S3Client, members: Mapping[str, Any], data: dict[str, Any] | None = None
) -> Resource:
    """Return the resource whose identifiers are members of a request or response."""
    resource = cls(client=client, **{name: members.get(member) for name, member in model_of(cls).identifiers.items()})
    resource.meta.data = data
    return resource


def bind_identifiers(
    model: ResourceModel, free: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the identifiers of a call by name.

    Args:
        model: Model of the resource.
        free: Identifiers that the call has to provide, in the order of positional arguments.
        args: Positional arguments.
        kwargs: Keyword arguments.

    Raises:
        TypeError: There are too many arguments, or one is given twice.
        ValueError: A keyword argument is not an identifier.
    """
    takes = f"s3.{model.name} takes {', '.join(free) or 'no identifiers'} here"
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


def _checked_identifier(name: str, value: Any) -> Any:
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
