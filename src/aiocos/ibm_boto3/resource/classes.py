"""The classes of resources, made from their models.

Type checkers read `classes.pyi`.
"""

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
    bind_identifiers,
    identifier_members,
    identifier_of,
    model_of,
    resource_from_members,
)
from aiocos.ibm_boto3.resource.collection import Collection, DeletableCollection
from aiocos.ibm_boto3.resource.definitions import MODELS
from aiocos.ibm_boto3.resource.model import ActionModel, CollectionModel, ResourceModel

# Transfer methods of the client. The kinds in TRANSFERRED have them as well, with their identifiers as arguments.
TRANSFERS = ("upload_file", "upload_fileobj", "download_file", "download_fileobj", "copy")
TRANSFERRED = ("Bucket", "Object")


def add_members(cls: type[Resource], model: ResourceModel) -> None:
    """Add the members of a model to a class.

    The members are identifiers, attributes, actions, sub-resources, collections and waiters. Buckets and objects get the
    client's transfer methods too.
    """
    cls._model = model  # pyright: ignore[reportPrivateUsage]
    cls.__name__ = f"s3.{model.name}"
    for name in model.identifiers:
        setattr(cls, name, _identifier(name))
    for name, member in model.attributes().items():
        setattr(cls, name, _attribute(name, member))
    for name, reason in model.not_offered.items():
        setattr(cls, name, _not_offered(model, name, reason))
    for name, collection in model.collections.items():
        setattr(cls, name, _collection(name, collection))
    for name, child in model.children.items():
        _put(cls, name, _child(child), f"Return the `{child}` with this resource's identifiers.\n\nNo request is sent.")
    except_for = f", except {', '.join(model.identifiers.values())}" if model.identifiers else ""
    for name, action in model.actions.items():
        text = inspect.cleandoc(OPERATIONS[action.method].__doc__ or "")
        returns = f"Returns a `{action.returns}`." if action.returns else "Returns the response."
        text += f"\n\nTakes the parameters of the client's `{action.method}`{except_for}. {returns}"
        _put(cls, name, _action(action), text)
    for name in TRANSFERS if model.name in TRANSFERRED else ():
        text = inspect.cleandoc(getattr(S3Client, name).__doc__ or "").partition("\n")[0]
        _put(cls, name, _transfer(model, name), f"{text}\n\nTakes the parameters of the client's `{name}`{except_for}.")
    for name, waiter in model.waiters.items():
        _put(cls, name, _waiter(waiter), f"Wait as the client's waiter `{waiter}` does. Raises `WaiterError`.")


def _make_class(model: ResourceModel) -> type[Resource]:
    base = Loadable if model.load is not None else Resource
    doc = f"{model.doc}\n\nIdentifiers: {', '.join(model.identifiers)}. Attributes: {', '.join(model.attributes())}."
    cls = cast("type[Resource]", type(model.name, (base,), {"__doc__": doc, "__module__": __name__}))
    add_members(cls, model)
    return cls


# ---------------------------------------------------------------------------------------------------------------------


def _put(cls: type[Resource], name: str, method: Callable[..., Any], doc: str) -> None:
    method.__name__, method.__qualname__, method.__doc__ = name, f"{cls.__qualname__}.{name}", doc
    setattr(cls, name, method)


def _identifier(name: str) -> property:
    def get(self: Resource) -> Any:
        return identifier_of(self, name)

    return property(get, doc="An identifier, which always has a value.")


def _attribute(name: str, member: str) -> property:
    def get(self: Resource) -> Any:
        return attribute_of(self, name, member)

    return property(get, doc=f"`{member}` in the response, after the resource is loaded.")


def _not_offered(model: ResourceModel, name: str, reason: str) -> property:
    def get(self: Resource) -> NoReturn:
        raise AttributeError(f"s3.{model.name} has no {name} here: {reason}")

    return property(get, doc=f"Not offered: {reason}.")


def _collection(name: str, model: CollectionModel) -> property:
    def get(self: Resource) -> Collection[Any]:
        cls = CLASSES[model.kind]
        return (DeletableCollection if model_of(cls).delete_members else Collection)(self, name, model, cls)

    return property(get, doc=f"The resources that `{model.method}` lists.")


def _child(child: str) -> Callable[..., Resource]:
    def make(self: Resource, *args: Any, **kwargs: Any) -> Resource:
        cls, known = CLASSES[child], identifier_members(self)
        model = model_of(cls)
        taken = {name: known[member] for name, member in model.identifiers.items() if member in known}
        free = tuple(name for name in model.identifiers if name not in taken)
        return cls(client=self.meta.client, **taken, **bind_identifiers(model, free, args, kwargs))

    return make


def _action(action: ActionModel) -> Callable[..., Awaitable[Any]]:
    async def act(self: Resource, **kwargs: Any) -> Any:
        client, given = self.meta.client, {**identifier_members(self), **action.fixed, **kwargs}
        try:
            response: dict[str, Any] = await getattr(client, action.method)(**given)
        except BaseException as error:
            # After an error that is not a refusal, the action may have had its effect.
            if not _was_refused(error):
                _drop_data(self, action)
            raise
        _drop_data(self, action)
        if action.returns is None:
            return response
        return resource_from_members(CLASSES[action.returns], client, {**response, **given})

    return act


def _transfer(model: ResourceModel, name: str) -> Callable[..., Awaitable[None]]:
    whole = inspect.signature(getattr(S3Client, name))
    signature = whole.replace(parameters=[p for p in whole.parameters.values() if p.name not in model.identifiers.values()])
    writes = model.name == "Object" and not name.startswith("download")

    async def carry_out(self: Resource, given: dict[str, Any]) -> None:
        try:
            await getattr(self.meta.client, name)(**given, **identifier_members(self))
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


def _was_refused(error: BaseException) -> bool:
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return isinstance(error, ParamValidationError)


def _drop_data(resource: Resource, action: ActionModel) -> None:
    if action.invalidates and model_of(resource).load is not None:
        resource.meta.data = None


def _waiter(waiter: str) -> Callable[..., Awaitable[None]]:
    async def wait(self: Resource, **kwargs: Any) -> None:
        client: Any = self.meta.client
        await client.get_waiter(waiter).wait(**{**identifier_members(self), **kwargs})

    return wait


CLASSES: dict[str, type[Resource]] = {name: _make_class(model) for name, model in MODELS.items()}
"""Classes of resources, by the names of their kinds."""

globals().update(CLASSES)  # `from aiocos.ibm_boto3.resource.classes import Bucket`
