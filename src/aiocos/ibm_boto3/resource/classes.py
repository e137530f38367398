"""The classes of resources, made of their kinds."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, cast

from aiocos.ibm_boto3.client import OPERATIONS, S3Client
from aiocos.ibm_boto3.exceptions import ClientError, ParamValidationError
from aiocos.ibm_boto3.resource.base import (
    Loadable,
    Resource,
    attribute_of,
    identifier_of,
    kind_of,
    made_by,
    named,
    parameters_of,
)
from aiocos.ibm_boto3.resource.collection import Collection, DeletableCollection
from aiocos.ibm_boto3.resource.kinds import Action, Kind, Many
from aiocos.ibm_boto3.resource.table import KINDS

# The client's methods that are transfers; buckets and objects have them too, with what their identifiers say filled in.
TRANSFERS = ("upload_file", "upload_fileobj", "download_file", "download_fileobj", "copy")
TRANSFERRED = ("Bucket", "Object")


def furnish(cls: type[Resource], kind: Kind) -> None:
    """Give a class what its kind says: identifiers, attributes, actions, sub-resources, collections, waiters."""
    cls._kind = kind  # pyright: ignore[reportPrivateUsage]
    cls.__name__ = f"s3.{kind.name}"
    for name in kind.identifiers:
        setattr(cls, name, _identifier(name))
    for name, member in kind.attributes().items():
        setattr(cls, name, _attribute(name, member))
    for name, reason in kind.absent.items():
        setattr(cls, name, _absent(kind, name, reason))
    for name, many in kind.collections.items():
        setattr(cls, name, _collection(name, many))
    for name, child in kind.children.items():
        _put(cls, name, _child(child), f"Return a `{child}`, with this one's identifiers. It makes no request.")
    filled = f"; {', '.join(kind.identifiers.values())} filled in" if kind.identifiers else ""
    for name, action in kind.actions.items():
        told = inspect.cleandoc(OPERATIONS[action.method].__doc__ or "")
        gives = f"Gives a `{action.gives}`." if action.gives else "Gives the answer."
        _put(cls, name, _action(action), f"{told}\n\nParameters of the client's `{action.method}`{filled}. {gives}")
    for name in TRANSFERS if kind.name in TRANSFERRED else ():
        told = inspect.cleandoc(getattr(S3Client, name).__doc__ or "")
        _put(cls, name, _transfer(kind, name), f"{told}\n\nParameters of the client's `{name}`{filled}.")
    for name, waiter in kind.waiters.items():
        _put(cls, name, _waiter(waiter), f"Wait as the client's waiter `{waiter}` does. Raises `WaiterError`.")


def _made(kind: Kind) -> type[Resource]:
    base = Loadable if kind.load is not None else Resource
    doc = f"{kind.doc}\n\nIdentifiers: {', '.join(kind.identifiers)}. Attributes: {', '.join(kind.attributes())}."
    cls = cast("type[Resource]", type(kind.name, (base,), {"__doc__": doc, "__module__": __name__}))
    furnish(cls, kind)
    return cls


# ---------------------------------------------------------------------------------------------------------------------


def _put(cls: type[Resource], name: str, method: Callable[..., Any], doc: str) -> None:
    method.__name__, method.__qualname__, method.__doc__ = name, f"{cls.__qualname__}.{name}", doc
    setattr(cls, name, method)


def _identifier(name: str) -> property:
    def get(self: Resource) -> Any:
        return identifier_of(self, name)

    return property(get, doc="An identifier: it is always there.")


def _attribute(name: str, member: str) -> property:
    def get(self: Resource) -> Any:
        return attribute_of(self, name, member)

    return property(get, doc=f"`{member}`, once there is data.")


def _absent(kind: Kind, name: str, reason: str) -> property:
    def get(self: Resource) -> NoReturn:
        raise AttributeError(f"s3.{kind.name} has no {name} here: {reason}")

    return property(get, doc=f"Not offered: {reason}.")


def _collection(name: str, many: Many) -> property:
    def get(self: Resource) -> Collection[Any]:
        cls = CLASSES[many.kind]
        return (DeletableCollection if kind_of(cls).deleted_by else Collection)(self, name, many, cls)

    return property(get, doc=f"The collection of what `{many.method}` lists.")


def _child(child: str) -> Callable[..., Resource]:
    def make(self: Resource, *args: Any, **kwargs: Any) -> Resource:
        cls, known = CLASSES[child], parameters_of(self)
        kind = kind_of(cls)
        taken = {name: known[member] for name, member in kind.identifiers.items() if member in known}
        free = tuple(name for name in kind.identifiers if name not in taken)
        return cls(client=self.meta.client, **taken, **named(kind, free, args, kwargs))

    return make


def _action(action: Action) -> Callable[..., Awaitable[Any]]:
    async def act(self: Resource, **kwargs: Any) -> Any:
        client, given = self.meta.client, {**parameters_of(self), **action.fixed, **kwargs}
        try:
            answer: dict[str, Any] = await getattr(client, action.method)(**given)
        except BaseException as error:
            # What was not refused may have happened.
            if not _refused(error):
                _changed(self, action)
            raise
        _changed(self, action)
        return answer if action.gives is None else made_by(CLASSES[action.gives], client, {**answer, **given})

    return act


def _transfer(kind: Kind, name: str) -> Callable[..., Awaitable[None]]:
    whole = inspect.signature(getattr(S3Client, name))
    signature = whole.replace(parameters=[p for p in whole.parameters.values() if p.name not in kind.identifiers.values()])
    writes = kind.name == "Object" and not name.startswith("download")

    async def carry_out(self: Resource, given: dict[str, Any]) -> None:
        try:
            await getattr(self.meta.client, name)(**given, **parameters_of(self))
        finally:
            if writes:
                self.meta.data = None

    def transfer(self: Resource, *args: Any, **kwargs: Any) -> Awaitable[None]:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        del bound.arguments["self"]
        return carry_out(self, bound.arguments)

    transfer.__dict__["__signature__"] = signature
    return transfer


def _refused(error: BaseException) -> bool:
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return isinstance(error, ParamValidationError)


def _changed(resource: Resource, action: Action) -> None:
    if action.changes and kind_of(resource).load is not None:
        resource.meta.data = None


def _waiter(waiter: str) -> Callable[..., Awaitable[None]]:
    async def wait(self: Resource, **kwargs: Any) -> None:
        client: Any = self.meta.client
        await client.get_waiter(waiter).wait(**{**parameters_of(self), **kwargs})

    return wait


CLASSES: dict[str, type[Resource]] = {name: _made(kind) for name, kind in KINDS.items()}
"""The classes of resources, by the names of their kinds."""

globals().update(CLASSES)  # `from aiocos.ibm_boto3.resource.classes import Bucket`
