"""Handlers of replication rules of buckets, and of failed replications."""

import base64
import binascii
import re
from datetime import UTC, datetime

from aiocos.emulator.context import Context, failure, handles, moment
from aiocos.emulator.handlers.bucket_state import current_bucket, refuse_retention_policy
from aiocos.emulator.handlers.buckets import page_size
from aiocos.emulator.handlers.configurations import no_configuration, read_configuration, replace_configuration
from aiocos.emulator.handlers.listing import encoding_type
from aiocos.emulator.lifecycle import midnight_after
from aiocos.emulator.replication import target_of
from aiocos.emulator.store import BucketRow, Transaction, buckets, failures
from aiocos.errors import NoSuchConfiguration
from aiocos.operations.replication import (
    DeleteBucketReplication,
    GetBucketReplication,
    ListBucketReplicationFailures,
    PutBucketReplication,
    PutBucketReplicationReattempt,
    ReattemptResult,
    ReplicationConfiguration,
    ReplicationFailure,
    ReplicationFailures,
    ReplicationRule,
)
from aiocos.wire.document import parse_time, write_time
from aiocos.wire.spec import Result

MAX_RULES = 1000
_CRN = re.compile(r"crn:v1:[^:]*:[^:]*:cloud-object-storage:[^:]*:a/[^:]*:[^:]+:bucket:[^:]+")


def _none() -> NoSuchConfiguration:
    return no_configuration("ReplicationConfigurationNotFoundError", "The replication configuration was not found")


@handles(GetBucketReplication)
async def get(ctx: Context, op: GetBucketReplication) -> ReplicationConfiguration:
    """Return the rules."""
    return read_configuration(ctx, "replication", ReplicationConfiguration, _none())


@handles(PutBucketReplication, integrity=True)
async def put(ctx: Context, op: PutBucketReplication) -> Result:
    """Replace the rules."""
    rules, bucket = op.configuration.rules, ctx.bucket
    if not 1 <= len(rules) <= MAX_RULES:
        raise failure("MalformedXML", f"A replication configuration needs 1 to {MAX_RULES} rules, not {len(rules)}.")
    for rule in rules:
        _check(rule)
    xml = op.configuration.to_xml().decode()

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        refuse_retention_policy(current, "replication")
        if current.versioning != "Enabled":
            raise failure("InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration")
        for destination in {rule.destination.bucket for rule in rules}:
            _check_target(current, target_of(t, destination))
        buckets.set_setting(t, current.id, "replication", xml)

    await ctx.store.write(write)
    return Result()


def _check(rule: ReplicationRule) -> None:
    conditions = rule.filter
    if sum(condition is not None for condition in (conditions.prefix, conditions.tag, conditions.and_)) > 1:
        raise failure("MalformedXML", "A filter can have only one of Prefix, Tag and And.")
    destination = rule.destination.bucket
    if not destination or (":" in destination and not _CRN.fullmatch(destination)):
        raise failure("InvalidArgument", f"The destination of a rule must be the CRN of a bucket, not {destination!r}.")


def _check_target(bucket: BucketRow, target: BucketRow | None) -> None:
    if target is None:
        raise failure("InvalidRequest", "Destination bucket must exist.")
    if target.id == bucket.id:
        raise failure("InvalidRequest", "Destination bucket cannot be the same as the source bucket.")
    if target.versioning != "Enabled":
        raise failure("InvalidRequest", "Destination bucket must have versioning enabled.")


@handles(DeleteBucketReplication)
async def delete(ctx: Context, op: DeleteBucketReplication) -> Result:
    """Remove the rules. Replicas are kept."""
    return await replace_configuration(ctx, "replication", None)


@handles(PutBucketReplicationReattempt, integrity=True)
async def reattempt(ctx: Context, op: PutBucketReplicationReattempt) -> ReattemptResult:
    """Schedule new attempts of all failed replications for the next midnight."""
    bucket, at = ctx.bucket, midnight_after(ctx.now + 0.001)

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        if "replication" not in current.settings:
            raise _none()
        failures.schedule(t, current.id, at)

    await ctx.store.write(write)
    return ReattemptResult(scheduled_time=moment(at))


@handles(ListBucketReplicationFailures, integrity=True)
async def list_failures(ctx: Context, op: ListBucketReplicationFailures) -> ReplicationFailures:
    """List failed replications, the newest first."""
    bucket, limit = ctx.bucket.id, page_size(op.max_keys, "max-keys")
    before = None if op.first_sync_attempted_before is None else _time(op.first_sync_attempted_before)
    after = _read_token(op.continuation_token) if op.continuation_token else None
    found = await ctx.store.database.read(
        lambda c: failures.list_page(c, bucket, None if before is None else before.timestamp(), after, limit + 1)
    )
    page, more = found[:limit], len(found) > limit > 0
    return ReplicationFailures(
        name=op.bucket,
        first_sync_attempted_before=None if before is None else write_time(before),
        max_keys=limit,
        is_truncated=more,
        key_count=len(page),
        encoding_type=encoding_type(op.encoding_type),
        continuation_token=op.continuation_token,
        next_continuation_token=_token(page[-1].first, page[-1].serial) if more else None,
        contents=[
            ReplicationFailure(
                key=failed.key,
                version_id=failed.version_id,
                sync_type=failed.kind,
                first_sync_attempted=moment(failed.first),
                last_sync_attempted=moment(failed.last),
                sync_failure_cause=failed.cause,
            )
            for failed in page
        ],
    )


def _time(text: str) -> datetime:
    """Parse a time in ISO 8601, or in milliseconds since 1970."""
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        parsed = parse_time(text)
        found = parsed if isinstance(parsed, datetime) else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise failure("InvalidArgument", f"first-sync-attempted-before: {text!r} is not a time") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _token(first: float, serial: int) -> str:
    return base64.urlsafe_b64encode(f"{first!r} {serial}".encode()).decode()


def _read_token(token: str) -> tuple[float, int]:
    try:
        first, _, serial = base64.b64decode(token, altchars=b"-_", validate=True).decode().partition(" ")
        return float(first), int(serial)
    except (binascii.Error, ValueError):
        raise failure("InvalidArgument", "The continuation token provided is incorrect") from None
