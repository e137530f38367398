"""Handlers of lifecycle rules of buckets, and of restores of archived objects."""

import re
from collections.abc import Callable
from uuid import uuid4

from aiocos.emulator.context import Context, Reply, failure, handles
from aiocos.emulator.handlers.configurations import no_configuration, read_configuration, replace_configuration
from aiocos.emulator.handlers.lookup import must_find
from aiocos.emulator.lifecycle import DAY, HOURS, is_archived, restored
from aiocos.emulator.store import Transaction, objects
from aiocos.errors import Conflict, InvalidObjectState
from aiocos.operations.lifecycle import (
    DeleteBucketLifecycle,
    Expiration,
    GetBucketLifecycleConfiguration,
    LifecycleConfiguration,
    LifecycleFilter,
    LifecycleRule,
    LifecycleRules,
    PutBucketLifecycleConfiguration,
    RestoreObject,
    Transition,
)
from aiocos.wire.spec import Result

MAX_RULES = 1000
_ID = re.compile(r"[a-zA-Z0-9!_.*'()-]{1,255}")


def _invalid(message: str) -> Exception:
    return failure("InvalidArgument", message)


def _malformed(message: str) -> Exception:
    return failure("MalformedXML", message)


@handles(PutBucketLifecycleConfiguration, integrity=True)
async def put(ctx: Context, op: PutBucketLifecycleConfiguration) -> Result:
    """Replace the rules."""
    if b"<NoncurrentVersionTransition" in bytes(ctx.request.body or b""):
        raise _malformed("NoncurrentVersionTransition is not supported.")
    assert isinstance(op.rules, list)  # always, in a parsed request
    if not 1 <= len(op.rules) <= MAX_RULES:
        raise _malformed(f"A lifecycle configuration needs 1 to {MAX_RULES} rules, not {len(op.rules)}.")
    if sum(len(rule.transitions) for rule in op.rules) > 1:
        raise _invalid("A bucket can have at most one archive rule, with one transition.")
    for rule in op.rules:
        for check in _CHECKS:
            check(rule, ctx.now)
    ids = [rule.id for rule in op.rules if rule.id]
    if len(set(ids)) < len(ids):
        raise _invalid("The ids of the rules are not unique.")
    with_ids = [rule if rule.id else rule.model_copy(update={"id": str(uuid4())}) for rule in op.rules]
    return await replace_configuration(ctx, "lifecycle", LifecycleRules(rules=with_ids))


def _check_id(rule: LifecycleRule, now: float) -> None:
    if rule.id and not _ID.fullmatch(rule.id):
        raise _invalid(f"The rule id {rule.id!r} may have only the characters a-z A-Z 0-9 ! _ . * ' ( ) -, at most 255.")


def _check_actions(rule: LifecycleRule, now: float) -> None:
    actions = (rule.transitions, rule.expiration, rule.noncurrent_version_expiration, rule.abort_incomplete_multipart_upload)
    if not any(actions):
        raise _malformed("A rule needs at least one action.")
    if rule.filter is None and rule.prefix is None:
        raise _malformed("A rule needs a filter.")


def _check_filter(rule: LifecycleRule, now: float) -> None:
    condition = rule.filter or LifecycleFilter(prefix=rule.prefix)
    sizes = [condition.object_size_greater_than, condition.object_size_less_than]
    conditions = (condition.prefix, condition.tag, *sizes, condition.and_)
    if sum(c is not None for c in conditions) > 1:
        raise _malformed("A filter can have one condition; put several into And.")
    combined = condition.and_
    if combined is not None:
        sizes += [combined.object_size_greater_than, combined.object_size_less_than]
    if any(size is not None and size <= 0 for size in sizes):
        raise _invalid("A size in a filter must be above 0.")
    if rule.transitions and (condition.prefix or any(c is not None for c in conditions[1:])):
        raise _invalid("An archive rule must apply to all objects: its filter must be an empty prefix.")


def _check_transition(rule: LifecycleRule, now: float) -> None:
    for transition in rule.transitions:
        if transition.storage_class not in ("GLACIER", "ACCELERATED"):
            raise _invalid(f"The storage class of a transition must be GLACIER or ACCELERATED, not {transition.storage_class}.")
        _check_when(transition, now, minimum=0)
        if transition.date is not None and transition.date.timestamp() <= now:
            raise _invalid("The date of a transition must be in the future.")


def _check_expiration(rule: LifecycleRule, now: float) -> None:
    expiration = rule.expiration
    if expiration is None:
        return
    if expiration.expired_object_delete_marker is not None:
        if expiration.days is not None or expiration.date is not None:
            raise _malformed("ExpiredObjectDeleteMarker cannot be combined with days or a date.")
        return
    _check_when(expiration, now, minimum=1)


def _check_when(when: Transition | Expiration, now: float, minimum: int) -> None:
    if (when.days is None) == (when.date is None):
        raise _malformed("An action needs days or a date, not both.")
    if when.days is not None and when.days < minimum:
        raise _invalid(f"Days must be at least {minimum}, not {when.days}.")
    if when.date is not None and when.date.timestamp() % DAY:
        raise _invalid(f"'Date' must be at midnight GMT, not {when.date.isoformat()}.")


def _check_others(rule: LifecycleRule, now: float) -> None:
    end = rule.noncurrent_version_expiration
    if end is not None and (end.noncurrent_days or 0) <= 0:
        raise _invalid("NoncurrentDays must be above 0.")
    if end is not None and end.newer_noncurrent_versions is not None and end.newer_noncurrent_versions <= 0:
        raise _invalid("NewerNoncurrentVersions must be above 0.")
    abort = rule.abort_incomplete_multipart_upload
    if abort is not None and (abort.days_after_initiation or 0) <= 0:
        raise _invalid("DaysAfterInitiation must be above 0.")


_CHECKS: tuple[Callable[[LifecycleRule, float], None], ...] = (
    _check_id,
    _check_actions,
    _check_filter,
    _check_transition,
    _check_expiration,
    _check_others,
)


@handles(GetBucketLifecycleConfiguration)
async def get(ctx: Context, op: GetBucketLifecycleConfiguration) -> LifecycleConfiguration:
    """Return the rules."""
    missing = no_configuration("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist.")
    return read_configuration(ctx, "lifecycle", LifecycleConfiguration, missing)


@handles(DeleteBucketLifecycle)
async def delete(ctx: Context, op: DeleteBucketLifecycle) -> Result:
    """Remove the rules. Objects keep the archive and expiry that the rules gave them."""
    return await replace_configuration(ctx, "lifecycle", None)


@handles(RestoreObject)
async def restore(ctx: Context, op: RestoreObject) -> Reply:
    """Start a restore, or change how long the restored copy of an object is kept."""
    bucket, now, days = ctx.bucket, ctx.now, op.request.days
    if days < 1:
        raise _invalid(f"Days must be at least 1, not {days}.")
    requested_tier = op.request.glacier_job_parameters.tier if op.request.glacier_job_parameters is not None else None
    if requested_tier not in (None, *HOURS):
        raise _invalid(f"The tier of a restore must be Bulk or Accelerated, not {requested_tier}.")

    def write(t: Transaction) -> int:
        found = must_find(t.connection, bucket.id, op.key, op.version_id)
        if found.archive is None or not is_archived(found, now):
            raise InvalidObjectState(
                "Restore is not allowed: the object is not archived.", status=403, code="ObjectAlreadyInActiveTierError"
            )
        old = restored(found, now)
        if old is not None and now < old["ready"]:
            raise Conflict("Object restore is already in progress", status=409, code="RestoreAlreadyInProgress")
        if old is not None:
            new = {**old, "until": now + days * DAY}
        else:
            tier = requested_tier or ("Accelerated" if found.archive["class"] == "ACCELERATED" else "Bulk")
            if tier == "Accelerated" and found.archive["class"] != "ACCELERATED":
                raise _invalid("Objects in GLACIER can be restored with the tier Bulk only.")
            ready = now + HOURS[tier] * 3600
            new = {"ready": ready, "until": ready + days * DAY}
        objects.set_archive(t, found.serial, {**found.archive, "restore": new})
        return 200 if old is not None else 202

    return Reply(Result(), await ctx.store.write(write))
