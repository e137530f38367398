"""Retention policies of buckets."""

import json

from aiocos.emulator.context import Context, failure, handles
from aiocos.emulator.handlers.state import bad_state, still_there
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
"""The most that the reference of the service allows, about a thousand years; another page says 36,135."""

MANAGED = "protection-management"
"""The setting of a bucket whose protection management is active."""


def management_state(ctx: Context) -> str | None:
    """What is told of protection management."""
    return "active" if MANAGED in ctx.bucket.settings else None


@handles(GetBucketProtectionConfiguration)
async def get(ctx: Context, op: GetBucketProtectionConfiguration) -> Protection:
    """Read the policy. A bucket without one answers too."""
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
    """Set the policy, or change it. Objects keep the periods they have."""
    days, named = _days(op.configuration), ctx.bucket

    def write(t: Transaction) -> None:
        bucket = still_there(t, named)
        old = bucket.settings.get("protection")
        if bucket.versioning is not None:
            raise bad_state("The bucket keeps or kept versions, which excludes a retention policy.")
        if "object-lock" in bucket.settings or "replication" in bucket.settings:
            raise bad_state("Object Lock and replication exclude a retention policy.")
        if old is None and not buckets.is_empty(t, bucket.id):
            raise bad_state("The first retention policy of a bucket needs it to be empty.")
        if old is not None and json.loads(old)["permanent"] and not days["permanent"]:
            raise failure("InvalidArgument", "Permanent retention is enabled and cannot be taken back: it must be said again.")
        buckets.set_setting(t, bucket.id, "protection", json.dumps(days))

    await ctx.store.write(write)
    return Result()


def _days(given: ProtectionConfiguration) -> dict[str, int | bool]:
    minimum, default, maximum = given.minimum_retention, given.default_retention, given.maximum_retention
    if given.status != "Retention" or minimum is None or default is None or maximum is None:
        raise failure("MalformedXML", "A policy has the status Retention and a minimum, default and maximum of days.")
    days = (minimum.days, default.days, maximum.days)
    if not all(0 <= n <= MAX_DAYS for n in days):
        raise failure("InvalidArgument", f"The periods of a policy are 0 to {MAX_DAYS} days.")
    if list(days) != sorted(days):
        raise failure("InvalidArgument", "The minimum is not above the default, nor the default above the maximum.")
    return {
        "minimum": minimum.days,
        "default": default.days,
        "maximum": maximum.days,
        "permanent": bool(given.enable_permanent_retention),
    }
