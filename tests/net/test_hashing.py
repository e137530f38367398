"""The hash pool: the number of threads, their names, and forked processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from aiocos.net import hashing


@pytest.fixture(autouse=True)
def own_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hashing, "_pool", None)
    yield
    if hashing._pool is not None:
        hashing._pool.shutdown()


def test_one_thread_per_usable_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 3, 5} if process == 0 else {1}, raising=False)
    assert hashing.pool()._max_workers == 3
    assert hashing.pool() is hashing.pool()


@pytest.mark.parametrize(("processors", "threads"), [(7, 7), (1, 1), (None, 1)])
def test_one_thread_per_processor_without_affinity(
    processors: int | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert hashing.pool()._max_workers == threads


async def test_work_runs_in_a_named_thread() -> None:
    def work(one: int, *, two: int) -> tuple[int, str]:
        return one + two, threading.current_thread().name

    result, name = await hashing.run_in_hash_pool(work, 1, two=2)
    assert result == 3
    assert name.startswith("aiocos-hash")


async def test_cancel_does_not_wait_for_the_thread() -> None:
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        end.wait(60)

    task = asyncio.create_task(hashing.run_in_hash_pool(work))
    await asyncio.to_thread(begun.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    end.set()


FORKED = """
import os, sys
from aiocos.net import hashing
assert hashing.pool().submit(int, "7").result(60) == 7
child = os.fork()
if child == 0:
    os._exit(0 if hashing._pool is None and hashing.pool().submit(int, "8").result(30) == 8 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_process_has_its_own_threads() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=True, timeout=100)
    hashing.pool()
    hashing._drop_pool()
    assert hashing._pool is None
