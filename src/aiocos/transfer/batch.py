"""Run short blocking jobs in threads, several of them in one trip to a thread.

A trip to a thread costs some 60 µs of processor time, which is more than writing a small file. And two threads that both have
something to do hand the interpreter's lock to each other at every system call. So jobs that wait at the same time are done in
one trip, one after the other.

The naive way is to gather a fixed number. But where a job takes long (a file system on the network, a flush to the disk), jobs
must run in parallel, and a cancel must not wait for many of them. So the duration of jobs is measured, and a trip gets as many
as take some milliseconds together: on a slow disk one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Generic, TypeVar

from aiocos.transfer.files import wait_through_cancels

J = TypeVar("J")
R = TypeVar("R")

# Seconds that a trip should take at most.
_TRIP = 0.01
# Seconds that a job is assumed to take before any was measured.
_FIRST_ESTIMATE = 0.001
# Jobs in one trip at most.
_MAX_JOBS = 64


class _Waiting(Generic[J, R]):
    """A job and its result."""

    __slots__ = ("done", "job", "trip")

    def __init__(self, job: J, done: asyncio.Future[R]) -> None:
        self.job = job
        self.done = done
        # The trip that the job is part of; None before it has started.
        self.trip: asyncio.Future[Any] | None = None


class ThreadBatch(Generic[J, R]):
    """Runs jobs in threads of the default executor, several in one trip.

    Args:
        session: Returns the context in which the jobs of one trip are done. It is entered in the thread, and yields the
            function that does one job.
    """

    def __init__(self, session: Callable[[], AbstractContextManager[Callable[[J], R]]]) -> None:
        self._session = session
        self._waiting: list[_Waiting[J, R]] = []
        self._scheduled = False
        self._running = 0
        self._estimate = _FIRST_ESTIMATE

    async def run(self, job: J) -> R:
        """Do a job, together with others that wait at the same time.

        A cancel takes effect when the job is not running: before it was started, or after the trip that it is part of.
        """
        loop = asyncio.get_running_loop()
        waiting: _Waiting[J, R] = _Waiting(job, loop.create_future())
        self._waiting.append(waiting)
        if not self._scheduled:
            self._scheduled = True
            # In the next turn of the loop: what arrived together with this job is still to be seen.
            loop.call_soon(self._start, loop)
        try:
            return await waiting.done
        except asyncio.CancelledError:
            if waiting.trip is None:
                self._waiting.remove(waiting)
            else:
                await wait_through_cancels(waiting.trip)
            raise

    @property
    def _limit(self) -> int:
        """The number of jobs in one trip."""
        return max(1, min(_MAX_JOBS, int(_TRIP / self._estimate)))

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start trips: one if none is under way, and one for each full load."""
        self._scheduled = False
        limit = self._limit
        while self._waiting and (not self._running or len(self._waiting) >= limit):
            load, self._waiting = self._waiting[:limit], self._waiting[limit:]
            try:
                trip = loop.run_in_executor(None, partial(self._trip, load))
            except RuntimeError as error:  # the executor was shut down
                for waiting in load:
                    waiting.trip = loop.create_future()
                    waiting.trip.cancel()
                    _settle(waiting.done, error)
                continue
            for waiting in load:
                waiting.trip = trip
            self._running += 1
            trip.add_done_callback(partial(self._end, loop, load))

    def _trip(self, load: list[_Waiting[J, R]]) -> tuple[list[tuple[R | None, Exception | None]], float]:
        """Do jobs one after the other. Blocks.

        Returns their results and errors, and the median of their durations: now and then a job waits for the processor or for
        the interpreter's lock, which says nothing of the disk.
        """
        durations: list[float] = []
        results: list[tuple[R | None, Exception | None]] = []
        with self._session() as do:
            for waiting in load:
                if waiting.done.cancelled():
                    results.append((None, None))
                    continue
                began = time.monotonic()
                try:
                    results.append((do(waiting.job), None))
                except Exception as error:
                    results.append((None, error))
                durations.append(time.monotonic() - began)
        durations.sort()
        return results, durations[(len(durations) - 1) // 2] if durations else self._estimate

    def _end(
        self,
        loop: asyncio.AbstractEventLoop,
        load: list[_Waiting[J, R]],
        trip: asyncio.Future[tuple[list[tuple[R | None, Exception | None]], float]],
    ) -> None:
        """Pass on the results of a trip, and start the next."""
        self._running -= 1
        if trip.cancelled():
            for waiting in load:
                waiting.done.cancel()
        elif (error := trip.exception()) is not None:
            for waiting in load:
                _settle(waiting.done, error)
        else:
            results, seconds = trip.result()
            self._estimate += (seconds - self._estimate) / 4
            for waiting, (result, failure) in zip(load, results, strict=True):
                _settle(waiting.done, failure, result)
        self._start(loop)


def _settle(done: asyncio.Future[R], error: BaseException | None, result: R | None = None) -> None:
    """Set the result of a job, unless its task was canceled."""
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)  # pyright: ignore[reportArgumentType] - the job's own, which may be None
