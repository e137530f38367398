"""Handlers of DeleteObject and DeleteObjects."""

from aiocos.config import MAX_KEYS
from aiocos.emulator import locking
from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers import retention
from aiocos.emulator.handlers.bucket_state import current_bucket
from aiocos.emulator.replication import replicate
from aiocos.emulator.store import BucketRow, ObjectRow, Transaction, objects
from aiocos.emulator.store.objects import Removal
from aiocos.errors import ServiceError
from aiocos.operations.objects import (
    DeletedObject,
    DeleteError,
    DeleteObject,
    DeleteObjects,
    DeleteObjectsResult,
    Deletion,
    ObjectIdentifier,
)


@handles(DeleteObject, "write")
async def delete(ctx: Context, op: DeleteObject) -> Deletion:
    """Delete an object or a version, or add a delete marker.

    Succeeds if there is no object.
    """
    bucket, now, writer = ctx.bucket, ctx.now, ctx.writer
    bypass = bool(op.bypass_governance) and locking.may_bypass(ctx)

    def check(old: ObjectRow | None) -> None:
        retention.refuse_protected(old, now)
        locking.refuse_locked(old, now, bypass=bypass)

    def write(t: Transaction) -> tuple[BucketRow, Removal]:
        current = current_bucket(t, bucket)
        removal = objects.remove(t, current.id, op.key, op.version_id, check, now, writer)
        if removal.marker is not None:
            replicate(t, current, removal.marker, now)
        return current, removal

    current, removal = await ctx.store.write(write, frees=True)
    if current.versioning is None:
        return Deletion()
    marker = removal.marker or removal.removed
    return Deletion(
        version_id=removal.marker.version_id if removal.marker is not None else op.version_id,
        delete_marker=True if marker is not None and marker.delete_marker else None,
    )


@handles(DeleteObjects, "write", integrity=True)
async def delete_many(ctx: Context, op: DeleteObjects) -> DeleteObjectsResult:
    """Delete objects and versions. Each has its own outcome."""
    items = op.delete.objects
    if not 1 <= len(items) <= MAX_KEYS:
        raise failure("MalformedXML", f"A bulk delete needs 1 to {MAX_KEYS} objects, not {len(items)}.")
    bucket, now, writer = ctx.bucket, ctx.now, ctx.writer
    bypass = bool(op.bypass_governance) and locking.may_bypass(ctx)
    deleted: list[DeletedObject] = []
    errors: list[DeleteError] = []

    def check(old: ObjectRow | None) -> None:
        retention.refuse_protected(old, now)
        locking.refuse_locked(old, now, bypass=bypass)

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        deleted.clear()  # on a full disk this function runs again
        errors.clear()
        for item in items:
            try:
                if not item.key:
                    raise failure("UserKeyMustBeSpecified", "An object without a key cannot be deleted.")
                removal = objects.remove(t, current.id, item.key, item.version_id, check, now, writer)
                if removal.marker is not None:
                    replicate(t, current, removal.marker, now)
            except ServiceError as error:
                errors.append(DeleteError(key=item.key, version_id=item.version_id, code=error.code, message=error.message))
            else:
                deleted.append(_deleted(item, removal))

    await ctx.store.write(write, frees=True)
    return DeleteObjectsResult(deleted=[] if op.delete.quiet else deleted, errors=errors)


def _deleted(item: ObjectIdentifier, removal: Removal) -> DeletedObject:
    marker = removal.marker or removal.removed
    if marker is None or not marker.delete_marker:
        return DeletedObject(key=item.key, version_id=item.version_id)
    return DeletedObject(
        key=item.key, version_id=item.version_id, delete_marker=True, delete_marker_version_id=marker.version_id
    )
