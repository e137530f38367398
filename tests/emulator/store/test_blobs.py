"""Blobs: large contents are streamed to and from files."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.waiting import until

from aiocos.emulator.store import Segment, Store
from aiocos.emulator.store.blobs import Writer, slice_segments

from .emulator_process import start_process


def _peak_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell the memory of a process")
async def test_a_large_object_is_streamed_in_little_memory(tmp_path: Path) -> None:
    """Storing and reading 400 MiB keeps the process below 150 MiB (it starts at about 60)."""
    process, endpoint, headers = await start_process(tmp_path)
    size, chunk = 400, os.urandom(1024 * 1024)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(size):
            yield chunk

    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.put(f"{endpoint}/bucket") as response:
                assert response.status == 200
            length = {"Content-Length": str(size * len(chunk))}
            async with session.put(f"{endpoint}/bucket/key", data=body(), headers=length) as response:
                assert response.status == 200
            async with session.get(f"{endpoint}/bucket/key") as response:
                got = 0
                async for piece in response.content.iter_any():
                    got += len(piece)
        assert got == size * len(chunk)
        assert _peak_kib(process.pid) < 150 * 1024
    finally:
        process.kill()
        await process.wait()


def test_slice_segments_returns_the_segments_of_a_byte_range() -> None:
    segments = (Segment("a", 10, 5), Segment("b", 0, 3), Segment("c", 7, 4))
    content = [(s.blob, s.offset + n) for s in segments for n in range(s.length)]
    for offset in range(len(content) + 1):
        for length in range(len(content) - offset + 1):
            sliced = slice_segments(segments, offset, length)
            assert [(s.blob, s.offset + n) for s in sliced for n in range(s.length)] == content[offset : offset + length]
            assert all(s.length for s in sliced)


async def test_a_pinned_file_is_removed_when_its_last_reader_is_done(store: Store) -> None:
    writer = Writer(store.blobs)
    writer.put([b"content"])
    blob = writer.finish()
    path = store.blobs.path(blob.id)
    with store.blobs.pinned(blob.segments):
        with store.blobs.pinned(blob.segments):
            store.blobs.remove([blob.id])
        assert path.exists()
        assert b"".join([chunk async for chunk in store.blobs.read(blob.segments[0])]) == b"content"
    await until(lambda: not path.exists(), "the file is removed")


async def test_sweep_removes_files_without_a_row_only(store: Store) -> None:
    blobs = []
    for data in (b"named", b"unnamed"):
        writer = Writer(store.blobs)
        writer.put([data])
        blobs.append(writer.finish())
    named, unnamed = (store.blobs.path(blob.id) for blob in blobs)
    other = named.parent / "notes.txt"
    other.write_text("not a blob")
    assert store.blobs.sweep([blobs[0].id]) == 1
    assert (named.exists(), unnamed.exists(), other.exists()) == (True, False, True)
