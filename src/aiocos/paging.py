"""Listings that fetch page after page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

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
    """The entries of a listing, for `async for` and for `await`.

    All listings of the client are read in one of these three ways::

        async for entry in cos.objects.list("bucket"): ...  # entries, page after page
        entries = await cos.objects.list("bucket")  # all entries as a list
        async for page in cos.objects.list("bucket").pages(): ...  # pages, with common prefixes, owner, request id

    Nothing is requested before that. Each `async for`, `await` and `pages()` starts at the first page again.
    """

    usage: ClassVar[str] = (
        "Read the `Listing` with `await` (all entries as a list), `async for` (entry by entry), or `async for` over `.pages()` "
        "(page by page)."
    )
    """How to read a listing. The texts of methods that return one end with it."""

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

    def __await__(self) -> Generator[Any, Any, list[E]]:
        return self._all().__await__()

    def __repr__(self) -> str:
        return f"<Listing {self._operation!r}: await it, or iterate with `async for`>"

    async def _each(self) -> AsyncGenerator[E, None]:
        async for page in self.pages():
            for entry in self._entries(page):
                yield entry

    async def _all(self) -> list[E]:
        found: list[E] = []
        async for page in self.pages():
            found += self._entries(page)
        return found

    async def pages(self) -> AsyncGenerator[P, None]:
        """Yield page after page: responses, with all that they hold besides entries.

        The deadline (`timeout=`) is that of each page. Raises what the operation raises, and `ProtocolError` if a page says
        that there are more but not where they start, or names a page that was read already: the listing would never end.
        """
        operation = self._operation
        # As hashes: a listing may have a million pages, and a token may be long.
        seen = {_start_of(operation)}
        while True:
            page = await self._engine.call(operation)
            yield page
            change = self._following(operation, page)
            if change is None:
                return
            what = f"{operation.spec.name} {resource_of(operation)}".strip()
            if not any(change.values()):
                raise ProtocolError(f"{what}: the page says that there are more entries, but not where the next page starts")
            operation = replace(operation, **change)
            if (start := _start_of(operation)) in seen:
                raise ProtocolError(f"{what}: the page names a page that was read already as the next one")
            seen.add(start)


def single_page(operation: Operation[Any], page: Result) -> None:
    """Return None, "no next page", for listings of a single response."""


def _start_of(operation: Operation[Any]) -> int:
    return hash(tuple(getattr(operation, name, None) for name in _MARKERS))
