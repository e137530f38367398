"""The hash pool: the number of threads, their names, and forked processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

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


class Noted:
    """Notes what is hashed, and in which thread; holds threads until `gate` is set."""

    def __init__(self) -> None:
        self.data, self.batches, self.inline = b"", list[int](), list[int]()
        self.gate = threading.Event()
        self.gate.set()

    def update(self, pieces: Sequence[bytes]) -> None:
        here = threading.current_thread() is threading.main_thread()
        if not here:
            self.gate.wait(60)
        self.data += b"".join(pieces)
        (self.inline if here else self.batches).append(sum(map(len, pieces)))


async def hash_all(noted: Noted, chunks: Sequence[bytes], inline: int = hashing.INLINE) -> None:
    hashing_ = hashing.OrderedHashing(noted.update, inline)
    for chunk in chunks:
        if hashing_.is_full:
            await hashing_.wait()
        hashing_.add(chunk)
    await hashing_.finish()
    await hashing_.finish()


KIB = 1024


@pytest.mark.parametrize(
    ("chunks", "inline", "batches", "in_loop"),
    [
        (0, 256 * KIB, 0, []),
        (1, 256 * KIB, 0, [64 * KIB]),
        (4, 256 * KIB, 0, [256 * KIB]),
        (5, 256 * KIB, 320 * KIB, []),
        (8, 256 * KIB, 512 * KIB, []),
        (1, 0, 64 * KIB, []),
        (100, 0, 6400 * KIB, []),
    ],
)
async def test_chunks_are_hashed_in_order_and_large_bodies_in_threads(
    chunks: int, inline: int, batches: int, in_loop: list[int]
) -> None:
    data = [os.urandom(64 * KIB) for _ in range(chunks)]
    noted = Noted()
    await hash_all(noted, data, inline)
    assert noted.data == b"".join(data)
    assert (sum(noted.batches), noted.inline) == (batches, in_loop)


async def test_few_mib_wait_for_the_thread() -> None:
    """What is handed over meanwhile becomes one batch, and the reader waits at 4 MiB."""
    noted = Noted()
    noted.gate.clear()
    hashed = hashing.OrderedHashing(noted.update, 0)
    count = 0
    while not hashed.is_full:
        hashed.add(bytes([count]) * 256 * KIB)
        count += 1
    assert count == 2 + 16
    waiting = asyncio.ensure_future(hashed.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    noted.gate.set()
    await hashed.wait()
    assert not hashed.is_full
    await hashed.finish()
    assert noted.batches == [512 * KIB, 4096 * KIB]
    assert noted.data == b"".join(bytes([n]) * 256 * KIB for n in range(count))


async def test_a_cancelled_end_is_completed_by_the_next() -> None:
    noted = Noted()
    noted.gate.clear()
    hashed = hashing.OrderedHashing(noted.update, 0)
    hashed.add(b"x" * 600 * KIB)
    hashed.add(b"y")
    for _ in range(2):
        ending = asyncio.ensure_future(hashed.finish())
        await asyncio.sleep(0)
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
    noted.gate.set()
    await hashed.finish()
    assert noted.data == b"x" * 600 * KIB + b"y"
