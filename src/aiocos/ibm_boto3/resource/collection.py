"""Collections: `async for item in bucket.objects.filter(Prefix="a/")`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from aiocos.ibm_boto3 import inputs
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.exceptions import ClientError, ParamValidationError
from aiocos.ibm_boto3.resource.base import Resource, identifier_members, model_of, resource_from_members
from aiocos.ibm_boto3.resource.model import CollectionModel
from aiocos.wire.document import unrepresentable

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import DeleteObjectsOutputTypeDef

Item = TypeVar("Item")


class Collection(Generic[Item]):
    """The resources in a listing.

    Their attributes come from the listing, without further requests. Iterating over a collection sends a request for each page;
    a second iteration sends them again. `all`, `filter`, `limit` and `page_size` each return a new collection, so calls can be
    chained.
    """

    def __init__(self, parent: Resource, name: str, model: CollectionModel, cls: type[Resource]) -> None:
        self._parent = parent
        self._name = name
        self._model = model
        self._class = cls
        self._arguments: dict[str, Any] = {}
        self._limit: int | None = None
        self._size: int | None = None

    def all(self) -> Self:
        """Return a collection of all resources that this one selects."""
        return self.filter()

    def filter(self, **kwargs: Any) -> Self:
        """Return a collection of what the listing returns with these parameters.

        Args:
            **kwargs: Parameters of the client's method, such as `Prefix`; besides, `limit` and `page_size`.

        Raises:
            ParamValidationError: `limit` or `page_size` is invalid.
        """
        collection = type(self)(self._parent, self._name, self._model, self._class)
        collection._limit = _count("limit", kwargs.pop("limit", self._limit), 0)
        collection._size = _count("page_size", kwargs.pop("page_size", self._size), 1)
        collection._arguments = {**self._arguments, **kwargs}
        return collection

    iterator = filter

    def limit(self, count: int | None) -> Self:
        """Return a collection of the first `count` resources; None lifts the limit."""
        return self.filter(limit=count)

    def page_size(self, count: int | None) -> Self:
        """Return a collection that requests `count` resources per page.

        None leaves the number to the service. Listings without pages, such as that of buckets, ignore it.
        """
        return self.filter(page_size=count)

    async def pages(self) -> AsyncIterator[list[Item]]:
        """Yield the resources page by page, as lists. A page may be empty."""
        left = self._limit
        if left == 0:
            return
        client, arguments = self._parent.meta.client, {**identifier_members(self._parent), **self._arguments}
        async for response in self._responses(arguments):
            found: list[Any] = [
                resource_from_members(self._class, client, {**arguments, **self._identifiers_of(entry)}, entry)
                for member in self._model.entries
                for entry in response.get(member, ())
            ]
            if left is not None:
                found = found[:left]
                left -= len(found)
            yield found
            if left == 0:
                return

    async def _responses(self, arguments: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        client: Any = self._parent.meta.client
        if not client.can_paginate(self._model.method):
            yield await getattr(client, self._model.method)(**arguments)
            return
        paginator = client.get_paginator(self._model.method)
        async for response in paginator.paginate(PaginationConfig={"PageSize": self._size}, **arguments):
            yield response

    def _identifiers_of(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the identifiers of an entry, as parameters of a request."""
        out = dict(self._model.default)
        for member in model_of(self._class).identifiers.values():
            value = entry.get(self._model.renamed.get(member, member))
            if value is not None:
                out[member] = value
        return out

    async def _each(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for one in page:
                yield one

    def __aiter__(self) -> AsyncIterator[Item]:
        return self._each()

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} sends requests: write `async for`, or a list `[one async for one in ….{self._name}.all()]`")

    def __repr__(self) -> str:
        prefix = "s3" if not model_of(self._parent).identifiers else f"s3.{model_of(self._parent).name}"
        return f"{prefix}.{self._name}Collection({self._parent!r}, s3.{self._model.kind})"


class DeletableCollection(Collection[Item]):
    """A collection of objects or versions, which can be deleted together."""

    async def delete(self, **kwargs: Any) -> list[DeleteObjectsOutputTypeDef]:
        """Delete all of them, with one request per page (1,000 objects, or `page_size`).

        Args:
            **kwargs: Parameters of `delete_objects`. `Delete` may hold `Quiet`.

        Returns:
            The responses. `Errors` in them lists the objects that could not be deleted.

        Raises:
            ClientError: A whole request failed. The pages before it are deleted.
        """
        settings = kwargs.pop("Delete", {})
        if not isinstance(settings, Mapping) or set(settings) - {"Quiet"}:  # pyright: ignore[reportUnknownArgumentType]
            raise ParamValidationError("Delete may only hold Quiet here: the objects are those of the collection")
        # A page of a listing is never larger than what one request may delete.
        return [await self._delete_page(page, {**settings}, kwargs) async for page in self.pages() if page]

    async def _delete_page(self, page: list[Any], settings: dict[str, Any], more: dict[str, Any]) -> Any:
        members = model_of(self._class).delete_members
        objects = [{member: identifier_members(one)[member] for member in members} for one in page]
        representable = [one for one in objects if not unrepresentable(one["Key"])]
        call = {"Bucket": identifier_members(page[0])["Bucket"], **more}
        response: dict[str, Any] = {}
        client: Any = self._parent.meta.client
        if representable:
            response = await client.delete_objects(**call, Delete={"Objects": representable, **settings})
        for one in objects:
            if unrepresentable(one["Key"]):
                await self._delete_singly(one, call, response, quiet=bool(settings.get("Quiet")))
        return response

    async def _delete_singly(self, one: dict[str, Any], call: dict[str, Any], response: dict[str, Any], *, quiet: bool) -> None:
        """Delete an object whose key XML cannot hold, with its own request.

        The outcome is added to the response.
        """
        known = inputs.input_names(OPERATIONS["delete_object"].spec)
        passed = {name: value for name, value in call.items() if name in known}
        client: Any = self._parent.meta.client
        try:
            deleted = await client.delete_object(**passed, **one)
        except ClientError as error:
            metadata: Mapping[str, Any] = error.response["ResponseMetadata"]
            if metadata["HTTPStatusCode"] >= 500 or metadata["HTTPStatusCode"] in (401, 429):
                raise
            failed = error.response["Error"]
            response.setdefault("Errors", []).append({**one, "Code": failed.get("Code"), "Message": failed.get("Message")})
        else:
            metadata = deleted["ResponseMetadata"]
            if not quiet:
                marker = {"DeleteMarker": True} if deleted.get("DeleteMarker") else {}
                response.setdefault("Deleted", []).append({**one, **marker})
        response.setdefault("ResponseMetadata", metadata)


def _count(name: str, value: Any, least: int) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise ValueError(f"{name} is a number from {least} on, not {value!r}")
    return value
