"""Abort multipart uploads that failed.

An abort runs in a task of its own, which a cancel of the caller does not reach.

After a cancel or a passed deadline, the caller waits at most `ABORT_GRACE` seconds for the abort. An abort that takes longer
continues in the background, for at most `TransferConfig.cleanup_timeout` seconds, and closing the client waits for it. Aborts
that failed are logged one by one, listed in `client.failed_aborts`, and logged together when the client is closed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Literal, TypeAlias

from aiocos.errors import AccessDenied, CosError, NoSuchUpload, TransferError
from aiocos.groups import Service, engine_of
from aiocos.operations.multipart import CreateMultipartUpload, MultipartUpload
from aiocos.transfer.cleanup import FailedAbort, record_failure, start_cleanup, state_of

AbortOutcome: TypeAlias = Literal["aborted", "gone", "unknown"]
"""`aborted`: the upload was open, and is not any more. `gone`: there was no such upload. `unknown`: the abort failed."""

ABORT_GRACE = 0.25
"""Seconds for which a canceled caller waits for the abort: enough if the service responds at all."""

_log = logging.getLogger("aiocos.transfer")


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
                state_of(service).failed.pop(upload_id, None)
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
        record_failure(service, FailedAbort(bucket, key, upload_id, "the program ended before it was done"))
        raise
    record_failure(service, FailedAbort(bucket, key, upload_id, str(error)))
    return "unknown"
