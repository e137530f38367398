"""Lifecycle rules of buckets, and the restoring of archived objects."""

import re
from collections.abc import Callable
from uuid import uuid4

from aiocos.emulator.context import Context, Reply, failure, handles
from aiocos.emulator.handlers.finding import must_find
from aiocos.emulator.handlers.settings import configure, configured, none_of
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


def _bad(message: str) -> Exception:
    return failure("InvalidArgument", message)


def _malformed(message: str) -> Exception:
    return failure("MalformedXML", message)


@handles(PutBucketLifecycleConfiguration, integrity=True)
async def put(ctx: Context, op: PutBucketLifecycleConfiguration) -> Result:
    """Replace the rules."""
    if b"<NoncurrentVersionTransition" in bytes(ctx.request.body or b""):
        raise _malformed("There is no transition of versions that are not current.")
    assert isinstance(op.rules, list)  # as every request is read
    if not 1 <= len(op.rules) <= MAX_RULES:
        raise _malformed(f"A lifecycle has 1 to {MAX_RULES} rules, not {len(op.rules)}.")
    if sum(len(rule.transitions) for rule in op.rules) > 1:
        raise _bad("A bucket has one archive rule at most, with one transition.")
    for rule in op.rules:
        for check in _CHECKS:
            check(rule, ctx.now)
    ids = [rule.id for rule in op.rules if rule.id]
    if len(set(ids)) < len(ids):
        raise _bad("The ids of the rules are not unique.")
    named = [rule if rule.id else rule.model_copy(update={"id": str(uuid4())}) for rule in op.rules]
    return await configure(ctx, "lifecycle", LifecycleRules(rules=named))


def _check_id(rule: LifecycleRule, now: float) -> None:
    if rule.id and not _ID.fullmatch(rule.id):
        raise _bad(f"The id {rule.id!r} of a rule holds other characters than a-z A-Z 0-9 ! _ . * ' ( ) -")


def _check_actions(rule: LifecycleRule, now: float) -> None:
    actions = (rule.transitions, rule.expiration, rule.noncurrent_version_expiration, rule.abort_incomplete_multipart_upload)
    if not any(actions):
        raise _malformed("A rule has at least one action.")
    if rule.filter is None and rule.prefix is None:
        raise _malformed("A rule has a filter.")


def _check_filter(rule: LifecycleRule, now: float) -> None:
    given = rule.filter or LifecycleFilter(prefix=rule.prefix)
    conditions = (given.prefix, given.tag, given.object_size_greater_than, given.object_size_less_than, given.and_)
    if sum(c is not None for c in conditions) > 1:
        raise _malformed("A filter has one condition; several stand in And.")
    both = given.and_
    sizes = [given.object_size_greater_than, given.object_size_less_than]
    if both is not None:
        sizes += [both.object_size_greater_than, both.object_size_less_than]
    if any(size is not None and size <= 0 for size in sizes):
        raise _bad("A size in a filter is above 0.")
    if rule.transitions and (given.prefix or any(c is not None for c in conditions[1:])):
        raise _bad("An archive rule is for all objects: its filter is an empty prefix.")


def _check_transition(rule: LifecycleRule, now: float) -> None:
    for transition in rule.transitions:
        if transition.storage_class not in ("GLACIER", "ACCELERATED"):
            raise _bad(f"The storage class of a transition is GLACIER or ACCELERATED, not {transition.storage_class}.")
        _check_when(transition, now, least=0)
        if transition.date is not None and transition.date.timestamp() <= now:
            raise _bad("The date of a transition lies in the future.")


def _check_expiration(rule: LifecycleRule, now: float) -> None:
    expiration = rule.expiration
    if expiration is None:
        return
    if expiration.expired_object_delete_marker is not None:
        if expiration.days is not None or expiration.date is not None:
            raise _malformed("ExpiredObjectDeleteMarker stands alone, without days or a date.")
        return
    _check_when(expiration, now, least=1)


def _check_when(when: Transition | Expiration, now: float, least: int) -> None:
    if (when.days is None) == (when.date is None):
        raise _malformed("An action has days or a date, and not both.")
    if when.days is not None and when.days < least:
        raise _bad(f"Days are {least} at least, not {when.days}.")


def _check_others(rule: LifecycleRule, now: float) -> None:
    end = rule.noncurrent_version_expiration
    if end is not None and (end.noncurrent_days or 0) <= 0:
        raise _bad("NoncurrentDays is above 0.")
    if end is not None and end.newer_noncurrent_versions is not None and end.newer_noncurrent_versions <= 0:
        raise _bad("NewerNoncurrentVersions is above 0.")
    abort = rule.abort_incomplete_multipart_upload
    if abort is not None and (abort.days_after_initiation or 0) <= 0:
        raise _bad("DaysAfterInitiation is above 0.")


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
    """Read the rules."""
    missing = none_of("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist.")
    return configured(ctx, "lifecycle", LifecycleConfiguration, missing)


@handles(DeleteBucketLifecycle)
async def delete(ctx: Context, op: DeleteBucketLifecycle) -> Result:
    """Remove the rules. What they have stamped on objects stays."""
    return await configure(ctx, "lifecycle", None)


@handles(RestoreObject)
async def restore(ctx: Context, op: RestoreObject) -> Reply:
    """Begin a restore; of what is restored, change how long it stays."""
    bucket, now, days = ctx.bucket, ctx.now, op.request.days
    if days < 1:
        raise _bad(f"Days are 1 at least, not {days}.")
    asked = op.request.glacier_job_parameters.tier if op.request.glacier_job_parameters is not None else None
    if asked not in (None, *HOURS):
        raise _bad(f"The tier of a restore is Bulk or Accelerated, not {asked}.")

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
            tier = asked or ("Accelerated" if found.archive["class"] == "ACCELERATED" else "Bulk")
            if tier == "Accelerated" and found.archive["class"] != "ACCELERATED":
                raise _bad("Objects in GLACIER are restored with the tier Bulk.")
            ready = now + HOURS[tier] * 3600
            new = {"ready": ready, "until": ready + days * DAY}
        objects.set_archive(t, found.serial, {**found.archive, "restore": new})
        return 200 if old is not None else 202

    return Reply(Result(), await ctx.store.write(write))
