"""Collections: `async for item in bucket.objects.filter(Prefix="a/")`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from aiocos.ibm_boto3 import shapes
from aiocos.ibm_boto3.client import OPERATIONS
from aiocos.ibm_boto3.exceptions import ClientError, ParamValidationError
from aiocos.ibm_boto3.resource.base import Resource, kind_of, made_by, parameters_of
from aiocos.ibm_boto3.resource.kinds import Many
from aiocos.wire.document import unrepresentable

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import DeleteObjectsOutputTypeDef

Item = TypeVar("Item")


class Collection(Generic[Item]):
    """The resources that a listing names; each has its attributes from there, with no further request.

    A collection asks when it is iterated over, page by page, and asks again when it is iterated over again. `all`, `filter`,
    `limit` and `page_size` each give another collection, so they can follow one another. It is iterable itself, too.
    """

    def __init__(self, parent: Resource, name: str, many: Many, cls: type[Resource]) -> None:
        self._parent = parent
        self._name = name
        self._many = many
        self._class = cls
        self._arguments: dict[str, Any] = {}
        self._limit: int | None = None
        self._size: int | None = None

    def all(self) -> Self:
        """All that there is."""
        return self.filter()

    def filter(self, **kwargs: Any) -> Self:
        """What the listing gives with these parameters: those of the client's method, `Prefix` and its kin."""
        made = type(self)(self._parent, self._name, self._many, self._class)
        made._limit = _count("limit", kwargs.pop("limit", self._limit), 0)
        made._size = _count("page_size", kwargs.pop("page_size", self._size), 1)
        made._arguments = {**self._arguments, **kwargs}
        return made

    iterator = filter

    def limit(self, count: int | None) -> Self:
        """The first `count` of them."""
        return self.filter(limit=count)

    def page_size(self, count: int | None) -> Self:
        """The same, with at most `count` of them a request. A listing that has no pages takes no notice."""
        return self.filter(page_size=count)

    async def pages(self) -> AsyncIterator[list[Item]]:
        """Give them page by page, as lists; a page may be empty."""
        left = self._limit
        if left == 0:
            return
        client, arguments = self._parent.meta.client, {**parameters_of(self._parent), **self._arguments}
        async for answer in self._answers(arguments):
            found: list[Any] = [
                made_by(self._class, client, {**arguments, **self._named(entry)}, entry)
                for member in self._many.entries
                for entry in answer.get(member, ())
            ]
            if left is not None:
                found = found[:left]
                left -= len(found)
            yield found
            if left == 0:
                return

    async def _answers(self, arguments: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        client: Any = self._parent.meta.client
        if not client.can_paginate(self._many.method):
            yield await getattr(client, self._many.method)(**arguments)
            return
        paginator = client.get_paginator(self._many.method)
        async for answer in paginator.paginate(PaginationConfig={"PageSize": self._size}, **arguments):
            yield answer

    def _named(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The identifiers of an entry, as members of requests."""
        out = dict(self._many.default)
        for member in kind_of(self._class).identifiers.values():
            value = entry.get(self._many.said.get(member, member))
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
        raise TypeError(
            f"{self!r} asks the service: write `async for`, or a list `[one async for one in ….{self._name}.all()]`"
        )

    def __repr__(self) -> str:
        prefix = "s3" if not kind_of(self._parent).identifiers else f"s3.{kind_of(self._parent).name}"
        return f"{prefix}.{self._name}Collection({self._parent!r}, s3.{self._many.kind})"


class DeletableCollection(Collection[Item]):
    """A collection whose objects or versions can be deleted at once."""

    async def delete(self, **kwargs: Any) -> list[DeleteObjectsOutputTypeDef]:
        """Delete all of them, page by page (1,000, or `page_size`), a request each; return the answers.

        Failures of single objects stand in the answers' `Errors`. Raises where a whole request fails; what was deleted before
        is gone. Parameters are those of `delete_objects`; `Delete` may hold `Quiet`.
        """
        how = kwargs.pop("Delete", {})
        if not isinstance(how, Mapping) or set(how) - {"Quiet"}:  # pyright: ignore[reportUnknownArgumentType]
            raise ParamValidationError("Delete may hold Quiet here: the objects are those of the collection")
        # No listing gives pages of more than what one request deletes.
        return [await self._deleted(page, {**how}, kwargs) async for page in self.pages() if page]

    async def _deleted(self, page: list[Any], how: dict[str, Any], more: dict[str, Any]) -> Any:
        members = kind_of(self._class).deleted_by
        every = [{member: parameters_of(one)[member] for member in members} for one in page]
        plain = [one for one in every if not unrepresentable(one["Key"])]
        call = {"Bucket": parameters_of(page[0])["Bucket"], **more}
        answer: dict[str, Any] = {}
        client: Any = self._parent.meta.client
        if plain:
            answer = await client.delete_objects(**call, Delete={"Objects": plain, **how})
        for one in every:
            if unrepresentable(one["Key"]):
                await self._delete_singly(one, call, answer, quiet=bool(how.get("Quiet")))
        return answer

    async def _delete_singly(self, one: dict[str, Any], call: dict[str, Any], answer: dict[str, Any], *, quiet: bool) -> None:
        """Delete what no XML can name: a path can. What becomes of it is put with the rest of the answer."""
        known = shapes.offered(OPERATIONS["delete_object"].spec)
        passed = {name: value for name, value in call.items() if name in known}
        client: Any = self._parent.meta.client
        try:
            told = await client.delete_object(**passed, **one)
        except ClientError as error:
            metadata: Mapping[str, Any] = error.response["ResponseMetadata"]
            if metadata["HTTPStatusCode"] >= 500 or metadata["HTTPStatusCode"] in (401, 429):
                raise
            failed = error.response["Error"]
            answer.setdefault("Errors", []).append({**one, "Code": failed.get("Code"), "Message": failed.get("Message")})
        else:
            metadata = told["ResponseMetadata"]
            if not quiet:
                marker = {"DeleteMarker": True} if told.get("DeleteMarker") else {}
                answer.setdefault("Deleted", []).append({**one, **marker})
        answer.setdefault("ResponseMetadata", metadata)


def _count(name: str, value: Any, least: int) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise ValueError(f"{name} is a number from {least} on, not {value!r}")
    return value
