"""Deletion of any number of objects.

Batches of 1,000 keys are deleted, several at once, and failures are reported key by key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable

from aiocos.call import Engine
from aiocos.config import MAX_KEYS
from aiocos.errors import ConfigError, ServiceError
from aiocos.operations.listing import DeleteMarker, ObjectEntry, ObjectVersion
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

Key = str | ObjectIdentifier | ObjectEntry | DeleteMarker
"""A key, an object or version, or an entry of a listing. `ObjectVersion` is an `ObjectEntry`."""
Keys = Iterable[Key] | AsyncIterable[Key]

# Batches in flight. Each is a thousand deletions for the service, so a few are enough.
_MAX_IN_FLIGHT = 4


async def delete_many(
    engine: Engine,
    bucket: str,
    keys: Keys,
    *,
    quiet: bool = False,
    bypass_governance: bool | None = None,
    timeout: float | None = None,
) -> DeleteObjectsResult:
    """Delete objects by key, or by key and version.

    The keys may come from a listing that is still running. An `ObjectEntry` deletes the object; an `ObjectVersion`
    or a `DeleteMarker` deletes that version only.

    Returns `deleted` (empty with `quiet`) and `errors`, key by key: an object under retention is an error, for example. Raises
    only if a whole batch fails, or `ConfigError` if one of `keys` has another type; batches that were sent before have taken
    effect. `timeout` is the deadline of each request, in seconds.
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
        # XML cannot carry this key, the path of a URL can.
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
            if len(running) >= _MAX_IN_FLIGHT:
                running = await _wait_for_first(running)
            first = objects[0]
            work = single(first) if len(objects) == 1 and unrepresentable(first.key) else batch(objects)
            running.add(asyncio.create_task(work))
        while running:
            running = await _wait_for_first(running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return DeleteObjectsResult(deleted=deleted, errors=errors, request_id=request_id)


async def _wait_for_first(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait until at least one batch has ended, and return the others.

    Raises the exception of a batch that failed. The caller still holds all tasks in that case and gathers them: if two fail at
    once, asyncio would log the exception that nobody retrieved.
    """
    done, rest = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return rest


async def _batches(keys: Keys) -> AsyncIterator[list[ObjectIdentifier]]:
    """Yield the keys in lists of at most 1,000.

    A key that XML cannot carry is a list by itself.
    """
    batch: list[ObjectIdentifier] = []
    async for key in _each(keys):
        one = _identifier(key)
        if unrepresentable(one.key):
            yield [one]
            continue
        batch.append(one)
        if len(batch) == MAX_KEYS:
            yield batch
            batch = []
    if batch:
        yield batch


def _identifier(key: object) -> ObjectIdentifier:
    if isinstance(key, str):
        return ObjectIdentifier(key=key)
    if isinstance(key, ObjectIdentifier):
        return key
    if isinstance(key, ObjectVersion | DeleteMarker):
        return ObjectIdentifier(key=key.key, version_id=key.version_id)
    if isinstance(key, ObjectEntry):
        return ObjectIdentifier(key=key.key)
    raise ConfigError(
        f"`keys` holds {type(key).__name__}: each key is a str, ObjectIdentifier(key=..., version_id=...), or an entry of "
        "`objects.list` or `objects.list_versions`"
    )


async def _each(keys: Keys) -> AsyncIterator[Key]:
    if isinstance(keys, str):
        raise TypeError("`keys` is a collection of keys: use `delete` for one key, or put the key into a list")
    if isinstance(keys, AsyncIterable):
        async for key in keys:
            yield key
    else:
        for key in keys:
            yield key
