"""Taking uploads back: in tasks of their own, which the cancel that made them necessary does not reach."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar
from weakref import WeakKeyDictionary

from aiocos.errors import AccessDenied, CosError, NoSuchUpload, printable
from aiocos.groups import Service
from aiocos.operations.multipart import CreateMultipartUpload, MultipartUpload

T = TypeVar("T")

Aborted = Literal["aborted", "gone", "unknown"]
"""What an abort found: an open upload, which it ended; none any more; or the service did not say."""

_log = logging.getLogger("aiocos.transfer")
# Clean-ups that outlive the task they belong to; the loop itself keeps only weak references.
_cleaning: WeakKeyDictionary[Service, set[asyncio.Task[Any]]] = WeakKeyDictionary()


def keep(service: Service, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a clean-up that nobody has to wait for."""
    task = asyncio.ensure_future(work)
    tasks = _cleaning.setdefault(service, set())
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def cleaned(service: Service) -> None:
    """Wait for the clean-ups that run; each bounds its own time."""
    loop = asyncio.get_running_loop()
    if tasks := [task for task in _cleaning.get(service, ()) if task.get_loop() is loop]:
        await asyncio.wait(tasks)


async def begin(service: Service, operation: CreateMultipartUpload) -> MultipartUpload:
    """Begin an upload. A cancel does not leave one whose id nobody learns: it could not be aborted."""
    task = asyncio.ensure_future(service.engine.call(operation))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # Not waited for here: a service that does not answer would hold the cancel up. The client waits when it closes.
        keep(service, _begun_and_aborted(service, operation, task))
        raise


async def _begun_and_aborted(
    service: Service, operation: CreateMultipartUpload, beginning: asyncio.Future[MultipartUpload]
) -> None:
    try:
        async with asyncio.timeout(service.engine.config.transfer.cleanup_timeout):
            begun = await beginning
    except (CosError, TimeoutError):
        return
    await abort(service, operation.bucket, operation.key, begun.upload_id)


async def abort(service: Service, bucket: str, key: str, upload_id: str) -> Aborted:
    """Abort an upload, and look whether it stays away. Raises nothing: what could not be done is logged."""
    multipart, seconds = service.multipart, service.engine.config.transfer.cleanup_timeout
    aborted = False
    error: Exception | str = "it is still there after three aborts"
    try:
        async with asyncio.timeout(seconds):
            for _ in range(3):
                await multipart.abort(bucket, key, upload_id)
                aborted = True
                # A part that was still on its way may have outlived the abort.
                async for _ in multipart.list_parts(bucket, key, upload_id):
                    break
    except NoSuchUpload:
        return "aborted" if aborted else "gone"
    except (CosError, TimeoutError) as failure:
        if aborted and isinstance(failure, AccessDenied):
            # Who may write and not read cannot look.
            return "aborted"
        error = failure
    _log.warning(
        "the upload of %s/%s could not be aborted, upload id %s: %s", bucket, printable(key), printable(upload_id), error
    )
    return "unknown"
