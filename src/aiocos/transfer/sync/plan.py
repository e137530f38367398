"""Merge the listings of two sides, and yield what a sync has to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiocos.errors import CosError
from aiocos.transfer.sync.listing import Entry
from aiocos.transfer.sync.walk import LocalFile, Unreadable

E = TypeVar("E", bound=Entry)


async def merged(
    source: AsyncIterator[Entry | Unreadable], target: AsyncIterator[Entry | Unreadable]
) -> AsyncGenerator[tuple[Entry | Unreadable | None, Entry | Unreadable | None]]:
    """Yield the entries of both sides, entries of the same name as a pair.

    Both sides must be in order of name.

    `Unreadable` entries are never paired. For one of the target this means that its file is transferred, and that writing it
    will report the reason.
    """
    left, right = await _next(source), await _next(target)
    while left is not None or right is not None:
        if isinstance(left, Unreadable):
            yield left, None
            left = await _next(source)
            continue
        if isinstance(right, Unreadable):
            yield None, right
            right = await _next(target)
            continue
        first, second = left and left.name.encode(), right and right.name.encode()
        if second is None or (first is not None and first < second):
            yield left, None
            left = await _next(source)
        elif first is None or second < first:
            yield None, right
            right = await _next(target)
        else:
            yield left, right
            left, right = await _next(source), await _next(target)


async def _next(entries: AsyncIterator[Entry | Unreadable]) -> Entry | Unreadable | None:
    async for entry in entries:
        return entry
    return None


@dataclass(frozen=True, slots=True)
class Step:
    """One difference between the two sides.

    An entry that is `Unreadable` can only be reported.
    """

    source: Entry | Unreadable | None
    """What to transfer; None if only the target has it."""
    target: Entry | Unreadable | None
    """What to replace or delete; None if only the source has it."""
    reason: str
    """Why the two differ; for an `Unreadable` entry, its error."""


async def steps(
    source: AsyncIterator[Entry | Unreadable],
    target: AsyncIterator[Entry | Unreadable],
    difference: Callable[[Entry, Entry], Awaitable[str | None]],
    on_unchanged: Callable[[Entry], None],
) -> AsyncGenerator[Step]:
    """Yield the differences between two sides.

    `on_unchanged` is called for every source entry that the target has already.

    A file of the source for which `difference` raises `OSError` is yielded as `Unreadable`.
    """
    async for left, right in merged(source, target):
        if isinstance(left, Unreadable):
            yield Step(left, None, str(left.error))
        elif isinstance(right, Unreadable):
            yield Step(None, right, str(right.error))
        elif left is None:
            yield Step(None, right, "not in the source")
        elif right is None:
            yield Step(left, None, "new")
        else:
            try:
                reason = await difference(left, right)
            except OSError as error:
                if isinstance(error, CosError) or not isinstance(left, LocalFile):
                    raise
                yield Step(Unreadable(left.name, left.path, error), right, str(error))
                continue
            if reason:
                yield Step(left, right, reason)
            else:
                on_unchanged(left)
