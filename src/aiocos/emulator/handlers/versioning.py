"""Versioning of buckets. What it means for objects stands where they are written and removed (`store.objects`)."""

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.state import bad_state, refuse_policy, still_there
from aiocos.emulator.store import Transaction, buckets
from aiocos.errors import OperationNotSupported
from aiocos.operations.versioning import GetBucketVersioning, PutBucketVersioning, VersioningConfiguration
from aiocos.wire.spec import Result


@handles(GetBucketVersioning)
async def get(ctx: Context, op: GetBucketVersioning) -> VersioningConfiguration:
    """Tell whether a bucket keeps versions."""
    return VersioningConfiguration.model_validate({"status": ctx.bucket.versioning})


@handles(PutBucketVersioning)
async def put(ctx: Context, op: PutBucketVersioning) -> Result:
    """Let a bucket keep versions, or no more."""
    status, named = op.configuration.status, ctx.bucket
    if status is None:
        raise failure("MalformedXML", "The status of versioning is Enabled or Suspended.")
    if op.configuration.mfa_delete == "Enabled":
        raise OperationNotSupported("MFA delete is not served", status=501, code="NotImplemented")

    def write(t: Transaction) -> None:
        bucket = still_there(t, named)
        refuse_policy(bucket, "versioning")
        if status == "Suspended" and "object-lock" in bucket.settings:
            raise bad_state("The bucket has Object Lock, which needs versioning.")
        if status == "Suspended" and "replication" in bucket.settings:
            raise bad_state("The bucket is replicated, which needs versioning.")
        buckets.set_versioning(t, bucket.id, status)

    await ctx.store.write(write)
    return Result()
