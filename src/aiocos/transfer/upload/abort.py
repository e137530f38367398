"""Taking uploads back: in tasks of their own, which the cancel that made them necessary does not reach.

A caller who cancels, or whose deadline has passed, waits for the abort for at most `GRACE` seconds. An abort that takes longer
goes on in the background, for at most `TransferConfig.cleanup_timeout` seconds, and the client waits for it when it is closed.
Aborts that failed are logged one by one, kept in `client.failed_aborts`, and logged together when the client is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from weakref import WeakKeyDictionary

from aiocos.errors import AccessDenied, CosError, NoSuchUpload, TransferError, printable
from aiocos.groups import Service, engine_of
from aiocos.operations.multipart import CreateMultipartUpload, MultipartUpload

T = TypeVar("T")

Aborted = Literal["aborted", "gone", "unknown"]
"""What an abort found: an open upload, which it ended; none any more; or the service did not say."""

GRACE = 0.25
"""Seconds for which a cancel waits for the abort that it makes necessary: a service that answers has done it by then."""

_log = logging.getLogger("aiocos.transfer")
# Failed aborts of one client, at most.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class FailedAbort:
    """An upload that was given up and could not be aborted: it may be open still, and its parts are paid for."""

    bucket: str
    """Bucket of the object that was to be."""
    key: str
    """Key of the object that was to be."""
    upload_id: str
    """What `client.multipart.abort` and `aiocos uploads abort` want."""
    error: str
    """Why it could not be aborted."""


@dataclass(slots=True)
class _Clean:
    """What one client has to clean up, and what it could not."""

    # The loop itself keeps only weak references to tasks.
    tasks: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])
    # By upload id, and bounded: a client may live for months beside a service that refuses aborts.
    failed: dict[str, FailedAbort] = field(default_factory=dict[str, FailedAbort])
    untold: set[str] = field(default_factory=set[str])  # of those, what no closing client has reported


_cleaning: WeakKeyDictionary[Service, _Clean] = WeakKeyDictionary()


def _of(service: Service) -> _Clean:
    return _cleaning.setdefault(service, _Clean())


def failed_aborts(service: Service) -> tuple[FailedAbort, ...]:
    """Return the uploads of a client that could not be aborted, the latest 10,000, in the order of their failures."""
    return tuple(_of(service).failed.values())


def keep(service: Service, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a clean-up that nobody has to wait for."""
    task = asyncio.ensure_future(work)
    tasks = _of(service).tasks
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def wait_for_aborts(service: Service) -> None:
    """Wait for the clean-ups that run, each of which bounds its own time; log how many uploads could not be aborted."""
    loop, clean = asyncio.get_running_loop(), _of(service)
    if tasks := [task for task in clean.tasks if task.get_loop() is loop]:
        await asyncio.wait(tasks)
    new = [one for one in clean.failed.values() if one.upload_id in clean.untold]
    clean.untold.clear()
    if new:
        shown = ", ".join(f"{one.bucket}/{one.key} ({one.upload_id})" for one in new[:10])
        more = f" and {len(new) - 10} more" if len(new) > 10 else ""
        text = "uploads that could not be aborted and may be open still: %d, %s%s; `aiocos uploads abort` removes them"
        _log.warning(text, len(new), shown, more)


async def abort_after_failure(service: Service, bucket: str, key: str, upload_id: str, cause: BaseException) -> Aborted | None:
    """Abort an upload because of an exception. Returns what was found; None where the abort goes on in the background.

    After a cancel (a passed deadline is one) it is waited for `GRACE` seconds, else until it is done.
    """
    # In a task of its own: a second cancel ends the waiting, not the cleaning.
    task = keep(service, abort(service, bucket, key, upload_id))
    if isinstance(cause, asyncio.CancelledError):
        await asyncio.wait([task], timeout=GRACE)
        return task.result() if task.done() and not task.cancelled() else None
    found = await asyncio.shield(task)
    if isinstance(cause, TransferError) and found != "gone":
        fate = (
            "it was taken back" if found == "aborted" else f"the upload {upload_id} could not be aborted and may be open still"
        )
        cause.args = (f"{cause.args[0]}; {fate}",)
    return found


async def begin(service: Service, operation: CreateMultipartUpload) -> MultipartUpload:
    """Begin an upload. A cancel does not leave one whose id nobody learns: it could not be aborted."""
    task = asyncio.ensure_future(engine_of(service).call(operation))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # Not waited for here: a service that does not answer would hold the cancel up. The client waits when it closes.
        keep(service, _begun_and_aborted(service, operation, task))
        raise


async def _begun_and_aborted(
    service: Service, operation: CreateMultipartUpload, beginning: asyncio.Future[MultipartUpload]
) -> None:
    ends = asyncio.get_running_loop().time() + engine_of(service).config.transfer.cleanup_timeout
    try:
        async with asyncio.timeout_at(ends):
            begun = await beginning
    except (CosError, TimeoutError) as error:
        if not isinstance(error, CosError) or getattr(error, "sent", False):
            text = "an upload of %s/%s may have been begun and is not known here: it would be open, without parts"
            _log.warning(text, operation.bucket, operation.key)
        return
    await abort(service, operation.bucket, operation.key, begun.upload_id, ends)


async def abort(service: Service, bucket: str, key: str, upload_id: str, ends: float | None = None) -> Aborted:
    """Abort an upload, and look whether it stays away. Raises nothing: what could not be done is logged, and counted.

    `ends` is a time of the loop's clock; None is `TransferConfig.cleanup_timeout` from now.
    """
    multipart = service.multipart
    if ends is None:
        ends = asyncio.get_running_loop().time() + engine_of(service).config.transfer.cleanup_timeout
    aborted = False
    error: Exception | str = "it is still there after three aborts"
    try:
        async with asyncio.timeout_at(ends):
            for _ in range(3):
                await multipart.abort(bucket, key, upload_id)
                aborted = True
                # It may be a second try.
                _of(service).failed.pop(upload_id, None)
                # A part that was still on its way may have outlived the abort.
                async for _ in multipart.list_parts(bucket, key, upload_id):
                    break
    except NoSuchUpload:
        return "aborted" if aborted else "gone"
    except (CosError, TimeoutError) as failure:
        if aborted and isinstance(failure, AccessDenied):
            # Who may write and not read cannot look.
            return "aborted"
        error = failure if str(failure) else "no answer in time"
    except asyncio.CancelledError:
        # The loop ends, and the client was not closed before.
        _failed(service, FailedAbort(bucket, key, upload_id, "the program ended before it was done"))
        raise
    _failed(service, FailedAbort(bucket, key, upload_id, str(error)))
    return "unknown"


def _failed(service: Service, failure: FailedAbort) -> None:
    clean = _of(service)
    clean.failed[failure.upload_id] = failure
    clean.untold.add(failure.upload_id)
    if len(clean.failed) > _REMEMBERED:
        oldest = next(iter(clean.failed))
        del clean.failed[oldest]
        clean.untold.discard(oldest)
    text = "the upload of %s/%s could not be aborted, upload id %s: %s"
    _log.warning(text, failure.bucket, printable(failure.key), printable(failure.upload_id), printable(failure.error))
