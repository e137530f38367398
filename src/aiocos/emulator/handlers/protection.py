"""Handlers of retention policies of buckets (IBM)."""

import json

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.bucket_state import current_bucket, invalid_state
from aiocos.emulator.store import Transaction, buckets
from aiocos.operations.protection import (
    GetBucketProtectionConfiguration,
    Protection,
    ProtectionConfiguration,
    PutBucketProtectionConfiguration,
    RetentionDays,
)
from aiocos.wire.spec import Result

MAX_DAYS = 365_243
"""Maximum period in days, from the API reference (about a thousand years). Another page of the documentation says 36,135."""

MANAGED = "protection-management"
"""The bucket setting that is present while protection management is active."""


def management_state(ctx: Context) -> str | None:
    """Return the state of protection management for a response; None without it."""
    return "active" if MANAGED in ctx.bucket.settings else None


@handles(GetBucketProtectionConfiguration)
async def get(ctx: Context, op: GetBucketProtectionConfiguration) -> Protection:
    """Return the retention policy. A bucket without one returns the status Disabled."""
    text = ctx.bucket.settings.get("protection")
    if text is None:
        return Protection(status="Disabled", management_state=management_state(ctx))
    days = json.loads(text)
    return Protection(
        status="Retention",
        minimum_retention=RetentionDays(days=days["minimum"]),
        default_retention=RetentionDays(days=days["default"]),
        maximum_retention=RetentionDays(days=days["maximum"]),
        enable_permanent_retention=True if days["permanent"] else None,
        management_state=management_state(ctx),
    )


@handles(PutBucketProtectionConfiguration, integrity=True, role="Manager")
async def put(ctx: Context, op: PutBucketProtectionConfiguration) -> Result:
    """Set or change the retention policy. Existing objects keep their periods."""
    days, bucket = _days(op.configuration), ctx.bucket

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        old = current.settings.get("protection")
        if current.versioning is not None:
            raise invalid_state("The bucket has or had versioning, which excludes a retention policy.")
        if "object-lock" in current.settings or "replication" in current.settings:
            raise invalid_state("Object Lock and replication exclude a retention policy.")
        if old is None and not buckets.is_empty(t, current.id):
            raise invalid_state("The bucket must be empty to get its first retention policy.")
        if old is not None and json.loads(old)["permanent"] and not days["permanent"]:
            raise failure("InvalidArgument", "Permanent retention cannot be disabled: include EnablePermanentRetention.")
        buckets.set_setting(t, current.id, "protection", json.dumps(days))

    await ctx.store.write(write)
    return Result()


def _days(policy: ProtectionConfiguration) -> dict[str, int | bool]:
    minimum, default, maximum = policy.minimum_retention, policy.default_retention, policy.maximum_retention
    if policy.status != "Retention" or minimum is None or default is None or maximum is None:
        raise failure("MalformedXML", "A policy needs the status Retention and minimum, default and maximum days.")
    days = (minimum.days, default.days, maximum.days)
    if not all(0 <= n <= MAX_DAYS for n in days):
        raise failure("InvalidArgument", f"The periods of a policy must be 0 to {MAX_DAYS} days.")
    if list(days) != sorted(days):
        raise failure("InvalidArgument", "The minimum must not exceed the default, nor the default the maximum.")
    return {
        "minimum": minimum.days,
        "default": default.days,
        "maximum": maximum.days,
        "permanent": bool(policy.enable_permanent_retention),
    }
