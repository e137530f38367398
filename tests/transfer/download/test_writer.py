"""File objects of each kind get all bytes, in order, and a cancel waits for threads."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import aiofiles
import pytest
from tests.waiting import until

from aiocos.errors import TransferError
from aiocos.transfer.download import writer as module
from aiocos.transfer.download.writer import OrderedWriter

DATA = os.urandom(300_001)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer 64 KiB at once, so that the data takes several calls."""
    monkeypatch.setattr(module, "_WRITE_SIZE", 1 << 16)


class Raw(io.RawIOBase):
    """An unbuffered file that takes at most `most` bytes at once, and would block in every third call."""

    def __init__(self, most: int) -> None:
        self.content, self.calls, self._most = bytearray(), 0, most

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int | None:
        self.calls += 1
        if self.calls % 3 == 0:
            return None if self.calls % 2 else 0
        taken = bytes(data[: self._most])
        self.content += taken
        return len(taken)


class Queue:
    """An asynchronous writer that returns nothing."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(0)
        self.pieces.append(data)


class Wrapper:
    """A plain function that returns an awaitable."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def write(self, data: bytes) -> Awaitable[None]:
        return self._queue.write(data)


async def test_synchronous_files(tmp_path: Path):
    memory = io.BytesIO(b"before")
    memory.seek(0, io.SEEK_END)
    await OrderedWriter(memory).write(DATA)
    assert memory.getvalue() == b"before" + DATA, "from the current position"
    for buffering in (-1, 0):
        with open(tmp_path / "file", "wb", buffering=buffering) as file:
            await OrderedWriter(file).write(DATA)
            await OrderedWriter(file).write(b"")
        assert (tmp_path / "file").read_bytes() == DATA


@pytest.mark.parametrize("most", [1 << 20, 1 << 14])
async def test_short_writes_are_continued(monkeypatch: pytest.MonkeyPatch, most: int):
    monkeypatch.setattr(module, "_RETRY_DELAY", 0)
    raw = Raw(most)
    await OrderedWriter(raw).write(DATA)
    assert raw.content == DATA
    assert raw.calls > 4


@pytest.mark.parametrize("buffering", [-1, 0])
async def test_files_of_aiofiles(tmp_path: Path, buffering: int):
    async with aiofiles.open(tmp_path / "file", "wb", buffering=buffering) as file:
        await OrderedWriter(file).write(DATA)
    assert (tmp_path / "file").read_bytes() == DATA


async def test_asynchronous_writers():
    queue, wrapped = Queue(), Queue()
    await OrderedWriter(queue).write(DATA)
    await OrderedWriter(Wrapper(wrapped)).write(DATA)
    assert b"".join(queue.pieces) == b"".join(wrapped.pieces) == DATA
    assert [len(piece) for piece in queue.pieces] == [1 << 16] * 4 + [len(DATA) - 4 * (1 << 16)]


async def test_a_stream_writer_is_drained():
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.read(-1))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        _, writer = await asyncio.open_connection(host, port)
        await OrderedWriter(writer).write(DATA)
        assert not writer.transport.get_write_buffer_size(), "the socket's buffer is drained"
        writer.close()
        await writer.wait_closed()
        await until(lambda: len(received) == len(DATA), "all bytes arrive")
    assert received == DATA


@pytest.mark.parametrize("returned", [0, -1, 1 << 20, "many", True and 1.5])
async def test_a_write_that_returns_nonsense_is_an_error(returned: object):
    class Odd:
        async def write(self, data: bytes) -> object:
            return returned

    with pytest.raises(TransferError, match="its `write` returned"):
        await OrderedWriter(Odd()).write(b"data")


async def test_exceptions_of_the_file_are_its_own():
    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(28, "full")

    with pytest.raises(OSError, match="full") as caught:
        await OrderedWriter(Full()).write(b"data")
    assert type(caught.value) is OSError


@pytest.mark.parametrize("kind", ["thread", "aiofiles"])
async def test_a_cancel_waits_for_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str):
    started, go = threading.Event(), threading.Event()
    ended: list[str] = []

    class Slow(io.BufferedWriter):
        def write(self, data: Any) -> int:
            started.set()
            go.wait(30)
            ended.append("written")
            return super().write(data)

    with Slow(open(tmp_path / "file", "wb", buffering=0)) as file:
        target: Any = file
        if kind == "aiofiles":
            from aiofiles.threadpool.binary import AsyncBufferedIOBase

            target = AsyncBufferedIOBase(file, loop=asyncio.get_running_loop(), executor=None)
        writing = asyncio.ensure_future(OrderedWriter(target).write(b"data"))
        await until(started.is_set, "the thread writes")
        writing.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not writing.done(), "a thread still writes"
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert ended == ["written"]


async def test_a_cancel_reaches_an_asynchronous_write():
    class Stalled:
        async def write(self, data: bytes) -> None:
            await asyncio.sleep(60)

    writing = asyncio.ensure_future(OrderedWriter(Stalled()).write(b"data"))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(writing, 10)
