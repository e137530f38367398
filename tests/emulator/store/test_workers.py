"""The emulator's worker threads."""

from __future__ import annotations

import threading

from aiocos.emulator.store.workers import Workers


async def test_functions_run_in_threads_of_the_emulator() -> None:
    workers = Workers()
    name = await workers.run(lambda: threading.current_thread().name)
    assert name.startswith("aiocos-emulator")
    workers.close()


async def test_close_waits_for_started_functions_and_later_ones_do_nothing() -> None:
    workers, done = Workers(), []
    release = threading.Event()
    workers.start(lambda: (release.wait(5), done.append(1)))
    release.set()
    workers.close()
    workers.start(done.append, 2)
    assert done == [1]
