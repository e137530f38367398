"""Listings that page themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from aiocos.call import Engine
from aiocos.errors import ProtocolError
from aiocos.response_errors import resource_of
from aiocos.wire.spec import Operation, Result

E = TypeVar("E")
P = TypeVar("P", bound=Result)
O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - an operation

Next = Callable[[O, P], dict[str, Any] | None]
"""Given an operation and its page: the parameters to change for the next page, or None at the end."""


# The parameters that say where a page begins.
_MARKERS = (
    "continuation_token",
    "marker",
    "key_marker",
    "version_id_marker",
    "upload_id_marker",
    "part_number_marker",
)


class Listing(Generic[E, P]):
    """The answer to a listing: iterate over its entries, or over whole `pages()`. Nothing is asked before that."""

    def __init__(
        self,
        engine: Engine,
        operation: Operation[P],
        following: Callable[[Any, P], dict[str, Any] | None],
        entries: Callable[[P], Sequence[E]],
    ) -> None:
        self._engine = engine
        self._operation = operation
        self._following = following
        self._entries = entries

    def __aiter__(self) -> AsyncIterator[E]:
        return self._each()

    async def _each(self) -> AsyncGenerator[E, None]:
        async for page in self.pages():
            for entry in self._entries(page):
                yield entry

    async def pages(self) -> AsyncGenerator[P, None]:
        """Give page after page; a page also holds the common prefixes. Raises what the call raises.

        The deadline (`timeout=`) is that of each page. A page that says that there is more and not how to get it, and one that
        points to a page that has been read, raise `ProtocolError`: the listing has no end that could be believed.
        """
        operation = self._operation
        # By hash: a listing may have a million pages, and a token may be long.
        met = {_place(operation)}
        while True:
            page = await self._engine.call(operation)
            yield page
            change = self._following(operation, page)
            if change is None:
                return
            what = f"{operation.spec.name} {resource_of(operation)}".strip()
            if not any(change.values()):
                raise ProtocolError(f"{what}: the page says that there is more, and not how to get it")
            operation = replace(operation, **change)
            if (place := _place(operation)) in met:
                raise ProtocolError(f"{what}: the page points to one that has been read as the next")
            met.add(place)


def _place(operation: Operation[Any]) -> int:
    return hash(tuple(getattr(operation, name, None) for name in _MARKERS))
