"""What a synchronisation has to do, found out in one pass over both sides, a step at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiocos.errors import CosError
from aiocos.transfer.sync.listing import Entry
from aiocos.transfer.sync.paths import LocalFile, Unreadable

E = TypeVar("E", bound=Entry)


async def merged(
    source: AsyncIterator[Entry | Unreadable], target: AsyncIterator[Entry | Unreadable]
) -> AsyncGenerator[tuple[Entry | Unreadable | None, Entry | Unreadable | None]]:
    """Yield the entries of both sides, those of one name as a pair.

    Both sides come in order of name. What cannot be looked at comes by itself, on either side. What cannot be looked at in
    the target is no match: writing to it will tell.
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
    """A pair that differs, and the reason.

    The source is to come over; where it is None, the target is to go. Either may be `Unreadable`: then nothing can be done
    with it, and it is to be reported.
    """

    source: Entry | Unreadable | None
    target: Entry | Unreadable | None
    reason: str


async def steps(
    source: AsyncIterator[Entry | Unreadable],
    target: AsyncIterator[Entry | Unreadable],
    differ: Callable[[Entry, Entry], Awaitable[str | None]],
    same: Callable[[Entry], None],
) -> AsyncGenerator[Step]:
    """Yield what is to be done; call `same` for what the target has already.

    A file of the source that `differ` cannot read (an `OSError`) is given as `Unreadable`.
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
                reason = await differ(left, right)
            except OSError as error:
                if isinstance(error, CosError) or not isinstance(left, LocalFile):
                    raise
                yield Step(Unreadable(left.name, left.path, error), right, str(error))
                continue
            if reason:
                yield Step(left, right, reason)
            else:
                same(left)
