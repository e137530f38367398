"""Handlers of the versioning of buckets.

`store.objects` applies it when objects are written and removed.
"""

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.bucket_state import current_bucket, invalid_state, refuse_retention_policy
from aiocos.emulator.store import Transaction, buckets
from aiocos.errors import OperationNotSupported
from aiocos.operations.versioning import GetBucketVersioning, PutBucketVersioning, VersioningConfiguration
from aiocos.wire.spec import Result


@handles(GetBucketVersioning)
async def get(ctx: Context, op: GetBucketVersioning) -> VersioningConfiguration:
    """Return the versioning status of a bucket."""
    return VersioningConfiguration.model_validate({"status": ctx.bucket.versioning})


@handles(PutBucketVersioning)
async def put(ctx: Context, op: PutBucketVersioning) -> Result:
    """Enable or suspend versioning."""
    status, bucket = op.configuration.status, ctx.bucket
    if status is None:
        raise failure("MalformedXML", "The versioning status must be Enabled or Suspended.")
    if op.configuration.mfa_delete == "Enabled":
        raise OperationNotSupported("MFA delete is not supported", status=501, code="NotImplemented")

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        refuse_retention_policy(current, "versioning")
        if status == "Suspended" and "object-lock" in current.settings:
            raise invalid_state("The bucket has Object Lock, which needs versioning.")
        if status == "Suspended" and "replication" in current.settings:
            raise invalid_state("The bucket is replicated, which needs versioning.")
        buckets.set_versioning(t, current.id, status)

    await ctx.store.write(write)
    return Result()
