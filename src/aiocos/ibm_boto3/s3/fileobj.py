"""File objects: what is read for an upload, and what a download is written to."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from inspect import isawaitable, iscoroutinefunction
from typing import Any, cast

from aiocos.errors import printable
from aiocos.groups import Service, engine_of
from aiocos.integrity import Verification, find_verification
from aiocos.net.hashing import INLINE, run_in_hash_pool
from aiocos.net.retry import pause
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import GetObject
from aiocos.transfer.files import in_thread
from aiocos.transfer.progress import Monitor

_log = logging.getLogger("aiocos.ibm_boto3")


class TextFileError(ValueError, TypeError):
    """A text file in place of a binary one. IBM's SDK raises `TypeError` for it."""

    def __init__(self, mode: str) -> None:
        super().__init__(
            f"Fileobj must be binary: it is a text file, open it with mode {mode!r}; a bytes-like object is required, not 'str'"
        )


def name_of(fileobj: Any) -> str | None:
    """Return the name of a file that was given by its name."""
    if isinstance(fileobj, os.PathLike):
        fileobj = os.fspath(cast("os.PathLike[str]", fileobj))
    return fileobj if isinstance(fileobj, str) else None


def readable(fileobj: Any) -> Any:
    """Return something that can be uploaded: a binary file, an object with an awaitable `read`, an async iterator of bytes."""
    if isinstance(fileobj, io.TextIOBase):
        raise TextFileError("rb")
    if not hasattr(fileobj, "read") and not hasattr(fileobj, "__aiter__"):
        raise ValueError("Fileobj must implement read")
    return fileobj


def writable(fileobj: Any) -> Any:
    """Return something that can be downloaded to: a binary file, or an object with an awaitable `write`."""
    if isinstance(fileobj, io.TextIOBase):
        raise TextFileError("wb")
    if not hasattr(fileobj, "write"):
        raise ValueError("Fileobj must implement write")
    return fileobj


async def download_into(service: Service, reading: GetObject, fileobj: Any, step: int, monitor: Monitor) -> None:
    """Download an object into a file object: in order, about `step` bytes at a time, and compared with its checksum at the end.

    It is one request, taken up where it breaks: whoever is written to may be slow, and memory is not held for them.
    """
    what, engine = f"the download of {reading.bucket}/{reading.key}", engine_of(service)
    write = _writer(fileobj)
    async with monitor.run(None, what), ObjectStream(engine, reading) as stream:
        monitor.bytes_total = stream.info.content_length
        evidence = await find_verification(engine, reading, stream.info) if engine.config.verify_reads else None
        stream.skip_verification()
        pieces: list[bytes] = []
        held = 0
        while True:
            piece = await stream.chunk()
            pieces.append(piece)
            held += len(piece)
            if held >= step or (not piece and held):
                data = b"".join(pieces)
                if evidence is not None:
                    update = evidence.checksum.update
                    await run_in_hash_pool(update, data) if held > INLINE else update(data)
                await write(data)
                monitor.advance(held)
                pieces, held = [], 0
                await monitor.wait_if_paused()
            if not piece:
                break
        if evidence is not None:
            await _compare(evidence, what)


async def _compare(evidence: Verification, what: str) -> None:
    """Raise `IntegrityError` where the bytes that were written are not those of the object."""
    supposed = evidence.checksum
    if not supposed.agrees and evidence.fallback is not None and await evidence.fallback() is not supposed:
        # Its parts only looked even. What would be compared is known now, and the bytes are gone.
        _log.warning("%s: not verified, since its parts are of different sizes, or of unknown ones", printable(what))
        return
    await evidence.check(supposed, what)


def _writer(fileobj: Any) -> Callable[[bytes], Any]:
    """Return what writes to a file object and waits until it is written."""
    write: Any = fileobj.write
    drain: Any = getattr(fileobj, "drain", None)

    async def by_loop(data: bytes) -> None:
        answer = write(data)
        if isawaitable(answer):
            await answer
        if drain is not None:
            await drain()

    async def by_thread(data: bytes) -> None:
        answer = await in_thread(write, data)
        if isawaitable(answer):
            # A wrapper may be a plain function that returns an awaitable.
            await answer

    async def by_pieces(data: bytes) -> None:
        view = memoryview(data)
        while view:
            count = await in_thread(write, view)
            view = view[count or 0 :]
            if not count:
                # What does not block takes nothing while it is full.
                await pause(0.01)

    if isinstance(fileobj, io.BytesIO) or iscoroutinefunction(write) or iscoroutinefunction(drain):
        return by_loop
    return by_pieces if isinstance(fileobj, io.RawIOBase) else by_thread
