"""Receive a small object in memory; write its file in one trip to a thread."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator

from aiocos.call import Engine
from aiocos.config import KIB
from aiocos.errors import IntegrityError
from aiocos.integrity import compare, find_verification
from aiocos.object_checksum import ChecksumKind
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import GetObject
from aiocos.transfer.download.target import Target
from aiocos.transfer.files import write_at

SMALL_OBJECT = 256 * KIB
"""Objects up to this many bytes are read into memory."""


async def receive(
    engine: Engine, reading: GetObject, stream: ObjectStream, what: str, *, verify: bool
) -> tuple[bytes, ChecksumKind | None]:
    """Return the bytes of a small object, and the kind of checksum that they have.

    `stream` is the response. With `verify` False nothing is compared. `what` names the object in the `IntegrityError` that is
    raised if the bytes do not verify.
    """
    stream.skip_verification()
    verification = await find_verification(engine, reading, stream.info) if verify else None
    data = await stream.read()
    return data, await compare(verification, data, what) if verification else None


def write_small(target: Target, hidden: str, data: bytes, what: str, *, fsync: bool, modified: int = 0) -> None:
    """Write a small object to a hidden file, and rename it to the target. Blocks.

    The file gets the time `modified`, in nanoseconds since 1970, unless that is 0. Raises `IntegrityError` if other bytes are
    read back. If anything fails, the hidden file is removed, and the target is as it was.
    """
    fd = target.create(hidden)
    try:
        try:
            with naming(target):
                write_at(fd, [data], 0)
            # One byte more, which must not be there.
            if os.pread(fd, len(data) + 1, 0) != data:
                raise IntegrityError(f"{what}: what was written to {target.sibling(hidden)} is not what is there")
            if modified:
                os.utime(fd, ns=(modified, modified))
            target.replace_with(hidden, fd, fsync=fsync)
        finally:
            os.close(fd)
    except BaseException:
        target.remove(hidden)
        raise


@contextlib.contextmanager
def naming(target: Target) -> Generator[None]:
    """Add the target's path to an `OSError` that has none.

    The system does not add it to errors of writes by descriptor, such as that of a full disk.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(target.path)
        raise
