"""Clean-ups of transfers that run in the background, and the aborts that failed.

Clean-ups run in tasks of their own. Closing the client waits for them, and logs how many uploads could not be aborted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from aiocos.errors import printable
from aiocos.groups import Service

T = TypeVar("T")

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
class CleanupState:
    """Running clean-up tasks of one client, and the aborts that failed."""

    tasks: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])
    """Running tasks. Strong references: the event loop itself keeps only weak ones."""
    failed: dict[str, FailedAbort] = field(default_factory=dict[str, FailedAbort])
    """Aborts that failed, by upload id. Bounded, since a client may live for months beside a service that refuses aborts."""
    unreported: set[str] = field(default_factory=set[str])
    """Upload ids that no closing client has reported yet."""


_states: WeakKeyDictionary[Service, CleanupState] = WeakKeyDictionary()


def state_of(service: Service) -> CleanupState:
    """Return the clean-ups of a client and the aborts that failed."""
    return _states.setdefault(service, CleanupState())


def failed_aborts(service: Service) -> tuple[FailedAbort, ...]:
    """Return the uploads of a client that could not be aborted.

    These are the latest 10,000, in the order in which they failed.
    """
    return tuple(state_of(service).failed.values())


def start_cleanup(service: Service, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run a clean-up in a task of its own, which closing the client waits for."""
    task = asyncio.ensure_future(work)
    tasks = state_of(service).tasks
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def wait_for_aborts(service: Service) -> None:
    """Wait for running clean-ups, and log how many uploads could not be aborted.

    Each clean-up has a deadline of its own.
    """
    loop, state = asyncio.get_running_loop(), state_of(service)
    if tasks := [task for task in state.tasks if task.get_loop() is loop]:
        await asyncio.wait(tasks)
    new = [one for one in state.failed.values() if one.upload_id in state.unreported]
    state.unreported.clear()
    if new:
        shown = ", ".join(f"{one.bucket}/{one.key} ({one.upload_id})" for one in new[:10])
        more = f" and {len(new) - 10} more" if len(new) > 10 else ""
        text = "uploads that could not be aborted and may be open still: %d, %s%s; `aiocos uploads abort` removes them"
        _log.warning(text, len(new), shown, more)


def record_failure(service: Service, failure: FailedAbort) -> None:
    """Log and remember an abort that failed."""
    state = state_of(service)
    state.failed[failure.upload_id] = failure
    state.unreported.add(failure.upload_id)
    if len(state.failed) > _MAX_FAILURES:
        oldest = next(iter(state.failed))
        del state.failed[oldest]
        state.unreported.discard(oldest)
    text = "the upload of %s/%s could not be aborted, upload id %s: %s"
    _log.warning(text, failure.bucket, printable(failure.key), printable(failure.upload_id), printable(failure.error))
