"""Abort multipart uploads that failed.

An abort runs in a task of its own, which a cancel of the caller does not reach.

After a cancel or a passed deadline, the caller waits at most `ABORT_GRACE` seconds for the abort. An abort that takes longer
continues in the background, for at most `TransferConfig.cleanup_timeout` seconds, and closing the client waits for it. Aborts
that failed are logged one by one, listed in `client.failed_aborts`, and logged together when the client is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from aiocos.errors import AccessDenied, CosError, NoSuchUpload, TransferError, printable
from aiocos.groups import Service, engine_of
from aiocos.operations.multipart import CreateMultipartUpload, MultipartUpload

T = TypeVar("T")

AbortOutcome: TypeAlias = Literal["aborted", "gone", "unknown"]
"""`aborted`: the upload was open, and is not any more. `gone`: there was no such upload. `unknown`: the abort failed."""

ABORT_GRACE = 0.25
"""Seconds for which a canceled caller waits for the abort: enough if the service responds at all."""

_log = logging.getLogger("aiocos.transfer")
# Failed aborts that are kept for one client.
_MAX_FAILURES = 10_000


@dataclass(frozen=True, slots=True)
class FailedAbort:
    """A multipart upload that could not be aborted.

    It may still be open, and its parts are paid for.
    """

    bucket: str
    """Bucket of the object that the upload would have made."""
    key: str
    """Key of that object."""
    upload_id: str
    """Id of the upload, for `client.multipart.abort` or `aiocos uploads abort`."""
    error: str
    """Why it could not be aborted."""


@dataclass(slots=True)
class _CleanupState:
    """Running clean-up tasks of one client, and the aborts that failed."""

    # Strong references: the event loop itself keeps only weak ones to tasks.
    tasks: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])
    # By upload id. Bounded, since a client may live for months beside a service that refuses aborts.
    failed: dict[str, FailedAbort] = field(default_factory=dict[str, FailedAbort])
    # Upload ids that no closing client has reported yet.
    unreported: set[str] = field(default_factory=set[str])


_states: WeakKeyDictionary[Service, _CleanupState] = WeakKeyDictionary()


def _state_of(service: Service) -> _CleanupState:
    return _states.setdefault(service, _CleanupState())


def failed_aborts(service: Service) -> tuple[FailedAbort, ...]:
    """Return the uploads of a client that could not be aborted.

    These are the latest 10,000, in the order in which they failed.
    """
    return tuple(_state_of(service).failed.values())


def start_cleanup(service: Service, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run a clean-up in a task of its own, which closing the client waits for."""
    task = asyncio.ensure_future(work)
    tasks = _state_of(service).tasks
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def wait_for_aborts(service: Service) -> None:
    """Wait for running clean-ups, and log how many uploads could not be aborted.

    Each clean-up has a deadline of its own.
    """
    loop, state = asyncio.get_running_loop(), _state_of(service)
    if tasks := [task for task in state.tasks if task.get_loop() is loop]:
        await asyncio.wait(tasks)
    new = [one for one in state.failed.values() if one.upload_id in state.unreported]
    state.unreported.clear()
    if new:
        shown = ", ".join(f"{one.bucket}/{one.key} ({one.upload_id})" for one in new[:10])
        more = f" and {len(new) - 10} more" if len(new) > 10 else ""
        text = "uploads that could not be aborted and may be open still: %d, %s%s; `aiocos uploads abort` removes them"
        _log.warning(text, len(new), shown, more)


async def abort_after_failure(
    service: Service, bucket: str, key: str, upload_id: str, cause: BaseException
) -> AbortOutcome | None:
    """Abort an upload because of the exception `cause`.

    If that is a `TransferError`, its message gets the outcome of the abort.

    After a cancel (a passed deadline arrives as one), waits `ABORT_GRACE` seconds, else until the abort is done. Returns None
    if it continues in the background.
    """
    # In a task of its own, so that a second cancel ends the wait, and not the abort.
    task = start_cleanup(service, abort(service, bucket, key, upload_id))
    if isinstance(cause, asyncio.CancelledError):
        await asyncio.wait([task], timeout=ABORT_GRACE)
        return task.result() if task.done() and not task.cancelled() else None
    outcome = await asyncio.shield(task)
    if isinstance(cause, TransferError) and outcome != "gone":
        note = (
            "the upload was aborted"
            if outcome == "aborted"
            else f"the upload {upload_id} could not be aborted and may be open still"
        )
        cause.args = (f"{cause.args[0]}; {note}",)
    return outcome


async def create_upload(service: Service, operation: CreateMultipartUpload) -> MultipartUpload:
    """Create a multipart upload.

    If a cancel arrives meanwhile, the upload is aborted as soon as its id is known.
    """
    task = asyncio.ensure_future(engine_of(service).call(operation))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # In the background, since the service may not respond. Closing the client waits for it.
        start_cleanup(service, _abort_when_created(service, operation, task))
        raise


async def _abort_when_created(
    service: Service, operation: CreateMultipartUpload, creation: asyncio.Future[MultipartUpload]
) -> None:
    deadline = asyncio.get_running_loop().time() + engine_of(service).config.transfer.cleanup_timeout
    try:
        async with asyncio.timeout_at(deadline):
            created = await creation
    except (CosError, TimeoutError) as error:
        if not isinstance(error, CosError) or getattr(error, "sent", False):
            text = "an upload of %s/%s may have been created, and its id is not known: it would be open, without parts"
            _log.warning(text, operation.bucket, operation.key)
        return
    await abort(service, operation.bucket, operation.key, created.upload_id, deadline)


async def abort(service: Service, bucket: str, key: str, upload_id: str, deadline: float | None = None) -> AbortOutcome:
    """Abort an upload, and check that it is gone.

    Never raises because of the service: failures are logged and recorded.

    `deadline` is a time of the loop's clock; None is `TransferConfig.cleanup_timeout` from now.
    """
    multipart = service.multipart
    if deadline is None:
        deadline = asyncio.get_running_loop().time() + engine_of(service).config.transfer.cleanup_timeout
    aborted = False
    error: Exception | str = "it is still there after three aborts"
    try:
        async with asyncio.timeout_at(deadline):
            for _ in range(3):
                await multipart.abort(bucket, key, upload_id)
                aborted = True
                # An earlier abort of this upload may have failed.
                _state_of(service).failed.pop(upload_id, None)
                # A part that was in flight may have been stored after the abort, which keeps the upload open.
                async for _ in multipart.list_parts(bucket, key, upload_id):
                    break
    except NoSuchUpload:
        return "aborted" if aborted else "gone"
    except (CosError, TimeoutError) as failure:
        if aborted and isinstance(failure, AccessDenied):
            # Credentials that may write and not read cannot list parts.
            return "aborted"
        error = failure if str(failure) else "no response in time"
    except asyncio.CancelledError:
        # The event loop is shutting down, and the client was not closed before.
        _record_failure(service, FailedAbort(bucket, key, upload_id, "the program ended before it was done"))
        raise
    _record_failure(service, FailedAbort(bucket, key, upload_id, str(error)))
    return "unknown"


def _record_failure(service: Service, failure: FailedAbort) -> None:
    state = _state_of(service)
    state.failed[failure.upload_id] = failure
    state.unreported.add(failure.upload_id)
    if len(state.failed) > _MAX_FAILURES:
        oldest = next(iter(state.failed))
        del state.failed[oldest]
        state.unreported.discard(oldest)
    text = "the upload of %s/%s could not be aborted, upload id %s: %s"
    _log.warning(text, failure.bucket, printable(failure.key), printable(failure.upload_id), printable(failure.error))
