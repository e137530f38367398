"""A cancel at each await of a transfer, one after the other: the first, the second, … until it gets to its end.

`test_abort_after_cancel` cancels at turns of the event loop, wherever parts and threads are then. Here the waits of the
transfer itself are counted, so that none is left out.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import DATA, PART, open_uploads, settled, used

import aiocos
from aiocos.config import MIB


class Stepped:
    """A coroutine that cancels its own task when it waits for the n-th time."""

    def __init__(self, work: Coroutine[Any, Any, Any], cancel_at: int) -> None:
        self._work = work
        self._left = cancel_at

    def __await__(self) -> Generator[Any, Any, Any]:
        step = self._work.send
        given: Any = None
        while True:
            try:
                waiting = step(given)
            except StopIteration as end:
                return end.value
            self._left -= 1
            if self._left == 0:
                task = asyncio.current_task()
                assert task is not None
                # In the next turn, when this task really waits.
                asyncio.get_running_loop().call_soon(task.cancel)
            try:
                given = yield waiting
                step = self._work.send
            except BaseException as error:
                given, step = error, self._work.throw


def ours() -> set[asyncio.Task[Any]]:
    """Tasks of the client that still run."""
    others = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    return {
        t for t in others if any(place in repr(t.get_coro()) for place in ("/transfer/", "/groups/", "_Multipart", "_Attempt"))
    }


def descriptors() -> list[str]:
    out: list[str] = []
    for fd in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        try:
            out.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            continue
    return sorted(name for name in out if name.startswith("/") and "pytest" in name and "emulator" not in name)


async def visit(make: Callable[[], Coroutine[Any, Any, Any]], after: Callable[[], Awaitable[None]]) -> int:
    """Cancel `make()` at its n-th wait for n = 1, 2, 3 … until it is done before that; return how often it waits."""
    before = descriptors()
    for n in range(1, 2_000):

        async def stepped(n: int = n) -> Any:
            return await Stepped(make(), n)

        async with asyncio.timeout(30):
            outcome = (await asyncio.gather(asyncio.create_task(stepped()), return_exceptions=True))[0]
        if not isinstance(outcome, asyncio.CancelledError):
            if isinstance(outcome, BaseException):
                raise outcome
            return n
        async with asyncio.timeout(2):
            while ours():
                await asyncio.sleep(0.005)
        await after()
        assert descriptors() == before
    raise AssertionError("it never ends")


async def stream(data: bytes = DATA):
    for start in range(0, len(data), 4 * MIB):
        yield data[start : start + 4 * MIB]
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["bytes", "path", "async iterator", "iterator"])
async def test_upload_in_parts(small: aiocos.Client, tmp_path: Path, kind: str):
    (tmp_path / "f").write_bytes(DATA)
    sources: dict[str, Callable[[], Any]] = {
        "bytes": lambda: DATA,
        "path": lambda: tmp_path / "f",
        "async iterator": stream,
        "iterator": lambda: iter([DATA[:PART], DATA[PART:]]),
    }

    async def clean() -> None:
        await settled(small)
        assert used(small) == 0

    # It waits at least for the upload's beginning, for parts, and for its completion; how often in all is the loop's affair.
    assert await visit(lambda: small.upload("bucket", "key", sources[kind](), concurrency=2), clean) >= 3
    assert await small.objects.read("bucket", "key") == DATA


@pytest.mark.parametrize("key", ["parts", "whole"])
async def test_download(small: aiocos.Client, tmp_path: Path, key: str):
    await small.upload("bucket", "parts", DATA)
    await small.objects.put("bucket", "whole", DATA)
    target = tmp_path / "target"
    target.write_bytes(b"old")

    async def clean() -> None:
        assert used(small) == 0
        assert os.listdir(tmp_path) == ["target"]
        assert target.read_bytes() in (b"old", DATA)

    assert await visit(lambda: small.download("bucket", key, target), clean) >= 3
    assert target.read_bytes() == DATA


async def test_small_things(small: aiocos.Client, tmp_path: Path):
    for index in range(3):
        await small.objects.put("bucket", f"k{index}", b"data")

    async def listed() -> list[str]:
        return [entry.key async for entry in small.objects.list("bucket", max_keys=1)]

    async def streamed() -> int:
        total = 0
        async with small.objects.get("bucket", "k0") as obj:
            async for chunk in obj:
                total += len(chunk)
        return total

    async def clean() -> None:
        assert used(small) == 0
        assert await small.objects.read("bucket", "k0") == b"data"

    for make in (
        lambda: small.objects.put("bucket", "k0", b"data"),
        lambda: small.upload("bucket", "k0", b"data"),
        lambda: small.download("bucket", "k0", tmp_path / "f"),
        lambda: small.objects.delete_many("bucket", [f"none-{i}" for i in range(2_500)]),
        listed,
        streamed,
    ):
        await visit(make, clean)


async def test_directories(small: aiocos.Client, tmp_path: Path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for index in range(4):
        (source / f"f{index}").write_bytes(DATA[: 1000 * index])
    (source / "large").write_bytes(DATA[: PART + 1])

    async def clean() -> None:
        assert used(small) == 0
        assert await open_uploads(small) == []
        assert not [name for _, _, names in os.walk(tmp_path) for name in names if name.endswith(".part")]

    await visit(lambda: small.upload_directory(source, "bucket", concurrency=2), clean)
    await visit(lambda: small.download_directory("bucket", target, concurrency=2), clean)
    assert {p.name: p.read_bytes() for p in target.iterdir()} == {p.name: p.read_bytes() for p in source.iterdir()}
