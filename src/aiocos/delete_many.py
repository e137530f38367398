"""Deleting any number of objects: batches of 1,000, a few of them at once, failures key by key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable

from aiocos.call import Engine
from aiocos.config import MAX_KEYS
from aiocos.errors import ServiceError
from aiocos.operations.objects import (
    Delete,
    DeletedObject,
    DeleteError,
    DeleteObject,
    DeleteObjects,
    DeleteObjectsResult,
    ObjectIdentifier,
)
from aiocos.wire.document import unrepresentable

Keys = Iterable[str | ObjectIdentifier] | AsyncIterable[str | ObjectIdentifier]

# Batches in flight. Each holds the service for a thousand deletions, so few are enough.
_AT_ONCE = 4


async def delete_many(
    engine: Engine,
    bucket: str,
    keys: Keys,
    *,
    quiet: bool = False,
    bypass_governance: bool | None = None,
    timeout: float | None = None,
) -> DeleteObjectsResult:
    """Delete objects by key (or key and version), however many; the keys may come from a listing while it runs.

    Returns what became of each key: `deleted` (empty with `quiet`) and `errors`, for example objects under retention. Raises
    only where a whole batch fails; batches already sent have happened. `timeout` is the deadline of each request, in seconds.
    """
    deleted: list[DeletedObject] = []
    errors: list[DeleteError] = []
    request_id: str | None = None

    async def batch(objects: list[ObjectIdentifier]) -> None:
        nonlocal request_id
        operation = DeleteObjects(
            bucket,
            Delete(objects=objects, quiet=True if quiet else None),
            bypass_governance=bypass_governance,
            timeout=timeout,
        )
        result = await engine.call(operation)
        request_id = result.request_id
        deleted.extend(result.deleted)
        errors.extend(result.errors)

    async def single(one: ObjectIdentifier) -> None:
        # No XML can carry this key, a path can.
        operation = DeleteObject(
            bucket, one.key, version_id=one.version_id, bypass_governance=bypass_governance, timeout=timeout
        )
        try:
            result = await engine.call(operation)
        except ServiceError as error:
            if error.status >= 500 or error.status in (401, 429):
                raise
            errors.append(DeleteError(key=one.key, version_id=one.version_id, code=error.code, message=error.message))
        else:
            if not quiet:
                deleted.append(DeletedObject(key=one.key, version_id=one.version_id, delete_marker=result.delete_marker))

    running: set[asyncio.Task[None]] = set()
    try:
        async for objects in _batches(keys):
            if len(running) >= _AT_ONCE:
                running = await _some_done(running)
            first = objects[0]
            work = single(first) if len(objects) == 1 and unrepresentable(first.key) else batch(objects)
            running.add(asyncio.create_task(work))
        while running:
            running = await _some_done(running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return DeleteObjectsResult(deleted=deleted, errors=errors, request_id=request_id)


async def _some_done(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait until a batch is done, and return those that are not.

    Raises the failure of one that failed. The caller still has all of them then, to gather: two may fail together, and a
    failure that nobody asks for is reported as lost.
    """
    done, rest = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return rest


async def _batches(keys: Keys) -> AsyncIterator[list[ObjectIdentifier]]:
    """Cut keys into lists of at most 1,000; a key that XML cannot carry is a list of its own."""
    gathered: list[ObjectIdentifier] = []
    async for key in _each(keys):
        one = key if isinstance(key, ObjectIdentifier) else ObjectIdentifier(key=key)
        if unrepresentable(one.key):
            yield [one]
            continue
        gathered.append(one)
        if len(gathered) == MAX_KEYS:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


async def _each(keys: Keys) -> AsyncIterator[str | ObjectIdentifier]:
    if isinstance(keys, str):
        raise TypeError("keys is a collection of keys, not one key: use `delete`, or put it into a list")
    if isinstance(keys, AsyncIterable):
        async for key in keys:
            yield key
    else:
        for key in keys:
            yield key
