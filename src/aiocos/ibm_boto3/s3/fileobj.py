"""File objects as sources of uploads and targets of downloads."""

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
from aiocos.net.retry import pause
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import GetObject
from aiocos.transfer.files import in_thread
from aiocos.transfer.progress import Monitor

_log = logging.getLogger("aiocos.ibm_boto3")


class TextFileError(ValueError, TypeError):
    """A file object is open in text mode.

    This exception is also a `TypeError`, which IBM's SDK raises here.
    """

    def __init__(self, mode: str) -> None:
        super().__init__(
            f"Fileobj must be binary: it is a text file, open it with mode {mode!r}; a bytes-like object is required, not 'str'"
        )


def name_of(fileobj: Any) -> str | None:
    """Return a file's path, given as a string or path-like; None for a file object."""
    if isinstance(fileobj, os.PathLike):
        fileobj = os.fspath(cast("os.PathLike[str]", fileobj))
    return fileobj if isinstance(fileobj, str) else None


def readable(fileobj: Any) -> Any:
    """Return a file object or async iterable of bytes if it can be uploaded.

    Raises:
        TextFileError: It is open in text mode.
        ValueError: It is neither.
    """
    if isinstance(fileobj, io.TextIOBase):
        raise TextFileError("rb")
    if not hasattr(fileobj, "read") and not hasattr(fileobj, "__aiter__"):
        raise ValueError("Fileobj must implement read")
    return fileobj


def writable(fileobj: Any) -> Any:
    """Return a file object if it can be downloaded to.

    Raises:
        TextFileError: It is open in text mode.
        ValueError: It has no `write`.
    """
    if isinstance(fileobj, io.TextIOBase):
        raise TextFileError("wb")
    if not hasattr(fileobj, "write"):
        raise ValueError("Fileobj must implement write")
    return fileobj


async def download_into(service: Service, reading: GetObject, fileobj: Any, step: int, monitor: Monitor) -> None:
    """Download an object into a file object, in order, and verify its checksum.

    The checksum is compared at the end. One request is used, resumed if it breaks: parallel ranges would wait in memory for a
    slow file object.

    Args:
        service: Client that sends the request.
        reading: The request.
        fileobj: File object to write to.
        step: Bytes per `write`, at least; the last one may be smaller.
        monitor: Monitor that is informed of the progress.

    Raises:
        IntegrityError: The bytes do not match the checksum.
    """
    what, engine = f"the download of {reading.bucket}/{reading.key}", engine_of(service)
    write = _writer(fileobj)
    async with monitor.run(None, what), ObjectStream(engine, reading) as stream:
        monitor.bytes_total = stream.info.content_length
        verification = await find_verification(engine, reading, stream.info) if engine.config.verify_reads else None
        stream.skip_verification()
        pieces: list[bytes] = []
        size = 0
        while True:
            piece = await stream.chunk()
            pieces.append(piece)
            size += len(piece)
            if size >= step or (not piece and size):
                data = b"".join(pieces)
                if verification is not None:
                    await verification.checksum.add(data)
                await write(data)
                monitor.advance(size)
                pieces, size = [], 0
                await monitor.wait_if_paused()
            if not piece:
                break
        if verification is not None:
            await _compare(verification, what)


async def _compare(verification: Verification, what: str) -> None:
    """Raise `IntegrityError` if the written bytes are not those of the object."""
    supposed = verification.checksum
    if not supposed.agrees and verification.fallback is not None and await verification.fallback() is not supposed:
        # The parts were assumed to have one size. Their true sizes are known only now, when the bytes are gone.
        _log.warning("%s: not verified, because the sizes of its parts differ or are unknown", printable(what))
        return
    await verification.check(supposed, what)


def _writer(fileobj: Any) -> Callable[[bytes], Any]:
    """Return a coroutine function that writes all of its data to a file object."""
    write: Any = fileobj.write
    drain: Any = getattr(fileobj, "drain", None)

    async def write_in_loop(data: bytes) -> None:
        result = write(data)
        if isawaitable(result):
            await result
        if drain is not None:
            await drain()

    async def write_in_thread(data: bytes) -> None:
        result = await in_thread(write, data)
        if isawaitable(result):
            # A wrapper may be a plain function that returns an awaitable.
            await result

    async def write_unbuffered(data: bytes) -> None:
        view = memoryview(data)
        while view:
            count = await in_thread(write, view)
            view = view[count or 0 :]
            if not count:
                # A non-blocking file accepts nothing while its buffer is full.
                await pause(0.01)

    if isinstance(fileobj, io.BytesIO) or iscoroutinefunction(write) or iscoroutinefunction(drain):
        return write_in_loop
    return write_unbuffered if isinstance(fileobj, io.RawIOBase) else write_in_thread
