"""The checksum of a copy."""

from collections.abc import Callable

from aiocos.emulator import checksums
from aiocos.emulator.checksums import DEFAULT, full_object
from aiocos.emulator.context import Context
from aiocos.emulator.store import ObjectRow
from aiocos.emulator.stored_checksums import sums_of
from aiocos.errors import Conflict
from aiocos.operations.objects import CopyObject
from aiocos.wire.checksum import Algorithm, is_combinable


async def copied_checksum(
    ctx: Context, op: CopyObject, source: ObjectRow | None, check: Callable[[ObjectRow], None]
) -> Callable[[ObjectRow], dict[str, str]]:
    """Return a function that returns the checksums of a copy.

    It is for the transaction of the copy. The copy has a checksum of all its bytes, with the requested algorithm or else with
    that of its source. Bytes are read only if the source has no such checksum: now, because this takes too long for a
    transaction. `check` raises if the source may not be copied. The function raises `Conflict` if it needs bytes of a version
    that is not `source`.
    """
    if not ctx.behavior.checksums:
        return lambda found: {}
    requested = checksums.requested(op.checksum_algorithm)
    computed: dict[int, dict[str, str]] = {}

    def algorithm(found: ObjectRow) -> Algorithm:
        return requested or checksums.requested(next(iter(found.sums), None)) or DEFAULT

    if source is not None and not source.delete_marker and full_object(source.sums, algorithm(source)) is None:
        check(source)
        computed[source.serial] = await _compute(ctx, source, algorithm(source))

    def of(found: ObjectRow) -> dict[str, str]:
        name = algorithm(found)
        value = full_object(found.sums, name)
        if value is not None:
            return {name: value}
        if found.serial not in computed:
            raise Conflict("The source object changed during the copy.", status=409, code="OperationAborted")
        return computed[found.serial]

    return of


async def _compute(ctx: Context, source: ObjectRow, name: Algorithm) -> dict[str, str]:
    if name in source.sums and source.part_sums is not None and source.parts is not None and is_combinable(name):
        values = [checksums.decode(name, text) for text in source.part_sums]
        return {name: checksums.combine(name, zip(values, source.parts, strict=True))}
    with ctx.store.blobs.pinned(source.segments):
        return {name: (await sums_of(ctx.store, source.segments, [name])).text(name)}
