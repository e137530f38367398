"""Checksums of bytes that are stored already."""

from collections.abc import Iterable, Sequence

from aiocos.emulator.checksums import DEFAULT, Sums
from aiocos.emulator.store import ObjectRow, Segment, Store, objects
from aiocos.errors import ServiceError
from aiocos.wire.checksum import Algorithm


async def sums_of(store: Store, segments: Sequence[Segment], names: Iterable[Algorithm]) -> Sums:
    """Read segments and compute their MD5 and other checksums.

    The segments must be pinned, in the same step in which their row was read.
    """
    sums = Sums(names)
    # Pins keep files. What is in the database may be deleted while a file is read, so it is read first.
    pieces = [(segment, objects.read_inline(store.connection, segment.blob)) for segment in segments]
    for segment, inline in pieces:
        if inline is not None:
            sums.update([inline[segment.offset : segment.offset + segment.length]])
            continue
        async for chunk in store.blobs.read(segment):
            await store.workers.run(sums.update, [chunk])
    return sums


async def add_missing(store: Store, found: ObjectRow) -> None:
    """Compute and store the checksum of an object that has none.

    Objects have none if an earlier release of the emulator stored them, or if they were written while it ignored checksums.
    Call this in the same step in which the row was read, so that the bytes are not removed.
    """
    with store.blobs.pinned(found.segments):
        sums = await sums_of(store, found.segments, [DEFAULT])
    try:
        await store.write(lambda t: objects.set_sums(t, found.serial, {DEFAULT: sums.text(DEFAULT)}))
    except ServiceError as error:
        # A full disk must not make reads fail.
        if error.code != "InsufficientStorage":
            raise
