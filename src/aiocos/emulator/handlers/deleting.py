"""Objects removed, one or up to 1,000 at a time."""

from aiocos.config import MAX_KEYS
from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers import retention
from aiocos.emulator.store import Object, Transaction, objects
from aiocos.errors import ServiceError
from aiocos.operations.objects import (
    DeletedObject,
    DeleteError,
    DeleteObject,
    DeleteObjects,
    DeleteObjectsResult,
    Deletion,
)


@handles(DeleteObject, "write")
async def delete(ctx: Context, op: DeleteObject) -> Deletion:
    """Remove an object; what is not there is gone."""
    bucket, now = ctx.bucket.id, ctx.now

    def check(old: Object | None) -> None:
        retention.refuse_protected(old, now)

    await ctx.store.write(lambda t: objects.remove(t, bucket, op.key, op.version_id, check))
    return Deletion()


@handles(DeleteObjects, "write", integrity=True)
async def delete_many(ctx: Context, op: DeleteObjects) -> DeleteObjectsResult:
    """Remove objects; each has its own outcome."""
    wanted = op.delete.objects
    if not 1 <= len(wanted) <= MAX_KEYS:
        raise failure("MalformedXML", f"A bulk delete names 1 to {MAX_KEYS} objects, not {len(wanted)}.")
    bucket, now = ctx.bucket.id, ctx.now
    deleted: list[DeletedObject] = []
    errors: list[DeleteError] = []

    def check(old: Object | None) -> None:
        retention.refuse_protected(old, now)

    def write(t: Transaction) -> None:
        for item in wanted:
            try:
                if not item.key:
                    raise failure("UserKeyMustBeSpecified", "An object without a key cannot be removed.")
                objects.remove(t, bucket, item.key, item.version_id, check)
            except ServiceError as error:
                errors.append(DeleteError(key=item.key, version_id=item.version_id, code=error.code, message=error.message))
            else:
                deleted.append(DeletedObject(key=item.key, version_id=item.version_id))

    await ctx.store.write(write)
    return DeleteObjectsResult(deleted=[] if op.delete.quiet else deleted, errors=errors)
