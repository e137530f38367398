"""Request bodies: the steps they are written in, and the bytes in the send buffer."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import pytest

from aiocos.net.body import SteppedPayload, unsent_bytes


class Writer:
    """Keeps what is written, like aiohttp's writer."""

    def __init__(self, transport: object = None, gate: asyncio.Event | None = None) -> None:
        self.written: list[bytes] = []
        self.transport = transport
        self._gate = gate

    async def write(self, data: memoryview) -> None:
        self.written.append(bytes(data))
        if self._gate is not None:
            await self._gate.wait()


class Transport:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 600_000])
async def test_body_is_written_in_steps_of_256_kib(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    progress: list[object] = []
    transport = object()
    writer: Any = Writer(transport)
    payload = SteppedPayload(data, progress.append)
    assert payload.size == size
    await payload.write_with_length(writer, size)
    assert b"".join(writer.written) == data
    steps = [262_144] * (size // 262_144) + ([size % 262_144] if size % 262_144 else [])
    assert [len(step) for step in writer.written] == steps
    assert progress == [transport] * len(steps)
    assert await payload.as_bytes() == data


async def test_size_of_a_view_is_in_bytes() -> None:
    payload = SteppedPayload(memoryview(bytearray(8)).cast("I"), lambda transport: None)
    assert payload.size == 8
    assert SteppedPayload("ü".encode(), lambda transport: None).decode() == "ü"


async def test_cancelled_body_is_aborted() -> None:
    gate, transport, progress = asyncio.Event(), Transport(), list[object]()
    for writer in (Writer(transport, gate), Writer(None, gate)):
        task = asyncio.create_task(SteppedPayload(bytes(600_000), progress.append).write(writer))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(writer.written) == 1
        assert progress == []
    assert transport.aborted


class SocketTransport:
    """A transport with or without a socket."""

    def __init__(self, connection: socket.socket | None) -> None:
        self._connection = connection

    def get_extra_info(self, name: str) -> socket.socket | None:
        return self._connection if name == "socket" else None


@pytest.mark.skipif(sys.platform != "linux", reason="the size of the send buffer is read on Linux only")
def test_unsent_bytes_of_a_socket() -> None:
    here, there = socket.socketpair()
    with here, there:
        transport: Any = SocketTransport(here)
        assert unsent_bytes(transport) == 0
        here.sendall(b"x" * 1_000)
        first = unsent_bytes(transport)
        assert first >= 1_000
        here.sendall(b"x" * 1_000)
        assert unsent_bytes(transport) > first
        assert len(there.recv(1_000)) + len(there.recv(10_000)) == 2_000
        assert unsent_bytes(transport) == 0


def test_unsent_bytes_of_a_closed_socket() -> None:
    here, there = socket.socketpair()
    transport: Any = SocketTransport(here)
    here.close()
    there.close()
    assert unsent_bytes(transport) == 0
    nowhere: Any = SocketTransport(None)
    assert unsent_bytes(nowhere) == 0
