"""Handlers of Object Lock: bucket configurations, retention and holds."""

from typing import Annotated, Any

from aiocos.emulator import locking
from aiocos.emulator.context import Context, failure, handles, moment
from aiocos.emulator.handlers.bucket_state import current_bucket, refuse_retention_policy, require_versioning
from aiocos.emulator.handlers.configurations import no_configuration, read_configuration
from aiocos.emulator.handlers.lookup import must_find
from aiocos.emulator.handlers.protection import management_state
from aiocos.emulator.replication import update_replica
from aiocos.emulator.store import ObjectRow, Transaction, buckets, objects
from aiocos.errors import NoSuchConfiguration
from aiocos.operations.object_lock import (
    GetObjectLegalHold,
    GetObjectLockConfiguration,
    GetObjectRetention,
    LockRule,
    ObjectLegalHold,
    ObjectLock,
    ObjectLockConfiguration,
    ObjectRetention,
    PutObjectLegalHold,
    PutObjectLockConfiguration,
    PutObjectRetention,
)
from aiocos.operations.shared import RequestChargedResult
from aiocos.wire.document import Document, Element

MAX_DAYS, MAX_YEARS = 36_500, 100


class _Rules(Document):
    """An Object Lock configuration with any number of rules, to detect more than one."""

    rules: Annotated[list[LockRule], Element("Rule")] = []


def _malformed(message: str) -> Exception:
    return failure("MalformedXML", message)


@handles(GetObjectLockConfiguration)
async def get_configuration(ctx: Context, op: GetObjectLockConfiguration) -> ObjectLock:
    """Return a bucket's Object Lock configuration."""
    missing = no_configuration(
        "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"
    )
    found = read_configuration(ctx, "object-lock", ObjectLock, missing)
    return found.model_copy(update={"management_state": management_state(ctx)})


@handles(PutObjectLockConfiguration, integrity=True)
async def put_configuration(ctx: Context, op: PutObjectLockConfiguration) -> RequestChargedResult:
    """Enable Object Lock, or replace the default retention.

    The bucket must have versioning.
    """
    if len(_Rules.from_xml(bytes(ctx.request.body or b"")).rules) > 1:
        raise _malformed("An Object Lock configuration can have only one rule.")
    _check(op.configuration)
    xml, bucket = op.configuration.to_xml().decode(), ctx.bucket

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        refuse_retention_policy(current, "Object Lock")
        require_versioning(current, "Object Lock")
        buckets.set_setting(t, current.id, "object-lock", xml)

    await ctx.store.write(write)
    return RequestChargedResult()


def _check(configuration: ObjectLockConfiguration) -> None:
    # One page of the documentation writes it in capitals.
    if (configuration.object_lock_enabled or "").capitalize() != "Enabled":
        raise _malformed("ObjectLockEnabled must be Enabled: Object Lock cannot be disabled.")
    if configuration.rule is None:
        return
    default = configuration.rule.default_retention
    if default is None or default.mode is None:
        raise _malformed("The rule of Object Lock needs a default retention with a mode.")
    if (default.days is None) == (default.years is None):
        raise _malformed("A default retention needs days or years, not both.")
    requested, maximum = (default.days, MAX_DAYS) if default.days is not None else (default.years, MAX_YEARS)
    if not 0 < (requested or 0) <= maximum:
        raise failure("InvalidArgument", f"A default retention must be 1 to {MAX_DAYS} days or 1 to {MAX_YEARS} years.")


def _none() -> NoSuchConfiguration:
    return no_configuration("NoSuchObjectLockConfiguration", "The specified object does not have an Object Lock configuration")


def _lock_of(ctx: Context, key: str, version_id: str | None) -> dict[str, Any]:
    if "object-lock" not in ctx.bucket.settings:
        raise locking.no_lock()
    return must_find(ctx.store.connection, ctx.bucket.id, key, version_id).lock or {}


@handles(GetObjectRetention)
async def get_retention(ctx: Context, op: GetObjectRetention) -> ObjectRetention:
    """Return the retention of a version, even if it has expired."""
    lock = _lock_of(ctx, op.key, op.version_id)
    if "mode" not in lock:
        raise _none()
    return ObjectRetention(mode=lock["mode"], retain_until=moment(lock["until"]))


@handles(GetObjectLegalHold)
async def get_legal_hold(ctx: Context, op: GetObjectLegalHold) -> ObjectLegalHold:
    """Return the legal hold of a version."""
    lock = _lock_of(ctx, op.key, op.version_id)
    if "hold" not in lock:
        raise _none()
    return ObjectLegalHold(status=lock["hold"])


@handles(PutObjectRetention, integrity=True)
async def put_retention(ctx: Context, op: PutObjectRetention) -> RequestChargedResult:
    """Set or extend the retention of a version.

    With the right to bypass GOVERNANCE, shorten or remove it.
    """
    mode, bucket, now = op.retention.mode, ctx.bucket, ctx.now
    until = None if op.retention.retain_until is None else op.retention.retain_until.timestamp()
    if (mode is None) != (until is None):
        raise _malformed("A retention needs a mode and a date.")
    bypass = bool(op.bypass_governance) and locking.may_bypass(ctx)

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        if "object-lock" not in current.settings:
            raise locking.no_lock()
        found = must_find(t.connection, current.id, op.key, op.version_id)
        _check_change(found, mode, until, now, bypass=bypass)
        hold = {name: value for name, value in (found.lock or {}).items() if name == "hold"}
        lock = hold if until is None else {"mode": mode, "until": locking.in_future(until, now), **hold}
        objects.set_lock(t, found.serial, lock)
        update_replica(t, current, found.copy(lock=lock), now)

    await ctx.store.write(write)
    return RequestChargedResult()


def _check_change(found: ObjectRow, mode: str | None, until: float | None, now: float, *, bypass: bool) -> None:
    """Raise `AccessDenied` if a change weakens unexpired retention.

    Without bypass, only a later date is allowed.
    """
    if not locking.is_retained(found, now):
        return
    assert found.lock is not None
    if found.lock["mode"] == "GOVERNANCE" and bypass:
        return
    weaker = found.lock["mode"] == "COMPLIANCE" and mode != "COMPLIANCE"
    if weaker or until is None or not locking.is_later(until, found.lock["until"]):
        raise locking.protected()


@handles(PutObjectLegalHold, integrity=True)
async def put_legal_hold(ctx: Context, op: PutObjectLegalHold) -> RequestChargedResult:
    """Set or remove the legal hold of a version. Its retention is not changed."""
    bucket, now = ctx.bucket, ctx.now

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        if "object-lock" not in current.settings:
            raise locking.no_lock()
        found = must_find(t.connection, current.id, op.key, op.version_id)
        lock = {**(found.lock or {}), "hold": op.status}
        objects.set_lock(t, found.serial, lock)
        update_replica(t, current, found.copy(lock=lock), now)

    await ctx.store.write(write)
    return RequestChargedResult()
